//! `/api/v1/one-time-password`: an authenticator as a second proof of who one is.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use lineshift_connectors::credentials::SealedFor;
use lineshift_domain::ids::UserId;
use lineshift_domain::reading::codes;
use lineshift_domain::refusal::Problem;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Origin, read_password, require_both_passwords, require_password};
use crate::Web;
use crate::api::carried_through;
use crate::api::reference::read_fields;
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::sign_in::one_time::OneTimeSecret;
use crate::sign_in::person::Person;
use crate::views::{EndOneTimePasswordsRequest, OneTimePasswordConfirmation, OneTimePasswordView, OwnPasswordRequest};

/// How long a secret waits for the first password that it makes.
const ENROLMENT: TimeDelta = TimeDelta::minutes(10);

/// Begins to use an authenticator
///
/// Needs one's password. Tells a new secret, once; nothing is asked for at signing in until it is confirmed. For people who are signed
/// in.
#[utoipa::path(post, path = "/api/v1/one-time-password", tag = crate::api::tag::SESSIONS, request_body = OwnPasswordRequest,
    responses(
        (status = 200, description = "The secret, to be confirmed", body = OneTimePasswordView),
        (status = 409, description = "There is an authenticator already", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
        (status = 429, description = "Too many attempts failed; wait as long as `Retry-After` says", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn begin_one_time_passwords(
    State(web): State<Web>,
    person: Person,
    _: NoParameters,
    request: Request,
) -> Result<Json<OneTimePasswordView>, ApiProblem> {
    let client = Origin::of(&request).client;
    let mut fields = read_fields(request).await?;
    let password = read_password(&mut fields, "password");
    let password = fields.finish(password)?;
    let user = carried_through({
        let web = web.clone();
        async move { require_password(&web, &person, password, client).await }
    })
    .await?;
    if user.totp_secret.is_some() {
        return Err(is_set());
    }
    let secret = OneTimeSecret::new()?;
    let enrolment = seal_enrolment(&web, user.id, &secret, web.engine.clock().now())?;
    Ok(Json(OneTimePasswordView { secret: secret.text().expose_secret().to_owned(), uri: secret.uri(&user.email), enrolment }))
}

/// Confirms an authenticator
///
/// From now on it is asked for at every signing in. Needs what it shows now, which then counts as used. For people who are signed in.
#[utoipa::path(put, path = "/api/v1/one-time-password", tag = crate::api::tag::SESSIONS, request_body = OneTimePasswordConfirmation,
    responses(
        (status = 204, description = "It is asked for from now on"),
        (status = 409, description = "There is an authenticator already", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn confirm_one_time_passwords(
    State(web): State<Web>,
    person: Person,
    _: NoParameters,
    request: Request,
) -> Result<StatusCode, ApiProblem> {
    let mut fields = read_fields(request).await?;
    let given = fields.secret("enrolment").zip(fields.secret("one_time_password"));
    let (enrolment, password) = fields.finish(given)?;
    let (id, now) = (person.signed_in.user, web.engine.clock().now());
    if web.engine.store().get_user(id).await?.totp_secret.is_some() {
        return Err(is_set());
    }
    let secret = open_enrolment(&web, id, &enrolment, now).ok_or_else(|| {
        let message = "this is not the enrolment that was told, or it is older than ten minutes; begin again";
        ApiProblem::refused(vec![Problem::new("enrolment", codes::WRONG_FORM, message)])
    })?;
    let step = secret.step_of(&password, now).ok_or_else(|| {
        let message = "this is not what the authenticator shows now; look at its clock";
        ApiProblem::refused(vec![Problem::new("one_time_password", "wrong_one_time_password", message)])
    })?;
    let sealed = web.seal.seal(SealedFor::OneTimePasswords(id), secret.text()).map_err(no_key)?;
    let store = web.engine.store().clone();
    carried_through(async move {
        store.set_totp_secret(id, Some(&sealed)).await?;
        store.take_totp_step(id, step).await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Does without an authenticator
///
/// Needs one's password and what the authenticator shows now, which counts as used: whoever has the one alone cannot take the other away.
/// Nothing but the password is asked for any more. For people who are signed in.
#[utoipa::path(delete, path = "/api/v1/one-time-password", tag = crate::api::tag::SESSIONS, request_body = EndOneTimePasswordsRequest,
    responses(
        (status = 204, description = "Nothing is asked for any more"),
        (status = 429, description = "Too many attempts failed; wait as long as `Retry-After` says", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn end_one_time_passwords(
    State(web): State<Web>,
    person: Person,
    _: NoParameters,
    request: Request,
) -> Result<StatusCode, ApiProblem> {
    let client = Origin::of(&request).client;
    let mut fields = read_fields(request).await?;
    let password = read_password(&mut fields, "password");
    let one_time_password = fields.secret("one_time_password");
    let given = fields.finish(password.zip(one_time_password))?;
    carried_through(async move {
        let user = require_both_passwords(&web, &person, given, client).await?;
        Ok::<_, ApiProblem>(web.engine.store().set_totp_secret(user.id, None).await?)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn is_set() -> ApiProblem {
    ApiProblem::conflict("one_time_password_set", "there is an authenticator already; do without it first")
}

fn no_key(why: String) -> ApiProblem {
    ApiProblem::refused(vec![Problem::new("", "no_key", why)])
}

/// The secret with its moment, sealed for the user: the server keeps nothing of it until it is confirmed, and nobody can choose one.
fn seal_enrolment(web: &Web, user: UserId, secret: &OneTimeSecret, now: DateTime<Utc>) -> Result<String, ApiProblem> {
    let text = SecretString::from(format!("{} {}", now.timestamp(), secret.text().expose_secret()));
    let sealed = web.seal.seal(SealedFor::OneTimePasswords(user), &text).map_err(no_key)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(sealed))
}

fn open_enrolment(web: &Web, user: UserId, enrolment: &str, now: DateTime<Utc>) -> Option<OneTimeSecret> {
    let sealed = BASE64_URL_SAFE_NO_PAD.decode(enrolment).ok()?;
    let opened = web.seal.open(SealedFor::OneTimePasswords(user), &sealed).ok()?;
    let (moment, secret) = opened.expose_secret().split_once(' ')?;
    let begun = DateTime::from_timestamp(moment.parse().ok()?, 0)?;
    (now - begun < ENROLMENT).then(|| OneTimeSecret::stored(SecretString::from(secret)))
}
