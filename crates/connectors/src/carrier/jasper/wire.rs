//! What goes to and comes from Jasper, field by field. Unknown fields in answers are tolerated.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::types::{JasperAssignment, JasperAuditEntry, JasperDevice, JasperUsage, RatePlan};
use crate::carrier::{IccId, values};

/// The body of `PUT /devices/{iccid}`. What is none is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EditDevice<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_plan: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    communication_plan: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_date: Option<String>,
}

impl<'a> EditDevice<'a> {
    pub(super) fn new(assignment: &'a JasperAssignment, effective_date: Option<String>) -> Self {
        Self {
            status: assignment.status.map(super::JasperStatus::as_str),
            rate_plan: assignment.rate_plan.as_deref(),
            communication_plan: assignment.communication_plan.as_deref(),
            effective_date,
        }
    }
}

/// What answers an assignment: which device it was made to (**S**).
#[derive(Deserialize)]
pub(super) struct Edited {
    #[serde(deserialize_with = "values::iccid")]
    pub(super) iccid: IccId,
}

/// A device in an answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Device {
    #[serde(deserialize_with = "values::iccid")]
    iccid: IccId,
    #[serde(deserialize_with = "values::required_text")]
    status: String,
    #[serde(default, deserialize_with = "values::text")]
    rate_plan: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    communication_plan: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    imsi: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    msisdn: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    imei: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    customer: Option<String>,
    #[serde(default, deserialize_with = "values::moment")]
    date_activated: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "values::moment")]
    date_added: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "values::moment")]
    date_updated: Option<DateTime<Utc>>,
    #[serde(default, rename = "fixedIPAddress", deserialize_with = "values::text")]
    fixed_ip_address: Option<String>,
    #[serde(default, rename = "deviceID", deserialize_with = "values::text")]
    device_id: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    account_id: Option<String>,
}

impl From<Device> for JasperDevice {
    fn from(device: Device) -> Self {
        Self {
            iccid: device.iccid,
            status: device.status,
            rate_plan: device.rate_plan,
            communication_plan: device.communication_plan,
            imsi: device.imsi,
            msisdn: device.msisdn,
            imei: device.imei,
            customer: device.customer,
            activated_at: device.date_activated,
            added_at: device.date_added,
            updated_at: device.date_updated,
            fixed_ip_address: device.fixed_ip_address,
            device_id: device.device_id,
            account_id: device.account_id,
        }
    }
}

/// A change in an audit trail.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditEntry {
    #[serde(deserialize_with = "values::required_text")]
    field: String,
    #[serde(default, deserialize_with = "values::text")]
    prior_value: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    value: Option<String>,
    #[serde(default, deserialize_with = "values::moment")]
    effective_date: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "values::text")]
    status: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    user_name: Option<String>,
}

impl From<AuditEntry> for JasperAuditEntry {
    fn from(entry: AuditEntry) -> Self {
        Self {
            field: entry.field,
            prior_value: entry.prior_value,
            value: entry.value,
            effective_at: entry.effective_date,
            status: entry.status,
            user_name: entry.user_name,
        }
    }
}

/// Usage of the cycle to date.
#[derive(Deserialize)]
pub(super) struct Usage {
    #[serde(deserialize_with = "values::iccid")]
    iccid: IccId,
    #[serde(rename = "ctdDataUsage", deserialize_with = "values::required_count")]
    data: u64,
    #[serde(default, rename = "ctdSMSUsage", deserialize_with = "values::count")]
    sms: Option<u64>,
    #[serde(default, rename = "ctdVoiceUsage", deserialize_with = "values::count")]
    voice: Option<u64>,
    #[serde(default, rename = "ctdSessionCount", deserialize_with = "values::count")]
    sessions: Option<u64>,
}

impl From<Usage> for JasperUsage {
    fn from(Usage { iccid, data, sms, voice, sessions }: Usage) -> Self {
        Self { iccid, data_bytes: data, sms_count: sms, voice_seconds: voice, session_count: sessions }
    }
}

/// A rate plan.
#[derive(Deserialize)]
pub(super) struct Plan {
    #[serde(deserialize_with = "values::required_text")]
    name: String,
}

impl From<Plan> for RatePlan {
    fn from(Plan { name }: Plan) -> Self {
        Self { name }
    }
}
