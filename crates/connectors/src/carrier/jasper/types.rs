//! What is told to and by Jasper.

use chrono::{DateTime, Utc};

use crate::carrier::IccId;

/// So many days ahead a change may take effect at most.
pub const MOST_DAYS_AHEAD: i64 = 180;

/// The longest audit trail that may be asked for, in days.
pub const MOST_DAYS_OF_HISTORY: u16 = 365;

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident $text:literal,)*) => {
        /// Where a device stands.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum JasperStatus {
            $($(#[$doc])* $name,)*
        }

        impl JasperStatus {
            /// Every status that is documented.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$name),*];

            /// As Jasper writes it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

statuses! {
    /// May be tried at the account's cost to the carrier.
    TestReady "TEST_READY",
    /// Not in use yet.
    Inventory "INVENTORY",
    /// Becomes active with its first call.
    ActivationReady "ACTIVATION_READY",
    /// In use.
    Activated "ACTIVATED",
    /// Out of use for a while.
    Deactivated "DEACTIVATED",
    /// Out of use for good.
    Retired "RETIRED",
    /// Out of use, and no longer kept.
    Purged "PURGED",
}

impl JasperStatus {
    /// The status of that name, whatever its case; none: it is not documented.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(text))
    }
}

/// A device as Jasper has it. A list names fewer fields than a single reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JasperDevice {
    /// `iccid`.
    pub iccid: IccId,
    /// `status` as it is written; [`JasperStatus::find`] says which of the documented ones it is.
    pub status: String,
    /// `ratePlan`: its name.
    pub rate_plan: Option<String>,
    /// `communicationPlan`: its name.
    pub communication_plan: Option<String>,
    /// `imsi`.
    pub imsi: Option<String>,
    /// `msisdn`: the subscriber number.
    pub msisdn: Option<String>,
    /// `imei`.
    pub imei: Option<String>,
    /// `customer`: its name.
    pub customer: Option<String>,
    /// `dateActivated`.
    pub activated_at: Option<DateTime<Utc>>,
    /// `dateAdded`.
    pub added_at: Option<DateTime<Utc>>,
    /// `dateUpdated`.
    pub updated_at: Option<DateTime<Utc>>,
    /// `fixedIPAddress`.
    pub fixed_ip_address: Option<String>,
    /// `deviceID`: what the account calls it.
    pub device_id: Option<String>,
    /// `accountId`.
    pub account_id: Option<String>,
}

/// What a device is assigned: at least one of status, rate plan and communication plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JasperAssignment {
    pub(super) status: Option<JasperStatus>,
    pub(super) rate_plan: Option<String>,
    pub(super) communication_plan: Option<String>,
    pub(super) effective_at: Option<DateTime<Utc>>,
}

impl JasperAssignment {
    const NOTHING: Self = Self { status: None, rate_plan: None, communication_plan: None, effective_at: None };

    /// A status, now.
    #[must_use]
    pub const fn to_status(status: JasperStatus) -> Self {
        Self { status: Some(status), ..Self::NOTHING }
    }

    /// A rate plan by name, now.
    #[must_use]
    pub fn to_rate_plan(name: impl Into<String>) -> Self {
        Self { rate_plan: Some(name.into()), ..Self::NOTHING }
    }

    /// A communication plan by name, now.
    #[must_use]
    pub fn to_communication_plan(name: impl Into<String>) -> Self {
        Self { communication_plan: Some(name.into()), ..Self::NOTHING }
    }

    /// The same with a communication plan by name.
    #[must_use]
    pub fn with_communication_plan(mut self, name: impl Into<String>) -> Self {
        self.communication_plan = Some(name.into());
        self
    }

    /// The same with a rate plan by name.
    #[must_use]
    pub fn with_rate_plan(mut self, name: impl Into<String>) -> Self {
        self.rate_plan = Some(name.into());
        self
    }

    /// The same from a moment on, at most [`MOST_DAYS_AHEAD`] ahead.
    #[must_use]
    pub const fn effective_at(mut self, moment: DateTime<Utc>) -> Self {
        self.effective_at = Some(moment);
        self
    }
}

/// One change of a device in its audit trail. carriers.md does not mark its fields: all but the field's name may be none (**S**).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JasperAuditEntry {
    /// `field`: what was changed.
    pub field: String,
    /// `priorValue`.
    pub prior_value: Option<String>,
    /// `value`.
    pub value: Option<String>,
    /// `effectiveDate`: when it took, or takes, effect.
    pub effective_at: Option<DateTime<Utc>>,
    /// `status`: whether it was carried out.
    pub status: Option<String>,
    /// `userName`: who changed it.
    pub user_name: Option<String>,
}

/// What a device used in the cycle to date. carriers.md does not mark the names of its fields (**S**).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JasperUsage {
    /// `iccid`.
    pub iccid: IccId,
    /// `ctdDataUsage`, in bytes.
    pub data_bytes: u64,
    /// `ctdSMSUsage`: messages.
    pub sms_count: Option<u64>,
    /// `ctdVoiceUsage`, in seconds.
    pub voice_seconds: Option<u64>,
    /// `ctdSessionCount`: data sessions.
    pub session_count: Option<u64>,
}

/// A rate plan of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatePlan {
    /// `name`: what a device is assigned by.
    pub name: String,
}
