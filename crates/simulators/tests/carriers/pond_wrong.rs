//! Requests to POND that are wrong on purpose: each is refused, told where, and counted.

use lineshift_simulators::SimulatedRequest;
use serde_json::{Value, json};

use crate::caller::{KEY, SIM, pond, send_pond, to_pond};

async fn wrong(request: SimulatedRequest, status: u16, place: &str) {
    let simulator = pond(|_| {});
    let told = send_pond(&simulator, request).await.expect(status);
    let message = told["message"].as_str().expect("a text");
    assert!(message.contains(place), "{message:?} names {place:?}");
    assert!(!message.contains(KEY), "{message}");
    let summary = simulator.ledger().summary();
    assert_eq!((summary.traffic.wrong_requests, summary.added_packages, summary.active_packages), (1, 0, 3), "{message}");
}

fn add(body: &Value) -> SimulatedRequest {
    to_pond("POST", &format!("/sim/{SIM}/addPackage"), Some(body))
}

#[tokio::test]
async fn a_package_without_a_type_or_with_more() {
    wrong(add(&json!({})), 400, "\"packageTypeId\" is a required property").await;
    wrong(add(&json!({ "packageTypeId": "102", "count": 2 })), 400, "'count' was unexpected").await;
}

#[tokio::test]
async fn a_package_type_of_another_form() {
    wrong(add(&json!({ "packageTypeId": 102 })), 400, "body /packageTypeId").await;
    wrong(add(&json!({ "packageTypeId": "1/2" })), 400, "body /packageTypeId").await;
}

#[tokio::test]
async fn a_status_that_no_service_has() {
    let target = format!("/sim/{SIM}/status");
    wrong(to_pond("POST", &target, Some(&json!({ "simDataServiceStatus": "ON" }))), 400, "body /simDataServiceStatus").await;
    wrong(to_pond("POST", &target, Some(&json!({ "simFaxServiceStatus": "ENABLED" }))), 400, "'simFaxServiceStatus'").await;
    wrong(to_pond("POST", &target, Some(&json!({}))), 400, "body").await;
}

#[tokio::test]
async fn a_status_that_no_package_has() {
    let body = json!({ "packageStatus": "SUSPENDED" });
    wrong(to_pond("POST", "/package/700001/status", Some(&body)), 400, "body /packageStatus").await;
}

#[tokio::test]
async fn a_package_id_that_is_no_number() {
    let body = json!({ "packageStatus": "ACTIVE" });
    wrong(to_pond("POST", "/package/abc/status", Some(&body)), 400, "path packageId").await;
}

#[tokio::test]
async fn an_iccid_of_another_form() {
    wrong(to_pond("GET", "/sim/123", None), 400, "path iccid").await;
}

#[tokio::test]
async fn lists_out_of_range() {
    wrong(to_pond("GET", "/sim?offset=-1", None), 400, "query offset").await;
    wrong(to_pond("GET", "/sim?count=0", None), 400, "query count").await;
    wrong(to_pond("GET", "/sim?page=1", None), 400, "query page: is not known").await;
}

#[tokio::test]
async fn a_body_that_is_none() {
    let mut request = add(&json!({}));
    request.body = b"<add/>".to_vec();
    wrong(request.clone(), 400, "is no JSON").await;
    request.body.clear();
    wrong(request, 400, "body: is missing").await;
    wrong(to_pond("GET", "/sim", Some(&json!({}))), 400, "body: none is expected").await;
}

#[tokio::test]
async fn a_wrong_content_type() {
    let mut request = add(&json!({ "packageTypeId": "102" }));
    request.headers.retain(|(name, _)| name != "content-type");
    wrong(request, 400, "header content-type").await;
}

#[tokio::test]
async fn paths_and_methods_that_do_not_exist() {
    wrong(to_pond("GET", "/sims", None), 404, "path").await;
    wrong(to_pond("PUT", &format!("/sim/{SIM}/status"), Some(&json!({}))), 405, "method").await;
}

#[tokio::test]
async fn a_key_that_is_missing_or_under_another_name() {
    let mut request = to_pond("GET", "/sim", None);
    request.headers.retain(|(name, _)| name != "x-api-key");
    wrong(request.clone(), 401, "is missing").await;
    request.headers.push(("api-key".to_owned(), KEY.to_owned()));
    wrong(request.clone(), 401, "is missing").await;

    let simulator = pond(|options| options.login.key_header = "api-key".to_owned());
    send_pond(&simulator, request.clone()).await.expect(200);
    request.target = "/78/sim".to_owned();
    let told = send_pond(&simulator, request).await.expect(401);
    assert_eq!(told["message"], "the API key is not of that distributor");
}
