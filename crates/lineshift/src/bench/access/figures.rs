//! What it came to, each figure beside what it is to be.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::bench::report::median;

/// The longest time that it may take to know who calls, on the embedded store, in microseconds.
const LONGEST_CHECK: f64 = 200.0;

/// By how much the answers to foreign and to missing ids may differ.
const WIDEST: f64 = 0.1;

/// How many times as long others may take at most while many sign in.
const MOST_BESIDE: f64 = 3.0;

/// Medians, and of what is compared the medians of the rounds.
#[derive(Debug, Clone, Serialize)]
pub(in crate::bench) struct Access {
    /// To know who calls.
    pub(super) check: Checks,
    /// What is another tenant's, or beyond reach, beside what is not there, by kind.
    pub(super) ids: BTreeMap<String, Pairs>,
    /// Others while many sign in.
    pub(super) signing_in: SigningIn,
}

/// How long it takes to know who calls: the medians of the rounds' medians, in microseconds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Checks {
    pub(super) key_us: f64,
    pub(super) session_us: f64,
    /// PostgreSQL. How often an answer is waited for.
    pub(super) round_trips: Option<RoundTrips>,
}

/// How long a check takes where each answer is so long on its way, divided by that.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct RoundTrips {
    pub(super) key: f64,
    pub(super) session: f64,
}

/// The medians of requests that were sent in pairs, in microseconds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Pairs {
    pub(super) pairs: usize,
    pub(super) there_us: f64,
    pub(super) missing_us: f64,
    pub(super) ratio: f64,
}

/// 99 of 100 requests take at most so long, and how many people are signed in a second meanwhile.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SigningIn {
    pub(super) people_at_once: usize,
    pub(super) idle_p99_ms: f64,
    pub(super) busy_p99_ms: f64,
    /// The median of the rounds' ratios.
    pub(super) p99_ratio: f64,
    pub(super) signed_in_a_second: f64,
    pub(super) rounds: Vec<Round>,
}

/// One round.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Round {
    pub(super) idle_p50_ms: f64,
    pub(super) idle_p99_ms: f64,
    pub(super) busy_p50_ms: f64,
    pub(super) busy_p99_ms: f64,
    pub(super) signed_in_a_second: f64,
}

impl Pairs {
    /// Of the microseconds that each took; none: there were none.
    pub(super) fn of(there: Vec<f64>, missing: Vec<f64>) -> Option<Self> {
        let pairs = there.len();
        let (there_us, missing_us) = (median(there)?, median(missing)?);
        Some(Self { pairs, there_us, missing_us, ratio: there_us / missing_us })
    }
}

impl SigningIn {
    /// Medians of what the rounds came to; none: there was no round.
    pub(super) fn of(people_at_once: usize, rounds: Vec<Round>) -> Option<Self> {
        let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value).collect());
        Some(Self {
            people_at_once,
            idle_p99_ms: of(|round| round.idle_p99_ms)?,
            busy_p99_ms: of(|round| round.busy_p99_ms)?,
            p99_ratio: of(|round| round.busy_p99_ms / round.idle_p99_ms)?,
            signed_in_a_second: of(|round| round.signed_in_a_second)?,
            rounds,
        })
    }
}

/// A figure, what it is to be, and whether it is.
struct Figure {
    name: String,
    measured: String,
    target: String,
    is_missed: bool,
}

impl Access {
    fn figures(&self) -> Vec<Figure> {
        let Checks { key_us, session_us, round_trips } = &self.check;
        let checks = [
            ("key", key_us, round_trips.map(|trips| trips.key)),
            ("session", session_us, round_trips.map(|trips| trips.session)),
        ];
        let checks = checks.into_iter().flat_map(|(name, took, trips)| {
            let is_embedded = trips.is_none();
            let target = if is_embedded { format!("at most {LONGEST_CHECK:.0}") } else { String::new() };
            let is_missed = is_embedded && *took > LONGEST_CHECK;
            let time = Figure { name: format!("check of a {name}, us"), measured: format!("{took:.0}"), target, is_missed };
            let trips = trips.map(|trips| Figure {
                name: format!("check of a {name}, round trips"),
                measured: format!("{trips:.2}"),
                target: "1".to_owned(),
                is_missed: trips >= 1.5,
            });
            [Some(time), trips].into_iter().flatten()
        });
        let ids = self.ids.iter().map(|(name, pairs)| Figure {
            name: format!("{name} to missing"),
            measured: format!("{:.3}", pairs.ratio),
            target: format!("{} to {}", 1.0 - WIDEST, 1.0 + WIDEST),
            is_missed: (pairs.ratio - 1.0).abs() > WIDEST,
        });
        let ratio = self.signing_in.p99_ratio;
        let beside = Figure {
            name: format!("99 % of others while {} sign in to idle", self.signing_in.people_at_once),
            measured: format!("{ratio:.2}"),
            target: format!("at most {MOST_BESIDE}"),
            is_missed: ratio > MOST_BESIDE,
        };
        checks.chain(ids).chain([beside]).collect()
    }

    /// Each figure with what it is to be, for people.
    pub(in crate::bench) fn rows(&self) -> Vec<Vec<String>> {
        let missed = |figure: &Figure| if figure.is_missed { " (missed)" } else { "" };
        self.figures()
            .into_iter()
            .map(|figure| vec![figure.name.clone(), figure.measured.clone(), format!("{}{}", figure.target, missed(&figure))])
            .collect()
    }

    /// What is not as it is to be, by name.
    pub(in crate::bench) fn missed(&self) -> Vec<String> {
        self.figures().into_iter().filter(|figure| figure.is_missed).map(|figure| figure.name).collect()
    }
}

/// The time that 99 of 100 and that half of them took at most.
pub(in crate::bench) fn p99_and_p50(mut took: Vec<f64>) -> Option<(f64, f64)> {
    took.sort_by(f64::total_cmp);
    let at_most = |percent: usize| took.get((took.len() * percent).div_ceil(100).checked_sub(1)?).copied();
    Some((at_most(99)?, at_most(50)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(key_us: f64, round_trips: Option<RoundTrips>, foreign: f64, busy: f64) -> Access {
        let round = Round { idle_p50_ms: 1.0, idle_p99_ms: 2.0, busy_p50_ms: 1.0, busy_p99_ms: busy, signed_in_a_second: 30.0 };
        let pairs = Pairs::of(vec![foreign; 3], vec![100.0; 3]).expect("three");
        Access {
            check: Checks { key_us, session_us: 100.0, round_trips },
            ids: [("foreign device".to_owned(), pairs)].into(),
            signing_in: SigningIn::of(50, vec![round]).expect("a round"),
        }
    }

    #[test]
    fn what_is_worse_than_it_is_to_be_is_missed() {
        assert_eq!(access(199.0, None, 109.0, 6.0).missed(), Vec::<String>::new());
        let all = ["check of a key, us", "foreign device to missing", "99 % of others while 50 sign in to idle"];
        assert_eq!(access(201.0, None, 89.0, 6.1).missed(), all);
        let trips = |key| Some(RoundTrips { key, session: 1.02 });
        assert_eq!(access(900.0, trips(1.03), 100.0, 2.0).missed(), Vec::<String>::new(), "over a network time depends on it");
        assert_eq!(access(900.0, trips(3.03), 100.0, 2.0).missed(), ["check of a key, round trips"]);
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        assert_eq!(p99_and_p50((1..=200).map(f64::from).collect()), Some((198.0, 100.0)));
        assert_eq!(p99_and_p50(Vec::new()), None);
    }
}
