//! A bulk change whose lines still arrive (B4.7): seen by its submitter only, and not to be steered.

use std::time::Duration;

use lineshift_domain::limits::Limits;
use lineshift_store_sqlite::Options;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::operator::iccid;
use lineshift_testkit::stepper::Stepper;
use serde_json::json;

static WRITER: Stepper = Stepper::new();

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
    for action in ["start", "cancel", "retry"] {
        let path = format!("/api/v1/bulk-changes/1/{action}");
        assert_eq!(other.post_empty(&path).await.status, 404, "{action}");
        let refused = submitter.post_empty(&path).await;
        assert_eq!((refused.status, refused.problems()), (409, vec!["still_receiving".to_owned()]), "{action}");
    }
    WRITER.release();
    assert_eq!(answer.await.expect("an answer").status, 202);
    assert_eq!(other.read("/api/v1/bulk-changes/1").await["status"], "NEW");
    app.operator.run_until_idle().await;
    assert_eq!(other.read("/api/v1/bulk-changes/1").await["counts"]["processed"], 6);
}
