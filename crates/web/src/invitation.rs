//! Invitations: a random word with which somebody sets a password, once and within a few days.

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_store::people::NewInvitation;
use sha2::{Digest as _, Sha256};

use crate::api_key::random_word;

/// For how many days an invitation counts.
pub const INVITATION_DAYS: i64 = 7;

/// An invitation as it is shown, once.
pub struct Invitation {
    /// The word to hand to whoever is invited: 32 random bytes in base64url.
    pub token: String,
    /// What is stored of it.
    pub stored: NewInvitation,
}

impl Invitation {
    /// Makes one that counts from now on. Errors: the machine has no randomness to give.
    pub fn new(now: DateTime<Utc>) -> Result<Self, getrandom::Error> {
        let token = random_word()?;
        let stored = NewInvitation { token_hash: hash_of_invitation(&token), ends_at: now + TimeDelta::days(INVITATION_DAYS) };
        Ok(Self { token, stored })
    }
}

/// SHA-256 of an invitation's word, as it is stored. The word is random, so that no slow hash is needed.
#[must_use]
pub fn hash_of_invitation(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_another_and_found_by_its_hash() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("a moment");
        let (one, other) = (Invitation::new(now).expect("randomness"), Invitation::new(now).expect("randomness"));
        assert_ne!(one.token, other.token);
        assert_eq!(one.token.len(), 43);
        assert_eq!(hash_of_invitation(&one.token), one.stored.token_hash);
        assert_eq!(one.stored.ends_at, now + TimeDelta::days(7));
    }
}
