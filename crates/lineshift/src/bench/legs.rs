//! What is measured: the legs, and how each runs in a process of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::fleet::{Kind, Size};
use super::prepare::Files;
use super::{engine_legs, peers, small_changes};

/// A part of the benchmark that can be chosen with `--legs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Group {
    /// A customer rate plan change, run by the engine, the floor, and device by device.
    PlanChange,
    /// An assignment to a customer without Rev.io, likewise.
    AmopAssignment,
    /// Reading, judging and storing an order, against a plain insert after one look-up.
    Submission,
    /// Memory of a process that submits and runs the lines of the order, and one that does the whole fleet.
    Memory,
    /// Small changes while one of the whole fleet runs.
    SmallChange,
    /// Opening Rev services against the simulator, beside what its answers and the account's places allow. Embedded store.
    Billing,
    /// Moving lines at Jasper and at POND, alone and beside each other and a billing change, and what these allow. Embedded store.
    Carriers,
    /// To know who calls, to ask for what is somebody else's, and to be served while many sign in.
    Access,
    /// Pages, and the API calls behind them.
    Portal,
    /// The former design and a transaction a device, each at its best. PostgreSQL.
    Peers,
    /// A job queue with one job a device. PostgreSQL.
    GraphileWorker,
    /// Lists: what their first page reads, and a late one. PostgreSQL.
    Grids,
    /// The machine: flushes a second of its disk, and pgbench. PostgreSQL.
    Machine,
}

impl Group {
    /// The name by which it is chosen.
    pub(super) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// One leg. Names are printed and compared over time: never rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Leg {
    /// The engine.
    #[value(name = "plan_change/engine")]
    PlanChangeEngine,
    /// The leanest set-based SQL.
    #[value(name = "plan_change/floor")]
    PlanChangeFloor,
    /// Four statements a device, in device order.
    #[value(name = "plan_change/per_device")]
    PlanChangePerDevice,
    /// The same, in the order of the request.
    #[value(name = "plan_change/per_device_shuffled")]
    PlanChangeShuffled,
    /// The engine.
    #[value(name = "amop_assignment/engine")]
    AssignmentEngine,
    /// The leanest set-based SQL.
    #[value(name = "amop_assignment/floor")]
    AssignmentFloor,
    /// Four statements a device, in device order.
    #[value(name = "amop_assignment/per_device")]
    AssignmentPerDevice,
    /// The engine, from the bytes of the request.
    #[value(name = "submission/engine")]
    SubmissionEngine,
    /// A plain insert after one look-up.
    #[value(name = "submission/floor")]
    SubmissionFloor,
    /// The engine, from the bytes of the request to the end of the change.
    #[value(name = "memory")]
    Memory,
    /// The engine, with a large and a small change at a time.
    #[value(name = "small_change")]
    SmallChange,
}

impl Leg {
    /// The name that is printed.
    pub(super) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The legs of a group that take turns.
    pub(super) const fn interleaved(group: Group) -> &'static [Self] {
        match group {
            Group::PlanChange => {
                &[Self::PlanChangeEngine, Self::PlanChangeFloor, Self::PlanChangePerDevice, Self::PlanChangeShuffled]
            }
            Group::AmopAssignment => &[Self::AssignmentEngine, Self::AssignmentFloor, Self::AssignmentPerDevice],
            Group::Submission => &[Self::SubmissionEngine, Self::SubmissionFloor],
            Group::Memory
            | Group::SmallChange
            | Group::Billing
            | Group::Carriers
            | Group::Access
            | Group::Portal
            | Group::Peers
            | Group::GraphileWorker
            | Group::Grids
            | Group::Machine => &[],
        }
    }

    /// The state that it starts from.
    pub(super) fn prepared(self, files: &Files) -> PathBuf {
        match self {
            Self::PlanChangeEngine | Self::PlanChangeFloor | Self::PlanChangePerDevice => files.submitted(Kind::PlanChange),
            Self::PlanChangeShuffled => files.in_request_order(),
            Self::AssignmentEngine | Self::AssignmentFloor | Self::AssignmentPerDevice => files.submitted(Kind::AmopAssignment),
            Self::SubmissionEngine | Self::SubmissionFloor | Self::Memory | Self::SmallChange => files.fleet(),
        }
    }
}

/// One leg, run in this process: for the benchmark's own use.
#[derive(Debug, clap::Args)]
pub(crate) struct LegArgs {
    /// The leg.
    leg: Leg,
    /// The database file that it changes.
    file: PathBuf,
    /// The body of an order to submit.
    #[arg(long)]
    order: Option<PathBuf>,
    /// Lines of the fleet.
    #[arg(long)]
    fleet: u64,
    /// Lines of an order.
    #[arg(long)]
    lines: u64,
}

/// What a leg says about itself, as one line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LegReport {
    /// From the first byte or page to the last, all of it moved into the database file.
    pub(super) seconds: f64,
    /// The most memory that the process had.
    pub(super) peak_rss_mb: f64,
    /// Seconds of each small change.
    #[serde(default)]
    pub(super) samples: Vec<f64>,
}

/// Runs a leg in this process and prints its report.
pub(crate) async fn run_leg(args: LegArgs) -> Result<()> {
    let size = Size { fleet: args.fleet, lines: args.lines };
    let body = args.order.map(std::fs::read).transpose().context("reading the order")?.unwrap_or_default();
    let mut samples = Vec::new();
    let seconds = match args.leg {
        Leg::PlanChangeEngine | Leg::AssignmentEngine => engine_legs::process(&args.file).await?,
        Leg::SubmissionEngine => engine_legs::submit(&args.file, body).await?,
        Leg::Memory => engine_legs::submit_and_process(&args.file, body).await?,
        Leg::SmallChange => {
            samples = Box::pin(small_changes::measure(&args.file, String::from_utf8(body)?, size)).await?;
            samples.iter().sum()
        }
        Leg::PlanChangeFloor => peers::floor(&args.file, Kind::PlanChange)?,
        Leg::AssignmentFloor => peers::floor(&args.file, Kind::AmopAssignment)?,
        Leg::PlanChangePerDevice | Leg::PlanChangeShuffled => peers::per_device(&args.file, Kind::PlanChange)?,
        Leg::AssignmentPerDevice => peers::per_device(&args.file, Kind::AmopAssignment)?,
        Leg::SubmissionFloor => peers::submission(&args.file, body, size)?,
    };
    let report = LegReport { seconds, peak_rss_mb: peak_rss_mb()?, samples };
    crate::output::line(&serde_json::to_string(&report)?)
}

/// Runs a leg in a process of its own.
pub(super) async fn spawn(leg: Leg, file: &Path, order: Option<&Path>, size: Size) -> Result<LegReport> {
    let program = std::env::current_exe().context("finding this program")?;
    let mut command = tokio::process::Command::new(program);
    command.arg("bench-leg").arg(leg.name()).arg(file).args(["--fleet", &size.fleet.to_string()]);
    command.args(["--lines", &size.lines.to_string()]);
    if let Some(order) = order {
        command.arg("--order").arg(order);
    }
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true).output().await?;
    ensure!(output.status.success(), "the leg {} failed: {}", leg.name(), output.status);
    serde_json::from_slice(&output.stdout).with_context(|| format!("reading the report of {}", leg.name()))
}

/// `VmHWM` of this process, in MB of 1,000,000 bytes.
pub(super) fn peak_rss_mb() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status").context("reading /proc/self/status")?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    Ok(kib.context("/proc/self/status has no VmHWM")? * 1_024.0 / 1_000_000.0)
}
