//! A refusal as browsers show it to people: whoever comes back from a provider looks at a page, not at JSON.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use super::START_PATH;
use crate::problem::ApiProblem;

/// Whether who asks shows pages.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|accepted| accepted.to_str().ok());
    accepted.flat_map(|accepted| accepted.split(',')).any(|kind| kind.trim().starts_with("text/html"))
}

/// The problem, as a page or as everywhere. Nothing of the request stands in it.
pub(super) fn answer(problem: ApiProblem, as_page: bool) -> Response {
    let message = escaped(&problem.view().detail);
    let mut response = problem.into_response();
    if as_page {
        let page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Not signed in</title>\n<h1>Not signed in</h1>\n\
             <p>{message}</p>\n<p><a href=\"{START_PATH}\">Begin again</a></p>\n</html>\n"
        );
        *response.body_mut() = Body::from(page);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
