//! The worker: takes pages in turns and runs them.

use tokio::sync::watch;

use crate::{Engine, Result};

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Who holds the pages; unique per process.
    pub owner: String,
}

/// Says when to stop: a worker finishes the page in hand.
#[derive(Debug, Clone)]
pub struct Shutdown(pub(crate) watch::Receiver<bool>);

/// Tells workers and schedulers to stop.
#[derive(Debug)]
pub struct ShutdownSender(watch::Sender<bool>);

/// A pair to stop workers and schedulers with.
#[must_use]
pub fn shutdown() -> (ShutdownSender, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (ShutdownSender(sender), Shutdown(receiver))
}

impl ShutdownSender {
    /// Asks all to stop after what they have in hand.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Whether it is time to stop.
    #[must_use]
    pub fn is_due(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is time to stop.
    pub async fn due(&mut self) {
        // A dropped sender means that nobody can ask any more: that is a stop, too.
        drop(self.0.wait_for(|stop| *stop).await);
    }
}

impl Engine {
    /// Runs pages until asked to stop.
    pub async fn run_worker(&self, options: WorkerOptions, shutdown: Shutdown) {
        todo!("{options:?} {shutdown:?}")
    }

    /// Runs pages until none is claimable now; answers how many it ran. For tests, commands and embedded use.
    pub async fn run_pages_until_idle(&self, options: &WorkerOptions) -> Result<u64> {
        todo!("{options:?}")
    }
}
