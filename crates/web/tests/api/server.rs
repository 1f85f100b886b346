//! What is for whoever runs the server, and what stands around every answer.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::send;
use lineshift_testkit::operator::iccid;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn the_server_says_that_it_lives_and_can_work() {
    let app = TestApp::with_lines(0).await;
    let anonymous = app.anonymous();
    assert_eq!(anonymous.get("/healthz").await.text(), "ok");
    assert_eq!(anonymous.read("/readyz").await, json!({"ready": true, "store": app.operator.store.engine()}));
    assert_eq!(anonymous.get("/metrics").await.status, 404, "nothing is measured without a recorder");
}

#[tokio::test]
async fn what_is_measured_is_shown_by_name() {
    let app = TestApp::measured(3).await;
    let (orderer, anonymous) = (app.orderer().await, app.anonymous());
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1), iccid(2), iccid(9)], "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "EffectiveDate": "2026-12-24"},
    });
    assert_eq!(orderer.post("/M2M/BulkChange", &body).await.status, 202);
    let scrape = async || anonymous.get("/metrics").await.text();
    let before = scrape().await;
    let has = |text: &str, line: &str| assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
    has(&before, "lineshift_pages_waiting 1");
    has(&before, "lineshift_plan_queue_due 0");
    app.operator.clock.set("2026-12-25T00:00:00Z");
    has(&scrape().await, "lineshift_pages_oldest_seconds 2041200");
    let options = lineshift_engine::WorkerOptions { owner: "test".to_owned() };
    app.operator.engine.run_pages_until_idle(&options).await.expect("pages run");
    let after = scrape().await;
    has(&after, "lineshift_pages_waiting 0");
    has(&after, "lineshift_plan_queue_due 2");
    has(&after, "lineshift_stuck_steps 0");
    has(&after, r#"lineshift_device_changes_total{outcome="PROCESSED",code=""} 2"#);
    has(&after, r#"lineshift_http_request_seconds_count{method="POST",route="/{portal}/BulkChange",status="202"} 1"#);
    for name in [
        "lineshift_device_changes_total",
        "lineshift_page_seconds",
        "lineshift_step_seconds",
        "lineshift_outside_calls_total",
        "lineshift_outbox_oldest_seconds",
        "lineshift_store_readers_in_use",
        "lineshift_statement_seconds",
        "lineshift_quota_left",
    ] {
        assert!(after.contains(&format!("# TYPE {name} ")), "{name} is not in:\n{after}");
    }
    let missing = anonymous.get("/nowhere").await.body;
    for (name, value) in
        [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1"), ("via", "1.1 proxy"), ("x-real-ip", "::1")]
    {
        let handed_on = send(anonymous.request(Method::GET, "/metrics").header(name, value)).await;
        assert_eq!((handed_on.status, &handed_on.body), (404, &missing), "{name}: it is for this machine alone");
    }
    for secret in [orderer.key().expect("a key"), &iccid(1)] {
        assert!(!after.contains(secret), "labels hold neither keys nor lines");
    }
}

#[tokio::test]
async fn the_document_and_its_pages_are_served() {
    let app = TestApp::with_lines(0).await;
    let anonymous = app.anonymous();
    let document = anonymous.get("/openapi.json").await;
    assert_eq!(document.text(), lineshift_web::openapi_json());
    let page = anonymous.get("/docs/").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("swagger-ui"), "{}", page.text());
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    // Scripts come from the server itself: the policy allows nothing that stands in the page.
    assert!(!page.text().contains("<script>"), "an inline script would not run: {}", page.text());
    for file in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        assert_eq!(anonymous.get(&format!("/docs/{file}")).await.status, 200, "{file}");
    }
    let initializer = anonymous.get("/docs/swagger-initializer.js").await.text();
    assert!(initializer.contains("/openapi.json"), "{initializer}");
    let nothing = anonymous.get("/docs/%2e%2e/%2e%2e/etc/passwd.txt").await;
    assert_eq!((nothing.status, nothing.header("content-type")), (404, "application/problem+json"));
}

#[tokio::test]
async fn every_answer_keeps_browsers_and_caches_away() {
    let app = TestApp::with_lines(0).await;
    let (admin, anonymous) = (app.admin().await, app.anonymous());
    let answers = [
        admin.get("/api/v1/devices").await,
        anonymous.get("/api/v1/devices").await,
        anonymous.get("/nowhere").await,
        anonymous.get("/healthz").await,
        send(admin.request(Method::DELETE, "/api/v1/devices")).await,
    ];
    let mut ids = Vec::new();
    for answer in answers {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
        ids.push(answer.header("x-request-id").to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5, "every request has an id of its own");
}

#[tokio::test]
async fn wrong_addresses_and_methods_are_problems_too() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    let nowhere = admin.get("/api/v2/devices").await;
    assert_eq!((nowhere.status, nowhere.header("content-type")), (404, "application/problem+json"));
    for (method, path, allowed) in [
        (Method::DELETE, "/api/v1/sites", "GET,HEAD,POST"),
        (Method::PUT, "/api/v1/sites/1", "GET,HEAD,PATCH"),
        (Method::GET, "/M2M/BulkChange", "POST"),
        (Method::POST, "/healthz", "GET,HEAD"),
    ] {
        let answer = send(admin.request(method.clone(), path)).await;
        assert_eq!((answer.status, answer.header("content-type")), (405, "application/problem+json"), "{method} {path}");
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
    }
    let head = send(admin.request(Method::HEAD, "/api/v1/sites")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn a_server_that_stops_ends_what_it_began_and_takes_nothing_new() {
    let mut app = TestApp::with_lines(0).await;
    let anonymous = app.anonymous();
    assert_eq!(anonymous.get("/healthz").await.status, 200);
    app.stop();
    let url = app.url.clone();
    app.stopped().await;
    assert!(tokio::net::TcpStream::connect(url.trim_start_matches("http://")).await.is_err());
}
