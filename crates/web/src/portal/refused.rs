//! What cannot be shown or done, as a page.

use askama::Template;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::page::{Bare, answer, html};
use super::send_again::{SendAgain, page_of};
use crate::problem::ApiProblem;
use crate::views::ProblemView;

/// Why there is no page.
pub(super) enum PageRefused {
    /// Nobody is signed in: the way there, and back to where they wanted to go.
    SignIn(String),
    /// What the API would answer.
    Problem(ApiProblem),
    /// The same, on a page that keeps the form that was sent.
    Again(Box<SendAgain>, ApiProblem),
}

impl<E: Into<ApiProblem>> From<E> for PageRefused {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

impl PageRefused {
    /// What a request for that address is answered that has nobody's session.
    pub(super) fn of(problem: ApiProblem, uri: &Uri, is_form: bool) -> Self {
        if problem.status() != StatusCode::UNAUTHORIZED {
            return Self::Problem(problem);
        }
        // What was in a form is gone; the page that it stood on is not its address.
        let next = if is_form { "/" } else { uri.path_and_query().map_or("/", |wanted| wanted.as_str()) };
        Self::SignIn(next.to_owned())
    }
}

#[derive(Template)]
#[template(path = "refused.html")]
struct Refused {
    bare: Bare,
    problem: ProblemView,
    /// Where to go on.
    back: String,
}

/// Why there is no page, in the answer's extensions, for whoever knows a better way on than the first page.
#[derive(Clone)]
struct Told(ProblemView);

/// The answer to a form, which leads back to the page on which the form stands if all it says is why nothing was done.
pub(super) fn leading_back(mut answer: Response, route: &str, path: &str) -> Response {
    if let Some(Told(problem)) = answer.extensions_mut().remove() {
        *answer.body_mut() =
            html(&Refused { bare: Bare::titled(problem.title.clone()), problem, back: page_of(route, path) }).into();
    }
    answer
}

impl IntoResponse for PageRefused {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn(next) if next == "/" => Redirect::to("/sign-in").into_response(),
            Self::SignIn(next) => Redirect::to(&format!("/sign-in?next={}", encoded(&next))).into_response(),
            Self::Again(page, problem) => as_page(problem, &*page),
            Self::Problem(problem) => {
                let mut view = problem.view();
                if problem.status() == StatusCode::FORBIDDEN {
                    view.title = "You may not do that".to_owned();
                }
                let is_there = problem.status() != StatusCode::NOT_FOUND;
                let page = Refused { bare: Bare::titled(view.title.clone()), problem: view.clone(), back: "/".to_owned() };
                let mut answer = as_page(problem, &page);
                if is_there {
                    answer.extensions_mut().insert(Told(view));
                }
                answer
            }
        }
    }
}

/// A problem as that page. Status, headers and what is written down are those of the API's answer; only the body is for people.
pub(super) fn as_page(problem: ApiProblem, page: &impl Template) -> Response {
    with_body_of(problem, answer(page))
}

/// The same with a page that is written already.
pub(super) fn with_body_of(problem: ApiProblem, page: Response) -> Response {
    let mut response = problem.into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::WWW_AUTHENTICATE);
    headers.insert(header::CONTENT_TYPE, super::page::HTML);
    *response.body_mut() = page.into_body();
    response
}

/// A text as a value within an address.
pub(crate) fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut written = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            let _ = write!(written, "%{byte:02X}");
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_only_a_value() {
        assert_eq!(encoded("/m2m/lines?iccid=89&x=#\r\nä"), "%2Fm2m%2Flines%3Ficcid%3D89%26x%3D%23%0D%0A%C3%A4");
        assert_eq!(encoded("a-b._~9"), "a-b._~9");
    }
}
