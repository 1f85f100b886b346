//! Keys with which programs call.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::Response;
use lineshift_domain::scopes::{Action, Module};

use super::reach::ReachNames;
use super::roles::scopes_shown;
use super::users::{REACH_HELP, created};
use super::{FormPage, ListPage, ListRow, answered, fact, is_saved, page_of, path_id, saved};
use crate::api::people::api_keys::{create_api_key, get_api_key, list_api_keys, revoke_api_key};
use crate::portal::address::with_parameter;
use crate::portal::fields::{Field, FormShown, Kind, Source, body_of, confirmed, is_answerable, read_answer, request};
use crate::portal::form::Form;
use crate::portal::page::answer;
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Viewer};
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::views::{ApiKeyView, CreatedApiKeyView};

const ADDRESS: &str = "/admin/api-keys";

/// A key; where it was made just now, with its secret.
#[derive(Template)]
#[template(path = "admin_api_key.html")]
struct KeyPage {
    frame: Frame,
    name: String,
    /// The whole key, shown this once.
    secret: Option<String>,
    facts: Vec<(String, String)>,
    /// Where it is revoked; none: it is, or the viewer may not.
    revoke: Option<String>,
    saved: bool,
}

fn fields(viewer: &Viewer) -> Vec<Field> {
    let zone = viewer.zone();
    vec![
        Field::new("name", "Name", Kind::Text).with_help("Who or what will use it; stands in what it orders."),
        Field::new("scopes", "Permissions", Kind::Scopes).with_help("Nothing that you may not do yourself."),
        Field::new("reach", "Sees the lines of", Kind::Reach("*")).with_help(REACH_HELP),
        Field::new("expires_at", "Expires", Kind::Day(zone)).with_help(format!("As this day begins in {zone}; none: never.")),
    ]
}

/// Whether a key may still be used, in words.
fn state(viewer: &Viewer, key: &ApiKeyView) -> String {
    let now = viewer.web.engine.clock().now();
    match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {}", viewer.when(at).text),
        (None, Some(at)) if at <= now => format!("expired {}", viewer.when(at).text),
        (None, Some(at)) => format!("until {}", viewer.when(at).text),
        (None, None) => "valid".to_owned(),
    }
}

/// `GET /admin/api-keys`
pub(in crate::portal) async fn list(viewer: Viewer, uri: Uri) -> Result<Response, PageRefused> {
    let frame = viewer.admin_frame("API keys", "api-keys")?;
    let listed = list_api_keys(State(viewer.web.clone()), viewer.caller.clone(), page_of(&uri)).await?.0;
    let reaches = ReachNames::of(&viewer, listed.items.iter().map(|key| key.reach.as_slice())).await?;
    let row = |key: ApiKeyView| ListRow {
        address: format!("{ADDRESS}/{}", key.id),
        cells: vec![
            scopes_shown(&key.scopes),
            reaches.shown(&key.reach),
            key.last_used_at.map(|at| viewer.when(at).text).unwrap_or_default(),
            state(&viewer, &key),
        ],
        is_over: key.revoked_at.is_some(),
        name: key.name,
    };
    Ok(answer(&ListPage {
        frame,
        title: "API keys",
        intro: "With these, programs call the API. A key is shown once, as it is made.",
        address: ADDRESS.to_owned(),
        columns: vec!["Name", "Allows", "Sees", "Last used", "State"],
        rows: listed.items.into_iter().map(row).collect(),
        next: listed.next.map(|next| with_parameter(ADDRESS, &[], "after", &next)),
        sought: None,
        cut: None,
        new: viewer.may_create().then_some("New API key"),
    }))
}

/// `GET /admin/api-keys/new`
pub(in crate::portal) async fn ask_new(viewer: Viewer) -> Result<Response, PageRefused> {
    viewer.caller.require(Module::Admin, Action::Create)?;
    Ok(new_page(&viewer, Source::New, None)?)
}

fn new_page(viewer: &Viewer, source: Source<'_>, refused: Option<ApiProblem>) -> Result<Response, ApiProblem> {
    let page = FormPage {
        frame: viewer.admin_frame("New API key", "api-keys")?,
        title: "New API key".to_owned(),
        intro: String::new(),
        facts: Vec::new(),
        form: Some(FormShown::new(ADDRESS, "Create", &fields(viewer), source, refused.as_ref())),
        lines: None,
        saved: false,
        back: ADDRESS.to_owned(),
        back_label: "API keys",
    };
    Ok(answered(&page, refused))
}

/// `POST /admin/api-keys`
pub(in crate::portal) async fn create(viewer: Viewer, form: Form, parts: Parts) -> Result<Response, PageRefused> {
    let sent = request(parts, &body_of(&fields(&viewer), &form, true));
    match create_api_key(State(viewer.web.clone()), viewer.caller.clone(), NoParameters, sent).await {
        Ok(answer) => {
            let (headers, made) = read_answer::<CreatedApiKeyView>(answer).await?;
            Ok(created(&headers, key_page(&viewer, made.api_key, Some(made.key), false).await?))
        }
        Err(problem) if is_answerable(&problem) => Ok(new_page(&viewer, Source::Typed(&form), Some(problem))?),
        Err(problem) => Err(problem.into()),
    }
}

async fn key_page(viewer: &Viewer, key: ApiKeyView, secret: Option<String>, saved: bool) -> Result<Response, ApiProblem> {
    let reaches = ReachNames::of(viewer, [key.reach.as_slice()].into_iter()).await?;
    let may_revoke = viewer.may_edit() && key.revoked_at.is_none();
    let page = KeyPage {
        frame: viewer.admin_frame(key.name.clone(), "api-keys")?,
        facts: vec![
            fact("State", state(viewer, &key)),
            fact("Allows", scopes_shown(&key.scopes)),
            fact("Sees the lines of", reaches.shown(&key.reach)),
            fact("Made", viewer.when(key.created_at).text),
            fact("Last used", key.last_used_at.map_or_else(|| "never".to_owned(), |at| viewer.when(at).text)),
        ],
        revoke: may_revoke.then(|| format!("{ADDRESS}/{}/revoke", key.id)),
        name: key.name,
        secret,
        saved,
    };
    Ok(answer(&page))
}

/// `GET /admin/api-keys/{id}`
pub(in crate::portal) async fn show(viewer: Viewer, id: Path<String>, uri: Uri) -> Result<Response, PageRefused> {
    let key = get_api_key(State(viewer.web.clone()), viewer.caller.clone(), path_id(&id)?, NoParameters).await?.0;
    Ok(key_page(&viewer, key, None, is_saved(&uri)).await?)
}

/// `POST /admin/api-keys/{id}/revoke`
pub(in crate::portal) async fn revoke(viewer: Viewer, id: Path<String>, form: Form) -> Result<Response, PageRefused> {
    viewer.caller.require(Module::Admin, Action::Edit)?;
    confirmed(&form)?;
    drop(revoke_api_key(State(viewer.web.clone()), viewer.caller.clone(), path_id(&id)?, NoParameters).await?);
    Ok(saved(&format!("{ADDRESS}/{}", *id)))
}
