//! `POST /api/v1/session`: signing in.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, Utc};
use lineshift_connectors::credentials::SealedFor;
use lineshift_domain::ids::{PrincipalId, TenantId, UserId};
use lineshift_domain::refusal::Problem;
use lineshift_domain::terms::AuditActor;
use lineshift_store::people::User;
use secrecy::SecretString;

use super::{Begun, Origin, begin, memberships, pending_audit, read_password};
use crate::Web;
use crate::api::carried_through;
use crate::api::reference::read_fields;
use crate::audit::{Asker, PendingAudit};
use crate::fields::Fields;
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::sign_in::guesses::Attempt;
use crate::sign_in::one_time::OneTimeSecret;
use crate::sign_in::token::SessionToken;
use crate::sign_in::{cookie, csrf};
use crate::views::{SessionView, SignInRequest};

/// Signs in
///
/// Answers the session and sets its cookie; a session that the request had before is over. A wrong address, password or one-time
/// password are answered alike, and after five of them for an account or from an address one has to wait, longer each time. An account
/// with an authenticator is asked for a one-time password once its password was right.
#[utoipa::path(post, path = "/api/v1/session", tag = crate::api::tag::SESSIONS, security(), request_body = SignInRequest,
    responses(
        (status = 200, description = "Signed in; the cookie is set", body = SessionView),
        (status = 400, description = "The body cannot be read", body = crate::views::ProblemView, content_type = "application/problem+json"),
        (status = 401, description = "`sign_in_refused`, or `one_time_password_needed`", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
        (status = 403, description = "A page of another site sent it", body = crate::views::ProblemView, content_type = "application/problem+json"),
        (status = 415, description = "The body is not declared as JSON in UTF-8", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
        (status = 422, description = "Fields are missing or unknown", body = crate::views::ProblemView, content_type = "application/problem+json"),
        (status = 429, description = "Too many attempts failed; wait as long as `Retry-After` says", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn sign_in(State(web): State<Web>, _: NoParameters, request: Request) -> Result<Response, ApiProblem> {
    let origin = Origin::of(&request);
    csrf::check_origin(request.headers(), origin.client.secure)?;
    let before = cookie::shown(request.headers(), origin.client.secure);
    let pending = pending_audit(&request)?;
    let mut fields = read_fields(request).await?;
    let given = Given::read(&mut fields);
    let given = fields.finish(given)?;
    // To its end even when the client goes away: a wrong password counts whether somebody waits for the answer or not.
    let begun = carried_through(async move { enter(&web, given, &origin, before, &pending).await }).await?;
    Ok(begun.into_response())
}

/// What somebody gives who wants to sign in.
pub(crate) struct Given {
    /// In small letters.
    pub(crate) email: String,
    pub(crate) password: SecretString,
    pub(crate) one_time_password: Option<String>,
    pub(crate) tenant: Option<TenantId>,
}

impl Given {
    fn read(fields: &mut Fields) -> Option<Self> {
        let email = fields.text("email", None);
        let password = read_password(fields, "password");
        let one_time_password = fields.optional_secret("one_time_password");
        let tenant = fields.optional_id("tenant_id", None);
        Some(Self {
            email: email?.to_lowercase(),
            password: password?,
            one_time_password: one_time_password?,
            tenant: tenant?.map(TenantId),
        })
    }
}

/// What is not told apart: an account that is not there, or may not sign in, or not there, and a password of either kind that is wrong.
pub(super) enum NotIn {
    Refused,
    /// The password was right; a second one is asked for.
    OneTimePasswordNeeded,
    Failed(ApiProblem),
}

impl<E: Into<ApiProblem>> From<E> for NotIn {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Signs in, and writes down whoever it is. Errors: 401, 429.
pub(crate) async fn enter(
    web: &Web,
    given: Given,
    origin: &Origin,
    before: Option<SessionToken>,
    pending: &PendingAudit,
) -> Result<Begun, ApiProblem> {
    let (now, who) = (web.engine.clock().now(), given.email.clone());
    let attempt = Attempt::begin(web, &given.email, origin.client.ip, now).await?;
    match recognise(web, given, now).await {
        Ok(Recognised { tenant, member, user, checked }) => {
            pending.begin(tenant, Asker { actor: AuditActor::Person, principal: Some(member), who }).await?;
            attempt.succeeded(web).await?;
            let begun = replace(web, before, (tenant, member), origin, now).await?;
            still_with_that_password(web, user, checked, &begun).await?;
            tracing::info!(%tenant, principal = %member, "signed in");
            metrics::counter!(crate::measures::SIGN_INS, "result" => "signed_in").increment(1);
            Ok(begun)
        }
        Err(NotIn::Refused) => {
            attempt.failed(web).await?;
            Err(refused("sign_in_refused", "address, password or one-time password are wrong, or you may not sign in"))
        }
        Err(NotIn::OneTimePasswordNeeded) => {
            Err(refused("one_time_password_needed", "give one_time_password, too: what your authenticator shows now"))
        }
        Err(NotIn::Failed(problem)) => Err(problem),
    }
}

/// Who signs in, as whom in which tenant.
struct Recognised {
    tenant: TenantId,
    member: PrincipalId,
    user: UserId,
    /// The hash that the password was compared with.
    checked: Option<String>,
}

/// Ends a session again that began with a password that was changed while it was compared: the change ended only those that it found.
/// Errors: 401.
async fn still_with_that_password(web: &Web, user: UserId, checked: Option<String>, begun: &Begun) -> Result<(), ApiProblem> {
    let store = web.engine.store();
    if store.get_user(user).await?.password_hash == checked {
        return Ok(());
    }
    store.end_session(begun.person.tenant(), &begun.person.token.hash()).await?;
    Err(refused("sign_in_refused", "address, password or one-time password are wrong, or you may not sign in"))
}

/// Who it is, as whom in which tenant.
async fn recognise(web: &Web, given: Given, now: DateTime<Utc>) -> Result<Recognised, NotIn> {
    let found = web.engine.store().find_user_by_email(&given.email).await?;
    let stored = found.as_ref().and_then(|user| user.password_hash.clone());
    // Compared in any case, so that an account that is not there takes as long.
    let is_right = web.sign_in.passwords.check(given.password, stored.clone()).await?;
    let user = found.filter(|user| is_right && user.is_active).ok_or(NotIn::Refused)?;
    let mut places = memberships(web, user.id).await?.into_iter();
    let place = places.find(|(tenant, _)| given.tenant.is_none_or(|wanted| wanted == *tenant));
    let (tenant, member) = place.ok_or(NotIn::Refused)?;
    check_one_time_password(web, &user, given.one_time_password.as_deref(), now).await?;
    Ok(Recognised { tenant, member: member.id, user: user.id, checked: stored })
}

/// Asks those with an authenticator for what it shows; each is taken once.
pub(super) async fn check_one_time_password(
    web: &Web,
    user: &User,
    given: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), NotIn> {
    let Some(sealed) = &user.totp_secret else { return Ok(()) };
    let given = given.ok_or(NotIn::OneTimePasswordNeeded)?;
    let opened = web.seal.open(SealedFor::OneTimePasswords(user.id), sealed).map_err(|why| {
        tracing::error!(why, "the secret of one-time passwords cannot be opened");
        ApiProblem::unavailable("one-time passwords cannot be checked now; the server's log says why")
    })?;
    let step = OneTimeSecret::stored(opened).step_of(given, now).ok_or(NotIn::Refused)?;
    if web.engine.store().take_totp_step(user.id, step).await? { Ok(()) } else { Err(NotIn::Refused) }
}

/// Begins the session. The token is new whatever the request showed, and what it showed is over: nobody who put a cookie into the
/// browser before is signed in with it now.
pub(super) async fn replace(
    web: &Web,
    before: Option<SessionToken>,
    (tenant, member): (TenantId, PrincipalId),
    origin: &Origin,
    now: DateTime<Utc>,
) -> Result<Begun, ApiProblem> {
    let store = web.engine.store();
    if let Some(before) = before {
        store.end_session(before.tenant(), &before.hash()).await?;
    }
    let begun = begin(web, tenant, member, origin, now, now + web.sign_in.settings.absolute).await?;
    // Somebody has to; whoever signs in has time.
    let store = web.engine.store().clone();
    tokio::spawn(async move {
        if let Err(error) = store.drop_ended_sessions(tenant, now).await {
            tracing::warn!(%error, "sessions that ended could not be dropped");
        }
        if let Err(error) = store.drop_untouched_selections(tenant, now - lineshift_store::selections::KEPT).await {
            tracing::warn!(%error, "selections that nobody touched could not be dropped");
        }
    });
    Ok(begun)
}

pub(super) fn refused(code: &str, message: &str) -> ApiProblem {
    let problem = ApiProblem::with_problem(StatusCode::UNAUTHORIZED, Problem::new("", code, message));
    problem.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}
