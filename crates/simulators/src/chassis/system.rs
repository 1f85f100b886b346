//! What one system is beyond what all have in common.

use std::ops::RangeInclusive;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::time::Instant;

use super::answers::{Failure, Success};
use super::chance::Chance;
use super::description::{Checked, Description, Misfit};
use super::faults::{ErrorShape, Faults};
use crate::chassis::Simulator;
use crate::wire::SimulatedRequest;

/// A system that can be simulated, by this crate or another one.
pub trait System: Sized + Send + Sync + 'static {
    /// What a simulator is made with.
    type Options: Send;
    /// What it holds.
    type Ledger: Default + Send;
    /// The simulator's name for whoever debugs.
    const NAME: &'static str;

    /// The description that every request must fit; the same in the whole process.
    fn description() -> &'static Description;

    /// How it behaves towards every call.
    fn conduct(options: &Self::Options) -> Conduct<'_>;

    /// How many calls are let through.
    fn limits(options: &Self::Options) -> Limits;

    /// Lets a call in by its credentials, or says why not. What was sent is never repeated.
    fn let_in(options: &Self::Options, request: &SimulatedRequest) -> Result<(), NotLetIn>;

    /// What a caller is told whose credentials are refused for that reason.
    fn unauthorised(reason: &str) -> Failure;

    /// What a caller is told whose request does not fit the description.
    fn misfitting(misfit: Misfit) -> Failure {
        Failure::new(misfit.status, misfit.message)
    }

    /// What a caller is told who must wait; in the header `Retry-After` or not.
    fn throttled(options: &Self::Options, wait: Duration, in_header: bool) -> Failure;

    /// Does what the call asks for. A failure changed nothing.
    fn perform(work: &mut Work<'_, Self>) -> Result<Success, Failure>;

    /// Makes a failure what this system would say: its codes, its status. The default changes nothing.
    fn as_told(_options: &Self::Options, failure: Failure, _chance: &mut Chance) -> Failure {
        failure
    }

    /// The JSON object that tells of a failure.
    fn error_object(failure: &Failure, chance: &mut Chance) -> Value;

    /// The form in which a failure is told, when chance chose one. What must be read stays readable.
    fn shape(failure: &Failure, drawn: ErrorShape) -> ErrorShape;

    /// The ledger's summary as JSON.
    fn summary(simulator: &Simulator<Self>) -> Vec<u8>;
}

/// How a simulator behaves towards every call. All durations run on tokio's clock.
#[derive(Debug, Clone, Copy)]
pub struct Conduct<'o> {
    /// What chance is drawn from.
    pub seed: u64,
    /// How long every call takes at least.
    pub latency: Duration,
    /// How much longer it takes at most.
    pub jitter: Duration,
    /// How long what was created stays hidden from searches at most; drawn for each call.
    pub settle_lag: Duration,
    /// The same when the fault strikes that makes searches lag.
    pub fault_lag: Duration,
    /// How much later a call works when the fault strikes that makes it late.
    pub late_after: &'o RangeInclusive<Duration>,
    /// What goes wrong, and how often.
    pub faults: &'o Faults,
    /// Whether a caller beyond the limits is told in a header how long to wait (with faults: every other time).
    pub tells_wait: bool,
}

/// How many calls are let through; an empty one: any number.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// So many in any window of that length.
    pub windows: Vec<(u32, Duration)>,
    /// So many at once.
    pub at_once: Option<u32>,
}

/// Why a call is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotLetIn {
    /// A header is missing or malformed, or should not be there: the caller is written wrongly.
    Malformed(&'static str),
    /// The credentials are others.
    Wrong(&'static str),
}

impl NotLetIn {
    /// Where, and what.
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::Malformed(message) | Self::Wrong(message) => message,
        }
    }
}

/// A call on its way, with all it needs.
pub struct Work<'w, S: System> {
    /// The call, which fits the description.
    pub call: &'w Checked,
    /// What the system holds.
    pub ledger: &'w mut S::Ledger,
    /// What it was made with.
    pub options: &'w S::Options,
    /// For dates.
    pub now: DateTime<Utc>,
    /// For what searches find.
    pub instant: Instant,
    /// When searches find what this call creates.
    pub found_from: Instant,
}
