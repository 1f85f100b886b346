//! The accounts of integrations: how they are called, and whether they can be (item 6 of "Billing").

use axum::Json;
use axum::extract::{Request, State};
use lineshift_connectors::carrier::Carriers;
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
    MOST_CALLS_A_DAY, MOST_CALLS_A_MINUTE, MOST_CONCURRENCY, read_base_address, sends_elsewhere, show_account,
};
use crate::credentials::{CredentialField, fields_of, is_callable, not_callable, to_be_sealed};
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
/// Replaces everything but the credentials, which stay where none are given. Credentials have the fields of the integration's
/// kind, are sealed at once and never answered; what was refused with earlier ones is forgotten. The address is a public one, or in a
/// network that the server's settings list; with `is_local` the server's own machine, or such a network. Another host is called only with credentials that are given with it.
/// Servers take it up with their next call. Needs the scope `admin:edit`.
#[utoipa::path(put, path = "/api/v1/integrations/{id}/account", tag = super::tag::INTEGRATIONS,
    params(("id" = i64, Path, description = "The integration authentication")), request_body = AccountRequest,
    responses(
        (status = 200, description = "As it is now", body = AccountView),
        (status = 409, description = "Somebody else changed it meanwhile", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn set_integration_account(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
    request: Request,
) -> Result<Json<AccountView>, ApiProblem> {
    caller.require(Module::Admin, Action::Edit)?;
    let key = key_of(&caller, id);
    // That there is none is told before the body is read; what is judged by is read after it, which may have been long on its way.
    web.engine.store().get_account(key.tenant_id, key.integration_authentication_id).await?;
    let mut fields = read_fields(request).await?;
    let stored = web.engine.store().get_account(key.tenant_id, key.integration_authentication_id).await?;
    let read = read_settings(&mut fields, &stored, &web);
    let (settings, credentials) = fields.finish(read)?;
    let sealed = credentials.map(|credentials| web.seal.seal(key.into(), &credentials)).transpose();
    let secret_encrypted = sealed.map_err(|why| ApiProblem::refused(vec![Problem::new("credentials", "no_key", why)]))?;
    let settings = AccountSettings { secret_encrypted, ..settings };
    let store = web.engine.store().clone();
    let (tenant, id) = (key.tenant_id, key.integration_authentication_id);
    let now = web.engine.clock().now();
    // Whether stored credentials may go to that address was judged by what is stored: it must be so still.
    carried_through(async move { store.set_account_as_seen(tenant, id, stored.version, &settings, now).await }).await?;
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

/// Everything but the sealed credentials; those that were given, beside it, as they are to be sealed.
pub(crate) fn read_settings(
    fields: &mut Fields,
    stored: &IntegrationAccount,
    web: &Web,
) -> Option<(AccountSettings, Option<SecretString>)> {
    let (kind, carriers) = (stored.integration_kind, web.engine.carriers());
    if !is_callable(carriers, kind) {
        fields.report("", "not_available", not_callable(carriers, kind));
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
    // What a name stands for is looked at when it is called: it may be something else by then.
    let destinations = web.destinations.of_account(is_local.unwrap_or(false));
    if let Some(Err(forbidden)) = base_address.as_deref().map(|address| destinations.check_url(address)) {
        fields.report("base_address", "address_not_allowed", forbidden.to_string());
    }
    let concurrency = fields.optional_limit("concurrency", MOST_CONCURRENCY);
    let calls_a_minute = fields.optional_limit("calls_a_minute", MOST_CALLS_A_MINUTE);
    let calls_a_day = fields.optional_limit("calls_a_day", MOST_CALLS_A_DAY);
    let given = fields.optional_object("credentials", |fields| read_credentials(fields, carriers, kind));
    let credentials = given.and_then(|given| match given.transpose() {
        Ok(credentials) => Some(credentials),
        Err(why) => {
            fields.report("credentials", codes::WRONG_FORM, format!("expected {why}"));
            None
        }
    });
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

/// Credentials of that kind; what is wrong with a field is reported without repeating any of it. Inside: what is expected of
/// them together.
fn read_credentials(fields: &mut Fields, carriers: &Carriers, kind: IntegrationKind) -> Option<Result<SecretString, String>> {
    if !is_callable(carriers, kind) {
        // That is said already; what its credentials look like nobody knows.
        fields.all_secrets();
        return None;
    }
    let given = match fields_of(kind) {
        Some(known) => known.iter().map(|field| read_field(fields, field)).collect::<Vec<_>>(),
        None => fields.all_secrets().into_iter().map(Some).collect(),
    };
    // What is missing or of another type was reported.
    let given: Vec<(String, SecretString)> = given.into_iter().flatten().collect();
    match to_be_sealed(carriers, kind, &given) {
        Ok(json) => Some(Ok(json)),
        Err(problems) => {
            let mut together = None;
            for (name, expected) in problems {
                match name {
                    "" => together = Some(Err(expected)),
                    _ if fields.is_reported(name) => {}
                    _ => fields.report(name, codes::WRONG_FORM, format!("expected {expected}")),
                }
            }
            together
        }
    }
}

/// One field as it is given; none: it is not, or was reported.
fn read_field(fields: &mut Fields, field: &CredentialField) -> Option<(String, SecretString)> {
    let text = if field.is_required { fields.secret(field.name) } else { fields.optional_secret(field.name).flatten() };
    text.map(|text| (field.name.to_owned(), SecretString::from(text)))
}
