//! The job queue beside: a program of its own in `bench-peers/`, outside of what is built by default, built here.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use super::legs::Ready;
use super::server::{Database, Server};
use super::texts::Texts;
use super::{devices, floor};
use crate::bench::fleet::{Kind, NEW_ALLOCATION, NEW_PLAN};
use crate::bench::legs::LegReport;

/// Where its sources are: the benchmark is run from a checkout.
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../bench-peers");

/// Builds it.
pub(super) async fn build() -> Result<()> {
    let mut build = Command::new("cargo");
    build.args(["build", "--release", "--locked", "--quiet", "--manifest-path"]).arg(PathBuf::from(SOURCES).join("Cargo.toml"));
    build.arg("--target-dir").arg(target()).stdin(Stdio::null()).kill_on_drop(true);
    let status = build.status().await.context("starting cargo")?;
    ensure!(status.success(), "bench-peers could not be built");
    Ok(())
}

/// Runs one job a device, then counts and completes. Its jobs are queued before the clock starts.
pub(super) async fn run(server: &Server, url: &str, connections: usize) -> Result<LegReport> {
    let client = server.connect(Some(Database::Work)).await?;
    let texts = Texts::read(&client, Kind::PlanChange, "Process").await?;
    let mut command = Command::new(target().join("release/graphile"));
    command.args([url, &connections.to_string(), &NEW_PLAN.to_string(), NEW_ALLOCATION]).arg(serde_json::to_string(&texts)?);
    let mut report = Ready::of("plan_change/graphile_worker".to_owned(), command).await?.finish().await?;
    let pages = floor::pages(&client).await?;
    report.seconds += devices::finish(&client, &pages).await?;
    Ok(report)
}

fn target() -> PathBuf {
    PathBuf::from(SOURCES).join("target")
}
