//! Submitting an order (section 4).

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::judge::Verdict;
use lineshift_domain::order::Order;
use lineshift_store::bulk_changes::IdempotencyClaim;

use crate::{Caller, Engine, Result};

/// What a submission came to (B4.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// It was stored now.
    Stored(Submitted),
    /// The same request was answered before; this is that answer's body.
    Repeated(String),
}

/// A stored submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted {
    /// The bulk change.
    pub id: BulkChangeId,
    /// Rows accepted.
    pub accepted: i64,
    /// Rows refused.
    pub rejected: i64,
    /// Repeated mentions of lines.
    pub duplicates: i64,
}

impl Submitted {
    /// The answer's body: `{"Success":true,"BulkChangeId":n,"Accepted":a,"Rejected":r,"Duplicates":d}`.
    #[must_use]
    pub fn answer(&self) -> String {
        format!(
            r#"{{"Success":true,"BulkChangeId":{},"Accepted":{},"Rejected":{},"Duplicates":{}}}"#,
            self.id, self.accepted, self.rejected, self.duplicates
        )
    }
}

/// What a submission would do, line by line (`ValidateBulkChange`).
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    /// Lines that would be accepted.
    pub accepted: i64,
    /// Lines that would be refused.
    pub rejected: i64,
    /// Repeated mentions of lines.
    pub duplicates: i64,
    /// Each line once, in the order of the request.
    pub lines: Vec<ValidatedLine>,
}

/// What would happen with one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatedLine {
    /// Its first place in the request, from 0.
    pub request_position: u32,
    /// The verdict.
    pub verdict: Verdict,
}

impl Engine {
    /// Submits an order: refuses it as a whole (B4.4), or judges each line (B4.6) and stores it (B4.7). Needs `create` in
    /// the order's portal.
    pub async fn submit(&self, caller: &Caller, order: Order, idempotency: Option<IdempotencyClaim>) -> Result<Submission> {
        todo!("{caller:?} {order:?} {idempotency:?}")
    }

    /// Says what `submit` would do and stores nothing.
    pub async fn validate(&self, caller: &Caller, order: Order) -> Result<Validation> {
        todo!("{caller:?} {order:?}")
    }
}
