//! Who one is.

use axum::Json;
use axum::extract::State;

use super::session::person_view;
use crate::Web;
use crate::auth::{Authenticated, By};
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::views::{KeyView, LimitsView, MeView, TenantView};

/// Who this key or person is
///
/// The tenant, what it may do, and the limits in force. Needs no scope.
#[utoipa::path(get, path = "/api/v1/me", tag = super::tag::SERVER,
    responses((status = 200, description = "Key or person, tenant and limits", body = MeView)))]
pub(crate) async fn me(
    State(web): State<Web>,
    Authenticated { caller, by }: Authenticated,
    _: NoParameters,
) -> Result<Json<MeView>, ApiProblem> {
    let tenant = web.engine.store().get_tenant(caller.tenant).await?;
    let scopes = caller.rights.scopes.to_string();
    let (key, person) = match by {
        By::Key(key) => {
            let scopes = scopes.split_whitespace().map(str::to_owned).collect();
            (Some(KeyView { id: key.id.0, name: key.name, scopes, expires_at: key.expires_at }), None)
        }
        By::Person(person) => (None, Some(person_view(&person))),
    };
    Ok(Json(MeView { tenant: TenantView::from(tenant), key, person, limits: LimitsView::from(web.engine.limits()) }))
}
