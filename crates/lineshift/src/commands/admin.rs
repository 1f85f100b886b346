//! `lineshift admin`

mod accounts;
mod activity;
mod audit;
mod integrations;
mod keys;
mod people;
mod personal_data;
mod reached;
mod retention;
mod roles;
mod rotate_secret_key;
mod sealed;
mod secret_key;
mod tenants;

use anyhow::Result;
use clap::Subcommand;

use crate::cli::Context;
use crate::exit::Done;

pub(crate) use keys::create as create_key;

/// Tenants, people, API keys and accounts of integrations, straight in the store.
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
    CreateAdmin(people::AdminArgs),
    /// People who sign in.
    #[command(subcommand)]
    User(people::Command),
    /// What people may do, by name.
    #[command(subcommand)]
    Role(roles::Command),
    /// Accounts at outside systems: where they are called, as whom, how much.
    #[command(subcommand)]
    Integrations(integrations::Command),
    /// Who asked for what, and what came of it.
    #[command(subcommand)]
    Audit(audit::Command),
    /// What is stored of a customer, and its erasure.
    #[command(subcommand)]
    PersonalData(personal_data::Command),
    SecretKey(secret_key::Args),
    RotateSecretKey(rotate_secret_key::Args),
    Sealed(sealed::Args),
    Retention(retention::Args),
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    match args.command {
        Command::Tenant(command) => tenants::run(command, context).await,
        Command::Key(command) => keys::run(command, context).await,
        Command::CreateAdmin(args) => people::create_admin(args, context).await,
        Command::User(command) => people::run(command, context).await,
        Command::Role(command) => roles::run(command, context).await,
        Command::Integrations(command) => integrations::run(command, context).await,
        Command::Audit(command) => audit::run(command, context).await,
        Command::PersonalData(command) => personal_data::run(command, context).await,
        Command::SecretKey(args) => secret_key::run(&args),
        Command::RotateSecretKey(args) => rotate_secret_key::run(&args, context).await,
        Command::Sealed(args) => sealed::run(&args, context).await,
        Command::Retention(args) => retention::run(args, context).await,
    }
}
