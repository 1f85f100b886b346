//! Progress as server-sent events.

use lineshift_engine::Clock as _;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::operator::iccid;
use serde_json::json;

fn order(app: &TestApp, lines: u64, process: bool) -> serde_json::Value {
    let devices: Vec<String> = (1..=lines).map(iccid).collect();
    json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": devices, "SiteId": app.operator.amop_site.0,
        "ProcessChanges": process,
    })
}

#[tokio::test]
async fn a_change_is_followed_from_its_start_to_its_end() {
    let app = TestApp::with_lines(3).await;
    let orderer = app.orderer().await;
    orderer.post("/M2M/AssociateCustomer", &order(&app, 4, true)).await;
    let mut events = orderer.follow("/api/v1/bulk-changes/1/events").await;
    let (name, data) = events.next().await.expect("an event at once");
    assert_eq!(name, "progress");
    insta::assert_json_snapshot!(data, @r#"
    {
      "counts": {
        "canceled": 0,
        "duplicates": 0,
        "error": 1,
        "open": 3,
        "processed": 0,
        "rejected": 1,
        "scheduled_failed": 0,
        "total": 4
      },
      "devices_per_second": null,
      "held": false,
      "seconds_left": null,
      "status": "NEW"
    }
    "#);

    app.operator.run_until_idle().await;
    let mut seen = Vec::new();
    let last = loop {
        let (name, data) = events.next().await.expect("the stream ends with done");
        seen.push(name.clone());
        if name == "done" {
            break data;
        }
    };
    assert!(seen.contains(&"progress".to_owned()), "{seen:?}");
    assert_eq!((&last["status"], &last["counts"]["processed"], &last["seconds_left"]), (&json!("PARTIAL"), &json!(3), &json!(0)));
    assert!(events.next().await.is_none(), "nothing follows done");
}

#[tokio::test]
async fn a_finished_change_is_told_at_once() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    orderer.post("/M2M/AssociateCustomer", &order(&app, 1, true)).await;
    app.operator.run_until_idle().await;
    let mut events = orderer.follow("/api/v1/bulk-changes/1/events").await;
    let names = [events.next().await, events.next().await, events.next().await].map(|event| event.map(|(name, _)| name));
    assert_eq!(names, [Some("progress".to_owned()), Some("done".to_owned()), None]);
}

/// Another process works on the same store: nobody tells this one.
#[tokio::test]
async fn what_others_do_is_noticed_too() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    orderer.post("/M2M/AssociateCustomer", &order(&app, 1, true)).await;
    let mut events = orderer.follow("/api/v1/bulk-changes/1/events").await;
    assert_eq!(events.next().await.expect("an event").1["status"], "NEW");
    let elsewhere = lineshift_engine::Engine::new(
        app.operator.store.clone(),
        app.operator.clock.clone(),
        lineshift_domain::limits::Limits::default(),
    );
    let options = lineshift_engine::WorkerOptions { owner: "elsewhere".to_owned() };
    elsewhere.run_pages_until_idle(&options).await.expect("pages run");
    // A look between claim and result tells that it is under way.
    let mut told = events.next().await.expect("an event").1;
    if told["status"] == "PROCESSING" {
        told = events.next().await.expect("another event").1;
    }
    assert_eq!(told["status"], "PROCESSED");
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let mut app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    orderer.post("/M2M/AssociateCustomer", &order(&app, 1, false)).await;
    let mut events = orderer.follow("/api/v1/bulk-changes/1/events").await;
    assert_eq!(events.next().await.expect("an event").1["status"], "NEW");
    app.stop();
    assert!(events.next().await.is_none());
    app.stopped().await;
}

#[tokio::test]
async fn a_stream_ends_when_its_key_is_revoked() {
    let app = TestApp::with_lines(1).await;
    let (follower, id) = app.of_tenant(app.operator.tenant(), "follower", "m2m:view m2m:create").await;
    follower.post("/M2M/AssociateCustomer", &order(&app, 1, false)).await;
    let mut events = follower.follow("/api/v1/bulk-changes/1/events").await;
    assert_eq!(events.next().await.expect("an event").1["status"], "NEW");
    let now = app.operator.clock.now();
    app.operator.store.revoke_api_key(app.operator.tenant(), id, now).await.expect("the key is there");
    assert!(events.next().await.is_none(), "nothing is told to a revoked key");
}

/// `done` means that the change may be retried, not only that its last row is final.
#[tokio::test]
async fn what_is_done_can_be_retried_at_once() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    orderer.post("/M2M/AssociateCustomer", &order(&app, 2, true)).await;
    let mut events = orderer.follow("/api/v1/bulk-changes/1/events").await;
    app.operator.run_until_idle().await;
    loop {
        let (name, _) = events.next().await.expect("the stream ends with done");
        if name == "done" {
            break;
        }
    }
    assert!(orderer.read("/api/v1/bulk-changes/1").await["processed_at"].is_string());
    let retried = orderer.post_empty("/api/v1/bulk-changes/1/retry").await;
    assert_eq!((retried.status, &retried.json()["attempt"]), (200, &json!(2)));
}
