//! The figures: medians of per-round ratios of lines a second, by name, each beside what it is to be.

use std::collections::BTreeMap;

use serde::Serialize;

use super::grids::Grid;
use super::legs::Leg;
use crate::bench::access::Access;
use crate::bench::check::Counts;
use crate::bench::portal::Portal;
use crate::bench::report::{Measured, SmallChanges, median};

/// A figure, and what it is to be.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Figure {
    /// What was measured.
    pub(super) measured: f64,
    /// At least so much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at_least: Option<f64>,
    /// At most so much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at_most: Option<f64>,
}

impl Figure {
    fn is_missed(&self) -> bool {
        self.at_least.is_some_and(|least| self.measured < least) || self.at_most.is_some_and(|most| self.measured > most)
    }
}

/// Everything that was measured.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    /// The engine of the store.
    pub(super) store: &'static str,
    /// What the server says of itself.
    pub(super) server: BTreeMap<String, String>,
    /// Flushes a second (`pg_test_fsync`, fdatasync).
    pub(super) fdatasync_a_second: Option<f64>,
    /// Transactions a second of `pgbench -c 8`.
    pub(super) pgbench_tps: Option<f64>,
    /// Lines of an order.
    pub(super) lines: u64,
    /// Lines of the fleet.
    pub(super) fleet: u64,
    /// Rounds.
    pub(super) rounds: usize,
    /// Connections at which a peer was fastest.
    pub(super) best: BTreeMap<String, usize>,
    /// The figures that count, by name.
    pub(super) ratios: BTreeMap<&'static str, Figure>,
    /// Small changes while the whole fleet runs.
    pub(super) small_change_seconds: BTreeMap<String, SmallChanges>,
    /// What pages of lists read.
    pub(super) grids: Vec<Grid>,
    /// Who calls. None: not measured.
    pub(super) access: Option<Access>,
    /// Pages. None: not measured.
    pub(super) portal: Option<Portal>,
    /// Row counts that every leg of a part left.
    pub(super) rows: BTreeMap<String, Counts>,
    /// Every leg of every round, and before them how peers did on so many connections, as round 0.
    pub(super) legs: Vec<Measured>,
}

/// What is to be: the name, the leg, its peer, and the least ratio of their lines a second. None: reported.
const RATIOS: [(&str, Leg, Leg, Option<f64>); 9] = [
    ("plan_change_to_floor", Leg::PlanChangeEngine, Leg::PlanChangeFloor, Some(0.75)),
    ("amop_assignment_to_floor", Leg::AssignmentEngine, Leg::AssignmentFloor, Some(0.75)),
    ("two_workers_to_one", Leg::PlanChangeTwo, Leg::PlanChangeEngine, Some(1.25)),
    ("plan_change_to_pipelined", Leg::PlanChangeEngine, Leg::SeedsPipelined, Some(1.5)),
    ("two_workers_to_per_device_best", Leg::PlanChangeTwo, Leg::PerDevice, Some(5.0)),
    ("two_workers_to_seeds_best", Leg::PlanChangeTwo, Leg::Seeds, Some(2.5)),
    ("plan_change_to_seeds_one", Leg::PlanChangeEngine, Leg::SeedsOne, None),
    ("plan_change_to_graphile_worker", Leg::PlanChangeEngine, Leg::GraphileWorker, Some(6.0)),
    ("submission_to_floor", Leg::SubmissionEngine, Leg::SubmissionFloor, Some(0.5)),
];

/// The figures of the legs and the small changes that were measured.
pub(super) fn figures(legs: &[Measured], small: &BTreeMap<String, SmallChanges>) -> BTreeMap<&'static str, Figure> {
    let ratios = RATIOS.into_iter().filter_map(|(name, leg, peer, at_least)| {
        Some((name, Figure { measured: ratio(legs, leg, peer)?, at_least, at_most: None }))
    });
    let memory = legs.iter().find(|leg| leg.name == Leg::Memory.name()).map(|leg| leg.peak_rss_mb);
    let p99 = |leg: Leg| small.get(&leg.name()).map(|small| small.p99);
    let most = [
        ("accepted_peak_rss_mb", memory, 300.0),
        ("small_change_p99_seconds_beside_plan_changes", p99(Leg::SmallBesidePlans), 2.0),
        ("small_change_p99_seconds_beside_billing", p99(Leg::SmallBesideBilling), 2.0),
    ];
    let most = most
        .into_iter()
        .filter_map(|(name, measured, most)| Some((name, Figure { measured: measured?, at_least: None, at_most: Some(most) })));
    ratios.chain(most).collect()
}

/// The median of the ratios of two legs, round by round.
fn ratio(legs: &[Measured], leg: Leg, peer: Leg) -> Option<f64> {
    let (leg, peer) = (leg.name(), peer.name());
    let rate =
        |round: usize, name: &str| legs.iter().find(|leg| leg.round == round && leg.name == name).map(|leg| leg.lines_per_second);
    let rounds = legs.iter().map(|leg| leg.round).max()?;
    median((1..=rounds).filter_map(|round| Some(rate(round, &leg)? / rate(round, &peer)?)).collect())
}

impl Report {
    /// What is not as it is to be, by name.
    pub(super) fn missed(&self) -> Vec<String> {
        let figures = self.ratios.iter().filter(|(_, figure)| figure.is_missed()).map(|(name, _)| (*name).to_owned());
        let grids =
            self.grids.iter().filter(|grid| grid.first_rows != grid.late_rows).map(|grid| format!("list of {}", grid.list));
        let access = self.access.as_ref().map(Access::missed).unwrap_or_default();
        figures.chain(grids).chain(access).collect()
    }

    /// For people: the legs with their median rates, the figures beside what they are to be, and the lists.
    pub(super) fn tables(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for leg in self.legs.iter().filter(|leg| leg.round > 0) {
            if !names.contains(&leg.name.as_str()) {
                names.push(&leg.name);
            }
        }
        let of = |name: &str, value: fn(&Measured) -> f64| {
            let measured = self.legs.iter().filter(|leg| leg.round > 0 && leg.name == name).map(value).collect();
            median(measured).unwrap_or_default()
        };
        let legs = names.iter().map(|name| {
            let connections = self.best.get(*name).map_or_else(String::new, |best| best.to_string());
            let (seconds, rate) = (of(name, |leg| leg.seconds), of(name, |leg| leg.lines_per_second));
            vec![
                (*name).to_owned(),
                connections,
                format!("{seconds:.2}"),
                format!("{rate:.0}"),
                format!("{:.0}", of(name, |leg| leg.peak_rss_mb)),
            ]
        });
        let legs = crate::output::table(&["leg", "connections", "seconds", "lines a second", "MB"], legs.collect());
        let figures = crate::output::table(&["figure", "measured", "target"], self.figure_rows());
        let portal = self.portal.as_ref().map(Portal::table).unwrap_or_default();
        format!(
            "{legs}\n{figures}\n{}{portal}",
            crate::output::table(&["list", "rows of page 1", "rows of a late page", "that is"], self.list_rows())
        )
    }

    fn figure_rows(&self) -> Vec<Vec<String>> {
        let target = |figure: &Figure| match (figure.at_least, figure.at_most) {
            (Some(least), _) => format!("at least {least}"),
            (None, Some(most)) => format!("at most {most}"),
            (None, None) => String::new(),
        };
        let figures = self.ratios.iter().map(|(name, figure)| {
            let missed = if figure.is_missed() { " (missed)" } else { "" };
            vec![name.replace('_', " "), format!("{:.2}", figure.measured), format!("{}{missed}", target(figure))]
        });
        let beside = [("fdatasync a second", self.fdatasync_a_second), ("pgbench -c 8, transactions a second", self.pgbench_tps)];
        let beside =
            beside.into_iter().filter_map(|(name, rate)| Some(vec![name.to_owned(), format!("{:.0}", rate?), String::new()]));
        figures.chain(beside).chain(self.access.as_ref().map(Access::rows).unwrap_or_default()).collect()
    }

    fn list_rows(&self) -> Vec<Vec<String>> {
        let row = |grid: &Grid| {
            vec![
                grid.list.to_owned(),
                grid.first_rows.to_string(),
                grid.late_rows.to_string(),
                format!("page {}", grid.late_page),
            ]
        };
        self.grids.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_is_worse_than_it_is_to_be_is_missed() {
        let leg = |leg: Leg, round, rate| Measured {
            name: leg.name(),
            round,
            seconds: 1.0,
            lines: 1,
            lines_per_second: rate,
            peak_rss_mb: 301.0,
        };
        let legs = [leg(Leg::PlanChangeEngine, 1, 74.0), leg(Leg::PlanChangeFloor, 1, 100.0), leg(Leg::Memory, 1, 1.0)];
        let figures = figures(&legs, &BTreeMap::new());
        assert_eq!(figures.keys().copied().collect::<Vec<_>>(), ["accepted_peak_rss_mb", "plan_change_to_floor"]);
        assert!(figures.values().all(Figure::is_missed), "{figures:?}");
    }
}
