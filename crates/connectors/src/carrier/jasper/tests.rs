//! Jasper against a script, on tokio's paused clock.

mod refusals;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::*;
use crate::CallError;
use crate::http::AccountLimits;
use crate::http::test_kit::{Does, Script, account, limits};

const ICCID: &str = "89012603142146561234";

fn iccid() -> IccId {
    ICCID.parse().expect("an ICCID")
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

fn client(script: &Arc<Script>) -> JasperClient {
    client_that_tries(1, script)
}

fn client_that_tries(attempts: u32, script: &Arc<Script>) -> JasperClient {
    let credentials = JasperCredentials { user: "api-user".to_owned(), api_key: SecretString::from("api/key-1") };
    let (account, _) = account(AccountLimits { attempts, concurrency: 1, ..limits() }, script);
    JasperClient::new(account, "https://billing.example/v1/", credentials)
}

fn answers(bodies: &[Value]) -> Arc<Script> {
    Script::new(bodies.iter().map(|body| Does::answer(200, &body.to_string())), Does::answer(500, "the script is at its end"))
}

async fn assign(client: &JasperClient, assignment: &JasperAssignment) -> Called<()> {
    let permit = client.account().permit().await.expect("nothing speaks against it");
    client.assign(permit, &iccid(), assignment).await
}

fn device() -> Value {
    json!({
        "iccid": ICCID, "imsi": "310410000000001", "msisdn": 15551230000_u64, "imei": "", "status": "ACTIVATED",
        "ratePlan": "Gold 1 GB", "communicationPlan": "LTE", "customer": null, "dateActivated": "2026-01-02 03:04:05.678+0000",
        "dateAdded": "2025-12-01T00:00:00.000+0000", "dateUpdated": "2026-11-01T00:00:00Z", "fixedIPAddress": "10.0.0.1",
        "deviceID": "pump 7", "accountId": 100_020_620, "simNotes": ["unknown"], "errorCode": null
    })
}

#[tokio::test(start_paused = true)]
async fn a_device_is_read_field_by_field_as_who_we_are() {
    let script = answers(&[device()]);
    let called = client(&script).find_device(&iccid()).await;
    let expected = JasperDevice {
        iccid: iccid(),
        status: "ACTIVATED".to_owned(),
        rate_plan: Some("Gold 1 GB".to_owned()),
        communication_plan: Some("LTE".to_owned()),
        imsi: Some("310410000000001".to_owned()),
        msisdn: Some("15551230000".to_owned()),
        imei: None,
        customer: None,
        activated_at: Some(moment("2026-01-02T03:04:05.678Z")),
        added_at: Some(moment("2025-12-01T00:00:00Z")),
        updated_at: Some(moment("2026-11-01T00:00:00Z")),
        fixed_ip_address: Some("10.0.0.1".to_owned()),
        device_id: Some("pump 7".to_owned()),
        account_id: Some("100020620".to_owned()),
    };
    assert_eq!(called.result, Ok(Some(expected)));
    assert_eq!(called.exchange.request, format!("GET /v1/devices/{ICCID}"));
    assert!(called.exchange.response.starts_with("200\n{"), "{}", called.exchange.response);
    let seen = script.seen();
    assert_eq!(seen[0].line, format!("GET /devices/{ICCID}"));
    // base64 of api-user:api/key-1
    assert!(seen[0].headers.contains(&("authorization", "Basic YXBpLXVzZXI6YXBpL2tleS0x".to_owned())), "{:?}", seen[0].headers);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_not_a_device_is_no_answer() {
    let mut cases: Vec<(Value, &str)> = ["iccid", "status"]
        .into_iter()
        .map(|field| {
            let mut device = device();
            device.as_object_mut().expect("an object").remove(field);
            (device, field)
        })
        .collect();
    for (field, value, expected) in [
        ("iccid", json!("89012603142146561235"), "asked for 89012603142146561234, it answers 89012603142146561235"),
        ("iccid", json!("../users"), "an ICCID is 18 to 22 digits"),
        ("iccid", json!(null), "found none"),
        ("status", json!(""), "found none"),
        ("status", json!({}), "expected a text"),
        ("ratePlan", json!("x".repeat(256)), "more than 255 characters"),
        ("dateActivated", json!("2026-01-02 03:04:05"), "2026-01-02"),
        ("dateUpdated", json!(true), "expected a text"),
    ] {
        let mut device = device();
        device[field] = value;
        cases.push((device, expected));
    }
    cases.push((json!([device()]), "answered 200 that cannot be used"));
    for (body, expected) in cases {
        let called = client(&answers(std::slice::from_ref(&body))).find_device(&iccid()).await;
        let Err(CallError::Unavailable(text)) = &called.result else { panic!("{expected}: {:?}", called.result) };
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_assignment_says_what_is_set_and_nothing_else() {
    let done = Does::answer(200, &json!({ "iccid": ICCID }).to_string());
    let script = Script::new([], done);
    let client = client(&script);
    let from = moment("2026-12-01T06:00:00Z");
    let cases = [
        (JasperAssignment::to_status(JasperStatus::Deactivated), json!({ "status": "DEACTIVATED" })),
        (JasperAssignment::to_rate_plan("Gold \"1\""), json!({ "ratePlan": "Gold \"1\"" })),
        (
            JasperAssignment::to_rate_plan("Gold").with_communication_plan("LTE").effective_at(from),
            json!({ "ratePlan": "Gold", "communicationPlan": "LTE", "effectiveDate": "2026-12-01T06:00:00+00:00" }),
        ),
        (
            JasperAssignment::to_communication_plan("LTE").with_rate_plan("Gold"),
            json!({ "ratePlan": "Gold", "communicationPlan": "LTE" }),
        ),
    ];
    for (assignment, body) in &cases {
        assert_eq!(assign(&client, assignment).await.result, Ok(()));
        let seen = script.seen().pop().expect("it was sent");
        assert_eq!(seen.line, format!("PUT /devices/{ICCID}"));
        assert_eq!(serde_json::from_str::<Value>(&seen.body.expect("a body")).expect("JSON"), *body);
        assert!(seen.headers.contains(&("content-type", "application/json".to_owned())));
    }
    assert_eq!(script.seen().len(), cases.len());
}

/// Another way of writing the date.
struct Days;

impl OpenPoints for Days {
    fn effective_date(&self, moment: DateTime<Utc>) -> String {
        moment.format("%Y-%m-%dZ").to_string()
    }
}

#[tokio::test(start_paused = true)]
async fn open_points_can_be_replaced() {
    let script = Script::new([], Does::answer(200, &json!({ "iccid": ICCID }).to_string()));
    let client = client(&script).with_open_points(Arc::new(Days));
    let assignment = JasperAssignment::to_status(JasperStatus::Activated).effective_at(moment("2026-12-01T06:00:00Z"));
    assert_eq!(assign(&client, &assignment).await.result, Ok(()));
    let body = script.seen()[0].body.clone().expect("a body");
    assert_eq!(body, r#"{"status":"ACTIVATED","effectiveDate":"2026-12-01Z"}"#);
}

#[tokio::test(start_paused = true)]
async fn devices_are_listed_in_pages_until_the_last() {
    let listed = json!({ "iccid": ICCID, "status": "RENAMED_SINCE", "ratePlan": "Gold", "communicationPlan": "LTE" });
    let script = answers(&[
        json!({ "pageNumber": 2, "devices": [listed], "lastPage": false }),
        json!({ "pageNumber": 3, "devices": [], "lastPage": true }),
    ]);
    let client = client(&script);
    let batch = client.list_devices(moment("2026-11-20T22:00:00Z"), 2).await.result.expect("a page");
    assert!(batch.has_more);
    assert_eq!((batch.records[0].status.as_str(), batch.records[0].msisdn.as_deref()), ("RENAMED_SINCE", None));
    assert_eq!(JasperStatus::find(&batch.records[0].status), None);
    let last = client.list_devices(moment("2026-11-20T22:00:00Z"), 3).await.result.expect("a page");
    assert_eq!(last, Batch { records: Vec::new(), has_more: false });
    let since = "GET /devices?modifiedSince=2026-11-20T22%3A00%3A00%2B00%3A00&pageSize=50";
    assert_eq!(script.lines(), [format!("{since}&pageNumber=2"), format!("{since}&pageNumber=3")]);
}

#[tokio::test(start_paused = true)]
async fn hostile_pages_are_no_answer() {
    let listed = json!({ "iccid": ICCID, "status": "ACTIVATED" });
    let many = vec![listed.clone(); 51];
    for (body, expected) in [
        (json!({ "devices": [], "lastPage": false }), "an empty page"),
        (json!({ "devices": [listed] }), "missing field `lastPage`"),
        (json!({ "lastPage": true }), "missing field `devices`"),
        (json!({ "devices": [listed], "lastPage": "true" }), "lastPage"),
        (json!({ "devices": {}, "lastPage": true }), "devices"),
        (json!({ "devices": [listed], "lastPage": true, "pageNumber": 7 }), "it answers page 7"),
        (json!({ "devices": [listed], "lastPage": true, "pageNumber": -1 }), "pageNumber"),
        (json!({ "devices": many, "lastPage": true }), "51 records on a page of 50"),
        (json!({ "devices": [{ "iccid": ICCID }], "lastPage": true }), "missing field `status`"),
        (json!([]), "expected an object"),
    ] {
        let called = client(&answers(&[body])).list_devices(moment("2026-11-20T22:00:00Z"), 1).await;
        let Err(CallError::Unavailable(text)) = &called.result else { panic!("{expected}: {:?}", called.result) };
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let endless = Script::new([], Does::answer(200, &json!({ "devices": [listed], "lastPage": false }).to_string()));
    let client = client(&endless);
    assert!(client.list_devices(moment("2026-11-20T22:00:00Z"), 9_999).await.result.expect("a page").has_more);
    let called = client.list_devices(moment("2026-11-20T22:00:00Z"), 10_000).await;
    assert!(matches!(&called.result, Err(CallError::Unavailable(text)) if text.contains("goes on")), "{:?}", called.result);
}

#[tokio::test(start_paused = true)]
async fn an_audit_trail_is_read_to_its_end() {
    let entry = |field: &str, prior: Value| {
        json!({
            "field": field, "priorValue": prior, "value": "Gold", "effectiveDate": "2026-11-01 00:00:00.000+0000",
            "status": "Executed", "userName": "ann", "delegatedUser": ""
        })
    };
    let script = answers(&[
        json!({ "iccid": ICCID, "pageNumber": 1, "deviceAuditTrails": [entry("Rate Plan", json!("Silver"))], "lastPage": false }),
        json!({ "iccid": ICCID, "pageNumber": 2, "deviceAuditTrails": [entry("SIM Status", json!(null))], "lastPage": true }),
        json!({ "deviceAuditTrails": [] }),
        json!({ "errorMessage": "no such", "errorCode": "20000001" }),
    ]);
    let client = client(&script);
    let called = client.list_audit_trail(&iccid(), 30).await;
    let trail = called.result.expect("two pages").expect("it is there");
    let expected = JasperAuditEntry {
        field: "Rate Plan".to_owned(),
        prior_value: Some("Silver".to_owned()),
        value: Some("Gold".to_owned()),
        effective_at: Some(moment("2026-11-01T00:00:00Z")),
        status: Some("Executed".to_owned()),
        user_name: Some("ann".to_owned()),
    };
    assert_eq!((trail.len(), &trail[0], trail[1].prior_value.as_deref()), (2, &expected, None));
    assert_eq!(called.exchange.request.lines().count(), 2, "both calls are in the log");
    assert_eq!(client.list_audit_trail(&iccid(), 0).await.result, Ok(Some(Vec::new())));
    assert_eq!(client.list_audit_trail(&iccid(), u16::MAX).await.result, Ok(None));
    let path = format!("GET /devices/{ICCID}/auditTrails?daysOfHistory=");
    assert_eq!(
        script.lines(),
        [format!("{path}30"), format!("{path}30&pageSize=50&pageNumber=2"), format!("{path}1"), format!("{path}365")]
    );
}

#[tokio::test(start_paused = true)]
async fn usage_is_bytes_of_the_cycle_to_date() {
    let script = answers(&[
        json!({
            "iccid": ICCID, "ctdDataUsage": 9_007_199_254_740_993_u64, "ctdSMSUsage": 3, "ctdVoiceUsage": "0",
            "overageLimitReached": false
        }),
        json!({ "errorMessage": "no such", "errorCode": "20000001" }),
        json!({ "iccid": ICCID, "ctdSMSUsage": 3 }),
        json!({ "iccid": ICCID, "ctdDataUsage": -1 }),
        json!({ "iccid": ICCID, "ctdDataUsage": 1.5 }),
        json!({ "iccid": "89012603142146561235", "ctdDataUsage": 1 }),
    ]);
    let client = client(&script);
    let usage = client.find_usage(&iccid()).await.result.expect("an answer").expect("it is there");
    assert_eq!(usage.data_bytes, 9_007_199_254_740_993);
    assert_eq!((usage.sms_count, usage.voice_seconds, usage.session_count), (Some(3), Some(0), None));
    assert_eq!(client.find_usage(&iccid()).await.result, Ok(None));
    for expected in ["missing field `ctdDataUsage`", "expected a whole number", "expected a whole number", "it answers"] {
        let called = client.find_usage(&iccid()).await;
        assert!(matches!(&called.result, Err(CallError::Unavailable(text)) if text.contains(expected)), "{:?}", called.result);
    }
    assert_eq!(script.lines()[0], format!("GET /devices/{ICCID}/ctdUsages"));
}

#[tokio::test(start_paused = true)]
async fn rate_plans_are_read_to_the_last_page() {
    let script = answers(&[
        json!({ "pageNumber": 1, "ratePlans": [{ "name": "Gold", "type": "Monthly" }], "lastPage": false }),
        json!({ "pageNumber": 2, "ratePlans": [{ "name": "Silver" }], "lastPage": true }),
        json!({ "ratePlans": [{ "type": "Monthly" }], "lastPage": true }),
        json!({ "errorMessage": "your role lacks it", "errorCode": "10000030" }),
    ]);
    let client = client(&script);
    let plans = client.list_rate_plans().await.result.expect("two pages");
    assert_eq!(plans.iter().map(|plan| plan.name.as_str()).collect::<Vec<_>>(), ["Gold", "Silver"]);
    assert_eq!(script.lines(), ["GET /rateplans", "GET /rateplans?pageSize=50&pageNumber=2"]);
    let called = client.list_rate_plans().await;
    assert!(matches!(&called.result, Err(CallError::Unavailable(text)) if text.contains("missing field `name`")));
    assert!(matches!(client.list_rate_plans().await.result, Err(CallError::Unauthorized { .. })));
}

#[tokio::test(start_paused = true)]
async fn the_connection_is_tested_with_a_page_of_devices() {
    let script = answers(&[json!({ "devices": [], "lastPage": true })]);
    let client = client(&script);
    assert_eq!(client.test_connection().await.result, Ok(()));
    assert_eq!(script.lines(), ["GET /devices?modifiedSince=2026-11-21T10%3A00%3A00%2B00%3A00&pageSize=50&pageNumber=1"]);
    script.rest(Does::answer(401, ""));
    assert!(matches!(client.test_connection().await.result, Err(CallError::Unauthorized { status: 401, .. })));
}
