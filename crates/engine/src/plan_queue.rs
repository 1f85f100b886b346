//! Moving and canceling plan queue entries by hand (B8.3).

use chrono::{DateTime, Utc};
use lineshift_domain::ids::DeviceChangeId;
use lineshift_store::plan_queue::PlanQueueEntry;

use crate::{Caller, Engine, Result};

impl Engine {
    /// Moves an open entry to another date. Needs `edit` in the entry's portal. Refused: 422 for a date out of bounds,
    /// 409 when the entry is not open any more.
    pub async fn move_queue_entry(&self, caller: &Caller, id: DeviceChangeId, to: DateTime<Utc>) -> Result<PlanQueueEntry> {
        todo!("{caller:?} {id} {to}")
    }

    /// Cancels an open entry. Refused: 409 when it is not open any more.
    pub async fn cancel_queue_entry(&self, caller: &Caller, id: DeviceChangeId) -> Result<PlanQueueEntry> {
        todo!("{caller:?} {id}")
    }
}
