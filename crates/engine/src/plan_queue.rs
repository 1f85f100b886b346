//! Moving and canceling plan queue entries by hand (B8.3).

use chrono::{DateTime, Utc};
use lineshift_domain::dates::check_date;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::refusal::{Refusal, RefusalClass};
use lineshift_domain::scopes::{Action, Module};
use lineshift_store::StoreError;
use lineshift_store::plan_queue::PlanQueueEntry;

use crate::{Caller, Engine, Result};

impl Engine {
    /// Moves an open entry to another date. Needs `edit` in the entry's portal. Refused: 422 for a date out of bounds,
    /// 409 when the entry is not open any more.
    pub async fn move_queue_entry(&self, caller: &Caller, id: DeviceChangeId, to: DateTime<Utc>) -> Result<PlanQueueEntry> {
        self.require_entry(caller, id).await?;
        let now = self.clock.now();
        Refusal::from_problems(check_date("effective_date", to, now, &self.limits).into_iter().collect())?;
        let moved = self.store.move_queue_entry(caller.tenant, id, to, &caller.name, now).await?;
        self.events.wake_scheduler();
        self.after(caller, id, moved).await
    }

    /// Cancels an open entry. Needs `edit` in the entry's portal. Refused: 409 when it is not open any more.
    pub async fn cancel_queue_entry(&self, caller: &Caller, id: DeviceChangeId) -> Result<PlanQueueEntry> {
        self.require_entry(caller, id).await?;
        let canceled = self.store.cancel_queue_entry(caller.tenant, id, &caller.name, self.clock.now()).await?;
        self.after(caller, id, canceled).await
    }

    /// An open or closed entry within the caller's reach, as if those beyond were not there. It is within reach when both are that it
    /// is about: whose the line was when it was ordered, and whose the line is now. So neither sees what is the other's.
    pub async fn get_queue_entry(&self, caller: &Caller, id: DeviceChangeId) -> Result<PlanQueueEntry> {
        let entry = self.store.get_queue_entry(caller.tenant, id).await?;
        let reach = &caller.rights.reach;
        // Where nothing limits, the line need not be looked at.
        if reach.is_everything() {
            return Ok(entry);
        }
        let is_reached = reach.reaches_assignment(entry.rev_customer_id, entry.site_id)
            && !self.store.find_rows_beyond(caller.tenant, reach, &[id]).await?.contains(&id);
        if is_reached { Ok(entry) } else { Err(StoreError::not_found("plan queue entry", id).into()) }
    }

    async fn require_entry(&self, caller: &Caller, id: DeviceChangeId) -> Result<()> {
        let entry = self.get_queue_entry(caller, id).await?;
        Ok(caller.require(Module::from(entry.portal), Action::Edit)?)
    }

    async fn after(&self, caller: &Caller, id: DeviceChangeId, done: bool) -> Result<PlanQueueEntry> {
        let entry = self.store.get_queue_entry(caller.tenant, id).await?;
        if done {
            return Ok(entry);
        }
        let message = format!("this entry is {} already", entry.state);
        Err(Refusal::one(RefusalClass::Conflict, "", "entry_not_open", message).into())
    }
}
