//! `lineshift import`

use std::path::PathBuf;

use anyhow::Result;
use lineshift_engine::{Clock as _, SystemClock};
use serde::Serialize;

use crate::audited::{Asked, Told, audited};
use crate::cli::Context;
use crate::exit::{Done, Refused};
use crate::import::kinds::FileKind;
use crate::import::{Report, Target};
use crate::notes::note;
use crate::output::{Output, counted};
use crate::{progress, stores};

/// Who stands as the one who modified what an import replaces.
const BY: &str = "lineshift import";

/// Bring in a CSV file, straight into the store.
///
/// The order in which files build on each other: authentications, providers, customers, sites, plans, pools, devices,
/// assignments, rev-services, plan-queue. What is there already is replaced by its key. Every row is checked before the
/// first is stored; a row that is wrong is named with line, column, what was found and what was expected.
#[derive(Debug, clap::Args)]
#[command(after_long_help = FileKind::columns_help())]
pub(crate) struct Args {
    /// What the file holds.
    kind: FileKind,
    /// The file: CSV in UTF-8 with a header.
    file: PathBuf,
    /// Store the good rows although others are bad (exit code 3); else nothing is stored then (exit code 4).
    #[arg(long)]
    take_good: bool,
    /// The tenant, by name or id; may be left out where there is only one.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Answer<'a> {
    kind: &'static str,
    file: &'a std::path::Path,
    stored: u64,
    #[serde(flatten)]
    report: &'a Report,
}

/// Runs the command.
pub(crate) async fn run(args: Args, context: &Context) -> Result<Done> {
    let store = stores::open_existing(context).await?;
    let tenant = stores::choose_tenant(&*store, args.tenant.as_deref()).await?;
    let target = Target { store: &*store, tenant: &tenant, by: BY, now: SystemClock.now() };
    let bar = progress::bytes(args.kind.as_str());
    let drawn = bar.clone();
    let draw = move |read, all| {
        drawn.set_length(all);
        drawn.set_position(read);
    };
    let action = format!("import {}", args.kind.as_str());
    let asked = Asked { tenant: tenant.id, action: &action, target: None };
    let report = audited(&*store, context, asked, async {
        let report = args.kind.import(&target, &args.file, args.take_good, &draw).await?;
        let Report { created, updated, bad_rows, .. } = &report;
        let note = Some(format!("{created} new, {updated} replaced, {bad_rows} bad"));
        Ok((report, Told { note, ..Told::default() }))
    })
    .await;
    bar.finish_and_clear();
    let report = report?;
    answer(&args, &report)
}

fn answer(args: &Args, report: &Report) -> Result<Done> {
    let stored = report.created + report.updated;
    let kind = args.kind.as_str();
    let output = Output::by_flag(args.json);
    if output == Output::Text {
        for problem in &report.problems {
            note(&format!("{}: {problem}", args.file.display()));
        }
        let unlisted = report.problem_count - report.problems.len() as u64;
        if unlisted > 0 {
            note(&format!("{}: {unlisted} more problems", args.file.display()));
        }
    }
    let Report { rows, created, updated, bad_rows, .. } = report;
    let shown = format!("{kind}: {}, {created} new, {updated} replaced, {bad_rows} bad", counted(*rows, "row", "rows"));
    output.one(&shown, &Answer { kind, file: &args.file, stored, report })?;
    match *bad_rows {
        0 => Ok(Done::Fully),
        _ if args.take_good => Ok(Done::Partly),
        bad => {
            let what = if stored == 0 { "nothing was stored" } else { "they were left out" };
            let verb = if bad == 1 { "is" } else { "are" };
            Err(Refused(format!(
                "{bad} of {} {verb} bad; {what}: correct them, or take the good ones with --take-good",
                counted(*rows, "row", "rows")
            ))
            .into())
        }
    }
}
