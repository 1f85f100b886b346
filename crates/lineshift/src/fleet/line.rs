//! One line of a generated fleet.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::Place;
use super::catalogue::{
    BILLED_CUSTOMER, METERS, NEW_SITE, PHONE_PLAN, PHONES, PRESENT_SITE, PROVIDERS, Provider, ROUTERS, SENSORS, SMALL_PLAN,
    TELEMATICS_PLAN, TRACKERS,
};
use super::numbers::{iccid, imei, subscriber_number};
use super::random::mixed;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// A number that no other line of the fleet has.
    pub(super) serial: u64,
    /// Its carrier account, a place in [`PROVIDERS`].
    pub(crate) provider: usize,
    /// What is special about it.
    pub(crate) special: Special,
    /// 19 or 20 digits.
    pub(crate) iccid: String,
    /// 11 digits.
    pub(crate) number: Option<String>,
    /// 15 digits.
    pub(super) imei: String,
    /// The carrier's status.
    pub(super) status: &'static str,
    /// When it was activated.
    pub(super) activated_at: DateTime<Utc>,
    /// The carrier's plan.
    pub(super) carrier_rate_plan: &'static str,
    /// What the tenant decided about it so far.
    pub(super) assigned: Option<Assigned>,
}

/// What the tenant decided about a line so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Assigned {
    pub(super) rev_customer_id: Option<i64>,
    pub(super) site_id: i64,
    pub(super) plan: Option<i64>,
}

/// A line as its carrier has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AtCarrier {
    /// The carrier's plan.
    pub(crate) plan: &'static str,
    /// 11 digits.
    pub(crate) subscriber_number: Option<String>,
}

impl Line {
    /// Whether it is in use at its carrier.
    pub(crate) fn is_active(&self) -> bool {
        self.status == PROVIDERS[self.provider].active
    }

    /// As its carrier has it.
    pub(crate) fn device_at_carrier(&self) -> AtCarrier {
        AtCarrier { plan: self.carrier_rate_plan, subscriber_number: self.number.clone() }
    }
}

/// What an order meets in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Special {
    /// Nothing out of the way.
    Ordinary,
    /// Archived.
    Archived,
    /// Its status is not an active one.
    Inactive,
    /// Another line has the same number.
    SharedNumber,
    /// It has no number.
    WithoutNumber,
    /// Another customer is billed for it in Rev.io.
    BilledToOther,
    /// For a change that is held back, so that it holds the line.
    Held,
    /// On a plan whose bound is lower than what is ordered.
    OverBound,
    /// For somebody to change it while an order waits.
    Moved,
}

/// The line at a place.
pub(super) fn at(seed: u64, place: Place) -> Line {
    let provider = provider_at(place.position);
    let carrier = &PROVIDERS[provider];
    let special = if place.is_in_special_block() { special_at(place.position) } else { Special::Ordinary };
    let chance = mixed(&[seed, 1, place.serial()]);
    Line {
        serial: place.serial(),
        provider,
        special,
        iccid: iccid(carrier.prefix, first_serial(seed, provider) + place.serial(), carrier.serial_digits),
        number: number_at(place, special),
        imei: imei(place.serial()),
        status: status(carrier, special, chance),
        activated_at: activated_at(chance),
        carrier_rate_plan: carrier.carrier_plans[usize::from(chance & 3 == 0)],
        assigned: assigned(provider, special, chance),
    }
}

pub(super) const fn provider_at(position: u64) -> usize {
    match position {
        0..40 => METERS,
        40..60 => TRACKERS,
        60..80 => PHONES,
        80..90 => SENSORS,
        _ => ROUTERS,
    }
}

const fn special_at(position: u64) -> Special {
    match position {
        0 | 40 | 64 | 80 | 90 => Special::Archived,
        1 | 42 | 62 | 81 => Special::Inactive,
        2 | 41 => Special::BilledToOther,
        3 => Special::Held,
        4 | 91 => Special::WithoutNumber,
        60 | 61 => Special::SharedNumber,
        63 => Special::OverBound,
        82 => Special::Moved,
        _ => Special::Ordinary,
    }
}

/// SIM cards are bought by the carton: the serials of a carrier follow one another from a first one.
fn first_serial(seed: u64, provider: usize) -> u64 {
    1_000_000_000 + mixed(&[seed, 2, provider as u64]) % 8_000_000_000
}

fn number_at(place: Place, special: Special) -> Option<String> {
    match special {
        Special::WithoutNumber => None,
        // Both lines have the number of the first.
        Special::SharedNumber => Some(subscriber_number(Place { position: 60, ..place }.serial())),
        _ => Some(subscriber_number(place.serial())),
    }
}

const fn status(carrier: &Provider, special: Special, chance: u64) -> &'static str {
    match special {
        Special::Inactive => carrier.inactive,
        // Cisco knows several active statuses.
        _ if carrier.communication_plan.is_some() && chance % 50 == 7 => "TEST_READY",
        _ => carrier.active,
    }
}

/// In the five years before 2026, whenever the fleet is generated.
fn activated_at(chance: u64) -> DateTime<Utc> {
    let first = NaiveDate::from_ymd_opt(2021, 1, 1).expect("a day of the calendar").and_hms_opt(9, 0, 0).expect("a time");
    let minutes = i64::try_from(chance >> 8).expect("56 bits") % (5 * 365 * 24 * 60);
    (first + TimeDelta::minutes(minutes)).and_utc()
}

fn assigned(provider: usize, special: Special, chance: u64) -> Option<Assigned> {
    let amop = |site_id, plan| Some(Assigned { rev_customer_id: None, site_id, plan: Some(plan) });
    if special == Special::BilledToOther {
        return Some(Assigned { rev_customer_id: Some(BILLED_CUSTOMER), site_id: 104, plan: Some(SMALL_PLAN) });
    }
    match provider {
        // Some stand already as they will be ordered.
        METERS if special == Special::Ordinary && chance % 97 == 5 => amop(NEW_SITE, SMALL_PLAN),
        METERS if chance.is_multiple_of(4) => amop(PRESENT_SITE, SMALL_PLAN),
        PHONES => {
            let plan = if special == Special::OverBound { TELEMATICS_PLAN } else { PHONE_PLAN };
            Some(Assigned { rev_customer_id: Some(300_102), site_id: 103, plan: Some(plan) })
        }
        SENSORS | ROUTERS => amop(PRESENT_SITE, SMALL_PLAN),
        _ => None,
    }
}
