//! `lineshift copy`

use std::path::Path;

use anyhow::{Context as _, Result};
use lineshift_store_postgres::retention::KEPT_BY_MONTH;
use lineshift_store_postgres::take_over::{self, Progress};
use lineshift_store_sql::{Engine as _, Scope};
use lineshift_store_sqlite::SqliteStore;
use serde_json::json;

use crate::cli::Context;
use crate::config::{StoreUrl, without_password};
use crate::exit::{Done, WrongCall};
use crate::output::{Output, counted};
use crate::progress;

/// Move an embedded store to PostgreSQL.
///
/// Copies every row, then reads all of it again on both sides and compares it. Stop the servers and workers of the embedded store first: it is held meanwhile, and what it would go on doing would be done twice. It is left as it is, also its schema, which must be that of this version; afterwards start everything with the new store and put the old file away.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The embedded store: sqlite://PATH.
    #[arg(long, value_name = "URL")]
    from: String,
    /// PostgreSQL, as the owner of the schema: postgres://lineshift_owner@HOST/DATABASE; without it the store that is configured, as with LINESHIFT_STORE, where a password is better kept. Its schema is brought up to date; it must hold no tenant.
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let (source, target) = ends(&args, context)?;
    let shown = without_password(&target);
    let options = context.settings().sqlite.options();
    let from =
        lineshift_store_sqlite::open_as_it_is(Path::new(&source), options).await.with_context(|| format!("opening {source}"))?;
    let owner = lineshift_store_postgres::as_owner(&target)?;
    owner.migrate().await.with_context(|| format!("migrating {shown}"))?;
    make_partitions(&from, &owner).await?;
    let trusting = lineshift_store_postgres::Options { trust_role: true, ..context.settings().postgres.options() };
    let to = lineshift_store_postgres::connect(&target, trusting).await.with_context(|| format!("opening {shown}"))?;
    let bar = progress::spinning("copying");
    let taken = take_over::take_over(&from, &to, |Progress { table, comparing, rows }| {
        bar.set_message(format!("{} {table}: {rows} rows", if comparing { "comparing" } else { "copying" }));
    })
    .await;
    bar.finish_and_clear();
    let taken = taken.with_context(|| format!("copying {source} to {shown}"))?;
    let rows: u64 = taken.iter().map(|table| table.rows).sum();
    let tables: Vec<_> = taken.iter().map(|table| json!({ "table": table.table, "rows": table.rows })).collect();
    let text = format!(
        "{} of {} were copied from {source} to {shown} and compared row by row: all are the same",
        counted(usize::try_from(rows).unwrap_or(usize::MAX), "row", "rows"),
        counted(taken.len(), "table", "tables"),
    );
    let value = json!({ "from": source, "to": shown, "rows": rows, "identical": true, "tables": tables });
    Output::by_flag(args.json).one(&text, &value)?;
    Ok(Done::Fully)
}

fn ends(args: &Args, context: &Context) -> Result<(String, String)> {
    let parse = |name: &str, url: &str| {
        url.parse::<StoreUrl>().map_err(|error| WrongCall(format!("{name}: found {}, expected {error}", without_password(url))))
    };
    let StoreUrl::Sqlite(source) = parse("--from", &args.from)? else {
        return Err(WrongCall("--from: found a PostgreSQL store, expected sqlite://PATH".to_owned()).into());
    };
    let target = match &args.to {
        Some(url) => parse("--to", url)?,
        None => context.settings().store.url()?,
    };
    let StoreUrl::Postgres(target) = target else {
        return Err(
            WrongCall("--to: found an embedded store, expected postgres://lineshift_owner@HOST/DATABASE".to_owned()).into()
        );
    };
    if !source.exists() {
        return Err(WrongCall(format!("--from: there is no store {}", source.display())).into());
    }
    Ok((source.display().to_string(), target))
}

/// Partitions for every month of which the store has rows: where there are none rows come to the default partition and stay.
async fn make_partitions(from: &SqliteStore, owner: &lineshift_store_postgres::Postgres) -> Result<()> {
    let mut months: Vec<u32> = Vec::new();
    for (table, text) in KEPT_BY_MONTH.iter().zip([
        "SELECT DISTINCT month FROM device_bulk_change_log",
        "SELECT DISTINCT month FROM device_action_history",
        "SELECT DISTINCT month FROM audit_entry",
        "SELECT DISTINCT month FROM audit_outcome",
    ]) {
        let found = from.read(Scope::Across, move |sql| sql.query(text, &[], |row| row.get::<u32>(0))).await;
        months.extend(found.with_context(|| format!("looking at the months of {table}"))?);
    }
    months.sort_unstable();
    months.dedup();
    // A damaged clock may have written months that nobody will ever drop; they may share the default partition.
    for month in months.into_iter().filter(|month| (200_001..=299_912).contains(month)) {
        owner.ensure_partitions(month, 1).await?;
    }
    Ok(())
}
