//! The fleet that is measured on: one tenant, one Cisco account, lines of which every one has a customer and a plan.
//!
//! ICCIDs are no neighbours of one another in device order, as in an inventory that was filled from several sources.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

/// Sites and plans that lines have before they are changed.
pub(super) const PRESENT_SITES: u64 = 200;
/// See [`PRESENT_SITES`].
pub(super) const PRESENT_PLANS: u64 = 20;
/// The site to which lines are handed.
pub(super) const NEW_SITE: i64 = 201;
/// The plan on which lines are put.
pub(super) const NEW_PLAN: i64 = 21;
/// Another one, on which they are put in turn with it.
pub(super) const OTHER_PLAN: i64 = 22;
/// What lines are allocated on [`NEW_PLAN`], in MB.
pub(super) const NEW_ALLOCATION: &str = "500";

/// Changes that are submitted while a large one runs, and the lines of each.
pub(super) const SMALL_CHANGES: u64 = 200;
/// See [`SMALL_CHANGES`].
pub(super) const SMALL_CHANGE_LINES: u64 = 10;

/// How large the fleet is, and how many of its lines are changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// Lines of the fleet.
    pub(super) fleet: u64,
    /// Lines of an order.
    pub(super) lines: u64,
}

/// What happens to an ordered line before it is changed. The same lines in every leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing: it is changed.
    Changed,
    /// Archived: refused. One in twenty.
    Archived,
    /// Deactivated at the carrier: refused. One in twenty.
    Deactivated,
    /// Changed by somebody else between submission and processing. One in a hundred.
    ChangedMeanwhile,
}

/// Spreads numbers evenly (the finalizer of SplitMix64).
pub(super) const fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The line at that place of the inventory, from 0: 20 digits, each place another.
pub(super) fn iccid(place: u64) -> String {
    // A prime modulus and a factor below it: a permutation without neighbours.
    const LARGEST: u128 = 10_000_000_019;
    format!("8901170{:013}", u128::from(place) * 6_364_136_223 % LARGEST)
}

/// When the line was activated: in the five years before 2026.
pub(super) fn activated_at(place: u64) -> DateTime<Utc> {
    let minutes = i64::try_from(mixed(place) % (5 * 365 * 24 * 60)).unwrap_or_default();
    DateTime::from_timestamp(1_609_459_200, 0).unwrap_or_default() + TimeDelta::minutes(minutes)
}

impl Size {
    /// Lines that the store holds: the fleet, and those of the small changes.
    pub(super) const fn stored(self) -> u64 {
        self.fleet + SMALL_CHANGES * SMALL_CHANGE_LINES
    }

    /// The place of an ordered line in the inventory: spread evenly, at uneven distances.
    pub(super) const fn place(self, ordered: u64) -> u64 {
        let stride = self.fleet / self.lines;
        ordered * stride + mixed(ordered) % stride
    }

    /// ICCIDs of the order, shuffled as requests are.
    pub(super) fn requested(self) -> Vec<String> {
        let mut places: Vec<u64> = (0..self.lines).map(|ordered| self.place(ordered)).collect();
        places.sort_unstable_by_key(|place| mixed(*place ^ 0x5EED));
        places.into_iter().map(iccid).collect()
    }

    /// ICCIDs of ordered lines with that fate.
    pub(super) fn fated(self, fate: Fate) -> Vec<String> {
        (0..self.lines).filter(|ordered| fate_of(*ordered) == fate).map(|ordered| iccid(self.place(ordered))).collect()
    }
}

const fn fate_of(ordered: u64) -> Fate {
    match (ordered % 20, ordered % 100) {
        (3, _) => Fate::Archived,
        (13, _) => Fate::Deactivated,
        (_, 57) => Fate::ChangedMeanwhile,
        _ => Fate::Changed,
    }
}

/// What is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A customer rate plan change, now.
    PlanChange,
    /// An assignment to a customer without Rev.io.
    AmopAssignment,
}

/// The ICCIDs as a JSON array; digits need no escaping.
pub(super) fn json_array(iccids: &[String]) -> String {
    let mut array = String::with_capacity(iccids.len() * 23 + 2);
    for (nth, iccid) in iccids.iter().enumerate() {
        let open = if nth == 0 { '[' } else { ',' };
        write!(array, "{open}\"{iccid}\"").expect("writing to a String cannot fail");
    }
    array.push(']');
    array
}

/// A request body for these lines: `POST /M2M/BulkChange` or `POST /M2M/AssociateCustomer`.
pub(super) fn body(kind: Kind, service_provider_id: i64, plan: i64, iccids: &[String]) -> String {
    let mut body = match kind {
        Kind::PlanChange => json!({
            "ServiceProviderId": service_provider_id,
            "ChangeType": 4,
            "CustomerRatePlanUpdate": { "CustomerRatePlanId": plan },
        }),
        Kind::AmopAssignment => json!({ "ServiceProviderId": service_provider_id, "SiteId": NEW_SITE }),
    }
    .to_string();
    body.pop();
    body.push_str(",\"Devices\":");
    body.push_str(&json_array(iccids));
    body.push('}');
    body
}

/// The body of a plan change to [`NEW_PLAN`], with another plan.
pub(super) fn with_plan(body: &str, plan: i64) -> String {
    let named = |plan: i64| format!("\"CustomerRatePlanId\":{plan}");
    body.replacen(&named(NEW_PLAN), &named(plan), 1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_places_have_the_same_iccid() {
        let iccids: HashSet<String> = (0..20_000).map(iccid).collect();
        assert_eq!(iccids.len(), 20_000);
        assert!(iccids.iter().all(|iccid| iccid.len() == 20));
    }

    #[test]
    fn one_line_in_ten_is_refused_and_one_in_a_hundred_changed_meanwhile() {
        let size = Size { fleet: 10_000, lines: 1_000 };
        assert_eq!(size.fated(Fate::Archived).len() + size.fated(Fate::Deactivated).len(), 100);
        assert_eq!(size.fated(Fate::ChangedMeanwhile).len(), 10);
        let requested: HashSet<String> = size.requested().into_iter().collect();
        assert_eq!(requested.len(), 1_000);
        assert!(size.fated(Fate::Archived).iter().all(|iccid| requested.contains(iccid)));
    }

    #[test]
    fn a_body_can_have_another_plan() {
        let iccids = [iccid(1)];
        let body = body(Kind::PlanChange, 1, NEW_PLAN, &iccids);
        assert_eq!(with_plan(&body, OTHER_PLAN), super::body(Kind::PlanChange, 1, OTHER_PLAN, &iccids));
    }

    #[test]
    fn a_body_is_read_as_the_order_that_was_meant() {
        let size = Size { fleet: 100, lines: 10 };
        let limits = lineshift_domain::limits::Limits::default();
        for kind in [Kind::PlanChange, Kind::AmopAssignment] {
            let body = body(kind, 1, NEW_PLAN, &size.requested());
            let order = super::super::engine_legs::read_order(kind, body.as_bytes(), &limits).expect("an order");
            assert_eq!(order.lines.len(), 10);
        }
    }
}
