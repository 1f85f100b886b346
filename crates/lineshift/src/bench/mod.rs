//! `lineshift bench`: the engine beside the leanest SQL that leaves the same rows, and beside four statements a device.
//!
//! Legs take turns (A B C A B C), each in a process of its own, from the same state of one database file; a figure is the
//! median of per-round ratios, because machines drift. After each leg its rows are compared with those of the others.

mod access;
mod billing;
mod carriers;
mod check;
mod engine_legs;
mod fleet;
mod legs;
mod peers;
mod per_device;
mod portal;
mod postgres;
mod prepare;
mod report;
mod restore;
mod script;
mod simulators;
mod small_changes;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;

use crate::exit::WrongCall;
use crate::serving::Signals;
use access::Access;
use billing::Billing;
use carriers::{Carriers, Sizes};
use check::Left;
use fleet::{Kind, NEW_PLAN, Size};
use legs::Leg;
pub(crate) use legs::{Group, LegArgs, run_leg};
use portal::Portal;
pub(crate) use postgres::{LegArgs as PostgresLegArgs, run_leg as run_postgres_leg};
use prepare::Files;
use report::{Measured, Ratios, Report, SmallChanges, ratio};

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Lines of an order.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    lines: u64,
    /// Lines of the fleet.
    #[arg(long, visible_alias = "devices", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(100..=1_000_000))]
    fleet: u64,
    /// Rounds in which the legs take turns.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// Only these parts.
    #[arg(long, value_enum, value_delimiter = ',')]
    legs: Vec<Group>,
    /// Connections on which peers are tried before they are measured on the best. PostgreSQL.
    #[arg(long, value_delimiter = ',', default_values_t = [1_u16, 2, 4, 8, 16], value_parser = clap::value_parser!(u16).range(1..=64))]
    connections: Vec<u16>,
    /// Where databases are made, about 3 GB; they are removed afterwards. Default: the system's temporary directory.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Measures and prints what came out, on the store that `--store` names: `sqlite` (also when it is absent), `postgres` for a private
/// server, or the URL of a server's superuser.
pub(crate) async fn run(args: Args, store: Option<&str>) -> Result<()> {
    let size = Size { fleet: args.fleet, lines: args.lines };
    if size.lines > size.fleet {
        return Err(WrongCall(format!("an order of {} lines in a fleet of {}", size.lines, size.fleet)).into());
    }
    match store {
        None | Some("sqlite") => run_embedded(args, size).await,
        Some("postgres") => Box::pin(postgres::run(args, None)).await,
        Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Box::pin(postgres::run(args, Some(url))).await
        }
        Some(_) => {
            Err(WrongCall("expected --store sqlite, postgres, or postgres://SUPERUSER@HOST:PORT/DATABASE".to_owned()).into())
        }
    }
}

async fn run_embedded(args: Args, size: Size) -> Result<()> {
    let groups = chosen(&args.legs, &GROUPS)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix("lineshift-bench-");
    let dir = match &args.dir {
        Some(dir) => builder.tempdir_in(dir),
        None => builder.tempdir(),
    };
    let dir = dir.context("making a directory for the databases")?;
    let bench = Bench { files: Files::new(dir.path().to_owned()), size, groups };
    let mut signals = Signals::hear()?;
    let report = tokio::select! {
        report = bench.prepare_and_measure(usize::from(args.rounds)) => report?,
        // By the front door, so that gigabytes of databases are removed and no leg goes on.
        () = signals.next() => bail!("interrupted before everything was measured"),
    };
    if args.json { crate::output::json(&report) } else { crate::output::text(&report.tables()) }
}

/// The parts that are measured on the embedded store, in their order.
const GROUPS: [Group; 9] = [
    Group::PlanChange,
    Group::AmopAssignment,
    Group::Submission,
    Group::Memory,
    Group::SmallChange,
    Group::Billing,
    Group::Carriers,
    Group::Access,
    Group::Portal,
];

/// Those of a store's parts that were asked for; none: all.
fn chosen(groups: &[Group], all: &[Group]) -> Result<Vec<Group>> {
    if let Some(other) = groups.iter().find(|group| !all.contains(group)) {
        return Err(WrongCall(format!("{} is not measured on this store", other.name())).into());
    }
    Ok(all.iter().copied().filter(|group| groups.is_empty() || groups.contains(group)).collect())
}

struct Bench {
    files: Files,
    size: Size,
    groups: Vec<Group>,
}

impl Bench {
    async fn prepare_and_measure(&self, rounds: usize) -> Result<Report> {
        // These have stores of their own.
        if self.groups.iter().any(|group| !matches!(group, Group::Billing | Group::Carriers | Group::Access)) {
            self.prepare().await?;
        }
        self.measure(rounds).await
    }

    async fn prepare(&self) -> Result<()> {
        let bar = crate::progress::counting("making the fleet", self.size.stored());
        prepare::make_fleet(&self.files, self.size, |lines| bar.inc(lines)).await?;
        bar.set_message("submitting the orders");
        for (group, kind) in [(Group::PlanChange, Kind::PlanChange), (Group::AmopAssignment, Kind::AmopAssignment)] {
            if self.groups.contains(&group) {
                prepare::make_submitted(&self.files, self.size, kind).await?;
            }
        }
        if self.groups.contains(&Group::PlanChange) {
            prepare::make_in_request_order(&self.files)?;
        }
        self.write_order(self.size)?;
        bar.finish_and_clear();
        Ok(())
    }

    fn write_order(&self, size: Size) -> Result<()> {
        let body = fleet::body(Kind::PlanChange, 1, NEW_PLAN, &size.requested());
        std::fs::write(self.files.order(), body).context("writing the order")
    }

    async fn measure(&self, rounds: usize) -> Result<Report> {
        let legs: Vec<(Group, Leg)> =
            self.groups.iter().flat_map(|group| Leg::interleaved(*group).iter().map(|leg| (*group, *leg))).collect();
        let bar = crate::progress::counting("measuring", (legs.len() * rounds + self.alone(rounds)) as u64);
        let mut measured = Vec::new();
        let mut left: Vec<(Group, Left)> = Vec::new();
        for round in 1..=rounds {
            for (group, leg) in &legs {
                measured.push(self.one(*leg, round, self.size, &bar).await?.0);
                let now = Left::read(&self.files.work())?;
                match left.iter().find(|(of, _)| of == group) {
                    Some((_, first)) => now.require_same(first).with_context(|| format!("after {}", leg.name()))?,
                    None => left.push((*group, now)),
                }
            }
        }
        let whole = Size { lines: self.size.fleet, ..self.size };
        let memory_1m_to_100k = self.memory(whole, &mut measured, &bar).await?;
        if self.groups.contains(&Group::SmallChange) {
            self.write_order(whole)?;
        }
        let small_change_seconds = self.small_changes(&mut measured, &bar).await?;
        let billing = self.billing(rounds, &bar).await?;
        let carriers = self.carriers(rounds, &bar).await?;
        let access = self.access(rounds, &bar).await?;
        let portal = self.portal(rounds, &bar).await?;
        bar.finish_and_clear();
        let rows = left.into_iter().map(|(group, left)| (group.name(), left.counts)).collect();
        let ratios = ratios(&measured, memory_1m_to_100k);
        Ok(Report {
            store: "sqlite",
            lines: self.size.lines,
            fleet: self.size.fleet,
            rounds,
            ratios,
            small_change_seconds,
            billing,
            carriers,
            access,
            portal,
            peak_rss_mb: peak_of_engine(&measured),
            rows,
            legs: measured,
        })
    }

    /// How many legs take no turns.
    fn alone(&self, rounds: usize) -> usize {
        let times = |group, legs: usize| legs * usize::from(self.groups.contains(&group));
        times(Group::Memory, 2)
            + times(Group::SmallChange, 1)
            + times(Group::Billing, rounds)
            + times(Group::Carriers, rounds)
            + times(Group::Access, 1)
            + times(Group::Portal, 1)
    }

    async fn access(&self, rounds: usize, bar: &ProgressBar) -> Result<Option<Access>> {
        if !self.groups.contains(&Group::Access) {
            return Ok(None);
        }
        bar.set_message("access");
        let file = self.files.dir().join("access.db");
        let store = Arc::new(prepare::open_store(&file).await?);
        let at = format!("sqlite://{}", file.display());
        let measured = Box::pin(access::measure(store, &at, self.files.dir(), rounds, access::Sizes::of(self.size))).await?;
        billing::remove(&file);
        bar.inc(1);
        Ok(Some(measured))
    }

    async fn portal(&self, rounds: usize, bar: &ProgressBar) -> Result<Option<Portal>> {
        if !self.groups.contains(&Group::Portal) {
            return Ok(None);
        }
        bar.set_message("portal");
        let file = self.files.dir().join("portal.db");
        std::fs::copy(self.files.fleet(), &file).with_context(|| format!("writing {}", file.display()))?;
        let store = Arc::new(prepare::open_store(&file).await?);
        let at = format!("sqlite://{}", file.display());
        let measured = Box::pin(portal::measure(store, &at, self.files.dir(), rounds, portal::Sizes::of(self.size))).await?;
        billing::remove(&file);
        bar.inc(1);
        Ok(Some(measured))
    }

    async fn billing(&self, rounds: usize, bar: &ProgressBar) -> Result<Option<Billing>> {
        if !self.groups.contains(&Group::Billing) {
            return Ok(None);
        }
        let mut measured = Vec::new();
        for _ in 0..rounds {
            bar.set_message("billing");
            measured.push(billing::measure(self.files.dir()).await?);
            bar.inc(1);
        }
        Ok(Billing::of(measured))
    }

    async fn carriers(&self, rounds: usize, bar: &ProgressBar) -> Result<Option<Carriers>> {
        if !self.groups.contains(&Group::Carriers) {
            return Ok(None);
        }
        let mut measured = Vec::new();
        for _ in 0..rounds {
            bar.set_message("carriers");
            measured.push(carriers::measure(self.files.dir(), Sizes::of(self.size)).await?);
            bar.inc(1);
        }
        Ok(Carriers::of(measured))
    }

    async fn one(&self, leg: Leg, round: usize, size: Size, bar: &ProgressBar) -> Result<(Measured, Vec<f64>)> {
        bar.set_message(leg.name());
        restore::restore(&leg.prepared(&self.files), &self.files.work())?;
        let report = legs::spawn(leg, &self.files.work(), Some(&self.files.order()), size).await?;
        bar.inc(1);
        let measured = Measured {
            name: leg.name(),
            round,
            seconds: report.seconds,
            lines: size.lines,
            lines_per_second: size.lines as f64 / report.seconds,
            peak_rss_mb: report.peak_rss_mb,
        };
        Ok((measured, report.samples))
    }

    /// The order of the other legs, then one of the whole fleet; answers the ratio of their memory.
    async fn memory(&self, whole: Size, measured: &mut Vec<Measured>, bar: &ProgressBar) -> Result<Option<f64>> {
        if !self.groups.contains(&Group::Memory) {
            return Ok(None);
        }
        let (few, _) = self.one(Leg::Memory, 1, self.size, bar).await?;
        self.write_order(whole)?;
        let (all, _) = self.one(Leg::Memory, 2, whole, bar).await?;
        let ratio = all.peak_rss_mb / few.peak_rss_mb;
        measured.extend([few, all]);
        Ok(Some(ratio))
    }

    async fn small_changes(&self, measured: &mut Vec<Measured>, bar: &ProgressBar) -> Result<Option<SmallChanges>> {
        if !self.groups.contains(&Group::SmallChange) {
            return Ok(None);
        }
        let lines = fleet::SMALL_CHANGES * fleet::SMALL_CHANGE_LINES;
        let (mut leg, samples) = self.one(Leg::SmallChange, 1, self.size, bar).await?;
        (leg.lines, leg.lines_per_second) = (lines, lines as f64 / leg.seconds);
        measured.push(leg);
        Ok(SmallChanges::of(samples))
    }
}

fn ratios(legs: &[Measured], memory_1m_to_100k: Option<f64>) -> Ratios {
    Ratios {
        plan_change_to_floor: ratio(legs, Leg::PlanChangeEngine, Leg::PlanChangeFloor),
        amop_assignment_to_floor: ratio(legs, Leg::AssignmentEngine, Leg::AssignmentFloor),
        plan_change_to_per_device: ratio(legs, Leg::PlanChangeEngine, Leg::PlanChangePerDevice),
        plan_change_to_per_device_shuffled: ratio(legs, Leg::PlanChangeEngine, Leg::PlanChangeShuffled),
        amop_assignment_to_per_device: ratio(legs, Leg::AssignmentEngine, Leg::AssignmentPerDevice),
        submission_to_floor: ratio(legs, Leg::SubmissionEngine, Leg::SubmissionFloor),
        memory_1m_to_100k,
    }
}

fn peak_of_engine(legs: &[Measured]) -> f64 {
    let engine = [Leg::PlanChangeEngine, Leg::AssignmentEngine, Leg::SubmissionEngine, Leg::Memory, Leg::SmallChange];
    let names = engine.map(Leg::name);
    legs.iter().filter(|leg| names.contains(&leg.name)).map(|leg| leg.peak_rss_mb).fold(0.0, f64::max)
}
