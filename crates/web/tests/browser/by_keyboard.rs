//! Lines and orders by keys alone, from signing in to signing out.

use chrono::TimeDelta;
use lineshift_domain::order::{CustomerRatePlanOrder, Effect, EffectiveDate};
use lineshift_engine::Clock as _;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PLAN};
use lineshift_testkit::operator::iccid;

use crate::browser::{DOWN, ENTER, ESCAPE};
use crate::keyboard::Keyboard;
use crate::line_between::LineBetween;
use crate::world::World;
use crate::{following, ordering, reading, settling};

/// The forms that are sent while lines are ticked.
pub(crate) const TICKS: &[&str] =
    &["/{portal}/selection/add", "/{portal}/selection/remove", "/{portal}/selection/matching", "/{portal}/selection/clear"];

/// Those of a file.
pub(crate) const FILES: &[&str] = &["/{portal}/selection/upload", "/{portal}/selection/columns"];

/// Whoever goes through the portal by keys.
pub(crate) const ADA: &str = "ada@fleet.example";

impl World {
    /// Somebody who may do everything and has no mouse.
    pub(crate) async fn keyboard(&self) -> Keyboard {
        let operator = &self.app.operator;
        operator.member(operator.tenant(), operator.user(ADA).await, &["administrator"], "*").await;
        Keyboard::of(&self.app.url, ADA).await
    }
}

#[tokio::test]
async fn lines_are_found_and_chosen_and_one_signs_out() {
    let world = World::with_lines(60).await;
    let ada = world.keyboard().await;
    ada.press(&['?']).await;
    ada.shows("#keys", "g l").await;
    ada.press(&[ESCAPE]).await;
    ada.press(&['g', 'l']).await;
    ada.comes_to("/m2m/lines").await;
    ada.shows("h1", "Lines").await;
    ada.press(&['/']).await;
    ada.types(&iccid(7)).await;
    ada.press(&[ENTER]).await;
    ada.comes_to("/m2m/lines?").await;
    ada.comes_down_to("table.grid tbody tr", 1).await;
    ada.tick(&format!("Choose {}", iccid(7))).await;
    ada.shows("[data-chosen]", "1").await;
    // Keys lead on from a box, too: nothing is typed into one.
    ada.press(&['g', 'l']).await;
    ada.comes_down_to("table.grid tbody tr", 50).await;
    ada.choose("Order", 1).await;
    ada.enter("Show").await;
    ada.comes_to("/m2m/lines?").await;
    ada.shows("table.grid tbody tr:first-child", &iccid(60)).await;
    ada.press(&['g', 'l']).await;
    ada.shows("table.grid tbody tr:first-child", &iccid(1)).await;
    ada.tick(&format!("Choose {}", iccid(3))).await;
    ada.shows("[data-chosen]", "2").await;
    ada.tab_back_to("Choose all lines: 60 lines").await;
    ada.press(&[ENTER]).await;
    ada.shows("[data-chosen]", "60").await;
    ada.enter("More lines").await;
    ada.comes_down_to("table.grid tbody tr", 10).await;
    ada.enter("Show").await;
    ada.shows("h1", "Chosen lines").await;
    ada.tick(&iccid(1)).await;
    ada.enter("Take ticked lines out").await;
    ada.shows("[data-chosen]", "59").await;
    ada.enter("Clear").await;
    ada.shows("[data-chosen]", "0").await;
    ada.enter("Sign out").await;
    ada.shows("h1", "Sign in").await;
    world.received(TICKS).await;
    world.received(reading::SENDS).await;
}

#[tokio::test]
async fn an_order_is_placed_followed_retried_and_canceled() {
    let world = World::with_lines(12).await;
    let ada = world.keyboard().await;
    ada.press(&['g', 'l']).await;
    ada.shows("h1", "Lines").await;
    ada.enter("pasting").await;
    ada.shows("h1", "Paste").await;
    let lines: Vec<String> = (1..=12).map(iccid).collect();
    ada.begins_at("textarea[name=text]").await;
    ada.types(&lines.join("\n")).await;
    ada.enter("Choose these lines").await;
    ada.shows("h1", "12 lines added").await;
    ada.enter("Go on to the order").await;
    ada.shows("h1", "Order").await;
    ada.enter("Assign…").await;
    ada.shows("h1", "Assign").await;
    ada.fill("Customer", "rentals").await;
    ada.enter("Find the customer").await;
    ada.comes_down_to("input[value*='Fleet Rentals']", 1).await;
    ada.tab_to("Start at once").await;
    ada.press(&[DOWN]).await;
    ada.enter("Preview").await;
    ada.shows("h1", "Assign 12 lines to Fleet Rentals").await;
    ada.enter("Assign 12 lines to Fleet Rentals").await;
    ada.comes_to("/m2m/bulk-changes/").await;
    ada.enter("Start 12 lines").await;
    ada.comes_down_to("form[action$='/start']", 0).await;
    ada.shows("dl.counts", "Open\n12").await;
    ada.tab_to("What was ordered").await;
    world.archive(11).await;
    world.app.operator.run_until_idle().await;
    ada.shows("[data-live=status]", "PARTIAL").await;
    ada.shows("main", "device_archived").await;
    // It has ended once this is offered; until then the page may load anew.
    ada.shows("main", "Retry 1 failed lines").await;
    // The page was loaded again, and has led back to where one was.
    ada.begins_at("details.order summary").await;
    ada.enter("Retry 1 failed lines").await;
    ada.shows("dl.counts", "Open\n1").await;
    ada.tab_to("Cancel what is open").await;
    world.app.operator.run_until_idle().await;
    // Nothing is open any more: one goes on from where the page begins.
    ada.begins_at("#main").await;
    ada.enter("Retry 1 failed lines").await;
    ada.shows("dl.counts", "Open\n1").await;
    ada.enter("Cancel what is open").await;
    ada.says_yes().await;
    ada.shows("dl.counts", "Canceled\n1").await;
    ada.enter("steps and log…").await;
    ada.shows("h2", "What became of it").await;
    world.received(ordering::ORDERS).await;
    world.received(following::SENDS).await;
}

#[tokio::test]
async fn what_cannot_be_ordered_is_put_right() {
    let world = World::with_lines(2).await;
    let ada = world.keyboard().await;
    ada.press(&['g', 'l']).await;
    ada.shows("h1", "Lines").await;
    ada.tick(&format!("Choose {}", iccid(2))).await;
    ada.shows("[data-chosen]", "1").await;
    ada.enter("Order a change").await;
    ada.shows("h1", "Order").await;
    ada.enter("Change customer rate plan").await;
    ada.shows("h1", "Change customer rate plan").await;
    ada.fill("Customer rate plan", "Half").await;
    ada.fill("Data allocation in MB", "x").await;
    ada.enter("Preview").await;
    ada.is_refused("One thing is wrong.").await;
    // What is wrong stands there with a link into its field.
    ada.enter("Data allocation in MB").await;
    ada.begins_at("#f-CustomerDataAllocationMB").await;
    ada.types_instead("250").await;
    ada.enter("Preview").await;
    ada.shows("h1", "Move 1 line to plan Half").await;
    ada.enter("Move 1 line to plan Half").await;
    ada.comes_to("/m2m/bulk-changes/").await;
}

#[tokio::test]
async fn another_carrier_rate_plan_and_another_status_are_ordered() {
    let world = World { app: TestApp::over(CarrierWorld::with_lines(2).await.operator).await };
    let ada = world.keyboard().await;
    let moved = format!("Move 1 line to {OTHER_PLAN} at the carrier");
    for (line, act, field, text, ordered) in [
        (1, "Change carrier rate plan", "Carrier rate plan", OTHER_PLAN, moved.as_str()),
        (2, "Change status", "New status", "DEACT", "Set 1 line to DEACTIVATED"),
    ] {
        ada.press(&['g', 'l']).await;
        ada.comes_to("/m2m/lines").await;
        ada.tick(&format!("Choose {}", iccid(line))).await;
        ada.shows("[data-chosen]", "1").await;
        ada.enter("Order a change").await;
        ada.shows("h1", "Order").await;
        ada.enter(act).await;
        ada.shows("h1", act).await;
        ada.fill(field, text).await;
        ada.enter("Preview").await;
        ada.shows("h1", ordered).await;
        ada.enter(ordered).await;
        ada.comes_to("/m2m/bulk-changes/").await;
    }
}

#[tokio::test]
async fn whoever_ticks_while_the_server_is_gone_is_led_to_what_is_said_of_it() {
    let world = World::with_lines(2).await;
    drop(world.keyboard().await);
    let line = LineBetween::to(&world.app.url).await;
    let ada = Keyboard::of(&line.url, ADA).await;
    ada.press(&['g', 'l']).await;
    ada.shows("h1", "Lines").await;
    ada.tab_to(&format!("Choose {}", iccid(1))).await;
    line.cut();
    ada.press(&[' ']).await;
    ada.is_refused("The server cannot be reached.").await;
}

#[tokio::test]
async fn a_file_is_chosen_and_its_columns() {
    let world = World::with_lines(3).await;
    let folder = tempfile::tempdir().expect("a folder");
    let csv = folder.path().join("lines.csv");
    std::fs::write(&csv, format!("Name;SIM card\nA;{}\nB;{}\nC;8.90117E+18\n", iccid(1), iccid(2))).expect("written");
    let ada = world.keyboard().await;
    ada.press(&['g', 'l']).await;
    ada.shows("h1", "Lines").await;
    ada.enter("a file").await;
    ada.shows("h1", "file").await;
    ada.give_file("CSV or XLSX…", &csv).await;
    ada.enter("Send").await;
    ada.shows("h1", "lines.csv").await;
    ada.tab_to("Column B: SIM card").await;
    ada.enter("Choose these lines").await;
    ada.shows("h1", "2 lines added").await;
    ada.shows("main", "8.90117E+18").await;
    world.received(FILES).await;
}

#[tokio::test]
async fn lines_that_were_refused_on_their_date_are_chosen() {
    let world = World::with_lines(2).await;
    let change = ordering::refused_on_its_date(&world, 2).await;
    let ada = world.keyboard().await;
    ada.goes(&format!("/m2m/bulk-changes/{change}")).await;
    ada.enter("see their lines and the reasons").await;
    ada.shows("main", "device_archived").await;
    ada.enter("Choose all these lines").await;
    ada.shows("[data-chosen]", "1").await;
    world.received(ordering::REFUSED).await;
}

#[tokio::test]
async fn what_is_scheduled_is_moved_and_canceled() {
    let world = World::with_lines(2).await;
    let operator = &world.app.operator;
    let date = operator.clock.now() + TimeDelta::days(9);
    let plan = CustomerRatePlanOrder { effective_date: Some(EffectiveDate::Instant(date)), ..operator.plan_order(operator.plan) };
    operator.run(operator.order([iccid(1), iccid(2)], Effect::CustomerRatePlanChange(plan))).await;
    let ada = world.keyboard().await;
    ada.press(&['g', 's']).await;
    ada.comes_to("/m2m/plan-queue").await;
    ada.shows("h1", "Scheduled").await;
    ada.fill("Day for…", "12242026").await;
    ada.enter("Move for…").await;
    ada.shows("tbody", "2026-12-24").await;
    ada.enter("Cancel for…").await;
    ada.says_yes().await;
    ada.comes_down_to("form[action$='/cancel']", 1).await;
    world.received(ordering::SCHEDULES).await;
}

#[tokio::test]
async fn what_nobody_knows_is_found_and_settled() {
    let world = World::with_a_held_line().await;
    let ada = world.keyboard().await;
    ada.shows("main", "1 lines are held").await;
    ada.enter(&iccid(1)).await;
    ada.shows("main", "To be settled").await;
    ada.fill("Its id there, if it is not known here", "4711").await;
    ada.enter("It stands there").await;
    ada.says_yes().await;
    ada.shows("table", "done").await;
    world.received(settling::SENDS).await;
}
