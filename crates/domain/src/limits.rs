//! The limits of section 13, with their defaults. Each is configuration and stated in the answer that enforces it.

use std::time::Duration;

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
        }
    }
}

impl Limits {
    /// The lease as a duration.
    #[must_use]
    pub const fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_seconds)
    }

    /// The heartbeat as a duration.
    #[must_use]
    pub const fn heartbeat(&self) -> Duration {
        Duration::from_secs(self.heartbeat_seconds)
    }
}
