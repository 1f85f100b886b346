//! The worker: takes pages in turns and runs them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use lineshift_connectors::http::AccountKey;
use lineshift_domain::codes::Code;
use lineshift_domain::ids::TenantId;
use lineshift_domain::terms::DeviceChangeStatus;
use lineshift_store::work::{CalledAccounts, PageClaim, PageResult, PageTask, Runnable, RunnableChange};
use lineshift_store::{Result as StoreResult, StoreError};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

use crate::beside::{Beside, CompletingPages};
use crate::boundary::Boundary;
use crate::outside::{Holding, Lease};
use crate::run::measure_final;
use crate::transient::retry;
use crate::turns::Turns;
use crate::{Engine, Result};

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

/// What a turn of a change came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Nothing of it is claimable now.
    Nothing,
    /// It had its turn.
    Taken,
    /// It has one page only, and its turn lasts until the change is completed, unless the page waits or is given back: were others to
    /// come in between, a change of ten lines would be delayed by several pages of a large one (B5.2).
    GoesOn,
}

/// What became of a claimed page.
enum PageEnd {
    /// Its rows are final; history and links are to be written under the same claim.
    Done(PageClaim),
    /// History and links are written, too.
    Completed,
    /// It waits, was given back, or was lost.
    LetGo,
}

impl PageEnd {
    /// Of a page that was run.
    fn of(claim: &PageClaim, result: PageResult) -> Self {
        if result.waiting == 0 { Self::Done(claim.to_complete()) } else { Self::LetGo }
    }
}

impl Engine {
    /// Runs pages until asked to stop. Pages in hand are finished; those that wait for an account are given back.
    pub async fn run_worker(&self, options: WorkerOptions, mut shutdown: Shutdown) {
        let mut turns = Turns::default();
        let mut beside = Beside::new(shutdown.clone());
        let (mut looks, mut worked_at) = (0, Instant::now());
        while !shutdown.is_due() {
            beside.outside.count_off_ended();
            self.rest_idle_accounts().await;
            looks += 1;
            let pause = match self.run_next_page(&options, &mut turns, Some(&mut beside)).await {
                Ok(true) => {
                    worked_at = Instant::now();
                    continue;
                }
                Ok(false) => self.look_again(looks, worked_at.elapsed()),
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "a page could not be run; it will be tried again");
                    AFTER_FAILURE
                }
            };
            tokio::select! {
                () = shutdown.due() => {}
                () = self.events.work_announced() => {}
                () = beside.outside.ended() => worked_at = Instant::now(),
                () = beside.completing.ended() => worked_at = Instant::now(),
                () = tokio::time::sleep(pause) => {}
            }
        }
        beside.all_ended().await;
        self.rest_accounts(Duration::ZERO).await;
    }

    /// Runs pages until none is claimable now; answers how many it ran. For tests, commands and embedded use.
    pub async fn run_pages_until_idle(&self, options: &WorkerOptions) -> Result<u64> {
        let mut turns = Turns::default();
        let mut pages = 0;
        while self.run_next_page(options, &mut turns, None).await? {
            pages += 1;
        }
        self.rest_accounts(Duration::ZERO).await;
        Ok(pages)
    }

    /// Runs what is left of one change, in the caller's own time.
    pub(crate) async fn run_pages_of(&self, change: RunnableChange, owner: &str) -> StoreResult<()> {
        while self.run_page_of(change, owner, None).await? != Turn::Nothing {}
        Ok(())
    }

    /// Claims the next page in turn and runs it; false when none is claimable. Given a place for them, pages that call outside
    /// are run beside, and others completed there.
    async fn run_next_page(
        &self,
        options: &WorkerOptions,
        turns: &mut Turns,
        mut beside: Option<&mut Beside>,
    ) -> StoreResult<bool> {
        let runnable = retry(self.limits.attempts, || self.store.list_runnable()).await?;
        let by_change: HashMap<RunnableChange, Runnable> =
            runnable.into_iter().map(|runnable| (runnable.change, runnable)).collect();
        let mut failed = None;
        for change in turns.order(by_change.keys().copied().collect()) {
            let runnable = by_change[&change];
            let ran = match (runnable.accounts.called_first(), beside.as_deref_mut()) {
                (Some(account), Some(beside)) => {
                    let key = AccountKey { tenant_id: change.tenant_id, integration_authentication_id: account };
                    // An account that cannot be called now gets no further page; a canceled change needs no call for most rows.
                    let would_call = runnable.has_open_rows && !runnable.is_canceled;
                    if would_call && self.is_any_put_off(change.tenant_id, runnable.accounts).await? {
                        continue;
                    }
                    let Some(room) = beside.outside.room(key) else { continue };
                    self.begin_outside_page((change, key), &options.owner, room, beside).await
                }
                (_, beside) => self.run_page_of(change, &options.owner, beside.map(|beside| &mut beside.completing)).await,
            };
            match ran {
                Ok(Turn::Nothing) => {}
                Ok(Turn::GoesOn) => return Ok(true),
                Ok(Turn::Taken) => {
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

    async fn is_any_put_off(&self, tenant_id: TenantId, accounts: CalledAccounts) -> StoreResult<bool> {
        for integration_authentication_id in accounts.iter() {
            if self.is_put_off(AccountKey { tenant_id, integration_authentication_id }).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether an account is known to take no call for longer than a call waits. One that was set anew since may take some.
    async fn is_put_off(&self, key: AccountKey) -> StoreResult<bool> {
        let Some((version, connector)) = self.accounts.find_built_version(key) else { return Ok(false) };
        let account = connector.account();
        let patience = TimeDelta::from_std(account.limits().patience).unwrap_or(TimeDelta::MAX);
        if account.not_before().is_none_or(|not_now| not_now.until <= self.clock.now() + patience) {
            return Ok(false);
        }
        Ok(self.store.get_account(key.tenant_id, key.integration_authentication_id).await?.version == version)
    }

    /// Claims a page that calls outside and runs it beside.
    async fn begin_outside_page(
        &self,
        (change, key): (RunnableChange, AccountKey),
        owner: &str,
        room: OwnedSemaphorePermit,
        Beside { outside, shutdown, .. }: &mut Beside,
    ) -> StoreResult<Turn> {
        let Some((claim, lease)) = self.claim(change, owner).await? else { return self.complete(change).await };
        let engine = self.clone();
        let holding = Holding { lease, shutdown: Some(shutdown.clone()), room: Arc::new(Mutex::new(Some(room))) };
        outside.begin(key, async move {
            if let Err(error) = engine.run_to_its_end(claim, &holding).await {
                tracing::error!(error = &error as &dyn std::error::Error, "a page came to no end; its lease will run out");
            }
        });
        Ok(Turn::Taken)
    }

    async fn run_page_of(
        &self,
        change: RunnableChange,
        owner: &str,
        completing: Option<&mut CompletingPages>,
    ) -> StoreResult<Turn> {
        let Some((claim, lease)) = self.claim(change, owner).await? else { return self.complete(change).await };
        let holding = Holding::alone(lease);
        // The first page of several is full.
        let has_one_page = claim.page == 0 && claim.lines() < self.limits.page_lines as u64;
        let Some(completing) = completing.filter(|_| !has_one_page) else {
            let end = self.run_to_its_end(claim, &holding).await?;
            return Ok(if has_one_page && matches!(end, PageEnd::Completed) { Turn::GoesOn } else { Turn::Taken });
        };
        if let PageEnd::Done(claim) = self.run_claim(claim, &holding).await? {
            let engine = self.clone();
            let complete = async move {
                if let Err(error) = engine.run_claim(claim, &holding).await {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "a page could not be completed; its lease will run out"
                    );
                }
            };
            completing.begin(complete).await;
        }
        Ok(Turn::Taken)
    }

    /// Runs a claimed page and completes it under the same claim.
    async fn run_to_its_end(&self, claim: PageClaim, holding: &Holding) -> StoreResult<PageEnd> {
        match self.run_claim(claim, holding).await? {
            PageEnd::Done(claim) => self.run_claim(claim, holding).await,
            end => Ok(end),
        }
    }

    async fn claim(&self, change: RunnableChange, owner: &str) -> StoreResult<Option<(PageClaim, Arc<Lease>)>> {
        let mut until = self.clock.now();
        let claimed = retry(self.limits.attempts, || {
            let now = self.clock.now();
            until = now + self.limits.lease();
            self.store.claim_page(change, owner, until, now)
        })
        .await?;
        Ok(claimed.map(|claim| (claim, Lease::new(until, Arc::clone(&self.clock)))))
    }

    /// Does what a page was claimed for. Who watches is told when rows of it may have ended.
    async fn run_claim(&self, claim: PageClaim, holding: &Holding) -> StoreResult<PageEnd> {
        let end = match self.run_under_lease(&claim, holding).await {
            Ok(end) => end,
            // Another worker has it by now, and does it (B5.1). Or it was run, and the answer to that was lost: completing it tells.
            Err(StoreError::LeaseLost { .. }) if claim.task == PageTask::Run => PageEnd::Done(claim.to_complete()),
            Err(StoreError::LeaseLost { .. }) => {
                tracing::warn!(page = claim.page, change = %claim.bulk_change_id, "a lease was lost");
                PageEnd::LetGo
            }
            Err(error) => self.after_failure(&claim, error).await?,
        };
        if claim.task == PageTask::Run {
            self.events.changed(claim.tenant_id, claim.bulk_change_id);
        }
        Ok(end)
    }

    /// Runs a page while its lease is renewed; gives up as soon as the lease is lost.
    async fn run_under_lease(&self, claim: &PageClaim, holding: &Holding) -> StoreResult<PageEnd> {
        let run = retry(STORE_ATTEMPTS, || self.run_claimed(claim, holding));
        let heartbeat = async {
            loop {
                tokio::time::sleep(self.limits.heartbeat()).await;
                let until = self.clock.now() + self.limits.lease();
                match self.store.renew_lease(claim, until).await {
                    Err(lost @ StoreError::LeaseLost { .. }) => return lost,
                    Err(error) => tracing::warn!(%error, "a lease could not be renewed"),
                    Ok(()) => holding.lease.renewed(until),
                }
            }
        };
        tokio::select! {
            biased;
            done = run => done,
            lost = heartbeat => Err(lost),
        }
    }

    async fn run_claimed(&self, claim: &PageClaim, holding: &Holding) -> StoreResult<PageEnd> {
        match claim.task {
            PageTask::Run => self.run_page_holding(claim, holding.clone()).await.map(|result| PageEnd::of(claim, result)),
            PageTask::Complete => {
                self.boundaries.pass(Boundary::Completing, None).await;
                self.store.complete_page(claim, self.clock.now()).await.map(|()| PageEnd::Completed)
            }
        }
    }

    /// A page that failed is given back; after its attempts its rows end in ERROR with the reason (B5.7). A store that
    /// cannot be written to at all is waited for instead: nothing of the page is lost.
    async fn after_failure(&self, claim: &PageClaim, error: StoreError) -> StoreResult<PageEnd> {
        if stops_all(&error) {
            return Err(error);
        }
        tracing::error!(error = &error as &dyn std::error::Error, page = claim.page, change = %claim.bulk_change_id, "a page failed");
        let used_up = claim.failures + 1 >= i64::from(self.limits.attempts);
        if used_up && claim.task == PageTask::Run {
            let text = format!("the store failed {} times: {error}", claim.failures + 1);
            let failed = self.store.fail_page(claim, Code::StoreFailed, &text, self.clock.now()).await?;
            measure_final(DeviceChangeStatus::Error, Some(Code::StoreFailed), failed.refused);
            return Ok(PageEnd::of(claim, failed));
        }
        // History and links are owed however often they fail, and rows have their attempts; only the former wait longer
        // with each failure.
        let pause = match claim.task {
            PageTask::Run => Duration::ZERO,
            PageTask::Complete => Duration::from_secs(1 << claim.failures.clamp(0, 6)),
        };
        self.store.give_back_page(claim, self.clock.now() + pause).await?;
        Ok(PageEnd::LetGo)
    }

    /// Completes a change of which nothing is left to run (B11.3), if it is so.
    async fn complete(&self, change: RunnableChange) -> StoreResult<Turn> {
        let Some(ended) = self.store.complete_bulk_change(change, self.clock.now()).await? else { return Ok(Turn::Nothing) };
        tracing::info!(change = %change.bulk_change_id, status = %ended.status(), "bulk change completed");
        self.events.changed(change.tenant_id, change.bulk_change_id);
        Ok(Turn::Taken)
    }
}

/// Whether a store that fails so fails for every change.
const fn stops_all(error: &StoreError) -> bool {
    matches!(error, StoreError::Full(_) | StoreError::ReadOnly(_) | StoreError::Unavailable(_))
}

/// How often a transaction is tried when the store is busy (B5.5).
const STORE_ATTEMPTS: u32 = 3;
