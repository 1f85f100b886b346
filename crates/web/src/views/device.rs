//! Lines with their assignment and history.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use lineshift_store::devices as store;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::MomentView;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Device)]
pub struct DeviceView {
    /// Id.
    pub id: i64,
    /// Carrier account.
    pub service_provider_id: i64,
    /// SIM card.
    #[schema(example = "89012602101234567890")]
    pub iccid: String,
    /// Subscriber number.
    pub subscriber_number: Option<String>,
    /// Hardware.
    pub imei: Option<String>,
    /// The carrier's status.
    #[schema(example = "ACTIVATED")]
    pub status: String,
    /// Archived or deleted.
    pub is_archived: bool,
    /// When the carrier activated it.
    pub activated_at: Option<DateTime<Utc>>,
    /// The carrier's plan.
    pub carrier_rate_plan: Option<String>,
    /// What the tenant decided about it.
    pub assignment: AssignmentOfDeviceView,
}

/// What a line used in its carrier's cycle to date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DeviceUsage)]
pub struct DeviceUsageView {
    /// Data.
    pub data_bytes: i64,
    /// Messages; null: the carrier does not say.
    pub sms_count: Option<i64>,
    /// Voice; null: the carrier does not say.
    pub voice_seconds: Option<i64>,
    /// When it was read.
    pub at: DateTime<Utc>,
}

impl From<store::DeviceUsage> for DeviceUsageView {
    fn from(usage: store::DeviceUsage) -> Self {
        let store::DeviceUsage { data_bytes, sms_count, voice_seconds, at } = usage;
        Self { data_bytes, sms_count, voice_seconds, at }
    }
}

/// What the tenant decided about a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = DeviceAssignment)]
pub struct AssignmentOfDeviceView {
    /// Rev customer.
    pub rev_customer_id: Option<i64>,
    /// Site.
    pub site_id: Option<i64>,
    /// Account number.
    pub account_number: Option<String>,
    /// The account number's authentication.
    pub integration_authentication_id: Option<i64>,
    /// Customer rate plan.
    pub customer_rate_plan_id: Option<i64>,
    /// Customer rate pool.
    pub customer_rate_pool_id: Option<i64>,
    /// Data allocation in MB.
    pub customer_data_allocation_mb: Option<Decimal>,
    /// Since when it counts.
    pub effective_date: Option<MomentView>,
    /// Whether it is in force.
    pub is_active: bool,
    /// Raised by every change of customer, site, plan, pool or allocation.
    pub version: i64,
    /// Who changed it last.
    pub modified_by: String,
    /// When.
    pub modified_at: DateTime<Utc>,
}

impl DeviceView {
    pub(crate) fn of(device: store::DeviceView, zone: Tz) -> Self {
        Self {
            id: device.id.0,
            service_provider_id: device.service_provider_id.0,
            iccid: device.iccid,
            subscriber_number: device.subscriber_number,
            imei: device.imei,
            status: device.status,
            is_archived: device.is_archived,
            activated_at: device.activated_at,
            carrier_rate_plan: device.carrier_rate_plan,
            assignment: AssignmentOfDeviceView {
                rev_customer_id: device.rev_customer_id.map(|id| id.0),
                site_id: device.site_id.map(|id| id.0),
                account_number: device.account_number,
                integration_authentication_id: device.integration_authentication_id.map(|id| id.0),
                customer_rate_plan_id: device.customer_rate_plan_id.map(|id| id.0),
                customer_rate_pool_id: device.customer_rate_pool_id.map(|id| id.0),
                customer_data_allocation_mb: device.customer_data_allocation_mb,
                effective_date: device.effective_date.map(|at| MomentView::new(at, zone)),
                is_active: device.is_active,
                version: device.version,
                modified_by: device.modified_by,
                modified_at: device.modified_at,
            },
        }
    }
}

/// One entry of a line's history (B11.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = HistoryEntry)]
pub struct HistoryEntryView {
    /// When.
    pub at: DateTime<Utc>,
    /// By which bulk change; null: by none.
    pub bulk_change_id: Option<i64>,
    /// At which attempt of it.
    pub attempt: i64,
    /// What: `assignment` or `customer_rate_plan`.
    #[schema(example = "customer_rate_plan")]
    pub action: String,
    /// The values before; null: there was nothing, or it is of before the line came within your reach.
    #[schema(value_type = Option<Object>, required)]
    pub old_value: Value,
    /// The values after; null: there is nothing, or it is of somebody beyond your reach.
    #[schema(value_type = Option<Object>, required)]
    pub new_value: Value,
    /// Who ordered it; empty: whoever brought the line within your reach.
    pub changed_by: String,
}

impl From<store::HistoryEntry> for HistoryEntryView {
    fn from(entry: store::HistoryEntry) -> Self {
        // What is not JSON is shown as it is, rather than not at all.
        let value = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self {
            at: entry.at,
            bulk_change_id: Some(entry.bulk_change_id.0).filter(|id| *id != 0),
            attempt: entry.attempt,
            action: entry.action,
            old_value: value(entry.old_value),
            new_value: value(entry.new_value),
            changed_by: entry.changed_by,
        }
    }
}
