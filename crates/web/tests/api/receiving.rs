//! A bulk change whose lines still arrive (B4.7): seen by its submitter only, and not to be steered.

use std::time::Duration;

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::limits::Limits;
use lineshift_engine::{Caller, EngineError};
use lineshift_store::StoreError;
use lineshift_store_sqlite::Options;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::HttpCaller;
use lineshift_testkit::operator::iccid;
use lineshift_testkit::stepper::Stepper;
use serde_json::json;

static WRITER: Stepper = Stepper::new();

/// Who shows that key.
async fn caller_of(app: &TestApp, http: &HttpCaller) -> Caller {
    let shown = lineshift_web::parse_api_key(http.key().expect("a key")).expect("of the form of a key");
    let key = app.operator.store.find_api_key(shown.tenant, shown.id).await.expect("a look-up");
    Caller::of_key(&key.expect("the key"))
}

fn code_of(error: &EngineError) -> &str {
    match error {
        EngineError::Refused(refusal) => &refusal.problems[0].code,
        EngineError::Store(StoreError::NotFound { .. }) => "not_found",
        EngineError::Store(_) => "another error",
    }
}

#[tokio::test]
async fn it_is_seen_by_its_submitter_only() {
    let limits = Limits { page_lines: 2, ..Limits::default() };
    let options = Options { before_write: Some(|_| WRITER.before_write()), ..Options::default() };
    let app = TestApp::with(6, limits, options).await;
    let (submitter, other) = (app.orderer().await, app.admin().await);
    for caller in [&submitter, &other] {
        caller.read("/api/v1/me").await;
    }
    let devices: Vec<String> = (1..=6).map(iccid).collect();
    let body = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": devices, "SiteId": app.operator.amop_site.0});

    WRITER.hold();
    let caller = submitter.clone();
    let answer = tokio::spawn(async move { caller.post("/M2M/AssociateCustomer", &body).await });
    while submitter.read("/api/v1/bulk-changes").await["items"] == json!([]) {
        assert!(WRITER.step(Duration::from_secs(10)).await, "the order is RECEIVING before its last write");
    }
    let mine = submitter.read("/api/v1/bulk-changes/1").await;
    assert_eq!((&mine["status"], &mine["held"]), (&json!("RECEIVING"), &json!(false)));
    assert_eq!(other.read("/api/v1/bulk-changes").await["items"], json!([]));
    for end in ["", "/devices", "/log", "/export", "/events"] {
        assert_eq!(other.get(&format!("/api/v1/bulk-changes/1{end}")).await.status, 404, "{end}");
        assert_ne!(submitter.get(&format!("/api/v1/bulk-changes/1{end}?limit=x")).await.status, 404, "{end}");
    }
    // Asked of the engine: over HTTP they would be written down first, and the writer is held.
    let (engine, id) = (&app.operator.engine, BulkChangeId(1));
    let (submitting, looking) = (caller_of(&app, &submitter).await, caller_of(&app, &other).await);
    for (caller, code) in [(&submitting, "still_receiving"), (&looking, "not_found")] {
        let started = engine.start(caller, id).await.expect_err("it still arrives");
        let canceled = engine.cancel(caller, id).await.expect_err("it still arrives");
        let retried = engine.retry(caller, id, &[]).await.expect_err("it still arrives");
        assert_eq!([started, canceled, retried].each_ref().map(code_of), [code; 3]);
    }
    WRITER.release();
    assert_eq!(answer.await.expect("an answer").status, 202);
    assert_eq!(other.read("/api/v1/bulk-changes/1").await["status"], "NEW");
    app.operator.run_until_idle().await;
    assert_eq!(other.read("/api/v1/bulk-changes/1").await["counts"]["processed"], 6);
}
