//! Jasper: every call, its rules, dates to come, and the audit trail.

use chrono::TimeDelta;
use lineshift_simulators::jasper::{ChangeStatus, OPENAPI, Status, Usage};
use serde_json::{Value, json};

use crate::caller::{ICCID, get, jasper, put, put_to};

#[tokio::test]
async fn every_call_of_the_description_is_answered_as_described() {
    let (simulator, _) = jasper(|_| {});
    simulator.use_up(ICCID, Usage { data_bytes: 9_007_199_254_740_993, sms: 3, voice_seconds: 0, sessions: 7 });
    let device = get(&simulator, &format!("/devices/{ICCID}")).await.expect(200);
    assert_eq!((&device["status"], &device["ratePlan"]), (&json!("ACTIVATED"), &json!("Sensor 50 MB")));
    assert_eq!(device["dateAdded"], "2026-11-21 12:00:00.000+0000");
    assert_eq!(put(&simulator, &json!({ "ratePlan": "Tracker" })).await.expect(200), json!({ "iccid": ICCID }));
    let usage = get(&simulator, &format!("/devices/{ICCID}/ctdUsages")).await.expect(200);
    assert_eq!(usage["ctdDataUsage"], 9_007_199_254_740_993_u64);
    let plans = get(&simulator, "/rateplans").await.expect(200);
    assert_eq!((plans["ratePlans"].as_array().map(Vec::len), &plans["lastPage"]), (Some(3), &json!(true)));
    let trail = get(&simulator, &format!("/devices/{ICCID}/auditTrails?daysOfHistory=1")).await.expect(200);
    assert_eq!(trail["deviceAuditTrails"][0]["value"], "Tracker");
    get(&simulator, "/devices?modifiedSince=2026-11-21T00:00:00Z").await.expect(200);

    let called = simulator.ledger().summary().traffic.calls;
    let described: Value = serde_json::from_str(OPENAPI).expect("JSON");
    for (path, methods) in described["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let name = format!("{} {path}", method.to_uppercase());
            assert!(called.contains_key(&name), "{name} was called");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_is_refused_by_its_code() {
    let (simulator, _) = jasper(|_| {});
    for (body, code) in [
        (json!({ "status": "RUNNING" }), "10000005"),
        (json!({ "ratePlan": "Nobody's" }), "10000013"),
        (json!({ "communicationPlan": "Nobody's" }), "10000014"),
        (json!({ "customer": "Nobody" }), "10000015"),
        (json!({ "status": "INVENTORY" }), "10000029"),
        (json!({ "ratePlan": "Tracker", "effectiveDate": "2027-05-21T12:00:00Z" }), "10000012"),
        (json!({ "ratePlan": "Tracker", "status": "TEST_READY" }), "10000029"),
    ] {
        let told = put(&simulator, &body).await;
        assert_eq!(told.expect(400)["errorCode"], code, "{body}");
    }
    let unknown = get(&simulator, "/devices/8901999999999999999").await.expect(404);
    assert_eq!(unknown["errorCode"], "20000001");
    let summary = simulator.ledger().summary();
    assert_eq!((summary.assignments, summary.changed_fields), (0, 0), "nothing was done");

    simulator.adjust(|options| options.is_admin = false);
    assert_eq!(get(&simulator, "/rateplans").await.expect(403)["errorCode"], "10000030");
    simulator.adjust(|options| options.codes_missing = 1.0);
    assert_eq!(get(&simulator, "/rateplans").await.expect(403).get("errorCode"), None);
}

#[tokio::test]
async fn a_final_status_stays() {
    for status in ["RETIRED", "PURGED"] {
        let (simulator, _) = jasper(|_| {});
        put(&simulator, &json!({ "status": status })).await.expect(200);
        put(&simulator, &json!({ "status": status })).await.expect(200);
        for other in Status::ALL.into_iter().filter(|other| other.name() != status) {
            put(&simulator, &json!({ "status": other.name() })).await.expect(400);
        }
        assert_eq!(simulator.ledger().device(ICCID).expect("it is there").status.name(), status);
    }
}

#[tokio::test]
async fn an_activation_is_dated_once() {
    let (simulator, clock) = jasper(|_| {});
    let iccid = "8901000000000000010";
    assert_eq!(simulator.ledger().device(iccid).expect("it is there").date_activated, None);
    put_to(&simulator, iccid, &json!({ "status": "ACTIVATED" })).await.expect(200);
    let first = simulator.ledger().device(iccid).expect("it is there").date_activated;
    assert!(first.is_some());
    clock.pass(TimeDelta::days(1));
    for status in ["DEACTIVATED", "ACTIVATED"] {
        put_to(&simulator, iccid, &json!({ "status": status })).await.expect(200);
    }
    assert_eq!(simulator.ledger().device(iccid).expect("it is there").date_activated, first);
}

#[tokio::test]
async fn a_change_of_a_later_date_is_in_force_when_it_comes() {
    let (simulator, clock) = jasper(|_| {});
    let change = json!({ "ratePlan": "Tracker", "status": "DEACTIVATED", "effectiveDate": "2026-11-23T12:00:00+00:00" });
    put(&simulator, &change).await.expect(200);
    put(&simulator, &change).await.expect(200);
    let summary = simulator.ledger().summary();
    assert_eq!((summary.pending_fields, summary.changed_fields, summary.repeated_assignments), (2, 0, 1));
    let device = get(&simulator, &format!("/devices/{ICCID}")).await.expect(200);
    assert_eq!((&device["ratePlan"], &device["status"]), (&json!("Sensor 50 MB"), &json!("ACTIVATED")));
    let trail = get(&simulator, &format!("/devices/{ICCID}/auditTrails")).await.expect(200);
    assert_eq!(trail["deviceAuditTrails"][0]["status"], "Pending");
    let since = "/devices?modifiedSince=2026-11-23T00:00:00Z";
    assert_eq!(get(&simulator, since).await.expect(200)["devices"], json!([]));

    clock.pass(TimeDelta::hours(48));
    let device = get(&simulator, &format!("/devices/{ICCID}")).await.expect(200);
    assert_eq!((&device["ratePlan"], &device["status"]), (&json!("Tracker"), &json!("DEACTIVATED")));
    let listed = get(&simulator, since).await.expect(200);
    assert_eq!((listed["devices"].as_array().map(Vec::len), &listed["devices"][0]["iccid"]), (Some(1), &json!(ICCID)));
    let trail = simulator.ledger().audit_trail();
    assert!(trail.iter().all(|entry| entry.status == ChangeStatus::Completed) && trail.len() == 2, "{trail:?}");
}

#[tokio::test]
async fn a_change_that_is_not_allowed_when_its_date_comes_fails() {
    let (simulator, clock) = jasper(|_| {});
    put(&simulator, &json!({ "status": "DEACTIVATED", "effectiveDate": "2026-11-22Z" })).await.expect(200);
    put(&simulator, &json!({ "status": "RETIRED" })).await.expect(200);
    clock.pass(TimeDelta::days(2));
    let summary = simulator.ledger().summary();
    assert_eq!((summary.failed_fields, summary.changed_fields), (1, 1));
    assert_eq!(simulator.ledger().device(ICCID).expect("it is there").status, Status::Retired);
}

#[tokio::test]
async fn sending_an_assignment_again_does_no_harm_and_is_counted() {
    let (simulator, _) = jasper(|_| {});
    for _ in 0..3 {
        put(&simulator, &json!({ "ratePlan": "Tracker" })).await.expect(200);
    }
    let summary = simulator.ledger().summary();
    assert_eq!((summary.assignments, summary.repeated_assignments, summary.changed_fields), (3, 2, 1));
    assert_eq!(summary.traffic.calls["PUT /devices/{iccid}"], 3);
}

#[tokio::test]
async fn lists_come_in_pages_of_fifty_until_the_last() {
    let (simulator, _) = jasper(|_| {});
    simulator.with_examples(120);
    let mut iccids = std::collections::BTreeSet::new();
    for (page, count, last) in [(1, 50, false), (2, 50, false), (3, 20, true), (4, 0, true)] {
        let target = format!("/devices?modifiedSince=2026-01-01T00%3A00%3A00%2B00%3A00&pageSize=50&pageNumber={page}");
        let answer = get(&simulator, &target).await.expect(200);
        let devices = answer["devices"].as_array().expect("a list");
        assert_eq!((devices.len(), &answer["lastPage"], &answer["pageNumber"]), (count, &json!(last), &json!(page)));
        iccids.extend(devices.iter().map(|device| device["iccid"].to_string()));
    }
    assert_eq!(iccids.len(), 120);
}
