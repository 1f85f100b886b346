//! `/api/v1/sessions`: one's own sessions, in all tenants.

use std::fmt::Write as _;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use lineshift_domain::ids::TenantId;
use lineshift_store::people::Session;

use super::memberships;
use crate::Web;
use crate::api::carried_through;
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::sign_in::person::Person;
use crate::views::{OwnSessionView, Page};

/// How many bytes of a session's hash name it: enough to tell it from any other.
const ID_BYTES: usize = 16;

/// Lists one's sessions
///
/// Those that go on, in all tenants, newest first; all on one page. For people who are signed in.
#[utoipa::path(get, path = "/api/v1/sessions", tag = crate::api::tag::SESSIONS,
    responses((status = 200, description = "One's sessions", body = Page<OwnSessionView>)))]
pub(crate) async fn list_own_sessions(
    State(web): State<Web>,
    person: Person,
    _: NoParameters,
) -> Result<Json<Page<OwnSessionView>>, ApiProblem> {
    let this = person.token.hash();
    let items = current(&web, &person).await?.into_iter().map(|(tenant, session)| view(tenant, session, &this)).collect();
    Ok(Json(Page { items, next: None }))
}

/// Ends one of one's sessions
///
/// Whoever has its cookie is signed out. For people who are signed in.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = crate::api::tag::SESSIONS,
    params(("id" = String, Path, description = "The session, as the list names it")),
    responses((status = 204, description = "It is over")))]
pub(crate) async fn end_own_session(
    State(web): State<Web>,
    person: Person,
    path: Path<String>,
    _: NoParameters,
) -> Result<StatusCode, ApiProblem> {
    let mut sessions = current(&web, &person).await?.into_iter();
    let found = sessions.find(|(_, session)| id_of(session) == *path).ok_or_else(ApiProblem::not_found)?;
    let (tenant, hash) = (found.0, found.1.token_hash);
    let store = web.engine.store().clone();
    carried_through(async move { store.end_session(tenant, &hash).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn current(web: &Web, person: &Person) -> Result<Vec<(TenantId, Session)>, ApiProblem> {
    let now = web.engine.clock().now();
    let mut found = Vec::new();
    for (tenant, member) in memberships(web, person.signed_in.user).await? {
        let sessions = web.engine.store().list_sessions(tenant, member.id).await?;
        found.extend(sessions.into_iter().map(|session| (tenant, session)));
    }
    found.retain(|(_, session)| web.sign_in.settings.is_current(session, now));
    found.sort_by_key(|(_, session)| std::cmp::Reverse(session.created_at));
    Ok(found)
}

fn id_of(session: &Session) -> String {
    session.token_hash[..ID_BYTES].iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn view(tenant: TenantId, session: Session, this: &[u8; 32]) -> OwnSessionView {
    OwnSessionView {
        id: id_of(&session),
        is_this: session.token_hash == *this,
        tenant_id: tenant.0,
        created_at: session.created_at,
        seen_at: session.seen_at,
        ends_at: session.ends_at,
        address: session.address,
        agent: session.agent,
    }
}
