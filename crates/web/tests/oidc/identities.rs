//! Who somebody is at the provider: seen and taken away by administrators, and by nobody else.

use lineshift_testkit::http::HttpCaller;
use reqwest::Method;
use serde_json::{Value, json};

use crate::browser::{Browser, word};
use crate::tokens::Scene;
use crate::world::ADA;

/// Signs in as that subject with Ada's address; answers the status and who is signed in.
async fn as_subject(scene: &Scene, subject: &str) -> (u16, Option<HttpCaller>) {
    let mut browser = Browser::of(&scene.app);
    let there = browser.start("").await;
    let mut claims = scene.claims(&word(&there, "nonce"));
    claims["sub"] = json!(subject);
    scene.hostile.gives(&scene.signer.token(&json!({"alg": "RS256", "kid": "one"}), &claims));
    let status = browser.get(&format!("/api/v1/session/openid/callback?code=c&state={}", word(&there, "state"))).await.status;
    let caller = if status == 303 { Some(browser.caller(&scene.app).await) } else { None };
    (status, caller)
}

async fn ada_of(admin: &HttpCaller) -> Value {
    let users = admin.read("/api/v1/users").await;
    users["items"].as_array().expect("users").iter().find(|user| user["email"] == ADA).expect("Ada").clone()
}

#[tokio::test]
async fn an_administrator_takes_an_identity_away_and_another_one_takes_its_place() {
    let scene = Scene::new().await;
    let admin = scene.app.admin().await;
    assert_eq!(ada_of(&admin).await["identity_issuer"], Value::Null);
    let (status, ada) = as_subject(&scene, "first").await;
    assert_eq!(status, 303);
    let ada = ada.expect("Ada");
    assert_eq!(as_subject(&scene, "second").await.0, 401, "she is the first one");

    let path = format!("/api/v1/users/{}/identity", ada_of(&admin).await["id"]);
    let viewer = scene.app.viewer().await;
    assert_eq!((viewer.delete(&path).await.status, scene.app.anonymous().delete(&path).await.status), (403, 401));
    assert_eq!(ada_of(&admin).await["identity_issuer"], scene.hostile.issuer, "nothing was done");
    scene.app.operator.clock.advance(chrono::TimeDelta::seconds(1));
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(ada_of(&admin).await["identity_issuer"], Value::Null);
    assert_eq!(ada.get("/api/v1/me").await.status, 401, "she is signed out");
    assert_eq!(as_subject(&scene, "second").await.0, 303);
    assert_eq!(as_subject(&scene, "first").await.0, 401);
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(admin.delete(&path).await.status, 204, "there is none already");
}

#[tokio::test]
async fn an_account_of_several_tenants_is_not_one_tenants_to_change() {
    let scene = Scene::new().await;
    let operator = &scene.app.operator;
    assert_eq!(as_subject(&scene, "first").await.0, 303);
    let admin = scene.app.admin().await;
    let path = format!("/api/v1/users/{}/identity", ada_of(&admin).await["id"]);
    use lineshift_engine::Clock as _;
    let other = operator.store.create_tenant("Another", chrono_tz::UTC, operator.clock.now()).await.expect("a tenant");
    let ada = operator.store.find_user_by_email(ADA).await.expect("a store").expect("Ada").id;
    operator.member(other, ada, &["viewer"], "*").await;
    let refused = admin.delete(&path).await;
    assert_eq!((refused.status, refused.problems()), (409, vec!["conflict".to_owned()]));
    assert_eq!(ada_of(&admin).await["identity_issuer"], scene.hostile.issuer, "nothing was done");
}

#[tokio::test]
async fn the_subject_counts_and_not_the_address() {
    let scene = Scene::new().await;
    assert_eq!(as_subject(&scene, "first").await.0, 303);
    let bob = scene.app.operator.user("bob@fleet.example").await;
    scene.app.operator.member(scene.app.operator.tenant(), bob, &["viewer"], "*").await;
    for change in [
        json!({"email": "bob@fleet.example"}),
        json!({"email": "elsewhere@example.com", "email_verified": false}),
        json!({"email": null, "email_verified": null}),
    ] {
        let mut claims = change.clone();
        claims["sub"] = json!("first");
        let answer = scene.with_claims(claims).await;
        assert_eq!(answer.status, 303, "{change}: {}", answer.text());
    }
    let rows = scene.app.operator.stored.inspect("SELECT email, oidc_subject FROM users ORDER BY email").await.expect("rows");
    assert_eq!(rows[0], [ADA, "first"], "still she");
    let sessions = scene.app.operator.stored.inspect("SELECT count(*) FROM session").await.expect("rows");
    assert_eq!(sessions, [["4"]]);
    let of_bob = "SELECT count(*) FROM session s JOIN member m ON m.tenant_id = s.tenant_id AND m.id = s.member_id JOIN users u ON u.id = m.user_id WHERE u.email LIKE 'bob%'";
    assert_eq!(scene.app.operator.stored.inspect(of_bob).await.expect("rows"), [["0"]]);
}

#[tokio::test]
async fn a_browser_cannot_take_an_identity_away_without_the_sessions_token() {
    let scene = Scene::new().await;
    let ada = as_subject(&scene, "first").await.1.expect("Ada");
    let path = format!("/api/v1/users/{}/identity", ada_of(&ada).await["id"]);
    let forged = scene.app.anonymous().request(Method::DELETE, &path).header("cookie", &ada.session().cookie);
    assert_eq!(lineshift_testkit::http::send(forged).await.problems(), ["csrf_token_missing"]);
}
