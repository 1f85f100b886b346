//! `GET /api/v1/audit`

use axum::Json;
use axum::extract::State;
use lineshift_engine::Caller;

use super::{AuditParams, read_filter, require_all};
use crate::Web;
use crate::problem::ApiProblem;
use crate::query::{PageParams, Parameters};
use crate::views::{AuditEntryView, Page};

/// Lists who asked for what, newest first
///
/// Every request that may change something is written down before it runs, and what came of it after; commands at the server's
/// command line are, too. Needs the scope `admin:view`, for all of the tenant.
#[utoipa::path(get, path = "/api/v1/audit", tag = crate::api::tag::AUDIT, params(AuditParams, PageParams),
    responses((status = 200, description = "A page", body = Page<AuditEntryView>)))]
pub(crate) async fn list_audit(
    State(web): State<Web>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page<AuditEntryView>>, ApiProblem> {
    require_all(&caller)?;
    let filter = read_filter(&mut parameters);
    let (limit, after) = (parameters.limit(), parameters.cursor("after"));
    parameters.finish()?;
    let listed = web.engine.store().list_audit(caller.tenant, &filter, after, limit).await?;
    Ok(Json(Page::of(listed, AuditEntryView::from)))
}
