//! API keys as people hold them: `ls_<tenant>_<key id>_<secret>`, the secret being 32 random bytes in base64url.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lineshift_domain::ids::{PrincipalId, TenantId};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How many characters 32 bytes have in base64url.
const SECRET_CHARACTERS: usize = 43;

/// The longest text that can be a key: two ids of 19 digits.
const LONGEST: usize = 3 + 2 * 20 + SECRET_CHARACTERS;

/// The secret part of a key. It does not print, and the store only ever sees its hash.
#[derive(Clone)]
pub struct ApiKeySecret(String);

impl std::fmt::Debug for ApiKeySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKeySecret(..)")
    }
}

/// Makes the secret of a new key. Errors: the machine has no randomness to give.
pub fn new_api_key_secret() -> Result<ApiKeySecret, getrandom::Error> {
    random_word().map(ApiKeySecret)
}

/// 32 random bytes in base64url. Errors: the machine has no randomness to give.
pub(crate) fn random_word() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

impl ApiKeySecret {
    /// SHA-256 of the secret, as it is stored. The secret is random, so that no slow hash is needed.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// The whole key, to be shown once to whoever will use it.
    #[must_use]
    pub fn format(&self, tenant: TenantId, id: PrincipalId) -> String {
        format!("ls_{tenant}_{id}_{}", self.0)
    }

    /// Compares with a stored hash in constant time.
    #[must_use]
    pub fn matches(&self, stored: &[u8; 32]) -> bool {
        self.hash().ct_eq(stored).into()
    }
}

/// A key taken apart; whether it is a known one is for the store to say.
#[derive(Debug, Clone)]
pub struct ParsedApiKey {
    /// The tenant that it names.
    pub tenant: TenantId,
    /// The key that it names.
    pub id: PrincipalId,
    /// What proves it.
    pub secret: ApiKeySecret,
}

/// The key that a request shows, if it shows one; `Authorization` goes before `X-Api-Key`.
pub(crate) fn presented(headers: &HeaderMap) -> Option<&str> {
    match headers.get(header::AUTHORIZATION) {
        Some(value) => {
            let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("Bearer").then(|| key.trim())
        }
        None => headers.get("x-api-key")?.to_str().ok().map(str::trim),
    }
}

/// Takes a key apart; none if it is not of the form of one.
#[must_use]
pub fn parse_api_key(text: &str) -> Option<ParsedApiKey> {
    if text.len() > LONGEST {
        return None;
    }
    let mut parts = text.strip_prefix("ls_")?.splitn(3, '_');
    let tenant = TenantId(read_id(parts.next()?)?);
    let id = PrincipalId(read_id(parts.next()?)?);
    let secret = parts.next()?;
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(secret).ok()?;
    (bytes.len() == 32).then(|| ParsedApiKey { tenant, id, secret: ApiKeySecret(secret.to_owned()) })
}

/// A positive number in its one way of writing.
fn read_id(text: &str) -> Option<i64> {
    text.parse().ok().filter(|id: &i64| *id > 0 && id.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_read_back_and_matches_its_hash_only() {
        let secret = new_api_key_secret().expect("randomness");
        let other = new_api_key_secret().expect("randomness");
        let text = secret.format(TenantId(12), PrincipalId(345));
        assert_eq!(text.len(), "ls_12_345_".len() + SECRET_CHARACTERS);
        let parsed = parse_api_key(&text).expect("a key");
        assert_eq!((parsed.tenant, parsed.id), (TenantId(12), PrincipalId(345)));
        assert!(parsed.secret.matches(&secret.hash()));
        assert!(!parsed.secret.matches(&other.hash()));
    }

    #[test]
    fn a_secret_does_not_print() {
        let secret = new_api_key_secret().expect("randomness");
        assert_eq!(format!("{secret:?}"), "ApiKeySecret(..)");
    }

    #[test]
    fn underscores_and_hyphens_belong_to_the_secret() {
        let secret = format!("_-{}", "A".repeat(41));
        assert!(parse_api_key(&format!("ls_1_2_{secret}")).is_some());
    }

    #[test]
    fn what_is_no_key_is_none() {
        let good = "A".repeat(43);
        for text in [
            String::new(),
            "ls_".to_owned(),
            "ls_1_2".to_owned(),
            "ls_1_2_".to_owned(),
            format!("ls_1_2_{}", "A".repeat(42)),
            format!("ls_1_2_{}", "A".repeat(44)),
            format!("ls_1_2_{}=", "A".repeat(43)),
            // The last character holds bits that 32 bytes do not have: another way to write the same secret.
            format!("ls_1_2_{}B", "A".repeat(42)),
            format!("ls_0_2_{good}"),
            format!("ls_-1_2_{good}"),
            format!("ls_+1_2_{good}"),
            format!("ls_01_2_{good}"),
            format!("ls_1_99999999999999999999_{good}"),
            format!("LS_1_2_{good}"),
            format!("xx_1_2_{good}"),
            format!("ls_1_2_{}é", "A".repeat(41)),
            "ls_1_2_".to_owned() + &"A".repeat(100_000),
        ] {
            assert!(parse_api_key(&text).is_none(), "{text:?}");
        }
    }
}
