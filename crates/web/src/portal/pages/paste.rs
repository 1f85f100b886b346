//! Choosing lines by pasting any text that holds their ICCIDs or numbers.

use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use lineshift_domain::scopes::Action;
use lineshift_domain::terms::PortalType;

use crate::audit::AuditNote;
use crate::portal::choosing::{Chosen, Outcome, Reading};
use crate::portal::form::Form;
use crate::portal::page::{answer, thousands};
use crate::portal::reading::beside;
use crate::portal::refused::{PageRefused, as_page};
use crate::portal::viewer::{Frame, Place, Viewer, portal_of, segment};
use crate::problem::ApiProblem;
use crate::query::NoParameters;

#[derive(Template)]
#[template(path = "paste.html")]
struct PastePage {
    frame: Frame,
    chosen: Chosen,
    address: String,
    most: String,
    refused: Option<String>,
    text: String,
}

/// What became of what was pasted or sent.
#[derive(Template)]
#[template(path = "chosen.html")]
struct ChosenPage {
    frame: Frame,
    chosen: Chosen,
    outcome: Outcome,
    added: String,
    already: String,
    repeated: String,
    /// Where more lines are chosen in the same way.
    again: (String, &'static str),
}

/// `GET /{portal}/selection/paste`
pub(in crate::portal) async fn ask(viewer: Viewer, Path(portal): Path<String>, _: NoParameters) -> Result<Response, PageRefused> {
    let portal = portal_of(&portal)?;
    viewer.caller.require(portal.into(), Action::Create)?;
    Ok(answer(&page(&viewer, portal, None, String::new()).await?))
}

async fn page(viewer: &Viewer, portal: PortalType, refused: Option<String>, text: String) -> Result<PastePage, ApiProblem> {
    Ok(PastePage {
        frame: viewer.frame("Paste lines", Some(portal), Place::Lines)?,
        chosen: Chosen::of(viewer, portal).await?.ok_or_else(ApiProblem::not_found)?,
        address: format!("/{}/selection/paste", segment(portal)),
        most: thousands(viewer.web.engine.limits().devices_per_change as i64),
        refused,
        text,
    })
}

/// `POST /{portal}/selection/paste`
pub(in crate::portal) async fn take(viewer: Viewer, Path(portal): Path<String>, form: Form) -> Result<Response, PageRefused> {
    let portal = portal_of(&portal)?;
    viewer.caller.require(portal.into(), Action::Create)?;
    let text = form.text("text").unwrap_or_default().to_owned();
    let turn = match viewer.web.readings.take(viewer.caller.tenant).await {
        Ok(turn) => turn,
        Err(problem) => {
            let page = page(&viewer, portal, Some(problem.detail()), text).await?;
            return Ok(as_page(problem, &page));
        }
    };
    // The turn ends with the reading: while lines are chosen others' texts are read.
    let (reading, text) = beside((turn, form.turn()), move || (Reading::of_text(&text), text)).await?;
    if reading.is_empty() {
        let refused = if text.is_empty() {
            "Paste some ICCIDs or numbers first."
        } else {
            "No ICCID and no number stands in this text: an ICCID has 18 to 22 digits, a number 10 to 15."
        };
        return Ok(answer(&page(&viewer, portal, Some(refused.to_owned()), text).await?));
    }
    let outcome = reading.choose(&viewer, portal).await?;
    let again = (format!("/{}/selection/paste", segment(portal)), "Paste more");
    show_outcome(&viewer, portal, outcome, again).await
}

/// The page that says what became of each: those that are good are chosen already.
pub(super) async fn show_outcome(
    viewer: &Viewer,
    portal: PortalType,
    outcome: Outcome,
    again: (String, &'static str),
) -> Result<Response, PageRefused> {
    let devices = outcome.added;
    let page = ChosenPage {
        frame: viewer.frame("Lines chosen", Some(portal), Place::Lines)?,
        chosen: Chosen::of(viewer, portal).await?.ok_or_else(ApiProblem::not_found)?,
        added: thousands(outcome.added),
        already: thousands(outcome.already),
        repeated: thousands(outcome.repeated as i64),
        outcome,
        again,
    };
    Ok((AuditNote { devices }, answer(&page)).into_response())
}
