//! A simulated Rev.io.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use lineshift_engine::SystemClock;
use lineshift_simulators::revio::{BASE_PATH, Faults, RevioLimits, RevioOptions, RevioSimulator, Summary};

use super::{Args, Secret, USER, serve_until_stopped};
use crate::exit::Done;
use crate::notes::note;
use crate::output::{self, Output};

const CLIENT_CODE: &str = "demo";
/// How many customers there are, and calls in any minute and day, unless something else is asked for.
const CUSTOMERS: u32 = 10;
const CALLS_A_MINUTE: u32 = 500;
const CALLS_A_DAY: u32 = 150_000;

pub(super) async fn run(args: &Args, password: &Secret) -> Result<Done> {
    let simulator = RevioSimulator::new(options(args, &password.text), Arc::new(SystemClock));
    simulator.with_examples(args.customers.unwrap_or(CUSTOMERS));
    serve_until_stopped(args, &simulator, |address| introduce(args, address, password)).await?;
    report(args, &simulator.ledger().summary())?;
    Ok(Done::Fully)
}

fn options(args: &Args, password: &str) -> RevioOptions {
    let at_most = |asked: Option<u32>, otherwise: u32| Some(asked.unwrap_or(otherwise)).filter(|number| *number > 0);
    RevioOptions {
        seed: args.seed,
        latency: Duration::from_millis(args.latency_ms),
        settle_lag: Duration::from_millis(args.settle_lag_ms.unwrap_or(0)),
        limits: RevioLimits {
            a_minute: at_most(args.calls_a_minute, CALLS_A_MINUTE),
            a_day: at_most(args.calls_a_day, CALLS_A_DAY),
        },
        faults: if args.faults > 0.0 { Faults::all(args.faults) } else { Faults::none() },
        ..RevioOptions::new(USER, CLIENT_CODE, password)
    }
}

fn introduce(args: &Args, address: SocketAddr, password: &Secret) {
    let base = format!("http://{address}{BASE_PATH}");
    note(&format!(
        "A simulated Rev.io with {} listens at {base}\n\n  \
         user         {USER}\n  client code  {CLIENT_CODE}\n  password     {}\n\n\
         Give these to an integration that is marked as local, or try them:\n\n  \
         curl -u '{USER}@{CLIENT_CODE}:{}' '{base}/Customers?page_size=2'\n",
        output::counted(args.customers.unwrap_or(CUSTOMERS), "customer", "customers"),
        password.shown(),
        password.example("PASSWORD"),
    ));
}

fn report(args: &Args, summary: &Summary) -> Result<()> {
    if Output::by_flag(args.json) == Output::Json {
        return output::json(summary);
    }
    let row = |name: &str, count: &dyn ToString| vec![name.to_owned(), count.to_string()];
    let mut rows = vec![
        row("customers", &summary.customers),
        row("services", &summary.services),
        row("disconnected services", &summary.disconnected_services),
        row("service products", &summary.service_products),
        row("duplicate services", &summary.duplicate_services),
        row("duplicate products", &summary.duplicate_products),
        row("wrong requests", &summary.wrong_requests),
        row("most calls at once", &summary.most_at_once),
        row("most calls a minute", &summary.most_a_minute),
    ];
    for (kind, counts) in [("call", &summary.calls), ("answered", &summary.statuses), ("fault", &summary.faults)] {
        rows.extend(counts.iter().map(|(name, count)| row(&format!("{kind} {name}"), count)));
    }
    output::text(&output::table(&["in the ledger", "number"], rows))
}
