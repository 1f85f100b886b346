//! The enumerations of the glossary (behaviour, section 2), as they stand on the wire and in storage.

use serde::{Deserialize, Serialize};

/// Declares an enumeration whose stored text never changes. `as_str` and `FromStr` use that text.
macro_rules! stored_text {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every value, in the order of the glossary.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The text on the wire and in storage. Never rename one.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::terms::UnknownTerm;
            fn from_str(text: &str) -> Result<Self, $crate::terms::UnknownTerm> {
                match text {
                    $($text => Ok($name::$variant),)*
                    _ => Err($crate::terms::UnknownTerm { kind: stringify!($name), found: text.to_owned() }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use stored_text;

/// A text or number that names no value of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a {kind}")]
pub struct UnknownTerm {
    /// The enumeration.
    pub kind: &'static str,
    /// What was found instead of one of its values.
    pub found: String,
}

/// What a bulk change asks for. The numbers are the former system's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ChangeRequestType {
    /// Lines are handed to a customer (section 6).
    CustomerAssignment = 1,
    /// Lines are moved to another carrier status (B9.2).
    StatusUpdate = 2,
    /// New lines are activated at the carrier (B9.3).
    NewServiceActivation = 3,
    /// Lines get another customer rate plan, pool or allocation (section 8).
    CustomerRatePlanChange = 4,
    /// Lines are moved to another carrier rate plan (B9.1).
    CarrierRatePlanChange = 7,
}

impl ChangeRequestType {
    /// Every type, by number.
    pub const ALL: &'static [Self] = &[
        Self::CustomerAssignment,
        Self::StatusUpdate,
        Self::NewServiceActivation,
        Self::CustomerRatePlanChange,
        Self::CarrierRatePlanChange,
    ];

    /// The former system's number.
    #[must_use]
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// The type's name, as JSON and pages show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CustomerAssignment => "CustomerAssignment",
            Self::StatusUpdate => "StatusUpdate",
            Self::NewServiceActivation => "NewServiceActivation",
            Self::CustomerRatePlanChange => "CustomerRatePlanChange",
            Self::CarrierRatePlanChange => "CarrierRatePlanChange",
        }
    }

    /// The type with that number; others are refused by name.
    pub fn from_number(number: i64) -> Result<Self, UnknownTerm> {
        Self::ALL
            .iter()
            .copied()
            .find(|t| t.number() == number)
            .ok_or_else(|| UnknownTerm { kind: "ChangeRequestType", found: number.to_string() })
    }
}

impl std::fmt::Display for ChangeRequestType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The portal through which an order came: it decides by what a line is known and whose log it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PortalType {
    /// IoT lines, known by ICCID.
    M2M = 0,
    /// Ported lines, known by number.
    #[serde(rename = "LNP")]
    Lnp = 1,
    /// Mobile lines, known by either.
    Mobility = 2,
}

impl PortalType {
    /// Every portal, by number.
    pub const ALL: &'static [Self] = &[Self::M2M, Self::Lnp, Self::Mobility];

    /// The former system's number.
    #[must_use]
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// The name, as it stands in addresses (`POST /M2M/BulkChange`).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::M2M => "M2M",
            Self::Lnp => "LNP",
            Self::Mobility => "Mobility",
        }
    }

    /// The portal with that number.
    pub fn from_number(number: i64) -> Result<Self, UnknownTerm> {
        Self::ALL
            .iter()
            .copied()
            .find(|p| p.number() == number)
            .ok_or_else(|| UnknownTerm { kind: "PortalType", found: number.to_string() })
    }

    /// The portal of that name, whatever its case.
    pub fn from_name(name: &str) -> Result<Self, UnknownTerm> {
        Self::ALL
            .iter()
            .copied()
            .find(|p| p.as_str().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownTerm { kind: "PortalType", found: name.to_owned() })
    }

    /// By what this portal knows lines first: its pages and orders name them so where they can.
    #[must_use]
    pub const fn first_identifier(self) -> LineIdentifier {
        if self.knows_lines_by(LineIdentifier::Iccid) { LineIdentifier::Iccid } else { LineIdentifier::Number }
    }

    /// Whether lines of this portal may be named in that way.
    #[must_use]
    pub const fn knows_lines_by(self, by: LineIdentifier) -> bool {
        match (self, by) {
            (Self::Mobility, _) => true,
            (Self::M2M, LineIdentifier::Iccid) | (Self::Lnp, LineIdentifier::Number) => true,
            (Self::M2M, LineIdentifier::Number) | (Self::Lnp, LineIdentifier::Iccid) => false,
        }
    }
}

impl std::fmt::Display for PortalType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

stored_text! {
    /// By what an order names its lines.
    LineIdentifier {
        /// The SIM card's number, 18 to 22 digits.
        Iccid = "iccid",
        /// The subscriber number (MSISDN), 10 to 15 digits.
        Number = "number",
    }
}

stored_text! {
    /// Where a bulk change stands. Derived from its rows, never stored over them (B2.1).
    BulkChangeStatus {
        /// Rows still arrive.
        Receiving = "RECEIVING",
        /// No page begun, open rows.
        New = "NEW",
        /// Open rows.
        Processing = "PROCESSING",
        /// Every row PROCESSED.
        Processed = "PROCESSED",
        /// Some rows PROCESSED.
        Partial = "PARTIAL",
        /// No row PROCESSED, some in ERROR.
        Error = "ERROR",
        /// Every row CANCELED.
        Canceled = "CANCELED",
    }
}

stored_text! {
    /// Where one device change stands. The first three are open.
    DeviceChangeStatus {
        /// Accepted, nothing done.
        New = "NEW",
        /// A worker has begun steps that call outside.
        Processing = "PROCESSING",
        /// Waits for an outside answer.
        Pending = "PENDING",
        /// Done as asked.
        Processed = "PROCESSED",
        /// Refused or failed; the code says why.
        Error = "ERROR",
        /// Canceled before anything was sent.
        Canceled = "CANCELED",
    }
}

impl DeviceChangeStatus {
    /// Whether something is still to happen.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::New | Self::Processing | Self::Pending)
    }
}

stored_text! {
    /// One effect of a device change, in the order of section 6. Stored names: never rename.
    Step {
        /// Find or create the billing service in Rev.io (B7.2).
        RevService = "rev_service",
        /// Move the line to another carrier rate plan.
        CarrierRatePlan = "carrier_rate_plan",
        /// Move the line to another status at the carrier.
        CarrierStatus = "carrier_status",
        /// Customer, site and account number.
        Assignment = "assignment",
        /// Customer rate plan, pool and allocation, now or by the plan queue.
        CustomerRatePlan = "customer_rate_plan",
    }
}

stored_text! {
    /// Where a step of one device change stands.
    StepState {
        /// Not begun.
        Pending = "pending",
        /// Intent stored, call not known to be sent.
        Intended = "intended",
        /// Took effect.
        Done = "done",
        /// Clearly refused.
        Failed = "failed",
        /// May have taken effect; to be settled by reading back.
        Ambiguous = "ambiguous",
        /// The outside will answer later.
        Waiting = "waiting",
        /// Undone again.
        Reverted = "reverted",
        /// The undo failed; a person must settle it.
        Stuck = "stuck",
    }
}

stored_text! {
    /// Where a service product stands in Rev.io.
    ServiceProductStatus {
        /// Will be charged.
        Pending = "PENDING",
        /// Is charged.
        Active = "ACTIVE",
        /// Was refused.
        Denied = "DENIED",
        /// Is not charged any more.
        Disconnected = "DISCONNECTED",
    }
}

impl ServiceProductStatus {
    /// Whether it is or will be charged (B7.2).
    #[must_use]
    pub const fn is_charged(self) -> bool {
        matches!(self, Self::Pending | Self::Active)
    }
}

stored_text! {
    /// Where a plan queue entry stands.
    PlanQueueState {
        /// Waits for its date.
        Open = "open",
        /// Took effect.
        Applied = "applied",
        /// Taken back.
        Canceled = "canceled",
        /// Refused when it fell due; the reason stands with it.
        Failed = "failed",
    }
}

/// The system at the other end of a service provider or billing account, by its stored name. Which carriers there are is not known
/// here: whoever calls them registers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IntegrationKind(&'static str);

/// The most kinds that a process knows besides those of the glossary: names are kept for as long as it runs.
const MOST_KINDS: usize = 64;

/// The longest name of a kind.
const LONGEST_KIND: usize = 40;

impl IntegrationKind {
    /// Cisco IoT Control Center.
    pub const JASPER: Self = Self("Jasper");
    /// Verizon ThingSpace.
    pub const THING_SPACE: Self = Self("ThingSpace");
    /// AT&T Telegence.
    pub const TELEGENCE: Self = Self("Telegence");
    /// POND IoT.
    pub const POND: Self = Self("POND");
    /// Rev.io billing.
    pub const REV_IO: Self = Self("Rev.io");

    /// Those of the glossary.
    pub const GLOSSARY: &'static [Self] = &[Self::JASPER, Self::THING_SPACE, Self::TELEGENCE, Self::POND, Self::REV_IO];

    /// A kind of a name that is written in the program: a carrier's of its own.
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self(name)
    }

    /// The text on the wire and in storage. Never rename one.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// Whether this is a carrier, so that a service provider can be of this kind.
    #[must_use]
    pub fn is_carrier(self) -> bool {
        self != Self::REV_IO
    }
}

impl std::str::FromStr for IntegrationKind {
    type Err = UnknownTerm;

    fn from_str(text: &str) -> Result<Self, UnknownTerm> {
        static OTHERS: std::sync::Mutex<Vec<&'static str>> = std::sync::Mutex::new(Vec::new());
        let unknown = || UnknownTerm { kind: "IntegrationKind", found: text.to_owned() };
        if let Some(kind) = Self::GLOSSARY.iter().find(|kind| kind.as_str() == text) {
            return Ok(*kind);
        }
        if text.is_empty() || text.len() > LONGEST_KIND || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unknown());
        }
        let mut others = OTHERS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(name) = others.iter().find(|name| **name == text) {
            return Ok(Self(name));
        }
        if others.len() >= MOST_KINDS {
            return Err(unknown());
        }
        let name: &'static str = Box::leak(text.to_owned().into_boxed_str());
        others.push(name);
        Ok(Self(name))
    }
}

impl std::fmt::Display for IntegrationKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl Serialize for IntegrationKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for IntegrationKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

stored_text! {
    /// What kind of caller asked for what stands in the audit log.
    AuditActor {
        /// A program, by an API key.
        Key = "key",
        /// A person who is signed in.
        Person = "person",
        /// A carrier that calls back.
        Carrier = "carrier",
        /// Somebody at the command line of the server.
        System = "system",
    }
}

stored_text! {
    /// What came of what stands in the audit log.
    AuditResult {
        /// It was done.
        Done = "done",
        /// It was refused: the caller asked for what it may not have, or not so.
        Refused = "refused",
        /// It failed, or was cut off after its time: look whether it happened.
        Failed = "failed",
    }
}

stored_text! {
    /// What an order does when the Rev service of a line cannot be created (B6.2).
    OnRevServiceFailure {
        /// The line ends in ERROR without the later steps.
        Skip = "skip",
        /// The later steps are done; the line still ends in ERROR.
        Continue = "continue",
    }
}

stored_text! {
    /// What an order does when a later step fails (B6.3).
    OnPartialFailure {
        /// What was done stays, so that a retry does only what is missing.
        Keep = "keep",
        /// What this change did to the line is undone in reverse.
        Compensate = "compensate",
    }
}

#[expect(clippy::derivable_impls, reason = "stored_text! writes the enumeration, which leaves no place for the attribute")]
impl Default for OnRevServiceFailure {
    fn default() -> Self {
        Self::Skip
    }
}

#[expect(clippy::derivable_impls, reason = "stored_text! writes the enumeration, which leaves no place for the attribute")]
impl Default for OnPartialFailure {
    fn default() -> Self {
        Self::Keep
    }
}
