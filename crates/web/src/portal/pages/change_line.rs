//! One line of a bulk change: what became of it, its steps outside, its log with what was asked and answered, and settling what nobody
//! knows.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::{DateTime, SecondsFormat};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::reading::codes;
use lineshift_domain::scopes::Action;
use lineshift_store::billing::{Looked, Settlement};
use lineshift_store::bulk_changes::BulkChangeView as StoredChange;

use super::bulk_change::{RowShown, address_of, path_id, seen, shown};
use super::bulk_changes::title;
use super::change_log::{EntryShown, entries};
use crate::api::bulk_changes::devices::list_device_changes;
use crate::api::carried_through;
use crate::api::unsettled::list_unsettled_steps;
use crate::audit::AuditNote;
use crate::cursor::Cursor as _;
use crate::portal::form::Form;
use crate::portal::page::{When, answer};
use crate::portal::refused::{PageRefused, as_page};
use crate::portal::viewer::{Frame, Place, Viewer};
use crate::problem::ApiProblem;
use crate::query::{Parameters, PathId};
use crate::views::{BulkChangeView, DeviceChangeView, StepView};

#[derive(Template)]
#[template(path = "change_line.html")]
struct ChangeLinePage {
    frame: Frame,
    /// Where the bulk change is.
    change: String,
    title: String,
    row: RowShown,
    attempt: i64,
    /// When the latest of its steps was written, as the form says what it is about.
    steps_at: Option<String>,
    /// Why it was not settled.
    refused: Option<String>,
    next_check: Option<When>,
    steps: Vec<StepShown>,
    /// Whether the line is held until somebody says what stands, and the viewer may say so.
    may_settle: bool,
    entries: Vec<EntryShown>,
    next: Option<String>,
}

/// A part of a step.
struct StepShown {
    what: String,
    state: String,
    attempt: i64,
    external: String,
    outcome: String,
    at: When,
}

/// `GET /{portal}/bulk-changes/{id}/lines/{row}`
pub(in crate::portal) async fn show(
    viewer: Viewer,
    Path((portal, id, row)): Path<(String, String, String)>,
    mut parameters: Parameters,
) -> Result<Response, PageRefused> {
    let change = seen(&viewer, &portal, &id).await?;
    let row = path_id(&row)?;
    let after = parameters.text("after");
    parameters.finish()?;
    Ok(answer(&page(&viewer, &change, row, after, None).await?))
}

/// The page of a row as it stands now.
async fn page(
    viewer: &Viewer,
    change: &StoredChange,
    row: i64,
    after: Option<String>,
    refused: Option<String>,
) -> Result<ChangeLinePage, ApiProblem> {
    let found = find_row(viewer, change.id.0, row).await?;
    let (entries, next) = entries(viewer, change, Some(row), after).await?;
    let steps = found.steps.clone().unwrap_or_default();
    let may_settle = viewer.may(change.portal, Action::Edit) && is_unsettled(viewer, row).await?;
    Ok(ChangeLinePage {
        change: address_of(change),
        title: title(&BulkChangeView::from(change)),
        steps_at: steps.iter().map(|step| step.at).max().map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true)),
        refused,
        attempt: found.attempt,
        next_check: found.next_check_at.map(|at| viewer.when(at)),
        steps: steps.into_iter().map(|step| step_shown(viewer, step)).collect(),
        may_settle,
        entries,
        next,
        frame: viewer.frame(format!("Line of bulk change {}", change.id), Some(change.portal), Place::BulkChanges)?,
        row: shown(viewer, change.identifier, found),
    })
}

/// `POST /{portal}/bulk-changes/{id}/lines/{row}/settle`: somebody has looked there, and says what stands. If
/// the line is in another attempt by then, or settled, nothing is stored, and the page is shown as it is now.
pub(in crate::portal) async fn settle(
    viewer: Viewer,
    Path((portal, id, row)): Path<(String, String, String)>,
    form: Form,
) -> Result<Response, PageRefused> {
    let change = seen(&viewer, &portal, &id).await?;
    let row = DeviceChangeId(path_id(&row)?);
    find_row(&viewer, change.id.0, row.0).await?;
    viewer.web.engine.require_settling(&viewer.caller, row).await?;
    let mut fields = form.parameters();
    let stands = fields.parsed("as", "stands or gone", |text| match text {
        "stands" => Some(true),
        "gone" => Some(false),
        _ => None,
    });
    let service = fields.id("rev_service_id", |id| id);
    if stands == Some(false) && service.is_some() {
        fields.report("rev_service_id", codes::CONFLICTING_FIELDS, "what is gone has no id; leave it empty");
    }
    let attempt = fields.id("attempt", |attempt| attempt);
    let steps_at =
        fields.parsed("steps_at", "a moment (RFC 3339)", |text| Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc()));
    fields.finish()?;
    let stands = stands.ok_or_else(|| ApiProblem::missing("as", "say whether it stands or is gone"))?;
    let attempt =
        attempt.ok_or_else(|| ApiProblem::missing("attempt", "open the page of the line, and say there what stands"))?;
    let settlement = if stands { Settlement::Stands(service) } else { Settlement::Gone };
    let looked = Looked { attempt: Some(attempt), steps_at };
    let address = format!("{}/lines/{row}", address_of(&change));
    let (engine, caller) = (viewer.web.engine.clone(), viewer.caller.clone());
    let settled = carried_through(async move { engine.settle(&caller, row, &settlement, looked).await }).await;
    if let Err(problem) = settled {
        if problem.status() != StatusCode::CONFLICT {
            return Err(problem.into());
        }
        let page = page(&viewer, &change, row.0, None, Some(problem.detail())).await?;
        return Ok(as_page(problem, &page));
    }
    Ok((AuditNote { devices: 1 }, Redirect::to(&address)).into_response())
}

/// Whether a row is among those that a person must settle.
async fn is_unsettled(viewer: &Viewer, row: i64) -> Result<bool, ApiProblem> {
    let asked = [("limit", "1".to_owned()), ("after", DeviceChangeId(row - 1).encode())];
    let asked = Parameters::of_pairs(asked.map(|(name, value)| (name.to_owned(), value)).into());
    let listed = list_unsettled_steps(State(viewer.web.clone()), viewer.caller.clone(), asked).await?.0;
    Ok(listed.items.iter().any(|step| step.device_change_id == row))
}

/// The row with its steps. Errors: 404 when it is not one of the change.
async fn find_row(viewer: &Viewer, change: i64, row: i64) -> Result<DeviceChangeView, ApiProblem> {
    // The list of rows goes by their ids: the one after the id before it.
    let before = (None::<Code>, DeviceChangeId(row - 1)).encode();
    let asked = [("include", "steps".to_owned()), ("limit", "1".to_owned()), ("after", before)];
    let asked = Parameters::of_pairs(asked.map(|(name, value)| (name.to_owned(), value)).into());
    let listed = list_device_changes(State(viewer.web.clone()), viewer.caller.clone(), PathId(change), asked).await?.0;
    listed.items.into_iter().find(|found| found.id == row).ok_or_else(ApiProblem::not_found)
}

fn step_shown(viewer: &Viewer, step: StepView) -> StepShown {
    let what = match (step.step.as_str(), step.part) {
        ("rev_service", 0) => "Rev service".to_owned(),
        ("rev_service", part) => format!("Rev service, product {part}"),
        (name, part) if part >= 100 => format!("{}, undoing {}", spoken(name), part - 99),
        (name, part) => format!("{}, call {}", spoken(name), part + 1),
    };
    let adopted = if step.adopted { " (found there)" } else { "" };
    let outcome = [step.code, step.outcome].into_iter().flatten().collect::<Vec<_>>().join(": ");
    StepShown {
        what,
        state: step.state,
        attempt: step.attempt,
        external: step.external_text.map(|id| format!("{id}{adopted}")).unwrap_or_default(),
        outcome,
        at: viewer.when(step.at),
    }
}

/// A stored name as people write it.
fn spoken(name: &str) -> String {
    let mut words = name.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}
