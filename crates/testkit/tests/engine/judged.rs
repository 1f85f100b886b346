//! Every row of B4.6 that can be met here, at submission and again at processing: the failing line gets its error row and
//! one log entry, nothing else of it is stored, and the others go on.

use lineshift_domain::codes::{Code, ErrorKind};
use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::log_text::LogText;
use lineshift_domain::order::{CustomerRatePlanOrder, Effect, Order, PlanValues, Setting};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{DeviceChangeStatus, LineIdentifier, PortalType};
use lineshift_store::import::{ImportRevProduct, ImportRevService};
use lineshift_testkit::operator::{Operator, iccid, number};
use rust_decimal::Decimal;

/// Line 2 failed by that rule, with that text; lines 1 and 3 were done; of 2 there is the row and one log entry.
async fn only_line_2_failed(operator: &Operator, id: BulkChangeId, code: Code, kind: ErrorKind, text: &str, by: LogText) {
    let mut rows = operator.rows(id).await;
    rows.sort_by_key(|row| row.request_position);
    assert_eq!(rows.len(), 3);
    let failed = &rows[1];
    assert_eq!((failed.status, failed.error_kind, failed.error_code), (DeviceChangeStatus::Error, Some(kind), Some(code)));
    assert_eq!(failed.status_details.as_deref(), Some(text));
    assert!(failed.processed_at.is_some());
    for row in [&rows[0], &rows[2]] {
        assert_eq!((row.status, row.error_code), (DeviceChangeStatus::Processed, None), "the others go on");
    }
    let log: Vec<_> = operator.log(id).await.into_iter().filter(|entry| entry.device_change_id == Some(failed.id)).collect();
    assert_eq!(log.len(), 1, "one log entry");
    assert_eq!((log[0].description.as_str(), log[0].has_errors), (by.as_str(), true));
    assert_eq!(log[0].error_text, Some(format!("{code}: {text}")));
    assert_eq!((log[0].response_text.as_deref(), log[0].response_status.as_str()), (None, "ERROR"));
    if let Some(device) = failed.device_id {
        let history = operator
            .store
            .list_device_history(operator.tenant(), &Reach::Everything, device, None, 10)
            .await
            .expect("history")
            .items;
        assert!(history.iter().all(|entry| entry.bulk_change_id != id), "nothing was written about line 2");
    }
    let written = format!("SELECT count(DISTINCT device_id) FROM device_action_history WHERE bulk_change_id = {id}");
    assert_eq!(operator.count(&written).await, 2);
    assert!(operator.change(id).await.processed_at.is_some(), "the change was completed");
}

/// The rule fails at submission: the counts say so before anything ran.
async fn at_submission(operator: &Operator, order: Order, code: Code, kind: ErrorKind, text: &str) {
    let submitted = operator.submit(order).await;
    assert_eq!((submitted.accepted, submitted.rejected), (2, 1));
    operator.run_until_idle().await;
    only_line_2_failed(operator, submitted.id, code, kind, text, LogText::RefusedAtSubmission).await;
}

/// The line is changed after all three were accepted.
async fn at_processing(
    operator: &Operator,
    order: Order,
    change: impl AsyncFnOnce(&Operator),
    code: Code,
    kind: ErrorKind,
    text: &str,
) {
    let submitted = operator.submit(order).await;
    assert_eq!((submitted.accepted, submitted.rejected), (3, 0));
    change(operator).await;
    operator.run_until_idle().await;
    only_line_2_failed(operator, submitted.id, code, kind, text, LogText::RefusedAtProcessing).await;
}

fn three(operator: &Operator) -> Order {
    operator.order((1..=3).map(iccid), operator.amop_assignment())
}

fn three_numbers(operator: &Operator) -> Order {
    let by_iccid = operator.order((1..=3).map(number), operator.plan_change(operator.plan));
    Order { portal: PortalType::Mobility, identifier: LineIdentifier::Number, ..by_iccid }
}

/// A Rev service of the Rev customer for line 2.
fn service(operator: &Operator, has_package: bool, product: Option<&str>) -> ImportRevService {
    let product = product.map(|status| ImportRevProduct {
        rev_service_product_id: 70,
        rev_product_id: 7,
        rate: None,
        quantity: None,
        status: status.to_owned(),
        description: None,
    });
    ImportRevService {
        rev_customer_id: operator.rev_customer,
        rev_service_id: 9_000,
        iccid: Some(iccid(2)),
        number: None,
        rev_service_type_id: None,
        rev_provider_id: None,
        activated_date: None,
        disconnected_date: None,
        has_package,
        products: product.into_iter().collect(),
    }
}

async fn bill(operator: &Operator, service: ImportRevService) {
    let now = lineshift_engine::Clock::now(&*operator.clock);
    let done = operator.store.import_rev_services(operator.tenant(), &[service], now).await.expect("services");
    assert_eq!(done.refused, []);
}

#[tokio::test]
async fn rule_1_an_iccid_has_18_to_22_digits() {
    let operator = Operator::with_lines(3).await;
    let order = operator.order([&iccid(1), "89 44 50", &iccid(3)], operator.amop_assignment());
    let text = "\"89 44 50\" is no ICCID of 18 to 22 digits";
    at_submission(&operator, order, Code::InvalidIccid, ErrorKind::Validation, text).await;
}

#[tokio::test]
async fn rule_1_a_number_has_10_to_15_digits() {
    let operator = Operator::with_lines(3).await;
    let order = Order { lines: [number(1), "555-01".to_owned(), number(3)].into_iter().collect(), ..three_numbers(&operator) };
    let text = "\"555-01\" is no number of 10 to 15 digits";
    at_submission(&operator, order, Code::InvalidNumber, ErrorKind::Validation, text).await;
}

#[tokio::test]
async fn rule_2_the_inventory_has_the_line() {
    let operator = Operator::with_lines(1).await;
    operator.add_lines(operator.jasper, 3..=3).await;
    let text = "no line of the inventory has this iccid";
    at_submission(&operator, three(&operator), Code::DeviceNotFound, ErrorKind::Eligibility, text).await;
}

const AMBIGUOUS: &str = "2 lines of the inventory have this number; name the one that is meant by its ICCID";

#[tokio::test]
async fn rule_2_a_number_names_one_line() {
    let operator = Operator::with_lines(4).await;
    operator.change_line(4, |line| line.subscriber_number = Some(number(2))).await;
    at_submission(&operator, three_numbers(&operator), Code::NumberAmbiguous, ErrorKind::Eligibility, AMBIGUOUS).await;
}

#[tokio::test]
async fn rule_2_a_number_still_names_one_line_when_the_page_runs() {
    let operator = Operator::with_lines(4).await;
    let change = async |operator: &Operator| operator.change_line(4, |line| line.subscriber_number = Some(number(2))).await;
    at_processing(&operator, three_numbers(&operator), change, Code::NumberAmbiguous, ErrorKind::Eligibility, AMBIGUOUS).await;
}

#[tokio::test]
async fn rule_3_the_line_belongs_to_the_service_provider() {
    let operator = Operator::with_lines(3).await;
    let (jasper, telegence) = (operator.jasper, operator.telegence);
    let text = format!("the line belongs to service provider {telegence}, the order is for {jasper}");
    let change = async |operator: &Operator| {
        operator.change_line(2, |line| (line.service_provider_id, line.status) = (telegence, "A".to_owned())).await;
    };
    at_processing(&operator, three(&operator), change, Code::WrongServiceProvider, ErrorKind::Eligibility, &text).await;
    let order = operator.order((1..=3).map(iccid), operator.plan_change(operator.plan));
    at_submission(&operator, order, Code::WrongServiceProvider, ErrorKind::Eligibility, &text).await;
}

#[tokio::test]
async fn rule_4_the_line_is_not_archived() {
    let operator = Operator::with_lines(3).await;
    let text = "the line is archived or deleted in the inventory";
    let change = async |operator: &Operator| operator.change_line(2, |line| line.is_archived = true).await;
    at_processing(&operator, three(&operator), change, Code::DeviceArchived, ErrorKind::Eligibility, text).await;
    let order = operator.order((1..=3).map(iccid), operator.plan_change(operator.plan));
    at_submission(&operator, order, Code::DeviceArchived, ErrorKind::Eligibility, text).await;
}

#[tokio::test]
async fn rule_5_the_status_is_an_active_one_of_the_carrier() {
    let operator = Operator::with_lines(3).await;
    let text = "the line's status is \"A\"; active for Jasper are ACTIVATED, ACTIVATION_READY, TEST_READY";
    let change = async |operator: &Operator| operator.change_line(2, |line| line.status = "A".to_owned()).await;
    at_processing(&operator, three(&operator), change, Code::DeviceNotActive, ErrorKind::Eligibility, text).await;
    let order = operator.order((1..=3).map(iccid), operator.plan_change(operator.plan));
    at_submission(&operator, order, Code::DeviceNotActive, ErrorKind::Eligibility, text).await;
}

#[tokio::test]
async fn rule_5_each_carrier_has_its_own_active_statuses() {
    let operator = Operator::with_lines(0).await;
    for (line, status) in [(1, "activated"), (2, "TEST_READY"), (3, "ACTIVATION_READY"), (4, "active"), (5, "In-Service")] {
        operator.import(&[operator.line(operator.jasper, line, status)]).await;
    }
    for (line, status) in [(6, "A"), (7, "ACTIVATED")] {
        operator.import(&[operator.line(operator.telegence, line, status)]).await;
    }
    let jasper = operator.run(operator.order((1..=5).map(iccid), operator.amop_assignment())).await;
    let refused = "device_not_active";
    assert_eq!(operator.outcomes(jasper.id).await, ["PROCESSED", "PROCESSED", "PROCESSED", refused, refused]);
    let order = operator.order((6..=7).map(iccid), operator.amop_assignment());
    let telegence = operator.run(Order { service_provider_id: operator.telegence, ..order }).await;
    assert_eq!(operator.outcomes(telegence.id).await, ["PROCESSED", refused]);
}

#[tokio::test]
async fn rule_6_an_earlier_change_holds_the_line() {
    let operator = Operator::with_lines(3).await;
    let held = Order { process_changes: false, ..operator.order([iccid(2)], operator.plan_change(operator.other_plan)) };
    let held = operator.submit(held).await;
    let text = format!("bulk change {} is still working on this line; order again when it is done", held.id);
    at_submission(&operator, three(&operator), Code::ChangeInProgress, ErrorKind::Conflict, &text).await;
    // Once that one has ended, the line is free.
    operator.engine.cancel(&operator.caller, held.id).await.expect("canceled");
    let again = operator.run(operator.order([iccid(2)], operator.amop_assignment())).await;
    assert_eq!(operator.outcomes(again.id).await, ["PROCESSED"]);
}

const BILLED: &str = "another customer is billed for this line in Rev.io; disconnect that service first";

#[tokio::test]
async fn rule_8_nobody_else_is_billed_for_the_line() {
    let billing: [(bool, Option<&str>); 3] = [(true, None), (false, Some("ACTIVE")), (false, Some("PENDING"))];
    for (has_package, product) in billing {
        let operator = Operator::with_lines(3).await;
        bill(&operator, service(&operator, has_package, product)).await;
        at_submission(&operator, three(&operator), Code::ActiveServiceLine, ErrorKind::Conflict, BILLED).await;

        let operator = Operator::with_lines(3).await;
        let change = async |operator: &Operator| bill(operator, service(operator, has_package, product)).await;
        at_processing(&operator, three(&operator), change, Code::ActiveServiceLine, ErrorKind::Conflict, BILLED).await;
    }
}

#[tokio::test]
async fn rule_8_lets_go_what_is_not_billed_to_others() {
    let ended = "2026-01-01T00:00:00Z".parse().ok();
    let operator = Operator::with_lines(3).await;
    let harmless = [
        // Nothing is charged on it; it is over; it was denied; the customer of the order itself is billed.
        (service(&operator, false, None), operator.amop_assignment()),
        (ImportRevService { disconnected_date: ended, ..service(&operator, true, None) }, operator.amop_assignment()),
        (service(&operator, false, Some("DENIED")), operator.amop_assignment()),
        (service(&operator, true, Some("ACTIVE")), Effect::CustomerAssignment(operator.rev_assignment())),
    ];
    for (service, effect) in harmless {
        let operator = Operator::with_lines(3).await;
        bill(&operator, service).await;
        let change = operator.run(operator.order((1..=3).map(iccid), effect)).await;
        assert_eq!(operator.outcomes(change.id).await, ["PROCESSED"; 3]);
    }
    // A plan change is nobody's business but the customer's.
    let operator = Operator::with_lines(3).await;
    bill(&operator, service(&operator, true, None)).await;
    let change = operator.run(operator.order((1..=3).map(iccid), operator.plan_change(operator.plan))).await;
    assert_eq!(operator.outcomes(change.id).await, ["PROCESSED"; 3]);
}

#[tokio::test]
async fn an_allocation_without_a_plan_lies_within_the_bound_of_the_lines_plan() {
    let operator = Operator::with_lines(3).await;
    operator.book([1, 3], operator.amop_site, Some(operator.other_plan)).await;
    let values = PlanValues { allocation_mb: Setting::Set(Decimal::new(10_005, 1)), ..PlanValues::default() };
    let order = |values| {
        let change = CustomerRatePlanOrder { values, effective_date: None, replace_scheduled: false };
        operator.order((1..=3).map(iccid), Effect::CustomerRatePlanChange(change))
    };
    let text = "1000.5 MB were ordered; the plan of this line allows at most 1000 MB";
    let change = async |operator: &Operator| operator.book([2], operator.amop_site, Some(operator.plan)).await;
    at_processing(&operator, order(values), change, Code::AllocationOverBound, ErrorKind::Validation, text).await;
    let values = PlanValues { allocation_mb: Setting::Set(Decimal::new(20_005, 1)), ..values };
    let text = "2000.5 MB were ordered; the plan of this line allows at most 1000 MB";
    at_submission(&operator, order(values), Code::AllocationOverBound, ErrorKind::Validation, text).await;
}

#[tokio::test]
async fn a_line_that_is_no_longer_what_was_judged_is_left_alone() {
    let operator = Operator::with_lines(3).await;
    let text = "customer, site or plan of this line were changed after this order was judged; look at the line and order again";
    let change = async |operator: &Operator| operator.book([2], operator.rev_site, None).await;
    at_processing(&operator, three(&operator), change, Code::ModifiedMeanwhile, ErrorKind::Conflict, text).await;
    assert_eq!(operator.device(2).await.site_id, Some(operator.rev_site), "line 2 stays as the other left it");
}

#[tokio::test]
async fn a_line_ordered_by_a_number_that_moved_on_is_left_alone() {
    let operator = Operator::with_lines(3).await;
    let text = "the line has another number than the one it was ordered by; look at the line and order again";
    let change = async |operator: &Operator| operator.change_line(2, |line| line.subscriber_number = None).await;
    at_processing(&operator, three_numbers(&operator), change, Code::ModifiedMeanwhile, ErrorKind::Conflict, text).await;
}

#[tokio::test]
async fn a_line_named_several_times_counts_once() {
    let operator = Operator::with_lines(2).await;
    let spaced = format!(" {}-{} ", &iccid(1)[..4], &iccid(1)[4..]);
    let lines = [iccid(1), iccid(2), spaced, "x".to_owned(), iccid(2), "x".to_owned()];
    let submitted = operator.submit(operator.order(lines, operator.amop_assignment())).await;
    assert_eq!((submitted.accepted, submitted.rejected, submitted.duplicates), (2, 1, 3));
    operator.run_until_idle().await;
    let change = operator.change(submitted.id).await;
    assert_eq!((change.counts.total, change.duplicates), (3, 3));
    assert_eq!(operator.outcomes(submitted.id).await, ["PROCESSED", "PROCESSED", "invalid_iccid"]);
}

#[tokio::test]
async fn validating_says_the_same_and_stores_nothing() {
    let operator = crate::golden::fleet().await;
    let order = || operator.order(crate::golden::ten_lines(), operator.amop_assignment());
    let said = operator.engine.validate(&operator.caller, order()).await.expect("validated");
    assert_eq!((said.accepted, said.rejected, said.duplicates), (5, 5, 0));
    assert_eq!(operator.changes_seen_by(&operator.caller).await, 0);
    let submitted = operator.submit(order()).await;
    assert_eq!((submitted.accepted, submitted.rejected), (said.accepted, said.rejected));
    let mut rows = operator.rows(submitted.id).await;
    rows.sort_by_key(|row| row.request_position);
    for (line, row) in said.lines.iter().zip(&rows) {
        let code = match &line.verdict {
            lineshift_domain::judge::Verdict::Refused(reason) => Some(reason.code),
            _ => None,
        };
        assert_eq!((i64::from(line.request_position), code), (row.request_position, row.error_code));
    }
}
