//! `/api/v1/users/{id}/sessions`: where somebody is signed in.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lineshift_domain::ids::PrincipalId;
use lineshift_domain::scopes::{Action, Module};
use lineshift_engine::Caller;

use super::users::member_to_change;
use crate::Web;
use crate::api::carried_through;
use crate::problem::ApiProblem;
use crate::query::{NoParameters, PathId};
use crate::views::{Page, UserSessionView};

/// Lists where a user is signed in
///
/// In this tenant, newest first, at most a thousand. Needs the scope `admin:view`.
#[utoipa::path(get, path = "/api/v1/users/{id}/sessions", tag = crate::api::tag::PEOPLE,
    params(("id" = i64, Path, description = "Who")),
    responses((status = 200, description = "All of them; `next` is null", body = Page<UserSessionView>)))]
pub(crate) async fn list_user_sessions(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<Json<Page<UserSessionView>>, ApiProblem> {
    caller.require(Module::Admin, Action::View)?;
    let store = web.engine.store();
    let member = store.get_member(caller.tenant, PrincipalId(id)).await?;
    let (sessions, now) = (store.list_sessions(caller.tenant, member.id).await?, web.engine.clock().now());
    let items = sessions.into_iter().filter(|session| now < session.ends_at).map(UserSessionView::from).collect();
    Ok(Json(Page { items, next: None }))
}

/// Signs a user out
///
/// Everywhere in this tenant. Nobody signs out people who have more rights than they have. Needs the scope `admin:edit`.
#[utoipa::path(delete, path = "/api/v1/users/{id}/sessions", tag = crate::api::tag::PEOPLE,
    params(("id" = i64, Path, description = "Who")), responses((status = 204, description = "They are signed out")))]
pub(crate) async fn end_user_sessions(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<StatusCode, ApiProblem> {
    let (tenant, member) = (caller.tenant, member_to_change(&web, &caller, id).await?);
    let store = web.engine.store().clone();
    carried_through(async move { store.end_sessions_of(tenant, member.id, None).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
