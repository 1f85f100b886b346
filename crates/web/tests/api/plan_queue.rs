//! The plan queue: listed, moved, canceled, applied (B8.2, B8.3).

use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::HttpCaller;
use lineshift_testkit::operator::{iccid, number};
use serde_json::{Value, json};

use crate::browser::Browser;

async fn schedule(app: &TestApp, caller: &HttpCaller, line: u64, date: &str) -> i64 {
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(line)], "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "CustomerPoolId": 0, "EffectiveDate": date},
    });
    let answer = caller.post("/M2M/BulkChange", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    app.operator.run_until_idle().await;
    let change = answer.json()["BulkChangeId"].as_i64().expect("an id");
    let entries = caller.read(&format!("/api/v1/plan-queue?bulk_change_id={change}")).await;
    entries["items"][0]["id"].as_i64().expect("an entry")
}

#[tokio::test]
async fn an_entry_is_shown_with_its_date_in_both_zones() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    let id = schedule(&app, &orderer, 1, "2026-12-24").await;
    let entry = orderer.read(&format!("/api/v1/plan-queue/{id}")).await;
    insta::assert_json_snapshot!(entry, @r#"
    {
      "bulk_change_id": 1,
      "created_at": "2026-12-01T09:00:00Z",
      "created_by": "AWS Lambda - Device Bulk Change",
      "customer_data_allocation_mb": "500",
      "customer_rate_plan_id": 1,
      "customer_rate_pool_id": 0,
      "device_id": 1,
      "effective_date": {
        "local": "2026-12-24T00:00:00-06:00",
        "utc": "2026-12-24T06:00:00Z"
      },
      "error_code": null,
      "iccid": "89445000000000000017",
      "id": 1,
      "modified_at": null,
      "modified_by": null,
      "number": "15550000001",
      "portal": "M2M",
      "rev_customer_id": null,
      "site_id": null,
      "state": "open",
      "status_details": null
    }
    "#);
    let of_line = orderer.read("/api/v1/plan-queue?device_id=1").await;
    assert_eq!(of_line["items"], json!([entry]));
}

#[tokio::test]
async fn an_entry_is_moved_in_the_tenants_zone_and_applied_on_its_new_date() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    let id = schedule(&app, &orderer, 1, "2026-12-24").await;
    let path = format!("/api/v1/plan-queue/{id}");
    let moved = orderer.patch(&path, &json!({"effective_date": "2027-07-01"})).await;
    assert_eq!(moved.status, 200, "{}", moved.text());
    assert_eq!(moved.json()["effective_date"], json!({"utc": "2027-07-01T05:00:00Z", "local": "2027-07-01T00:00:00-05:00"}));
    assert_eq!(moved.json()["modified_by"], "orderer");
    for (body, problem) in [
        (json!({"effective_date": "2029-01-01"}), "effective_date date_out_of_range"),
        (json!({"effective_date": "soon"}), "effective_date wrong_form"),
        (json!({"effective_date": 20_270_701}), "effective_date wrong_form"),
        (json!({}), "effective_date missing_field"),
    ] {
        let refused = orderer.patch(&path, &body).await;
        assert_eq!((refused.status, refused.problems()), (422, vec![problem.to_owned()]), "{body}");
    }
    app.operator.clock.set("2027-07-01T04:59:59Z");
    app.operator.run_until_idle().await;
    assert_eq!(orderer.read(&path).await["state"], "open");
    app.operator.clock.set("2027-07-01T05:00:00Z");
    app.operator.run_until_idle().await;
    assert_eq!(orderer.read(&path).await["state"], "applied");
    assert_eq!(orderer.read("/api/v1/devices/1").await["assignment"]["customer_rate_plan_id"], app.operator.plan.0);
    let late = orderer.patch(&path, &json!({"effective_date": "2027-08-01"})).await;
    assert_eq!((late.status, late.problems()), (409, vec!["entry_not_open".to_owned()]));
}

#[tokio::test]
async fn a_canceled_entry_stays_and_is_not_applied() {
    let app = TestApp::with_lines(2).await;
    let orderer = app.orderer().await;
    let (first, second) = (schedule(&app, &orderer, 1, "2026-12-24").await, schedule(&app, &orderer, 2, "2026-12-24").await);
    let canceled = orderer.post_empty(&format!("/api/v1/plan-queue/{first}/cancel")).await;
    assert_eq!((canceled.status, &canceled.json()["state"]), (200, &json!("canceled")));
    let again = orderer.post_empty(&format!("/api/v1/plan-queue/{first}/cancel")).await;
    assert_eq!((again.status, again.problems()), (409, vec!["entry_not_open".to_owned()]));
    app.operator.clock.set("2026-12-25T00:00:00Z");
    app.operator.run_until_idle().await;
    let state = async |id: i64| orderer.read(&format!("/api/v1/plan-queue/{id}")).await["state"].clone();
    assert_eq!((state(first).await, state(second).await), (json!("canceled"), json!("applied")));
    assert_eq!(orderer.read("/api/v1/devices/1").await["assignment"]["customer_rate_plan_id"], Value::Null);
    let listed = orderer.read("/api/v1/plan-queue?bulk_change_id=1&state=canceled").await;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(orderer.read("/api/v1/plan-queue").await["items"], json!([]));
}

#[tokio::test]
async fn an_entry_whose_plan_was_made_inactive_fails_and_says_why() {
    let app = TestApp::with_lines(1).await;
    let admin = app.admin().await;
    let id = schedule(&app, &admin, 1, "2026-12-24").await;
    let plan = format!("/api/v1/customer-rate-plans/{}", app.operator.plan);
    assert_eq!(admin.patch(&plan, &json!({"is_active": false})).await.status, 200);
    app.operator.clock.set("2026-12-25T00:00:00Z");
    app.operator.run_until_idle().await;
    let entry = admin.read(&format!("/api/v1/plan-queue/{id}")).await;
    assert_eq!((&entry["state"], &entry["error_code"]), (&json!("failed"), &json!("plan_inactive")));
    assert_eq!(admin.read("/api/v1/bulk-changes/1").await["counts"]["scheduled_failed"], 1);
}

#[tokio::test]
async fn lists_are_chosen_by_what_goes_together() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    let problems = async |query: &str| orderer.get(&format!("/api/v1/plan-queue?{query}")).await.problems();
    assert_eq!(problems("device_id=1&bulk_change_id=1").await, ["conflicting_fields"]);
    assert_eq!(problems("state=applied").await, ["state field_without_option"]);
    assert_eq!(problems("device_id=1&state=failed").await, ["state field_without_option"]);
    assert_eq!(problems("state=gone&bulk_change_id=x").await, ["bulk_change_id wrong_form", "state wrong_form"]);
    assert_eq!(orderer.read("/api/v1/plan-queue?state=open").await["items"], json!([]));
}

#[tokio::test]
async fn a_portal_shows_scheduled_lines_by_what_it_knows_them_by() {
    let app = TestApp::with_lines(2).await;
    let operator = &app.operator;
    for (portal, line) in [("LNP", 1), ("Mobility", 2)] {
        let order = json!({
            "ServiceProviderId": operator.jasper.0, "Numbers": [number(line)], "ChangeType": 4,
            "CustomerRatePlanUpdate": {"CustomerRatePlanId": operator.plan.0, "EffectiveDate": "2026-12-24"},
        });
        let answer = app.admin().await.post(&format!("/{portal}/BulkChange"), &order).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    operator.run_until_idle().await;
    app.signed_in("ada@fleet.example", &["administrator"], "*").await;
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let lnp = ada.page("/lnp/plan-queue").await;
    assert!(lnp.contains(&format!(">{}</a>", number(1))) && lnp.contains(&format!("Cancel for {}", number(1))), "{lnp}");
    assert!(!lnp.contains(&iccid(1)) && !lnp.contains(&number(2)), "{lnp}");
    let mobility = ada.page("/mobility/plan-queue").await;
    assert!(mobility.contains(&format!(">{}</a>", iccid(2))) && !mobility.contains(&number(2)), "{mobility}");
    // So do the pages of a line and of a change; where an order took numbers, they show numbers.
    for (path, heading) in [("/lnp/lines/1", number(1)), ("/mobility/lines/1", iccid(1)), ("/m2m/lines/1", iccid(1))] {
        let line = ada.page(path).await;
        assert!(line.contains(&format!("<h1>Line {heading}")) && line.contains(&iccid(1)) && line.contains(&number(1)), "{line}");
    }
    for (path, line) in [("/lnp/bulk-changes/1", 1), ("/mobility/bulk-changes/2", 2)] {
        let change = ada.page(path).await;
        assert!(change.contains(&format!(">{}</a></th>", number(line))) && !change.contains(&iccid(line)), "{change}");
    }
    let file = ada.open("/lnp/bulk-changes/1/scheduled").await.text();
    assert!(file.contains(&number(1)) && file.contains(&iccid(1)), "{file}");
}
