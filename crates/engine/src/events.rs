//! What happens to bulk changes in this process: progress for whoever watches, and wake-ups for workers.

use std::sync::Arc;

use lineshift_domain::ids::{BulkChangeId, TenantId};
use tokio::sync::{Notify, broadcast};

/// A bulk change of which something changed: read it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Tenant.
    pub tenant: TenantId,
    /// Bulk change.
    pub bulk_change_id: BulkChangeId,
}

/// Events of one process. Others may work on the same store, so that a watcher must also look by itself now and then.
#[derive(Debug, Clone)]
pub struct Events {
    changed: broadcast::Sender<Changed>,
    work: Arc<Notify>,
    queue: Arc<Notify>,
}

impl Default for Events {
    fn default() -> Self {
        Self { changed: broadcast::Sender::new(1_024), work: Arc::default(), queue: Arc::default() }
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

    pub(crate) async fn work_announced(&self) {
        self.work.notified().await;
    }

    pub(crate) async fn queue_announced(&self) {
        self.queue.notified().await;
    }
}
