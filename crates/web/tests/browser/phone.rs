//! Following on a phone: what became of a change and of its lines is read and steered without moving the page sideways.

use crate::browser::Manner;
use crate::world::World;

/// What cannot be seen or pressed without moving something sideways: tables and texts that are wider than their place, and whatever can be
/// pressed and does not stand within the window.
const OUT_OF_REACH: &str = "const main = document.querySelector('main');
    const wide = [...main.querySelectorAll('.wide')].filter((it) => it.checkVisibility() && it.scrollWidth > it.clientWidth);
    const acts = [...main.querySelectorAll('a, button, input, select')].filter((it) => {
        const box = it.getBoundingClientRect();
        return box.width > 0 && !it.matches('.unseen') && (box.left < 0 || box.right > innerWidth);
    });
    return [...wide, ...acts].map((it) => it.outerHTML.slice(0, 120));";

/// Buttons that a thumb does not hit, in CSS pixels.
const TOO_SMALL: &str = "return [...document.querySelectorAll('main button')].filter((it) => {
        const box = it.getBoundingClientRect();
        return box.width > 0 && !it.matches('.unseen') && box.height < 40;
    }).map((it) => it.outerHTML.slice(0, 120));";

#[tokio::test]
async fn changes_are_followed_without_moving_the_page_sideways() {
    let world = World::of_every_kind().await;
    let held = world.change(50, false).await;
    let on_a_phone = Manner { on_a_phone: true, ..Manner::default() };
    let browser = world.administrator(on_a_phone).await;
    for page in ["/", "/m2m/bulk-changes", "/m2m/bulk-changes/1", &format!("/m2m/bulk-changes/{held}")] {
        browser.go(page).await;
        browser.find("main h1").await;
        assert_eq!(browser.overhang().await, 0, "{page} is wider than the window");
        assert_eq!(browser.script(OUT_OF_REACH).await, serde_json::json!([]), "on {page}");
        assert_eq!(browser.script(TOO_SMALL).await, serde_json::json!([]), "on {page}");
    }
    browser.go("/m2m/bulk-changes").await;
    // There is no head of the table above the figures any more: each says what it counts.
    let label = "return getComputedStyle(document.querySelector('[data-live=failed]'), '::before').content";
    assert_eq!(browser.script(label).await, "\"Failed: \"", "a figure says what it counts");
    browser.go("/m2m/bulk-changes/1").await;
    browser.press("steps and log").await;
    browser.says("main", "What became of it").await;
    assert_eq!(browser.overhang().await, 0, "a line's page is wider than the window");
    assert_eq!(browser.script(OUT_OF_REACH).await, serde_json::json!([]), "on a line's page");
    browser.go("/m2m/bulk-changes/1/log").await;
    assert_eq!(browser.overhang().await, 0, "the log is wider than the window");
}

#[tokio::test]
async fn no_page_of_a_portal_is_wider_than_a_phone() {
    let world = World::of_every_kind().await;
    let browser = world.administrator(Manner { on_a_phone: true, ..Manner::default() }).await;
    browser.go("/m2m/lines").await;
    browser.leave_by(async || browser.press("Choose all lines").await).await;
    let places = [
        "lines",
        "lines/1",
        "selection",
        "selection/paste",
        "selection/upload",
        "order",
        "plan-queue",
        "plan-queue?month=2026-12",
    ];
    let admin = ["/admin", "/admin/users", "/admin/integrations/1", "/admin/audit", "/account", "/tenants"].map(str::to_owned);
    for page in places.map(|place| format!("/m2m/{place}")).into_iter().chain(admin) {
        browser.go(&page).await;
        browser.find("main h1").await;
        assert_eq!(browser.overhang().await, 0, "{page} is wider than the window");
    }
}
