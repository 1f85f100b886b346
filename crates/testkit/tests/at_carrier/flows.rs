//! What happens to lines that are moved at their carriers when all goes well, and in each single case where it does not.

use lineshift_domain::order::Effect;
use lineshift_domain::terms::BulkChangeStatus;
use lineshift_simulators::jasper::Status;
use lineshift_testkit::carriers::{
    CarrierWorld, OTHER_PACKAGE_TYPE, OTHER_PLAN, PACKAGE_TYPE, PLAN, to_plan, to_status, with_carrier_plan,
};
use lineshift_testkit::operator::iccid;

#[tokio::test(start_paused = true)]
async fn lines_of_jasper_come_to_another_plan_by_one_call_each() {
    let world = CarrierWorld::with_lines(12).await;
    let change = world.operator.run(world.jasper_order(1..=12, to_plan(OTHER_PLAN))).await;
    assert_eq!((change.status(), change.counts.processed), (BulkChangeStatus::Processed, 12));
    let ledger = world.jasper.ledger().summary();
    assert_eq!((ledger.assignments, ledger.repeated_assignments, ledger.traffic.wrong_requests), (12, 0, 0));
    assert_eq!(ledger.traffic.calls.values().sum::<u64>(), 12, "{:?}", ledger.traffic.calls);
    for line in 1..=12 {
        assert_eq!(world.jasper.ledger().device(&iccid(line)).expect("there").rate_plan.as_deref(), Some(OTHER_PLAN));
        assert_eq!(world.operator.device(line).await.carrier_rate_plan.as_deref(), Some(OTHER_PLAN));
    }
    let history = world.operator.history(1).await;
    assert_eq!(history.len(), 1);
    assert_eq!((history[0].action.as_str(), history[0].changed_by.as_str()), ("carrier_rate_plan", "operator"));
    assert!(history[0].old_value.contains(PLAN) && history[0].new_value.contains(OTHER_PLAN), "{history:?}");
    let texts: Vec<String> = world.operator.log(change.id).await.into_iter().map(|entry| entry.description).collect();
    assert!(texts.contains(&"Update Jasper Rate Plan: Jasper API".to_owned()), "{texts:?}");
    assert!(texts.contains(&"Update Jasper Rate Plan: AMOP Update".to_owned()), "{texts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_stands_so_is_not_called_for() {
    let world = CarrierWorld::with_lines(2).await;
    let change = world.operator.run(world.jasper_order(1..=2, to_plan(PLAN))).await;
    assert_eq!(change.status(), BulkChangeStatus::Processed);
    assert_eq!(world.jasper.ledger().summary().traffic.calls.len(), 0);
    assert_eq!(world.operator.history(1).await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_status_is_what_the_carrier_confirms() {
    let world = CarrierWorld::with_lines(3).await;
    let change = world.operator.run(world.jasper_order(1..=3, to_status("deactivated"))).await;
    assert_eq!((change.status(), change.counts.processed), (BulkChangeStatus::Processed, 3));
    assert_eq!(world.jasper.ledger().device(&iccid(1)).expect("there").status, Status::Deactivated);
    assert_eq!(world.operator.device(1).await.status, "DEACTIVATED");
    assert_eq!(world.jasper.ledger().summary().traffic.calls.values().sum::<u64>(), 6, "at most two a line");
    let history = world.operator.history(1).await;
    assert_eq!(history.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["status"]);
    let back = world.operator.run(world.jasper_order([1], to_status("TEST_READY"))).await;
    assert_eq!(back.status(), BulkChangeStatus::Error);
    let row = &world.operator.rows(back.id).await[0];
    assert_eq!(row.error_code.map(|code| code.to_string()).as_deref(), Some("status_not_reachable"), "{row:?}");
}

#[tokio::test(start_paused = true)]
async fn lines_of_pond_come_to_another_plan_by_their_packages() {
    let world = CarrierWorld::with_lines(12).await;
    let change = world.operator.run(world.pond_order(1..=12, to_plan(OTHER_PACKAGE_TYPE))).await;
    assert_eq!((change.status(), change.counts.processed), (BulkChangeStatus::Processed, 12));
    let ledger = world.pond.ledger().summary();
    assert_eq!((ledger.duplicate_packages, ledger.sims_with_several, ledger.traffic.wrong_requests), (0, 0, 0));
    for line in world.first_pond_line..world.first_pond_line + 12 {
        let active: Vec<String> = world
            .pond
            .ledger()
            .packages_of(&iccid(line))
            .into_iter()
            .filter(|package| package.status == lineshift_simulators::pond::PackageStatus::Active)
            .map(|package| package.package_type_id)
            .collect();
        assert_eq!(active, [OTHER_PACKAGE_TYPE]);
        assert_eq!(world.operator.device(line).await.carrier_rate_plan.as_deref(), Some(OTHER_PACKAGE_TYPE));
    }
}

#[tokio::test(start_paused = true)]
async fn an_assignment_opens_the_service_moves_the_line_and_hands_it_over() {
    let world = CarrierWorld::with_lines(9).await;
    world.set_billing_account().await;
    let assignment = with_carrier_plan(world.assignment(), OTHER_PLAN);
    let change = world.operator.run(world.jasper_order(1..=9, Effect::CustomerAssignment(assignment))).await;
    assert_eq!((change.status(), change.counts.processed), (BulkChangeStatus::Processed, 9));
    assert_eq!(world.revio.ledger().summary().services, 9);
    for line in 1..=9 {
        let device = world.operator.device(line).await;
        assert_eq!(device.carrier_rate_plan.as_deref(), Some(OTHER_PLAN));
        assert_eq!(device.rev_customer_id, Some(world.operator.rev_customer));
    }
    let assignment = with_carrier_plan(
        lineshift_domain::order::AssignmentOrder { site_id: Some(world.operator.amop_site), ..Default::default() },
        OTHER_PACKAGE_TYPE,
    );
    let change = world.operator.run(world.pond_order(1..=3, Effect::CustomerAssignment(assignment))).await;
    assert_eq!(
        (change.status(), change.counts.processed),
        (BulkChangeStatus::Processed, 3),
        "{:?}",
        world.operator.rows(change.id).await
    );
    let device = world.operator.device(world.first_pond_line).await;
    assert_eq!((device.site_id, device.carrier_rate_plan.as_deref()), (Some(world.operator.amop_site), Some(OTHER_PACKAGE_TYPE)));
    assert_ne!(PACKAGE_TYPE, OTHER_PACKAGE_TYPE);
}
