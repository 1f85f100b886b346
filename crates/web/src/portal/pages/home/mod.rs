//! Home: what runs now, what failed today, what falls due, which accounts are in trouble, and how many lines are whose.

mod days;
mod lines;
mod trouble;

use askama::Template;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use lineshift_domain::dates::start_of_day;
use lineshift_domain::ids::PrincipalId;
use lineshift_domain::terms::PortalType;
use lineshift_store::bulk_changes::BulkChangeView as StoredChange;

use self::days::{Days, days};
use self::lines::{LineCharts, line_charts};
use self::trouble::{Trouble, trouble};
use super::bulk_changes::{ChangeRow, follow_first, rows};
use crate::portal::figures::Counted;
use crate::portal::page::{answer, thousands};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, segment};
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::views::BulkChangeView;

/// How many changes that run, or that failed, are shown; the lists have the others.
const CHANGES: usize = 20;

/// How many of them are followed live.
const FOLLOWED: usize = 2;

/// How many days ahead are shown of what falls due, today among them.
const DAYS_AHEAD: u64 = 8;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
    /// Whether the viewer may look into any portal; else there is nothing of lines here.
    sees_lines: bool,
    running: Vec<ChangeRow>,
    failed: Vec<ChangeRow>,
    due: Vec<DueDay>,
    trouble: Trouble,
    lines: Option<LineCharts>,
    days: Option<Days>,
}

/// A day on which scheduled changes take effect.
struct DueDay {
    name: String,
    /// In each portal where there are any: what it is called, how many, where they are listed.
    portals: Vec<(&'static str, String, String)>,
}

/// `GET /`
pub(in crate::portal) async fn home(viewer: Viewer, _: NoParameters) -> Result<Response, PageRefused> {
    let sees_lines = viewer.portals().next().is_some();
    let now = viewer.web.engine.clock().now();
    let today = now.with_timezone(&viewer.zone()).date_naive();
    let (mut running, mut failed, mut due, mut lines, mut last_days) = (Vec::new(), Vec::new(), Vec::new(), None, None);
    if sees_lines {
        let (store, caller, whose) = (viewer.web.engine.store(), &viewer.caller, whose(&viewer));
        let portals: Vec<PortalType> = viewer.portals().collect();
        let unfinished = store.list_unfinished(caller.tenant, &portals, whose, CHANGES).await?;
        let began = start_of_day(today, viewer.zone());
        let ended = store.list_failed(caller.tenant, &portals, whose, began, CHANGES).await?;
        running = shown(&viewer, unfinished).await?;
        follow_first(&mut running, caller.tenant, FOLLOWED);
        failed = shown(&viewer, ended).await?;
        let counted = viewer.web.figures.of(&viewer).await?;
        due = due_days(&viewer, today, &counted);
        lines = Some(line_charts(&viewer, &counted).await?);
        last_days = Some(days(&viewer, today, whose).await?);
    }
    let page = Home {
        sees_lines,
        running,
        failed,
        due,
        trouble: trouble(&viewer, now).await?,
        lines,
        days: last_days,
        frame: viewer.frame("Home", None, Place::Home)?,
    };
    Ok(answer(&page))
}

/// Whose changes the viewer sees: whoever is limited sees their own.
fn whose(viewer: &Viewer) -> Option<PrincipalId> {
    (!viewer.caller.rights.reach.is_everything()).then_some(viewer.caller.principal)
}

async fn shown(viewer: &Viewer, changes: Vec<StoredChange>) -> Result<Vec<ChangeRow>, ApiProblem> {
    rows(viewer, changes.iter().map(BulkChangeView::from).collect()).await
}

/// What falls due today, what is overdue included, and on the days after it.
fn due_days(viewer: &Viewer, today: NaiveDate, counted: &Counted) -> Vec<DueDay> {
    let zone = viewer.zone();
    let end = today.checked_add_days(chrono::Days::new(DAYS_AHEAD)).unwrap_or(today);
    let day_of = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive().max(today);
    let mut days = Vec::new();
    for day in today.iter_days().take_while(|day| *day < end) {
        let mut portals = Vec::new();
        for portal in viewer.portals() {
            let of_day = counted.due.iter().filter(|counted| counted.portal == portal && day_of(counted.from) == day);
            let entries: i64 = of_day.map(|counted| counted.entries).sum();
            if entries > 0 {
                portals.push((portal.as_str(), thousands(entries), format!("/{}/plan-queue?day={day}", segment(portal))));
            }
        }
        if !portals.is_empty() {
            days.push(DueDay { name: name_of(day, today), portals });
        }
    }
    days
}

/// `today`, `tomorrow`, else `Mon 2026-11-23`.
fn name_of(day: NaiveDate, today: NaiveDate) -> String {
    match day - today {
        none if none == TimeDelta::zero() => "today".to_owned(),
        one if one == TimeDelta::days(1) => "tomorrow".to_owned(),
        _ => day.format("%a %Y-%m-%d").to_string(),
    }
}
