//! Who lost the lease changes nothing (B5.1), an entry takes effect at most once (B8.3), a key makes one change (B4.5), a
//! retry that was overtaken opens nothing (B10.2): each of these fails when its guard is taken out of the store.

use std::sync::Arc;
use std::task::{Context, Waker};

use chrono::TimeDelta;
use lineshift_domain::codes::Code;
use lineshift_domain::facts::Holds;
use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::limits::Limits;
use lineshift_domain::terms::BulkChangeStatus;
use lineshift_engine::{Clock as _, Submission, WorkerOptions};
use lineshift_store::bulk_changes::{Idempotency, NewBulkChange, Reopening};
use lineshift_store::devices::FactsQuery;
use lineshift_store::work::{CalledAccounts, PageClaim, PageTask, RunnableChange};
use lineshift_store::{Store, StoreError};
use lineshift_testkit::crash::{Standing, check_invariants, look, open_options, settle};
use lineshift_testkit::operator::Operator;

use crate::orders::{assignment_with_plan, key, latest, refused, scheduled, submit_with_key};

async fn operator_with(lines: u64) -> Operator {
    let limits = Limits { page_lines: 4, ..Limits::default() };
    let operator = Operator::with(0, limits, open_options(None)).await;
    operator.add_lines(operator.jasper, 1..=lines).await;
    operator
}

/// The same store, opened by another process as it were.
async fn beside(operator: &Operator) -> Arc<dyn Store> {
    operator.stored.beside(open_options(None)).await.store()
}

async fn claim(operator: &Operator, store: &dyn Store, id: BulkChangeId) -> PageClaim {
    let change = RunnableChange { tenant_id: operator.tenant(), bulk_change_id: id };
    let now = operator.clock.now();
    let until = now + operator.engine.limits().lease();
    store.claim_page(change, "somebody", until, now).await.expect("a claim").expect("a page is ready")
}

fn assert_lost<T>(answer: Result<T, StoreError>, what: &str) {
    match answer {
        Err(StoreError::LeaseLost { .. }) => {}
        Err(other) => panic!("{what}: {other:?}"),
        Ok(_) => panic!("{what}: it went on without its lease"),
    }
}

/// Everything about pages, epochs and leases included.
async fn pages(operator: &Operator) -> Vec<String> {
    look(&operator.stored, "SELECT * FROM device_bulk_change_page ORDER BY bulk_change_id, page").await
}

/// All that a worker may try with its claim.
async fn try_everything(operator: &Operator, lost: &PageClaim) {
    let (store, now) = (&operator.store, operator.clock.now());
    let before = (Standing::of(&operator.stored).await, pages(operator).await);
    assert_lost(store.renew_lease(lost, now + TimeDelta::seconds(30)).await, "renew_lease");
    assert_lost(store.open_page(lost, now).await.map(|_| ()), "open_page");
    assert_lost(operator.engine.run_page(lost).await, "run_page");
    assert_lost(store.complete_page(lost, now).await, "complete_page");
    assert_lost(store.fail_page(lost, Code::StoreFailed, "gave up", now).await, "fail_page");
    assert_lost(store.give_back_page(lost, now).await, "give_back_page");
    Standing::of(&operator.stored).await.assert_same(&before.0, "a worker that lost its lease tried");
    assert_eq!(pages(operator).await, before.1);
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_changes_nothing() {
    let operator = operator_with(8).await;
    let other = beside(&operator).await;
    let id = operator.submit(assignment_with_plan(&operator, 1..=8)).await.id;
    for task in [PageTask::Run, PageTask::Complete] {
        let mut slow = Vec::new();
        let mut quick = Vec::new();
        for _ in 0..2 {
            slow.push(claim(&operator, &*operator.store, id).await);
        }
        operator.clock.advance(TimeDelta::seconds(31));
        for _ in 0..2 {
            quick.push(claim(&operator, &*other, id).await);
        }
        for (slow, quick) in slow.iter().zip(&quick) {
            assert_eq!((slow.page, slow.task, slow.epoch + 1), (quick.page, task, quick.epoch));
            // While the other has it, and when it is done with it.
            try_everything(&operator, slow).await;
            match task {
                PageTask::Run => assert_eq!(operator.engine.run_page(quick).await.expect("it has the lease").processed, 4),
                PageTask::Complete => {
                    operator.store.complete_page(quick, operator.clock.now()).await.expect("it has the lease");
                }
            }
            try_everything(&operator, slow).await;
        }
        // Pages that were run stay in the hands of who ran them, to be completed, until he is lost, too.
        operator.clock.advance(TimeDelta::seconds(31));
    }
    settle(&operator).await;
    assert_eq!(operator.change(id).await.status(), BulkChangeStatus::Processed);
    check_invariants(&operator.stored).await;
}

/// A page in hand cannot be taken by another process, and what was not finished is as if it had not begun.
#[tokio::test]
async fn a_page_that_is_not_finished_leaves_nothing() {
    let operator = operator_with(4).await;
    let id = operator.submit(assignment_with_plan(&operator, 1..=4)).await.id;
    let held = claim(&operator, &*operator.store, id).await;
    let before = Standing::of(&operator.stored).await;
    let mut page = operator.store.open_page(&held, operator.clock.now()).await.expect("it is open");
    let order = page.order().clone();
    assert_eq!(page.list_open_lines(FactsQuery::all(Holds::NONE, None)).await.expect("lines").len(), 4);
    for step in lineshift_engine::set_steps(&order) {
        assert_eq!(step.apply(&order, page.as_mut()).await.expect("it is done").lines_changed, 4);
    }
    drop(page);
    Standing::of(&operator.stored).await.assert_same(&before, "a page was dropped");
    // It still has the lease.
    operator.run_page(&held).await;
    settle(&operator).await;
    check_invariants(&operator.stored).await;
}

/// A caller who goes away while a transaction begins leaves the writer free.
#[tokio::test]
async fn a_transaction_whose_caller_goes_away_does_not_stay_open() {
    let operator = operator_with(4).await;
    let id = operator.submit(assignment_with_plan(&operator, 1..=4)).await.id;
    let held = claim(&operator, &*operator.store, id).await;
    let mut opening = operator.store.open_page(&held, operator.clock.now());
    // Polled once it waits for the writer; if the writer was quicker, the open page goes away instead.
    drop(opening.as_mut().poll(&mut Context::from_waker(Waker::noop())));
    drop(opening);
    operator.run_page(&held).await;
    settle(&operator).await;
    check_invariants(&operator.stored).await;
}

#[tokio::test]
async fn a_due_entry_takes_effect_at_most_once() {
    let operator = operator_with(8).await;
    let other = beside(&operator).await;
    let change = operator.run(scheduled(&operator, 1..=8)).await;
    operator.clock.set(crate::orders::PAST_DUE);
    let (tenant, now) = (operator.tenant(), operator.clock.now());
    let first = operator.store.open_due(tenant, 4, now).await.expect("entries").expect("entries are due");
    let seen: Vec<_> = first.entries().iter().map(|entry| entry.id).collect();
    // The other asks while the first has them in hand, and is answered when it is done.
    let asking = tokio::spawn({
        let other = other.clone();
        async move { other.open_due(tenant, 8, now).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(first.finish(&[]).await.expect("they are applied").applied, 4);
    let second = asking.await.expect("it asks").expect("entries").expect("four are left");
    assert_eq!(second.entries().len(), 4);
    assert!(second.entries().iter().all(|entry| !seen.contains(&entry.id)), "an entry was handed out twice");
    // Dropped: as if it had not begun.
    drop(second);
    let third = other.open_due(tenant, 8, now).await.expect("entries").expect("four are left");
    assert_eq!(third.finish(&[]).await.expect("they are applied").applied, 4);
    assert!(operator.store.open_due(tenant, 8, now).await.expect("no entries").is_none());
    settle(&operator).await;
    let histories = look(&operator.stored, "SELECT count(*), count(DISTINCT device_id) FROM device_action_history").await;
    assert_eq!(histories, ["8 | 8"]);
    assert_eq!(operator.change(change.id).await.scheduled_failed, 0);
    check_invariants(&operator.stored).await;
}

/// The change as a submitter would store it by itself.
async fn new_change(operator: &Operator, like: BulkChangeId, rows: usize) -> NewBulkChange {
    let view = operator.change(like).await;
    NewBulkChange {
        order: view.order,
        portal: view.portal,
        service_provider_id: view.service_provider_id,
        identifier: view.identifier,
        name: None,
        reason: None,
        orderer: operator.caller.orderer(),
        created_at: operator.clock.now(),
        process_changes: true,
        holds: lineshift_domain::facts::Holds::CUSTOMER_AND_PLAN,
        rows,
        duplicates: 0,
        page_lines: 4,
        accounts: CalledAccounts::NONE,
    }
}

async fn claim_key(operator: &Operator) {
    let now = operator.clock.now();
    let until = now + operator.engine.limits().lease();
    let claimed = operator.store.claim_idempotency_key(operator.tenant(), &key(operator), until, now, now).await;
    assert_eq!(claimed.expect("a claim"), Idempotency::Claimed);
}

async fn changes(operator: &Operator) -> String {
    look(&operator.stored, "SELECT count(*) FROM device_bulk_change").await.remove(0)
}

/// A submitter that was too slow, in one transaction: whoever repeated its request meanwhile has the key.
#[tokio::test]
async fn a_key_whose_claim_ran_out_makes_one_change() {
    let operator = operator_with(4).await;
    let like = operator.run(assignment_with_plan(&operator, [99])).await.id;
    claim_key(&operator).await;
    let slow = new_change(&operator, like, 0).await;
    let order = || assignment_with_plan(&operator, 1..=4);
    assert_eq!(submit_with_key(&operator, order()).await, Err("idempotency_key_running".to_owned()));
    operator.clock.advance(TimeDelta::seconds(31));
    let answer = submit_with_key(&operator, order()).await.expect("the claim ran out");
    let (tenant, claim) = (operator.tenant(), key(&operator));
    assert_lost(operator.store.store_bulk_change(tenant, &slow, Vec::new(), Some(&claim)).await, "store_bulk_change");
    assert_lost(operator.store.begin_receiving(tenant, &slow, operator.clock.now(), Some(&claim)).await, "begin_receiving");
    assert_eq!(submit_with_key(&operator, order()).await, Ok(answer));
    assert_eq!(changes(&operator).await, "2");
    settle(&operator).await;
    check_invariants(&operator.stored).await;
}

/// The same of a large order: the slow one is not dropped yet, and comes back in the middle of it.
#[tokio::test]
async fn a_received_change_whose_key_was_taken_over_is_not_stored() {
    let operator = operator_with(8).await;
    let other = lineshift_engine::Engine::new(
        beside(&operator).await,
        Arc::clone(&operator.clock) as Arc<dyn lineshift_engine::Clock>,
        *operator.engine.limits(),
    );
    let like = operator.run(assignment_with_plan(&operator, [99])).await.id;
    claim_key(&operator).await;
    let (tenant, claim) = (operator.tenant(), key(&operator));
    let slow = new_change(&operator, like, 0).await;
    let until = operator.clock.now() + TimeDelta::seconds(30);
    let id = operator.store.begin_receiving(tenant, &slow, until, Some(&claim)).await.expect("it begins");
    operator.clock.advance(TimeDelta::seconds(31));
    let order = assignment_with_plan(&operator, 1..=8);
    let quick = other.submit(&operator.caller, order, Some(claim.clone())).await.expect("the claim ran out");
    let Submission::Stored(quick) = quick else { panic!("nobody answered before") };
    let now = operator.clock.now();
    assert_lost(operator.store.finish_receiving(tenant, id, &slow, Some(&claim), now).await, "finish_receiving");
    operator.store.drop_receiving(tenant, id).await.expect("it is dropped");
    assert_eq!(submit_with_key(&operator, assignment_with_plan(&operator, 1..=8)).await, Ok(quick.answer()));
    assert_eq!(changes(&operator).await, "2");
    settle(&operator).await;
    check_invariants(&operator.stored).await;
}

/// The same while the other is still receiving: the slow one must not answer under a key that is tied to another change.
#[tokio::test]
async fn a_key_that_is_tied_to_another_change_is_not_answered() {
    let operator = operator_with(8).await;
    let like = operator.run(assignment_with_plan(&operator, [99])).await.id;
    let (tenant, claim) = (operator.tenant(), key(&operator));
    let mut begun = Vec::new();
    for _ in 0..2 {
        claim_key(&operator).await;
        let change = new_change(&operator, like, 0).await;
        let until = operator.clock.now() + TimeDelta::seconds(30);
        let id = operator.store.begin_receiving(tenant, &change, until, Some(&claim)).await.expect("it begins");
        begun.push((id, change));
        operator.clock.advance(TimeDelta::seconds(31));
    }
    let now = operator.clock.now();
    let (slow, change) = &begun[0];
    assert_lost(operator.store.finish_receiving(tenant, *slow, change, Some(&claim), now).await, "finish_receiving");
    settle(&operator).await;
    assert_eq!(changes(&operator).await, "1", "both are dropped");
    submit_with_key(&operator, assignment_with_plan(&operator, 1..=8)).await.expect("the key is free");
    settle(&operator).await;
    check_invariants(&operator.stored).await;
}

/// A retry that slept between two pages: the first was run and the change completed meanwhile.
#[tokio::test]
async fn a_retry_that_was_overtaken_opens_nothing() {
    let operator = operator_with(8).await;
    operator.import(&[1, 8].map(|line| operator.line(operator.jasper, line, "RETIRED"))).await;
    let id = operator.run(assignment_with_plan(&operator, 1..=8)).await.id;
    operator.import(&[1, 8].map(|line| operator.line(operator.jasper, line, "ACTIVATED"))).await;
    let now = operator.clock.now();
    let reopening = Reopening {
        codes: Vec::new(),
        holds: lineshift_domain::facts::Holds::CUSTOMER_AND_PLAN,
        attempt: 2,
        begins: true,
        by: operator.caller.orderer(),
        until: now + TimeDelta::seconds(30),
        now,
    };
    assert_eq!(operator.store.reopen_page(operator.tenant(), id, 0, &reopening).await.expect("it opens"), 1);
    operator.engine.run_pages_until_idle(&WorkerOptions { owner: "other".to_owned() }).await.expect("pages run");
    assert_eq!(operator.change(id).await.processed_at, None, "it waits for the retry");
    assert_eq!(refused(operator.engine.retry(&operator.caller, id, &[]).await).as_deref(), Some("not_finished"));
    operator.clock.advance(TimeDelta::seconds(31));
    settle(&operator).await;
    let before = Standing::of(&operator.stored).await;
    let late = operator.store.reopen_page(operator.tenant(), id, 1, &reopening).await;
    assert!(matches!(late, Err(StoreError::Conflict { .. })), "{late:?}");
    Standing::of(&operator.stored).await.assert_same(&before, "a retry went on without its lease");
    let again = operator.engine.retry(&operator.caller, id, &[]).await.expect("it is retried");
    assert_eq!((again.rows, again.attempt), (1, 3));
    settle(&operator).await;
    assert_eq!(latest(&operator).await.expect("it was ordered").status(), BulkChangeStatus::Processed);
    check_invariants(&operator.stored).await;
}
