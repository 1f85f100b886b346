//! Who calls: an API key in `Authorization: Bearer` or `X-Api-Key`, or a person whose session is in the cookie. A key goes before it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use chrono::{DateTime, Utc};
use lineshift_domain::refusal::{Refusal, RefusalClass};
use lineshift_domain::scopes::{Action, Module};
use lineshift_engine::Caller;
use lineshift_store::access::ApiKey;

use crate::api_key::{ParsedApiKey, parse_api_key, presented};
use crate::problem::ApiProblem;
use crate::serve::Closing;
use crate::sign_in::person::Person;
use crate::{ApiKeySecret, Web};

/// The hash that a secret is compared with where no key is found, so that both take the same time.
const NOBODY: [u8; 32] = [0; 32];

/// Who calls: what the engine is called for, and what showed it. Found once a request: it is kept in the request's extensions.
#[derive(Clone)]
pub(crate) struct Authenticated {
    pub(crate) caller: Caller,
    pub(crate) by: By,
}

/// What showed who calls.
#[derive(Debug, Clone)]
pub(crate) enum By {
    /// An API key.
    Key(Box<ApiKey>),
    /// A person's session.
    Person(Box<Person>),
}

impl FromRequestParts<Web> for Authenticated {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, ApiProblem> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let found = Self::find(parts, web).await?;
        if let By::Key(key) = &found.by {
            web.note_use(key, web.engine.clock().now(), parts.extensions.get::<Closing>());
        }
        parts.extensions.insert(found.clone());
        Ok(found)
    }
}

impl Authenticated {
    /// Looks the caller up.
    async fn find(parts: &Parts, web: &Web) -> Result<Self, ApiProblem> {
        let found = if shows_key(&parts.headers) {
            let key = find_key(&parts.headers, web).await?;
            Self { caller: Caller::of_key(&key), by: By::Key(Box::new(key)) }
        } else {
            let person = Person::find(parts, web).await?;
            Self { caller: person.caller(), by: By::Person(Box::new(person)) }
        };
        tracing::Span::current().record("tenant", found.caller.tenant.0);
        Ok(found)
    }
}

async fn find_key(headers: &HeaderMap, web: &Web) -> Result<ApiKey, ApiProblem> {
    let ParsedApiKey { tenant, id, secret } = presented(headers).and_then(parse_api_key).ok_or_else(ApiProblem::unauthorized)?;
    let found = web.engine.store().find_api_key(tenant, id).await?;
    let now = web.engine.clock().now();
    checked(found, &secret, now).ok_or_else(ApiProblem::unauthorized)
}

impl FromRequestParts<Web> for Caller {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, ApiProblem> {
        Authenticated::from_request_parts(parts, web).await.map(|authenticated| authenticated.caller)
    }
}

/// Whether the request means to show a key, be it a good one or not.
fn shows_key(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key("x-api-key")
}

fn checked(found: Option<ApiKey>, secret: &ApiKeySecret, now: DateTime<Utc>) -> Option<ApiKey> {
    let matches = secret.matches(found.as_ref().map_or(&NOBODY, |key| &key.secret_hash));
    found.filter(|key| matches && key.is_valid(now))
}

/// Refuses unless the caller may read in at least one module: for what belongs to no portal.
pub(crate) fn require_any_view(caller: &Caller) -> Result<(), ApiProblem> {
    if Module::ALL.iter().any(|module| caller.rights.allow(*module, Action::View)) {
        return Ok(());
    }
    let message = "this needs a scope that ends in :view, and you have none; use a key that has one, or have it added";
    let refusal = Refusal::one(RefusalClass::Forbidden, "", "permission_missing", message);
    Err(refusal.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use lineshift_domain::ids::{PrincipalId, TenantId};
    use lineshift_domain::reach::Reach;
    use lineshift_domain::scopes::Scopes;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_key_is_found_in_either_header() {
        assert_eq!(presented(&headers(&[("authorization", "Bearer ls_1")])), Some("ls_1"));
        assert_eq!(presented(&headers(&[("authorization", "bearer  ls_1 ")])), Some("ls_1"));
        assert_eq!(presented(&headers(&[("x-api-key", "ls_2")])), Some("ls_2"));
        assert_eq!(presented(&headers(&[("authorization", "Bearer ls_1"), ("x-api-key", "ls_2")])), Some("ls_1"));
        assert_eq!(presented(&headers(&[("authorization", "Basic ls_1"), ("x-api-key", "ls_2")])), None);
        assert_eq!(presented(&headers(&[("authorization", "ls_1")])), None);
        assert_eq!(presented(&headers(&[])), None);
    }

    fn key(at: DateTime<Utc>, secret: &ApiKeySecret) -> ApiKey {
        ApiKey {
            tenant_id: TenantId(1),
            id: PrincipalId(2),
            name: "k".to_owned(),
            secret_hash: secret.hash(),
            scopes: Scopes::all(),
            reach: Reach::Everything,
            created_at: at,
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
        }
    }

    #[test]
    fn unknown_revoked_expired_and_wrong_keys_are_nobody() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a moment");
        let secret = crate::new_api_key_secret().expect("randomness");
        let good = key(now, &secret);
        assert!(checked(Some(good.clone()), &secret, now).is_some());
        assert!(checked(None, &secret, now).is_none());
        assert!(checked(Some(ApiKey { revoked_at: Some(now), ..good.clone() }), &secret, now).is_none());
        assert!(checked(Some(ApiKey { expires_at: Some(now), ..good.clone() }), &secret, now).is_none());
        assert!(checked(Some(good), &crate::new_api_key_secret().expect("randomness"), now).is_none());
    }
}
