//! The limits of section 13, with their defaults. Each is configuration and stated in the answer that enforces it.

use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// Limits that the operator may set. Times are whole seconds in the configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Devices in one bulk change.
    pub devices_per_change: usize,
    /// Bytes of a request body.
    pub body_bytes: usize,
    /// How deep a JSON body may nest.
    pub body_depth: usize,
    /// Lines a page holds where nobody outside is called (B5.2), and lines stored in one transaction (B4.7).
    pub page_lines: usize,
    /// Seconds for which a worker holds a page without a heartbeat.
    pub lease_seconds: u64,
    /// Seconds between two heartbeats.
    pub heartbeat_seconds: u64,
    /// Days that a date may lie ahead.
    pub days_ahead: i64,
    /// Days that a date may lie back (B4.4).
    pub days_back: i64,
    /// Hours for which an idempotency key is kept (B4.5).
    pub idempotency_hours: i64,
    /// How often a step or store write is tried (B5.5, B5.7).
    pub attempts: u32,
    /// Seconds for which the outcome of a creating call is read back before it may be sent again (B7.3).
    pub settle_after_seconds: u64,
    /// Hours after which reading back is given up (B7.3).
    pub read_back_hours: u64,
    /// Seconds that an outside call may take.
    pub call_timeout_seconds: u64,
    /// Seconds that connecting to an outside system may take.
    pub connect_timeout_seconds: u64,
    /// Requests that one API key may send in a second in the long run; 0: without limit.
    pub requests_per_second_per_key: u32,
    /// Requests that it may send at once after a while without any.
    pub request_burst_per_key: u32,
    /// Requests that may come from one address in a second in the long run; 0: without limit.
    pub requests_per_second_per_address: u32,
    /// Requests that may come from it at once after a while without any.
    pub request_burst_per_address: u32,
    /// Calls that a Rev.io account takes in any minute, where the account itself says nothing else.
    pub revio_calls_a_minute: u32,
    /// Calls that a Rev.io account takes in any 24 hours, likewise.
    pub revio_calls_a_day: u32,
    /// Calls under way at a Rev.io account at a time, likewise.
    pub revio_concurrency: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            devices_per_change: 1_000_000,
            body_bytes: 64 << 20,
            body_depth: 32,
            page_lines: 5_000,
            lease_seconds: 30,
            heartbeat_seconds: 10,
            days_ahead: 730,
            days_back: 400,
            idempotency_hours: 24,
            attempts: 5,
            settle_after_seconds: 600,
            read_back_hours: 24,
            call_timeout_seconds: 30,
            connect_timeout_seconds: 5,
            requests_per_second_per_key: 200,
            request_burst_per_key: 2_000,
            requests_per_second_per_address: 400,
            request_burst_per_address: 4_000,
            revio_calls_a_minute: 500,
            revio_calls_a_day: 150_000,
            revio_concurrency: 32,
        }
    }
}

impl Limits {
    /// The lease as a duration.
    #[must_use]
    pub const fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_seconds)
    }

    /// How long the outcome of a creating call is read back before it may be sent again (B7.3).
    #[must_use]
    pub fn settle_after(&self) -> TimeDelta {
        seconds(self.settle_after_seconds)
    }

    /// After how long reading back is given up (B7.3).
    #[must_use]
    pub fn read_back(&self) -> TimeDelta {
        seconds(self.read_back_hours.saturating_mul(3_600))
    }

    /// How long an outside call may take.
    #[must_use]
    pub const fn call_timeout(&self) -> Duration {
        Duration::from_secs(self.call_timeout_seconds)
    }

    /// How long connecting to an outside system may take.
    #[must_use]
    pub const fn connect_timeout(&self) -> Duration {
        Duration::from_secs(self.connect_timeout_seconds)
    }

    /// The heartbeat as a duration.
    #[must_use]
    pub const fn heartbeat(&self) -> Duration {
        Duration::from_secs(self.heartbeat_seconds)
    }
}

/// So many seconds; more than a calendar holds count as a thousand years.
fn seconds(count: u64) -> TimeDelta {
    const MOST: i64 = 1_000 * 366 * 86_400;
    TimeDelta::seconds(i64::try_from(count).unwrap_or(MOST).min(MOST))
}
