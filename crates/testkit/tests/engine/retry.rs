//! Retry (B10.2): ERROR rows opened again under the retrier's rights, rows refused at submission judged anew.

use chrono::TimeDelta;
use insta::assert_snapshot;
use lineshift_domain::codes::Code;
use lineshift_domain::log_text::LogText;
use lineshift_domain::order::Order;
use lineshift_domain::terms::{BulkChangeStatus, LineIdentifier, PortalType};
use lineshift_engine::Retried;
use lineshift_testkit::operator::{Operator, iccid, number};

use crate::control::{assignment, conflict, small_pages};

/// Six lines: 2 is suspended, 4 is unknown, 5 was changed meanwhile, 6 is archived.
async fn failed_in_part() -> (Operator, lineshift_domain::ids::BulkChangeId) {
    let operator = Operator::with_lines(3).await;
    operator.add_lines(operator.jasper, 5..=6).await;
    operator.change_line(2, |line| line.status = "SUSPENDED".to_owned()).await;
    operator.change_line(6, |line| line.is_archived = true).await;
    let submitted = operator.submit(assignment(&operator, 6)).await;
    operator.book([5], operator.rev_site, None).await;
    operator.run_until_idle().await;
    let expected = ["PROCESSED", "device_not_active", "PROCESSED", "device_not_found", "modified_meanwhile", "device_archived"];
    assert_eq!(operator.outcomes(submitted.id).await, expected);
    assert_eq!(operator.change(submitted.id).await.status(), BulkChangeStatus::Partial);
    operator.clock.advance(TimeDelta::hours(1));
    (operator, submitted.id)
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "most of it is its snapshots")]
async fn rows_in_error_are_judged_anew_and_those_of_other_orders_stay() {
    let (operator, id) = failed_in_part().await;
    operator.change_line(2, |_| {}).await;
    operator.add_lines(operator.jasper, 4..=4).await;
    let done_before = operator.history(1).await;

    let retrier = operator.key("retrier", "m2m:edit").await;
    let retried = operator.engine.retry(&retrier, id, &[]).await.expect("retried");
    assert_eq!(retried, Retried { rows: 4, attempt: 2 });
    let opened = operator.change(id).await;
    assert_eq!((opened.status(), opened.counts.open, opened.counts.error), (BulkChangeStatus::Processing, 4, 0));
    assert_eq!((opened.attempt, opened.processed_at), (2, None));
    conflict(operator.engine.retry(&retrier, id, &[]).await, "not_finished");

    operator.run_until_idle().await;
    let change = operator.change(id).await;
    assert_eq!((change.status(), change.counts.processed, change.counts.error), (BulkChangeStatus::Partial, 4, 2));
    assert_eq!(change.rejected, 3, "what was refused at submission stays counted so");
    assert_snapshot!(operator.shown_rows(id).await, @r"
    0 89445000000000000017 PROCESSED - - #1 -
    1 89445000000000000027 PROCESSED - - #2 -
    2 89445000000000000037 PROCESSED - - #1 -
    4 89445000000000000057 ERROR CONFLICT modified_meanwhile #2 customer, site or plan of this line were changed after this order was judged; look at the line and order again
    5 89445000000000000067 ERROR ELIGIBILITY device_archived #2 the line is archived or deleted in the inventory
    3 89445000000000000047 PROCESSED - - #2 -
    ");
    assert_snapshot!(operator.shown_log(id).await, @r#"
    row 0 #1.90 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Bulk Change Completed
      response: {"status":"PARTIAL","total":6,"processed":2,"error":4,"canceled":0,"rejected":3,"seconds":0.000}
    row 0 #2.90 2026-12-01T10:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Bulk Change Completed
      response: {"status":"PARTIAL","total":6,"processed":4,"error":2,"canceled":0,"rejected":3,"seconds":3600.000}
    row 1 #1.30 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange PROCESSED no errors: AssignNonRevCustomer: Update AMOP
      request: usp_DeviceBulkChange_Assign_Non_Rev_Customer | site 2, line 89445000000000000017
      response: assigned to site 2
    row 2 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 89445000000000000027
      error: device_not_active: the line's status is "SUSPENDED"; active for Jasper are ACTIVATED, ACTIVATION_READY, TEST_READY
    row 2 #2.30 2026-12-01T10:00:00Z M2M AltaworxDeviceBulkChange PROCESSED no errors: AssignNonRevCustomer: Update AMOP
      request: usp_DeviceBulkChange_Assign_Non_Rev_Customer | site 2, line 89445000000000000027
      response: assigned to site 2
    row 2 #2.80 2026-12-01T10:00:00Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Retry: Device Opened Again
      request: Retry | 89445000000000000027
      response: opened again by retrier
    row 3 #1.30 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange PROCESSED no errors: AssignNonRevCustomer: Update AMOP
      request: usp_DeviceBulkChange_Assign_Non_Rev_Customer | site 2, line 89445000000000000037
      response: assigned to site 2
    row 4 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Process: Device Refused
      request: Process | 89445000000000000057
      error: modified_meanwhile: customer, site or plan of this line were changed after this order was judged; look at the line and order again
    row 4 #2.0 2026-12-01T10:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Process: Device Refused
      request: Process | 89445000000000000057
      error: modified_meanwhile: customer, site or plan of this line were changed after this order was judged; look at the line and order again
    row 4 #2.80 2026-12-01T10:00:00Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Retry: Device Opened Again
      request: Retry | 89445000000000000057
      response: opened again by retrier
    row 5 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 89445000000000000067
      error: device_archived: the line is archived or deleted in the inventory
    row 5 #2.0 2026-12-01T10:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Process: Device Refused
      request: Process | 89445000000000000067
      error: device_archived: the line is archived or deleted in the inventory
    row 5 #2.80 2026-12-01T10:00:00Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Retry: Device Opened Again
      request: Retry | 89445000000000000067
      response: opened again by retrier
    row 6 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 89445000000000000047
      error: device_not_found: no line of the inventory has this iccid
    row 6 #2.30 2026-12-01T10:00:00Z M2M AltaworxDeviceBulkChange PROCESSED no errors: AssignNonRevCustomer: Update AMOP
      request: usp_DeviceBulkChange_Assign_Non_Rev_Customer | site 2, line 89445000000000000047
      response: assigned to site 2
    row 6 #2.80 2026-12-01T10:00:00Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Retry: Device Opened Again
      request: Retry | 89445000000000000047
      response: opened again by retrier
    "#);
    assert_eq!(operator.device(4).await.site_id, Some(operator.amop_site), "found now");
    assert_eq!(operator.device(5).await.site_id, Some(operator.rev_site), "as the other order left it");
    assert_eq!(operator.history(1).await, done_before, "what was done is not done again");
    assert_snapshot!(operator.shown_cross_provider_history().await, @r"
    line 01 change 1 #1.90 2026-12-01T09:00:00Z to now: provider 1, customer -, site 2, account -, plan -, pool -, allocation -
    line 02 change 1 #2.90 2026-12-01T10:00:00Z to now: provider 1, customer -, site 2, account -, plan -, pool -, allocation -
    line 03 change 1 #1.90 2026-12-01T09:00:00Z to now: provider 1, customer -, site 2, account -, plan -, pool -, allocation -
    line 04 change 1 #2.90 2026-12-01T10:00:00Z to now: provider 1, customer -, site 2, account -, plan -, pool -, allocation -
    ");
}

#[tokio::test]
async fn only_rows_with_the_codes_asked_for_are_opened() {
    let (operator, id) = failed_in_part().await;
    operator.change_line(2, |_| {}).await;
    conflict(operator.engine.retry(&operator.caller, id, &[Code::InvalidIccid]).await, "nothing_to_retry");
    assert_eq!(operator.change(id).await.attempt, 1, "a retry of nothing is no attempt");
    let retried = operator.engine.retry(&operator.caller, id, &[Code::DeviceNotActive, Code::NumberAmbiguous]).await;
    assert_eq!(retried.expect("retried").rows, 1);
    operator.run_until_idle().await;
    let expected = ["PROCESSED", "PROCESSED", "PROCESSED", "device_not_found", "modified_meanwhile", "device_archived"];
    assert_eq!(operator.outcomes(id).await, expected);
    let attempts: Vec<i64> = operator.rows(id).await.iter().map(|row| row.attempt).collect();
    assert_eq!(attempts.iter().filter(|attempt| **attempt == 2).count(), 1);
}

#[tokio::test]
async fn every_retry_is_one_more_attempt() {
    let (operator, id) = failed_in_part().await;
    for attempt in 2..=4 {
        let retried = operator.engine.retry(&operator.caller, id, &[Code::DeviceNotFound]).await.expect("retried");
        assert_eq!(retried, Retried { rows: 1, attempt });
        operator.run_until_idle().await;
    }
    let log = operator.log(id).await;
    let of_the_row: Vec<_> = log
        .iter()
        .filter(|entry| entry.request_text.as_deref().is_some_and(|request| request.ends_with(&iccid(4))))
        .map(|entry| (entry.attempt, entry.description.as_str()))
        .collect();
    let (refused, opened) = (LogText::RefusedAtProcessing.as_str(), LogText::Retried.as_str());
    let mut expected = vec![(1, LogText::RefusedAtSubmission.as_str())];
    for attempt in 2..=4 {
        expected.extend([(attempt, refused), (attempt, opened)]);
    }
    assert_eq!(of_the_row, expected);
    let completions = log.iter().filter(|entry| entry.device_change_id.is_none()).count();
    assert_eq!(completions, 4, "one completion an attempt");
}

#[tokio::test]
async fn nothing_is_retried_of_a_change_without_errors_or_before_its_end() {
    let operator = small_pages(6).await;
    let submitted = operator.submit(assignment(&operator, 7)).await;
    conflict(operator.engine.retry(&operator.caller, submitted.id, &[]).await, "not_finished");
    operator.run_one_page(submitted.id).await;
    conflict(operator.engine.retry(&operator.caller, submitted.id, &[]).await, "not_finished");
    operator.run_until_idle().await;
    operator.engine.retry(&operator.caller, submitted.id, &[]).await.expect("the unknown line is retried");
    operator.run_until_idle().await;

    let good = operator.run(operator.order([iccid(1)], operator.plan_change(operator.plan))).await;
    conflict(operator.engine.retry(&operator.caller, good.id, &[]).await, "nothing_to_retry");
    let held = Order { process_changes: false, ..operator.order([iccid(1)], operator.plan_change(operator.other_plan)) };
    let held = operator.submit(held).await;
    conflict(operator.engine.retry(&operator.caller, held.id, &[]).await, "not_finished");
    operator.engine.cancel(&operator.caller, held.id).await.expect("canceled");
    conflict(operator.engine.retry(&operator.caller, held.id, &[]).await, "nothing_to_retry");
}

/// All rows are final, but history and links of the first attempt are still to be written: a retry waits for that.
#[tokio::test]
async fn a_change_that_is_being_completed_is_not_retried_yet() {
    let operator = small_pages(5).await;
    let submitted = operator.submit(assignment(&operator, 6)).await;
    operator.run_one_page(submitted.id).await;
    operator.run_one_page(submitted.id).await;
    assert_eq!(operator.change(submitted.id).await.status(), BulkChangeStatus::Partial);
    conflict(operator.engine.retry(&operator.caller, submitted.id, &[]).await, "not_finished");
    operator.run_until_idle().await;
    operator.engine.retry(&operator.caller, submitted.id, &[]).await.expect("retried");
    operator.run_until_idle().await;
    assert_eq!(operator.shown_cross_provider_history().await.lines().count(), 5, "every line that was changed has its history");
}

#[tokio::test]
async fn a_retry_runs_under_the_retriers_rights() {
    let operator = Operator::with_lines(2).await;
    let orderer = operator.key("orderer", "m2m:create").await;
    let submission = operator.engine.submit(&orderer, assignment(&operator, 2), None).await.expect("submitted");
    let lineshift_engine::Submission::Stored(submitted) = submission else { panic!("stored: {submission:?}") };
    let now = lineshift_engine::Clock::now(&*operator.clock);
    operator.store.revoke_api_key(operator.tenant(), orderer.principal, now).await.expect("revoked");
    operator.run_until_idle().await;
    assert_eq!(operator.outcomes(submitted.id).await, ["rights_lost"; 2]);

    // One who loses the key, too.
    let unlucky = operator.key("unlucky", "m2m:edit").await;
    operator.engine.retry(&unlucky, submitted.id, &[]).await.expect("retried");
    operator.store.revoke_api_key(operator.tenant(), unlucky.principal, now).await.expect("revoked");
    operator.run_until_idle().await;
    assert_eq!(operator.outcomes(submitted.id).await, ["rights_lost"; 2]);

    let retrier = operator.key("retrier", "m2m:edit").await;
    operator.engine.retry(&retrier, submitted.id, &[Code::RightsLost]).await.expect("retried");
    operator.run_until_idle().await;
    assert_eq!(operator.outcomes(submitted.id).await, ["PROCESSED"; 2]);
    assert_eq!(operator.device(1).await.modified_by, "orderer", "the history names who ordered it");
}

#[tokio::test]
async fn rows_of_several_pages_are_opened_and_run_again() {
    let operator = small_pages(0).await;
    let submitted = operator.submit(assignment(&operator, 8)).await;
    operator.run_until_idle().await;
    assert_eq!(operator.outcomes(submitted.id).await, ["device_not_found"; 8]);
    operator.add_lines(operator.jasper, 1..=7).await;
    let retried = operator.engine.retry(&operator.caller, submitted.id, &[]).await.expect("retried");
    assert_eq!(retried.rows, 8);
    operator.run_until_idle().await;
    let mut expected = ["PROCESSED"; 8];
    expected[7] = "device_not_found";
    assert_eq!(operator.outcomes(submitted.id).await, expected);
    for line in 1..=7 {
        assert_eq!(operator.history(line).await.len(), 1, "line {line}");
    }
}

#[tokio::test]
async fn a_number_is_looked_up_anew() {
    let operator = Operator::with_lines(3).await;
    operator.change_line(3, |line| line.subscriber_number = Some(number(2))).await;
    let by_number = Order {
        portal: PortalType::Mobility,
        identifier: LineIdentifier::Number,
        ..operator.order([number(1), number(2), number(3), "12".to_owned()], operator.plan_change(operator.plan))
    };
    let change = operator.run(by_number).await;
    let expected = ["PROCESSED", "number_ambiguous", "device_not_found", "invalid_number"];
    assert_eq!(operator.outcomes(change.id).await, expected);
    // Line 3 gets its own number back: then each number names one line.
    operator.change_line(3, |_| {}).await;
    operator.engine.retry(&operator.caller, change.id, &[]).await.expect("retried");
    operator.run_until_idle().await;
    assert_eq!(operator.outcomes(change.id).await, ["PROCESSED", "PROCESSED", "PROCESSED", "invalid_number"]);
    for line in 1..=3 {
        assert_eq!(operator.device(line).await.customer_rate_plan_id, Some(operator.plan), "line {line}");
    }
}

#[tokio::test]
async fn a_change_that_took_hold_of_the_line_meanwhile_goes_first() {
    let operator = Operator::with_lines(1).await;
    operator.change_line(1, |line| line.status = "SUSPENDED".to_owned()).await;
    let first = operator.run(assignment(&operator, 1)).await;
    operator.change_line(1, |_| {}).await;
    let second = operator.order([iccid(1)], lineshift_domain::order::Effect::CustomerAssignment(operator.rev_assignment()));
    let second = operator.submit(second).await;
    operator.engine.retry(&operator.caller, first.id, &[]).await.expect("retried");
    operator.run_until_idle().await;
    assert_eq!(operator.outcomes(first.id).await, ["change_in_progress"]);
    assert_eq!(operator.outcomes(second.id).await, ["PROCESSED"]);
    assert_eq!(operator.device(1).await.site_id, Some(operator.rev_site));
}

#[tokio::test]
async fn a_change_canceled_half_way_is_retried_for_its_errors_alone() {
    let operator = small_pages(6).await;
    operator.change_line(1, |line| line.status = "SUSPENDED".to_owned()).await;
    let submitted = operator.submit(assignment(&operator, 6)).await;
    operator.run_one_page(submitted.id).await;
    operator.engine.cancel(&operator.caller, submitted.id).await.expect("canceled");
    operator.run_until_idle().await;
    let canceled = operator.change(submitted.id).await;
    assert_eq!((canceled.status(), canceled.counts.canceled, canceled.counts.error), (BulkChangeStatus::Partial, 3, 1));

    operator.change_line(1, |_| {}).await;
    let retried = operator.engine.retry(&operator.caller, submitted.id, &[]).await.expect("retried");
    assert_eq!(retried.rows, 1, "canceled lines stay canceled");
    operator.run_until_idle().await;
    let change = operator.change(submitted.id).await;
    assert_eq!((change.counts.processed, change.counts.canceled, change.canceled_at), (3, 3, None));
    assert_eq!(operator.device(1).await.site_id, Some(operator.amop_site));
}
