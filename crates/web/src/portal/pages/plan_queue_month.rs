//! A month of what is scheduled: how many changes fall due on each of its days in the tenant's zone.

use std::collections::HashMap;

use askama::Template;
use axum::response::Response;
use chrono::{Datelike as _, Days, Months, NaiveDate};
use lineshift_domain::dates::start_of_day;
use lineshift_domain::terms::PortalType;
use lineshift_store::plan_queue::EntryFilter;

use super::sought_entries::{Search, Sought};
use crate::portal::address::with_parameter;
use crate::portal::page::{answer, thousands};
use crate::portal::viewer::{Frame, Place, Viewer, segment};
use crate::problem::ApiProblem;
use crate::query::Parameters;

#[derive(Template)]
#[template(path = "plan_queue_month.html")]
struct MonthPage {
    frame: Frame,
    address: String,
    search: Search,
    /// The list, this month, the one before and the one after, with what is sought.
    list: String,
    here: String,
    before: String,
    after: String,
    /// `2026-12`
    month: String,
    /// `December 2026`
    title: String,
    total: String,
    weekdays: [&'static str; 7],
    weeks: Vec<Vec<Option<Day>>>,
}

/// A day of the month.
struct Day {
    number: u32,
    name: String,
    is_today: bool,
    /// How many changes fall due, and where they are listed.
    entries: Option<(String, String)>,
}

/// The page of the month that is given.
pub(super) async fn show(viewer: &Viewer, portal: PortalType, given: &[(String, String)]) -> Result<Response, ApiProblem> {
    let mut parameters = Parameters::of_pairs(given.to_vec());
    let month = parameters.parsed("month", "a month such as 2026-12", read_month);
    let sought = Sought { day: None, ..Sought::read(&mut parameters) };
    parameters.finish()?;
    let first = month.unwrap_or_default();
    let (caller, zone) = (&viewer.caller, viewer.zone());
    let next = first.checked_add_months(Months::new(1)).unwrap_or(first);
    let filter = EntryFilter {
        portal: Some(portal),
        from: start_of_day(first, zone),
        until: start_of_day(next, zone),
        ..sought.filter(zone)
    };
    let counted = viewer.web.engine.store().count_due_entries(caller.tenant, &caller.rights.reach, &filter).await?;
    let mut by_day: HashMap<NaiveDate, i64> = HashMap::new();
    for quarter in counted {
        *by_day.entry(quarter.from.with_timezone(&zone).date_naive()).or_default() += quarter.entries;
    }
    let address = format!("/{}/plan-queue", segment(portal));
    let pairs = sought.pairs();
    let to = |name: &str, value: String| with_parameter(&address, &pairs, name, &value);
    let of = |month: NaiveDate| to("month", month.format("%Y-%m").to_string());
    let today = viewer.web.engine.clock().now().with_timezone(&zone).date_naive();
    let day = |date: NaiveDate| Day {
        number: date.day(),
        name: date.format("%A %-d %B").to_string(),
        is_today: date == today,
        entries: by_day.get(&date).map(|entries| (thousands(*entries), to("day", date.to_string()))),
    };
    let list = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
    let page = MonthPage {
        frame: viewer.frame("Scheduled", Some(portal), Place::PlanQueue)?,
        search: Search::new(viewer, &sought).await?,
        list: if list.is_empty() { address.clone() } else { format!("{address}?{list}") },
        here: of(first),
        before: of(first.checked_sub_months(Months::new(1)).unwrap_or(first)),
        after: of(next),
        month: first.format("%Y-%m").to_string(),
        title: first.format("%B %Y").to_string(),
        total: thousands(by_day.values().sum()),
        weekdays: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        weeks: weeks(first).into_iter().map(|week| week.into_iter().map(|date| date.map(day)).collect()).collect(),
        address,
    };
    Ok(answer(&page))
}

/// The first day of a month of these centuries.
fn read_month(text: &str) -> Option<NaiveDate> {
    let first: NaiveDate = format!("{text}-01").parse().ok()?;
    ((1970..=2200).contains(&first.year()) && text.len() == 7).then_some(first)
}

/// The weeks of a month, from Monday on; days of other months are left out.
fn weeks(first: NaiveDate) -> Vec<Vec<Option<NaiveDate>>> {
    let before = first.weekday().num_days_from_monday();
    let monday = first.checked_sub_days(Days::new(u64::from(before))).unwrap_or(first);
    let mut weeks: Vec<Vec<Option<NaiveDate>>> = Vec::new();
    for (nth, date) in monday.iter_days().take(42).enumerate() {
        let is_of_it = (date.year(), date.month()) == (first.year(), first.month());
        if nth % 7 == 0 {
            if nth > 0 && !is_of_it {
                break;
            }
            weeks.push(Vec::with_capacity(7));
        }
        if let Some(week) = weeks.last_mut() {
            week.push(is_of_it.then_some(date));
        }
    }
    weeks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_and_end_with_their_last_week() {
        for (text, days, rows) in
            [("2026-12", 31, 5), ("2026-02", 28, 5), ("2027-02", 28, 4), ("2028-02", 29, 5), ("2026-08", 31, 6)]
        {
            let weeks = weeks(read_month(text).expect("a month"));
            assert!(weeks.iter().all(|week| week.len() == 7), "{text}");
            assert_eq!((weeks.iter().flatten().flatten().count(), weeks.len()), (days, rows), "{text}");
        }
        for text in ["2026-13", "26-12", "2026-1", "2026-12-01", "9999-01", "", "now"] {
            assert_eq!(read_month(text), None, "{text}");
        }
    }
}
