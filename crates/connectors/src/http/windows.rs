//! The windows of minute and day, asked for in groups (B7.4).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lineshift_domain::clock::Clock;
use tokio::time::Instant;

use super::account::{AccountKey, AccountLimits, NotNow, WhyNot};
use super::meter::{CallMeter, Grant};
use super::{lock, moment_after, until};

/// A call that was counted is to be made soon after, or the other side counts it in another minute than we do.
const FRESH: Duration = Duration::from_secs(1);

/// How long to wait after the meter failed, at first and at most.
const METER_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_METER_PAUSE: Duration = Duration::from_secs(2);

/// The least wait after a meter that grants nothing, whatever moment it names.
const LEAST_WAIT: Duration = Duration::from_millis(10);

/// Hands out the calls that the meter grants. Those who wait stand in a queue; its first takes for all of them, in one call
/// of the meter, and the others find their call counted when their turn comes.
pub(super) struct Windows {
    key: AccountKey,
    limits: AccountLimits,
    clock: Arc<dyn Clock>,
    meter: Arc<dyn CallMeter>,
    /// How many wait for a call, the first included.
    waiting: AtomicU32,
    /// When each call that was counted and not yet made was granted. Held by the first in the queue.
    counted: tokio::sync::Mutex<VecDeque<Instant>>,
    /// What the meter said when it last granted fewer than wanted.
    closed: Mutex<Option<NotNow>>,
}

impl Windows {
    pub(super) fn new(key: AccountKey, limits: AccountLimits, clock: Arc<dyn Clock>, meter: Arc<dyn CallMeter>) -> Self {
        let (waiting, counted, closed) = (AtomicU32::new(0), tokio::sync::Mutex::default(), Mutex::default());
        Self { key, limits, clock, meter, waiting, counted, closed }
    }

    /// Waits for a call until `deadline`. `soon` says how many more will come for one before a call counted now is stale.
    pub(super) async fn take(&self, deadline: Instant, soon: impl Fn() -> u32 + Send + Sync) -> Result<(), NotNow> {
        let _waiting = Waiting::enter(&self.waiting);
        if let Some(not_now) = self.closed_beyond(deadline) {
            return Err(not_now);
        }
        let Ok(mut counted) = tokio::time::timeout_at(deadline, self.counted.lock()).await else {
            return Err(self.not_before().unwrap_or_else(|| self.soon(WhyNot::MinuteLimit, FRESH)));
        };
        let mut failures = 0;
        loop {
            counted.retain(|granted_at| granted_at.elapsed() <= FRESH);
            if counted.pop_front().is_some() {
                return Ok(());
            }
            if let Some(not_now) = self.not_before() {
                self.closed_beyond(deadline).map_or(Ok(()), Err)?;
                tokio::time::sleep(until(not_now.until, &*self.clock)).await;
                continue;
            }
            let wanted = self.waiting.load(Ordering::SeqCst).max(1).saturating_add(soon());
            match self.meter.take(self.key, wanted, self.limits, self.clock.now()).await {
                Ok(grant) => self.accept(grant, wanted, &mut counted),
                Err(error) => {
                    tracing::warn!(account = self.key.integration_authentication_id.0, %error, "calls cannot be counted");
                    failures += 1;
                    let pause = METER_PAUSE.saturating_mul(1 << failures.min(8)).min(LONGEST_METER_PAUSE);
                    if Instant::now() + pause > deadline {
                        return Err(self.soon(WhyNot::NotCounted, pause));
                    }
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// How many wait for a call to be counted.
    pub(super) fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::SeqCst)
    }

    fn accept(&self, grant: Grant, wanted: u32, counted: &mut VecDeque<Instant>) {
        let granted = grant.granted.min(wanted);
        counted.extend((0..granted).map(|_| Instant::now()));
        let mut next = grant.next.unwrap_or_else(|| self.soon(WhyNot::MinuteLimit, FRESH));
        next.until = next.until.max(moment_after(self.clock.now(), LEAST_WAIT));
        *lock(&self.closed) = (granted < wanted).then_some(next);
    }

    /// Before when the windows grant nothing, as far as is known.
    pub(super) fn not_before(&self) -> Option<NotNow> {
        let now = self.clock.now();
        (*lock(&self.closed)).filter(|not_now| not_now.until > now)
    }

    fn closed_beyond(&self, deadline: Instant) -> Option<NotNow> {
        self.not_before().filter(|not_now| Instant::now() + until(not_now.until, &*self.clock) > deadline)
    }

    fn soon(&self, why: WhyNot, wait: Duration) -> NotNow {
        NotNow { until: moment_after(self.clock.now(), wait), why }
    }
}

/// Counts one who waits, also when it is dropped while it does.
pub(super) struct Waiting<'a>(&'a AtomicU32);

impl<'a> Waiting<'a> {
    pub(super) fn enter(count: &'a AtomicU32) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
