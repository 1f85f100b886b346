//! Bulk changes of the last thirty days, and how many of their lines went well: columns drawn here, with the figures as a table.

use chrono::NaiveDate;
use lineshift_domain::dates::start_of_day;
use lineshift_domain::ids::PrincipalId;
use lineshift_domain::scopes::Action;

use crate::portal::page::thousands;
use crate::portal::viewer::Viewer;
use crate::problem::ApiProblem;

/// How many days there are, today the last.
const DAYS: u64 = 30;

/// How far columns stand apart, and how high the highest is.
const WIDTH: u64 = 20;
const HEIGHT: i64 = 100;

/// The days, oldest first.
pub(super) struct Days {
    pub(super) days: Vec<Day>,
    /// What the chart shows, in a sentence.
    pub(super) summary: String,
}

/// A day.
pub(super) struct Day {
    pub(super) name: String,
    pub(super) changes: String,
    pub(super) done: String,
    pub(super) failed: String,
    /// Of the lines that were done or failed; none: there were none.
    pub(super) rate: Option<String>,
    /// Whether anything was ordered.
    pub(super) is_busy: bool,
    /// The column: where it stands, where it begins, how high it is, and how much of that is red.
    pub(super) x: u64,
    pub(super) top: i64,
    pub(super) height: i64,
    pub(super) red: i64,
}

/// What became of the changes that were ordered on one day.
#[derive(Clone, Copy, Default)]
struct Tally {
    changes: i64,
    done: i64,
    failed: i64,
}

/// The last days, of those portals that the viewer sees.
pub(super) async fn days(viewer: &Viewer, today: NaiveDate, whose: Option<PrincipalId>) -> Result<Days, ApiProblem> {
    let zone = viewer.zone();
    let first = today.checked_sub_days(chrono::Days::new(DAYS - 1)).unwrap_or(today);
    let since = start_of_day(first, zone);
    let counted = viewer.web.engine.store().count_bulk_changes(viewer.caller.tenant, whose, since).await?;
    let mut tallies: Vec<(NaiveDate, Tally)> =
        first.iter_days().take_while(|day| *day <= today).map(|day| (day, Tally::default())).collect();
    for quarter in counted.iter().filter(|quarter| viewer.may(quarter.portal, Action::View)) {
        let day = quarter.from.with_timezone(&zone).date_naive().max(first);
        if let Some((_, tally)) = tallies.iter_mut().find(|(of, _)| *of == day) {
            tally.changes += quarter.changes;
            // A row that scheduled its change is done; where the change was refused on its date, nothing was.
            tally.done += quarter.processed - quarter.scheduled_failed;
            tally.failed += quarter.error + quarter.scheduled_failed;
        }
    }
    Ok(drawn(&tallies))
}

fn drawn(tallies: &[(NaiveDate, Tally)]) -> Days {
    let highest = tallies.iter().map(|(_, tally)| tally.changes).max().unwrap_or(1).max(1);
    let mut all = Tally::default();
    let mut days = Vec::with_capacity(tallies.len());
    for ((day, tally), x) in tallies.iter().zip((0..).step_by(usize::try_from(WIDTH).unwrap_or(1))) {
        let height = tally.changes * HEIGHT / highest;
        let ended = tally.done + tally.failed;
        days.push(Day {
            name: day.format("%Y-%m-%d").to_string(),
            changes: thousands(tally.changes),
            done: thousands(tally.done),
            failed: thousands(tally.failed),
            rate: rate(tally),
            is_busy: tally.changes > 0,
            x,
            top: HEIGHT - height,
            height,
            // Failures are seen, however few they are.
            red: if tally.failed > 0 { (height * tally.failed / ended).max(1) } else { 0 },
        });
        all.changes += tally.changes;
        all.done += tally.done;
        all.failed += tally.failed;
    }
    let well = rate(&all).map(|rate| format!("; {rate} of their lines went well")).unwrap_or_default();
    Days {
        days,
        summary: format!(
            "{} bulk changes in {DAYS} days, {} at most a day{well}",
            thousands(all.changes),
            thousands(highest.min(all.changes))
        ),
    }
}

/// `99.8 %`; rounded down, so that only all of them are `100.0 %`.
fn rate(tally: &Tally) -> Option<String> {
    let ended = tally.done + tally.failed;
    let thousandths = tally.done.checked_mul(1000)?.checked_div(ended)?;
    Some(format!("{}.{} %", thousandths / 10, thousandths % 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_high_as_its_day_was_busy() {
        let day = |nth| NaiveDate::from_ymd_opt(2026, 11, nth).expect("a day");
        let tally = |changes, done, failed| Tally { changes, done, failed };
        let drawn = drawn(&[(day(1), tally(0, 0, 0)), (day(2), tally(4, 999, 1)), (day(3), tally(2, 0, 5))]);
        let columns: Vec<_> = drawn.days.iter().map(|day| (day.x, day.top, day.height, day.red, day.rate.clone())).collect();
        let rate = |text: &str| Some(text.to_owned());
        assert_eq!(columns, [(0, 100, 0, 0, None), (20, 0, 100, 1, rate("99.9 %")), (40, 50, 50, 50, rate("0.0 %"))]);
        assert_eq!(drawn.summary, "6 bulk changes in 30 days, 4 at most a day; 99.4 % of their lines went well");
    }
}
