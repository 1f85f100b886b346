//! The lease of a page, as the calls made under it see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use lineshift_connectors::http::SendGuard;

use crate::Clock;

/// Until when a page is ours. Heartbeats put it forward; a call looks at it directly before its first byte (B7.1).
pub(crate) struct Lease {
    until: AtomicI64,
    clock: Arc<dyn Clock>,
}

impl Lease {
    pub(crate) fn new(until: DateTime<Utc>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { until: AtomicI64::new(until.timestamp_micros()), clock })
    }

    pub(crate) fn renewed(&self, until: DateTime<Utc>) {
        self.until.store(until.timestamp_micros(), Ordering::Release);
    }
}

impl SendGuard for Lease {
    fn may_send(&self) -> bool {
        self.clock.now().timestamp_micros() < self.until.load(Ordering::Acquire)
    }
}
