//! What a run brings from a carrier.

use lineshift_domain::carrier::CarrierLine;
use lineshift_domain::ids::DeviceId;

/// A rate plan as the carrier has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncedPlan {
    /// By which lines are put on it.
    pub code: String,
    /// For people.
    pub name: String,
}

/// A line as the carrier has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncedLine {
    /// SIM card, as it is stored: digits only.
    pub iccid: String,
    /// How it stands. What the carrier does not say stays as it is here; numbers are digits only.
    pub line: CarrierLine,
}

/// A line that a read of that very line did not find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneLine {
    /// The line here.
    pub device_id: DeviceId,
    /// What the read said.
    pub there: String,
}

/// A line of which the carrier refused to say anything, however often it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedLine {
    /// The line here.
    pub device_id: DeviceId,
    /// SIM card.
    pub iccid: String,
    /// What the carrier said.
    pub there: String,
}

/// What a line used in the cycle to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedLine {
    /// The line here.
    pub device_id: DeviceId,
    /// Data.
    pub data_bytes: i64,
    /// Messages; none: the carrier does not say.
    pub sms_count: Option<i64>,
    /// Voice; likewise.
    pub voice_seconds: Option<i64>,
}

/// A line that is asked for by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncLine {
    /// Its id here: the run goes on after it.
    pub id: DeviceId,
    /// SIM card.
    pub iccid: String,
    /// Subscriber number.
    pub subscriber_number: Option<String>,
    /// Hardware.
    pub imei: Option<String>,
    /// The carrier's own id of the line.
    pub carrier_device_id: Option<String>,
}

/// Part of the lines that are asked for by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePart {
    /// In the order of their ids.
    pub lines: Vec<SyncLine>,
    /// After which id the next part begins; none: this was the last.
    pub next: Option<i64>,
}
