//! `GET /api/v1/bulk-changes/{id}/log`.

use axum::Json;
use axum::extract::State;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_engine::Caller;
use utoipa::IntoParams;

use super::visible;
use crate::Web;
use crate::problem::ApiProblem;
use crate::query::{Parameters, PathId};
use crate::views::{LogEntryView, Page};

/// The parameters, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that are read one by one, so that all problems are found")]
pub(crate) struct LogParams {
    /// Only entries of this row.
    device_change_id: Option<i64>,
    /// How many items at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Lists the log of a bulk change
///
/// By row, attempt and entry; those of the bulk change as a whole come first. Of a line that is beyond your reach by now, the texts are
/// left out.
#[utoipa::path(get, path = "/api/v1/bulk-changes/{id}/log", tag = crate::api::tag::BULK_CHANGES,
    params(("id" = i64, Path, description = "The bulk change"), LogParams),
    responses((status = 200, description = "A page", body = Page<LogEntryView>)))]
pub(crate) async fn list_log(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    mut parameters: Parameters,
) -> Result<Json<Page<LogEntryView>>, ApiProblem> {
    let change = visible(&web, &caller, id).await?;
    let device_change = parameters.id("device_change_id", DeviceChangeId);
    let (limit, after) = (parameters.limit(), parameters.cursor("after"));
    parameters.finish()?;
    let listed = web.engine.list_log(&caller, &change, device_change, after, limit).await?;
    Ok(Json(Page::of(listed, LogEntryView::from)))
}
