//! What there is to administrate, with how many of each there are.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use futures::TryFutureExt as _;

use super::kinds::{self, Kind};
use crate::api::people::api_keys::list_api_keys;
use crate::api::people::roles::list_roles;
use crate::api::people::users::list_users;
use crate::portal::page::{answer, thousands};
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Viewer};
use crate::problem::ApiProblem;
use crate::query::{NoParameters, Parameters};
use crate::views::Page;

/// Up to how many are counted: no overview reads more rows of a kind than a page of a list has.
const COUNTED: usize = 1_000;

#[derive(Template)]
#[template(path = "admin_overview.html")]
struct OverviewPage {
    frame: Frame,
    groups: Vec<Group>,
}

/// What belongs together.
struct Group {
    id: &'static str,
    name: &'static str,
    entries: Vec<Entry>,
}

/// A link, and how many there are behind it.
struct Entry {
    address: String,
    name: &'static str,
    /// Empty where nobody counts.
    count: String,
    about: &'static str,
}

impl Entry {
    fn new(segment: &str, name: &'static str, count: String, about: &'static str) -> Self {
        Self { address: format!("/admin/{segment}"), name, count, about }
    }
}

/// How many there are, as far as they are counted.
fn counted<T>(page: &Page<T>) -> String {
    let count = thousands(i64::try_from(page.items.len()).unwrap_or(i64::MAX));
    if page.next.is_some() { format!("more than {count}") } else { count }
}

fn asked() -> Parameters {
    Parameters::of_pairs(vec![("limit".to_owned(), COUNTED.to_string())])
}

/// `GET /admin`
pub(in crate::portal) async fn show(viewer: Viewer, _: NoParameters) -> Result<Response, PageRefused> {
    let frame = viewer.admin_frame("Admin", "")?;
    let page = OverviewPage { frame, groups: vec![people(&viewer).await?, reference(&viewer).await?, kept()] };
    Ok(answer(&page))
}

async fn people(viewer: &Viewer) -> Result<Group, ApiProblem> {
    let web = || State(viewer.web.clone());
    let (users, roles, keys) = tokio::try_join!(
        list_users(web(), viewer.caller.clone(), asked()).map_ok(|page| counted(&page.0)),
        list_roles(web(), viewer.caller.clone(), asked()).map_ok(|page| counted(&page.0)),
        list_api_keys(web(), viewer.caller.clone(), asked()).map_ok(|page| counted(&page.0)),
    )?;
    let entries = vec![
        Entry::new("users", "Users", users, "The people of this tenant."),
        Entry::new("roles", "Roles", roles, "Named sets of permissions."),
        Entry::new("api-keys", "API keys", keys, "With these, programs call."),
    ];
    Ok(Group { id: "people", name: "Who may do what", entries })
}

async fn reference(viewer: &Viewer) -> Result<Group, ApiProblem> {
    let mut entries = Vec::new();
    for kind in kinds::ALL {
        let count = counted(&kinds::list(kind, viewer, asked()).await?);
        entries.push(Entry::new(kind.segment(), kind.title(), count, kind.intro()));
        if kind == Kind::Integrations {
            let about = "What was read from billing systems and carriers.";
            entries.push(Entry::new("sync-runs", "Synchronisations", String::new(), about));
        }
    }
    let about = "What carriers offer, as they were read last.";
    entries.push(Entry::new("carrier-rate-plans", "Carrier rate plans", String::new(), about));
    Ok(Group { id: "reference", name: "What orders refer to", entries })
}

fn kept() -> Group {
    let entries = vec![
        Entry::new("audit", "Audit log", String::new(), "Who asked for what, and what came of it."),
        Entry::new("settings", "Settings", String::new(), "What is set for this tenant, and where."),
    ];
    Group { id: "kept", name: "What is kept", entries }
}
