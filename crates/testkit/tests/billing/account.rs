//! What happens to lines whose account cannot be called, or whose order cannot be billed as it stands (B5.3, B7.4).

use std::time::Duration;

use lineshift_domain::limits::Limits;
use lineshift_domain::order::RevCharge;
use lineshift_engine::Clock as _;
use lineshift_simulators::revio::{Fault, Service, ServiceProduct};
use lineshift_testkit::billing::{BillingWorld, OTHER_PRODUCT, PACKAGE, PASSWORD, PRODUCT, product};
use lineshift_testkit::billing_workers::{Manner, start};
use lineshift_testkit::operator::{iccid, number};
use rust_decimal::Decimal;
use tokio::time::sleep;

use crate::situation::{calls, finish, order, right, submit, work_for};

/// A package of the examples that brings nothing.
const EMPTY_PACKAGE: i64 = 8;

#[tokio::test(start_paused = true)]
async fn credentials_refused_half_way_end_what_would_call_and_a_retry_does_only_what_is_missing() {
    let world = BillingWorld::with(6, Limits::default(), |options| {
        options.latency = Duration::from_secs(1);
        options.settle_lag = Duration::from_secs(100);
    })
    .await;
    world.set_account(PASSWORD, |account| account.concurrency = Some(1)).await;
    world.simulator.meet_next_on("POST /Services", Fault::WorksThenReset);
    let id = submit(&world, 6, world.assignment()).await;
    let worker = start(&world, "worker".to_owned(), Manner::InTurn, None);
    sleep(Duration::from_secs(14)).await;
    world.simulator.refuse_credentials(true);
    sleep(Duration::from_secs(120)).await;
    worker.abort();
    let outcomes = world.operator.outcomes(id).await;
    let count = |code: &str| outcomes.iter().filter(|outcome| **outcome == code).count();
    assert_eq!(count("outcome_unknown"), 1, "{outcomes:?}: what is unknown waits");
    assert_eq!(count("outcome_unknown") + count("credentials_refused") + count("PROCESSED"), 6, "{outcomes:?}");
    assert!(count("credentials_refused") > 0 && world.operator.change(id).await.counts.open == 1, "{outcomes:?}");

    world.simulator.refuse_credentials(false).adjust(|options| options.settle_lag = Duration::ZERO);
    world.store_credentials(PASSWORD).await;
    finish(&world, id).await;
    let before = world.simulator.ledger().summary();
    let missing = (6 - before.services, 6 - before.service_products);
    world.operator.engine.retry(&world.operator.caller, id, &[]).await.expect("there is something to retry");
    finish(&world, id).await;
    assert_eq!(world.operator.outcomes(id).await, ["PROCESSED"; 6]);
    let after = world.simulator.ledger().summary();
    assert_eq!((after.services, after.service_products), (6, 6));
    let made = |name: &str| usize::try_from(calls(&after, name) - calls(&before, name)).expect("a few");
    assert_eq!((made("POST /Services"), made("POST /ServiceProduct")), missing, "nothing is created that stands already");
    right(&world, &[(id, world.assignment())]).await;
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_used_up_delays_nothing_else_and_is_not_renewed_by_a_restart() {
    let world = BillingWorld::with_lines(8).await;
    world.set_account(PASSWORD, |account| account.calls_a_day = Some(10)).await;
    let id = submit(&world, 6, world.assignment()).await;
    let other = world.operator.submit(world.operator.order([iccid(8)], world.operator.amop_assignment())).await.id;
    work_for(&world, 60).await;
    assert!(world.operator.outcomes(id).await.contains(&"quota_exhausted"));
    assert_eq!(world.operator.outcomes(other).await, ["PROCESSED"]);
    let used: u64 = world.simulator.ledger().summary().calls.values().sum();
    // Another process, again and again: the day is the store's.
    for _ in 0..3 {
        work_for(&world, 3_600).await;
    }
    assert_eq!(world.simulator.ledger().summary().calls.values().sum::<u64>(), used);
    finish(&world, id).await;
    assert_eq!(world.operator.outcomes(id).await, ["PROCESSED"; 6], "{}", world.operator.shown_rows(id).await);
    right(&world, &[(id, world.assignment())]).await;
}

#[tokio::test(start_paused = true)]
async fn a_raised_quota_takes_effect_at_once() {
    let world = BillingWorld::with_lines(6).await;
    world.set_account(PASSWORD, |account| account.calls_a_day = Some(10)).await;
    let id = submit(&world, 6, world.assignment()).await;
    work_for(&world, 60).await;
    assert!(world.operator.outcomes(id).await.contains(&"quota_exhausted"));
    world.set_account(PASSWORD, |account| account.calls_a_day = Some(1_000)).await;
    work_for(&world, 60).await;
    assert_eq!(world.operator.outcomes(id).await, ["PROCESSED"; 6]);
    right(&world, &[(id, world.assignment())]).await;
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_lets_lines_wait_and_nothing_through() {
    let world = BillingWorld::with_lines(30).await;
    world.simulator.break_down(true);
    let id = submit(&world, 30, world.assignment()).await;
    work_for(&world, 5).await;
    let all = |world: &BillingWorld| world.simulator.ledger().summary().calls.values().sum::<u64>();
    let before = all(&world);
    work_for(&world, 20).await;
    assert!(all(&world) - before < 30, "{} calls were let through in 20 seconds", all(&world) - before);
    world.simulator.break_down(false);
    finish(&world, id).await;
    let outcomes = world.operator.outcomes(id).await;
    if outcomes.contains(&"billing_unavailable") {
        world.operator.engine.retry(&world.operator.caller, id, &[]).await.expect("there is something to retry");
        finish(&world, id).await;
    }
    assert_eq!(world.operator.outcomes(id).await, ["PROCESSED"; 30]);
    right(&world, &[(id, world.assignment())]).await;
}

/// The order ends so for every line, and nothing was created.
async fn refused_before_anything(world: &BillingWorld, charge: RevCharge, code: &str) {
    let id = submit(world, 2, world.assignment_with(charge)).await;
    finish(world, id).await;
    assert_eq!(world.operator.outcomes(id).await, [code; 2]);
    let ledger = world.simulator.ledger().summary();
    assert_eq!((calls(&ledger, "POST /Services"), ledger.services), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_billed_is_refused_before_anything_is_opened() {
    let world = BillingWorld::with_lines(2).await;
    refused_before_anything(&world, RevCharge::Package(EMPTY_PACKAGE), "package_without_products").await;

    let world = BillingWorld::with_lines(2).await;
    world.simulator.deactivate_product(OTHER_PRODUCT);
    let products = vec![product(PRODUCT), product(OTHER_PRODUCT)];
    refused_before_anything(&world, RevCharge::Products(products), "billing_reference_inactive").await;

    let world = BillingWorld::with_lines(2).await;
    world.simulator.deactivate_package(PACKAGE);
    refused_before_anything(&world, RevCharge::Package(PACKAGE), "billing_reference_inactive").await;

    let world = BillingWorld::with_lines(2).await;
    let today = world.operator.clock.now().date_naive();
    world.simulator.close_customer(world.operator.rev_customer.0, today);
    refused_before_anything(&world, RevCharge::Products(vec![product(PRODUCT)]), "customer_closed").await;
}

#[tokio::test(start_paused = true)]
async fn a_product_that_is_charged_otherwise_is_a_conflict_and_left_alone() {
    let world = BillingWorld::with_lines(2).await;
    let customer = world.operator.rev_customer.0;
    let service = world.simulator.add_service(Service::new(customer, &number(1), &iccid(1)));
    let mut charged = ServiceProduct::new(customer, service, PRODUCT);
    charged.rate = Some(Decimal::new(999, 2));
    world.simulator.add_service_product(charged);
    let id = submit(&world, 2, world.assignment()).await;
    finish(&world, id).await;
    assert_eq!(world.operator.outcomes(id).await, ["product_differs", "PROCESSED"]);
    let ledger = world.simulator.ledger().summary();
    assert_eq!((ledger.services, ledger.service_products, ledger.disconnected_services), (2, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn rights_that_are_lost_while_lines_wait_end_them() {
    let world = BillingWorld::with_lines(3).await;
    world.set_account(PASSWORD, |account| account.calls_a_day = Some(1)).await;
    let id = submit(&world, 3, world.assignment()).await;
    work_for(&world, 60).await;
    assert_eq!(world.operator.outcomes(id).await, ["quota_exhausted"; 3]);
    let (operator, now) = (&world.operator, world.operator.clock.now());
    operator.store.revoke_api_key(operator.tenant(), operator.caller.principal, now).await.expect("revoked");
    finish(&world, id).await;
    assert_eq!(world.operator.outcomes(id).await, ["rights_lost"; 3]);
    assert_eq!(world.simulator.ledger().summary().services, 0);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_two_order_at_once_is_billed_once() {
    let world = BillingWorld::with(4, Limits::default(), |options| options.latency = Duration::from_millis(500)).await;
    let first = submit(&world, 4, world.assignment()).await;
    let second = world.operator.submit(order(&world, 1..=4, world.assignment())).await.id;
    let workers: Vec<_> = (0..3).map(|nth| start(&world, format!("worker {nth}"), Manner::Beside, None)).collect();
    sleep(Duration::from_secs(120)).await;
    workers.into_iter().for_each(|worker| worker.abort());
    assert_eq!(world.operator.outcomes(first).await, ["PROCESSED"; 4]);
    assert_eq!(world.operator.outcomes(second).await, ["change_in_progress"; 4]);
    let ledger = world.simulator.ledger().summary();
    assert_eq!((calls(&ledger, "POST /Services"), ledger.services, ledger.service_products), (4, 4, 4));
    right(&world, &[(first, world.assignment()), (second, world.assignment())]).await;
}

#[tokio::test(start_paused = true)]
async fn a_test_of_the_connection_forgets_what_was_looked_up() {
    let world = BillingWorld::with_lines(3).await;
    let run = async |line: u64| {
        let asked = lineshift_domain::order::Effect::CustomerAssignment(world.assignment());
        world.operator.run(world.operator.order([iccid(line)], asked)).await
    };
    let asked_for_products = || calls(&world.simulator.ledger().summary(), "GET /Products");
    assert_eq!(run(1).await.counts.processed, 1);
    let first = asked_for_products();
    assert_eq!(run(2).await.counts.processed, 1);
    assert_eq!(asked_for_products(), first, "the catalogue is believed for a while (B7.6)");
    let key = lineshift_connectors::http::AccountKey {
        tenant_id: world.operator.tenant(),
        integration_authentication_id: world.operator.authentication,
    };
    let tested = world.operator.engine.test_connection(key).await.expect("the account is there");
    assert_eq!(tested.failed, None, "{}", tested.text);
    assert_eq!(run(3).await.counts.processed, 1);
    assert!(asked_for_products() > first, "it was looked up anew");
}
