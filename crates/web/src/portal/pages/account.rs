//! One's own account: password, authenticator, and where one is signed in.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::admin::scopes_shown;
use super::invitation::{AGAIN, require_same};
use super::tenants::with_cookie_of;
use crate::api::session::list::{end_own_session, list_own_sessions};
use crate::api::session::one_time_password::{begin_one_time_passwords, confirm_one_time_passwords, end_one_time_passwords};
use crate::api::session::password::change_password;
use crate::api::session::person_view;
use crate::portal::fields::{Field, FormShown, Kind, Source, body_of, is_answerable, request};
use crate::portal::form::Form;
use crate::portal::page::{When, answer};
use crate::portal::refused::{PageRefused, as_page};
use crate::portal::viewer::{Frame, Place, Viewer};
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::views::OwnSessionView;

const ADDRESS: &str = "/account";

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    facts: Vec<(String, String)>,
    /// None: the account has no password, as its owner signs in at a provider.
    password: Option<FormShown>,
    has_authenticator: bool,
    /// To begin with an authenticator, or to do without.
    authenticator: Option<FormShown>,
    sessions: Vec<SessionRow>,
    saved: bool,
}

/// An authenticator that is to be confirmed.
#[derive(Template)]
#[template(path = "authenticator.html")]
struct AuthenticatorPage {
    frame: Frame,
    /// What is typed into the authenticator, and its address; shown once.
    secret: Option<(String, String)>,
    /// What the confirmation is sent with.
    enrolment: String,
    form: FormShown,
}

/// One of one's sessions.
struct SessionRow {
    id: String,
    is_this: bool,
    since: When,
    seen: When,
    ends: When,
    from: String,
    agent: String,
}

/// Which form was sent, and why it was refused.
enum Sent {
    None,
    Password(ApiProblem),
    Authenticator(ApiProblem),
}

fn secret(name: &str, label: &str, autocomplete: &'static str) -> Field {
    Field::new(name, label, Kind::Secret { is_required: true, autocomplete })
}

fn password_fields() -> Vec<Field> {
    vec![
        secret("password", "Present password", "current-password"),
        secret("new_password", "New password", "new-password")
            .with_help("12 to 128 characters: not a common one, without a pattern, not your own name."),
        secret(AGAIN, "New password, once more", "new-password"),
    ]
}

fn begin_fields() -> Vec<Field> {
    vec![secret("password", "Your password", "current-password")]
}

fn end_fields() -> Vec<Field> {
    vec![
        secret("password", "Your password", "current-password"),
        secret("one_time_password", "What your authenticator shows now", "one-time-code"),
    ]
}

fn confirm_fields() -> Vec<Field> {
    vec![secret("one_time_password", "What your authenticator shows now", "one-time-code")]
}

/// `GET /account`
pub(in crate::portal) async fn show(viewer: Viewer, uri: Uri) -> Result<Response, PageRefused> {
    Ok(answer(&page(&viewer, &Sent::None, uri.query() == Some("saved")).await?))
}

async fn page(viewer: &Viewer, sent: &Sent, saved: bool) -> Result<AccountPage, ApiProblem> {
    let user = viewer.web.engine.store().get_user(viewer.person.signed_in.user).await?;
    let sessions = list_own_sessions(State(viewer.web.clone()), viewer.person.clone(), NoParameters).await?.0;
    let (has_password, has_authenticator) = (user.password_hash.is_some(), user.totp_secret.is_some());
    let (of_password, of_authenticator) = match sent {
        Sent::None => (None, None),
        Sent::Password(problem) => (Some(problem), None),
        Sent::Authenticator(problem) => (None, Some(problem)),
    };
    let form = |at: &str, submit: &str, fields: &[Field], refused| {
        has_password.then(|| FormShown::new(format!("{ADDRESS}/{at}"), submit, fields, Source::New, refused))
    };
    let authenticator = if has_authenticator {
        form("one-time-password/end", "Do without the authenticator", &end_fields(), of_authenticator)
    } else {
        form("one-time-password", "Set up an authenticator", &begin_fields(), of_authenticator)
    };
    let person = person_view(&viewer.person);
    Ok(AccountPage {
        frame: viewer.frame("Your account", None, Place::Own)?,
        facts: [
            ("Name", person.display_name),
            ("E-mail address", person.email),
            ("Tenant", viewer.tenant.name.clone()),
            ("You may", scopes_shown(&person.scopes)),
            ("You see the lines of", if person.reach == "*" { "everything".to_owned() } else { person.reach }),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec(),
        password: form("password", "Change the password", &password_fields(), of_password),
        has_authenticator,
        authenticator,
        sessions: sessions.items.into_iter().map(|session| row(viewer, session)).collect(),
        saved,
    })
}

fn row(viewer: &Viewer, session: OwnSessionView) -> SessionRow {
    SessionRow {
        since: viewer.when(session.created_at),
        seen: viewer.when(session.seen_at),
        ends: viewer.when(session.ends_at),
        id: session.id,
        is_this: session.is_this,
        from: session.address,
        agent: session.agent,
    }
}

/// The page with why a form was refused; else the refusal alone.
async fn refused(viewer: &Viewer, problem: ApiProblem, sent: fn(ApiProblem) -> Sent) -> Result<Response, PageRefused> {
    if !is_answerable(&problem) {
        return Err(problem.into());
    }
    let page = page(viewer, &sent(problem.clone()), false).await?;
    Ok(as_page(problem, &page))
}

fn done() -> Response {
    Redirect::to("/account?saved").into_response()
}

/// `POST /account/password`
pub(in crate::portal) async fn set_password(viewer: Viewer, form: Form, parts: Parts) -> Result<Response, PageRefused> {
    if let Err(problem) = require_same(&form, "new_password") {
        return refused(&viewer, problem, Sent::Password).await;
    }
    let sent = request(parts, &body_of(&password_fields()[..2], &form, true));
    match change_password(State(viewer.web.clone()), viewer.person.clone(), NoParameters, sent).await {
        Ok(told) => Ok(with_cookie_of(&told, done())),
        Err(problem) => refused(&viewer, problem, Sent::Password).await,
    }
}

/// `POST /account/one-time-password`: shows the secret of an authenticator, once.
pub(in crate::portal) async fn begin_authenticator(viewer: Viewer, form: Form, parts: Parts) -> Result<Response, PageRefused> {
    let sent = request(parts, &body_of(&begin_fields(), &form, true));
    match begin_one_time_passwords(State(viewer.web.clone()), viewer.person.clone(), NoParameters, sent).await {
        Ok(told) => Ok(answer(&authenticator_page(&viewer, Some((told.0.secret, told.0.uri)), told.0.enrolment, None)?)),
        Err(problem) => refused(&viewer, problem, Sent::Authenticator).await,
    }
}

fn authenticator_page(
    viewer: &Viewer,
    secret: Option<(String, String)>,
    enrolment: String,
    refused: Option<&ApiProblem>,
) -> Result<AuthenticatorPage, ApiProblem> {
    let address = "/account/one-time-password/confirm";
    Ok(AuthenticatorPage {
        frame: viewer.frame("Authenticator", None, Place::Own)?,
        secret,
        enrolment,
        form: FormShown::new(address, "Confirm", &confirm_fields(), Source::New, refused),
    })
}

/// `POST /account/one-time-password/confirm`
pub(in crate::portal) async fn confirm_authenticator(viewer: Viewer, form: Form, parts: Parts) -> Result<Response, PageRefused> {
    let enrolment = form.text("enrolment").unwrap_or_default().to_owned();
    let mut body = body_of(&confirm_fields(), &form, true);
    body["enrolment"] = enrolment.clone().into();
    let confirmed =
        confirm_one_time_passwords(State(viewer.web.clone()), viewer.person.clone(), NoParameters, request(parts, &body));
    match confirmed.await {
        Ok(_) => Ok(done()),
        Err(problem) if is_answerable(&problem) => {
            let page = authenticator_page(&viewer, None, enrolment, Some(&problem))?;
            Ok(as_page(problem, &page))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// `POST /account/one-time-password/end`
pub(in crate::portal) async fn end_authenticator(viewer: Viewer, form: Form, parts: Parts) -> Result<Response, PageRefused> {
    let sent = request(parts, &body_of(&end_fields(), &form, true));
    match end_one_time_passwords(State(viewer.web.clone()), viewer.person.clone(), NoParameters, sent).await {
        Ok(_) => Ok(done()),
        Err(problem) => refused(&viewer, problem, Sent::Authenticator).await,
    }
}

/// `POST /account/sessions/{id}/end`
pub(in crate::portal) async fn end_session(viewer: Viewer, id: Path<String>) -> Result<Response, PageRefused> {
    end_own_session(State(viewer.web.clone()), viewer.person.clone(), id, NoParameters).await?;
    Ok(done())
}
