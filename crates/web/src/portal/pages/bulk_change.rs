//! One bulk change: how far it is, what failed, its lines, and steering it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::scopes::Action;
use lineshift_domain::terms::PortalType;

use super::bulk_changes::{Shares, act, title};
use crate::api::bulk_changes::devices::list_device_changes;
use crate::api::bulk_changes::get::get_bulk_change;
use crate::api::carried_through;
use crate::audit::AuditNote;
use crate::portal::form::Form;
use crate::portal::page::{When, answer, thousands};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, portal_of, segment};
use crate::problem::ApiProblem;
use crate::query::{NoParameters, Parameters, PathId};
use crate::views::{BulkChangeDetailView, DeviceChangeView};

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
    rows: Vec<RowShown>,
    /// The address of the next page of rows.
    next: Option<String>,
    status_shown: Option<String>,
    code_shown: Option<String>,
    may_edit: bool,
    is_running: bool,
}

impl BulkChangePage {
    fn count(&self, count: &i64) -> String {
        thousands(*count)
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

/// A row in the list.
struct RowShown {
    line: String,
    device: Option<i64>,
    status: String,
    code: Option<String>,
    details: Option<String>,
    at: Option<When>,
}

/// `GET /{portal}/bulk-changes/{id}`: failures first, else what `status` and `code` choose.
pub(in crate::portal) async fn show(
    viewer: Viewer,
    Path((portal, id)): Path<(String, String)>,
    mut parameters: Parameters,
) -> Result<Response, PageRefused> {
    let (portal, id) = (portal_of(&portal)?, path_id(&id)?);
    let detail = get_bulk_change(State(viewer.web.clone()), viewer.caller.clone(), PathId(id), NoParameters).await?.0;
    if detail.change.portal != portal.as_str() {
        return Err(ApiProblem::not_found().into());
    }
    let (status, code, after) = (parameters.text("status"), parameters.text("code"), parameters.text("after"));
    parameters.finish()?;
    let status = status.or_else(|| (detail.change.counts.error > 0 && code.is_none()).then(|| "ERROR".to_owned()));
    let all = status.as_deref() == Some("all");
    let wanted = [("status", status.clone().filter(|_| !all)), ("code", code.clone()), ("after", after)];
    let listed = rows_of(&viewer, id, wanted).await?;
    let address = format!("/{}/bulk-changes/{id}", segment(portal));
    let page = BulkChangePage {
        frame: viewer.frame(title(&detail.change), Some(portal), Place::BulkChanges)?,
        title: title(&detail.change),
        act: act(&detail.change.change_type_name).to_owned(),
        at: viewer.when(detail.change.created_at),
        shares: Shares::of(&detail.change),
        rows: listed.items.into_iter().map(|row| shown(&viewer, row)).collect(),
        next: listed.next,
        status_shown: status,
        code_shown: code,
        may_edit: viewer.may(portal, Action::Edit),
        is_running: detail.change.processed_at.is_none(),
        address,
        detail,
    };
    Ok(answer(&page))
}

async fn rows_of(
    viewer: &Viewer,
    id: i64,
    wanted: [(&str, Option<String>); 3],
) -> Result<crate::views::Page<DeviceChangeView>, ApiProblem> {
    let given = wanted.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let parameters = Parameters::of_pairs(given.collect());
    Ok(list_device_changes(State(viewer.web.clone()), viewer.caller.clone(), PathId(id), parameters).await?.0)
}

fn shown(viewer: &Viewer, row: DeviceChangeView) -> RowShown {
    RowShown {
        line: row.iccid.or(row.number).unwrap_or_default(),
        device: row.device_id,
        status: row.status,
        code: row.error_code,
        details: row.status_details,
        at: row.processed_at.map(|at| viewer.when(at)),
    }
}

fn path_id(text: &str) -> Result<i64, ApiProblem> {
    text.parse().ok().filter(|id| *id > 0).ok_or_else(ApiProblem::not_found)
}

/// `POST /{portal}/bulk-changes/{id}/start`
pub(in crate::portal) async fn start(viewer: Viewer, place: Path<(String, String)>) -> Result<Response, PageRefused> {
    let (address, id) = changed(&place)?;
    let change = carried_through(async move { viewer.web.engine.start(&viewer.caller, id).await }).await?;
    Ok((AuditNote { devices: change.counts.total }, Redirect::to(&address)).into_response())
}

/// `POST /{portal}/bulk-changes/{id}/cancel`
pub(in crate::portal) async fn cancel(viewer: Viewer, place: Path<(String, String)>) -> Result<Response, PageRefused> {
    let (address, id) = changed(&place)?;
    let change = carried_through(async move { viewer.web.engine.cancel(&viewer.caller, id).await }).await?;
    Ok((AuditNote { devices: change.counts.total }, Redirect::to(&address)).into_response())
}

/// `POST /{portal}/bulk-changes/{id}/retry`: all rows in ERROR, or those with `code`.
pub(in crate::portal) async fn retry(viewer: Viewer, place: Path<(String, String)>, form: Form) -> Result<Response, PageRefused> {
    let (address, id) = changed(&place)?;
    let mut fields = form.parameters();
    let code = fields.term("code", Code::ALL);
    fields.finish()?;
    let codes: Vec<Code> = code.into_iter().collect();
    let retried = carried_through(async move { viewer.web.engine.retry(&viewer.caller, id, &codes).await }).await?;
    let devices = i64::try_from(retried.rows).unwrap_or(i64::MAX);
    Ok((AuditNote { devices }, Redirect::to(&address)).into_response())
}

/// The change that an address names, and where it is shown.
fn changed(Path((portal, id)): &Path<(String, String)>) -> Result<(String, BulkChangeId), ApiProblem> {
    let portal: PortalType = portal_of(portal)?;
    let id = path_id(id)?;
    Ok((format!("/{}/bulk-changes/{id}", segment(portal)), BulkChangeId(id)))
}
