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
    }
}

stored_text! {
    /// What is done at a carrier, as log texts name it. Stored texts: never rename.
    CarrierAction {
        /// Step `carrier_rate_plan`.
        UpdateRatePlan = "Update {carrier} Rate Plan",
        /// Step `carrier_status`.
        UpdateStatus = "Update {carrier} Status",
        /// A line read there.
        ReadDevice = "Read {carrier} Device",
        /// The undo of step `carrier_rate_plan`.
        UndoRatePlan = "Undo {carrier} Rate Plan",
        /// A callback came.
        Callback = "{carrier} Callback",
    }
}

/// A text of the log: one of the closed list, or what was done at a carrier, with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTitle(std::borrow::Cow<'static, str>);

impl LogTitle {
    /// A call of a carrier's: `Update Jasper Rate Plan: Jasper API`.
    #[must_use]
    pub fn carrier_api(action: CarrierAction, carrier: &str) -> Self {
        Self(format!("{}: {carrier} API", action.as_str().replace("{carrier}", carrier)).into())
    }

    /// What a call of a carrier's made of the line here: `Update Jasper Rate Plan: AMOP Update`.
    #[must_use]
    pub fn carrier_amop(action: CarrierAction, carrier: &str) -> Self {
        Self(format!("{}: AMOP Update", action.as_str().replace("{carrier}", carrier)).into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<LogText> for LogTitle {
    fn from(text: LogText) -> Self {
        Self(text.as_str().into())
    }
}

impl std::fmt::Display for LogTitle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
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
    /// The carrier's rate plan or status of a line was changed: only in the history.
    pub const CARRIER: i64 = 25;
    /// The undo of a carrier rate plan: only in the history.
    pub const CARRIER_UNDONE: i64 = 26;
    /// The row began to wait.
    pub const WAITING: i64 = 70;
    /// A person settled a step.
    pub const SETTLED: i64 = 85;
    /// From here on, outside calls and the store writes after them.
    pub const OUTSIDE: i64 = 10_000;
    /// Callbacks of the carrier: from here up to [`CALLBACKS_END`], in the order in which they came.
    pub const CALLBACKS: i64 = 500;
    /// The first place that is no callback's any more.
    pub const CALLBACKS_END: i64 = 1_000;
    /// Opened again by a retry.
    pub const RETRIED: i64 = 80;
    /// Completion of the bulk change (device change 0).
    pub const COMPLETED: i64 = 90;
}
