//! Ticks, made faster than they are answered.

use lineshift_domain::limits::Limits;
use lineshift_store_sqlite::Options;
use lineshift_testkit::app::TestApp;

use crate::browser::{Browser, Manner};
use crate::world::World;

/// Holds back the first request that the page sends from now on, and marks the page when it is answered.
const SLOW_FIRST: &str = "const send = window.fetch; let held = false; window.fetch = (...asked) => { \
    if (held) return send(...asked); held = true; \
    return new Promise((go) => setTimeout(go, 500)).then(() => send(...asked)).then((answer) => { \
    document.body.dataset.held = 'answered'; return answer; }); };";

/// Clicks boxes by their places, all before anything is answered.
async fn click(browser: &Browser, places: &[usize]) {
    let clicks: String = places.iter().map(|place| format!("boxes[{place}].click();")).collect();
    browser.script(&format!("const boxes = document.querySelectorAll('input[name=line]'); {clicks}")).await;
}

/// Which boxes are ticked.
async fn ticked(browser: &Browser) -> Vec<u64> {
    let script = "return [...document.querySelectorAll('input[name=line]')].flatMap((box, place) => box.checked ? [place] : [])";
    browser.script(script).await.as_array().expect("places").iter().filter_map(serde_json::Value::as_u64).collect()
}

#[tokio::test]
async fn quick_ticks_arrive_in_their_order_and_what_follows_waits_for_them() {
    let world = World::with_lines(10).await;
    let browser = world.administrator(Manner::default()).await;
    browser.go("/m2m/lines").await;
    browser.script(SLOW_FIRST).await;
    click(&browser, &[1, 2, 1, 3, 4]).await;
    browser.find("body[data-held]").await;
    browser.says("[data-chosen]", "3").await;
    let requests = "return performance.getEntriesByType('resource').filter((entry) => entry.name.includes('/selection/')).length";
    assert_eq!(browser.script(requests).await, 3, "those that waited went together: one was taken out, three were added");
    browser.go("/m2m/lines").await;
    assert_eq!(ticked(&browser).await, [2, 3, 4], "what is chosen is what was ticked last");

    browser.script(SLOW_FIRST).await;
    browser
        .script("document.querySelectorAll('input[name=line]')[5].click(); document.querySelector('[data-some] a').click()")
        .await;
    browser.comes_to("/m2m/selection").await;
    browser.says("[data-chosen]", "4").await;
}

#[tokio::test]
async fn whoever_goes_on_takes_all_ticks_along() {
    let world = World::with_lines(60).await;
    let browser = world.administrator(Manner::default()).await;
    for (nth, way) in ["a[rel=next]", ".filters button", "nav.places a", "tbody th a"].into_iter().enumerate() {
        browser.go("/m2m/lines").await;
        browser.script(SLOW_FIRST).await;
        let five: Vec<usize> = (nth * 5..nth * 5 + 5).collect();
        click(&browser, &five).await;
        browser.leave_by(async || drop(browser.script(&format!("document.querySelector('{way}').click()")).await)).await;
        browser.go("/m2m/lines").await;
        assert_eq!(ticked(&browser).await.len(), nth * 5 + 5, "by {way}");
    }
    browser.go("/m2m/lines").await;
    browser.script(SLOW_FIRST).await;
    click(&browser, &[20, 21, 22, 23, 24]).await;
    browser.press("More lines").await;
    browser.comes_to("/m2m/lines?").await;
    browser.says("[data-chosen]", "25").await;
    browser.go("/m2m/lines").await;
    browser.script(SLOW_FIRST).await;
    browser.script("document.querySelectorAll('input[name=line]')[30].click()").await;
    browser.press("Clear").await;
    browser.says("[data-chosen]", "0").await;
}

#[tokio::test]
async fn nobody_waits_for_ever() {
    let world = World::with_lines(60).await;
    let browser = world.administrator(Manner::default()).await;
    browser.go("/m2m/lines").await;
    browser.script("window.fetch = () => new Promise(() => {})").await;
    click(&browser, &[1]).await;
    browser.press("More lines").await;
    browser.says("[data-refused]", "the last ticks may not be kept").await;
    assert_eq!(browser.place().await, "/m2m/lines", "it is said where they were made");
    browser.press("More lines").await;
    browser.comes_to("/m2m/lines?").await;
}

#[tokio::test]
async fn ticks_that_wait_are_sent_when_somebody_goes_back() {
    let world = World::with_lines(10).await;
    let browser = world.administrator(Manner::default()).await;
    browser.go("/m2m/selection").await;
    browser.go("/m2m/lines").await;
    browser.script(SLOW_FIRST).await;
    // The first one is held back in the page itself, and goes with it.
    click(&browser, &[0, 1, 2]).await;
    browser.script("history.back()").await;
    browser.comes_to("/m2m/selection").await;
    let mut found = Vec::new();
    for _ in 0..50 {
        browser.go("/m2m/lines").await;
        found = ticked(&browser).await;
        if found == [1, 2] {
            break;
        }
    }
    assert_eq!(found, [1, 2]);
}

#[tokio::test]
async fn a_tick_that_is_refused_goes_and_it_is_said_why() {
    let limits = Limits { devices_per_change: 2, ..Limits::default() };
    let world = World { app: TestApp::with(10, limits, Options::default()).await };
    let browser = world.administrator(Manner::default()).await;
    browser.go("/m2m/lines").await;
    click(&browser, &[0, 1, 2]).await;
    browser.says("[data-refused]", "The selection is full: it holds 2 lines").await;
    assert_eq!((ticked(&browser).await, browser.text("[data-chosen]").await), (vec![0, 1], "2".to_owned()));
    browser.click(".tick-all").await;
    browser.says("[data-refused]", "8 of the ticked lines were left out").await;
    assert_eq!(ticked(&browser).await, [0, 1]);
    click(&browser, &[0]).await;
    browser.says("[data-chosen]", "1").await;
    assert_eq!(browser.text("[data-refused]").await, "", "it is not said any longer than it holds");

    browser.script("window.fetch = () => Promise.reject(new TypeError('cut'))").await;
    click(&browser, &[5]).await;
    browser.says("[data-refused]", "The server cannot be reached").await;
    browser.go("/m2m/lines").await;
    assert_eq!(ticked(&browser).await, [1]);
}
