//! Roles: named sets of permissions.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Redirect, Response};
use lineshift_domain::scopes::{Action, Module, Scopes};
use serde_json::Value;

use super::kinds::{in_json, made_id};
use super::{ListPage, ListRow, answered, is_saved, made, page_of, path_id, saved};
use crate::api::people::roles::{create_role, delete_role, get_role, list_roles, update_role};
use crate::portal::address::with_parameter;
use crate::portal::fields::{Field, FormShown, Kind, Source, body_of, confirmed, is_answerable, module_name, request};
use crate::portal::form::Form;
use crate::portal::page::answer;
use crate::portal::refused::PageRefused;
use crate::portal::seen::require_unchanged;
use crate::portal::viewer::{Frame, Viewer};
use crate::problem::ApiProblem;
use crate::query::NoParameters;

const ADDRESS: &str = "/admin/roles";

#[derive(Template)]
#[template(path = "admin_role.html")]
struct RolePage {
    frame: Frame,
    title: String,
    /// What it allows, for whoever may not change it.
    facts: Vec<(String, String)>,
    form: Option<FormShown>,
    /// Where it is taken away; none: the viewer may not, or there is none yet.
    delete: Option<String>,
    saved: bool,
    is_limited: bool,
}

/// What permissions allow, in the words of people.
pub(in crate::portal) fn scopes_shown(words: &[String]) -> String {
    let scopes: Scopes = words.join(" ").parse().unwrap_or_default();
    if scopes == Scopes::all() {
        return "everything".to_owned();
    }
    let of = |module: &Module| {
        let actions: Vec<&str> =
            Action::ALL.iter().filter(|action| scopes.allow(*module, **action)).map(|action| action.as_str()).collect();
        (!actions.is_empty()).then(|| format!("{}: {}", module_name(*module), actions.join(", ")))
    };
    let parts: Vec<String> = Module::ALL.iter().filter_map(of).collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
}

fn fields() -> Vec<Field> {
    vec![
        Field::new("name", "Name", Kind::Text).with_help("Ready-made roles keep their names."),
        Field::new("scopes", "Permissions", Kind::Scopes)
            .with_help("view: look; create: order, or add; edit: start, cancel, retry, move, change."),
    ]
}

/// `GET /admin/roles`
pub(in crate::portal) async fn list(viewer: Viewer, uri: Uri) -> Result<Response, PageRefused> {
    let frame = viewer.admin_frame("Roles", "roles")?;
    let listed = list_roles(State(viewer.web.clone()), viewer.caller.clone(), page_of(&uri)).await?.0;
    let rows = listed.items.into_iter().map(|role| ListRow {
        address: format!("{ADDRESS}/{}", role.id),
        cells: vec![scopes_shown(&role.scopes)],
        name: role.name,
        is_over: false,
    });
    Ok(answer(&ListPage {
        frame,
        title: "Roles",
        intro: "Named sets of permissions. Whoever has several roles may do what all of them together allow.",
        address: ADDRESS.to_owned(),
        columns: vec!["Name", "Allows"],
        rows: rows.collect(),
        next: listed.next.map(|next| with_parameter(ADDRESS, &[], "after", &next)),
        sought: None,
        cut: None,
        new: viewer.may_create().then_some("New role"),
    }))
}

/// `GET /admin/roles/new`
pub(in crate::portal) async fn ask_new(viewer: Viewer) -> Result<Response, PageRefused> {
    viewer.caller.require(Module::Admin, Action::Create)?;
    Ok(new_page(&viewer, Source::New, None)?)
}

fn new_page(viewer: &Viewer, source: Source<'_>, refused: Option<ApiProblem>) -> Result<Response, ApiProblem> {
    let page = RolePage {
        frame: viewer.admin_frame("New role", "roles")?,
        title: "New role".to_owned(),
        facts: Vec::new(),
        form: Some(FormShown::new(ADDRESS, "Create", &fields(), source, refused.as_ref())),
        delete: None,
        saved: false,
        is_limited: false,
    };
    Ok(answered(&page, refused))
}

/// `POST /admin/roles`
pub(in crate::portal) async fn create(viewer: Viewer, form: Form, parts: Parts) -> Result<Response, PageRefused> {
    let sent = request(parts, &body_of(&fields(), &form, true));
    match create_role(State(viewer.web.clone()), viewer.caller.clone(), NoParameters, sent).await {
        Ok(answer) => {
            let id = made_id(&answer)?;
            Ok(made("roles", &format!("{ADDRESS}/{id}"), id))
        }
        Err(problem) if is_answerable(&problem) => Ok(new_page(&viewer, Source::Typed(&form), Some(problem))?),
        Err(problem) => Err(problem.into()),
    }
}

/// `GET /admin/roles/{id}`
pub(in crate::portal) async fn show(viewer: Viewer, id: Path<String>, uri: Uri) -> Result<Response, PageRefused> {
    let role = find(&viewer, &id).await?;
    Ok(one_page(&viewer, &role, Source::Stored(&role), None, is_saved(&uri))?)
}

async fn find(viewer: &Viewer, id: &Path<String>) -> Result<Value, ApiProblem> {
    let found = get_role(State(viewer.web.clone()), viewer.caller.clone(), path_id(id)?, NoParameters).await?;
    in_json(found.0)
}

fn one_page(
    viewer: &Viewer,
    role: &Value,
    source: Source<'_>,
    refused: Option<ApiProblem>,
    saved: bool,
) -> Result<Response, ApiProblem> {
    let name = role["name"].as_str().unwrap_or_default().to_owned();
    let address = format!("{ADDRESS}/{}", role["id"]);
    let words: Vec<String> =
        role["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let form = viewer.may_edit().then(|| {
        let form = FormShown::new(address.clone(), "Save", &fields(), source, refused.as_ref());
        form.of_stored(&fields(), role, source, refused.as_ref())
    });
    let page = RolePage {
        frame: viewer.admin_frame(name.clone(), "roles")?,
        title: name,
        facts: if viewer.may_edit() { Vec::new() } else { vec![("Allows".to_owned(), scopes_shown(&words))] },
        form,
        delete: viewer.may_edit().then(|| format!("{address}/delete")),
        saved,
        is_limited: role["is_limited"] == true,
    };
    Ok(answered(&page, refused))
}

/// `POST /admin/roles/{id}`
pub(in crate::portal) async fn change(
    viewer: Viewer,
    id: Path<String>,
    form: Form,
    parts: Parts,
) -> Result<Response, PageRefused> {
    viewer.caller.require(Module::Admin, Action::Edit)?;
    let role = find(&viewer, &id).await?;
    let sent = request(parts, &body_of(&fields(), &form, false));
    let changed = match require_unchanged(&fields(), &role, &form) {
        Ok(()) => {
            update_role(State(viewer.web.clone()), viewer.caller.clone(), path_id(&id)?, NoParameters, sent).await.map(drop)
        }
        Err(problem) => Err(problem),
    };
    match changed {
        Ok(()) => Ok(saved(&format!("{ADDRESS}/{}", *id))),
        Err(problem) if is_answerable(&problem) => Ok(one_page(&viewer, &role, Source::Typed(&form), Some(problem), false)?),
        Err(problem) => Err(problem.into()),
    }
}

/// `POST /admin/roles/{id}/delete`
pub(in crate::portal) async fn delete(viewer: Viewer, id: Path<String>, form: Form) -> Result<Response, PageRefused> {
    viewer.caller.require(Module::Admin, Action::Edit)?;
    confirmed(&form)?;
    delete_role(State(viewer.web.clone()), viewer.caller.clone(), path_id(&id)?, NoParameters).await?;
    Ok(Redirect::to(ADDRESS).into_response())
}
