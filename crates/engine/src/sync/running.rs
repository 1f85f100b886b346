//! Runs at work: claimed, held by a heartbeat, taken page by page, put off when their account cannot be called.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_connectors::CallError;
use lineshift_connectors::http::{AccountKey, WhyNot};
use lineshift_domain::judge::Reason;
use lineshift_domain::sync::{SyncPhase, SyncState};
use lineshift_store::sync::SyncClaim;
use lineshift_store::{Result as StoreResult, StoreError};
use tokio::task::JoinSet;

use super::RUNS_AT_ONCE;
use super::lists::Cut;
use crate::accounts::{OpenBilling, OpenCarrier};
use crate::transient::retry;
use crate::worker::Shutdown;
use crate::{Engine, EngineError, Result};

/// After so many failures in a row a run is given up.
const MOST_FAILURES: u32 = 10;

/// How long a run waits after its first failure, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// How long a run that takes what bulk changes leave waits before it looks again.
const WAIT_FOR_CHANGES: TimeDelta = TimeDelta::seconds(5);

/// Runs under way in this process.
#[derive(Default)]
pub(crate) struct Syncs(JoinSet<()>);

impl Syncs {
    /// Waits until all have ended or were given back.
    pub(crate) async fn all_ended(mut self) {
        while self.0.join_next().await.is_some() {}
    }
}

/// Why a run stops for now.
pub(super) enum Stop {
    /// Its account allows no call before that moment; no failure.
    Until(DateTime<Utc>, String),
    /// Something failed that may work later.
    Failed(String),
    /// One line was refused, which says nothing of the others: it is asked for again soon.
    Refused(String),
    /// It will not work, however often it is tried.
    GiveUp(String),
}

/// The account that a run reads.
enum ReadAccount {
    /// Of a billing system.
    Billing(OpenBilling),
    /// Of a carrier.
    Carrier(OpenCarrier),
}

impl ReadAccount {
    /// Which one, and which version of it.
    const fn stored(&self) -> (AccountKey, i64) {
        match self {
            Self::Billing(account) => (account.key, account.stored.version),
            Self::Carrier(account) => (account.key, account.stored.version),
        }
    }
}

impl Engine {
    /// Takes up runs that are due, as many as there is room for.
    pub(crate) async fn take_up_syncs(&self, syncs: &mut Syncs, shutdown: &Shutdown) -> Result<()> {
        while syncs.0.try_join_next().is_some() {}
        let room = RUNS_AT_ONCE.saturating_sub(syncs.0.len());
        if room == 0 {
            return Ok(());
        }
        for (tenant, id) in self.store.list_due_sync_runs(room, self.clock.now()).await? {
            let now = self.clock.now();
            let Some(claim) = self.store.claim_sync_run(tenant, id, now + self.limits.lease(), now).await? else { continue };
            let (engine, shutdown) = (self.clone(), shutdown.clone());
            syncs.0.spawn(async move {
                if let Err(error) = engine.run_sync(claim, Some(shutdown)).await {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "a synchronisation stopped; its lease will run out"
                    );
                }
            });
        }
        Ok(())
    }

    /// Runs every synchronisation that is due, one after the other, until it ends or waits. For tests, commands and embedded use.
    pub async fn run_due_syncs(&self) -> Result<usize> {
        let mut taken = 0;
        loop {
            let now = self.clock.now();
            let Some((tenant, id)) = self.store.list_due_sync_runs(1, now).await?.into_iter().next() else {
                self.rest_accounts(Duration::ZERO).await;
                return Ok(taken);
            };
            if let Some(claim) = self.store.claim_sync_run(tenant, id, now + self.limits.lease(), now).await? {
                taken += 1;
                self.run_sync(claim, None).await?;
            }
        }
    }

    /// Runs a claimed one until it ends, waits, is lost to another process or is to stop.
    async fn run_sync(&self, claim: SyncClaim, shutdown: Option<Shutdown>) -> Result<()> {
        let held = claim.clone();
        let heartbeat = async {
            loop {
                tokio::time::sleep(self.limits.heartbeat()).await;
                match self.store.renew_sync_lease(&held, self.clock.now() + self.limits.lease()).await {
                    Err(lost @ StoreError::LeaseLost { .. }) => return lost,
                    Err(error) => tracing::warn!(%error, "the lease of a synchronisation could not be renewed"),
                    Ok(()) => {}
                }
            }
        };
        let stop = async {
            match shutdown {
                Some(mut shutdown) => shutdown.due().await,
                None => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            biased;
            ended = self.run_pages_of_sync(claim.clone()) => ended,
            lost = heartbeat => Err(lost.into()),
            // It only reads: a call may be left in the middle, and the page is read again.
            () = stop => Ok(self.store.put_off_sync_run(&claim, self.clock.now(), claim.run.failures, None).await?),
        };
        match ended {
            Err(EngineError::Store(StoreError::LeaseLost { .. })) => {
                tracing::warn!(run = %claim.run.id, "a synchronisation was lost to another process");
                Ok(())
            }
            other => other,
        }
    }

    async fn run_pages_of_sync(&self, mut claim: SyncClaim) -> Result<()> {
        let account = match self.open_read(&claim).await? {
            Ok(account) => account,
            Err(reason) => return self.give_up_sync(&claim, &reason.text).await,
        };
        while claim.run.state == SyncState::Running {
            let (next, stop) = self.run_sync_page(claim, &account).await?;
            if let Some(stop) = stop {
                return self.stop_sync(&next, stop).await;
            }
            claim = next;
        }
        tracing::info!(run = %claim.run.id, counts = ?claim.run.counts, "synchronised");
        Ok(())
    }

    async fn open_read(&self, claim: &SyncClaim) -> Result<std::result::Result<ReadAccount, Reason>> {
        let key =
            AccountKey { tenant_id: claim.tenant_id, integration_authentication_id: claim.run.integration_authentication_id };
        Ok(if claim.run.service_provider_id.is_some() {
            self.open_carrier(key).await?.map(ReadAccount::Carrier)
        } else {
            self.open_billing(key).await?.map(ReadAccount::Billing)
        })
    }

    /// One page; answers the run as it stands then, and why it stops there, if it does.
    async fn run_sync_page(&self, claim: SyncClaim, account: &ReadAccount) -> StoreResult<(SyncClaim, Option<Stop>)> {
        let attempts = self.limits.attempts;
        let brought = match (account, claim.run.phase) {
            (ReadAccount::Billing(_), SyncPhase::ReportBilled | SyncPhase::ReportAssigned) => {
                return Ok((retry(attempts, || self.store.record_sync_report(&claim, self.clock.now())).await?, None));
            }
            (ReadAccount::Billing(account), SyncPhase::UnseenServices) => self.ask_for_services(&claim, account).await?,
            (ReadAccount::Billing(account), SyncPhase::UnseenProducts) => self.ask_for_products(&claim, account).await?,
            (ReadAccount::Billing(account), _) => self.read_list(&claim, account).await,
            (ReadAccount::Carrier(account), SyncPhase::CarrierPlans) => self.read_plans(&claim, account).await,
            (ReadAccount::Carrier(account), SyncPhase::UnseenDevices) => self.ask_for_lines(&claim, account).await?,
            (ReadAccount::Carrier(account), SyncPhase::Usage) => self.read_usage(&claim, account).await?,
            (ReadAccount::Carrier(account), _) => self.read_lines(&claim, account).await,
        };
        let brought = match brought {
            Ok(brought) => brought,
            Err(cut) => return Ok((claim, Some(self.stop_after(cut, account).await?))),
        };
        let recorded = retry(attempts, || self.store.record_sync(&claim, &brought.batch, brought.next, self.clock.now())).await?;
        // What was answered before a call failed is kept; the run then waits at the first that was not.
        let stop = match brought.cut {
            None => None,
            Some(cut) => Some(self.stop_after(cut, account).await?),
        };
        Ok((recorded, stop))
    }

    async fn stop_after(&self, cut: Cut, account: &ReadAccount) -> StoreResult<Stop> {
        let error = match cut {
            Cut::Failed(error) => error,
            Cut::LineRefused(error) => return Ok(Stop::Refused(error.to_string())),
            Cut::Wanted => {
                let until = self.clock.now() + WAIT_FOR_CHANGES;
                return Ok(Stop::Until(until, "bulk changes call this account; they go first".to_owned()));
            }
        };
        Ok(match error {
            // The breaker opens because calls fail: waiting for it is part of that failure.
            CallError::NotNow(not_now) if not_now.why == WhyNot::BreakerOpen => Stop::Failed(not_now.to_string()),
            CallError::NotNow(not_now) => Stop::Until(not_now.until, not_now.to_string()),
            CallError::Unauthorized { status, text } => {
                let said = format!("the credentials were refused with {status}: {text}");
                let (key, version) = account.stored();
                let (tenant, id) = (key.tenant_id, key.integration_authentication_id);
                self.store.record_refused_credentials(tenant, id, version, &said, self.clock.now()).await?;
                Stop::GiveUp(said)
            }
            CallError::Rejected { .. } | CallError::NotFound { .. } => Stop::GiveUp(error.to_string()),
            CallError::NotSent(_) | CallError::LeaseLost | CallError::Unavailable(_) | CallError::Ambiguous(_) => {
                Stop::Failed(error.to_string())
            }
        })
    }

    async fn stop_sync(&self, claim: &SyncClaim, stop: Stop) -> Result<()> {
        let now = self.clock.now();
        match stop {
            // Failures in a row are those between which no page was written: a wait that the account asked for changes nothing.
            Stop::Until(until, note) => {
                let until = until.max(now + TimeDelta::seconds(1));
                Ok(self.store.put_off_sync_run(claim, until, claim.run.failures, Some(&note)).await?)
            }
            Stop::Failed(ref note) | Stop::Refused(ref note) => {
                let failures = claim.run.failures + 1;
                if failures >= MOST_FAILURES {
                    return self.give_up_sync(claim, &format!("it failed {failures} times in a row: {note}")).await;
                }
                let longer = FIRST_PAUSE.saturating_mul(1 << claim.run.failures.min(16)).min(LONGEST_PAUSE);
                let pause = if matches!(stop, Stop::Refused(_)) { FIRST_PAUSE } else { longer };
                tracing::warn!(run = %claim.run.id, failures, %note, "a synchronisation waits after a failure");
                Ok(self.store.put_off_sync_run(claim, now + pause, failures, Some(note)).await?)
            }
            Stop::GiveUp(note) => self.give_up_sync(claim, &note).await,
        }
    }

    async fn give_up_sync(&self, claim: &SyncClaim, note: &str) -> Result<()> {
        tracing::warn!(run = %claim.run.id, note, "a synchronisation was given up");
        Ok(self.store.fail_sync_run(claim, note, self.clock.now()).await?)
    }
}
