//! Generates orders of the right form, of every type. Large strategies are boxed: their values would else fill the stack.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta};
use lineshift_domain::ids::{
    CustomerRatePlanId, CustomerRatePoolId, IntegrationAuthenticationId, RevCustomerId, ServiceProviderId, SiteId,
};
use lineshift_domain::lines::LineList;
use lineshift_domain::order::{
    ActivationLine, ActivationOrder, AssignmentOrder, BodyForm, CarrierRatePlanOrder, CustomerRatePlanOrder, Effect,
    EffectiveDate, Order, PlanValues, RevCharge, RevProductOrder, RevServiceOrder, Setting, StatusOrder,
};
use lineshift_domain::terms::{LineIdentifier, OnPartialFailure, OnRevServiceFailure, PortalType};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::body::Style;

pub(crate) fn styles() -> impl Strategy<Value = Style> {
    (0_u8..3, any::<bool>(), -14 * 60..=14 * 60, any::<bool>()).prop_map(|(case, nulls, offset_minutes, blanks)| Style {
        case,
        nulls,
        offset_minutes,
        blanks,
    })
}

fn id() -> impl Strategy<Value = i64> {
    prop_oneof![1..100_i64, 1..=i64::MAX]
}

fn text() -> impl Strategy<Value = String> {
    "[A-Za-z0-9\"\\\\/é☃][ -~é☃\n]{0,30}"
}

/// What somebody may have written for a line; whether it names one is judged later.
fn written_line() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[0-9]{10,22}", 1 => "\\PC{0,12}", 1 => any::<String>()]
}

fn amounts() -> impl Strategy<Value = Decimal> {
    (1..1_000_000_000_000_000_i64, 0..=6_u32).prop_map(|(digits, scale)| Decimal::new(digits, scale).normalize())
}

fn dates() -> BoxedStrategy<EffectiveDate> {
    let first = NaiveDate::from_ymd_opt(1990, 1, 1).expect("a day");
    let day = (0..20_000_i64).prop_map(move |days| first + TimeDelta::days(days));
    let nanos = || prop_oneof![Just(0_u32), 0..1_000_000_000_u32];
    prop_oneof![
        day.clone().prop_map(EffectiveDate::Day),
        (day, 0..86_400_u32, nanos()).prop_map(|(day, second, nano)| {
            let time = chrono::NaiveTime::from_num_seconds_from_midnight_opt(second, nano).expect("within a day");
            EffectiveDate::Local(day.and_time(time))
        }),
        (0..4_000_000_000_i64, nanos()).prop_map(|(second, nano)| {
            EffectiveDate::Instant(DateTime::from_timestamp(second, nano).expect("within chrono's years"))
        }),
    ]
    .boxed()
}

fn setting<T: Clone + std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Setting<T>> {
    prop_oneof![Just(Setting::Keep), Just(Setting::Clear), value.prop_map(Setting::Set)]
}

/// Plan values that change something.
pub(crate) fn plan_values() -> BoxedStrategy<PlanValues> {
    let any = (setting(id().prop_map(CustomerRatePlanId)), setting(id().prop_map(CustomerRatePoolId)), setting(amounts()));
    any.prop_map(|(plan, pool, allocation_mb)| PlanValues { plan, pool, allocation_mb })
        .prop_map(|values| if values.is_empty() { PlanValues { plan: Setting::Clear, ..values } } else { values })
        .boxed()
}

fn carrier_plans() -> BoxedStrategy<CarrierRatePlanOrder> {
    (option::of(text()), text(), any::<bool>())
        .prop_map(|(first, second, swap)| {
            let (carrier_rate_plan, comm_plan) = if swap { (Some(second), first) } else { (first, Some(second)) };
            CarrierRatePlanOrder { carrier_rate_plan, comm_plan, effective_date: None }
        })
        .boxed()
}

fn rev_services() -> BoxedStrategy<RevServiceOrder> {
    let products = btree_map(id(), (amounts(), prop_oneof![Just(Decimal::ONE), amounts()]), 1..4);
    let charge = prop_oneof![
        id().prop_map(RevCharge::Package),
        products.prop_map(|products: BTreeMap<i64, (Decimal, Decimal)>| {
            let product = |(product_id, (rate, quantity))| RevProductOrder { product_id, rate, quantity };
            RevCharge::Products(products.into_iter().map(product).collect())
        }),
    ];
    (id(), id(), charge, option::of(id()), any::<bool>(), option::of(text()))
        .prop_map(|(service_type_id, provider_id, charge, usage_plan_group_id, prorate, description)| RevServiceOrder {
            service_type_id,
            provider_id,
            charge,
            usage_plan_group_id,
            prorate,
            description,
        })
        .boxed()
}

fn assignments() -> BoxedStrategy<AssignmentOrder> {
    let customer = (option::of(1..1_000_000_000_000_000_000_i64), id(), any::<bool>(), option::of(id()));
    let parts = (option::of(rev_services()), option::of(carrier_plans()), option::of(plan_values()), option::of(dates()));
    (customer, parts, any::<[bool; 3]>())
        .prop_map(|((customer, site, give_site, integration), parts, [replace, go_on, undo])| {
            let (rev_service, carrier_rate_plan, customer_rate_plan, effective_date) = parts;
            let rev_service = rev_service.filter(|_| customer.is_some());
            AssignmentOrder {
                rev_customer_id: customer.map(RevCustomerId),
                site_id: (give_site || customer.is_none()).then_some(SiteId(site)),
                integration_authentication_id: integration.filter(|_| customer.is_some()).map(IntegrationAuthenticationId),
                on_rev_service_failure: match rev_service {
                    Some(_) if go_on => OnRevServiceFailure::Continue,
                    _ => OnRevServiceFailure::Skip,
                },
                rev_service,
                carrier_rate_plan: carrier_rate_plan.map(|plan| CarrierRatePlanOrder { effective_date, ..plan }),
                replace_scheduled: replace && customer_rate_plan.is_some(),
                customer_rate_plan,
                effective_date,
                on_partial_failure: if undo { OnPartialFailure::Compensate } else { OnPartialFailure::Keep },
            }
        })
        .boxed()
}

fn customer_rate_plans() -> BoxedStrategy<CustomerRatePlanOrder> {
    (plan_values(), option::of(dates()), any::<bool>())
        .prop_map(|(values, effective_date, replace_scheduled)| CustomerRatePlanOrder {
            values,
            effective_date,
            replace_scheduled,
        })
        .boxed()
}

fn activations() -> BoxedStrategy<ActivationOrder> {
    let line = ("[0-9]{18,22}", "[0-9]{15}", "[0-9]{5}").prop_map(|(iccid, imei, service_zip_code)| ActivationLine {
        iccid,
        imei,
        service_zip_code,
    });
    let texts = (text(), text(), text(), text(), option::of(text()));
    (vec(line, 1..5), vec(text(), 0..4), texts, option::of(customer_rate_plans()), option::of(assignments()))
        .prop_map(
            |(lines, offering_codes, (billing_account, rate_plan_code, first_name, last_name, static_ip), plan, assignment)| {
                ActivationOrder {
                    billing_account,
                    lines,
                    rate_plan_code,
                    offering_codes,
                    first_name,
                    last_name,
                    customer_rate_plan: plan,
                    static_ip,
                    assignment,
                }
            },
        )
        .boxed()
}

fn effects() -> BoxedStrategy<Effect> {
    let carrier = (carrier_plans(), option::of(dates()))
        .prop_map(|(plan, effective_date)| Effect::CarrierRatePlanChange(CarrierRatePlanOrder { effective_date, ..plan }));
    let status = (text(), option::of(text()))
        .prop_map(|(target_status, reason_code)| Effect::StatusUpdate(StatusOrder { target_status, reason_code }));
    prop_oneof![
        assignments().prop_map(Effect::CustomerAssignment),
        customer_rate_plans().prop_map(Effect::CustomerRatePlanChange),
        carrier,
        status,
        activations().prop_map(|order| Effect::NewServiceActivation(Box::new(order))),
    ]
    .boxed()
}

fn with_effect(form: BodyForm, effect: impl Strategy<Value = Effect>) -> impl Strategy<Value = Order> {
    let known_by = prop_oneof![
        Just((PortalType::M2M, LineIdentifier::Iccid)),
        Just((PortalType::Lnp, LineIdentifier::Number)),
        Just((PortalType::Mobility, LineIdentifier::Iccid)),
        Just((PortalType::Mobility, LineIdentifier::Number)),
    ];
    let about = (id(), any::<bool>(), option::of(text()), option::of(text()));
    (known_by, vec(written_line(), 1..8), about, effect).prop_map(move |((portal, identifier), lines, about, effect)| {
        let (provider, process_changes, name, reason) = about;
        let lines: LineList = lines.into_iter().collect();
        let (portal, identifier, lines) = match &effect {
            Effect::NewServiceActivation(order) => {
                let iccids = order.lines.iter().map(|line| line.iccid.as_str()).collect();
                (PortalType::Mobility, LineIdentifier::Iccid, iccids)
            }
            _ => (portal, identifier, lines),
        };
        let service_provider_id = ServiceProviderId(provider);
        Order { form, portal, service_provider_id, identifier, lines, process_changes, name, reason, effect }
    })
}

/// Orders of every type.
pub(crate) fn orders() -> impl Strategy<Value = Order> {
    with_effect(BodyForm::BulkChange, effects())
}

/// Customer assignments.
pub(crate) fn assignment_orders() -> impl Strategy<Value = Order> {
    with_effect(BodyForm::AssociateCustomer, assignments().prop_map(Effect::CustomerAssignment))
}
