//! What the windows and places of an account are kept by, and what the caller's lease is asked.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::places::{PlacesAsked, PlacesLeased};

use super::account::{AccountKey, AccountLimits, NotNow};

/// Calls granted out of the account's windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// How many of the calls wanted may be made now; they are counted as made.
    pub granted: u32,
    /// When the next may be made, if fewer were granted than wanted, and which window says so.
    pub next: Option<NotNow>,
}

/// Keeps the sliding windows of minute and day of every account, and its places, for all who call it, in the store (B7.4). One
/// meter is one holder of places.
#[async_trait]
pub trait CallMeter: Send + Sync + 'static {
    /// Takes up to `wanted` calls out of the account's windows, counted as made at `now`.
    async fn take(
        &self,
        account: AccountKey,
        wanted: u32,
        limits: AccountLimits,
        now: DateTime<Utc>,
    ) -> Result<Grant, MeterError>;

    /// Leases places of the account, or renews the lease: in all never more than it allows.
    async fn lease_places(&self, account: AccountKey, asked: PlacesAsked, now: DateTime<Utc>)
    -> Result<PlacesLeased, MeterError>;

    /// Gives all places back: no call is under way, and none begins before the next lease.
    async fn return_places(&self, account: AccountKey) -> Result<(), MeterError>;
}

/// The windows or places could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the account's calls cannot be counted: {0}")]
pub struct MeterError(pub String);

/// Says directly before the first byte whether the sender still may (B7.1).
pub trait SendGuard: Send + Sync + 'static {
    /// False: the lease has run out, and nothing is sent.
    fn may_send(&self) -> bool;
}
