//! What an order would do, said before it is stored; and an order that is stored only as it was seen.

use std::str::FromStr as _;

use chrono::TimeDelta;
use lineshift_domain::codes::Code;
use lineshift_domain::judge::Verdict;
use lineshift_domain::order::{AssignmentOrder, CustomerRatePlanOrder, Effect, EffectiveDate, Order, PlanValues, Setting};
use lineshift_domain::refusal::RefusalClass;
use lineshift_domain::terms::PortalType;
use lineshift_engine::{Amount, Clock as _, EngineError, JudgementDigest, Preview, Previewed, Submission};
use lineshift_store::bulk_changes::IdempotencyClaim;
use lineshift_store::import::ImportDevice;
use lineshift_testkit::billing::{BillingWorld, product};
use lineshift_testkit::operator::{Operator, iccid, number};
use rust_decimal::Decimal;

use crate::control::{assignment, conflict, small_pages};

fn claim(operator: &Operator, key: &str) -> IdempotencyClaim {
    IdempotencyClaim { caller: operator.caller.principal, key: key.to_owned(), body_hash: [1; 32] }
}

async fn preview(operator: &Operator, order: &Order) -> Preview {
    operator.engine.preview(&operator.caller, order).await.expect("a preview")
}

async fn submit(operator: &Operator, order: Order, seen: JudgementDigest, key: &str) -> lineshift_engine::Result<Previewed> {
    let claim = claim(operator, key);
    operator.engine.submit_previewed(&operator.caller, PortalType::M2M, &claim, seen, async { Ok(order) }).await
}

/// The new preview of an order that was not stored.
async fn changed(operator: &Operator, order: Order, seen: JudgementDigest) -> Preview {
    let before = operator.changes_seen_by(&operator.caller).await;
    let Ok(Previewed::Changed(preview)) = submit(operator, order, seen, "it has changed").await else {
        panic!("it was stored although it has changed")
    };
    assert_eq!(operator.changes_seen_by(&operator.caller).await, before, "nothing of it is left");
    assert_ne!(preview.digest, seen);
    *preview
}

fn stored(previewed: lineshift_engine::Result<Previewed>) -> lineshift_engine::Submitted {
    match previewed {
        Ok(Previewed::Submitted(Submission::Stored(submitted))) => submitted,
        other => panic!("it was not stored: {other:?}"),
    }
}

fn money(text: &str) -> Decimal {
    Decimal::from_str(text).expect("an amount")
}

fn both(operator: &Operator) -> Effect {
    let plan = PlanValues { plan: Setting::Set(operator.plan), ..PlanValues::default() };
    Effect::CustomerAssignment(AssignmentOrder { customer_rate_plan: Some(plan), ..operator.rev_assignment() })
}

#[tokio::test]
async fn a_preview_says_what_would_become_of_every_line() {
    let operator = Operator::with_lines(6).await;
    operator.import(&[ImportDevice { is_archived: true, ..operator.line(operator.jasper, 5, "ACTIVATED") }]).await;
    operator.run(operator.order([iccid(1)], both(&operator))).await;
    let lines = [1, 2, 3, 99, 5, 98, 3].map(iccid).into_iter().chain(["8.9E+19".to_owned()]);
    let order = operator.order(lines, both(&operator));
    let seen = preview(&operator, &order).await;
    assert_eq!((seen.accepted, seen.already_so, seen.rejected(), seen.duplicates), (2, 1, 4, 1));
    let reasons: Vec<(Code, i64)> = seen.refused.iter().map(|reason| (reason.code, reason.count)).collect();
    assert_eq!(reasons, [(Code::DeviceNotFound, 2), (Code::DeviceArchived, 1), (Code::InvalidIccid, 1)]);
    assert_eq!(seen.refused[0].examples.iter().map(|(line, _)| line.clone()).collect::<Vec<_>>(), [iccid(98), iccid(99)]);
    assert_eq!(seen.refused[2].examples, [("8.9E+19".to_owned(), "\"8.9E+19\" is no ICCID of 18 to 22 digits".to_owned())]);
    let mut places: Vec<u32> = seen.refused_places.iter().map(|(place, _)| *place).collect();
    places.sort_unstable();
    assert_eq!(places, [3, 4, 5, 7]);
    assert_eq!((seen.services, seen.calls.len(), seen.open_entries, seen.canceled_entries), (0, 0, Some(0), 0));
    // Two lines without a plan come to one of 9.90 each.
    let plans = seen.plans.expect("a plan is ordered");
    assert_eq!((plans.before, plans.after), (Amount::default(), Amount { known: money("19.80"), unknown: 0 }));
    assert_eq!(operator.changes_seen_by(&operator.caller).await, 1, "a preview stores nothing");
    let validated = operator.engine.validate(&operator.caller, order.clone()).await.expect("validated");
    assert_eq!((validated.accepted, validated.rejected), (3, 4), "it judges as everything does");

    let page = Order { lines: [2, 99, 1].map(iccid).into_iter().collect(), ..order };
    let shown = operator.engine.preview_lines(&operator.caller, &page).await.expect("lines").lines;
    assert_eq!(shown.iter().map(|line| line.position).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!((&shown[0].verdict, &shown[2].verdict), (&Verdict::Accepted, &Verdict::AlreadySo));
    assert!(matches!(&shown[1].verdict, Verdict::Refused(reason) if reason.code == Code::DeviceNotFound));
    let (before, after) = (&shown[0].before, &shown[0].after);
    assert_eq!((before.rev_customer_id, before.site_id, before.customer_rate_plan_id), (None, None, None));
    assert_eq!((after.rev_customer_id, after.site_id), (Some(operator.rev_customer), Some(operator.rev_site)));
    assert_eq!((after.customer_rate_plan_id, after.customer_data_allocation_mb), (Some(operator.plan), Some(Decimal::from(500))));
    assert_eq!((after.status.as_ref(), after.carrier_rate_plan.as_ref()), (None, None), "the order leaves them alone");
    assert_eq!(shown[2].before, shown[2].after, "nothing is done");
}

#[tokio::test]
async fn what_a_service_and_a_plan_cost_and_what_waits_is_said() {
    let world = BillingWorld::with_lines(3).await;
    let operator = &world.operator;
    let date = operator.clock.now() + TimeDelta::days(7);
    for days in [3, 30] {
        let at = EffectiveDate::Instant(operator.clock.now() + TimeDelta::days(days));
        let later = CustomerRatePlanOrder { effective_date: Some(at), ..operator.plan_order(operator.other_plan) };
        operator.run(operator.order([iccid(1)], Effect::CustomerRatePlanChange(later))).await;
    }
    let mut priceless = operator.store.get_customer_rate_plan(operator.tenant(), operator.other_plan).await.expect("a plan");
    priceless.monthly_price = None;
    operator.store.update_customer_rate_plan(operator.tenant(), &priceless, operator.clock.now()).await.expect("changed");
    operator.run(operator.order([iccid(2)], operator.plan_change(operator.other_plan))).await;
    operator.run(operator.order([iccid(3)], operator.plan_change(operator.plan))).await;

    let plan = PlanValues { plan: Setting::Set(operator.plan), ..PlanValues::default() };
    let asked = AssignmentOrder {
        customer_rate_plan: Some(plan),
        effective_date: Some(EffectiveDate::Instant(date)),
        replace_scheduled: true,
        ..world.assignment()
    };
    let order = operator.order((1..=3).map(iccid), Effect::CustomerAssignment(asked));
    let seen = preview(operator, &order).await;
    let plans = seen.plans.expect("a plan is ordered");
    assert_eq!(plans.before, Amount { known: money("9.90"), unknown: 1 }, "the price of one plan is not known");
    assert_eq!(plans.after, Amount { known: money("29.70"), unknown: 0 });
    let each = product(lineshift_testkit::billing::PRODUCT);
    let billed = seen.billed.expect("a service is ordered");
    assert_eq!(billed.before, Amount::default());
    assert_eq!(billed.after, Amount { known: each.rate * each.quantity * Decimal::from(3), unknown: 0 });
    assert_eq!((seen.services, seen.calls.len()), (3, 1));
    assert_eq!(seen.calls[0].name, "Rev.io");
    assert!(seen.calls[0].estimate.calls >= 6, "a service and a product each: {:?}", seen.calls);
    assert_eq!((seen.open_entries, seen.canceled_entries), (Some(2), 1), "those of that date or later would be canceled");
    assert_eq!(seen.date(operator.clock.now()), Some((date, true)));
}

#[tokio::test]
async fn an_order_is_stored_as_it_was_seen() {
    // At once, and page by page.
    for operator in [Operator::with_lines(5).await, small_pages(5).await] {
        let order = || assignment(&operator, 6);
        let seen = preview(&operator, &order()).await;
        assert_eq!(preview(&operator, &order()).await.digest, seen.digest, "nothing has changed");
        // What the order has nothing to do with: hardware, and the plan of a line that is only assigned.
        operator
            .import(&[ImportDevice {
                imei: Some("490154203237518".to_owned()),
                ..operator.line(operator.jasper, 1, "ACTIVATED")
            }])
            .await;
        operator.run(operator.order([iccid(2)], operator.plan_change(operator.plan))).await;
        operator.clock.advance(TimeDelta::minutes(30));
        let submitted = stored(submit(&operator, order(), seen.digest, "as seen").await);
        assert_eq!((submitted.accepted, submitted.rejected), (5, 1));
        operator.run_until_idle().await;
        assert_eq!(operator.change(submitted.id).await.counts.processed, 5);
    }
}

#[tokio::test]
async fn an_order_that_is_judged_otherwise_is_not_stored() {
    for operator in [Operator::with_lines(5).await, small_pages(5).await] {
        let order = || assignment(&operator, 5);
        let first = preview(&operator, &order()).await;
        // Held by another change.
        let held = Order { process_changes: false, ..operator.order([iccid(1)], operator.plan_change(operator.plan)) };
        let held = operator.submit(held).await;
        let second = changed(&operator, order(), first.digest).await;
        assert_eq!((second.accepted, second.refused[0].code), (4, Code::ChangeInProgress));
        operator.engine.cancel(&operator.caller, held.id).await.expect("canceled");
        assert_eq!(preview(&operator, &order()).await.digest, first.digest, "all is as it was");
        // Handed to somebody else.
        operator.run(operator.order([iccid(2)], Effect::CustomerAssignment(operator.rev_assignment()))).await;
        let third = changed(&operator, order(), first.digest).await;
        assert_eq!((third.accepted, third.rejected()), (5, 0), "it would be moved from somewhere else");
        // Gone.
        operator.import(&[ImportDevice { is_archived: true, ..operator.line(operator.jasper, 3, "ACTIVATED") }]).await;
        let fourth = changed(&operator, order(), third.digest).await;
        assert_eq!(fourth.refused[0].code, Code::DeviceArchived);
        // Another order than the one that was seen.
        let renamed = Order { name: Some("another".to_owned()), ..order() };
        changed(&operator, renamed, fourth.digest).await;
        let fewer = operator.order([iccid(4)], operator.amop_assignment());
        changed(&operator, fewer, fourth.digest).await;
        // The key that was refused so often is free.
        stored(submit(&operator, order(), fourth.digest, "it has changed").await);
    }
}

#[tokio::test]
async fn what_an_order_refers_to_may_be_gone_since() {
    for operator in [Operator::with_lines(5).await, small_pages(5).await] {
        let order = || operator.order((1..=5).map(iccid), both(&operator));
        let seen = preview(&operator, &order()).await;
        operator.close_plan(operator.plan).await;
        let refused = |result: lineshift_engine::Result<Previewed>, field: &str| match result {
            Err(EngineError::Refused(refusal)) => {
                assert_eq!((refusal.class, refusal.problems[0].field.as_str()), (RefusalClass::Rule, field));
            }
            other => panic!("it should have been refused: {other:?}"),
        };
        refused(submit(&operator, order(), seen.digest, "closed").await, "CustomerRatePlan");
        operator.close_customer().await;
        let without_plan = || operator.order((1..=5).map(iccid), Effect::CustomerAssignment(operator.rev_assignment()));
        refused(submit(&operator, without_plan(), seen.digest, "closed").await, "RevCustomerId");
        assert_eq!(operator.changes_seen_by(&operator.caller).await, 0);
    }
}

#[tokio::test]
async fn a_form_that_is_sent_twice_makes_one_bulk_change() {
    for operator in [Operator::with_lines(5).await, small_pages(5).await] {
        let seen = preview(&operator, &assignment(&operator, 5)).await.digest;
        let first = stored(submit(&operator, assignment(&operator, 5), seen, "sent twice").await);
        // What the order was made of is gone by now; nobody asks for it.
        let claim = claim(&operator, "sent twice");
        let gone = async { panic!("an answered request is not read again") };
        let again = operator.engine.submit_previewed(&operator.caller, PortalType::M2M, &claim, seen, gone).await;
        assert_eq!(again.expect("answered"), Previewed::Submitted(Submission::Repeated(first.answer())));
        let other = IdempotencyClaim { body_hash: [2; 32], ..claim };
        let reused = async { Ok(assignment(&operator, 5)) };
        let reused = operator.engine.submit_previewed(&operator.caller, PortalType::M2M, &other, seen, reused).await;
        assert!(matches!(reused, Err(EngineError::Refused(refusal)) if refusal.problems[0].code == "idempotency_key_reused"));
        assert_eq!(operator.changes_seen_by(&operator.caller).await, 1);

        let (left, right) = tokio::join!(
            submit(&operator, operator.order([iccid(1)], operator.plan_change(operator.plan)), seen, "at once"),
            submit(&operator, operator.order([iccid(1)], operator.plan_change(operator.plan)), seen, "at once"),
        );
        let changed = [&left, &right].into_iter().filter(|answer| matches!(answer, Ok(Previewed::Changed(_)))).count();
        assert!(changed >= 1, "one of them had the key: {left:?} {right:?}");
        for answer in [left, right] {
            if answer.is_err() {
                conflict(answer, "idempotency_key_running");
            }
        }
    }
}

#[tokio::test]
async fn whoever_may_not_order_sees_no_preview() {
    let operator = Operator::with_lines(2).await;
    let viewer = operator.key("viewer", "m2m:view").await;
    let order = operator.order([iccid(1), number(2)], operator.amop_assignment());
    for refused in [
        operator.engine.preview(&viewer, &order).await.map(|_| ()),
        operator.engine.preview_lines(&viewer, &order).await.map(|_| ()),
        operator
            .engine
            .submit_previewed(&viewer, PortalType::M2M, &claim(&operator, "x"), preview(&operator, &order).await.digest, async {
                Ok(order.clone())
            })
            .await
            .map(|_| ()),
    ] {
        assert!(matches!(refused, Err(EngineError::Refused(refusal)) if refusal.class == RefusalClass::Forbidden));
    }
}
