//! What is told to and by POND.

use super::{PackageId, PackageTypeId};
use crate::carrier::IccId;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// As POND writes it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// What a text means, whatever its case; none: it is not known.
            #[must_use]
            pub fn find(text: &str) -> Option<Self> {
                [$(Self::$variant),*].into_iter().find(|word| word.as_str().eq_ignore_ascii_case(text))
            }
        }
    )*};
}

words! {
    /// Whether a service of a SIM may be used.
    ServiceStatus {
        /// It may.
        Enabled "ENABLED",
        /// It may not.
        Disabled "DISABLED",
    }
    /// What a package may be set to. Others may be read.
    PackageStatus {
        /// In use.
        Active "ACTIVE",
        /// Ended for good.
        Terminated "TERMINATED",
    }
}

/// The services of a SIM: all three are always set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PondServices {
    /// `simDataServiceStatus`.
    pub data: ServiceStatus,
    /// `simVoiceServiceStatus`.
    pub voice: ServiceStatus,
    /// `simSmsServiceStatus`.
    pub sms: ServiceStatus,
}

impl PondServices {
    /// All three alike.
    #[must_use]
    pub const fn all(status: ServiceStatus) -> Self {
        Self { data: status, voice: status, sms: status }
    }
}

/// A SIM as POND has it. Which fields an answer has is not known but for the ICCID: what is not there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PondSim {
    /// `iccid`.
    pub iccid: IccId,
    /// `status` as it is written, `In-Service` for one.
    pub status: Option<String>,
    /// `simDataServiceStatus`.
    pub data: Option<ServiceStatus>,
    /// `simVoiceServiceStatus`.
    pub voice: Option<ServiceStatus>,
    /// `simSmsServiceStatus`.
    pub sms: Option<ServiceStatus>,
    /// `msisdn`: the subscriber number.
    pub msisdn: Option<String>,
    /// `imsi`.
    pub imsi: Option<String>,
    /// `imei`.
    pub imei: Option<String>,
}

/// A package of a SIM. Which names its fields have in answers is not known: the names of what is sent and shorter ones are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PondPackage {
    /// `packageId` or `id`.
    pub id: PackageId,
    /// `packageTypeId`, or the `id` of `packageType`.
    pub package_type_id: Option<PackageTypeId>,
    /// `packageStatus` or `status`, as it is written; [`PackageStatus::find`] says which of those that can be set it is.
    pub status: Option<String>,
}

impl PondPackage {
    /// Whether it is in use.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status.as_deref().and_then(PackageStatus::find) == Some(PackageStatus::Active)
    }

    /// Whether it has ended for good. Which other words POND has for that is not known (**?**).
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.status.as_deref().and_then(PackageStatus::find) == Some(PackageStatus::Terminated)
    }
}

/// A package type of an inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PondPackageType {
    /// `packageTypeId` or `id`.
    pub id: PackageTypeId,
    /// `name`.
    pub name: Option<String>,
}
