//! Both carriers behind real HTTP, and their ledgers watched.

use std::sync::Arc;
use std::time::Duration;

use lineshift_simulators::{Fault, Simulator, System, jasper, pond};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::caller::{AUTHORIZATION, ICCID, KEY, SIM, jasper, pond};

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, base)
}

/// Serves a simulator and its ledger; they end with the test.
async fn served<S: System>(simulator: &Arc<Simulator<S>>) -> (String, String) {
    let (calls, base) = listener().await;
    let (ledger, ledger_base) = listener().await;
    tokio::spawn(jasper::serve(Arc::clone(simulator), calls, std::future::pending()));
    tokio::spawn(pond::serve_ledger(Arc::clone(simulator), ledger, std::future::pending()));
    (base, ledger_base)
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().expect("a client")
}

async fn ledger(base: &str) -> Value {
    client().get(format!("{base}/ledger")).send().await.expect("an answer").json().await.expect("JSON")
}

#[tokio::test]
async fn jasper_is_served() {
    let (simulator, _) = jasper(|_| {});
    let (base, ledger_base) = served(&simulator).await;
    let put = || {
        let put = client().put(format!("{base}{}/devices/{ICCID}", jasper::BASE_PATH));
        put.header("authorization", AUTHORIZATION).json(&json!({ "ratePlan": "Tracker" }))
    };
    let answer: Value = put().send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(answer, json!({ "iccid": ICCID }));
    simulator.meet_next(Fault::WorksThenReset);
    let error = put().send().await.expect_err("a reset");
    assert!(!error.is_timeout() && !error.is_connect(), "{error:?}");
    let ledger = ledger(&ledger_base).await;
    assert_eq!((&ledger["assignments"], &ledger["repeated_assignments"]), (&json!(2), &json!(1)));
    assert_eq!((&ledger["devices"]["ACTIVATED"], &ledger["calls"]["PUT /devices/{iccid}"]), (&json!(11), &json!(2)));
}

#[tokio::test]
async fn pond_is_served() {
    let simulator = pond(|_| {});
    let (base, ledger_base) = served(&simulator).await;
    let post = |target: &str, body: &Value| client().post(format!("{base}/77{target}")).header("x-api-key", KEY).json(body);
    let add = || post(&format!("/sim/{SIM}/addPackage"), &json!({ "packageTypeId": "102" }));
    let added: Value = add().send().await.expect("an answer").json().await.expect("JSON");
    let target = format!("/package/{}/status", added["packageId"].as_str().expect("an id"));
    let done = post(&target, &json!({ "packageStatus": "ACTIVE" })).send().await.expect("an answer");
    assert_eq!(done.status(), 204);
    simulator.meet_next(Fault::WorksThenCut);
    let cut = add().send().await.expect("it begins").bytes().await.expect_err("it breaks off");
    assert!(!cut.is_timeout(), "{cut:?}");
    simulator.meet_next(Fault::WorksThenCut);
    post(&target, &json!({ "packageStatus": "ACTIVE" })).send().await.expect_err("there is no body to break off");
    let ledger = ledger(&ledger_base).await;
    assert_eq!((&ledger["active_packages"], &ledger["duplicate_packages"]), (&json!(4), &json!(1)));
}
