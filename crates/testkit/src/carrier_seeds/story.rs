//! What a seed says.

use std::ops::RangeInclusive;
use std::time::Duration;

use lineshift_domain::order::{AssignmentOrder, Effect};
use lineshift_domain::terms::{OnPartialFailure, OnRevServiceFailure};
use lineshift_engine::Boundary;
use lineshift_simulators::jasper::JasperOptions;
use lineshift_simulators::pond::PondOptions;
use lineshift_simulators::revio::RevioOptions;
use lineshift_simulators::{ErrorShape, Faults};

use super::{CARRIER_SEED_LINES, TURMOIL};
use crate::billing_workers::{Doom, Fate, Manner};
use crate::carriers::{CarrierWorld, OTHER_PACKAGE_TYPE, OTHER_PLAN, PACKAGE_TYPE, PLAN, to_plan, to_status, with_carrier_plan};
use crate::crash::Chance;

/// Something that is done to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Cancel(usize),
    Retry(usize),
    RefuseCredentials,
    PutRight,
    BreakDown,
    CutQuota,
    DisableWrites,
    MoveLine(u64),
    CloseCustomerInRev,
    RefuseNext(&'static str, &'static str),
    /// The plans that most orders ask for.
    MakePlansInactive,
}

/// Whose lines are ordered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Jasper,
    Pond,
}

/// What is ordered.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a seed has a handful of them")]
pub(super) enum Asked {
    Carrier(Effect),
    Assignment(Choices),
}

/// What an assignment says.
#[derive(Debug)]
pub(super) struct Choices {
    plan: &'static str,
    bills: bool,
    on_rev_service_failure: OnRevServiceFailure,
    on_partial_failure: OnPartialFailure,
}

impl Choices {
    pub(super) fn written(&self, world: &CarrierWorld) -> AssignmentOrder {
        let assignment = if self.bills {
            world.assignment()
        } else {
            AssignmentOrder { site_id: Some(world.operator.amop_site), ..AssignmentOrder::default() }
        };
        AssignmentOrder {
            on_rev_service_failure: if self.bills { self.on_rev_service_failure } else { OnRevServiceFailure::Skip },
            on_partial_failure: self.on_partial_failure,
            ..with_carrier_plan(assignment, self.plan)
        }
    }
}

/// An order, and when it comes.
#[derive(Debug)]
pub(super) struct Ordering {
    pub(super) at: u64,
    pub(super) carrier: At,
    pub(super) lines: RangeInclusive<u64>,
    pub(super) asked: Asked,
}

/// What a seed says.
#[derive(Debug)]
pub(super) struct Story {
    faults: f64,
    pub(super) page_lines: usize,
    pub(super) concurrency: u32,
    throttled_status: u16,
    codes_missing: f64,
    errors_inside: bool,
    settle_lag: u64,
    pub(super) orders: Vec<Ordering>,
    pub(super) actions: Vec<(u64, Action)>,
    pub(super) workers: Vec<(u64, Manner, Option<Doom>)>,
}

fn pick<T: Copy>(chance: &mut Chance, of: &[T]) -> T {
    let last = of.len() as u64 - 1;
    of[usize::try_from(chance.between(0, last)).expect("a few")]
}

impl Story {
    pub(super) fn of(seed: u64) -> Self {
        let chance = &mut Chance::new(seed);
        let orders: Vec<Ordering> = (0..chance.between(1, 3)).map(|nth| ordering(chance, nth)).collect();
        let workers = (0..chance.between(1, 4)).map(|_| worker(chance)).collect();
        let actions = (0..chance.between(0, 3)).flat_map(|_| action(chance, orders.len())).collect();
        Self {
            faults: pick(chance, &[0.0, 0.05, 0.15, 0.3, 0.5]),
            page_lines: usize::try_from(chance.between(1, 4)).expect("a few"),
            concurrency: pick(chance, &[1, 2, 10]),
            throttled_status: pick(chance, &[200, 400, 429]),
            codes_missing: pick(chance, &[0.0, 0.2]),
            errors_inside: chance.once_in(2),
            settle_lag: pick(chance, &[0, 0, 5, 20]),
            orders,
            actions,
            workers,
        }
    }

    pub(super) fn jasper(&self, seed: u64, options: &mut JasperOptions) {
        options.seed = seed;
        options.faults = Faults::of_carrier(self.faults);
        options.latency = Duration::from_millis(50);
        options.jitter = Duration::from_millis(200);
        options.throttled_status = self.throttled_status;
        options.codes_missing = self.codes_missing;
    }

    pub(super) fn pond(&self, seed: u64, options: &mut PondOptions) {
        options.seed = seed;
        options.faults = Faults::of_carrier(self.faults);
        options.latency = Duration::from_millis(50);
        options.jitter = Duration::from_millis(200);
        options.settle_lag = Duration::from_secs(self.settle_lag);
        options.errors_inside_successes = self.errors_inside;
    }

    pub(super) fn revio(&self, seed: u64, options: &mut RevioOptions) {
        options.seed = seed;
        options.faults = Faults::all(self.faults).with_shapes(&ErrorShape::ALL);
        options.latency = Duration::from_millis(50);
        options.jitter = Duration::from_millis(200);
        options.settle_lag = Duration::from_secs(self.settle_lag);
    }
}

fn ordering(chance: &mut Chance, nth: u64) -> Ordering {
    let carrier = pick(chance, &[At::Jasper, At::Pond]);
    let first = chance.between(1, CARRIER_SEED_LINES);
    let (plans, statuses) = match carrier {
        At::Jasper => ([PLAN, OTHER_PLAN], ["ACTIVATED", "DEACTIVATED"]),
        At::Pond => ([PACKAGE_TYPE, OTHER_PACKAGE_TYPE], ["In-Service", "Out-of-Service"]),
    };
    // Most orders ask for something else than what stands.
    let plan = if chance.once_in(4) { plans[0] } else { plans[1] };
    let asked = match chance.between(0, 3) {
        0 => Asked::Carrier(to_status(pick(chance, &statuses))),
        1 => Asked::Carrier(to_plan(plan)),
        _ => Asked::Assignment(Choices {
            plan,
            bills: !chance.once_in(4),
            on_rev_service_failure: pick(chance, &[OnRevServiceFailure::Skip, OnRevServiceFailure::Continue]),
            on_partial_failure: pick(chance, &[OnPartialFailure::Keep, OnPartialFailure::Compensate]),
        }),
    };
    let at = if nth == 0 { 0 } else { chance.between(0, 200) };
    Ordering { at, carrier, lines: first..=chance.between(first, CARRIER_SEED_LINES), asked }
}

fn worker(chance: &mut Chance) -> (u64, Manner, Option<Doom>) {
    let at = pick(chance, Boundary::ALL);
    let freezes = chance.once_in(3);
    let pause = Duration::from_secs(pick(chance, &[5, 31, 45, 200]));
    let doom = Doom { at, nth: chance.between(1, 4), fate: if freezes { Fate::Freezes(pause) } else { Fate::Dies } };
    let manner = if freezes || chance.once_in(2) { Manner::InTurn } else { Manner::Beside };
    (chance.between(0, 120), manner, (!chance.once_in(4)).then_some(doom))
}

fn action(chance: &mut Chance, orders: usize) -> Vec<(u64, Action)> {
    let order = usize::try_from(chance.between(0, orders as u64 - 1)).expect("a few");
    let (at, until) = (chance.between(0, 30), chance.between(60, TURMOIL));
    match chance.between(0, 11) {
        0 => vec![(at, Action::Cancel(order))],
        1 => vec![(at, Action::Cancel(order)), (until, Action::Retry(order))],
        2 => vec![(until, Action::Retry(order))],
        3 => vec![(at, Action::RefuseCredentials), (until, Action::PutRight), (until + 5, Action::Retry(order))],
        4 => vec![(at, Action::BreakDown), (until, Action::PutRight)],
        5 => vec![(at, Action::CutQuota), (until, Action::PutRight)],
        6 => vec![(at, Action::MoveLine(chance.between(1, 2 * CARRIER_SEED_LINES)))],
        7 => vec![(at, Action::CloseCustomerInRev)],
        8 => vec![(at, Action::DisableWrites), (until, Action::PutRight)],
        9 => vec![(0, Action::RefuseNext("/devices/", ""))],
        10 => vec![(at, Action::MakePlansInactive), (until, Action::PutRight), (until + 5, Action::Retry(order))],
        _ => {
            let (path, body) = pick(chance, &[("/package/", "ACTIVE"), ("/package/", "TERMINATED"), ("/addPackage", "")]);
            vec![(0, Action::RefuseNext(path, body))]
        }
    }
}
