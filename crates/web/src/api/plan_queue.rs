//! The plan queue: looking at entries, moving and canceling them (B8.3).

use axum::Json;
use axum::extract::{Request, State};
use lineshift_domain::dates::resolve;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, DeviceId};
use lineshift_domain::order::EffectiveDate;
use lineshift_domain::reading::{codes, read_effective_date};
use lineshift_domain::scopes::Action;
use lineshift_domain::terms::PlanQueueState;
use lineshift_engine::Caller;
use lineshift_store::plan_queue::{PlanQueueEntry, PlanQueueFilter, PlanQueueKey};
use utoipa::IntoParams;

use super::carried_through;
use crate::Web;
use crate::audit::AuditNote;
use crate::auth::require_any_view;
use crate::body::{SMALL_BODY, read_body, require_json};
use crate::fields::Fields;
use crate::problem::ApiProblem;
use crate::query::{NoParameters, PageParams, Parameters, PathId};
use crate::views::{MoveRequest, Page, PlanQueueEntryView};

/// The parameters, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that are read one by one, so that all problems are found")]
pub(crate) struct QueueParams {
    /// Open entries of this line.
    device_id: Option<i64>,
    /// Entries of this bulk change.
    bulk_change_id: Option<i64>,
    /// With `bulk_change_id`: open, applied, canceled or failed.
    #[param(default = "open")]
    state: Option<String>,
}

/// Lists plan queue entries
///
/// Open ones by date, of the tenant or of one line; or those of one bulk change in one state. Entries of portals that the
/// key may not view are left out, so that a page may hold fewer than `limit`.
#[utoipa::path(get, path = "/api/v1/plan-queue", tag = super::tag::PLAN_QUEUE, params(QueueParams, PageParams),
    responses((status = 200, description = "A page", body = Page<PlanQueueEntryView>)))]
pub(crate) async fn list_queue_entries(
    State(web): State<Web>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page<PlanQueueEntryView>>, ApiProblem> {
    require_any_view(&caller)?;
    let filter = read_filter(&mut parameters);
    let (limit, after) = (parameters.limit(), read_cursor(&mut parameters, filter));
    parameters.finish()?;
    within_reach(&web, &caller, filter).await?;
    let mut listed = web.engine.store().list_queue_entries(caller.tenant, &caller.rights.reach, filter, after, limit).await?;
    listed.items.retain(|entry| caller.rights.allow(entry.portal.into(), Action::View));
    let zone = web.time_zone(caller.tenant).await?;
    Ok(Json(Page::of(listed, |entry| PlanQueueEntryView::of(entry, zone))))
}

/// Whoever is limited sees the entries of a line or of a change only when they see the line or the change.
async fn within_reach(web: &Web, caller: &Caller, filter: PlanQueueFilter) -> Result<(), ApiProblem> {
    if !caller.rights.reach.is_everything() {
        match filter {
            PlanQueueFilter::Open => {}
            PlanQueueFilter::OpenOfDevice(device) => drop(web.engine.get_device(caller, device).await?),
            PlanQueueFilter::OfChange(change, _) => drop(web.engine.get_bulk_change(caller, change).await?),
        }
    }
    Ok(())
}

fn read_filter(parameters: &mut Parameters) -> PlanQueueFilter {
    let device = parameters.id("device_id", DeviceId);
    let change = parameters.id("bulk_change_id", BulkChangeId);
    let state = parameters.term("state", PlanQueueState::ALL);
    if device.is_some() && change.is_some() {
        parameters.report("", codes::CONFLICTING_FIELDS, "entries are chosen by device_id or by bulk_change_id; give one");
    }
    if change.is_none() && state.is_some_and(|state| state != PlanQueueState::Open) {
        let message = "without bulk_change_id only open entries are listed; give bulk_change_id, or leave state out";
        parameters.report("state", codes::FIELD_WITHOUT_OPTION, message);
    }
    match (device, change) {
        (_, Some(change)) => PlanQueueFilter::OfChange(change, state.unwrap_or(PlanQueueState::Open)),
        (Some(device), None) => PlanQueueFilter::OpenOfDevice(device),
        (None, None) => PlanQueueFilter::Open,
    }
}

/// A cursor goes with its list: those of one bulk change are by id, others by date.
fn read_cursor(parameters: &mut Parameters, filter: PlanQueueFilter) -> Option<PlanQueueKey> {
    let after = parameters.cursor::<PlanQueueKey>("after")?;
    let by_id = matches!(filter, PlanQueueFilter::OfChange(..));
    if by_id != (after.effective_date == 0) {
        let message = "this is the cursor of a list with another filter; keep the filter while paging";
        parameters.report("after", codes::CONFLICTING_FIELDS, message);
    }
    Some(after)
}

/// Shows a plan queue entry
#[utoipa::path(get, path = "/api/v1/plan-queue/{id}", tag = super::tag::PLAN_QUEUE, params(("id" = i64, Path, description = "The entry")),
    responses((status = 200, description = "The entry", body = PlanQueueEntryView)))]
pub(crate) async fn get_queue_entry(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<Json<PlanQueueEntryView>, ApiProblem> {
    let entry = web.engine.get_queue_entry(&caller, DeviceChangeId(id)).await?;
    caller.require(entry.portal.into(), Action::View)?;
    shown(&web, &caller, entry).await
}

/// Moves a plan queue entry to another date
///
/// A date without time or offset is the start of that day in the tenant's time zone. One that is not after now takes
/// effect at once.
#[utoipa::path(patch, path = "/api/v1/plan-queue/{id}", tag = super::tag::PLAN_QUEUE, params(("id" = i64, Path, description = "The entry")),
    request_body = MoveRequest,
    responses(
        (status = 200, description = "The entry", body = PlanQueueEntryView),
        (status = 409, description = "It is not open any more", body = crate::views::ProblemView, content_type = "application/problem+json"),
    ))]
pub(crate) async fn move_queue_entry(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
    request: Request,
) -> Result<(AuditNote, Json<PlanQueueEntryView>), ApiProblem> {
    let (parts, body) = request.into_parts();
    require_json(&parts.headers)?;
    let mut fields = Fields::read(&read_body(&parts.headers, body, SMALL_BODY).await?)?;
    let expected = "a date in ISO 8601 such as \"2026-12-01\" or \"2026-12-01T08:00:00Z\"";
    let date = fields.parsed("effective_date", expected, read_effective_date);
    let date = fields.finish(date)?;
    let entry = move_to(&web, &caller, DeviceChangeId(id), date).await?;
    Ok((AuditNote { devices: 1 }, shown(&web, &caller, entry).await?))
}

/// Moves an entry to a date in the tenant's zone.
pub(crate) async fn move_to(
    web: &Web,
    caller: &Caller,
    id: DeviceChangeId,
    date: EffectiveDate,
) -> Result<PlanQueueEntry, ApiProblem> {
    let to = resolve(date, web.time_zone(caller.tenant).await?);
    let (engine, by) = (web.engine.clone(), caller.clone());
    carried_through(async move { engine.move_queue_entry(&by, id, to).await }).await
}

/// Cancels a plan queue entry
///
/// The entry stays, as canceled.
#[utoipa::path(post, path = "/api/v1/plan-queue/{id}/cancel", tag = super::tag::PLAN_QUEUE, params(("id" = i64, Path, description = "The entry")),
    responses(
        (status = 200, description = "The entry", body = PlanQueueEntryView),
        (status = 409, description = "It is not open any more", body = crate::views::ProblemView, content_type = "application/problem+json"),
    ))]
pub(crate) async fn cancel_queue_entry(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<(AuditNote, Json<PlanQueueEntryView>), ApiProblem> {
    let (engine, by) = (web.engine.clone(), caller.clone());
    let entry = carried_through(async move { engine.cancel_queue_entry(&by, DeviceChangeId(id)).await }).await?;
    Ok((AuditNote { devices: 1 }, shown(&web, &caller, entry).await?))
}

async fn shown(web: &Web, caller: &Caller, entry: PlanQueueEntry) -> Result<Json<PlanQueueEntryView>, ApiProblem> {
    let zone = web.time_zone(caller.tenant).await?;
    Ok(Json(PlanQueueEntryView::of(entry, zone)))
}
