//! The texts of the bulk change log (B11.1): a closed list, in one place.

use crate::terms::stored_text;

/// The process that the log names, as the former system did.
pub const PROCESS_BY: &str = "AltaworxDeviceBulkChange";

/// The process that created a plan queue entry, as the former system named it.
pub const QUEUE_CREATED_BY: &str = "AWS Lambda - Device Bulk Change";

stored_text! {
    /// `log_entry_description`. Stored texts: never rename.
    LogText {
        /// Rev path, step `assignment`.
        AmopCustomerAssignment = "AMOP Customer Assignment",
        /// AMOP path, step `assignment`.
        AssignNonRevCustomer = "AssignNonRevCustomer: Update AMOP",
        /// Step `customer_rate_plan` inside an assignment, now.
        AssociateCustomerRatePlan = "Associate Customer: Update Customer Rate Plan",
        /// Step `customer_rate_plan` on its own, now.
        ChangeCustomerRatePlan = "Change Customer Rate Plan: Update AMOP",
        /// Step `customer_rate_plan` inside an assignment, later.
        AssociateScheduleRatePlan = "Associate Customer: Schedule Customer Rate Plan",
        /// Step `customer_rate_plan` on its own, later.
        ScheduleRatePlan = "Change Customer Rate Plan: Schedule",
        /// A plan queue entry fell due.
        ScheduledRatePlan = "Scheduled Customer Rate Plan: Update AMOP",
        /// A plan queue entry was moved to another date.
        MoveScheduledRatePlan = "Scheduled Customer Rate Plan: Move",
        /// A plan queue entry was canceled.
        CancelScheduledRatePlan = "Scheduled Customer Rate Plan: Cancel",
        /// Refused when the order was submitted.
        RefusedAtSubmission = "Submit: Device Refused",
        /// Refused when its page was run.
        RefusedAtProcessing = "Process: Device Refused",
        /// Stands as asked already.
        AlreadySo = "Process: Already So",
        /// Canceled before anything was sent.
        Canceled = "Cancel: Device Canceled",
        /// Opened again.
        Retried = "Retry: Device Opened Again",
        /// The final status and its metrics.
        Completed = "Bulk Change Completed",
        /// Rev.io: service created.
        CreateRevServiceApi = "Create Rev.io Service: Rev.io API",
        /// Rev.io: service stored.
        CreateRevServiceAmop = "Create Rev.io Service: Update AMOP",
        /// Rev.io: product created.
        CreateRevServiceProductApi = "Create Rev.io Service Product: Rev.io API",
        /// Rev.io: product stored.
        CreateRevServiceProductAmop = "Create Rev.io Service Product: Update AMOP",
        /// Rev.io: services looked up.
        FindRevServiceApi = "Find Rev.io Service: Rev.io API",
        /// Rev.io: products of a service looked up.
        FindRevServiceProductApi = "Find Rev.io Service Product: Rev.io API",
        /// Rev.io: service disconnected, as an undo.
        DisconnectRevServiceApi = "Disconnect Rev.io Service: Rev.io API",
        /// Rev.io: disconnected service stored.
        DisconnectRevServiceAmop = "Disconnect Rev.io Service: Update AMOP",
        /// Rev.io: product disconnected, as an undo.
        DisconnectRevServiceProductApi = "Disconnect Rev.io Service Product: Rev.io API",
        /// Rev.io: disconnected product stored.
        DisconnectRevServiceProductAmop = "Disconnect Rev.io Service Product: Update AMOP",
        /// A row waits for an outside answer or account.
        Waiting = "Process: Device Waiting",
        /// A person settled a step.
        Settled = "Settle: Step Settled",
        /// Jasper: carrier plan changed.
        UpdateJasperRatePlanApi = "Update Jasper Rate Plan: Jasper API",
        /// Jasper: carrier plan stored.
        UpdateJasperRatePlanAmop = "Update Jasper Rate Plan: AMOP Update",
    }
}

/// The place of each log entry among those of one device change and attempt: part of the log's key,
/// so that what is written twice is one row. Never renumber.
pub mod entry {
    /// Refused, already so, canceled or opened again.
    pub const OUTCOME: i64 = 0;
    /// Step `assignment`.
    pub const ASSIGNMENT: i64 = 30;
    /// Step `customer_rate_plan`.
    pub const CUSTOMER_RATE_PLAN: i64 = 40;
    /// A plan queue entry, once it falls due, is moved or is canceled.
    pub const PLAN_QUEUE: i64 = 1_000;
    /// From `PLAN_QUEUE` up to this many places beyond it count the moves of an entry; its end stands at this place.
    pub const PLAN_QUEUE_MOVES: i64 = 1_000;
    /// A service line was created, adopted or disconnected: only in the history.
    pub const SERVICE_LINE: i64 = 20;
    /// The undo of a service line: only in the history.
    pub const SERVICE_LINE_UNDONE: i64 = 21;
    /// The row began to wait.
    pub const WAITING: i64 = 70;
    /// A person settled a step.
    pub const SETTLED: i64 = 85;
    /// From here on, outside calls and the store writes after them.
    pub const OUTSIDE: i64 = 10_000;
    /// Opened again by a retry.
    pub const RETRIED: i64 = 80;
    /// Completion of the bulk change (device change 0).
    pub const COMPLETED: i64 = 90;
}
