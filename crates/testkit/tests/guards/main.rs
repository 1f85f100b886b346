//! One test for each guard against billing twice, and against adding a package twice, named after it: `.ci/guards` builds without the guard, and the test must fail.
//!
//! Everything else is kept as it is, so that nothing but the guard stands between the fault and the bill.

use std::time::Duration;

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::Effect;
use lineshift_engine::Boundary;
use lineshift_simulators::pond::PondOptions;
use lineshift_simulators::revio::Fault;
use lineshift_testkit::billing::BillingWorld;
use lineshift_testkit::billing_checks::{Ordered, check};
use lineshift_testkit::billing_workers::{Doom, Fate, Manner, start, start_engine};
use lineshift_testkit::carrier_checks::{OrderedThere, check as check_at_carriers};
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PACKAGE_TYPE, to_plan};
use lineshift_testkit::operator::iccid;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// The call that adds a package.
const ADD: &str = "POST /{distributorId}/sim/{iccid}/addPackage";

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

/// The same at POND: an order for all lines, and what was added shows in its lists minutes later, when told so.
async fn packages_ordered() -> (CarrierWorld, OrderedThere, BulkChangeId) {
    let slow_lists = |options: &mut PondOptions| options.fault_lag = Duration::from_secs(300);
    let world = CarrierWorld::with(LINES, Limits::default(), |_| {}, slow_lists).await;
    let mut ordered = OrderedThere::on(&world);
    let order = world.pond_order(1..=LINES, to_plan(OTHER_PACKAGE_TYPE));
    let effect = order.effect.clone();
    let id = world.operator.submit(order).await.id;
    ordered.add(id, &effect);
    (world, ordered, id)
}

/// Lets a worker and time do the rest; then each line must have come to its package by one that was added, and everybody must know.
async fn packages_end_well(world: &CarrierWorld, ordered: &OrderedThere, id: BulkChangeId) {
    let survivor = start_at_carrier(world, "survivor", None);
    for _ in 0..500 {
        if world.operator.change(id).await.processed_at.is_some() {
            break;
        }
        sleep(Duration::from_secs(10)).await;
    }
    // Whoever is frozen still has his say.
    sleep(Duration::from_secs(600)).await;
    survivor.abort();
    let broken = check_at_carriers(world, ordered).await;
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert_eq!(world.operator.outcomes(id).await, ["PROCESSED"; LINES as usize]);
    let ledger = world.pond.ledger().summary();
    assert_eq!(ledger.traffic.calls.get(ADD).copied(), Some(LINES), "each package is added once");
    assert_eq!((ledger.active_packages, ledger.added_packages), (LINES as usize, 0));
}

fn start_at_carrier(world: &CarrierWorld, name: &str, doom: Option<Doom>) -> JoinHandle<()> {
    start_engine(world.another_engine(), world.operator.stored.clone(), name.to_owned(), Manner::InTurn, doom)
}

/// A worker dies after its first package was added, and before it could say so; lists do not show it.
#[tokio::test(start_paused = true)]
async fn carrier_intent() {
    let (world, ordered, id) = packages_ordered().await;
    for _ in 0..LINES {
        world.pond.meet_next_on(ADD, Fault::SearchLags);
    }
    let doom = Doom { at: Boundary::Answered, nth: 1, fate: Fate::Dies };
    start_at_carrier(&world, "dies", Some(doom)).await.expect("it dies quietly");
    packages_end_well(&world, &ordered, id).await;
}

/// The answer to a package that was added is lost, and lists do not show it yet.
#[tokio::test(start_paused = true)]
async fn carrier_read_back() {
    let (world, ordered, id) = packages_ordered().await;
    world.pond.adjust(|options| options.settle_lag = Duration::from_secs(60));
    for _ in 0..LINES {
        world.pond.meet_next_on(ADD, Fault::WorksThenReset);
    }
    packages_end_well(&world, &ordered, id).await;
}

/// A worker is frozen before it reads anything, for longer than its lease; when it goes on, another has its page in hand.
#[tokio::test(start_paused = true)]
async fn carrier_epoch_check() {
    let (world, ordered, id) = packages_ordered().await;
    world.pond.adjust(|options| options.latency = Duration::from_secs(5));
    let doom = Doom { at: Boundary::Recovered, nth: 1, fate: Fate::Freezes(Duration::from_secs(35)) };
    let frozen = start_at_carrier(&world, "freezes", Some(doom));
    sleep(Duration::from_secs(1)).await;
    packages_end_well(&world, &ordered, id).await;
    assert!(!frozen.is_finished(), "it goes on with the next page");
    frozen.abort();
}
