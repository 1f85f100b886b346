//! Bulk changes, their rows and their log.

use chrono::{DateTime, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::counts::Counts;
use lineshift_domain::terms::PlanQueueState;
use lineshift_store::bulk_changes as store;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{OrderView, StepView};

/// A bulk change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = BulkChange)]
pub struct BulkChangeView {
    /// Id.
    #[schema(example = 12)]
    pub id: i64,
    /// Number of the type, as in `ChangeType`.
    #[schema(example = 4)]
    pub change_type: i64,
    /// Name of the type.
    #[schema(example = "CustomerRatePlanChange")]
    pub change_type_name: String,
    /// M2M, Mobility or LNP.
    #[schema(example = "M2M")]
    pub portal: String,
    /// Carrier account.
    pub service_provider_id: i64,
    /// By what the lines were named: `iccid` or `number`.
    #[schema(example = "iccid")]
    pub identifier: String,
    /// RECEIVING, NEW, PROCESSING, PROCESSED, PARTIAL, ERROR or CANCELED.
    #[schema(example = "PROCESSED")]
    pub status: String,
    /// Whether it waits for `POST .../start`.
    pub held: bool,
    /// Name.
    pub name: Option<String>,
    /// Reason.
    pub reason: Option<String>,
    /// Who ordered it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Since when work may run; null: it waits for a start.
    pub started_at: Option<DateTime<Utc>>,
    /// When the first page was taken.
    pub begun_at: Option<DateTime<Utc>>,
    /// Since when it is canceled.
    pub canceled_at: Option<DateTime<Utc>>,
    /// When it was completed.
    pub processed_at: Option<DateTime<Utc>>,
    /// Attempt, from 1; a retry raises it.
    pub attempt: i64,
    /// How many rows stand where.
    pub counts: CountsView,
}

/// Row counts of a bulk change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Counts)]
pub struct CountsView {
    /// All rows.
    pub total: i64,
    /// Rows on which something is still to happen.
    pub open: i64,
    /// Rows done as asked.
    pub processed: i64,
    /// Rows that ended in ERROR, those refused at submission included.
    pub error: i64,
    /// Rows canceled before anything was sent.
    pub canceled: i64,
    /// Rows refused at submission.
    pub rejected: i64,
    /// Repeated mentions of lines in the request; they are no rows.
    pub duplicates: i64,
    /// Queue entries that were refused when they fell due.
    pub scheduled_failed: i64,
}

impl From<&store::BulkChangeView> for BulkChangeView {
    fn from(change: &store::BulkChangeView) -> Self {
        Self {
            id: change.id.0,
            change_type: change.change_type.number(),
            change_type_name: change.change_type.to_string(),
            portal: change.portal.to_string(),
            service_provider_id: change.service_provider_id.0,
            identifier: change.identifier.to_string(),
            status: change.status().to_string(),
            held: change.is_held() && !change.receiving,
            name: change.name.clone(),
            reason: change.reason.clone(),
            created_by: change.created_by.clone(),
            created_at: change.created_at,
            started_at: change.started_at,
            begun_at: change.begun_at,
            canceled_at: change.canceled_at,
            processed_at: change.processed_at,
            attempt: change.attempt,
            counts: CountsView::of(change),
        }
    }
}

impl CountsView {
    pub(crate) fn of(change: &store::BulkChangeView) -> Self {
        let Counts { total, open, processed, error, canceled } = change.counts;
        let store::BulkChangeView { rejected, duplicates, scheduled_failed, .. } = *change;
        Self { total, open, processed, error, canceled, rejected, duplicates, scheduled_failed }
    }

    /// Rows that went well so far: what they scheduled was not refused.
    pub(crate) const fn done(&self) -> i64 {
        self.processed - self.scheduled_failed
    }

    /// Rows that ended in ERROR, and those whose scheduled change was refused.
    pub(crate) const fn failed(&self) -> i64 {
        self.error + self.scheduled_failed
    }
}

/// A bulk change with its errors, its scheduled changes and its order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = BulkChangeDetail)]
pub struct BulkChangeDetailView {
    /// The bulk change.
    #[serde(flatten)]
    pub change: BulkChangeView,
    /// Rows in ERROR by code.
    pub errors: Vec<ErrorCountView>,
    /// Rows in PENDING by code.
    #[serde(default)]
    pub waiting: Vec<WaitingView>,
    /// What is still to be called for its open rows; null: nobody outside is called, or no row is open.
    #[serde(default)]
    pub estimate: Option<EstimateView>,
    /// Its plan queue entries by state.
    pub scheduled: ScheduledView,
    /// The order with what was derived for it.
    pub order: OrderView,
}

/// How many rows ended with one code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ErrorCount)]
pub struct ErrorCountView {
    /// VALIDATION, ELIGIBILITY, PERMISSION, CONFLICT, INTEGRATION or INTERNAL.
    #[schema(example = "ELIGIBILITY")]
    pub kind: String,
    /// Code.
    #[schema(example = "device_not_found")]
    pub code: String,
    /// Rows.
    pub count: i64,
}

impl From<(Code, i64)> for ErrorCountView {
    fn from((code, count): (Code, i64)) -> Self {
        Self { kind: code.kind().to_string(), code: code.to_string(), count }
    }
}

/// How many rows wait for the same thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Waiting)]
pub struct WaitingView {
    /// outcome_unknown, quota_exhausted or account_not_ready.
    #[schema(example = "outcome_unknown")]
    pub code: String,
    /// Rows.
    pub count: i64,
    /// When the first of them is looked at next.
    pub next_check_at: Option<DateTime<Utc>>,
}

impl From<store::WaitingCount> for WaitingView {
    fn from(waiting: store::WaitingCount) -> Self {
        Self { code: waiting.code.to_string(), count: waiting.rows, next_check_at: waiting.next_check_at }
    }
}

/// What is still to be called for a bulk change, when all goes well and nobody else calls the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Estimate)]
pub struct EstimateView {
    /// Calls.
    pub calls: u64,
    /// Seconds that the account's limits make of them.
    pub seconds: u64,
    /// The account's limit of calls a minute.
    pub calls_a_minute: u32,
}

/// Plan queue entries of a bulk change by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Scheduled)]
pub struct ScheduledView {
    /// Wait for their date.
    pub open: i64,
    /// Took effect.
    pub applied: i64,
    /// Taken back.
    pub canceled: i64,
    /// Refused when they fell due.
    pub failed: i64,
}

impl FromIterator<(PlanQueueState, i64)> for ScheduledView {
    fn from_iter<I: IntoIterator<Item = (PlanQueueState, i64)>>(counted: I) -> Self {
        let mut view = Self::default();
        for (state, count) in counted {
            match state {
                PlanQueueState::Open => view.open += count,
                PlanQueueState::Applied => view.applied += count,
                PlanQueueState::Canceled => view.canceled += count,
                PlanQueueState::Failed => view.failed += count,
            }
        }
        view
    }
}

/// One row of a bulk change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DeviceChange)]
pub struct DeviceChangeView {
    /// Id.
    pub id: i64,
    /// Its first place in the request, from 0.
    pub request_position: i64,
    /// The line, where it was found.
    pub device_id: Option<i64>,
    /// ICCID.
    pub iccid: Option<String>,
    /// Number.
    pub number: Option<String>,
    /// NEW, PROCESSING, PENDING, PROCESSED, ERROR or CANCELED.
    #[schema(example = "ERROR")]
    pub status: String,
    /// Kind of error.
    #[schema(example = "ELIGIBILITY")]
    pub error_kind: Option<String>,
    /// Code of error.
    #[schema(example = "device_not_active")]
    pub error_code: Option<String>,
    /// For people.
    pub status_details: Option<String>,
    /// When it became final.
    pub processed_at: Option<DateTime<Utc>>,
    /// Attempt.
    pub attempt: i64,
    /// When a row in PENDING is looked at next; its code and details say for what it waits.
    #[serde(default)]
    pub next_check_at: Option<DateTime<Utc>>,
    /// With `include=steps`: the parts of its steps that call outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<StepView>>,
}

impl From<store::DeviceChangeView> for DeviceChangeView {
    fn from(row: store::DeviceChangeView) -> Self {
        Self {
            id: row.id.0,
            request_position: row.request_position,
            device_id: row.device_id.map(|id| id.0),
            iccid: row.iccid,
            number: row.number,
            status: row.status.to_string(),
            error_kind: row.error_kind.map(|kind| kind.to_string()),
            error_code: row.error_code.map(|code| code.to_string()),
            status_details: row.status_details,
            processed_at: row.processed_at,
            attempt: row.attempt,
            next_check_at: row.next_check_at,
            steps: None,
        }
    }
}

/// One log entry (B11.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = LogEntry)]
pub struct LogEntryView {
    /// The row; null: the bulk change as a whole.
    pub device_change_id: Option<i64>,
    /// Attempt.
    pub attempt: i64,
    /// Which of the attempt's entries.
    pub entry: i64,
    /// Whose log it is.
    pub portal: String,
    /// What was done.
    #[schema(example = "Change Customer Rate Plan: Update AMOP")]
    pub log_entry_description: String,
    /// The process.
    pub process_by: String,
    /// When.
    pub processed_at: DateTime<Utc>,
    /// The action's text, a newline, the request.
    pub request_text: Option<String>,
    /// What came back.
    pub response_text: Option<String>,
    /// What went wrong.
    pub error_text: Option<String>,
    /// Whether something went wrong.
    pub has_errors: bool,
    /// ERROR or PROCESSED.
    pub response_status: String,
}

impl From<store::LogEntry> for LogEntryView {
    fn from(entry: store::LogEntry) -> Self {
        Self {
            device_change_id: entry.device_change_id.map(|id| id.0),
            attempt: entry.attempt,
            entry: entry.entry,
            portal: entry.portal.to_string(),
            log_entry_description: entry.description,
            process_by: entry.process_by,
            processed_at: entry.processed_at,
            request_text: entry.request_text,
            response_text: entry.response_text,
            error_text: entry.error_text,
            has_errors: entry.has_errors,
            response_status: entry.response_status,
        }
    }
}

/// Which rows to retry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RetryRequest {
    /// Only rows that ended with one of these codes; absent or empty: all in ERROR.
    #[serde(default)]
    #[schema(example = json!(["device_not_active"]))]
    pub codes: Vec<String>,
}

/// What a retry opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Retried)]
pub struct RetriedView {
    /// Rows opened.
    pub rows: u64,
    /// The attempt they have now.
    pub attempt: i64,
}
