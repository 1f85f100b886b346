//! Signing in, signing out, and working in another tenant.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use lineshift_domain::ids::TenantId;
use lineshift_domain::reading::codes;
use secrecy::SecretString;

use crate::Web;
use crate::api::carried_through;
use crate::api::session::openid::START_PATH;
use crate::api::session::sign_in::{Given, enter as begin_session};
use crate::api::session::this::switch;
use crate::api::session::{LONGEST_PASSWORD_BYTES, Origin};
use crate::audit::PendingAudit;
use crate::client_address::ClientAddress;
use crate::portal::form::Form;
use crate::portal::page::{Bare, answer};
use crate::portal::refused::{PageRefused, encoded};
use crate::portal::viewer::Viewer;
use crate::problem::ApiProblem;
use crate::query::Parameters;
use crate::sign_in::cookie;
use crate::sign_in::person::Person;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    bare: Bare,
    /// Where to go afterwards.
    next: String,
    email: String,
    /// Whether what an authenticator shows is asked for.
    wants_one_time_password: bool,
    refused: Option<String>,
    /// Where else one may sign in.
    provider: Option<Provider>,
}

/// An OpenID provider, and the way there.
struct Provider {
    label: String,
    start: String,
}

impl Provider {
    /// The one that there is, with the way back.
    fn of(web: &Web, next: &str) -> Option<Self> {
        let label = web.sign_in.openid.as_ref()?.label().to_owned();
        Some(Self { label, start: format!("{START_PATH}?return_to={}", encoded(next)) })
    }
}

/// `GET /sign-in`
pub(in crate::portal) async fn ask(State(web): State<Web>, mut parameters: Parameters) -> Result<Response, PageRefused> {
    let next = parameters.text("next").unwrap_or_default();
    parameters.finish()?;
    Ok(answer(&page(&web, own_address(&next), "", None)))
}

fn page(web: &Web, next: &str, email: &str, refused: Option<&ApiProblem>) -> SignInPage {
    let wants = refused.is_some_and(|problem| problem.has_code("one_time_password_needed"));
    SignInPage {
        bare: Bare::titled("Sign in"),
        next: next.to_owned(),
        email: email.to_owned(),
        wants_one_time_password: wants,
        refused: refused.filter(|_| !wants).map(ApiProblem::detail),
        provider: Provider::of(web, next),
    }
}

/// An address of this server's pages, and no other: nobody is led elsewhere after having signed in.
pub(in crate::portal) fn own_address(next: &str) -> &str {
    let is_own = next.starts_with('/') && !next[1..].starts_with(['/', '\\']) && !next.chars().any(char::is_control);
    if is_own { next } else { "/" }
}

/// `POST /sign-in`
pub(in crate::portal) async fn enter(
    State(web): State<Web>,
    client: ClientAddress,
    headers: HeaderMap,
    Extension(pending): Extension<PendingAudit>,
    form: Form,
) -> Result<Response, PageRefused> {
    let email = form.text("email").unwrap_or_default().trim().to_owned();
    let next = own_address(form.text("next").unwrap_or("/")).to_owned();
    let given = Given {
        email: email.to_lowercase(),
        password: password_of(&form)?,
        one_time_password: form.text("one_time_password").map(|shown| shown.trim().to_owned()),
        tenant: None,
    };
    let before = cookie::shown(&headers, client.secure);
    let (origin, signing_in) = (Origin::of_headers(&headers, client), web.clone());
    let entered = carried_through(async move { begin_session(&signing_in, given, &origin, before, &pending).await }).await;
    match entered {
        Ok(begun) => Ok(([begun.cookie()], Redirect::to(&next)).into_response()),
        Err(problem) if [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS].contains(&problem.status()) => {
            Ok((problem.status(), answer(&page(&web, &next, &email, Some(&problem)))).into_response())
        }
        Err(problem) => Err(problem.into()),
    }
}

fn password_of(form: &Form) -> Result<SecretString, ApiProblem> {
    let text = form.text("password").unwrap_or_default();
    if text.len() > LONGEST_PASSWORD_BYTES {
        let message = format!("longer than {LONGEST_PASSWORD_BYTES} bytes; give the password");
        return Err(ApiProblem::unreadable("password", codes::OUT_OF_RANGE, message));
    }
    Ok(SecretString::from(text))
}

/// `POST /sign-out`
pub(in crate::portal) async fn leave(
    State(web): State<Web>,
    client: ClientAddress,
    person: Person,
) -> Result<Response, PageRefused> {
    let store = web.engine.store().clone();
    carried_through(async move { store.end_session(person.tenant(), &person.token.hash()).await }).await?;
    Ok(([cookie::clear(client.secure)], Redirect::to("/sign-in")).into_response())
}

/// `POST /tenant`
pub(in crate::portal) async fn switch_tenant(
    viewer: Viewer,
    client: ClientAddress,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, PageRefused> {
    let mut fields = form.parameters();
    let wanted = fields.id("tenant_id", TenantId);
    fields.finish()?;
    let wanted = wanted.ok_or_else(ApiProblem::not_found)?;
    let origin = Origin::of_headers(&headers, client);
    let Viewer { web, person, .. } = viewer;
    let now = web.engine.clock().now();
    let begun = carried_through(async move { switch(&web, &person, wanted, &origin, now).await }).await?;
    Ok(([begun.cookie()], Redirect::to("/")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        for own in ["/", "/m2m/lines?iccid=89", "/m2m/lines#x"] {
            assert_eq!(own_address(own), own);
        }
        for other in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "m2m", "/\t/evil", "/x\r\ny"]
        {
            assert_eq!(own_address(other), "/", "{other:?}");
        }
    }
}
