//! What null, 0 and a value mean (B8.4, B8.5), and how orders are stored.

use lineshift_domain::ids::{CustomerRatePlanId, IntegrationAuthenticationId, RevCustomerId, SiteId};
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{Effect, PlanValues, Setting, StoredAssignment, StoredOrder, StoredPlan};
use lineshift_domain::reading::read_bulk_change;
use lineshift_domain::terms::{OnPartialFailure, OnRevServiceFailure, PortalType};
use proptest::prelude::*;
use rust_decimal::Decimal;

fn ordered(plan: &str, pool: &str, allocation: &str) -> PlanValues {
    let body = format!(
        r#"{{"ServiceProviderId":7,"ChangeType":4,"Devices":["1"],"CustomerRatePlanUpdate":{{
            "CustomerRatePlanId":{plan},"CustomerPoolId":{pool},"CustomerDataAllocationMB":{allocation}}}}}"#
    );
    let order = read_bulk_change(body.as_bytes(), PortalType::M2M, &Limits::default()).expect("an order of the right form");
    let Effect::CustomerRatePlanChange(plan) = order.effect else { panic!("a plan change was ordered") };
    plan.values
}

#[test]
fn null_keeps_zero_clears_and_a_value_sets() {
    let present = (Some(CustomerRatePlanId(1)), Some(Decimal::new(100, 0)));
    for (written, plan, allocation) in [
        ("null", Setting::Keep, Setting::Keep),
        ("0", Setting::Clear, Setting::Clear),
        ("5", Setting::Set(CustomerRatePlanId(5)), Setting::Set(Decimal::new(5, 0))),
    ] {
        let values = ordered(written, "6", written);
        assert_eq!((values.plan, values.allocation_mb), (plan, allocation), "{written}");
        let (kept, cleared, set) = match written {
            "null" => (present, false, false),
            "0" => ((None, None), true, false),
            _ => ((Some(CustomerRatePlanId(5)), Some(Decimal::new(5, 0))), false, true),
        };
        assert_eq!((plan.applied_to(present.0), allocation.applied_to(present.1)), kept);
        assert_eq!(plan == Setting::Clear, cleared);
        assert_eq!(plan.value().is_some(), set);
    }
}

#[test]
fn clearing_is_a_change_and_keeping_all_is_none() {
    assert!(PlanValues::default().is_empty());
    assert!(!ordered("0", "null", "null").is_empty());
    assert!(!ordered("null", "0", "null").is_empty());
    assert!(!ordered("null", "null", "0.0").is_empty());
}

#[test]
fn stored_orders_are_read_as_they_were_first_stored() {
    // This text stands in stores: fields are only ever added to it.
    let text = concat!(
        r#"{"type":"customer_assignment","rev_customer_id":5,"site_id":3,"account_number":"5","#,
        r#""integration_authentication_id":9,"effective_at":"2026-12-01T05:00:00Z","customer_rate_plan":{"#,
        r#""values":{"plan":{"set":41},"pool":"clear","allocation_mb":{"set":"512.5"}},"#,
        r#""effective_at":"2026-12-01T05:00:00Z","queued":true,"replace_scheduled":false},"on_partial_failure":"keep"}"#,
    );
    let stored: StoredOrder = serde_json::from_str(text).expect("what was stored can be read");
    let effective_at = chrono::DateTime::from_timestamp(1_796_101_200, 0);
    let values = PlanValues {
        plan: Setting::Set(CustomerRatePlanId(41)),
        pool: Setting::Clear,
        allocation_mb: Setting::Set(Decimal::new(5125, 1)),
    };
    let StoredOrder::CustomerAssignment(assignment) = stored else { panic!("an assignment was stored") };
    assert_eq!(assignment.rev_customer_id, Some(RevCustomerId(5)));
    assert_eq!(assignment.site_id, SiteId(3));
    assert_eq!(assignment.account_number.as_deref(), Some("5"));
    assert_eq!(assignment.integration_authentication_id, Some(IntegrationAuthenticationId(9)));
    assert_eq!(assignment.effective_at, effective_at);
    assert_eq!(assignment.on_partial_failure, OnPartialFailure::Keep);
    let plan = StoredPlan { values, effective_at, queued: true, replace_scheduled: false };
    assert_eq!(assignment.customer_rate_plan, Some(plan));
}

proptest! {
    #![proptest_config(crate::cases(256))]

    #[test]
    fn applying_twice_is_applying_once(values in crate::orders::plan_values(), present in any::<Option<i64>>()) {
        let present = present.map(CustomerRatePlanId);
        let once = values.plan.applied_to(present);
        prop_assert_eq!(values.plan.applied_to(once), once);
    }

    #[test]
    fn stored_orders_come_back_as_they_were(values in crate::orders::plan_values(), queued in any::<bool>(), second in 0..4_000_000_000_i64) {
        let effective_at = chrono::DateTime::from_timestamp(second, 0);
        let plan = StoredPlan { values, effective_at, queued, replace_scheduled: !queued };
        let assignment = StoredAssignment {
            rev_customer_id: None,
            site_id: SiteId(1),
            account_number: None,
            integration_authentication_id: None,
            effective_at,
            customer_rate_plan: Some(plan.clone()),
            rev_service: None,
            carrier_rate_plan: None,
            on_rev_service_failure: OnRevServiceFailure::Skip,
            on_partial_failure: OnPartialFailure::Compensate,
        };
        for order in [StoredOrder::CustomerRatePlanChange(plan), StoredOrder::CustomerAssignment(assignment)] {
            let text = serde_json::to_string(&order).expect("an order is JSON");
            prop_assert_eq!(serde_json::from_str::<StoredOrder>(&text).expect("what was written can be read"), order);
        }
    }
}
