//! 10,000 plan queue entries due at once with two schedulers on one file: each entry is applied exactly once (B8.3).

use chrono::TimeDelta;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{CustomerRatePlanOrder, Effect, EffectiveDate};
use lineshift_engine::Clock as _;
use lineshift_store::plan_queue::DueResult;
use lineshift_store_sqlite::Options;
use lineshift_testkit::operator::{Operator, iccid};

const LINES: u64 = 10_000;

/// So many entries, due in a week, in pages of 1,000 so that the two meet often.
async fn scheduled() -> Operator {
    let limits = Limits { page_lines: 1_000, ..Limits::default() };
    let operator = Operator::with(LINES, limits, Options::default()).await;
    let date = EffectiveDate::Instant(operator.clock.now() + TimeDelta::days(7));
    let order = CustomerRatePlanOrder { effective_date: Some(date), ..operator.plan_order(operator.plan) };
    let change = operator.run(operator.order((1..=LINES).map(iccid), Effect::CustomerRatePlanChange(order))).await;
    assert_eq!(change.counts.processed, i64::try_from(LINES).expect("few"));
    operator.clock.advance(TimeDelta::days(7));
    operator
}

async fn each_was_applied_once(operator: &Operator) {
    let plan = operator.plan;
    for (query, expected) in [
        ("SELECT count(*) FROM customer_rate_plan_device_queue WHERE state = 'applied'".to_owned(), 10_000),
        ("SELECT count(*) FROM customer_rate_plan_device_queue WHERE state <> 'applied'".to_owned(), 0),
        (format!("SELECT count(*) FROM device_tenant WHERE customer_rate_plan_id = {plan} AND version = 2"), 10_000),
        ("SELECT count(*) FROM device_action_history".to_owned(), 10_000),
        ("SELECT count(DISTINCT device_id) FROM device_action_history".to_owned(), 10_000),
        ("SELECT count(*) FROM cross_provider_device_history WHERE valid_to IS NULL".to_owned(), 10_000),
        ("SELECT count(*) FROM cross_provider_device_history".to_owned(), 10_000),
        ("SELECT count(*) FROM device_bulk_change_log WHERE entry = 2000".to_owned(), 10_000),
    ] {
        assert_eq!(operator.count(&query).await, expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_schedulers_apply_each_of_ten_thousand_entries_once() {
    let operator = scheduled().await;
    let (one, two) = (operator.engine.clone(), operator.second_engine(Options::default()).await);
    let one = tokio::spawn(async move { one.run_due_entries().await });
    let two = tokio::spawn(async move { two.run_due_entries().await });
    let (one, two) = (one.await.expect("ran").expect("applied"), two.await.expect("ran").expect("applied"));
    assert_eq!((one.applied + two.applied, one.failed + two.failed), (LINES, 0));
    each_was_applied_once(&operator).await;
}

#[tokio::test]
async fn a_scheduler_given_up_in_the_middle_leaves_its_page_to_the_other() {
    let operator = scheduled().await;
    let (tenant, now) = (operator.tenant(), operator.clock.now());
    let done = operator.store.open_due(tenant, 1_000, now).await.expect("due").expect("a page");
    assert_eq!(done.finish(&[]).await.expect("applied"), DueResult { applied: 1_000, failed: 0 });
    // The next page is read and then dropped, as by a process that dies.
    let page = operator.store.open_due(tenant, 1_000, now).await.expect("due").expect("a page");
    assert_eq!(page.entries().len(), 1_000);
    drop(page);
    let two = operator.second_engine(Options::default()).await;
    assert_eq!(two.run_due_entries().await.expect("applied"), DueResult { applied: 9_000, failed: 0 });
    each_was_applied_once(&operator).await;
}
