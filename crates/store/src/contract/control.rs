//! Bulk changes started, canceled and opened again (B10.1, B10.2).

use lineshift_domain::codes::Code;
use lineshift_domain::facts::Holds;
use lineshift_domain::ids::PrincipalId;
use lineshift_domain::log_text::LogText;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::DeviceChangeStatus;

use super::bulk_changes::{KEY, accepted, amop, change, finished, orderer, refused, stored, told};
use super::fixture::{Fixture, at, runnable_changes};
use crate::bulk_changes::{DeviceChangeFilter, NewBulkChange, Orderer, Reopening};
use crate::work::{PageTask, RunnableChange, message_kind};
use crate::{Store, StoreError};

/// Once, by whom; held it is not runnable.
pub async fn a_held_change_is_started_once<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "started once").await;
    let (tenant, lines) = (fixture.tenant, fixture.lines(1).await);
    let new = NewBulkChange { process_changes: false, ..change(&fixture, amop(&fixture), 1) };
    let id = store.store_bulk_change(tenant, &new, accepted(&lines), None).await.expect("stored").id;
    let runnable = RunnableChange { tenant_id: tenant, bulk_change_id: id };
    assert!(store.get_bulk_change(tenant, KEY, id).await.expect("the change").is_held());
    assert!(!runnable_changes(store).await.contains(&runnable));
    told(&fixture, id).await;
    assert!(store.start_bulk_change(tenant, id, &orderer(), at(20)).await.expect("started"));
    assert!(!store.start_bulk_change(tenant, id, &orderer(), at(21)).await.expect("asked"));
    let view = store.get_bulk_change(tenant, KEY, id).await.expect("the change");
    assert_eq!((view.started_at, view.is_held()), (Some(at(20)), false));
    assert!(runnable_changes(store).await.contains(&runnable));
    assert_eq!(told(&fixture, id).await, [message_kind::SUBMITTED]);
}

/// While something of it is open; held ones become runnable by it, so that their rows are canceled.
pub async fn a_change_is_canceled_once<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "canceled once").await;
    let (tenant, lines) = (fixture.tenant, fixture.lines(2).await);
    let done = stored(&fixture, amop(&fixture), accepted(&lines[..1])).await;
    finished(&fixture, done, 10).await;
    assert!(!store.cancel_bulk_change(tenant, done, &orderer(), &Reach::Everything, at(20)).await.expect("asked"));
    let new = NewBulkChange { process_changes: false, ..change(&fixture, amop(&fixture), 1) };
    let id = store.store_bulk_change(tenant, &new, accepted(&lines[1..]), None).await.expect("stored").id;
    assert!(store.cancel_bulk_change(tenant, id, &orderer(), &Reach::Everything, at(20)).await.expect("canceled"));
    assert!(!store.cancel_bulk_change(tenant, id, &orderer(), &Reach::Everything, at(21)).await.expect("asked"));
    assert!(!store.start_bulk_change(tenant, id, &orderer(), at(22)).await.expect("asked"));
    assert_eq!(store.get_bulk_change(tenant, KEY, id).await.expect("the change").canceled_at, Some(at(20)));
    let runnable = RunnableChange { tenant_id: tenant, bulk_change_id: id };
    assert!(runnable_changes(store).await.contains(&runnable));
}

/// Rows with one of the codes, page by page; the change is not completed before the retry has finished or run out.
pub async fn rows_in_error_are_opened_again<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "opened again").await;
    let tenant = fixture.tenant;
    let codes = [Code::DeviceNotFound, Code::InvalidIccid, Code::DeviceNotFound, Code::DeviceNotFound];
    let rows = (0..).zip(codes).map(|(position, code)| refused(position, code)).collect();
    let id = stored(&fixture, amop(&fixture), rows).await;
    finished(&fixture, id, 10).await;
    told(&fixture, id).await;
    let reopening = |codes: &[Code]| Reopening {
        codes: codes.to_vec(),
        holds: Holds::CUSTOMER_AND_PLAN,
        attempt: 2,
        begins: true,
        by: Orderer { name: "retrier".to_owned(), principal: PrincipalId(2) },
        until: at(50),
        now: at(20),
    };
    let nothing = store.reopen_page(tenant, id, 0, &reopening(&[Code::RightsLost])).await.expect("asked");
    assert_eq!((nothing, store.get_bulk_change(tenant, KEY, id).await.expect("the change").attempt), (0, 1));
    assert_eq!(store.reopen_page(tenant, id, 0, &reopening(&[Code::DeviceNotFound])).await.expect("opened"), 2);
    assert!(matches!(store.reopen_page(tenant, id, 7, &reopening(&[])).await, Err(StoreError::NotFound { .. })));
    let second = store.reopen_page(tenant, id, 1, &reopening(&[])).await;
    assert!(matches!(second, Err(StoreError::Conflict { .. })), "another retry has begun this attempt: {second:?}");

    let view = store.get_bulk_change(tenant, KEY, id).await.expect("the change");
    assert_eq!((view.attempt, view.processed_at, view.counts.open, view.counts.error), (2, None, 2, 2));
    assert_eq!(store.recount(tenant, id).await.expect("counted"), view.counts);
    assert_eq!(told(&fixture, id).await, [message_kind::SUBMITTED]);
    let all = store.list_device_changes(tenant, id, DeviceChangeFilter::default(), None, 9).await.expect("rows").items;
    assert_eq!(all.iter().map(|row| row.attempt).collect::<Vec<_>>(), [2, 1, 2, 1]);
    assert_eq!((all[0].status, all[0].error_code, all[0].processed_at), (DeviceChangeStatus::New, None, None));
    let log = store.list_log(tenant, id, Some(all[0].id), None, 9).await.expect("log").items;
    assert_eq!((log[1].attempt, log[1].description.as_str()), (2, LogText::Retried.as_str()));
    assert_eq!(log[1].response_text.as_deref(), Some("opened again by retrier"));

    // The first page is through before the second was opened.
    let change = RunnableChange { tenant_id: tenant, bulk_change_id: id };
    let claim = store.claim_page(change, "contract", at(60), at(30)).await.expect("a claim").expect("the page opened");
    assert_eq!((claim.page, claim.task), (0, PageTask::Run));
    store.fail_page(&claim, Code::StoreFailed, "broken", at(30)).await.expect("failed");
    store.complete_page(&claim.to_complete(), at(30)).await.expect("completed");
    assert_eq!(store.complete_bulk_change(change, at(49)).await.expect("asked"), None, "the retry goes on");
    store.finish_reopening(tenant, id).await.expect("finished");
    assert!(store.complete_bulk_change(change, at(49)).await.expect("completed").is_some());
    assert!(store.get_bulk_change(tenant, KEY, id).await.expect("the change").processed_at.is_some());
}
