//! What stands around every handler: who the client is, limits of requests, request ids, spans and durations, security headers, the time limit, caught panics.
//!
//! Neither bodies nor headers are logged: they may hold secrets.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tracing::Instrument as _;

use crate::WireSettings;
use crate::client_address::{ClientAddress, TrustedProxies, identify};
use crate::problem::ApiProblem;
use crate::rates::{self, RateLimiter};

/// A request's id, in its extensions.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// How long a request may take, but for orders, events and exports.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(60);

/// The answer's header that names a request in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The API shows nothing in a browser and is shown in no frame.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Swagger UI brings its own scripts and styles, sets styles inline, and draws its icons from data.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; frame-ancestors 'none'";

/// What an answer may bring along in a browser, in its extensions, where it is not what the API's answers may.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ContentPolicy(pub(crate) &'static str);

/// For a year browsers ask over TLS only. Subdomains are not ours to speak for.
const TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Puts everything around a router. The first layer named here is the innermost.
pub(crate) fn around(router: Router, wire: &WireSettings) -> Router {
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let mut router = router.layer(CatchPanicLayer::custom(panicked));
    if let Some(limiter) = RateLimiter::new(wire.rates) {
        router = router.layer(from_fn_with_state(limiter, rates::limit));
    }
    router = router.layer(from_fn(set_policy));
    for (name, value) in fixed {
        router = router.layer(SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value)));
    }
    let proxies = TrustedProxies::new(&wire.trusted_proxies);
    router.layer(from_fn(observe)).layer(from_fn_with_state(proxies, identify))
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = message.unwrap_or("without a message"), "a handler panicked");
    ApiProblem::internal().into_response()
}

/// Cuts a request off that takes too long.
pub(crate) async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!(seconds = TIME_LIMIT.as_secs(), "a request took too long");
            ApiProblem::unavailable(format!("this took longer than {} seconds; look whether it happened", TIME_LIMIT.as_secs()))
                .into_response()
        }
    }
}

async fn set_policy(request: Request, next: Next) -> Response {
    let usual = if request.uri().path().starts_with("/docs") { DOCS_POLICY } else { API_POLICY };
    let secure = request.extensions().get::<ClientAddress>().is_some_and(|client| client.secure);
    let mut response = next.run(request).await;
    // Over plain HTTP anybody on the way could write it, and browsers pass over it.
    if secure {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, TLS_ONLY);
    }
    let policy = response.extensions().get::<ContentPolicy>().map_or(usual, |ContentPolicy(own)| own);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

/// Gives the request an id and a span, and measures how long it took until its answer began.
async fn observe(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = new_request_id();
    request.extensions_mut().insert(RequestId(id.clone()));
    // The pattern, never the address itself: one series a route, whatever is asked for.
    let route = request.extensions().get::<MatchedPath>().map_or("none", |path| path.as_str()).to_owned();
    let method = method_label(request.method());
    let span = tracing::info_span!("request", %id, method, route, tenant = tracing::field::Empty);
    let mut response = next.run(request).instrument(span.clone()).await;
    let (status, elapsed) = (response.status(), started.elapsed());
    span.in_scope(|| tracing::debug!(status = status.as_u16(), milliseconds = elapsed.as_millis(), "answered"));
    metrics::histogram!("lineshift_http_request_seconds", "method" => method, "route" => route, "status" => status_label(status))
        .record(elapsed.as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Sixteen hexadecimal digits; random, so that two servers do not give the same.
fn new_request_id() -> String {
    format!("{:016x}", getrandom::u64().unwrap_or_default())
}

/// Anybody may send any word as a method: only known ones become a series.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

fn status_label(status: StatusCode) -> String {
    status.as_u16().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use tower::ServiceExt as _;

    async fn answer(router: Router) -> (Response, String) {
        let response = around(router, &WireSettings::default())
            .oneshot(Request::get("/x").body(Body::empty()).expect("a request"))
            .await
            .expect("an answer");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        (Response::from_parts(parts, Body::empty()), String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_that_tells_nothing() {
        async fn broken() -> &'static str {
            panic!("the secret is 42")
        }
        let (response, body) = answer(Router::new().route("/x", get(broken))).await;
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[REQUEST_ID].len(), 16);
        assert!(body.contains("urn:lineshift:problem:internal") && !body.contains("42"), "{body}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_too_long_is_cut_off() {
        async fn endless() -> &'static str {
            std::future::pending().await
        }
        let router = Router::new().route("/x", get(endless).layer(from_fn(limit_time)));
        let (response, body) = answer(router).await;
        assert_eq!(response.status(), 503);
        assert!(body.contains("60 seconds"), "{body}");
    }

    #[test]
    fn only_known_words_become_a_series() {
        assert_eq!(method_label(&Method::PATCH), "PATCH");
        let invented = Method::from_bytes(b"X-1234567").expect("a method");
        assert_eq!(method_label(&invented), "other");
    }
}
