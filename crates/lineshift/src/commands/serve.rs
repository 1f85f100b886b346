//! `lineshift serve`

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
use crate::wire::Wire;

/// Run the API with a worker and the scheduler.
///
/// SIGINT or SIGTERM ends it: then requests and the page in hand are finished. A second signal ends it at once; nothing is lost then either, the page is taken up again after its lease.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The address to listen at, such as 127.0.0.1:8080; also LINESHIFT_LISTEN.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// The certificate to speak TLS with, a PEM file; read again when it changes. Also LINESHIFT_SERVER_TLS_CERT.
    #[arg(long, value_name = "PEM")]
    pub(crate) tls_cert: Option<String>,
    /// Its key, a PEM file. Also LINESHIFT_SERVER_TLS_KEY.
    #[arg(long, value_name = "PEM")]
    pub(crate) tls_key: Option<String>,
    /// Answer requests only; other processes do the work: `lineshift worker`, or another `serve`.
    #[arg(long)]
    no_worker: bool,
    /// Answer /metrics, /healthz and /readyz at this address, too, such as 10.0.0.5:9100: to everybody who reaches it. Without it /metrics is
    /// answered at the API's address, to this machine alone.
    #[arg(long, value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let mut signals = Signals::hear()?;
    let outside = Outside::of(context)?;
    let wire = Wire::of(context)?;
    let store = stores::open(context).await?;
    clocks::check(&store, SystemClock).await?;
    if store.list_tenants().await?.is_empty() {
        tracing::warn!("the store has no tenant: lineshift admin tenant create NAME, then lineshift admin key create NAME");
    }
    let listener = serving::listen(context.settings().listen).await?;
    let address = serving::address_of(&listener)?;
    wire.warn_if_open(address);
    let measures = serving::listen_for_measures(args.metrics_listen).await?;
    let measured = measures.as_ref().map(serving::address_of).transpose()?;
    let scheme = wire.scheme();
    let roles = if args.no_worker { Roles::ApiOnly(listener, wire) } else { Roles::All(listener, wire) };
    let _upkeep = Upkeep::begin(&store, SystemClock);
    let mut running = serving::start(serving::engine(store.shared(), context), &outside, roles, measures)?;
    running.watch_clock(&store, SystemClock);
    tracing::info!(store = %store.shown(), worker = !args.no_worker, "listening on {scheme}://{address}");
    if let Some(address) = measured {
        tracing::info!("measures at http://{address}/metrics");
    }
    if running.until_stopped(&mut signals).await? {
        store.close().await?;
        tracing::info!("stopped");
    }
    Ok(Done::Fully)
}
