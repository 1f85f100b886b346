//! Devices and their changes, and how they stand in answers.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

/// Where a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Before its activation, for trials.
    TestReady,
    /// Before its activation, in stock.
    Inventory,
    /// Before its activation, which its first use brings.
    ActivationReady,
    /// In use.
    Activated,
    /// Out of use for a while.
    Deactivated,
    /// Out of use for good.
    Retired,
    /// Gone.
    Purged,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::TestReady,
        Self::Inventory,
        Self::ActivationReady,
        Self::Activated,
        Self::Deactivated,
        Self::Retired,
        Self::Purged,
    ];

    /// As it stands on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TestReady => "TEST_READY",
            Self::Inventory => "INVENTORY",
            Self::ActivationReady => "ACTIVATION_READY",
            Self::Activated => "ACTIVATED",
            Self::Deactivated => "DEACTIVATED",
            Self::Retired => "RETIRED",
            Self::Purged => "PURGED",
        }
    }

    pub(in crate::jasper) fn find(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }

    const fn is_before_activation(self) -> bool {
        matches!(self, Self::TestReady | Self::Inventory | Self::ActivationReady)
    }

    /// Whether a device may go there, itself included; else the code of the error.
    pub(in crate::jasper) fn may_become(self, other: Self) -> Result<(), &'static str> {
        if self == other {
            return Ok(());
        }
        if other.is_before_activation() && !self.is_before_activation() {
            return Err("10000029");
        }
        if matches!(self, Self::Retired | Self::Purged) { Err("10000005") } else { Ok(()) }
    }
}

/// What a device has used since its billing cycle began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Bytes.
    pub data_bytes: u64,
    /// Messages.
    pub sms: u64,
    /// Seconds.
    pub voice_seconds: u64,
    /// Data sessions.
    pub sessions: u64,
}

/// A device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// ICCID: its id.
    pub iccid: String,
    /// IMSI.
    pub imsi: Option<String>,
    /// Its number.
    pub msisdn: Option<String>,
    /// IMEI.
    pub imei: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// Name of its rate plan.
    pub rate_plan: Option<String>,
    /// Name of its communication plan.
    pub communication_plan: Option<String>,
    /// Name of its customer.
    pub customer: Option<String>,
    /// What the account calls it.
    pub device_id: Option<String>,
    /// Its account.
    pub account_id: String,
    /// Its fixed address.
    pub fixed_ip_address: Option<String>,
    /// What was assigned instead of the overage limit.
    pub overage_limit_override: Option<String>,
    /// When it was activated first.
    pub date_activated: Option<DateTime<Utc>>,
    /// When it was added.
    pub date_added: DateTime<Utc>,
    /// When it was changed last.
    pub date_updated: DateTime<Utc>,
    /// What it has used.
    pub usage: Usage,
}

impl Device {
    /// An activated device that was added at that moment.
    #[must_use]
    pub fn new(iccid: &str, rate_plan: &str, added: DateTime<Utc>) -> Self {
        Self {
            iccid: iccid.to_owned(),
            imsi: None,
            msisdn: None,
            imei: None,
            status: Status::Activated,
            rate_plan: Some(rate_plan.to_owned()),
            communication_plan: None,
            customer: None,
            device_id: None,
            account_id: "100020620".to_owned(),
            fixed_ip_address: None,
            overage_limit_override: None,
            date_activated: Some(added),
            date_added: added,
            date_updated: added,
            usage: Usage::default(),
        }
    }

    pub(in crate::jasper) fn json(&self) -> Value {
        json!({
            "iccid": self.iccid,
            "imsi": self.imsi,
            "msisdn": self.msisdn,
            "imei": self.imei,
            "status": self.status.name(),
            "ratePlan": self.rate_plan,
            "communicationPlan": self.communication_plan,
            "customer": self.customer,
            "dateActivated": self.date_activated.map(written),
            "dateAdded": written(self.date_added),
            "dateUpdated": written(self.date_updated),
            "fixedIPAddress": self.fixed_ip_address,
            "deviceID": self.device_id,
            "accountId": self.account_id,
        })
    }

    pub(in crate::jasper) fn listed_json(&self) -> Value {
        json!({
            "iccid": self.iccid,
            "status": self.status.name(),
            "ratePlan": self.rate_plan,
            "communicationPlan": self.communication_plan,
        })
    }

    pub(in crate::jasper) fn usage_json(&self) -> Value {
        json!({
            "iccid": self.iccid,
            "ctdDataUsage": self.usage.data_bytes,
            "ctdSMSUsage": self.usage.sms,
            "ctdVoiceUsage": self.usage.voice_seconds,
            "ctdSessionCount": self.usage.sessions,
        })
    }
}

/// One field with what it is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::jasper) enum FieldChange {
    Status(Status),
    RatePlan(String),
    CommunicationPlan(String),
    Customer(String),
    DeviceId(String),
    OverageLimitOverride(String),
    FixedIpAddress(String),
}

impl FieldChange {
    pub(super) const fn field(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::RatePlan(_) => "ratePlan",
            Self::CommunicationPlan(_) => "communicationPlan",
            Self::Customer(_) => "customer",
            Self::DeviceId(_) => "deviceID",
            Self::OverageLimitOverride(_) => "overageLimitOverride",
            Self::FixedIpAddress(_) => "ipv4Address",
        }
    }

    pub(super) fn value(&self) -> &str {
        match self {
            Self::Status(status) => status.name(),
            Self::RatePlan(text)
            | Self::CommunicationPlan(text)
            | Self::Customer(text)
            | Self::DeviceId(text)
            | Self::OverageLimitOverride(text)
            | Self::FixedIpAddress(text) => text,
        }
    }

    /// What the field holds now.
    pub(super) fn prior(&self, device: &Device) -> Option<String> {
        match self {
            Self::Status(_) => Some(device.status.name().to_owned()),
            Self::RatePlan(_) => device.rate_plan.clone(),
            Self::CommunicationPlan(_) => device.communication_plan.clone(),
            Self::Customer(_) => device.customer.clone(),
            Self::DeviceId(_) => device.device_id.clone(),
            Self::OverageLimitOverride(_) => device.overage_limit_override.clone(),
            Self::FixedIpAddress(_) => device.fixed_ip_address.clone(),
        }
    }

    /// Brings it into force; the error is the code of a status that cannot be reached.
    pub(super) fn apply(self, device: &mut Device, at: DateTime<Utc>) -> Result<(), &'static str> {
        match self {
            Self::Status(status) => {
                device.status.may_become(status)?;
                device.status = status;
                if status == Status::Activated {
                    device.date_activated.get_or_insert(at);
                }
            }
            Self::RatePlan(name) => device.rate_plan = Some(name),
            Self::CommunicationPlan(name) => device.communication_plan = Some(name),
            Self::Customer(name) => device.customer = Some(name),
            Self::DeviceId(id) => device.device_id = Some(id),
            Self::OverageLimitOverride(text) => device.overage_limit_override = Some(text),
            Self::FixedIpAddress(address) => device.fixed_ip_address = Some(address),
        }
        device.date_updated = device.date_updated.max(at);
        Ok(())
    }
}

/// How far a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeStatus {
    /// Its date has not come.
    Pending,
    /// It is in force.
    Completed,
    /// When its date came it was not allowed any more.
    Failed,
}

/// One change of one field in the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Whose.
    pub iccid: String,
    /// Which field, as it stands in requests.
    pub field: &'static str,
    /// What it held before.
    pub prior_value: Option<String>,
    /// What it is to hold.
    pub value: String,
    /// From when.
    pub effective_date: DateTime<Utc>,
    /// How far it is.
    pub status: ChangeStatus,
    /// Who asked for it.
    pub user_name: String,
}

impl AuditEntry {
    pub(in crate::jasper) fn json(&self) -> Value {
        let status = match self.status {
            ChangeStatus::Pending => "Pending",
            ChangeStatus::Completed => "Completed",
            ChangeStatus::Failed => "Failed",
        };
        json!({
            "field": self.field,
            "priorValue": self.prior_value,
            "value": self.value,
            "effectiveDate": written(self.effective_date),
            "status": status,
            "userName": self.user_name,
        })
    }
}

fn written(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%d %H:%M:%S%.3f+0000").to_string()
}
