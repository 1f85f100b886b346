//! One of the people of a tenant: what they may do, where they are signed in, and taking either away.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Redirect, Response};
use lineshift_domain::scopes::{Action, Module};

use super::kinds::in_json;
use super::reach::ReachNames;
use super::users::{ADDRESS, invitation_page, membership_fields, roles_of, roles_shown, state};
use super::{answered, fact, is_saved, path_id, saved};
use crate::api::people::sessions::{end_user_sessions, list_user_sessions};
use crate::api::people::users::{clear_user_identity, get_user, invite_user, remove_user, update_user};
use crate::portal::fields::{FormShown, Source, body_of, confirmed, is_answerable, request};
use crate::portal::form::Form;
use crate::portal::page::When;
use crate::portal::refused::PageRefused;
use crate::portal::seen::require_unchanged;
use crate::portal::viewer::{Frame, Viewer};
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::views::{RoleView, UserSessionView, UserView};

#[derive(Template)]
#[template(path = "admin_user.html")]
struct UserPage {
    frame: Frame,
    address: String,
    name: String,
    facts: Vec<(String, String)>,
    form: Option<FormShown>,
    sessions: Vec<SessionRow>,
    may_edit: bool,
    saved: bool,
    /// Whether a new invitation lets them join; else it lets them set a new password.
    is_pending: bool,
    /// Whether a provider knows them.
    has_identity: bool,
}

impl UserPage {
    /// Where something is done about them.
    fn at(&self, act: &str) -> String {
        format!("{}/{act}", self.address)
    }
}

/// Where somebody is signed in.
struct SessionRow {
    since: When,
    seen: When,
    ends: When,
    from: String,
    agent: String,
}

/// `GET /admin/users/{id}`
pub(in crate::portal) async fn show(viewer: Viewer, id: Path<String>, uri: Uri) -> Result<Response, PageRefused> {
    Ok(user_page(&viewer, &id, None, is_saved(&uri)).await?)
}

async fn find(viewer: &Viewer, id: &Path<String>) -> Result<UserView, ApiProblem> {
    Ok(get_user(State(viewer.web.clone()), viewer.caller.clone(), path_id(id)?, NoParameters).await?.0)
}

async fn user_page(
    viewer: &Viewer,
    id: &Path<String>,
    refused: Option<(ApiProblem, &Form)>,
    saved: bool,
) -> Result<Response, ApiProblem> {
    let (user, roles) = (find(viewer, id).await?, roles_of(viewer).await?);
    let sessions = list_user_sessions(State(viewer.web.clone()), viewer.caller.clone(), path_id(id)?, NoParameters).await?.0;
    let stored = in_json(&user)?;
    let source = refused.as_ref().map_or(Source::Stored(&stored), |(_, form)| Source::Typed(form));
    let address = format!("{ADDRESS}/{}", user.id);
    let problem = refused.as_ref().map(|(problem, _)| problem);
    let form = viewer.may_edit().then(|| {
        let fields = membership_fields(&roles);
        FormShown::new(address.clone(), "Save", &fields, source, problem).of_stored(&fields, &stored, source, problem)
    });
    let page = UserPage {
        frame: viewer.admin_frame(user.display_name.clone(), "users")?,
        facts: facts(viewer, &user, &roles).await?,
        form,
        sessions: sessions.items.into_iter().map(|session| row(viewer, session)).collect(),
        may_edit: viewer.may_edit(),
        saved,
        is_pending: user.is_pending,
        has_identity: user.identity_issuer.is_some(),
        name: user.display_name,
        address,
    };
    Ok(answered(&page, refused.map(|(problem, _)| problem)))
}

async fn facts(viewer: &Viewer, user: &UserView, roles: &[RoleView]) -> Result<Vec<(String, String)>, ApiProblem> {
    let reaches = ReachNames::of(viewer, [user.reach.as_slice()].into_iter()).await?;
    let mut facts =
        vec![fact("E-mail address", &user.email), fact("State", state(user)), fact("Added", viewer.when(user.created_at).text)];
    if !viewer.may_edit() {
        facts.push(fact("Roles", roles_shown(user, roles)));
    }
    facts.push(fact("Sees the lines of", reaches.shown(&user.reach)));
    if user.is_pending {
        let until = user.invitation_ends_at.map(|ends_at| format!("counts until {}", viewer.when(ends_at).text));
        facts.push(fact("Invitation", until.unwrap_or_else(|| "taken back, as they may do more by now; invite anew".to_owned())));
    }
    facts.extend(user.identity_issuer.as_ref().map(|issuer| fact("Signs in at", issuer)));
    Ok(facts)
}

fn row(viewer: &Viewer, session: UserSessionView) -> SessionRow {
    SessionRow {
        since: viewer.when(session.created_at),
        seen: viewer.when(session.seen_at),
        ends: viewer.when(session.ends_at),
        from: session.address,
        agent: session.agent,
    }
}

/// `POST /admin/users/{id}`
pub(in crate::portal) async fn change(
    viewer: Viewer,
    id: Path<String>,
    form: Form,
    parts: Parts,
) -> Result<Response, PageRefused> {
    viewer.caller.require(Module::Admin, Action::Edit)?;
    let (stored, fields) = (in_json(find(&viewer, &id).await?)?, membership_fields(&[]));
    let sent = request(parts, &body_of(&fields, &form, false));
    let changed = match require_unchanged(&fields, &stored, &form) {
        Ok(()) => {
            update_user(State(viewer.web.clone()), viewer.caller.clone(), path_id(&id)?, NoParameters, sent).await.map(drop)
        }
        Err(problem) => Err(problem),
    };
    match changed {
        // Whoever changed what they may do themselves may not see it any more.
        Ok(()) => Ok(saved(&format!("{ADDRESS}/{}", *id))),
        Err(problem) if is_answerable(&problem) => Ok(user_page(&viewer, &id, Some((problem, &form)), false).await?),
        Err(problem) => Err(problem.into()),
    }
}

/// `POST /admin/users/{id}/invitation`
pub(in crate::portal) async fn invite(viewer: Viewer, id: Path<String>) -> Result<Response, PageRefused> {
    viewer.caller.require(Module::Admin, Action::Edit)?;
    let user = find(&viewer, &id).await?;
    let invitation = invite_user(State(viewer.web.clone()), viewer.caller.clone(), path_id(&id)?, NoParameters).await?.0;
    Ok(invitation_page(&viewer, invitation, (user.id, user.display_name))?)
}

/// `POST /admin/users/{id}/sessions/end`
pub(in crate::portal) async fn end_sessions(viewer: Viewer, id: Path<String>, form: Form) -> Result<Response, PageRefused> {
    viewer.caller.require(Module::Admin, Action::Edit)?;
    confirmed(&form)?;
    end_user_sessions(State(viewer.web.clone()), viewer.caller.clone(), path_id(&id)?, NoParameters).await?;
    Ok(saved(&format!("{ADDRESS}/{}", *id)))
}

/// `POST /admin/users/{id}/identity/clear`
pub(in crate::portal) async fn clear_identity(viewer: Viewer, id: Path<String>, form: Form) -> Result<Response, PageRefused> {
    viewer.caller.require(Module::Admin, Action::Edit)?;
    confirmed(&form)?;
    clear_user_identity(State(viewer.web.clone()), viewer.caller.clone(), path_id(&id)?, NoParameters).await?;
    Ok(saved(&format!("{ADDRESS}/{}", *id)))
}

/// `POST /admin/users/{id}/remove`
pub(in crate::portal) async fn remove(viewer: Viewer, id: Path<String>, form: Form) -> Result<Response, PageRefused> {
    viewer.caller.require(Module::Admin, Action::Edit)?;
    confirmed(&form)?;
    remove_user(State(viewer.web.clone()), viewer.caller.clone(), path_id(&id)?, NoParameters).await?;
    Ok(Redirect::to(ADDRESS).into_response())
}
