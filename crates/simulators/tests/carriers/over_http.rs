//! Both carriers behind real HTTP, and their ledgers watched.

use std::sync::Arc;
use std::time::Duration;

use lineshift_simulators::{Fault, Simulator, System, jasper};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::caller::{AUTHORIZATION, ICCID, jasper};

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
    tokio::spawn(jasper::serve_ledger(Arc::clone(simulator), ledger, std::future::pending()));
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
