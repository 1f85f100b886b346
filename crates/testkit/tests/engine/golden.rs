//! Every row, log entry and history entry of a ten-line assignment, texts included.

#![expect(clippy::too_many_lines, reason = "most of a golden test is its snapshots")]

use chrono::TimeDelta;
use insta::assert_snapshot;
use lineshift_domain::order::{AssignmentOrder, Effect, PlanValues, Setting};
use lineshift_testkit::operator::{Operator, iccid};
use rust_decimal::Decimal;

/// Ten lines of which the inventory has eight: 7 is unknown, and 8 was spoilt by a spreadsheet.
pub(crate) fn ten_lines() -> Vec<String> {
    (1..=10).map(|line| if line == 8 { "8.944500E+19".to_owned() } else { iccid(line) }).collect()
}

/// The fleet of those lines: 4 archived, 5 suspended, 6 at another carrier, 10 booked and on a plan already.
pub(crate) async fn fleet() -> Operator {
    let operator = Operator::with_lines(0).await;
    let mut lines: Vec<_> =
        [1, 2, 3, 4, 5, 9, 10].into_iter().map(|line| operator.line(operator.jasper, line, "ACTIVATED")).collect();
    lines[3].is_archived = true;
    lines[4].status = "SUSPENDED".to_owned();
    // Dated by the moment of the change: nobody knows since when it is active.
    lines[1].activated_at = None;
    operator.import(&lines).await;
    operator.add_lines(operator.telegence, 6..=6).await;
    operator
}

#[tokio::test]
async fn an_amop_assignment_of_ten_lines() {
    let operator = fleet().await;
    operator.book([3], operator.amop_site, None).await;
    operator.book([10], operator.rev_site, Some(operator.plan)).await;
    let submitted = operator.submit(operator.order(ten_lines(), operator.amop_assignment())).await;
    operator.clock.advance(TimeDelta::seconds(1));
    operator.book([9], operator.rev_site, None).await;
    operator.run_until_idle().await;

    assert_snapshot!(operator.shown_rows(submitted.id).await, @r#"
    0 89445000000000000017 PROCESSED - - #1 -
    1 89445000000000000027 PROCESSED - - #1 -
    2 89445000000000000037 PROCESSED - - #1 already so
    3 89445000000000000047 ERROR ELIGIBILITY device_archived #1 the line is archived or deleted in the inventory
    4 89445000000000000057 ERROR ELIGIBILITY device_not_active #1 the line's status is "SUSPENDED"; active for Jasper are ACTIVATED, ACTIVATION_READY, TEST_READY
    8 89445000000000000097 ERROR CONFLICT modified_meanwhile #1 customer, site or plan of this line were changed after this order was judged; look at the line and order again
    9 89445000000000000107 PROCESSED - - #1 -
    5 89445000000000000067 ERROR ELIGIBILITY wrong_service_provider #1 the line belongs to service provider 2, the order is for 1
    6 89445000000000000077 ERROR ELIGIBILITY device_not_found #1 no line of the inventory has this iccid
    7 8.944500E+19 ERROR VALIDATION invalid_iccid #1 "8.944500E+19" is no ICCID of 18 to 22 digits
    "#);
    assert_snapshot!(operator.shown_log(submitted.id).await, @r#"
    row 0 #1.90 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange ERROR has errors: Bulk Change Completed
      response: {"status":"PARTIAL","total":10,"processed":4,"error":6,"canceled":0,"rejected":5,"seconds":0.000}
    row 1 #1.30 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: AssignNonRevCustomer: Update AMOP
      request: usp_DeviceBulkChange_Assign_Non_Rev_Customer | site 2, line 89445000000000000017
      response: assigned to site 2
    row 2 #1.30 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: AssignNonRevCustomer: Update AMOP
      request: usp_DeviceBulkChange_Assign_Non_Rev_Customer | site 2, line 89445000000000000027
      response: assigned to site 2
    row 3 #1.0 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Process: Already So
      request: Process | 89445000000000000037
      response: already so
    row 4 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 89445000000000000047
      error: device_archived: the line is archived or deleted in the inventory
    row 5 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 89445000000000000057
      error: device_not_active: the line's status is "SUSPENDED"; active for Jasper are ACTIVATED, ACTIVATION_READY, TEST_READY
    row 6 #1.0 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange ERROR has errors: Process: Device Refused
      request: Process | 89445000000000000097
      error: modified_meanwhile: customer, site or plan of this line were changed after this order was judged; look at the line and order again
    row 7 #1.30 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: AssignNonRevCustomer: Update AMOP
      request: usp_DeviceBulkChange_Assign_Non_Rev_Customer | site 2, line 89445000000000000107
      response: assigned to site 2
    row 8 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 89445000000000000067
      error: wrong_service_provider: the line belongs to service provider 2, the order is for 1
    row 9 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 89445000000000000077
      error: device_not_found: no line of the inventory has this iccid
    row 10 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 8.944500E+19
      error: invalid_iccid: "8.944500E+19" is no ICCID of 18 to 22 digits
    "#);
    assert_snapshot!(operator.shown_history([1, 2, 3, 9, 10]).await, @r#"
    line 1 2026-12-01T09:00:01Z change 1 #1.30 assignment by operator
      from {"rev_customer_id":null,"site_id":null,"account_number":null,"integration_authentication_id":null,"effective_date":null,"is_active":0,"is_deleted":0}
        to {"rev_customer_id":null,"site_id":2,"account_number":null,"integration_authentication_id":null,"effective_date":1742014800000000,"is_active":1,"is_deleted":0}
    line 2 2026-12-01T09:00:01Z change 1 #1.30 assignment by operator
      from {"rev_customer_id":null,"site_id":null,"account_number":null,"integration_authentication_id":null,"effective_date":null,"is_active":0,"is_deleted":0}
        to {"rev_customer_id":null,"site_id":2,"account_number":null,"integration_authentication_id":null,"effective_date":1796115601000000,"is_active":1,"is_deleted":0}
    line 10 2026-12-01T09:00:01Z change 1 #1.30 assignment by operator
      from {"rev_customer_id":4711,"site_id":1,"account_number":"4711","integration_authentication_id":1,"effective_date":null,"is_active":1,"is_deleted":0}
        to {"rev_customer_id":null,"site_id":2,"account_number":null,"integration_authentication_id":null,"effective_date":1742014800000000,"is_active":1,"is_deleted":0}
    "#);
    assert_snapshot!(operator.shown_cross_provider_history().await, @r"
    line 01 change 1 #1.90 2026-12-01T09:00:01Z to now: provider 1, customer -, site 2, account -, plan -, pool -, allocation -
    line 02 change 1 #1.90 2026-12-01T09:00:01Z to now: provider 1, customer -, site 2, account -, plan -, pool -, allocation -
    line 10 change 1 #1.90 2026-12-01T09:00:01Z to now: provider 1, customer -, site 2, account -, plan 1, pool -, allocation -
    ");
}

#[tokio::test]
async fn a_rev_assignment_with_plan_pool_and_allocation_of_ten_lines() {
    let operator = fleet().await;
    operator.book([10], operator.amop_site, Some(operator.other_plan)).await;
    let values = PlanValues {
        plan: Setting::Set(operator.plan),
        pool: Setting::Set(operator.pool),
        allocation_mb: Setting::Set(Decimal::from(750)),
    };
    let effect = Effect::CustomerAssignment(AssignmentOrder { customer_rate_plan: Some(values), ..operator.rev_assignment() });
    // Line 3 stands so already, after an order of its own.
    operator.run(operator.order([iccid(3)], effect.clone())).await;
    let submitted = operator.submit(operator.order(ten_lines(), effect)).await;
    operator.clock.advance(TimeDelta::seconds(1));
    operator.book([9], operator.amop_site, None).await;
    operator.run_until_idle().await;

    assert_snapshot!(operator.shown_rows(submitted.id).await, @r#"
    0 89445000000000000017 PROCESSED - - #1 -
    1 89445000000000000027 PROCESSED - - #1 -
    2 89445000000000000037 PROCESSED - - #1 already so
    3 89445000000000000047 ERROR ELIGIBILITY device_archived #1 the line is archived or deleted in the inventory
    4 89445000000000000057 ERROR ELIGIBILITY device_not_active #1 the line's status is "SUSPENDED"; active for Jasper are ACTIVATED, ACTIVATION_READY, TEST_READY
    8 89445000000000000097 ERROR CONFLICT modified_meanwhile #1 customer, site or plan of this line were changed after this order was judged; look at the line and order again
    9 89445000000000000107 PROCESSED - - #1 -
    5 89445000000000000067 ERROR ELIGIBILITY wrong_service_provider #1 the line belongs to service provider 2, the order is for 1
    6 89445000000000000077 ERROR ELIGIBILITY device_not_found #1 no line of the inventory has this iccid
    7 8.944500E+19 ERROR VALIDATION invalid_iccid #1 "8.944500E+19" is no ICCID of 18 to 22 digits
    "#);
    assert_snapshot!(operator.shown_log(submitted.id).await, @r#"
    row 0 #1.90 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange ERROR has errors: Bulk Change Completed
      response: {"status":"PARTIAL","total":10,"processed":4,"error":6,"canceled":0,"rejected":5,"seconds":0.000}
    row 2 #1.30 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: AMOP Customer Assignment
      request: usp_Assign_Customer_Update_Site | customer 4711, site 1, line 89445000000000000017
      response: assigned to customer 4711 at site 1
    row 2 #1.40 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Associate Customer: Update Customer Rate Plan
      request: usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDevices | plan 1, pool 1, allocation 750 MB, line 89445000000000000017
      response: now plan 1, pool 1, allocation 750 MB
    row 3 #1.30 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: AMOP Customer Assignment
      request: usp_Assign_Customer_Update_Site | customer 4711, site 1, line 89445000000000000027
      response: assigned to customer 4711 at site 1
    row 3 #1.40 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Associate Customer: Update Customer Rate Plan
      request: usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDevices | plan 1, pool 1, allocation 750 MB, line 89445000000000000027
      response: now plan 1, pool 1, allocation 750 MB
    row 4 #1.0 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Process: Already So
      request: Process | 89445000000000000037
      response: already so
    row 5 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 89445000000000000047
      error: device_archived: the line is archived or deleted in the inventory
    row 6 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 89445000000000000057
      error: device_not_active: the line's status is "SUSPENDED"; active for Jasper are ACTIVATED, ACTIVATION_READY, TEST_READY
    row 7 #1.0 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange ERROR has errors: Process: Device Refused
      request: Process | 89445000000000000097
      error: modified_meanwhile: customer, site or plan of this line were changed after this order was judged; look at the line and order again
    row 8 #1.30 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: AMOP Customer Assignment
      request: usp_Assign_Customer_Update_Site | customer 4711, site 1, line 89445000000000000107
      response: assigned to customer 4711 at site 1
    row 8 #1.40 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Associate Customer: Update Customer Rate Plan
      request: usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDevices | plan 1, pool 1, allocation 750 MB, line 89445000000000000107
      response: now plan 1, pool 1, allocation 750 MB
    row 9 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 89445000000000000067
      error: wrong_service_provider: the line belongs to service provider 2, the order is for 1
    row 10 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 89445000000000000077
      error: device_not_found: no line of the inventory has this iccid
    row 11 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 8.944500E+19
      error: invalid_iccid: "8.944500E+19" is no ICCID of 18 to 22 digits
    "#);
    assert_snapshot!(operator.shown_history([1, 2, 3, 9, 10]).await, @r#"
    line 1 2026-12-01T09:00:01Z change 2 #1.40 customer_rate_plan by operator
      from {"customer_rate_plan_id":null,"customer_rate_pool_id":null,"customer_data_allocation_mb":null}
        to {"customer_rate_plan_id":1,"customer_rate_pool_id":1,"customer_data_allocation_mb":"750"}
    line 1 2026-12-01T09:00:01Z change 2 #1.30 assignment by operator
      from {"rev_customer_id":null,"site_id":null,"account_number":null,"integration_authentication_id":null,"effective_date":null,"is_active":0,"is_deleted":0}
        to {"rev_customer_id":4711,"site_id":1,"account_number":"4711","integration_authentication_id":1,"effective_date":1742014800000000,"is_active":1,"is_deleted":0}
    line 2 2026-12-01T09:00:01Z change 2 #1.40 customer_rate_plan by operator
      from {"customer_rate_plan_id":null,"customer_rate_pool_id":null,"customer_data_allocation_mb":null}
        to {"customer_rate_plan_id":1,"customer_rate_pool_id":1,"customer_data_allocation_mb":"750"}
    line 2 2026-12-01T09:00:01Z change 2 #1.30 assignment by operator
      from {"rev_customer_id":null,"site_id":null,"account_number":null,"integration_authentication_id":null,"effective_date":null,"is_active":0,"is_deleted":0}
        to {"rev_customer_id":4711,"site_id":1,"account_number":"4711","integration_authentication_id":1,"effective_date":1796115601000000,"is_active":1,"is_deleted":0}
    line 3 2026-12-01T09:00:00Z change 1 #1.40 customer_rate_plan by operator
      from {"customer_rate_plan_id":null,"customer_rate_pool_id":null,"customer_data_allocation_mb":null}
        to {"customer_rate_plan_id":1,"customer_rate_pool_id":1,"customer_data_allocation_mb":"750"}
    line 3 2026-12-01T09:00:00Z change 1 #1.30 assignment by operator
      from {"rev_customer_id":null,"site_id":null,"account_number":null,"integration_authentication_id":null,"effective_date":null,"is_active":0,"is_deleted":0}
        to {"rev_customer_id":4711,"site_id":1,"account_number":"4711","integration_authentication_id":1,"effective_date":1742014800000000,"is_active":1,"is_deleted":0}
    line 10 2026-12-01T09:00:01Z change 2 #1.40 customer_rate_plan by operator
      from {"customer_rate_plan_id":2,"customer_rate_pool_id":null,"customer_data_allocation_mb":null}
        to {"customer_rate_plan_id":1,"customer_rate_pool_id":1,"customer_data_allocation_mb":"750"}
    line 10 2026-12-01T09:00:01Z change 2 #1.30 assignment by operator
      from {"rev_customer_id":null,"site_id":2,"account_number":null,"integration_authentication_id":null,"effective_date":null,"is_active":1,"is_deleted":0}
        to {"rev_customer_id":4711,"site_id":1,"account_number":"4711","integration_authentication_id":1,"effective_date":1742014800000000,"is_active":1,"is_deleted":0}
    "#);
    assert_snapshot!(operator.shown_cross_provider_history().await, @r"
    line 01 change 2 #1.90 2026-12-01T09:00:01Z to now: provider 1, customer 4711, site 1, account 4711, plan 1, pool 1, allocation 750
    line 02 change 2 #1.90 2026-12-01T09:00:01Z to now: provider 1, customer 4711, site 1, account 4711, plan 1, pool 1, allocation 750
    line 03 change 1 #1.90 2026-12-01T09:00:00Z to now: provider 1, customer 4711, site 1, account 4711, plan 1, pool 1, allocation 750
    line 10 change 2 #1.90 2026-12-01T09:00:01Z to now: provider 1, customer 4711, site 1, account 4711, plan 1, pool 1, allocation 750
    ");
}
