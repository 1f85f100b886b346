//! The figures: ratios of lines a second, round by round, and their medians.

use std::collections::BTreeMap;

use serde::Serialize;

use super::access::Access;
use super::billing::Billing;
use super::carriers::Carriers;
use super::check::Counts;
use super::legs::Leg;
use super::portal::Portal;

/// One leg of one round.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Measured {
    /// Its name.
    pub(super) name: String,
    /// The round, from 1.
    pub(super) round: usize,
    /// How long it took.
    pub(super) seconds: f64,
    /// Lines of its order.
    pub(super) lines: u64,
    /// Lines a second.
    pub(super) lines_per_second: f64,
    /// The most memory that its process had, in MB of 1,000,000 bytes.
    pub(super) peak_rss_mb: f64,
}

/// Medians of per-round ratios: lines a second of the engine divided by those of the peer. None: not measured.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Ratios {
    /// Plan change to the leanest set-based SQL; at least 0.7.
    pub(super) plan_change_to_floor: Option<f64>,
    /// AMOP assignment to the leanest set-based SQL; at least 0.7.
    pub(super) amop_assignment_to_floor: Option<f64>,
    /// Plan change to four statements a device in device order; at least 1.1.
    pub(super) plan_change_to_per_device: Option<f64>,
    /// The same in the order of the request.
    pub(super) plan_change_to_per_device_shuffled: Option<f64>,
    /// AMOP assignment to four statements a device in device order; at least 1.1.
    pub(super) amop_assignment_to_per_device: Option<f64>,
    /// Reading, judging and storing to a plain insert after one look-up; at least 0.4.
    pub(super) submission_to_floor: Option<f64>,
    /// Memory for the whole fleet to memory for the lines of the order; at most 1.3.
    pub(super) memory_1m_to_100k: Option<f64>,
}

/// How long small changes took while a large one ran.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct SmallChanges {
    /// Half of them took at most this long.
    pub(super) p50: f64,
    /// 99 of 100 took at most this long; at most 2 s.
    pub(super) p99: f64,
    /// How many.
    pub(super) count: usize,
}

/// Everything that was measured.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    /// The engine of the store.
    pub(super) store: &'static str,
    /// Lines of an order.
    pub(super) lines: u64,
    /// Lines of the fleet.
    pub(super) fleet: u64,
    /// Rounds.
    pub(super) rounds: usize,
    /// The figures that count.
    pub(super) ratios: Ratios,
    /// Small changes while the whole fleet runs. None: not measured.
    pub(super) small_change_seconds: Option<SmallChanges>,
    /// Opening Rev services. None: not measured.
    pub(super) billing: Option<Billing>,
    /// Moving lines at their carriers. None: not measured.
    pub(super) carriers: Option<Carriers>,
    /// Who calls. None: not measured.
    pub(super) access: Option<Access>,
    /// Pages. None: not measured.
    pub(super) portal: Option<Portal>,
    /// Row counts that every leg of a part left.
    pub(super) rows: BTreeMap<String, Counts>,
    /// Every leg of every round.
    pub(super) legs: Vec<Measured>,
    /// The most memory that a process of the engine had, in MB of 1,000,000 bytes.
    pub(super) peak_rss_mb: f64,
}

/// The median of the ratios of two legs, round by round.
pub(super) fn ratio(legs: &[Measured], engine: Leg, peer: Leg) -> Option<f64> {
    let (engine, peer) = (engine.name(), peer.name());
    let rate =
        |round: usize, name: &str| legs.iter().find(|leg| leg.round == round && leg.name == name).map(|leg| leg.lines_per_second);
    let rounds = legs.iter().map(|leg| leg.round).max()?;
    median((1..=rounds).filter_map(|round| Some(rate(round, &engine)? / rate(round, &peer)?)).collect())
}

/// The middle one, or between the two in the middle.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

impl SmallChanges {
    /// Of the seconds that each took.
    pub(super) fn of(mut seconds: Vec<f64>) -> Option<Self> {
        seconds.sort_by(f64::total_cmp);
        let at_most = |percent: usize| seconds.get((seconds.len() * percent).div_ceil(100).checked_sub(1)?).copied();
        Some(Self { p50: at_most(50)?, p99: at_most(99)?, count: seconds.len() })
    }
}

impl Report {
    /// For people: the legs with their median rates, then the figures that count beside what they are to be.
    pub(super) fn tables(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for leg in &self.legs {
            if !names.contains(&leg.name.as_str()) {
                names.push(&leg.name);
            }
        }
        let of = |name: &str, value: fn(&Measured) -> f64| {
            median(self.legs.iter().filter(|leg| leg.name == name).map(value).collect()).unwrap_or_default()
        };
        let rows = names.iter().map(|name| {
            let (seconds, rate) = (of(name, |leg| leg.seconds), of(name, |leg| leg.lines_per_second));
            vec![
                (*name).to_owned(),
                format!("{seconds:.2}"),
                format!("{rate:.0}"),
                format!("{:.0}", of(name, |leg| leg.peak_rss_mb)),
            ]
        });
        let legs = crate::output::table(&["leg", "seconds", "lines a second", "MB"], rows.collect());
        let portal = self.portal.as_ref().map(Portal::table).unwrap_or_default();
        format!("{legs}\n{}{portal}", crate::output::table(&["figure", "measured", "target"], self.figures()))
    }

    fn figures(&self) -> Vec<Vec<String>> {
        let ratios = &self.ratios;
        let figures = [
            ("plan change to floor", ratios.plan_change_to_floor, "at least 0.7"),
            ("AMOP assignment to floor", ratios.amop_assignment_to_floor, "at least 0.7"),
            ("plan change to per device", ratios.plan_change_to_per_device, "at least 1.1"),
            ("plan change to per device, shuffled", ratios.plan_change_to_per_device_shuffled, ""),
            ("AMOP assignment to per device", ratios.amop_assignment_to_per_device, "at least 1.1"),
            ("submission to floor", ratios.submission_to_floor, "at least 0.4"),
            ("memory, fleet to order", ratios.memory_1m_to_100k, "at most 1.3"),
            ("billing to allowed", self.billing.as_ref().map(|billing| billing.billing_to_allowed), "at least 0.9"),
            ("calls a line, one product", self.billing.as_ref().map(|billing| billing.calls_a_line), "at most 2.2"),
            ("peak memory of the engine, MB", Some(self.peak_rss_mb).filter(|peak| *peak > 0.0), "below 600"),
            ("small change, median, s", self.small_change_seconds.map(|small| small.p50), ""),
            ("small change, 99 %, s", self.small_change_seconds.map(|small| small.p99), "at most 2"),
        ];
        let carriers = self.carriers.as_ref().map(Carriers::figures).unwrap_or_default();
        let of_carriers = carriers.into_iter().map(|(figure, value, target)| (figure, Some(value), target));
        let row = |(figure, value, target): (&str, Option<f64>, &str)| {
            Some(vec![figure.to_owned(), format!("{:.2}", value?), target.to_owned()])
        };
        let access = self.access.as_ref().map(Access::rows).unwrap_or_default();
        figures.into_iter().chain(of_carriers).filter_map(row).chain(access).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(leg: Leg, round: usize, rate: f64) -> Measured {
        Measured { name: leg.name(), round, seconds: 1.0, lines: 1, lines_per_second: rate, peak_rss_mb: 1.0 }
    }

    #[test]
    fn a_ratio_is_the_median_of_the_rounds() {
        let (engine, floor) = (Leg::PlanChangeEngine, Leg::PlanChangeFloor);
        let rates = [(8.0, 10.0), (9.0, 10.0), (1.0, 10.0)];
        let legs: Vec<_> = rates
            .iter()
            .zip(1..)
            .flat_map(|((of_engine, of_floor), round)| [leg(engine, round, *of_engine), leg(floor, round, *of_floor)])
            .collect();
        assert_eq!(ratio(&legs, engine, floor), Some(0.8));
        assert_eq!(ratio(&legs, engine, Leg::PlanChangePerDevice), None);
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let small = SmallChanges::of((1..=200).map(f64::from).collect()).expect("not empty");
        assert_eq!((small.p50, small.p99, small.count), (100.0, 198.0, 200));
    }
}
