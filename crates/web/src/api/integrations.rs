//! The accounts of integrations: how they are called, and whether they can be (item 6 of "Billing").

use axum::Json;
use axum::extract::{Request, State};
use lineshift_connectors::billing::revio::RevioCredentials;
use lineshift_connectors::http::AccountKey;
use lineshift_domain::ids::IntegrationAuthenticationId;
use lineshift_domain::reading::codes;
use lineshift_domain::refusal::Problem;
use lineshift_domain::scopes::{Action, Module};
use lineshift_domain::terms::IntegrationKind;
use lineshift_engine::Caller;
use lineshift_store::billing::{AccountSettings, IntegrationAccount};
use secrecy::SecretString;

use super::carried_through;
use super::reference::read_fields;
use crate::Web;
use crate::accounts::{
    MOST_CALLS_A_DAY, MOST_CALLS_A_MINUTE, MOST_CONCURRENCY, credential_problems, read_base_address, sends_elsewhere,
    show_account,
};
use crate::fields::Fields;
use crate::problem::ApiProblem;
use crate::query::{NoParameters, PathId};
use crate::views::{AccountRequest, AccountView, ConnectionTestView};

/// Shows how an integration is called
///
/// Its address, limits and what is left of them; nothing secret. Needs the scope `admin:view`.
#[utoipa::path(get, path = "/api/v1/integrations/{id}/account", tag = super::tag::INTEGRATIONS,
    params(("id" = i64, Path, description = "The integration authentication")),
    responses((status = 200, description = "Its account", body = AccountView)))]
pub(crate) async fn get_integration_account(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<Json<AccountView>, ApiProblem> {
    caller.require(Module::Admin, Action::View)?;
    shown(&web, key_of(&caller, id)).await
}

/// Says how an integration is called
///
/// Replaces everything but the credentials, which stay where none are given. Credentials are sealed at once and never answered;
/// what was refused with earlier ones is forgotten. Another host is called only with credentials that are given with it.
/// Servers take it up with their next call. Needs the scope `admin:edit`.
#[utoipa::path(put, path = "/api/v1/integrations/{id}/account", tag = super::tag::INTEGRATIONS,
    params(("id" = i64, Path, description = "The integration authentication")), request_body = AccountRequest,
    responses((status = 200, description = "As it is now", body = AccountView)))]
pub(crate) async fn set_integration_account(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
    request: Request,
) -> Result<Json<AccountView>, ApiProblem> {
    caller.require(Module::Admin, Action::Edit)?;
    let key = key_of(&caller, id);
    let stored = web.engine.store().get_account(key.tenant_id, key.integration_authentication_id).await?;
    let mut fields = read_fields(request).await?;
    let read = read_settings(&mut fields, &stored);
    let (settings, credentials) = fields.finish(read)?;
    let sealed = credentials.map(|credentials| web.seal.seal(key, &credentials)).transpose();
    let secret_encrypted = sealed.map_err(|why| ApiProblem::refused(vec![Problem::new("credentials", "no_key", why)]))?;
    let settings = AccountSettings { secret_encrypted, ..settings };
    let store = web.engine.store().clone();
    let (tenant, id) = (key.tenant_id, key.integration_authentication_id);
    let now = web.engine.clock().now();
    carried_through(async move { store.set_account(tenant, id, &settings, now).await }).await?;
    shown(&web, key).await
}

/// Tests how an integration is called
///
/// Calls it, reading only, takes note whether its credentials work, and answers what was said. Needs the scope `admin:edit`.
#[utoipa::path(post, path = "/api/v1/integrations/{id}/test", tag = super::tag::INTEGRATIONS,
    params(("id" = i64, Path, description = "The integration authentication")),
    responses((status = 200, description = "What it came to", body = ConnectionTestView)))]
pub(crate) async fn test_integration(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
) -> Result<Json<ConnectionTestView>, ApiProblem> {
    caller.require(Module::Admin, Action::Edit)?;
    let key = key_of(&caller, id);
    let test = carried_through(async move { web.engine.test_connection(key).await }).await?;
    Ok(Json(test.into()))
}

const fn key_of(caller: &Caller, id: i64) -> AccountKey {
    AccountKey { tenant_id: caller.tenant, integration_authentication_id: IntegrationAuthenticationId(id) }
}

async fn shown(web: &Web, key: AccountKey) -> Result<Json<AccountView>, ApiProblem> {
    Ok(Json(show_account(&web.engine, &*web.seal, key).await?))
}

/// Everything but the sealed credentials; those that were given, beside it.
fn read_settings(fields: &mut Fields, stored: &IntegrationAccount) -> Option<(AccountSettings, Option<RevioCredentials>)> {
    if stored.integration_kind != IntegrationKind::REV_IO {
        fields.report("", "not_available", "this version calls Rev.io accounts only");
    }
    let is_local = fields.flag("is_local", None, false);
    let write_enabled = fields.flag("write_enabled", None, true);
    let base_address = fields.secret("base_address");
    let base_address = base_address.and_then(|text| match read_base_address(&text, is_local.unwrap_or(false)) {
        Ok(address) => Some(address),
        Err(expected) => {
            fields.report("base_address", codes::WRONG_FORM, format!("expected {expected}"));
            None
        }
    });
    let concurrency = fields.optional_limit("concurrency", MOST_CONCURRENCY);
    let calls_a_minute = fields.optional_limit("calls_a_minute", MOST_CALLS_A_MINUTE);
    let calls_a_day = fields.optional_limit("calls_a_day", MOST_CALLS_A_DAY);
    let credentials = fields.optional_object("credentials", read_credentials);
    if matches!(credentials, Some(None)) && base_address.as_deref().is_some_and(|address| sends_elsewhere(stored, address)) {
        let message = "missing; another host is called only with credentials that are given with it";
        fields.report("credentials", codes::MISSING_FIELD, message);
    }
    let settings = AccountSettings {
        base_address: base_address?,
        secret_encrypted: None,
        is_local: is_local?,
        write_enabled: write_enabled?,
        concurrency: concurrency?,
        calls_a_minute: calls_a_minute?,
        calls_a_day: calls_a_day?,
    };
    Some((settings, credentials?))
}

/// Credentials; what is wrong with them is said without repeating any of it.
fn read_credentials(fields: &mut Fields) -> Option<RevioCredentials> {
    let (user, client_code) = (fields.secret("user"), fields.secret("client_code"));
    let (password, subscription_key) = (fields.secret("password"), fields.optional_secret("subscription_key"));
    let credentials = RevioCredentials {
        user: user?,
        client_code: client_code?,
        password: SecretString::from(password?),
        subscription_key: subscription_key?.map(SecretString::from),
    };
    let problems = credential_problems(&credentials);
    let is_good = problems.is_empty();
    for (name, expected) in problems {
        fields.report(name, codes::WRONG_FORM, format!("expected {expected}"));
    }
    is_good.then_some(credentials)
}
