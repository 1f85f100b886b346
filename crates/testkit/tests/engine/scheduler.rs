//! The plan queue when its entries fall due (B8.2, B8.3).

use chrono::{DateTime, TimeDelta, Utc};
use insta::assert_snapshot;
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{BulkChangeId, CustomerRatePlanId};
use lineshift_domain::log_text::LogText;
use lineshift_domain::order::{AssignmentOrder, CustomerRatePlanOrder, Effect, EffectiveDate, Order, PlanValues, Setting};
use lineshift_domain::refusal::RefusalClass;
use lineshift_domain::terms::{BulkChangeStatus, PlanQueueState};
use lineshift_engine::{Clock as _, EngineError};
use lineshift_store::import::ImportRevService;
use lineshift_store::work::message_kind;
use lineshift_testkit::operator::{Operator, iccid};
use rust_decimal::Decimal;

use crate::control::conflict;

/// So many days from now.
fn in_days(operator: &Operator, days: i64) -> DateTime<Utc> {
    operator.clock.now() + TimeDelta::days(days)
}

/// A plan change of the first lines on that date; with `replace` it cancels what is scheduled from then on.
fn change_on(operator: &Operator, lines: u64, plan: CustomerRatePlanId, at: Option<DateTime<Utc>>, replace: bool) -> Order {
    let order = CustomerRatePlanOrder {
        effective_date: at.map(EffectiveDate::Instant),
        replace_scheduled: replace,
        ..operator.plan_order(plan)
    };
    operator.order((1..=lines).map(iccid), Effect::CustomerRatePlanChange(order))
}

async fn schedule(operator: &Operator, lines: u64, plan: CustomerRatePlanId, days: i64) -> BulkChangeId {
    let order = change_on(operator, lines, plan, Some(in_days(operator, days)), false);
    let change = operator.run(order).await;
    assert_eq!(change.status(), BulkChangeStatus::Processed);
    change.id
}

async fn plans(operator: &Operator, lines: u64) -> Vec<Option<CustomerRatePlanId>> {
    let mut plans = Vec::new();
    for line in 1..=lines {
        plans.push(operator.device(line).await.customer_rate_plan_id);
    }
    plans
}

#[tokio::test]
async fn a_due_entry_is_applied_once_with_its_history_log_and_links() {
    let operator = Operator::with_lines(2).await;
    operator.book([1, 2], operator.rev_site, None).await;
    let id = schedule(&operator, 2, operator.plan, 7).await;
    // The line's Rev service becomes known only after the change was completed.
    let service = ImportRevService {
        rev_customer_id: operator.rev_customer,
        rev_service_id: 9_000,
        iccid: Some(iccid(1)),
        number: None,
        rev_service_type_id: None,
        rev_provider_id: None,
        activated_date: None,
        disconnected_date: None,
        has_package: true,
        products: Vec::new(),
    };
    let done = operator.store.import_rev_services(operator.tenant(), &[service], operator.clock.now()).await.expect("services");
    assert_eq!(done.created, 1);
    let linked = "SELECT count(*) FROM device_tenant WHERE rev_service_id IS NOT NULL";

    operator.clock.advance(TimeDelta::days(7) - TimeDelta::microseconds(1));
    operator.run_until_idle().await;
    assert_eq!((plans(&operator, 2).await, operator.count(linked).await), (vec![None; 2], 0), "not due yet");
    operator.clock.advance(TimeDelta::microseconds(1));
    let done = operator.engine.run_due_entries().await.expect("due");
    assert_eq!((done.applied, done.failed), (2, 0));
    for _ in 0..2 {
        operator.clock.advance(TimeDelta::hours(1));
        let done = operator.engine.run_due_entries().await.expect("due");
        assert_eq!((done.applied, done.failed), (0, 0), "at most once");
    }
    assert_eq!(plans(&operator, 2).await, [Some(operator.plan); 2]);
    assert_eq!(operator.device(1).await.customer_data_allocation_mb, Some(Decimal::from(500)), "the plan's default");
    assert_eq!(operator.count(linked).await, 1, "linked to the service that it has");
    for line in 1..=2 {
        assert_eq!(operator.history(line).await.len(), 1);
    }
    let applied = LogText::ScheduledRatePlan.as_str();
    assert_eq!(operator.log(id).await.iter().filter(|entry| entry.description == applied).count(), 2);
    assert_snapshot!(operator.shown_cross_provider_history().await, @r"
    line 01 change 1 #1.1000 2026-12-08T09:00:00Z to now: provider 1, customer 4711, site 1, account 4711, plan 1, pool -, allocation 500
    line 02 change 1 #1.1000 2026-12-08T09:00:00Z to now: provider 1, customer 4711, site 1, account 4711, plan 1, pool -, allocation 500
    ");
    let entries = operator.entries(id, PlanQueueState::Applied).await;
    assert_eq!((entries.len(), entries[0].modified_by.as_deref()), (2, Some("AltaworxDeviceBulkChange")));
    assert_eq!(entries[0].created_by, "AWS Lambda - Device Bulk Change");
}

#[tokio::test]
async fn an_assignment_with_a_future_date_moves_the_line_now_and_the_plan_later() {
    let operator = Operator::with_lines(1).await;
    let values = PlanValues { plan: Setting::Set(operator.plan), ..PlanValues::default() };
    let order = AssignmentOrder {
        customer_rate_plan: Some(values),
        effective_date: Some(EffectiveDate::Day("2027-01-01".parse().expect("a day"))),
        ..operator.rev_assignment()
    };
    let change = operator.run(operator.order([iccid(1), iccid(9)], Effect::CustomerAssignment(order))).await;
    let line = operator.device(1).await;
    assert_eq!((line.site_id, line.customer_rate_plan_id), (Some(operator.rev_site), None));
    assert_eq!(line.effective_date, "2027-01-01T06:00:00Z".parse().ok(), "dated as ordered");
    operator.clock.set("2027-01-01T06:00:00Z");
    operator.run_until_idle().await;
    assert_eq!(operator.device(1).await.customer_rate_plan_id, Some(operator.plan));
    assert_snapshot!(operator.shown_rows(change.id).await, @r"
    0 89445000000000000017 PROCESSED - - #1 scheduled for 2027-01-01T00:00:00-06:00
    1 89445000000000000097 ERROR ELIGIBILITY device_not_found #1 no line of the inventory has this iccid
    ");
    assert_snapshot!(operator.shown_log(change.id).await, @r#"
    row 0 #1.90 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Bulk Change Completed
      response: {"status":"PARTIAL","total":2,"processed":1,"error":1,"canceled":0,"rejected":1,"seconds":0.000}
    row 1 #1.30 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange PROCESSED no errors: AMOP Customer Assignment
      request: usp_Assign_Customer_Update_Site | customer 4711, site 1, line 89445000000000000017
      response: assigned to customer 4711 at site 1
    row 1 #1.40 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Associate Customer: Schedule Customer Rate Plan
      request: Device_CustomerRatePlanOrRatePool_Queue | plan 1, pool kept, allocation 500 MB, line 89445000000000000017
      response: scheduled for 2027-01-01T00:00:00-06:00
    row 1 #1.2000 2027-01-01T06:00:00Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Scheduled Customer Rate Plan: Update AMOP
      request: Scheduled Customer Rate Plan: Update AMOP | {"iccid":"89445000000000000017","customer_rate_plan_id":1,"customer_rate_pool_id":null,"customer_data_allocation_mb":"500","effective_date":"2027-01-01T06:00:00Z"}
      response: applied
    row 2 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 89445000000000000097
      error: device_not_found: no line of the inventory has this iccid
    "#);
    assert_snapshot!(operator.shown_cross_provider_history().await, @r"
    line 01 change 1 #1.90 2026-12-01T09:00:00Z to 2027-01-01T06:00:00Z: provider 1, customer 4711, site 1, account 4711, plan -, pool -, allocation -
    line 01 change 1 #1.1000 2027-01-01T06:00:00Z to now: provider 1, customer 4711, site 1, account 4711, plan 1, pool -, allocation 500
    ");
}

#[tokio::test]
async fn a_refused_entry_fails_with_its_reason_and_is_counted_and_told() {
    let operator = Operator::with_lines(7).await;
    operator.book(1..=7, operator.rev_site, None).await;
    let id = schedule(&operator, 7, operator.plan, 7).await;
    operator.store.take_messages(100).await.expect("messages");

    operator.book([2], operator.amop_site, None).await;
    operator.change_line(3, |line| line.status = "DEACTIVATED".to_owned()).await;
    operator.change_line(4, |line| line.is_archived = true).await;
    operator.change_line(5, |line| (line.service_provider_id, line.status) = (operator.telegence, "A".to_owned())).await;
    // Another plan, or another site of the same customer, is no reason.
    operator.book([6], operator.rev_site, Some(operator.other_plan)).await;
    operator.clock.advance(TimeDelta::days(7));
    let done = operator.engine.run_due_entries().await.expect("due");
    assert_eq!((done.applied, done.failed), (3, 4));

    let failed = operator.entries(id, PlanQueueState::Failed).await;
    let codes: Vec<_> = failed.iter().filter_map(|entry| entry.error_code).collect();
    let expected = [Code::ModifiedMeanwhile, Code::DeviceNotActive, Code::DeviceArchived, Code::WrongServiceProvider];
    assert_eq!(codes, expected);
    assert_eq!(
        failed[0].status_details.as_deref(),
        Some("the line was handed to another customer after this change was scheduled; schedule it again if it is still wanted")
    );
    let change = operator.change(id).await;
    assert_eq!((change.scheduled_failed, change.status()), (4, BulkChangeStatus::Processed), "its rows were scheduled");
    let counted = operator.store.count_scheduled(operator.tenant(), id).await.expect("counted");
    assert_eq!(counted, [(PlanQueueState::Applied, 3), (PlanQueueState::Failed, 4)]);
    let told: Vec<_> = operator.store.take_messages(100).await.expect("messages").into_iter().map(|m| m.kind).collect();
    assert_eq!(told, [message_kind::SCHEDULED_FAILED], "one message a change");
    let (yes, no) = (Some(operator.plan), None);
    assert_eq!(plans(&operator, 7).await, [yes, no, no, no, no, yes, yes]);
    for line in 2..=5 {
        assert_eq!(operator.history(line).await, [], "line {line} was left alone");
    }
    assert_eq!(operator.engine.run_due_entries().await.expect("due").failed, 0, "refused once");
}

#[tokio::test]
async fn a_plan_or_pool_made_inactive_before_the_date_fails_the_entry() {
    let operator = Operator::with_lines(2).await;
    let by_plan = schedule(&operator, 2, operator.plan, 7).await;
    let values = PlanValues { pool: Setting::Set(operator.pool), ..PlanValues::default() };
    let date = Some(EffectiveDate::Instant(in_days(&operator, 8)));
    let order = CustomerRatePlanOrder { values, effective_date: date, replace_scheduled: false };
    let by_pool = operator.run(operator.order([iccid(1)], Effect::CustomerRatePlanChange(order))).await.id;
    operator.close_plan(operator.plan).await;
    operator.close_pool(operator.pool).await;
    operator.clock.advance(TimeDelta::days(9));
    let done = operator.engine.run_due_entries().await.expect("due");
    assert_eq!((done.applied, done.failed), (0, 3));
    for (id, count, code, text) in [
        (by_plan, 2, Code::PlanInactive, "the customer rate plan is not active any more; schedule another"),
        (by_pool, 1, Code::PoolInactive, "the customer rate pool is not active any more; schedule another"),
    ] {
        let failed = operator.entries(id, PlanQueueState::Failed).await;
        assert_eq!(failed.len(), count);
        assert_eq!((failed[0].error_code, failed[0].status_details.as_deref()), (Some(code), Some(text)));
    }
    assert_eq!(plans(&operator, 2).await, [None; 2]);
}

#[tokio::test]
async fn a_plan_closed_before_the_page_ran_fails_when_the_entry_is_due() {
    let operator = Operator::with_lines(1).await;
    let order = change_on(&operator, 1, operator.plan, Some(in_days(&operator, 7)), false);
    let submitted = operator.submit(order).await;
    operator.close_plan(operator.plan).await;
    operator.run_until_idle().await;
    assert_eq!(operator.outcomes(submitted.id).await, ["PROCESSED"], "it is looked at when it falls due");
    operator.clock.advance(TimeDelta::days(7));
    operator.run_until_idle().await;
    assert_eq!(operator.entries(submitted.id, PlanQueueState::Failed).await.len(), 1);
}

#[tokio::test]
async fn two_entries_of_a_line_apply_by_date_also_when_both_are_overdue() {
    let operator = Operator::with_lines(2).await;
    // Ordered the other way round.
    let later = schedule(&operator, 2, operator.other_plan, 14).await;
    let earlier = schedule(&operator, 2, operator.plan, 7).await;
    operator.clock.advance(TimeDelta::days(30));
    let done = operator.engine.run_due_entries().await.expect("due");
    assert_eq!((done.applied, done.failed), (4, 0));
    assert_eq!(plans(&operator, 2).await, [Some(operator.other_plan); 2], "the later date has the last word");
    let order: Vec<_> = operator.history(1).await.iter().map(|entry| entry.bulk_change_id).collect();
    let mut ids = [later, earlier];
    ids.sort_unstable();
    assert_eq!(order.len(), 2);
    assert!(order.contains(&ids[0]) && order.contains(&ids[1]));
    assert_snapshot!(operator.shown_cross_provider_history().await, @r"
    line 01 change 2 #1.1000 2026-12-08T09:00:00Z to 2026-12-15T09:00:00Z: provider 1, customer -, site -, account -, plan 1, pool -, allocation 500
    line 01 change 1 #1.1000 2026-12-15T09:00:00Z to now: provider 1, customer -, site -, account -, plan 2, pool -, allocation -
    line 02 change 2 #1.1000 2026-12-08T09:00:00Z to 2026-12-15T09:00:00Z: provider 1, customer -, site -, account -, plan 1, pool -, allocation 500
    line 02 change 1 #1.1000 2026-12-15T09:00:00Z to now: provider 1, customer -, site -, account -, plan 2, pool -, allocation -
    ");
}

#[tokio::test]
async fn without_replacing_every_entry_stands() {
    let operator = Operator::with_lines(1).await;
    for days in [3, 5, 7] {
        schedule(&operator, 1, operator.plan, days).await;
    }
    operator.run(change_on(&operator, 1, operator.other_plan, None, false)).await;
    assert_eq!(operator.open_entries().await.len(), 3);
}

#[tokio::test]
async fn replacing_later_cancels_the_entries_of_that_date_or_later() {
    let operator = Operator::with_lines(2).await;
    let [third, fifth, seventh] = [
        schedule(&operator, 2, operator.plan, 3).await,
        schedule(&operator, 2, operator.plan, 5).await,
        schedule(&operator, 2, operator.plan, 7).await,
    ];
    // Of line 1 alone.
    let order = change_on(&operator, 1, operator.other_plan, Some(in_days(&operator, 5)), true);
    let replacing = operator.run(order).await.id;
    let open: Vec<_> = operator.open_entries().await.iter().map(|entry| (entry.bulk_change_id, entry.iccid.clone())).collect();
    let expected = [(third, 1), (third, 2), (fifth, 2), (replacing, 1), (seventh, 2)];
    assert_eq!(open, expected.map(|(change, line)| (change, iccid(line))));
    let replaced = operator.entries(seventh, PlanQueueState::Canceled).await;
    assert_eq!(replaced.len(), 1);
    assert_eq!(replaced[0].status_details, Some(format!("replaced by bulk change {replacing}")));
    assert_eq!(replaced[0].modified_by.as_deref(), Some("operator"));
    operator.clock.advance(TimeDelta::days(10));
    operator.run_until_idle().await;
    assert_eq!(plans(&operator, 2).await, [Some(operator.other_plan), Some(operator.plan)]);
}

#[tokio::test]
async fn replacing_now_cancels_all_entries_of_the_line() {
    let operator = Operator::with_lines(2).await;
    schedule(&operator, 2, operator.plan, 3).await;
    schedule(&operator, 2, operator.plan, 7).await;
    let change = operator.run(change_on(&operator, 1, operator.other_plan, None, true)).await;
    assert_eq!(operator.outcomes(change.id).await, ["PROCESSED"]);
    let open = operator.open_entries().await;
    assert_eq!(open.iter().map(|entry| entry.iccid.clone()).collect::<Vec<_>>(), [iccid(2), iccid(2)]);
    // It is never already so: the entries of line 2 go, though the plan stands.
    operator.run(operator.order([iccid(2)], operator.plan_change(operator.other_plan))).await;
    operator.run(change_on(&operator, 2, operator.other_plan, None, true)).await;
    assert_eq!(operator.open_entries().await, []);
    operator.clock.advance(TimeDelta::days(10));
    operator.run_until_idle().await;
    assert_eq!(plans(&operator, 2).await, [Some(operator.other_plan); 2]);
}

#[tokio::test]
async fn an_entry_is_moved_and_falls_due_on_its_new_date() {
    let operator = Operator::with_lines(1).await;
    let id = schedule(&operator, 1, operator.plan, 7).await;
    let entry = operator.open_entries().await.remove(0).id;
    let planner = operator.key("planner", "m2m:edit").await;
    let moved = operator.engine.move_queue_entry(&planner, entry, in_days(&operator, 2)).await.expect("moved");
    assert_eq!((moved.effective_date, moved.modified_by.as_deref()), (in_days(&operator, 2), Some("planner")));
    let far = operator.engine.move_queue_entry(&planner, entry, in_days(&operator, 731)).await;
    assert!(matches!(far, Err(EngineError::Refused(refusal)) if refusal.problems[0].code == "date_out_of_range"));
    let viewer = operator.key("viewer", "m2m:view m2m:create").await;
    let refused = operator.engine.move_queue_entry(&viewer, entry, in_days(&operator, 2)).await;
    assert!(matches!(refused, Err(EngineError::Refused(refusal)) if refusal.class == RefusalClass::Forbidden));

    operator.clock.advance(TimeDelta::days(2));
    operator.run_until_idle().await;
    assert_eq!(plans(&operator, 1).await, [Some(operator.plan)], "earlier than it was ordered");
    let late = operator.engine.move_queue_entry(&planner, entry, in_days(&operator, 3)).await;
    conflict(late, "entry_not_open");
    conflict(operator.engine.cancel_queue_entry(&planner, entry).await, "entry_not_open");
    let moves = LogText::MoveScheduledRatePlan.as_str();
    let log = operator.log(id).await;
    let said: Vec<_> =
        log.iter().filter(|entry| entry.description == moves).map(|entry| entry.response_text.as_deref()).collect();
    assert_eq!(said, [Some("moved from 2026-12-08T09:00:00Z to 2026-12-03T09:00:00Z")]);
}

#[tokio::test]
async fn an_entry_moved_back_is_applied_though_another_fell_due_first() {
    let operator = Operator::with_lines(2).await;
    schedule(&operator, 2, operator.plan, 7).await;
    let moved = operator.open_entries().await.remove(0).id;
    operator.engine.move_queue_entry(&operator.caller, moved, in_days(&operator, 20)).await.expect("moved");
    operator.clock.advance(TimeDelta::days(7));
    operator.run_until_idle().await;
    assert_eq!(plans(&operator, 2).await, [None, Some(operator.plan)]);
    operator.clock.advance(TimeDelta::days(13));
    operator.run_until_idle().await;
    assert_eq!(plans(&operator, 2).await, [Some(operator.plan); 2]);
}

#[tokio::test]
async fn a_canceled_entry_is_not_applied() {
    let operator = Operator::with_lines(2).await;
    let id = schedule(&operator, 2, operator.plan, 7).await;
    let entry = operator.open_entries().await.remove(0).id;
    let canceled = operator.engine.cancel_queue_entry(&operator.caller, entry).await.expect("canceled");
    assert_eq!(canceled.state, PlanQueueState::Canceled);
    operator.clock.advance(TimeDelta::days(7));
    operator.run_until_idle().await;
    assert_eq!(plans(&operator, 2).await, [None, Some(operator.plan)]);
    assert_eq!(operator.change(id).await.scheduled_failed, 0, "canceled is not failed");
}

/// The change waited for its start until its date had passed, while the scheduler looked for what was due.
#[tokio::test]
async fn an_entry_that_is_made_after_its_date_is_applied_late_but_not_skipped() {
    let operator = Operator::with_lines(2).await;
    let held = Order { process_changes: false, ..change_on(&operator, 2, operator.plan, Some(in_days(&operator, 7)), false) };
    let held = operator.submit(held).await;
    operator.clock.advance(TimeDelta::days(8));
    operator.run_until_idle().await;
    operator.engine.start(&operator.caller, held.id).await.expect("started");
    operator.run_until_idle().await;
    assert_eq!(plans(&operator, 2).await, [Some(operator.plan); 2]);
}

/// Another entry falls due while the change has been submitted but not run.
#[tokio::test]
async fn entries_made_after_others_fell_due_are_applied_on_their_date() {
    let operator = Operator::with_lines(2).await;
    schedule(&operator, 1, operator.other_plan, 1).await;
    let order = change_on(&operator, 2, operator.plan, Some(in_days(&operator, 7)), false);
    let order = Order { lines: [iccid(2)].into_iter().collect(), ..order };
    let waiting = operator.submit(order).await;
    operator.clock.advance(TimeDelta::days(1));
    operator.engine.run_due_entries().await.expect("due");
    operator.run_until_idle().await;
    assert_eq!(operator.outcomes(waiting.id).await, ["PROCESSED"]);
    operator.clock.advance(TimeDelta::days(6));
    operator.run_until_idle().await;
    assert_eq!(plans(&operator, 2).await, [Some(operator.other_plan), Some(operator.plan)]);
}

#[tokio::test]
async fn a_retried_row_is_scheduled_and_applied() {
    let operator = Operator::with_lines(1).await;
    let order = change_on(&operator, 2, operator.plan, Some(in_days(&operator, 7)), false);
    let change = operator.run(order).await;
    assert_eq!(operator.outcomes(change.id).await, ["PROCESSED", "device_not_found"]);
    operator.clock.advance(TimeDelta::days(7));
    operator.run_until_idle().await;
    operator.add_lines(operator.jasper, 2..=2).await;
    operator.engine.retry(&operator.caller, change.id, &[]).await.expect("retried");
    operator.run_until_idle().await;
    assert_eq!(plans(&operator, 2).await, [Some(operator.plan); 2], "late but not skipped");
    assert_eq!(operator.history(1).await.len(), 1, "line 1 was not touched again");
}

#[tokio::test]
async fn after_a_week_of_downtime_all_that_was_due_is_applied() {
    let operator = Operator::with_lines(5).await;
    for (line, days) in [(1, 1), (2, 3), (3, 5), (4, 7), (5, 9)] {
        let order = change_on(&operator, 1, operator.plan, Some(in_days(&operator, days)), false);
        operator.run(Order { lines: [iccid(line)].into_iter().collect(), ..order }).await;
    }
    operator.clock.advance(TimeDelta::days(8));
    operator.run_until_idle().await;
    let plan = Some(operator.plan);
    assert_eq!(plans(&operator, 5).await, [plan, plan, plan, plan, None]);
    let text = operator.shown_cross_provider_history().await;
    let dates = ["2026-12-02", "2026-12-04", "2026-12-06", "2026-12-08"];
    for (line, day) in text.lines().zip(dates) {
        assert!(line.contains(&format!("{day}T09:00:00Z to now")), "valid from its own date, not from when it was run: {line}");
    }
}
