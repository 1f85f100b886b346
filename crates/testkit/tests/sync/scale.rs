//! What a page costs, with as many services as an operator of some size has.

use lineshift_domain::limits::Limits;
use lineshift_engine::SyncOrder;
use lineshift_testkit::billing::BillingWorld;

use crate::world::{bill, column, sync};

/// The most statements of a page, with those of its permit, its claim and its transaction.
const MOST: u64 = 32;

#[tokio::test(start_paused = true)]
async fn a_page_costs_the_same_number_of_statements_however_many_services_there_are() {
    const SERVICES: u64 = 20_000;
    let world = BillingWorld::with(SERVICES, Limits::default(), |_| {}).await;
    bill(&world, 1..=SERVICES);
    for (round, new) in [(1, 40_001), (2, 0)] {
        let (calls, sent) = (calls(&world), world.operator.stored.statements_sent());
        let run = sync(&world, SyncOrder::ALL).await;
        assert_eq!((run.counts.read, run.counts.new, run.counts.billed_not_assigned), (40_002, new, 20_000));
        // Each call is a page; the report goes through services and lines by 5,000.
        let pages = calls_since(&world, calls) + 2 * (SERVICES / 5_000 + 1);
        let findings = run.counts.new + run.counts.billed_not_assigned;
        let listing = findings.unsigned_abs() / 1_000 * 4 + 20;
        let statements = world.operator.stored.statements_sent() - sent - listing;
        println!("round {round}: {pages} pages, {statements} statements, {} a page", statements / pages);
        assert!(statements <= MOST * pages, "round {round}: {statements} statements for {pages} pages");
    }
    let linked = column(&world, "SELECT count(*) FROM rev_service WHERE device_id IS NOT NULL").await;
    assert_eq!(linked, ["20000"]);
}

fn calls(world: &BillingWorld) -> u64 {
    world.simulator.ledger().summary().calls.values().sum()
}

fn calls_since(world: &BillingWorld, before: u64) -> u64 {
    calls(world) - before
}
