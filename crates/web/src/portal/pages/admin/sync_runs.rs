//! Synchronisations: the runs, and what each found.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use lineshift_domain::scopes::{Action, Module};
use lineshift_domain::sync::{FindingKind, SyncPart};

use super::kinds::integration_names;
use super::{ListPage, ListRow, ROWS, fact, page_of, path_id};
use crate::api::sync::findings::list_sync_findings;
use crate::api::sync::runs::{get_sync_run, list_sync_runs};
use crate::portal::address::{given, with_parameter};
use crate::portal::fields::read_answer;
use crate::portal::page::{answer, thousands};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Viewer};
use crate::problem::ApiProblem;
use crate::query::{NoParameters, Parameters};
use crate::views::{Page, SyncFindingView, SyncRunView};

const ADDRESS: &str = "/admin/sync-runs";

#[derive(Template)]
#[template(path = "admin_sync_run.html")]
struct RunPage {
    frame: Frame,
    title: String,
    address: String,
    state: String,
    facts: Vec<(String, String)>,
    kinds: Vec<KindLink>,
    findings: Vec<SyncFindingView>,
    next: Option<String>,
    /// Where all of them are, as CSV.
    export: String,
}

/// Findings of one kind.
struct KindLink {
    address: String,
    name: String,
    is_shown: bool,
}

/// What people call a part of a synchronisation.
pub(super) const fn part_name(part: SyncPart) -> &'static str {
    match part {
        SyncPart::Customers => "customers",
        SyncPart::Services => "services and products",
        SyncPart::CarrierPlans => "carrier rate plans",
        SyncPart::Devices => "lines",
        SyncPart::Usage => "usage",
    }
}

/// `GET /admin/sync-runs`
pub(in crate::portal) async fn list(viewer: Viewer, uri: Uri) -> Result<Response, PageRefused> {
    let frame = viewer.admin_frame("Synchronisations", "sync-runs")?;
    let listed = list_sync_runs(State(viewer.web.clone()), viewer.caller.clone(), page_of(&uri)).await?.0;
    let names = integration_names(&viewer).await?;
    let row = |run: SyncRunView| ListRow {
        address: format!("{ADDRESS}/{}", run.id),
        name: format!("Run {}", run.id),
        cells: vec![
            integration(&run, &names),
            what(&run),
            run.state.clone(),
            thousands(run.counts.read),
            thousands(run.counts.new),
            thousands(run.counts.changed),
            viewer.when(run.started_at).text,
            run.ended_at.map(|at| viewer.when(at).text).unwrap_or_default(),
            run.ordered_by,
        ],
        is_over: false,
    };
    Ok(answer(&ListPage {
        frame,
        title: "Synchronisations",
        intro: "What was read from billing systems and carriers. A run begins on the page of its integration, or by schedule.",
        address: ADDRESS.to_owned(),
        columns: vec!["Run", "Integration", "What", "State", "Read", "New", "Changed", "Began", "Ended", "By"],
        rows: listed.items.into_iter().map(row).collect(),
        next: listed.next.map(|next| with_parameter(ADDRESS, &[], "before", &next)),
        sought: None,
        cut: None,
        new: None,
    }))
}

fn integration(run: &SyncRunView, names: &BTreeMap<i64, String>) -> String {
    let id = run.integration_authentication_id;
    names.get(&id).cloned().unwrap_or_else(|| id.to_string())
}

fn what(run: &SyncRunView) -> String {
    let name = |word: &String| word.parse().map_or_else(|_| word.clone(), |part| part_name(part).to_owned());
    run.what.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// `GET /admin/sync-runs/{id}`: what it found, all or of one `kind`.
pub(in crate::portal) async fn show(viewer: Viewer, id: Path<String>, uri: Uri) -> Result<Response, PageRefused> {
    viewer.caller.require(Module::Admin, Action::View)?;
    let run = get_sync_run(State(viewer.web.clone()), viewer.caller.clone(), path_id(&id)?, NoParameters).await?.0;
    let given = given(&uri);
    let asked = Parameters::of_pairs(given.iter().cloned().chain([("limit".to_owned(), ROWS.to_owned())]).collect());
    let answered = list_sync_findings(State(viewer.web.clone()), viewer.caller.clone(), path_id(&id)?, asked).await?;
    let (_, found) = read_answer::<Page<SyncFindingView>>(answered).await?;
    let chosen = given.iter().find(|(name, _)| name == "kind").map(|(_, value)| value.clone());
    Ok(answer(&run_page(&viewer, run, chosen.as_deref(), found, &given).await?))
}

async fn run_page(
    viewer: &Viewer,
    run: SyncRunView,
    chosen: Option<&str>,
    found: Page<SyncFindingView>,
    given: &[(String, String)],
) -> Result<RunPage, ApiProblem> {
    let address = format!("{ADDRESS}/{}", run.id);
    let title = format!("Synchronisation {}", run.id);
    let all = KindLink { address: address.clone(), name: "all".to_owned(), is_shown: chosen.is_none() };
    let of_kind = |kind: &FindingKind| KindLink {
        address: with_parameter(&address, &[], "kind", kind.as_str()),
        name: kind.as_str().replace('_', " "),
        is_shown: chosen == Some(kind.as_str()),
    };
    let export = format!("/api/v1/sync-runs/{}/findings", run.id);
    let export = with_parameter(&export, &[], "format", "csv");
    Ok(RunPage {
        frame: viewer.admin_frame(title.clone(), "sync-runs")?,
        facts: facts(viewer, &run, &integration_names(viewer).await?),
        kinds: [all].into_iter().chain(FindingKind::ALL.iter().map(of_kind)).collect(),
        findings: found.items,
        next: found.next.map(|next| with_parameter(&address, given, "after", &next)),
        export: chosen.map_or(export.clone(), |kind| format!("{export}&kind={kind}")),
        state: run.state,
        title,
        address,
    })
}

fn facts(viewer: &Viewer, run: &SyncRunView, names: &BTreeMap<i64, String>) -> Vec<(String, String)> {
    let counts = &run.counts;
    let mut facts = vec![
        fact("Integration", integration(run, names)),
        fact("What", what(run)),
        fact("Everything", super::yes(run.full)),
        fact("By", &run.ordered_by),
        fact("Began", viewer.when(run.started_at).text),
        fact("Ended", run.ended_at.map_or_else(|| "goes on".to_owned(), |at| viewer.when(at).text)),
    ];
    facts.extend(run.note.as_ref().map(|note| fact("Note", note)));
    let numbers = [
        ("Read", counts.read),
        ("New", counts.new),
        ("Changed", counts.changed),
        ("Unchanged", counts.unchanged),
        ("Left out", counts.left_out),
        ("Gone", counts.gone),
        ("Billed, not assigned", counts.billed_not_assigned),
        ("Assigned, not billed", counts.assigned_not_billed),
        ("Lines whose usage was read", counts.used),
    ];
    facts.extend(numbers.into_iter().map(|(name, count)| fact(name, thousands(count))));
    facts
}
