//! Bulk changes: stored at once or page by page, looked at, started, canceled and opened again.

use lineshift_domain::codes::Code;
use lineshift_domain::counts::Counts;
use lineshift_domain::facts::Holds;
use lineshift_domain::ids::{BulkChangeId, DeviceId, PrincipalId};
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::{LogText, PROCESS_BY};
use lineshift_domain::order::{PlanValues, Setting, StoredAssignment, StoredOrder, StoredPlan};
use lineshift_domain::terms::{
    BulkChangeStatus, ChangeRequestType, DeviceChangeStatus, LineIdentifier, OnPartialFailure, OnRevServiceFailure, PortalType,
};

use super::fixture::{Fixture, at, iccid};
use crate::bulk_changes::{DeviceChangeFilter, Idempotency, IdempotencyClaim, LogKey, NewBulkChange, NewDeviceChange, Orderer};
use crate::work::{CalledAccounts, RunnableChange, message_kind};
use crate::{Store, StoreError};

/// Who orders.
pub(super) const KEY: PrincipalId = PrincipalId(1);

/// By whom.
pub(super) fn orderer() -> Orderer {
    Orderer { name: "orderer".to_owned(), principal: KEY }
}

/// An order to the AMOP customer.
pub(super) fn amop<S>(fixture: &Fixture<'_, S>) -> StoredOrder {
    StoredOrder::CustomerAssignment(StoredAssignment {
        rev_customer_id: None,
        site_id: fixture.amop_site,
        account_number: None,
        integration_authentication_id: None,
        effective_at: None,
        customer_rate_plan: None,
        rev_service: None,
        carrier_rate_plan: None,
        on_rev_service_failure: OnRevServiceFailure::default(),
        on_partial_failure: OnPartialFailure::Keep,
    })
}

/// An order to the bounded plan, now.
pub(super) fn plan_change<S>(fixture: &Fixture<'_, S>) -> StoredOrder {
    let values = PlanValues { plan: Setting::Set(fixture.bounded_plan), ..PlanValues::default() };
    let plan = StoredPlan { values, effective_at: None, queued: false, replace_scheduled: false };
    StoredOrder::CustomerRatePlanChange(plan)
}

/// A change of so many rows in pages of three.
pub(super) fn change<S>(fixture: &Fixture<'_, S>, order: StoredOrder, rows: usize) -> NewBulkChange {
    NewBulkChange {
        order,
        portal: PortalType::M2M,
        service_provider_id: fixture.provider,
        identifier: LineIdentifier::Iccid,
        name: Some("Spring".to_owned()),
        reason: Some("moved".to_owned()),
        orderer: orderer(),
        created_at: at(5),
        process_changes: true,
        holds: Holds::CUSTOMER_AND_PLAN,
        rows,
        duplicates: 2,
        page_lines: 3,
        accounts: CalledAccounts::NONE,
    }
}

/// A row for each line, accepted.
pub(super) fn accepted(lines: &[DeviceId]) -> Vec<NewDeviceChange> {
    let row = |(nth, line): (usize, &DeviceId)| NewDeviceChange {
        request_position: u32::try_from(nth).expect("a few rows"),
        line: iccid(nth),
        device: Some((*line, 1)),
        refused: None,
    };
    lines.iter().enumerate().map(row).collect()
}

/// A row that named no line.
pub(super) fn refused(position: u32, code: Code) -> NewDeviceChange {
    let line = format!("line {position}");
    NewDeviceChange { request_position: position, line, device: None, refused: Some(Reason::new(code, "because")) }
}

/// Stores a change at once.
pub(super) async fn stored<S: Store>(fixture: &Fixture<'_, S>, order: StoredOrder, rows: Vec<NewDeviceChange>) -> BulkChangeId {
    let new = change(fixture, order, rows.len());
    fixture.store.store_bulk_change(fixture.tenant, &new, rows, None).await.expect("stored").id
}

/// Runs every page of a change with nothing but its end, and completes it.
pub(super) async fn finished<S: Store>(fixture: &Fixture<'_, S>, id: BulkChangeId, now: i64) {
    let change = RunnableChange { tenant_id: fixture.tenant, bulk_change_id: id };
    while let Some(claim) = fixture.store.claim_page(change, "contract", at(now + 30), at(now)).await.expect("a claim") {
        let mut page = fixture.store.open_page(&claim, at(now)).await.expect("opened");
        let query = crate::devices::FactsQuery::all(Holds::CUSTOMER_AND_PLAN, None);
        page.list_open_lines(query).await.expect("lines");
        page.finish(None).await.expect("finished");
        fixture.store.complete_page(&claim.to_complete(), at(now)).await.expect("completed");
    }
    fixture.store.complete_bulk_change(change, at(now)).await.expect("completed").expect("nothing is left to do");
}

fn claim(key: &str, body: u8) -> IdempotencyClaim {
    IdempotencyClaim { caller: KEY, key: key.to_owned(), body_hash: [body; 32] }
}

/// The kinds of the messages about a change that are taken out now.
pub(super) async fn told<S: Store>(fixture: &Fixture<'_, S>, id: BulkChangeId) -> Vec<String> {
    let messages = fixture.store.take_messages(1_000).await.expect("messages");
    let mine = messages.into_iter().filter(|message| message.tenant_id == fixture.tenant && message.bulk_change_id == id);
    mine.map(|message| message.kind).collect()
}

/// Claimed until the lease runs out, or released; another body is told from the same.
pub async fn a_key_is_claimed_by_one_request<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "a key is claimed").await;
    let ask = async |claim: &IdempotencyClaim, now: i64| {
        let answer = store.claim_idempotency_key(fixture.tenant, claim, at(now + 30), at(now - 100), at(now)).await;
        answer.expect("an answer")
    };
    let (mine, other) = (claim("a", 1), claim("a", 2));
    assert_eq!(ask(&mine, 0).await, Idempotency::Claimed);
    assert_eq!((ask(&mine, 29).await, ask(&other, 29).await), (Idempotency::Running, Idempotency::OtherRequest));
    // Another key, another caller, another tenant.
    assert_eq!(ask(&claim("b", 2), 29).await, Idempotency::Claimed);
    assert_eq!(ask(&IdempotencyClaim { caller: PrincipalId(2), ..other.clone() }, 29).await, Idempotency::Claimed);
    let elsewhere = store.claim_idempotency_key(fixture.other, &other, at(60), at(0), at(29)).await;
    assert_eq!(elsewhere.expect("an answer"), Idempotency::Claimed);
    assert_eq!(ask(&other, 30).await, Idempotency::Claimed, "the first one's lease has run out");
    store.release_idempotency_key(fixture.tenant, &other).await.expect("released");
    assert_eq!(ask(&mine, 31).await, Idempotency::Claimed);
}

/// As long as it is kept; releasing it does not forget what was answered.
pub async fn an_answered_key_answers_again<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "an answered key").await;
    let (tenant, lines) = (fixture.tenant, fixture.lines(1).await);
    let claim = claim("a", 1);
    let ask = async |claim: &IdempotencyClaim, kept_since: i64| {
        store.claim_idempotency_key(tenant, claim, at(400), at(kept_since), at(300)).await.expect("an answer")
    };
    store.claim_idempotency_key(tenant, &claim, at(30), at(-100), at(0)).await.expect("claimed");
    let new = change(&fixture, amop(&fixture), 2);
    let rows = vec![accepted(&lines).remove(0), refused(1, Code::InvalidIccid)];
    let id = store.store_bulk_change(tenant, &new, rows, Some(&claim)).await.expect("stored").id;
    let answer = format!(r#"{{"Success":true,"BulkChangeId":{id},"Accepted":1,"Rejected":1,"Duplicates":2}}"#);
    assert_eq!(ask(&claim, 0).await, Idempotency::Answered(answer.clone()));
    store.release_idempotency_key(tenant, &claim).await.expect("asked");
    assert_eq!(ask(&claim, 0).await, Idempotency::Answered(answer));
    let other = IdempotencyClaim { body_hash: [9; 32], ..claim.clone() };
    assert_eq!(ask(&other, 0).await, Idempotency::OtherRequest);
    assert_eq!(ask(&other, 1).await, Idempotency::Claimed, "past its day it counts as unused");
}

/// Change, rows, pages, log of refused rows, counts and message, in one transaction.
pub async fn a_change_is_stored_at_once<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "stored at once").await;
    let (tenant, lines) = (fixture.tenant, fixture.lines(4).await);
    let mut rows = accepted(&lines);
    rows.push(refused(9, Code::DeviceNotFound));
    let new = change(&fixture, plan_change(&fixture), 5);
    let stored = store.store_bulk_change(tenant, &new, rows, None).await.expect("stored");
    assert_eq!((stored.accepted, stored.rejected), (4, 1));

    let view = store.get_bulk_change(tenant, KEY, stored.id).await.expect("the change");
    assert_eq!((view.change_type, view.portal), (ChangeRequestType::CustomerRatePlanChange, PortalType::M2M));
    assert_eq!((view.service_provider_id, view.identifier), (fixture.provider, LineIdentifier::Iccid));
    assert_eq!((&view.order, view.name.as_deref(), view.reason.as_deref()), (&new.order, Some("Spring"), Some("moved")));
    assert_eq!((view.created_by.as_str(), view.created_by_id, view.created_at), ("orderer", KEY, at(5)));
    assert_eq!((view.started_at, view.begun_at, view.canceled_at, view.processed_at), (Some(at(5)), None, None, None));
    assert_eq!((view.attempt, view.rejected, view.duplicates, view.scheduled_failed), (1, 1, 2, 0));
    assert_eq!(view.counts, Counts { total: 5, open: 4, processed: 0, error: 1, canceled: 0 });
    assert_eq!((view.status(), view.is_held()), (BulkChangeStatus::New, false));
    assert_eq!(store.recount(tenant, stored.id).await.expect("counted"), view.counts);
    assert_eq!(store.count_pages(tenant, stored.id).await.expect("counted"), 2);
    assert_eq!(store.count_errors(tenant, stored.id).await.expect("counted"), [(Code::DeviceNotFound, 1)]);

    let all = store.list_device_changes(tenant, stored.id, DeviceChangeFilter::default(), None, 9).await.expect("rows").items;
    assert!(all.is_sorted_by_key(|row| row.id));
    assert_eq!(
        all.iter().map(|row| row.device_id).collect::<Vec<_>>(),
        [lines.iter().copied().map(Some).collect(), vec![None]].concat()
    );
    let log = store.list_log(tenant, stored.id, None, None, 9).await.expect("log").items;
    assert_eq!(log.len(), 1);
    assert_eq!((log[0].device_change_id, log[0].description.as_str()), (Some(all[4].id), LogText::RefusedAtSubmission.as_str()));
    assert_eq!((log[0].process_by.as_str(), log[0].processed_at), (PROCESS_BY, at(5)));
    assert_eq!(log[0].request_text.as_deref(), Some("Submit\nline 9"));
    assert_eq!(log[0].error_text.as_deref(), Some("device_not_found: because"));
    assert_eq!((log[0].has_errors, log[0].response_status.as_str()), (true, "ERROR"));
    assert_eq!(told(&fixture, stored.id).await, [message_kind::SUBMITTED]);
}

/// RECEIVING, seen by its submitter, in pages that may come late as long as it is not dropped.
pub async fn a_large_change_is_received_page_by_page<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "received").await;
    let (tenant, lines) = (fixture.tenant, fixture.lines(5).await);
    let (new, rows) = (change(&fixture, amop(&fixture), 5), accepted(&lines));
    let claim = claim("a", 1);
    store.claim_idempotency_key(tenant, &claim, at(35), at(-100), at(5)).await.expect("claimed");
    let id = store.begin_receiving(tenant, &new, at(35), Some(&claim)).await.expect("begun");
    store.append_received(tenant, id, &new, 0, rows[..3].to_vec(), at(45)).await.expect("the first page");
    let view = store.get_bulk_change(tenant, KEY, id).await.expect("its submitter sees it");
    assert_eq!((view.status(), view.counts.total), (BulkChangeStatus::Receiving, 3));
    assert!(matches!(store.get_bulk_change(tenant, PrincipalId(2), id).await, Err(StoreError::NotFound { .. })));
    assert_eq!(store.list_bulk_changes(tenant, PrincipalId(2), None, 9).await.expect("listed").items, []);
    assert_eq!(store.list_bulk_changes(tenant, KEY, None, 9).await.expect("listed").items.len(), 1);
    assert_eq!(told(&fixture, id).await, Vec::<String>::new());
    // The key's lease is renewed with the change's.
    let asked = store.claim_idempotency_key(tenant, &claim, at(74), at(-100), at(44)).await.expect("an answer");
    assert_eq!(asked, Idempotency::Running);

    store.append_received(tenant, id, &new, 1, rows[3..].to_vec(), at(80)).await.expect("the second page");
    let stored = store.finish_receiving(tenant, id, &new, Some(&claim), at(50)).await.expect("finished");
    assert_eq!((stored.id, stored.accepted, stored.rejected), (id, 5, 0));
    let view = store.get_bulk_change(tenant, PrincipalId(2), id).await.expect("all see it");
    assert_eq!((view.status(), view.counts.open), (BulkChangeStatus::New, 5));
    assert_eq!(told(&fixture, id).await, [message_kind::SUBMITTED]);
    let asked = store.claim_idempotency_key(tenant, &claim, at(90), at(-100), at(60)).await.expect("an answer");
    assert!(matches!(asked, Idempotency::Answered(_)), "{asked:?}");
    assert_eq!(store.drop_abandoned(tenant, at(1_000), 9).await.expect("looked"), 0);
    store.drop_receiving(tenant, id).await.expect("nothing to drop");
    assert_eq!(store.recount(tenant, id).await.expect("still there").total, 5);
}

/// Given up by its submitter, or left behind by one that died; the key is free again.
pub async fn what_was_not_received_is_dropped<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "dropped").await;
    let (tenant, lines) = (fixture.tenant, fixture.lines(3).await);
    let new = change(&fixture, amop(&fixture), 6);
    let claim = claim("a", 1);
    let mut mixed = accepted(&lines[..2]);
    mixed.push(refused(2, Code::InvalidIccid));
    for given_up in [true, false] {
        let asked = store.claim_idempotency_key(tenant, &claim, at(30), at(-100), at(0)).await.expect("an answer");
        assert_eq!(asked, Idempotency::Claimed, "free");
        let id = store.begin_receiving(tenant, &new, at(30), Some(&claim)).await.expect("begun");
        store.append_received(tenant, id, &new, 0, mixed.clone(), at(30)).await.expect("a page");
        store.renew_receiving(tenant, id, at(40)).await.expect("renewed");
        if given_up {
            store.drop_receiving(tenant, id).await.expect("dropped");
        } else {
            assert_eq!(store.drop_abandoned(tenant, at(39), 9).await.expect("looked"), 0);
            assert_eq!(store.drop_abandoned(tenant, at(41), 9).await.expect("looked"), 1);
        }
        assert!(matches!(store.get_bulk_change(tenant, KEY, id).await, Err(StoreError::NotFound { .. })));
        assert_eq!(store.list_log(tenant, id, None, None, 9).await.expect("log").items, []);
        assert_eq!(store.count_pages(tenant, id).await.expect("counted"), 0);
        for late in [
            store.renew_receiving(tenant, id, at(99)).await,
            store.append_received(tenant, id, &new, 1, mixed.clone(), at(99)).await,
            store.finish_receiving(tenant, id, &new, Some(&claim), at(50)).await.map(|_| ()),
        ] {
            assert!(matches!(late, Err(StoreError::LeaseLost { .. })), "{late:?}");
        }
    }
}

/// Newest first, in pages.
pub async fn changes_are_listed_newest_first<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "newest first").await;
    let lines = fixture.lines(5).await;
    let mut ids = Vec::new();
    for line in &lines {
        ids.push(stored(&fixture, amop(&fixture), accepted(&[*line])).await);
    }
    ids.reverse();
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = store.list_bulk_changes(fixture.tenant, KEY, before, 2).await.expect("a page");
        seen.extend(page.items.iter().map(|change| change.id));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids);
    let own = store.list_bulk_changes_of(fixture.tenant, KEY, Some(ids[0]), 1).await.expect("a page");
    assert_eq!((own.items[0].id, own.next), (ids[1], (ids.len() > 2).then_some(ids[1])), "what one ordered");
    let nobodys = store.list_bulk_changes_of(fixture.tenant, PrincipalId(KEY.0 + 1), None, 9).await.expect("a page");
    assert_eq!(nobodys.items, []);
}

/// By status and by code, in pages; rows in ERROR by code first.
pub async fn rows_are_listed_by_each_filter<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "rows are listed").await;
    let lines = fixture.lines(3).await;
    let mut rows = accepted(&lines);
    let codes = [Code::InvalidIccid, Code::DeviceNotFound, Code::InvalidIccid, Code::DeviceNotFound, Code::DeviceArchived];
    rows.extend((3..).zip(codes).map(|(position, code)| refused(position, code)));
    let id = stored(&fixture, amop(&fixture), rows).await;
    let listed = async |status, code| {
        let (filter, mut after, mut positions) = (DeviceChangeFilter { status, code }, None, Vec::new());
        loop {
            let page = store.list_device_changes(fixture.tenant, id, filter, after, 2).await.expect("a page");
            assert!(page.items.len() <= 2);
            positions.extend(page.items.iter().map(|row| row.request_position));
            after = page.next;
            if after.is_none() {
                return positions;
            }
        }
    };
    assert_eq!(listed(None, None).await, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(listed(Some(DeviceChangeStatus::New), None).await, [0, 1, 2]);
    assert_eq!(listed(Some(DeviceChangeStatus::Processed), None).await, Vec::<i64>::new());
    assert_eq!(listed(Some(DeviceChangeStatus::Error), None).await, [7, 4, 6, 3, 5], "by code, then in device order");
    for status in [None, Some(DeviceChangeStatus::Error)] {
        assert_eq!(listed(status, Some(Code::DeviceNotFound)).await, [4, 6]);
        assert_eq!(listed(status, Some(Code::RightsLost)).await, Vec::<i64>::new());
    }
    assert_eq!(listed(Some(DeviceChangeStatus::New), Some(Code::DeviceNotFound)).await, Vec::<i64>::new());
    let counted = store.count_errors(fixture.tenant, id).await.expect("counted");
    assert_eq!(counted, [(Code::DeviceArchived, 1), (Code::DeviceNotFound, 2), (Code::InvalidIccid, 2)]);
}

/// By row, attempt and entry, in pages; or of one row.
pub async fn the_log_is_listed_row_by_row<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "the log is listed").await;
    let rows = (0..5).map(|position| refused(position, Code::DeviceNotFound)).collect();
    let id = stored(&fixture, amop(&fixture), rows).await;
    finished(&fixture, id, 10).await;
    let (mut keys, mut after) = (Vec::new(), None);
    loop {
        let page = store.list_log(fixture.tenant, id, None, after, 2).await.expect("a page");
        keys.extend(page.items.iter().map(|entry| LogKey {
            device_change_id: entry.device_change_id.map_or(0, |id| id.0),
            attempt: entry.attempt,
            entry: entry.entry,
        }));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert!(keys.is_sorted());
    assert_eq!((keys.len(), keys[0].device_change_id), (6, 0), "the change as a whole stands first");
    let all = store.list_device_changes(fixture.tenant, id, DeviceChangeFilter::default(), None, 9).await.expect("rows").items;
    for row in all {
        let log = store.list_log(fixture.tenant, id, Some(row.id), None, 9).await.expect("log").items;
        assert_eq!((log.len(), log[0].device_change_id), (1, Some(row.id)));
    }
}
