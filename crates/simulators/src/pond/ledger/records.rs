//! SIMs and packages, and how they stand in answers.

use serde_json::{Value, json};
use tokio::time::Instant;

/// Whether a service of a SIM can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceStatus {
    /// It can.
    Enabled,
    /// It cannot.
    Disabled,
}

impl ServiceStatus {
    /// As it stands on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
        }
    }

    pub(in crate::pond) fn find(text: &str) -> Option<Self> {
        [Self::Enabled, Self::Disabled].into_iter().find(|status| status.name() == text)
    }
}

/// A SIM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sim {
    /// ICCID: its id.
    pub iccid: String,
    /// IMSI.
    pub imsi: Option<String>,
    /// Its number.
    pub msisdn: Option<String>,
    /// Data.
    pub data: ServiceStatus,
    /// Voice.
    pub voice: ServiceStatus,
    /// Messages.
    pub sms: ServiceStatus,
}

impl Sim {
    /// A SIM whose services can be used.
    #[must_use]
    pub fn new(iccid: &str) -> Self {
        let on = ServiceStatus::Enabled;
        Self { iccid: iccid.to_owned(), imsi: None, msisdn: None, data: on, voice: on, sms: on }
    }

    pub(in crate::pond) fn json(&self) -> Value {
        json!({
            "iccid": self.iccid,
            "imsi": self.imsi,
            "msisdn": self.msisdn,
            "simDataServiceStatus": self.data.name(),
            "simVoiceServiceStatus": self.voice.name(),
            "simSmsServiceStatus": self.sms.name(),
        })
    }
}

/// How far a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PackageStatus {
    /// It was added and not activated; its name on the wire is an option.
    Added,
    /// It is in use.
    Active,
    /// It is over.
    Terminated,
}

impl PackageStatus {
    pub(in crate::pond) fn find(text: &str) -> Option<Self> {
        match text {
            "ACTIVE" => Some(Self::Active),
            "TERMINATED" => Some(Self::Terminated),
            _ => None,
        }
    }
}

/// A package of a SIM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its id.
    pub package_id: i64,
    /// What it is one of.
    pub package_type_id: String,
    /// Whose.
    pub iccid: String,
    /// How far it is.
    pub status: PackageStatus,
    /// When lists find it at the earliest; none: they always did.
    pub(in crate::pond) found_from: Option<Instant>,
}

impl Package {
    pub(in crate::pond) fn json(&self, added: &str) -> Value {
        let status = match self.status {
            PackageStatus::Added => added,
            PackageStatus::Active => "ACTIVE",
            PackageStatus::Terminated => "TERMINATED",
        };
        json!({
            "packageId": self.package_id.to_string(),
            "packageTypeId": self.package_type_id,
            "iccid": self.iccid,
            "packageStatus": status,
        })
    }
}
