//! Callers with the right credentials, whose answers must fit the descriptions, and a clock that tests move.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use lineshift_domain::clock::Clock;
use lineshift_simulators::jasper::{self, JasperOptions, JasperSimulator};
use lineshift_simulators::pond::{self, PondOptions, PondSimulator};
use lineshift_simulators::{Reaction, SimulatedRequest};
use serde_json::Value;

/// `user:key`.
pub(crate) const AUTHORIZATION: &str = "Basic dXNlcjprZXk=";
pub(crate) const KEY: &str = "0123456789abcdef";
pub(crate) const ICCID: &str = "8901000000000000001";
pub(crate) const SIM: &str = "8944000000000000001";

/// A clock that goes only when it is told to.
pub(crate) struct Moved(Mutex<DateTime<Utc>>);

impl Moved {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Utc.with_ymd_and_hms(2026, 11, 21, 12, 0, 0).single().expect("one moment"))))
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }
}

impl Clock for Moved {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Status, headers and body of a whole answer.
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Told {
    fn new(reaction: Reaction) -> Self {
        let Reaction::Answer { status, headers, body } = reaction else { panic!("no whole answer: {reaction:?}") };
        Self { status, headers, body }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The body of an answer with that status.
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

fn request(method: &str, target: String, login: (&str, &str), body: Option<&Value>) -> SimulatedRequest {
    let mut headers = vec![login, ("accept", "application/json")];
    headers.extend(body.map(|_| ("content-type", "application/json")));
    SimulatedRequest {
        method: method.to_owned(),
        target,
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
    }
}

/// A simulated Jasper with its examples, twelve devices among them, and its clock.
pub(crate) fn jasper(change: impl FnOnce(&mut JasperOptions)) -> (Arc<JasperSimulator>, Arc<Moved>) {
    let mut options = JasperOptions::new("user", "key");
    change(&mut options);
    let clock = Moved::new();
    let simulator = JasperSimulator::new(options, Arc::clone(&clock) as Arc<dyn Clock>);
    simulator.with_examples(12);
    (simulator, clock)
}

pub(crate) fn to_jasper(method: &str, target: &str, body: Option<&Value>) -> SimulatedRequest {
    request(method, format!("{}{target}", jasper::BASE_PATH), ("authorization", AUTHORIZATION), body)
}

/// Sends a request within the process; whatever comes must fit the description.
pub(crate) async fn send_jasper(simulator: &Arc<JasperSimulator>, request: SimulatedRequest) -> Told {
    let reaction = simulator.react(request.clone()).await;
    let misfits = jasper::answer_misfits(&request, &reaction);
    assert!(misfits.is_empty(), "{} {}: {misfits:?} in {reaction:?}", request.method, request.target);
    Told::new(reaction)
}

pub(crate) async fn get(simulator: &Arc<JasperSimulator>, target: &str) -> Told {
    send_jasper(simulator, to_jasper("GET", target, None)).await
}

/// `PUT` to the first device.
pub(crate) async fn put(simulator: &Arc<JasperSimulator>, body: &Value) -> Told {
    put_to(simulator, ICCID, body).await
}

pub(crate) async fn put_to(simulator: &Arc<JasperSimulator>, iccid: &str, body: &Value) -> Told {
    send_jasper(simulator, to_jasper("PUT", &format!("/devices/{iccid}"), Some(body))).await
}

/// A simulated POND with its examples, three SIMs among them.
pub(crate) fn pond(change: impl FnOnce(&mut PondOptions)) -> Arc<PondSimulator> {
    let mut options = PondOptions::new("77", KEY);
    change(&mut options);
    let simulator = PondSimulator::new(options, Moved::new());
    simulator.with_examples(3);
    simulator
}

pub(crate) fn to_pond(method: &str, target: &str, body: Option<&Value>) -> SimulatedRequest {
    request(method, format!("/77{target}"), ("x-api-key", KEY), body)
}

/// Sends a request within the process; whatever comes must fit the description.
pub(crate) async fn send_pond(simulator: &Arc<PondSimulator>, request: SimulatedRequest) -> Told {
    let reaction = simulator.react(request.clone()).await;
    let misfits = pond::answer_misfits(&request, &reaction);
    assert!(misfits.is_empty(), "{} {}: {misfits:?} in {reaction:?}", request.method, request.target);
    Told::new(reaction)
}

pub(crate) async fn get_pond(simulator: &Arc<PondSimulator>, target: &str) -> Told {
    send_pond(simulator, to_pond("GET", target, None)).await
}

pub(crate) async fn post_pond(simulator: &Arc<PondSimulator>, target: &str, body: &Value) -> Told {
    send_pond(simulator, to_pond("POST", target, Some(body))).await
}
