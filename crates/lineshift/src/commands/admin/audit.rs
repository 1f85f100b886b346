//! `lineshift admin audit`

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use clap::Subcommand;
use lineshift_domain::ids::PrincipalId;
use lineshift_store::audit::{AuditEntry, AuditFilter, AuditKey};
use lineshift_store::paging::MAX_PAGE_ITEMS;
use lineshift_web::views::{AuditEntryView, AuditFormat};

use crate::cli::Context;
use crate::exit::Done;
use crate::output::{self, Output};
use crate::stores::{self, OpenStore};

/// What can be done with the audit log.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show who asked for what, newest first.
    List {
        #[command(flatten)]
        which: Which,
        /// How many at most.
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        limit: usize,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write all of it to standard output, newest first: CSV, or JSON, one object a line.
    Export {
        #[command(flatten)]
        which: Which,
        /// One JSON object a line instead of CSV.
        #[arg(long)]
        json: bool,
    },
}

/// Which entries.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// From that moment on, in RFC 3339, such as 2026-12-01T00:00:00Z.
    #[arg(long, value_name = "MOMENT")]
    from: Option<DateTime<Utc>>,
    /// Before that moment.
    #[arg(long, value_name = "MOMENT")]
    to: Option<DateTime<Utc>>,
    /// Only what that key or person asked for.
    #[arg(long, value_name = "ID")]
    principal: Option<i64>,
    /// Only that action, as it is written.
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// Only what was asked for on that, or made it, such as bulk-changes/12.
    #[arg(long, value_name = "TARGET")]
    target: Option<String>,
    /// Only what has no outcome: it is under way, or was cut off.
    #[arg(long)]
    unfinished: bool,
    /// The tenant, by name or id; may be left out where there is only one.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

/// Runs the command.
pub(super) async fn run(command: Command, context: &Context) -> Result<Done> {
    let store = stores::open_existing(context).await?;
    match command {
        Command::List { which, limit, json } => {
            let mut entries = Vec::new();
            pages(&store, &which, limit, |page| {
                entries.extend(page);
                Ok(())
            })
            .await?;
            list(entries, Output::by_flag(json))?;
        }
        Command::Export { which, json } => {
            let format = if json { AuditFormat::JsonLines } else { AuditFormat::Csv };
            write(&format.beginning()?)?;
            pages(&store, &which, usize::MAX, |page| write(&format.written(page)?)).await?;
        }
    }
    Ok(Done::Fully)
}

/// Hands over up to so many entries, page by page.
async fn pages(
    store: &OpenStore,
    which: &Which,
    mut limit: usize,
    mut take: impl FnMut(Vec<AuditEntry>) -> Result<()>,
) -> Result<()> {
    let tenant = stores::choose_tenant(&**store, which.tenant.as_deref()).await?.id;
    let filter = AuditFilter {
        from: which.from,
        to: which.to,
        principal: which.principal.map(PrincipalId),
        action: which.action.clone(),
        target: which.target.clone(),
        unfinished: which.unfinished,
    };
    let mut before: Option<AuditKey> = None;
    while limit > 0 {
        let page = store.list_audit(tenant, &filter, before, limit.min(MAX_PAGE_ITEMS)).await;
        let page = page.context("reading the audit log")?;
        limit -= page.items.len();
        take(page.items)?;
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    Ok(())
}

fn list(entries: Vec<AuditEntry>, output: Output) -> Result<()> {
    let views: Vec<AuditEntryView> = entries.into_iter().map(Into::into).collect();
    let row = |view: &AuditEntryView| {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        vec![
            view.at.format("%F %T").to_string(),
            view.who.clone(),
            text(&view.address),
            view.action.clone(),
            text(&view.target),
            view.outcome.clone(),
            view.devices.map(|devices| devices.to_string()).unwrap_or_default(),
            text(&view.made),
        ]
    };
    let headers = ["at (UTC)", "who", "from", "action", "on", "outcome", "lines", "made"];
    output.list(&headers, views.iter().map(row).collect(), &views)
}

fn write(bytes: &[u8]) -> Result<()> {
    output::text(std::str::from_utf8(bytes).context("an export is UTF-8")?)
}
