//! `lineshift sync`

use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;
use lineshift_domain::sync::SyncPart;
use lineshift_web::views::{SyncRequest, SyncRunView};

use crate::cli::Context;
use crate::client::{Client, ServerArgs};
use crate::exit::{Done, Refused};
use crate::output::Output;
use crate::progress;

/// How often the server is asked how far the run is.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Read customers, services and service products from a billing system, or rate plans and lines from a carrier, and report what
/// differs.
///
/// The server does it; this waits until it has ended and shows what it came to. Stopping this stops nothing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The integration's id or name.
    integration: String,
    /// What to read; without it everything but usage.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    what: Vec<What>,
    /// Every customer and line, not only those changed since the last run.
    #[arg(long)]
    full: bool,
    /// The id of the service provider whose rate plans and lines are read, where several call the carrier's account.
    #[arg(long, value_name = "ID")]
    provider: Option<i64>,
    /// The ICCIDs of the lines whose usage is read; without it those of all lines that have an active assignment.
    #[arg(long, value_delimiter = ',', value_name = "ICCID")]
    iccids: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// What a run reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Customers.
    Customers,
    /// Services and service products, with the reconciliation report.
    Services,
    /// The carrier's rate plans.
    CarrierPlans,
    /// Lines.
    Devices,
    /// What lines used in the cycle to date: a call a line, in what bulk changes leave.
    Usage,
}

impl From<What> for SyncPart {
    fn from(what: What) -> Self {
        match what {
            What::Customers => Self::Customers,
            What::Services => Self::Services,
            What::CarrierPlans => Self::CarrierPlans,
            What::Devices => Self::Devices,
            What::Usage => Self::Usage,
        }
    }
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let client = Client::of(&args.server, context)?;
    let integration = find(&client, &args.integration).await?;
    let what = args.what.iter().map(|what| SyncPart::from(*what).to_string()).collect();
    let order = SyncRequest { what, full: args.full, service_provider_id: args.provider, iccids: args.iccids };
    let run = client.sync(integration, &order).await?;
    let run = watch(&client, run).await?;
    Output::by_flag(args.json).one(&text(&run), &run)?;
    match run.note {
        Some(note) if run.state == "failed" => bail!("the synchronisation was given up: {note}"),
        _ => Ok(Done::Fully),
    }
}

/// The id of the integration that is called so.
async fn find(client: &Client, named: &str) -> Result<i64> {
    if let Ok(id) = named.parse() {
        return Ok(id);
    }
    let listed = client.integrations().await?;
    let found = listed.items.into_iter().find(|integration| integration.name == named);
    found
        .map(|integration| integration.id)
        .ok_or_else(|| Refused(format!("no integration is called {named:?}; name one of this tenant, or give its id")).into())
}

/// Waits until the run has ended, with a word on how far it is.
async fn watch(client: &Client, mut run: SyncRunView) -> Result<SyncRunView> {
    let bar = progress::spinning(&format!("synchronisation {}", run.id));
    while run.state == "running" {
        let waits = run.note.as_ref().map(|note| format!(", waits: {note}")).unwrap_or_default();
        let counts = &run.counts;
        bar.set_message(format!(
            "synchronisation {}: {} page {}, {} read, {} new, {} changed{waits}",
            run.id, run.phase, run.page, counts.read, counts.new, counts.changed
        ));
        tokio::time::sleep(LOOK_AGAIN).await;
        run = client.sync_run(run.id).await?;
    }
    bar.finish_and_clear();
    Ok(run)
}

fn text(run: &SyncRunView) -> String {
    let counts = &run.counts;
    let mut lines = vec![
        format!("synchronisation {}: {} ({})", run.id, run.state, run.what.join(", ")),
        format!(
            "records   {} read: {} new, {} changed, {} as they were, {} left out",
            counts.read, counts.new, counts.changed, counts.unchanged, counts.left_out
        ),
    ];
    if run.what.iter().any(|what| what == "devices" || what == "carrier_plans") {
        lines.push(format!("gone      {} lines or rate plans are not there any more", counts.gone));
    }
    if run.what.iter().any(|what| what == "usage") {
        lines.push(format!("usage     of {} lines", counts.used));
    }
    if run.what.iter().any(|what| what == "services") {
        lines.push(format!("gone      {} services or products are disconnected or deleted there", counts.gone));
        lines.push(format!(
            "report    {} billed and not assigned, {} assigned and not billed",
            counts.billed_not_assigned, counts.assigned_not_billed
        ));
    }
    let findings = counts.new + counts.changed + counts.left_out + counts.gone;
    if findings + counts.billed_not_assigned + counts.assigned_not_billed > 0 {
        lines.push(format!("details   GET /api/v1/sync-runs/{}/findings?format=csv", run.id));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_what_a_run_came_to() {
        let run: SyncRunView = serde_json::from_value(serde_json::json!({
            "id": 3, "integration_authentication_id": 1, "service_provider_id": null, "what": ["customers", "services"],
            "full": false, "since": null, "changed_since": null, "usage_lines": 0,
            "state": "done", "phase": "finished", "page": 1, "ordered_by": "x", "started_at": "2026-11-20T00:00:00Z",
            "ended_at": "2026-11-20T00:01:00Z", "note": null,
            "counts": {
                "read": 9, "new": 2, "changed": 1, "unchanged": 5, "left_out": 1, "gone": 3, "billed_not_assigned": 4,
                "assigned_not_billed": 6, "used": 8,
            },
        }))
        .expect("a run");
        assert_eq!(
            text(&run),
            "synchronisation 3: done (customers, services)\n\
             records   9 read: 2 new, 1 changed, 5 as they were, 1 left out\n\
             gone      3 services or products are disconnected or deleted there\n\
             report    4 billed and not assigned, 6 assigned and not billed\n\
             details   GET /api/v1/sync-runs/3/findings?format=csv"
        );
        let customers = SyncRunView { what: vec!["customers".to_owned()], ..run.clone() };
        assert_eq!(text(&customers).lines().count(), 3);
        let carrier = SyncRunView { what: vec!["devices".to_owned(), "usage".to_owned()], ..run };
        assert_eq!(
            text(&carrier).lines().skip(2).take(2).collect::<Vec<_>>(),
            ["gone      3 lines or rate plans are not there any more", "usage     of 8 lines"]
        );
    }
}
