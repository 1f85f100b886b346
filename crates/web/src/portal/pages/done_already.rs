//! What somebody asks for of a bulk change that is so already, by a second click or in another window: that is no refusal to them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::BulkChangeId;

use crate::api::bulk_changes::get::get_bulk_change;
use crate::portal::refused::PageRefused;
use crate::portal::viewer::Viewer;
use crate::problem::ApiProblem;
use crate::query::{NoParameters, PathId};
use crate::views::BulkChangeDetailView;

/// What is asked for.
pub(super) enum Wanted {
    Start,
    Cancel,
    /// Of rows with that code, or of all.
    Retry(Option<Code>),
}

impl Wanted {
    /// Whether it is so already.
    fn is_so(&self, now: &BulkChangeDetailView) -> bool {
        let change = &now.change;
        match self {
            Self::Start => !change.held && change.canceled_at.is_none(),
            Self::Cancel => change.canceled_at.is_some(),
            Self::Retry(code) => {
                let is_wanted = |found: &str| code.is_none_or(|code| code.as_str() == found);
                change.attempt > 1 && !now.errors.iter().any(|error| is_wanted(&error.code))
            }
        }
    }
}

/// Leads to the change where it is as was asked for, else says why it is not.
pub(super) async fn or_refused(
    viewer: &Viewer,
    (address, id): (&str, BulkChangeId),
    wanted: &Wanted,
    problem: ApiProblem,
) -> Result<Response, PageRefused> {
    if problem.status() != StatusCode::CONFLICT {
        return Err(problem.into());
    }
    let now = get_bulk_change(State(viewer.web.clone()), viewer.caller.clone(), PathId(id.0), NoParameters).await?.0;
    if wanted.is_so(&now) { Ok(Redirect::to(address).into_response()) } else { Err(problem.into()) }
}
