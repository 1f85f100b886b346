//! A preview in words.

use std::collections::BTreeSet;
use std::fmt::Display;

use chrono::{DateTime, Utc};
use lineshift_domain::order::{PlanValues, RevCharge, Setting, StoredCarrierRatePlan, StoredOrder, StoredPlan, StoredRevService};
use lineshift_domain::terms::{OnPartialFailure, OnRevServiceFailure};
use lineshift_engine::{Amount, CalledAccount, LineValues, Preview};
use lineshift_store::catalogue::{Names, Unnamed};
use rust_decimal::Decimal;

use super::offers::Offers;
use crate::portal::page::{When, thousands};

/// So many things, as words.
pub(super) fn counted(count: i64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { many })
}

/// So many lines.
pub(super) fn lines(count: i64) -> String {
    counted(count, "line", "lines")
}

/// The things whose names an order needs, and those of some lines.
pub(super) fn unnamed<'a>(order: &StoredOrder, values: impl Iterator<Item = &'a LineValues> + Clone) -> Unnamed {
    fn all<'a, T: Ord>(
        values: impl Iterator<Item = &'a LineValues>,
        of: impl Fn(&LineValues) -> Option<T>,
        also: Option<T>,
    ) -> BTreeSet<T> {
        values.filter_map(of).chain(also).collect()
    }
    let (assignment, plan) = (order.assignment(), order.plan().map(|plan| plan.values));
    Unnamed {
        rev_customers: all(values.clone(), |it| it.rev_customer_id, assignment.and_then(|it| it.rev_customer_id)),
        sites: all(values.clone(), |it| it.site_id, assignment.map(|it| it.site_id)),
        customer_rate_plans: all(values.clone(), |it| it.customer_rate_plan_id, plan.and_then(|plan| plan.plan.value())),
        customer_rate_pools: all(values, |it| it.customer_rate_pool_id, plan.and_then(|plan| plan.pool.value())),
        ..Unnamed::default()
    }
}

/// To whom an order assigns.
fn customer(order: &StoredOrder, names: &Names) -> Option<String> {
    let assignment = order.assignment()?;
    Some(match assignment.rev_customer_id {
        Some(id) => names.rev_customers.get(&id).cloned().unwrap_or_else(|| format!("customer {id}")),
        None => names.sites.get(&assignment.site_id).cloned().unwrap_or_else(|| format!("site {}", assignment.site_id)),
    })
}

/// The act, as the button names it: `Assign 4,812 lines to Acme Corp`.
pub(super) fn act(order: &StoredOrder, count: i64, names: &Names) -> String {
    let lines = lines(count);
    match order {
        StoredOrder::CustomerAssignment(_) => format!("Assign {lines} to {}", customer(order, names).unwrap_or_default()),
        StoredOrder::CustomerRatePlanChange(plan) => match plan.values.plan {
            Setting::Set(id) => {
                let name = names.customer_rate_plans.get(&id).cloned().unwrap_or_else(|| format!("plan {id}"));
                format!("{} {lines} to plan {name}", if plan.queued { "Schedule" } else { "Move" })
            }
            Setting::Clear => format!("Take {lines} off their customer rate plans"),
            Setting::Keep => format!("Change pool or allocation of {lines}"),
        },
        StoredOrder::CarrierRatePlanChange(plan) => {
            let to = plan.carrier_rate_plan.as_ref().or(plan.comm_plan.as_ref()).cloned().unwrap_or_default();
            format!("Move {lines} to {to} at the carrier")
        }
        StoredOrder::StatusUpdate(status) => format!("Set {lines} to {}", status.target_status),
    }
}

/// What is ordered, one fact a row.
pub(super) fn facts(
    preview: &Preview,
    (names, offers): (&Names, &Offers),
    date: Option<(&When, bool)>,
) -> Vec<(&'static str, String)> {
    let order = &preview.order;
    let mut facts = Vec::new();
    if let Some(assignment) = order.assignment() {
        // Several may be called alike: here it says which is meant.
        let name = customer(order, names).unwrap_or_default();
        facts.push(("Customer", assignment.rev_customer_id.map_or_else(|| name.clone(), |id| format!("{name} ({id})"))));
        facts.push(("Site", numbered(names.sites.get(&assignment.site_id), assignment.site_id)));
    }
    if let Some(StoredPlan { values, .. }) = order.plan() {
        facts.extend(plan_facts(values, names));
    }
    if let Some(plan) = carrier_plan(order) {
        facts.extend(plan.carrier_rate_plan.clone().map(|plan| ("Carrier rate plan", plan)));
        facts.extend(plan.comm_plan.clone().map(|plan| ("Communication plan", plan)));
    }
    if let StoredOrder::StatusUpdate(status) = order {
        facts.push(("Status", status.target_status.clone()));
        facts.extend(status.reason_code.clone().map(|code| ("Reason code", code)));
    }
    facts.extend(order.rev_service().map(|service| ("Service in Rev.io", service_text(service, offers))));
    let at_once = match order {
        StoredOrder::CustomerAssignment(_) => "at once; each line is dated by its activation",
        _ => "at once",
    };
    facts.push((
        "Takes effect",
        match date {
            None => at_once.to_owned(),
            Some((when, true)) => when.text.clone(),
            Some((when, false)) => format!("at once, dated {}", when.text),
        },
    ));
    if let StoredOrder::CustomerAssignment(assignment) = order {
        if assignment.rev_service.is_some() {
            facts.push((
                "When a service cannot be opened",
                match assignment.on_rev_service_failure {
                    OnRevServiceFailure::Skip => "the line stays as it is".to_owned(),
                    OnRevServiceFailure::Continue => "the line is assigned all the same".to_owned(),
                },
            ));
        }
        facts.push((
            "When a later step fails",
            match assignment.on_partial_failure {
                OnPartialFailure::Keep => "what was done is kept".to_owned(),
                OnPartialFailure::Compensate => "what was done to that line is undone".to_owned(),
            },
        ));
    }
    facts
}

/// A name with its number, or the number alone.
fn numbered(name: Option<&String>, id: impl Display) -> String {
    name.map_or_else(|| id.to_string(), |name| format!("{name} ({id})"))
}

fn carrier_plan(order: &StoredOrder) -> Option<&StoredCarrierRatePlan> {
    match order {
        StoredOrder::CarrierRatePlanChange(plan) => Some(plan),
        _ => order.assignment()?.carrier_rate_plan.as_ref(),
    }
}

fn plan_facts(values: &PlanValues, names: &Names) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let mut fact = |name, setting: Setting<String>| match setting {
        Setting::Keep => {}
        Setting::Clear => facts.push((name, "none".to_owned())),
        Setting::Set(text) => facts.push((name, text)),
    };
    fact("Customer rate plan", set(values.plan, |id| numbered(names.customer_rate_plans.get(&id), id)));
    fact("Customer rate pool", set(values.pool, |id| numbered(names.customer_rate_pools.get(&id), id)));
    fact("Data allocation", set(values.allocation_mb, |mb| format!("{} MB", mb.normalize())));
    facts
}

fn set<T>(setting: Setting<T>, text: impl FnOnce(T) -> String) -> Setting<String> {
    match setting {
        Setting::Keep => Setting::Keep,
        Setting::Clear => Setting::Clear,
        Setting::Set(value) => Setting::Set(text(value)),
    }
}

fn service_text(service: &StoredRevService, offers: &Offers) -> String {
    let charged = match &service.charge {
        RevCharge::Package(id) => format!("package {}", offers.name(|it| &it.packages, *id)),
        RevCharge::Products(products) => {
            let each = products.iter().map(|it| {
                let name = offers.name(|it| &it.products, it.product_id);
                format!("product {name} at {} x {}", price(it.rate), it.quantity.normalize())
            });
            each.collect::<Vec<_>>().join(", ")
        }
    };
    let prorate = if service.prorate { ", prorated" } else { "" };
    let service_type = offers.name(|it| &it.service_types, service.service_type_id);
    let provider = offers.name(|it| &it.providers, service.provider_id);
    format!("type {service_type}, provider {provider}, {charged}{prorate}")
}

/// What people ought to know before they order.
pub(super) fn notes(preview: &Preview, now: DateTime<Utc>) -> Vec<String> {
    let mut notes = Vec::new();
    let ahead = preview.date(now).is_some_and(|(_, ahead)| ahead);
    if let Some(assignment) = preview.order.assignment().filter(|_| ahead) {
        notes.push("Customer, site and account number move at once; only the customer rate plan waits for the date.".to_owned());
        if assignment.carrier_rate_plan.is_some() {
            notes.push("The carrier is told of the date.".to_owned());
        }
    }
    let dated = preview.date(now).is_some();
    match preview.order.rev_service() {
        Some(service) if dated && service.prorate => {
            notes.push(
                "The service is opened at once, activated on the date, and Rev.io is sent it as the day from which it charges."
                    .to_owned(),
            );
        }
        Some(_) if dated => {
            notes.push(
                "The service is opened at once and activated on the date. Without Prorate no day from which it charges is sent to Rev.io."
                    .to_owned(),
            );
        }
        _ => {}
    }
    notes.extend(scheduled(preview));
    notes
}

/// What becomes of scheduled changes that are open on these lines (B8.2, B8.3).
fn scheduled(preview: &Preview) -> Option<String> {
    let open = preview.open_entries.filter(|open| *open > 0)?;
    let are_open = counted(open, "scheduled change is", "scheduled changes are");
    let canceled = match preview.canceled_entries {
        0 => String::new(),
        all if all == open => " Ordering this cancels them.".to_owned(),
        some => format!(" Ordering this cancels {} of them.", thousands(some)),
    };
    let left = match (open - preview.canceled_entries, preview.order.assignment().is_some()) {
        (0, _) => "",
        (_, true) => " One made for another customer than its line will have fails when it falls due.",
        (_, false) => " What stays takes effect on its date, in the order of the dates.",
    };
    Some(format!("{are_open} open on these lines.{canceled}{left}"))
}

/// What is called outside, and for how long.
pub(super) fn calls(preview: &Preview) -> Vec<String> {
    let mut calls = Vec::new();
    if preview.services > 0 {
        calls.push(format!("{} in Rev.io are found or opened.", counted(preview.services, "service", "services")));
    }
    calls.extend(preview.calls.iter().filter(|called| called.estimate.calls > 0).map(|called| {
        let CalledAccount { name, integration_kind, estimate } = called;
        let count = counted(i64::try_from(estimate.calls).unwrap_or(i64::MAX), "call", "calls");
        let kind = integration_kind.to_string();
        let kind = if kind == *name { String::new() } else { format!(" ({kind})") };
        format!("{count} to {name}{kind}: about {}, with nobody else calling.", lasting(estimate.seconds))
    }));
    calls
}

/// A time that something takes, as people say it.
pub(super) fn lasting(seconds: u64) -> String {
    match seconds {
        0..=90 => format!("{seconds} s"),
        91..=5_400 => format!("{} min", seconds.div_ceil(60)),
        5_401..=129_600 => format!("{} h", seconds.div_ceil(3_600)),
        _ => format!("{} days", seconds.div_ceil(86_400)),
    }
}

/// Money a month, with what is not known.
pub(super) fn amount(amount: Amount) -> String {
    match amount.unknown {
        0 => money(amount.known),
        unknown => format!("{} and {}", money(amount.known), counted(unknown, "unknown price", "unknown prices")),
    }
}

/// A price as it was given: to the cent, or further where it goes further.
pub(super) fn price(price: Decimal) -> String {
    let exact = price.normalize();
    if exact.scale() > 2 { exact.to_string() } else { money(exact) }
}

/// An amount of money, with its thousands apart, to the cent.
fn money(amount: Decimal) -> String {
    let rounded = format!("{:.2}", amount.round_dp(2));
    let (whole, cents) = rounded.split_once('.').unwrap_or((&rounded, "00"));
    whole.parse().map_or_else(|_| rounded.clone(), |whole: i64| format!("{}.{cents}", thousands(whole)))
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;

    #[test]
    fn money_and_times_are_written_for_people() {
        let decimal = |text| Decimal::from_str(text).expect("an amount");
        for (given, text) in [
            ("0", "0.00"),
            ("9.9", "9.90"),
            ("1234567.891", "1,234,567.89"),
            ("123456789012345678901", "123456789012345678901.00"),
        ] {
            assert_eq!(money(decimal(given)), text);
        }
        assert_eq!(amount(Amount { known: decimal("19.80"), unknown: 1 }), "19.80 and 1 unknown price");
        for (seconds, text) in [(1, "1 s"), (120, "2 min"), (7_300, "3 h"), (400_000, "5 days")] {
            assert_eq!(lasting(seconds), text);
        }
    }
}
