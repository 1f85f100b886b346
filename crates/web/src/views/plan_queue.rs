//! Plan queue entries.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use lineshift_store::plan_queue as store;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MomentView;
use super::order::{written, written_id};

/// A customer-plan change that waits, or waited, for its date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = PlanQueueEntry)]
pub struct PlanQueueEntryView {
    /// Id: that of the row it came from.
    pub id: i64,
    /// The bulk change it came from.
    pub bulk_change_id: i64,
    /// The line.
    pub device_id: i64,
    /// The line's ICCID.
    pub iccid: String,
    /// Its subscriber number.
    pub number: Option<String>,
    /// The customer for whom it was ordered.
    pub rev_customer_id: Option<i64>,
    /// The site for which it was ordered.
    pub site_id: Option<i64>,
    /// Null keeps the present plan, 0 clears it.
    pub customer_rate_plan_id: Option<i64>,
    /// Null keeps the present pool, 0 clears it.
    pub customer_rate_pool_id: Option<i64>,
    /// Null keeps the present allocation, 0 clears it.
    pub customer_data_allocation_mb: Option<Decimal>,
    /// When it takes effect.
    pub effective_date: MomentView,
    /// M2M, Mobility or LNP.
    pub portal: String,
    /// open, applied, canceled or failed.
    #[schema(example = "open")]
    pub state: String,
    /// Why it failed.
    pub error_code: Option<String>,
    /// Why it failed, for people.
    pub status_details: Option<String>,
    /// The process that made it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Who moved, canceled or applied it.
    pub modified_by: Option<String>,
    /// When.
    pub modified_at: Option<DateTime<Utc>>,
}

impl PlanQueueEntryView {
    pub(crate) fn of(entry: store::PlanQueueEntry, zone: Tz) -> Self {
        Self {
            id: entry.id.0,
            bulk_change_id: entry.bulk_change_id.0,
            device_id: entry.device_id.0,
            iccid: entry.iccid,
            number: entry.number,
            rev_customer_id: entry.rev_customer_id.map(|id| id.0),
            site_id: entry.site_id.map(|id| id.0),
            customer_rate_plan_id: written_id(entry.values.plan, |id| id.0),
            customer_rate_pool_id: written_id(entry.values.pool, |id| id.0),
            customer_data_allocation_mb: written(entry.values.allocation_mb, Decimal::ZERO),
            effective_date: MomentView::new(entry.effective_date, zone),
            portal: entry.portal.to_string(),
            state: entry.state.to_string(),
            error_code: entry.error_code.map(|code| code.to_string()),
            status_details: entry.status_details,
            created_by: entry.created_by,
            created_at: entry.created_at,
            modified_by: entry.modified_by,
            modified_at: entry.modified_at,
        }
    }
}

/// Where to move a plan queue entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MoveRequest {
    /// ISO 8601; without time or offset the start of that day in the tenant's time zone.
    #[schema(example = "2026-12-01")]
    pub effective_date: String,
}
