//! Admin: who may do what, what orders refer to, how carriers and billing systems are called, and what was done.
//!
//! Looking needs the permission to view the module Admin, and is refused without it; creating and changing is offered to whoever may, and
//! refused by the functions behind the API where somebody may not.

pub(in crate::portal) mod api_keys;
pub(in crate::portal) mod audit;
pub(in crate::portal) mod carrier_rate_plans;
pub(in crate::portal) mod integrations;
mod kinds;
pub(in crate::portal) mod overview;
mod reach;
pub(in crate::portal) mod reference;
pub(in crate::portal) mod roles;
pub(in crate::portal) mod settings;
pub(in crate::portal) mod sync_runs;
pub(in crate::portal) mod user;
pub(in crate::portal) mod users;

pub(in crate::portal) use self::roles::scopes_shown;
use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Redirect, Response};
use lineshift_domain::scopes::{Action, Module};

use crate::audit::Made;
use crate::portal::address::given;
use crate::portal::fields::FormShown;
use crate::portal::page::answer;
use crate::portal::refused::as_page;
use crate::portal::viewer::{Frame, Place, Viewer};
use crate::problem::ApiProblem;
use crate::query::{Parameters, PathId};

/// Rows of a list.
const ROWS: &str = "100";

/// The most of something that a field offers to choose from.
const CHOICES: usize = 500;

/// A page with a form, or with what it would show to whoever may not change it.
#[derive(Template)]
#[template(path = "admin_form.html")]
struct FormPage {
    frame: Frame,
    title: String,
    intro: String,
    facts: Vec<(String, String)>,
    form: Option<FormShown>,
    /// Where the lines are that it concerns.
    lines: Option<String>,
    saved: bool,
    back: String,
    back_label: &'static str,
}

/// A list.
#[derive(Template)]
#[template(path = "admin_list.html")]
struct ListPage {
    frame: Frame,
    title: &'static str,
    intro: &'static str,
    address: String,
    columns: Vec<&'static str>,
    rows: Vec<ListRow>,
    next: Option<String>,
    /// What is sought by; none: this list is not searched.
    sought: Option<String>,
    /// What is said of a search that did not look at everything.
    cut: Option<&'static str>,
    /// What the link to a new one says; none: the viewer may make none.
    new: Option<&'static str>,
}

/// A row of a list.
struct ListRow {
    /// Where it leads; empty: nowhere.
    address: String,
    name: String,
    cells: Vec<String>,
    /// Whether it counts no more.
    is_over: bool,
}

impl Viewer {
    /// The frame of a page of Admin. Errors: 403.
    pub(in crate::portal) fn admin_frame(&self, title: impl Into<String>, segment: &'static str) -> Result<Frame, ApiProblem> {
        self.caller.require(Module::Admin, Action::View)?;
        self.frame(title, None, Place::Admin(segment))
    }

    /// Whether the viewer may make something in Admin.
    fn may_create(&self) -> bool {
        self.may(Module::Admin, Action::Create)
    }

    /// Whether the viewer may change something in Admin.
    fn may_edit(&self) -> bool {
        self.may(Module::Admin, Action::Edit)
    }
}

/// The id that an address names. What is none is answered like one that is not there.
fn path_id(Path(text): &Path<String>) -> Result<PathId, ApiProblem> {
    text.parse().ok().filter(|id| *id > 0).map(PathId).ok_or_else(ApiProblem::not_found)
}

/// The page of a list that an address asks for.
fn page_of(uri: &Uri) -> Parameters {
    let limit = ("limit".to_owned(), ROWS.to_owned());
    Parameters::of_pairs(given(uri).into_iter().chain([limit]).collect())
}

/// The first of those that a field offers.
fn all() -> Parameters {
    Parameters::of_pairs(vec![("limit".to_owned(), CHOICES.to_string())])
}

/// Whether an address says that what is shown was just changed.
fn is_saved(uri: &Uri) -> bool {
    uri.query() == Some("saved")
}

/// Leads to a page that says that what it shows was changed.
fn saved(address: &str) -> Response {
    Redirect::to(&format!("{address}?saved")).into_response()
}

/// Leads to what was made, and has it written down.
fn made(kind: &str, address: &str, id: i64) -> Response {
    (Made(format!("{kind}/{id}")), saved(address)).into_response()
}

/// A page as an answer; with a problem, as the answer to what was refused.
fn answered(page: &impl Template, refused: Option<ApiProblem>) -> Response {
    match refused {
        Some(problem) => as_page(problem, page),
        None => answer(page),
    }
}

/// A fact, where it is known.
fn fact(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

/// `yes` or `no`.
const fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}
