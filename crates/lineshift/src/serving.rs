//! Running the API, a worker and the scheduler in this process.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result};
use lineshift_engine::{Connect, Engine, Shutdown, ShutdownSender, WorkerOptions, shutdown};
use lineshift_web::accounts::SealCredentials;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

use crate::connect::Outside;

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Roles {
    /// Answers requests, runs pages, applies due queue entries.
    All,
    /// Answers requests.
    ApiOnly,
}

/// A server that runs.
pub(crate) struct Running {
    address: SocketAddr,
    stop: ShutdownSender,
    tasks: JoinSet<Result<()>>,
}

/// Listens at that address.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("listening at {address}; is another server there? --listen names another address"))
}

/// Starts serving on that listener; `outside` is how accounts are called and their credentials sealed.
pub(crate) fn start(engine: Engine, outside: &Arc<Outside>, listener: TcpListener, roles: Roles) -> Result<Running> {
    let engine = engine.connected(Arc::clone(outside) as Arc<dyn Connect>);
    let seal = Arc::clone(outside) as Arc<dyn SealCredentials>;
    let address = listener.local_addr().context("looking up the address")?;
    let (stop, stopping) = shutdown();
    let mut tasks = JoinSet::new();
    let router = lineshift_web::router_that_seals(engine.clone(), metrics(), seal);
    let web = due(stopping.clone());
    tasks.spawn(async move { lineshift_web::serve(listener, router, web).await.context("serving the API") });
    if roles == Roles::All {
        let options = WorkerOptions { owner: owner()? };
        let (worker, stopping_worker) = (engine.clone(), stopping.clone());
        tasks.spawn(async move {
            worker.run_worker(options, stopping_worker).await;
            Ok(())
        });
        tasks.spawn(async move {
            engine.run_scheduler(stopping).await;
            Ok(())
        });
    }
    Ok(Running { address, stop, tasks })
}

impl Running {
    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until a part ends although nobody asked it to: that is a failure of the whole.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok(Err(error))) => error,
            Some(Err(error)) => anyhow::Error::new(error).context("a part of the server was cut off"),
            Some(Ok(Ok(()))) | None => anyhow::anyhow!("a part of the server ended by itself"),
        }
    }

    /// Asks everything to stop and waits until it has: requests and the page in hand are finished.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.stop.stop();
        while let Some(ended) = self.tasks.join_next().await {
            ended.context("a part of the server was cut off")??;
        }
        Ok(())
    }
}

async fn due(mut stopping: Shutdown) {
    stopping.due().await;
}

/// Who holds pages: this process, also among others on other machines.
fn owner() -> Result<String> {
    let mut bytes = [0_u8; 4];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("naming this process: {error}"))?;
    Ok(format!("lineshift-{}-{:08x}", std::process::id(), u32::from_be_bytes(bytes)))
}

/// The measures of this process; there is one recorder in it.
fn metrics() -> Option<PrometheusHandle> {
    static METRICS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    METRICS
        .get_or_init(|| {
            let installed = lineshift_web::install_metrics();
            installed.inspect_err(|error| tracing::warn!(%error, "/metrics is not available")).ok()
        })
        .clone()
}

/// SIGINT and SIGTERM, heard from when this was made: before anything is announced that somebody may want to stop.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Hears signals from now on.
    pub(crate) fn hear() -> Result<Self> {
        let terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
        let interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
        Ok(Self { terminate, interrupt })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
