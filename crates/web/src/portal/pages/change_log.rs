//! The log of a bulk change: what each step asked, got and concluded, as it is stored (secrets are masked there already).

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use lineshift_store::bulk_changes::BulkChangeView as StoredChange;

use super::bulk_change::{address_of, seen};
use super::bulk_changes::title;
use crate::api::bulk_changes::log::list_log;
use crate::portal::page::{When, answer};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer};
use crate::problem::ApiProblem;
use crate::query::{Parameters, PathId};
use crate::views::{BulkChangeView, LogEntryView};

/// Entries of a page.
const ENTRIES: &str = "50";

#[derive(Template)]
#[template(path = "change_log.html")]
struct ChangeLogPage {
    frame: Frame,
    change: String,
    title: String,
    entries: Vec<EntryShown>,
    next: Option<String>,
}

/// An entry of a log.
pub(super) struct EntryShown {
    pub(super) at: When,
    pub(super) what: String,
    pub(super) by: String,
    pub(super) status: String,
    pub(super) attempt: i64,
    /// The row it is about; none: the change as a whole.
    pub(super) row: Option<i64>,
    pub(super) failed: bool,
    /// What was asked, answered, and went wrong, with what each is called.
    pub(super) texts: Vec<(&'static str, String)>,
}

/// `GET /{portal}/bulk-changes/{id}/log`: the change as a whole first, then row by row.
pub(in crate::portal) async fn show(
    viewer: Viewer,
    Path((portal, id)): Path<(String, String)>,
    mut parameters: Parameters,
) -> Result<Response, PageRefused> {
    let change = seen(&viewer, &portal, &id).await?;
    let after = parameters.text("after");
    parameters.finish()?;
    let (entries, next) = entries(&viewer, &change, None, after).await?;
    let page = ChangeLogPage {
        frame: viewer.frame(format!("Log of bulk change {id}"), Some(change.portal), Place::BulkChanges)?,
        change: address_of(&change),
        title: title(&BulkChangeView::from(&change)),
        entries,
        next,
    };
    Ok(answer(&page))
}

/// A page of the log, of one row or of all; and where the next begins.
pub(super) async fn entries(
    viewer: &Viewer,
    change: &StoredChange,
    row: Option<i64>,
    after: Option<String>,
) -> Result<(Vec<EntryShown>, Option<String>), ApiProblem> {
    let given = [("limit", Some(ENTRIES.to_owned())), ("device_change_id", row.map(|row| row.to_string())), ("after", after)];
    let asked = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    let (web, caller) = (State(viewer.web.clone()), viewer.caller.clone());
    let listed = list_log(web, caller, PathId(change.id.0), Parameters::of_pairs(asked)).await?.0;
    Ok((listed.items.into_iter().map(|entry| shown(viewer, entry)).collect(), listed.next))
}

fn shown(viewer: &Viewer, entry: LogEntryView) -> EntryShown {
    let texts = [("Request", entry.request_text), ("Response", entry.response_text), ("Error", entry.error_text)];
    EntryShown {
        at: viewer.when(entry.processed_at),
        what: entry.log_entry_description,
        by: entry.process_by,
        status: entry.response_status,
        attempt: entry.attempt,
        row: entry.device_change_id,
        failed: entry.has_errors,
        texts: texts.into_iter().filter_map(|(name, text)| Some((name, text?))).collect(),
    }
}
