//! What is gone there: only a read of that very thing says so, and what this system wrote meanwhile is left alone.

use lineshift_domain::ids::{DeviceChangeId, RevServiceId, RevServiceProductId};
use lineshift_domain::order::Effect;
use lineshift_domain::sync::FindingKind;
use lineshift_domain::terms::ServiceProductStatus;
use lineshift_engine::{Clock as _, SyncOrder};
use lineshift_simulators::revio::Service;
use lineshift_store::billing::{RevServiceProductRow, RevServiceRow};
use lineshift_testkit::billing::{BillingWorld, PRODUCT};
use lineshift_testkit::operator::{iccid, number};

use crate::world::{SERVICES, begin, billed, but, column, day, found, service, sync, work};

const CONNECTED: &str = "SELECT rev_service_id FROM rev_service WHERE disconnected_date IS NULL ORDER BY rev_service_id";
const CHARGED: &str = "SELECT rev_service_product_id FROM rev_service_product WHERE status IN ('PENDING', 'ACTIVE') ORDER BY rev_service_product_id";

fn calls(world: &BillingWorld, name: &str) -> u64 {
    world.simulator.ledger().summary().calls.get(name).copied().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn services_are_gone_when_a_read_of_each_says_so() {
    let world = BillingWorld::with_lines(10).await;
    let all: Vec<(i64, i64)> = (1..=4).map(|line| billed(&world, line)).collect();
    let [disconnected, deleted, moved, kept] = all[..] else { panic!("four services") };
    sync(&world, SyncOrder::ALL).await;
    world.simulator.disconnect_service(disconnected.0, day("2026-11-20"));
    world.simulator.remove_service(deleted.0);
    world.simulator.add_service(but(Service::new(1, &number(3), &iccid(3)), |service| service.service_id = moved.0));
    let before = calls(&world, "GET /Services/{service_id}");
    let run = sync(&world, SyncOrder::ALL).await;
    assert_eq!(calls(&world, "GET /Services/{service_id}") - before, 3, "each was asked for");
    let gone = found(&world, run.id, FindingKind::Gone).await;
    let said: Vec<(i64, &str)> = gone.iter().map(|(id, _, there)| (*id, there.as_str())).collect();
    assert_eq!(
        said,
        [(disconnected.0, "disconnected 2026-11-20"), (deleted.0, "not there"), (moved.0, "a service of customer 1 now")]
    );
    assert_eq!(column(&world, CONNECTED).await, [moved.0.to_string(), kept.0.to_string()], "the one moved, and the one kept");
    let day = day("2026-11-20").and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros();
    let stored = format!("SELECT disconnected_date FROM rev_service WHERE rev_service_id = {}", disconnected.0);
    assert_eq!(column(&world, &stored).await, [day.to_string()]);
    // The product of the service that moved is charged under the other customer now, as far as anybody knows here.
    assert_eq!(sync(&world, SyncOrder::ALL).await.counts.gone, 0, "once");
}

#[tokio::test(start_paused = true)]
async fn products_are_gone_when_a_read_of_their_service_says_so() {
    let world = BillingWorld::with_lines(10).await;
    let all: Vec<(i64, i64)> = (1..=3).map(|line| billed(&world, line)).collect();
    sync(&world, SERVICES).await;
    world.simulator.remove_service_product(all[0].1);
    world.simulator.disconnect_service_product(all[1].1, day("2026-11-20"));
    let run = sync(&world, SERVICES).await;
    let gone = found(&world, run.id, FindingKind::Gone).await;
    let said: Vec<(i64, &str)> = gone.iter().map(|(id, _, there)| (*id, there.as_str())).collect();
    assert_eq!(said, [(all[0].1, "not there"), (all[1].1, "DISCONNECTED")]);
    assert_eq!(column(&world, CHARGED).await, [all[2].1.to_string()]);
    assert_eq!(column(&world, CONNECTED).await.len(), 3, "their services stay");
    assert_eq!((run.counts.billed_not_assigned, run.counts.read), (1, 4));
}

/// A service and its product as a change stores them.
async fn store(world: &BillingWorld, service: i64, line: u64) {
    let operator = &world.operator;
    let row = RevServiceRow {
        rev_customer_id: operator.rev_customer,
        rev_service_id: RevServiceId(service),
        number: Some(number(line)),
        iccid: Some(iccid(line)),
        rev_service_type_id: None,
        rev_provider_id: None,
        activated_date: None,
        disconnected_date: None,
        has_package: false,
        device_id: None,
        by: Some(DeviceChangeId(1_000_000)),
    };
    let product = RevServiceProductRow {
        rev_customer_id: operator.rev_customer,
        rev_service_id: RevServiceId(service),
        rev_service_product_id: RevServiceProductId(service),
        rev_product_id: PRODUCT,
        package_id: None,
        rate: None,
        quantity: None,
        status: ServiceProductStatus::Active,
        description: None,
    };
    let now = operator.clock.now();
    operator.store.usp_revservice_create_service(operator.tenant(), &[row], now).await.expect("stored");
    operator.store.usp_revservice_create_serviceproduct(operator.tenant(), &[product], now).await.expect("stored");
}

#[tokio::test(start_paused = true)]
async fn what_was_created_since_the_run_began_is_left_alone() {
    let world = BillingWorld::with_lines(10).await;
    let id = begin(&world, SERVICES).await;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    store(&world, 777, 5).await;
    let run = work(&world, &world.operator.engine, id).await;
    assert_eq!((run.counts.gone, column(&world, CONNECTED).await), (0, vec!["777".to_owned()]));
    assert_eq!(column(&world, CHARGED).await, ["777"]);
    tokio::time::sleep(std::time::Duration::from_secs(3_600)).await;
    let later = sync(&world, SERVICES).await;
    assert_eq!(later.counts.gone, 1, "it was there before this run began");
    assert_eq!(column(&world, CONNECTED).await, Vec::<String>::new());
    assert_eq!(column(&world, CHARGED).await, Vec::<String>::new(), "its product went with it");
}

#[tokio::test(start_paused = true)]
async fn what_an_open_change_holds_is_left_alone() {
    let world = BillingWorld::with_lines(10).await;
    let id = service(&world, 5);
    sync(&world, SERVICES).await;
    let order = world.operator.order([iccid(5)], Effect::CustomerAssignment(world.operator.rev_assignment()));
    world.operator.submit(order).await;
    world.simulator.remove_service(id);
    assert_eq!(sync(&world, SERVICES).await.counts.gone, 0, "the change has the line in hand");
    world.operator.run_until_idle().await;
    let run = sync(&world, SERVICES).await;
    assert_eq!(found(&world, run.id, FindingKind::Gone).await, [(id, "connected".to_owned(), "not there".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn lines_are_linked_to_the_service_that_is_left() {
    let world = BillingWorld::with_lines(10).await;
    let effect = Effect::CustomerAssignment(world.operator.rev_assignment());
    world.operator.run(world.operator.order([iccid(1)], effect)).await;
    let (one, _) = billed(&world, 1);
    let linked = "SELECT s.rev_service_id FROM device_tenant t LEFT JOIN rev_service s ON s.id = t.rev_service_id
        WHERE t.rev_customer_id IS NOT NULL";
    sync(&world, SERVICES).await;
    assert_eq!(column(&world, linked).await, [one.to_string()]);
    world.simulator.remove_service(one);
    sync(&world, SERVICES).await;
    assert_eq!(column(&world, linked).await, ["NULL"]);
}
