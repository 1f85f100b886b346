//! Requests to Jasper that are wrong on purpose: each is refused, told where, and counted.

use lineshift_simulators::SimulatedRequest;
use serde_json::json;

use crate::caller::{ICCID, jasper, send_jasper, to_jasper};

async fn wrong(request: SimulatedRequest, status: u16, code: Option<&str>, place: &str) {
    let (simulator, _) = jasper(|_| {});
    let told = send_jasper(&simulator, request).await.expect(status);
    let message = told["errorMessage"].as_str().expect("a text");
    assert!(message.contains(place), "{message:?} names {place:?}");
    assert_eq!(told["errorCode"].as_str(), code, "{message}");
    let summary = simulator.ledger().summary();
    assert_eq!((summary.traffic.wrong_requests, summary.assignments), (1, 0), "{message}");
}

fn put(body: &serde_json::Value) -> SimulatedRequest {
    to_jasper("PUT", &format!("/devices/{ICCID}"), Some(body))
}

#[tokio::test]
async fn an_assignment_of_nothing() {
    wrong(put(&json!({})), 400, Some("10000012"), "body").await;
    wrong(put(&json!({ "effectiveDate": "2026-12-01Z" })), 400, Some("10000012"), "body").await;
}

#[tokio::test]
async fn an_unknown_field() {
    wrong(put(&json!({ "rateplan": "Tracker", "status": "ACTIVATED" })), 400, Some("10000028"), "'rateplan'").await;
    wrong(put(&json!({ "iccid": ICCID, "status": "ACTIVATED" })), 400, Some("10000028"), "'iccid'").await;
}

#[tokio::test]
async fn an_address_without_what_it_needs() {
    wrong(put(&json!({ "ipv4Address": "10.0.0.1" })), 400, Some("10000003"), "apn").await;
}

#[tokio::test]
async fn dates_of_another_form() {
    for date in ["2026-12-01", "01/12/2026", "2026-12-01T00:00:00", "tomorrow"] {
        let body = json!({ "ratePlan": "Tracker", "effectiveDate": date });
        wrong(put(&body), 400, Some("10000012"), "body /effectiveDate").await;
    }
    let body = json!({ "ratePlan": "Tracker", "effectiveDate": "2026-02-30T00:00:00Z" });
    wrong(put(&body), 400, Some("10000012"), "there is no such moment").await;
}

#[tokio::test]
async fn values_of_another_type() {
    wrong(put(&json!({ "ratePlan": 5 })), 400, Some("10000012"), "body /ratePlan").await;
    wrong(put(&json!({ "status": null })), 400, Some("10000012"), "body /status").await;
    wrong(put(&json!(["status"])), 400, Some("10000012"), "body").await;
}

#[tokio::test]
async fn an_iccid_of_another_form() {
    for iccid in ["12345", "89010000000000000001x", "12345678901234567890123"] {
        wrong(to_jasper("GET", &format!("/devices/{iccid}"), None), 400, Some("10000021"), "path iccid").await;
    }
}

#[tokio::test]
async fn a_body_that_is_no_json() {
    let mut request = put(&json!({}));
    request.body = b"status=ACTIVATED".to_vec();
    wrong(request, 400, Some("10000023"), "is no JSON").await;
    let mut missing = put(&json!({}));
    missing.body.clear();
    wrong(missing, 400, Some("10000003"), "body: is missing").await;
}

#[tokio::test]
async fn a_wrong_content_type() {
    let mut request = put(&json!({ "ratePlan": "Tracker" }));
    request.headers.retain(|(name, _)| name != "content-type");
    wrong(request, 400, Some("10000012"), "header content-type").await;
}

#[tokio::test]
async fn a_list_without_its_moment_or_with_another_parameter() {
    wrong(to_jasper("GET", "/devices", None), 400, Some("10000003"), "query modifiedSince: is missing").await;
    let moment = "modifiedSince=2026-11-21T00:00:00Z";
    wrong(to_jasper("GET", &format!("/devices?{moment}&status=x"), None), 400, Some("10000028"), "query status").await;
    wrong(to_jasper("GET", &format!("/devices?{moment}&pageSize=51"), None), 400, Some("10000012"), "query pageSize").await;
    wrong(to_jasper("GET", &format!("/devices?{moment}&pageNumber=0"), None), 400, Some("10000012"), "pageNumber").await;
    wrong(to_jasper("GET", "/devices?modifiedSince=2026-11-21", None), 400, Some("10000012"), "modifiedSince").await;
}

#[tokio::test]
async fn an_audit_trail_of_more_than_a_year() {
    let target = format!("/devices/{ICCID}/auditTrails?daysOfHistory=366");
    wrong(to_jasper("GET", &target, None), 400, Some("10000012"), "query daysOfHistory").await;
}

#[tokio::test]
async fn paths_and_methods_that_do_not_exist() {
    wrong(to_jasper("GET", "/device/1", None), 404, None, "path").await;
    wrong(to_jasper("POST", &format!("/devices/{ICCID}"), Some(&json!({}))), 405, None, "method").await;
    let mut without_base = to_jasper("GET", "/rateplans", None);
    without_base.target = "/rateplans".to_owned();
    wrong(without_base, 404, None, "path").await;
}

#[tokio::test]
async fn credentials_that_are_missing_or_malformed() {
    let mut request = to_jasper("GET", "/rateplans", None);
    request.headers.retain(|(name, _)| name != "authorization");
    wrong(request.clone(), 401, Some("10000001"), "is missing").await;
    request.headers.push(("authorization".to_owned(), "Bearer x".to_owned()));
    wrong(request, 401, Some("10000001"), "Basic is expected").await;
}
