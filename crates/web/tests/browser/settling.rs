//! Saying what stands of a line of which nobody knows what was done.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::billing::{BillingWorld, PRODUCT, lose_rows};
use lineshift_testkit::operator::iccid;
use serde_json::json;

use crate::browser::Manner;
use crate::world::World;

/// The form that is sent here.
pub(crate) const SENDS: &[&str] = &["/{portal}/bulk-changes/{id}/lines/{row}/settle"];

#[tokio::test]
async fn what_nobody_knows_is_found_from_home_and_settled() {
    let (app, _simulator) = TestApp::measured_billing(BillingWorld::with_lines(2).await).await;
    let world = World { app };
    let operator = &world.app.operator;
    let body = json!({
        "ServiceProviderId": operator.jasper.0, "Devices": [iccid(1), iccid(2)],
        "RevCustomerId": operator.rev_customer.0.to_string(), "CreateRevService": true, "ServiceTypeId": 6, "ProviderId": 42,
        "RevProducts": [{"ProductId": PRODUCT, "Rate": 4.95, "Quantity": 1}],
    });
    let answer = world.app.orderer().await.post("/M2M/AssociateCustomer", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    lose_rows(operator, 1).await;
    operator.run_until_idle().await;
    let browser = world.administrator(Manner::default()).await;
    browser.says("main", "1 lines are held").await;
    browser.press(&iccid(1)).await;
    browser.says("main", "To be settled").await;
    browser.fill("input[name=rev_service_id]", "4711").await;
    browser.press("It stands there").await;
    browser.confirm().await;
    browser.says("table", "4711").await;
    browser.says("table", "done").await;
    world.received(SENDS).await;
}
