//! One-time passwords by the clock (RFC 6238 with SHA-1, six digits, 30 seconds: what every authenticator knows).

use aws_lc_rs::hmac;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use crate::problem::ApiProblem;

/// Seconds that one password holds.
const STEP_SECONDS: i64 = 30;

/// Steps before and after the present one whose passwords are taken, too: clocks differ.
const WINDOW: i64 = 1;

/// Bytes of a secret: as many as SHA-1 has (RFC 4226, section 4).
const SECRET_BYTES: usize = 20;

/// The alphabet of base32 (RFC 4648): what authenticators take.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The name under which an authenticator shows the account.
const ISSUER: &str = "Lineshift";

/// What makes a person's one-time passwords, in base32. It does not print.
pub(crate) struct OneTimeSecret(SecretString);

impl OneTimeSecret {
    /// A new one. Errors: the machine has no randomness to give.
    pub(crate) fn new() -> Result<Self, ApiProblem> {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| {
            tracing::error!(%error, "there is no randomness");
            ApiProblem::internal()
        })?;
        Ok(Self(SecretString::from(to_base32(bytes))))
    }

    /// One that was stored.
    pub(crate) const fn stored(text: SecretString) -> Self {
        Self(text)
    }

    /// As it is stored, and shown once.
    pub(crate) const fn text(&self) -> &SecretString {
        &self.0
    }

    /// What an authenticator reads as a picture, for the account of that address.
    pub(crate) fn uri(&self, email: &str) -> String {
        let account: String = email
            .bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect();
        let secret = self.0.expose_secret();
        format!("otpauth://totp/{ISSUER}:{account}?secret={secret}&issuer={ISSUER}&algorithm=SHA1&digits=6&period={STEP_SECONDS}")
    }

    /// The step of which that is the password, now or within the window; none: it is wrong, or the stored secret is none.
    pub(crate) fn step_of(&self, given: &str, now: DateTime<Utc>) -> Option<i64> {
        let bytes = from_base32(self.0.expose_secret())?;
        let present = now.timestamp().div_euclid(STEP_SECONDS);
        let mut found = None;
        // All of them are looked at, so that time does not tell which.
        for step in present - WINDOW..=present + WINDOW {
            if password(&bytes, step).as_bytes().ct_eq(given.as_bytes()).into() {
                found = Some(step);
            }
        }
        found
    }

    /// The password of a moment.
    #[cfg(test)]
    fn at(&self, now: DateTime<Utc>) -> String {
        password(&from_base32(self.0.expose_secret()).expect("a secret"), now.timestamp() / STEP_SECONDS)
    }
}

/// HOTP (RFC 4226, section 5.3).
fn password(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[tag.len() - 1] & 0x0f);
    let number = u32::from_be_bytes([tag[offset] & 0x7f, tag[offset + 1], tag[offset + 2], tag[offset + 3]]);
    format!("{:06}", number % 1_000_000)
}

/// Five bytes are eight characters.
fn to_base32(bytes: [u8; SECRET_BYTES]) -> String {
    let (groups, _) = bytes.as_chunks::<5>();
    let characters = groups.iter().flat_map(|group| {
        let number = group.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        (0..8).rev().map(move |place| char::from(BASE32[(number >> (5 * place) & 31) as usize]))
    });
    characters.collect()
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut held, mut bits) = (Vec::with_capacity(SECRET_BYTES), 0_u32, 0_u32);
    for character in text.bytes() {
        let value = BASE32.iter().position(|known| *known == character)?;
        held = held << 5 | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits & 0xff) as u8);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238's test vectors.
    const KNOWN: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).expect("a moment")
    }

    fn known() -> OneTimeSecret {
        OneTimeSecret::stored(SecretString::from(to_base32(*KNOWN.first_chunk().expect("twenty bytes"))))
    }

    /// RFC 6238, appendix B, the last six of its eight digits.
    #[test]
    fn the_vectors_of_the_standard_come_out() {
        assert_eq!(known().text().expose_secret(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(known().at(at(seconds)), expected);
            assert_eq!(known().step_of(expected, at(seconds)), Some(seconds / 30));
        }
    }

    #[test]
    fn one_step_on_both_sides_is_taken() {
        let given = known().at(at(3_000));
        for (now, taken) in [(2_969, false), (2_970, true), (3_000, true), (3_029, true), (3_059, true), (3_060, false)] {
            assert_eq!(known().step_of(&given, at(now)), taken.then_some(100), "{now}");
        }
        for wrong in ["", "000000", &given[1..], &format!("{given}0"), &format!(" {given}")] {
            assert_eq!(known().step_of(wrong, at(3_000)), None, "{wrong}");
        }
    }

    #[test]
    fn a_new_secret_is_read_back() {
        let secret = OneTimeSecret::new().expect("randomness");
        assert_eq!(secret.text().expose_secret().len(), 32);
        assert_eq!(from_base32(secret.text().expose_secret()).map(|bytes| bytes.len()), Some(SECRET_BYTES));
        assert!(secret.step_of(&secret.at(at(3_000)), at(3_000)).is_some());
        assert!(OneTimeSecret::stored(SecretString::from("not base32")).step_of("000000", at(0)).is_none());
        let uri = known().uri("ada lovelace+x@fleet.example");
        assert_eq!(
            uri,
            "otpauth://totp/Lineshift:ada%20lovelace%2Bx@fleet.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Lineshift&algorithm=SHA1&digits=6&period=30"
        );
    }
}
