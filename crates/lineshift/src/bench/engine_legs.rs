//! The legs that the engine runs, through its public functions.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use lineshift_domain::limits::Limits;
use lineshift_domain::order::Order;
use lineshift_domain::reading::{read_associate_customer, read_bulk_change};
use lineshift_domain::terms::PortalType;
use lineshift_engine::{Submission, Submitted, WorkerOptions};

use super::fleet::Kind;
use super::prepare::{engine_on, open_store};

/// Reads a body as the route of its kind does.
pub(super) fn read_order(kind: Kind, body: &[u8], limits: &Limits) -> Result<Order> {
    let read = match kind {
        Kind::PlanChange => read_bulk_change(body, PortalType::M2M, limits),
        Kind::AmopAssignment => read_associate_customer(body, PortalType::M2M, limits),
    };
    read.context("reading the order")
}

/// What was stored; a benchmark's order is never a repeated one.
pub(super) fn stored(submission: Submission) -> Result<Submitted> {
    match submission {
        Submission::Stored(submitted) => Ok(submitted),
        Submission::Repeated(answer) => bail!("the order was answered before: {answer}"),
    }
}

/// The worker of a benchmark.
pub(super) fn worker() -> WorkerOptions {
    WorkerOptions { owner: format!("bench-{}", std::process::id()) }
}

/// Runs what was submitted: claiming, judging, writing, completing. Answers seconds.
pub(super) async fn process(file: &Path) -> Result<f64> {
    let store = open_store(file).await?;
    let (engine, _) = engine_on(&store).await?;
    let started = Instant::now();
    let pages = engine.run_pages_until_idle(&worker()).await?;
    store.checkpoint().await?;
    let seconds = started.elapsed().as_secs_f64();
    ensure!(pages > 0, "there was no page to run");
    Ok(seconds)
}

/// Reads and submits a plan change. Answers seconds.
pub(super) async fn submit(file: &Path, body: Vec<u8>) -> Result<f64> {
    let store = open_store(file).await?;
    let (engine, caller) = engine_on(&store).await?;
    let started = Instant::now();
    let order = read_order(Kind::PlanChange, &body, engine.limits())?;
    stored(engine.submit(&caller, order, None).await?)?;
    store.checkpoint().await?;
    Ok(started.elapsed().as_secs_f64())
}

/// Reads, submits and runs a plan change, without keeping its body longer than a server does. Answers seconds.
pub(super) async fn submit_and_process(file: &Path, body: Vec<u8>) -> Result<f64> {
    let store = open_store(file).await?;
    let (engine, caller) = engine_on(&store).await?;
    let started = Instant::now();
    let order = read_order(Kind::PlanChange, &body, engine.limits())?;
    drop(body);
    stored(engine.submit(&caller, order, None).await?)?;
    engine.run_pages_until_idle(&worker()).await?;
    store.checkpoint().await?;
    Ok(started.elapsed().as_secs_f64())
}
