//! Carrier plans that were made inactive after somebody ordered them (B5.3).

use std::sync::Arc;
use std::time::Duration;

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::order::Effect;
use lineshift_engine::{Boundary, WorkerOptions};
use lineshift_simulators::jasper::Fault;
use lineshift_store::catalogue::CarrierRatePlan;
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PACKAGE_TYPE, OTHER_PLAN, PACKAGE_TYPE, PLAN, to_plan, with_carrier_plan};
use tokio::time::sleep;

use crate::situation::{ASSIGN, SET_PACKAGE, Situation, calls};

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
    operator.store.list_unsettled_steps(operator.tenant(), None, 10).await.expect("listed").items.len()
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
        situation.world.pond.meet_next_on(crate::situation::ADD, fault);
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
