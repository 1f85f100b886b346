//! What is written down of handlers that end in every way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, post};
use lineshift_domain::reach::Reach;
use lineshift_engine::Clock as _;
use lineshift_store::access::NewApiKey;
use lineshift_store::audit::{AuditEntry, AuditFilter};
use lineshift_testkit::operator::Operator;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use lineshift_domain::terms::AuditResult;

use super::*;
use crate::accounts::NoKey;
use crate::layers::{self, RequestId};

struct Audited {
    operator: Operator,
    web: Web,
    key: String,
}

impl Audited {
    async fn new() -> Self {
        let operator = Operator::with_lines(0).await;
        let secret = crate::new_api_key_secret().expect("randomness");
        let key = NewApiKey {
            name: "tester".to_owned(),
            secret_hash: secret.hash(),
            scopes: "*".parse().expect("scopes"),
            reach: Reach::Everything,
            expires_at: None,
        };
        let tenant = operator.tenant();
        let id = operator.store.create_api_key(tenant, &key, operator.clock.now()).await.expect("a key");
        let web = Web::new(operator.engine.clone(), None, Arc::new(NoKey), &crate::WireSettings::default());
        Self { operator, web, key: secret.format(tenant, id) }
    }

    fn router(&self, route: &str, handler: MethodRouter<Web>) -> Router {
        let table = Router::new().route(route, handler).route_layer(from_fn_with_state(self.web.clone(), write_down));
        layers::around(table.with_state(self.web.clone()), &crate::WireSettings::default())
    }

    fn request(&self, path: &str) -> Request {
        Request::post(path).header("x-api-key", &self.key).body(Body::empty()).expect("a request")
    }

    async fn written(&self) -> Vec<AuditEntry> {
        let store = self.operator.engine.store();
        store.list_audit(self.operator.tenant(), &AuditFilter::default(), None, 100).await.expect("a list").items
    }

    /// Result and status of the only entry; none: it is unfinished.
    async fn outcome(&self) -> Option<(AuditResult, Option<u32>)> {
        let written = self.written().await;
        assert_eq!(written.len(), 1, "{written:?}");
        written[0].outcome.as_ref().map(|outcome| (outcome.result, outcome.status))
    }
}

#[tokio::test]
async fn a_panic_is_an_outcome_and_answered_as_all_are() {
    async fn broken() -> &'static str {
        panic!("broken")
    }
    let audited = Audited::new().await;
    let router = audited.router("/api/v1/things/{id}", post(broken));
    let answer = router.oneshot(audited.request("/api/v1/things/5")).await.expect("an answer");
    assert_eq!(answer.status(), 500);
    assert_eq!(audited.outcome().await, Some((AuditResult::Failed, Some(500))));
    let written = audited.written().await;
    assert_eq!(
        (written[0].entry.action.as_str(), written[0].entry.target.as_deref()),
        ("POST /api/v1/things/{id}", Some("things/5"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_an_outcome() {
    async fn endless() -> &'static str {
        std::future::pending().await
    }
    let audited = Audited::new().await;
    let router = audited.router("/x", post(endless).layer(from_fn(layers::limit_time)));
    let answer = router.oneshot(audited.request("/x")).await.expect("an answer");
    assert_eq!(answer.status(), 503);
    assert_eq!(audited.outcome().await, Some((AuditResult::Failed, Some(503))));
}

/// As when the process is killed: what was begun and has no outcome shows.
#[tokio::test]
async fn what_is_cut_off_is_unfinished_and_a_client_that_leaves_cuts_nothing_off() {
    let audited = Audited::new().await;
    let gate = Arc::new(Semaphore::new(0));
    let (at_gate, waiting) = (Arc::clone(&gate), Arc::new(Semaphore::new(0)));
    let reached = Arc::clone(&waiting);
    let handler = post(async move || {
        reached.add_permits(1);
        at_gate.acquire().await.expect("it is never closed").forget();
        StatusCode::NO_CONTENT
    });
    let client = tokio::spawn(audited.router("/x", handler).oneshot(audited.request("/x")));
    waiting.acquire().await.expect("it is never closed").forget();
    assert_eq!(audited.outcome().await, None, "it runs");
    client.abort();
    assert!(client.await.expect_err("the client left").is_cancelled());
    assert_eq!(audited.outcome().await, None);
    gate.add_permits(1);
    while audited.outcome().await.is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(audited.outcome().await, Some((AuditResult::Done, Some(204))));
}

#[tokio::test]
async fn without_an_entry_nothing_runs() {
    let audited = Audited::new().await;
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let handler = post(async move || {
        counted.fetch_add(1, Ordering::Relaxed);
        StatusCode::NO_CONTENT
    });
    let table = Router::new().route("/x", handler).route_layer(from_fn_with_state(audited.web.clone(), write_down));
    let table: Router = table.with_state(audited.web.clone());
    let mut statuses = Vec::new();
    for _ in 0..2 {
        // The clock stands still: the second entry cannot be written.
        let mut request = audited.request("/x");
        request.extensions_mut().insert(RequestId("00000000000000ff".to_owned()));
        statuses.push(table.clone().oneshot(request).await.expect("an answer").status().as_u16());
    }
    assert_eq!((statuses, runs.load(Ordering::Relaxed)), (vec![204, 503], 1));
    let anonymous = Request::post("/x").body(Body::empty()).expect("a request");
    assert_eq!(table.oneshot(anonymous).await.expect("an answer").status(), 401);
    assert_eq!((audited.written().await.len(), runs.load(Ordering::Relaxed)), (1, 1));
}
