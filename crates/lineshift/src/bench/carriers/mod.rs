//! Moving lines at their carriers: Jasper with one call at a time and five a second, POND with ten at a time, and Rev.io beside them with
//! 32, each a simulator in a process of its own that takes 50 ms to answer. Each change is measured alone, then all three at once.

mod figures;
mod prepare;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use futures::future::{select_all, try_join_all};
use lineshift_domain::limits::Limits;
use lineshift_domain::order::Order;
use lineshift_engine::{Caller, Engine, SystemClock, shutdown};
use serde_json::{Value, json};

pub(super) use self::figures::Carriers;
use self::figures::{Beside, Done, Round};
use self::prepare::{Lines, Orders};
use super::billing::{ANSWER, ended, remove, require_billed_once};
use super::engine_legs::{stored, worker};
use super::fleet::Size;
use super::prepare::open_store;
use super::simulators::{ConnectSimulators, Simulator};

/// Lines of each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Of the change at Jasper, alone and beside the others.
    jasper: u64,
    /// Of the status update at Jasper.
    status: u64,
    /// Of the change at POND alone.
    pond: u64,
    /// Of the billing change alone.
    billing: u64,
    /// Of the change at POND beside the others: it takes about as long as Jasper's.
    pond_beside: u64,
    /// Of the billing change beside the others, likewise.
    billing_beside: u64,
}

impl Sizes {
    /// 300 lines at Jasper, which take a minute, and what takes the others as long; less where orders are small.
    pub(super) fn of(size: Size) -> Self {
        let jasper = (size.lines / 20).clamp(10, 300);
        Self {
            jasper,
            status: jasper / 5,
            pond: jasper * 10 / 3,
            billing: jasper * 50 / 3,
            pond_beside: jasper * 10,
            billing_beside: jasper * 60,
        }
    }
}

/// The three systems.
struct Systems {
    jasper: Simulator,
    pond: Simulator,
    revio: Simulator,
}

/// An engine whose worker runs.
struct Running {
    engine: Engine,
    caller: Caller,
}

/// Runs each change once, on a store and simulators of their own.
pub(super) async fn measure(directory: &Path, sizes: Sizes) -> Result<Round> {
    let lines = Lines::of(sizes);
    let systems = Systems {
        jasper: Simulator::carrier(directory, ANSWER, "jasper", lines.fleet()).await?,
        pond: Simulator::carrier(directory, ANSWER, "pond", lines.fleet()).await?,
        revio: Simulator::revio(directory, ANSWER).await?,
    };
    let file = directory.join("carriers.db");
    let store = open_store(&file).await?;
    let (caller, orders) = prepare::prepare(&store, &systems, sizes, &lines).await?;
    let engine = Engine::new(Arc::new(store.clone()), Arc::new(SystemClock), Limits::default());
    let running = Running { engine: engine.connected(Arc::new(ConnectSimulators)), caller };
    let (stop, stopped) = shutdown();
    let working = tokio::spawn({
        let engine = running.engine.clone();
        async move { engine.run_worker(worker(), stopped).await }
    });
    let round = run(&running, &systems, &orders, sizes).await?;
    stop.stop();
    working.await.context("waiting for the worker")?;
    drop((running, store));
    remove(&file);
    check(systems, sizes).await?;
    Ok(round)
}

async fn run(running: &Running, systems: &Systems, orders: &Orders, sizes: Sizes) -> Result<Round> {
    let Systems { jasper, pond, revio } = systems;
    let limits = Limits::default();
    Ok(Round {
        jasper: alone(running, jasper, orders.jasper(0..sizes.jasper), sizes.jasper).await?,
        pond: alone(running, pond, orders.pond(0..sizes.pond), sizes.pond).await?,
        billing: alone(running, revio, orders.billing(0..sizes.billing, &limits)?, sizes.billing).await?,
        status: alone(running, jasper, orders.status(sizes.jasper..sizes.jasper + sizes.status), sizes.status).await?,
        beside: {
            let at_jasper = sizes.jasper + sizes.status;
            let all = [
                orders.jasper(at_jasper..at_jasper + sizes.jasper),
                orders.pond(sizes.pond..sizes.pond + sizes.pond_beside),
                orders.billing(sizes.billing..sizes.billing + sizes.billing_beside, &limits)?,
            ];
            beside(running, [jasper, pond, revio], all).await?
        },
    })
}

/// One change with nothing beside it, from its submission to its end.
async fn alone(running: &Running, simulator: &Simulator, order: Order, lines: u64) -> Result<Done> {
    let Running { engine, caller } = running;
    let before = simulator.calls().await?;
    let started = Instant::now();
    let submitted = stored(engine.submit(caller, order, None).await?)?;
    ended(engine, caller, submitted.id).await?;
    let seconds = started.elapsed().as_secs_f64();
    Ok(Done { lines, calls: simulator.calls().await? - before, seconds })
}

/// All three at once. They are measured from their submission until the first of them has ended: so long each has the others beside it.
async fn beside(running: &Running, simulators: [&Simulator; 3], orders: [Order; 3]) -> Result<Beside> {
    let Running { engine, caller } = running;
    let before = try_join_all(simulators.map(Simulator::calls)).await?;
    let started = Instant::now();
    let mut ids = Vec::new();
    for order in orders {
        ids.push(stored(engine.submit(caller, order, None).await?)?.id);
    }
    let ends = ids.into_iter().map(|id| Box::pin(ended(engine, caller, id)));
    let (first, _, others) = select_all(ends).await;
    first?;
    let seconds = started.elapsed().as_secs_f64();
    let after = try_join_all(simulators.map(Simulator::calls)).await?;
    try_join_all(others).await?;
    let calls = |nth: usize| after[nth] - before[nth];
    Ok(Beside { seconds, jasper_calls: calls(0), pond_calls: calls(1), billing_calls: calls(2) })
}

/// Fails unless every line was moved, once, and every call was understood.
async fn check(systems: Systems, sizes: Sizes) -> Result<()> {
    let Systems { jasper, pond, revio } = systems;
    let (jasper, pond, revio) = (jasper.stop().await?, pond.stop().await?, revio.stop().await?);
    for ledger in [&jasper, &pond, &revio] {
        ensure!(ledger["wrong_requests"] == json!(0), "a call was not understood: {}", ledger["wrong_texts"]);
    }
    let count = |ledger: &Value, name: &str| ledger[name].as_u64().with_context(|| format!("a simulator counts {name}"));
    ensure!(
        count(&jasper, "assignments")? == 2 * sizes.jasper + sizes.status,
        "not every line is moved at Jasper, or some twice"
    );
    ensure!(count(&jasper, "repeated_assignments")? == 0, "Jasper was asked twice for the same");
    let moved = sizes.pond + sizes.pond_beside;
    ensure!(count(&pond, "terminated_packages")? == moved, "not every line has lost its package at POND");
    ensure!(count(&pond, "active_packages")? == count(&pond, "sims")?, "not every line has one package at POND");
    ensure!(count(&pond, "duplicate_packages")? == 0 && count(&pond, "sims_with_several")? == 0, "a line has two packages");
    require_billed_once(&revio, sizes.billing + sizes.billing_beside)
}
