//! Orders over a generated fleet that meet its special lines, as request bodies (B4.2, B4.3).

use lineshift_domain::terms::PortalType;
use serde_json::{Value, json};

use super::catalogue::{
    FLEET_POOL, MEDIUM_PLAN, METERS, NEW_CUSTOMER, NEW_SITE, PHONE_POOL, PHONES, PROVIDERS, ROUTERS, SENSORS, TELEMATICS_PLAN,
    TRACKERS,
};
use super::{Fleet, Line, Special};

/// Once in so many lines an order names a malformed one, an unknown one, one of another carrier, and one again.
const MISTAKES_EVERY: usize = 500;

/// Lines that an order bills at most, three calls each: a demonstration is no place to wait for an hour.
const MOST_BILLED: usize = 5_000;

/// A request to `POST /{portal}/{endpoint}`.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The portal.
    pub(crate) portal: PortalType,
    /// `AssociateCustomer` or `BulkChange`.
    pub(crate) endpoint: &'static str,
    /// The body.
    pub(crate) body: Value,
}

/// Hands the meters to an AMOP customer.
pub(crate) fn amop_assignment(fleet: &Fleet, provider_id: i64) -> Request {
    let body = json!({
        "ServiceProviderId": provider_id,
        "Devices": iccids(fleet, METERS, ROUTERS),
        "RevCustomerId": "",
        "SiteId": NEW_SITE,
        "Name": "Water meters to Metro",
        "Reason": "contract 2026-114",
    });
    Request { portal: PortalType::M2M, endpoint: "AssociateCustomer", body }
}

/// Hands the trackers, or the first of them in a large fleet, to a Rev customer, with a billing service, two products and a plan.
pub(crate) fn rev_assignment(fleet: &Fleet, provider_id: i64) -> Request {
    let body = json!({
        "ServiceProviderId": provider_id,
        "Devices": iccids(fleet, TRACKERS, METERS).into_iter().take(MOST_BILLED).collect::<Vec<_>>(),
        "RevCustomerId": NEW_CUSTOMER.to_string(),
        "CreateRevService": true,
        "ServiceTypeId": 6,
        "ProviderId": 42,
        "RevProducts": [
            { "ProductId": 5_013, "Rate": 9.9, "Quantity": 1 },
            { "ProductId": 5_011, "Rate": 2.5, "Quantity": 1 },
        ],
        "AddCustomerRatePlan": true,
        "CustomerRatePlan": TELEMATICS_PLAN,
        "CustomerRatePool": FLEET_POOL,
        "Name": "Trackers to Cedar Valley",
    });
    Request { portal: PortalType::M2M, endpoint: "AssociateCustomer", body }
}

/// Moves the sensors to another plan; held back until it is started.
pub(crate) fn plan_change_held_back(fleet: &Fleet, provider_id: i64) -> Request {
    let body = json!({
        "ServiceProviderId": provider_id,
        "ChangeType": 4,
        "ProcessChanges": false,
        "Devices": iccids(fleet, SENSORS, METERS),
        "CustomerRatePlanUpdate": { "CustomerRatePlanId": MEDIUM_PLAN, "CustomerPoolId": FLEET_POOL },
        "Name": "Sensors to 250 MB",
    });
    Request { portal: PortalType::M2M, endpoint: "BulkChange", body }
}

/// Gives the phones another pool and allocation, by number.
pub(crate) fn plan_change_by_number(fleet: &Fleet, provider_id: i64) -> Request {
    let body = json!({
        "ServiceProviderId": provider_id,
        "ChangeType": 4,
        "Numbers": numbers(fleet),
        "CustomerRatePlanUpdate": { "CustomerPoolId": PHONE_POOL, "CustomerDataAllocationMB": 4_096 },
        "Name": "Phones to 4 GB",
    });
    Request { portal: PortalType::Mobility, endpoint: "BulkChange", body }
}

/// Moves the routers to another plan at that moment.
pub(crate) fn plan_change_scheduled(fleet: &Fleet, provider_id: i64, at: &str) -> Request {
    let body = json!({
        "ServiceProviderId": provider_id,
        "ChangeType": 4,
        "Devices": iccids(fleet, ROUTERS, METERS),
        "CustomerRatePlanUpdate": { "CustomerRatePlanId": MEDIUM_PLAN, "EffectiveDate": at },
        "Name": "Routers to 250 MB, scheduled",
    });
    Request { portal: PortalType::M2M, endpoint: "BulkChange", body }
}

/// The orders at a carrier, and how many lines each of them names: no line is in two, so that none waits for another.
const ORDERS_AT_CARRIER: usize = 3;
/// Which of them takes its lines out of use.
const OUT_OF_USE: usize = 1;
const MOVED_AT_CARRIER: usize = 20;

/// The lines of a carrier account that are moved at their carrier: ordinary ones that are in use, on the first of its plans.
pub(crate) fn at_carrier(fleet: &Fleet, provider: usize) -> impl Iterator<Item = Line> {
    let plan = PROVIDERS[provider].carrier_plans[0];
    let is_moved = move |line: &Line| line.special == Special::Ordinary && line.carrier_rate_plan == plan && line.is_active();
    fleet.lines_of(provider).filter(is_moved).take(ORDERS_AT_CARRIER * MOVED_AT_CARRIER)
}

/// Those of them that are in use after the orders, too.
pub(crate) fn in_use_after(fleet: &Fleet, provider: usize) -> impl Iterator<Item = Line> {
    let moved = at_carrier(fleet, provider).enumerate();
    moved.filter(|(nth, _)| nth % ORDERS_AT_CARRIER != OUT_OF_USE).map(|(_, line)| line)
}

/// The lines of one of the orders at a carrier.
fn at_carrier_in(fleet: &Fleet, provider: usize, order: usize) -> Vec<String> {
    at_carrier(fleet, provider).skip(order).step_by(ORDERS_AT_CARRIER).map(|line| line.iccid).collect()
}

/// Moves lines to the other carrier rate plan.
pub(crate) fn carrier_plan_change(fleet: &Fleet, provider: usize, provider_id: i64) -> Request {
    let body = json!({
        "ServiceProviderId": provider_id,
        "ChangeType": 7,
        "Devices": at_carrier_in(fleet, provider, 0),
        "CarrierRatePlanUpdate": { "CarrierRatePlan": PROVIDERS[provider].carrier_plans[1] },
        "Name": format!("{} to {}", PROVIDERS[provider].name, PROVIDERS[provider].carrier_plans[1]),
    });
    Request { portal: PortalType::M2M, endpoint: "BulkChange", body }
}

/// Takes lines out of use at their carrier.
pub(crate) fn status_update(fleet: &Fleet, provider: usize, provider_id: i64, status: &str) -> Request {
    let body = json!({
        "ServiceProviderId": provider_id,
        "ChangeType": 2,
        "Devices": at_carrier_in(fleet, provider, OUT_OF_USE),
        "StatusUpdate": { "TargetStatus": status },
        "Name": format!("{} to {status}", PROVIDERS[provider].name),
    });
    Request { portal: PortalType::M2M, endpoint: "BulkChange", body }
}

/// Hands lines to an AMOP customer and moves them to the other carrier rate plan.
pub(crate) fn assignment_with_carrier_plan(fleet: &Fleet, provider: usize, provider_id: i64) -> Request {
    let body = json!({
        "ServiceProviderId": provider_id,
        "Devices": at_carrier_in(fleet, provider, 2),
        "RevCustomerId": "",
        "SiteId": NEW_SITE,
        "AddCarrierRatePlan": true,
        "CarrierRatePlan": PROVIDERS[provider].carrier_plans[1],
        "Name": format!("{} to Metro, on {}", PROVIDERS[provider].name, PROVIDERS[provider].carrier_plans[1]),
    });
    Request { portal: PortalType::M2M, endpoint: "AssociateCustomer", body }
}

/// A change that is never started, so that it holds some of the meters against later ones.
pub(crate) fn holding(fleet: &Fleet, provider_id: i64) -> Request {
    let held: Vec<String> = fleet.lines_of(METERS).filter(|line| line.special == Special::Held).map(|line| line.iccid).collect();
    let body = json!({
        "ServiceProviderId": provider_id,
        "ChangeType": 4,
        "ProcessChanges": false,
        "Devices": held,
        "CustomerRatePlanUpdate": { "CustomerRatePlanId": MEDIUM_PLAN },
        "Name": "Waits for a person",
    });
    Request { portal: PortalType::M2M, endpoint: "BulkChange", body }
}

/// The ICCIDs of a carrier account, with mistakes among them.
fn iccids(fleet: &Fleet, provider: usize, other: usize) -> Vec<String> {
    let mut others = fleet.lines_of(other);
    let mut named = Vec::new();
    for (nth, line) in fleet.lines_of(provider).enumerate() {
        if nth % MISTAKES_EVERY == 5 {
            // What a spreadsheet makes of twenty digits.
            named.push(format!("8.9{:04}E+19", nth / MISTAKES_EVERY));
            named.push(fleet.stranger(provider, (nth / MISTAKES_EVERY) as u64).iccid);
            named.extend(others.next().map(|line| line.iccid));
            named.push(line.iccid.clone());
        }
        named.push(line.iccid);
    }
    named
}

/// The numbers of the phones, with mistakes among them.
fn numbers(fleet: &Fleet) -> Vec<String> {
    let mut others = fleet.lines_of(TRACKERS);
    let mut named = Vec::new();
    for (nth, line) in fleet.lines_of(PHONES).enumerate() {
        if nth % MISTAKES_EVERY == 5 {
            named.push(format!("555-{:04}", 100 + nth / MISTAKES_EVERY));
            named.extend(fleet.stranger(PHONES, (nth / MISTAKES_EVERY) as u64).number);
            named.extend(others.next().and_then(|line| line.number));
        }
        named.extend(line.number);
    }
    named
}
