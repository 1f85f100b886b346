//! `GET /api/v1/bulk-changes/{id}`.

use axum::Json;
use axum::extract::State;
use lineshift_engine::Caller;

use super::visible;
use crate::Web;
use crate::problem::ApiProblem;
use crate::query::{NoParameters, PathId};
use crate::views::{BulkChangeDetailView, BulkChangeView, OrderView};

/// Shows a bulk change
///
/// With its errors by code, its scheduled changes by state, and the order as it was stored.
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
    let scheduled = store.count_scheduled(caller.tenant, change.id).await?;
    let zone = web.time_zone(caller.tenant).await?;
    Ok(Json(BulkChangeDetailView {
        change: BulkChangeView::from(&change),
        errors: errors.into_iter().map(Into::into).collect(),
        scheduled: scheduled.into_iter().collect(),
        order: OrderView::of(&change.order, zone),
    }))
}
