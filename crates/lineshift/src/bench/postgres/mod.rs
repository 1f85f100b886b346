//! `lineshift bench --store postgres`: the engine on PostgreSQL beside the leanest SQL, the former design and a job queue, all on
//! the same schema with its foreign keys and on a server that waits for the disk.
//!
//! Legs take turns, each from a fresh copy of one database; a figure is the median of per-round ratios. The engine works as the
//! application's role under row level security; the peers are the superuser, whom nothing is asked.

mod check;
mod devices;
mod engine;
mod floor;
mod graphile;
mod grids;
mod legs;
mod prepare;
mod report;
mod server;
mod small;
mod texts;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use indicatif::ProgressBar;
use lineshift_store_postgres::Options;
use tempfile::TempDir;

use super::access::{self, Access};
use super::fleet::{self, Kind, NEW_PLAN, Size};
use super::legs::{Group, LegReport};
use super::portal::{self, Portal};
use super::report::{Measured, SmallChanges};
use super::{Args, chosen};
use crate::serving::Signals;
use check::Left;
use legs::Leg;
pub(crate) use legs::{LegArgs, run_leg};
use report::Report;
use server::{Database, Server};

/// The parts that are measured on this store, in their order.
pub(super) const GROUPS: [Group; 11] = [
    Group::Machine,
    Group::PlanChange,
    Group::AmopAssignment,
    Group::Submission,
    Group::Peers,
    Group::GraphileWorker,
    Group::Memory,
    Group::SmallChange,
    Group::Grids,
    Group::Access,
    Group::Portal,
];

/// Measures and prints what came out. Without a URL on a private server.
pub(super) async fn run(args: Args, url: Option<&str>) -> Result<()> {
    let size = Size { fleet: args.fleet, lines: args.lines };
    let groups = chosen(&args.legs, &GROUPS)?;
    let mut signals = Signals::hear()?;
    let measuring = async {
        let server = match url {
            Some(url) => Server::named(url).await?,
            None => Server::private(args.dir.as_deref()).await?,
        };
        let dir = tempfile::tempdir().context("making a directory for the orders")?;
        let mut bench = Bench {
            server,
            dir,
            size,
            rounds: usize::from(args.rounds),
            connections: args.connections.iter().copied().map(usize::from).collect(),
            groups,
            measured: Vec::new(),
            best: BTreeMap::new(),
        };
        let report = Box::pin(bench.prepare_and_measure()).await;
        if url.is_some() {
            bench.server.clean().await?;
        }
        report
    };
    let report = tokio::select! {
        report = measuring => report?,
        // By the front door, so that the server ends and its directory is removed.
        () = signals.next() => bail!("interrupted before everything was measured"),
    };
    if args.json {
        crate::output::json(&report)?;
    } else {
        crate::output::text(&report.tables())?;
    }
    let missed = report.missed();
    ensure!(missed.is_empty(), "not as it is to be: {}", missed.join(", "));
    Ok(())
}

struct Bench {
    server: Server,
    dir: TempDir,
    size: Size,
    rounds: usize,
    /// On how many connections peers are tried.
    connections: Vec<usize>,
    groups: Vec<Group>,
    measured: Vec<Measured>,
    best: BTreeMap<String, usize>,
}

impl Bench {
    fn has(&self, group: Group) -> bool {
        self.groups.contains(&group)
    }

    async fn prepare_and_measure(&mut self) -> Result<Report> {
        let (fdatasync_a_second, pgbench_tps) =
            if self.has(Group::Machine) { self.server.disk_and_pgbench().await? } else { (None, None) };
        let access = self.access().await?;
        if self.groups.iter().any(|group| !matches!(group, Group::Machine | Group::Access)) {
            self.prepare().await?;
        }
        let rows = self.interleaved().await?;
        let small_change_seconds = self.alone().await?;
        let grids = if self.has(Group::Grids) { grids::measure(&self.server, self.size).await? } else { Vec::new() };
        let portal = self.portal().await?;
        Ok(Report {
            store: "postgres",
            server: self.server.settings().await?.into_iter().collect(),
            fdatasync_a_second,
            pgbench_tps,
            lines: self.size.lines,
            fleet: self.size.fleet,
            rounds: self.rounds,
            best: self.best.clone(),
            ratios: report::figures(&self.measured, &small_change_seconds),
            small_change_seconds,
            grids,
            access,
            portal,
            rows,
            legs: self.measured.clone(),
        })
    }

    async fn access(&self) -> Result<Option<Access>> {
        if !self.has(Group::Access) {
            return Ok(None);
        }
        prepare::make_empty(&self.server, Database::Work).await?;
        let at = self.server.url(Database::Work, Some("lineshift_app"))?;
        let store = Arc::new(lineshift_store_postgres::connect(&at, Options::default()).await.context("opening the store")?);
        let sizes = access::Sizes::of(self.size);
        Box::pin(access::measure(store, &at, self.dir.path(), self.rounds, sizes)).await.map(Some)
    }

    async fn portal(&self) -> Result<Option<Portal>> {
        if !self.has(Group::Portal) {
            return Ok(None);
        }
        self.server.copy(Database::Fleet, Database::Work).await?;
        let at = self.server.url(Database::Work, Some("lineshift_app"))?;
        let store = Arc::new(lineshift_store_postgres::connect(&at, Options::default()).await.context("opening the store")?);
        let sizes = portal::Sizes::of(self.size);
        Box::pin(portal::measure(store, &at, self.dir.path(), self.rounds, sizes)).await.map(Some)
    }

    async fn prepare(&self) -> Result<()> {
        let bar = crate::progress::counting("making the fleet", self.size.stored());
        prepare::make_fleet(&self.server, self.size, |lines| bar.inc(lines)).await?;
        bar.set_message("submitting the orders");
        if self.has(Group::PlanChange) || self.has(Group::Peers) || self.has(Group::GraphileWorker) {
            prepare::make_submitted(&self.server, self.size, Kind::PlanChange).await?;
        }
        if self.has(Group::AmopAssignment) {
            prepare::make_submitted(&self.server, self.size, Kind::AmopAssignment).await?;
        }
        self.write_order(self.size)?;
        if self.has(Group::GraphileWorker) {
            bar.set_message("building the job queue");
            graphile::build().await?;
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn write_order(&self, size: Size) -> Result<()> {
        let body = fleet::body(Kind::PlanChange, 1, NEW_PLAN, &size.requested());
        std::fs::write(self.dir.path().join("order.json"), body).context("writing the order")
    }

    fn legs(&self) -> Vec<Leg> {
        let of = |group: Group, legs: &[Leg]| if self.has(group) { legs.to_vec() } else { Vec::new() };
        [
            of(Group::PlanChange, &[Leg::PlanChangeEngine, Leg::PlanChangeTwo, Leg::PlanChangeFloor]),
            of(Group::Peers, &[Leg::SeedsPipelined, Leg::Seeds, Leg::SeedsOne, Leg::PerDevice]),
            of(Group::GraphileWorker, &[Leg::GraphileWorker]),
            of(Group::AmopAssignment, &[Leg::AssignmentEngine, Leg::AssignmentFloor]),
            of(Group::Submission, &[Leg::SubmissionEngine, Leg::SubmissionFloor]),
        ]
        .concat()
    }

    /// Finds the best of each peer, then lets the legs take turns. Answers the rows that they left.
    async fn interleaved(&mut self) -> Result<BTreeMap<String, super::check::Counts>> {
        let legs = self.legs();
        let tuned: Vec<Leg> =
            legs.iter().copied().filter(|leg| matches!(leg, Leg::Seeds | Leg::PerDevice | Leg::GraphileWorker)).collect();
        let bar =
            crate::progress::counting("measuring", (tuned.len() * self.connections.len() + legs.len() * self.rounds) as u64);
        for leg in tuned {
            self.find_best(leg, &bar).await?;
        }
        let mut left: BTreeMap<String, Left> = BTreeMap::new();
        for round in 1..=self.rounds {
            for leg in &legs {
                let connections = self.best.get(&leg.name()).copied().unwrap_or(1);
                let report = self.one(*leg, connections, self.size, &bar).await?;
                self.measured.push(legs::measured(*leg, round, self.size.lines, &report));
                let now = Left::read(&self.server.connect(Some(Database::Work)).await?).await?;
                let group = leg.name().split('/').next().unwrap_or_default().to_owned();
                match left.get(&group) {
                    Some(first) => now.require_same(first).with_context(|| format!("after {}", leg.name()))?,
                    None => drop(left.insert(group, now)),
                }
            }
        }
        bar.finish_and_clear();
        Ok(left.into_iter().map(|(group, left)| (group, left.counts)).collect())
    }

    /// Runs a peer on one connection, on two, and so on; the fastest is what it is measured at.
    async fn find_best(&mut self, leg: Leg, bar: &ProgressBar) -> Result<()> {
        let mut best = (f64::INFINITY, 1);
        for connections in self.connections.clone() {
            let report = self.one(leg, connections, self.size, bar).await?;
            let mut measured = legs::measured(leg, 0, self.size.lines, &report);
            measured.name = format!("{} on {connections}", leg.name());
            self.measured.push(measured);
            if report.seconds < best.0 {
                best = (report.seconds, connections);
            }
        }
        self.best.insert(leg.name(), best.1);
        Ok(())
    }

    async fn one(&self, leg: Leg, connections: usize, size: Size, bar: &ProgressBar) -> Result<LegReport> {
        bar.set_message(leg.name());
        self.server.copy(leg.prepared(), Database::Work).await?;
        let url = self.server.url(Database::Work, leg.is_engine().then_some("lineshift_app"))?;
        let order = self.dir.path().join("order.json");
        let report = if leg == Leg::GraphileWorker {
            graphile::run(&self.server, &url, connections).await?
        } else if leg.workers() > 0 {
            let mut workers = Vec::new();
            for _ in 0..leg.workers() {
                workers.push(legs::Ready::start(leg, &url, size, None, 1).await?);
            }
            legs::run_workers(&self.server.connect(Some(Database::Work)).await?, workers).await?
        } else {
            legs::Ready::start(leg, &url, size, Some(&order), connections).await?.finish().await?
        };
        bar.inc(1);
        Ok(report)
    }

    /// The legs that take no turns: the whole fleet accepted, and small changes beside it.
    async fn alone(&mut self) -> Result<BTreeMap<String, SmallChanges>> {
        let whole = Size { lines: self.size.fleet, ..self.size };
        self.write_order(whole)?;
        let bar = crate::progress::counting("measuring", 3);
        if self.has(Group::Memory) {
            let report = self.one(Leg::Memory, 1, whole, &bar).await?;
            self.measured.push(legs::measured(Leg::Memory, 1, whole.lines, &report));
        }
        let mut seconds = BTreeMap::new();
        if self.has(Group::SmallChange) {
            for leg in [Leg::SmallBesidePlans, Leg::SmallBesideBilling] {
                let report = self.one(leg, 1, self.size, &bar).await?;
                self.measured.push(legs::measured(leg, 1, fleet::SMALL_CHANGES * fleet::SMALL_CHANGE_LINES, &report));
                seconds.extend(SmallChanges::of(report.samples).map(|small| (leg.name(), small)));
            }
        }
        bar.finish_and_clear();
        Ok(seconds)
    }
}
