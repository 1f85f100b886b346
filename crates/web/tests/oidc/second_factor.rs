//! Somebody with an authenticator here is asked for it, whatever the provider has asked for.

use chrono::TimeDelta;
use lineshift_engine::Clock as _;
use lineshift_testkit::authenticator::shown;
use lineshift_testkit::http::{Answer, HttpCaller, send};
use lineshift_testkit::people::PASSWORD;
use reqwest::Method;
use serde_json::json;

use crate::browser::{Browser, word};
use crate::tokens::Scene;
use crate::world::ADA;

const PATH: &str = "/api/v1/session/openid/one-time-password";
const COOKIE: &str = "lineshift-recognised";

fn now(scene: &Scene) -> i64 {
    scene.app.operator.clock.now().timestamp()
}

/// Ada uses an authenticator; answers its secret.
async fn enrolled(scene: &Scene) -> String {
    let ada = scene.app.signs_in(ADA).await;
    let told = ada.post("/api/v1/one-time-password", &json!({"password": PASSWORD})).await.json();
    let secret = told["secret"].as_str().expect("a secret").to_owned();
    let body = json!({"enrolment": told["enrolment"], "one_time_password": shown(&secret, now(scene))});
    assert_eq!(ada.put("/api/v1/one-time-password", &body).await.status, 204);
    scene.app.operator.clock.advance(TimeDelta::seconds(30));
    secret
}

/// Comes back from the provider; answers where the browser is sent, and what it keeps.
async fn recognised(scene: &Scene) -> (Answer, Option<String>) {
    let mut browser = Browser::of(&scene.app);
    let there = browser.start("?return_to=/x?y=1").await;
    scene.hostile.gives(&scene.signer.token(&json!({"alg": "RS256", "kid": "one"}), &scene.claims(&word(&there, "nonce"))));
    let answer = browser.get(&format!("/api/v1/session/openid/callback?code=c&state={}", word(&there, "state"))).await;
    assert_eq!(browser.cookie("lineshift"), None, "nobody is signed in yet");
    (answer, browser.cookie(COOKIE))
}

async fn complete(scene: &Scene, cookie: &str, password: &str) -> Answer {
    let request = scene.app.anonymous().request(Method::POST, PATH).header("cookie", format!("{COOKIE}={cookie}"));
    send(request.json(&json!({"one_time_password": password}))).await
}

async fn is_linked(admin: &HttpCaller) -> bool {
    admin.read("/api/v1/users").await["items"][0]["identity_issuer"].is_string()
}

#[tokio::test]
async fn a_one_time_password_is_asked_for_and_signs_in() {
    let scene = Scene::new().await;
    let secret = enrolled(&scene).await;
    let admin = scene.app.admin().await;
    let (answer, cookie) = recognised(&scene).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/sign-in/one-time-password?next=%2Fx%3Fy%3D1"));
    let cookie = cookie.expect("it keeps who was recognised");
    assert!(!is_linked(&admin).await, "that comes with the second proof");
    let wrong = complete(&scene, &cookie, "000000").await;
    assert_eq!((wrong.status, wrong.problems()), (401, vec!["sign_in_refused".to_owned()]));
    let password = shown(&secret, now(&scene));
    let done = complete(&scene, &cookie, &password).await;
    assert_eq!(done.status, 200, "{}", done.text());
    let cookies: Vec<_> = done.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok()).collect();
    assert!(cookies[0].starts_with("lineshift=1.") && cookies[1].starts_with(&format!("{COOKIE}=; ")), "{cookies:?}");
    let ada = scene.app.anonymous().with_session(&done);
    assert_eq!(ada.read("/api/v1/me").await["person"]["email"], ADA);
    assert!(is_linked(&admin).await);
    let logged = admin.read("/api/v1/audit").await;
    assert!(
        logged["items"].as_array().expect("entries").iter().any(|entry| entry["action"] == format!("POST {PATH}")),
        "{logged}"
    );
    assert_eq!(complete(&scene, &cookie, &password).await.status, 401, "it is taken once");
}

#[tokio::test]
async fn nobody_guesses_it() {
    let scene = Scene::new().await;
    let secret = enrolled(&scene).await;
    let cookie = recognised(&scene).await.1.expect("a cookie");
    for nth in 0..5 {
        assert_eq!(complete(&scene, &cookie, &format!("00000{nth}")).await.status, 401);
    }
    let locked = complete(&scene, &cookie, &shown(&secret, now(&scene))).await;
    assert_eq!((locked.status, locked.problems()), (429, vec!["too_many_attempts".to_owned()]));
}

#[tokio::test]
async fn it_is_for_whom_the_provider_vouched_and_for_five_minutes() {
    let scene = Scene::new().await;
    let secret = enrolled(&scene).await;
    let cookie = recognised(&scene).await.1.expect("a cookie");
    let password = || shown(&secret, now(&scene));
    for wrong in ["", "x", &cookie[1..]] {
        assert_eq!(complete(&scene, wrong, &password()).await.problems(), ["sign_in_refused"], "{wrong}");
    }
    let begun = Browser::of(&scene.app).get(crate::browser::START).await;
    let begun =
        begun.header("set-cookie").split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie").1.to_owned();
    assert_eq!(complete(&scene, &begun, &password()).await.problems(), ["sign_in_refused"], "a cookie of another kind");
    let evil = scene.app.anonymous().request(Method::POST, PATH).header("cookie", format!("{COOKIE}={cookie}"));
    let evil = send(evil.header("origin", "https://evil.example").json(&json!({"one_time_password": password()}))).await;
    assert_eq!((evil.status, evil.problems()), (403, vec!["cross_site_request".to_owned()]), "sent by another site");
    scene.app.operator.clock.advance(TimeDelta::minutes(5));
    assert_eq!(complete(&scene, &cookie, &password()).await.problems(), ["sign_in_refused"], "too late");
}

#[tokio::test]
async fn an_identity_that_was_taken_away_meanwhile_signs_nobody_in() {
    let scene = Scene::new().await;
    assert_eq!(recognised_first(&scene).await, 303);
    let secret = enrolled(&scene).await;
    let cookie = recognised(&scene).await.1.expect("a cookie");
    let admin = scene.app.admin().await;
    let path = format!("/api/v1/users/{}/identity", admin.read("/api/v1/users").await["items"][0]["id"]);
    assert_eq!(admin.delete(&path).await.status, 204);
    let answer = complete(&scene, &cookie, &shown(&secret, now(&scene))).await;
    assert_eq!(answer.problems(), ["sign_in_refused"]);
    assert!(!is_linked(&admin).await);
}

/// Signs in without a second proof, before there is one.
async fn recognised_first(scene: &Scene) -> u16 {
    scene.with_claims(json!({})).await.status
}

#[tokio::test]
async fn people_are_asked_on_a_page() {
    let scene = Scene::new().await;
    let secret = enrolled(&scene).await;
    let mut browser = Browser::of(&scene.app);
    let page = browser.get("/sign-in?next=/m2m/lines").await.text();
    assert!(
        page.contains(r#"<a href="/api/v1/session/openid/start?return_to=%2Fm2m%2Flines">Sign in with Example Inc.</a>"#),
        "{page}"
    );
    let there = browser.start("?return_to=%2Fm2m%2Flines").await;
    scene.hostile.gives(&scene.signer.token(&json!({"alg": "RS256", "kid": "one"}), &scene.claims(&word(&there, "nonce"))));
    let led = browser.get(&format!("/api/v1/session/openid/callback?code=c&state={}", word(&there, "state"))).await;
    let asked = browser.get(led.header("location")).await.text();
    assert!(asked.contains(r#"name="next" value="/m2m/lines""#) && asked.contains("what it shows now"), "{asked}");
    let path = "/sign-in/one-time-password";
    let wrong = browser.post(path, &[("next", "/m2m/lines"), ("one_time_password", "000000")]).await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.text().contains("the one-time password is wrong"), "{}", wrong.text());
    let password = shown(&secret, now(&scene));
    let entered = browser.post(path, &[("next", "//evil.example"), ("one_time_password", &password)]).await;
    assert_eq!((entered.status, entered.header("location")), (303, "/"), "{}", entered.text());
    assert_eq!(browser.cookie(COOKIE), None);
    assert_eq!(browser.get("/m2m/lines").await.status, 200);
}
