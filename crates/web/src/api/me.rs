//! Who one is.

use axum::Json;
use axum::extract::State;

use crate::Web;
use crate::auth::{Authenticated, By};
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::views::{KeyView, LimitsView, MeView, TenantView};

/// Who this key is
///
/// Its tenant, what it may do, and the limits in force. Needs no scope.
#[utoipa::path(get, path = "/api/v1/me", tag = super::tag::SERVER, responses((status = 200, description = "Key, tenant and limits", body = MeView)))]
pub(crate) async fn me(
    State(web): State<Web>,
    Authenticated { caller, by: By::Key(key) }: Authenticated,
    _: NoParameters,
) -> Result<Json<MeView>, ApiProblem> {
    let tenant = web.engine.store().get_tenant(caller.tenant).await?;
    let scopes = caller.rights.scopes.to_string();
    Ok(Json(MeView {
        tenant: TenantView { id: tenant.id.0, name: tenant.name, time_zone: tenant.time_zone.to_string() },
        key: KeyView {
            id: key.id.0,
            name: key.name,
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
            expires_at: key.expires_at,
        },
        limits: LimitsView::from(web.engine.limits()),
    }))
}
