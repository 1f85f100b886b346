//! Who clicks twice sends a form once.

use lineshift_testkit::operator::iccid;
use serde_json::json;

use crate::browser::Manner;
use crate::world::World;

/// Presses every form of the page twice, says yes to whatever asks, and holds back what would be sent, as the last who hears of it; how often
/// each would have been.
const TWICE: &str = "window.confirm = () => true;
    const sent = new Map();
    addEventListener('submit', (event) => {
        if (!event.defaultPrevented) sent.set(event.target, (sent.get(event.target) ?? 0) + 1);
        event.preventDefault();
    });
    return [...document.querySelectorAll('form[method=post]')].map((form) => {
        form.noValidate = true;
        for (const _ of [1, 2]) form.requestSubmit();
        return sent.get(form) ?? 0;
    });";

#[tokio::test]
async fn a_second_click_sends_nothing() {
    let world = World::with_lines(2).await;
    let held = world.change(1, false).await;
    let operator = &world.app.operator;
    let scheduled = json!({
        "ServiceProviderId": operator.jasper.0, "Devices": [iccid(2)], "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": operator.plan.0, "EffectiveDate": "2026-12-24"},
    });
    assert_eq!(world.app.orderer().await.post("/M2M/BulkChange", &scheduled).await.status, 202);
    operator.run_until_idle().await;
    let browser = world.administrator(Manner::default()).await;
    for (page, most) in [
        (format!("/m2m/bulk-changes/{held}"), 3),
        ("/m2m/plan-queue".to_owned(), 3),
        ("/m2m/selection/paste".to_owned(), 2),
        ("/admin/api-keys/new".to_owned(), 2),
        ("/admin/sites/new".to_owned(), 2),
        ("/admin/users/new".to_owned(), 2),
    ] {
        browser.go(&page).await;
        let sent: Vec<u64> = serde_json::from_value(browser.script(TWICE).await).expect("counts");
        assert!(sent.len() >= most && sent.iter().all(|times| *times == 1), "{page}: {sent:?}");
    }
    // Whoever says no is asked again.
    browser.go("/m2m/plan-queue").await;
    let says_no = "window.confirm = () => { window.asked = (window.asked ?? 0) + 1; return false; };
        const form = document.querySelector(\"form[action$='/cancel']\");
        for (const _ of [1, 2]) form.requestSubmit();
        return window.asked;";
    assert_eq!(browser.script(says_no).await, 2);
}
