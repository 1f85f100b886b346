//! Hearing of what other processes do on the same store, and how often to look in spite of it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use lineshift_store::signals::Signals;

use crate::Engine;
use crate::worker::Shutdown;

/// How long whoever heard nothing waits before it looks by itself, on a store that gives no hints.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The same at most where hints come: one may be lost, and what waits for a moment is announced by nobody.
const LOOK_SELDOM: Duration = Duration::from_secs(5);

/// Whoever worked so short a while ago still looks often: rows that it put off for a second or two are due then.
const STAYS_AWAKE: Duration = Duration::from_secs(60);

impl Engine {
    /// Hears of what other processes announce, until asked to stop: their work, what they schedule, the progress of bulk changes.
    /// Every process needs it, whatever else it does; on a store that gives no hints it only waits.
    pub async fn run_listener(&self, mut shutdown: Shutdown) {
        match self.store.signals() {
            Some(signals) => self.hear(signals, shutdown).await,
            None => shutdown.due().await,
        }
    }

    /// The same from wherever hints come.
    pub async fn hear(&self, mut signals: Box<dyn Signals>, mut shutdown: Shutdown) {
        loop {
            tokio::select! {
                biased;
                () = shutdown.due() => return,
                signal = signals.next() => self.events.heard(signal),
            }
        }
    }

    /// How long to wait for news before looking by itself, for one who had nothing to do for so long. Processes that all began to wait together look one after the other:
    /// between half of the longest pause and the whole of it, by name and number of the look.
    pub(crate) fn look_again(&self, looks: u64, idle_for: Duration) -> Duration {
        if !self.events.hears_others() || idle_for < STAYS_AWAKE {
            return LOOK_AGAIN;
        }
        let mut hash = DefaultHasher::new();
        (&*self.name, looks).hash(&mut hash);
        let thousandths = u32::try_from(hash.finish() % 500).unwrap_or_default();
        LOOK_SELDOM / 2 + LOOK_SELDOM * thousandths / 1_000
    }
}
