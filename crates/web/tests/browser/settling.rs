//! Saying what stands of a line of which nobody knows what was done.

use lineshift_testkit::operator::iccid;

use crate::browser::Manner;
use crate::world::World;

/// The form that is sent here.
pub(crate) const SENDS: &[&str] = &["/{portal}/bulk-changes/{id}/lines/{row}/settle"];

#[tokio::test]
async fn what_nobody_knows_is_found_from_home_and_settled() {
    let world = World::with_a_held_line().await;
    let browser = world.administrator(Manner::default()).await;
    browser.says("main", "1 lines are held").await;
    browser.press(&iccid(1)).await;
    browser.says("main", "To be settled").await;
    browser.fill("input[name=rev_service_id]", "4711").await;
    browser.press("It stands there").await;
    browser.confirm().await;
    browser.says("table", "4711").await;
    browser.says("table", "done").await;
    world.received(SENDS).await;
}
