//! The audit log: who asked for what, when, and what came of it.

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use chrono::{NaiveDateTime, TimeZone as _};
use chrono_tz::Tz;

use super::{ROWS, all};
use crate::PAGES;
use crate::api::audit::list::list_audit;
use crate::api::people::api_keys::list_api_keys;
use crate::api::people::users::list_users;
use crate::portal::address::{given, with_parameter};
use crate::portal::fields::is_answerable;
use crate::portal::page::{When, answer};
use crate::portal::refused::{PageRefused, as_page};
use crate::portal::viewer::{Frame, Viewer};
use crate::problem::ApiProblem;
use crate::query::Parameters;
use crate::routes::ROUTES;
use crate::views::{AuditEntryView, Page};

const ADDRESS: &str = "/admin/audit";

/// What entries are sought by, as the API calls it.
const FILTERS: [&str; 6] = ["from", "to", "principal_id", "action", "target", "unfinished"];

#[derive(Template)]
#[template(path = "admin_audit.html")]
struct AuditPage {
    frame: Frame,
    from: String,
    to: String,
    principal: String,
    action: String,
    target: String,
    unfinished: bool,
    /// What may be asked for.
    actions: Vec<String>,
    /// Who may be sought by: ids, and how they are called.
    people: Vec<(i64, String)>,
    refused: Option<ApiProblem>,
    entries: Vec<EntryRow>,
    next: Option<String>,
    /// Where all that are sought are, as CSV.
    export: String,
}

impl AuditPage {
    /// What is wrong with what is sought by.
    fn problems(&self) -> Vec<String> {
        let errors = self.refused.as_ref().map(|problem| problem.view().errors).unwrap_or_default();
        errors.into_iter().map(|error| format!("{}: {}", error.field, error.message)).collect()
    }
}

/// An entry of the log.
struct EntryRow {
    at: When,
    who: String,
    actor: String,
    /// Where only what they asked for is shown.
    by_them: Option<String>,
    action: String,
    target: String,
    outcome: String,
    status: String,
    devices: String,
    made: String,
    codes: String,
    address: String,
    request_id: String,
}

/// `GET /admin/audit`
pub(in crate::portal) async fn list(viewer: Viewer, uri: Uri) -> Result<Response, PageRefused> {
    let frame = viewer.admin_frame("Audit log", "audit")?;
    let typed = given(&uri);
    let asked = in_moments(&typed, viewer.zone());
    let limited = asked.iter().cloned().chain([("limit".to_owned(), ROWS.to_owned())]).collect();
    let listed = list_audit(State(viewer.web.clone()), viewer.caller.clone(), Parameters::of_pairs(limited)).await;
    // What is sought wrongly is said above the fields, and they keep it.
    let (listed, refused) = match listed {
        Ok(listed) => (listed.0, None),
        Err(problem) if is_answerable(&problem) => (Page { items: Vec::new(), next: None }, Some(problem)),
        Err(problem) => return Err(problem.into()),
    };
    let value = |name: &str| typed.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let sought: Vec<(String, String)> = asked.into_iter().filter(|(name, _)| FILTERS.contains(&name.as_str())).collect();
    let page = AuditPage {
        frame,
        from: value("from"),
        to: value("to"),
        principal: value("principal_id"),
        action: value("action"),
        target: value("target"),
        unfinished: value("unfinished") == "true",
        actions: actions(),
        people: people(&viewer).await?,
        entries: listed.items.into_iter().map(|entry| row(&viewer, entry)).collect(),
        next: listed.next.map(|next| with_parameter(ADDRESS, &typed, "after", &next)),
        export: with_parameter("/api/v1/audit/export", &sought, "format", "csv"),
        refused,
    };
    Ok(match page.refused.clone() {
        Some(problem) => as_page(problem, &page),
        None => answer(&page),
    })
}

/// What was typed, with moments as the API takes them: people give them in the tenant's zone.
fn in_moments(typed: &[(String, String)], zone: Tz) -> Vec<(String, String)> {
    let moment = |text: &str| {
        let local: NaiveDateTime = text.parse().or_else(|_| format!("{text}:00").parse()).ok()?;
        let at = zone.from_local_datetime(&local).earliest()?;
        Some(at.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
    };
    let read = |(name, value): &(String, String)| {
        let is_moment = ["from", "to"].contains(&name.as_str());
        let value = moment(value).filter(|_| is_moment).unwrap_or_else(|| value.clone());
        (name.clone(), value)
    };
    typed.iter().map(read).collect()
}

/// Everything that is written down, in the order of the alphabet.
fn actions() -> Vec<String> {
    let rows = ROUTES.iter().chain(PAGES).filter(|row| row.method != "get");
    let mut actions: Vec<String> = rows.map(|row| format!("{} {}", row.method.to_uppercase(), row.path)).collect();
    actions.sort_unstable();
    actions
}

/// People and keys of the tenant, as far as a field offers them.
async fn people(viewer: &Viewer) -> Result<Vec<(i64, String)>, ApiProblem> {
    let users = list_users(State(viewer.web.clone()), viewer.caller.clone(), all()).await?.0;
    let keys = list_api_keys(State(viewer.web.clone()), viewer.caller.clone(), all()).await?.0;
    let users = users.items.into_iter().map(|user| (user.id, user.email));
    Ok(users.chain(keys.items.into_iter().map(|key| (key.id, key.name))).collect())
}

fn row(viewer: &Viewer, entry: AuditEntryView) -> EntryRow {
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    EntryRow {
        at: viewer.when(entry.at),
        by_them: entry.principal_id.map(|id| with_parameter(ADDRESS, &[], "principal_id", &id.to_string())),
        who: entry.who,
        actor: entry.actor,
        action: entry.action,
        target: entry.target.unwrap_or_default(),
        outcome: entry.outcome,
        status: number(entry.status.map(i64::from)),
        devices: number(entry.devices),
        made: entry.made.unwrap_or_default(),
        codes: entry.problem_codes.join(" "),
        address: entry.address.unwrap_or_default(),
        request_id: entry.request_id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_tenants_zone() {
        let pairs = [("from", "2026-12-01T00:00"), ("to", "2026-12-01T00:00:30"), ("action", "2026-12-01T00:00"), ("from", "x")];
        let typed: Vec<(String, String)> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let read: Vec<String> = in_moments(&typed, chrono_tz::America::Chicago).into_iter().map(|(_, value)| value).collect();
        assert_eq!(read, ["2026-12-01T06:00:00Z", "2026-12-01T06:00:30Z", "2026-12-01T00:00", "x"]);
    }
}
