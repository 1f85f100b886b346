//! What proves a session: a random token that only the cookie has; the store has its hash.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lineshift_domain::ids::TenantId;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::problem::ApiProblem;

/// How many characters 32 bytes have in base64url.
const TOKEN_CHARACTERS: usize = 43;

/// The longest text that can be a session's: an id of 19 digits, a full stop, the token.
const LONGEST: usize = 19 + 1 + TOKEN_CHARACTERS;

/// From what the token against forged requests is derived; never change it: sessions would lose theirs.
const CSRF: &[u8] = b"csrf";

/// A session as the cookie has it: `<tenant>.<token>`. It does not print.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SessionToken {
    tenant: TenantId,
    token: RandomToken,
}

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionToken({}, ..)", self.tenant)
    }
}

impl SessionToken {
    /// A new one. Errors: the machine has no randomness to give.
    pub(crate) fn new(tenant: TenantId) -> Result<Self, ApiProblem> {
        Ok(Self { tenant, token: RandomToken::new()? })
    }

    /// Reads a cookie's value; none if it is not of that form, in its one way of writing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (tenant, token) = text.split_once('.')?;
        let id: i64 = tenant.parse().ok().filter(|id: &i64| *id > 0 && id.to_string() == tenant)?;
        Some(Self { tenant: TenantId(id), token: RandomToken::parse(token)? })
    }

    /// The tenant in which the session is.
    pub(crate) const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// As it is stored.
    pub(crate) fn hash(&self) -> [u8; 32] {
        self.token.hash()
    }

    /// The cookie's value.
    pub(crate) fn to_cookie(&self) -> String {
        format!("{}.{}", self.tenant, self.token.0)
    }

    /// What a request has to show beside the cookie: a page of ours was told, a page of somebody else cannot know.
    pub(crate) fn csrf(&self) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.token.0.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&key, CSRF))
    }

    /// The same as pages have it, written differently each time: pages are compressed, and their length must not tell what they hold.
    /// Errors: the machine has no randomness to give.
    pub(crate) fn veiled_csrf(&self) -> Result<String, ApiProblem> {
        let mut veil = vec![0; TOKEN_CHARACTERS];
        getrandom::fill(&mut veil).map_err(|error| {
            tracing::error!(%error, "there is no randomness");
            ApiProblem::internal()
        })?;
        let token = veiled(self.csrf().as_bytes(), &veil);
        veil.extend(token);
        Ok(BASE64_URL_SAFE_NO_PAD.encode(veil))
    }

    /// Compares in constant time, in either way of writing.
    pub(crate) fn is_csrf(&self, given: &str) -> bool {
        let token = BASE64_URL_SAFE_NO_PAD.decode(given).ok().filter(|bytes| bytes.len() == 2 * TOKEN_CHARACTERS).map(|bytes| {
            let (veil, token) = bytes.split_at(TOKEN_CHARACTERS);
            veiled(token, veil)
        });
        self.csrf().as_bytes().ct_eq(token.as_deref().unwrap_or(given.as_bytes())).into()
    }
}

/// Puts a veil on, or takes it away.
fn veiled(text: &[u8], veil: &[u8]) -> Vec<u8> {
    text.iter().zip(veil).map(|(byte, veil)| byte ^ veil).collect()
}

/// 32 random bytes in base64url, as whoever may use them has them. They do not print.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RandomToken(String);

impl RandomToken {
    /// A new one. Errors: the machine has no randomness to give.
    pub(crate) fn new() -> Result<Self, ApiProblem> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| {
            tracing::error!(%error, "there is no randomness");
            ApiProblem::internal()
        })?;
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads one; none if it is not of that form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_form = text.len() == TOKEN_CHARACTERS && BASE64_URL_SAFE_NO_PAD.decode(text).is_ok();
        is_form.then(|| Self(text.to_owned()))
    }

    /// Its characters.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// SHA-256 of its characters, as it is stored. It is random, so that no slow hash is needed.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_back_in_its_one_form_only() {
        let token = SessionToken::new(TenantId(12)).expect("randomness");
        let text = token.to_cookie();
        assert_eq!(text.len(), "12.".len() + TOKEN_CHARACTERS);
        let read = SessionToken::parse(&text).expect("a session's");
        assert_eq!((read.tenant(), read.hash()), (TenantId(12), token.hash()));
        let secret = text.strip_prefix("12.").expect("the tenant stands first");
        for wrong in [
            String::new(),
            secret.to_owned(),
            format!("012.{secret}"),
            format!("+12.{secret}"),
            format!("-1.{secret}"),
            format!("0.{secret}"),
            format!("12.{secret}="),
            format!("12.{}", &secret[1..]),
            format!("12.{}!", &secret[1..]),
            format!("12. {}", &secret[1..]),
            format!("99999999999999999999.{secret}"),
        ] {
            assert!(SessionToken::parse(&wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn nothing_of_it_prints() {
        let token = SessionToken::new(TenantId(12)).expect("randomness");
        assert_eq!(format!("{token:?}"), "SessionToken(12, ..)");
    }

    #[test]
    fn each_session_has_its_own_token_against_forged_requests() {
        let (one, other) = (SessionToken::new(TenantId(1)).expect("x"), SessionToken::new(TenantId(1)).expect("x"));
        assert!(one.is_csrf(&one.csrf()) && !one.is_csrf(&other.csrf()) && !one.is_csrf(""));
        assert!(!one.to_cookie().contains(&one.csrf()), "the cookie does not tell it");
        assert_eq!(one.csrf().len(), TOKEN_CHARACTERS);
        let (veiled, again) = (one.veiled_csrf().expect("x"), one.veiled_csrf().expect("x"));
        assert!(one.is_csrf(&veiled) && one.is_csrf(&again) && !other.is_csrf(&veiled));
        assert!(veiled != again && !veiled.contains(&one.csrf()), "pages have it in another writing each time");
        assert!(!one.is_csrf(&veiled[1..]) && !one.is_csrf(&"A".repeat(veiled.len())));
    }
}
