//! `lineshift migrate`

use anyhow::Result;
use lineshift_store_sqlite::MIGRATIONS;
use serde_json::json;

use crate::cli::Context;
use crate::exit::Done;
use crate::output::{Output, counted};
use crate::stores;

/// Bring the store's schema up to date.
///
/// Makes the store if it is missing; may run beside a server of the same version.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let is_new = !stores::store_file(context)?.exists();
    let store = stores::open(context).await?;
    let last = MIGRATIONS.last().map_or("none", |migration| migration.name);
    let path = store.path();
    let migrations = counted(MIGRATIONS.len(), "migration", "migrations");
    let shown = if is_new {
        let names: Vec<&str> = MIGRATIONS.iter().map(|migration| migration.name).collect();
        format!("{} was made; {migrations} applied: {}", path.display(), names.join(", "))
    } else {
        format!("{} is up to date: {migrations}, the last is {last}", path.display())
    };
    let value = json!({ "store": path, "made": is_new, "migrations": MIGRATIONS.len(), "last": last });
    Output::by_flag(args.json).one(&shown, &value)?;
    Ok(Done::Fully)
}
