//! The provider's public keys (RFC 7517), and which signatures each may have made.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// The most keys that are looked at.
const MOST_KEYS: usize = 100;

/// The document as it comes. Keys that cannot be read are passed over: they may be of a kind that is not known here.
#[derive(Deserialize)]
pub(super) struct Document {
    keys: Vec<Value>,
}

/// Public keys that verify signatures.
pub(super) struct KeySet(Vec<Key>);

struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl KeySet {
    pub(super) fn of(document: Document) -> Self {
        let read = |key: Value| Key::of(&serde_json::from_value::<Jwk>(key).ok()?);
        Self(document.keys.into_iter().take(MOST_KEYS).filter_map(read).collect())
    }

    /// The key that made a signature by that algorithm; a token without a key's id names the only one there is.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&DecodingKey> {
        let mut fitting = self.0.iter().filter(|key| key.algorithms.contains(&algorithm));
        match id {
            Some(id) => fitting.find(|key| key.id.as_deref() == Some(id)).map(|key| &key.key),
            None => fitting.next().filter(|_| fitting.next().is_none()).map(|key| &key.key),
        }
    }
}

impl Key {
    /// Secrets that sign are none: whoever knows a public key must not be able to sign with it as if it were one.
    fn of(jwk: &Jwk) -> Option<Self> {
        if jwk.common.public_key_use.as_ref().is_some_and(|used| *used != PublicKeyUse::Signature) {
            return None;
        }
        let mut algorithms = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => {
                use Algorithm::{PS256, PS384, PS512, RS256, RS384, RS512};
                vec![RS256, RS384, RS512, PS256, PS384, PS512]
            }
            AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
                EllipticCurve::P256 => vec![Algorithm::ES256],
                EllipticCurve::P384 => vec![Algorithm::ES384],
                _ => return None,
            },
            _ => return None,
        };
        if let Some(only) = jwk.common.key_algorithm {
            let only = Algorithm::try_from(only).ok()?;
            algorithms.retain(|algorithm| *algorithm == only);
        }
        Some(Self { id: jwk.common.key_id.clone(), algorithms, key: DecodingKey::from_jwk(jwk).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    const X: &str = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
    const Y: &str = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";

    fn set(keys: Value) -> KeySet {
        let document = serde_json::Map::from_iter([("keys".to_owned(), keys)]);
        KeySet::of(serde_json::from_value(Value::Object(document)).expect("a document"))
    }

    #[test]
    fn a_key_serves_its_own_algorithms_only() {
        let keys = set(json!([
            {"kty": "RSA", "kid": "r", "n": N, "e": "AQAB"},
            {"kty": "RSA", "kid": "r256", "n": N, "e": "AQAB", "alg": "RS256", "use": "sig"},
            {"kty": "EC", "kid": "e", "crv": "P-256", "x": X, "y": Y},
        ]));
        let found = |id: &str, algorithm| keys.find(Some(id), algorithm).is_some();
        assert!(found("r", Algorithm::RS256) && found("r", Algorithm::PS512) && !found("r", Algorithm::ES256));
        assert!(found("r256", Algorithm::RS256) && !found("r256", Algorithm::PS256));
        assert!(found("e", Algorithm::ES256) && !found("e", Algorithm::ES384) && !found("e", Algorithm::RS256));
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512, Algorithm::EdDSA] {
            assert!(!found("r", algorithm) && !found("e", algorithm), "{algorithm:?}");
        }
        assert!(!found("R", Algorithm::RS256) && !found("", Algorithm::RS256));
    }

    #[test]
    fn what_is_no_key_for_signatures_is_passed_over() {
        let keys = set(json!([
            {"kty": "oct", "kid": "o", "k": "c2VjcmV0", "alg": "HS256"},
            {"kty": "RSA", "kid": "enc", "n": N, "e": "AQAB", "use": "enc"},
            {"kty": "OKP", "kid": "ed", "crv": "Ed25519", "x": X},
            {"kty": "new", "kid": "new"}, 7, null,
        ]));
        for id in ["o", "enc", "ed", "new"] {
            for algorithm in [Algorithm::HS256, Algorithm::RS256, Algorithm::EdDSA] {
                assert!(keys.find(Some(id), algorithm).is_none(), "{id}");
            }
        }
        assert!(keys.find(None, Algorithm::RS256).is_none());
    }

    #[test]
    fn a_token_without_a_keys_id_names_the_only_one() {
        let one = json!({"kty": "RSA", "n": N, "e": "AQAB"});
        let elliptic = json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y});
        assert!(set(json!([one, elliptic])).find(None, Algorithm::RS256).is_some());
        assert!(set(json!([one, one])).find(None, Algorithm::RS256).is_none(), "which of them?");
    }
}
