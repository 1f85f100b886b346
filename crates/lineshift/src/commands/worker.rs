//! `lineshift worker`

use std::net::SocketAddr;

use anyhow::Result;
use lineshift_engine::SystemClock;

use crate::cli::Context;
use crate::clocks;
use crate::connect::Outside;
use crate::exit::Done;
use crate::serving::{self, Roles, Signals};
use crate::stores;
use crate::upkeep::Upkeep;

/// Run a worker and a scheduler without the API, beside any number of others on the same store.
///
/// Workers share the work page by page and need to know nothing of each other; what an account of a billing system allows holds
/// for all of them together. Each has the same configuration, the key of credentials included. On the embedded store they run on
/// one machine, and share its one writer.
///
/// SIGINT or SIGTERM ends it: then the page in hand is finished, and what waits for an account is given back. A second signal ends it at once; nothing is lost then either, its pages are taken up by others after their lease.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Answer /metrics, /healthz and /readyz at this address, such as 127.0.0.1:9100; without it nothing listens.
    #[arg(long, value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let mut signals = Signals::hear()?;
    let outside = Outside::of(context)?;
    let store = stores::open_existing(context).await?;
    store.check_ready().await?;
    clocks::check(&store, SystemClock).await?;
    let listener = serving::listen_for_measures(args.metrics_listen).await?;
    let shown = listener.as_ref().map(serving::address_of).transpose()?;
    let _upkeep = Upkeep::begin(&store, SystemClock);
    let mut running = serving::start(serving::engine(store.shared(), context), &outside, Roles::Worker, listener)?;
    running.watch_clock(&store, SystemClock);
    match shown {
        Some(address) => tracing::info!(store = %store.shown(), "working; measures at http://{address}/metrics"),
        None => tracing::info!(store = %store.shown(), "working"),
    }
    if running.until_stopped(&mut signals).await? {
        store.close().await?;
        tracing::info!("stopped");
    }
    Ok(Done::Fully)
}
