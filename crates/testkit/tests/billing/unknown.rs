//! Calls of which nobody knows what they did, and the undo of what was done: each situation by itself (B6.2, B6.3, B7.1 to B7.3).

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{AssignmentOrder, PlanValues, RevCharge, Setting};
use lineshift_domain::terms::{OnPartialFailure, OnRevServiceFailure};
use lineshift_engine::{Boundary, Clock as _};
use lineshift_simulators::revio::{Fault, Service};
use lineshift_store::billing::UnsettledFilter;
use lineshift_store::billing::{Looked, Settlement};
use lineshift_testkit::billing::{BillingWorld, OTHER_PRODUCT, PRODUCT, product};
use lineshift_testkit::billing_workers::{Doom, Fate, Manner, start, work_in_turn};
use lineshift_testkit::crash::look;
use lineshift_testkit::operator::{iccid, number};
use tokio::time::sleep;

use crate::situation::{calls, finish, order, right, submit, work_for};

/// One create meets that fault; in the end all stands, and so often was it sent.
async fn sent_after(fault: Fault, sent: u64) {
    let world = BillingWorld::with(3, Limits::default(), |options| options.fault_lag = Duration::from_secs(300)).await;
    world.simulator.meet_next_on("POST /Services", fault).meet_next_on("POST /ServiceProduct", fault);
    let id = submit(&world, 3, world.assignment()).await;
    finish(&world, id).await;
    assert_eq!(world.operator.outcomes(id).await, ["PROCESSED"; 3], "{fault:?}");
    let ledger = world.simulator.ledger().summary();
    let created = (calls(&ledger, "POST /Services"), calls(&ledger, "POST /ServiceProduct"));
    assert_eq!(created, (sent, sent), "{fault:?}");
    assert_eq!((ledger.services, ledger.service_products), (3, 3), "{fault:?}");
    right(&world, &[(id, world.assignment())]).await;
}

#[tokio::test(start_paused = true)]
async fn what_worked_is_found_and_not_sent_again() {
    for fault in [Fault::WorksThenSilence, Fault::WorksThenReset, Fault::Works500, Fault::Works502, Fault::WorksThenCut] {
        sent_after(fault, 3).await;
    }
    sent_after(Fault::WorksLate, 3).await;
    sent_after(Fault::SearchLags, 3).await;
}

#[tokio::test(start_paused = true)]
async fn what_did_not_work_is_sent_again_once_that_is_certain() {
    for fault in [Fault::Silence, Fault::Reset, Fault::Fails500, Fault::Fails503, Fault::Throttled, Fault::ThrottledInWords] {
        sent_after(fault, 4).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_search_that_lags_behind_the_first_looks_finds_it_in_the_end() {
    let world = BillingWorld::with(3, Limits::default(), |options| options.settle_lag = Duration::from_secs(400)).await;
    for _ in 0..3 {
        world.simulator.meet_next_on("POST /Services", Fault::WorksThenReset);
    }
    let id = submit(&world, 3, world.assignment()).await;
    finish(&world, id).await;
    assert_eq!(world.operator.outcomes(id).await, ["PROCESSED"; 3]);
    assert_eq!(calls(&world.simulator.ledger().summary(), "POST /Services"), 3);
    right(&world, &[(id, world.assignment())]).await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_lost_between_intent_and_sending_sends_nothing() {
    let world = BillingWorld::with_lines(3).await;
    let id = submit(&world, 3, world.assignment()).await;
    let doom = Doom { at: Boundary::Intended, nth: 1, fate: Fate::Freezes(Duration::from_secs(900)) };
    let frozen = start(&world, "frozen".to_owned(), Manner::InTurn, Some(doom));
    sleep(Duration::from_secs(1)).await;
    let before = calls(&world.simulator.ledger().summary(), "POST /Services");
    finish(&world, id).await;
    sleep(Duration::from_secs(900)).await;
    frozen.abort();
    assert_eq!(world.operator.outcomes(id).await, ["PROCESSED"; 3]);
    let ledger = world.simulator.ledger().summary();
    assert_eq!((before, calls(&ledger, "POST /Services"), ledger.services), (0, 3, 3));
    right(&world, &[(id, world.assignment())]).await;
}

#[tokio::test(start_paused = true)]
async fn canceling_ends_what_was_not_sent_and_carries_the_unknown_to_its_end() {
    let world = BillingWorld::with(4, Limits::default(), |options| options.settle_lag = Duration::from_secs(200)).await;
    world.set_account(lineshift_testkit::billing::PASSWORD, |account| account.calls_a_day = Some(8)).await;
    world.simulator.meet_next_on("POST /Services", Fault::WorksThenReset);
    let id = submit(&world, 4, world.assignment()).await;
    work_for(&world, 10).await;
    world.operator.engine.cancel(&world.operator.caller, id).await.expect("it is open");
    world.store_credentials(lineshift_testkit::billing::PASSWORD).await;
    finish(&world, id).await;
    let outcomes = world.operator.outcomes(id).await;
    let stands = outcomes.iter().filter(|outcome| **outcome == "PROCESSED").count();
    assert!(stands >= 1 && outcomes.contains(&"CANCELED"), "{outcomes:?}");
    assert!(outcomes.iter().all(|outcome| matches!(*outcome, "PROCESSED" | "CANCELED")), "{outcomes:?}");
    let ledger = world.simulator.ledger().summary();
    assert_eq!((ledger.services, ledger.service_products), (stands, stands));
    right(&world, &[(id, world.assignment())]).await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_put_forward_or_back_bills_nothing_twice() {
    for by in [TimeDelta::hours(3), TimeDelta::hours(-3)] {
        let world = BillingWorld::with(3, Limits::default(), |options| options.settle_lag = Duration::from_secs(100)).await;
        world.simulator.meet_next_on("POST /Services", Fault::WorksThenReset);
        let id = submit(&world, 3, world.assignment()).await;
        work_for(&world, 100).await;
        world.operator.clock.advance(by);
        finish(&world, id).await;
        assert_eq!(world.operator.outcomes(id).await, ["PROCESSED"; 3]);
        right(&world, &[(id, world.assignment())]).await;
    }
}

/// Compensating, with two products.
fn compensating(world: &BillingWorld) -> AssignmentOrder {
    let charge = RevCharge::Products(vec![product(PRODUCT), product(OTHER_PRODUCT)]);
    AssignmentOrder { on_partial_failure: OnPartialFailure::Compensate, ..world.assignment_with(charge) }
}

/// Works until the change is completed; the second product is taken off the list when lines were looked up, so that ordering it
/// is refused half-way.
async fn finish_without_second_product(world: &BillingWorld, id: lineshift_domain::ids::BulkChangeId) {
    let simulator = Arc::clone(&world.simulator);
    let engine = world.another_engine().with_boundaries(Arc::new(move |boundary, _| {
        if boundary == Boundary::LookedUp {
            simulator.deactivate_product(OTHER_PRODUCT);
        }
        Box::pin(async {})
    }));
    let worker = tokio::spawn(work_in_turn(engine, world.operator.stored.clone(), "worker".to_owned()));
    while world.operator.change(id).await.processed_at.is_none() {
        assert!(!worker.is_finished(), "the worker ended");
        sleep(Duration::from_secs(10)).await;
    }
    worker.abort();
}

#[tokio::test(start_paused = true)]
async fn an_adopted_service_is_never_disconnected_by_an_undo() {
    let world = BillingWorld::with_lines(1).await;
    world.simulator.add_service(Service::new(world.operator.rev_customer.0, &number(1), &iccid(1)));
    let id = submit(&world, 1, compensating(&world)).await;
    finish_without_second_product(&world, id).await;
    assert_eq!(world.operator.outcomes(id).await, ["billing_refused"]);
    let ledger = world.simulator.ledger().summary();
    assert_eq!((ledger.services, ledger.disconnected_services, ledger.service_products), (1, 0, 0));
    assert_eq!(calls(&ledger, "POST /ServiceProduct"), 2, "the first product was created, and is gone again");
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_fails_is_stuck_and_holds_its_line_until_a_person_settles_it() {
    let world = BillingWorld::with(1, Limits::default(), |options| options.open_parts.delete_disconnects_services = false).await;
    let id = submit(&world, 1, compensating(&world)).await;
    finish_without_second_product(&world, id).await;
    let (operator, tenant) = (&world.operator, world.operator.tenant());
    assert_eq!(operator.outcomes(id).await, ["billing_refused"]);
    let listed = operator.store.list_unsettled_steps(tenant, &UnsettledFilter::all(), None, 10).await.expect("listed").items;
    assert_eq!(listed.iter().map(|step| (step.record.part, step.record.state.as_str())).collect::<Vec<_>>(), [(0, "stuck")]);
    assert_eq!(operator.store.measure(operator.clock.now()).await.expect("measured").stuck_steps, 1, "it is counted");

    let again = operator.submit(order(&world, 1..=1, world.assignment())).await.id;
    assert_eq!(operator.outcomes(again).await, ["outcome_unknown"], "the line is held");
    let service = world.simulator.ledger().services()[0].service_id;
    world.simulator.disconnect_service(service, operator.clock.now().date_naive());
    let row = listed[0].record.device_change_id;
    operator
        .store
        .settle_steps(tenant, row, &Settlement::Gone, Looked::default(), "operator", operator.clock.now())
        .await
        .expect("settled");
    assert!(
        operator.store.list_unsettled_steps(tenant, &UnsettledFilter::all(), None, 10).await.expect("listed").items.is_empty()
    );
    let third = submit(&world, 1, world.assignment()).await;
    finish(&world, third).await;
    assert_eq!(operator.outcomes(third).await, ["PROCESSED"], "the line is free");
    assert_eq!(look(&operator.stored, "SELECT count(*) FROM rev_service WHERE disconnected_date IS NULL").await, ["1"]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_of_a_stuck_line_goes_on_with_what_stands() {
    let world = BillingWorld::with(1, Limits::default(), |options| options.open_parts.delete_disconnects_services = false).await;
    let id = submit(&world, 1, compensating(&world)).await;
    finish_without_second_product(&world, id).await;
    world.simulator.with_product(OTHER_PRODUCT, "back on the list");
    world.operator.engine.retry(&world.operator.caller, id, &[]).await.expect("it is in ERROR");
    finish(&world, id).await;
    assert_eq!(world.operator.outcomes(id).await, ["PROCESSED"]);
    let ledger = world.simulator.ledger().summary();
    assert_eq!((calls(&ledger, "POST /Services"), ledger.services, ledger.service_products), (1, 1, 2));
    right(&world, &[(id, compensating(&world))]).await;
}

#[tokio::test(start_paused = true)]
async fn a_product_that_was_stuck_is_still_ours_and_undone_by_the_next_attempt() {
    let world = BillingWorld::with_lines(1).await;
    world.simulator.add_service(Service::new(world.operator.rev_customer.0, &number(1), &iccid(1)));
    let id = submit(&world, 1, compensating(&world)).await;
    let simulator = Arc::clone(&world.simulator);
    let engine = world.another_engine().with_boundaries(Arc::new(move |boundary, _| {
        match boundary {
            Boundary::LookedUp => _ = simulator.deactivate_product(OTHER_PRODUCT),
            Boundary::UndoIntended => _ = simulator.refuse_credentials(true),
            _ => {}
        }
        Box::pin(async {})
    }));
    let options = lineshift_engine::WorkerOptions { owner: "worker".to_owned() };
    engine.run_pages_until_idle(&options).await.expect("pages run");
    assert_eq!(look(&world.operator.stored, "SELECT part FROM device_change_step WHERE state = 'stuck'").await, ["1"]);

    world.simulator.refuse_credentials(false);
    world.store_credentials(lineshift_testkit::billing::PASSWORD).await;
    world.operator.engine.retry(&world.operator.caller, id, &[]).await.expect("it is in ERROR");
    finish(&world, id).await;
    assert_eq!(look(&world.operator.stored, "SELECT id FROM device_change WHERE holds <> 0").await, [""; 0]);
    let ledger = world.simulator.ledger().summary();
    assert_eq!((ledger.services, ledger.service_products), (1, 0), "the service was somebody's, the product ours");
}

/// The order's second product is refused half-way; with the plan, which is a later step.
async fn half_way(on_rev_service_failure: OnRevServiceFailure, on_partial_failure: OnPartialFailure) -> String {
    let world = BillingWorld::with_lines(1).await;
    let plan = PlanValues { plan: Setting::Set(world.operator.plan), ..PlanValues::default() };
    let assignment =
        AssignmentOrder { customer_rate_plan: Some(plan), on_rev_service_failure, on_partial_failure, ..compensating(&world) };
    let id = submit(&world, 1, assignment).await;
    finish_without_second_product(&world, id).await;
    let ledger = world.simulator.ledger().summary();
    let device = world.operator.device(1).await;
    format!(
        "{}services {} disconnected {} products {}\ncustomer {:?} plan {:?}\n{}",
        world.operator.shown_rows(id).await,
        ledger.services,
        ledger.disconnected_services,
        ledger.service_products,
        device.rev_customer_id.map(|id| id.0),
        device.customer_rate_plan_id.map(|id| id.0),
        world.operator.shown_log(id).await
    )
}

#[tokio::test(start_paused = true)]
async fn skip_and_keep() {
    insta::assert_snapshot!(half_way(OnRevServiceFailure::Skip, OnPartialFailure::Keep).await);
}

#[tokio::test(start_paused = true)]
async fn skip_and_compensate() {
    insta::assert_snapshot!(half_way(OnRevServiceFailure::Skip, OnPartialFailure::Compensate).await);
}

#[tokio::test(start_paused = true)]
async fn continue_and_keep() {
    insta::assert_snapshot!(half_way(OnRevServiceFailure::Continue, OnPartialFailure::Keep).await);
}

#[tokio::test(start_paused = true)]
async fn continue_and_compensate() {
    insta::assert_snapshot!(half_way(OnRevServiceFailure::Continue, OnPartialFailure::Compensate).await);
}
