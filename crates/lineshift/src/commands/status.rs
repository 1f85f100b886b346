//! `lineshift status`

use anyhow::Result;
use chrono::{DateTime, Utc};
use lineshift_web::views::{BulkChangeDetailView, BulkChangeView, EstimateView, WaitingView};

use crate::cli::Context;
use crate::client::{Client, ServerArgs, is_finished, watch};
use crate::exit::Done;
use crate::output::{self, Output, UNBOUND};

/// Show bulk changes, newest first, or one of them with its errors by code.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The bulk change's id; all of them without it.
    id: Option<i64>,
    /// Wait until it is finished, with a progress bar.
    #[arg(long, requires = "id")]
    watch: bool,
    /// How many to list.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1_000), conflicts_with = "id")]
    limit: u16,
    /// Go on listing behind that place, as the list before named it.
    #[arg(long, value_name = "PLACE", conflicts_with = "id")]
    before: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let client = Client::of(&args.server, context)?;
    let output = Output::by_flag(args.json);
    let Some(id) = args.id else {
        let page = client.list_bulk_changes(usize::from(args.limit), args.before.as_deref()).await?;
        list(output, &page)?;
        return Ok(Done::Fully);
    };
    let change = if args.watch { watch(&client, id).await? } else { client.bulk_change(id).await? };
    show(output, &change)?;
    Ok(if args.watch { done(&change) } else { Done::Fully })
}

fn list(output: Output, page: &lineshift_web::views::Page<BulkChangeView>) -> Result<()> {
    let headers =
        ["id", "type", "portal", "status", "lines", "open", "done", "failed", "canceled", "ordered (UTC)", "by", "name"];
    output.list(&headers, page.items.iter().map(row).collect(), page)?;
    match &page.next {
        Some(next) if output == Output::Text => output::line(&format!("there are more: --before {next}")),
        _ => Ok(()),
    }
}

fn row(change: &BulkChangeView) -> Vec<String> {
    let counts = &change.counts;
    let status = if change.held { format!("{} (held)", change.status) } else { change.status.clone() };
    vec![
        change.id.to_string(),
        change.change_type_name.clone(),
        change.portal.clone(),
        status,
        counts.total.to_string(),
        counts.open.to_string(),
        counts.processed.to_string(),
        counts.error.to_string(),
        counts.canceled.to_string(),
        time(change.created_at),
        change.created_by.clone(),
        change.name.clone().unwrap_or_default(),
    ]
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%F %T").to_string()
}

/// Shows one bulk change.
pub(super) fn show(output: Output, change: &BulkChangeDetailView) -> Result<()> {
    output.one(text(change).trim_end(), change)
}

/// How a command ends that waited for a bulk change: partly when lines were refused, failed or canceled.
pub(super) fn done(change: &BulkChangeDetailView) -> Done {
    if is_finished(change) && change.change.counts.processed == change.change.counts.total { Done::Fully } else { Done::Partly }
}

fn text(detail: &BulkChangeDetailView) -> String {
    let BulkChangeDetailView { change, errors, scheduled, waiting, estimate, .. } = detail;
    let counts = &change.counts;
    let held = if change.held { ", waits for `lineshift start`" } else { "" };
    let mut lines = vec![
        format!("bulk change {}: {} ({}), {}{held}", change.id, change.change_type_name, change.portal, change.status),
        format!("ordered   {} UTC by {}", time(change.created_at), change.created_by),
    ];
    lines.extend(change.name.as_ref().map(|name| format!("name      {name}")));
    lines.extend(change.reason.as_ref().map(|reason| format!("reason    {reason}")));
    lines.extend(change.processed_at.map(|at| format!("finished  {} UTC, attempt {}", time(at), change.attempt)));
    // A retry opens refused lines again: then the count of the submission says nothing about those that failed now.
    let refused = if change.attempt == 1 { format!(" ({} of them refused at once)", counts.rejected) } else { String::new() };
    lines.push(format!(
        "lines     {} in all: {} done, {} failed{refused}, {} open, {} canceled; {} repeated",
        counts.total, counts.processed, counts.error, counts.open, counts.canceled, counts.duplicates
    ));
    lines.extend(waiting_text(waiting).map(|text| format!("waiting   {text}")));
    lines.extend(estimate.as_ref().filter(|_| counts.open > 0).map(|estimate| format!("calls     {}", estimated(estimate))));
    if scheduled.open + scheduled.applied + scheduled.canceled + scheduled.failed > 0 {
        lines.push(format!(
            "scheduled {} open, {} applied, {} failed, {} canceled",
            scheduled.open, scheduled.applied, scheduled.failed, scheduled.canceled
        ));
    }
    let errors: Vec<Vec<String>> =
        errors.iter().map(|error| vec![error.code.clone(), error.kind.clone(), error.count.to_string()]).collect();
    let mut text = lines.join("\n");
    if !errors.is_empty() {
        text.push('\n');
        text.push_str(&output::table(&["error", "kind", "lines"], errors));
    }
    text
}

/// How many lines wait, for what, and until when the first of them does.
fn waiting_text(waiting: &[WaitingView]) -> Option<String> {
    let all: i64 = waiting.iter().map(|waiting| waiting.count).sum();
    let part = |waiting: &WaitingView| {
        let until = waiting.next_check_at.map(|at| format!(" until {} UTC", time(at))).unwrap_or_default();
        format!("{} {}{until}", waiting.count, waiting.code)
    };
    (all > 0).then(|| format!("{all} wait: {}", waiting.iter().map(part).collect::<Vec<_>>().join(", ")))
}

/// How long the outside calls of a bulk change will take: `about 12 minutes: 6,150 calls at 500 a minute`.
pub(super) fn estimated(estimate: &EstimateView) -> String {
    let calls = if estimate.calls == 1 { "call" } else { "calls" };
    let owed = format!("{}: {} {calls}", duration(estimate.seconds), grouped(estimate.calls));
    if estimate.calls_a_minute < UNBOUND {
        format!("{owed} at {} a minute", grouped(u64::from(estimate.calls_a_minute)))
    } else {
        owed
    }
}

/// A duration for people: in the largest unit that makes at least two of it.
fn duration(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..120 => (seconds.max(1), "second"),
        120..7_200 => ((seconds + 30) / 60, "minute"),
        7_200..172_800 => ((seconds + 1_800) / 3_600, "hour"),
        _ => ((seconds + 43_200) / 86_400, "day"),
    };
    format!("about {number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// A number with a comma before every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_said_by_code() {
        let waits = |code: &str, count: i64, until: Option<i64>| WaitingView {
            code: code.to_owned(),
            count,
            next_check_at: until.and_then(|at| DateTime::from_timestamp(at, 0)),
        };
        assert_eq!(waiting_text(&[]), None);
        let text = waiting_text(&[waits("outcome_unknown", 10, None), waits("quota_exhausted", 2, Some(1_796_083_200))]);
        assert_eq!(text.as_deref(), Some("12 wait: 10 outcome_unknown, 2 quota_exhausted until 2026-12-01 00:00:00 UTC"));
    }

    #[test]
    fn estimates_are_said_in_units_that_people_use() {
        let said = |calls, seconds| estimated(&EstimateView { calls, seconds, calls_a_minute: 500 });
        assert_eq!(said(6_150, 732), "about 12 minutes: 6,150 calls at 500 a minute");
        assert_eq!(said(1, 0), "about 1 second: 1 call at 500 a minute");
        assert_eq!(said(1_234_567, 8_000), "about 2 hours: 1,234,567 calls at 500 a minute");
        assert_eq!(said(400_000, 172_920), "about 2 days: 400,000 calls at 500 a minute");
        let unbound = EstimateView { calls: 12, seconds: 1, calls_a_minute: UNBOUND };
        assert_eq!(estimated(&unbound), "about 1 second: 12 calls", "a carrier that states no limit");
    }
}
