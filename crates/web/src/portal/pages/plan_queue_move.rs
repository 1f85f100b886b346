//! Moving what is scheduled to another day: its time of day stays, and what would take effect at once is asked for twice.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use chrono::{DateTime, Utc};
use lineshift_domain::dates::resolve;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::order::EffectiveDate;
use lineshift_domain::reading::{codes, read_effective_date};
use lineshift_domain::refusal::Problem;
use lineshift_domain::scopes::Action;
use lineshift_domain::terms::{PlanQueueState, PortalType};
use lineshift_store::plan_queue::PlanQueueEntry;

use super::plan_queue::{changes, line, names_of, show};
use crate::api::carried_through;
use crate::api::plan_queue::move_to;
use crate::audit::AuditNote;
use crate::portal::fields::is_answerable;
use crate::portal::form::Form;
use crate::portal::page::When;
use crate::portal::refused::{PageRefused, as_page, with_body_of};
use crate::portal::viewer::{Frame, Place, Viewer, portal_of, segment};
use crate::problem::ApiProblem;
use crate::views::PlanQueueEntryView;

/// What a form asked for that was not done, so that its list is shown again with what was typed.
pub(super) struct NotDone {
    pub(super) id: DeviceChangeId,
    /// The day that was typed, if one was.
    pub(super) typed: Option<String>,
    pub(super) why: String,
}

/// A change that would take effect at once.
#[derive(Template)]
#[template(path = "plan_queue_at_once.html")]
struct AtOncePage {
    frame: Frame,
    /// Where it is moved.
    address: String,
    /// The list that it stands in, and its parameters.
    list: String,
    back: String,
    line: String,
    changes: Vec<String>,
    /// The day that was typed, and the moment that this means.
    typed: String,
    to: When,
}

/// What a form is about: an entry, and the list that it stands in.
struct Sent {
    portal: PortalType,
    id: DeviceChangeId,
    /// The parameters of the list.
    back: Vec<(String, String)>,
}

impl Sent {
    fn read(Path((portal, id)): &Path<(String, String)>, form: &Form) -> Result<Self, ApiProblem> {
        let portal = portal_of(portal)?;
        let id = id.parse().ok().filter(|id| *id > 0).map(DeviceChangeId).ok_or_else(ApiProblem::not_found)?;
        let back = form_urlencoded::parse(form.text("back").unwrap_or_default().as_bytes()).into_owned();
        Ok(Self { portal, id, back: back.collect() })
    }

    /// Written anew: whatever was sent, it is parameters of that list.
    fn back(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.back).finish()
    }

    fn list(&self) -> String {
        let (list, back) = (format!("/{}/plan-queue", segment(self.portal)), self.back());
        if back.is_empty() { list } else { format!("{list}?{back}") }
    }

    /// The entry, if the viewer may change it. Errors: 404, 403.
    async fn entry(&self, viewer: &Viewer) -> Result<PlanQueueEntry, ApiProblem> {
        let entry = viewer.web.engine.get_queue_entry(&viewer.caller, self.id).await?;
        viewer.caller.require(entry.portal.into(), Action::Edit)?;
        Ok(entry)
    }

    /// The list as it is now, with why nothing was done.
    async fn not_done(&self, viewer: &Viewer, typed: Option<&str>, problem: ApiProblem) -> Result<Response, PageRefused> {
        if !is_answerable(&problem) {
            return Err(problem.into());
        }
        let not_done = NotDone { id: self.id, typed: typed.map(str::to_owned), why: problem.detail() };
        let list = show(viewer, self.portal, self.back.clone(), Some(not_done)).await?;
        Ok(with_body_of(problem, list))
    }
}

/// `POST /{portal}/plan-queue/{id}/move`
pub(in crate::portal) async fn move_entry(
    viewer: Viewer,
    place: Path<(String, String)>,
    form: Form,
) -> Result<Response, PageRefused> {
    let sent = Sent::read(&place, &form)?;
    let entry = sent.entry(&viewer).await?;
    let typed = form.text("effective_date");
    let Some(date) = typed.and_then(read_effective_date) else {
        let message = "give the day on which it takes effect, such as 2026-12-01";
        let problem = ApiProblem::refused(vec![Problem::new("effective_date", codes::MISSING_FIELD, message)]);
        return sent.not_done(&viewer, typed, problem).await;
    };
    let date = at_its_time(date, entry.effective_date, &viewer);
    let to = resolve(date, viewer.zone());
    let is_open = entry.state == PlanQueueState::Open;
    if is_open && to <= viewer.web.engine.clock().now() && form.text("at_once").is_none() {
        return ask_at_once(&viewer, &sent, entry, typed.unwrap_or_default(), to).await;
    }
    match move_to(&viewer.web, &viewer.caller, sent.id, EffectiveDate::Instant(to)).await {
        Ok(_) => Ok((AuditNote { devices: 1 }, Redirect::to(&sent.list())).into_response()),
        Err(problem) => sent.not_done(&viewer, typed, problem).await,
    }
}

/// A day with the time of day that the entry has, in the tenant's zone.
fn at_its_time(date: EffectiveDate, was: DateTime<Utc>, viewer: &Viewer) -> EffectiveDate {
    match date {
        EffectiveDate::Day(day) => EffectiveDate::Local(day.and_time(was.with_timezone(&viewer.zone()).time())),
        other => other,
    }
}

async fn ask_at_once(
    viewer: &Viewer,
    sent: &Sent,
    entry: PlanQueueEntry,
    typed: &str,
    to: DateTime<Utc>,
) -> Result<Response, PageRefused> {
    let entry = PlanQueueEntryView::of(entry, viewer.zone());
    let names = names_of(&viewer.web, viewer.caller.tenant, std::slice::from_ref(&entry)).await?;
    let page = AtOncePage {
        frame: viewer.frame("At once?", Some(sent.portal), Place::PlanQueue)?,
        address: format!("/{}/plan-queue/{}/move", segment(sent.portal), sent.id),
        list: sent.list(),
        back: sent.back(),
        changes: changes(&entry, &names),
        line: line(sent.portal, &entry),
        typed: typed.to_owned(),
        to: viewer.when(to),
    };
    let problem = Problem::new("at_once", codes::MISSING_FIELD, "this is not after now; say that it is to take effect at once");
    Ok(as_page(ApiProblem::refused(vec![problem]), &page))
}

/// `POST /{portal}/plan-queue/{id}/cancel`
pub(in crate::portal) async fn cancel_entry(
    viewer: Viewer,
    place: Path<(String, String)>,
    form: Form,
) -> Result<Response, PageRefused> {
    let sent = Sent::read(&place, &form)?;
    let (engine, by, id) = (viewer.web.engine.clone(), viewer.caller.clone(), sent.id);
    match carried_through(async move { engine.cancel_queue_entry(&by, id).await }).await {
        Ok(_) => Ok((AuditNote { devices: 1 }, Redirect::to(&sent.list())).into_response()),
        // By a second click, or in another window.
        Err(problem)
            if problem.status() == StatusCode::CONFLICT && sent.entry(&viewer).await?.state == PlanQueueState::Canceled =>
        {
            Ok(Redirect::to(&sent.list()).into_response())
        }
        Err(problem) => sent.not_done(&viewer, None, problem).await,
    }
}
