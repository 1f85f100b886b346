//! What a page that is followed shows while everything moves: what others do, another sign-in, what the server knew before anything ran.

use std::sync::Arc;

use chrono::TimeDelta;
use lineshift_domain::ids::BulkChangeId;
use lineshift_engine::{Boundary, Engine, WorkerOptions};
use lineshift_testkit::operator::iccid;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::browser::{Browser, Manner};
use crate::world::World;

/// A worker that carries out the rows of what there is, and then stops before it writes that the change has ended.
pub(crate) struct Stopping {
    worker: JoinHandle<()>,
    comes: tokio::sync::watch::Receiver<bool>,
}

impl Stopping {
    pub(crate) fn start(world: &World) -> Self {
        let operator = &world.app.operator;
        let (reached, comes) = tokio::sync::watch::channel(false);
        let stops = Arc::new(move |boundary, _| {
            let reached = reached.clone();
            Box::pin(async move {
                if boundary == Boundary::Completing {
                    reached.send_replace(true);
                    std::future::pending::<()>().await;
                }
            }) as _
        });
        let engine = Engine::new(Arc::clone(&operator.store), Arc::clone(&operator.clock) as _, *operator.engine.limits());
        let engine = engine.with_boundaries(stops);
        let worker = tokio::spawn(async move {
            drop(engine.run_pages_until_idle(&WorkerOptions { owner: "stopping".to_owned() }).await);
        });
        Self { worker, comes }
    }

    /// Waits until it has stopped, and ends it.
    pub(crate) async fn stops(mut self) {
        self.comes.wait_for(|reached| *reached).await.expect("it works");
        self.worker.abort();
        drop(self.worker.await);
    }
}

/// The page of a change, marked, so that it can be told whether it was loaded anew.
async fn followed(world: &World, change: BulkChangeId) -> Browser {
    let browser = world.administrator(Manner::default()).await;
    go_and_mark(&browser, change).await;
    browser
}

async fn go_and_mark(browser: &Browser, change: BulkChangeId) {
    browser.go(&format!("/m2m/bulk-changes/{change}?status=all")).await;
    browser.script("document.body.dataset.same = 'yes'").await;
}

async fn is_the_same(browser: &Browser) -> bool {
    browser.count("body[data-same]").await == 1
}

#[tokio::test]
async fn what_somebody_else_starts_cannot_be_started_here_any_more() {
    let world = World::with_lines(5).await;
    let change = world.change(5, false).await;
    let browser = followed(&world, change).await;
    browser.find("form[action$='/start']").await;
    let started = world.app.orderer().await.post_empty(&format!("/api/v1/bulk-changes/{change}/start")).await;
    assert_eq!(started.status, 200, "{}", started.text());
    browser.comes_down_to("form[action$='/start']", 0).await;
    assert!(is_the_same(&browser).await, "the page was not loaded anew");
    assert_eq!(browser.count("form[action$='/cancel']").await, 1);
}

#[tokio::test]
async fn figures_that_no_stream_tells_follow_and_what_somebody_does_meanwhile_stays() {
    let world = World::with_lines(40).await;
    let change = world.change(40, true).await;
    world.archive(7).await;
    let browser = followed(&world, change).await;
    assert!(!browser.text("main").await.contains("device_archived"));
    // Somebody has ticked a line far down, and is about to tick the next one.
    browser
        .script(
            "const boxes = document.querySelectorAll('input[name=row]'); boxes[30].click(); boxes[31].focus();
            boxes[31].scrollIntoView({ block: 'center' }); window.before = [boxes[30].value, boxes[31].value, boxes[31].getBoundingClientRect().top]",
        )
        .await;
    Stopping::start(&world).stops().await;
    browser.says("[data-part=failures]", "device_archived").await;
    browser.says("[data-part=tabs]", "Done 39").await;
    let stays = "const at = document.activeElement; const [ticked, focused, top] = window.before;
        const boxes = [...document.querySelectorAll('input[name=row]:checked')].map((box) => box.value);
        return [boxes.length === 1 && boxes[0] === ticked, at.value === focused, Math.abs(at.getBoundingClientRect().top - top) < 2]";
    assert_eq!(browser.script(stays).await, json!([true, true, true]), "the tick, the focus, and where the page stands");
    assert!(is_the_same(&browser).await);

    // Whoever listens was told what the change has become, and not each figure on the way.
    let told = "return document.querySelector('[data-told]').textContent";
    assert_eq!(browser.script(told).await, "PARTIAL: 0 of 41 lines are open, 2 failed");
    assert_eq!(browser.count("[data-live=pace][role], [data-live=pace][aria-live]").await, 0, "it is not read out as it changes");
}

#[tokio::test]
async fn the_list_of_lines_stays_the_one_that_was_opened() {
    let world = World::with_lines(3).await;
    let operator = &world.app.operator;
    let order = operator.order([iccid(1), iccid(2), iccid(3)], operator.amop_assignment());
    let change = operator.submit(order).await.id;
    world.archive(3).await;
    let browser = world.administrator(Manner::default()).await;
    // All lines, as none has failed.
    browser.go(&format!("/m2m/bulk-changes/{change}")).await;
    Stopping::start(&world).stops().await;
    browser.says("[data-part=failures]", "device_archived").await;
    assert_eq!(browser.count("[data-part=rows] tbody tr").await, 3, "they do not turn into the failures under somebody's eyes");
}

#[tokio::test]
async fn the_question_before_canceling_has_the_figures_of_now() {
    let world = World::with_lines(40).await;
    let change = world.change(40, false).await;
    let browser = followed(&world, change).await;
    browser
        .script(
            "window.confirm = (words) => { document.body.dataset.asked = words; return false; };
            document.querySelector('[data-live=open]').textContent = '17'",
        )
        .await;
    browser.press("Cancel what is open").await;
    let asked = browser.script("return document.body.dataset.asked").await;
    assert!(asked.as_str().is_some_and(|asked| asked.contains("17 open lines are canceled")), "{asked}");
    assert_eq!(world.app.orderer().await.read(&format!("/api/v1/bulk-changes/{change}")).await["counts"]["open"], 40);
}

#[tokio::test]
async fn what_the_server_estimates_stays_until_something_is_measured() {
    let (world, change, _simulator) = World::with_lines_to_bill(3).await;
    let browser = followed(&world, change).await;
    let estimate = browser.text("[data-live=pace]").await;
    assert!(estimate.contains("of calls left, at"), "{estimate}");
    // The stream tells of the start, and of no rate.
    browser.script("document.querySelector('[data-live=open]').textContent = '?'").await;
    browser.script("dispatchEvent(new Event('online'))").await;
    browser.says("[data-live=open]", "3").await;
    assert_eq!(browser.text("[data-live=pace]").await, estimate);
}

#[tokio::test]
async fn whose_session_ends_while_they_follow_is_led_to_signing_in_and_back() {
    let world = World::with_lines(5).await;
    let change = world.change(5, true).await;
    let browser = followed(&world, change).await;
    world.app.operator.clock.advance(TimeDelta::days(2));
    browser.comes_to("/sign-in?next=").await;
    let address = browser.place().await;
    browser.sign_in_with("ada@fleet.example", lineshift_testkit::people::PASSWORD, &address).await;
    browser.comes_to(&format!("/m2m/bulk-changes/{change}")).await;
}

#[tokio::test]
async fn a_page_of_one_tenant_shows_nothing_of_another() {
    let world = World::with_lines(5).await;
    let change = world.change(5, false).await;
    let operator = &world.app.operator;
    let ada = operator.user("ada@fleet.example").await;
    operator.member(operator.tenant(), ada, &["administrator"], "*").await;
    let browser = Browser::open(&world.app.url, Manner::default()).await;
    browser.sign_in("ada@fleet.example").await;
    go_and_mark(&browser, change).await;
    let beta = operator.beside("Beta", 0).await.tenant();
    operator.member(beta, ada, &["administrator"], "*").await;
    // As in another window: this page is not left for it.
    let switches = format!(
        "const body = new URLSearchParams({{ csrf_token: document.querySelector('meta[name=csrf-token]').content, tenant_id: '{beta}' }});
        fetch('/tenant', {{ method: 'POST', body }})"
    );
    browser.script(&switches).await;
    browser.says("h1", "Nothing is there").await;
    assert!(!browser.text("body").await.contains("Fleet"), "it is Beta's page");
}
