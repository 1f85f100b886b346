//! Keys: who is let in, as whom, and what for.

use lineshift_domain::reach::Reach;
use lineshift_engine::Clock as _;
use lineshift_store::access::NewApiKey;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::{Answer, send};
use lineshift_web::{ROUTES, new_api_key_secret, parse_api_key};
use reqwest::Method;
use serde_json::json;

/// What needs no key.
const OPEN: [(&str, &str); 11] = [
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/metrics"),
    ("get", "/openapi.json"),
    ("post", "/callbacks/{tenant_id}/{service_provider_id}"),
    ("post", "/api/v1/session"),
    ("get", "/api/v1/session/openid"),
    ("get", "/api/v1/session/openid/start"),
    ("get", "/api/v1/session/openid/callback"),
    ("post", "/api/v1/session/openid/one-time-password"),
    ("post", "/api/v1/invitation"),
];

/// What an answer says, without what differs from request to request.
fn bytes(answer: &Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    headers.sort();
    (answer.status, headers, answer.body.clone())
}

#[tokio::test]
async fn every_address_but_the_open_ones_needs_a_key() {
    let app = TestApp::with_lines(1).await;
    for row in ROUTES {
        let method = Method::from_bytes(row.method.to_uppercase().as_bytes()).expect("a method");
        let path = row.path.replace("{portal}", "M2M").replace("{id}", "1");
        let answer = send(app.anonymous().request(method, &path)).await;
        assert_eq!(answer.status == 401, !OPEN.contains(&(row.method, row.path)), "{} {path}: {}", row.method, answer.status);
    }
}

#[tokio::test]
async fn a_key_without_scopes_may_do_nothing_but_ask_who_it_is() {
    let app = TestApp::with_lines(1).await;
    app.operator.submit(app.operator.order([lineshift_testkit::operator::iccid(1)], app.operator.amop_assignment())).await;
    let nobody = app.with_scopes("nobody", "").await;
    let queued = ["plan-queue/{id}", "plan-queue/{id}/cancel"];
    for row in ROUTES.iter().filter(|row| !OPEN.contains(&(row.method, row.path)) && row.path != "/api/v1/me") {
        let method = Method::from_bytes(row.method.to_uppercase().as_bytes()).expect("a method");
        let path = row.path.replace("{portal}", "M2M").replace("customers/{id}", "customers/4711").replace("{id}", "1");
        let answer = send(
            nobody.request(method, &path).header("content-type", "application/json").body("{\"effective_date\":\"2026-12-02\"}"),
        )
        .await;
        // The change above has no queue entry.
        let expected = if queued.iter().any(|end| row.path.ends_with(end)) { 404 } else { 403 };
        let expected = if row.path.ends_with("/retry") { 422 } else { expected };
        assert_eq!(answer.status, expected, "{} {path}: {}", row.method, answer.text());
    }
    let me = nobody.read("/api/v1/me").await;
    assert_eq!((&me["key"]["name"], &me["key"]["scopes"]), (&json!("nobody"), &json!([])));
}

#[tokio::test]
async fn whoever_is_refused_gets_the_same_bytes() {
    let app = TestApp::with_lines(1).await;
    let (store, tenant, now) = (&app.operator.store, app.operator.tenant(), app.operator.clock.now());
    let good = app.viewer().await.key().expect("a key").to_owned();
    let parsed = parse_api_key(&good).expect("of the form of a key");
    let other = new_api_key_secret().expect("randomness");

    let (revoked, id) = app.of_tenant(tenant, "revoked", "*").await;
    assert_eq!(revoked.get("/api/v1/me").await.status, 200);
    store.revoke_api_key(tenant, id, now).await.expect("revoked");
    let secret = new_api_key_secret().expect("randomness");
    let expired = NewApiKey {
        name: "expired".to_owned(),
        secret_hash: secret.hash(),
        scopes: "*".parse().expect("scopes"),
        reach: Reach::Everything,
        expires_at: Some(now),
    };
    let expired = store.create_api_key(tenant, &expired, now).await.expect("a key");

    let nobody = bytes(&app.anonymous().get("/api/v1/me").await);
    assert_eq!(nobody.0, 401);
    assert!(nobody.1.contains(&("www-authenticate".to_owned(), "Bearer".to_owned())));
    for (what, key) in [
        ("unknown id", parsed.secret.format(tenant, lineshift_domain::ids::PrincipalId(9_999))),
        ("unknown tenant", parsed.secret.format(lineshift_domain::ids::TenantId(9_999), parsed.id)),
        ("wrong secret", other.format(tenant, parsed.id)),
        ("revoked", revoked.key().expect("a key").to_owned()),
        ("expired", secret.format(tenant, expired)),
        ("malformed", "ls_1_2_3".to_owned()),
        ("something else", "eyJhbGciOiJIUzI1NiJ9.e30.x".to_owned()),
        ("half of one", good[..good.len() - 1].to_owned()),
        ("empty", String::new()),
    ] {
        assert_eq!(bytes(&app.caller(Some(key)).get("/api/v1/me").await), nobody, "{what}");
    }
    let basic = app.anonymous().request(Method::GET, "/api/v1/me").basic_auth("x", Some(&good));
    assert_eq!(bytes(&send(basic).await), nobody);
    let own_header = app.anonymous().request(Method::GET, "/api/v1/me").header("x-api-key", &good);
    assert_eq!(send(own_header).await.status, 200);
}

#[tokio::test]
async fn a_key_says_who_it_is() {
    let app = TestApp::with_lines(0).await;
    insta::assert_json_snapshot!(app.viewer().await.read("/api/v1/me").await, @r#"
    {
      "key": {
        "expires_at": null,
        "id": 2,
        "name": "viewer",
        "scopes": [
          "m2m:view",
          "mobility:view",
          "lnp:view",
          "admin:view"
        ]
      },
      "limits": {
        "body_bytes": 67108864,
        "body_depth": 32,
        "call_timeout_seconds": 30,
        "connect_timeout_seconds": 5,
        "days_ahead": 730,
        "days_back": 400,
        "devices_per_change": 1000000,
        "idempotency_hours": 24,
        "page_lines": 5000,
        "read_back_hours": 24,
        "revio_calls_a_day": 150000,
        "revio_calls_a_minute": 500,
        "revio_concurrency": 32,
        "settle_after_seconds": 600
      },
      "tenant": {
        "id": 1,
        "name": "Altaworx",
        "time_zone": "America/Chicago"
      }
    }
    "#);
}

#[tokio::test]
async fn a_scope_is_for_its_portal() {
    let app = TestApp::with_lines(2).await;
    let admin = app.admin().await;
    let body = |list: &str, line: String| {
        json!({
            "ServiceProviderId": app.operator.jasper.0, list: [line], "ChangeType": 4, "ProcessChanges": false,
            "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "EffectiveDate": "2026-12-24"},
        })
    };
    assert_eq!(admin.post("/M2M/BulkChange", &body("Devices", lineshift_testkit::operator::iccid(1))).await.status, 202);
    assert_eq!(admin.post("/LNP/BulkChange", &body("Numbers", lineshift_testkit::operator::number(2))).await.status, 202);
    let of_lnp = app.with_scopes("lnp", "lnp:view lnp:edit").await;
    let listed = of_lnp.read("/api/v1/bulk-changes").await;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["items"][0]["portal"], "LNP");
    for end in ["", "/devices", "/log", "/export", "/events"] {
        assert_eq!(of_lnp.get(&format!("/api/v1/bulk-changes/1{end}")).await.status, 403, "{end}");
    }
    assert_eq!(of_lnp.post_empty("/api/v1/bulk-changes/1/start").await.status, 403);
    assert_eq!(of_lnp.post_empty("/api/v1/bulk-changes/2/start").await.status, 200);
    assert_eq!(admin.post_empty("/api/v1/bulk-changes/1/start").await.status, 200);
    app.operator.run_until_idle().await;
    let entries = of_lnp.read("/api/v1/plan-queue").await;
    assert_eq!(entries["items"].as_array().map(Vec::len), Some(1));
    let entry = admin.read("/api/v1/plan-queue?bulk_change_id=1").await["items"][0]["id"].as_i64().expect("an id");
    assert_eq!(of_lnp.get(&format!("/api/v1/plan-queue/{entry}")).await.status, 403);
    assert_eq!(of_lnp.post_empty(&format!("/api/v1/plan-queue/{entry}/cancel")).await.status, 403);
}

/// Statements that something sent, the fewest of three times: uses of keys and sessions are written beside requests.
async fn statements<T>(app: &TestApp, asked: impl AsyncFn() -> T) -> u64 {
    let mut fewest = u64::MAX;
    for _ in 0..3 {
        let before = app.operator.stored.statements_sent();
        asked().await;
        fewest = fewest.min(app.operator.stored.statements_sent() - before);
    }
    fewest
}

#[tokio::test]
async fn to_know_who_calls_takes_one_look_up_and_nothing_beside() {
    let app = TestApp::with_lines(1).await;
    let store = &app.operator.store;
    let (by_key, key) = app.of_tenant(app.operator.tenant(), "counted", "*").await;
    let signed_in = app.signed_in("ada@fleet.example", &["administrator"], "*").await;
    let tenant = app.operator.tenant();
    // All that this endpoint asks for itself.
    let endpoint = statements(&app, async || store.get_tenant(tenant).await.expect("the tenant")).await;
    let look_up = statements(&app, async || store.find_api_key(tenant, key).await.expect("asked")).await;
    assert_eq!(statements(&app, async || by_key.read("/api/v1/me").await).await, endpoint + look_up, "a key");
    let look_up = statements(&app, async || store.find_signed_in(tenant, &[0; 32]).await.expect("asked")).await;
    assert_eq!(
        statements(&app, async || signed_in.read("/api/v1/me").await).await,
        endpoint + look_up,
        "a session with its rights"
    );
}
