//! Judging is the same whatever the order and chunking of the lines, and what was done stands as asked.

use std::collections::BTreeMap;

use lineshift_domain::facts::{Hold, LineAssignment, LineFacts};
use lineshift_domain::ids::{
    BulkChangeId, CustomerRatePlanId, CustomerRatePoolId, DeviceId, IntegrationAuthenticationId, RevCustomerId,
    ServiceProviderId, SiteId,
};
use lineshift_domain::judge::{Judge, RequiredData, Verdict};
use lineshift_domain::order::{PlanValues, Setting, StoredAssignment, StoredOrder, StoredPlan};
use lineshift_domain::terms::{IntegrationKind, OnPartialFailure, OnRevServiceFailure};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::judging_rules::{PROVIDER, statuses};

/// Few values, so that lines often stand as asked.
fn few() -> impl Strategy<Value = i64> + Clone {
    1..4_i64
}

fn megabytes() -> impl Strategy<Value = Decimal> {
    few().prop_map(|value| Decimal::new(value * 100, 0))
}

fn settings<T: Clone + std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Setting<T>> {
    prop_oneof![Just(Setting::Keep), Just(Setting::Clear), value.prop_map(Setting::Set)]
}

fn plans() -> impl Strategy<Value = StoredPlan> {
    let values =
        (settings(few().prop_map(CustomerRatePlanId)), settings(few().prop_map(CustomerRatePoolId)), settings(megabytes()));
    (values, prop::bool::weighted(0.2), prop::bool::weighted(0.2)).prop_map(
        |((plan, pool, allocation_mb), queued, replace_scheduled)| StoredPlan {
            values: PlanValues { plan, pool, allocation_mb },
            effective_at: None,
            queued,
            replace_scheduled,
        },
    )
}

fn stored_orders() -> impl Strategy<Value = StoredOrder> {
    let assignment = (option::of(few()), few(), option::of(plans())).prop_map(|(customer, site, customer_rate_plan)| {
        StoredOrder::CustomerAssignment(StoredAssignment {
            rev_customer_id: customer.map(RevCustomerId),
            site_id: SiteId(site),
            account_number: customer.map(|id| id.to_string()),
            integration_authentication_id: customer.map(IntegrationAuthenticationId),
            effective_at: None,
            customer_rate_plan,
            rev_service: None,
            carrier_rate_plan: None,
            on_rev_service_failure: OnRevServiceFailure::Skip,
            on_partial_failure: OnPartialFailure::Keep,
        })
    });
    prop_oneof![assignment, plans().prop_map(StoredOrder::CustomerRatePlanChange)]
}

fn line_assignments() -> impl Strategy<Value = LineAssignment> {
    let who = (option::of(few()), option::of(few()), any::<bool>());
    let what = (option::of(few()), option::of(few()), option::of(megabytes()), option::of(megabytes()));
    (who, what).prop_map(|((customer, site, is_active), (plan, pool, allocation_mb, plan_allocation_bound_mb))| LineAssignment {
        rev_customer_id: customer.map(RevCustomerId),
        site_id: site.map(SiteId),
        integration_authentication_id: customer.map(IntegrationAuthenticationId),
        is_active,
        plan: plan.map(CustomerRatePlanId),
        pool: pool.map(CustomerRatePoolId),
        allocation_mb,
        plan_allocation_bound_mb,
    })
}

fn line_facts() -> impl Strategy<Value = LineFacts> {
    let rarely = || prop::bool::weighted(0.1);
    let hold = option::weighted(
        0.1,
        (few(), any::<bool>()).prop_map(|(id, outcome_unknown)| Hold { bulk_change_id: BulkChangeId(id), outcome_unknown }),
    );
    let status = prop::sample::select(vec!["ACTIVATED", "activated", "In-Service", "DEACTIVATED"]);
    ((rarely(), rarely(), rarely(), rarely(), rarely()), hold, status, line_assignments(), few()).prop_map(
        |(
            (other_provider, is_archived, no_number, billed_to_customer, billed_to_other),
            held_by,
            status,
            assignment,
            version,
        )| {
            LineFacts {
                device_id: DeviceId(0),
                service_provider_id: if other_provider { ServiceProviderId(8) } else { PROVIDER },
                status: status.into(),
                is_archived,
                has_subscriber_number: !no_number,
                has_imei: true,
                version,
                assignment,
                carrier_rate_plan: None,
                communication_plan: None,
                held_by,
                billed_to_customer,
                billed_to_other,
            }
        },
    )
}

/// What the line has once the order was carried out for it.
fn carried_out(order: &StoredOrder, line: &LineFacts) -> LineFacts {
    let mut done = line.clone();
    let has = &mut done.assignment;
    if let Some(asked) = order.assignment() {
        has.rev_customer_id = asked.rev_customer_id;
        has.site_id = Some(asked.site_id);
        has.integration_authentication_id = asked.integration_authentication_id;
        has.is_active = true;
    }
    if let Some(asked) = order.plan() {
        has.plan = asked.values.plan.applied_to(has.plan);
        has.pool = asked.values.pool.applied_to(has.pool);
        has.allocation_mb = asked.values.allocation_mb.applied_to(has.allocation_mb);
    }
    done
}

proptest! {
    #![proptest_config(crate::cases(256))]

    #[test]
    fn neither_order_nor_chunking_of_the_lines_matters(
        order in stored_orders(),
        lines in vec(line_facts(), 1..40).prop_map(|mut lines| {
            lines.iter_mut().zip(1..).for_each(|(line, id)| line.device_id = DeviceId(id));
            lines
        }),
        keys in vec(any::<u64>(), 40),
        chunk in 1..10_usize,
        strict in any::<bool>(),
    ) {
        let statuses = statuses();
        let judge = || {
            let judge = Judge::new(&order, PROVIDER, IntegrationKind::JASPER, &statuses);
            if strict { judge.creating_rev_service().needing(RequiredData { subscriber_number: true, imei: true }) } else { judge }
        };
        let one_by_one = judge();
        let in_order: BTreeMap<DeviceId, Verdict> = lines.iter().map(|line| (line.device_id, one_by_one.judge(line))).collect();

        let mut shuffled: Vec<(u64, &LineFacts)> = keys.into_iter().zip(&lines).collect();
        shuffled.sort_by_key(|(key, _)| *key);
        let mut in_chunks = BTreeMap::new();
        for page in shuffled.chunks(chunk) {
            let judge = judge();
            in_chunks.extend(page.iter().map(|(_, line)| (line.device_id, judge.judge(line))));
        }
        prop_assert_eq!(in_chunks, in_order);
    }

    #[test]
    fn what_was_carried_out_stands_as_asked(order in stored_orders(), line in line_facts()) {
        let statuses = statuses();
        let judge = Judge::new(&order, PROVIDER, IntegrationKind::JASPER, &statuses);
        let before = judge.judge(&line);
        let done = carried_out(&order, &line);
        let after = judge.judge(&done);
        let always_does_something = order.plan().is_some_and(|plan| plan.queued || plan.replace_scheduled);
        match before {
            Verdict::Refused(reason) => prop_assert_eq!(after, Verdict::Refused(reason)),
            Verdict::AlreadySo => prop_assert_eq!(done, line, "already so means that nothing would change"),
            Verdict::Accepted if always_does_something => prop_assert_eq!(after, Verdict::Accepted),
            Verdict::Accepted => {
                prop_assert_ne!(done, line, "accepted means that something changes");
                prop_assert_eq!(after, Verdict::AlreadySo);
            }
        }
    }

    #[test]
    fn a_line_that_no_one_touched_is_judged_the_same_again(order in stored_orders(), line in line_facts()) {
        let statuses = statuses();
        let judge = Judge::new(&order, PROVIDER, IntegrationKind::JASPER, &statuses);
        prop_assert_eq!(judge.judge_again(&line, line.version), judge.judge(&line));
        let again = judge.judge_again(&line, line.version - 1);
        prop_assert!(matches!(again, Verdict::Refused(_)), "{:?}", again);
    }

    #[test]
    fn a_service_to_create_is_never_there_already(order in stored_orders(), line in line_facts()) {
        let statuses = statuses();
        let judge = Judge::new(&order, PROVIDER, IntegrationKind::JASPER, &statuses).creating_rev_service();
        prop_assert_ne!(judge.judge(&line), Verdict::AlreadySo);
    }
}
