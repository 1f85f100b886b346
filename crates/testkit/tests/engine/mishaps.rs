//! What must not happen: a number that moved on taking the wrong line with it, one change that keeps others waiting, a
//! cancel that a retry undoes, a default of nothing that counts as something.

use lineshift_domain::reach::Reach;
use std::sync::atomic::{AtomicU64, Ordering};

use lineshift_domain::limits::Limits;
use lineshift_domain::order::Order;
use lineshift_domain::terms::{BulkChangeStatus, LineIdentifier, PortalType};
use lineshift_store::bulk_changes::{DeviceChangeFilter, Orderer, Reopening};
use lineshift_store::devices::DeviceFilter;
use lineshift_store_sqlite::Options;
use lineshift_testkit::operator::{Operator, iccid, number};

fn by_number(order: Order) -> Order {
    Order { portal: PortalType::Mobility, identifier: LineIdentifier::Number, ..order }
}

/// B10.2: a row that was refused at submission is looked up anew, by the number that it names.
#[tokio::test]
async fn a_retry_by_number_takes_the_line_that_has_the_number_now() {
    let operator = Operator::with_lines(1).await;
    operator.import(&[operator.line(operator.jasper, 1, "DEACTIVATED")]).await;
    let order = by_number(operator.order([number(1)], operator.plan_change(operator.plan)));
    let refused = operator.run(order).await;
    assert_eq!(refused.status(), BulkChangeStatus::Error);

    // The number moves from line 1, active again, to line 2.
    let mut first = operator.line(operator.jasper, 1, "ACTIVATED");
    first.subscriber_number = Some(number(9));
    operator.import(&[first]).await;
    let mut second = operator.line(operator.jasper, 2, "ACTIVATED");
    second.subscriber_number = Some(number(1));
    operator.import(&[second]).await;
    operator.engine.retry(&operator.caller, refused.id, &[]).await.expect("a retry");
    operator.run_until_idle().await;

    assert_eq!(operator.change(refused.id).await.status(), BulkChangeStatus::Processed);
    let plan_of = async |line: u64| {
        let found = operator
            .store
            .list_devices(operator.tenant(), &Reach::Everything, &DeviceFilter::Iccid(iccid(line)), None, 1)
            .await
            .expect("lines");
        found.items[0].customer_rate_plan_id
    };
    assert_eq!((plan_of(1).await, plan_of(2).await), (None, Some(operator.plan)));
}

static WRITES_TO_FAIL: AtomicU64 = AtomicU64::new(0);

fn fail_writes(_: u64) {
    let failed = WRITES_TO_FAIL.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    assert!(failed.is_err(), "this write is to fail");
}

/// A change of which something fails has its turn, and the next one has its own.
#[tokio::test]
async fn a_change_that_fails_does_not_keep_others_waiting() {
    let options = Options { before_write: Some(fail_writes), ..Options::default() };
    let operator = Operator::with(4, Limits::default(), options).await;
    let first = operator.submit(operator.order([iccid(1), iccid(2)], operator.amop_assignment())).await;
    let second = operator.submit(operator.order([iccid(3), iccid(4)], operator.amop_assignment())).await;
    // The first write from here on is the claim of the first change's page.
    WRITES_TO_FAIL.store(1, Ordering::SeqCst);
    operator.run_until_idle().await;
    assert_eq!(WRITES_TO_FAIL.load(Ordering::SeqCst), 0, "a write has failed");
    for id in [first.id, second.id] {
        let change = operator.change(id).await;
        assert_eq!((change.status(), change.processed_at.is_some()), (BulkChangeStatus::Processed, true));
    }
}

/// B10.1: canceled is canceled, also while a retry still opens rows.
#[tokio::test]
async fn a_cancel_while_a_retry_opens_rows_stands() {
    let limits = Limits { page_lines: 2, ..Limits::default() };
    let operator = Operator::with(4, limits, Options::default()).await;
    let lines: Vec<_> = (1..=4).map(|line| operator.line(operator.jasper, line, "DEACTIVATED")).collect();
    operator.import(&lines).await;
    let change = operator.run(operator.order((1..=4).map(iccid), operator.amop_assignment())).await;
    assert_eq!(change.counts.error, 4);

    let now = operator.engine.clock().now();
    let by = Orderer { name: "operator".to_owned(), principal: operator.caller.principal };
    let holds = lineshift_domain::facts::Holds::CUSTOMER_AND_PLAN;
    let until = now + operator.engine.limits().lease();
    let reopening = Reopening { codes: Vec::new(), holds, attempt: 2, begins: true, by, until, now };
    operator.store.reopen_page(operator.tenant(), change.id, 0, &reopening).await.expect("the first page is opened");
    operator.engine.cancel(&operator.caller, change.id).await.expect("it is canceled meanwhile");
    let next = operator.store.reopen_page(operator.tenant(), change.id, 1, &reopening).await;
    assert!(next.is_err(), "a retry goes on after a cancel: {next:?}");

    operator.run_until_idle().await;
    let change = operator.change(change.id).await;
    assert!(change.canceled_at.is_some());
    assert_eq!((change.counts.canceled, change.counts.error, change.counts.open), (2, 2, 0));
}

/// B4.6: an allocation of 0 is none, ordered or by default.
#[tokio::test]
async fn a_plan_whose_default_is_nothing_stands_once_it_is_set() {
    let operator = Operator::with_lines(1).await;
    let mut plan = operator.store.get_customer_rate_plan(operator.tenant(), operator.plan).await.expect("a plan");
    plan.allocation_default_mb = Some(rust_decimal::Decimal::ZERO);
    operator.store.update_customer_rate_plan(operator.tenant(), &plan, operator.engine.clock().now()).await.expect("updated");
    operator.run(operator.order([iccid(1)], operator.plan_change(operator.plan))).await;
    let again = operator.run(operator.order([iccid(1)], operator.plan_change(operator.plan))).await;
    let rows = operator
        .store
        .list_device_changes(operator.tenant(), again.id, DeviceChangeFilter::default(), None, 9)
        .await
        .expect("rows");
    assert_eq!(rows.items[0].status_details.as_deref(), Some("already so"));
}
