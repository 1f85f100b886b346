//! The three tests of every step, on each of its paths: applied twice; failed at each position and unwound to a clean slate;
//! reverted twice.

use chrono::NaiveDate;
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId};
use lineshift_domain::judge::Reason;
use lineshift_domain::order::{AssignmentOrder, CustomerRatePlanOrder, Effect, EffectiveDate, Order, PlanValues, Setting};
use lineshift_domain::terms::{LineIdentifier, PortalType};
use lineshift_engine::{Clock as _, set_steps};
use lineshift_store::devices::FactsQuery;
use lineshift_store::work::{OrderFacts, PageClaim, PageLine, PageWork, Settled};
use lineshift_testkit::operator::{Operator, iccid, number};
use rust_decimal::Decimal;

const LINES: u64 = 4;

/// Every way in which the two steps are done.
#[derive(Debug, Clone, Copy)]
enum Path {
    Amop,
    Rev,
    RevWithPlan,
    PlanNow,
    PlanByNumber,
    PlanScheduled,
}

const PATHS: [Path; 6] = [Path::Amop, Path::Rev, Path::RevWithPlan, Path::PlanNow, Path::PlanByNumber, Path::PlanScheduled];

/// Two lines are booked at another site and on another plan, two are not booked at all.
async fn operator() -> Operator {
    let operator = Operator::with_lines(LINES).await;
    let second = lineshift_store::catalogue::Site {
        id: lineshift_domain::ids::SiteId(0),
        name: "Second".to_owned(),
        rev_customer_id: None,
        is_active: true,
    };
    let second = operator.store.create_site(operator.tenant(), &second, operator.clock.now()).await.expect("a site");
    operator.book([1, 2], second, Some(operator.other_plan)).await;
    operator
}

fn order(operator: &Operator, path: Path) -> Order {
    let values = PlanValues {
        plan: Setting::Set(operator.plan),
        pool: Setting::Set(operator.pool),
        allocation_mb: Setting::Set(Decimal::from(250)),
    };
    let plan = |day: Option<&str>| {
        let effective_date = day.map(|day| EffectiveDate::Day(day.parse::<NaiveDate>().expect("a day")));
        Effect::CustomerRatePlanChange(CustomerRatePlanOrder { values, effective_date, replace_scheduled: false })
    };
    let effect = match path {
        Path::Amop => operator.amop_assignment(),
        Path::Rev => Effect::CustomerAssignment(operator.rev_assignment()),
        Path::RevWithPlan => {
            Effect::CustomerAssignment(AssignmentOrder { customer_rate_plan: Some(values), ..operator.rev_assignment() })
        }
        Path::PlanNow | Path::PlanByNumber => plan(None),
        Path::PlanScheduled => plan(Some("2026-12-24")),
    };
    if matches!(path, Path::PlanByNumber) {
        let by_iccid = operator.order((1..=LINES).map(number), effect);
        return Order { portal: PortalType::Mobility, identifier: LineIdentifier::Number, ..by_iccid };
    }
    operator.order((1..=LINES).map(iccid), effect)
}

/// Submits and claims the one page.
async fn claimed(operator: &Operator, path: Path) -> PageClaim {
    let submitted = operator.submit(order(operator, path)).await;
    operator.claim(submitted.id, "steps").await.expect("one page")
}

/// Opens the page and reads its lines, so that all of them are accepted.
async fn opened(operator: &Operator, claim: &PageClaim) -> (Box<dyn PageWork>, OrderFacts) {
    let mut page = operator.store.open_page(claim, operator.clock.now()).await.expect("the claim holds");
    let order = page.order().clone();
    let query = FactsQuery::of(&order.change.order);
    assert_eq!(page.list_open_lines(query).await.expect("lines").len() as u64, LINES);
    (page, order)
}

/// All that the steps write: assignments, histories, queue entries, rows, log, pages, counts.
async fn everything(operator: &Operator) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for table in [
        "device_tenant",
        "device_action_history",
        "cross_provider_device_history",
        "customer_rate_plan_device_queue",
        "device_change",
        "device_bulk_change",
        "device_bulk_change_log",
    ] {
        all.extend(operator.stored.inspect(&format!("SELECT '{table}', * FROM {table}")).await.expect("a table"));
    }
    all
}

/// What the lines have: customer, site, plan, pool, allocation, account, date, in force.
async fn lines(operator: &Operator) -> Vec<Vec<String>> {
    let query = "SELECT device_id, rev_customer_id, site_id, customer_rate_plan_id, customer_rate_pool_id,
        customer_data_allocation_mb, account_number, account_number_integration_authentication_id, effective_date, is_active
        FROM device_tenant ORDER BY device_id";
    operator.stored.inspect(query).await.expect("lines")
}

async fn versions(operator: &Operator) -> Vec<i64> {
    let mut versions = Vec::new();
    for line in 1..=LINES {
        versions.push(operator.device(line).await.version);
    }
    versions
}

#[tokio::test]
async fn a_step_applied_twice_changes_nothing_the_second_time() {
    for path in PATHS {
        let operator = operator().await;
        let claim = claimed(&operator, path).await;
        let (mut page, order) = opened(&operator, &claim).await;
        let steps = set_steps(&order);
        assert!(!steps.is_empty(), "{path:?}");
        for step in &steps {
            let first = step.apply(&order, page.as_mut()).await.expect("applied");
            assert_eq!(first.lines_changed, LINES, "{path:?} {}", step.name());
            let second = step.apply(&order, page.as_mut()).await.expect("applied again");
            assert_eq!(second.lines_changed, 0, "{path:?} {}", step.name());
        }
        page.finish(None).await.expect("finished");
        operator.store.complete_page(&claim.to_complete(), operator.clock.now()).await.expect("completed");
        operator.run_until_idle().await;
        let change = claim.bulk_change_id;
        assert_eq!(operator.outcomes(change).await, ["PROCESSED"; 4], "{path:?}");
        assert_eq!(operator.log(change).await.len(), 4 * steps.len() + 1, "{path:?}: one log entry a step and line");
        let scheduled = matches!(path, Path::PlanScheduled);
        assert_eq!(operator.open_entries().await.len(), if scheduled { 4 } else { 0 });
        for line in 1..=LINES {
            let written = if scheduled { 0 } else { steps.len() };
            assert_eq!(operator.history(line).await.len(), written, "{path:?}: one history entry a step");
        }
    }
}

#[tokio::test]
async fn an_order_given_twice_changes_nothing_the_second_time() {
    for path in [Path::Amop, Path::Rev, Path::RevWithPlan, Path::PlanNow, Path::PlanByNumber] {
        let operator = operator().await;
        operator.run(order(&operator, path)).await;
        let (before, versions_before) = (lines(&operator).await, versions(&operator).await);
        let histories = operator.shown_history(1..=LINES).await;
        let across = operator.shown_cross_provider_history().await;
        operator.clock.advance(chrono::TimeDelta::hours(1));
        let second = operator.run(order(&operator, path)).await;
        assert_eq!(operator.outcomes(second.id).await, ["PROCESSED"; 4], "{path:?}");
        assert_eq!(lines(&operator).await, before, "{path:?}");
        assert_eq!(versions(&operator).await, versions_before, "{path:?}");
        assert_eq!(operator.shown_history(1..=LINES).await, histories, "{path:?}: already so leaves no history");
        assert_eq!(operator.shown_cross_provider_history().await, across, "{path:?}");
        assert!(operator.rows(second.id).await.iter().all(|row| row.status_details.as_deref() == Some("already so")));
    }
}

#[tokio::test]
async fn a_page_that_fails_at_any_position_leaves_a_clean_slate_and_is_run_again() {
    for path in PATHS {
        let operator = operator().await;
        let claim = claimed(&operator, path).await;
        let before = everything(&operator).await;
        let steps = {
            let (_page, order) = opened(&operator, &claim).await;
            set_steps(&order).len()
        };
        // Cut off after each number of steps, none included.
        for done in 0..=steps {
            let (mut page, order) = opened(&operator, &claim).await;
            for step in set_steps(&order).iter().take(done) {
                step.apply(&order, page.as_mut()).await.expect("applied");
            }
            drop(page);
            assert_eq!(everything(&operator).await, before, "{path:?} cut off after {done} steps");
        }
        operator.store.give_back_page(&claim, operator.clock.now()).await.expect("given back");
        operator.run_until_idle().await;
        let change = operator.change(claim.bulk_change_id).await;
        assert_eq!((change.counts.processed, change.counts.open), (4, 0), "{path:?}");
        assert_eq!(operator.log(change.id).await.len(), 4 * steps + 1, "{path:?}: each step is logged once a line");
    }
}

#[tokio::test]
async fn a_step_reverted_twice_restores_the_old_values_once() {
    for path in [Path::Amop, Path::Rev, Path::RevWithPlan, Path::PlanNow, Path::PlanByNumber] {
        let operator = operator().await;
        let before = lines(&operator).await;
        let claim = claimed(&operator, path).await;
        let (mut page, order) = opened(&operator, &claim).await;
        let steps = set_steps(&order);
        for step in &steps {
            step.apply(&order, page.as_mut()).await.expect("applied");
        }
        let rows: Vec<_> = operator.rows(claim.bulk_change_id).await.iter().map(|row| row.id).collect();
        for step in steps.iter().rev() {
            let undone = step.revert(page.as_mut(), &rows).await.expect("reverted");
            assert_eq!(undone.lines_changed, LINES, "{path:?} {}", step.name());
        }
        for step in steps.iter().rev() {
            let again = step.revert(page.as_mut(), &rows).await.expect("reverted again");
            assert_eq!(again.lines_changed, 0, "{path:?} {}", step.name());
        }
        page.finish(None).await.expect("finished");
        assert_eq!(lines(&operator).await, before, "{path:?}: as if nothing had been");
    }
}

#[tokio::test]
async fn a_revert_takes_only_the_rows_given_and_lines_that_stand_as_the_step_left_them() {
    for path in [Path::Amop, Path::Rev, Path::PlanNow, Path::PlanByNumber] {
        let operator = operator().await;
        let before = lines(&operator).await;
        let first = operator.submit(retryable(order(&operator, path))).await;
        operator.run_one_page(first.id).await;
        // Line 4 is changed by somebody else afterwards: another site, another plan.
        let elsewhere = if matches!(path, Path::Amop) { operator.rev_site } else { operator.amop_site };
        operator.book([4], elsewhere, Some(operator.other_plan)).await;
        let changed = lines(&operator).await;

        let rows: Vec<_> = operator.rows(first.id).await.iter().map(|row| row.id).collect();
        assert_eq!(revert(&operator, first.id, &rows[..2]).await, 2, "{path:?}: lines 1 and 2");
        let now = lines(&operator).await;
        assert_eq!((&now[..2], &now[2..]), (&before[..2], &changed[2..]), "{path:?}");
        assert_eq!(revert(&operator, first.id, &rows).await, 1, "{path:?}: line 3; 4 was changed by another order since");
        let now = lines(&operator).await;
        assert_eq!((&now[..3], &now[3]), (&before[..3], &changed[3]), "{path:?}");
        assert_eq!(revert(&operator, first.id, &rows).await, 0, "{path:?}: nothing is left to undo");
    }
}

#[tokio::test]
async fn an_assignment_that_changed_the_account_alone_is_reverted_once() {
    let operator = operator().await;
    operator.run(order(&operator, Path::Rev)).await;
    // The customer moves to another Rev.io account, and its lines follow by the same order.
    let mut account = operator
        .store
        .get_integration_authentication(operator.tenant(), operator.authentication)
        .await
        .expect("an authentication");
    account.name = "Rev.io, second account".to_owned();
    let now = operator.clock.now();
    let account = operator.store.create_integration_authentication(operator.tenant(), &account, now).await.expect("created");
    let mut customer = operator.store.get_rev_customer(operator.tenant(), operator.rev_customer).await.expect("a customer");
    customer.integration_authentication_id = account;
    operator.store.update_rev_customer(operator.tenant(), &customer, now).await.expect("moved");
    let before = lines(&operator).await;
    operator.clock.advance(chrono::TimeDelta::hours(1));
    let moved = operator.submit(retryable(order(&operator, Path::Rev))).await;
    operator.run_one_page(moved.id).await;
    assert_eq!(operator.device(1).await.integration_authentication_id, Some(account));

    let rows: Vec<_> = operator.rows(moved.id).await.iter().map(|row| row.id).collect();
    assert_eq!(revert(&operator, moved.id, &rows).await, LINES);
    assert_eq!(lines(&operator).await, before);
    assert_eq!(revert(&operator, moved.id, &rows).await, 0);
}

/// The order with a line more that nobody has: its row is refused, so that the change can be tried again.
fn retryable(mut order: Order) -> Order {
    order.lines.push(&if order.identifier == LineIdentifier::Number { number(999) } else { iccid(999) });
    order
}

/// Reverts the steps of a change whose rows are final, as compensation will, each time in a transaction of its own: that of a page
/// which is run once more for the row that was refused. Answers how many lines were put back.
async fn revert(operator: &Operator, change: BulkChangeId, rows: &[DeviceChangeId]) -> u64 {
    operator.run_until_idle().await;
    operator.engine.retry(&operator.caller, change, &[]).await.expect("one row was refused");
    let claim = operator.claim(change, "undo").await.expect("its page");
    let mut page = operator.store.open_page(&claim, operator.clock.now()).await.expect("the claim holds");
    let query = FactsQuery::of(&page.order().change.order);
    let open = page.list_open_lines(query).await.expect("the refused one");
    let refused = |line: &PageLine| Settled::Refused(line.id, Reason::new(Code::DeviceNotFound, "there is no such line"));
    page.settle(&open.iter().map(refused).collect::<Vec<_>>()).await.expect("settled");
    let mut undone = 0;
    for step in set_steps(&page.order().clone()).iter().rev() {
        undone += step.revert(page.as_mut(), rows).await.expect("reverted").lines_changed;
    }
    page.finish(None).await.expect("finished");
    operator.store.complete_page(&claim.to_complete(), operator.clock.now()).await.expect("completed");
    undone
}
