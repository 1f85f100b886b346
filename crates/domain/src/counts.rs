//! How many rows of a bulk change stand where, and the status that follows from it (B2.1).

use serde::{Deserialize, Serialize};

use crate::terms::BulkChangeStatus;

/// Row counts of one bulk change; `open` counts NEW, PROCESSING and PENDING together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All rows, those refused at submission included.
    pub total: i64,
    /// Rows on which something is still to happen.
    pub open: i64,
    /// Rows done as asked.
    pub processed: i64,
    /// Rows that ended in ERROR.
    pub error: i64,
    /// Rows canceled before anything was sent.
    pub canceled: i64,
}

impl Counts {
    /// Whether the parts make up the whole.
    #[must_use]
    pub const fn add_up(&self) -> bool {
        self.open + self.processed + self.error + self.canceled == self.total
    }
}

/// Derives the status of a bulk change from its rows: the first that fits (B2.1).
#[must_use]
pub const fn derive_status(receiving: bool, page_begun: bool, counts: &Counts) -> BulkChangeStatus {
    if receiving {
        BulkChangeStatus::Receiving
    } else if counts.open > 0 {
        if page_begun { BulkChangeStatus::Processing } else { BulkChangeStatus::New }
    } else if counts.processed == counts.total {
        BulkChangeStatus::Processed
    } else if counts.processed > 0 {
        BulkChangeStatus::Partial
    } else if counts.canceled == counts.total {
        BulkChangeStatus::Canceled
    } else {
        BulkChangeStatus::Error
    }
}
