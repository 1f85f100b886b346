//! `/api/v1/session`: the session of a request.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use lineshift_domain::ids::TenantId;

use super::{Begun, Origin, begin, memberships, view_of};
use crate::Web;
use crate::api::carried_through;
use crate::api::reference::read_fields;
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::sign_in::cookie;
use crate::sign_in::person::Person;
use crate::views::{SessionView, SwitchTenantRequest};

/// Who is signed in
///
/// The person, the tenant, the others that one may switch to, and the token that requests must show which change something. For people
/// who are signed in.
#[utoipa::path(get, path = "/api/v1/session", tag = crate::api::tag::SESSIONS, responses((status = 200, description = "The session", body = SessionView)))]
pub(crate) async fn get_session(
    State(web): State<Web>,
    person: Person,
    _: NoParameters,
) -> Result<Json<SessionView>, ApiProblem> {
    Ok(Json(view_of(&web, &person).await?))
}

/// Signs out
///
/// The session is over and its cookie taken away. For people who are signed in.
#[utoipa::path(delete, path = "/api/v1/session", tag = crate::api::tag::SESSIONS, responses((status = 204, description = "Signed out")))]
pub(crate) async fn sign_out(
    State(web): State<Web>,
    person: Person,
    _: NoParameters,
    request: Request,
) -> Result<Response, ApiProblem> {
    let secure = Origin::of(&request).client.secure;
    let store = web.engine.store().clone();
    carried_through(async move { store.end_session(person.tenant(), &person.token.hash()).await }).await?;
    Ok((StatusCode::NO_CONTENT, [cookie::clear(secure)]).into_response())
}

/// Works in another tenant
///
/// A new session there with a cookie of its own, which ends when this one would have; this one is over. For people who are signed in.
#[utoipa::path(put, path = "/api/v1/session/tenant", tag = crate::api::tag::SESSIONS, request_body = SwitchTenantRequest,
    responses(
        (status = 200, description = "The new session; its cookie is set", body = SessionView),
        (status = 401, description = "Nobody is signed in, or the session was ended meanwhile", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
        (status = 404, description = "One belongs to no tenant of that id", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn switch_tenant(
    State(web): State<Web>,
    person: Person,
    _: NoParameters,
    request: Request,
) -> Result<Response, ApiProblem> {
    let (origin, now) = (Origin::of(&request), web.engine.clock().now());
    let mut fields = read_fields(request).await?;
    let wanted = fields.id("tenant_id", None).map(TenantId);
    let wanted = fields.finish(wanted)?;
    let switched = async move { switch(&web, &person, wanted, &origin, now).await };
    Ok(carried_through(switched).await?.into_response())
}

/// Ends the session and begins one in another tenant. Errors: 404 where the person is no member; 401 where the session was over already:
/// whoever ended it did not mean it to go on elsewhere.
pub(crate) async fn switch(
    web: &Web,
    person: &Person,
    wanted: TenantId,
    origin: &Origin,
    now: DateTime<Utc>,
) -> Result<Begun, ApiProblem> {
    let mut places = memberships(web, person.signed_in.user).await?.into_iter();
    let (tenant, member) = places.find(|(tenant, _)| *tenant == wanted).ok_or_else(ApiProblem::not_found)?;
    if !web.engine.store().end_session(person.tenant(), &person.token.hash()).await? {
        return Err(ApiProblem::unauthorized());
    }
    begin(web, tenant, member.id, origin, now, person.signed_in.session.ends_at).await
}
