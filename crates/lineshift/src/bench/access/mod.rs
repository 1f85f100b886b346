//! Access: how long it takes to know who calls, whether the time of an answer tells what is somebody else's from what is not there, and
//! how others are served while many sign in. The last two over HTTP, with the server in a process of its own.

mod check;
mod distance;
mod figures;
mod ids;
mod people;
mod prepare;
pub(super) mod server;

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use lineshift_store::Store;

pub(super) use self::figures::{Access, p99_and_p50};
use self::prepare::Prepared;
use self::server::Server;
use super::fleet::Size;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Checks of a key, and of a session, in a round.
    checks: usize,
    /// Pairs of requests of each kind, in all rounds together.
    pairs: usize,
    /// Requests beside others, idle and busy, in a round.
    beside: usize,
    /// People who sign in at a time.
    people: usize,
}

impl Sizes {
    /// 2,000 pairs and 50 people; less where orders are small.
    pub(super) fn of(size: Size) -> Self {
        let part = |most: u64| usize::try_from((size.lines / 50).clamp(20, most)).unwrap_or(20);
        Self { checks: part(2_000), pairs: part(2_000), beside: part(1_000), people: part(50) }
    }
}

/// Measures on an empty store, which `at` names for a server.
pub(super) async fn measure(store: Arc<dyn Store>, at: &str, directory: &Path, rounds: usize, sizes: Sizes) -> Result<Access> {
    let prepared = Prepared::new(store, sizes.people).await?;
    let check = check::measure(&prepared, at, rounds, sizes.checks).await?;
    let server = Server::start(at, directory).await?;
    let ids = ids::measure(&prepared, &server, sizes.pairs).await?;
    let signing_in = people::measure(&prepared, &server, rounds, sizes).await?;
    server.stop().await?;
    Ok(Access { check, ids, signing_in })
}
