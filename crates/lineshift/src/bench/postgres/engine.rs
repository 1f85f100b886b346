//! The legs that the engine runs, through its public functions, as the application's role.

use std::time::Instant;

use anyhow::{Context as _, Result};
use lineshift_engine::shutdown;

use super::legs::{begin, told};
use super::prepare::engine_at;
use crate::bench::engine_legs::{read_order, stored, worker};
use crate::bench::fleet::Kind;

/// A worker as `lineshift worker` has it, from the word to begin until its standard input ends. Answers seconds.
pub(super) async fn work(url: &str) -> Result<f64> {
    let (engine, _) = engine_at(url).await?;
    let (stop, stopped) = shutdown();
    let listening = tokio::spawn({
        let (engine, stopped) = (engine.clone(), stopped.clone());
        async move { engine.run_listener(stopped).await }
    });
    begin().await?;
    let started = Instant::now();
    let working = tokio::spawn(async move { engine.run_worker(worker(), stopped).await });
    while told().await? {}
    let seconds = started.elapsed().as_secs_f64();
    stop.stop();
    working.await.context("waiting for the worker")?;
    listening.await.context("waiting for the listener")?;
    Ok(seconds)
}

/// Reads and submits a plan change, without keeping its body longer than a server does. Answers seconds.
pub(super) async fn submit(url: &str, body: Vec<u8>) -> Result<f64> {
    let (engine, caller) = engine_at(url).await?;
    let started = Instant::now();
    let order = read_order(Kind::PlanChange, &body, engine.limits())?;
    drop(body);
    stored(engine.submit(&caller, order, None).await?)?;
    Ok(started.elapsed().as_secs_f64())
}
