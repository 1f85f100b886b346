//! One account at the other side: how much it may be called, by all who call it (B7.4).

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{IntegrationAuthenticationId, TenantId};

/// Which account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountKey {
    /// Tenant.
    pub tenant_id: TenantId,
    /// Its credentials.
    pub integration_authentication_id: IntegrationAuthenticationId,
}

/// What an account allows (section 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountLimits {
    /// Calls under way at a time.
    pub concurrency: usize,
    /// Calls in any 60 seconds.
    pub calls_a_minute: u32,
    /// Calls in any 24 hours.
    pub calls_a_day: u32,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a call may take.
    pub timeout: Duration,
    /// How often a reading call is tried (B5.5).
    pub attempts: u32,
    /// The longest that a call waits for the account before it is put off instead ([`NotNow`]).
    pub patience: Duration,
}

/// Why an account cannot be called now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyNot {
    /// The calls of this minute are used up.
    MinuteLimit,
    /// The calls of this day are used up (B7.4, quota_exhausted).
    DayQuota,
    /// The other side said 429.
    Throttled,
    /// Too many calls failed: the breaker is open.
    BreakerOpen,
}

impl WhyNot {
    /// For people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::MinuteLimit => "the calls of this minute are used up",
            Self::DayQuota => "the calls of this day are used up",
            Self::Throttled => "the other side asked to wait",
            Self::BreakerOpen => "too many calls failed",
        }
    }
}

/// The account cannot be called before a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the account cannot be called before {}: {}", until.to_rfc3339(), why.text())]
pub struct NotNow {
    /// The earliest moment at which asking again makes sense.
    pub until: DateTime<Utc>,
    /// Why.
    pub why: WhyNot,
}

/// Calls granted out of the account's windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// How many of the calls wanted may be made now; they are counted as made.
    pub granted: u32,
    /// When the next may be made, if fewer were granted than wanted, and which window says so.
    pub next: Option<NotNow>,
}

/// Keeps the sliding windows of minute and day of every account, for all who call it, in the store (B7.4).
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
}

/// The windows could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the account's windows cannot be kept: {0}")]
pub struct MeterError(pub String);

/// Says directly before the first byte whether the sender still may (B7.1).
pub trait SendGuard: Send + Sync + 'static {
    /// False: the lease has run out, and nothing is sent.
    fn may_send(&self) -> bool;
}

/// One account. Cheap to clone; all clones share what it allows.
#[derive(Clone)]
pub struct Account {}

/// One call that the account allows now: it is counted in the windows, and a place is kept for it among those under way.
pub struct Permit {}

impl Account {
    /// Waits until the account allows a call, at most as long as its patience.
    ///
    /// # Errors
    /// [`NotNow`] when that would be later.
    pub async fn permit(&self) -> Result<Permit, NotNow> {
        Ok(Permit {})
    }
}

impl Permit {
    /// The call is not sent unless this says so directly before its first byte (B7.1).
    #[must_use]
    pub fn guarded_by(self, _guard: std::sync::Arc<dyn SendGuard>) -> Self {
        self
    }
}
