//! Whether an account may be called at all: the wait that the other side asked for, and the breaker.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use lineshift_domain::clock::Clock;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::account::{NotNow, WhyNot};
use super::breaker::{Breaker, Passage};
use super::{lock, moment_after, until};

pub(super) struct Gate {
    state: Mutex<State>,
    changed: Notify,
    clock: Arc<dyn Clock>,
}

struct State {
    throttled_until: Option<DateTime<Utc>>,
    /// How often in a row the other side asked to wait.
    throttled: u32,
    /// How many calls began.
    begun: u64,
    breaker: Breaker,
}

impl State {
    fn throttle(&self, now: DateTime<Utc>) -> Option<NotNow> {
        let until = self.throttled_until.filter(|until| *until > now)?;
        Some(NotNow { until, why: WhyNot::Throttled })
    }
}

impl Gate {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let state = State { throttled_until: None, throttled: 0, begun: 0, breaker: Breaker::new() };
        Self { state: Mutex::new(state), changed: Notify::new(), clock }
    }

    /// Waits for a passage until `deadline`; with a ticket, if the call is the breaker's probe.
    pub(super) async fn enter(self: &Arc<Self>, deadline: Instant) -> Result<Option<ProbeTicket>, NotNow> {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let not_now = match self.ask() {
                Ok(is_probe) => return Ok(is_probe.then(|| ProbeTicket(Some(Arc::clone(self))))),
                Err(not_now) => not_now,
            };
            let opens = Instant::now() + until(not_now.until, &*self.clock);
            if opens > deadline {
                return Err(not_now);
            }
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(opens) => {}
            }
        }
    }

    /// Asks for a passage; true: as the probe.
    fn ask(&self) -> Result<bool, NotNow> {
        let now = self.clock.now();
        let mut state = lock(&self.state);
        if let Some(not_now) = state.throttle(now) {
            return Err(not_now);
        }
        match state.breaker.ask(now) {
            Passage::Free => Ok(false),
            Passage::Probe => Ok(true),
            Passage::NotBefore(until) => Err(NotNow { until, why: WhyNot::BreakerOpen }),
        }
    }

    /// Before when nobody passes; none: the next does.
    pub(super) fn not_before(&self) -> Option<NotNow> {
        let now = self.clock.now();
        let state = lock(&self.state);
        let breaker = state.breaker.closed_until(now).map(|until| NotNow { until, why: WhyNot::BreakerOpen });
        state.throttle(now).into_iter().chain(breaker).max_by_key(|not_now| not_now.until)
    }

    /// What keeps a call back that has its passage, directly before it is sent: the gate may have closed since.
    pub(super) fn keeps_back(&self, probe: Option<&ProbeTicket>) -> Option<NotNow> {
        let now = self.clock.now();
        let state = lock(&self.state);
        let breaker_holds = probe.is_none() && !state.breaker.is_closed();
        let breaker = breaker_holds.then(|| NotNow {
            until: state.breaker.closed_until(now).unwrap_or_else(|| moment_after(now, Duration::from_secs(1))),
            why: WhyNot::BreakerOpen,
        });
        state.throttle(now).or(breaker)
    }

    /// Numbers a call that begins.
    pub(super) fn begin(&self) -> u64 {
        let mut state = lock(&self.state);
        state.begun += 1;
        state.begun
    }

    /// Notes how the call of that number ended; true: the breaker is closed now.
    pub(super) fn record(&self, failed: bool, begun: u64, probe: Option<ProbeTicket>) -> bool {
        let now = self.clock.now();
        let mut state = lock(&self.state);
        state.breaker.record(failed, begun, probe.is_some(), now);
        let closed = state.breaker.is_closed();
        drop(state);
        if let Some(mut ticket) = probe {
            ticket.0 = None;
            self.changed.notify_waiters();
        }
        closed
    }

    /// The other side asked to wait: nobody passes before. `wait` is told how often in a row it did, and says how long.
    pub(super) fn throttle(&self, wait: impl FnOnce(u32) -> Duration) -> NotNow {
        let mut state = lock(&self.state);
        state.throttled = state.throttled.saturating_add(1);
        let asked = moment_after(self.clock.now(), wait(state.throttled));
        // Answers may overtake one another: the longest wait holds.
        let until = state.throttled_until.map_or(asked, |present| present.max(asked));
        state.throttled_until = Some(until);
        NotNow { until, why: WhyNot::Throttled }
    }

    /// A call was let through by the other side.
    pub(super) fn not_throttled(&self) {
        lock(&self.state).throttled = 0;
    }
}

/// The one call that is tried while the breaker is half open. Dropped without an outcome, it lets the next one try.
pub(super) struct ProbeTicket(Option<Arc<Gate>>);

impl Drop for ProbeTicket {
    fn drop(&mut self) {
        if let Some(gate) = self.0.take() {
            lock(&gate.state).breaker.give_back();
            gate.changed.notify_waiters();
        }
    }
}
