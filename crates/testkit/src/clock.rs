//! A clock that stands still until it is set.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_engine::Clock;

/// A clock for tests.
#[derive(Debug)]
pub struct TestClock(Mutex<DateTime<Utc>>);

impl TestClock {
    /// A clock that stands at that moment (RFC 3339).
    #[must_use]
    pub fn at(moment: &str) -> Self {
        Self(Mutex::new(moment.parse().expect("a test writes a moment in RFC 3339")))
    }

    /// Puts the clock forward, or back.
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().expect("no test panics while it sets the clock") += by;
    }

    /// Sets the clock.
    pub fn set(&self, moment: &str) {
        *self.0.lock().expect("no test panics while it sets the clock") = moment.parse().expect("a moment in RFC 3339");
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("no test panics while it reads the clock")
    }
}
