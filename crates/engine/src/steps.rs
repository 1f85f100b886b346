//! Steps.
use lineshift_domain::ids::DeviceChangeId;
/// x
pub struct StepReport;
/// x
pub struct Outcome;
/// x
pub struct StepContext;
/// x
pub trait SetStep { /** x */ fn x(&self) -> DeviceChangeId; }
