//! Synchronisation with billing accounts: customers, services and service products are read page by page, what nobody listed is
//! asked for, and what is billed is held against what is assigned. Of a service provider's carrier, rate plans and lines are read
//! likewise, and on demand what lines used.
//!
//! A run is stored and claimed under a lease; each page is one transaction with the run's place, so that a run that was killed goes
//! on at its page, and of two processes one is at work. Reading takes permits like everybody; when the account cannot be called for
//! longer than a call waits, the run waits in the store and nobody sleeps.

mod begin;
mod devices;
mod lists;
mod running;
mod unseen;
mod usage;

use std::time::Duration;

use chrono::{DateTime, Utc};

pub use self::begin::SyncOrder;
pub(crate) use self::running::Syncs;

/// Runs of one process at a time.
const RUNS_AT_ONCE: usize = 4;

/// When something was last looked for that need not be looked for with every look of the scheduler.
#[derive(Clone, Default)]
pub(crate) struct LastLook(std::sync::Arc<std::sync::Mutex<Option<DateTime<Utc>>>>);

impl LastLook {
    /// Whether the last look is so long ago; then this is one.
    pub(crate) fn is_due(&self, now: DateTime<Utc>, every: Duration) -> bool {
        let mut last = self.0.lock().expect("never held over a panic");
        // A clock that was set back is no reason to wait for it.
        let is_due = last.is_none_or(|last| (now - last).abs().to_std().is_ok_and(|gone| gone >= every));
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}
