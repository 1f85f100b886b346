//! Nothing of one tenant is seen by another: its ids do not exist there, to the byte.

use lineshift_domain::sync::SyncParts;
use lineshift_engine::Clock as _;
use lineshift_store::sync::NewSyncRun;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::{HttpCaller, send};
use lineshift_testkit::operator::iccid;
use lineshift_web::ROUTES;
use reqwest::Method;
use serde_json::{Value, json};

/// A role and a user of the admin's own: the ids of both, and that of the admin's key, in the order of the addresses that name them.
async fn add_people(admin: &HttpCaller) -> [(&'static str, String); 3] {
    let role = admin.post("/api/v1/roles", &json!({"name": "Mine", "scopes": ["m2m:view"]})).await.json();
    let user = json!({"email": "ann@example.com", "display_name": "Ann", "roles": [role["id"]], "reach": ["*"]});
    let user = admin.post("/api/v1/users", &user).await.json();
    let key = admin.read("/api/v1/me").await;
    [
        ("roles/{id}", format!("roles/{}", role["id"])),
        ("users/{id}", format!("users/{}", user["user"]["id"])),
        ("api-keys/{id}", format!("api-keys/{}", key["key"]["id"])),
    ]
}

/// A body that each address with an id takes.
fn body_for(path: &str) -> Value {
    if path.contains("plan-queue") { json!({"effective_date": "2026-12-25"}) } else { json!({"name": "Mine"}) }
}

/// Whether a key, to which nobody is signed in, has no use for that address.
pub(crate) fn is_for_people(path: &str) -> bool {
    ["/session", "/password", "/one-time-password", "/invitations"].iter().any(|part| path.starts_with(&format!("/api/v1{part}")))
}

/// A synchronisation of the operator's.
pub(crate) async fn begin_sync(app: &TestApp) -> i64 {
    let run = NewSyncRun {
        integration_authentication_id: app.operator.authentication,
        service_provider_id: None,
        what: SyncParts::BILLING,
        full: false,
        usage_lines: Vec::new(),
        ordered_by: "test".to_owned(),
    };
    app.operator.store.begin_sync_run(app.operator.tenant(), &run, app.operator.clock.now()).await.expect("a run").id.0
}

async fn bytes(caller: &HttpCaller, method: &str, path: &str) -> (u16, Vec<u8>) {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
    let request = caller.request(method.clone(), path);
    let answer = send(if method == Method::PATCH { request.json(&body_for(path)) } else { request }).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn ids_of_another_tenant_are_answered_like_missing_ones() {
    let app = TestApp::with_lines(2).await;
    let (admin, stranger) = (app.admin().await, app.stranger().await);
    let order = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "EffectiveDate": "2026-12-24"},
    });
    assert_eq!(admin.post("/M2M/BulkChange", &order).await.status, 202);
    app.operator.run_until_idle().await;
    begin_sync(&app).await;
    let people = add_people(&admin).await;

    for row in ROUTES.iter().filter(|row| row.path.contains("{id}") && !is_for_people(row.path)) {
        let theirs = people.iter().fold(row.path.to_owned(), |path, (pattern, found)| path.replace(pattern, found));
        let theirs = theirs.replace("customers/{id}", "customers/4711").replace("{id}", "1");
        let nobodys = row.path.replace("{id}", "999999");
        let (status, body) = bytes(&stranger, row.method, &theirs).await;
        assert_eq!(status, 404, "{} {theirs}: {}", row.method, String::from_utf8_lossy(&body));
        assert_eq!((status, &body), (404, &bytes(&stranger, row.method, &nobodys).await.1), "{} {theirs}", row.method);
        assert_eq!(body, bytes(&admin, row.method, &nobodys).await.1, "{} {nobodys}", row.method);
        let nonsense = row.path.replace("{id}", "nonsense");
        assert_eq!(body, bytes(&admin, row.method, &nonsense).await.1, "{} {nonsense}", row.method);
    }
    assert_eq!(admin.read("/api/v1/sites/1").await["name"], "Depot", "nothing was changed");
    assert_eq!(admin.read("/api/v1/plan-queue/1").await["state"], "open");
}

#[tokio::test]
async fn lists_hold_what_is_ones_own() {
    let app = TestApp::with_lines(2).await;
    let (admin, stranger) = (app.admin().await, app.stranger().await);
    let order = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "EffectiveDate": "2026-12-24"},
    });
    assert_eq!(admin.post("/M2M/BulkChange", &order).await.status, 202);
    app.operator.run_until_idle().await;
    begin_sync(&app).await;
    add_people(&admin).await;
    let lists = ROUTES.iter().filter(|row| row.method == "get" && row.path.starts_with("/api/v1/") && !row.path.contains("{id}"));
    for row in lists.filter(|row| !["/api/v1/me", "/api/v1/audit/export"].contains(&row.path) && !is_for_people(row.path)) {
        // Nothing is unsettled here; billing's own test looks at it.
        assert_eq!(admin.read(row.path).await["items"] == json!([]), row.path.ends_with("/unsettled-steps"), "{}", row.path);
        // Every tenant has roles, and whoever asks has a key.
        let own = match row.path {
            "/api/v1/roles" => 4,
            "/api/v1/api-keys" => 1,
            _ => 0,
        };
        let listed = stranger.read(row.path).await;
        assert_eq!((listed["items"].as_array().map(Vec::len), &listed["next"]), (Some(own), &json!(null)), "{}", row.path);
    }
    assert_eq!(stranger.read("/api/v1/api-keys").await["items"][0]["name"], "stranger");
    assert!(!stranger.get("/api/v1/roles").await.text().contains("Mine"));
    for query in ["bulk_change_id=1", "device_id=1"] {
        assert_eq!(stranger.read(&format!("/api/v1/plan-queue?{query}")).await["items"], json!([]));
    }
    for query in [format!("iccid={}", iccid(1)), "service_provider_id=1".to_owned()] {
        assert_eq!(stranger.read(&format!("/api/v1/devices?{query}")).await["items"], json!([]));
    }
    assert_eq!(stranger.read("/api/v1/me").await["tenant"]["name"], "Another operator");
}

#[tokio::test]
async fn a_key_that_names_another_tenant_is_no_key() {
    let app = TestApp::with_lines(1).await;
    let stranger = app.stranger().await;
    let key = stranger.key().expect("a key").to_owned();
    let parsed = lineshift_web::parse_api_key(&key).expect("of the form of a key");
    let forged = parsed.secret.format(app.operator.tenant(), parsed.id);
    assert_eq!(app.caller(Some(forged)).get("/api/v1/devices").await.status, 401);
}
