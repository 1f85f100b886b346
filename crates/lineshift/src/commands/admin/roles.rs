//! `lineshift admin role`

use anyhow::Result;
use clap::Subcommand;
use lineshift_store::people::Role;
use serde_json::json;

use crate::cli::Context;
use crate::exit::Done;
use crate::output::{self, Output};
use crate::stores;

/// What can be done with roles.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the roles of a tenant, and what they allow.
    List {
        /// The tenant, by name or id; may be left out where there is only one.
        #[arg(long, value_name = "NAME")]
        tenant: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub(super) async fn run(command: Command, context: &Context) -> Result<Done> {
    let Command::List { tenant, json } = command;
    let store = stores::open_existing(context).await?;
    let tenant = stores::choose_tenant(&*store, tenant.as_deref()).await?;
    let roles = store.list_roles(tenant.id).await?;
    let row = |role: &Role| vec![role.id.to_string(), role.name.clone(), output::scopes(&role.scopes)];
    let value = |role: &Role| json!({ "id": role.id, "name": role.name, "scopes": role.scopes.to_string() });
    let values: Vec<_> = roles.iter().map(value).collect();
    Output::by_flag(json).list(&["id", "name", "scopes"], roles.iter().map(row).collect(), &values)?;
    Ok(Done::Fully)
}
