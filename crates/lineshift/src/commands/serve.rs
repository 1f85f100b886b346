//! `lineshift serve`

use std::sync::Arc;

use anyhow::Result;
use lineshift_engine::{Engine, SystemClock};
use lineshift_store::access::AccessStore as _;

use crate::cli::Context;
use crate::connect::Outside;
use crate::exit::Done;
use crate::serving::{self, Roles, Signals};
use crate::stores;

/// Run the API with a worker and the scheduler.
///
/// SIGINT or SIGTERM ends it: then requests and the page in hand are finished. A second signal ends it at once; nothing is lost then either, the page is taken up again after its lease.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The address to listen at, such as 127.0.0.1:8080; also LINESHIFT_LISTEN.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Answer requests only; another process does the work.
    #[arg(long)]
    no_worker: bool,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let mut signals = Signals::hear()?;
    let outside = Outside::of(context)?;
    let store = stores::open(context).await?;
    if store.list_tenants().await?.is_empty() {
        tracing::warn!("the store has no tenant: lineshift admin tenant create NAME, then lineshift admin key create NAME");
    }
    let path = store.path();
    let engine = Engine::new(Arc::new(store.clone()), Arc::new(SystemClock), context.settings().limits);
    let engine = match context.settings().sync.every() {
        Some(every) => engine.syncing_every(every),
        None => engine,
    };
    let listener = serving::listen(context.settings().listen).await?;
    let roles = if args.no_worker { Roles::ApiOnly } else { Roles::All };
    let mut running = serving::start(engine, &outside, listener, roles)?;
    tracing::info!(store = %path.display(), worker = !args.no_worker, "listening on http://{}", running.address());
    tokio::select! {
        () = signals.next() => {}
        error = running.failed() => return Err(error),
    }
    tracing::info!("stopping: finishing requests and the page in hand; a second signal ends at once");
    tokio::select! {
        stopped = running.stop() => stopped?,
        () = signals.next() => {
            tracing::warn!("ended at once");
            return Ok(Done::Fully);
        }
    }
    store.checkpoint().await?;
    tracing::info!("stopped");
    Ok(Done::Fully)
}
