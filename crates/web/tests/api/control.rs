//! Starting, canceling and retrying (B10.1, B10.2).

use lineshift_testkit::app::TestApp;
use lineshift_testkit::operator::iccid;
use serde_json::{Value, json};

fn held(app: &TestApp, lines: u64) -> Value {
    let devices: Vec<String> = (1..=lines).map(iccid).collect();
    json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": devices, "SiteId": app.operator.amop_site.0, "ProcessChanges": false,
    })
}

#[tokio::test]
async fn a_held_change_runs_once_it_is_started() {
    let app = TestApp::with_lines(2).await;
    let orderer = app.orderer().await;
    orderer.post("/M2M/AssociateCustomer", &held(&app, 2)).await;
    app.operator.run_until_idle().await;
    let waiting = orderer.read("/api/v1/bulk-changes/1").await;
    assert_eq!((&waiting["status"], &waiting["held"], &waiting["started_at"]), (&json!("NEW"), &json!(true), &Value::Null));

    let started = orderer.post_empty("/api/v1/bulk-changes/1/start").await;
    assert_eq!((started.status, &started.json()["held"]), (200, &json!(false)));
    let again = orderer.post_empty("/api/v1/bulk-changes/1/start").await;
    assert_eq!((again.status, again.problems()), (409, vec!["not_held".to_owned()]));
    app.operator.run_until_idle().await;
    assert_eq!(orderer.read("/api/v1/bulk-changes/1").await["status"], "PROCESSED");
    let late = orderer.post_empty("/api/v1/bulk-changes/1/start").await;
    assert_eq!((late.status, late.problems()), (409, vec!["already_begun".to_owned()]));
}

#[tokio::test]
async fn a_change_is_canceled_with_what_it_scheduled() {
    let app = TestApp::with_lines(3).await;
    let orderer = app.orderer().await;
    orderer.post("/M2M/AssociateCustomer", &held(&app, 2)).await;
    let canceled = orderer.post_empty("/api/v1/bulk-changes/1/cancel").await;
    assert_eq!((canceled.status, &canceled.json()["status"]), (200, &json!("CANCELED")));
    assert_eq!(canceled.json()["counts"]["canceled"], 2);
    let again = orderer.post_empty("/api/v1/bulk-changes/1/cancel").await;
    assert_eq!((again.status, again.problems()), (409, vec!["nothing_to_cancel".to_owned()]));

    let scheduled = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(3)], "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "EffectiveDate": "2026-12-24"},
    });
    orderer.post("/M2M/BulkChange", &scheduled).await;
    app.operator.run_until_idle().await;
    assert_eq!(orderer.post_empty("/api/v1/bulk-changes/2/cancel").await.status, 200);
    let view = orderer.read("/api/v1/bulk-changes/2").await;
    assert_eq!(view["scheduled"], json!({"open": 0, "applied": 0, "canceled": 1, "failed": 0}));
    assert_eq!(orderer.post_empty("/api/v1/bulk-changes/2/cancel").await.status, 409);
}

#[tokio::test]
async fn failed_rows_are_retried_all_or_by_code() {
    let app = TestApp::with_lines(2).await;
    let operator = &app.operator;
    operator.import(&[operator.line(operator.jasper, 2, "DEACTIVATED")]).await;
    let orderer = app.orderer().await;
    let body = json!({
        "ServiceProviderId": operator.jasper.0, "Devices": [iccid(1), iccid(2), iccid(3)], "SiteId": operator.amop_site.0,
    });
    orderer.post("/M2M/AssociateCustomer", &body).await;
    let early = orderer.post_empty("/api/v1/bulk-changes/1/retry").await;
    assert_eq!((early.status, early.problems()), (409, vec!["not_finished".to_owned()]));
    operator.run_until_idle().await;
    assert_eq!(orderer.read("/api/v1/bulk-changes/1").await["counts"]["error"], 2);

    operator.import(&[operator.line(operator.jasper, 2, "ACTIVATED")]).await;
    let retry = async |codes: Value| orderer.post("/api/v1/bulk-changes/1/retry", &codes).await;
    assert_eq!(
        retry(json!({"codes": ["nonsense", 1], "all": true})).await.problems(),
        ["codes[0] wrong_form", "codes[1] wrong_form", "all unknown_field"]
    );
    assert_eq!(retry(json!({"codes": ["number_ambiguous"]})).await.status, 409);
    let retried = retry(json!({"codes": ["device_not_active"]})).await;
    assert_eq!((retried.status, retried.json()), (200, json!({"rows": 1, "attempt": 2})));
    operator.run_until_idle().await;
    let view = orderer.read("/api/v1/bulk-changes/1").await;
    assert_eq!((&view["counts"]["processed"], &view["counts"]["error"], &view["attempt"]), (&json!(2), &json!(1), &json!(2)));

    operator.add_lines(operator.jasper, 3..=3).await;
    let all = orderer.post_empty("/api/v1/bulk-changes/1/retry").await;
    assert_eq!((all.status, all.json()), (200, json!({"rows": 1, "attempt": 3})));
    operator.run_until_idle().await;
    assert_eq!(orderer.read("/api/v1/bulk-changes/1").await["status"], "PROCESSED");
    let nothing = orderer.post_empty("/api/v1/bulk-changes/1/retry").await;
    assert_eq!((nothing.status, nothing.problems()), (409, vec!["nothing_to_retry".to_owned()]));
}

#[tokio::test]
async fn steering_needs_the_right_to_edit() {
    let app = TestApp::with_lines(1).await;
    let (orderer, viewer) = (app.orderer().await, app.viewer().await);
    orderer.post("/M2M/AssociateCustomer", &held(&app, 1)).await;
    for action in ["start", "cancel", "retry"] {
        let answer = viewer.post_empty(&format!("/api/v1/bulk-changes/1/{action}")).await;
        assert_eq!((answer.status, answer.problems()), (403, vec!["permission_missing".to_owned()]), "{action}");
    }
    assert_eq!(viewer.read("/api/v1/bulk-changes/1").await["status"], "NEW");
}
