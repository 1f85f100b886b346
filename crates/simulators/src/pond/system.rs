//! What POND is beyond what every simulated system has.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

use super::calls::perform;
use super::ledger::Ledger;
use super::{PondOptions, PondSimulator};
use crate::chassis::answers::{Failure, Success};
use crate::chassis::chance::Chance;
use crate::chassis::description::{self, Description};
use crate::chassis::{Conduct, ErrorShape, Limits, NotLetIn, System, Work};
use crate::wire::{Reaction, SimulatedRequest};

/// The text of the description: OpenAPI 3.1, JSON.
pub const OPENAPI: &str = include_str!("../../openapi/pond.json");

/// What of a whole answer to that request is not as the description says; nothing: it fits, or there is no whole answer.
///
/// An answer that a fault spoiled on purpose (a success that cannot be read) does not fit.
#[must_use]
pub fn answer_misfits(request: &SimulatedRequest, reaction: &Reaction) -> Vec<String> {
    description::answer_misfits(Pond::description(), request, reaction)
}

/// POND as a system.
#[derive(Debug, Clone, Copy)]
pub struct Pond;

impl System for Pond {
    type Options = PondOptions;
    type Ledger = Ledger;
    const NAME: &'static str = "PondSimulator";

    fn description() -> &'static Description {
        static DESCRIPTION: OnceLock<Description> = OnceLock::new();
        // A path begins with the distributor, which is a parameter.
        DESCRIPTION.get_or_init(|| Description::compiled_in(OPENAPI, "", |_, _| None))
    }

    fn conduct(options: &PondOptions) -> Conduct<'_> {
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

    fn limits(options: &PondOptions) -> Limits {
        Limits { windows: Vec::new(), at_once: options.calls_at_once }
    }

    fn let_in(options: &PondOptions, request: &SimulatedRequest) -> Result<(), NotLetIn> {
        let login = &options.login;
        let mut keys = request.headers.iter().filter(|(name, _)| *name == login.key_header);
        let (_, key) = keys.next().ok_or(NotLetIn::Malformed("the header with the API key is missing"))?;
        if keys.next().is_some() {
            return Err(NotLetIn::Malformed("the header with the API key stands twice"));
        }
        if *key != login.api_key {
            return Err(NotLetIn::Wrong("the API key is wrong"));
        }
        let distributor = request.target.split(['/', '?']).nth(1);
        if distributor != Some(&login.distributor_id) {
            return Err(NotLetIn::Wrong("the API key is not of that distributor"));
        }
        Ok(())
    }

    fn unauthorised(reason: &str) -> Failure {
        Failure::new(401, reason).coded("UNAUTHORIZED")
    }

    fn throttled(_options: &PondOptions, wait: Duration, in_header: bool) -> Failure {
        Failure::throttled(wait, in_header).coded("TOO_MANY_REQUESTS")
    }

    fn perform(work: &mut Work<'_, Self>) -> Result<Success, Failure> {
        perform(work)
    }

    fn as_told(options: &PondOptions, failure: Failure, _chance: &mut Chance) -> Failure {
        let is_own = failure.code.is_some();
        let code = failure.code.or(Some(if failure.status >= 500 { "INTERNAL_ERROR" } else { "BAD_REQUEST" }));
        let inside = failure.inside.or((is_own && options.errors_inside_successes).then_some(200));
        Failure { code, inside, ..failure }
    }

    fn error_object(failure: &Failure, chance: &mut Chance) -> Value {
        json!({
            "status": failure.status,
            "code": failure.code,
            "message": failure.message,
            "developerMessage": failure.message,
            "referenceId": format!("{:016x}", chance.below(u64::MAX)),
        })
    }

    /// Within a success nothing but the body says that it is none, and without the header nothing else says how long to wait.
    fn shape(failure: &Failure, drawn: ErrorShape) -> ErrorShape {
        let waits = failure.status == 429 && failure.retry_after.is_none();
        let must_be_read = failure.inside.is_some() || waits || drawn == ErrorShape::Array;
        if must_be_read { ErrorShape::Object } else { drawn }
    }

    fn summary(simulator: &PondSimulator) -> Vec<u8> {
        serde_json::to_vec(&simulator.ledger().summary()).unwrap_or_default()
    }
}
