//! Following a change while it runs, and steering it.

use chrono::TimeDelta;
use serde_json::json;

use crate::browser::{Browser, Manner};
use crate::following_on::Stopping;
use crate::line_between::LineBetween;
use crate::world::World;

/// The forms that are sent here.
pub(crate) const SENDS: &[&str] =
    &["/{portal}/bulk-changes/{id}/start", "/{portal}/bulk-changes/{id}/cancel", "/{portal}/bulk-changes/{id}/retry"];

#[tokio::test]
async fn a_change_is_started_followed_and_its_failures_retried() {
    let world = World::with_lines(40).await;
    let change = world.change(40, false).await;
    let browser = world.administrator(Manner::default()).await;
    browser.go(&format!("/m2m/bulk-changes/{change}")).await;
    browser.leave_by(async || browser.press("Start").await).await;
    world.app.operator.run_until_idle().await;
    browser.says("[data-live=status]", "PARTIAL").await;
    browser.says("#failures ~ div", "device_not_found").await;
    browser.says("dl.counts", "40").await;
    browser.press("Retry 1 failed lines").await;
    browser.says("dl.counts", "Open\n1").await;
    world.app.operator.run_until_idle().await;
    browser.says("[data-live=status]", "PARTIAL").await;
    let held = world.change(3, false).await;
    browser.go(&format!("/m2m/bulk-changes/{held}")).await;
    browser.press("Cancel what is open").await;
    browser.confirm().await;
    browser.says("dl.counts", "Canceled\n3").await;
    world.received(SENDS).await;
}

#[tokio::test]
async fn a_change_goes_on_when_its_worker_is_killed_and_the_page_shows_it() {
    let world = World::with_lines(40).await;
    let change = world.change(40, true).await;
    let operator = &world.app.operator;
    // Its rows are final; history and links are not written.
    let worker = Stopping::start(&world);
    let browser = world.administrator(Manner::default()).await;
    browser.go(&format!("/m2m/bulk-changes/{change}")).await;
    worker.stops().await;
    browser.says("main", "Cancel what is open").await;
    operator.clock.advance(TimeDelta::seconds(60));
    operator.run_until_idle().await;
    browser.says("[data-live=status]", "PARTIAL").await;
    browser.says("dl.counts", "Done\n40").await;
}

/// Keeps every stream that the page opens.
const KEEP_STREAMS: &str = "window.streams = [];
    window.EventSource = class extends EventSource { constructor(address) { super(address); streams.push(this); } };";

#[tokio::test]
async fn a_page_that_nobody_sees_does_not_ask() {
    let world = World::with_lines(4).await;
    let change = world.change(4, true).await;
    let browser = world.administrator(Manner::default()).await;
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({"source": KEEP_STREAMS})).await;
    browser.go(&format!("/m2m/bulk-changes/{change}")).await;
    let streams = |count: usize, state: &str| {
        format!("return streams.length === {count} && streams.at(-1).readyState === EventSource.{state}")
    };
    browser.comes_true(&streams(1, "OPEN")).await;
    browser.hide(true).await;
    browser.comes_true(&streams(1, "CLOSED")).await;
    world.app.operator.run_until_idle().await;
    assert!(browser.text("dl.counts").await.contains("Open\n4"), "it stands as it was left");
    browser.hide(false).await;
    browser.says("[data-live=status]", "PARTIAL").await;
}

#[tokio::test]
async fn a_page_follows_on_when_the_network_was_gone_for_a_while() {
    let world = World::with_lines(40).await;
    let change = world.change(40, true).await;
    let line = LineBetween::to(&world.app.url).await;
    drop(world.administrator(Manner::default()).await);
    let browser = Browser::open(&line.url, Manner { on_a_phone: true, ..Manner::default() }).await;
    browser.sign_in("ada@fleet.example").await;
    browser.go(&format!("/m2m/bulk-changes/{change}")).await;
    browser.says("dl.counts", "Open\n40").await;
    line.cut();
    browser.says("[data-live=pace]", "connecting again").await;
    world.app.operator.run_until_idle().await;
    line.mend();
    browser.says("[data-live=status]", "PARTIAL").await;
    browser.says("dl.counts", "Done\n40").await;
    let too_wide = browser.script("return document.documentElement.scrollWidth > window.innerWidth + 1").await;
    assert_eq!(too_wide, false, "a phone shows it without moving it about");
}
