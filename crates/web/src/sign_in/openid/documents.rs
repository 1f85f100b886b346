//! What the provider says of itself: its endpoints (OpenID Connect Discovery 1.0) and its keys.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::fetch::{Fetcher, read_json};
use super::keys::KeySet;
use super::settings::is_safe_url;
use super::{OpenIdSettings, Unrecognised};

/// How long a document is taken for what the provider says now.
const KEPT: TimeDelta = TimeDelta::hours(1);

/// How long a provider that could not be read is left alone, and the least time between two looks at its keys.
const LEFT_ALONE: TimeDelta = TimeDelta::seconds(5);

/// What is called, and how.
#[derive(Debug, Clone)]
pub(super) struct Metadata {
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    pub(super) userinfo_endpoint: Option<Url>,
    pub(super) jwks_uri: Url,
    /// Whether the client's secret goes into the form, because the provider does not take it in the header.
    pub(super) takes_secret_in_form: bool,
    /// Whether whatever comes back says from which provider (RFC 9207).
    pub(super) names_itself: bool,
}

/// The document as it comes.
#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    userinfo_endpoint: Option<Url>,
    jwks_uri: Url,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// What is known of the provider. The lock is held while something is fetched, so that many requests fetch it once.
#[derive(Default)]
pub(super) struct Documents(Mutex<Known>);

#[derive(Default)]
struct Known {
    metadata: Option<Kept<Metadata>>,
    keys: Option<Kept<KeySet>>,
    /// When reading failed last, and why.
    failed: Option<(DateTime<Utc>, String)>,
}

struct Kept<T> {
    what: Arc<T>,
    at: DateTime<Utc>,
}

impl<T> Kept<T> {
    fn current(kept: Option<&Self>, now: DateTime<Utc>) -> Option<Arc<T>> {
        kept.filter(|kept| (now - kept.at).abs() < KEPT).map(|kept| Arc::clone(&kept.what))
    }
}

impl Documents {
    pub(super) async fn metadata(
        &self,
        settings: &OpenIdSettings,
        fetcher: &Fetcher,
        now: DateTime<Utc>,
    ) -> Result<Arc<Metadata>, Unrecognised> {
        self.0.lock().await.metadata(settings, fetcher, now).await
    }

    pub(super) async fn keys(
        &self,
        settings: &OpenIdSettings,
        fetcher: &Fetcher,
        now: DateTime<Utc>,
    ) -> Result<Arc<KeySet>, Unrecognised> {
        let mut known = self.0.lock().await;
        match Kept::current(known.keys.as_ref(), now) {
            Some(keys) => Ok(keys),
            None => known.fetch_keys(settings, fetcher, now).await,
        }
    }

    /// The keys after those, unless they were fetched just now.
    pub(super) async fn newer_keys(
        &self,
        settings: &OpenIdSettings,
        fetcher: &Fetcher,
        than: &Arc<KeySet>,
        now: DateTime<Utc>,
    ) -> Result<Arc<KeySet>, Unrecognised> {
        let mut known = self.0.lock().await;
        match &known.keys {
            // Somebody else has fetched them meanwhile, or nobody may yet.
            Some(kept) if !Arc::ptr_eq(&kept.what, than) || (now - kept.at).abs() < LEFT_ALONE => Ok(Arc::clone(&kept.what)),
            _ => known.fetch_keys(settings, fetcher, now).await,
        }
    }
}

impl Known {
    async fn metadata(
        &mut self,
        settings: &OpenIdSettings,
        fetcher: &Fetcher,
        now: DateTime<Utc>,
    ) -> Result<Arc<Metadata>, Unrecognised> {
        if let Some(metadata) = Kept::current(self.metadata.as_ref(), now) {
            return Ok(metadata);
        }
        self.refuse_too_soon(now)?;
        let read = async {
            let url = document_of(&settings.issuer)?;
            let found: Discovered = read_json(&url, &fetcher.get(&url, None).await?)?;
            Metadata::read(found, &settings.issuer)
        };
        let metadata = Arc::new(self.noting_failure(read.await, now)?);
        self.metadata = Some(Kept { what: Arc::clone(&metadata), at: now });
        Ok(metadata)
    }

    async fn fetch_keys(
        &mut self,
        settings: &OpenIdSettings,
        fetcher: &Fetcher,
        now: DateTime<Utc>,
    ) -> Result<Arc<KeySet>, Unrecognised> {
        let metadata = self.metadata(settings, fetcher, now).await?;
        self.refuse_too_soon(now)?;
        let url = &metadata.jwks_uri;
        let read = async { Ok(KeySet::of(read_json(url, &fetcher.get(url, None).await?)?)) };
        let keys = Arc::new(self.noting_failure(read.await, now)?);
        self.keys = Some(Kept { what: Arc::clone(&keys), at: now });
        Ok(keys)
    }

    fn refuse_too_soon(&self, now: DateTime<Utc>) -> Result<(), Unrecognised> {
        match &self.failed {
            Some((at, why)) if (now - *at).abs() < LEFT_ALONE => Err(Unrecognised::Unavailable(why.clone())),
            _ => Ok(()),
        }
    }

    fn noting_failure<T>(&mut self, read: Result<T, Unrecognised>, now: DateTime<Utc>) -> Result<T, Unrecognised> {
        self.failed = match &read {
            Err(Unrecognised::Unavailable(why)) => Some((now, why.clone())),
            _ => None,
        };
        read
    }
}

impl Metadata {
    fn read(found: Discovered, issuer: &str) -> Result<Self, Unrecognised> {
        let unusable = |why: &str| Unrecognised::Unavailable(format!("its discovery document {why}"));
        if found.issuer != issuer {
            return Err(unusable("is that of another issuer than openid.issuer names"));
        }
        let endpoints = [&found.authorization_endpoint, &found.token_endpoint, &found.jwks_uri];
        if !endpoints.into_iter().chain(&found.userinfo_endpoint).all(is_safe_url) {
            return Err(unusable("names an endpoint that is not https://"));
        }
        let takes = |list: &Option<Vec<String>>, word: &str| list.as_ref().map(|list| list.iter().any(|one| one == word));
        if takes(&found.code_challenge_methods_supported, "S256") == Some(false) {
            return Err(unusable("says that it does not know PKCE with S256"));
        }
        let methods = &found.token_endpoint_auth_methods_supported;
        // Where nothing is said it is the header.
        let in_header = takes(methods, "client_secret_basic").unwrap_or(true);
        if !in_header && takes(methods, "client_secret_post") != Some(true) {
            return Err(unusable("takes the client's secret neither in the header nor in the form"));
        }
        Ok(Self {
            authorization_endpoint: found.authorization_endpoint,
            token_endpoint: found.token_endpoint,
            userinfo_endpoint: found.userinfo_endpoint,
            jwks_uri: found.jwks_uri,
            takes_secret_in_form: !in_header,
            names_itself: found.authorization_response_iss_parameter_supported,
        })
    }
}

fn document_of(issuer: &str) -> Result<Url, Unrecognised> {
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    Url::parse(&address).map_err(|error| Unrecognised::Unavailable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ISSUER: &str = "https://id.example.com";

    fn read(mut change: Value) -> Result<Metadata, String> {
        let mut document = json!({
            "issuer": ISSUER, "authorization_endpoint": "https://id.example.com/auth",
            "token_endpoint": "https://tokens.example.com/token", "jwks_uri": "https://id.example.com/keys",
        });
        document.as_object_mut().expect("an object").append(change.as_object_mut().expect("an object"));
        let found = serde_json::from_value(document).map_err(|error| error.to_string())?;
        Metadata::read(found, ISSUER).map_err(|error| error.to_string())
    }

    #[test]
    fn a_document_is_taken_for_its_issuer_alone() {
        assert!(read(json!({})).is_ok());
        for other in ["https://id.example.com/", "https://ID.example.com", "https://evil.example.com", "http://id.example.com"] {
            assert!(read(json!({"issuer": other})).expect_err(other).contains("another issuer"));
        }
        for endpoint in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] {
            assert!(read(json!({endpoint: "http://id.example.com/x"})).expect_err(endpoint).contains("not https://"));
        }
    }

    #[test]
    fn it_says_how_the_client_proves_itself() {
        assert!(!read(json!({})).expect("read").takes_secret_in_form);
        let methods = |list: Value| read(json!({"token_endpoint_auth_methods_supported": list}));
        assert!(!methods(json!(["client_secret_post", "client_secret_basic"])).expect("read").takes_secret_in_form);
        assert!(methods(json!(["client_secret_post"])).expect("read").takes_secret_in_form);
        assert!(methods(json!(["private_key_jwt"])).is_err());
        assert!(read(json!({"code_challenge_methods_supported": ["plain"]})).is_err());
        assert!(read(json!({"code_challenge_methods_supported": ["plain", "S256"]})).is_ok());
    }
}
