//! A caller with the right credentials, in the same process or over HTTP.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeZone as _, Utc};
use lineshift_domain::clock::Clock;
use lineshift_simulators::revio::{RevioOptions, RevioSimulator, answer_misfits, serve};
use lineshift_simulators::{Reaction, SimulatedRequest};
use serde_json::Value;
use tokio::net::TcpListener;

/// `user@acme:secret` with the subscription key below.
pub(crate) const AUTHORIZATION: &str = "Basic dXNlckBhY21lOnNlY3JldA==";
pub(crate) const KEY: &str = "0123456789abcdef";

/// A clock that stands.
struct Standing;

impl Clock for Standing {
    fn now(&self) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 21, 12, 0, 0).single().expect("one moment")
    }
}

/// Options for the caller's credentials.
pub(crate) fn options() -> RevioOptions {
    let mut options = RevioOptions::new("user", "acme", "secret");
    options.login.subscription_key = Some(KEY.to_owned());
    options
}

/// A simulator with the examples and five customers.
pub(crate) fn simulator(options: RevioOptions) -> Arc<RevioSimulator> {
    let simulator = RevioSimulator::new(options, Arc::new(Standing));
    simulator.with_examples(5);
    simulator
}

/// A request with the right headers.
pub(crate) fn request(method: &str, target: &str, body: Option<&Value>) -> SimulatedRequest {
    let content_type = if method == "PATCH" { "application/json-patch+json" } else { "application/json" };
    let mut headers = vec![("authorization", AUTHORIZATION), ("ocp-apim-subscription-key", KEY), ("accept", "application/json")];
    headers.extend(body.map(|_| ("content-type", content_type)));
    SimulatedRequest {
        method: method.to_owned(),
        target: format!("/v1{target}"),
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
    }
}

/// Status, headers and body of an answer, which fits the description.
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Told {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The body of an answer with that status.
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// The text of a refusal with that status.
    pub(crate) fn refusal(self, status: u16) -> String {
        self.expect(status)["message"].as_str().expect("it says why").to_owned()
    }
}

/// Sends a request within the process; the answer must be whole and fit the description.
pub(crate) async fn send(simulator: &Arc<RevioSimulator>, request: SimulatedRequest) -> Told {
    match react(simulator, request).await {
        Reaction::Answer { status, headers, body } => Told { status, headers, body },
        other => panic!("no whole answer: {other:?}"),
    }
}

/// Sends a request within the process; a whole answer must fit the description.
pub(crate) async fn react(simulator: &Arc<RevioSimulator>, request: SimulatedRequest) -> Reaction {
    let reaction = simulator.react(request.clone()).await;
    let misfits = answer_misfits(&request, &reaction);
    assert!(misfits.is_empty(), "{} {}: {misfits:?} in {reaction:?}", request.method, request.target);
    reaction
}

pub(crate) async fn get(simulator: &Arc<RevioSimulator>, target: &str) -> Told {
    send(simulator, request("GET", target, None)).await
}

pub(crate) async fn post(simulator: &Arc<RevioSimulator>, target: &str, body: &Value) -> Told {
    send(simulator, request("POST", target, Some(body))).await
}

pub(crate) async fn delete(simulator: &Arc<RevioSimulator>, target: &str, body: &Value) -> Told {
    send(simulator, request("DELETE", target, Some(body))).await
}

pub(crate) async fn patch(simulator: &Arc<RevioSimulator>, target: &str, body: &Value) -> Told {
    send(simulator, request("PATCH", target, Some(body))).await
}

/// The least that a service needs.
pub(crate) fn new_service(customer: i64, number: &str) -> Value {
    serde_json::json!({ "customer_id": customer, "provider_id": 1, "service_type_id": 6, "number": number, "number2": "8901" })
}

/// Creates a service and answers its id.
pub(crate) async fn create_service(simulator: &Arc<RevioSimulator>, customer: i64, number: &str) -> i64 {
    let created = post(simulator, "/Services", &new_service(customer, number)).await.expect(201);
    created["id"].as_i64().expect("an id")
}

/// A caller over real HTTP.
pub(crate) struct OverHttp {
    base: String,
    client: reqwest::Client,
}

impl OverHttp {
    /// Starts a server for the simulator; it ends with the test.
    pub(crate) async fn new(simulator: &Arc<RevioSimulator>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}/v1", listener.local_addr().expect("an address"));
        tokio::spawn(serve(Arc::clone(simulator), listener, std::future::pending()));
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().expect("a client");
        Self { base, client }
    }

    pub(crate) fn request(&self, method: reqwest::Method, target: &str, body: Option<&Value>) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{target}", self.base));
        let request = request.header("authorization", AUTHORIZATION).header("ocp-apim-subscription-key", KEY);
        match body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    pub(crate) fn create(&self, number: &str) -> reqwest::RequestBuilder {
        self.request(reqwest::Method::POST, "/Services", Some(&new_service(1, number)))
    }

    pub(crate) fn get(&self, target: &str) -> reqwest::RequestBuilder {
        self.request(reqwest::Method::GET, target, None)
    }
}
