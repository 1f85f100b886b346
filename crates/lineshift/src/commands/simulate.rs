//! `lineshift simulate`

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use lineshift_engine::SystemClock;
use lineshift_simulators::revio::{BASE_PATH, Faults, RevioLimits, RevioOptions, RevioSimulator, Summary, serve, serve_ledger};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::exit::{Done, WrongCall};
use crate::notes::note;
use crate::output::{self, Output};
use crate::serving::Signals;

/// Who may call the simulator.
const USER: &str = "lineshift";
const CLIENT_CODE: &str = "demo";

/// Stand in for a system that Lineshift calls.
///
/// Runs a server of its own with a ledger of its own, which checks every request against a strict description, throttles, and
/// fails on order. It holds a small catalogue and as many customers as you ask for. It runs until Ctrl-C and then says what
/// stands in its ledger. Only this machine can reach it, and nothing is kept.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which system.
    #[arg(value_enum, default_value_t = System::Revio)]
    system: System,
    /// The address to listen at; port 0 takes any that is free.
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    address: SocketAddr,
    /// Serve the ledger's summary at that address, too: GET /ledger.
    #[arg(long, value_name = "ADDRESS")]
    ledger_address: Option<SocketAddr>,
    /// What chance is drawn from: the same seed and order of calls meet the same faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many of the calls meet a fault, 0 to 1.
    #[arg(long, value_name = "RATE", default_value_t = 0.0, value_parser = rate)]
    faults: f64,
    /// How long a call takes.
    #[arg(long, value_name = "MS", default_value_t = 50)]
    latency_ms: u64,
    /// How long searches lag behind a creation at most.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    settle_lag_ms: u64,
    /// How many calls are let through in any minute; 0: any number.
    #[arg(long, value_name = "N", default_value_t = 500)]
    calls_a_minute: u32,
    /// How many calls are let through in any day; 0: any number.
    #[arg(long, value_name = "N", default_value_t = 150_000)]
    calls_a_day: u32,
    /// How many customers there are, from 1.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    customers: u32,
    /// Take the password from the first line of that file; else one is made and shown once.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Print the ledger's summary as one JSON object on standard output; everything else goes to standard error.
    #[arg(long)]
    json: bool,
}

/// A system that can be simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum System {
    /// Rev.io: customers, services, service products.
    Revio,
}

/// Runs the command.
pub(crate) async fn run(args: Args) -> Result<Done> {
    let mut signals = Signals::hear()?;
    let System::Revio = args.system;
    let password = Password::of(&args)?;
    let simulator = RevioSimulator::new(options(&args, &password.text), Arc::new(SystemClock));
    simulator.with_examples(args.customers);

    let mut servers = JoinSet::new();
    let mut stops = Vec::new();
    let listener = listen(args.address).await?;
    introduce(&args, listener.local_addr().context("looking up the address")?, &password);
    let (stop, stopped) = stopping();
    stops.push(stop);
    servers.spawn(serve(Arc::clone(&simulator), listener, stopped));
    if let Some(address) = args.ledger_address {
        let listener = listen(address).await?;
        note(&format!("The ledger's summary is at http://{}/ledger", listener.local_addr().context("looking up the address")?));
        let (stop, stopped) = stopping();
        stops.push(stop);
        servers.spawn(serve_ledger(Arc::clone(&simulator), listener, stopped));
    }
    note("It runs until Ctrl-C.");
    tokio::select! {
        () = signals.next() => {}
        Some(ended) = servers.join_next() => ended.context("a server was cut off")?.context("serving")?,
    }
    // A server stops when its end of the channel is gone.
    drop(stops);
    while let Some(ended) = servers.join_next().await {
        ended.context("a server was cut off")?.context("serving")?;
    }
    report(&args, &simulator.ledger().summary())?;
    Ok(Done::Fully)
}

/// What to drop to stop, and what waits for it.
fn stopping() -> (oneshot::Sender<()>, impl Future<Output = ()> + Send) {
    let (stop, stopped) = oneshot::channel();
    // It is never sent anything: its sender is dropped.
    (stop, async move { drop(stopped.await) })
}

fn options(args: &Args, password: &str) -> RevioOptions {
    let at_most = |number: u32| (number > 0).then_some(number);
    RevioOptions {
        seed: args.seed,
        latency: Duration::from_millis(args.latency_ms),
        settle_lag: Duration::from_millis(args.settle_lag_ms),
        limits: RevioLimits { a_minute: at_most(args.calls_a_minute), a_day: at_most(args.calls_a_day) },
        faults: if args.faults > 0.0 { Faults::all(args.faults) } else { Faults::none() },
        ..RevioOptions::new(USER, CLIENT_CODE, password)
    }
}

/// It speaks plain HTTP and its password may stand on a screen, so it is for this machine only.
async fn listen(address: SocketAddr) -> Result<TcpListener> {
    if !address.ip().is_loopback() {
        return Err(WrongCall(format!("{address} can be reached from other machines; name one such as 127.0.0.1:0")).into());
    }
    TcpListener::bind(address).await.with_context(|| format!("listening at {address}"))
}

/// The password, and whether it was made here.
struct Password {
    text: String,
    made: bool,
}

impl Password {
    fn of(args: &Args) -> Result<Self> {
        let Some(file) = &args.password_file else {
            let mut bytes = [0_u8; 12];
            getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("making a password: {error}"))?;
            return Ok(Self { text: bytes.iter().map(|byte| format!("{byte:02x}")).collect(), made: true });
        };
        let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let first = text.lines().next().unwrap_or_default();
        if first.is_empty() {
            return Err(WrongCall(format!("the first line of {} is empty", file.display())).into());
        }
        Ok(Self { text: first.to_owned(), made: false })
    }
}

fn introduce(args: &Args, address: SocketAddr, password: &Password) {
    let base = format!("http://{address}{BASE_PATH}");
    let secret = if password.made { password.text.as_str() } else { "(the first line of --password-file)" };
    let shown = if password.made { password.text.as_str() } else { "PASSWORD" };
    note(&format!(
        "A simulated Rev.io with {} listens at {base}\n\n  \
         user         {USER}\n  client code  {CLIENT_CODE}\n  password     {secret}\n\n\
         Give these to an integration that is marked as local, or try them:\n\n  \
         curl -u '{USER}@{CLIENT_CODE}:{shown}' '{base}/Customers?page_size=2'\n",
        output::counted(args.customers, "customer", "customers"),
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

/// A part of all: 0 to 1.
fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if (0.0..=1.0).contains(&rate) { Ok(rate) } else { Err(format!("{rate} is not between 0 and 1")) }
}
