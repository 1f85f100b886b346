//! What runs now and what was ordered lately.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::bulk_changes::{ChangeRow, rows};
use crate::Web;
use crate::api::bulk_changes::list::list_bulk_changes;
use crate::portal::page::answer;
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer};
use crate::query::{NoParameters, Parameters};

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
    changes: Vec<ChangeRow>,
}

/// `GET /`
pub(in crate::portal) async fn home(viewer: Viewer, _: NoParameters) -> Result<Response, PageRefused> {
    let lately = Parameters::of_pairs(vec![("limit".to_owned(), "20".to_owned())]);
    let listed = list_bulk_changes(State(Web::clone(&viewer.web)), viewer.caller.clone(), lately).await?.0;
    let changes = rows(&viewer, listed.items).await?;
    Ok(answer(&Home { frame: viewer.frame("Home", None, Place::Home)?, changes }))
}
