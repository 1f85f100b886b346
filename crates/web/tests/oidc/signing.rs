//! At a real provider, as people do it.

use chrono::TimeDelta;
use lineshift_engine::Clock as _;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::Answer;
use serde_json::json;

use crate::browser::{Browser, sign_in, word};
use crate::provider::Provider;
use crate::world::{ADA, PUBLIC_URL, empty, with_ada};

/// A real provider, and the product, whose clocks agree, with Ada in it.
async fn world() -> (Provider, TestApp) {
    // Every test's clock begins at the same moment.
    let begins = "2026-12-01T09:00:00Z".parse().expect("a moment");
    let provider = Provider::start(begins, PUBLIC_URL).await;
    let app = with_ada(&provider.issuer).await;
    assert_eq!(app.operator.clock.now(), begins);
    (provider, app)
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.text())
}

#[tokio::test]
async fn somebody_signs_in_at_a_real_provider() {
    let (provider, app) = world().await;
    let mut browser = Browser::of(&app);
    let ways = app.anonymous().read("/api/v1/session/openid").await;
    assert_eq!(ways, json!({"provider": {"label": "Example Inc.", "start": "/api/v1/session/openid/start"}}));

    let there = browser.start("?return_to=/api/v1/users?limit=5").await;
    assert!(there.as_str().starts_with(&provider.issuer), "{there}");
    assert_eq!(word(&there, "redirect_uri"), format!("{PUBLIC_URL}/api/v1/session/openid/callback"));
    assert_eq!((word(&there, "scope"), word(&there, "code_challenge_method")), ("openid email".to_owned(), "S256".to_owned()));
    let back = browser.sign_in_at(&there, "ada").await;
    let arrived = browser.get(&back).await;
    assert_eq!((arrived.status, arrived.header("location")), (303, "/api/v1/users?limit=5"));
    let cookies: Vec<_> = arrived.headers.get_all("set-cookie").iter().map(|line| line.to_str().expect("text")).collect();
    assert!(cookies[0].starts_with("lineshift=1.") && cookies[0].ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookies:?}");
    assert_eq!(cookies[1], "lineshift-begun=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0", "it was for one answer");

    let ada = browser.caller(&app).await;
    assert_eq!(ada.read("/api/v1/me").await["person"]["email"], ADA);
    let users = ada.read("/api/v1/users").await;
    assert_eq!(users["items"][0]["identity_issuer"], provider.issuer);
    let logged = ada.read("/api/v1/audit").await;
    let entry = &logged["items"][0];
    assert_eq!((&entry["action"], &entry["who"]), (&json!("GET /api/v1/session/openid/callback"), &json!(ADA)));
    let told = (&entry["outcome"], &entry["status"], &entry["made"], &entry["body_sha256"]);
    assert_eq!(told, (&json!("done"), &json!(303), &json!(null), &json!(null)));
    assert!(!logged.to_string().contains(&word(&back.parse().expect("an address"), "code")), "nothing of the code");
}

#[tokio::test]
async fn signing_in_again_begins_another_session_and_ends_the_one_before() {
    let (_provider, app) = world().await;
    let mut browser = Browser::of(&app);
    browser.set_cookie("lineshift", &format!("1.{}", "A".repeat(43)));
    assert_eq!(sign_in(&mut browser, "ada").await.status, 303);
    let first = browser.caller(&app).await;
    assert_ne!(first.session().cookie, format!("lineshift=1.{}", "A".repeat(43)), "not what somebody put there");
    assert_eq!(sign_in(&mut browser, "ada").await.status, 303);
    let second = browser.caller(&app).await;
    assert_ne!(first.session().cookie, second.session().cookie);
    assert_eq!((first.get("/api/v1/me").await.status, second.get("/api/v1/me").await.status), (401, 200));
}

#[tokio::test]
async fn a_code_signs_in_once() {
    let (_provider, app) = world().await;
    let mut browser = Browser::of(&app);
    let there = browser.start("").await;
    let begun = browser.cookie("lineshift-begun").expect("it was begun");
    let back = browser.sign_in_at(&there, "ada").await;
    assert_eq!(browser.get(&back).await.status, 303);
    assert_eq!(browser.get(&back).await.status, 400, "what belonged to it is gone");
    browser.set_cookie("lineshift-begun", &begun);
    let again = browser.get(&back).await;
    assert_eq!(again.status, 401, "and the provider takes the code no more: {}", again.text());
}

#[tokio::test]
async fn who_is_nobody_here_is_told_the_same_whoever_they_are() {
    let (provider, app) = world().await;
    let (store, tenant) = (&app.operator.store, app.operator.tenant());
    for email in ["unverified@fleet.example", "off@fleet.example", "out@fleet.example"] {
        let user = app.operator.user(email).await;
        app.operator.member(tenant, user, &["viewer"], "*").await;
        let member = store.find_member_of(tenant, user).await.expect("a store").expect("a member");
        if email.starts_with("off") {
            store.set_user_active(user, false).await.expect("made inactive");
        } else if email.starts_with("out") {
            let membership = lineshift_store::people::Membership { roles: member.roles, reach: member.reach, is_active: false };
            store.update_member(tenant, member.id, &membership).await.expect("made inactive");
        }
    }
    app.operator.user("nowhere@fleet.example").await;
    assert_eq!(sign_in(&mut Browser::of(&app), "ada").await.status, 303);
    let nobody = refused(&sign_in(&mut Browser::of(&app), "nobody").await);
    assert_eq!(nobody.0, 401);
    assert!(nobody.1.starts_with("<!doctype html>") && nobody.1.contains("is nobody here, or may not sign in"), "{}", nobody.1);
    // The last one has Ada's verified address, and is another subject than the one that she is.
    for login in ["unverified", "off", "out", "nowhere", "ada+another"] {
        let mut browser = Browser::of(&app);
        assert_eq!(refused(&sign_in(&mut browser, login).await), nobody, "{login}");
        assert_eq!(browser.cookie("lineshift"), None, "{login}");
    }
    let linked = app.operator.stored.inspect("SELECT oidc_subject FROM users WHERE oidc_issuer IS NOT NULL").await.expect("rows");
    assert_eq!(linked, [["ada"]]);
    assert!(!nobody.1.contains(&provider.issuer));
}

#[tokio::test]
async fn somebody_who_was_invited_needs_no_password() {
    let (provider, app) = world().await;
    let admin = app.admin().await;
    let roles = admin.read("/api/v1/roles").await;
    let viewer = roles["items"].as_array().expect("roles").iter().find(|role| role["name"] == "viewer");
    let viewer = viewer.map_or_else(|| json!([]), |role| json!([role["id"]]));
    let body = json!({"email": "bob@fleet.example", "display_name": "Bob", "roles": viewer, "reach": ["*"]});
    let added = admin.post("/api/v1/users", &body).await;
    assert_eq!(added.status, 201, "{}", added.text());
    let token = added.json()["invitation"]["token"].as_str().expect("an invitation").to_owned();
    let mut browser = Browser::of(&app);
    assert_eq!(sign_in(&mut browser, "bob").await.status, 303);
    assert_eq!(browser.caller(&app).await.read("/api/v1/me").await["person"]["email"], "bob@fleet.example");
    let path = format!("/api/v1/users/{}", added.json()["user"]["id"]);
    assert_eq!(admin.read(&path).await["identity_issuer"], provider.issuer);
    let late = app.anonymous().post("/api/v1/invitation", &json!({"token": token, "password": "tall-window-sings-low"})).await;
    assert_eq!(late.problems(), ["token invitation_unknown"], "nobody takes the account up by it any more");
}

#[tokio::test]
async fn who_cancels_at_the_provider_is_not_signed_in() {
    let (_provider, app) = world().await;
    let mut browser = Browser::of(&app);
    let there = browser.start("").await;
    let back = browser.cancel_at(&there).await;
    assert!(back.contains("error=access_denied"), "{back}");
    let answer = browser.get(&back).await;
    assert_eq!(answer.status, 401);
    assert!(answer.text().contains("did not let you in, or you did not agree"), "{}", answer.text());
    assert_eq!(browser.cookie("lineshift"), None);
}

#[tokio::test]
async fn a_provider_may_change_its_key() {
    let (provider, app) = world().await;
    assert_eq!(sign_in(&mut Browser::of(&app), "ada").await.status, 303);
    provider.rotate().await;
    let early = sign_in(&mut Browser::of(&app), "ada").await;
    assert_eq!(early.status, 401, "the keys were fetched just now: {}", early.text());
    app.operator.clock.advance(TimeDelta::seconds(5));
    assert_eq!(sign_in(&mut Browser::of(&app), "ada").await.status, 303);
}

#[tokio::test]
async fn a_token_of_yesterday_is_not_taken() {
    let (_provider, app) = world().await;
    app.operator.clock.advance(TimeDelta::hours(2));
    let late = sign_in(&mut Browser::of(&app), "ada").await;
    assert_eq!(late.status, 401, "the provider's clock stands where it did: {}", late.text());
}

#[tokio::test]
async fn without_a_provider_there_is_no_way() {
    let app = TestApp::with_lines(0).await;
    assert_eq!(app.anonymous().read("/api/v1/session/openid").await, json!({"provider": null}));
    for path in ["/api/v1/session/openid/start", "/api/v1/session/openid/callback?code=c&state=s"] {
        assert_eq!(app.anonymous().get(path).await.status, 404, "{path}");
    }
    let app = empty("http://127.0.0.1:9/nobody-listens").await;
    let down = app.anonymous().get("/api/v1/session/openid/start").await;
    assert_eq!((down.status, down.problems()), (503, vec!["provider_unavailable".to_owned()]));
}
