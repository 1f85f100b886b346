//! The second proof of somebody whom an OpenID provider has vouched for.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};

use super::sign_in::own_address;
use crate::Web;
use crate::api::session::Origin;
use crate::api::session::openid::one_time_password::complete;
use crate::audit::PendingAudit;
use crate::client_address::ClientAddress;
use crate::portal::form::Form;
use crate::portal::page::{Bare, answer};
use crate::portal::refused::PageRefused;
use crate::problem::ApiProblem;
use crate::query::Parameters;
use crate::sign_in::cookie::Cookie;

#[derive(Template)]
#[template(path = "one_time_password.html")]
struct OneTimePasswordPage {
    bare: Bare,
    /// Where to go afterwards.
    next: String,
    refused: Option<String>,
}

/// `GET /sign-in/one-time-password`
pub(in crate::portal) async fn ask(mut parameters: Parameters) -> Result<Response, PageRefused> {
    let next = parameters.text("next").unwrap_or_default();
    parameters.finish()?;
    Ok(answer(&page(own_address(&next), None)))
}

fn page(next: &str, refused: Option<&ApiProblem>) -> OneTimePasswordPage {
    OneTimePasswordPage { bare: Bare::titled("Sign in"), next: next.to_owned(), refused: refused.map(ApiProblem::detail) }
}

/// `POST /sign-in/one-time-password`
pub(in crate::portal) async fn enter(
    State(web): State<Web>,
    client: ClientAddress,
    headers: HeaderMap,
    Extension(pending): Extension<PendingAudit>,
    form: Form,
) -> Result<Response, PageRefused> {
    let next = own_address(form.text("next").unwrap_or("/")).to_owned();
    let given = form.text("one_time_password").unwrap_or_default().trim().to_owned();
    let origin = Origin::of_headers(&headers, client);
    match complete(web, &headers, origin, given, pending).await {
        Ok(begun) => {
            let mut response = ([begun.cookie()], Redirect::to(&next)).into_response();
            let (name, value) = Cookie::SIGN_IN_RECOGNISED.clear(client.secure);
            response.headers_mut().append(name, value);
            Ok(response)
        }
        Err(problem) if [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS].contains(&problem.status()) => {
            Ok((problem.status(), answer(&page(&next, Some(&problem)))).into_response())
        }
        Err(problem) => Err(problem.into()),
    }
}
