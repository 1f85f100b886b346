//! Requests that another site makes a browser send.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::{Answer, HttpCaller, send};
use lineshift_testkit::people::PASSWORD;
use lineshift_web::ROUTES;
use reqwest::Method;
use serde_json::json;

/// A request with the cookie alone, as a browser adds it whoever asks.
async fn with_cookie(app: &TestApp, signed_in: &HttpCaller, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = app.anonymous().request(method, path).header("cookie", &signed_in.session().cookie);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(request.header("content-type", "application/json").body("{\"name\":\"Depot\"}")).await
}

#[tokio::test]
async fn no_address_changes_anything_without_the_token() {
    let app = TestApp::with_lines(1).await;
    let ada = app.signed_in("ada@fleet.example", &["administrator"], "*").await;
    let open = ["/callbacks/{tenant_id}/{service_provider_id}", "/api/v1/invitation", "/api/v1/session/openid/one-time-password"];
    let mut asked = 0;
    for row in ROUTES.iter().filter(|row| row.method != "get" && !open.contains(&row.path)) {
        if (row.method, row.path) == ("post", "/api/v1/session") {
            continue;
        }
        let method = Method::from_bytes(row.method.to_uppercase().as_bytes()).expect("a method");
        let path = row.path.replace("{portal}", "M2M").replace("{id}", "1");
        let missing = with_cookie(&app, &ada, method.clone(), &path, &[]).await;
        assert_eq!((missing.status, missing.problems()), (403, vec!["csrf_token_missing".to_owned()]), "{} {path}", row.method);
        let wrong = with_cookie(&app, &ada, method, &path, &[("x-csrf-token", &"A".repeat(43))]).await;
        assert_eq!((wrong.status, wrong.problems()), (403, vec!["csrf_token_wrong".to_owned()]), "{} {path}", row.method);
        asked += 1;
    }
    assert!(asked > 20, "{asked} addresses were asked: this test looks for the wrong thing");
    assert_eq!(ada.read("/api/v1/session").await["person"]["email"], "ada@fleet.example", "still signed in");
}

#[tokio::test]
async fn pages_of_this_server_may_and_others_may_not_even_with_the_token() {
    let app = TestApp::with_lines(1).await;
    let ada = app.signed_in("ada@fleet.example", &["administrator"], "*").await;
    let other = app.signs_in("ada@fleet.example").await;
    let token = ada.session().csrf.clone();
    let create = async |headers: &[(&str, &str)]| {
        let answer = with_cookie(&app, &ada, Method::POST, "/api/v1/customer-rate-pools", headers).await;
        if answer.status == 403 { answer.problems().join(" ") } else { answer.status.to_string() }
    };
    assert_eq!(create(&[("x-csrf-token", &token)]).await, "201");
    assert_eq!(create(&[("x-csrf-token", &token), ("origin", &app.url), ("sec-fetch-site", "same-origin")]).await, "201");
    assert_eq!(create(&[("x-csrf-token", &other.session().csrf)]).await, "csrf_token_wrong", "that of another session");
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(create(&[("x-csrf-token", &token), ("origin", origin)]).await, "cross_site_request", "{origin}");
    }
    assert_eq!(create(&[("x-csrf-token", &token), ("sec-fetch-site", "cross-site")]).await, "cross_site_request");
}

#[tokio::test]
async fn reading_needs_no_token() {
    let app = TestApp::with_lines(1).await;
    let ada = app.signed_in("ada@fleet.example", &["administrator"], "*").await;
    for method in [Method::GET, Method::HEAD] {
        assert_eq!(with_cookie(&app, &ada, method, "/api/v1/devices", &[]).await.status, 200);
    }
}

#[tokio::test]
async fn keys_need_no_token_and_go_before_a_cookie() {
    let app = TestApp::with_lines(1).await;
    let ada = app.signed_in("ada@fleet.example", &["administrator"], "*").await;
    let (key, viewer) = (app.admin().await, app.viewer().await);
    let pool = json!({"name": "Pool"});
    assert_eq!(key.post("/api/v1/customer-rate-pools", &pool).await.status, 201);
    let bearer = |key: &HttpCaller| format!("Bearer {}", key.key().expect("a key"));
    let both = with_cookie(&app, &ada, Method::POST, "/api/v1/customer-rate-pools", &[("authorization", &bearer(&key))]).await;
    assert_eq!(both.status, 201);
    let both = with_cookie(&app, &ada, Method::POST, "/api/v1/customer-rate-pools", &[("authorization", &bearer(&viewer))]).await;
    assert_eq!(both.problems(), ["permission_missing"], "as the key, which may less");
    let wrong = with_cookie(&app, &ada, Method::GET, "/api/v1/me", &[("x-api-key", "ls_1_2_3")]).await;
    assert_eq!(wrong.status, 401, "nor does the cookie help a wrong key");
}

#[tokio::test]
async fn nobody_is_signed_in_by_another_site() {
    let app = TestApp::with_lines(0).await;
    app.signed_in("ada@fleet.example", &["viewer"], "*").await;
    let body = json!({"email": "ada@fleet.example", "password": PASSWORD});
    let from = async |name: &str, value: &str| {
        send(app.anonymous().request(Method::POST, "/api/v1/session").header(name, value).json(&body)).await
    };
    assert_eq!(from("origin", "https://evil.example").await.problems(), ["cross_site_request"]);
    assert_eq!(from("sec-fetch-site", "cross-site").await.problems(), ["cross_site_request"]);
    assert_eq!(from("origin", &app.url).await.status, 200);
    let form = app.anonymous().request(Method::POST, "/api/v1/session").header("content-type", "text/plain");
    assert_eq!(send(form.body(body.to_string())).await.status, 415, "what a form can send is not read");
}
