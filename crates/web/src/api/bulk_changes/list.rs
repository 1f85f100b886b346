//! `GET /api/v1/bulk-changes`.

use axum::Json;
use axum::extract::State;
use lineshift_domain::scopes::Action;
use lineshift_engine::Caller;
use utoipa::IntoParams;

use crate::Web;
use crate::auth::require_any_view;
use crate::problem::ApiProblem;
use crate::query::Parameters;
use crate::views::{BulkChangeView, Page};

/// The parameters, for the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters that are read one by one, so that all problems are found")]
pub(crate) struct ListParams {
    /// How many items at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<usize>,
    /// `next` of the page before.
    before: Option<String>,
}

/// Lists bulk changes, newest first
///
/// Those of portals that the key may not view are left out, so that a page may hold fewer than `limit`. One whose lines
/// still arrive (RECEIVING) is shown to its submitter only.
#[utoipa::path(get, path = "/api/v1/bulk-changes", tag = crate::api::tag::BULK_CHANGES, params(ListParams),
    responses((status = 200, description = "A page", body = Page<BulkChangeView>)))]
pub(crate) async fn list_bulk_changes(
    State(web): State<Web>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page<BulkChangeView>>, ApiProblem> {
    require_any_view(&caller)?;
    let (limit, before) = (parameters.limit(), parameters.cursor("before"));
    parameters.finish()?;
    let (store, tenant, principal) = (web.engine.store(), caller.tenant, caller.principal);
    let mut listed = if caller.rights.reach.is_everything() {
        store.list_bulk_changes(tenant, principal, before, limit).await?
    } else {
        store.list_bulk_changes_of(tenant, principal, before, limit).await?
    };
    listed.items.retain(|change| caller.rights.allow(change.portal.into(), Action::View));
    Ok(Json(Page::of(listed, |change| BulkChangeView::from(&change))))
}
