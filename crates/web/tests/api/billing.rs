//! What people see of billing: the order, the estimate, the steps, what waits, and what they must settle.

use lineshift_domain::ids::{BulkChangeId, DeviceChangeId};
use lineshift_domain::limits::Limits;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::billing::{BillingWorld, PACKAGE, PASSWORD, PRODUCT};
use lineshift_testkit::operator::iccid;
use serde_json::{Value, json};

fn order(app: &TestApp, lines: u64) -> Value {
    json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": (1..=lines).map(iccid).collect::<Vec<_>>(),
        "RevCustomerId": app.operator.rev_customer.0.to_string(), "CreateRevService": true, "ServiceTypeId": 6, "ProviderId": 42,
        "RevProducts": [{"ProductId": PRODUCT, "Rate": 4.95, "Quantity": 1}], "Prorate": true,
        "OnRevServiceFailure": "continue", "OnPartialFailure": "compensate",
    })
}

async fn ordered(app: &TestApp, body: &Value) {
    let answer = app.orderer().await.post("/M2M/AssociateCustomer", body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
}

#[tokio::test]
async fn an_order_shows_its_rev_service_and_how_long_it_takes() {
    let (app, _) = TestApp::billing(BillingWorld::with_lines(3).await).await;
    ordered(&app, &order(&app, 3)).await;
    let orderer = app.orderer().await;
    let open = orderer.read("/api/v1/bulk-changes/1").await;
    assert_eq!(
        open["order"]["assignment"]["rev_service"],
        json!({
            "service_type_id": 6, "provider_id": 42, "package_id": null, "usage_plan_group_id": null, "prorate": true,
            "description": null, "products": [{"product_id": PRODUCT, "rate": "4.95", "quantity": "1"}],
        })
    );
    assert_eq!(open["order"]["assignment"]["on_rev_service_failure"], "continue");
    assert_eq!(open["order"]["assignment"]["on_partial_failure"], "compensate");
    assert_eq!(open["estimate"]["calls_a_minute"], 500);
    assert!(open["estimate"]["calls"].as_u64().is_some_and(|calls| (6..=20).contains(&calls)), "{open}");
    assert!(open["estimate"]["seconds"].as_u64().is_some_and(|seconds| seconds > 0), "{open}");

    app.operator.run_until_idle().await;
    let done = orderer.read("/api/v1/bulk-changes/1").await;
    assert_eq!((&done["status"], &done["estimate"], &done["waiting"]), (&json!("PROCESSED"), &Value::Null, &json!([])));

    let rows = orderer.read("/api/v1/bulk-changes/1/devices?include=steps").await;
    let steps = rows["items"][2]["steps"].as_array().expect("steps");
    let shown: Vec<_> = steps.iter().map(|step| (step["step"].clone(), step["part"].clone(), step["state"].clone())).collect();
    assert_eq!(shown, [(json!("rev_service"), json!(0), json!("done")), (json!("rev_service"), json!(1), json!("done"))]);
    assert!(steps.iter().all(|step| step["external_id"].is_i64() && step["adopted"] == false), "{steps:?}");
    let plain = orderer.read("/api/v1/bulk-changes/1/devices").await;
    assert!(plain["items"][0].get("steps").is_none(), "{plain}");
    assert_eq!(orderer.get("/api/v1/bulk-changes/1/devices?include=all").await.problems(), ["include wrong_form"]);
    assert!(!rows.to_string().contains(PASSWORD));
}

#[tokio::test]
async fn a_package_is_shown_as_such() {
    let (app, _) = TestApp::billing(BillingWorld::with_lines(1).await).await;
    let mut body = order(&app, 1);
    body.as_object_mut().expect("an object").remove("RevProducts");
    body["RevPackageId"] = json!(PACKAGE);
    ordered(&app, &body).await;
    let shown = app.orderer().await.read("/api/v1/bulk-changes/1").await;
    let service = &shown["order"]["assignment"]["rev_service"];
    assert_eq!((&service["package_id"], &service["products"]), (&json!(PACKAGE), &Value::Null));
}

#[tokio::test]
async fn rows_that_wait_say_for_what_and_until_when() {
    let world = BillingWorld::with(20, Limits::default(), |_| {}).await;
    world.set_account(PASSWORD, |settings| settings.calls_a_day = Some(12)).await;
    let (app, _) = TestApp::billing(world).await;
    ordered(&app, &order(&app, 20)).await;
    app.operator.run_until_idle().await;
    let orderer = app.orderer().await;
    let change = orderer.read("/api/v1/bulk-changes/1").await;
    let waiting = &change["waiting"][0];
    assert_eq!((&waiting["code"], change["waiting"].as_array().map(Vec::len)), (&json!("quota_exhausted"), Some(1)), "{change}");
    assert_eq!(waiting["count"], change["counts"]["open"]);
    let until = waiting["next_check_at"].as_str().expect("a moment").to_owned();
    let rows = orderer.read("/api/v1/bulk-changes/1/devices?status=PENDING&include=steps").await;
    let row = &rows["items"][0];
    assert_eq!((&row["error_code"], row["next_check_at"].as_str()), (&json!("quota_exhausted"), Some(until.as_str())), "{row}");
    assert!(row["status_details"].as_str().is_some_and(|text| text.contains("the calls of this day are used up")), "{row}");
    let export = orderer.get("/api/v1/bulk-changes/1/export?status=PENDING").await.text();
    let line = export.lines().nth(1).expect("a row");
    assert!(line.contains("quota_exhausted") && line.ends_with(&until), "{line}");

    let account = app.admin().await.read("/api/v1/integrations/1/account").await;
    assert_eq!((&account["calls"]["left_in_day"], account["not_before"].is_string()), (&json!(0), true), "{account}");
}

/// Leaves the first row of a change as a worker leaves it whose store failed after a call was sent.
async fn lose_the_first_row(app: &TestApp) -> DeviceChangeId {
    lose_rows(app, 1).await
}

/// The same of the first rows; answers the first of them.
pub(crate) async fn lose_rows(app: &TestApp, rows: i64) -> DeviceChangeId {
    lineshift_testkit::billing::lose_rows(&app.operator, rows).await
}

#[tokio::test]
async fn what_nobody_knows_is_listed_and_settled_by_a_person() {
    let (app, _) = TestApp::billing(BillingWorld::with_lines(2).await).await;
    ordered(&app, &order(&app, 2)).await;
    let row = lose_the_first_row(&app).await;
    app.operator.run_until_idle().await;
    let orderer = app.orderer().await;
    let listed = orderer.read("/api/v1/unsettled-steps?limit=1").await;
    let step = &listed["items"][0];
    assert_eq!(
        (&step["device_change_id"], &step["bulk_change_id"], &step["state"]),
        (&json!(row.0), &json!(1), &json!("intended"))
    );
    assert_eq!((&step["line"], &listed["next"]), (&json!(iccid(1)), &Value::Null));

    let settle = format!("/api/v1/device-changes/{row}/settle");
    assert_eq!(orderer.post(&settle, &json!({"as": "maybe"})).await.problems(), ["as wrong_form"]);
    let gone_with_id = orderer.post(&settle, &json!({"as": "gone", "rev_service_id": 7})).await;
    assert_eq!(gone_with_id.problems(), ["rev_service_id conflicting_fields"]);
    assert_eq!(app.viewer().await.post(&settle, &json!({"as": "gone"})).await.status, 403);
    assert_eq!(app.with_scopes("elsewhere", "lnp:view lnp:edit").await.post(&settle, &json!({"as": "gone"})).await.status, 403);
    let hidden = app.with_scopes("lnp", "lnp:view").await.read("/api/v1/unsettled-steps").await;
    assert_eq!(hidden["items"], json!([]), "of a portal that the key may not view");
    let stranger = app.stranger().await;
    assert_eq!(stranger.read("/api/v1/unsettled-steps").await["items"], json!([]));
    assert_eq!(stranger.post(&settle, &json!({"as": "gone"})).await.status, 404);

    // Who says what they looked at settles nothing else.
    let at = step["at"].clone();
    let wrong = orderer.post(&settle, &json!({"as": "gone", "attempt": 0, "steps_at": "yesterday"})).await;
    assert_eq!(wrong.problems(), ["attempt wrong_form", "steps_at wrong_form"]);
    for stale in [json!({"attempt": 2, "steps_at": at}), json!({"attempt": 1, "steps_at": "2020-01-01T00:00:00Z"})] {
        let stale = json!({"as": "gone", "attempt": stale["attempt"], "steps_at": stale["steps_at"]});
        assert_eq!(orderer.post(&settle, &stale).await.status, 409, "{stale}");
    }

    let mut events = app.operator.engine.events().subscribe();
    let stands = json!({"as": "stands", "rev_service_id": 4711, "attempt": 1, "steps_at": at});
    let settled = orderer.post(&settle, &stands).await;
    assert_eq!(settled.status, 200, "{}", settled.text());
    let steps = settled.json()["steps"].clone();
    assert_eq!((&steps[0]["state"], &steps[0]["external_id"]), (&json!("done"), &json!(4711)));
    assert!(steps[0]["outcome"].as_str().is_some_and(|text| text.ends_with("says orderer")), "{steps}");
    assert_eq!(events.try_recv().expect("watchers hear of it").bulk_change_id, BulkChangeId(1));
    assert_eq!(orderer.read("/api/v1/unsettled-steps").await["items"], json!([]));
    assert_eq!(orderer.post(&settle, &json!({"as": "gone"})).await.status, 409);
}

#[tokio::test]
async fn what_accounts_still_allow_is_measured() {
    let (app, _) = TestApp::measured_billing(BillingWorld::with_lines(2).await).await;
    ordered(&app, &order(&app, 2)).await;
    lose_the_first_row(&app).await;
    let admin = app.admin().await;
    assert_eq!(admin.post_empty("/api/v1/integrations/1/test").await.json()["ok"], true);
    let text = app.anonymous().get("/metrics").await.text();
    let has = |line: &str| assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
    has("lineshift_stuck_steps 1");
    has("lineshift_rows_waiting 0");
    has(r#"lineshift_quota_left{tenant="1",account="Rev.io",window="minute"} 499"#);
    has(r#"lineshift_quota_left{tenant="1",account="Rev.io",window="day"} 149999"#);
    assert!(!text.contains(PASSWORD));
}
