//! The scheduler: applies plan queue entries that fall due (B8.3) and drops abandoned submissions (B4.7).

use crate::worker::Shutdown;
use crate::{Engine, Result};
use lineshift_store::plan_queue::DueResult;

impl Engine {
    /// Applies due entries until asked to stop.
    pub async fn run_scheduler(&self, shutdown: Shutdown) {
        todo!("{shutdown:?}")
    }

    /// Applies every entry that is due now. For tests, commands and embedded use.
    pub async fn run_due_entries(&self) -> Result<DueResult> {
        todo!()
    }
}
