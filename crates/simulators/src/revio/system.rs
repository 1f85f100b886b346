//! What Rev.io is beyond what every simulated system has.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

use super::calls::perform;
use super::ledger::Ledger;
use super::{RevioOptions, RevioSimulator, login, text};
use crate::chassis::answers::{Failure, Success};
use crate::chassis::chance::Chance;
use crate::chassis::description::{self, Description};
use crate::chassis::{Conduct, ErrorShape, Limits, NotLetIn, System, Work};
use crate::wire::{Reaction, SimulatedRequest};

/// The text of the description: OpenAPI 3.1, JSON.
pub const OPENAPI: &str = include_str!("../../openapi/revio.json");

/// What all paths begin with.
pub const BASE_PATH: &str = "/v1";

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// What of a whole answer to that request is not as the description says; nothing: it fits, or there is no whole answer.
///
/// An answer that a fault spoiled on purpose (a success that cannot be read) does not fit.
#[must_use]
pub fn answer_misfits(request: &SimulatedRequest, reaction: &Reaction) -> Vec<String> {
    description::answer_misfits(Revio::description(), request, reaction)
}

/// Rev.io as a system.
#[derive(Debug, Clone, Copy)]
pub struct Revio;

impl System for Revio {
    type Options = RevioOptions;
    type Ledger = Ledger;
    const NAME: &'static str = "RevioSimulator";

    fn description() -> &'static Description {
        static DESCRIPTION: OnceLock<Description> = OnceLock::new();
        DESCRIPTION.get_or_init(|| Description::compiled_in(OPENAPI, BASE_PATH, no_such_day))
    }

    fn conduct(options: &RevioOptions) -> Conduct<'_> {
        Conduct {
            seed: options.seed,
            latency: options.latency,
            jitter: options.jitter,
            settle_lag: options.settle_lag,
            fault_lag: options.fault_lag,
            late_after: &options.late_after,
            faults: &options.faults,
            tells_wait: true,
        }
    }

    fn limits(options: &RevioOptions) -> Limits {
        let windows = [(options.limits.a_day, DAY), (options.limits.a_minute, MINUTE)];
        let windows = windows.into_iter().filter_map(|(most, window)| Some((most?, window)));
        Limits { windows: windows.collect(), at_once: None }
    }

    fn let_in(options: &RevioOptions, request: &SimulatedRequest) -> Result<(), NotLetIn> {
        login::let_in(&options.login, request)
    }

    fn unauthorised(reason: &str) -> Failure {
        Failure::new(401, reason)
    }

    fn throttled(_options: &RevioOptions, wait: Duration, in_header: bool) -> Failure {
        Failure::throttled(wait, in_header)
    }

    fn perform(work: &mut Work<'_, Self>) -> Result<Success, Failure> {
        perform(work)
    }

    /// Rev.io tells no error by a success.
    fn as_told(_options: &RevioOptions, failure: Failure, _chance: &mut Chance) -> Failure {
        Failure { inside: None, ..failure }
    }

    fn error_object(failure: &Failure, _chance: &mut Chance) -> Value {
        json!({ "ok": false, "code": failure.status, "message": failure.message })
    }

    /// What must be read to know how long to wait stays readable.
    fn shape(failure: &Failure, drawn: ErrorShape) -> ErrorShape {
        let must_be_read = failure.status == 429 && failure.retry_after.is_none();
        if must_be_read && drawn == ErrorShape::Nothing { ErrorShape::Object } else { drawn }
    }

    fn summary(simulator: &RevioSimulator) -> Vec<u8> {
        serde_json::to_vec(&simulator.ledger().summary()).unwrap_or_default()
    }
}

/// A pattern lets the 30th of February through.
fn no_such_day(name: &str, value: &str) -> Option<&'static str> {
    let is_wrong = name.ends_with("_date") && text::looks_like_day(value) && text::day(value).is_none();
    is_wrong.then_some("there is no such day")
}
