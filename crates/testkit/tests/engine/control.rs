//! Start and cancel (B10.1), and what a worker finds when it takes a page up later.

use chrono::TimeDelta;
use insta::assert_snapshot;
use lineshift_domain::limits::Limits;
use lineshift_domain::log_text::LogText;
use lineshift_domain::order::{CustomerRatePlanOrder, Effect, EffectiveDate, Order};
use lineshift_domain::reach::Reach;
use lineshift_domain::refusal::RefusalClass;
use lineshift_domain::terms::{BulkChangeStatus, DeviceChangeStatus, PlanQueueState};
use lineshift_engine::{Clock as _, EngineError};
use lineshift_store::access::NewApiKey;
use lineshift_store::work::message_kind;
use lineshift_store_sqlite::Options;
use lineshift_testkit::operator::{Operator, iccid};

/// A conflict with that code.
pub(crate) fn conflict<T: std::fmt::Debug>(result: Result<T, EngineError>, code: &str) {
    let Err(EngineError::Refused(refusal)) = result else { panic!("expected a refusal with {code}, found {result:?}") };
    assert_eq!((refusal.class, refusal.problems[0].code.as_str()), (RefusalClass::Conflict, code), "{refusal}");
}

/// Pages of three lines.
pub(crate) async fn small_pages(lines: u64) -> Operator {
    Operator::with(lines, Limits { page_lines: 3, ..Limits::default() }, Options::default()).await
}

pub(crate) fn assignment(operator: &Operator, lines: u64) -> Order {
    operator.order((1..=lines).map(iccid), operator.amop_assignment())
}

fn held(operator: &Operator, lines: u64) -> Order {
    Order { process_changes: false, ..assignment(operator, lines) }
}

fn scheduled(operator: &Operator, lines: u64) -> Order {
    let date = EffectiveDate::Instant(operator.clock.now() + TimeDelta::days(7));
    let order = CustomerRatePlanOrder { effective_date: Some(date), ..operator.plan_order(operator.plan) };
    operator.order((1..=lines).map(iccid), Effect::CustomerRatePlanChange(order))
}

#[tokio::test]
async fn a_held_change_waits_for_its_start() {
    let operator = Operator::with_lines(3).await;
    let change = operator.run(held(&operator, 3)).await;
    assert_eq!((change.status(), change.is_held(), change.begun_at), (BulkChangeStatus::New, true, None));
    assert_eq!(operator.device(1).await.site_id, None);

    operator.clock.advance(TimeDelta::hours(1));
    let starter = operator.key("starter", "m2m:edit").await;
    let started = operator.engine.start(&starter, change.id).await.expect("started");
    assert_eq!((started.started_at, started.status()), (Some(operator.clock.now()), BulkChangeStatus::New));
    operator.run_until_idle().await;
    let change = operator.change(change.id).await;
    assert_eq!((change.status(), change.counts.processed), (BulkChangeStatus::Processed, 3));
    assert_eq!(operator.device(1).await.modified_by, "operator", "who ordered it, not who started it");
    conflict(operator.engine.start(&operator.caller, change.id).await, "already_begun");
}

#[tokio::test]
async fn only_a_held_change_is_started_and_only_by_who_may_edit() {
    let operator = Operator::with_lines(3).await;
    let running = operator.submit(assignment(&operator, 1)).await;
    conflict(operator.engine.start(&operator.caller, running.id).await, "not_held");
    let order = Order { process_changes: false, ..operator.order([iccid(2)], operator.amop_assignment()) };
    let waiting = operator.submit(order).await;
    let creator = operator.key("creator", "m2m:view m2m:create mobility:edit").await;
    for refused in [
        operator.engine.start(&creator, waiting.id).await.map(|_| ()),
        operator.engine.cancel(&creator, waiting.id).await.map(|_| ()),
        operator.engine.retry(&creator, waiting.id, &[]).await.map(|_| ()),
    ] {
        let Err(EngineError::Refused(refusal)) = refused else { panic!("a creator may not edit: {refused:?}") };
        assert_eq!((refusal.class, refusal.problems[0].code.as_str()), (RefusalClass::Forbidden, "permission_missing"));
    }
    assert!(operator.change(waiting.id).await.is_held());
}

#[tokio::test]
async fn a_change_canceled_before_it_began_leaves_every_line_as_it_was() {
    for order in [assignment, held] {
        let operator = small_pages(7).await;
        let submitted = operator.submit(order(&operator, 8)).await;
        operator.clock.advance(TimeDelta::minutes(5));
        let canceled = operator.engine.cancel(&operator.caller, submitted.id).await.expect("canceled");
        assert_eq!((canceled.counts.canceled, canceled.counts.error, canceled.counts.open), (7, 1, 0), "worker or not");
        operator.run_until_idle().await;
        let change = operator.change(submitted.id).await;
        assert_eq!(change.status(), BulkChangeStatus::Error, "the line that was refused stands with its reason");
        assert_eq!(change.canceled_at, Some(operator.clock.now()));
        assert!(change.processed_at.is_some());
        for line in 1..=7 {
            assert_eq!((operator.device(line).await.site_id, operator.device(line).await.version), (None, 1));
        }
        assert_eq!(operator.shown_cross_provider_history().await, "");
        conflict(operator.engine.cancel(&operator.caller, submitted.id).await, "nothing_to_cancel");
        conflict(operator.engine.start(&operator.caller, submitted.id).await, "already_begun");
    }
}

#[tokio::test]
async fn a_canceled_change_says_so_line_by_line() {
    let operator = Operator::with_lines(2).await;
    let submitted = operator.submit(held(&operator, 2)).await;
    operator.engine.cancel(&operator.caller, submitted.id).await.expect("canceled");
    assert_eq!(operator.change(submitted.id).await.status(), BulkChangeStatus::Canceled);
    assert_snapshot!(operator.shown_rows(submitted.id).await, @r"
    0 89445000000000000017 CANCELED - - #1 -
    1 89445000000000000027 CANCELED - - #1 -
    ");
    assert_snapshot!(operator.shown_log(submitted.id).await, @r#"
    row 0 #1.90 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Bulk Change Completed
      response: {"status":"CANCELED","total":2,"processed":0,"error":0,"canceled":2,"rejected":0,"seconds":0.000}
    row 1 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Cancel: Device Canceled
      request: Process | 89445000000000000017
      response: canceled
    row 2 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Cancel: Device Canceled
      request: Process | 89445000000000000027
      response: canceled
    "#);
}

#[tokio::test]
async fn the_page_in_hand_is_the_last_of_a_canceled_change() {
    let operator = small_pages(12).await;
    let submitted = operator.submit(assignment(&operator, 12)).await;
    operator.run_one_page(submitted.id).await;
    let in_hand = operator.claim(submitted.id, "a worker").await.expect("the second page");

    let canceled = operator.engine.cancel(&operator.caller, submitted.id).await.expect("canceled");
    assert_eq!((canceled.counts.processed, canceled.counts.canceled, canceled.counts.open), (3, 6, 3));
    assert_eq!(canceled.status(), BulkChangeStatus::Processing);
    // The worker had not opened its page yet, so that it finds it canceled.
    operator.run_page(&in_hand).await;
    operator.run_until_idle().await;
    let change = operator.change(submitted.id).await;
    assert_eq!((change.counts.processed, change.counts.canceled, change.status()), (3, 9, BulkChangeStatus::Partial));
    for line in 1..=12 {
        let expected = (line <= 3).then_some(operator.amop_site);
        assert_eq!(operator.device(line).await.site_id, expected, "line {line}");
    }
    let text = operator.shown_cross_provider_history().await;
    assert_eq!(text.lines().count(), 3, "what was done is in the history:\n{text}");
}

#[tokio::test]
async fn canceling_takes_the_queue_entries_back_that_were_not_applied_yet() {
    let operator = small_pages(9).await;
    let submitted = operator.submit(scheduled(&operator, 9)).await;
    operator.run_one_page(submitted.id).await;
    assert_eq!(operator.open_entries().await.len(), 3);
    let canceled = operator.engine.cancel(&operator.caller, submitted.id).await.expect("canceled");
    assert_eq!((canceled.counts.processed, canceled.counts.canceled), (3, 6));
    assert_eq!(operator.open_entries().await, []);
    let entries = operator.entries(submitted.id, PlanQueueState::Canceled).await;
    assert_eq!(entries.len(), 3);
    for entry in entries {
        assert_eq!(entry.status_details.as_deref(), Some("bulk change canceled"));
        let log = operator.log(submitted.id).await;
        let said = log.iter().find(|said| {
            said.device_change_id == Some(entry.id) && said.description == LogText::CancelScheduledRatePlan.as_str()
        });
        assert_eq!(said.and_then(|said| said.response_text.as_deref()), Some("canceled by operator with its bulk change"));
    }
    operator.clock.advance(TimeDelta::days(8));
    operator.run_until_idle().await;
    assert_eq!(operator.device(1).await.customer_rate_plan_id, None);
    assert_eq!(operator.history(1).await, []);
}

#[tokio::test]
async fn entries_that_the_page_in_hand_makes_after_the_cancel_are_taken_back_too() {
    let operator = small_pages(6).await;
    let submitted = operator.submit(scheduled(&operator, 6)).await;
    let claim = operator.claim(submitted.id, "a worker").await.expect("the first page");
    // Its transaction stood before the cancel: it has read the order as not canceled.
    operator.run_page(&claim).await;
    operator.engine.cancel(&operator.caller, submitted.id).await.expect("canceled");
    operator.run_until_idle().await;
    assert_eq!(operator.open_entries().await, []);
    assert_eq!(operator.change(submitted.id).await.counts.canceled, 3);
}

#[tokio::test]
async fn a_finished_change_is_canceled_only_for_its_open_queue_entries() {
    let operator = Operator::with_lines(4).await;
    let done = operator.run(operator.order([iccid(4)], operator.amop_assignment())).await;
    conflict(operator.engine.cancel(&operator.caller, done.id).await, "nothing_to_cancel");

    let change = operator.run(scheduled(&operator, 2)).await;
    assert_eq!((change.status(), operator.open_entries().await.len()), (BulkChangeStatus::Processed, 2));
    let canceled = operator.engine.cancel(&operator.caller, change.id).await.expect("canceled");
    assert_eq!((canceled.status(), canceled.counts.processed), (BulkChangeStatus::Processed, 2), "its rows stay as they are");
    assert_eq!(operator.entries(change.id, PlanQueueState::Canceled).await.len(), 2);
    conflict(operator.engine.cancel(&operator.caller, change.id).await, "nothing_to_cancel");

    let applied = operator.run(scheduled(&operator, 2)).await;
    operator.clock.advance(TimeDelta::days(7));
    operator.run_until_idle().await;
    assert_eq!(operator.entries(applied.id, PlanQueueState::Applied).await.len(), 2);
    conflict(operator.engine.cancel(&operator.caller, applied.id).await, "nothing_to_cancel");
}

#[tokio::test]
async fn a_lost_lease_changes_nothing() {
    let operator = small_pages(3).await;
    let submitted = operator.submit(assignment(&operator, 3)).await;
    let slow = operator.claim(submitted.id, "slow").await.expect("the page");
    assert_eq!(operator.claim(submitted.id, "quick").await, None, "it is held");
    operator.clock.advance(TimeDelta::seconds(30));
    let quick = operator.claim(submitted.id, "quick").await.expect("its lease has run out");
    assert!(quick.epoch > slow.epoch);
    let lost = operator.engine.run_page(&slow).await.expect_err("the slow one lost it");
    assert_eq!(lost.to_string(), format!("the lease on page 0 of bulk change {} was lost", submitted.id));
    let until = operator.clock.now() + TimeDelta::seconds(30);
    assert!(operator.store.renew_lease(&slow, until).await.is_err());
    assert!(operator.store.give_back_page(&slow, until).await.is_err());
    assert_eq!(operator.device(1).await.site_id, None);
    operator.engine.run_page(&quick).await.expect("run");
    assert_eq!(operator.outcomes(submitted.id).await, ["PROCESSED"; 3]);
    assert!(operator.engine.run_page(&quick).await.is_err(), "closed: the same claim runs once");
}

/// The orderer's key, and how it is lost after the order was stored.
#[tokio::test]
async fn rights_lost_before_the_page_ran_end_every_line() {
    for lose in ["revoke", "expire"] {
        let operator = Operator::with_lines(3).await;
        let (scopes, now) = ("m2m:create".parse().expect("scopes"), operator.clock.now());
        let expires_at = (lose == "expire").then_some(now + TimeDelta::minutes(1));
        let key = NewApiKey { name: "guest".to_owned(), secret_hash: [3; 32], scopes, reach: Reach::Everything, expires_at };
        let principal = operator.store.create_api_key(operator.tenant(), &key, now).await.expect("a key");
        let guest = lineshift_engine::Caller {
            tenant: operator.tenant(),
            principal,
            name: key.name,
            rights: lineshift_domain::rights::Rights::unlimited(key.scopes),
        };
        let submission = operator.engine.submit(&guest, assignment(&operator, 3), None).await.expect("submitted");
        let lineshift_engine::Submission::Stored(submitted) = submission else { panic!("stored: {submission:?}") };
        match lose {
            "revoke" => operator.store.revoke_api_key(operator.tenant(), principal, now).await.expect("revoked"),
            _ => operator.clock.advance(TimeDelta::minutes(1)),
        }
        operator.run_until_idle().await;
        assert_eq!(operator.outcomes(submitted.id).await, ["rights_lost"; 3], "{lose}");
        let row = &operator.rows(submitted.id).await[0];
        assert_eq!(row.error_kind, Some(lineshift_domain::codes::ErrorKind::Permission));
        let details = row.status_details.as_deref().expect("it is said why");
        assert!(
            details.contains("the key was revoked or has expired") && details.contains("order as somebody who may"),
            "{details}"
        );
        assert_eq!(operator.row_ids(submitted.id, DeviceChangeStatus::Error).await.len(), 3);
        assert_eq!(operator.device(1).await.site_id, None);
    }
}

#[tokio::test]
async fn a_change_is_announced_once_when_stored_and_once_when_done() {
    let operator = small_pages(7).await;
    let submitted = operator.submit(assignment(&operator, 7)).await;
    let kinds = async || -> Vec<String> {
        let messages = operator.store.take_messages(100).await.expect("messages");
        assert!(messages.iter().all(|message| message.bulk_change_id == submitted.id));
        messages.into_iter().map(|message| message.kind).collect()
    };
    assert_eq!(kinds().await, [message_kind::SUBMITTED]);
    operator.run_until_idle().await;
    operator.run_until_idle().await;
    assert_eq!(kinds().await, [message_kind::COMPLETED]);
    assert_eq!(kinds().await, Vec::<String>::new());
    let completed: Vec<_> =
        operator.log(submitted.id).await.into_iter().filter(|entry| entry.device_change_id.is_none()).collect();
    assert_eq!(completed.len(), 1, "completed once");
}
