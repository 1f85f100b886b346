//! `GET /api/v1/bulk-changes/{id}`.

use axum::Json;
use axum::extract::State;
use lineshift_engine::{Caller, Estimate};
use lineshift_store::bulk_changes::BulkChangeView as StoredChange;

use super::visible;
use crate::Web;
use crate::problem::ApiProblem;
use crate::query::{NoParameters, PathId};
use crate::views::{BulkChangeDetailView, BulkChangeView, EstimateView, OrderView};

/// Shows a bulk change
///
/// With its errors and what it waits for by code, how long its outside calls will take, its scheduled changes by state, and the order as it was stored.
#[utoipa::path(get, path = "/api/v1/bulk-changes/{id}", tag = crate::api::tag::BULK_CHANGES, params(("id" = i64, Path, description = "The bulk change")),
    responses((status = 200, description = "The bulk change", body = BulkChangeDetailView)))]
pub(crate) async fn get_bulk_change(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<Json<BulkChangeDetailView>, ApiProblem> {
    let change = visible(&web, &caller, id).await?;
    let store = web.engine.store();
    let errors = store.count_errors(caller.tenant, change.id).await?;
    let is_open = change.counts.open > 0;
    let waiting = if is_open { store.count_waiting(caller.tenant, change.id).await? } else { Vec::new() };
    let estimate = if is_open { estimate(&web, &caller, &change).await? } else { None };
    let scheduled = store.count_scheduled(caller.tenant, change.id).await?;
    let zone = web.time_zone(caller.tenant).await?;
    Ok(Json(BulkChangeDetailView {
        change: BulkChangeView::from(&change),
        errors: errors.into_iter().map(Into::into).collect(),
        waiting: waiting.into_iter().map(Into::into).collect(),
        estimate,
        scheduled: scheduled.into_iter().collect(),
        order: OrderView::of(&change.order, zone),
    }))
}

/// What is still to be called, if somebody outside is called.
async fn estimate(web: &Web, caller: &Caller, change: &StoredChange) -> Result<Option<EstimateView>, ApiProblem> {
    let Some(Estimate { calls, seconds, calls_a_minute }) =
        web.engine.estimate(caller.tenant, change).await.map_err(ApiProblem::from)?
    else {
        return Ok(None);
    };
    Ok(Some(EstimateView { calls, seconds, calls_a_minute }))
}
