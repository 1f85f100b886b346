//! The worker: takes pages in turns and runs them.

use std::time::Duration;

use lineshift_domain::codes::Code;
use lineshift_domain::terms::DeviceChangeStatus;
use lineshift_store::work::{PageClaim, PageTask, RunnableChange};
use lineshift_store::{Result as StoreResult, StoreError};
use tokio::sync::watch;

use crate::run::measure_final;
use crate::transient::retry;
use crate::turns::Turns;
use crate::{Engine, Result};

/// How long a worker that heard nothing waits before it looks by itself: another process may have stored something.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long a worker waits after the store failed in a way that trying again at once does not mend.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

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

    /// Waits until it is time to stop. A sender that was dropped can ask nobody any more: that is a stop, too.
    pub async fn due(&mut self) {
        drop(self.0.wait_for(|stop| *stop).await);
    }
}

impl Engine {
    /// Runs pages until asked to stop.
    pub async fn run_worker(&self, options: WorkerOptions, mut shutdown: Shutdown) {
        let mut turns = Turns::default();
        while !shutdown.is_due() {
            let pause = match self.run_next_page(&options, &mut turns).await {
                Ok(true) => continue,
                Ok(false) => LOOK_AGAIN,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "a page could not be run; it will be tried again");
                    AFTER_FAILURE
                }
            };
            tokio::select! {
                () = shutdown.due() => {}
                () = self.events.work_announced() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Runs pages until none is claimable now; answers how many it ran. For tests, commands and embedded use.
    pub async fn run_pages_until_idle(&self, options: &WorkerOptions) -> Result<u64> {
        let mut turns = Turns::default();
        let mut pages = 0;
        while self.run_next_page(options, &mut turns).await? {
            pages += 1;
        }
        Ok(pages)
    }

    /// Runs what is left of one change, in the caller's own time.
    pub(crate) async fn run_pages_of(&self, change: RunnableChange, owner: &str) -> StoreResult<()> {
        while self.run_page_of(change, owner).await? {}
        Ok(())
    }

    /// Claims the next page in turn and runs it; false when none is claimable.
    async fn run_next_page(&self, options: &WorkerOptions, turns: &mut Turns) -> StoreResult<bool> {
        let runnable = retry(self.limits.attempts, || self.store.list_runnable()).await?;
        let mut failed = None;
        for change in turns.order(runnable.into_iter().map(|runnable| runnable.change).collect()) {
            match self.run_page_of(change, &options.owner).await {
                Ok(false) => {}
                Ok(true) => {
                    turns.served(change);
                    return Ok(true);
                }
                Err(error) if stops_all(&error) => return Err(error),
                Err(error) => {
                    // What fails with one change is no reason to let the others wait.
                    tracing::error!(error = &error as &dyn std::error::Error, change = %change.bulk_change_id, "a change failed");
                    turns.served(change);
                    failed = Some(error);
                }
            }
        }
        failed.map_or(Ok(false), Err)
    }

    async fn run_page_of(&self, change: RunnableChange, owner: &str) -> StoreResult<bool> {
        let claimed = retry(self.limits.attempts, || {
            let now = self.clock.now();
            self.store.claim_page(change, owner, now + self.limits.lease(), now)
        })
        .await?;
        let Some(claim) = claimed else { return self.complete(change).await };
        match self.run_under_lease(&claim).await {
            Ok(()) => {}
            // Another worker has it by now, and does it (B5.1).
            Err(StoreError::LeaseLost { .. }) => {
                tracing::warn!(page = claim.page, change = %claim.bulk_change_id, "a lease was lost");
            }
            Err(error) => self.after_failure(&claim, error).await?,
        }
        self.events.changed(change.tenant_id, change.bulk_change_id);
        Ok(true)
    }

    /// Runs a page while its lease is renewed; gives up as soon as the lease is lost.
    async fn run_under_lease(&self, claim: &PageClaim) -> StoreResult<()> {
        let run = retry(STORE_ATTEMPTS, || self.run_claimed(claim));
        let heartbeat = async {
            loop {
                tokio::time::sleep(self.limits.heartbeat()).await;
                match self.store.renew_lease(claim, self.clock.now() + self.limits.lease()).await {
                    Err(lost @ StoreError::LeaseLost { .. }) => return lost,
                    Err(error) => tracing::warn!(%error, "a lease could not be renewed"),
                    Ok(()) => {}
                }
            }
        };
        tokio::select! {
            biased;
            done = run => done,
            lost = heartbeat => Err(lost),
        }
    }

    async fn run_claimed(&self, claim: &PageClaim) -> StoreResult<()> {
        match claim.task {
            PageTask::Run => self.run_page(claim).await.map(|_| ()),
            PageTask::Complete => self.store.complete_page(claim, self.clock.now()).await,
        }
    }

    /// A page that failed is given back; after its attempts its rows end in ERROR with the reason (B5.7). A store that
    /// cannot be written to at all is waited for instead: nothing of the page is lost.
    async fn after_failure(&self, claim: &PageClaim, error: StoreError) -> StoreResult<()> {
        if stops_all(&error) {
            return Err(error);
        }
        tracing::error!(error = &error as &dyn std::error::Error, page = claim.page, change = %claim.bulk_change_id, "a page failed");
        let used_up = claim.failures + 1 >= i64::from(self.limits.attempts);
        if used_up && claim.task == PageTask::Run {
            let text = format!("the store failed {} times: {error}", claim.failures + 1);
            let failed = self.store.fail_page(claim, Code::StoreFailed, &text, self.clock.now()).await?;
            measure_final(DeviceChangeStatus::Error, Some(Code::StoreFailed), failed.refused);
            return Ok(());
        }
        // History and links are owed however often they fail, and rows have their attempts; only the former wait longer
        // with each failure.
        let pause = match claim.task {
            PageTask::Run => Duration::ZERO,
            PageTask::Complete => Duration::from_secs(1 << claim.failures.clamp(0, 6)),
        };
        self.store.give_back_page(claim, self.clock.now() + pause).await
    }

    /// Completes a change of which nothing is left to run (B11.3); true when this did it.
    async fn complete(&self, change: RunnableChange) -> StoreResult<bool> {
        let Some(ended) = self.store.complete_bulk_change(change, self.clock.now()).await? else { return Ok(false) };
        tracing::info!(change = %change.bulk_change_id, status = %ended.status(), "bulk change completed");
        self.events.changed(change.tenant_id, change.bulk_change_id);
        Ok(true)
    }
}

/// Whether a store that fails so fails for every change.
const fn stops_all(error: &StoreError) -> bool {
    matches!(error, StoreError::Full(_) | StoreError::ReadOnly(_) | StoreError::Unavailable(_))
}

/// How often a transaction is tried when the store is busy (B5.5).
const STORE_ATTEMPTS: u32 = 3;
