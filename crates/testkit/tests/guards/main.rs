//! One test for each guard against billing twice, named after it: `.ci/guards` builds without the guard, and the test must fail.
//!
//! Everything else is kept as it is, so that nothing but the guard stands between the fault and the bill.

use std::time::Duration;

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::Effect;
use lineshift_engine::Boundary;
use lineshift_simulators::revio::Fault;
use lineshift_testkit::billing::BillingWorld;
use lineshift_testkit::billing_checks::{Ordered, check};
use lineshift_testkit::billing_workers::{Doom, Fate, Manner, start};
use lineshift_testkit::operator::iccid;
use tokio::time::sleep;

const LINES: u64 = 4;

/// An order for all lines, and a billing system whose searches lag for minutes behind what was created, when told so.
async fn ordered() -> (BillingWorld, BulkChangeId) {
    let world = BillingWorld::with(LINES, Limits::default(), |options| options.fault_lag = Duration::from_secs(300)).await;
    let order = world.operator.order((1..=LINES).map(iccid), Effect::CustomerAssignment(world.assignment()));
    let id = world.operator.submit(order).await.id;
    (world, id)
}

/// Lets a worker and time do the rest; then each line must be billed once, and everybody must know.
async fn ends_well(world: &BillingWorld, id: BulkChangeId) {
    let survivor = start(world, "survivor".to_owned(), Manner::InTurn, None);
    for _ in 0..500 {
        if world.operator.change(id).await.processed_at.is_some() {
            break;
        }
        sleep(Duration::from_secs(10)).await;
    }
    // Whoever is frozen still has his say.
    sleep(Duration::from_secs(600)).await;
    survivor.abort();
    let ordered = Ordered { changes: vec![(id, world.assignment())], services_before: [].into(), products_before: [].into() };
    let broken = check(world, &ordered).await;
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert_eq!(world.operator.outcomes(id).await, ["PROCESSED"; LINES as usize]);
    let ledger = world.simulator.ledger().summary();
    assert_eq!((ledger.services, ledger.service_products), (LINES as usize, LINES as usize));
}

/// A worker dies after its first call worked, and before it could say so; searches do not find what it created.
#[tokio::test(start_paused = true)]
async fn intent() {
    let (world, id) = ordered().await;
    for _ in 0..LINES {
        world.simulator.meet_next_on("POST /Services", Fault::SearchLags);
    }
    let doom = Doom { at: Boundary::Answered, nth: 1, fate: Fate::Dies };
    start(&world, "dies".to_owned(), Manner::InTurn, Some(doom)).await.expect("it dies quietly");
    ends_well(&world, id).await;
}

/// The answer of a call that worked is lost, and searches do not find what it created yet.
#[tokio::test(start_paused = true)]
async fn read_back() {
    let (world, id) = ordered().await;
    world.simulator.adjust(|options| options.settle_lag = Duration::from_secs(60));
    for _ in 0..LINES {
        world.simulator.meet_next_on("POST /Services", Fault::WorksThenReset);
    }
    ends_well(&world, id).await;
}

/// A worker is frozen before it looks anything up, for longer than its lease; when it goes on, another has its page in hand. Its
/// heartbeat must not renew the lease of that one, nor may anything be stored for it.
#[tokio::test(start_paused = true)]
async fn epoch_check() {
    let (world, id) = ordered().await;
    world.simulator.adjust(|options| options.latency = Duration::from_secs(5));
    let doom = Doom { at: Boundary::Recovered, nth: 1, fate: Fate::Freezes(Duration::from_secs(35)) };
    let frozen = start(&world, "freezes".to_owned(), Manner::InTurn, Some(doom));
    sleep(Duration::from_secs(1)).await;
    ends_well(&world, id).await;
    assert!(!frozen.is_finished(), "it goes on with the next page");
    frozen.abort();
}
