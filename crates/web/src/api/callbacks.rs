//! Callbacks of carriers (B5.6): anybody may send one, so what it carries is checked, and it is only a reason to look sooner.
//!
//! Every answer is the same for all that come to the same: whoever forges callbacks learns nothing about requests, rows or other
//! tenants. What a callback carries is neither logged nor answered.

use std::collections::HashMap;
use std::sync::Mutex;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use lineshift_connectors::carrier::{CallbackRefused, CallbackRequest, CarrierKind};
use lineshift_connectors::credentials::SealedFor;
use lineshift_domain::carrier::Answers;
use lineshift_domain::ids::{ServiceProviderId, TenantId};
use lineshift_domain::refusal::Problem;
use lineshift_domain::scopes::{Action, Module};
use lineshift_domain::terms::AuditActor;
use lineshift_engine::Caller;
use lineshift_store::catalogue::ServiceProvider;
use secrecy::{ExposeSecret as _, SecretString};

use super::carried_through;
use super::reference::read_fields;
use crate::Web;
use crate::audit::{Asker, AuditNote, PendingAudit};
use crate::body::read_body;
use crate::credentials::is_credential;
use crate::fields::Fields;
use crate::measures::CALLBACKS;
use crate::problem::ApiProblem;
use crate::query::{NoParameters, PathId};
use crate::views::{CallbackCredentialsRequest, CallbackTakenView};

/// The most bytes of a callback.
pub(crate) const CALLBACK_BODY: usize = 64 << 10;

/// The most callbacks of a service provider in a second that a process takes: a carrier repeats what was not taken.
const MOST_A_SECOND: u32 = 100;

/// The most fields of credentials that callbacks carry.
const MOST_FIELDS: usize = 20;

/// Says what callbacks must carry
///
/// Replaces what the callbacks of the service provider's carrier have to carry to be believed: a user's name and password, or
/// whatever they carry. It is sealed at once and never answered. The carrier calls `/callbacks/{tenant_id}/{id}`. Refused for
/// carriers that do not call back. Needs the scope `admin:edit`.
#[utoipa::path(put, path = "/api/v1/service-providers/{id}/callback-credentials", tag = super::tag::INTEGRATIONS,
    params(("id" = i64, Path, description = "The service provider")), request_body = CallbackCredentialsRequest,
    responses((status = 204, description = "Stored")))]
pub(crate) async fn set_callback_credentials(
    State(web): State<Web>,
    caller: Caller,
    PathId(id): PathId,
    _: NoParameters,
    request: Request,
) -> Result<StatusCode, ApiProblem> {
    caller.require(Module::Admin, Action::Edit)?;
    let id = ServiceProviderId(id);
    // That there is none is told before the body is read.
    web.engine.store().get_service_provider(caller.tenant, id).await?;
    let mut fields = read_fields(request).await?;
    let provider = web.engine.store().get_service_provider(caller.tenant, id).await?;
    if calls_back(&web, &provider).is_none() {
        let message = format!("{} does not call back", provider.integration_kind);
        return Err(ApiProblem::refused(vec![Problem::new("integration_kind", "carrier_cannot", message)]));
    }
    let expected = read_expected(&mut fields);
    let expected = fields.finish(expected)?;
    let sealed = web.seal.seal(SealedFor::Callbacks(caller.tenant, id), &expected);
    let sealed = sealed.map_err(|why| ApiProblem::refused(vec![Problem::new("", "no_key", why)]))?;
    let store = web.engine.store().clone();
    carried_through(async move { store.set_callback_secret(caller.tenant, id, Some(&sealed)).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a callback of a carrier
///
/// For carriers, without an API key: at most 64 KiB of any type, with the credentials that were set for the service provider.
/// What it says is only a reason to ask the carrier sooner, so the answer does not tell what came of it: one about an unknown
/// request, repeated, too early or too late is answered like any other.
#[utoipa::path(post, path = "/callbacks/{tenant_id}/{service_provider_id}", tag = super::tag::INTEGRATIONS, security(),
    params(
        ("tenant_id" = i64, Path, description = "The tenant"),
        ("service_provider_id" = i64, Path, description = "The service provider"),
    ),
    request_body(content = String, content_type = "*/*", description = "Whatever the carrier sends"),
    responses(
        (status = 200, description = "It came; it need not be repeated", body = CallbackTakenView),
        (status = 400, description = "The carrier's callbacks look different", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
        (status = 401, description = "It does not carry the credentials", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
        (status = 404, description = "No callbacks are taken here", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
        (status = 429, description = "Too many at once; repeat it", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn receive_callback(
    State(web): State<Web>,
    path: Result<Path<(i64, i64)>, PathRejection>,
    request: Request,
) -> Result<(AuditNote, Json<CallbackTakenView>), ApiProblem> {
    let taken = match path {
        Ok(Path((tenant, provider))) => take(&web, TenantId(tenant), ServiceProviderId(provider), request).await,
        Err(_) => Err(Refused::Nowhere),
    };
    let result = taken.as_ref().map_or_else(Refused::label, |rows| if *rows > 0 { "noted" } else { "nothing_waits" });
    metrics::counter!(CALLBACKS, "result" => result).increment(1);
    let answer = |rows: u64| {
        let devices = i64::try_from(rows).unwrap_or(i64::MAX);
        (AuditNote { devices }, Json(CallbackTakenView { received: true }))
    };
    taken.map(answer).map_err(Refused::problem)
}

/// Why a callback is not taken.
enum Refused {
    /// There is no such service provider, or it takes none.
    Nowhere,
    /// Too many came within the second.
    TooMany,
    /// Its body did not come, or is too long.
    Body(ApiProblem),
    WrongCredentials,
    Unreadable,
    /// It may well be right: the carrier is to repeat it.
    Failed(ApiProblem),
}

impl Refused {
    const fn label(&self) -> &'static str {
        match self {
            Self::Nowhere => "nowhere",
            Self::TooMany => "too_many",
            Self::Body(_) => "wrong_body",
            Self::WrongCredentials => "wrong_credentials",
            Self::Unreadable => "unreadable",
            Self::Failed(_) => "failed",
        }
    }

    fn problem(self) -> ApiProblem {
        match self {
            Self::Nowhere => ApiProblem::new(StatusCode::NOT_FOUND, "no callbacks are taken at this address"),
            Self::TooMany => {
                ApiProblem::new(StatusCode::TOO_MANY_REQUESTS, "too many callbacks within a second; repeat it").retry_after(1)
            }
            Self::WrongCredentials => {
                ApiProblem::new(StatusCode::UNAUTHORIZED, "the callback does not carry the credentials that it has to")
                    .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic"))
            }
            Self::Unreadable => ApiProblem::new(StatusCode::BAD_REQUEST, "the callback cannot be read"),
            Self::Body(problem) | Self::Failed(problem) => problem,
        }
    }
}

impl From<lineshift_store::StoreError> for Refused {
    fn from(error: lineshift_store::StoreError) -> Self {
        match error {
            lineshift_store::StoreError::NotFound { .. } => Self::Nowhere,
            other => Self::Failed(other.into()),
        }
    }
}

/// Takes a callback; answers how many rows are looked at sooner because of it.
async fn take(web: &Web, tenant: TenantId, id: ServiceProviderId, request: Request) -> Result<u64, Refused> {
    let store = web.engine.store();
    let provider = store.get_service_provider(tenant, id).await?;
    let carrier = calls_back(web, &provider).ok_or(Refused::Nowhere)?;
    if store.get_callback_secret(tenant, id).await?.is_none() {
        return Err(Refused::Nowhere);
    }
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body, CALLBACK_BODY).await.map_err(Refused::Body)?;
    // What has to be shown may have been changed while the body was on its way.
    let sealed = store.get_callback_secret(tenant, id).await?.ok_or(Refused::Nowhere)?;
    let expected = web.seal.open(SealedFor::Callbacks(tenant, id), &sealed).map_err(|why| {
        tracing::error!(%tenant, service_provider = %id, why, "the credentials of callbacks cannot be opened");
        Refused::Failed(ApiProblem::unavailable("callbacks cannot be checked now; repeat it"))
    })?;
    let callback = CallbackRequest { authorization: authorization(&parts.headers), body: &body, expected: &expected };
    let read = carrier.read_callback(&callback);
    // The turns are the carrier's: strangers, who do not know the credentials, are held back by their address alone.
    let is_carrier = !matches!(read, Err(CallbackRefused::WrongCredentials));
    if is_carrier && !web.callback_turns.take(tenant, id, web.engine.clock().now().timestamp()) {
        return Err(Refused::TooMany);
    }
    let callback = read.map_err(|refused| {
        tracing::debug!(%tenant, service_provider = %id, %refused, "a callback is not taken");
        match refused {
            CallbackRefused::WrongCredentials => Refused::WrongCredentials,
            CallbackRefused::Unreadable(_) => Refused::Unreadable,
        }
    })?;
    // Whoever sent it is known only now: what strangers send is not written down.
    let pending = parts.extensions.get::<PendingAudit>().ok_or_else(|| Refused::Failed(ApiProblem::internal()))?;
    let asker = Asker { actor: AuditActor::Carrier, principal: None, who: provider.name.clone() };
    pending.begin(tenant, asker).await.map_err(Refused::Failed)?;
    let engine = web.engine.clone();
    let noted = carried_through(async move { engine.note_callback(tenant, id, callback).await }).await;
    let noted = noted.map_err(Refused::Failed)?;
    // Rows that it is about are still in the hand of who sent the request: nothing it says may be lost.
    if noted.early > 0 {
        return Err(Refused::Failed(ApiProblem::unavailable("the request is still being sent; repeat it")));
    }
    Ok(noted.rows)
}

/// The carrier of a service provider, if it calls back.
fn calls_back(web: &Web, provider: &ServiceProvider) -> Option<&'static dyn CarrierKind> {
    let carrier = web.engine.carriers().find(provider.integration_kind)?;
    matches!(carrier.abilities().answers, Answers::Later { calls_back: true, .. }).then_some(carrier)
}

fn authorization(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()
}

/// What callbacks must carry, as JSON. Nothing of it is repeated.
pub(crate) fn read_expected(fields: &mut Fields) -> Option<SecretString> {
    let given = fields.all_secrets();
    if given.is_empty() || given.len() > MOST_FIELDS {
        let message = format!("give 1 to {MOST_FIELDS} fields, such as user and password");
        fields.report("", lineshift_domain::reading::codes::MISSING_FIELD, message);
        return None;
    }
    for (name, text) in &given {
        if !is_credential(text.expose_secret()) {
            let message = "expected 1 to 1000 characters without control characters";
            fields.report(lineshift_domain::refusal::place_of(name), lineshift_domain::reading::codes::WRONG_FORM, message);
        }
    }
    let object: serde_json::Map<String, serde_json::Value> =
        given.iter().map(|(name, text)| (name.clone(), text.expose_secret().into())).collect();
    Some(SecretString::from(serde_json::Value::Object(object).to_string()))
}

/// How many callbacks of each service provider this process took in the present second.
#[derive(Default)]
pub(crate) struct CallbackTurns(Mutex<Turns>);

#[derive(Default)]
struct Turns {
    second: i64,
    taken: HashMap<(TenantId, ServiceProviderId), u32>,
}

impl CallbackTurns {
    /// Whether one more may be taken. Only service providers that are there are counted, so that nobody fills the memory.
    fn take(&self, tenant: TenantId, provider: ServiceProviderId, second: i64) -> bool {
        let mut turns = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if turns.second != second {
            *turns = Turns { second, taken: HashMap::new() };
        }
        let taken = turns.taken.entry((tenant, provider)).or_default();
        *taken += 1;
        *taken <= MOST_A_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_has_its_own_turns_in_each_second() {
        let turns = CallbackTurns::default();
        let take = |provider, second| turns.take(TenantId(1), ServiceProviderId(provider), second);
        assert!((0..MOST_A_SECOND).all(|_| take(1, 10)));
        assert!(!take(1, 10), "one too many");
        assert!(take(2, 10) && turns.take(TenantId(2), ServiceProviderId(1), 10), "others are not held up");
        assert!(take(1, 11), "the next second");
        assert_eq!(turns.0.lock().expect("not poisoned").taken.len(), 1, "earlier seconds are forgotten");
    }
}
