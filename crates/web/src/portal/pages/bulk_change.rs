//! One bulk change: how far it is, what failed, its lines, and steering it.

use std::fmt::Display;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::scopes::Action;
use lineshift_domain::terms::{DeviceChangeStatus, LineIdentifier, PortalType};
use lineshift_store::bulk_changes::BulkChangeView as StoredChange;

use super::bulk_changes::{Shares, act, address, events_of, title};
use super::done_already::{Wanted, or_refused};
use super::ordered::ordered;
use crate::api::bulk_changes::devices::list_device_changes;
use crate::api::bulk_changes::get::get_bulk_change;
use crate::api::carried_through;
use crate::audit::AuditNote;
use crate::portal::form::Form;
use crate::portal::line_name::line_name;
use crate::portal::page::{When, answer, thousands};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, portal_of, segment};
use crate::problem::ApiProblem;
use crate::query::{NoParameters, Parameters, PathId};
use crate::views::{BulkChangeDetailView, BulkChangeView, DeviceChangeView};

#[derive(Template)]
#[template(path = "bulk_change.html")]
struct BulkChangePage {
    frame: Frame,
    detail: BulkChangeDetailView,
    address: String,
    title: String,
    act: String,
    at: When,
    shares: Shares,
    /// What was ordered, with names.
    ordered: Vec<(&'static str, String)>,
    /// How long its open lines take, in words.
    estimate: Option<String>,
    tabs: Vec<Tab>,
    rows: Vec<RowShown>,
    /// Where its progress comes from, and the tenant that goes with every request that another sign-in might answer otherwise.
    events: String,
    tenant: i64,
    /// Where what it scheduled is listed.
    queue: String,
    /// The address of the next page of rows.
    next: Option<String>,
    code_shown: Option<String>,
    /// The parameters of a download of what is shown.
    chosen: String,
    may_edit: bool,
    is_running: bool,
}

impl BulkChangePage {
    fn count(&self, count: &i64) -> String {
        thousands(*count)
    }

    fn done(&self) -> String {
        thousands(self.detail.change.counts.done())
    }

    /// What a cancellation comes to, in words; `open` is written for how many lines are open.
    fn cancellation(&self, open: impl Display) -> String {
        let scheduled = self.detail.scheduled.open;
        let mut parts = Vec::new();
        if self.detail.change.counts.open > 0 {
            parts.push(format!(
                "{open} open lines are canceled, but for those on which work has begun: they are carried to their end"
            ));
        }
        if scheduled > 0 {
            parts.push(format!("{} scheduled changes are canceled", thousands(scheduled)));
        }
        format!("{}. What is done already stays.", parts.join("; "))
    }

    fn may_start(&self) -> bool {
        self.may_edit && self.detail.change.held
    }

    fn may_cancel(&self) -> bool {
        self.may_edit && self.detail.change.canceled_at.is_none() && (self.is_running || self.detail.scheduled.open > 0)
    }

    fn may_retry(&self) -> bool {
        self.may_edit && !self.is_running && self.detail.change.counts.error > 0
    }
}

/// A choice of rows.
struct Tab {
    name: &'static str,
    count: String,
    status: &'static str,
    is_shown: bool,
}

/// A row in the list.
pub(super) struct RowShown {
    pub(super) id: i64,
    pub(super) line: String,
    pub(super) device: Option<i64>,
    pub(super) status: String,
    pub(super) code: Option<String>,
    pub(super) details: Option<String>,
    pub(super) at: Option<When>,
}

/// `GET /{portal}/bulk-changes/{id}`: failures first, else what `status` and `code` choose.
pub(in crate::portal) async fn show(
    viewer: Viewer,
    Path((portal, id)): Path<(String, String)>,
    mut parameters: Parameters,
) -> Result<Response, PageRefused> {
    let change = seen(&viewer, &portal, &id).await?;
    let (portal, id, by) = (change.portal, change.id.0, change.identifier);
    let (status, code, after) = (parameters.text("status"), parameters.text("code"), parameters.text("after"));
    parameters.finish()?;
    let detail = get_bulk_change(State(viewer.web.clone()), viewer.caller.clone(), PathId(id), NoParameters).await?.0;
    let status = status.or_else(|| (detail.change.counts.error > 0 && code.is_none()).then(|| "ERROR".to_owned()));
    let wanted = [("status", status.clone().filter(|status| status != "all")), ("code", code.clone())];
    let chosen = wanted.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
    let chosen = form_urlencoded::Serializer::new(String::new()).extend_pairs(chosen).finish();
    let listed = rows_of(&viewer, id, wanted.into_iter().chain([("after", after)])).await?;
    let ordered = ordered(&viewer, &detail.change, &detail.order).await?;
    let page = BulkChangePage {
        frame: viewer.frame(title(&detail.change), Some(portal), Place::BulkChanges)?,
        title: title(&detail.change),
        act: act(&detail.change.change_type_name).to_owned(),
        at: viewer.when(detail.change.created_at),
        shares: Shares::of(&detail.change),
        ordered,
        estimate: detail
            .estimate
            .map(|estimate| format!("{} of calls left, at {} a minute", lasting(estimate.seconds), estimate.calls_a_minute)),
        tabs: tabs(&detail, if code.is_some() { None } else { Some(status.as_deref().unwrap_or("all")) }),
        rows: listed.items.into_iter().map(|row| shown(&viewer, by, row)).collect(),
        next: listed.next,
        code_shown: code,
        chosen,
        events: events_of(viewer.caller.tenant, id),
        tenant: viewer.caller.tenant.0,
        queue: format!("/{}/plan-queue?bulk_change_id={id}", segment(portal)),
        may_edit: viewer.may(portal, Action::Edit),
        is_running: detail.change.processed_at.is_none(),
        address: address(&detail.change),
        detail,
    };
    Ok(answer(&page))
}

/// `GET /bulk-changes/{id}`: leads to the page in the portal of the change, which whoever links to it need not know.
pub(in crate::portal) async fn find(viewer: Viewer, Path(id): Path<String>, _: NoParameters) -> Result<Redirect, PageRefused> {
    let change = viewer.web.engine.get_bulk_change(&viewer.caller, BulkChangeId(path_id(&id)?)).await?;
    viewer.caller.require(change.portal.into(), Action::View)?;
    Ok(Redirect::to(&address_of(&change)))
}

/// How long something takes, as people say it: `about 40 s`, `about 12 min`, `about 3 h 20 min`.
fn lasting(seconds: u64) -> String {
    match seconds {
        0..90 => format!("about {seconds} s"),
        90..5_400 => format!("about {} min", seconds.div_ceil(60)),
        _ => format!("about {} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// The choices of rows that there are, apart from those by code.
fn tabs(detail: &BulkChangeDetailView, shown: Option<&str>) -> Vec<Tab> {
    let counts = &detail.change.counts;
    let waiting: i64 = detail.waiting.iter().map(|waiting| waiting.count).sum();
    let has_scheduled = detail.scheduled.open > 0 || counts.scheduled_failed > 0;
    let choices = [
        ("All", counts.total, "all"),
        ("Failed", counts.error, DeviceChangeStatus::Error.as_str()),
        (if has_scheduled { "Done or scheduled" } else { "Done" }, counts.processed, DeviceChangeStatus::Processed.as_str()),
        ("Waiting", waiting, DeviceChangeStatus::Pending.as_str()),
        ("Not begun", counts.open - waiting, DeviceChangeStatus::New.as_str()),
        ("Canceled", counts.canceled, DeviceChangeStatus::Canceled.as_str()),
    ];
    let there = choices.into_iter().filter(|(_, count, status)| *count > 0 || *status == "all" || Some(*status) == shown);
    there.map(|(name, count, status)| Tab { name, count: thousands(count), status, is_shown: shown == Some(status) }).collect()
}

/// The bulk change that an address names, if the viewer sees it and it is of that portal. Errors: 404, 403.
pub(super) async fn seen(viewer: &Viewer, portal: &str, id: &str) -> Result<StoredChange, ApiProblem> {
    of_portal(viewer, portal_of(portal)?, BulkChangeId(path_id(id)?)).await
}

/// That bulk change, if the viewer sees it and it is of that portal. Errors: 404, 403.
pub(super) async fn of_portal(viewer: &Viewer, portal: PortalType, id: BulkChangeId) -> Result<StoredChange, ApiProblem> {
    let change = viewer.web.engine.get_bulk_change(&viewer.caller, id).await?;
    viewer.caller.require(change.portal.into(), Action::View)?;
    if change.portal == portal { Ok(change) } else { Err(ApiProblem::not_found()) }
}

/// Where a change is shown.
pub(super) fn address_of(change: &StoredChange) -> String {
    address(&BulkChangeView::from(change))
}

async fn rows_of(
    viewer: &Viewer,
    id: i64,
    wanted: impl Iterator<Item = (&str, Option<String>)>,
) -> Result<crate::views::Page<DeviceChangeView>, ApiProblem> {
    let given = wanted.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let parameters = Parameters::of_pairs(given.collect());
    Ok(list_device_changes(State(viewer.web.clone()), viewer.caller.clone(), PathId(id), parameters).await?.0)
}

/// A row as pages show it: called as the order called it.
pub(super) fn shown(viewer: &Viewer, by: LineIdentifier, row: DeviceChangeView) -> RowShown {
    RowShown {
        id: row.id,
        line: line_name(by, row.iccid.as_deref(), row.number.as_deref()),
        device: row.device_id,
        status: row.status,
        code: row.error_code,
        details: row.status_details,
        at: row.processed_at.map(|at| viewer.when(at)),
    }
}

/// An id in an address. Errors: 404.
pub(super) fn path_id(text: &str) -> Result<i64, ApiProblem> {
    text.parse().ok().filter(|id| *id > 0).ok_or_else(ApiProblem::not_found)
}

/// `POST /{portal}/bulk-changes/{id}/start`
pub(in crate::portal) async fn start(viewer: Viewer, place: Path<(String, String)>) -> Result<Response, PageRefused> {
    let (address, id) = changed(&viewer, &place).await?;
    let (engine, by) = (viewer.web.engine.clone(), viewer.caller.clone());
    match carried_through(async move { engine.start(&by, id).await }).await {
        Ok(change) => Ok((AuditNote { devices: change.counts.total }, Redirect::to(&address)).into_response()),
        Err(problem) => or_refused(&viewer, (&address, id), &Wanted::Start, problem).await,
    }
}

/// `POST /{portal}/bulk-changes/{id}/cancel`
pub(in crate::portal) async fn cancel(viewer: Viewer, place: Path<(String, String)>) -> Result<Response, PageRefused> {
    let (address, id) = changed(&viewer, &place).await?;
    let (engine, by) = (viewer.web.engine.clone(), viewer.caller.clone());
    match carried_through(async move { engine.cancel(&by, id).await }).await {
        Ok(change) => Ok((AuditNote { devices: change.counts.total }, Redirect::to(&address)).into_response()),
        Err(problem) => or_refused(&viewer, (&address, id), &Wanted::Cancel, problem).await,
    }
}

/// `POST /{portal}/bulk-changes/{id}/retry`: all rows in ERROR, or those with `code`.
pub(in crate::portal) async fn retry(viewer: Viewer, place: Path<(String, String)>, form: Form) -> Result<Response, PageRefused> {
    let (address, id) = changed(&viewer, &place).await?;
    let mut fields = form.parameters();
    let code = fields.term("code", Code::ALL);
    fields.finish()?;
    let codes: Vec<Code> = code.into_iter().collect();
    let (engine, by) = (viewer.web.engine.clone(), viewer.caller.clone());
    match carried_through(async move { engine.retry(&by, id, &codes).await }).await {
        Ok(retried) => {
            let devices = i64::try_from(retried.rows).unwrap_or(i64::MAX);
            Ok((AuditNote { devices }, Redirect::to(&address)).into_response())
        }
        Err(problem) => or_refused(&viewer, (&address, id), &Wanted::Retry(code), problem).await,
    }
}

/// Where the change that an address names is shown, and its id. Nothing is done to one of another portal. Errors: as of [`seen`].
async fn changed(viewer: &Viewer, Path((portal, id)): &Path<(String, String)>) -> Result<(String, BulkChangeId), ApiProblem> {
    let change = seen(viewer, portal, id).await?;
    Ok((address_of(&change), change.id))
}
