//! Orders of more than one page (B4.7): RECEIVING until the last row is stored.

use chrono::TimeDelta;
use lineshift_domain::order::Order;
use lineshift_domain::terms::BulkChangeStatus;
use lineshift_engine::{Clock as _, EngineError};
use lineshift_store::StoreError;
use lineshift_store::bulk_changes::{Idempotency, IdempotencyClaim};
use lineshift_testkit::operator::{Operator, iccid};

use crate::control::{assignment, conflict, small_pages};
use crate::rivals::judged;

fn claim(operator: &Operator) -> IdempotencyClaim {
    IdempotencyClaim { caller: operator.caller.principal, key: "large".to_owned(), body_hash: [1; 32] }
}

async fn claim_key(operator: &Operator) -> Idempotency {
    let now = operator.clock.now();
    let until = now + operator.engine.limits().lease();
    let kept_since = now - TimeDelta::hours(24);
    operator.store.claim_idempotency_key(operator.tenant(), &claim(operator), until, kept_since, now).await.expect("asked")
}

async fn rows_of_all_changes(operator: &Operator) -> i64 {
    operator
        .count(
            "SELECT (SELECT count(*) FROM device_change) + (SELECT count(*) FROM device_bulk_change_page)
        + (SELECT count(*) FROM device_bulk_change) + (SELECT count(*) FROM device_bulk_change_log)",
        )
        .await
}

#[tokio::test]
async fn an_order_of_many_pages_is_stored_and_run_in_device_order() {
    let operator = small_pages(10).await;
    // In shuffled order, with an unknown line and a malformed one among them.
    let lines = [7, 3, 99, 10, 1, 9, 2, 8, 5, 4, 6].map(iccid).into_iter().chain(["?".to_owned()]);
    let submitted = operator.submit(operator.order(lines, operator.amop_assignment())).await;
    assert_eq!((submitted.accepted, submitted.rejected), (10, 2));
    let rows = operator.rows(submitted.id).await;
    let positions: Vec<i64> = rows.iter().map(|row| row.request_position).collect();
    assert_eq!(positions, [4, 6, 1, 9, 8, 10, 0, 7, 5, 3, 2, 11], "lines by id, then those that were not found");
    assert_eq!(operator.store.count_pages(operator.tenant(), submitted.id).await.expect("pages"), 4);
    assert_eq!(operator.change(submitted.id).await.status(), BulkChangeStatus::New);
    operator.run_until_idle().await;
    let change = operator.change(submitted.id).await;
    assert_eq!((change.counts.processed, change.counts.error, change.rejected), (10, 2, 2));
}

#[tokio::test]
async fn a_change_that_still_arrives_is_seen_by_its_submitter_only() {
    let operator = small_pages(5).await;
    let (change, rows) = judged(&operator, operator.amop_site, 5).await;
    let (tenant, until) = (operator.tenant(), operator.clock.now() + TimeDelta::seconds(30));
    let id = operator.store.begin_receiving(tenant, &change, until, None).await.expect("begun");
    operator.store.append_received(tenant, id, &change, 0, rows[..3].to_vec(), until).await.expect("stored");

    let seen = operator.change(id).await;
    assert_eq!((seen.status(), seen.counts.total), (BulkChangeStatus::Receiving, 3));
    assert_eq!(operator.changes_seen_by(&operator.caller).await, 1);
    let colleague = operator.key("colleague", "*").await;
    assert_eq!(operator.changes_seen_by(&colleague).await, 0);
    for answer in [
        operator.engine.start(&colleague, id).await.map(|_| ()),
        operator.engine.cancel(&colleague, id).await.map(|_| ()),
        operator.engine.retry(&colleague, id, &[]).await.map(|_| ()),
    ] {
        assert!(matches!(answer, Err(EngineError::Store(StoreError::NotFound { .. }))), "{answer:?}");
    }
    conflict(operator.engine.start(&operator.caller, id).await, "still_receiving");
    conflict(operator.engine.cancel(&operator.caller, id).await, "still_receiving");
    conflict(operator.engine.retry(&operator.caller, id, &[]).await, "still_receiving");
    operator.run_until_idle().await;
    assert_eq!(operator.device(1).await.site_id, None, "nothing runs before the last row is there");

    operator.store.append_received(tenant, id, &change, 1, rows[3..].to_vec(), until).await.expect("stored");
    operator.store.finish_receiving(tenant, id, &change, None, operator.clock.now()).await.expect("finished");
    assert_eq!(operator.changes_seen_by(&colleague).await, 1);
    operator.run_until_idle().await;
    assert_eq!(operator.outcomes(id).await, ["PROCESSED"; 5]);
}

#[tokio::test]
async fn a_submission_given_up_is_dropped_when_its_lease_has_run_out() {
    let operator = small_pages(5).await;
    assert_eq!(claim_key(&operator).await, Idempotency::Claimed);
    let (change, rows) = judged(&operator, operator.amop_site, 5).await;
    let (tenant, lease) = (operator.tenant(), TimeDelta::seconds(30));
    let claim = claim(&operator);
    let until = operator.clock.now() + lease;
    let id = operator.store.begin_receiving(tenant, &change, until, Some(&claim)).await.expect("begun");
    operator.store.append_received(tenant, id, &change, 0, rows[..3].to_vec(), until).await.expect("stored");

    // While it works its lease is renewed with every page, and the key's with it.
    operator.clock.advance(TimeDelta::seconds(29));
    operator.store.renew_receiving(tenant, id, operator.clock.now() + lease).await.expect("renewed");
    operator.clock.advance(TimeDelta::seconds(29));
    assert_eq!(operator.engine.drop_abandoned_submissions().await.expect("looked"), 0);
    assert_eq!(claim_key(&operator).await, Idempotency::Running);

    operator.clock.advance(TimeDelta::seconds(2));
    assert_eq!(operator.engine.drop_abandoned_submissions().await.expect("looked"), 1);
    assert_eq!(operator.engine.drop_abandoned_submissions().await.expect("looked"), 0);
    assert_eq!(rows_of_all_changes(&operator).await, 0, "nothing of it is left");
    assert_eq!(operator.changes_seen_by(&operator.caller).await, 0);
    let until = operator.clock.now() + lease;
    for lost in [
        operator.store.renew_receiving(tenant, id, until).await,
        operator.store.append_received(tenant, id, &change, 1, rows[3..].to_vec(), until).await,
        operator.store.finish_receiving(tenant, id, &change, Some(&claim), until).await.map(|_| ()),
    ] {
        assert!(matches!(lost, Err(StoreError::LeaseLost { .. })), "a late submitter changes nothing: {lost:?}");
    }
    assert_eq!(rows_of_all_changes(&operator).await, 0);

    // The key is free again: the same request goes through.
    let order = assignment(&operator, 5);
    operator.engine.submit(&operator.caller, order, Some(claim)).await.expect("submitted again");
    operator.run_until_idle().await;
    assert_eq!(operator.device(5).await.site_id, Some(operator.amop_site));
}

#[tokio::test]
async fn an_order_all_refused_of_many_pages_is_completed() {
    let operator = small_pages(0).await;
    for process_changes in [true, false] {
        let order = Order { process_changes, ..assignment(&operator, 7) };
        let submitted = operator.submit(order).await;
        assert_eq!((submitted.accepted, submitted.rejected), (0, 7));
        operator.run_until_idle().await;
        let change = operator.change(submitted.id).await;
        assert_eq!(change.status(), BulkChangeStatus::Error);
        assert!(change.processed_at.is_some(), "held or not, there is nothing to wait for");
        assert_eq!(operator.log(submitted.id).await.len(), 8);
    }
}

#[tokio::test]
async fn lists_of_rows_go_page_by_page_without_a_gap_or_a_double() {
    let operator = small_pages(40).await;
    let lines = (1..=60).map(iccid).chain((0..5).map(|nth| format!("bad {nth}")));
    let submitted = operator.submit(operator.order(lines, operator.amop_assignment())).await;
    for status in [None, Some(lineshift_domain::terms::DeviceChangeStatus::Error)] {
        let filter = lineshift_store::bulk_changes::DeviceChangeFilter { status, code: None };
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let store = &operator.store;
            let page = store.list_device_changes(operator.tenant(), submitted.id, filter, after, 7).await.expect("a page");
            seen.extend(page.items.iter().map(|row| row.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let mut once = seen.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!((seen.len(), once.len()), if status.is_some() { (25, 25) } else { (65, 65) });
    }
}
