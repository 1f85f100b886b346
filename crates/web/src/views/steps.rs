//! Steps that call outside: where each part of them stands, and what a person says about those that nobody knows.

use chrono::{DateTime, Utc};
use lineshift_store::billing::{StepRecord, UnsettledStep};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One part of a step of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Step)]
pub struct StepView {
    /// The step: rev_service, carrier_rate_plan or carrier_status.
    #[schema(example = "rev_service")]
    pub step: String,
    /// The part: of `rev_service`, 0 is the service and n the n-th product of the order; of a carrier's step, the call in the order in
    /// which they are made, those of an undo from 100 on.
    pub part: i64,
    /// intended, done, failed, ambiguous, waiting, reverted or stuck.
    #[schema(example = "done")]
    pub state: String,
    /// The row's attempt in which it was written last.
    pub attempt: i64,
    /// The other side's id of what was created or found, where it is a whole number.
    pub external_id: Option<i64>,
    /// The same id as the other side writes it: carriers' need not be numbers.
    #[serde(default)]
    pub external_text: Option<String>,
    /// Whether it was found there rather than created; then no undo disconnects it.
    pub adopted: bool,
    /// Why it failed, is unknown or stuck.
    pub code: Option<String>,
    /// What it came to.
    pub outcome: Option<String>,
    /// Since when nobody knows.
    pub unknown_since: Option<DateTime<Utc>>,
    /// When it was written last.
    pub at: DateTime<Utc>,
}

impl From<StepRecord> for StepView {
    fn from(step: StepRecord) -> Self {
        Self {
            step: step.step.to_string(),
            part: step.part,
            state: step.state.to_string(),
            attempt: step.attempt,
            external_id: step.external_number(),
            external_text: step.external_id,
            adopted: step.adopted,
            code: step.code.map(|code| code.to_string()),
            outcome: step.outcome,
            unknown_since: step.unknown_since,
            at: step.at,
        }
    }
}

/// A step that a person must look at: stuck, or given up without knowing what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = UnsettledStep)]
pub struct UnsettledStepView {
    /// The row; `POST /api/v1/device-changes/{id}/settle` settles it.
    pub device_change_id: i64,
    /// The bulk change.
    pub bulk_change_id: i64,
    /// The line, as it was named.
    pub line: String,
    /// What is known of the step.
    #[serde(flatten)]
    pub step: StepView,
}

impl From<UnsettledStep> for UnsettledStepView {
    fn from(unsettled: UnsettledStep) -> Self {
        let UnsettledStep { bulk_change_id, line, record } = unsettled;
        let (device_change_id, bulk_change_id) = (record.device_change_id.0, bulk_change_id.0);
        Self { device_change_id, bulk_change_id, line, step: record.into() }
    }
}

/// What a person found out about a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SettleRequest {
    /// `stands`: it is billed there. `gone`: it is not, or not any more.
    #[serde(rename = "as")]
    #[schema(example = "stands")]
    pub settled_as: String,
    /// With `stands`: the service's id there, where it is not known here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev_service_id: Option<i64>,
    /// The row's attempt that was looked at. If it is in another one by now, nothing is settled (409).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<i64>,
    /// The latest `at` of the row's steps that were looked at. If they were written anew since, nothing is settled (409).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps_at: Option<DateTime<Utc>>,
}

/// A row that was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Settled)]
pub struct SettledView {
    /// The row.
    pub device_change_id: i64,
    /// Its steps, as they stand now.
    pub steps: Vec<StepView>,
}
