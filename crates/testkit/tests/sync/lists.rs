//! What lists bring: first run, second run, customers that are renamed, closed and opened, records that differ.

use std::time::Duration;

use chrono::NaiveDate;
use lineshift_domain::ids::RevCustomerId;
use lineshift_domain::sync::{FindingKind, FindingSubject, SyncPart, SyncParts};
use lineshift_engine::SyncOrder;
use lineshift_simulators::revio::{Service, ServiceProduct};
use lineshift_testkit::billing::BillingWorld;
use lineshift_testkit::operator::{iccid, number};
use rust_decimal::Decimal;

use crate::world::{SERVICES, bill, billed, but, column, day, findings, found, product_of, service, sync};

#[tokio::test(start_paused = true)]
async fn a_first_run_brings_everything_and_a_second_nothing_new() {
    let world = BillingWorld::with_lines(40).await;
    bill(&world, 1..=30);
    let first = sync(&world, SyncOrder::ALL).await;
    // Two customers, of which one is here; 30 services with a product each, of lines that nobody has.
    let counts = first.counts;
    assert_eq!((counts.read, counts.new, counts.unchanged, counts.changed, counts.gone), (62, 61, 1, 0, 0));
    assert_eq!((counts.billed_not_assigned, counts.assigned_not_billed, counts.left_out), (30, 0, 0));
    assert_eq!(first.since, None);
    let sites = column(&world, "SELECT name, rev_customer_id, is_active FROM site WHERE rev_customer_id = 1").await;
    assert_eq!(sites, ["Customer 1 1 1"], "a new customer has a first site with its name");
    let stored = "SELECT s.number, s.iccid, s.activated_date, d.iccid, p.rate, p.status FROM rev_service s
        JOIN device d ON d.id = s.device_id JOIN rev_service_product p ON p.rev_service_id = s.id ORDER BY s.id LIMIT 1";
    let midnight = day("2026-01-15").and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros();
    let (number, iccid) = (number(1), iccid(1));
    assert_eq!(column(&world, stored).await, [format!("{number} {iccid} {midnight} {iccid} 4.95 ACTIVE")]);

    let second = sync(&world, SyncOrder::ALL).await.counts;
    assert_eq!((second.read, second.new, second.changed, second.gone, second.unchanged), (62, 0, 0, 0, 62));
    assert_eq!(second.billed_not_assigned, 30);
    let rows = column(&world, "SELECT (SELECT count(*) FROM rev_service), (SELECT count(*) FROM rev_service_product)").await;
    assert_eq!(rows, ["30 30"]);
}

#[tokio::test(start_paused = true)]
async fn customers_are_asked_for_since_the_day_before_the_last_run() {
    let world = BillingWorld::with_lines(0).await;
    let customers = SyncOrder::of(SyncParts::NONE.and(SyncPart::Customers));
    assert_eq!(sync(&world, customers.clone()).await.counts.read, 2);
    tokio::time::sleep(Duration::from_secs(3 * 86_400)).await;
    let second = sync(&world, customers.clone()).await;
    assert_eq!((second.since, second.counts.read), (NaiveDate::from_ymd_opt(2026, 11, 30), 2), "both began on 2026-12-01");
    world.simulator.with_customer(8, "Newcomer");
    let third = sync(&world, customers.clone()).await;
    assert_eq!((third.since, third.counts.read, third.counts.new), (NaiveDate::from_ymd_opt(2026, 12, 3), 1, 1));
    let full = sync(&world, SyncOrder { full: true, ..customers }).await;
    assert_eq!((full.since, full.counts.read, full.counts.unchanged), (None, 3, 3));
}

#[tokio::test(start_paused = true)]
async fn customers_are_renamed_closed_and_opened_as_there() {
    let world = BillingWorld::with_lines(0).await;
    sync(&world, SyncOrder::ALL).await;
    let customer =
        async |id| world.operator.store.get_rev_customer(world.operator.tenant(), RevCustomerId(id)).await.expect("there");
    world.simulator.with_customer(1, "Renamed").close_customer(4711, day("2026-11-30"));
    let run = sync(&world, SyncOrder::ALL).await;
    assert_eq!((run.counts.changed, run.counts.new), (2, 0));
    assert_eq!(
        found(&world, run.id, FindingKind::Changed).await,
        [
            (1, "Customer 1".to_owned(), "Renamed".to_owned()),
            (4711, "Fleet Rentals".to_owned(), "Fleet Rentals (closed)".to_owned())
        ]
    );
    assert_eq!((customer(1).await.name, customer(4711).await.is_active), ("Renamed".to_owned(), false));

    world.simulator.with_customer(4711, "Fleet Rentals");
    assert_eq!(sync(&world, SyncOrder::ALL).await.counts.changed, 1);
    assert!(customer(4711).await.is_active, "opened again there");

    // Whoever made it inactive here has a reason, and nothing there says otherwise.
    let mut inactive = customer(1).await;
    inactive.is_active = false;
    let now = lineshift_engine::Clock::now(&*world.operator.clock);
    world.operator.store.update_rev_customer(world.operator.tenant(), &inactive, now).await.expect("updated");
    let run = sync(&world, SyncOrder { full: true, ..SyncOrder::ALL }).await;
    assert_eq!((run.counts.changed, customer(1).await.is_active), (0, false));
}

#[tokio::test(start_paused = true)]
async fn what_differs_is_written_and_told() {
    let world = BillingWorld::with_lines(5).await;
    let (changed, product) = billed(&world, 1);
    service(&world, 2);
    sync(&world, SERVICES).await;
    let customer = world.operator.rev_customer.0;
    world.simulator.add_service(but(Service::new(customer, &number(3), &iccid(3)), |service| {
        service.service_id = changed;
        service.activated_date = Some(day("2026-01-15"));
    }));
    let dearer = but(product_of(&world, changed), |dearer| {
        dearer.service_product_id = product;
        dearer.rate = Some(Decimal::new(1_250, 2));
    });
    world.simulator.add_service_product(dearer);
    let run = sync(&world, SERVICES).await;
    assert_eq!((run.counts.changed, run.counts.unchanged), (2, 1));
    assert_eq!(
        found(&world, run.id, FindingKind::Changed).await,
        [
            (changed, format!("number {}, ICCID {}", number(1), iccid(1)), format!("number {}, ICCID {}", number(3), iccid(3))),
            (product, "rate 4.95".to_owned(), "rate 12.5".to_owned()),
        ]
    );
    let stored = "SELECT d.iccid, p.rate FROM rev_service s JOIN device d ON d.id = s.device_id
        JOIN rev_service_product p ON p.rev_service_id = s.id";
    assert_eq!(column(&world, stored).await, [format!("{} 12.5", iccid(3))], "the service is linked to its new line");
}

#[tokio::test(start_paused = true)]
async fn lines_are_found_by_iccid_else_by_number() {
    let world = BillingWorld::with_lines(5).await;
    let customer = world.operator.rev_customer.0;
    let with = |number: Option<String>, number2: Option<String>| {
        world.simulator.add_service(but(Service::new(customer, "", ""), |service| {
            service.number = number;
            service.number2 = number2;
        }))
    };
    with(Some("no number of ours".to_owned()), Some(iccid(1)));
    with(Some(number(2)), None);
    with(Some(iccid(3)), None);
    let unknown = with(Some("15005550006".to_owned()), Some("89000000000000000001".to_owned()));
    let run = sync(&world, SERVICES).await;
    let lines = "SELECT coalesce(d.iccid, 'none') FROM rev_service s LEFT JOIN device d ON d.id = s.device_id ORDER BY s.id";
    assert_eq!(column(&world, lines).await, [iccid(1), iccid(2), iccid(3), "none".to_owned()]);
    let finding = findings(&world, run.id).await.into_iter().find(|finding| finding.subject_id == unknown).expect("told");
    assert_eq!((finding.line.as_deref(), finding.device_id), (Some("89000000000000000001"), None));

    // The line comes later; the service did not change.
    let mut line = world.operator.line(world.operator.jasper, 99, "ACTIVATED");
    line.iccid = "89000000000000000001".to_owned();
    world.operator.import(&[line]).await;
    assert_eq!(sync(&world, SERVICES).await.counts.changed, 0);
    assert_eq!(column(&world, lines).await[3], "89000000000000000001");
}

#[tokio::test(start_paused = true)]
async fn what_belongs_to_nobody_known_is_left_out_once() {
    let world = BillingWorld::with_lines(1).await;
    world.simulator.with_customer(77, "Not here yet");
    let service = world.simulator.add_service(Service::new(77, &number(1), &iccid(1)));
    let product = world.simulator.add_service_product(ServiceProduct::new(77, service, 5_011));
    let run = sync(&world, SERVICES).await;
    assert_eq!((run.counts.left_out, run.counts.new), (2, 0));
    let said = found(&world, run.id, FindingKind::LeftOut).await;
    assert_eq!(said.iter().map(|(id, ..)| *id).collect::<Vec<_>>(), [service, product]);
    assert!(said[0].1.contains("customer 77 is not known here; synchronise customers"), "{said:?}");
    assert_eq!(sync(&world, SyncOrder::ALL).await.counts.left_out, 0, "with its customer it is taken in");
    let lines: Vec<_> = findings(&world, run.id).await.into_iter().map(|finding| finding.subject).collect();
    assert_eq!(lines, [FindingSubject::Service, FindingSubject::ServiceProduct]);
}
