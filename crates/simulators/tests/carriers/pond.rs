//! POND: every call and its rules.

use std::time::Duration;

use lineshift_simulators::pond::{Fault, OPENAPI, PackageStatus, ServiceStatus};
use serde_json::{Value, json};
use tokio::time::advance;

use crate::caller::{SIM, get_pond, pond, post_pond, send_pond, to_pond};

#[tokio::test]
async fn every_call_of_the_description_is_answered_as_described() {
    let simulator = pond(|_| {});
    assert_eq!(get_pond(&simulator, "/sim?offset=1&count=1").await.expect(200)["total"], 3);
    let sim = get_pond(&simulator, &format!("/sim/{SIM}")).await.expect(200);
    assert_eq!((&sim["iccid"], &sim["simDataServiceStatus"]), (&json!(SIM), &json!("ENABLED")));
    let off = json!({ "simDataServiceStatus": "DISABLED", "simVoiceServiceStatus": "ENABLED" });
    let told = post_pond(&simulator, &format!("/sim/{SIM}/status"), &off).await;
    assert_eq!((told.status, told.body.len()), (204, 0));
    let sim = simulator.ledger().sim(SIM).expect("it is there");
    assert_eq!((sim.data, sim.voice, sim.sms), (ServiceStatus::Disabled, ServiceStatus::Enabled, ServiceStatus::Enabled));

    let added = post_pond(&simulator, &format!("/sim/{SIM}/addPackage"), &json!({ "packageTypeId": "102" })).await;
    let added = added.expect(200);
    assert_eq!((&added["packageTypeId"], &added["packageStatus"]), (&json!("102"), &json!("INACTIVE")));
    let target = format!("/package/{}/status", added["packageId"].as_str().expect("an id"));
    post_pond(&simulator, &target, &json!({ "packageStatus": "ACTIVE" })).await.expect(204);
    let packages = get_pond(&simulator, &format!("/sim/{SIM}/package/infos")).await.expect(200);
    assert_eq!((&packages["total"], &packages["elements"][1]["packageStatus"]), (&json!(2), &json!("ACTIVE")));
    let types = get_pond(&simulator, "/inventory/main/packageTypes").await.expect(200);
    assert_eq!(types["elements"][1], json!({ "packageTypeId": "102", "name": "Sensor 250 MB" }));

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
async fn adding_twice_makes_two_packages() {
    let simulator = pond(|_| {});
    for _ in 0..2 {
        post_pond(&simulator, &format!("/sim/{SIM}/addPackage"), &json!({ "packageTypeId": "102" })).await.expect(200);
    }
    let summary = simulator.ledger().summary();
    assert_eq!((summary.added_packages, summary.active_packages, summary.duplicate_packages), (2, 3, 1));
    let packages = simulator.ledger().packages_of(SIM);
    assert_eq!(packages.len(), 3);
    assert_ne!(packages[1].package_id, packages[2].package_id);
}

#[tokio::test]
async fn a_terminated_package_does_not_come_back() {
    let simulator = pond(|_| {});
    let id = simulator.ledger().packages_of(SIM)[0].package_id;
    let target = format!("/package/{id}/status");
    for _ in 0..2 {
        post_pond(&simulator, &target, &json!({ "packageStatus": "TERMINATED" })).await.expect(204);
    }
    let told = post_pond(&simulator, &target, &json!({ "packageStatus": "ACTIVE" })).await.expect(409);
    assert_eq!((&told["status"], &told["code"]), (&json!(409), &json!("PACKAGE_TERMINATED")));
    assert_eq!(simulator.ledger().packages_of(SIM)[0].status, PackageStatus::Terminated);
}

#[tokio::test]
async fn what_is_not_there_is_refused() {
    let simulator = pond(|_| {});
    simulator.remove_package_type("103");
    let add = |sim: &str, id: &str| to_pond("POST", &format!("/sim/{sim}/addPackage"), Some(&json!({ "packageTypeId": id })));
    let status = to_pond("POST", "/package/1/status", Some(&json!({ "packageStatus": "ACTIVE" })));
    for (request, http, code) in [
        (add("8944999999999999999", "102"), 404, "SIM_NOT_FOUND"),
        (add(SIM, "999"), 400, "PACKAGE_TYPE_NOT_FOUND"),
        (add(SIM, "103"), 400, "PACKAGE_TYPE_NOT_FOUND"),
        (status, 404, "PACKAGE_NOT_FOUND"),
        (to_pond("GET", "/inventory/none/packageTypes", None), 404, "INVENTORY_NOT_FOUND"),
    ] {
        simulator.adjust(|options| options.errors_inside_successes = false);
        let told = send_pond(&simulator, request.clone()).await.expect(http);
        assert_eq!((&told["status"], &told["code"]), (&json!(http), &json!(code)));
        simulator.adjust(|options| options.errors_inside_successes = true);
        let told = send_pond(&simulator, request).await.expect(200);
        assert_eq!((&told["status"], &told["code"]), (&json!(http), &json!(code)), "the same inside a success");
    }
    assert_eq!(simulator.ledger().summary().added_packages, 0);
}

#[tokio::test(start_paused = true)]
async fn a_new_package_may_be_found_only_later() {
    let simulator = pond(|options| options.seed = 3);
    simulator.meet_next(Fault::SearchLags);
    post_pond(&simulator, &format!("/sim/{SIM}/addPackage"), &json!({ "packageTypeId": "102" })).await.expect(200);
    assert_eq!(get_pond(&simulator, &format!("/sim/{SIM}/package/infos")).await.expect(200)["total"], 1);
    advance(Duration::from_secs(8)).await;
    assert_eq!(get_pond(&simulator, &format!("/sim/{SIM}/package/infos")).await.expect(200)["total"], 2);
}

#[tokio::test(start_paused = true)]
async fn calls_beyond_those_at_once_are_refused() {
    let simulator = pond(|options| {
        options.latency = Duration::from_millis(50);
        options.calls_at_once = Some(2);
    });
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let simulator = std::sync::Arc::clone(&simulator);
            tokio::spawn(async move { get_pond(&simulator, "/sim").await })
        })
        .collect();
    let mut statuses = Vec::new();
    for call in calls {
        let told = call.await.expect("it ends");
        assert_eq!(told.header("retry-after").is_some(), told.status == 429);
        statuses.push(told.status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 429, 429]);
}
