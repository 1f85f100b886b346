//! Small changes while a large one runs: how long each takes from its submission to its end.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::Order;
use lineshift_domain::terms::BulkChangeStatus;
use lineshift_engine::{Caller, Engine, shutdown};

use super::engine_legs::{read_order, stored, worker};
use super::fleet::{self, Kind, NEW_PLAN, OTHER_PLAN, SMALL_CHANGE_LINES, SMALL_CHANGES, Size};
use super::prepare::{engine_on, open_store};

/// Submits small changes, one after the other, and waits for the end of each while a change of the whole fleet runs;
/// when that ends, another one is submitted. What did not fall into its run is not counted. Answers seconds.
pub(super) async fn measure(file: &Path, order: String, size: Size) -> Result<Vec<f64>> {
    let store = open_store(file).await?;
    let (engine, caller) = engine_on(&store).await?;
    let limits = *engine.limits();
    let large = move |nth| plan_change(&order, nth, &limits);
    measure_beside(engine, caller, size, large).await
}

/// A plan change of a body's lines; the plan alternates, so that each has something to change.
pub(super) fn plan_change(body: &str, nth: u64, limits: &Limits) -> Result<Order> {
    let plan = if nth.is_multiple_of(2) { NEW_PLAN } else { OTHER_PLAN };
    read_order(Kind::PlanChange, fleet::with_plan(body, plan).as_bytes(), limits)
}

/// The same on any store, beside the orders that `large` makes, from 0 on.
pub(super) async fn measure_beside(
    engine: Engine,
    caller: Caller,
    size: Size,
    large: impl Fn(u64) -> Result<Order> + Send + Sync + 'static,
) -> Result<Vec<f64>> {
    let (stop, stopped) = shutdown();
    let hearing = tokio::spawn({
        let (engine, stopped) = (engine.clone(), stopped.clone());
        async move { engine.run_listener(stopped).await }
    });
    let working = tokio::spawn({
        let engine = engine.clone();
        async move { engine.run_worker(worker(), stopped).await }
    });
    let running = Arc::new(AtomicU64::new(NONE));
    let large = tokio::spawn(keep_one_running(engine.clone(), caller.clone(), large, Arc::clone(&running)));
    let mut seconds = Vec::new();
    let mut nth = 0;
    while seconds.len() < usize::try_from(SMALL_CHANGES)? {
        ensure!(!large.is_finished(), "the large change could not be submitted or run");
        ensure!(
            nth < SMALL_CHANGES * ATTEMPTS,
            "a change of the whole fleet ends too soon to be measured beside; take a larger fleet"
        );
        let before = running.load(Ordering::Acquire);
        if before == NONE {
            wait_for_change(&engine).await;
            continue;
        }
        let took = one(&engine, &caller, size, nth).await?;
        nth += 1;
        if running.load(Ordering::Acquire) == before {
            seconds.push(took);
        }
    }
    large.abort();
    stop.stop();
    working.await.context("waiting for the worker")?;
    hearing.await.context("waiting for the listener")?;
    Ok(seconds)
}

/// No large change is being run.
const NONE: u64 = 0;

/// Small changes submitted for each that counts, at most.
const ATTEMPTS: u64 = 10;

/// Submits a change of the whole fleet, waits for its end, and again, the next one. Says which one is being run.
async fn keep_one_running(
    engine: Engine,
    caller: Caller,
    large: impl Fn(u64) -> Result<Order>,
    running: Arc<AtomicU64>,
) -> Result<()> {
    for nth in 0.. {
        let order = large(nth)?;
        let submitted = stored(engine.submit(&caller, order, None).await?)?;
        running.store(submitted.id.0.unsigned_abs(), Ordering::Release);
        let status = ended(&engine, &caller, submitted.id).await?;
        running.store(NONE, Ordering::Release);
        ensure!(status == BulkChangeStatus::Partial || status == BulkChangeStatus::Processed, "the large change ended {status}");
    }
    Ok(())
}

/// One small change: its body read, submitted, and its end awaited.
async fn one(engine: &Engine, caller: &Caller, size: Size, nth: u64) -> Result<f64> {
    let first = size.fleet + (nth % SMALL_CHANGES) * SMALL_CHANGE_LINES;
    let iccids: Vec<String> = (first..first + SMALL_CHANGE_LINES).map(fleet::iccid).collect();
    let plan = if (nth / SMALL_CHANGES).is_multiple_of(2) { NEW_PLAN } else { OTHER_PLAN };
    let body = fleet::body(Kind::PlanChange, 1, plan, &iccids);
    let started = Instant::now();
    let order = read_order(Kind::PlanChange, body.as_bytes(), engine.limits())?;
    let submitted = stored(engine.submit(caller, order, None).await?)?;
    let status = ended(engine, caller, submitted.id).await?;
    let seconds = started.elapsed().as_secs_f64();
    ensure!(status == BulkChangeStatus::Processed, "a small change ended {status}");
    Ok(seconds)
}

/// Waits until a change is completed.
async fn ended(engine: &Engine, caller: &Caller, id: BulkChangeId) -> Result<BulkChangeStatus> {
    let mut events = engine.events().subscribe();
    loop {
        let change = engine.store().get_bulk_change(caller.tenant, caller.principal, id).await?;
        if change.processed_at.is_some() {
            return Ok(change.status());
        }
        loop {
            match events.recv().await {
                Ok(changed) if changed.bulk_change_id != id => {}
                // One that was too slow has missed some and looks by itself.
                _ => break,
            }
        }
    }
}

/// Waits until something happens to any change.
async fn wait_for_change(engine: &Engine) {
    let mut events = engine.events().subscribe();
    drop(events.recv().await);
}
