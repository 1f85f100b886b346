//! `POST /api/v1/password`: another password of one's own.

use axum::extract::{Request, State};
use axum::response::Response;
use lineshift_domain::passwords::password_problems;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Begun, Origin, begin, end_all_sessions, read_password, require_password};
use crate::Web;
use crate::api::carried_through;
use crate::api::reference::read_fields;
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::sign_in::person::Person;
use crate::views::{PasswordChangeRequest, SessionView};

/// Changes one's password
///
/// Needs the present one. Everybody who is signed in as this person is signed out, in all tenants; this request gets a new session
/// with a new cookie. For people who are signed in.
#[utoipa::path(post, path = "/api/v1/password", tag = crate::api::tag::SESSIONS, request_body = PasswordChangeRequest,
    responses(
        (status = 200, description = "Changed; the new session and its cookie", body = SessionView),
        (status = 429, description = "Too many attempts failed; wait as long as `Retry-After` says", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn change_password(
    State(web): State<Web>,
    person: Person,
    _: NoParameters,
    request: Request,
) -> Result<Response, ApiProblem> {
    let origin = Origin::of(&request);
    let mut fields = read_fields(request).await?;
    let present = read_password(&mut fields, "password");
    let new = fields.secret("new_password").map(SecretString::from);
    let (present, new) = fields.finish(present.zip(new))?;
    let changed = async move {
        let user = require_password(&web, &person, present, origin.client).await?;
        let problems = password_problems("new_password", new.expose_secret(), &user.email, &user.display_name);
        if !problems.is_empty() {
            return Err(ApiProblem::refused(problems));
        }
        let hash = web.sign_in.passwords.hash(new).await?;
        set_and_begin_anew(&web, &person, &hash, &origin).await
    };
    Ok(carried_through(changed).await?.into_response())
}

/// Sets the password, ends all sessions, and begins one anew.
pub(super) async fn set_and_begin_anew(web: &Web, person: &Person, hash: &str, origin: &Origin) -> Result<Begun, ApiProblem> {
    let (store, user, now) = (web.engine.store(), person.signed_in.user, web.engine.clock().now());
    store.set_password(user, hash, now).await?;
    end_all_sessions(web, user).await?;
    let session = &person.signed_in.session;
    begin(web, person.tenant(), session.member, origin, now, session.ends_at).await
}
