//! From lines that somebody pastes, ticks or sends as a file, over the preview, to the change and its failures.

use chrono::TimeDelta;
use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::order::{CustomerRatePlanOrder, Effect, EffectiveDate};
use lineshift_engine::Clock as _;
use lineshift_testkit::operator::iccid;
use rust_xlsxwriter::Workbook;

use crate::browser::{Browser, Manner};
use crate::world::World;

/// The forms of ordering.
pub(crate) const ORDERS: &[&str] =
    &["/{portal}/selection/paste", "/{portal}/order/{act}", "/{portal}/order/{act}/confirm", "/{portal}/bulk-changes/{id}/retry"];

/// The other ones of choosing.
pub(crate) const CHOOSES: &[&str] = &[
    "/{portal}/selection/add",
    "/{portal}/selection/remove",
    "/{portal}/selection/matching",
    "/{portal}/selection/clear",
    "/{portal}/selection/upload",
    "/{portal}/selection/columns",
];

/// That of lines which were refused on their date.
pub(crate) const REFUSED: &[&str] = &["/{portal}/selection/refused"];

/// Files of a change: its lines, and what it scheduled.
pub(crate) const LINES_OF_CHANGE: &[&str] = &["/{portal}/bulk-changes/{id}/download"];
pub(crate) const SCHEDULED_BY_CHANGE: &[&str] = &["/{portal}/bulk-changes/{id}/scheduled"];

/// Those of what is scheduled.
pub(crate) const SCHEDULES: &[&str] = &["/{portal}/plan-queue/{id}/move", "/{portal}/plan-queue/{id}/cancel"];

/// What a newcomer does, as the README says it.
async fn paste_order_follow_and_retry(manner: Manner) {
    let world = World::with_lines(12).await;
    let browser = world.administrator(manner).await;
    browser.click("nav.places a[href='/m2m/lines']").await;
    browser.press("pasting").await;
    let lines: Vec<String> = (1..=12).map(|line| format!("{line}. SIM {};", iccid(line))).collect();
    let text = format!("Please hand over:\n{}\nand SIM 8901170006534973487 as well, 12345 too", lines.join("\n"));
    browser.fill("textarea[name=text]", &text).await;
    browser.press("Choose these lines").await;
    browser.says("h1", "12 lines added").await;
    browser.says("main", "8901170006534973487").await;
    browser.press("Go on to the order").await;
    browser.press("Assign").await;
    browser.set("main form", "customer", "rentals").await;
    browser.press("Preview").await;
    browser.says("h1", "Assign 12 lines to Fleet Rentals").await;
    let stored = world.app.orderer().await.read("/api/v1/bulk-changes").await;
    assert_eq!(stored["items"].as_array().map(Vec::len), Some(0), "a preview stores nothing");

    // Between the preview and the order somebody else moves a line: the order is not placed, and it is said why.
    let operator = &world.app.operator;
    operator.run(operator.order([iccid(12)], operator.amop_assignment())).await;
    browser.press("Assign 12 lines to Fleet Rentals").await;
    browser.says("main", "Something has changed since you looked").await;
    browser.press("Assign 12 lines to Fleet Rentals").await;
    browser.comes_to("/m2m/bulk-changes/").await;
    browser.find("dl.counts").await;
    // Another one is archived while it waits for its turn.
    world.archive(11).await;
    operator.run_until_idle().await;
    if manner.without_script {
        browser.go(&browser.place().await).await;
    }
    browser.says("[data-live=status]", "PARTIAL").await;
    browser.says("main", "device_archived").await;
    // It has ended once this is offered; until then the page may load anew.
    browser.find("form[action$='/retry']").await;
    download_failures(&browser).await;
    browser.press("Retry 1 failed").await;
    browser.says("dl.counts", "Open\n1").await;
    operator.run_until_idle().await;
    browser.says("main", "device_archived").await;
    world.received(ORDERS).await;
    world.gave(LINES_OF_CHANGE).await;
}

/// Downloads the lines that failed, and reads them.
async fn download_failures(browser: &Browser) {
    browser.click("a[href*='/download?format=csv&status=ERROR']").await;
    let text = browser.downloaded("csv").await;
    assert!(text.contains("device_archived") && text.contains(&iccid(11)) && !text.contains(&iccid(10)), "{text}");
}

#[tokio::test]
async fn a_newcomer_pastes_orders_follows_downloads_and_retries() {
    paste_order_follow_and_retry(Manner::default()).await;
}

#[tokio::test]
async fn somebody_without_javascript_orders_alike() {
    paste_order_follow_and_retry(Manner { without_script: true, ..Manner::default() }).await;
}

#[tokio::test]
async fn lines_are_chosen_by_ticks_by_filter_and_by_files() {
    let world = World::with_lines(60).await;
    let browser = world.administrator(Manner::default()).await;
    browser.go("/m2m/lines").await;
    let box_of = |line: u64| format!("input[aria-label=\"Choose {}\"]", iccid(line));
    browser.click(&box_of(3)).await;
    browser.says("[data-chosen]", "1").await;
    browser.click(&box_of(4)).await;
    browser.says("[data-chosen]", "2").await;
    browser.click(&box_of(3)).await;
    browser.says("[data-chosen]", "1").await;
    browser.press("More lines").await;
    browser.says("[data-chosen]", "1").await;
    browser.press("Choose all lines").await;
    browser.says("[data-chosen]", "60").await;
    browser.press("Show").await;
    browser.press("Clear").await;
    browser.says("[data-chosen]", "0").await;

    let folder = tempfile::tempdir().expect("a folder");
    let csv = folder.path().join("lines.csv");
    std::fs::write(&csv, format!("Name;SIM card\nA;{}\nB;{}\nC;8.90117E+18\n", iccid(5), iccid(6))).expect("written");
    let xlsx = folder.path().join("lines.xlsx");
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write_string(0, 0, "ICCID").expect("written");
    sheet.write_string(1, 0, iccid(7)).expect("written");
    workbook.save(&xlsx).expect("saved");
    for (file, chosen, unusable) in [(&csv, "2", Some("8.90117E+18")), (&xlsx, "3", None)] {
        browser.go("/m2m/selection/upload").await;
        browser.give_file("input[type=file]", file).await;
        browser.press("Send").await;
        browser.find("main form[action$='/columns']").await;
        browser.click("main form[action$='/columns'] button").await;
        browser.says("[data-chosen]", chosen).await;
        if let Some(unusable) = unusable {
            browser.says("main", unusable).await;
        }
    }
    choose_what_was_refused(&world, &browser).await;
    world.received(CHOOSES).await;
    world.received(REFUSED).await;
}

/// A change of two lines of which the second, that line, was refused on its date.
pub(crate) async fn refused_on_its_date(world: &World, line: u64) -> BulkChangeId {
    let operator = &world.app.operator;
    let date = operator.clock.now() + TimeDelta::minutes(5);
    let plan = CustomerRatePlanOrder { effective_date: Some(EffectiveDate::Instant(date)), ..operator.plan_order(operator.plan) };
    let order = operator.order([iccid(line - 1), iccid(line)], Effect::CustomerRatePlanChange(plan));
    let change = operator.run(order).await.id;
    world.archive(line).await;
    operator.clock.advance(TimeDelta::minutes(5));
    operator.run_until_idle().await;
    change
}

/// From the page of a change of which one line was refused on its date, over the list of why and that as a file, to that line being chosen.
async fn choose_what_was_refused(world: &World, browser: &Browser) {
    let change = refused_on_its_date(world, 9).await;
    browser.go("/m2m/selection").await;
    browser.press("Clear").await;
    browser.go(&format!("/m2m/bulk-changes/{change}")).await;
    browser.press("see their lines and the reasons").await;
    browser.says("main", "device_archived").await;
    browser.click("a[href*='/scheduled?state=failed'][href$='format=csv']").await;
    let text = browser.downloaded("csv").await;
    assert!(text.contains("device_archived") && text.contains(&iccid(9)) && !text.contains(&iccid(8)), "{text}");
    world.gave(SCHEDULED_BY_CHANGE).await;
    browser.press("Choose all these lines").await;
    browser.comes_to("/m2m/selection").await;
    browser.says("[data-chosen]", "1").await;
    browser.says("main", &iccid(9)).await;
}

#[tokio::test]
async fn what_is_scheduled_is_moved_and_canceled() {
    let world = World::with_lines(2).await;
    let operator = &world.app.operator;
    let date = operator.clock.now() + TimeDelta::days(9);
    let plan = CustomerRatePlanOrder { effective_date: Some(EffectiveDate::Instant(date)), ..operator.plan_order(operator.plan) };
    operator.run(operator.order([iccid(1), iccid(2)], Effect::CustomerRatePlanChange(plan))).await;
    let browser = world.administrator(Manner::default()).await;
    browser.go("/m2m/plan-queue").await;
    browser.fill("form[action$='/move'] input[type=date]", "12242026").await;
    browser.click("form[action$='/move'] button").await;
    browser.find("input[name=effective_date][value=\"2026-12-24\"]").await;
    browser.click("form[action$='/cancel'] button").await;
    browser.confirm().await;
    browser.comes_down_to("form[action$='/cancel']", 1).await;
    browser.go("/m2m/plan-queue?month=2026-12").await;
    browser.find("table.month").await;
    world.received(SCHEDULES).await;
}
