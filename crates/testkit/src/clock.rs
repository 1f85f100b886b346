//! A clock that stands still until it is set, or that goes with tokio's.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_engine::Clock;
use tokio::time::Instant;

/// A clock for tests.
#[derive(Debug)]
pub struct TestClock {
    at: Mutex<DateTime<Utc>>,
    goes_since: Option<Instant>,
}

impl TestClock {
    /// A clock that stands at that moment (RFC 3339).
    #[must_use]
    pub fn at(moment: &str) -> Self {
        Self { at: Mutex::new(read(moment)), goes_since: None }
    }

    /// A clock that goes from that moment on as tokio's does: in a runtime whose clock is paused, time passes at once
    /// whenever everybody waits for it.
    #[must_use]
    pub fn going_from(moment: &str) -> Self {
        Self { at: Mutex::new(read(moment)), goes_since: Some(Instant::now()) }
    }

    /// Puts the clock forward, or back.
    pub fn advance(&self, by: TimeDelta) {
        *self.at.lock().expect("no test panics while it sets the clock") += by;
    }

    /// Sets the clock.
    pub fn set(&self, moment: &str) {
        *self.at.lock().expect("no test panics while it sets the clock") = read(moment);
    }
}

fn read(moment: &str) -> DateTime<Utc> {
    moment.parse().expect("a test writes a moment in RFC 3339")
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        let at = *self.at.lock().expect("no test panics while it reads the clock");
        let gone = self.goes_since.map_or(TimeDelta::zero(), |since| {
            TimeDelta::from_std(since.elapsed()).expect("a test takes less than a calendar holds")
        });
        // Whole microseconds, as stores keep them.
        at + TimeDelta::microseconds(gone.num_microseconds().unwrap_or(0))
    }
}
