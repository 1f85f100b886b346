//! Every row, log entry and history entry of a ten-line plan change, texts included: now, by number, and on a date.

#![expect(clippy::too_many_lines, reason = "most of a golden test is its snapshots")]

use chrono::TimeDelta;
use insta::assert_snapshot;
use lineshift_domain::order::{CustomerRatePlanOrder, Effect, EffectiveDate, Order};
use lineshift_domain::terms::{LineIdentifier, PortalType};
use lineshift_testkit::operator::{Operator, number};

use crate::golden::{fleet, ten_lines};

#[tokio::test]
async fn a_plan_change_now_of_ten_lines() {
    let operator = fleet().await;
    let effect = operator.plan_change(operator.plan);
    operator.run(operator.order([&ten_lines()[2]], effect.clone())).await;
    operator.book([10], operator.amop_site, Some(operator.other_plan)).await;
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
    row 2 #1.40 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Change Customer Rate Plan: Update AMOP
      request: usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDevices | plan 1, pool kept, allocation 500 MB, line 89445000000000000017
      response: now plan 1, pool kept, allocation 500 MB
    row 3 #1.40 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Change Customer Rate Plan: Update AMOP
      request: usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDevices | plan 1, pool kept, allocation 500 MB, line 89445000000000000027
      response: now plan 1, pool kept, allocation 500 MB
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
    row 8 #1.40 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Change Customer Rate Plan: Update AMOP
      request: usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDevices | plan 1, pool kept, allocation 500 MB, line 89445000000000000107
      response: now plan 1, pool kept, allocation 500 MB
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
        to {"customer_rate_plan_id":1,"customer_rate_pool_id":null,"customer_data_allocation_mb":"500"}
    line 2 2026-12-01T09:00:01Z change 2 #1.40 customer_rate_plan by operator
      from {"customer_rate_plan_id":null,"customer_rate_pool_id":null,"customer_data_allocation_mb":null}
        to {"customer_rate_plan_id":1,"customer_rate_pool_id":null,"customer_data_allocation_mb":"500"}
    line 3 2026-12-01T09:00:00Z change 1 #1.40 customer_rate_plan by operator
      from {"customer_rate_plan_id":null,"customer_rate_pool_id":null,"customer_data_allocation_mb":null}
        to {"customer_rate_plan_id":1,"customer_rate_pool_id":null,"customer_data_allocation_mb":"500"}
    line 10 2026-12-01T09:00:01Z change 2 #1.40 customer_rate_plan by operator
      from {"customer_rate_plan_id":2,"customer_rate_pool_id":null,"customer_data_allocation_mb":null}
        to {"customer_rate_plan_id":1,"customer_rate_pool_id":null,"customer_data_allocation_mb":"500"}
    "#);
    assert_snapshot!(operator.shown_cross_provider_history().await, @r"
    line 01 change 2 #1.90 2026-12-01T09:00:01Z to now: provider 1, customer -, site -, account -, plan 1, pool -, allocation 500
    line 02 change 2 #1.90 2026-12-01T09:00:01Z to now: provider 1, customer -, site -, account -, plan 1, pool -, allocation 500
    line 03 change 1 #1.90 2026-12-01T09:00:00Z to now: provider 1, customer -, site -, account -, plan 1, pool -, allocation 500
    line 10 change 2 #1.90 2026-12-01T09:00:01Z to now: provider 1, customer -, site 2, account -, plan 1, pool -, allocation 500
    ");
}

fn by_number(operator: &Operator, lines: impl IntoIterator<Item = String>) -> Order {
    Order {
        portal: PortalType::Mobility,
        identifier: LineIdentifier::Number,
        ..operator.order(lines, operator.plan_change(operator.plan))
    }
}

#[tokio::test]
async fn a_plan_change_by_number_of_ten_lines() {
    let operator = fleet().await;
    operator.run(by_number(&operator, [number(3)])).await;
    // 8 is too short, and two lines have the number of 10.
    operator.add_lines(operator.jasper, 20..=20).await;
    operator.change_line(20, |line| line.subscriber_number = Some(number(10))).await;
    let lines = (1..=10).map(|line| if line == 8 { "+1 (555) 000".to_owned() } else { number(line) });
    let submitted = operator.submit(by_number(&operator, lines)).await;
    operator.clock.advance(TimeDelta::seconds(1));
    operator.change_line(9, |line| line.subscriber_number = Some(number(99))).await;
    operator.run_until_idle().await;

    assert_snapshot!(operator.shown_rows(submitted.id).await, @r#"
    0 89445000000000000017 PROCESSED - - #1 -
    1 89445000000000000027 PROCESSED - - #1 -
    2 89445000000000000037 PROCESSED - - #1 already so
    3 89445000000000000047 ERROR ELIGIBILITY device_archived #1 the line is archived or deleted in the inventory
    4 89445000000000000057 ERROR ELIGIBILITY device_not_active #1 the line's status is "SUSPENDED"; active for Jasper are ACTIVATED, ACTIVATION_READY, TEST_READY
    8 89445000000000000097 ERROR CONFLICT modified_meanwhile #1 the line has another number than the one it was ordered by; look at the line and order again
    5 89445000000000000067 ERROR ELIGIBILITY wrong_service_provider #1 the line belongs to service provider 2, the order is for 1
    6 15550000007 ERROR ELIGIBILITY device_not_found #1 no line of the inventory has this number
    7 +1 (555) 000 ERROR VALIDATION invalid_number #1 "+1 (555) 000" is no number of 10 to 15 digits
    9 15550000010 ERROR ELIGIBILITY number_ambiguous #1 2 lines of the inventory have this number; name the one that is meant by its ICCID
    "#);
    assert_snapshot!(operator.shown_log(submitted.id).await, @r#"
    row 0 #1.90 2026-12-01T09:00:01Z Mobility AltaworxDeviceBulkChange ERROR has errors: Bulk Change Completed
      response: {"status":"PARTIAL","total":10,"processed":3,"error":7,"canceled":0,"rejected":6,"seconds":0.000}
    row 2 #1.40 2026-12-01T09:00:01Z Mobility AltaworxDeviceBulkChange PROCESSED no errors: Change Customer Rate Plan: Update AMOP
      request: usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDeviceByNumber | plan 1, pool kept, allocation 500 MB, line 15550000001
      response: now plan 1, pool kept, allocation 500 MB
    row 3 #1.40 2026-12-01T09:00:01Z Mobility AltaworxDeviceBulkChange PROCESSED no errors: Change Customer Rate Plan: Update AMOP
      request: usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDeviceByNumber | plan 1, pool kept, allocation 500 MB, line 15550000002
      response: now plan 1, pool kept, allocation 500 MB
    row 4 #1.0 2026-12-01T09:00:01Z Mobility AltaworxDeviceBulkChange PROCESSED no errors: Process: Already So
      request: Process | 15550000003
      response: already so
    row 5 #1.0 2026-12-01T09:00:00Z Mobility AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 15550000004
      error: device_archived: the line is archived or deleted in the inventory
    row 6 #1.0 2026-12-01T09:00:00Z Mobility AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 15550000005
      error: device_not_active: the line's status is "SUSPENDED"; active for Jasper are ACTIVATED, ACTIVATION_READY, TEST_READY
    row 7 #1.0 2026-12-01T09:00:01Z Mobility AltaworxDeviceBulkChange ERROR has errors: Process: Device Refused
      request: Process | 15550000009
      error: modified_meanwhile: the line has another number than the one it was ordered by; look at the line and order again
    row 8 #1.0 2026-12-01T09:00:00Z Mobility AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 15550000006
      error: wrong_service_provider: the line belongs to service provider 2, the order is for 1
    row 9 #1.0 2026-12-01T09:00:00Z Mobility AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 15550000007
      error: device_not_found: no line of the inventory has this number
    row 10 #1.0 2026-12-01T09:00:00Z Mobility AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | +1 (555) 000
      error: invalid_number: "+1 (555) 000" is no number of 10 to 15 digits
    row 11 #1.0 2026-12-01T09:00:00Z Mobility AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 15550000010
      error: number_ambiguous: 2 lines of the inventory have this number; name the one that is meant by its ICCID
    "#);
    assert_snapshot!(operator.shown_history([1, 2, 3, 9, 10]).await, @r#"
    line 1 2026-12-01T09:00:01Z change 2 #1.40 customer_rate_plan by operator
      from {"customer_rate_plan_id":null,"customer_rate_pool_id":null,"customer_data_allocation_mb":null}
        to {"customer_rate_plan_id":1,"customer_rate_pool_id":null,"customer_data_allocation_mb":"500"}
    line 2 2026-12-01T09:00:01Z change 2 #1.40 customer_rate_plan by operator
      from {"customer_rate_plan_id":null,"customer_rate_pool_id":null,"customer_data_allocation_mb":null}
        to {"customer_rate_plan_id":1,"customer_rate_pool_id":null,"customer_data_allocation_mb":"500"}
    line 3 2026-12-01T09:00:00Z change 1 #1.40 customer_rate_plan by operator
      from {"customer_rate_plan_id":null,"customer_rate_pool_id":null,"customer_data_allocation_mb":null}
        to {"customer_rate_plan_id":1,"customer_rate_pool_id":null,"customer_data_allocation_mb":"500"}
    "#);
    assert_snapshot!(operator.shown_cross_provider_history().await, @r"
    line 01 change 2 #1.90 2026-12-01T09:00:01Z to now: provider 1, customer -, site -, account -, plan 1, pool -, allocation 500
    line 02 change 2 #1.90 2026-12-01T09:00:01Z to now: provider 1, customer -, site -, account -, plan 1, pool -, allocation 500
    line 03 change 1 #1.90 2026-12-01T09:00:00Z to now: provider 1, customer -, site -, account -, plan 1, pool -, allocation 500
    ");
}

#[tokio::test]
async fn a_scheduled_plan_change_of_ten_lines() {
    let operator = fleet().await;
    operator.book([1, 2, 3, 10], operator.amop_site, Some(operator.plan)).await;
    operator.book([2], operator.rev_site, None).await;
    let day = chrono::NaiveDate::from_ymd_opt(2026, 12, 24).expect("a day");
    let effect = Effect::CustomerRatePlanChange(CustomerRatePlanOrder {
        effective_date: Some(EffectiveDate::Day(day)),
        ..operator.plan_order(operator.other_plan)
    });
    let submitted = operator.submit(operator.order(ten_lines(), effect)).await;
    operator.clock.advance(TimeDelta::seconds(1));
    operator.book([9], operator.amop_site, None).await;
    operator.run_until_idle().await;
    assert_snapshot!(operator.shown_rows(submitted.id).await, @r#"
    0 89445000000000000017 PROCESSED - - #1 scheduled for 2026-12-24T00:00:00-06:00
    1 89445000000000000027 PROCESSED - - #1 scheduled for 2026-12-24T00:00:00-06:00
    2 89445000000000000037 PROCESSED - - #1 scheduled for 2026-12-24T00:00:00-06:00
    3 89445000000000000047 ERROR ELIGIBILITY device_archived #1 the line is archived or deleted in the inventory
    4 89445000000000000057 ERROR ELIGIBILITY device_not_active #1 the line's status is "SUSPENDED"; active for Jasper are ACTIVATED, ACTIVATION_READY, TEST_READY
    8 89445000000000000097 ERROR CONFLICT modified_meanwhile #1 customer, site or plan of this line were changed after this order was judged; look at the line and order again
    9 89445000000000000107 PROCESSED - - #1 scheduled for 2026-12-24T00:00:00-06:00
    5 89445000000000000067 ERROR ELIGIBILITY wrong_service_provider #1 the line belongs to service provider 2, the order is for 1
    6 89445000000000000077 ERROR ELIGIBILITY device_not_found #1 no line of the inventory has this iccid
    7 8.944500E+19 ERROR VALIDATION invalid_iccid #1 "8.944500E+19" is no ICCID of 18 to 22 digits
    "#);
    assert_eq!(operator.shown_history([1, 2, 3, 9, 10]).await, "", "nothing has changed yet");
    assert_eq!(operator.shown_cross_provider_history().await, "", "nothing has changed yet");

    // Until then line 3 goes to another customer, and line 10 gets the plan by another order.
    operator.book([3], operator.rev_site, Some(operator.plan)).await;
    operator.run(operator.order([&ten_lines()[9]], operator.plan_change(operator.other_plan))).await;
    operator.clock.set("2026-12-24T06:00:30Z");
    operator.run_until_idle().await;

    assert_snapshot!(operator.shown_log(submitted.id).await, @r#"
    row 0 #1.90 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange ERROR has errors: Bulk Change Completed
      response: {"status":"PARTIAL","total":10,"processed":4,"error":6,"canceled":0,"rejected":5,"seconds":0.000}
    row 1 #1.40 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Change Customer Rate Plan: Schedule
      request: Device_CustomerRatePlanOrRatePool_Queue | plan 2, pool kept, allocation none, line 89445000000000000017
      response: scheduled for 2026-12-24T00:00:00-06:00
    row 1 #1.2000 2026-12-24T06:00:30Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Scheduled Customer Rate Plan: Update AMOP
      request: Scheduled Customer Rate Plan: Update AMOP | {"iccid":"89445000000000000017","customer_rate_plan_id":2,"customer_rate_pool_id":null,"customer_data_allocation_mb":"0","effective_date":"2026-12-24T06:00:00Z"}
      response: applied
    row 2 #1.40 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Change Customer Rate Plan: Schedule
      request: Device_CustomerRatePlanOrRatePool_Queue | plan 2, pool kept, allocation none, line 89445000000000000027
      response: scheduled for 2026-12-24T00:00:00-06:00
    row 2 #1.2000 2026-12-24T06:00:30Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Scheduled Customer Rate Plan: Update AMOP
      request: Scheduled Customer Rate Plan: Update AMOP | {"iccid":"89445000000000000027","customer_rate_plan_id":2,"customer_rate_pool_id":null,"customer_data_allocation_mb":"0","effective_date":"2026-12-24T06:00:00Z"}
      response: applied
    row 3 #1.40 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Change Customer Rate Plan: Schedule
      request: Device_CustomerRatePlanOrRatePool_Queue | plan 2, pool kept, allocation none, line 89445000000000000037
      response: scheduled for 2026-12-24T00:00:00-06:00
    row 3 #1.2000 2026-12-24T06:00:30Z M2M AltaworxDeviceBulkChange ERROR has errors: Scheduled Customer Rate Plan: Update AMOP
      request: Scheduled Customer Rate Plan: Update AMOP | {"iccid":"89445000000000000037","customer_rate_plan_id":2,"customer_rate_pool_id":null,"customer_data_allocation_mb":"0","effective_date":"2026-12-24T06:00:00Z"}
      error: the line was handed to another customer after this change was scheduled; schedule it again if it is still wanted
    row 4 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 89445000000000000047
      error: device_archived: the line is archived or deleted in the inventory
    row 5 #1.0 2026-12-01T09:00:00Z M2M AltaworxDeviceBulkChange ERROR has errors: Submit: Device Refused
      request: Submit | 89445000000000000057
      error: device_not_active: the line's status is "SUSPENDED"; active for Jasper are ACTIVATED, ACTIVATION_READY, TEST_READY
    row 6 #1.0 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange ERROR has errors: Process: Device Refused
      request: Process | 89445000000000000097
      error: modified_meanwhile: customer, site or plan of this line were changed after this order was judged; look at the line and order again
    row 7 #1.40 2026-12-01T09:00:01Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Change Customer Rate Plan: Schedule
      request: Device_CustomerRatePlanOrRatePool_Queue | plan 2, pool kept, allocation none, line 89445000000000000107
      response: scheduled for 2026-12-24T00:00:00-06:00
    row 7 #1.2000 2026-12-24T06:00:30Z M2M AltaworxDeviceBulkChange PROCESSED no errors: Scheduled Customer Rate Plan: Update AMOP
      request: Scheduled Customer Rate Plan: Update AMOP | {"iccid":"89445000000000000107","customer_rate_plan_id":2,"customer_rate_pool_id":null,"customer_data_allocation_mb":"0","effective_date":"2026-12-24T06:00:00Z"}
      response: already so
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
    line 1 2026-12-24T06:00:30Z change 1 #1.1000 customer_rate_plan by operator
      from {"customer_rate_plan_id":1,"customer_rate_pool_id":null,"customer_data_allocation_mb":null}
        to {"customer_rate_plan_id":2,"customer_rate_pool_id":null,"customer_data_allocation_mb":null}
    line 2 2026-12-24T06:00:30Z change 1 #1.1000 customer_rate_plan by operator
      from {"customer_rate_plan_id":null,"customer_rate_pool_id":null,"customer_data_allocation_mb":null}
        to {"customer_rate_plan_id":2,"customer_rate_pool_id":null,"customer_data_allocation_mb":null}
    line 10 2026-12-01T09:00:01Z change 2 #1.40 customer_rate_plan by operator
      from {"customer_rate_plan_id":1,"customer_rate_pool_id":null,"customer_data_allocation_mb":null}
        to {"customer_rate_plan_id":2,"customer_rate_pool_id":null,"customer_data_allocation_mb":null}
    "#);
    assert_snapshot!(operator.shown_cross_provider_history().await, @r"
    line 01 change 1 #1.1000 2026-12-24T06:00:00Z to now: provider 1, customer -, site 2, account -, plan 2, pool -, allocation -
    line 02 change 1 #1.1000 2026-12-24T06:00:00Z to now: provider 1, customer 4711, site 1, account 4711, plan 2, pool -, allocation -
    line 10 change 2 #1.90 2026-12-01T09:00:01Z to now: provider 1, customer -, site 2, account -, plan 2, pool -, allocation -
    ");
    assert_eq!(operator.change(submitted.id).await.scheduled_failed, 1);
}
