//! `Idempotency-Key` (B4.5), as the engine keeps it: per tenant and caller, for 24 hours.

use chrono::TimeDelta;
use lineshift_domain::order::Order;
use lineshift_domain::refusal::RefusalClass;
use lineshift_engine::{Caller, Clock as _, EngineError, Submission};
use lineshift_store::bulk_changes::{Idempotency, IdempotencyClaim};
use lineshift_testkit::operator::{Operator, iccid};

use crate::control::{assignment, conflict, small_pages};

fn claim(caller: &Caller, body: u8) -> IdempotencyClaim {
    IdempotencyClaim { caller: caller.principal, key: "order 66".to_owned(), body_hash: [body; 32] }
}

async fn submit(operator: &Operator, caller: &Caller, order: Order, body: u8) -> lineshift_engine::Result<Submission> {
    operator.engine.submit(caller, order, Some(claim(caller, body))).await
}

fn answer(submission: Submission) -> String {
    match submission {
        Submission::Stored(stored) => stored.answer(),
        Submission::Repeated(answer) => format!("again: {answer}"),
    }
}

#[tokio::test]
async fn the_same_request_is_answered_as_the_first_was() {
    // At once, and page by page.
    for operator in [Operator::with_lines(4).await, small_pages(4).await] {
        let order = || operator.order((0..=4).chain([1]).map(iccid), operator.amop_assignment());
        let first = answer(submit(&operator, &operator.caller, order(), 1).await.expect("stored"));
        assert_eq!(first, r#"{"Success":true,"BulkChangeId":1,"Accepted":4,"Rejected":1,"Duplicates":1}"#);
        operator.run_until_idle().await;
        operator.clock.advance(TimeDelta::hours(24));
        let second = answer(submit(&operator, &operator.caller, order(), 1).await.expect("answered"));
        assert_eq!(second, format!("again: {first}"));
        assert_eq!(operator.changes_seen_by(&operator.caller).await, 1, "nothing was stored twice");
    }
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let operator = Operator::with_lines(2).await;
    submit(&operator, &operator.caller, assignment(&operator, 2), 1).await.expect("stored");
    let other = operator.order([iccid(1)], operator.plan_change(operator.plan));
    let Err(EngineError::Refused(refusal)) = submit(&operator, &operator.caller, other, 2).await else {
        panic!("the key was used with another body");
    };
    assert_eq!((refusal.class, refusal.problems[0].code.as_str()), (RefusalClass::Rule, "idempotency_key_reused"));
    assert_eq!(refusal.problems[0].field, "Idempotency-Key");
    assert_eq!(operator.changes_seen_by(&operator.caller).await, 1);
}

#[tokio::test]
async fn while_the_first_runs_the_second_waits() {
    let operator = Operator::with_lines(2).await;
    let now = operator.clock.now();
    let until = now + operator.engine.limits().lease();
    let first = claim(&operator.caller, 1);
    let claimed = operator.store.claim_idempotency_key(operator.tenant(), &first, until, now, now).await.expect("claimed");
    assert_eq!(claimed, Idempotency::Claimed);
    let again = async || submit(&operator, &operator.caller, assignment(&operator, 2), 1).await;
    conflict(again().await, "idempotency_key_running");
    let other = submit(&operator, &operator.caller, assignment(&operator, 1), 2).await;
    assert!(matches!(other, Err(EngineError::Refused(refusal)) if refusal.problems[0].code == "idempotency_key_reused"));
    assert_eq!(operator.changes_seen_by(&operator.caller).await, 0);
    // The first was killed and never comes back.
    operator.clock.advance(TimeDelta::seconds(30));
    answer(again().await.expect("stored"));
    assert_eq!(operator.changes_seen_by(&operator.caller).await, 1);
}

#[tokio::test]
async fn a_refusal_is_not_kept() {
    let operator = Operator::with_lines(2).await;
    operator.close_site(operator.amop_site).await;
    let refused = submit(&operator, &operator.caller, assignment(&operator, 2), 1).await;
    assert!(matches!(refused, Err(EngineError::Refused(_))), "{refused:?}");
    // Put right, under the same key, with the same body or another.
    let order = operator.order((1..=2).map(iccid), operator.plan_change(operator.plan));
    let stored = answer(submit(&operator, &operator.caller, order, 2).await.expect("stored"));
    assert!(stored.contains("\"Accepted\":2"), "{stored}");
}

#[tokio::test]
async fn a_key_is_kept_for_24_hours() {
    let operator = Operator::with_lines(2).await;
    submit(&operator, &operator.caller, assignment(&operator, 2), 1).await.expect("stored");
    operator.run_until_idle().await;
    operator.clock.advance(TimeDelta::hours(24) + TimeDelta::microseconds(1));
    let order = operator.order((1..=2).map(iccid), operator.plan_change(operator.plan));
    let stored = answer(submit(&operator, &operator.caller, order, 2).await.expect("stored"));
    assert_eq!(stored, r#"{"Success":true,"BulkChangeId":2,"Accepted":2,"Rejected":0,"Duplicates":0}"#);
}

#[tokio::test]
async fn a_key_belongs_to_its_caller_and_tenant() {
    let operator = Operator::with_lines(2).await;
    let other = operator.beside("Another operator", 2).await;
    let colleague = operator.key("colleague", "*").await;
    submit(&operator, &operator.caller, assignment(&operator, 1), 1).await.expect("stored");
    operator.run_until_idle().await;
    let theirs = submit(&operator, &colleague, assignment(&operator, 2), 2).await.expect("stored");
    assert!(matches!(theirs, Submission::Stored(_)), "{theirs:?}");
    let others = submit(&other, &other.caller, assignment(&other, 2), 3).await.expect("stored");
    assert!(matches!(others, Submission::Stored(_)), "{others:?}");
}
