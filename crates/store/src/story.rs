//! What happened to a line, and what was asked for it: the parts of its story.

use chrono::{DateTime, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, PrincipalId};
use lineshift_domain::terms::{ChangeRequestType, DeviceChangeStatus, PortalType};

use crate::plan_queue::PlanQueueEntry;

/// One entry of a line's history (B11.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When.
    pub at: DateTime<Utc>,
    /// By which change; 0 for none.
    pub bulk_change_id: BulkChangeId,
    /// At which attempt of it.
    pub attempt: i64,
    /// Which of the change's actions.
    pub entry: i64,
    /// What: `assignment`, `customer_rate_plan`, `service_line`, `carrier_rate_plan` or `status`.
    pub action: String,
    /// The values before, as JSON; `null`: there was nothing, or it is of before the line came within reach.
    pub old_value: String,
    /// The values after, as JSON.
    pub new_value: String,
    /// Who ordered it; empty: whoever brought the line within reach.
    pub changed_by: String,
}

/// The place of an entry in a line's history, for paging from the newest to the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HistoryKey {
    /// When, in microseconds.
    pub at: i64,
    /// By which change.
    pub bulk_change_id: i64,
    /// At which attempt.
    pub attempt: i64,
    /// Which action.
    pub entry: i64,
}

/// The place of something that was asked for a line, for paging from the newest to the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineEventKey {
    /// When, in microseconds.
    pub at: i64,
    /// Of which kind: the order among those of one moment.
    pub kind: i64,
    /// The row by which it was asked for.
    pub row: i64,
}

/// Something that was asked for a line, and is not in its history: it was not done, or waits for its date.
#[derive(Debug, Clone, PartialEq)]
pub struct LineEvent {
    /// Its place.
    pub key: LineEventKey,
    /// The row by which it was asked for.
    pub row: DeviceChangeId,
    /// The change of that row.
    pub bulk_change_id: BulkChangeId,
    /// The portal of that change.
    pub portal: PortalType,
    /// Who ordered it.
    pub ordered_by: String,
    /// Their id.
    pub ordered_by_id: PrincipalId,
    /// What became of it.
    pub what: LineEventKind,
}

/// What became of something that was asked for a line.
#[derive(Debug, Clone, PartialEq)]
pub enum LineEventKind {
    /// It was refused, failed, or was canceled: a row in ERROR or CANCELED, as its last attempt left it.
    Undone {
        /// What was asked.
        change_type: ChangeRequestType,
        /// ERROR or CANCELED.
        status: DeviceChangeStatus,
        /// Why it was not done.
        code: Option<Code>,
        /// Why, for people.
        details: Option<String>,
        /// Who canceled the change, if somebody did.
        canceled_by: Option<String>,
    },
    /// It was put into the plan queue; it may have left that since.
    Scheduled(Box<PlanQueueEntry>),
    /// It was canceled in the plan queue, or refused when it fell due.
    Unscheduled(Box<PlanQueueEntry>),
}

/// Which of the things that were asked for a line to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineEventFilter {
    /// In bulk changes of these portals.
    pub portals: Vec<PortalType>,
    /// Of what was not done, what this one ordered; none: whoever did.
    pub ordered_by: Option<PrincipalId>,
}
