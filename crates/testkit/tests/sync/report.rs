//! The reconciliation report: who is billed for a line that is not his, and who has a line that nobody bills.

use lineshift_domain::order::{AssignmentOrder, Effect};
use lineshift_domain::sync::FindingKind;
use lineshift_engine::SyncOrder;
use lineshift_simulators::revio::Service;
use lineshift_testkit::billing::BillingWorld;
use lineshift_testkit::operator::iccid;

use crate::world::{billed, but, findings, found, product_of, service, sync};

async fn assign(world: &BillingWorld, lines: &[u64], order: AssignmentOrder) {
    let lines = lines.iter().map(|line| iccid(*line));
    let change = world.operator.run(world.operator.order(lines, Effect::CustomerAssignment(order))).await;
    assert_eq!(change.counts.open + change.counts.error, 0, "{:?}", change.counts);
}

#[tokio::test(start_paused = true)]
async fn the_report_holds_what_is_billed_against_what_is_assigned() {
    let world = BillingWorld::with_lines(20).await;
    let operator = &world.operator;
    let customer = operator.rev_customer;
    // As it should be; assigned without a service; with one that charges nothing.
    assign(&world, &[1, 2, 3], operator.rev_assignment()).await;
    assign(&world, &[4], AssignmentOrder { site_id: Some(operator.amop_site), ..AssignmentOrder::default() }).await;
    let right = billed(&world, 1).0;
    let charges_nothing = service(&world, 3);
    let of_another = billed(&world, 4).0;
    let of_nobody = billed(&world, 5).0;
    let no_line = world.simulator.add_service(Service::new(customer.0, "15005550006", "89000000000000000001"));
    world.simulator.add_service_product(product_of(&world, no_line));
    let with_package = but(Service::new(customer.0, "1", &iccid(6)), |service| service.package_id = Some(7));
    let package = world.simulator.add_service(with_package);
    // Neither disconnected services nor those without a charge are billed.
    let disconnected = billed(&world, 7).0;
    world.simulator.disconnect_service(disconnected, "2026-11-01".parse().expect("a day"));
    service(&world, 8);

    let run = sync(&world, SyncOrder::ALL).await;
    let told = |here: &str, id: i64| (id, here.to_owned(), format!("service {id} is billed to customer {customer}"));
    let site = format!("assigned to site {}", operator.amop_site);
    assert_eq!(
        found(&world, run.id, FindingKind::BilledNotAssigned).await,
        [
            told(&site, of_another),
            told("assigned to nobody", of_nobody),
            told("no such line", no_line),
            told("assigned to nobody", package)
        ]
    );
    let lines = findings(&world, run.id).await.into_iter().filter(|finding| finding.kind == FindingKind::AssignedNotBilled);
    let lines: Vec<_> = lines.map(|finding| (finding.line, finding.rev_service_id.map(|id| id.0), finding.there)).collect();
    assert_eq!(
        lines,
        [
            (Some(iccid(2)), None, Some("no connected service".to_owned())),
            (Some(iccid(3)), Some(charges_nothing), Some("its service charges nothing".to_owned())),
        ]
    );
    assert!(findings(&world, run.id).await.iter().all(|finding| {
        finding.subject_id != right || !matches!(finding.kind, FindingKind::BilledNotAssigned | FindingKind::AssignedNotBilled)
    }));
}

#[tokio::test(start_paused = true)]
async fn a_line_in_hand_is_not_reported() {
    let world = BillingWorld::with_lines(20).await;
    billed(&world, 1);
    world.operator.submit(world.operator.order([iccid(1)], Effect::CustomerAssignment(world.operator.rev_assignment()))).await;
    assert_eq!(sync(&world, SyncOrder::ALL).await.counts.billed_not_assigned, 0);
    world.operator.run_until_idle().await;
    let counts = sync(&world, SyncOrder::ALL).await.counts;
    assert_eq!((counts.billed_not_assigned, counts.assigned_not_billed), (0, 0), "the change put it right");
}
