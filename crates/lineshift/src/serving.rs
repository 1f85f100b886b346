//! Running the API, a worker and the scheduler in this process, or some of them.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, Result};
use lineshift_engine::{Clock, Connect, Engine, Shutdown, ShutdownSender, SystemClock, WorkerOptions, shutdown};
use lineshift_store::Store;
use lineshift_web::accounts::SealCredentials;
use lineshift_web::{Router, ServeOptions};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

use crate::cli::Context;
use crate::clocks;
use crate::connect::Outside;
use crate::stores::OpenStore;
use crate::wire::Wire;

/// What a process does.
pub(crate) enum Roles {
    /// Answers requests, runs pages, applies due queue entries.
    All(TcpListener, Wire),
    /// Answers requests.
    ApiOnly(TcpListener, Wire),
    /// Runs pages, applies due queue entries.
    Worker,
}

impl Roles {
    const fn works(&self) -> bool {
        matches!(self, Self::All(..) | Self::Worker)
    }
}

/// A process at work.
pub(crate) struct Running {
    stop: ShutdownSender,
    stopping: Shutdown,
    tasks: JoinSet<Result<()>>,
}

/// Listens at that address.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("listening at {address}; is another server there? name another address"))
}

/// Listens where `--metrics-listen` says, if it does.
pub(crate) async fn listen_for_measures(address: Option<SocketAddr>) -> Result<Option<TcpListener>> {
    match address {
        Some(address) => listen(address).await.map(Some),
        None => Ok(None),
    }
}

/// Where it listens.
pub(crate) fn address_of(listener: &TcpListener) -> Result<SocketAddr> {
    listener.local_addr().context("looking up the address")
}

/// The engine over the store that the configuration names, as it says.
pub(crate) fn engine(store: Arc<dyn Store>, context: &Context) -> Engine {
    let engine = Engine::new(store, Arc::new(SystemClock), context.settings().limits);
    match context.settings().sync.every() {
        Some(every) => engine.syncing_every(every),
        None => engine,
    }
}

/// Begins to work; `outside` is how accounts are called and their credentials sealed, and `measures` where the measures of this process are
/// shown, to everybody who reaches it.
pub(crate) fn start(engine: Engine, outside: &Arc<Outside>, roles: Roles, measures: Option<TcpListener>) -> Result<Running> {
    let owner = owner()?;
    let engine = engine.named(owner.as_str()).connected(Arc::clone(outside) as Arc<dyn Connect>);
    let (stop, stopping) = shutdown();
    let mut tasks = JoinSet::new();
    spawn(&mut tasks, &engine, &stopping, async |engine, stopping| engine.run_listener(stopping).await);
    if roles.works() {
        let options = WorkerOptions { owner };
        spawn(&mut tasks, &engine, &stopping, async |engine, stopping| engine.run_worker(options, stopping).await);
        spawn(&mut tasks, &engine, &stopping, async |engine, stopping| engine.run_scheduler(stopping).await);
    }
    if let Roles::All(listener, wire) | Roles::ApiOnly(listener, wire) = roles {
        let seal = Arc::clone(outside) as Arc<dyn SealCredentials>;
        let router = lineshift_web::router_on_wire(engine.clone(), metrics(), seal, &wire.settings);
        serve(&mut tasks, &stopping, (listener, router, wire.options));
    }
    if let Some(listener) = measures {
        let router = lineshift_web::measures_router(engine, metrics());
        serve(&mut tasks, &stopping, (listener, router, ServeOptions::default()));
    }
    Ok(Running { stop, stopping, tasks })
}

/// Begins to answer at a listener.
fn serve(tasks: &mut JoinSet<Result<()>>, stopping: &Shutdown, (listener, router, options): (TcpListener, Router, ServeOptions)) {
    let web = due(stopping.clone());
    tasks.spawn(async move { lineshift_web::serve_with(listener, router, options, web).await.context("serving HTTP") });
}

/// Begins a part that goes on until it is asked to stop.
fn spawn<F>(tasks: &mut JoinSet<Result<()>>, engine: &Engine, stopping: &Shutdown, part: impl FnOnce(Engine, Shutdown) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let part = part(engine.clone(), stopping.clone());
    tasks.spawn(async move {
        part.await;
        Ok(())
    });
}

impl Running {
    /// Looks at the clock from now on: a process whose clock is off fails as a whole.
    pub(crate) fn watch_clock(&mut self, store: &OpenStore, clock: impl Clock + Clone) {
        if let OpenStore::Postgres(store, _) = store {
            self.tasks.spawn(clocks::watch(store.clone(), clock, due(self.stopping.clone())));
        }
    }

    /// Waits until a part ends although nobody asked it to: that is a failure of the whole.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok(Err(error))) => error,
            Some(Err(error)) => anyhow::Error::new(error).context("a part of the server was cut off"),
            Some(Ok(Ok(()))) | None => anyhow::anyhow!("a part of the server ended by itself"),
        }
    }

    /// Goes on until a signal comes, then stops; false when a second one ended it at once.
    ///
    /// # Errors
    /// What made a part end by itself.
    pub(crate) async fn until_stopped(mut self, signals: &mut Signals) -> Result<bool> {
        tokio::select! {
            () = signals.next() => {}
            error = self.failed() => return Err(error),
        }
        tracing::info!("stopping: finishing requests and the page in hand; a second signal ends at once");
        tokio::select! {
            stopped = self.stop() => stopped.map(|()| true),
            () = signals.next() => {
                tracing::warn!("ended at once");
                Ok(false)
            }
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
