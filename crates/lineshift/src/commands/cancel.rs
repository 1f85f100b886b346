//! `lineshift cancel`

use anyhow::Result;
use lineshift_web::views::{BulkChangeDetailView, BulkChangeView};

use crate::cli::Context;
use crate::client::{Client, ServerArgs};
use crate::exit::Done;
use crate::output::{Output, counted};

/// Cancel what is still open of a bulk change.
///
/// The page in hand is finished; queue entries not yet applied are canceled too.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The bulk change's id.
    id: i64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let client = Client::of(&args.server, context)?;
    // A key that may cancel need not be allowed to look: what it canceled is then said without what came before.
    let before = client.bulk_change(args.id).await.ok();
    let change = client.cancel(args.id).await?;
    let after = client.bulk_change(args.id).await.ok();
    let entries = |detail: &Option<BulkChangeDetailView>| detail.as_ref().map_or(0, |detail| detail.scheduled.canceled);
    let lines = change.counts.canceled - before.as_ref().map_or(0, |before| before.change.counts.canceled);
    let shown = text(&change, lines, entries(&after) - entries(&before));
    Output::by_flag(args.json).one(&shown, &change)?;
    Ok(Done::Fully)
}

/// What this call came to: so many lines and queue entries are canceled now that were not before.
fn text(change: &BulkChangeView, lines: i64, entries: i64) -> String {
    let counts = &change.counts;
    let lines = if lines == 0 { "no line".to_owned() } else { counted(lines, "line", "lines") };
    let entries = if entries == 0 { "no queue entry".to_owned() } else { counted(entries, "queue entry", "queue entries") };
    let open = if counts.open == 0 { String::new() } else { format!("{} still in hand, ", counts.open) };
    format!(
        "bulk change {}: {lines} and {entries} canceled; {open}{} done, {} failed before",
        change.id, counts.processed, counts.error
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_what_was_canceled() {
        let mut change: BulkChangeView = serde_json::from_value(serde_json::json!({
            "id": 7, "change_type": 4, "change_type_name": "CustomerRatePlanChange", "portal": "M2M", "service_provider_id": 1,
            "identifier": "iccid", "name": null, "reason": null, "status": "CANCELED", "held": false, "created_by": "x",
            "created_at": "2026-11-20T00:00:00Z", "started_at": null, "begun_at": null, "canceled_at": null,
            "processed_at": null, "attempt": 1, "counts": {
                "total": 9, "open": 0, "processed": 5, "error": 1, "canceled": 3, "rejected": 0, "duplicates": 0,
                "scheduled_failed": 0,
            },
        }))
        .expect("a bulk change");
        assert_eq!(text(&change, 3, 0), "bulk change 7: 3 lines and no queue entry canceled; 5 done, 1 failed before");
        assert_eq!(text(&change, 0, 2), "bulk change 7: no line and 2 queue entries canceled; 5 done, 1 failed before");
        change.counts.open = 2;
        assert_eq!(
            text(&change, 1, 1),
            "bulk change 7: 1 line and 1 queue entry canceled; 2 still in hand, 5 done, 1 failed before"
        );
    }
}
