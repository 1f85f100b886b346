//! `/api/v1/api-keys`: keys with which programs call.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{PrincipalId, TenantId};
use lineshift_domain::reach::Reach;
use lineshift_domain::reading::codes;
use lineshift_domain::rights::Rights;
use lineshift_domain::scopes::{Action, Module, Scopes};
use lineshift_engine::Caller;
use lineshift_store::access::{ApiKey, NewApiKey as NewKey};
use lineshift_store::paging::Listed;

use super::{read_reach, read_scopes, require_cover, unknown_in};
use crate::api::carried_through;
use crate::api::reference::read_fields;
use crate::fields::Fields;
use crate::problem::ApiProblem;
use crate::query::{NoParameters, PageParams, Parameters, PathId};
use crate::views::{ApiKeyView, CreatedApiKeyView, NewApiKey, Page};
use crate::{Web, new_api_key_secret};

/// Lists API keys
///
/// By id, expired and revoked ones included; never their secrets. Needs the scope `admin:view`.
#[utoipa::path(get, path = "/api/v1/api-keys", tag = crate::api::tag::PEOPLE, params(PageParams),
    responses((status = 200, description = "A page", body = Page<ApiKeyView>)))]
pub(crate) async fn list_api_keys(
    State(web): State<Web>,
    caller: Caller,
    mut parameters: Parameters,
) -> Result<Json<Page<ApiKeyView>>, ApiProblem> {
    caller.require(Module::Admin, Action::View)?;
    let (limit, after) = (parameters.limit(), parameters.cursor::<PrincipalId>("after"));
    parameters.finish()?;
    // A tenant has a handful of them.
    let mut keys = web.engine.store().list_api_keys(caller.tenant).await?;
    keys.retain(|key| after.is_none_or(|after| key.id > after));
    Ok(Json(Page::of(Listed::from_surplus(keys, limit, |key| key.id), ApiKeyView::from)))
}

/// Shows an API key
///
/// Without its secret. Needs the scope `admin:view`.
#[utoipa::path(get, path = "/api/v1/api-keys/{id}", tag = crate::api::tag::PEOPLE, params(("id" = i64, Path, description = "Which one")),
    responses((status = 200, description = "It", body = ApiKeyView)))]
pub(crate) async fn get_api_key(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<Json<ApiKeyView>, ApiProblem> {
    caller.require(Module::Admin, Action::View)?;
    Ok(Json(find(&web, caller.tenant, PrincipalId(id)).await?.into()))
}

/// Creates an API key
///
/// The whole key is answered this once. It may do nothing that the caller may not do. Needs the scope `admin:create`.
#[utoipa::path(post, path = "/api/v1/api-keys", tag = crate::api::tag::PEOPLE, request_body = NewApiKey,
    responses((status = 201, description = "The key with its secret", body = CreatedApiKeyView,
        headers(("Location" = String, description = "Its address")))))]
pub(crate) async fn create_api_key(
    State(web): State<Web>,
    caller: Caller,
    _: NoParameters,
    request: Request,
) -> Result<Response, ApiProblem> {
    caller.require(Module::Admin, Action::Create)?;
    let (now, tenant) = (web.engine.clock().now(), caller.tenant);
    let secret = new_api_key_secret().map_err(|error| {
        tracing::error!(%error, "a key could not be made");
        ApiProblem::internal()
    })?;
    let mut fields = read_fields(request).await?;
    let key = read(&mut fields, secret.hash(), now);
    let key = fields.finish(key)?;
    let unknown = unknown_in(&web, tenant, &key.reach).await?;
    if !unknown.is_empty() {
        return Err(ApiProblem::refused(unknown));
    }
    require_cover(&caller, &Rights { scopes: key.scopes.clone(), reach: key.reach.clone() })?;
    let store = web.engine.store().clone();
    let id = carried_through(async move { store.create_api_key(tenant, &key, now).await }).await?;
    let api_key = find(&web, tenant, id).await?.into();
    let location = [(header::LOCATION, format!("/api/v1/api-keys/{id}"))];
    Ok((StatusCode::CREATED, location, Json(CreatedApiKeyView { api_key, key: secret.format(tenant, id) })).into_response())
}

/// Revokes an API key
///
/// It is refused from now on, for ever; bulk changes under way that were ordered with it end `rights_lost`. Nobody revokes keys that may do
/// more than they may. Needs the scope `admin:edit`.
#[utoipa::path(post, path = "/api/v1/api-keys/{id}/revoke", tag = crate::api::tag::PEOPLE,
    params(("id" = i64, Path, description = "Which one")),
    responses((status = 200, description = "As it is now; one that was revoked before stays as it was", body = ApiKeyView)))]
pub(crate) async fn revoke_api_key(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<Json<ApiKeyView>, ApiProblem> {
    caller.require(Module::Admin, Action::Edit)?;
    let (store, tenant, id) = (web.engine.store().clone(), caller.tenant, PrincipalId(id));
    let present = find(&web, tenant, id).await?;
    require_cover(&caller, &Rights { scopes: present.scopes, reach: present.reach })?;
    let now = web.engine.clock().now();
    carried_through(async move { store.revoke_api_key(tenant, id, now).await }).await?;
    Ok(Json(find(&web, tenant, id).await?.into()))
}

async fn find(web: &Web, tenant: TenantId, id: PrincipalId) -> Result<ApiKey, ApiProblem> {
    web.engine.store().find_api_key(tenant, id).await?.ok_or_else(ApiProblem::not_found)
}

pub(crate) fn read(fields: &mut Fields, secret_hash: [u8; 32], now: DateTime<Utc>) -> Option<NewKey> {
    let name = fields.name("name", None);
    let scopes = read_scopes(fields, None);
    if scopes.as_ref().is_some_and(|scopes| *scopes == Scopes::default()) {
        fields.report("scopes", codes::WRONG_FORM, "a key that may do nothing is of no use; name what it may do");
    }
    let reach = read_reach(fields, Some(&Reach::Everything));
    let expected = "a moment after now such as 2027-01-01T00:00:00Z, or null";
    let expires_at = fields.optional_moment("expires_at", expected, |moment| now < moment);
    Some(NewKey { name: name?, secret_hash, scopes: scopes?, reach: reach?, expires_at: expires_at? })
}
