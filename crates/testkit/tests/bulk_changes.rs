//! Bulk changes from submission to completion.

use lineshift_domain::terms::{BulkChangeStatus, DeviceChangeStatus};
use lineshift_store::bulk_changes::DeviceChangeFilter;
use lineshift_testkit::operator::{Operator, iccid};

#[tokio::test]
async fn an_amop_assignment_books_every_line_at_the_site() {
    let operator = Operator::with_lines(10).await;
    let change = operator.run(operator.order((1..=10).map(iccid), operator.amop_assignment())).await;
    assert_eq!(change.status(), BulkChangeStatus::Processed);
    assert!(change.processed_at.is_some());
    let rows = operator
        .store
        .list_device_changes(operator.tenant(), change.id, DeviceChangeFilter::default(), None, 100)
        .await
        .expect("rows");
    assert_eq!(rows.items.len(), 10);
    for row in rows.items {
        assert_eq!(row.status, DeviceChangeStatus::Processed);
        let line = operator.store.get_device(operator.tenant(), row.device_id.expect("found")).await.expect("a line");
        assert_eq!((line.site_id, line.is_active, line.version), (Some(operator.amop_site), true, 2));
    }
}

#[tokio::test]
async fn a_rev_assignment_with_a_plan_does_both_steps() {
    let operator = Operator::with_lines(3).await;
    let mut assignment = operator.rev_assignment();
    assignment.customer_rate_plan = Some(operator.plan_order(operator.plan).values);
    let effect = lineshift_domain::order::Effect::CustomerAssignment(assignment);
    let change = operator.run(operator.order((1..=4).map(iccid), effect)).await;
    assert_eq!(change.status(), BulkChangeStatus::Partial);
    let log = operator.store.list_log(operator.tenant(), change.id, None, None, 100).await.expect("log");
    for entry in &log.items {
        println!("{entry:?}");
    }
    assert_eq!(log.items.len(), 3 * 2 + 1 + 1);
}
