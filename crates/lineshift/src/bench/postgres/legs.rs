//! What is measured on PostgreSQL: the legs, each in a process of its own that says when it is ready and begins when it is told.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use clap::ValueEnum;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::devices::Design;
use super::server::Database;
use super::{devices, engine, floor, small};
use crate::bench::fleet::{Kind, Size};
use crate::bench::legs::{LegReport, peak_rss_mb};
use crate::bench::report::Measured;

/// One leg. Names are printed and compared over time: never rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Leg {
    /// One worker.
    #[value(name = "plan_change/engine")]
    PlanChangeEngine,
    /// Two workers, each a process.
    #[value(name = "plan_change/engine_2")]
    PlanChangeTwo,
    /// The leanest set-based SQL.
    #[value(name = "plan_change/floor")]
    PlanChangeFloor,
    /// A transaction a device.
    #[value(name = "plan_change/per_device")]
    PerDevice,
    /// Pages of 100, several connections.
    #[value(name = "plan_change/seeds")]
    Seeds,
    /// Pages of 100, one connection.
    #[value(name = "plan_change/seeds_1")]
    SeedsOne,
    /// Pages of 100, one connection, pipelined.
    #[value(name = "plan_change/seeds_pipelined")]
    SeedsPipelined,
    /// One job a device.
    #[value(name = "plan_change/graphile_worker")]
    GraphileWorker,
    /// One worker.
    #[value(name = "amop_assignment/engine")]
    AssignmentEngine,
    /// The leanest set-based SQL.
    #[value(name = "amop_assignment/floor")]
    AssignmentFloor,
    /// From the bytes of the request.
    #[value(name = "submission/engine")]
    SubmissionEngine,
    /// `COPY` after one look-up.
    #[value(name = "submission/floor")]
    SubmissionFloor,
    /// The whole fleet submitted.
    #[value(name = "memory")]
    Memory,
    /// Small changes beside plan changes of the whole fleet.
    #[value(name = "small_change/plan_change")]
    SmallBesidePlans,
    /// Small changes beside a change of the whole fleet that calls Rev.io.
    #[value(name = "small_change/billing")]
    SmallBesideBilling,
}

impl Leg {
    /// The name that is printed.
    pub(super) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The state that it starts from.
    pub(super) const fn prepared(self) -> Database {
        match self {
            Self::AssignmentEngine | Self::AssignmentFloor => Database::AmopAssignment,
            Self::SubmissionEngine | Self::SubmissionFloor | Self::Memory | Self::SmallBesidePlans | Self::SmallBesideBilling => {
                Database::Fleet
            }
            _ => Database::PlanChange,
        }
    }

    /// Workers of the engine that run it; none: it runs by itself.
    pub(super) const fn workers(self) -> usize {
        match self {
            Self::PlanChangeEngine | Self::AssignmentEngine => 1,
            Self::PlanChangeTwo => 2,
            _ => 0,
        }
    }

    /// Whether it works as the product does, under row level security; peers pass by it.
    pub(super) const fn is_engine(self) -> bool {
        self.workers() > 0
            || matches!(self, Self::SubmissionEngine | Self::Memory | Self::SmallBesidePlans | Self::SmallBesideBilling)
    }
}

/// One leg on PostgreSQL, run in this process: for the benchmark's own use.
#[derive(Debug, clap::Args)]
pub(crate) struct LegArgs {
    /// The leg.
    leg: Leg,
    /// The database that it changes.
    url: String,
    /// The body of an order to submit.
    #[arg(long)]
    order: Option<PathBuf>,
    /// Connections of a peer.
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Lines of the fleet.
    #[arg(long)]
    fleet: u64,
    /// Lines of an order.
    #[arg(long)]
    lines: u64,
}

/// Runs one leg in this process: says `ready`, begins when a line comes, and prints one line of JSON.
pub(crate) async fn run_leg(args: LegArgs) -> Result<()> {
    let size = Size { fleet: args.fleet, lines: args.lines };
    let body = match &args.order {
        Some(file) => std::fs::read(file).with_context(|| format!("reading {}", file.display()))?,
        None => Vec::new(),
    };
    let config = args.url.parse().context("reading the URL")?;
    if args.leg.workers() > 0 {
        let seconds = engine::work(&args.url).await?;
        return report(seconds, Vec::new());
    }
    begin().await?;
    let mut samples = Vec::new();
    let seconds = match args.leg {
        Leg::PlanChangeFloor => floor::floor(&super::server::connect(&config).await?, Kind::PlanChange).await?,
        Leg::AssignmentFloor => floor::floor(&super::server::connect(&config).await?, Kind::AmopAssignment).await?,
        Leg::PerDevice => devices::run(&config, Design::Devices, args.connections).await?,
        Leg::Seeds | Leg::SeedsOne => devices::run(&config, Design::Pages, args.connections).await?,
        Leg::SeedsPipelined => devices::run(&config, Design::Pipelined, args.connections).await?,
        Leg::SubmissionFloor => floor::submission(&super::server::connect(&config).await?, &body, size).await?,
        Leg::SubmissionEngine | Leg::Memory => engine::submit(&args.url, body).await?,
        Leg::SmallBesidePlans | Leg::SmallBesideBilling => {
            let body = String::from_utf8(body).context("the order is no text")?;
            samples = Box::pin(small::measure(&args.url, body, size, args.leg == Leg::SmallBesideBilling)).await?;
            samples.iter().sum()
        }
        other => bail!("{} is no leg of this process", other.name()),
    };
    report(seconds, samples)
}

/// Says that everything is at hand, and waits for the word.
pub(super) async fn begin() -> Result<()> {
    crate::output::line("ready")?;
    ensure!(told().await?, "nobody said when to begin");
    Ok(())
}

/// Waits for a line on standard input; false at its end.
pub(super) async fn told() -> Result<bool> {
    let read = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await?;
    Ok(read.context("reading standard input")? > 0)
}

fn report(seconds: f64, samples: Vec<f64>) -> Result<()> {
    crate::output::line(&serde_json::to_string(&LegReport { seconds, peak_rss_mb: peak_rss_mb()?, samples })?)
}

/// A leg's process, ready to begin.
pub(super) struct Ready {
    name: String,
    process: Child,
    said: Lines<BufReader<ChildStdout>>,
    tell: Option<ChildStdin>,
}

impl Ready {
    /// Starts a leg of this program.
    pub(super) async fn start(leg: Leg, url: &str, size: Size, order: Option<&Path>, connections: usize) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("finding this program")?);
        command.args(["bench-postgres-leg", &leg.name(), url, "--fleet", &size.fleet.to_string()]);
        command.args(["--lines", &size.lines.to_string(), "--connections", &connections.to_string()]);
        if let Some(order) = order {
            command.arg("--order").arg(order);
        }
        Self::of(leg.name(), command).await
    }

    /// Starts any process that keeps to the same words.
    pub(super) async fn of(name: String, mut command: Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        let mut process = command.spawn().with_context(|| format!("starting {name}"))?;
        let said = BufReader::new(process.stdout.take().context("its output is piped")?).lines();
        let tell = process.stdin.take();
        let mut ready = Self { name, process, said, tell };
        let word = ready.next_line().await?;
        ensure!(word == "ready", "{} said {word:?} instead of being ready", ready.name);
        Ok(ready)
    }

    /// Says that it may begin.
    pub(super) async fn begin(&mut self) -> Result<()> {
        let tell = self.tell.as_mut().context("it was told before")?;
        tell.write_all(b"go\n").await.with_context(|| format!("telling {} to begin", self.name))?;
        Ok(tell.flush().await?)
    }

    /// Says that it may end, and waits for what it says of itself.
    pub(super) async fn end(mut self) -> Result<LegReport> {
        drop(self.tell.take());
        let said = self.next_line().await?;
        let status = self.process.wait().await?;
        ensure!(status.success(), "the leg {} failed: {status}", self.name);
        serde_json::from_str(&said).with_context(|| format!("reading the report of {}", self.name))
    }

    /// Waits for its end, which comes by itself.
    pub(super) async fn finish(mut self) -> Result<LegReport> {
        self.begin().await?;
        self.end().await
    }

    async fn next_line(&mut self) -> Result<String> {
        self.said.next_line().await?.with_context(|| format!("the leg {} ended before its time", self.name))
    }
}

/// Workers run what was submitted until the change is completed. Answers seconds, and the most memory that one of them had.
pub(super) async fn run_workers(client: &tokio_postgres::Client, mut workers: Vec<Ready>) -> Result<LegReport> {
    let look = client.prepare("SELECT processed_at IS NOT NULL FROM device_bulk_change WHERE tenant_id = 1 AND id = 1").await?;
    let started = Instant::now();
    for worker in &mut workers {
        worker.begin().await?;
    }
    let mut wait = tokio::time::interval(std::time::Duration::from_millis(10));
    while !client.query_one(&look, &[]).await?.get::<_, bool>(0) {
        ensure!(started.elapsed().as_secs() < 3_600, "the change was not completed within an hour");
        wait.tick().await;
    }
    let seconds = started.elapsed().as_secs_f64();
    let mut peak_rss_mb = 0.0_f64;
    for worker in workers {
        peak_rss_mb = peak_rss_mb.max(worker.end().await?.peak_rss_mb);
    }
    Ok(LegReport { seconds, peak_rss_mb, samples: Vec::new() })
}

/// A leg of a round, as it is reported.
pub(super) fn measured(leg: Leg, round: usize, lines: u64, report: &LegReport) -> Measured {
    Measured {
        name: leg.name(),
        round,
        seconds: report.seconds,
        lines,
        lines_per_second: lines as f64 / report.seconds,
        peak_rss_mb: report.peak_rss_mb,
    }
}
