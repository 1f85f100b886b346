//! What the tests of single situations share.

use std::ops::RangeInclusive;
use std::time::Duration;

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::order::{AssignmentOrder, Effect, Order};
use lineshift_simulators::revio::Summary;
use lineshift_testkit::billing::BillingWorld;
use lineshift_testkit::billing_checks::{Ordered, check};
use lineshift_testkit::billing_workers::{Manner, start};
use lineshift_testkit::operator::iccid;
use tokio::time::sleep;

/// An order for those lines.
pub(crate) fn order(world: &BillingWorld, lines: RangeInclusive<u64>, assignment: AssignmentOrder) -> Order {
    world.operator.order(lines.map(iccid), Effect::CustomerAssignment(assignment))
}

/// Orders for the first lines.
pub(crate) async fn submit(world: &BillingWorld, lines: u64, assignment: AssignmentOrder) -> BulkChangeId {
    world.operator.submit(order(world, 1..=lines, assignment)).await.id
}

/// A new process works for that many seconds, and is gone.
pub(crate) async fn work_for(world: &BillingWorld, seconds: u64) {
    let worker = start(world, "for a while".to_owned(), Manner::InTurn, None);
    sleep(Duration::from_secs(seconds)).await;
    assert!(!worker.is_finished(), "the worker ended");
    worker.abort();
    // Gone is gone: its lease runs out.
    sleep(Duration::from_secs(31)).await;
}

/// A new process works until the change is completed: two days at most.
pub(crate) async fn finish(world: &BillingWorld, id: BulkChangeId) {
    let worker = start(world, "to the end".to_owned(), Manner::InTurn, None);
    for _ in 0..17_280 {
        if world.operator.change(id).await.processed_at.is_some() {
            worker.abort();
            return;
        }
        assert!(!worker.is_finished(), "the worker ended");
        sleep(Duration::from_secs(10)).await;
    }
    panic!("it is still open: {:?}", world.operator.shown_rows(id).await);
}

/// How often that was called.
pub(crate) fn calls(ledger: &Summary, name: &str) -> u64 {
    ledger.calls.get(name).copied().unwrap_or(0)
}

/// Ledger, steps and store say the same; nobody had any service before.
pub(crate) async fn right(world: &BillingWorld, changes: &[(BulkChangeId, AssignmentOrder)]) {
    // What still works late is not yet to be seen.
    sleep(Duration::from_secs(120)).await;
    let ordered = Ordered { changes: changes.to_vec(), services_before: [].into(), products_before: [].into() };
    let broken = check(world, &ordered).await;
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
