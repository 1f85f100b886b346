//! `lineshift admin retention`

use anyhow::{Context as _, Result};
use chrono::Datelike as _;
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_store::Store;
use lineshift_store_postgres::retention::month_before;
use lineshift_store_sql::SqlStore;
use serde_json::json;

use crate::audited::{Told, audited_everywhere};
use crate::cli::Context;
use crate::config::{StoreUrl, without_password};
use crate::exit::{Done, WrongCall};
use crate::output::Output;
use crate::stores;

/// Drop the months of log, history and audit log that are older than you keep.
///
/// On PostgreSQL with the URL of the schema's owner: whole months go at once, without work for the database; so do rows as old that stand beside them, for their month had no partition when they came. The embedded store keeps log and history; its audit log is dropped by row. Without --yes it says what would go. Run it once a month (deploy/systemd has a timer).
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Whole months of the bulk changes' log that are kept beside the running one; PostgreSQL needs it.
    #[arg(long, value_name = "MONTHS", value_parser = clap::value_parser!(u32).range(2..=600))]
    log_months: Option<u32>,
    /// Whole months of the lines' history that are kept; PostgreSQL needs it.
    #[arg(long, value_name = "MONTHS", value_parser = clap::value_parser!(u32).range(2..=600))]
    history_months: Option<u32>,
    /// Whole months of the audit log that are kept.
    #[arg(long, value_name = "MONTHS", value_parser = clap::value_parser!(u32).range(2..=600), default_value_t = 24)]
    audit_months: u32,
    /// Drop them.
    #[arg(long)]
    yes: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What went of a table, or would go: the first month that is kept, partitions, rows beside them.
struct Went {
    table: &'static str,
    before: u32,
    months: u64,
    rows_beside: u64,
}

/// Runs the command.
pub(super) async fn run(args: Args, context: &Context) -> Result<Done> {
    let now = SystemClock.now();
    let month = u32::try_from(now.year()).context("a year")? * 100 + now.month();
    let tables = match (context.settings().store.url()?, args.log_months, args.history_months) {
        (StoreUrl::Postgres(url), Some(log), Some(history)) => in_postgres(&args, (log, history), month, &url, context).await?,
        (StoreUrl::Postgres(_), ..) => {
            return Err(
                WrongCall("say how many months of log and history are kept: --log-months, --history-months".to_owned()).into()
            );
        }
        (StoreUrl::Sqlite(_), None, None) => in_sqlite(&args, month, context).await?,
        (StoreUrl::Sqlite(_), ..) => {
            return Err(WrongCall("the embedded store keeps log and history; give --audit-months alone".to_owned()).into());
        }
    };
    let did = if args.yes { "dropped" } else { "would be dropped; --yes drops them" };
    let line = |Went { table, before, months, rows_beside }: &Went| {
        format!("{table}: {months} months before {before} and {rows_beside} rows beside the months {did}")
    };
    let lines: Vec<String> = tables.iter().map(line).collect();
    let value = |Went { table, before, months, rows_beside }: &Went| json!({ "table": table, "before": before, "months": months, "rows_beside": rows_beside, "dropped": args.yes });
    Output::by_flag(args.json).one(&lines.join("\n"), &json!(tables.iter().map(value).collect::<Vec<_>>()))?;
    Ok(Done::Fully)
}

async fn in_postgres(args: &Args, (log, history): (u32, u32), month: u32, url: &str, context: &Context) -> Result<Vec<Went>> {
    let database = lineshift_store_postgres::as_owner(url)?;
    let work = async {
        let mut tables = Vec::new();
        for (table, kept) in [
            ("device_bulk_change_log", log),
            ("device_action_history", history),
            ("audit_entry", args.audit_months),
            ("audit_outcome", args.audit_months),
        ] {
            let before = month_before(month, kept);
            let place = || format!("{table} in {}", without_password(url));
            let months = if args.yes {
                database.drop_partitions(table, before).await
            } else {
                database.count_partitions_before(table, before).await
            };
            let months = months.with_context(place)?;
            let rows_beside = database.rows_apart_before(table, before, args.yes).await.with_context(place)?;
            tables.push(Went { table, before, months, rows_beside });
        }
        Ok(tables)
    };
    written_down(&SqlStore::new(database.clone()), args, context, work).await
}

async fn in_sqlite(args: &Args, month: u32, context: &Context) -> Result<Vec<Went>> {
    let stores::OpenStore::Sqlite(store) = stores::open_existing(context).await? else {
        unreachable!("the URL of an embedded store opens one");
    };
    let before = month_before(month, args.audit_months);
    let work = async {
        let found = store.audit_before(before, args.yes).await.context("dropping months of the audit log")?;
        Ok(found.map(|(table, rows_beside)| Went { table, before, months: 0, rows_beside }).into())
    };
    written_down(&store, args, context, work).await
}

/// Every tenant's audit log says that something of it went. Looking only is not written down.
async fn written_down(
    store: &dyn Store,
    args: &Args,
    context: &Context,
    work: impl Future<Output = Result<Vec<Went>>>,
) -> Result<Vec<Went>> {
    if !args.yes {
        return work.await;
    }
    let work = async {
        let went = work.await?;
        let kept: Vec<String> = went.iter().map(|went| format!("{} before {}", went.table, went.before)).collect();
        Ok((went, Told { note: Some(format!("dropped: {}", kept.join(", "))), ..Told::default() }))
    };
    audited_everywhere(store, context, "admin retention", work).await
}
