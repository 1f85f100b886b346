//! What moving lines came to.

use serde::Serialize;

use super::super::billing::ANSWER;
use super::super::report::median;

/// What Jasper allows in a second.
const JASPER_CALLS_A_SECOND: f64 = 5.0;

/// How many calls POND allows at a time.
const POND_PLACES: f64 = 10.0;

/// What it came to: medians of the rounds, and of the ratios of the rounds.
#[derive(Debug, Clone, Serialize)]
pub(in crate::bench) struct Carriers {
    /// Calls a second at Jasper to the five that it allows; at least 0.9.
    jasper_to_allowed: f64,
    /// Calls a line of a plan change at Jasper; at most 2.
    jasper_calls_a_line: f64,
    /// Calls a line of a status update at Jasper; at most 2.
    jasper_calls_a_status: f64,
    /// Calls a second at POND to what 10 at a time with answers of 50 ms allow; at least 0.9.
    pond_to_allowed: f64,
    /// Calls a second of a plan change at Jasper beside the others to those of one alone.
    jasper_beside_to_alone: f64,
    /// The same at POND.
    pond_beside_to_alone: f64,
    /// The same of a billing change.
    billing_beside_to_alone: f64,
    /// Every round.
    rounds: Vec<Round>,
}

/// One round.
#[derive(Debug, Clone, Serialize)]
pub(in crate::bench) struct Round {
    pub(super) jasper: Done,
    pub(super) status: Done,
    pub(super) pond: Done,
    pub(super) billing: Done,
    pub(super) beside: Beside,
}

/// One change with nothing beside it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Done {
    pub(super) lines: u64,
    pub(super) calls: u64,
    pub(super) seconds: f64,
}

impl Done {
    fn calls_a_second(&self) -> f64 {
        self.calls as f64 / self.seconds
    }

    fn calls_a_line(&self) -> f64 {
        self.calls as f64 / self.lines as f64
    }
}

/// All three at once, until the first of them has ended.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Beside {
    pub(super) seconds: f64,
    pub(super) jasper_calls: u64,
    pub(super) pond_calls: u64,
    pub(super) billing_calls: u64,
}

impl Beside {
    fn to_alone(&self, calls: u64, alone: &Done) -> f64 {
        calls as f64 / self.seconds / alone.calls_a_second()
    }
}

impl Carriers {
    /// Medians of what the rounds came to; none: there was no round.
    pub(in crate::bench) fn of(rounds: Vec<Round>) -> Option<Self> {
        let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value).collect());
        Some(Self {
            jasper_to_allowed: of(|round| round.jasper.calls_a_second() / JASPER_CALLS_A_SECOND)?,
            jasper_calls_a_line: of(|round| round.jasper.calls_a_line())?,
            jasper_calls_a_status: of(|round| round.status.calls_a_line())?,
            pond_to_allowed: of(|round| round.pond.calls_a_second() * ANSWER.as_secs_f64() / POND_PLACES)?,
            jasper_beside_to_alone: of(|round| round.beside.to_alone(round.beside.jasper_calls, &round.jasper))?,
            pond_beside_to_alone: of(|round| round.beside.to_alone(round.beside.pond_calls, &round.pond))?,
            billing_beside_to_alone: of(|round| round.beside.to_alone(round.beside.billing_calls, &round.billing))?,
            rounds,
        })
    }

    /// Each figure with what it is to be.
    pub(in crate::bench) fn figures(&self) -> Vec<(&'static str, f64, &'static str)> {
        vec![
            ("Jasper to allowed", self.jasper_to_allowed, "at least 0.9"),
            ("calls a line, Jasper's plan", self.jasper_calls_a_line, "at most 2"),
            ("calls a line, Jasper's status", self.jasper_calls_a_status, "at most 2"),
            ("POND to allowed", self.pond_to_allowed, "at least 0.9"),
            ("Jasper beside the others to alone", self.jasper_beside_to_alone, ""),
            ("POND beside the others to alone", self.pond_beside_to_alone, ""),
            ("billing beside the others to alone", self.billing_beside_to_alone, ""),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_calls_and_what_is_beside_is_compared_with_what_is_alone() {
        let done = |lines, calls, seconds| Done { lines, calls, seconds };
        let round = |beside_calls| Round {
            jasper: done(300, 300, 60.0),
            status: done(60, 120, 24.0),
            pond: done(1_000, 4_000, 25.0),
            billing: done(5_000, 10_100, 16.0),
            beside: Beside { seconds: 10.0, jasper_calls: beside_calls, pond_calls: 1_600, billing_calls: 3_156 },
        };
        let carriers = Carriers::of(vec![round(40), round(50), round(45)]).expect("three rounds");
        let figures: Vec<String> = carriers.figures().iter().map(|(_, value, _)| format!("{value:.2}")).collect();
        assert_eq!(figures, ["1.00", "1.00", "2.00", "0.80", "0.90", "1.00", "0.50"]);
        assert!(Carriers::of(Vec::new()).is_none());
    }
}
