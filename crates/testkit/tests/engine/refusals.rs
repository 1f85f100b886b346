//! Every refusal of B4.4 that the engine makes: the order is refused as a whole, with all problems at once, and nothing of
//! it is stored. (What a body must look like is refused while it is read.)

use chrono::{NaiveDate, TimeDelta};
use lineshift_domain::ids::{CustomerRatePlanId, CustomerRatePoolId, RevCustomerId, ServiceProviderId, SiteId};
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{
    AssignmentOrder, CarrierRatePlanOrder, CustomerRatePlanOrder, Effect, EffectiveDate, Order, PlanValues, RevCharge,
    RevServiceOrder, Setting, StatusOrder,
};
use lineshift_domain::refusal::{Refusal, RefusalClass};
use lineshift_engine::{Clock as _, EngineError};
use lineshift_store::catalogue::{RevCustomer, Site};
use lineshift_store_sqlite::Options;
use lineshift_testkit::operator::{Operator, iccid};
use rust_decimal::Decimal;

/// Nothing of any order is stored: no change, no row, no log, no message, no key.
async fn nothing_is_stored(operator: &Operator) {
    for table in [
        "device_bulk_change",
        "device_change",
        "device_bulk_change_page",
        "device_bulk_change_log",
        "outbox",
        "idempotency_key",
        "customer_rate_plan_device_queue",
    ] {
        assert_eq!(operator.count(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
}

/// The order is refused by rules with exactly these fields and codes, and nothing is stored.
async fn refused_for(operator: &Operator, order: Order, expected: &[(&str, &str)]) -> Refusal {
    let refusal = operator.refused(order).await;
    assert_eq!(refusal.class, RefusalClass::Rule);
    let found: Vec<_> = refusal.problems.iter().map(|problem| (problem.field.as_str(), problem.code.as_str())).collect();
    assert_eq!(found, expected, "{refusal}");
    nothing_is_stored(operator).await;
    refusal
}

fn plan_change(values: PlanValues) -> Effect {
    Effect::CustomerRatePlanChange(CustomerRatePlanOrder { values, effective_date: None, replace_scheduled: false })
}

fn assignment(order: AssignmentOrder) -> Effect {
    Effect::CustomerAssignment(order)
}

/// The message without the id, which is all that may differ.
fn without(refusal: &Refusal, id: i64) -> String {
    refusal.problems[0].message.replace(&format!(" {id} "), " ID ")
}

#[tokio::test]
async fn things_one_may_not_use_are_answered_alike_whatever_the_reason() {
    let operator = Operator::with_lines(1).await;
    let other = operator.beside("Another operator", 0).await;
    let one = |effect| operator.order([iccid(1)], effect);

    // Unknown, another tenant's, inactive.
    let mut answers = Vec::new();
    let mut provider = operator.store.get_service_provider(operator.tenant(), operator.telegence).await.expect("a provider");
    provider.is_active = false;
    operator.store.update_service_provider(operator.tenant(), &provider, operator.clock.now()).await.expect("closed");
    for id in [ServiceProviderId(999), other.jasper, operator.telegence] {
        let order = Order { service_provider_id: id, ..one(operator.amop_assignment()) };
        answers.push(without(&refused_for(&operator, order, &[("ServiceProviderId", "unknown_reference")]).await, id.0));
    }
    assert_eq!(answers, vec!["there is no active service provider ID that you may use; check the id"; 3]);

    operator.close_customer().await;
    answers.clear();
    for id in [RevCustomerId(999), other.rev_customer, operator.rev_customer] {
        let order = one(assignment(AssignmentOrder { rev_customer_id: Some(id), ..AssignmentOrder::default() }));
        answers.push(without(&refused_for(&operator, order, &[("RevCustomerId", "unknown_reference")]).await, id.0));
    }
    assert_eq!(answers, vec!["there is no active customer ID that you may use; check the id"; 3]);

    operator.close_site(operator.amop_site).await;
    answers.clear();
    for id in [SiteId(999), other.amop_site, operator.amop_site] {
        let order = one(assignment(AssignmentOrder { site_id: Some(id), ..AssignmentOrder::default() }));
        answers.push(without(&refused_for(&operator, order, &[("SiteId", "unknown_reference")]).await, id.0));
    }
    assert_eq!(answers, vec!["there is no active site ID that you may use; check the id"; 3]);

    operator.close_plan(operator.plan).await;
    answers.clear();
    for id in [CustomerRatePlanId(999), other.plan, operator.plan] {
        let field = "CustomerRatePlanUpdate.CustomerRatePlanId";
        let order = one(operator.plan_change(id));
        answers.push(without(&refused_for(&operator, order, &[(field, "unknown_reference")]).await, id.0));
    }
    assert_eq!(answers, vec!["there is no active customer rate plan ID that you may use; check the id"; 3]);

    operator.close_pool(operator.pool).await;
    answers.clear();
    for id in [CustomerRatePoolId(999), other.pool, operator.pool] {
        let order = one(plan_change(PlanValues { pool: Setting::Set(id), ..PlanValues::default() }));
        let field = "CustomerRatePlanUpdate.CustomerPoolId";
        answers.push(without(&refused_for(&operator, order, &[(field, "unknown_reference")]).await, id.0));
    }
    assert_eq!(answers, vec!["there is no active customer rate pool ID that you may use; check the id"; 3]);
}

#[tokio::test]
async fn a_site_must_be_the_customers_own() {
    let operator = Operator::with_lines(1).await;
    let second = RevCustomer {
        id: RevCustomerId(5_000),
        name: "Second".to_owned(),
        integration_authentication_id: operator.authentication,
        is_active: true,
    };
    let now = operator.clock.now();
    operator.store.create_rev_customer(operator.tenant(), &second, now).await.expect("a customer");
    let site = Site { id: SiteId(0), name: "Second's".to_owned(), rev_customer_id: Some(second.id), is_active: true };
    let site = operator.store.create_site(operator.tenant(), &site, now).await.expect("a site");
    // Another customer's site, and an AMOP customer.
    for given in [site, operator.amop_site] {
        let order = AssignmentOrder { site_id: Some(given), ..operator.rev_assignment() };
        let order = operator.order([iccid(1)], assignment(order));
        refused_for(&operator, order, &[("SiteId", "unknown_reference")]).await;
    }
    let order = AssignmentOrder { site_id: Some(operator.rev_site), ..AssignmentOrder::default() };
    let order = operator.order([iccid(1)], assignment(order));
    let refusal = refused_for(&operator, order, &[("SiteId", "site_of_rev_customer")]).await;
    let text = "belongs to a Rev customer; give its RevCustomerId, or the site of an AMOP customer";
    assert!(refusal.problems[0].message.ends_with(text), "{refusal}");
}

#[tokio::test]
async fn a_customer_needs_an_active_site() {
    let operator = Operator::with_lines(1).await;
    operator.close_site(operator.rev_site).await;
    let order = operator.order([iccid(1)], assignment(operator.rev_assignment()));
    refused_for(&operator, order, &[("RevCustomerId", "customer_without_site")]).await;
    let given = AssignmentOrder { site_id: Some(operator.rev_site), ..operator.rev_assignment() };
    refused_for(&operator, operator.order([iccid(1)], assignment(given)), &[("SiteId", "unknown_reference")]).await;
}

#[tokio::test]
async fn without_a_site_the_first_active_one_by_id_is_taken() {
    let operator = Operator::with_lines(1).await;
    let site =
        |name: &str| Site { id: SiteId(0), name: name.to_owned(), rev_customer_id: Some(operator.rev_customer), is_active: true };
    let now = operator.clock.now();
    let second = operator.store.create_site(operator.tenant(), &site("A second"), now).await.expect("a site");
    operator.store.create_site(operator.tenant(), &site("A third"), now).await.expect("a site");
    operator.close_site(operator.rev_site).await;
    operator.run(operator.order([iccid(1)], assignment(operator.rev_assignment()))).await;
    let line = operator.device(1).await;
    assert_eq!((line.site_id, line.account_number.as_deref()), (Some(second), Some("4711")));
    assert_eq!(line.integration_authentication_id, Some(operator.authentication));
}

#[tokio::test]
async fn a_given_authentication_must_be_the_customers() {
    let operator = Operator::with_lines(1).await;
    let given = |id| AssignmentOrder { integration_authentication_id: Some(id), ..operator.rev_assignment() };
    let wrong = lineshift_domain::ids::IntegrationAuthenticationId(operator.authentication.0 + 1);
    let order = operator.order([iccid(1)], assignment(given(wrong)));
    refused_for(&operator, order, &[("IntegrationAuthenticationId", "not_the_customers")]).await;
    let right = operator.run(operator.order([iccid(1)], assignment(given(operator.authentication)))).await;
    assert_eq!(operator.outcomes(right.id).await, ["PROCESSED"]);
}

#[tokio::test]
async fn an_allocation_must_lie_within_the_plans_bound() {
    let operator = Operator::with_lines(1).await;
    let over = PlanValues {
        plan: Setting::Set(operator.plan),
        allocation_mb: Setting::Set(Decimal::new(100_001, 2)),
        ..PlanValues::default()
    };
    let field = "CustomerRatePlanUpdate.CustomerDataAllocationMB";
    let order = operator.order([iccid(1)], plan_change(over));
    let refusal = refused_for(&operator, order, &[(field, "allocation_over_bound")]).await;
    assert_eq!(refusal.problems[0].message, "1000.01 MB were asked for; plan 1 allows at most 1000 MB");
    let in_assignment = AssignmentOrder { customer_rate_plan: Some(over), ..operator.rev_assignment() };
    let order = operator.order([iccid(1)], assignment(in_assignment));
    refused_for(&operator, order, &[("CustomerDataAllocationMB", "allocation_over_bound")]).await;
    // The bound itself is allowed, and a plan without a bound takes anything.
    for (plan, allocation) in [(operator.plan, 1_000), (operator.other_plan, 5_000_000)] {
        let values = PlanValues {
            plan: Setting::Set(plan),
            allocation_mb: Setting::Set(Decimal::from(allocation)),
            ..PlanValues::default()
        };
        operator.run(operator.order([iccid(1)], plan_change(values))).await;
        assert_eq!(operator.device(1).await.customer_data_allocation_mb, Some(Decimal::from(allocation)));
    }
}

#[tokio::test]
async fn a_date_must_lie_within_its_limits() {
    let operator = Operator::with_lines(1).await;
    let now = operator.clock.now();
    let on = |date| {
        let order = CustomerRatePlanOrder { effective_date: Some(date), ..operator.plan_order(operator.plan) };
        operator.order([iccid(1)], Effect::CustomerRatePlanChange(order))
    };
    let at = |days: i64, seconds: i64| on(EffectiveDate::Instant(now + TimeDelta::days(days) + TimeDelta::seconds(seconds)));
    let out_of_range = [("CustomerRatePlanUpdate.EffectiveDate", "date_out_of_range")];
    let refusal = refused_for(&operator, at(730, 1), &out_of_range).await;
    assert_eq!(
        refusal.problems[0].message,
        "2028-11-30T09:00:01Z lies 731 days ahead, expected at most 730; give a date nearer to today"
    );
    refused_for(&operator, at(-400, -1), &out_of_range).await;
    let day = NaiveDate::from_ymd_opt(2025, 10, 1).expect("a day");
    refused_for(&operator, on(EffectiveDate::Day(day)), &out_of_range).await;
    // Both bounds are allowed.
    for order in [at(730, 0), at(-400, 0)] {
        let change = operator.run(order).await;
        assert_eq!(operator.outcomes(change.id).await, ["PROCESSED"]);
    }
}

#[tokio::test]
async fn what_needs_an_outside_system_is_not_available() {
    let operator = Operator::with_lines(1).await;
    let rev_service = RevServiceOrder {
        service_type_id: 1,
        provider_id: 2,
        charge: RevCharge::Package(3),
        usage_plan_group_id: None,
        prorate: false,
        description: None,
    };
    let carrier = CarrierRatePlanOrder { carrier_rate_plan: Some("IoT 1".to_owned()), ..CarrierRatePlanOrder::default() };
    let billed = AssignmentOrder { rev_service: Some(rev_service), ..operator.rev_assignment() };
    refused_for(
        &operator,
        operator.order([iccid(1)], assignment(billed.clone())),
        &[("CreateRevService", "credentials_missing")],
    )
    .await;
    let both = AssignmentOrder { carrier_rate_plan: Some(carrier.clone()), ..billed };
    let missing = &[("CarrierRatePlan", "credentials_missing"), ("CreateRevService", "credentials_missing")];
    refused_for(&operator, operator.order([iccid(1)], assignment(both)), missing).await;
    let status = StatusOrder { target_status: "S".to_owned(), reason_code: None };
    for (effect, field) in [
        (Effect::CarrierRatePlanChange(carrier), "CarrierRatePlanUpdate.CarrierRatePlan"),
        (Effect::StatusUpdate(status), "StatusUpdate.TargetStatus"),
    ] {
        let order = Order { service_provider_id: operator.telegence, ..operator.order([iccid(1)], effect) };
        let refusal = refused_for(&operator, order, &[(field, "not_available")]).await;
        assert_eq!(refusal.problems[0].message, "Telegence lines cannot be changed at their carrier by this version");
    }
}

#[tokio::test]
async fn too_many_devices_are_refused() {
    let limits = Limits { devices_per_change: 3, ..Limits::default() };
    let operator = Operator::with(4, limits, Options::default()).await;
    let order = operator.order((1..=4).map(iccid), operator.amop_assignment());
    let refusal = refused_for(&operator, order, &[("Devices", "too_many_devices")]).await;
    assert_eq!(refusal.problems[0].message, "4 devices were given, at most 3 may be; split the order");
    let change = operator.run(operator.order((1..=3).map(iccid), operator.amop_assignment())).await;
    assert_eq!(operator.outcomes(change.id).await, ["PROCESSED"; 3]);
}

#[tokio::test]
async fn all_problems_are_told_at_once() {
    let operator = Operator::with_lines(1).await;
    let order = AssignmentOrder {
        site_id: Some(SiteId(999)),
        integration_authentication_id: Some(lineshift_domain::ids::IntegrationAuthenticationId(999)),
        customer_rate_plan: Some(PlanValues {
            plan: Setting::Set(operator.plan),
            pool: Setting::Set(CustomerRatePoolId(999)),
            allocation_mb: Setting::Set(Decimal::from(2_000)),
        }),
        effective_date: Some(EffectiveDate::Instant(operator.clock.now() + TimeDelta::days(1_000))),
        ..operator.rev_assignment()
    };
    let order =
        Order { service_provider_id: ServiceProviderId(999), ..operator.order([iccid(1), "x".to_owned()], assignment(order)) };
    let expected = [
        ("ServiceProviderId", "unknown_reference"),
        ("EffectiveDate", "date_out_of_range"),
        ("CustomerRatePool", "unknown_reference"),
        ("CustomerDataAllocationMB", "allocation_over_bound"),
        ("IntegrationAuthenticationId", "not_the_customers"),
        ("SiteId", "unknown_reference"),
    ];
    refused_for(&operator, order, &expected).await;
}

#[tokio::test]
async fn a_caller_without_the_permission_is_refused_before_anything_is_looked_up() {
    let operator = Operator::with_lines(1).await;
    let viewer = operator.key("viewer", "m2m:view mobility:create m2m:edit").await;
    let order = Order { service_provider_id: ServiceProviderId(999), ..operator.order([iccid(1)], operator.amop_assignment()) };
    for refused in [
        operator.engine.submit(&viewer, order.clone(), None).await.map(|_| ()),
        operator.engine.validate(&viewer, order).await.map(|_| ()),
    ] {
        let Err(EngineError::Refused(refusal)) = refused else { panic!("a viewer may not submit: {refused:?}") };
        assert_eq!((refusal.class, refusal.problems[0].code.as_str()), (RefusalClass::Forbidden, "permission_missing"));
        assert_eq!(
            refusal.problems[0].message,
            "this needs the scope m2m:create, which you do not have; use a key that has it, or have it added"
        );
    }
    nothing_is_stored(&operator).await;
}
