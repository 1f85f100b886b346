//! Orders that call outside keep within reach, also when they are retried: lines beyond it are as if not there, and nobody is called for
//! them.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::billing::{BillingWorld, PRODUCT};
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PLAN};
use lineshift_testkit::http::HttpCaller;
use lineshift_testkit::operator::iccid;
use serde_json::{Value, json};

use crate::billing::lose_rows;
use crate::reach::{limited, not_found};

/// Somebody who reaches the first line, and not the second.
async fn who_reaches_the_first(app: &TestApp) -> HttpCaller {
    let operator = &app.operator;
    let first = json!({"ServiceProviderId": operator.jasper.0, "Devices": [iccid(1)],
        "RevCustomerId": operator.rev_customer.0.to_string(), "CreateRevService": false});
    assert_eq!(app.admin().await.post("/M2M/AssociateCustomer", &first).await.status, 202);
    operator.run_until_idle().await;
    limited(app, &format!("customer:{}", operator.rev_customer)).await
}

/// Orders for both lines and one that is not there, twice retried: one is done, two are not found.
async fn ordered_and_retried(app: &TestApp, path: &str, order: &Value) -> Value {
    let caller = who_reaches_the_first(app).await;
    let answer = caller.post(path, order).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let change = format!("/api/v1/bulk-changes/{}", answer.json()["BulkChangeId"]);
    let mut rows = Value::Null;
    for _ in 0..2 {
        app.operator.run_until_idle().await;
        rows = caller.read(&format!("{change}/devices?include=steps")).await;
        assert_eq!((&rows["items"][0]["status"], not_found(&rows)), (&json!("PROCESSED"), 2), "{rows}");
        assert!(rows["items"][1]["steps"] == json!([]) && rows["items"][2]["steps"] == json!([]), "{rows}");
        let retried = caller.post(&format!("{change}/retry"), &json!({})).await;
        assert_eq!((retried.status, &retried.json()["rows"]), (200, &json!(2)), "{}", retried.text());
    }
    rows
}

#[tokio::test]
async fn services_are_opened_within_reach() {
    let (app, simulator) = TestApp::billing(BillingWorld::with_lines(2).await).await;
    let order = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1), iccid(2), iccid(77)],
        "RevCustomerId": app.operator.rev_customer.0.to_string(), "CreateRevService": true, "ServiceTypeId": 6, "ProviderId": 42,
        "RevProducts": [{"ProductId": PRODUCT, "Rate": 4.95, "Quantity": 1}], "Prorate": true,
    });
    let before = simulator.ledger().services().len();
    ordered_and_retried(&app, "/M2M/AssociateCustomer", &order).await;
    assert_eq!(simulator.ledger().services().len(), before + 1);
}

/// Neither by themselves nor by there being another page; and not by settling them.
#[tokio::test]
async fn unsettled_steps_of_others_do_not_show() {
    let (app, _) = TestApp::billing(BillingWorld::with_lines(2).await).await;
    let order = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1), iccid(2)],
        "RevCustomerId": app.operator.rev_customer.0.to_string(), "CreateRevService": true, "ServiceTypeId": 6, "ProviderId": 42,
        "RevProducts": [{"ProductId": PRODUCT, "Rate": 4.95, "Quantity": 1}], "Prorate": true,
    });
    let everybody = limited(&app, "*").await;
    assert_eq!(everybody.post("/M2M/AssociateCustomer", &order).await.status, 202);
    let row = lose_rows(&app, 2).await;
    let first = everybody.read("/api/v1/unsettled-steps?limit=1").await;
    assert!(first["items"].as_array().is_some_and(|items| items.len() == 1) && first["next"].is_string(), "{first}");
    let nothing = json!({"items": [], "next": null});
    let own_customer = limited(&app, &format!("customer:{}", app.operator.rev_customer)).await;
    let own_provider = limited(&app, &format!("service_provider:{}", app.operator.jasper)).await;
    for limited in [&own_customer, &own_provider, &app.with_scopes("lnp", "lnp:view").await] {
        assert_eq!(limited.read("/api/v1/unsettled-steps?limit=1").await, nothing);
    }
    let settle = json!({"as": "gone"});
    let there = own_provider.post(&format!("/api/v1/device-changes/{row}/settle"), &settle).await;
    let missing = own_provider.post("/api/v1/device-changes/999/settle", &settle).await;
    assert_eq!((there.status, there.text().replace(&row.to_string(), "999")), (404, missing.text()));
}

#[tokio::test]
async fn lines_are_moved_at_their_carriers_within_reach() {
    let app = TestApp::sealing(CarrierWorld::with_lines(2).await.operator).await;
    let order = json!({
        "ServiceProviderId": app.operator.jasper.0, "ChangeType": 7, "Devices": [iccid(1), iccid(2), iccid(77)],
        "CarrierRatePlanUpdate": {"CarrierRatePlan": OTHER_PLAN},
    });
    ordered_and_retried(&app, "/M2M/BulkChange", &order).await;
    let admin = app.admin().await;
    assert_eq!(admin.read("/api/v1/devices/1").await["carrier_rate_plan"], OTHER_PLAN);
    assert_ne!(admin.read("/api/v1/devices/2").await["carrier_rate_plan"], OTHER_PLAN);
}
