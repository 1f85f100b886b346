//! One account at the other side: how much it may be called, by all who call it (B7.4).

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use lineshift_domain::clock::Clock;
use lineshift_domain::ids::{IntegrationAuthenticationId, TenantId};
use tokio::time::Instant;

use super::chance::Chance;
use super::gate::Gate;
use super::measures::Measures;
use super::meter::CallMeter;
use super::pace::Pace;
use super::permit::Permit;
use super::places::Places;
use super::transport::Transport;
use super::windows::{Waiting, Windows};
use super::{lock, moment_after};

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
    /// For how long after a renewal calls may begin in the places that a process has. The lease itself is longer, by a call's
    /// time-out: what was begun under it has ended when it runs out.
    pub place_lease: Duration,
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
    /// As many calls as are allowed at a time are under way or prepared.
    Busy,
    /// The windows cannot be read or written, so that nobody knows what is left.
    NotCounted,
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
            Self::Busy => "as many calls as are allowed at a time are under way",
            Self::NotCounted => "its calls cannot be counted",
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

/// The longest patience that is counted; more would not fit the timer.
pub(super) const LONGEST_PATIENCE: Duration = Duration::from_secs(7 * 24 * 3600);

/// The longest that the other side may ask to wait: a day's quota renews within it.
const LONGEST_THROTTLE: Duration = Duration::from_secs(24 * 3600);

/// How long to wait after a 429 that names no time, at first and at most.
const THROTTLE_BACKOFF: Duration = Duration::from_secs(2);
const LONGEST_THROTTLE_BACKOFF: Duration = Duration::from_secs(60);

/// One account. Cheap to clone; all clones share what it allows.
#[derive(Clone)]
pub struct Account {
    pub(super) shared: Arc<Shared>,
}

/// What all clones of an account share.
pub(super) struct Shared {
    key: AccountKey,
    limits: AccountLimits,
    clock: Arc<dyn Clock>,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) gate: Arc<Gate>,
    windows: Windows,
    pub(super) places: Arc<Places>,
    pub(super) pace: Pace,
    pub(super) chance: Chance,
    pub(super) measures: Measures,
    waiting: AtomicU32,
    /// The mean of what the last calls took, in seconds.
    mean_seconds: Mutex<Option<f64>>,
}

impl Account {
    /// An account. `name` stands on its measures and must hold no secret; `seed` decides the jitter.
    #[must_use]
    pub fn new(
        key: AccountKey,
        name: impl Into<Arc<str>>,
        limits: AccountLimits,
        clock: Arc<dyn Clock>,
        meter: Arc<dyn CallMeter>,
        transport: Arc<dyn Transport>,
        seed: u64,
    ) -> Self {
        let measures = Measures(name.into());
        let shared = Shared {
            key,
            limits,
            gate: Arc::new(Gate::new(Arc::clone(&clock))),
            windows: Windows::new(key, limits, Arc::clone(&clock), Arc::clone(&meter)),
            places: Places::new(key, limits, Arc::clone(&clock), meter, measures.clone()),
            pace: Pace::new(),
            clock,
            transport,
            chance: Chance::new(seed),
            measures,
            waiting: AtomicU32::new(0),
            mean_seconds: Mutex::new(None),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The same account, for all its clones, with so many calls in any second by all processes together; 0: as many as its
    /// limits of minute and day allow. Calls are spaced evenly, a little further apart than that.
    #[must_use]
    pub fn with_calls_a_second(self, calls_a_second: u32) -> Self {
        self.shared.pace.set(calls_a_second);
        self
    }

    /// Waits until the account allows a call, at most as long as its patience: until the breaker and the other side let calls
    /// through, this process has a part of the account's places (B7.4: all processes together never make more calls at a time than
    /// the account allows), and the windows of minute and day have one left. Breaker and waits that the other side asked for
    /// are known to this process alone.
    ///
    /// A permit keeps one of few places for calls that are prepared (half of the concurrency, at least four) until its call is
    /// sent: whoever collects permits without sending waits for itself. That place comes first and the windows last, so that a
    /// call is counted when it is about to be made, and not when its caller began to wait.
    ///
    /// # Errors
    /// [`NotNow`] when that would be later.
    pub async fn permit(&self) -> Result<Permit, NotNow> {
        let shared = &*self.shared;
        let _waiting = Waiting::enter(&shared.waiting);
        let _shown = Shown::new(shared);
        let deadline = Instant::now() + shared.limits.patience.min(LONGEST_PATIENCE);
        if let Some(not_now) = self.not_before().filter(|not_now| self.is_beyond(*not_now, deadline)) {
            return Err(not_now);
        }
        let Ok(prepared) = tokio::time::timeout_at(deadline, shared.places.preparing.take()).await else {
            let soon = NotNow { until: moment_after(shared.clock.now(), Duration::from_secs(1)), why: WhyNot::Busy };
            return Err(self.not_before().unwrap_or(soon));
        };
        let caller = shared.places.caller();
        let probe = shared.gate.enter(deadline).await?;
        shared.places.open(deadline).await?;
        shared.windows.take(deadline, || shared.come_soon()).await?;
        Ok(Permit::new(self.clone(), (caller, prepared), probe))
    }

    /// Gives the account's places back to other processes if nobody here has called it for so long.
    pub async fn rest(&self, idle_for: Duration) {
        self.shared.places.rest(idle_for).await;
    }

    /// Before when the account cannot be called, as far as is known without asking the store; none: nothing speaks against it.
    #[must_use]
    pub fn not_before(&self) -> Option<NotNow> {
        let windows = self.shared.windows.not_before();
        self.shared.gate.not_before().into_iter().chain(windows).max_by_key(|not_now| not_now.until)
    }

    /// What the account allows.
    #[must_use]
    pub fn limits(&self) -> AccountLimits {
        self.shared.limits
    }

    /// Which account this is.
    #[must_use]
    pub fn key(&self) -> AccountKey {
        self.shared.key
    }

    /// The clock by which it waits.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.shared.clock
    }

    /// The other side said 429: nobody calls until what it asked for has passed, or, if it named no time, a growing while.
    pub(super) fn throttled(&self, asked: Option<Duration>) -> NotNow {
        let shared = &*self.shared;
        let backoff = |times| shared.chance.backoff(times, THROTTLE_BACKOFF, LONGEST_THROTTLE_BACKOFF);
        shared.gate.throttle(|times| asked.map_or_else(|| backoff(times), |wait| wait.min(LONGEST_THROTTLE)))
    }

    /// The other side let a call through.
    pub(super) fn not_throttled(&self) {
        self.shared.gate.not_throttled();
    }

    fn is_beyond(&self, not_now: NotNow, deadline: Instant) -> bool {
        Instant::now() + super::until(not_now.until, &*self.shared.clock) > deadline
    }
}

impl Shared {
    /// How many of those who wait for a place will have one within half a second, going by what the last calls took and the
    /// pace. One call of the meter counts theirs, too; were all counted who wait, slow calls would leave most of what is
    /// counted unused.
    fn come_soon(&self) -> u32 {
        let wait_for_place = self.waiting.load(Ordering::Relaxed).saturating_sub(self.windows.waiting());
        let slots = u32::try_from(self.places.usable()).unwrap_or(u32::MAX);
        let mean_seconds = *lock(&self.mean_seconds);
        let by_slots = mean_seconds.map_or(0.0, |seconds| f64::from(slots) * 0.5 / seconds.max(0.001));
        let by_pace = self.apart().map_or(f64::INFINITY, |apart| 0.5 / apart.as_secs_f64());
        let calls = by_slots.min(by_pace);
        // The cast keeps to the type's bounds.
        wait_for_place.min(calls as u32)
    }

    /// The time between the beginnings of two calls here, if there is one to keep.
    pub(super) fn apart(&self) -> Option<Duration> {
        self.pace.apart(self.places.usable(), self.limits.concurrency)
    }

    /// Notes what a call took.
    pub(super) fn took(&self, taken: Duration) {
        self.measures.took(taken);
        let mut mean = lock(&self.mean_seconds);
        *mean = Some(mean.map_or(taken.as_secs_f64(), |mean| mean * 0.95 + taken.as_secs_f64() * 0.05));
    }
}

/// Keeps the measure of those who wait, also when one is dropped while it waits.
struct Shown<'a>(&'a Shared);

impl<'a> Shown<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.measures.waiting(shared.waiting.load(Ordering::Relaxed));
        Self(shared)
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        // It still counts itself: what is counted is dropped after what is shown.
        self.0.measures.waiting(self.0.waiting.load(Ordering::Relaxed).saturating_sub(1));
    }
}
