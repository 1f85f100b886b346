//! What a browser keeps while somebody is at the provider: sealed, for ten minutes, in a cookie of its own.
//!
//! The server keeps nothing of a sign-in that was begun: strangers begin as many as they like. The cookie is what binds the answer to
//! the browser that asked: whoever is sent here with the answer to somebody else's request does not have it.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use lineshift_connectors::credentials::SealedFor;
use lineshift_domain::ids::UserId;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::accounts::SealCredentials;
use crate::problem::ApiProblem;
use crate::sign_in::cookie::Cookie;
use crate::sign_in::token::RandomToken;

/// How long somebody may be at the provider.
const BEGUN_HOLDS: TimeDelta = TimeDelta::minutes(10);

/// How long a one-time password is waited for.
const RECOGNISED_HOLDS: TimeDelta = TimeDelta::minutes(5);

/// The longest cookie that is looked at: browsers keep none that is longer.
const LONGEST_COOKIE: usize = 4_096;

/// A sign-in that was begun.
pub(crate) struct Flow {
    /// Comes back with the browser.
    pub(crate) state: RandomToken,
    /// Comes back within the ID token.
    pub(crate) nonce: RandomToken,
    /// What the code is given for (RFC 7636).
    pub(crate) verifier: RandomToken,
    /// Where the browser goes in the end, on this server.
    pub(crate) return_to: String,
}

/// Somebody whom a provider vouched for, and of whom a one-time password is asked as well.
pub(crate) struct Recognised {
    pub(crate) user: UserId,
    pub(crate) subject: String,
    /// Whether they come by it for the first time, so that this is to be written down.
    pub(crate) is_first: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredFlow {
    state: String,
    nonce: String,
    verifier: String,
    return_to: String,
}

#[derive(Serialize, Deserialize)]
struct StoredRecognised {
    user: i64,
    subject: String,
    is_first: bool,
}

/// What is sealed, with its end.
#[derive(Serialize, Deserialize)]
struct Until<T> {
    ends_at: i64,
    what: T,
}

impl Flow {
    /// A new one. Errors: the machine has no randomness to give.
    pub(crate) fn new(return_to: String) -> Result<Self, ApiProblem> {
        Ok(Self { state: RandomToken::new()?, nonce: RandomToken::new()?, verifier: RandomToken::new()?, return_to })
    }

    /// Compares in constant time.
    pub(crate) fn is_state(&self, given: &str) -> bool {
        self.state.text().as_bytes().ct_eq(given.as_bytes()).into()
    }

    /// S256 of the verifier.
    pub(super) fn code_challenge(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.text().as_bytes()))
    }

    /// The header that gives it to the browser. Errors: why it cannot be sealed, and what to do.
    pub(crate) fn keep(
        &self,
        seal: &dyn SealCredentials,
        now: DateTime<Utc>,
        secure: bool,
    ) -> Result<(HeaderName, HeaderValue), String> {
        let text = |token: &RandomToken| token.text().to_owned();
        let (state, nonce, verifier) = (text(&self.state), text(&self.nonce), text(&self.verifier));
        let stored = StoredFlow { state, nonce, verifier, return_to: self.return_to.clone() };
        let value = sealed(seal, SealedFor::SignInBegun, stored, now + BEGUN_HOLDS)?;
        Ok(Cookie::SIGN_IN_BEGUN.set(&value, Some(BEGUN_HOLDS), secure))
    }

    /// The one that a browser keeps; none: it keeps none, or it is over.
    pub(crate) fn kept(seal: &dyn SealCredentials, headers: &HeaderMap, now: DateTime<Utc>, secure: bool) -> Option<Self> {
        let stored: StoredFlow = opened(seal, SealedFor::SignInBegun, Cookie::SIGN_IN_BEGUN.shown(headers, secure)?, now)?;
        let token = |text: &str| RandomToken::parse(text);
        let (state, nonce, verifier) = (token(&stored.state)?, token(&stored.nonce)?, token(&stored.verifier)?);
        Some(Self { state, nonce, verifier, return_to: stored.return_to })
    }
}

impl Recognised {
    /// The header that gives it to the browser. Errors: why it cannot be sealed, and what to do.
    pub(crate) fn keep(
        &self,
        seal: &dyn SealCredentials,
        now: DateTime<Utc>,
        secure: bool,
    ) -> Result<(HeaderName, HeaderValue), String> {
        let stored = StoredRecognised { user: self.user.0, subject: self.subject.clone(), is_first: self.is_first };
        let value = sealed(seal, SealedFor::SignInRecognised, stored, now + RECOGNISED_HOLDS)?;
        Ok(Cookie::SIGN_IN_RECOGNISED.set(&value, Some(RECOGNISED_HOLDS), secure))
    }

    /// The one that a browser keeps; none: it keeps none, or it is over.
    pub(crate) fn kept(seal: &dyn SealCredentials, headers: &HeaderMap, now: DateTime<Utc>, secure: bool) -> Option<Self> {
        let cookie = Cookie::SIGN_IN_RECOGNISED.shown(headers, secure)?;
        let stored: StoredRecognised = opened(seal, SealedFor::SignInRecognised, cookie, now)?;
        Some(Self { user: UserId(stored.user), subject: stored.subject, is_first: stored.is_first })
    }
}

fn sealed(seal: &dyn SealCredentials, what: SealedFor, stored: impl Serialize, ends_at: DateTime<Utc>) -> Result<String, String> {
    let text = serde_json::to_string(&Until { ends_at: ends_at.timestamp(), what: stored });
    let text = SecretString::from(text.expect("texts and numbers can be written as JSON"));
    Ok(BASE64_URL_SAFE_NO_PAD.encode(seal.seal(what, &text)?))
}

fn opened<T: DeserializeOwned>(seal: &dyn SealCredentials, what: SealedFor, cookie: &str, now: DateTime<Utc>) -> Option<T> {
    if cookie.len() > LONGEST_COOKIE {
        return None;
    }
    let text = seal.open(what, &BASE64_URL_SAFE_NO_PAD.decode(cookie).ok()?).ok()?;
    let stored: Until<T> = serde_json::from_str(text.expose_secret()).ok()?;
    (now.timestamp() < stored.ends_at).then_some(stored.what)
}
