//! Starting, canceling and retrying bulk changes (B10.1, B10.2).

use lineshift_domain::codes::Code;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId};
use lineshift_domain::refusal::{Problem, Refusal, RefusalClass};
use lineshift_domain::scopes::{Action, Module};
use lineshift_domain::states::{codes, may_cancel, may_retry, may_start};
use lineshift_domain::steps::holds_of;
use lineshift_store::StoreError;
use lineshift_store::billing::{Looked, Settlement};
use lineshift_store::bulk_changes::{BulkChangeView, Reopening};
use lineshift_store::work::RunnableChange;

use crate::{Caller, Engine, EngineError, Result};

/// What a retry opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retried {
    /// Rows opened.
    pub rows: u64,
    /// The attempt they have now.
    pub attempt: i64,
}

impl Engine {
    /// Starts a change that was stored unprocessed. Needs `edit` in the change's portal. Refused (409) unless it is held.
    pub async fn start(&self, caller: &Caller, id: BulkChangeId) -> Result<BulkChangeView> {
        let change = self.changeable(caller, id).await?;
        may_start(change.status(), change.is_held()).map_err(conflict)?;
        if !self.store.start_bulk_change(caller.tenant, id, &caller.orderer(), self.clock.now()).await? {
            return Err(conflict(Problem::new("", "not_held", "the change was started meanwhile")).into());
        }
        self.events.wake_workers();
        self.get_bulk_change(caller, id).await
    }

    /// Cancels what is open and on which nothing was sent, and the change's open queue entries within the caller's reach. Needs `edit` in the
    /// change's portal. Refused (409) when nothing is left to cancel.
    pub async fn cancel(&self, caller: &Caller, id: BulkChangeId) -> Result<BulkChangeView> {
        let change = self.changeable(caller, id).await?;
        may_cancel(change.status(), change.is_held()).map_err(conflict)?;
        let by = caller.orderer();
        let calls_outside = change.order.calls_outside();
        let reach = &caller.rights.reach;
        let flagged = self.store.cancel_bulk_change(caller.tenant, id, &by, reach, self.clock.now()).await?;
        if flagged && calls_outside {
            // Rows on which something was sent are carried to their end, which may take a while.
            self.events.wake_workers();
        } else if flagged {
            // Canceling is done here and now, worker or not; a page that a worker has in hand is the last.
            let change = RunnableChange { tenant_id: caller.tenant, bulk_change_id: id };
            self.run_pages_of(change, "cancel").await?;
        }
        let entries = self.store.cancel_queue_entries(caller.tenant, id, &by.name, reach, self.clock.now()).await?;
        if !flagged && entries == 0 {
            return Err(conflict(Problem::new("", "nothing_to_cancel", "every line of this change is final")).into());
        }
        self.events.changed(caller.tenant, id);
        self.get_bulk_change(caller, id).await
    }

    /// Opens the ERROR rows of a finished change again: all, or those with one of the codes in `only`. Needs `edit` in the change's
    /// portal. Refused (409) while it runs, or when no row is in ERROR with such a code.
    pub async fn retry(&self, caller: &Caller, id: BulkChangeId, only: &[Code]) -> Result<Retried> {
        let change = self.changeable(caller, id).await?;
        may_retry(change.status(), change.is_held()).map_err(conflict)?;
        if change.processed_at.is_none() {
            // Every row is final, but history and links of this attempt's rows are still to be written (B11.3).
            let message = "this bulk change is being completed; try again in a moment";
            return Err(conflict(Problem::new("", codes::NOT_FINISHED, message)).into());
        }
        let attempt = change.attempt + 1;
        let mut rows = 0;
        for page in 0..self.store.count_pages(caller.tenant, id).await? {
            let now = self.clock.now();
            let reopening = Reopening {
                codes: only.to_vec(),
                holds: holds_of(&change.order),
                attempt,
                begins: rows == 0,
                by: caller.orderer(),
                until: now + self.limits.lease(),
                now,
            };
            rows += self.store.reopen_page(caller.tenant, id, page, &reopening).await?;
        }
        if rows == 0 {
            return Err(conflict(Problem::new(
                "codes",
                "nothing_to_retry",
                "no line of this change is in ERROR with such a code",
            ))
            .into());
        }
        self.store.finish_reopening(caller.tenant, id).await?;
        self.events.wake_workers();
        self.events.changed(caller.tenant, id);
        Ok(Retried { rows, attempt })
    }

    /// Settles what nobody knows about a row, as a person says: that it stands in the billing system, or that it is gone (B4.6
    /// rule 6). The row lets go of its line, and a retry goes on from there. Needs `edit` in the change's portal. Refused (409) unless
    /// the row ended in ERROR with something unsettled, and is still what was looked at.
    pub async fn settle(&self, caller: &Caller, row: DeviceChangeId, settlement: &Settlement, looked: Looked) -> Result<()> {
        let id = self.require_settling(caller, row).await?;
        self.store.settle_steps(caller.tenant, row, settlement, looked, &caller.name, self.clock.now()).await?;
        self.events.changed(caller.tenant, id);
        Ok(())
    }

    /// Refuses unless the caller may settle that row; answers its bulk change. Errors: `NotFound`, also when its line is beyond the
    /// caller's reach.
    pub async fn require_settling(&self, caller: &Caller, row: DeviceChangeId) -> Result<BulkChangeId> {
        let missing = || EngineError::from(StoreError::not_found("device change", row));
        let id = self.store.get_bulk_change_of(caller.tenant, row).await?;
        let change = match self.get_bulk_change(caller, id).await {
            // Which change a row is of is not to be told either.
            Err(EngineError::Store(StoreError::NotFound { .. })) => return Err(missing()),
            change => change?,
        };
        if !self.store.find_rows_beyond(caller.tenant, &caller.rights.reach, &[row]).await?.is_empty() {
            return Err(missing());
        }
        caller.require(Module::from(change.portal), Action::Edit)?;
        Ok(change.id)
    }

    /// The change, if the caller may change it.
    async fn changeable(&self, caller: &Caller, id: BulkChangeId) -> Result<BulkChangeView> {
        let change = self.get_bulk_change(caller, id).await?;
        caller.require(Module::from(change.portal), Action::Edit)?;
        Ok(change)
    }
}

fn conflict(problem: Problem) -> Refusal {
    Refusal { class: RefusalClass::Conflict, problems: vec![problem] }
}
