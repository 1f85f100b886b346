//! Starting, canceling and retrying bulk changes (B10.1, B10.2).

use axum::Json;
use axum::extract::{Request, State};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::BulkChangeId;
use lineshift_engine::{Caller, Retried};

use crate::Web;
use crate::api::carried_through;
use crate::audit::AuditNote;
use crate::body::{SMALL_BODY, read_body, require_json};
use crate::fields::Fields;
use crate::problem::ApiProblem;
use crate::query::{NoParameters, PathId};
use crate::views::{BulkChangeView, RetriedView, RetryRequest};

/// Starts a bulk change
///
/// For one that was ordered with `ProcessChanges: false`.
#[utoipa::path(post, path = "/api/v1/bulk-changes/{id}/start", tag = crate::api::tag::BULK_CHANGES, params(("id" = i64, Path, description = "The bulk change")),
    responses(
        (status = 200, description = "The bulk change", body = BulkChangeView),
        (status = 409, description = "It does not wait for a start", body = crate::views::ProblemView, content_type = "application/problem+json"),
    ))]
pub(crate) async fn start_bulk_change(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<(AuditNote, Json<BulkChangeView>), ApiProblem> {
    let change = carried_through(async move { web.engine.start(&caller, BulkChangeId(id)).await }).await?;
    Ok((AuditNote { devices: change.counts.total }, Json(BulkChangeView::from(&change))))
}

/// Cancels a bulk change
///
/// Rows on which nothing was sent become CANCELED, the page in hand is the last, and plan queue entries of this change
/// that still wait, and are within your reach, are canceled.
#[utoipa::path(post, path = "/api/v1/bulk-changes/{id}/cancel", tag = crate::api::tag::BULK_CHANGES, params(("id" = i64, Path, description = "The bulk change")),
    responses(
        (status = 200, description = "The bulk change", body = BulkChangeView),
        (status = 409, description = "Nothing of it is left to cancel", body = crate::views::ProblemView, content_type = "application/problem+json"),
    ))]
pub(crate) async fn cancel_bulk_change(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<(AuditNote, Json<BulkChangeView>), ApiProblem> {
    let change = carried_through(async move { web.engine.cancel(&caller, BulkChangeId(id)).await }).await?;
    Ok((AuditNote { devices: change.counts.total }, Json(BulkChangeView::from(&change))))
}

/// Retries the failed rows of a bulk change
///
/// Opens rows in ERROR again, all or those with one of the codes, under the rights of this key. The body may be left out.
#[utoipa::path(post, path = "/api/v1/bulk-changes/{id}/retry", tag = crate::api::tag::BULK_CHANGES, params(("id" = i64, Path, description = "The bulk change")),
    request_body(content = Option<RetryRequest>),
    responses(
        (status = 200, description = "How many rows were opened", body = RetriedView),
        (status = 409, description = "It still runs, or no row is in ERROR", body = crate::views::ProblemView, content_type = "application/problem+json"),
    ))]
pub(crate) async fn retry_bulk_change(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
    request: Request,
) -> Result<(AuditNote, Json<RetriedView>), ApiProblem> {
    let codes = read_codes(request).await?;
    let Retried { rows, attempt } =
        carried_through(async move { web.engine.retry(&caller, BulkChangeId(id), &codes).await }).await?;
    Ok((AuditNote { devices: i64::try_from(rows).unwrap_or(i64::MAX) }, Json(RetriedView { rows, attempt })))
}

async fn read_codes(request: Request) -> Result<Vec<Code>, ApiProblem> {
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body, SMALL_BODY).await?;
    if body.is_empty() {
        return Ok(Vec::new());
    }
    require_json(&parts.headers)?;
    let mut fields = Fields::read(&body)?;
    let codes = fields.optional_list("codes", "a code such as device_not_active", |text| text.parse().ok());
    fields.finish(Some(codes))
}
