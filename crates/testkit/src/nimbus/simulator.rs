//! The simulated Nimbus: a system on the chassis that all simulators stand on.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::TimeDelta;
use lineshift_simulators::system::{Chance, Conduct, Description, Failure, Limits, NotLetIn, Success, System, Work};
use lineshift_simulators::{ErrorShape, Faults, SimulatedRequest, Simulator};
use serde_json::{Value, json};

use super::ledger::{Change, Ledger, Line, Plan, Status};

/// The text of the description: OpenAPI 3.1, JSON.
pub const OPENAPI: &str = include_str!("openapi.json");

/// How many lines a page holds.
const PAGE_SIZE: usize = 40;

/// A simulated Nimbus with a ledger of its own.
pub type NimbusSimulator = Simulator<NimbusSystem>;

/// What a simulator is made with.
#[derive(Debug, Clone)]
pub struct NimbusOptions {
    /// Who may call.
    pub token: String,
    /// How long a request takes to work.
    pub takes: TimeDelta,
    /// What chance is drawn from.
    pub seed: u64,
    /// How long every call takes.
    pub latency: Duration,
    /// Whether it says within a success that a caller must wait.
    pub throttles_inside: bool,
    /// What goes wrong, and how often.
    pub faults: Faults,
}

impl NimbusOptions {
    /// For that token: a request works after ten seconds; no latency, no faults.
    #[must_use]
    pub fn new(token: &str) -> Self {
        Self {
            token: token.to_owned(),
            takes: TimeDelta::seconds(10),
            seed: 1,
            latency: Duration::ZERO,
            throttles_inside: false,
            faults: Faults::none(),
        }
    }
}

/// Nimbus as a system.
#[derive(Debug, Clone, Copy)]
pub struct NimbusSystem;

impl System for NimbusSystem {
    type Options = NimbusOptions;
    type Ledger = Ledger;
    const NAME: &'static str = "NimbusSimulator";

    fn description() -> &'static Description {
        static DESCRIPTION: OnceLock<Description> = OnceLock::new();
        DESCRIPTION.get_or_init(|| Description::compiled_in(OPENAPI, "/v1", |_, _| None))
    }

    fn conduct(options: &NimbusOptions) -> Conduct<'_> {
        const LATE_AFTER: std::ops::RangeInclusive<Duration> = Duration::from_secs(31)..=Duration::from_secs(90);
        Conduct {
            seed: options.seed,
            latency: options.latency,
            jitter: Duration::ZERO,
            settle_lag: Duration::ZERO,
            fault_lag: Duration::ZERO,
            late_after: &LATE_AFTER,
            faults: &options.faults,
            tells_wait: true,
        }
    }

    fn limits(_options: &NimbusOptions) -> Limits {
        Limits::default()
    }

    fn let_in(options: &NimbusOptions, request: &SimulatedRequest) -> Result<(), NotLetIn> {
        let header = request.headers.iter().find(|(name, _)| name == "authorization");
        let (_, value) = header.ok_or(NotLetIn::Malformed("header authorization: is missing"))?;
        let token = value.strip_prefix("Bearer ").ok_or(NotLetIn::Malformed("header authorization: Bearer is expected"))?;
        if token == options.token { Ok(()) } else { Err(NotLetIn::Wrong("header authorization: the token is wrong")) }
    }

    fn unauthorised(reason: &str) -> Failure {
        Failure::new(401, reason).coded("unauthorized")
    }

    fn throttled(options: &NimbusOptions, wait: Duration, in_header: bool) -> Failure {
        let failure = Failure::throttled(wait, in_header).coded("slow_down");
        Failure { inside: options.throttles_inside.then_some(200), ..failure }
    }

    fn perform(work: &mut Work<'_, Self>) -> Result<Success, Failure> {
        work.ledger.settle(work.now);
        match work.call.operation.name.as_str() {
            "GET /plans" => Ok(plans(work)),
            "GET /lines" => Ok(lines(work)),
            "GET /lines/{iccid}" => line(work),
            "POST /changes" => change(work),
            name => Err(Failure::new(405, format!("{name} is not available")).coded("invalid")),
        }
    }

    fn error_object(failure: &Failure, _chance: &mut Chance) -> Value {
        json!({ "error": { "code": failure.code.unwrap_or("failed"), "message": failure.message } })
    }

    fn shape(failure: &Failure, drawn: ErrorShape) -> ErrorShape {
        // Within a success nothing but the body says that it is none.
        if failure.inside.is_some() || drawn == ErrorShape::Array { ErrorShape::Object } else { drawn }
    }

    fn summary(simulator: &NimbusSimulator) -> Vec<u8> {
        let counts = simulator.with_ledger(|ledger, _| (ledger.lines.len(), ledger.requests.len(), ledger.changed));
        json!({ "lines": counts.0, "requests": counts.1, "changed": counts.2 }).to_string().into_bytes()
    }
}

fn plans(work: &Work<'_, NimbusSystem>) -> Success {
    let plans: Vec<Value> = work.ledger.plans.values().map(|plan| json!({ "code": plan.code, "name": plan.name })).collect();
    Success::of(json!({ "plans": plans }))
}

fn lines(work: &Work<'_, NimbusSystem>) -> Success {
    let before = work.call.query.number("page").unwrap_or(1).saturating_sub(1).saturating_mul(PAGE_SIZE);
    let page: Vec<Value> = work.ledger.lines.values().skip(before).take(PAGE_SIZE).map(Line::json).collect();
    let more = before + page.len() < work.ledger.lines.len();
    Success::of(json!({ "lines": page, "more": more }))
}

fn line(work: &Work<'_, NimbusSystem>) -> Result<Success, Failure> {
    let line = work.ledger.lines.get(work.call.in_path("iccid"));
    line.map(|line| Success::of(line.json())).ok_or_else(|| Failure::new(404, "there is no such line").coded("not_found"))
}

/// `POST /changes`: lines that it does not know it leaves out.
fn change(work: &mut Work<'_, NimbusSystem>) -> Result<Success, Failure> {
    let body = &work.call.body;
    let invalid = |text: &str| Failure::new(422, text).coded("invalid");
    let change = match (body["plan"].as_str(), body["status"].as_str()) {
        (Some(plan), None) if work.ledger.plans.contains_key(plan) => Change::Plan(plan.to_owned()),
        (None, Some(status)) => Change::Status(Status::find(status).ok_or_else(|| invalid("there is no such status"))?),
        (Some(_), None) => return Err(invalid("there is no such plan")),
        _ => return Err(invalid("a plan or a status is expected")),
    };
    let iccids = body["iccids"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let (known, unknown): (Vec<String>, Vec<String>) = iccids.partition(|iccid| work.ledger.lines.contains_key(iccid));
    let id = work.ledger.accept(change, known, work.now, work.options.takes);
    let refused: Vec<Value> =
        unknown.into_iter().map(|iccid| json!({ "iccid": iccid, "reason": "there is no such line" })).collect();
    let accepted = json!({ "requestId": id, "refused": refused });
    Ok(Success { status: 202, ..Success::of(accepted) })
}

/// Plans, and so many active lines from 8988000000000000001 on.
pub fn with_examples(simulator: &NimbusSimulator, lines: u64) {
    simulator.with_ledger(|ledger, _| {
        for (code, name) in [("N-SMALL", "Nimbus Small"), ("N-LARGE", "Nimbus Large")] {
            ledger.plans.insert(code.to_owned(), Plan { code: code.to_owned(), name: name.to_owned() });
        }
        for number in 1..=lines {
            let iccid = (8_988_000_000_000_000_000 + number).to_string();
            let line = Line {
                iccid: iccid.clone(),
                plan: "N-SMALL".to_owned(),
                status: Status::Active,
                msisdn: Some(format!("8820{number:08}")),
                stubborn: None,
            };
            ledger.lines.insert(iccid, line);
        }
    });
}

/// A line, once what is due by its clock has worked.
#[must_use]
pub fn find_line(simulator: &NimbusSimulator, iccid: &str) -> Option<Line> {
    simulator.with_ledger(|ledger, now| {
        ledger.settle(now);
        ledger.lines.get(iccid).cloned()
    })
}

/// What it has to call back, as bodies; each is said once. What is due by its clock has worked then.
#[must_use]
pub fn take_callbacks(simulator: &NimbusSimulator, user: &str, password: &str) -> Vec<Value> {
    simulator.with_ledger(|ledger, now| {
        ledger.settle(now);
        ledger.take_callbacks(user, password)
    })
}

/// Calls back at that address what is due, one POST for each request; answers the statuses that it hears.
///
/// # Errors
/// Nobody answers there.
pub async fn call_back(
    simulator: &Arc<NimbusSimulator>,
    client: &reqwest::Client,
    address: &str,
    (user, password): (&str, &str),
) -> reqwest::Result<Vec<u16>> {
    let mut statuses = Vec::new();
    for body in take_callbacks(simulator, user, password) {
        let request = client.post(address).header("content-type", "application/json").body(body.to_string());
        statuses.push(request.send().await?.status().as_u16());
    }
    Ok(statuses)
}
