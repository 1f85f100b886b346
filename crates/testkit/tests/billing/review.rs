//! What a second look found: holds let go too early, rows that waited without end, looks believed for too long.

use std::sync::Arc;
use std::time::Duration;

use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, DeviceId, RevServiceId};
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{AssignmentOrder, RevCharge};
use lineshift_domain::terms::{BulkChangeStatus, OnPartialFailure};
use lineshift_engine::Clock as _;
use lineshift_simulators::revio::{Fault, Service, ServiceProduct};
use lineshift_store::billing::{Looked, RevServiceRow, Settlement};
use lineshift_testkit::billing::{BillingWorld, OTHER_PRODUCT, PACKAGE, PASSWORD, PRODUCT, product};
use lineshift_testkit::operator::{iccid, number};
use rust_decimal::Decimal;

use crate::flows::{order, work_until};

/// More than the time after which a read-back is given up in these worlds.
const GIVEN_UP: Duration = Duration::from_secs(7_200);

/// One line; a read-back is given up after an hour instead of a day.
async fn world() -> BillingWorld {
    let limits = Limits { settle_after_seconds: 60, read_back_hours: 1, ..Limits::default() };
    BillingWorld::with(1, limits, |options| options.late_after = Duration::from_secs(31)..=Duration::from_secs(50)).await
}

async fn table(world: &BillingWorld, query: &str) -> Vec<Vec<String>> {
    world.operator.stored.inspect(query).await.unwrap_or_else(|error| panic!("{error:?}: {query}"))
}

/// Status, code and hold of the only row.
async fn row(world: &BillingWorld) -> [String; 3] {
    let found = table(world, "SELECT status, coalesce(error_code, ''), holds FROM device_change").await;
    found[0].clone().try_into().expect("three columns")
}

async fn retry(world: &BillingWorld, id: BulkChangeId) {
    world.operator.engine.retry(&world.operator.caller, id, &[]).await.expect("opened again");
}

/// The call named meets the fault, and before it times out the billing system breaks down, for longer than is waited.
async fn given_up(world: &BillingWorld, call: &str, fault: Fault) -> BulkChangeId {
    world.simulator.meet_next_on(call, fault);
    let id = world.operator.submit(order(world, 1, world.assignment())).await.id;
    let simulator = Arc::clone(&world.simulator);
    let breaking = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(20)).await;
        simulator.break_down(true);
    });
    work_until(world, id, GIVEN_UP).await;
    breaking.await.expect("it breaks down");
    let [status, code, holds] = row(world).await;
    assert_eq!((status.as_str(), code.as_str()), ("ERROR", "outcome_unknown"));
    assert_ne!(holds, "0");
    id
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_cannot_read_does_not_let_go_of_a_line_of_which_a_product_is_unknown() {
    let world = world().await;
    let id = given_up(&world, "POST /ServiceProduct", Fault::WorksThenSilence).await;
    retry(&world, id).await;
    work_until(&world, id, GIVEN_UP).await;
    let [status, code, holds] = row(&world).await;
    assert_eq!((status.as_str(), code.as_str()), ("ERROR", "outcome_unknown"));
    assert_ne!(holds, "0", "nobody knows yet whether the product is charged");
    world.simulator.break_down(false);
    tokio::time::sleep(Duration::from_secs(60)).await;
    retry(&world, id).await;
    work_until(&world, id, GIVEN_UP).await;
    assert_eq!(row(&world).await, ["PROCESSED", "", "0"]);
    assert_eq!(world.simulator.ledger().summary().service_products, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_unknown_is_given_up_also_when_the_credentials_cannot_be_read() {
    let world = world().await;
    world.simulator.meet_next_on("POST /Services", Fault::Silence);
    let id = world.operator.submit(order(&world, 1, world.assignment())).await.id;
    work_until(&world, id, Duration::from_secs(31)).await;
    assert_eq!(row(&world).await[0], "PENDING");
    world.set_account("another", |settings| settings.secret_encrypted = Some(vec![1; 40])).await;
    work_until(&world, id, GIVEN_UP).await;
    let [status, code, holds] = row(&world).await;
    assert_eq!((status.as_str(), code.as_str()), ("ERROR", "outcome_unknown"));
    assert_ne!(holds, "0");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_a_person_says_stands_is_found_again_by_what_was_sent() {
    let world = world().await;
    let id = given_up(&world, "POST /Services", Fault::WorksThenSilence).await;
    world.simulator.break_down(false);
    let (tenant, now) = (world.operator.tenant(), world.operator.clock.now());
    let rows = table(&world, "SELECT id FROM device_change").await;
    let settled = DeviceChangeId(rows[0][0].parse().expect("an id"));
    world
        .operator
        .store
        .settle_steps(tenant, settled, &Settlement::Stands(None), Looked::default(), "operator", now)
        .await
        .expect("settled");
    tokio::time::sleep(Duration::from_secs(60)).await;
    retry(&world, id).await;
    work_until(&world, id, GIVEN_UP).await;
    let ledger = world.simulator.ledger().summary();
    assert_eq!((ledger.services, ledger.service_products, ledger.wrong_requests), (1, 1, 0), "{:?}", ledger.wrong_texts);
    assert_eq!(row(&world).await, ["PROCESSED", "", "0"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_with_something_else_than_the_package_ordered_is_not_taken_for_it() {
    let world = world().await;
    let customer = world.operator.rev_customer.0;
    let present = world.simulator.add_service(Service::new(customer, &number(1), &iccid(1)));
    world.simulator.add_service_product(ServiceProduct::new(customer, present, OTHER_PRODUCT));
    let change = world.operator.run(order(&world, 1, world.assignment_with(RevCharge::Package(PACKAGE)))).await;
    assert_eq!(change.status(), BulkChangeStatus::Error, "the package is charged nowhere");
    assert_eq!(row(&world).await, ["ERROR", "product_differs", "0"]);
    assert_eq!(world.simulator.ledger().summary().services, 1);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_found_gone_does_not_count_as_billed_any_more() {
    let world = world().await;
    let customer = world.operator.rev_customer.0;
    let present = world.simulator.add_service(Service::new(customer, &number(1), &iccid(1)));
    let mut differs = ServiceProduct::new(customer, present, PRODUCT);
    differs.rate = Some(Decimal::ONE);
    world.simulator.add_service_product(differs);
    let charge = RevCharge::Products(vec![product(OTHER_PRODUCT), product(PRODUCT)]);
    let id = world.operator.run(order(&world, 1, world.assignment_with(charge))).await.id;
    assert_eq!(row(&world).await, ["ERROR", "product_differs", "0"]);
    world.simulator.disconnect_service(present, world.operator.clock.now().date_naive());
    // The line waits once more after its service was found gone, and is judged again.
    world.simulator.meet_next_on("POST /Services", Fault::Silence);
    retry(&world, id).await;
    work_until(&world, id, GIVEN_UP).await;
    assert_eq!(row(&world).await, ["PROCESSED", "", "0"]);
    let connected = table(&world, "SELECT rev_service_id FROM rev_service WHERE disconnected_date IS NULL").await;
    assert_eq!(connected.len(), 1, "the one that is gone is stored as gone");
    assert_ne!(connected[0][0], present.to_string());
}

#[tokio::test(start_paused = true)]
async fn what_a_synchronisation_stored_of_an_unknown_create_does_not_count_against_it() {
    let world = world().await;
    world.simulator.meet_next_on("POST /Services", Fault::WorksLate);
    let id = world.operator.submit(order(&world, 1, world.assignment_with(RevCharge::Package(PACKAGE)))).await.id;
    work_until(&world, id, Duration::from_secs(31)).await;
    assert_eq!(row(&world).await[0], "PENDING");
    tokio::time::sleep(Duration::from_secs(25)).await;
    let device: i64 = table(&world, "SELECT device_id FROM device_change").await[0][0].parse().expect("an id");
    let stored = RevServiceRow {
        rev_customer_id: world.operator.rev_customer,
        rev_service_id: RevServiceId(world.simulator.ledger().services()[0].service_id),
        number: Some(number(1)),
        iccid: Some(iccid(1)),
        rev_service_type_id: None,
        rev_provider_id: None,
        activated_date: None,
        disconnected_date: None,
        has_package: true,
        device_id: Some(DeviceId(device)),
        by: None,
    };
    let (tenant, now) = (world.operator.tenant(), world.operator.clock.now());
    world.operator.store.usp_revservice_create_service(tenant, &[stored], now).await.expect("stored");
    work_until(&world, id, GIVEN_UP).await;
    assert_eq!(row(&world).await, ["PROCESSED", "", "0"]);
}

#[tokio::test(start_paused = true)]
async fn a_line_whose_number_changed_is_read_back_under_the_one_that_was_sent() {
    let world = world().await;
    world.simulator.meet_next_on("POST /Services", Fault::WorksLate);
    let id = world.operator.submit(order(&world, 1, world.assignment())).await.id;
    work_until(&world, id, Duration::from_secs(31)).await;
    assert_eq!(row(&world).await[0], "PENDING");
    let mut line = world.operator.line(world.operator.jasper, 1, "ACTIVATED");
    line.subscriber_number = Some("15559990001".to_owned());
    world.operator.import(&[line]).await;
    work_until(&world, id, GIVEN_UP).await;
    let ledger = world.simulator.ledger().summary();
    assert_eq!((ledger.services, ledger.service_products), (1, 1), "the line is billed once");
    assert_eq!(row(&world).await, ["PROCESSED", "", "0"]);
}

#[tokio::test(start_paused = true)]
async fn every_store_write_of_an_undo_is_logged() {
    let world = world().await;
    let customer = world.operator.rev_customer.0;
    let present = world.simulator.add_service(Service::new(customer, &number(1), &iccid(1)));
    // The second product differs from the one that is charged, so that the first is undone.
    let mut differs = ServiceProduct::new(customer, present, OTHER_PRODUCT);
    differs.rate = Some(Decimal::ONE);
    world.simulator.add_service_product(differs);
    let charge = RevCharge::Products(vec![product(PRODUCT), product(OTHER_PRODUCT)]);
    let assignment = AssignmentOrder { on_partial_failure: OnPartialFailure::Compensate, ..world.assignment_with(charge) };
    world.operator.run(order(&world, 1, assignment)).await;
    assert_eq!(row(&world).await, ["ERROR", "product_differs", "0"]);
    let logged = "SELECT count(*) FROM device_bulk_change_log
        WHERE log_entry_description = 'Disconnect Rev.io Service Product: Update AMOP' AND response_status = 'PROCESSED'";
    assert_eq!(table(&world, logged).await, [["1"]]);
    assert_eq!(world.simulator.ledger().summary().services, 1, "an adopted service stays");
}

#[tokio::test(start_paused = true)]
async fn a_look_is_believed_for_the_moment_when_it_was_asked_for() {
    let limits = Limits { settle_after_seconds: 3_000, ..Limits::default() };
    let late = Duration::from_secs(3_020);
    let world = BillingWorld::with(2, limits, |options| options.late_after = late..=late).await;
    world.set_account(PASSWORD, |settings| settings.concurrency = Some(1)).await;
    // The first line's create is lost, and so is its second; the second line's takes effect ten seconds before it would count as lost.
    for fault in [Fault::Silence, Fault::WorksLate, Fault::Silence] {
        world.simulator.meet_next_on("POST /Services", fault);
    }
    let begun = tokio::time::Instant::now();
    let id = world.operator.submit(order(&world, 2, world.assignment())).await.id;
    work_until(&world, id, Duration::from_secs(100)).await;
    // Both are looked up now; the second line's turn comes when the first has waited for its lost call.
    tokio::time::sleep_until(begun + Duration::from_secs(3_035)).await;
    work_until(&world, id, Duration::from_secs(20_000)).await;
    let ledger = world.simulator.ledger().summary();
    assert_eq!((ledger.services, ledger.duplicate_services), (2, 0), "no line is billed twice");
    assert_eq!(world.operator.change(id).await.counts.processed, 2);
}
