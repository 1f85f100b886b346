//! Whether the server lives, whether it can work, and what it measures.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::client_address::is_from_this_machine;
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::views::ReadyView;
use crate::{Web, measures};

/// Whether the server lives
///
/// Answers as long as the process does, whatever its store does.
#[utoipa::path(get, path = "/healthz", tag = super::tag::SERVER, security(),
    responses((status = 200, description = "It lives", body = String, content_type = "text/plain", example = "ok")))]
pub(crate) async fn healthz(_: NoParameters) -> &'static str {
    "ok"
}

/// Whether the server can work
///
/// Answers 503 while its store does not answer.
#[utoipa::path(get, path = "/readyz", tag = super::tag::SERVER, security(),
    responses((status = 200, description = "It can", body = ReadyView)))]
pub(crate) async fn readyz(State(web): State<Web>, _: NoParameters) -> Result<Json<ReadyView>, ApiProblem> {
    let store = web.engine.store();
    store.check_ready().await.map_err(|error| {
        tracing::warn!(%error, "the store does not answer");
        ApiProblem::unavailable("the store does not answer")
    })?;
    Ok(Json(ReadyView { ready: true, store: store.engine().to_owned() }))
}

/// Measures for Prometheus
///
/// The backlog is read from the store at each call. For this machine alone: whoever calls from elsewhere, or through a proxy, is answered
/// as if it were not there. `--metrics-listen` shows the same at an address of its own.
#[utoipa::path(get, path = "/metrics", tag = super::tag::SERVER, security(),
    responses(
        (status = 200, description = "All measures", body = String, content_type = "text/plain; version=0.0.4"),
        (status = 404, description = "Not from here", body = crate::views::ProblemView, content_type = "application/problem+json"),
    ))]
pub(crate) async fn metrics(web: State<Web>, none: NoParameters, request: Request) -> Result<Response, ApiProblem> {
    if is_from_this_machine(request.extensions(), request.headers()) {
        metrics_for_all(web, none).await
    } else {
        Err(ApiProblem::not_found())
    }
}

/// The same for everybody who reaches the listener: it is for nothing else.
pub(crate) async fn metrics_for_all(State(web): State<Web>, _: NoParameters) -> Result<Response, ApiProblem> {
    let handle = web.metrics.as_ref().ok_or_else(ApiProblem::not_found)?;
    measures::refresh(&web.engine).await;
    let text = measures::render(handle);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// This document
///
/// OpenAPI 3.1; `/docs` shows it.
#[utoipa::path(get, path = "/openapi.json", tag = super::tag::SERVER, security(),
    responses((status = 200, description = "The document", body = Object)))]
pub(crate) async fn openapi(_: NoParameters) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], crate::openapi_json()).into_response()
}
