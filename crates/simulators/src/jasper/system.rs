//! What Jasper is beyond what every simulated system has.

use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::calls::{moment, perform};
use super::ledger::Ledger;
use super::{JasperOptions, JasperSimulator};
use crate::chassis::answers::{Failure, Success};
use crate::chassis::chance::Chance;
use crate::chassis::description::{self, Description, Misfit};
use crate::chassis::{Conduct, ErrorShape, Limits, NotLetIn, System, Work};
use crate::wire::{Reaction, SimulatedRequest};

/// The text of the description: OpenAPI 3.1, JSON.
pub const OPENAPI: &str = include_str!("../../openapi/jasper.json");

/// What all paths begin with.
pub const BASE_PATH: &str = "/rws/api/v1";

/// Credentials or address are not allowed.
const CREDENTIALS: &str = "10000001";
/// Something is missing.
const MISSING: &str = "10000003";
/// Something is malformed.
const MALFORMED: &str = "10000012";
/// An ICCID has another form.
const ICCID_FORM: &str = "10000021";
/// The body is no JSON.
const NO_JSON: &str = "10000023";
/// There is no such parameter.
const UNKNOWN_PARAMETER: &str = "10000028";
/// The server failed.
const SERVER: &str = "30000001";
/// Too many calls.
const THROTTLED: &str = "40000029";

/// What of a whole answer to that request is not as the description says; nothing: it fits, or there is no whole answer.
///
/// An answer that a fault spoiled on purpose (a success that cannot be read) does not fit.
#[must_use]
pub fn answer_misfits(request: &SimulatedRequest, reaction: &Reaction) -> Vec<String> {
    description::answer_misfits(Jasper::description(), request, reaction)
}

/// Jasper as a system.
#[derive(Debug, Clone, Copy)]
pub struct Jasper;

impl System for Jasper {
    type Options = JasperOptions;
    type Ledger = Ledger;
    const NAME: &'static str = "JasperSimulator";

    fn description() -> &'static Description {
        static DESCRIPTION: OnceLock<Description> = OnceLock::new();
        DESCRIPTION.get_or_init(|| Description::compiled_in(OPENAPI, BASE_PATH, no_such_moment))
    }

    fn conduct(options: &JasperOptions) -> Conduct<'_> {
        Conduct {
            seed: options.seed,
            latency: options.latency,
            jitter: options.jitter,
            // Nothing is created here that a search could miss.
            settle_lag: Duration::ZERO,
            fault_lag: Duration::ZERO,
            late_after: &options.late_after,
            faults: &options.faults,
            tells_wait: false,
        }
    }

    fn limits(options: &JasperOptions) -> Limits {
        let windows = options.calls_a_second.map(|most| (most, Duration::from_secs(1)));
        Limits { windows: windows.into_iter().collect(), at_once: options.calls_at_once }
    }

    fn let_in(options: &JasperOptions, request: &SimulatedRequest) -> Result<(), NotLetIn> {
        let header = request.headers.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.as_str());
        let header = header.ok_or(NotLetIn::Malformed("header authorization: is missing"))?;
        let encoded = header.strip_prefix("Basic ").ok_or(NotLetIn::Malformed("header authorization: Basic is expected"))?;
        let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let decoded = decoded.ok_or(NotLetIn::Malformed("header authorization: is no base64 of text"))?;
        if decoded == format!("{}:{}", options.login.user, options.login.api_key) {
            return Ok(());
        }
        Err(NotLetIn::Wrong("header authorization: user or API key is wrong"))
    }

    fn unauthorised(reason: &str) -> Failure {
        Failure::new(401, reason).coded(CREDENTIALS)
    }

    fn misfitting(misfit: Misfit) -> Failure {
        let says = |what: &str| misfit.message.contains(what);
        let code = match misfit.status {
            400 if says("path iccid:") => ICCID_FORM,
            400 if says("is no JSON") => NO_JSON,
            400 if says("unexpected") || says("is not known") => UNKNOWN_PARAMETER,
            400 if says("is missing") || says("required") => MISSING,
            400 => MALFORMED,
            _ => return Failure::new(misfit.status, misfit.message),
        };
        Failure::new(400, misfit.message).coded(code)
    }

    fn throttled(options: &JasperOptions, wait: Duration, in_header: bool) -> Failure {
        let failure = Failure::throttled(wait, in_header).coded(THROTTLED);
        match options.throttled_status {
            _ if in_header => failure,
            inside @ 200..300 => Failure { inside: Some(inside), ..failure },
            status => Failure { status, ..failure },
        }
    }

    fn perform(work: &mut Work<'_, Self>) -> Result<Success, Failure> {
        perform(work)
    }

    /// The only error that Jasper may tell by a success is 40000029; nobody can do without its code where the status says
    /// nothing.
    fn as_told(options: &JasperOptions, failure: Failure, chance: &mut Chance) -> Failure {
        if failure.inside.is_some() && failure.code.is_none() {
            return Failure { inside: failure.inside, ..Failure::throttled(Duration::from_secs(1), false) }.coded(THROTTLED);
        }
        let code = failure.code.or((failure.status >= 500).then_some(SERVER));
        let loses_code = options.codes_missing > 0.0 && chance.unit() < options.codes_missing;
        let is_lost = loses_code && !needs_its_code(&failure);
        Failure { code: code.filter(|_| !is_lost), ..failure }
    }

    fn error_object(failure: &Failure, _chance: &mut Chance) -> Value {
        match failure.code {
            Some(code) => json!({ "errorMessage": failure.message, "errorCode": code }),
            None => json!({ "errorMessage": failure.message }),
        }
    }

    fn shape(failure: &Failure, drawn: ErrorShape) -> ErrorShape {
        let is_array = drawn == ErrorShape::Array;
        if is_array || needs_its_code(failure) { ErrorShape::Object } else { drawn }
    }

    fn summary(simulator: &JasperSimulator) -> Vec<u8> {
        serde_json::to_vec(&simulator.ledger().summary()).unwrap_or_default()
    }
}

/// Whether nothing but the code says what is the matter.
fn needs_its_code(failure: &Failure) -> bool {
    failure.code == Some(THROTTLED) && (failure.status != 429 || failure.inside.is_some())
}

/// A pattern lets the 30th of February through.
fn no_such_moment(name: &str, text: &str) -> Option<&'static str> {
    let is_moment = matches!(name, "modifiedSince" | "effectiveDate");
    (is_moment && moment(text).is_none()).then_some("there is no such moment")
}
