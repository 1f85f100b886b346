//! `/api/v1/roles`: named sets of permissions.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use lineshift_domain::ids::RoleId;
use lineshift_domain::refusal::Problem;
use lineshift_domain::rights::Rights;
use lineshift_domain::roles::READY_MADE;
use lineshift_domain::scopes::{Action, Module};
use lineshift_engine::Caller;
use lineshift_store::paging::Listed;
use lineshift_store::people::Role;

use super::{read_scopes, require_cover};
use crate::Web;
use crate::api::carried_through;
use crate::api::reference::read_fields;
use crate::fields::Fields;
use crate::problem::ApiProblem;
use crate::query::{NoParameters, PageParams, Parameters, PathId};
use crate::views::{NewRole, Page, RolePatch, RoleView};

/// Lists roles
///
/// By id. Every tenant begins with administrator, operator, viewer and customer-scoped operator. Needs the scope `admin:view`.
#[utoipa::path(get, path = "/api/v1/roles", tag = crate::api::tag::PEOPLE, params(PageParams),
    responses((status = 200, description = "A page", body = Page<RoleView>)))]
pub(crate) async fn list_roles(
    State(web): State<Web>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page<RoleView>>, ApiProblem> {
    caller.require(Module::Admin, Action::View)?;
    let (limit, after) = (parameters.limit(), parameters.cursor::<RoleId>("after"));
    parameters.finish()?;
    // A tenant has a handful of them.
    let mut roles = web.engine.store().list_roles(caller.tenant).await?;
    roles.retain(|role| after.is_none_or(|after| role.id > after));
    Ok(Json(Page::of(Listed::from_surplus(roles, limit, |role| role.id), RoleView::from)))
}

/// Shows a role
///
/// Needs the scope `admin:view`.
#[utoipa::path(get, path = "/api/v1/roles/{id}", tag = crate::api::tag::PEOPLE, params(("id" = i64, Path, description = "Which one")),
    responses((status = 200, description = "It", body = RoleView)))]
pub(crate) async fn get_role(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<Json<RoleView>, ApiProblem> {
    caller.require(Module::Admin, Action::View)?;
    Ok(Json(web.engine.store().get_role(caller.tenant, RoleId(id)).await?.into()))
}

/// Creates a role
///
/// It allows nothing that the caller may not do. Needs the scope `admin:create`.
#[utoipa::path(post, path = "/api/v1/roles", tag = crate::api::tag::PEOPLE, request_body = NewRole,
    responses(
        (status = 201, description = "As it was created", body = RoleView, headers(("Location" = String, description = "Its address"))),
        (status = 409, description = "One with the same name is there", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn create_role(
    State(web): State<Web>,
    caller: Caller,
    _: NoParameters,
    request: Request,
) -> Result<Response, ApiProblem> {
    caller.require(Module::Admin, Action::Create)?;
    let mut fields = read_fields(request).await?;
    let role = read(&mut fields, None);
    let mut role = fields.finish(role)?;
    require_cover(&caller, &Rights::unlimited(role.scopes.clone()))?;
    let (store, tenant) = (web.engine.store().clone(), caller.tenant);
    let (name, scopes) = (role.name.clone(), role.scopes.clone());
    role.id = carried_through(async move { store.create_role(tenant, &name, &scopes).await }).await?;
    let location = [(header::LOCATION, format!("/api/v1/roles/{}", role.id))];
    Ok((StatusCode::CREATED, location, Json(RoleView::from(role))).into_response())
}

/// Changes a role
///
/// A JSON merge (RFC 7396): absent fields stay. It takes effect at once for everybody who has it, also for bulk changes under way.
/// The last active administrator keeps every permission. Needs the scope `admin:edit`.
#[utoipa::path(patch, path = "/api/v1/roles/{id}", tag = crate::api::tag::PEOPLE,
    params(("id" = i64, Path, description = "Which one")), request_body = RolePatch,
    responses(
        (status = 200, description = "As it is now", body = RoleView),
        (status = 409, description = "Another one has the same name, nobody would be administrator any more, or somebody else changed it meanwhile",
            body = crate::views::ProblemView, content_type = "application/problem+json"),
    ))]
pub(crate) async fn update_role(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
    request: Request,
) -> Result<Json<RoleView>, ApiProblem> {
    caller.require(Module::Admin, Action::Edit)?;
    let (store, tenant) = (web.engine.store().clone(), caller.tenant);
    let mut fields = read_fields(request).await?;
    let present = store.get_role(tenant, RoleId(id)).await?;
    let role = read(&mut fields, Some(&present));
    let role = fields.finish(role)?;
    let is_ready_made = |name: &str| READY_MADE.iter().any(|ready| ready.name == name);
    if role.name != present.name && (is_ready_made(&role.name) || is_ready_made(&present.name)) {
        let message = "ready-made roles keep their names, and no other role takes one of them";
        return Err(ApiProblem::refused(vec![Problem::new("name", "name_kept", message)]));
    }
    for scopes in [&present.scopes, &role.scopes] {
        require_cover(&caller, &Rights::unlimited(scopes.clone()))?;
    }
    let written = role.clone();
    carried_through(async move { store.update_role_as_seen(tenant, &present, &written).await }).await?;
    Ok(Json(role.into()))
}

/// Takes a role away
///
/// Nobody may have it any more. Needs the scope `admin:edit`.
#[utoipa::path(delete, path = "/api/v1/roles/{id}", tag = crate::api::tag::PEOPLE, params(("id" = i64, Path, description = "Which one")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 409, description = "Somebody has it", body = crate::views::ProblemView, content_type = "application/problem+json"),
    ))]
pub(crate) async fn delete_role(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<StatusCode, ApiProblem> {
    caller.require(Module::Admin, Action::Edit)?;
    let (store, tenant) = (web.engine.store().clone(), caller.tenant);
    let present = store.get_role(tenant, RoleId(id)).await?;
    require_cover(&caller, &Rights::unlimited(present.scopes))?;
    carried_through(async move { store.delete_role(tenant, RoleId(id)).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) fn read(fields: &mut Fields, present: Option<&Role>) -> Option<Role> {
    let name = fields.name("name", present.map(|role| role.name.as_str()));
    let scopes = read_scopes(fields, present.map(|role| &role.scopes));
    Some(Role { id: present.map_or(RoleId(0), |role| role.id), name: name?, scopes: scopes? })
}
