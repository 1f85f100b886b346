//! Signing in at an OpenID provider (OpenID Connect Core 1.0): authorization code with PKCE, state and nonce.
//!
//! What is said of a provider here comes from its own documents, which are fetched when they are first needed, kept for an hour, and
//! fetched by one request at a time. What is taken from it is checked in `id_token`; who that is here is decided in `api::session::openid`.

mod documents;
mod exchange;
mod fetch;
pub(crate) mod flow;
mod id_token;
mod keys;
pub(crate) mod return_to;
mod settings;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use lineshift_connectors::http::Transport;
use secrecy::SecretString;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use self::documents::Documents;
use self::exchange::Exchanged;
pub(crate) use self::exchange::shown;
use self::fetch::Fetcher;
use self::flow::Flow;
use self::id_token::{Claims, Expected, WrongToken};
pub use self::settings::{OpenIdSettings, WrongOpenIdSetting};

/// The address that a provider sends browsers back to, below the public address of this server.
pub const CALLBACK_PATH: &str = "/api/v1/session/openid/callback";

/// How many people may be looked up at the provider at a time; others come again. It bounds what strangers can make this server fetch.
const MOST_AT_A_TIME: usize = 32;

/// The provider at which people sign in.
pub struct OpenId {
    settings: OpenIdSettings,
    documents: Documents,
    fetcher: Fetcher,
    turns: Semaphore,
}

impl std::fmt::Debug for OpenId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenId").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Why nobody was recognised. What is said here is for the log: it holds no secret, and no answer repeats it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unrecognised {
    /// The provider, or what it says of itself, is of no use now.
    #[error("the OpenID provider cannot be used: {0}")]
    Unavailable(String),
    /// The provider takes this server for nobody.
    #[error("the OpenID provider does not take the client's id, secret or address: {0}")]
    Misconfigured(String),
    /// The code is used, over, or not this browser's.
    #[error("the OpenID provider does not take the code: {0}")]
    CodeRefused(String),
    /// What the provider gave is not what was asked for.
    #[error("the ID token is not taken: {0}")]
    WrongToken(WrongToken),
}

/// What a provider says of somebody.
pub(crate) struct Vouched {
    /// Its own name for the person, which stays.
    pub(crate) subject: String,
    email: Email,
}

/// Their address, as far as the ID token tells.
enum Email {
    Verified(String),
    NotVerified,
    /// It says nothing; whoever shows this may ask.
    Untold(Option<SecretString>),
}

impl OpenId {
    /// A provider that is called by these: `named` where the host is the issuer's own, which the settings name; `others` for the hosts
    /// that its documents name.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn new(
        settings: OpenIdSettings,
        named: Arc<dyn Transport>,
        others: Arc<dyn Transport>,
    ) -> Result<Self, WrongOpenIdSetting> {
        if let Some(wrong) = settings.problems().into_iter().next() {
            return Err(wrong);
        }
        let fetcher = Fetcher::new(&settings, named, others);
        Ok(Self { settings, documents: Documents::default(), fetcher, turns: Semaphore::new(MOST_AT_A_TIME) })
    }

    /// How people call it.
    pub(crate) fn label(&self) -> &str {
        &self.settings.label
    }

    /// Names it in what is stored.
    pub(crate) fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Where the browser goes to sign in.
    pub(crate) async fn begin(&self, flow: &Flow, now: DateTime<Utc>) -> Result<Url, Unrecognised> {
        let metadata = self.documents.metadata(&self.settings, &self.fetcher, now).await?;
        let mut address = metadata.authorization_endpoint.clone();
        address
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.settings.redirect_uri())
            .append_pair("scope", &self.settings.scope())
            .append_pair("state", flow.state.text())
            .append_pair("nonce", flow.nonce.text())
            .append_pair("code_challenge", &flow.code_challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(address)
    }

    /// Whom the provider vouches for with that code; `issuer` is what the browser says who sent it (RFC 9207).
    pub(crate) async fn recognise(
        &self,
        flow: &Flow,
        code: &str,
        issuer: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Vouched, Unrecognised> {
        let _turn = self.turn()?;
        let metadata = self.documents.metadata(&self.settings, &self.fetcher, now).await?;
        if issuer.map_or(metadata.names_itself, |issuer| issuer != self.settings.issuer) {
            return Err(Unrecognised::WrongToken(WrongToken::Issuer));
        }
        let Exchanged { id_token, access_token } =
            exchange::exchange(&self.settings, &self.fetcher, &metadata, code, flow).await?;
        let OpenIdSettings { issuer, client_id, .. } = &self.settings;
        let claims = self.check(&id_token, &Expected { issuer, client_id, nonce: flow.nonce.text(), now }).await?;
        let email = match claims.verified_email() {
            Some(email) => Email::Verified(email),
            None if claims.says_email => Email::NotVerified,
            None => Email::Untold(access_token),
        };
        Ok(Vouched { subject: claims.subject, email })
    }

    /// Their address, if the provider says that it has verified it; where the ID token is silent, it is asked.
    pub(crate) async fn verified_email(&self, vouched: &Vouched, now: DateTime<Utc>) -> Result<Option<String>, Unrecognised> {
        match &vouched.email {
            Email::Verified(email) => Ok(Some(email.clone())),
            Email::NotVerified | Email::Untold(None) => Ok(None),
            Email::Untold(Some(token)) => {
                let _turn = self.turn()?;
                let metadata = self.documents.metadata(&self.settings, &self.fetcher, now).await?;
                exchange::verified_email(&self.fetcher, &metadata, token, &vouched.subject).await
            }
        }
    }

    /// Checks an ID token; a key that is not known may be a new one, so that the keys are fetched once more, at most every few seconds.
    async fn check(&self, token: &str, expected: &Expected<'_>) -> Result<Claims, Unrecognised> {
        let keys = self.documents.keys(&self.settings, &self.fetcher, expected.now).await?;
        match id_token::check(token, &keys, expected) {
            Err(WrongToken::UnknownKey) => {
                let keys = self.documents.newer_keys(&self.settings, &self.fetcher, &keys, expected.now).await?;
                id_token::check(token, &keys, expected).map_err(Unrecognised::WrongToken)
            }
            checked => checked.map_err(Unrecognised::WrongToken),
        }
    }

    fn turn(&self) -> Result<SemaphorePermit<'_>, Unrecognised> {
        self.turns.try_acquire().map_err(|_| Unrecognised::Unavailable("too many people sign in at once".to_owned()))
    }
}
