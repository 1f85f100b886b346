//! Assignments that move their lines to another carrier plan, and fail there or after it (B6.2, B6.3).

use std::sync::Arc;

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::order::{AssignmentOrder, Effect, Order};
use lineshift_domain::terms::{OnPartialFailure, OnRevServiceFailure};
use lineshift_engine::{Boundary, Clock as _, WorkerOptions};
use lineshift_simulators::revio::Fault;
use lineshift_store::billing::UnsettledFilter;
use lineshift_store::billing::{Looked, Settlement};
use lineshift_store::catalogue::RevCustomer;
use lineshift_testkit::billing_checks::{Ordered, check_books_of};
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PACKAGE_TYPE, OTHER_PLAN, PLAN, with_carrier_plan};
use lineshift_testkit::crash::Meddler;
use lineshift_testkit::operator::iccid;

use crate::situation::{ASSIGN, Situation, calls};

async fn situation() -> Situation {
    let world = CarrierWorld::with_lines(2).await;
    world.set_billing_account().await;
    Situation::of(world)
}

fn asked(situation: &Situation, plan: &str, on_partial_failure: OnPartialFailure) -> AssignmentOrder {
    AssignmentOrder { on_partial_failure, ..with_carrier_plan(situation.world.assignment(), plan) }
}

/// Of the first line.
fn at_jasper(situation: &Situation, assignment: AssignmentOrder) -> Order {
    situation.world.jasper_order([1], Effect::CustomerAssignment(assignment))
}

fn at_pond(situation: &Situation, assignment: AssignmentOrder) -> Order {
    situation.world.pond_order([1], Effect::CustomerAssignment(assignment))
}

/// Runs the change; once every call of its page was made, somebody books the line elsewhere.
async fn run_moved_meanwhile(situation: &Situation, id: BulkChangeId, line: u64) -> Vec<&'static str> {
    let meddler = Meddler::of(&situation.world.operator, line);
    let engine = situation.world.another_engine().with_boundaries(meddler.boundaries());
    engine.run_pages_until_idle(&WorkerOptions { owner: "meddled with".to_owned() }).await.expect("pages run");
    situation.finish(id).await
}

/// Runs the change; once every call of its page was made, the customer is closed. In the end it is open again.
pub(crate) async fn run_closed_meanwhile(situation: &Situation, id: BulkChangeId) {
    let operator = &situation.world.operator;
    let (store, tenant, customer) = (operator.stored.store(), operator.tenant(), operator.rev_customer);
    let clock = Arc::clone(&operator.clock);
    let set_active = async move |is_active: bool| {
        let present = store.get_rev_customer(tenant, customer).await.expect("a customer");
        store.update_rev_customer(tenant, &RevCustomer { is_active, ..present }, clock.now()).await.expect("changed");
    };
    let set_active = Arc::new(set_active);
    let closes = Arc::clone(&set_active);
    let engine = situation.world.another_engine().with_boundaries(Arc::new(move |boundary, _| {
        let closes = Arc::clone(&closes);
        Box::pin(async move {
            if boundary == Boundary::Called {
                closes(false).await;
            }
        })
    }));
    engine.run_pages_until_idle(&WorkerOptions { owner: "closed meanwhile".to_owned() }).await.expect("pages run");
    assert_ne!(situation.finish(id).await, ["PROCESSED"]);
    set_active(true).await;
}

async fn billing_is_right(situation: &Situation, id: BulkChangeId, assignment: &AssignmentOrder) {
    let world = &situation.world;
    let ordered = Ordered { changes: vec![(id, assignment.clone())], services_before: [].into(), products_before: [].into() };
    let broken = check_books_of(&world.operator, &world.revio, &ordered).await;
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn compensate_disconnects_the_service_of_a_line_whose_carrier_step_fails() {
    for at_the_pond in [false, true] {
        let mut situation = situation().await;
        let plan = if at_the_pond { OTHER_PACKAGE_TYPE } else { OTHER_PLAN };
        let assignment = asked(&situation, plan, OnPartialFailure::Compensate);
        situation.world.refuse_next(if at_the_pond { "/addPackage" } else { "/devices/" }, "");
        let order = if at_the_pond { at_pond } else { at_jasper }(&situation, assignment.clone());
        let id = situation.submit(order).await;
        assert_eq!(situation.finish(id).await, ["carrier_refused"]);
        let ledger = situation.world.revio.ledger().summary();
        assert_eq!((ledger.services, ledger.disconnected_services), (0, 1), "{}", situation.text(id).await);
        billing_is_right(&situation, id, &assignment).await;
        situation.right().await;
        assert_eq!(situation.retry(id).await, ["PROCESSED"], "{}", situation.text(id).await);
        assert_eq!(situation.world.revio.ledger().summary().services, 1);
        billing_is_right(&situation, id, &assignment).await;
        situation.right().await;
    }
}

#[tokio::test(start_paused = true)]
async fn keep_keeps_the_service_of_a_line_whose_carrier_step_fails_and_says_so() {
    let mut situation = situation().await;
    let assignment = asked(&situation, OTHER_PLAN, OnPartialFailure::Keep);
    situation.world.refuse_next("/devices/", "");
    let id = situation.submit(at_jasper(&situation, assignment.clone())).await;
    assert_eq!(situation.finish(id).await, ["carrier_refused"]);
    let text = situation.text(id).await;
    assert!(text.contains("kept"), "{text}");
    assert_eq!(situation.world.revio.ledger().summary().services, 1);
    billing_is_right(&situation, id, &assignment).await;
    assert_eq!(situation.retry(id).await, ["PROCESSED"]);
    assert_eq!(situation.world.revio.ledger().summary().services, 1, "a retry does only what is missing");
    billing_is_right(&situation, id, &assignment).await;
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn compensate_puts_the_plan_of_a_line_that_was_moved_elsewhere_meanwhile_back_at_jasper() {
    let mut situation = situation().await;
    let assignment = asked(&situation, OTHER_PLAN, OnPartialFailure::Compensate);
    let id = situation.submit(at_jasper(&situation, assignment.clone())).await;
    assert_eq!(run_moved_meanwhile(&situation, id, 1).await, ["modified_meanwhile"]);
    let text = situation.text(id).await;
    assert!(text.contains("put back"), "{text}");
    assert_eq!(situation.plan(1), PLAN);
    assert_eq!(situation.world.operator.device(1).await.carrier_rate_plan.as_deref(), Some(PLAN));
    assert_eq!(calls(&situation.at_jasper(), ASSIGN), 2);
    let history: Vec<_> = situation.world.operator.history(1).await.into_iter().map(|entry| entry.action).collect();
    assert_eq!(history.iter().filter(|action| action.as_str() == "carrier_rate_plan").count(), 2, "{history:?}");
    assert_eq!(situation.world.revio.ledger().summary().services, 0);
    billing_is_right(&situation, id, &assignment).await;
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_undo_at_jasper_puts_the_plan_back_again() {
    let mut situation = situation().await;
    let assignment = asked(&situation, OTHER_PLAN, OnPartialFailure::Compensate);
    let id = situation.submit(at_jasper(&situation, assignment.clone())).await;
    for sent in [2, 4] {
        run_closed_meanwhile(&situation, id).await;
        assert_eq!((situation.plan(1).as_str(), calls(&situation.at_jasper(), ASSIGN)), (PLAN, sent));
        billing_is_right(&situation, id, &assignment).await;
        situation.right().await;
        let operator = &situation.world.operator;
        operator.engine.retry(&operator.caller, id, &[]).await.expect("there is something to retry");
    }
    assert_eq!(situation.finish(id).await, ["PROCESSED"]);
    assert_eq!(situation.plan(1), OTHER_PLAN);
    billing_is_right(&situation, id, &assignment).await;
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn an_undo_at_jasper_that_is_refused_is_stuck_and_a_retry_looks_how_the_line_stands() {
    for somebody_put_it_back in [false, true] {
        let mut situation = situation().await;
        let assignment = asked(&situation, OTHER_PLAN, OnPartialFailure::Compensate);
        let id = situation.submit(at_jasper(&situation, assignment.clone())).await;
        situation.world.refuse_next("/devices/", PLAN);
        run_closed_meanwhile(&situation, id).await;
        let text = situation.text(id).await;
        assert!(text.contains("it could not be undone"), "{text}");
        assert_eq!(situation.plan(1), OTHER_PLAN);
        if somebody_put_it_back {
            situation.world.jasper.change_device(&iccid(1), |device| device.rate_plan = Some(PLAN.to_owned()));
        }
        assert_eq!(situation.retry(id).await, ["PROCESSED"]);
        assert_eq!(situation.plan(1), OTHER_PLAN);
        let operator = &situation.world.operator;
        assert!(
            operator
                .store
                .list_unsettled_steps(operator.tenant(), &UnsettledFilter::all(), None, 10)
                .await
                .expect("listed")
                .items
                .is_empty()
        );
        situation.right().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_of_a_line_that_pond_does_not_take_back_leaves_nothing_to_settle() {
    let mut situation = situation().await;
    let assignment = asked(&situation, OTHER_PACKAGE_TYPE, OnPartialFailure::Compensate);
    let id = situation.submit(at_pond(&situation, assignment.clone())).await;
    run_closed_meanwhile(&situation, id).await;
    assert_eq!(situation.retry(id).await, ["PROCESSED"]);
    let operator = &situation.world.operator;
    assert!(
        operator
            .store
            .list_unsettled_steps(operator.tenant(), &UnsettledFilter::all(), None, 10)
            .await
            .expect("listed")
            .items
            .is_empty()
    );
    assert_eq!(situation.packages(1).0, [OTHER_PACKAGE_TYPE]);
    billing_is_right(&situation, id, &assignment).await;
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn an_undo_at_jasper_of_which_nobody_hears_is_seen_from_what_is_read() {
    for fault in [Fault::WorksThenSilence, Fault::Silence, Fault::Works500, Fault::WorksThenHtml] {
        let mut situation = situation().await;
        let assignment = asked(&situation, OTHER_PLAN, OnPartialFailure::Compensate);
        situation.world.jasper.meet_next_on(ASSIGN, Fault::SearchLags).meet_next_on(ASSIGN, fault);
        let id = situation.submit(at_jasper(&situation, assignment.clone())).await;
        assert_eq!(run_moved_meanwhile(&situation, id, 1).await, ["modified_meanwhile"], "{fault:?}");
        assert_eq!(situation.plan(1), PLAN, "{fault:?}");
        billing_is_right(&situation, id, &assignment).await;
        situation.right().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_pond_does_not_take_back_is_stuck_listed_and_settled_by_a_person() {
    let mut situation = situation().await;
    let assignment = asked(&situation, OTHER_PACKAGE_TYPE, OnPartialFailure::Compensate);
    let id = situation.submit(at_pond(&situation, assignment)).await;
    let line = situation.world.first_pond_line;
    assert_eq!(run_moved_meanwhile(&situation, id, line).await, ["modified_meanwhile"]);
    let text = situation.text(id).await;
    assert!(text.contains("POND takes nothing back"), "{text}");
    assert_eq!(situation.packages(1).0, [OTHER_PACKAGE_TYPE], "it stands as it was moved");
    let operator = &situation.world.operator;
    assert_eq!(operator.device(line).await.carrier_rate_plan.as_deref(), Some(OTHER_PACKAGE_TYPE));
    assert_eq!(situation.world.revio.ledger().summary().services, 0, "the service is disconnected all the same");
    let (tenant, now) = (operator.tenant(), operator.clock.now());
    let listed = operator.store.list_unsettled_steps(tenant, &UnsettledFilter::all(), None, 10).await.expect("listed").items;
    assert!(!listed.is_empty(), "whoever looks finds it");
    let row = listed[0].record.device_change_id;
    assert_eq!(operator.count("SELECT count(*) FROM device_change WHERE holds <> 0").await, 1, "its line is held");
    operator
        .store
        .settle_steps(tenant, row, &Settlement::Stands(None), Looked::default(), "operator", now)
        .await
        .expect("settled");
    assert_eq!(operator.count("SELECT count(*) FROM device_change WHERE holds <> 0").await, 0);
    assert!(
        operator.store.list_unsettled_steps(tenant, &UnsettledFilter::all(), None, 10).await.expect("listed").items.is_empty()
    );
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn keep_keeps_the_plan_of_a_line_that_was_moved_elsewhere_and_says_so() {
    for at_the_pond in [false, true] {
        let mut situation = situation().await;
        let plan = if at_the_pond { OTHER_PACKAGE_TYPE } else { OTHER_PLAN };
        let assignment = asked(&situation, plan, OnPartialFailure::Keep);
        let order = if at_the_pond { at_pond } else { at_jasper }(&situation, assignment.clone());
        let id = situation.submit(order).await;
        let line = if at_the_pond { situation.world.first_pond_line } else { 1 };
        assert_eq!(run_moved_meanwhile(&situation, id, line).await, ["modified_meanwhile"]);
        assert!(situation.text(id).await.contains("kept"), "{}", situation.text(id).await);
        assert_eq!(situation.world.operator.device(line).await.carrier_rate_plan.as_deref(), Some(plan));
        assert_eq!(situation.world.revio.ledger().summary().services, 1);
        billing_is_right(&situation, id, &assignment).await;
        situation.right().await;
    }
}

#[tokio::test(start_paused = true)]
async fn continue_moves_the_line_whose_service_was_refused_and_still_ends_in_error() {
    let mut situation = situation().await;
    let assignment = AssignmentOrder {
        on_rev_service_failure: OnRevServiceFailure::Continue,
        ..asked(&situation, OTHER_PLAN, OnPartialFailure::Keep)
    };
    let customer = situation.world.operator.rev_customer;
    situation.world.revio.close_customer(customer.0, situation.world.operator.clock.now().date_naive());
    let id = situation.submit(at_jasper(&situation, assignment)).await;
    assert_eq!(situation.finish(id).await, ["customer_closed"]);
    assert_eq!(situation.plan(1), OTHER_PLAN);
    let device = situation.world.operator.device(1).await;
    assert_eq!((device.carrier_rate_plan.as_deref(), device.rev_customer_id), (Some(OTHER_PLAN), Some(customer)));
    assert_eq!(situation.world.revio.ledger().summary().services, 0);
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn skip_does_not_move_the_line_whose_service_was_refused() {
    let mut situation = situation().await;
    let assignment = asked(&situation, OTHER_PLAN, OnPartialFailure::Keep);
    let customer = situation.world.operator.rev_customer;
    situation.world.revio.close_customer(customer.0, situation.world.operator.clock.now().date_naive());
    let id = situation.submit(at_jasper(&situation, assignment)).await;
    assert_eq!(situation.finish(id).await, ["customer_closed"]);
    assert_eq!((situation.plan(1).as_str(), calls(&situation.at_jasper(), ASSIGN)), (PLAN, 0));
    assert_eq!(situation.world.operator.device(1).await.rev_customer_id, None);
    situation.right().await;
}

#[tokio::test(start_paused = true)]
async fn the_line_that_was_moved_elsewhere_before_its_page_began_is_not_moved_at_its_carrier() {
    let mut situation = situation().await;
    let assignment = asked(&situation, OTHER_PLAN, OnPartialFailure::Compensate);
    let id = situation.submit(at_jasper(&situation, assignment)).await;
    let site = situation.world.operator.amop_site;
    situation.world.operator.book([1], site, None).await;
    assert_eq!(situation.finish(id).await, ["modified_meanwhile"]);
    assert_eq!((situation.plan(1).as_str(), calls(&situation.at_jasper(), ASSIGN)), (PLAN, 0));
    assert_eq!(situation.world.jasper.ledger().device(&iccid(1)).expect("there").rate_plan.as_deref(), Some(PLAN));
    situation.right().await;
}
