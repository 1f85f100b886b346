//! What an ID token must be before anything of it is believed (OpenID Connect Core 1.0, section 3.1.3.7).

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;
use subtle::ConstantTimeEq as _;

use super::keys::KeySet;

/// The signatures that are taken. `none` is no algorithm here, and those with a shared secret are left out.
const TAKEN: [Algorithm; 8] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
];

/// The longest token, in bytes.
const LONGEST_TOKEN: usize = 32 << 10;

/// The longest subject, in characters (section 2 of the specification).
const LONGEST_SUBJECT: usize = 255;

/// By how many seconds the provider's clock may differ from ours.
const CLOCKS_DIFFER: f64 = 60.0;

/// How many seconds old a token may be that was given just now.
const OLDEST: f64 = 600.0;

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WrongToken {
    #[error("it cannot be read")]
    Unreadable,
    #[error("its signature is by an algorithm that is not taken")]
    Algorithm,
    #[error("no key of the provider made it")]
    UnknownKey,
    #[error("its signature is wrong")]
    Signature,
    #[error("it is from another issuer")]
    Issuer,
    #[error("it is for somebody else")]
    Audience,
    #[error("it is over, or not yet")]
    Time,
    #[error("it answers another request")]
    Nonce,
    #[error("it names nobody")]
    Subject,
}

/// What a token must say.
pub(super) struct Expected<'e> {
    pub(super) issuer: &'e str,
    pub(super) client_id: &'e str,
    pub(super) nonce: &'e str,
    pub(super) now: DateTime<Utc>,
}

/// What is taken from it.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) subject: String,
    /// Whether it speaks of an address at all, verified or not.
    pub(super) says_email: bool,
    email: Option<String>,
    email_verified: bool,
}

impl Claims {
    /// The address, where the provider says that it has verified it.
    pub(super) fn verified_email(&self) -> Option<String> {
        self.email.clone().filter(|_| self.email_verified)
    }
}

/// The claims as they come.
#[derive(Deserialize)]
struct Raw {
    iss: String,
    sub: String,
    aud: OneOrMany,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    email: Option<String>,
    email_verified: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Checks a token. Its clock is ours, so that nothing of the library's own checks of time is used.
pub(super) fn check(token: &str, keys: &KeySet, expected: &Expected<'_>) -> Result<Claims, WrongToken> {
    if token.len() > LONGEST_TOKEN {
        return Err(WrongToken::Unreadable);
    }
    let algorithm_of = |token: &str| {
        let part = token.split('.').next().unwrap_or_default();
        decode_header(token).map_err(|_| if names_none(part) { WrongToken::Algorithm } else { WrongToken::Unreadable })
    };
    let header = algorithm_of(token)?;
    if !TAKEN.contains(&header.alg) {
        return Err(WrongToken::Algorithm);
    }
    // What has to be understood is not (RFC 7515, section 4.1.11).
    if header.crit.is_some() {
        return Err(WrongToken::Unreadable);
    }
    let key = keys.find(header.kid.as_deref(), header.alg).ok_or(WrongToken::UnknownKey)?;
    let mut validation = Validation::new(header.alg);
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    let raw: Raw = decode(token, key, &validation).map_err(|error| wrong_of(&error))?.claims;
    raw.check(expected)
}

fn wrong_of(error: &jsonwebtoken::errors::Error) -> WrongToken {
    match error.kind() {
        jsonwebtoken::errors::ErrorKind::InvalidSignature => WrongToken::Signature,
        _ => WrongToken::Unreadable,
    }
}

/// Whether a header names an algorithm that the library has no word for: only for what is said in the log.
fn names_none(part: &str) -> bool {
    use base64::Engine as _;
    let decoded = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    let header: Value = serde_json::from_slice(&decoded).unwrap_or_default();
    header["alg"].is_string()
}

impl Raw {
    fn check(self, expected: &Expected<'_>) -> Result<Claims, WrongToken> {
        if self.iss != expected.issuer {
            return Err(WrongToken::Issuer);
        }
        let (is_ours, is_ours_alone) = match &self.aud {
            OneOrMany::One(audience) => (audience == expected.client_id, true),
            OneOrMany::Many(all) => (all.iter().any(|one| one == expected.client_id), all.len() == 1),
        };
        let was_asked_by_us = self.azp.as_deref().map_or(is_ours_alone, |party| party == expected.client_id);
        if !is_ours || !was_asked_by_us {
            return Err(WrongToken::Audience);
        }
        let now = expected.now.timestamp() as f64;
        let is_current = self.exp > now - CLOCKS_DIFFER
            && (now - OLDEST..=now + CLOCKS_DIFFER).contains(&self.iat)
            && self.nbf.is_none_or(|from| from <= now + CLOCKS_DIFFER);
        if !is_current {
            return Err(WrongToken::Time);
        }
        let nonce = self.nonce.unwrap_or_default();
        if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
            return Err(WrongToken::Nonce);
        }
        if !is_subject(&self.sub) {
            return Err(WrongToken::Subject);
        }
        let says_email = self.email.is_some() || self.email_verified.is_some();
        // Nothing but `true` is true: not the text of it, and no number.
        let email_verified = self.email_verified == Some(Value::Bool(true));
        Ok(Claims { subject: self.sub, says_email, email: self.email, email_verified })
    }
}

/// Whether that may name somebody: it is stored.
fn is_subject(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= LONGEST_SUBJECT && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: i64 = 1_800_000_000;

    fn checked(mut change: Value) -> Result<Claims, WrongToken> {
        let mut claims =
            json!({"iss": "https://id.example.com", "sub": "ada", "aud": "us", "exp": NOW + 300, "iat": NOW, "nonce": "n"});
        claims.as_object_mut().expect("an object").append(change.as_object_mut().expect("an object"));
        let raw: Raw = serde_json::from_value(claims).map_err(|_| WrongToken::Unreadable)?;
        let now = DateTime::from_timestamp(NOW, 0).expect("a moment");
        raw.check(&Expected { issuer: "https://id.example.com", client_id: "us", nonce: "n", now })
    }

    fn wrong(change: Value) -> Option<WrongToken> {
        checked(change).err()
    }

    #[test]
    fn it_is_for_us_and_asked_by_us() {
        for right in
            [json!({"aud": "us"}), json!({"aud": ["us"]}), json!({"aud": ["us", "other"], "azp": "us"}), json!({"azp": "us"})]
        {
            assert_eq!(wrong(right.clone()), None, "{right}");
        }
        for other in [
            json!({"aud": "other"}),
            json!({"aud": []}),
            json!({"aud": ["us", "other"]}),
            json!({"aud": "us", "azp": "other"}),
            json!({"aud": ["us", "other"], "azp": "other"}),
            json!({"aud": "US"}),
        ] {
            assert_eq!(wrong(other.clone()), Some(WrongToken::Audience), "{other}");
        }
        for issuer in ["https://id.example.com/", "http://id.example.com", ""] {
            assert_eq!(wrong(json!({"iss": issuer})), Some(WrongToken::Issuer), "{issuer}");
        }
    }

    #[test]
    fn it_counts_for_its_time() {
        for (change, is_right) in [
            (json!({"exp": NOW - 59}), true),
            (json!({"exp": NOW - 60}), false),
            (json!({"exp": 0}), false),
            (json!({"iat": NOW + 60}), true),
            (json!({"iat": NOW + 61}), false),
            (json!({"iat": NOW - 600}), true),
            (json!({"iat": NOW - 601}), false),
            (json!({"iat": NOW as f64 + 0.5}), true),
            (json!({"nbf": NOW + 60}), true),
            (json!({"nbf": NOW + 61}), false),
        ] {
            assert_eq!(wrong(change.clone()), (!is_right).then_some(WrongToken::Time), "{change}");
        }
        for unreadable in
            [json!({"exp": null}), json!({"iat": null}), json!({"exp": "2100-01-01"}), json!({"sub": 7}), json!({"aud": null})]
        {
            assert_eq!(wrong(unreadable.clone()), Some(WrongToken::Unreadable), "{unreadable}");
        }
    }

    #[test]
    fn it_answers_this_request_and_names_somebody() {
        for nonce in [json!("N"), json!(""), json!(null)] {
            assert_eq!(wrong(json!({"nonce": nonce})), Some(WrongToken::Nonce), "{nonce}");
        }
        for subject in [String::new(), "x".repeat(256), "a\nb".to_owned(), "a\0".to_owned()] {
            assert_eq!(wrong(json!({"sub": subject})), Some(WrongToken::Subject), "{subject:?}");
        }
    }

    #[test]
    fn an_address_is_verified_or_none() {
        let email = |verified: Value| checked(json!({"email": "ada@fleet.example", "email_verified": verified})).expect("taken");
        assert_eq!(email(json!(true)).verified_email().as_deref(), Some("ada@fleet.example"));
        for no in [json!(false), json!("true"), json!(1), json!(null)] {
            assert_eq!(email(no.clone()).verified_email(), None, "{no}");
            assert!(email(no).says_email);
        }
        let silent = checked(json!({})).expect("taken");
        assert!(!silent.says_email && silent.verified_email().is_none());
    }
}
