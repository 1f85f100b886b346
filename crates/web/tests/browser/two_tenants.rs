//! Two people of two tenants, each with lines of the same ICCIDs and a customer of the same name, who choose, order and follow at once.

use crate::browser::{Browser, Manner};
use crate::world::World;

/// Chooses all lines and orders; comes to the change.
async fn order_all(browser: &Browser, act: &str) {
    browser.go("/m2m/lines").await;
    browser.leave_by(async || browser.press("Choose all lines").await).await;
    browser.go("/m2m/order").await;
    browser.press("Assign to a customer").await;
    browser.set("main form", "customer", "rentals").await;
    browser.press("Preview").await;
    browser.says("h1", act).await;
    browser.press(act).await;
    browser.comes_to("/m2m/bulk-changes/").await;
    browser.find("dl.counts").await;
}

async fn comes_to_its_end(browser: &Browser, lines: u64) {
    browser.says("[data-live=status]", "PROCESSED").await;
    browser.says("dl.counts", &format!("Done\n{lines}")).await;
    browser.go("/m2m/bulk-changes").await;
    browser.find("main table tbody tr").await;
    assert_eq!(browser.count("main table tbody tr").await, 1, "the other's change is nowhere");
}

#[tokio::test]
async fn two_tenants_order_and_follow_at_once() {
    let world = World::with_lines(4).await;
    let operator = &world.app.operator;
    let beta = operator.beside("Beta", 3).await;
    let (ada, eve) = tokio::join!(
        world.administrator(Manner::default()),
        world.person_of(beta.tenant(), "eve@beta.example", &["administrator"], Manner::default()),
    );
    tokio::join!(order_all(&ada, "Assign 4 lines to Fleet Rentals"), order_all(&eve, "Assign 3 lines to Fleet Rentals"),);
    operator.run_until_idle().await;
    tokio::join!(comes_to_its_end(&ada, 4), comes_to_its_end(&eve, 3));
}
