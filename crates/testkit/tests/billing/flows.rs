//! What happens to lines whose services are opened: when all goes well, and in each single case where it does not.

use lineshift_domain::order::{AssignmentOrder, Effect, PlanValues, RevCharge, Setting};
use lineshift_domain::terms::BulkChangeStatus;
use lineshift_testkit::billing::{BillingWorld, OTHER_PRODUCT, PACKAGE, PRODUCT, product};
use lineshift_testkit::operator::iccid;

/// An order for all lines.
fn order(world: &BillingWorld, lines: u64, assignment: AssignmentOrder) -> lineshift_domain::order::Order {
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
        assert!(device.rev_service_id.is_some(), "the line is linked to its service");
    }
}

#[tokio::test(start_paused = true)]
async fn a_package_brings_its_products() {
    let world = BillingWorld::with_lines(3).await;
    let change = world.operator.run(order(&world, 3, world.assignment_with(RevCharge::Package(PACKAGE)))).await;
    assert_eq!(change.status(), BulkChangeStatus::Processed);
    let ledger = world.simulator.ledger().summary();
    assert_eq!((ledger.services, ledger.service_products), (3, 6));
    let stored = world.operator.sqlite.inspect("SELECT count(*) FROM rev_service_product").await.expect("counted");
    assert_eq!(stored, [["6"]]);
}
