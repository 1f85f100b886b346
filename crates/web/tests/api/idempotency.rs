//! `Idempotency-Key` (B4.5): repeated, with another body, while the first runs, after a refusal, after its time.

use std::time::Duration;

use chrono::TimeDelta;
use lineshift_domain::limits::Limits;
use lineshift_store_sqlite::Options;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::{Answer, HttpCaller, send};
use lineshift_testkit::operator::iccid;
use lineshift_testkit::stepper::Stepper;
use reqwest::Method;
use serde_json::{Value, json};

const PATH: &str = "/M2M/AssociateCustomer";

fn request(caller: &HttpCaller, key: &str, body: &Value) -> reqwest::RequestBuilder {
    caller.request(Method::POST, PATH).header("idempotency-key", key).json(body)
}

async fn post(caller: &HttpCaller, key: &str, body: &Value) -> Answer {
    send(request(caller, key, body)).await
}

fn order(app: &TestApp, lines: std::ops::RangeInclusive<u64>) -> Value {
    let devices: Vec<String> = lines.map(iccid).collect();
    json!({"ServiceProviderId": app.operator.jasper.0, "Devices": devices, "SiteId": app.operator.amop_site.0})
}

async fn changes(caller: &HttpCaller) -> usize {
    caller.read("/api/v1/bulk-changes").await["items"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn the_same_request_is_answered_as_before_and_stored_once() {
    let app = TestApp::with_lines(2).await;
    let orderer = app.orderer().await;
    let first = post(&orderer, "a-1", &order(&app, 1..=2)).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (202, ""));
    app.operator.run_until_idle().await;
    let again = post(&orderer, "a-1", &order(&app, 1..=2)).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (202, "true"));
    assert_eq!((again.text(), again.header("location")), (first.text(), first.header("location")));
    assert_eq!(changes(&orderer).await, 1);
}

#[tokio::test]
async fn the_same_key_with_another_request_is_refused() {
    let app = TestApp::with_lines(2).await;
    let orderer = app.orderer().await;
    assert_eq!(post(&orderer, "k", &order(&app, 1..=1)).await.status, 202);
    let other = post(&orderer, "k", &order(&app, 1..=2)).await;
    assert_eq!((other.status, other.problems()), (422, vec!["Idempotency-Key idempotency_key_reused".to_owned()]));
    let elsewhere = orderer.request(Method::POST, "/Mobility/AssociateCustomer").header("idempotency-key", "k");
    assert_eq!(send(elsewhere.json(&order(&app, 1..=1))).await.status, 422, "the address belongs to the request");
    assert_eq!(changes(&orderer).await, 1);
}

#[tokio::test]
async fn a_key_belongs_to_its_caller_and_its_day() {
    let app = TestApp::with_lines(2).await;
    let (one, two) = (app.orderer().await, app.admin().await);
    assert_eq!(post(&one, "k", &order(&app, 1..=1)).await.json()["BulkChangeId"], 1);
    assert_eq!(post(&two, "k", &order(&app, 2..=2)).await.json()["BulkChangeId"], 2);
    app.operator.clock.advance(TimeDelta::hours(23));
    assert_eq!(post(&one, "k", &order(&app, 1..=1)).await.json()["BulkChangeId"], 1);
    app.operator.clock.advance(TimeDelta::hours(2));
    assert_eq!(post(&one, "k", &order(&app, 1..=1)).await.json()["BulkChangeId"], 3, "after 24 hours the key is new");
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    let mut wrong = order(&app, 1..=1);
    wrong["SiteId"] = json!(999);
    for _ in 0..2 {
        let refused = post(&orderer, "k", &wrong).await;
        assert_eq!((refused.status, refused.problems()), (422, vec!["SiteId unknown_reference".to_owned()]));
    }
    let right = post(&orderer, "k", &order(&app, 1..=1)).await;
    assert_eq!((right.status, right.header("idempotency-replayed")), (202, ""));
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    for key in ["", "two words", &"x".repeat(256)] {
        let answer = post(&orderer, key, &order(&app, 1..=1)).await;
        assert_eq!(
            (answer.status, answer.problems()),
            (400, vec!["Idempotency-Key invalid_idempotency_key".to_owned()]),
            "{key:?}"
        );
    }
    assert_eq!(changes(&orderer).await, 0);
}

static WRITER: Stepper = Stepper::new();

#[tokio::test]
async fn while_the_first_still_runs_the_same_key_is_a_conflict() {
    let limits = Limits { page_lines: 2, ..Limits::default() };
    let options = Options { before_write: Some(|_| WRITER.before_write()), ..Options::default() };
    // Long enough that there is always a write left of it while the second, beside it on some stores, comes to its answer.
    let app = TestApp::with(60, limits, options).await;
    let orderer = app.orderer().await;
    // Its use is noted now, so that no such write comes between.
    orderer.read("/api/v1/me").await;
    let body = order(&app, 1..=60);

    WRITER.hold();
    let first = tokio::spawn(send(request(&orderer, "k", &body)));
    while changes(&orderer).await == 0 {
        assert!(WRITER.step(Duration::from_secs(10)).await, "the order is RECEIVING before its last write");
    }
    let mut second = tokio::spawn(send(request(&orderer, "k", &body)));
    let second = loop {
        // The first goes on only when the second seems to wait for it: on a busy machine it would be done before the second is looked at.
        match tokio::time::timeout(Duration::from_millis(200), &mut second).await {
            Ok(answer) => break answer.expect("an answer"),
            Err(_) => drop(WRITER.step(Duration::from_secs(10)).await),
        }
    };
    assert_eq!((second.status, second.problems()), (409, vec!["Idempotency-Key idempotency_key_running".to_owned()]));
    assert!(!first.is_finished(), "the first order is still being stored");
    WRITER.release();
    let first = first.await.expect("an answer");
    assert_eq!(first.status, 202, "{}", first.text());
    let third = post(&orderer, "k", &body).await;
    assert_eq!((third.text(), third.header("idempotency-replayed")), (first.text(), "true"));
}

static SLOW_WRITER: Stepper = Stepper::new();

#[tokio::test]
async fn an_order_is_carried_through_when_its_client_hangs_up() {
    let options = Options { before_write: Some(|_| SLOW_WRITER.before_write()), ..Options::default() };
    let app = TestApp::with(2, Limits::default(), options).await;
    let orderer = app.orderer().await;
    orderer.read("/api/v1/me").await;
    SLOW_WRITER.hold();
    let first = tokio::spawn(send(request(&orderer, "k", &order(&app, 1..=2))));
    SLOW_WRITER.held().await;
    first.abort();
    assert!(first.await.is_err_and(|error| error.is_cancelled()));
    SLOW_WRITER.release();
    let again = post(&orderer, "k", &order(&app, 1..=2)).await;
    assert!([202, 409].contains(&again.status), "{}", again.text());
    while changes(&orderer).await == 0 {
        tokio::task::yield_now().await;
    }
    let answered = post(&orderer, "k", &order(&app, 1..=2)).await;
    assert_eq!((answered.status, answered.header("idempotency-replayed")), (202, "true"));
}
