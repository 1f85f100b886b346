//! Pages that call outside: rows that wait and wake, rows that fail for one step of several, leases that were lost.

use lineshift_domain::codes::Code;
use lineshift_domain::facts::Holds;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, DeviceId};
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::LogText;
use lineshift_domain::order::{StoredAssignment, StoredOrder};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{BulkChangeStatus, DeviceChangeStatus};

use super::bulk_changes::{KEY, accepted, amop, change, orderer, refused};
use super::fixture::{Fixture, at, iccid};
use super::work::{QUERY, assignment_write, claim, devices, rows, runnable};
use crate::bulk_changes::{NewBulkChange, Orderer, Reopening, WaitingCount};
use crate::work::{CalledAccounts, PageClaim, PageTask, PageWork, Runnable, Settled, Waiting};
use crate::{Store, StoreError};

/// An order to the Rev customer.
pub(super) fn rev<S>(fixture: &Fixture<'_, S>) -> StoredOrder {
    StoredOrder::CustomerAssignment(StoredAssignment {
        rev_customer_id: Some(fixture.customer),
        site_id: fixture.site,
        account_number: Some(fixture.customer.to_string()),
        integration_authentication_id: Some(fixture.authentication),
        ..amop(fixture).assignment().expect("an assignment").clone()
    })
}

/// The billing account.
pub(super) fn called<S>(fixture: &Fixture<'_, S>) -> CalledAccounts {
    CalledAccounts { billing: Some(fixture.authentication), carrier: None }
}

/// Stores a change of one page whose rows call the account.
pub(super) async fn calling<S: Store>(fixture: &Fixture<'_, S>, lines: &[DeviceId]) -> BulkChangeId {
    let accounts = called(fixture);
    let new = NewBulkChange { accounts, page_lines: lines.len(), ..change(fixture, rev(fixture), lines.len()) };
    fixture.store.store_bulk_change(fixture.tenant, &new, accepted(lines), None).await.expect("stored").id
}

/// Opens a claimed page and lists its rows.
pub(super) async fn open<S: Store>(
    fixture: &Fixture<'_, S>,
    claim: &PageClaim,
    now: i64,
) -> (Box<dyn PageWork>, Vec<DeviceChangeId>) {
    let mut page = fixture.store.open_page(claim, at(now)).await.expect("opened");
    let found = page.list_open_lines(QUERY).await.expect("lines").iter().map(|line| line.id).collect();
    (page, found)
}

pub(super) fn wait(id: DeviceChangeId, code: Code, until: i64) -> Waiting {
    Waiting { id, code, text: "later".to_owned(), next_check_at: at(until) }
}

async fn statuses<S: Store>(fixture: &Fixture<'_, S>, id: BulkChangeId) -> Vec<(DeviceChangeStatus, Option<Code>)> {
    rows(fixture, id).await.into_iter().map(|row| (row.status, row.error_code)).collect()
}

async fn counted<S: Store>(fixture: &Fixture<'_, S>, id: BulkChangeId) {
    let view = fixture.store.get_bulk_change(fixture.tenant, KEY, id).await.expect("the change");
    assert_eq!(fixture.store.recount(fixture.tenant, id).await.expect("counted"), view.counts);
}

/// Settled and PROCESSING are committed, the page is still held; whoever lost it can neither pause nor finish.
pub async fn a_paused_page_stays_claimed<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "paused").await;
    let lines = fixture.lines(3).await;
    let id = calling(&fixture, &lines).await;
    let accounts = called(&fixture);
    let runs = Runnable { change: runnable(&fixture, id), accounts, is_canceled: false, has_open_rows: true };
    assert!(store.list_runnable().await.expect("listed").contains(&runs));
    let held = claim(&fixture, id, 10).await.expect("a page");
    let (mut page, found) = open(&fixture, &held, 11).await;
    let outside = page.list_outside_lines().await.expect("lines");
    assert_eq!(
        outside.iter().map(|line| (line.id, line.device_id)).collect::<Vec<_>>(),
        found.iter().copied().zip(lines).collect::<Vec<_>>()
    );
    let first = &outside[0];
    assert_eq!((first.attempt, first.iccid.as_str(), first.activated_at), (1, iccid(0).as_str(), Some(at(-86_400))));
    assert!(first.subscriber_number.is_some() && first.steps.is_empty());
    page.settle(&[Settled::Canceled(found[0])]).await.expect("settled");
    assert_eq!(page.list_outside_lines().await.expect("lines").len(), 2);
    let result = page.pause().await.expect("paused");
    assert_eq!((result.canceled, result.processed, result.waiting, result.open_left), (1, 0, 0, 2));
    let (canceled, processing) = ((DeviceChangeStatus::Canceled, None), (DeviceChangeStatus::Processing, None));
    assert_eq!(statuses(&fixture, id).await, [canceled, processing, processing]);
    assert_eq!(fixture.log(id, found[0]).await, [(LogText::Canceled.to_string(), false, None)]);
    counted(&fixture, id).await;

    assert_eq!(claim(&fixture, id, 39).await, None, "it is held");
    let quick = claim(&fixture, id, 40).await.expect("its lease has run out");
    assert!(matches!(store.open_page(&held, at(41)).await.map(|_| ()), Err(StoreError::LeaseLost { .. })));
    let (page, again) = open(&fixture, &quick, 41).await;
    assert_eq!(again, found[1..]);
    let result = page.finish(None).await.expect("finished");
    assert_eq!((result.processed, result.open_left), (2, 0));
    counted(&fixture, id).await;
}

/// The page is given back until the first row is due; only the rows that are due wake; each wait is logged once an attempt.
pub async fn rows_wait_until_they_are_due<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "rows wait").await;
    let lines = fixture.lines(3).await;
    let id = calling(&fixture, &lines).await;
    let held = claim(&fixture, id, 10).await.expect("a page");
    let (mut page, found) = open(&fixture, &held, 10).await;
    assert_eq!(page.wake_due().await.expect("woken"), 0);
    let waiting = [wait(found[1], Code::OutcomeUnknown, 100), wait(found[2], Code::QuotaExhausted, 60)];
    page.hold_open(&waiting).await.expect("held");
    let write = assignment_write(&rev(&fixture), LogText::AmopCustomerAssignment);
    assert_eq!(page.usp_assign_customer_update_site(&write).await.expect("assigned"), 1, "those that wait are left alone");
    let result = page.finish(Some("as asked")).await.expect("finished");
    assert_eq!((result.processed, result.waiting, result.open_left), (1, 2, 2));
    let unknown = (DeviceChangeStatus::Pending, Some(Code::OutcomeUnknown));
    let processed = (DeviceChangeStatus::Processed, None);
    assert_eq!(statuses(&fixture, id).await, [processed, unknown, (DeviceChangeStatus::Pending, Some(Code::QuotaExhausted))]);
    counted(&fixture, id).await;
    assert!(store.measure(at(11)).await.expect("measured").rows_waiting >= 2);
    let waits = |code, until| WaitingCount { code, rows: 1, next_check_at: Some(at(until)) };
    let expected = [waits(Code::OutcomeUnknown, 100), waits(Code::QuotaExhausted, 60)];
    assert_eq!(store.count_waiting(fixture.tenant, id).await.expect("counted"), expected);
    assert_eq!(store.count_waiting(fixture.other, id).await.expect("counted"), []);
    let next: Vec<_> = rows(&fixture, id).await.iter().map(|row| row.next_check_at).collect();
    assert_eq!(next, [None, Some(at(100)), Some(at(60))]);
    let logged = (LogText::Waiting.to_string(), false, None);
    assert_eq!(fixture.log(id, found[1]).await, std::slice::from_ref(&logged));

    assert_eq!(claim(&fixture, id, 59).await, None, "it waits");
    assert_eq!(store.complete_bulk_change(runnable(&fixture, id), at(59)).await.expect("asked"), None);
    for lost in [store.renew_lease(&held, at(90)).await, store.give_back_page(&held, at(20)).await] {
        assert!(matches!(lost, Err(StoreError::LeaseLost { .. })), "{lost:?}");
    }
    let woken = claim(&fixture, id, 60).await.expect("the page");
    assert_eq!((woken.task, woken.lost_lease_until, woken.failures), (PageTask::Run, None, 0));
    let mut page = store.open_page(&woken, at(60)).await.expect("opened");
    assert_eq!(page.wake_due().await.expect("woken"), 1);
    assert_eq!(page.list_outside_lines().await.expect("lines").iter().map(|line| line.id).collect::<Vec<_>>(), [found[2]]);
    page.hold_open(&[wait(found[2], Code::QuotaExhausted, 90)]).await.expect("held");
    assert!(page.hold_open(&[wait(found[0], Code::QuotaExhausted, 90)]).await.is_err(), "it is not open");
    drop(page);
    let mut page = store.open_page(&woken, at(60)).await.expect("opened");
    page.wake_due().await.expect("woken");
    page.list_outside_lines().await.expect("lines");
    page.hold_open(&[wait(found[2], Code::QuotaExhausted, 90)]).await.expect("held");
    assert_eq!(page.finish(None).await.expect("finished").waiting, 2);
    assert_eq!(fixture.log(id, found[2]).await, [logged], "it waited for that before");

    let woken = claim(&fixture, id, 100).await.expect("the page");
    let mut page = store.open_page(&woken, at(100)).await.expect("opened");
    assert_eq!(page.wake_due().await.expect("woken"), 2);
    page.list_open_lines(QUERY).await.expect("lines");
    let result = page.finish(None).await.expect("finished");
    assert_eq!((result.processed, result.waiting, result.open_left), (2, 0, 0));
    assert_eq!(statuses(&fixture, id).await, [processed, processed, processed]);
    counted(&fixture, id).await;
    assert_eq!(claim(&fixture, id, 101).await, None, "it is held, to be completed");
    assert_eq!(claim(&fixture, id, 130).await.expect("the page").task, PageTask::Complete);
}

/// Its pages are run at once, and every row wakes, due or not (B10.1).
pub async fn a_canceled_change_is_not_waited_for<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "canceled waiting").await;
    let lines = fixture.lines(1).await;
    let id = calling(&fixture, &lines).await;
    let held = claim(&fixture, id, 10).await.expect("a page");
    let (mut page, found) = open(&fixture, &held, 10).await;
    page.hold_open(&[wait(found[0], Code::QuotaExhausted, 10_000)]).await.expect("held");
    page.finish(None).await.expect("finished");
    assert!(store.cancel_bulk_change(fixture.tenant, id, &orderer(), &Reach::Everything, at(20)).await.expect("canceled"));
    let runs = Runnable { change: runnable(&fixture, id), accounts: called(&fixture), is_canceled: true, has_open_rows: true };
    assert!(store.list_runnable().await.expect("listed").contains(&runs));
    let woken = claim(&fixture, id, 20).await.expect("the page");
    let mut page = store.open_page(&woken, at(20)).await.expect("opened");
    assert_eq!(page.wake_due().await.expect("woken"), 1);
    page.list_open_lines(QUERY).await.expect("lines");
    page.settle(&[Settled::Canceled(found[0])]).await.expect("settled");
    assert_eq!(page.finish(None).await.expect("finished").canceled, 1);
    let view = store.get_bulk_change(fixture.tenant, KEY, id).await.expect("the change");
    assert_eq!(view.status(), BulkChangeStatus::Canceled);
}

/// They do the set steps, end in ERROR, and do not count as modified when they are tried again.
pub async fn rows_fail_after_their_set_steps<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "fail after steps").await;
    let lines = fixture.lines(2).await;
    let id = calling(&fixture, &lines).await;
    let held = claim(&fixture, id, 10).await.expect("a page");
    let (mut page, found) = open(&fixture, &held, 10).await;
    page.fail_after_steps(&[(found[0], Reason::new(Code::BillingRefused, "no such thing"))]).await.expect("noted");
    let write = assignment_write(&rev(&fixture), LogText::AmopCustomerAssignment);
    assert_eq!(page.usp_assign_customer_update_site(&write).await.expect("assigned"), 2);
    let result = page.finish(None).await.expect("finished");
    assert_eq!((result.processed, result.refused, result.open_left), (1, 1, 0));
    let ended = rows(&fixture, id).await;
    assert_eq!((ended[0].status, ended[0].error_code), (DeviceChangeStatus::Error, Some(Code::BillingRefused)));
    assert_eq!((ended[0].status_details.as_deref(), ended[0].processed_at), (Some("no such thing"), Some(at(10))));
    assert_eq!(ended[1].status, DeviceChangeStatus::Processed);
    let refused = (LogText::RefusedAtProcessing.to_string(), true, Some("billing_refused: no such thing".to_owned()));
    assert_eq!(fixture.log(id, found[0]).await, [refused, (LogText::AmopCustomerAssignment.to_string(), false, None)]);
    counted(&fixture, id).await;
    let assigned = devices(&fixture, 2).await;
    assert!(assigned.iter().all(|line| line.rev_customer_id == Some(fixture.customer) && line.version == 2));

    store.complete_page(&held.to_complete(), at(11)).await.expect("completed");
    assert!(store.complete_bulk_change(runnable(&fixture, id), at(11)).await.expect("asked").is_some());
    let reopening = Reopening {
        codes: Vec::new(),
        holds: Holds::CUSTOMER_AND_PLAN,
        attempt: 2,
        begins: true,
        by: Orderer { name: "retrier".to_owned(), principal: KEY },
        until: at(50),
        now: at(20),
    };
    assert_eq!(store.reopen_page(fixture.tenant, id, 0, &reopening).await.expect("opened"), 1);
    store.finish_reopening(fixture.tenant, id).await.expect("finished");
    let held = claim(&fixture, id, 20).await.expect("a page");
    let mut page = store.open_page(&held, at(20)).await.expect("opened");
    let again = page.list_open_lines(QUERY).await.expect("lines");
    assert_eq!((again.len(), again[0].judged_version), (1, Some(2)), "the version that the set steps left");
    assert_eq!(page.list_outside_lines().await.expect("lines")[0].attempt, 2);
    page.finish(None).await.expect("finished");
    counted(&fixture, id).await;
}

/// What ended with something unknown holds its line, and says so.
pub async fn an_unsettled_row_holds_its_line<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "unsettled holds").await;
    let lines = fixture.lines(2).await;
    let id = calling(&fixture, &lines).await;
    let held = claim(&fixture, id, 10).await.expect("a page");
    let (mut page, found) = open(&fixture, &held, 10).await;
    let reason = || Reason::new(Code::OutcomeUnknown, "nobody knows");
    page.settle(&[Settled::Unsettled(found[0], reason()), Settled::Refused(found[1], reason())]).await.expect("settled");
    let result = page.finish(None).await.expect("finished");
    assert_eq!((result.refused, result.open_left), (2, 0));
    let digits = super::devices::digits(lineshift_domain::terms::LineIdentifier::Iccid, &[iccid(0), iccid(1)]);
    let found = store.look_up_lines(fixture.tenant, lineshift_domain::terms::LineIdentifier::Iccid, &digits, QUERY).await;
    let holds: Vec<_> = found.expect("facts").iter().map(|line| line.facts.held_by).collect();
    let hold = lineshift_domain::facts::Hold { bulk_change_id: id, outcome_unknown: true };
    assert_eq!(holds, [Some(hold), None]);
}

/// Whoever held a page and did not give it back is told of, until a later one has finished cleanly: one
/// that pauses has yet to write down what that lease meant.
pub async fn a_lost_lease_is_told_until_it_is_settled<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "lost leases").await;
    let lines = fixture.lines(1).await;
    let id = calling(&fixture, &lines).await;
    let lost = async |now: i64| {
        let held = claim(&fixture, id, now).await.expect("a page");
        (held.lost_lease_until, held)
    };
    assert_eq!(lost(10).await.0, None);
    let (until, second) = lost(50).await;
    assert_eq!(until, Some(at(40)));
    store.give_back_page(&second, at(51)).await.expect("given back");
    assert_eq!(lost(52).await.0, Some(at(40)), "it was given back, but nothing was settled");
    let (until, fourth) = lost(90).await;
    assert_eq!(until, Some(at(82)), "the latest counts");
    open(&fixture, &fourth, 90).await.0.pause().await.expect("paused");
    store.give_back_page(&fourth, at(91)).await.expect("given back");
    let (until, fifth) = lost(92).await;
    assert_eq!(until, Some(at(82)), "it paused, but nothing was settled");
    let (mut page, found) = open(&fixture, &fifth, 92).await;
    page.hold_open(&[wait(found[0], Code::OutcomeUnknown, 100)]).await.expect("held");
    page.finish(None).await.expect("finished");
    assert_eq!(lost(100).await.0, None, "a page that waits was given back");
    let (until, sixth) = lost(140).await;
    assert_eq!(until, Some(at(130)));
    let mut page = store.open_page(&sixth, at(140)).await.expect("opened");
    page.wake_due().await.expect("woken");
    page.list_open_lines(QUERY).await.expect("lines");
    page.finish(None).await.expect("finished");
    store.give_back_page(&sixth, at(141)).await.expect("given back");
    assert_eq!(lost(141).await.0, None, "it was finished");
}

/// Rows of several small pages come in one transaction, and the pages are numbered on.
pub async fn small_pages_are_received_several_at_once<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "small pages").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(6).await;
    let mut all = accepted(&lines);
    all.push(refused(6, Code::DeviceNotFound));
    let new = NewBulkChange { page_lines: 2, ..change(&fixture, amop(&fixture), 7) };
    let id = store.begin_receiving(tenant, &new, at(60), None).await.expect("begun");
    store.append_received(tenant, id, &new, 0, all[..4].to_vec(), at(60)).await.expect("two pages");
    store.append_received(tenant, id, &new, 2, all[4..].to_vec(), at(60)).await.expect("a page and a half");
    let stored = store.finish_receiving(tenant, id, &new, None, at(6)).await.expect("finished");
    assert_eq!((stored.accepted, stored.rejected), (6, 1));
    assert_eq!(store.count_pages(tenant, id).await.expect("counted"), 4);
    counted(&fixture, id).await;
    let ids: Vec<_> = rows(&fixture, id).await.iter().map(|row| row.id).collect();
    let mut ranges = Vec::new();
    while let Some(page) = claim(&fixture, id, 10).await {
        ranges.push((page.page, page.from_id, page.to_id));
    }
    assert_eq!(ranges, [(0, ids[0], ids[1]), (1, ids[2], ids[3]), (2, ids[4], ids[5]), (3, ids[6], ids[6])]);
    assert_eq!(fixture.log(id, ids[6]).await.len(), 1);
}
