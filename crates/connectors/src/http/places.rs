//! The places of an account in this process: how many calls it may have under way, leased from what all processes share (B7.4).
//!
//! A lease is as long as the time in which calls may begin under it plus the time-out of a call: what was begun under it has ended when
//! it runs out, so that a process that froze or cannot renew its lease has no call under way any more when its places become
//! another's. It is renewed by those who call: an account that nobody calls leases nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use lineshift_domain::clock::Clock;
use lineshift_domain::places::{PlacesAsked, PlacesLeased};
use tokio::time::Instant;

use super::account::{AccountKey, AccountLimits, NotNow, WhyNot};
use super::measures::Measures;
use super::meter::{CallMeter, MeterError};
use super::slots::{Slot, Slots};
use super::{lock, moment_after};

/// How often a lease is renewed while the account is called: so soon does one hear that another process wants places, too.
const RENEWED_EVERY: Duration = Duration::from_secs(2);

/// How long to wait before asking again for places that others have, or that are to be given up: at first and at most.
const ASK_AGAIN: Duration = Duration::from_millis(250);
const ASK_AGAIN_AT_MOST: Duration = Duration::from_secs(1);

/// By how much the clocks of two machines may differ: so much earlier than its end a lease is no longer used.
const CLOCKS_DIFFER: Duration = Duration::from_secs(2);

/// A caller alone leases so many at once: who begins to call mostly calls more than once.
const LEAST_WANTED: usize = 4;

pub(super) struct Places {
    key: AccountKey,
    limits: AccountLimits,
    clock: Arc<dyn Clock>,
    meter: Arc<dyn CallMeter>,
    measures: Measures,
    /// Where calls are prepared: a caller that has a permit stores its intent while the slots are full.
    pub(super) preparing: Arc<Slots>,
    /// The calls under way.
    slots: Arc<Slots>,
    /// Callers with a permit, and calls under way.
    callers: AtomicUsize,
    state: Mutex<State>,
    /// Held by whoever asks the store.
    asking: tokio::sync::Mutex<()>,
}

struct State {
    lease: Option<Lease>,
    /// The most callers since the last asking, and for how many was asked then.
    most_callers: usize,
    asked_for: usize,
    ask_again: Instant,
    /// How often in a row asking brought nothing.
    in_vain: u32,
    is_failing: bool,
    used_at: Instant,
}

/// Until when: by the clock that other processes go by, and by this machine's own, which nobody sets.
#[derive(Clone, Copy)]
struct Lease {
    until: DateTime<Utc>,
    ends: Instant,
}

/// One who has a permit, or a call under way.
pub(super) struct Caller(Arc<Places>);

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.callers.fetch_sub(1, Ordering::SeqCst);
        lock(&self.0.state).used_at = Instant::now();
    }
}

impl Places {
    pub(super) fn new(
        key: AccountKey,
        limits: AccountLimits,
        clock: Arc<dyn Clock>,
        meter: Arc<dyn CallMeter>,
        measures: Measures,
    ) -> Arc<Self> {
        let now = Instant::now();
        let state =
            State { lease: None, most_callers: 0, asked_for: 0, ask_again: now, in_vain: 0, is_failing: false, used_at: now };
        Arc::new(Self {
            key,
            limits,
            clock,
            meter,
            measures,
            preparing: Slots::new(prepared_at_once(limits.concurrency, limits.concurrency)),
            slots: Slots::new(0),
            callers: AtomicUsize::new(0),
            state: Mutex::new(state),
            asking: tokio::sync::Mutex::default(),
        })
    }

    /// Counts one caller in.
    pub(super) fn caller(self: &Arc<Self>) -> Caller {
        let callers = self.callers.fetch_add(1, Ordering::SeqCst) + 1;
        let mut state = lock(&self.state);
        state.most_callers = state.most_callers.max(callers);
        drop(state);
        Caller(Arc::clone(self))
    }

    /// How many calls may be under way here, as things stand.
    pub(super) fn usable(&self) -> usize {
        self.slots.size()
    }

    /// Waits until this process has a place at all, free or not.
    pub(super) async fn open(&self, deadline: Instant) -> Result<(), NotNow> {
        loop {
            self.look_after().await;
            if self.has_places() {
                return Ok(());
            }
            let again = lock(&self.state).ask_again;
            if again > deadline {
                return Err(self.not_now());
            }
            tokio::time::sleep_until(again).await;
        }
    }

    /// Waits for the slot of a call, behind all who wait already, as long as this process has places or will have some within the
    /// account's patience.
    pub(super) async fn enter(&self) -> Result<Slot, NotNow> {
        let mut deadline = self.deadline();
        loop {
            let slot = self.slots.take();
            tokio::pin!(slot);
            loop {
                self.look_after().await;
                if self.has_places() {
                    deadline = self.deadline();
                }
                let again = lock(&self.state).ask_again;
                let taken = tokio::select! {
                    biased;
                    taken = &mut slot => Some(taken),
                    () = tokio::time::sleep_until(again.min(deadline)) => None,
                };
                if Instant::now() >= deadline {
                    return Err(self.not_now());
                }
                match taken {
                    Some(taken) if self.may_begin() => return Ok(taken),
                    // The lease is too old and could not be renewed yet: the slot is left to come back for.
                    Some(_) => break,
                    None => {}
                }
            }
            let again = lock(&self.state).ask_again;
            tokio::time::sleep_until(again.min(deadline)).await;
        }
    }

    /// Whether a call that begins now has ended when the lease runs out.
    pub(super) fn may_begin(&self) -> bool {
        lock(&self.state).lease.is_some_and(|lease| self.remains(lease) >= self.limits.timeout + CLOCKS_DIFFER)
    }

    /// Gives everything back if nobody called for so long.
    pub(super) async fn rest(&self, idle_for: Duration) {
        let is_idle = || {
            let state = lock(&self.state);
            state.lease.is_some() && self.callers.load(Ordering::SeqCst) == 0 && state.used_at.elapsed() >= idle_for
        };
        if !is_idle() {
            return;
        }
        let _turn = self.asking.lock().await;
        // From here on nobody takes a slot: who comes now waits until it may ask.
        self.slots.resize(0);
        if !is_idle() || self.slots.most_taken() > 0 {
            lock(&self.state).ask_again = Instant::now();
            return;
        }
        {
            let mut state = lock(&self.state);
            state.lease = None;
            (state.asked_for, state.ask_again) = (0, Instant::now());
        }
        self.measures.places(0);
        if let Err(error) = self.meter.return_places(self.key).await {
            tracing::warn!(account = self.key.integration_authentication_id.0, %error, "places come free when their lease runs out");
        }
    }

    /// Asks the store, if it is time to: to renew the lease, for more places, or to give some up. While another caller asks nobody
    /// waits who has what it needs.
    async fn look_after(&self) {
        if !self.is_due() {
            return;
        }
        let _turn = match self.asking.try_lock() {
            Ok(turn) => turn,
            Err(_) if self.has_places() => return,
            Err(_) => self.asking.lock().await,
        };
        if self.is_due() {
            self.ask().await;
        }
    }

    fn is_due(&self) -> bool {
        let callers = self.callers.load(Ordering::SeqCst);
        let state = lock(&self.state);
        let wants_more = callers > state.asked_for && state.asked_for < self.limits.concurrency;
        // Growing is asked for at once, unless the last asking brought less than it was for.
        Instant::now() >= state.ask_again || (wants_more && self.slots.size() >= state.asked_for)
    }

    async fn ask(&self) {
        let (now, begun) = (self.clock.now(), Instant::now());
        let length = self.limits.place_lease + self.limits.timeout + CLOCKS_DIFFER;
        let asked = self.prepare(moment_after(now, length));
        let wanted = asked.wanted;
        match self.meter.lease_places(self.key, asked, now).await {
            Ok(leased) => self.accept(leased, wanted, Lease { until: moment_after(now, length), ends: begun + length }),
            Err(error) => self.failed(&error),
        }
    }

    /// What is asked for. A lease that ran out holds no call any more; places that are to be given up are not used from now on.
    fn prepare(&self, until: DateTime<Utc>) -> PlacesAsked {
        let mut state = lock(&self.state);
        let runs = state.lease.is_some_and(|lease| self.remains(lease) > Duration::ZERO);
        if !runs {
            state.lease = None;
            self.slots.resize(0);
        }
        let callers = state.most_callers.max(self.callers.load(Ordering::SeqCst)).max(LEAST_WANTED);
        let wanted = callers.checked_next_power_of_two().unwrap_or(callers).min(self.limits.concurrency.max(1));
        (state.asked_for, state.most_callers) = (wanted, 0);
        let kept = if runs { self.slots.most_taken() } else { 0 };
        let concurrency = self.limits.concurrency.max(1);
        PlacesAsked { wanted: count(wanted), kept: count(kept), concurrency: count(concurrency), until }
    }

    fn accept(&self, leased: PlacesLeased, wanted: u32, lease: Lease) {
        let (places, share) = (leased.places as usize, leased.share as usize);
        let usable = places.min(share);
        self.slots.resize(usable);
        self.measures.places(usable);
        self.preparing.resize(prepared_at_once(share, self.limits.concurrency));
        let mut state = lock(&self.state);
        let had_some = usable > 0;
        state.lease = (places > 0).then_some(lease);
        state.is_failing = false;
        let is_settled = leased.places <= leased.share && leased.places >= wanted.min(leased.share) && had_some;
        let pause = if is_settled {
            state.in_vain = 0;
            RENEWED_EVERY.min(self.limits.place_lease / 3)
        } else {
            state.in_vain = state.in_vain.saturating_add(1);
            ASK_AGAIN.saturating_mul(1 << (state.in_vain - 1).min(8)).min(ASK_AGAIN_AT_MOST)
        };
        state.ask_again = Instant::now() + pause;
    }

    fn failed(&self, error: &MeterError) {
        tracing::warn!(account = self.key.integration_authentication_id.0, %error, "the lease of places could not be renewed");
        let mut state = lock(&self.state);
        state.is_failing = true;
        state.in_vain = state.in_vain.saturating_add(1);
        state.ask_again = Instant::now() + ASK_AGAIN.saturating_mul(1 << (state.in_vain - 1).min(8)).min(ASK_AGAIN_AT_MOST);
    }

    fn has_places(&self) -> bool {
        self.slots.size() > 0 && self.may_begin()
    }

    fn remains(&self, lease: Lease) -> Duration {
        super::until(lease.until, &*self.clock).min(lease.ends.saturating_duration_since(Instant::now()))
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.limits.patience.min(super::account::LONGEST_PATIENCE)
    }

    fn not_now(&self) -> NotNow {
        let why = if lock(&self.state).is_failing { WhyNot::NotCounted } else { WhyNot::Busy };
        NotNow { until: moment_after(self.clock.now(), Duration::from_secs(1)), why }
    }
}

/// How many calls are prepared at a time: half as many as may be under way. One process alone always prepares four; among others it
/// keeps to its share, because what is prepared is counted already.
fn prepared_at_once(share: usize, concurrency: usize) -> usize {
    if share >= concurrency { (concurrency / 2).max(4) } else { (share / 2).max(1) }
}

fn count(places: usize) -> u32 {
    u32::try_from(places).unwrap_or(u32::MAX)
}
