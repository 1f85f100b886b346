//! `lineshift simulate`

mod carriers;
mod revio;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use lineshift_simulators::{Simulator, serve, serve_ledger};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::exit::{Done, WrongCall};
use crate::notes::note;
use crate::serving::Signals;

/// Who may call a simulator.
const USER: &str = "lineshift";

/// Stand in for a system that Lineshift calls.
///
/// Runs a server of its own with a ledger of its own, which checks every request against a strict description, throttles, and
/// fails on order. A billing system holds a small catalogue and as many customers as you ask for; a carrier holds its lines of the
/// example fleet. It runs until Ctrl-C and then says what stands in its ledger. Only this machine can reach it, and nothing is
/// kept.
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
    /// How long searches lag behind a creation at most; not for Jasper, where nothing is created [default: 0].
    #[arg(long, value_name = "MS")]
    settle_lag_ms: Option<u64>,
    /// How many calls are let through in any minute; 0: any number. Rev.io alone; Jasper takes 5 a second [default: 500].
    #[arg(long, value_name = "N")]
    calls_a_minute: Option<u32>,
    /// How many calls are let through in any day; 0: any number. Rev.io alone [default: 150000].
    #[arg(long, value_name = "N")]
    calls_a_day: Option<u32>,
    /// How many customers there are, from 1. Rev.io alone [default: 10].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    customers: Option<u32>,
    /// Of an example fleet of how many lines the carrier has its share. Carriers alone [default: 10000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=2_000_000))]
    lines: Option<u64>,
    /// Which fleet of that size, as for `demo` and `examples`. Carriers alone [default: 1].
    #[arg(long, value_name = "SEED")]
    fleet_seed: Option<u64>,
    /// Take the password or API key from the first line of that file; else one is made and shown once.
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
    /// Cisco IoT Control Center: devices, one call at a time and five a second.
    Jasper,
    /// POND IoT: SIMs and their packages, ten calls at a time.
    Pond,
}

/// Runs the command.
pub(crate) async fn run(args: Args) -> Result<Done> {
    refuse_what_is_not_meant(&args)?;
    let secret = Secret::of(&args)?;
    match args.system {
        System::Revio => revio::run(&args, &secret).await,
        System::Jasper => carriers::run_jasper(&args, &secret).await,
        System::Pond => carriers::run_pond(&args, &secret).await,
    }
}

/// An option that does nothing for a system is refused rather than ignored.
fn refuse_what_is_not_meant(args: &Args) -> Result<()> {
    let is_billing = args.system == System::Revio;
    let options = [
        ("--customers", args.customers.is_some(), is_billing),
        ("--calls-a-minute", args.calls_a_minute.is_some(), is_billing),
        ("--calls-a-day", args.calls_a_day.is_some(), is_billing),
        ("--lines", args.lines.is_some(), !is_billing),
        ("--fleet-seed", args.fleet_seed.is_some(), !is_billing),
        ("--settle-lag-ms", args.settle_lag_ms.is_some(), args.system != System::Jasper),
    ];
    match options.into_iter().find(|(_, is_given, is_meant)| *is_given && !is_meant) {
        Some((name, _, _)) => Err(WrongCall(format!("{name} is not for that system")).into()),
        None => Ok(()),
    }
}

/// Serves a simulator until it is told to stop; `introduce` is told where it listens.
async fn serve_until_stopped<S: lineshift_simulators::System>(
    args: &Args,
    simulator: &Arc<Simulator<S>>,
    introduce: impl FnOnce(SocketAddr),
) -> Result<()> {
    let mut signals = Signals::hear()?;
    let mut servers = JoinSet::new();
    let mut stops = Vec::new();
    let listener = listen(args.address).await?;
    introduce(listener.local_addr().context("looking up the address")?);
    let (stop, stopped) = stopping();
    stops.push(stop);
    servers.spawn(serve(Arc::clone(simulator), listener, stopped));
    if let Some(address) = args.ledger_address {
        let listener = listen(address).await?;
        note(&format!("The ledger's summary is at http://{}/ledger", listener.local_addr().context("looking up the address")?));
        let (stop, stopped) = stopping();
        stops.push(stop);
        servers.spawn(serve_ledger(Arc::clone(simulator), listener, stopped));
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
    Ok(())
}

/// What to drop to stop, and what waits for it.
fn stopping() -> (oneshot::Sender<()>, impl Future<Output = ()> + Send) {
    let (stop, stopped) = oneshot::channel();
    // It is never sent anything: its sender is dropped.
    (stop, async move { drop(stopped.await) })
}

/// It speaks plain HTTP and its password may stand on a screen, so it is for this machine only.
async fn listen(address: SocketAddr) -> Result<TcpListener> {
    if !address.ip().is_loopback() {
        return Err(WrongCall(format!("{address} can be reached from other machines; name one such as 127.0.0.1:0")).into());
    }
    TcpListener::bind(address).await.with_context(|| format!("listening at {address}"))
}

/// The password or API key, and whether it was made here.
struct Secret {
    text: String,
    made: bool,
}

impl Secret {
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

    /// As it is introduced: itself only if nobody else knows it.
    fn shown(&self) -> &str {
        if self.made { &self.text } else { "(the first line of --password-file)" }
    }

    /// As it stands in an example.
    fn example<'a>(&'a self, otherwise: &'a str) -> &'a str {
        if self.made { &self.text } else { otherwise }
    }
}

/// A part of all: 0 to 1.
fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if (0.0..=1.0).contains(&rate) { Ok(rate) } else { Err(format!("{rate} is not between 0 and 1")) }
}
