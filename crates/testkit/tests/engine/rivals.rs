//! Two orders at once over the same lines (B4.6 rule 6), and what changed between submission and processing (B5.3).

use chrono::TimeDelta;
use lineshift_domain::facts::Holds;
use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::lines::{Digits, read_line};
use lineshift_domain::order::{AssignmentOrder, Effect, PlanValues, Setting, StoredAssignment, StoredOrder};
use lineshift_domain::terms::{LineIdentifier, OnPartialFailure, OnRevServiceFailure, PortalType};
use lineshift_engine::Clock as _;
use lineshift_store::bulk_changes::{NewBulkChange, NewDeviceChange};
use lineshift_store::devices::FactsQuery;
use lineshift_testkit::operator::{Operator, iccid};

/// An assignment to that site as it is stored, with lines from 1, judged but not stored yet.
pub(crate) async fn judged(
    operator: &Operator,
    site: lineshift_domain::ids::SiteId,
    lines: u64,
) -> (NewBulkChange, Vec<NewDeviceChange>) {
    let is_rev = site == operator.rev_site;
    let order = StoredAssignment {
        rev_customer_id: is_rev.then_some(operator.rev_customer),
        site_id: site,
        account_number: is_rev.then(|| operator.rev_customer.to_string()),
        integration_authentication_id: is_rev.then_some(operator.authentication),
        effective_at: None,
        customer_rate_plan: None,
        rev_service: None,
        carrier_rate_plan: None,
        on_rev_service_failure: OnRevServiceFailure::Skip,
        on_partial_failure: OnPartialFailure::Keep,
    };
    let change = NewBulkChange {
        order: StoredOrder::CustomerAssignment(order),
        portal: PortalType::M2M,
        service_provider_id: operator.jasper,
        identifier: LineIdentifier::Iccid,
        name: None,
        reason: None,
        orderer: operator.caller.orderer(),
        created_at: operator.clock.now(),
        process_changes: true,
        holds: Holds::CUSTOMER_AND_PLAN,
        rows: usize::try_from(lines).expect("a few lines"),
        duplicates: 0,
        page_lines: operator.engine.limits().page_lines,
        accounts: lineshift_store::work::CalledAccounts::NONE,
    };
    let digits: Vec<Digits> =
        (1..=lines).map(|line| read_line(LineIdentifier::Iccid, &iccid(line)).expect("well-formed")).collect();
    let query = FactsQuery::of(&change.order);
    let found = operator.store.look_up_lines(operator.tenant(), LineIdentifier::Iccid, &digits, query).await.expect("facts");
    let rows = found
        .into_iter()
        .map(|line| {
            assert_eq!(line.facts.held_by, None, "nobody holds it when it is judged");
            NewDeviceChange {
                request_position: line.index,
                line: digits[line.index as usize].to_string(),
                device: Some((line.facts.device_id, line.facts.version)),
                refused: None,
            }
        })
        .collect();
    (change, rows)
}

/// Two orders over the same three lines, both judged before either was stored; the AMOP one is stored first.
async fn two_at_once() -> (Operator, BulkChangeId, BulkChangeId) {
    let operator = Operator::with_lines(3).await;
    let first = judged(&operator, operator.amop_site, 3).await;
    let second = judged(&operator, operator.rev_site, 3).await;
    let mut ids = Vec::new();
    for (change, rows) in [first, second] {
        let stored = operator.store.store_bulk_change(operator.tenant(), &change, rows, None).await.expect("stored");
        assert_eq!((stored.accepted, stored.rejected), (3, 0));
        ids.push(stored.id);
    }
    (operator, ids[0], ids[1])
}

async fn the_first_went_on(operator: &Operator, first: BulkChangeId, second: BulkChangeId) {
    assert_eq!(operator.outcomes(first).await, ["PROCESSED"; 3]);
    assert_eq!(operator.outcomes(second).await, ["change_in_progress"; 3]);
    let text = format!("bulk change {first} is still working on this line; order again when it is done");
    assert!(operator.rows(second).await.iter().all(|row| row.status_details.as_deref() == Some(text.as_str())));
    for line in 1..=3 {
        let booked = operator.device(line).await;
        assert_eq!((booked.site_id, booked.version), (Some(operator.amop_site), 2), "line {line} was written once");
        assert_eq!(operator.history(line).await.len(), 1, "line {line}");
    }
    for id in [first, second] {
        assert!(operator.change(id).await.processed_at.is_some(), "both were completed");
    }
}

#[tokio::test]
async fn of_two_orders_at_once_the_later_ends_though_its_page_runs_first() {
    let (operator, first, second) = two_at_once().await;
    operator.run_one_page(second).await;
    operator.run_until_idle().await;
    the_first_went_on(&operator, first, second).await;
}

#[tokio::test]
async fn of_two_orders_at_once_the_later_finds_the_line_changed_when_it_runs_last() {
    let (operator, first, second) = two_at_once().await;
    operator.run_one_page(first).await;
    operator.run_until_idle().await;
    // The first has let go of the lines by then; they are no longer what the second was judged by.
    assert_eq!(operator.outcomes(first).await, ["PROCESSED"; 3]);
    assert_eq!(operator.outcomes(second).await, ["modified_meanwhile"; 3]);
    assert_eq!(operator.device(1).await.site_id, Some(operator.amop_site));
    assert_eq!(operator.history(1).await.len(), 1);
}

#[tokio::test]
async fn two_orders_at_once_run_by_two_engines_on_one_file() {
    let (operator, first, second) = two_at_once().await;
    let other = operator.second_engine(lineshift_store_sqlite::Options::default()).await;
    let run = async |engine: &lineshift_engine::Engine, owner: &str| {
        let options = lineshift_engine::WorkerOptions { owner: owner.to_owned() };
        engine.run_pages_until_idle(&options).await.expect("pages run");
    };
    tokio::join!(run(&operator.engine, "one"), run(&other, "two"));
    operator.run_until_idle().await;
    assert_eq!(operator.outcomes(first).await, ["PROCESSED"; 3], "the one stored first always goes on");
    let later = operator.outcomes(second).await;
    assert!(later.iter().all(|code| ["change_in_progress", "modified_meanwhile"].contains(code)), "{later:?}");
    assert_eq!(operator.history(1).await.len(), 1);
}

#[tokio::test]
async fn an_order_that_still_arrives_holds_nothing() {
    let operator = Operator::with_lines(3).await;
    let (change, rows) = judged(&operator, operator.amop_site, 3).await;
    let until = operator.clock.now() + TimeDelta::seconds(30);
    let tenant = operator.tenant();
    let arriving = operator.store.begin_receiving(tenant, &change, until, None).await.expect("begun");
    operator.store.append_received(tenant, arriving, &change, 0, rows, until).await.expect("stored");
    let effect = Effect::CustomerAssignment(operator.rev_assignment());
    let quick = operator.run(operator.order((1..=3).map(iccid), effect)).await;
    assert_eq!(operator.outcomes(quick.id).await, ["PROCESSED"; 3]);

    operator.store.finish_receiving(tenant, arriving, &change, None, operator.clock.now()).await.expect("finished");
    operator.run_until_idle().await;
    assert_eq!(operator.outcomes(arriving).await, ["modified_meanwhile"; 3]);
    assert_eq!(operator.device(1).await.site_id, Some(operator.rev_site));
}

#[tokio::test]
async fn each_line_is_held_by_itself() {
    let operator = Operator::with_lines(4).await;
    let held = lineshift_domain::order::Order {
        process_changes: false,
        ..operator.order([iccid(2), iccid(3)], operator.plan_change(operator.plan))
    };
    let held = operator.submit(held).await;
    let change = operator.run(operator.order((1..=4).map(iccid), operator.amop_assignment())).await;
    let busy = "change_in_progress";
    assert_eq!(operator.outcomes(change.id).await, ["PROCESSED", busy, busy, "PROCESSED"]);
    operator.engine.start(&operator.caller, held.id).await.expect("started");
    operator.run_until_idle().await;
    assert_eq!(operator.outcomes(held.id).await, ["PROCESSED"; 2]);
}

#[tokio::test]
async fn what_the_order_refers_to_must_still_be_active_when_its_page_runs() {
    let whole = |operator: &Operator| {
        let values =
            PlanValues { plan: Setting::Set(operator.plan), pool: Setting::Set(operator.pool), allocation_mb: Setting::Keep };
        let order = AssignmentOrder { customer_rate_plan: Some(values), ..operator.rev_assignment() };
        operator.order((1..=2).map(iccid), Effect::CustomerAssignment(order))
    };
    for (closed, code, text) in [
        ("customer", "customer_inactive", "the customer was made inactive after this was ordered"),
        ("site", "site_inactive", "the site was made inactive after this was ordered"),
        ("plan", "plan_inactive", "the customer rate plan was made inactive after this was ordered"),
        ("pool", "pool_inactive", "the customer rate pool was made inactive after this was ordered"),
    ] {
        let operator = Operator::with_lines(2).await;
        let submitted = operator.submit(whole(&operator)).await;
        match closed {
            "customer" => operator.close_customer().await,
            "site" => operator.close_site(operator.rev_site).await,
            "plan" => operator.close_plan(operator.plan).await,
            _ => operator.close_pool(operator.pool).await,
        }
        operator.run_until_idle().await;
        assert_eq!(operator.outcomes(submitted.id).await, [code; 2]);
        assert_eq!(operator.rows(submitted.id).await[0].status_details.as_deref(), Some(text));
        let line = operator.device(1).await;
        assert_eq!((line.site_id, line.customer_rate_plan_id, line.version), (None, None, 1), "{closed}: not half of it");
    }
}
