//! Signing in, looking at lines and changes, without JavaScript and by the keyboard.

use lineshift_testkit::operator::iccid;

use crate::browser::{ESCAPE, Manner};
use crate::world::World;

/// The forms that are sent here.
pub(crate) const SENDS: &[&str] = &["/sign-in", "/sign-out"];

async fn find_a_line_and_leave(manner: Manner) {
    let world = World::with_lines(60).await;
    let browser = world.administrator(manner).await;
    browser.click("nav.places a[href='/m2m/lines']").await;
    browser.find("table.grid tbody tr").await;
    browser.fill("input[name=iccid]", &iccid(7)).await;
    browser.press("Show").await;
    browser.comes_to("/m2m/lines?").await;
    browser.says("table.grid", &iccid(7)).await;
    assert_eq!(browser.count("table.grid tbody tr").await, 1);
    browser.press(&iccid(7)).await;
    browser.comes_to("/m2m/lines/").await;
    browser.says("h1", &iccid(7)).await;
    browser.click(".who button").await;
    browser.comes_to("/sign-in").await;
    browser.go("/m2m/lines").await;
    browser.comes_to("/sign-in?next=").await;
    world.received(SENDS).await;
}

#[tokio::test]
async fn somebody_signs_in_finds_a_line_and_leaves() {
    find_a_line_and_leave(Manner::default()).await;
}

#[tokio::test]
async fn somebody_without_javascript_does_the_same() {
    find_a_line_and_leave(Manner { without_script: true, ..Manner::default() }).await;
}

#[tokio::test]
async fn keys_lead_everywhere_and_are_listed() {
    let world = World::with_lines(5).await;
    let browser = world.administrator(Manner::default()).await;
    browser.keys(&['?']).await;
    browser.says("#keys", "These keys").await;
    browser.keys(&[ESCAPE]).await;
    for (key, place) in [('l', "/m2m/lines"), ('b', "/m2m/bulk-changes"), ('s', "/m2m/plan-queue"), ('h', "/")] {
        browser.keys(&['g', key]).await;
        browser.comes_to(place).await;
        browser.find("main h1").await;
    }
}
