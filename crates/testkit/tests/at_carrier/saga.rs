//! POND's saga where it cannot go on: an activation or a termination that is refused, and what is said of it (B6.3).

use lineshift_simulators::pond::PackageStatus;
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PACKAGE_TYPE, PACKAGE_TYPE, to_plan};

use crate::situation::{ADD, SET_PACKAGE, Situation, calls};

const ACTIVE: &str = "ACTIVE";
const TERMINATED: &str = "TERMINATED";
const PACKAGE: &str = "/package/";

async fn situation() -> Situation {
    Situation::of(CarrierWorld::with_lines(1).await)
}

#[tokio::test(start_paused = true)]
async fn a_new_package_that_cannot_be_activated_is_ended_again_and_a_retry_adds_another() {
    let mut situation = situation().await;
    situation.world.refuse_next(PACKAGE, ACTIVE);
    let id = situation.pond(1, to_plan(OTHER_PACKAGE_TYPE)).await;
    assert_eq!(situation.finish(id).await, ["carrier_refused"]);
    let text = situation.text(id).await;
    assert!(text.contains("did not activate the new package") && text.contains("was ended again"), "{text}");
    let (active, packages) = situation.packages(1);
    assert_eq!((active.as_slice(), packages.len()), (&[PACKAGE_TYPE.to_owned()][..], 2), "the old one stays active");
    assert_eq!(situation.world.pond.ledger().summary().terminated_packages, 1);
    situation.right().await;
    assert_eq!(situation.retry(id).await, ["PROCESSED"]);
    assert_eq!(situation.packages(1).0, [OTHER_PACKAGE_TYPE]);
    assert_eq!(calls(&situation.at_pond(), ADD), 2);
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_new_package_that_can_be_neither_activated_nor_ended_is_left_and_said_to_be_and_a_retry_uses_it() {
    let mut situation = situation().await;
    situation.world.refuse_next(PACKAGE, ACTIVE);
    situation.world.refuse_next(PACKAGE, TERMINATED);
    let id = situation.pond(1, to_plan(OTHER_PACKAGE_TYPE)).await;
    assert_eq!(situation.finish(id).await, ["carrier_refused"]);
    let (text, new) = (situation.text(id).await, situation.packages(1).1[1]);
    assert!(text.contains(&format!("neither activated nor terminated the new package {new}")), "{text}");
    situation.right().await;
    assert_eq!(situation.retry(id).await, ["PROCESSED"]);
    assert_eq!(situation.packages(1), (vec![OTHER_PACKAGE_TYPE.to_owned()], situation.packages(1).1));
    assert_eq!(calls(&situation.at_pond(), ADD), 1, "what is there is not added again");
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn an_old_package_that_cannot_be_terminated_is_an_error_that_names_it_and_a_retry_goes_on_there() {
    let mut situation = situation().await;
    situation.world.refuse_next(PACKAGE, TERMINATED);
    let id = situation.pond(1, to_plan(OTHER_PACKAGE_TYPE)).await;
    assert_eq!(situation.finish(id).await, ["carrier_refused"]);
    let (text, (active, packages)) = (situation.text(id).await, situation.packages(1));
    let named =
        format!("did not terminate the old package {} ({PACKAGE_TYPE}): still active beside the new package", packages[0]);
    assert!(text.contains(&named), "{text}");
    assert_eq!(active.len(), 2, "both are active, and nobody calls that success");
    situation.right().await;
    let before = situation.at_pond();
    assert_eq!(situation.retry(id).await, ["PROCESSED"]);
    let made = |name: &str| calls(&situation.at_pond(), name) - calls(&before, name);
    assert_eq!((made(ADD), made(SET_PACKAGE)), (0, 1), "only what is missing is done");
    assert_eq!(situation.packages(1).0, [OTHER_PACKAGE_TYPE]);
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_line_with_two_active_packages_is_not_found_to_stand_already_by_whoever_orders_the_former_plan_back() {
    let mut situation = situation().await;
    situation.world.refuse_next(PACKAGE, TERMINATED);
    let id = situation.pond(1, to_plan(OTHER_PACKAGE_TYPE)).await;
    assert_eq!(situation.finish(id).await, ["carrier_refused"]);
    let line = situation.world.first_pond_line;
    assert_eq!(situation.world.operator.device(line).await.carrier_rate_plan, None, "which it has is not known here");
    situation.right().await;
    let back = situation.pond(1, to_plan(PACKAGE_TYPE)).await;
    assert_eq!(situation.finish(back).await, ["PROCESSED"]);
    assert_eq!(situation.packages(1).0, [PACKAGE_TYPE], "the other one is ended");
    assert_eq!(situation.world.operator.device(line).await.carrier_rate_plan.as_deref(), Some(PACKAGE_TYPE));
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_package_that_somebody_else_has_added_is_adopted() {
    let mut situation = situation().await;
    let theirs = situation.world.pond.add_package(&situation.sim(1), OTHER_PACKAGE_TYPE, PackageStatus::Added);
    situation.ordered.packages_before.insert(theirs);
    let id = situation.pond(1, to_plan(OTHER_PACKAGE_TYPE)).await;
    assert_eq!(situation.finish(id).await, ["PROCESSED"]);
    assert_eq!(calls(&situation.at_pond(), ADD), 0);
    assert_eq!(situation.packages(1).0, [OTHER_PACKAGE_TYPE]);
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_package_of_somebody_else_that_cannot_be_activated_is_left_alone() {
    let mut situation = situation().await;
    let theirs = situation.world.pond.add_package(&situation.sim(1), OTHER_PACKAGE_TYPE, PackageStatus::Added);
    situation.ordered.packages_before.insert(theirs);
    situation.world.refuse_next(PACKAGE, ACTIVE);
    let id = situation.pond(1, to_plan(OTHER_PACKAGE_TYPE)).await;
    assert_eq!(situation.finish(id).await, ["carrier_refused"]);
    assert!(situation.text(id).await.contains("which was there before"), "{}", situation.text(id).await);
    assert_eq!(situation.world.pond.ledger().summary().terminated_packages, 0);
    assert_eq!(situation.packages(1).0, [PACKAGE_TYPE]);
    situation.right().await;
}
