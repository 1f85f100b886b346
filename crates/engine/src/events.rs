//! What happens to bulk changes in this process: progress for whoever watches, and wake-ups for workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lineshift_domain::ids::{BulkChangeId, TenantId};
use lineshift_store::signals::Signal;
use tokio::sync::{Notify, broadcast};

/// A bulk change of which something changed: read it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Tenant.
    pub tenant: TenantId,
    /// Bulk change.
    pub bulk_change_id: BulkChangeId,
}

/// Events of one process, and those of others of which the store gives a hint. Hints may be missed, and not every store gives any,
/// so that a watcher must also look by itself now and then.
#[derive(Debug, Clone)]
pub struct Events {
    changed: broadcast::Sender<Changed>,
    work: Arc<Notify>,
    queue: Arc<Notify>,
    /// Whether hints of other processes come.
    hears_others: Arc<AtomicBool>,
}

impl Default for Events {
    fn default() -> Self {
        Self { changed: broadcast::Sender::new(1_024), work: Arc::default(), queue: Arc::default(), hears_others: Arc::default() }
    }
}

impl Events {
    /// Hears of every change from now on; a slow receiver misses some and must look by itself.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Changed> {
        self.changed.subscribe()
    }

    /// Tells watchers.
    pub(crate) fn changed(&self, tenant: TenantId, bulk_change_id: BulkChangeId) {
        // Nobody watching is no error.
        drop(self.changed.send(Changed { tenant, bulk_change_id }));
    }

    /// Wakes workers: there may be a page.
    pub(crate) fn wake_workers(&self) {
        self.work.notify_waiters();
        self.work.notify_one();
    }

    /// Wakes the scheduler: an entry may fall due earlier than it thinks.
    pub(crate) fn wake_scheduler(&self) {
        self.queue.notify_one();
    }

    /// Takes a hint of the store.
    pub(crate) fn heard(&self, signal: Signal) {
        match signal {
            Signal::Work => self.wake_workers(),
            Signal::Queue => self.wake_scheduler(),
            Signal::Changed(tenant, bulk_change_id) => self.changed(tenant, bulk_change_id),
            Signal::Heard => {
                self.hears_others.store(true, Ordering::Relaxed);
                self.wake_workers();
                self.wake_scheduler();
            }
            Signal::Deaf => {
                self.hears_others.store(false, Ordering::Relaxed);
                // Whoever began a long pause looks once more, and then often.
                self.wake_workers();
                self.wake_scheduler();
            }
        }
    }

    /// Whether it is enough to look seldom: what others announce is heard of.
    pub(crate) fn hears_others(&self) -> bool {
        self.hears_others.load(Ordering::Relaxed)
    }

    pub(crate) async fn work_announced(&self) {
        self.work.notified().await;
    }

    pub(crate) async fn queue_announced(&self) {
        self.queue.notified().await;
    }
}
