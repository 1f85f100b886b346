//! Who one is, what one may do, and the limits in force.

use chrono::{DateTime, Utc};
use lineshift_domain::limits::Limits;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PersonView;

/// The key or the person that asks, the tenant, and the limits that bind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Me)]
pub struct MeView {
    /// The tenant.
    pub tenant: TenantView,
    /// The key; missing where a person asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyView>,
    /// The person who is signed in; missing where a key asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonView>,
    /// The limits in force (section 13).
    pub limits: LimitsView,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Tenant)]
pub struct TenantView {
    /// Id.
    pub id: i64,
    /// Name.
    pub name: String,
    /// The zone in which its days begin.
    #[schema(example = "America/Chicago")]
    pub time_zone: String,
}

impl From<lineshift_store::access::Tenant> for TenantView {
    fn from(tenant: lineshift_store::access::Tenant) -> Self {
        Self { id: tenant.id.0, name: tenant.name, time_zone: tenant.time_zone.to_string() }
    }
}

/// An API key; never its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Key)]
pub struct KeyView {
    /// Id.
    pub id: i64,
    /// Name; stands as `created_by` in what the key orders.
    pub name: String,
    /// What it may do.
    #[schema(example = json!(["m2m:view", "m2m:create"]))]
    pub scopes: Vec<String>,
    /// From when on it is refused.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Limits in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Limits)]
pub struct LimitsView {
    /// Devices in one bulk change.
    pub devices_per_change: usize,
    /// Bytes of an order's body.
    pub body_bytes: usize,
    /// How deep it may nest.
    pub body_depth: usize,
    /// Lines a page holds.
    pub page_lines: usize,
    /// Days that a date may lie ahead.
    pub days_ahead: i64,
    /// Days that a date may lie back.
    pub days_back: i64,
    /// Hours for which an idempotency key is kept.
    pub idempotency_hours: i64,
    /// Seconds for which the outcome of a creating call is read back before it may be sent again.
    pub settle_after_seconds: u64,
    /// Hours after which reading back is given up.
    pub read_back_hours: u64,
    /// Seconds that an outside call may take.
    pub call_timeout_seconds: u64,
    /// Seconds that connecting to an outside system may take.
    pub connect_timeout_seconds: u64,
    /// Calls that a Rev.io account takes in any minute, where the account itself says nothing else.
    pub revio_calls_a_minute: u32,
    /// Calls that a Rev.io account takes in any 24 hours, likewise.
    pub revio_calls_a_day: u32,
    /// Calls under way at a Rev.io account at a time, likewise.
    pub revio_concurrency: u32,
}

impl From<&Limits> for LimitsView {
    fn from(limits: &Limits) -> Self {
        Self {
            devices_per_change: limits.devices_per_change,
            body_bytes: limits.body_bytes,
            body_depth: limits.body_depth,
            page_lines: limits.page_lines,
            days_ahead: limits.days_ahead,
            days_back: limits.days_back,
            idempotency_hours: limits.idempotency_hours,
            settle_after_seconds: limits.settle_after_seconds,
            read_back_hours: limits.read_back_hours,
            call_timeout_seconds: limits.call_timeout_seconds,
            connect_timeout_seconds: limits.connect_timeout_seconds,
            revio_calls_a_minute: limits.revio_calls_a_minute,
            revio_calls_a_day: limits.revio_calls_a_day,
            revio_concurrency: limits.revio_concurrency,
        }
    }
}

/// The server answers and its store does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Ready)]
pub struct ReadyView {
    /// Always true.
    pub ready: bool,
    /// The store's engine.
    #[schema(example = "sqlite")]
    pub store: String,
}
