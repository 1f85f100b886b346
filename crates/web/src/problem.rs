//! The one place where errors become answers: `application/problem+json` (RFC 9457, B4.4).

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lineshift_domain::refusal::{Problem, Refusal, RefusalClass};
use lineshift_engine::EngineError;
use lineshift_store::StoreError;

use crate::audit::ProblemCodes;
use crate::views::ProblemView;

/// The media type of a problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// A failed request: its status, what it is called, and every problem that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiProblem {
    status: StatusCode,
    detail: String,
    errors: Vec<Problem>,
    /// Boxed, so that a result with a problem stays small.
    header: Option<Box<(HeaderName, HeaderValue)>>,
}

impl ApiProblem {
    /// A problem without single errors.
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new(), header: None }
    }

    /// A problem with one error, for programs.
    pub(crate) fn with_problem(status: StatusCode, problem: Problem) -> Self {
        Self { detail: problem.message.clone(), errors: vec![problem], ..Self::new(status, "") }
    }

    /// No usable key, and nobody signed in: for unknown, revoked, expired and malformed ones the same bytes, so that nobody can tell them apart.
    pub(crate) fn unauthorized() -> Self {
        let detail =
            "this needs a valid API key (Authorization: Bearer ls_..., or X-Api-Key: ls_...) or somebody who is signed in";
        Self::new(StatusCode::UNAUTHORIZED, detail).with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// Nothing is there for this tenant: the same bytes whether it belongs to another tenant or to nobody.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing for you at this address; check path and id")
    }

    /// What is asked for stands against what is stored.
    pub(crate) fn conflict(code: &str, message: impl Into<String>) -> Self {
        Refusal::one(RefusalClass::Conflict, "", code, message).into()
    }

    /// One or more rules refuse.
    pub(crate) fn refused(problems: Vec<Problem>) -> Self {
        Refusal { class: RefusalClass::Rule, problems }.into()
    }

    /// A field that has to be given is not.
    pub(crate) fn missing(field: &str, message: &str) -> Self {
        Refusal::one(RefusalClass::Rule, field, lineshift_domain::reading::codes::MISSING_FIELD, message).into()
    }

    /// A request that cannot be read.
    pub(crate) fn unreadable(field: &str, code: &str, message: impl Into<String>) -> Self {
        Refusal::one(RefusalClass::Unreadable, field, code, message).into()
    }

    /// A body of a type that is not taken here.
    pub(crate) fn unsupported_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    }

    /// What happened, for people.
    pub(crate) fn detail(&self) -> String {
        self.detail.clone()
    }

    /// Whether it names single problems.
    pub(crate) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Whether one of its problems is called so.
    pub(crate) fn has_code(&self, code: &str) -> bool {
        self.errors.iter().any(|problem| problem.code == code)
    }

    /// The status that is answered.
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    /// Longer than `most` bytes.
    pub(crate) fn too_large(most: usize) -> Self {
        let code = lineshift_domain::reading::codes::BODY_TOO_LARGE;
        let message = format!("the body is longer than the {most} bytes that are allowed; send less at once");
        Refusal::one(RefusalClass::TooLarge, "", code, message).into()
    }

    /// Trying again soon may help.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail).retry_after(RETRY_AFTER_SECONDS)
    }

    /// A failure of ours, already logged; nothing of its inside is told.
    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the server failed on this request; its log has the cause under the X-Request-Id of this answer",
        )
    }

    pub(crate) fn retry_after(self, seconds: u32) -> Self {
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    /// The body.
    pub(crate) fn view(&self) -> ProblemView {
        let (kind, title) = naming(self.status);
        ProblemView {
            kind: format!("urn:lineshift:problem:{kind}"),
            title: title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            errors: self.errors.iter().cloned().map(Into::into).collect(),
        }
    }
}

/// After how many seconds a client may try again when the store is busy.
const RETRY_AFTER_SECONDS: u32 = 2;

/// The last word of `type`, and the title. Programs match on the former: never rename one.
fn naming(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        400 => ("unreadable", "The request cannot be read"),
        401 => ("unauthorized", "Valid credentials are needed"),
        403 => ("forbidden", "This key may not do that"),
        404 => ("not-found", "Nothing is there"),
        405 => ("method-not-allowed", "This method is not for this address"),
        408 => ("request-timeout", "The request did not arrive in time"),
        409 => ("conflict", "Conflict"),
        413 => ("too-large", "The request is too large"),
        415 => ("unsupported-media-type", "The request has the wrong type"),
        422 => ("refused", "The request was refused"),
        429 => ("too-many-requests", "Too much at once"),
        501 => ("unsupported", "This store cannot do that"),
        503 => ("unavailable", "Not now"),
        507 => ("store-full", "The store is full"),
        _ => ("internal", "The server failed"),
    }
}

impl IntoResponse for ApiProblem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.view()).unwrap_or_default();
        let mut response = (self.status, [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        if let Some((name, value)) = self.header.map(|header| *header) {
            response.headers_mut().insert(name, value);
        }
        if !self.errors.is_empty() {
            response.extensions_mut().insert(ProblemCodes::of(self.errors.iter().map(|problem| &*problem.code)));
        }
        response
    }
}

impl From<Refusal> for ApiProblem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.class {
            RefusalClass::Unreadable => StatusCode::BAD_REQUEST,
            RefusalClass::Forbidden => StatusCode::FORBIDDEN,
            RefusalClass::NotFound => StatusCode::NOT_FOUND,
            RefusalClass::Conflict => StatusCode::CONFLICT,
            RefusalClass::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            RefusalClass::Rule => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let detail = match refusal.problems.as_slice() {
            [one] if one.field.is_empty() => one.message.clone(),
            [one] => format!("{}: {}", one.field, one.message),
            several => format!("{} problems were found; all are in errors", several.len()),
        };
        Self { status, detail, errors: refusal.problems, header: None }
    }
}

impl From<StoreError> for ApiProblem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { .. } => Self::not_found(),
            StoreError::Conflict { message } => Self::conflict("conflict", message),
            StoreError::LeaseLost { .. } => {
                Self::conflict("lease_lost", "the store was out of reach for too long and this was given up; send it again")
            }
            StoreError::Unavailable(source) => {
                tracing::warn!(error = %source, "the store is busy or out of reach");
                Self::unavailable(
                    "the store is busy or out of reach; try again, an order with the same Idempotency-Key as before",
                )
            }
            StoreError::Full(_) => {
                tracing::error!(error = %chain(&error), "the store's disk is full");
                Self::new(StatusCode::INSUFFICIENT_STORAGE, error.to_string())
            }
            StoreError::ReadOnly(_) => {
                tracing::error!(error = %chain(&error), "the store can only be read");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            }
            StoreError::Unsupported { .. } => Self::new(StatusCode::NOT_IMPLEMENTED, error.to_string()),
            StoreError::Internal { .. } => {
                tracing::error!(error = %chain(&error), "a request failed");
                Self::internal()
            }
        }
    }
}

impl From<EngineError> for ApiProblem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Refused(refusal) => refusal.into(),
            EngineError::Store(error) => error.into(),
        }
    }
}

/// An error with its causes, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(problem: impl Into<ApiProblem>) -> String {
        let problem = problem.into();
        serde_json::to_string(&problem.view()).expect("a problem is JSON")
    }

    #[test]
    fn every_class_of_refusal_has_its_status() {
        let status = |class| ApiProblem::from(Refusal::one(class, "Name", "code", "why")).status.as_u16();
        assert_eq!(status(RefusalClass::Unreadable), 400);
        assert_eq!(status(RefusalClass::Forbidden), 403);
        assert_eq!(status(RefusalClass::NotFound), 404);
        assert_eq!(status(RefusalClass::Conflict), 409);
        assert_eq!(status(RefusalClass::TooLarge), 413);
        assert_eq!(status(RefusalClass::Rule), 422);
    }

    #[test]
    fn every_store_error_has_its_status() {
        let source = || Box::<dyn std::error::Error + Send + Sync>::from("disk I/O at 0x1f");
        let answer = |error: StoreError| {
            let problem = ApiProblem::from(error);
            let retry = problem.header.as_ref().is_some_and(|header| header.0 == header::RETRY_AFTER);
            (problem.status.as_u16(), retry)
        };
        assert_eq!(answer(StoreError::not_found("site", 7)), (404, false));
        assert_eq!(answer(StoreError::Conflict { message: "taken".to_owned() }), (409, false));
        assert_eq!(answer(StoreError::LeaseLost { what: "page".to_owned() }), (409, false));
        assert_eq!(answer(StoreError::Unavailable(source())), (503, true));
        assert_eq!(answer(StoreError::Full(source())), (507, false));
        assert_eq!(answer(StoreError::ReadOnly(source())), (503, false));
        assert_eq!(answer(StoreError::Unsupported { engine: "sqlite", what: "copies" }), (501, false));
        assert_eq!(answer(StoreError::internal("reading")), (500, false));
    }

    #[test]
    fn nothing_of_the_inside_is_told() {
        let secret = || Box::<dyn std::error::Error + Send + Sync>::from("INSERT INTO tenant");
        for error in [
            StoreError::Internal { context: "INSERT INTO tenant".to_owned(), source: Some(secret()) },
            StoreError::Unavailable(secret()),
            StoreError::Full(secret()),
            StoreError::ReadOnly(secret()),
        ] {
            assert!(!shown(error).contains("INSERT"), "a statement was told");
        }
        assert!(!shown(StoreError::not_found("site", 4711)).contains("4711"), "ids of others are not repeated");
    }

    #[test]
    fn one_problem_is_said_in_the_detail_several_are_counted() {
        let one = Refusal::one(RefusalClass::Rule, "SiteId", "missing_field", "missing; give it");
        insta::assert_snapshot!(shown(one), @r#"{"type":"urn:lineshift:problem:refused","title":"The request was refused","status":422,"detail":"SiteId: missing; give it","errors":[{"field":"SiteId","code":"missing_field","message":"missing; give it"}]}"#);
        let two = ApiProblem::refused(vec![Problem::new("a", "x", "y"), Problem::new("b", "x", "y")]);
        assert_eq!(two.view().detail, "2 problems were found; all are in errors");
    }

    #[test]
    fn a_refused_key_is_told_how_to_come_back() {
        let response = ApiProblem::unauthorized().into_response();
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
        assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM_JSON);
    }
}
