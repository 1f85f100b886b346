//! `lineshift admin retention`

use anyhow::{Context as _, Result};
use chrono::Datelike as _;
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_store_postgres::retention::month_before;
use serde_json::json;

use crate::cli::Context;
use crate::config::{StoreUrl, without_password};
use crate::exit::{Done, WrongCall};
use crate::output::Output;

/// Drop the months of log and history that are older than you keep.
///
/// For PostgreSQL, with the URL of the schema's owner; the embedded store keeps everything. Whole months go at once, without work for the database; so do rows as old that stand beside them, for their month had no partition when they came. Without --yes it says what would go. Run it once a month (deploy/systemd has a timer).
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Whole months of the bulk changes' log that are kept beside the running one.
    #[arg(long, value_name = "MONTHS", value_parser = clap::value_parser!(u32).range(2..=600))]
    log_months: u32,
    /// Whole months of the lines' history that are kept.
    #[arg(long, value_name = "MONTHS", value_parser = clap::value_parser!(u32).range(2..=600))]
    history_months: u32,
    /// Whole months of the audit log that are kept.
    #[arg(long, value_name = "MONTHS", value_parser = clap::value_parser!(u32).range(2..=600))]
    audit_months: u32,
    /// Drop them.
    #[arg(long)]
    yes: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) async fn run(args: Args, context: &Context) -> Result<Done> {
    let StoreUrl::Postgres(url) = context.settings().store.url()? else {
        return Err(WrongCall("the embedded store keeps log and history; retention is for PostgreSQL".to_owned()).into());
    };
    let database = lineshift_store_postgres::as_owner(&url)?;
    let now = SystemClock.now();
    let month = u32::try_from(now.year()).context("a year")? * 100 + now.month();
    let mut tables = Vec::new();
    for (table, months) in [
        ("device_bulk_change_log", args.log_months),
        ("device_action_history", args.history_months),
        ("audit_entry", args.audit_months),
        ("audit_outcome", args.audit_months),
    ] {
        let before = month_before(month, months);
        let place = || format!("{table} in {}", without_password(&url));
        let partitions = if args.yes {
            database.drop_partitions(table, before).await
        } else {
            database.count_partitions_before(table, before).await
        };
        let partitions = partitions.with_context(place)?;
        let apart = database.rows_apart_before(table, before, args.yes).await.with_context(place)?;
        tables.push((table, before, partitions, apart));
    }
    let did = if args.yes { "dropped" } else { "would be dropped; --yes drops them" };
    let line = |(table, before, partitions, apart): &(&str, u32, u64, u64)| {
        format!("{table}: {partitions} months before {before} and {apart} rows beside the months {did}")
    };
    let lines: Vec<String> = tables.iter().map(line).collect();
    let value: Vec<_> = tables
        .iter()
        .map(|(table, before, partitions, apart)| {
            json!({ "table": table, "before": before, "months": partitions, "rows_beside": apart, "dropped": args.yes })
        })
        .collect();
    Output::by_flag(args.json).one(&lines.join("\n"), &json!(value))?;
    Ok(Done::Fully)
}
