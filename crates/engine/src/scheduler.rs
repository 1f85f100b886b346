//! The scheduler: applies plan queue entries that fall due (B8.3), drops abandoned submissions (B4.7), takes messages out of the
//! outbox, and runs synchronisations beside all that.

use std::collections::BTreeMap;
use std::time::Duration;

use lineshift_domain::codes::Code;
use lineshift_domain::ids::{DeviceChangeId, TenantId};
use lineshift_domain::judge::{ActiveStatuses, Judge, Reason, Verdict};
use lineshift_domain::order::{StoredOrder, StoredPlan};
use lineshift_store::plan_queue::{DueEntry, DueResult};
use lineshift_store::work::message_kind;
use lineshift_store::{Result as StoreResult, StoreError};

use crate::sync::Syncs;
use crate::transient::retry;
use crate::worker::Shutdown;
use crate::{Engine, Result};

/// Abandoned submissions dropped at a time.
const DROP_AT_ONCE: usize = 4;

/// Messages taken out of the outbox at a time.
const MESSAGES_AT_ONCE: usize = 500;

impl Engine {
    /// Applies due entries until asked to stop.
    pub async fn run_scheduler(&self, mut shutdown: Shutdown) {
        let mut syncs = Syncs::default();
        let mut looks = 0;
        while !shutdown.is_due() {
            looks += 1;
            self.rest_idle_accounts().await;
            self.tick().await;
            report("beginning synchronisations", self.begin_scheduled_syncs().await);
            report("taking synchronisations up", self.take_up_syncs(&mut syncs, &shutdown).await);
            tokio::select! {
                () = shutdown.due() => {}
                () = self.events.queue_announced() => {}
                () = tokio::time::sleep(self.look_again(looks, Duration::MAX)) => {}
            }
        }
        syncs.all_ended().await;
        self.rest_accounts(Duration::ZERO).await;
    }

    /// Applies every entry that is due now; those whose line others have in hand wait for the next look. For tests, commands and
    /// embedded use.
    pub async fn run_due_entries(&self) -> Result<DueResult> {
        let mut total = DueResult::default();
        let mut failing: BTreeMap<TenantId, StoreError> = BTreeMap::new();
        // One page a tenant and round, so that tenants take turns; what fails for one does not keep the others waiting.
        loop {
            let mut round = DueResult::default();
            for tenant in self.store.list_tenants_with_due_entries(self.clock.now()).await? {
                if failing.contains_key(&tenant) {
                    continue;
                }
                match retry(self.limits.attempts, || self.run_due_page(tenant)).await {
                    Ok(done) => {
                        round.applied += done.applied;
                        round.failed += done.failed;
                    }
                    Err(error) => drop(failing.insert(tenant, error)),
                }
            }
            if round == DueResult::default() {
                return failing.into_values().next().map_or(Ok(total), |error| Err(error.into()));
            }
            total.applied += round.applied;
            total.failed += round.failed;
        }
    }

    /// Drops submissions that were given up; answers how many.
    pub async fn drop_abandoned_submissions(&self) -> Result<usize> {
        let mut dropped = 0;
        for tenant in self.store.list_tenants().await? {
            dropped += self.store.drop_abandoned(tenant.id, self.clock.now(), DROP_AT_ONCE).await?;
        }
        Ok(dropped)
    }

    async fn tick(&self) {
        report("applying due entries", self.run_due_entries().await);
        // Every tenant is asked for them, so that not every look may be one for them: a lease is longer than a heartbeat.
        if self.abandoned_look.is_due(self.clock.now(), self.limits.heartbeat()) {
            report("dropping abandoned submissions", self.drop_abandoned_submissions().await);
        }
        report("handing on messages", self.take_messages().await);
    }

    /// Hands messages on: workers are woken, watchers are told.
    pub(crate) async fn take_messages(&self) -> Result<()> {
        for message in self.store.take_messages(MESSAGES_AT_ONCE).await? {
            match message.kind.as_str() {
                message_kind::SUBMITTED => self.events.wake_workers(),
                message_kind::SCHEDULED_FAILED => {
                    tracing::warn!(change = %message.bulk_change_id, "scheduled plan changes were refused when they fell due");
                }
                _ => {}
            }
            self.events.changed(message.tenant_id, message.bulk_change_id);
        }
        Ok(())
    }

    async fn run_due_page(&self, tenant: TenantId) -> StoreResult<DueResult> {
        let statuses = self.active_statuses().await?;
        let Some(due) = self.store.open_due(tenant, self.limits.page_lines, self.clock.now()).await? else {
            return Ok(DueResult::default());
        };
        let refused: Vec<(DeviceChangeId, Reason)> =
            due.entries().iter().filter_map(|entry| Some((entry.id, refusal(entry, &statuses)?))).collect();
        due.finish(&refused).await
    }
}

/// Each job of the scheduler is tried again with its next look, whatever became of the others.
fn report<T>(job: &str, done: Result<T>) {
    if let Err(error) = done {
        tracing::error!(error = &error as &dyn std::error::Error, "{job} failed; it will be tried again");
    }
}

/// Why a due entry is refused, if it is (B8.3).
fn refusal(entry: &DueEntry, statuses: &ActiveStatuses) -> Option<Reason> {
    if !entry.plan_active {
        return Some(Reason::new(Code::PlanInactive, "the customer rate plan is not active any more; schedule another"));
    }
    if !entry.pool_active {
        return Some(Reason::new(Code::PoolInactive, "the customer rate pool is not active any more; schedule another"));
    }
    let order = StoredOrder::CustomerRatePlanChange(StoredPlan {
        values: entry.values,
        effective_at: None,
        queued: false,
        replace_scheduled: false,
    });
    let judge = Judge::new(&order, entry.service_provider_id, entry.integration_kind, statuses);
    match judge.judge_due(&entry.facts, entry.customer_unchanged) {
        Verdict::Refused(reason) => Some(reason),
        Verdict::Accepted | Verdict::AlreadySo => None,
    }
}
