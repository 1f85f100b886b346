//! Every flow by keys alone, from signing in to signing out.

use chrono::TimeDelta;
use lineshift_domain::order::{CustomerRatePlanOrder, Effect, EffectiveDate};
use lineshift_engine::Clock as _;
use lineshift_testkit::operator::iccid;
use lineshift_testkit::people::PASSWORD;

use crate::browser::{ENTER, ESCAPE};
use crate::keyboard::Keyboard;
use crate::world::World;

const OTHER_PASSWORD: &str = "brisk-lantern-hums-far";

const ADA: &str = "ada@fleet.example";

impl World {
    /// Somebody who may do everything and has no mouse.
    async fn keyboard(&self) -> Keyboard {
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
    // The field for the text has the focus already.
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
    ada.enter("Preview").await;
    ada.shows("h1", "Assign 12 lines to Fleet Rentals").await;
    ada.enter("Assign 12 lines to Fleet Rentals").await;
    ada.comes_to("/m2m/bulk-changes/").await;
    ada.shows("dl.counts", "Open\n12").await;
    world.archive(11).await;
    world.app.operator.run_until_idle().await;
    ada.shows("[data-live=status]", "PARTIAL").await;
    ada.shows("main", "device_archived").await;
    ada.enter("Retry 1 failed lines").await;
    ada.shows("dl.counts", "Open\n1").await;
    ada.enter("Cancel what is open").await;
    ada.says_yes().await;
    ada.shows("dl.counts", "Canceled\n1").await;
    ada.enter("steps and log…").await;
    ada.shows("h2", "What became of it").await;
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
}

#[tokio::test]
async fn users_roles_and_keys_are_made() {
    let world = World::with_lines(0).await;
    let ada = world.keyboard().await;
    ada.press(&['g', 'a']).await;
    ada.shows("h1", "Admin").await;
    ada.enter("Roles").await;
    ada.shows("h1", "Roles").await;
    ada.enter("New role").await;
    ada.fill("Name", "desk").await;
    ada.tick("M2M: view").await;
    ada.enter("Create").await;
    ada.shows("main", "Saved.").await;
    ada.enter("Users").await;
    ada.shows("h1", "Users").await;
    ada.enter("Add…").await;
    ada.fill("E-mail…", "bob@fleet.example").await;
    ada.fill("Name", "Bob").await;
    ada.tick("administrator").await;
    ada.fill("Sees the lines of", "*").await;
    ada.enter("Add…").await;
    ada.shows("h1", "Invitation").await;
    ada.enter("API keys").await;
    ada.shows("h1", "API keys").await;
    ada.enter("New API key").await;
    ada.fill("Name", "nightly").await;
    ada.tick("M2M: view").await;
    ada.enter("Create").await;
    ada.shows("main", "shown this once").await;
}

#[tokio::test]
async fn an_integration_is_called_and_a_plan_and_a_password_are_changed() {
    let world = World::billed().await;
    let ada = world.keyboard().await;
    ada.press(&['g', 'a']).await;
    ada.shows("h1", "Admin").await;
    ada.enter("Integrations").await;
    ada.shows("h1", "Integrations").await;
    ada.enter("Rev.io").await;
    ada.shows("h1", "Rev.io").await;
    ada.enter("Test connection").await;
    ada.shows("main", "The connection works.").await;
    ada.enter("Synchronise").await;
    ada.comes_to("/admin/sync-runs/").await;
    ada.shows("h1", "Synchronisation").await;
    ada.enter("Customer rate plans").await;
    ada.shows("h1", "Customer rate plans").await;
    // The search has a key of its own.
    ada.press(&['/']).await;
    ada.types("half").await;
    ada.press(&[ENTER]).await;
    ada.comes_to("/admin/customer-rate-plans?q=half").await;
    ada.enter("Half").await;
    ada.shows("h1", "Half").await;
    ada.tab_to("Name").await;
    ada.types(" and more").await;
    ada.press(&[ENTER]).await;
    ada.shows("main", "Saved.").await;
    ada.enter("ada").await;
    ada.shows("h1", "Your account").await;
    ada.fill("Present password", PASSWORD).await;
    ada.fill("New password", OTHER_PASSWORD).await;
    ada.fill("New password, once more", OTHER_PASSWORD).await;
    ada.press(&[ENTER]).await;
    ada.shows("main", "Saved.").await;
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
}
