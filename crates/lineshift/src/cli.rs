//! The command line: what is common to all commands, and which there are.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::commands::{
    admin, backup, bench, cancel, config as config_command, copy, demo, examples, export, import, migrate, openapi, retry, serve,
    settle, simulate, start, status, submit, sync, unsettled, worker,
};
use crate::config::environment::Environment;
use crate::config::{Configuration, Flag, LogFormat, Settings, Source};
use crate::exit::{Done, EXIT_CODES, WrongCall};

/// Bulk changes of the customers and rate plans of mobile lines, at once or on a date.
#[derive(Debug, Parser)]
#[command(name = "lineshift", version, propagate_version = true, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    /// The configuration file; also LINESHIFT_CONFIG.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    config: Option<PathBuf>,
    /// Where everything is stored, sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE; also LINESHIFT_STORE, where a password is better kept.
    #[arg(long, global = true, value_name = "URL", help_heading = "Settings")]
    store: Option<String>,
    /// What is logged: error, warn, info, debug or trace, also by module; also LINESHIFT_LOG_FILTER.
    #[arg(long, global = true, value_name = "FILTER", help_heading = "Settings")]
    log: Option<String>,
    #[command(subcommand)]
    command: Command,
}

/// What it can do; each command's arguments say what it is for.
#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Serve(serve::Args),
    Worker(worker::Args),
    Migrate(migrate::Args),
    Import(import::Args),
    Submit(Box<submit::Args>),
    Status(status::Args),
    Start(start::Args),
    Cancel(cancel::Args),
    Retry(retry::Args),
    Unsettled(unsettled::Args),
    Settle(settle::Args),
    Export(export::Args),
    Sync(sync::Args),
    Admin(admin::Args),
    Config(config_command::Args),
    Backup(backup::Args),
    Copy(copy::Args),
    Openapi(openapi::Args),
    Examples(examples::Args),
    Simulate(simulate::Args),
    /// Measure the main job beside the leanest SQL for it and beside four statements a device.
    ///
    /// On the embedded store, or with `--store postgres` on PostgreSQL: a private server in a temporary directory, or with the URL of a superuser that server. A figure that is worse than it is to be ends it with exit code 1.
    Bench(bench::Args),
    /// One leg of `bench`, which starts it in a process of its own.
    #[command(hide = true)]
    BenchLeg(bench::LegArgs),
    /// One leg of `bench --store postgres`, which starts it in a process of its own.
    #[command(hide = true)]
    BenchPostgresLeg(bench::PostgresLegArgs),
}

/// What every command works with.
pub(crate) struct Context {
    /// The settings, and where they come from.
    pub(crate) configuration: Configuration,
    /// The environment, for what is no setting.
    pub(crate) environment: Environment,
}

impl Context {
    /// The settings.
    pub(crate) const fn settings(&self) -> &Settings {
        &self.configuration.settings
    }
}

/// Runs the command that was asked for.
pub(crate) fn run(cli: Cli) -> Result<Done> {
    let context = context(&cli).map_err(|error| WrongCall(format!("{error:#}")))?;
    log_to_standard_error(&context, cli.command.is_quiet())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(dispatch(cli.command, cli.store.as_deref(), &context))
}

fn context(cli: &Cli) -> Result<Context> {
    let environment = Environment::of_process()?;
    let mut flags = Vec::new();
    let mut add = |flag, setting, text: Option<String>| flags.extend(text.map(|text| Flag { flag, setting, text }));
    // The benchmark makes its stores itself; there --store says of which kind.
    if !matches!(cli.command, Command::Bench(_)) {
        add("--store", "store", cli.store.clone());
    }
    add("--log", "log.filter", cli.log.clone());
    if let Command::Serve(args) = &cli.command {
        add("--listen", "listen", args.listen.clone());
        add("--tls-cert", "server.tls_cert", args.tls_cert.clone());
        add("--tls-key", "server.tls_key", args.tls_key.clone());
    }
    if let Some(server) = cli.command.server() {
        add("--url", "url", server.url.clone());
    }
    Ok(Context { configuration: Configuration::load(cli.config.as_deref(), &environment, &flags)?, environment })
}

impl Command {
    /// Whether only what is wrong is logged: what it prints is for reading.
    const fn is_quiet(&self) -> bool {
        matches!(self, Self::Demo(_) | Self::Bench(_) | Self::BenchLeg(_) | Self::BenchPostgresLeg(_))
    }

    /// The server that a client command calls.
    const fn server(&self) -> Option<&crate::client::ServerArgs> {
        match self {
            Self::Submit(args) => Some(&args.server),
            Self::Status(args) => Some(&args.server),
            Self::Start(args) => Some(&args.server),
            Self::Cancel(args) => Some(&args.server),
            Self::Retry(args) => Some(&args.server),
            Self::Unsettled(args) => Some(&args.server),
            Self::Settle(args) => Some(&args.server),
            Self::Export(args) => Some(&args.server),
            Self::Sync(args) => Some(&args.server),
            _ => None,
        }
    }
}

/// Demonstrations and benchmarks log what is wrong only, unless somebody asked for more.
fn log_to_standard_error(context: &Context, quiet: bool) -> Result<()> {
    let settings = &context.settings().log;
    let quiet = quiet && *context.configuration.source("log.filter") == Source::Default;
    let filter: EnvFilter = if quiet { "warn" } else { &settings.filter }.parse().context("reading the log filter")?;
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let installed = match settings.format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().try_init(),
    };
    installed.map_err(|error| anyhow::anyhow!("starting the log: {error}"))
}

async fn dispatch(command: Command, store: Option<&str>, context: &Context) -> Result<Done> {
    match command {
        Command::Demo(args) => Box::pin(demo::run(args, context)).await,
        Command::Serve(args) => Box::pin(serve::run(args, context)).await,
        Command::Worker(args) => Box::pin(worker::run(args, context)).await,
        Command::Migrate(args) => migrate::run(args, context).await,
        Command::Import(args) => Box::pin(import::run(args, context)).await,
        Command::Submit(args) => Box::pin(submit::run(*args, context)).await,
        Command::Status(args) => Box::pin(status::run(args, context)).await,
        Command::Start(args) => start::run(args, context).await,
        Command::Cancel(args) => cancel::run(args, context).await,
        Command::Retry(args) => retry::run(args, context).await,
        Command::Unsettled(args) => unsettled::run(args, context).await,
        Command::Settle(args) => settle::run(args, context).await,
        Command::Export(args) => export::run(args, context).await,
        Command::Sync(args) => sync::run(args, context).await,
        Command::Admin(args) => admin::run(args, context).await,
        Command::Config(args) => config_command::run(&args, context),
        Command::Backup(args) => backup::run(args, context).await,
        Command::Copy(args) => copy::run(args, context).await,
        Command::Openapi(args) => openapi::run(args),
        Command::Examples(args) => examples::run(args),
        Command::Simulate(args) => Box::pin(simulate::run(args)).await,
        Command::Bench(args) => Box::pin(bench::run(args, store)).await,
        Command::BenchLeg(args) => Box::pin(bench::run_leg(args)).await,
        Command::BenchPostgresLeg(args) => Box::pin(bench::run_postgres_leg(args)).await,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser as _;

    use super::Cli;

    #[test]
    fn the_command_lines_of_the_units_are_taken() {
        let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/systemd");
        let mut commands = 0;
        for unit in std::fs::read_dir(units).expect("the units") {
            let path = unit.expect("a unit").path();
            let text = std::fs::read_to_string(&path).expect("a text");
            for line in text.lines().filter_map(|line| line.strip_prefix("ExecStart=")) {
                // An instance is a port, and may have as many digits as one has.
                for instance in ["9101", "9110", "80", "65535"] {
                    let words: Vec<String> = line.split_whitespace().map(|word| word.replace("%i", instance)).collect();
                    assert!(!line.contains('"') && !line.contains('$'), "{line}: quotes and variables are not read here");
                    let read = Cli::try_parse_from(&words);
                    assert!(
                        read.is_ok(),
                        "{}: {words:?}: {}",
                        path.display(),
                        read.err().map(|e| e.to_string()).unwrap_or_default()
                    );
                }
                commands += 1;
            }
        }
        assert_eq!(commands, 3, "a server, a worker, retention");
    }
}
