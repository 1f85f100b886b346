//! `lineshift admin`

mod keys;
mod tenants;

use anyhow::Result;
use clap::Subcommand;

use crate::cli::Context;
use crate::exit::Done;

pub(crate) use keys::create as create_key;

/// Tenants and API keys, straight in the store.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Operators whose data is isolated from each other.
    #[command(subcommand)]
    Tenant(tenants::Command),
    /// Keys with which programs call the API.
    #[command(subcommand)]
    Key(keys::Command),
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    match args.command {
        Command::Tenant(command) => tenants::run(command, context).await,
        Command::Key(command) => keys::run(command, context).await,
    }
}
