//! `lineshift status`

use anyhow::Result;
use chrono::{DateTime, Utc};
use lineshift_web::views::{BulkChangeDetailView, BulkChangeView};

use crate::cli::Context;
use crate::client::{Client, ServerArgs, is_finished, watch};
use crate::exit::Done;
use crate::output::{self, Output};

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
    let BulkChangeDetailView { change, errors, scheduled, .. } = detail;
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
