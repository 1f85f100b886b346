//! `lineshift migrate`

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use lineshift_store_sqlite::MIGRATIONS;
use serde_json::json;

use crate::cli::Context;
use crate::config::{StoreUrl, without_password};
use crate::exit::Done;
use crate::output::{Output, counted};

/// Bring the store's schema up to date.
///
/// Makes the embedded store if it is missing. On PostgreSQL the URL is that of the schema's owner, lineshift_owner, and the database must be there. May run beside servers and workers, of this version or the one before.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let output = Output::by_flag(args.json);
    match context.settings().store.url()? {
        StoreUrl::Sqlite(path) => migrate_sqlite(path, output, context).await,
        StoreUrl::Postgres(url) => migrate_postgres(&url, output).await,
    }
}

async fn migrate_sqlite(path: PathBuf, output: Output, context: &Context) -> Result<Done> {
    let is_new = !path.exists();
    let options = context.settings().sqlite.options();
    lineshift_store_sqlite::open(&path, options).await.with_context(|| format!("opening the store {}", path.display()))?;
    let last = MIGRATIONS.last().map_or("none", |migration| migration.name);
    let migrations = counted(MIGRATIONS.len(), "migration", "migrations");
    let shown = if is_new {
        let names: Vec<&str> = MIGRATIONS.iter().map(|migration| migration.name).collect();
        format!("{} was made; {migrations} applied: {}", path.display(), names.join(", "))
    } else {
        format!("{} is up to date: {migrations}, the last is {last}", path.display())
    };
    let value = json!({ "store": path, "made": is_new, "migrations": MIGRATIONS.len(), "last": last });
    output.one(&shown, &value)?;
    Ok(Done::Fully)
}

async fn migrate_postgres(url: &str, output: Output) -> Result<Done> {
    let place = without_password(url);
    let database = lineshift_store_postgres::as_owner(url)?;
    let ran = database.migrate().await.with_context(|| format!("migrating {place}"))?;
    let known = lineshift_store_postgres::MIGRATIONS;
    let last = known.last().map_or("none", |migration| migration.name);
    let names: Vec<&str> = ran.iter().map(|migration| migration.name).collect();
    let shown = if names.is_empty() {
        format!("{place} is up to date: {}, the last is {last}", counted(known.len(), "migration", "migrations"))
    } else {
        format!("{place}: {} applied: {}", counted(names.len(), "migration", "migrations"), names.join(", "))
    };
    let value = json!({ "store": place, "applied": names, "migrations": known.len(), "last": last });
    output.one(&shown, &value)?;
    Ok(Done::Fully)
}
