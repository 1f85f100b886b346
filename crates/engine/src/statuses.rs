//! Active carrier statuses, cached (B7.6): they change rarely, and every page needs them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lineshift_domain::judge::ActiveStatuses;
use lineshift_store::Result;

use crate::Engine;

/// How long what was read counts.
const TIME_TO_LIVE: Duration = Duration::from_secs(60);

/// What was read last, if anything was.
#[derive(Clone, Default)]
pub(crate) struct CachedStatuses(Arc<Mutex<Option<Read>>>);

/// What was read, and when.
#[derive(Clone)]
struct Read {
    at: Instant,
    statuses: Arc<ActiveStatuses>,
}

impl Engine {
    /// The statuses that count as active: those that are stored, and those that carriers say are.
    pub(crate) async fn active_statuses(&self) -> Result<Arc<ActiveStatuses>> {
        let fresh = self.statuses.0.lock().expect("never held over a panic").clone();
        if let Some(read) = fresh.filter(|read| read.at.elapsed() < TIME_TO_LIVE) {
            return Ok(read.statuses);
        }
        let of_carriers = self.carriers().iter().flat_map(|carrier| carrier.abilities().active_statuses());
        let statuses = Arc::new(self.store.active_statuses().await?.and(of_carriers));
        *self.statuses.0.lock().expect("never held over a panic") =
            Some(Read { at: Instant::now(), statuses: Arc::clone(&statuses) });
        Ok(statuses)
    }
}
