//! Carrier plans that were made inactive after somebody ordered them (B5.3).

use std::sync::Arc;
use std::time::Duration;

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::order::{AssignmentOrder, Effect};
use lineshift_domain::terms::OnPartialFailure;
use lineshift_engine::{Boundary, WorkerOptions};
use lineshift_simulators::jasper::Fault;
use lineshift_simulators::pond::PackageStatus;
use lineshift_store::billing::UnsettledFilter;
use lineshift_store::catalogue::CarrierRatePlan;
use lineshift_store::import::ImportDevice;
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PACKAGE_TYPE, OTHER_PLAN, PACKAGE_TYPE, PLAN, to_plan, with_carrier_plan};
use lineshift_testkit::operator::iccid;
use tokio::time::sleep;

use crate::assignment::run_closed_meanwhile;
use crate::situation::{ADD, ASSIGN, SET_PACKAGE, Situation, calls};

const TEXT: &str = "the carrier rate plan was made inactive after this was ordered";

async fn situation() -> Situation {
    let world = CarrierWorld::with_lines(2).await;
    world.set_billing_account().await;
    Situation::of(world)
}

/// A process works until all calls of its page are made; then the plan is made inactive.
async fn run_until_called(situation: &Situation) {
    let (store, tenant, jasper) =
        (Arc::clone(&situation.world.operator.store), situation.world.operator.tenant(), situation.world.operator.jasper);
    let engine = situation.world.another_engine().with_boundaries(Arc::new(move |boundary, _| {
        let store = Arc::clone(&store);
        Box::pin(async move {
            if boundary == Boundary::Called {
                let plan = CarrierRatePlan { code: OTHER_PLAN.to_owned(), name: "Gone".to_owned(), is_active: false };
                store.upsert_carrier_rate_plans(tenant, jasper, &[plan]).await.expect("stored");
            }
        })
    }));
    engine.run_pages_until_idle(&WorkerOptions { owner: "meddled with".to_owned() }).await.expect("pages run");
}

/// How many steps of a change are unknown or stuck.
async fn unsettled(situation: &Situation) -> usize {
    let operator = &situation.world.operator;
    operator.store.list_unsettled_steps(operator.tenant(), &UnsettledFilter::all(), None, 10).await.expect("listed").items.len()
}

async fn codes_and_text(situation: &Situation, id: BulkChangeId) -> (Vec<&'static str>, String) {
    (situation.finish(id).await, situation.text(id).await)
}

#[tokio::test(start_paused = true)]
async fn lines_are_not_moved_to_a_plan_that_was_made_inactive_and_a_retry_moves_them_once_it_is_back() {
    for at_pond in [false, true] {
        let plan = if at_pond { OTHER_PACKAGE_TYPE } else { OTHER_PLAN };
        let mut situation = situation().await;
        let id = if at_pond { situation.pond(2, to_plan(plan)).await } else { situation.jasper(2, to_plan(plan)).await };
        situation.world.set_plan_active(plan, false).await;
        assert_eq!(codes_and_text(&situation, id).await, (vec!["plan_inactive"; 2], TEXT.to_owned()));
        assert_eq!((situation.at_jasper().calls.len(), situation.at_pond().calls.len()), (0, 0), "nobody is called");
        situation.world.set_plan_active(plan, true).await;
        assert_eq!(situation.retry(id).await, ["PROCESSED"; 2]);
        situation.right().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_assignment_to_a_carrier_plan_that_was_made_inactive_opens_no_service_and_moves_nothing() {
    for at_pond in [false, true] {
        let plan = if at_pond { OTHER_PACKAGE_TYPE } else { OTHER_PLAN };
        let mut situation = situation().await;
        let world = &situation.world;
        let effect = Effect::CustomerAssignment(with_carrier_plan(world.assignment(), plan));
        let order = if at_pond { world.pond_order([1], effect) } else { world.jasper_order([1], effect) };
        let id = situation.submit(order).await;
        situation.world.set_plan_active(plan, false).await;
        assert_eq!(codes_and_text(&situation, id).await, (vec!["plan_inactive"], TEXT.to_owned()));
        let called = [situation.at_jasper().calls, situation.at_pond().calls, situation.world.revio.ledger().summary().calls];
        assert!(called.iter().all(|calls| calls.is_empty()), "nobody is called: {called:?}");
        let line = if at_pond { situation.world.first_pond_line } else { 1 };
        assert_eq!(situation.world.operator.device(line).await.rev_customer_id, None);
        situation.world.set_plan_active(plan, true).await;
        assert_eq!(situation.retry(id).await, ["PROCESSED"]);
        assert_eq!(situation.world.operator.device(line).await.rev_customer_id, Some(situation.world.operator.rev_customer));
        situation.right().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_plan_that_a_line_is_on_already_may_be_made_inactive() {
    let mut situation = situation().await;
    let id = situation.jasper(1, to_plan(OTHER_PLAN)).await;
    situation.world.set_plan_active(PLAN, false).await;
    situation.world.set_plan_active(PACKAGE_TYPE, false).await;
    assert_eq!(situation.finish(id).await, ["PROCESSED"]);
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_line_that_was_moved_before_its_plan_was_made_inactive_goes_on() {
    let mut situation = situation().await;
    let assignment = with_carrier_plan(situation.world.assignment(), OTHER_PLAN);
    let id = situation.submit(situation.world.jasper_order([1], Effect::CustomerAssignment(assignment))).await;
    run_until_called(&situation).await;
    assert_eq!(situation.finish(id).await, ["PROCESSED"]);
    assert_eq!(situation.world.operator.device(1).await.rev_customer_id, Some(situation.world.operator.rev_customer));
    assert_eq!((situation.plan(1).as_str(), calls(&situation.at_jasper(), ASSIGN)), (OTHER_PLAN, 1));
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_of_which_nobody_heard_is_settled_before_the_inactive_plan_ends_its_line() {
    for (fault, plan) in [(Fault::Silence, PLAN), (Fault::WorksThenSilence, OTHER_PLAN), (Fault::WorksLate, OTHER_PLAN)] {
        let mut situation = situation().await;
        situation.world.jasper.meet_next_on(ASSIGN, fault);
        let id = situation.jasper(1, to_plan(OTHER_PLAN)).await;
        let worker = situation.start("is cut off");
        sleep(Duration::from_secs(5)).await;
        worker.abort();
        situation.world.set_plan_active(OTHER_PLAN, false).await;
        sleep(Duration::from_secs(31)).await;
        let (codes, text) = codes_and_text(&situation, id).await;
        assert_eq!(calls(&situation.at_jasper(), ASSIGN), 1, "{fault:?}: nothing more is sent");
        assert_eq!(situation.plan(1), plan, "{fault:?}");
        if plan == PLAN {
            assert_eq!((codes, text.as_str()), (vec!["plan_inactive"], TEXT), "{fault:?}");
        } else {
            assert_eq!(codes, ["PROCESSED"], "{fault:?}: all that was ordered stands: {text}");
        }
        assert_eq!(situation.world.operator.device(1).await.carrier_rate_plan.as_deref(), Some(plan), "{fault:?}");
        assert_eq!(unsettled(&situation).await, 0, "{fault:?}");
        situation.right().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_package_that_nobody_heard_of_is_settled_before_the_inactive_plan_ends_its_line() {
    for fault in [Fault::Silence, Fault::WorksThenSilence] {
        let mut situation = situation().await;
        situation.world.pond.meet_next_on(ADD, fault);
        let id = situation.pond(1, to_plan(OTHER_PACKAGE_TYPE)).await;
        let worker = situation.start("is cut off");
        sleep(Duration::from_secs(5)).await;
        worker.abort();
        situation.world.set_plan_active(OTHER_PACKAGE_TYPE, false).await;
        sleep(Duration::from_secs(31)).await;
        let (codes, text) = codes_and_text(&situation, id).await;
        assert_eq!(codes, ["plan_inactive"], "{fault:?}");
        assert_eq!(text.contains("kept at POND"), fault == Fault::WorksThenSilence, "{fault:?}: {text}");
        assert_eq!(calls(&situation.at_pond(), SET_PACKAGE), 0, "{fault:?}: nothing more is sent");
        assert_eq!(unsettled(&situation).await, 0, "{fault:?}");
        situation.world.set_plan_active(OTHER_PACKAGE_TYPE, true).await;
        assert_eq!(situation.retry(id).await, ["PROCESSED"]);
        situation.right().await;
    }
}

/// The new package is active, and the call that ends the old one gets lost with its process.
async fn cut_off_half_way(fault: Fault) -> (Situation, BulkChangeId) {
    let mut situation = situation().await;
    situation.world.pond.adjust(|options| options.fault_lag = Duration::ZERO);
    situation.world.pond.meet_next_on(SET_PACKAGE, Fault::SearchLags).meet_next_on(SET_PACKAGE, fault);
    let id = situation.pond(1, to_plan(OTHER_PACKAGE_TYPE)).await;
    let worker = situation.start("is cut off");
    sleep(Duration::from_secs(5)).await;
    worker.abort();
    assert_eq!(situation.packages(1).1.len(), 2, "both are there");
    (situation, id)
}

#[tokio::test(start_paused = true)]
async fn a_saga_that_only_has_to_end_the_old_package_comes_to_its_end_though_its_plan_is_inactive() {
    for fault in [Fault::Silence, Fault::WorksThenSilence] {
        let (situation, id) = cut_off_half_way(fault).await;
        situation.world.set_plan_active(OTHER_PACKAGE_TYPE, false).await;
        sleep(Duration::from_secs(31)).await;
        let (codes, text) = codes_and_text(&situation, id).await;
        assert_eq!(codes, ["PROCESSED"], "{fault:?}: {text}");
        assert_eq!(situation.packages(1).0, [OTHER_PACKAGE_TYPE], "{fault:?}: one package is active");
        situation.right().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_saga_that_may_not_go_on_names_both_packages_that_it_leaves_active() {
    let (situation, id) = cut_off_half_way(Fault::Silence).await;
    situation.world.set_pond_account(|account| account.write_enabled = false).await;
    sleep(Duration::from_secs(31)).await;
    let (codes, text) = codes_and_text(&situation, id).await;
    assert_eq!(codes, ["writes_disabled"], "{text}");
    let (active, ids) = situation.packages(1);
    let named = format!("still active beside each other: {} ({PACKAGE_TYPE}), {} ({OTHER_PACKAGE_TYPE})", ids[0], ids[1]);
    assert!(active.len() == 2 && text.contains(&named), "{text}");
    situation.right().await;
    situation.world.set_pond_account(|_| {}).await;
    assert_eq!(situation.retry(id).await, ["PROCESSED"]);
    assert_eq!(situation.packages(1).0, [OTHER_PACKAGE_TYPE]);
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_worked_ends_its_line_alike_however_late_that_is_read() {
    for (assigns, pause) in [(false, 31), (false, 900), (true, 31), (true, 900)] {
        let mut situation = situation().await;
        situation.world.jasper.meet_next_on(ASSIGN, Fault::WorksThenSilence);
        let assignment = with_carrier_plan(situation.world.assignment(), OTHER_PLAN);
        let assignment = AssignmentOrder { on_partial_failure: OnPartialFailure::Compensate, ..assignment };
        let effect = if assigns { Effect::CustomerAssignment(assignment) } else { to_plan(OTHER_PLAN) };
        let id = situation.jasper(1, effect).await;
        let worker = situation.start("is cut off");
        sleep(Duration::from_secs(5)).await;
        worker.abort();
        situation.world.set_plan_active(OTHER_PLAN, false).await;
        sleep(Duration::from_secs(pause)).await;
        let (codes, text) = codes_and_text(&situation, id).await;
        assert_eq!((codes, situation.plan(1).as_str()), (vec!["PROCESSED"], OTHER_PLAN), "{assigns} {pause}: {text}");
        assert_eq!(calls(&situation.at_jasper(), ASSIGN), 1, "{assigns} {pause}");
        situation.right().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_adds_no_package_of_an_inactive_plan_nor_with_writes_disabled() {
    for is_put_back in [true, false] {
        for plan_is_gone in [true, false] {
            let mut situation = situation().await;
            let asked = with_carrier_plan(situation.world.assignment(), OTHER_PACKAGE_TYPE);
            let id = situation.submit(situation.world.pond_order([1], Effect::CustomerAssignment(asked))).await;
            run_closed_meanwhile(&situation, id).await;
            if is_put_back {
                let new = *situation.packages(1).1.last().expect("a package");
                situation.world.pond.change_package(new, PackageStatus::Terminated);
                situation.world.pond.add_package(&situation.sim(1), PACKAGE_TYPE, PackageStatus::Active);
            }
            if plan_is_gone {
                situation.world.set_plan_active(OTHER_PACKAGE_TYPE, false).await;
            } else {
                situation.world.set_pond_account(|account| account.write_enabled = false).await;
            }
            let before = situation.at_pond();
            let codes = situation.retry(id).await;
            let made = |name: &str| calls(&situation.at_pond(), name) - calls(&before, name);
            assert_eq!((made(ADD), made(SET_PACKAGE)), (0, 0), "{is_put_back} {plan_is_gone}: {codes:?}");
            let ends = match (is_put_back, plan_is_gone) {
                (false, _) => "PROCESSED",
                (true, true) => "plan_inactive",
                (true, false) => "writes_disabled",
            };
            assert_eq!(codes, [ends], "{is_put_back} {plan_is_gone}: {}", situation.text(id).await);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_that_stands_so_already_needs_neither_an_active_plan_nor_an_account_that_may_be_written_to() {
    for plan_is_gone in [true, false] {
        let mut situation = situation().await;
        let id = situation.jasper(1, to_plan(OTHER_PLAN)).await;
        situation.world.jasper.change_device(&iccid(1), |device| device.rate_plan = Some(OTHER_PLAN.to_owned()));
        let operator = &situation.world.operator;
        let line = operator.line(operator.jasper, 1, "ACTIVATED");
        operator.import(&[ImportDevice { carrier_rate_plan: Some(OTHER_PLAN.to_owned()), ..line }]).await;
        if plan_is_gone {
            situation.world.set_plan_active(OTHER_PLAN, false).await;
        } else {
            situation.world.set_jasper_account(|account| account.write_enabled = false).await;
        }
        assert_eq!(codes_and_text(&situation, id).await, (vec!["PROCESSED"], "already so".to_owned()), "{plan_is_gone}");
        assert_eq!(situation.at_jasper().calls.len(), 0, "nobody is called");
        situation.right().await;
    }
}
