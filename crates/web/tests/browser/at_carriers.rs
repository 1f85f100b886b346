//! Orders that call outside, from the chosen lines to what the other side has then: another carrier rate plan, another status, a billing
//! service that is made of what Rev.io offers by name.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::billing::PRODUCT;
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PLAN, PLAN};
use lineshift_testkit::operator::iccid;

use crate::browser::{Browser, Manner};
use crate::world::World;

/// Chooses the first two lines, which are Jasper's, and goes on to a form.
async fn choose(browser: &Browser, act: &str) {
    browser.go("/m2m/selection/paste").await;
    browser.fill("textarea[name=text]", &format!("{}\n{}", iccid(1), iccid(2))).await;
    browser.press("Choose these lines").await;
    browser.says("h1", "2 lines added").await;
    browser.press("Go on to the order").await;
    browser.press(act).await;
    browser.says("h1", act).await;
}

/// From the filled form over its preview to the end of the change.
async fn order(world: &World, browser: &Browser, act: &str) {
    browser.press("Preview").await;
    browser.says("h1", act).await;
    browser.press(act).await;
    browser.comes_to("/m2m/bulk-changes/").await;
    browser.find("dl.counts").await;
    world.app.operator.run_until_idle().await;
    browser.says("[data-live=status]", "PROCESSED").await;
    browser.says("dl.counts", "Done\n2").await;
}

#[tokio::test]
async fn plans_statuses_and_services_are_ordered_and_carried_out() {
    let CarrierWorld { operator, jasper, revio, .. } = {
        let world = CarrierWorld::with_lines(2).await;
        world.set_billing_account().await;
        world
    };
    let world = World { app: TestApp::measured_sealing(operator).await };
    let ada = world.administrator(Manner::default()).await;

    choose(&ada, "Change carrier rate plan").await;
    ada.set("main form", "CarrierRatePlan", OTHER_PLAN).await;
    order(&world, &ada, &format!("Move 2 lines to {OTHER_PLAN} at the carrier")).await;
    for line in [1, 2] {
        assert_eq!(jasper.ledger().device(&iccid(line)).expect("a device").rate_plan.as_deref(), Some(OTHER_PLAN));
    }
    ada.go("/m2m/lines/1").await;
    ada.says("main", OTHER_PLAN).await;
    ada.says("main", PLAN).await;

    choose(&ada, "Change status").await;
    ada.set("main form", "TargetStatus", "DEACTIVATED").await;
    order(&world, &ada, "Set 2 lines to DEACTIVATED").await;
    assert_eq!(format!("{:?}", jasper.ledger().device(&iccid(2)).expect("a device").status), "Deactivated");
    choose(&ada, "Change status").await;
    ada.set("main form", "TargetStatus", "ACTIVATED").await;
    order(&world, &ada, "Set 2 lines to ACTIVATED").await;

    choose(&ada, "Assign to a customer").await;
    ada.set("main form", "customer", "rentals").await;
    ada.leave_by(async || ada.press("Find the customer").await).await;
    // Rev.io is waited for two seconds at most; what it says later stands in the next form.
    while ada.count("select[name=ServiceTypeId]").await == 0 {
        ada.leave_by(async || ada.press("Preview").await).await;
    }
    let product = PRODUCT.to_string();
    for (name, value) in [
        ("CreateRevService", "true"),
        ("ServiceTypeId", "6"),
        ("ProviderId", "42"),
        ("ProductId.0", &*product),
        ("Rate.0", "4.95"),
    ] {
        ada.set("main form", name, value).await;
    }
    ada.leave_by(async || ada.press("Preview").await).await;
    ada.says("main", "Mobile data, machines (6)").await;
    ada.press("Assign 2 lines to Fleet Rentals").await;
    ada.comes_to("/m2m/bulk-changes/").await;
    ada.find("dl.counts").await;
    world.app.operator.run_until_idle().await;
    ada.says("[data-live=status]", "PROCESSED").await;
    let billed = revio.ledger().summary();
    assert_eq!((billed.services, billed.service_products, billed.duplicate_services), (2, 2, 0));
}
