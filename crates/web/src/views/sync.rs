//! Synchronisation runs and what they found.

use chrono::{DateTime, NaiveDate, Utc};
use lineshift_store::sync as store;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What to synchronise. Left out, the body means what is customary: all of a billing system; of a carrier all but usage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SyncRequest {
    /// `customers`, `services` of a billing system; `carrier_plans`, `devices`, `usage` of a carrier. What is customary when empty.
    #[schema(example = json!(["customers", "services"]))]
    pub what: Vec<String>,
    /// Every customer and line, not only those changed since the last run.
    pub full: bool,
    /// Whose rate plans and lines are read, where several service providers call the carrier's account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_provider_id: Option<i64>,
    /// The lines of which `usage` is read; all that have an active assignment when empty.
    #[schema(max_items = 5000)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub iccids: Vec<String>,
}

/// What a run has met so far, each record once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SyncCounts)]
pub struct SyncCountsView {
    /// Records read: new, changed, unchanged and left out ones.
    pub read: i64,
    /// Not known before.
    pub new: i64,
    /// Written because they differed.
    pub changed: i64,
    /// As they were.
    pub unchanged: i64,
    /// Not taken in.
    pub left_out: i64,
    /// Disconnected or deleted there.
    pub gone: i64,
    /// Services that bill a line for another customer than its own.
    pub billed_not_assigned: i64,
    /// Lines that nobody is billed for.
    pub assigned_not_billed: i64,
    /// Lines whose usage was read; no part of `read`.
    pub used: i64,
}

/// A synchronisation run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SyncRun)]
pub struct SyncRunView {
    /// Id.
    pub id: i64,
    /// The integration authentication that is read.
    pub integration_authentication_id: i64,
    /// Whose rate plans and lines are read, of a carrier's account.
    pub service_provider_id: Option<i64>,
    /// `customers`, `services`, `carrier_plans`, `devices`, `usage`.
    pub what: Vec<String>,
    /// Whether every customer and line is read.
    pub full: bool,
    /// Customers changed on or after this day; null: every one.
    pub since: Option<NaiveDate>,
    /// Lines changed since then, where the carrier can tell; null: every one.
    pub changed_since: Option<DateTime<Utc>>,
    /// Of how many lines usage was asked for by name; 0: of all that have an active assignment.
    pub usage_lines: i64,
    /// running, done or failed.
    #[schema(example = "running")]
    pub state: String,
    /// What it does next.
    #[schema(example = "services")]
    pub phase: String,
    /// The page of the list that is read next.
    pub page: u32,
    /// What it met.
    pub counts: SyncCountsView,
    /// Who ordered it; `schedule` for the scheduler.
    pub ordered_by: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it waits or was given up.
    pub note: Option<String>,
}

impl From<store::SyncRun> for SyncRunView {
    fn from(run: store::SyncRun) -> Self {
        let counts = run.counts;
        Self {
            id: run.id.0,
            integration_authentication_id: run.integration_authentication_id.0,
            service_provider_id: run.service_provider_id.map(|id| id.0),
            what: run.what.iter().map(|part| part.to_string()).collect(),
            full: run.full,
            since: run.since,
            changed_since: run.changed_since,
            usage_lines: run.usage_lines,
            state: run.state.to_string(),
            phase: run.phase.to_string(),
            page: run.page,
            counts: SyncCountsView {
                read: counts.read,
                new: counts.new,
                changed: counts.changed,
                unchanged: counts.unchanged,
                left_out: counts.left_out,
                gone: counts.gone,
                billed_not_assigned: counts.billed_not_assigned,
                assigned_not_billed: counts.assigned_not_billed,
                used: counts.used,
            },
            ordered_by: run.ordered_by,
            started_at: run.started_at,
            ended_at: run.ended_at,
            note: run.note,
        }
    }
}

/// What a run found about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SyncFinding)]
pub struct SyncFindingView {
    /// new, changed, gone, left_out, billed_not_assigned or assigned_not_billed.
    #[schema(example = "billed_not_assigned")]
    pub kind: String,
    /// customer, service, service_product, line or carrier_plan.
    #[schema(example = "service")]
    pub subject: String,
    /// Its id: of a line or a carrier's rate plan here, of all else in the billing system. Below zero for a line that has no id here.
    pub subject_id: i64,
    /// Customer.
    pub rev_customer_id: Option<i64>,
    /// Service.
    pub rev_service_id: Option<i64>,
    /// The line here.
    pub device_id: Option<i64>,
    /// The line's ICCID, else its number.
    pub line: Option<String>,
    /// What stood here.
    pub here: Option<String>,
    /// What stands in the billing system or at the carrier.
    pub there: Option<String>,
    /// When it was found.
    pub at: DateTime<Utc>,
}

impl From<store::SyncFinding> for SyncFindingView {
    fn from(finding: store::SyncFinding) -> Self {
        Self {
            kind: finding.kind.to_string(),
            subject: finding.subject.to_string(),
            subject_id: finding.subject_id,
            rev_customer_id: finding.rev_customer_id.map(|id| id.0),
            rev_service_id: finding.rev_service_id.map(|id| id.0),
            device_id: finding.device_id.map(|id| id.0),
            line: finding.line,
            here: finding.here,
            there: finding.there,
            at: finding.at,
        }
    }
}
