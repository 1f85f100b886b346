//! Simulated carriers, with their lines of the example fleet.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use lineshift_engine::SystemClock;
use lineshift_simulators::jasper::{self, JasperOptions, JasperSimulator};
use lineshift_simulators::pond::{PondOptions, PondSimulator};
use lineshift_simulators::{Faults, Traffic};
use serde::Serialize;

use super::{Args, Secret, USER, serve_until_stopped};
use crate::exit::Done;
use crate::fleet::Fleet;
use crate::fleet::simulated::{POND_INVENTORY, fill_jasper, fill_pond};
use crate::notes::note;
use crate::output::{self, Output};

/// Of a fleet of that size the carrier has its share, unless another is asked for.
const LINES: u64 = 10_000;
/// What all paths at POND begin with.
const DISTRIBUTOR: &str = "demo";
/// How many calls POND takes at once.
const POND_CALLS_AT_ONCE: u32 = 10;

pub(super) async fn run_jasper(args: &Args, key: &Secret) -> Result<Done> {
    let options = JasperOptions {
        seed: args.seed,
        latency: Duration::from_millis(args.latency_ms),
        faults: faults(args),
        ..JasperOptions::new(USER, &key.text).with_stated_limits()
    };
    let simulator = JasperSimulator::new(options, Arc::new(SystemClock));
    let lines = fill_jasper(&simulator, &fleet(args));
    let first = simulator.ledger().devices().first().map(|device| device.iccid.clone()).unwrap_or_default();
    let introduce = |address| {
        let base = format!("http://{address}{}", jasper::BASE_PATH);
        note(&format!(
            "A simulated Jasper with {} listens at {base}\n\n  \
             user         {USER}\n  API key      {}\n\n\
             Give these to an integration that is marked as local, or try them:\n\n  \
             curl -u '{USER}:{}' '{base}/devices/{first}'\n",
            output::counted(lines, "device", "devices"),
            key.shown(),
            key.example("API_KEY"),
        ));
    };
    serve_until_stopped(args, &simulator, introduce).await?;
    let summary = simulator.ledger().summary();
    let row = |name: &str, count: &dyn ToString| vec![name.to_owned(), count.to_string()];
    let mut rows: Vec<Vec<String>> =
        summary.devices.iter().map(|(status, count)| row(&format!("devices {}", status.name()), count)).collect();
    rows.extend([
        row("assignments", &summary.assignments),
        row("repeated assignments", &summary.repeated_assignments),
        row("changed fields", &summary.changed_fields),
        row("pending fields", &summary.pending_fields),
        row("failed fields", &summary.failed_fields),
    ]);
    report(args, &summary, rows, &summary.traffic)
}

pub(super) async fn run_pond(args: &Args, key: &Secret) -> Result<Done> {
    let options = PondOptions {
        seed: args.seed,
        latency: Duration::from_millis(args.latency_ms),
        settle_lag: Duration::from_millis(args.settle_lag_ms.unwrap_or(0)),
        calls_at_once: Some(POND_CALLS_AT_ONCE),
        faults: faults(args),
        ..PondOptions::new(DISTRIBUTOR, &key.text)
    };
    let simulator = PondSimulator::new(options, Arc::new(SystemClock));
    let lines = fill_pond(&simulator, &fleet(args));
    let introduce = |address| {
        let base = format!("http://{address}");
        note(&format!(
            "A simulated POND with {} listens at {base}\n\n  \
             distributor  {DISTRIBUTOR}\n  inventory    {POND_INVENTORY}\n  API key      {}\n\n\
             Give these to an integration that is marked as local, or try them:\n\n  \
             curl -H 'x-api-key: {}' '{base}/{DISTRIBUTOR}/sim?count=2'\n",
            output::counted(lines, "SIM", "SIMs"),
            key.shown(),
            key.example("API_KEY"),
        ));
    };
    serve_until_stopped(args, &simulator, introduce).await?;
    let summary = simulator.ledger().summary();
    let row = |name: &str, count: &dyn ToString| vec![name.to_owned(), count.to_string()];
    let rows = vec![
        row("SIMs", &summary.sims),
        row("active packages", &summary.active_packages),
        row("added packages", &summary.added_packages),
        row("terminated packages", &summary.terminated_packages),
        row("duplicate packages", &summary.duplicate_packages),
        row("SIMs with several", &summary.sims_with_several),
    ];
    report(args, &summary, rows, &summary.traffic)
}

fn fleet(args: &Args) -> Fleet {
    Fleet::new(args.lines.unwrap_or(LINES), args.fleet_seed.unwrap_or(1))
}

fn faults(args: &Args) -> Faults {
    if args.faults > 0.0 { Faults::of_carrier(args.faults) } else { Faults::none() }
}

/// What stands in the ledger, and what was called.
fn report(args: &Args, summary: &impl Serialize, mut rows: Vec<Vec<String>>, traffic: &Traffic) -> Result<Done> {
    if Output::by_flag(args.json) == Output::Json {
        output::json(summary)?;
        return Ok(Done::Fully);
    }
    let row = |name: &str, count: &dyn ToString| vec![name.to_owned(), count.to_string()];
    rows.push(row("wrong requests", &traffic.wrong_requests));
    rows.push(row("throttled calls", &traffic.throttled));
    rows.push(row("most calls at once", &traffic.most_at_once));
    for (kind, counts) in [("call", &traffic.calls), ("answered", &traffic.statuses), ("fault", &traffic.faults)] {
        rows.extend(counts.iter().map(|(name, count)| row(&format!("{kind} {name}"), count)));
    }
    output::text(&output::table(&["in the ledger", "number"], rows))?;
    Ok(Done::Fully)
}
