//! API keys, as they are administered over the API.

use chrono::TimeDelta;
use lineshift_testkit::app::TestApp;
use serde_json::json;

#[tokio::test]
async fn a_key_is_shown_once_and_used_until_it_is_revoked() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    let body = json!({"name": "nightly", "scopes": ["m2m:view", "admin:view"], "expires_at": "2026-12-02T09:00:00+00:00"});
    let created = admin.post("/api/v1/api-keys", &body).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let (path, shown) = (created.header("location").to_owned(), created.json());
    let expected = json!({"id": shown["api_key"]["id"], "name": "nightly", "scopes": ["m2m:view", "admin:view"], "reach": ["*"],
        "created_at": "2026-12-01T09:00:00Z", "expires_at": "2026-12-02T09:00:00Z", "last_used_at": null, "revoked_at": null});
    assert_eq!((&shown["api_key"], &admin.read(&path).await), (&expected, &expected));
    let key = shown["key"].as_str().expect("the key");
    let secret = key.splitn(4, '_').nth(3).expect("its last part");
    for address in ["/api/v1/api-keys", path.as_str()] {
        assert!(!admin.get(address).await.text().contains(secret), "{address}");
    }

    let nightly = app.caller(Some(key.to_owned()));
    assert_eq!(nightly.read("/api/v1/me").await["key"]["name"], "nightly");
    assert_eq!(nightly.get("/api/v1/api-keys").await.status, 200);
    let revoked = admin.post_empty(&format!("{path}/revoke")).await;
    assert_eq!((revoked.status, &revoked.json()["revoked_at"]), (200, &json!("2026-12-01T09:00:00Z")));
    assert_eq!(nightly.get("/api/v1/me").await.status, 401);
    app.operator.clock.advance(TimeDelta::hours(1));
    let again = admin.post_empty(&format!("{path}/revoke")).await;
    assert_eq!(again.json(), revoked.json(), "it is revoked since the first time");
}

#[tokio::test]
async fn a_key_ends_by_itself() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    let body = json!({"name": "short", "scopes": ["m2m:view"], "expires_at": "2026-12-01T10:00:00Z"});
    let created = admin.post("/api/v1/api-keys", &body).await.json();
    let short = app.caller(created["key"].as_str().map(str::to_owned));
    assert_eq!(short.get("/api/v1/me").await.status, 200);
    app.operator.clock.advance(TimeDelta::hours(1));
    assert_eq!(short.get("/api/v1/me").await.status, 401);
}

#[tokio::test]
async fn keys_are_listed_in_pages() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    for name in ["one", "two", "three"] {
        let created = admin.post("/api/v1/api-keys", &json!({"name": name, "scopes": ["m2m:view"]})).await;
        assert_eq!(created.status, 201, "{}", created.text());
    }
    let mut names = Vec::new();
    let mut path = "/api/v1/api-keys?limit=2".to_owned();
    loop {
        let page = admin.read(&path).await;
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= 2);
        names.extend(items.iter().map(|key| key["name"].as_str().expect("a name").to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/api-keys?limit=2&after={next}");
    }
    assert_eq!(names, ["operator", "admin", "one", "two", "three"]);
}

/// Uses are gathered and written together; what was gathered when the server stops is written then.
#[tokio::test]
async fn what_was_used_is_noted_when_the_server_stops() {
    let mut app = TestApp::with_lines(0).await;
    let tenant = app.operator.tenant();
    let ((one, first), (other, second)) = (app.of_tenant(tenant, "one", "*").await, app.of_tenant(tenant, "other", "*").await);
    one.read("/api/v1/me").await;
    app.operator.clock.advance(TimeDelta::seconds(59));
    one.read("/api/v1/me").await;
    other.read("/api/v1/me").await;
    let (store, _kept) = (app.operator.store.clone(), (app.operator.stored.clone(), app.operator.directory.clone()));
    app.stop();
    app.stopped().await;
    for (id, at) in [(first, "2026-12-01T09:00:00Z"), (second, "2026-12-01T09:00:59Z")] {
        let key = store.find_api_key(tenant, id).await.expect("a store").expect("the key");
        assert_eq!(key.last_used_at, at.parse().ok());
    }
}
