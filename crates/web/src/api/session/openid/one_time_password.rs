//! `POST /api/v1/session/openid/one-time-password`: the second proof of somebody whom a provider has vouched for.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};

use super::super::sign_in::{NotIn, check_one_time_password, refused, replace};
use super::super::{Begun, Origin, pending_audit};
use super::{Known, provider};
use crate::Web;
use crate::api::carried_through;
use crate::api::reference::read_fields;
use crate::audit::PendingAudit;
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::sign_in::cookie::{self, Cookie};
use crate::sign_in::csrf;
use crate::sign_in::guesses::Attempt;
use crate::sign_in::openid::OpenId;
use crate::sign_in::openid::flow::Recognised;
use crate::sign_in::token::SessionToken;
use crate::views::{OpenIdOneTimePassword, SessionView};

/// Ends a sign-in at the OpenID provider with a one-time password
///
/// For browsers that the way back from the provider led to `/sign-in/one-time-password`, within five minutes; that page does the same. Wrong ones count like those
/// at signing in with a password.
#[utoipa::path(post, path = "/api/v1/session/openid/one-time-password", tag = crate::api::tag::SESSIONS, security(),
    request_body = OpenIdOneTimePassword,
    responses(
        (status = 200, description = "Signed in; the cookie is set", body = SessionView),
        (status = 400, description = "The body cannot be read", body = crate::views::ProblemView, content_type = "application/problem+json"),
        (status = 401, description = "`sign_in_refused`", body = crate::views::ProblemView, content_type = "application/problem+json"),
        (status = 403, description = "A page of another site sent it", body = crate::views::ProblemView, content_type = "application/problem+json"),
        (status = 404, description = "There is no provider", body = crate::views::ProblemView, content_type = "application/problem+json"),
        (status = 422, description = "Fields are missing or unknown", body = crate::views::ProblemView, content_type = "application/problem+json"),
        (status = 429, description = "Too many attempts failed; wait as long as `Retry-After` says", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn complete_openid_sign_in(
    State(web): State<Web>,
    _: NoParameters,
    request: Request,
) -> Result<Response, ApiProblem> {
    let (origin, headers) = (Origin::of(&request), request.headers().clone());
    let secure = origin.client.secure;
    csrf::check_origin(&headers, secure)?;
    provider(&web)?;
    let pending = pending_audit(&request)?;
    let mut fields = read_fields(request).await?;
    let given = fields.secret("one_time_password");
    let given = fields.finish(given)?;
    let mut response = complete(web, &headers, origin, given, pending).await?.into_response();
    let (name, value) = Cookie::SIGN_IN_RECOGNISED.clear(secure);
    response.headers_mut().append(name, value);
    Ok(response)
}

/// Begins the session of whoever a browser keeps as recognised, by that one-time password. Errors: as over HTTP.
pub(crate) async fn complete(
    web: Web,
    headers: &HeaderMap,
    origin: Origin,
    given: String,
    pending: PendingAudit,
) -> Result<Begun, ApiProblem> {
    let openid = provider(&web)?;
    let (now, secure) = (web.engine.clock().now(), origin.client.secure);
    let before = cookie::shown(headers, secure);
    let recognised = Recognised::kept(&*web.seal, headers, now, secure).ok_or_else(wrong)?;
    carried_through(async move { enter(&web, &openid, (recognised, given), (&origin, before), &pending, now).await }).await
}

async fn enter(
    web: &Web,
    openid: &OpenId,
    (recognised, given): (Recognised, String),
    (origin, before): (&Origin, Option<SessionToken>),
    pending: &PendingAudit,
    now: DateTime<Utc>,
) -> Result<Begun, ApiProblem> {
    let user = web.engine.store().get_user(recognised.user).await?;
    let attempt = Attempt::begin(web, &user.email, origin.client.ip, now).await?;
    let known = match check(web, openid, &recognised, given, now).await {
        Ok(known) => known,
        Err(NotIn::Failed(problem)) => return Err(problem),
        Err(NotIn::Refused | NotIn::OneTimePasswordNeeded) => {
            attempt.failed(web).await?;
            return Err(wrong());
        }
    };
    known.write_down(web, pending, (openid, &recognised.subject, recognised.is_first)).await?;
    attempt.succeeded(web).await?;
    let (tenant, member) = (known.tenant, known.member);
    let begun = replace(web, before, (tenant, member), origin, now).await?;
    tracing::info!(%tenant, principal = %member, "signed in at the OpenID provider and with a one-time password");
    metrics::counter!(crate::measures::SIGN_INS, "result" => "signed_in").increment(1);
    Ok(begun)
}

/// Looked at again, all of it: minutes may lie between.
async fn check(web: &Web, openid: &OpenId, recognised: &Recognised, given: String, now: DateTime<Utc>) -> Result<Known, NotIn> {
    let store = web.engine.store();
    let found = store.find_user_by_identity(openid.issuer(), &recognised.subject).await?.map(|user| user.id);
    let expected = (!recognised.is_first).then_some(recognised.user);
    if found != expected {
        return Err(NotIn::Refused);
    }
    let known = Known::of(web, store.get_user(recognised.user).await?).await?;
    check_one_time_password(web, &known.user, Some(&given), now).await?;
    Ok(known)
}

/// A one-time password that is wrong, and a browser that nobody vouches for, are answered alike.
fn wrong() -> ApiProblem {
    refused("sign_in_refused", "the one-time password is wrong, or it is too late; begin again at the provider")
}
