//! What happens to lines whose services are opened: when all goes well, and in each single case where it does not.

use std::time::Duration;

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{AssignmentOrder, Effect, Order, PlanValues, RevCharge, Setting};
use lineshift_domain::terms::BulkChangeStatus;
use lineshift_engine::WorkerOptions;
use lineshift_simulators::revio::Faults;
use lineshift_testkit::billing::{BillingWorld, OTHER_PRODUCT, PACKAGE, PRODUCT, product};
use lineshift_testkit::operator::iccid;
use lineshift_testkit::store::on_postgres;

/// An order for all lines.
pub(crate) fn order(world: &BillingWorld, lines: u64, assignment: AssignmentOrder) -> Order {
    world.operator.order((1..=lines).map(iccid), Effect::CustomerAssignment(assignment))
}

#[tokio::test(start_paused = true)]
async fn every_line_has_one_service_with_its_products_and_stands_at_its_customer() {
    let world = BillingWorld::with_lines(40).await;
    let plan = PlanValues { plan: Setting::Set(world.operator.plan), ..PlanValues::default() };
    let charge = RevCharge::Products(vec![product(PRODUCT), product(OTHER_PRODUCT)]);
    let assignment = AssignmentOrder { customer_rate_plan: Some(plan), ..world.assignment_with(charge) };
    let change = world.operator.run(order(&world, 40, assignment)).await;
    assert_eq!((change.status(), change.counts.processed), (BulkChangeStatus::Processed, 40));
    let ledger = world.simulator.ledger().summary();
    assert_eq!((ledger.services, ledger.service_products), (40, 80));
    assert_eq!((ledger.duplicate_services, ledger.duplicate_products, ledger.wrong_requests), (0, 0, 0));
    for line in 1..=40 {
        let device = world.operator.device(line).await;
        assert_eq!(device.rev_customer_id, Some(world.operator.rev_customer));
        assert_eq!(device.customer_rate_plan_id, Some(world.operator.plan));
    }
    let linked = "SELECT count(*) FROM device_tenant WHERE rev_service_id IS NOT NULL";
    assert_eq!(world.operator.stored.inspect(linked).await.expect("counted"), [["40"]], "lines are linked to their services");
}

#[tokio::test(start_paused = true)]
async fn a_package_brings_its_products() {
    let world = BillingWorld::with_lines(3).await;
    let change = world.operator.run(order(&world, 3, world.assignment_with(RevCharge::Package(PACKAGE)))).await;
    assert_eq!(change.status(), BulkChangeStatus::Processed);
    let ledger = world.simulator.ledger().summary();
    assert_eq!((ledger.services, ledger.service_products), (3, 6));
    let stored = world.operator.stored.inspect("SELECT count(*) FROM rev_service_product").await.expect("counted");
    assert_eq!(stored, [["6"]]);
}

/// Lets a worker run until the change is completed, or that long.
pub(crate) async fn work_until(world: &BillingWorld, id: BulkChangeId, longest: Duration) {
    let (stop, stopped) = lineshift_engine::shutdown();
    let engine = world.operator.engine.clone();
    let worker = tokio::spawn(async move { engine.run_worker(WorkerOptions { owner: "test".to_owned() }, stopped).await });
    let deadline = tokio::time::Instant::now() + longest;
    while tokio::time::Instant::now() < deadline && world.operator.change(id).await.processed_at.is_none() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    stop.stop();
    worker.await.expect("the worker does not panic");
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_no_line_is_billed_twice_and_none_is_lost() {
    // The store is asked every virtual second for hours, which is slow where that costs a round trip.
    for seed in 1..=if on_postgres() { 1 } else { 20 } {
        let world = BillingWorld::with(30, Limits::default(), |options| {
            options.seed = seed;
            options.faults = Faults::all(0.25);
            options.latency = Duration::from_millis(50);
        })
        .await;
        let submitted = world.operator.submit(order(&world, 30, world.assignment())).await;
        work_until(&world, submitted.id, Duration::from_secs(100_000)).await;
        let change = world.operator.change(submitted.id).await;
        let ledger = world.simulator.ledger().summary();
        assert_eq!((ledger.duplicate_services, ledger.duplicate_products), (0, 0), "seed {seed}");
        assert_eq!(change.counts.open, 0, "seed {seed}");
        assert_eq!(ledger.wrong_requests, 0, "seed {seed}: {:?}", ledger.wrong_texts);
    }
}
