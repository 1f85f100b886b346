//! Starting, canceling and retrying bulk changes (B10.1, B10.2).

use lineshift_domain::codes::Code;
use lineshift_domain::ids::BulkChangeId;
use lineshift_store::bulk_changes::BulkChangeView;

use crate::{Caller, Engine, Result};

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
        todo!("{caller:?} {id}")
    }

    /// Cancels what is open and on which nothing was sent. Refused (409) when nothing is left to cancel.
    pub async fn cancel(&self, caller: &Caller, id: BulkChangeId) -> Result<BulkChangeView> {
        todo!("{caller:?} {id}")
    }

    /// Opens the ERROR rows of a finished change again: all, or those with one of the codes. Refused (409) while it runs.
    pub async fn retry(&self, caller: &Caller, id: BulkChangeId, codes: &[Code]) -> Result<Retried> {
        todo!("{caller:?} {id} {codes:?}")
    }
}
