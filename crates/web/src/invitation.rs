//! Invitations: a random word with which somebody joins a tenant or sets a password, once and within a few days.

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::ids::TenantId;
use lineshift_store::people::NewInvitation;
use sha2::{Digest as _, Sha256};

use crate::api_key::random_word;

/// For how many days an invitation counts.
pub const INVITATION_DAYS: i64 = 7;

/// An invitation as it is shown, once.
pub struct Invitation {
    /// The word to hand to whoever is invited: 32 random bytes in base64url, after the tenant's id and a point where one invites.
    pub token: String,
    /// What is stored of it.
    pub stored: NewInvitation,
}

impl Invitation {
    /// Makes one of nobody but whoever runs the server, that counts from now on. Errors: the machine has no randomness to give.
    pub fn new(now: DateTime<Utc>) -> Result<Self, getrandom::Error> {
        Ok(Self::of_word(random_word()?, now))
    }

    /// Makes one of a tenant, that counts from now on: it is looked for within that. Errors: the machine has no randomness to give.
    pub fn of_tenant(tenant: TenantId, now: DateTime<Utc>) -> Result<Self, getrandom::Error> {
        Ok(Self::of_word(format!("{tenant}.{}", random_word()?), now))
    }

    fn of_word(token: String, now: DateTime<Utc>) -> Self {
        let stored = NewInvitation { token_hash: hash_of_invitation(&token), ends_at: now + TimeDelta::days(INVITATION_DAYS) };
        Self { token, stored }
    }
}

/// Which tenant an invitation says that it is of. Whether it is shows when it is looked for there.
pub(crate) fn tenant_of_invitation(token: &str) -> Option<TenantId> {
    let (tenant, _) = token.split_once('.')?;
    tenant.parse().ok().filter(|id| *id > 0).map(TenantId)
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
        assert_eq!(tenant_of_invitation(&one.token), None);
        let of_tenant = Invitation::of_tenant(TenantId(12), now).expect("randomness");
        assert_eq!(tenant_of_invitation(&of_tenant.token), Some(TenantId(12)));
        for wrong in ["", ".", "x.y", "0.y", "-1.y", "99999999999999999999.y"] {
            assert_eq!(tenant_of_invitation(wrong), None, "{wrong}");
        }
    }
}
