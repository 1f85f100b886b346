//! Providers that cannot be reached, or answer what nobody asked for: a clear answer, soon, and nothing of theirs in it.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use lineshift_testkit::http::Answer;
use serde_json::{Value, json};

use crate::browser::{Browser, START, word};
use crate::hostile::{DISCOVERY, KEYS, Says, TOKEN, USERINFO};
use crate::tokens::Scene;
use crate::world::{PUBLIC_URL, with_ada};

/// What no answer may repeat.
const MARK: &str = "<script>alert('provider')</script>";

fn oddities() -> Vec<(&'static str, Says)> {
    vec![
        ("a page", Says::Html(format!("<!doctype html>{MARK}"))),
        ("a failure", Says::Json(500, json!({"error": MARK}))),
        ("nothing", Says::Nothing),
        ("too much", Says::Huge(300 << 10)),
        ("far too much", Says::Huge(64 << 20)),
        ("another place", Says::Redirect("http://127.0.0.1:9/elsewhere".to_owned())),
        ("other JSON", Says::Json(200, json!([MARK]))),
    ]
}

fn assert_unavailable(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 503, "{what}: {}", answer.text());
    assert!(answer.text().contains("signing in at the provider does not work now"), "{what}: {}", answer.text());
    assert!(!answer.text().contains("script"), "{what}: {}", answer.text());
    assert_eq!(answer.header("retry-after"), "5", "{what}");
}

#[tokio::test]
async fn whatever_is_wrong_with_its_documents_is_answered_alike_and_soon() {
    let scene = Scene::new().await;
    let clock = &scene.app.operator.clock;
    let document = scene.hostile.document();
    let with = |name: &str, value: Value| {
        let mut changed = document.clone();
        changed[name] = value;
        Says::Json(200, changed)
    };
    let mut wrong = oddities();
    wrong.extend([
        ("another issuer", with("issuer", json!("https://evil.example"))),
        ("an address without TLS", with("token_endpoint", json!("http://192.0.2.1/token"))),
        ("no address", with("jwks_uri", json!("/keys"))),
        ("no PKCE", with("code_challenge_methods_supported", json!(["plain"]))),
    ]);
    for (what, says) in wrong {
        scene.hostile.says(DISCOVERY, says);
        let begun = Instant::now();
        assert_unavailable(&Browser::of(&scene.app).get(START).await, what);
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        clock.advance(TimeDelta::seconds(5));
    }
    scene.hostile.says(DISCOVERY, Says::Json(200, document));
    assert_eq!(Browser::of(&scene.app).get(START).await.status, 303, "it is well again");
}

#[tokio::test]
async fn whatever_is_wrong_at_the_end_signs_nobody_in() {
    for path in [TOKEN, KEYS, USERINFO] {
        let scene = Scene::new().await;
        for (what, says) in oddities() {
            let mut browser = Browser::of(&scene.app);
            let there = browser.start("").await;
            let mut claims = scene.claims(&word(&there, "nonce"));
            claims["email"] = Value::Null;
            claims["email_verified"] = Value::Null;
            scene.hostile.gives(&scene.signer.token(&json!({"alg": "RS256", "kid": "one"}), &claims));
            scene.hostile.says(path, says);
            let answer = browser.get(&format!("/api/v1/session/openid/callback?code=c&state={}", word(&there, "state"))).await;
            let what = format!("{path}: {what}");
            // No keys are none of the token's.
            assert_unavailable(&answer, &what);
            assert_eq!(browser.cookie("lineshift"), None, "{what}");
            scene.app.operator.clock.advance(TimeDelta::seconds(5));
        }
    }
}

#[tokio::test]
async fn what_the_provider_says_against_the_code_or_us_is_kept_apart() {
    let scene = Scene::new().await;
    for (word_of_it, status) in [("invalid_grant", 401), ("invalid_client", 503), (MARK, 503)] {
        let mut browser = Browser::of(&scene.app);
        let there = browser.start("").await;
        scene.hostile.says(TOKEN, Says::Json(400, json!({"error": word_of_it, "error_description": MARK})));
        let answer = browser.get(&format!("/api/v1/session/openid/callback?code=c&state={}", word(&there, "state"))).await;
        assert_eq!(answer.status, status, "{word_of_it}: {}", answer.text());
        assert!(!answer.text().contains("script"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_provider_that_fails_is_left_alone_for_a_while_and_asked_once_by_many() {
    let scene = Scene::new().await;
    scene.hostile.says(DISCOVERY, Says::Json(500, json!({})));
    for _ in 0..20 {
        assert_unavailable(&Browser::of(&scene.app).get(START).await, "it fails");
    }
    assert_eq!(scene.hostile.came(DISCOVERY).len(), 1);
    scene.app.operator.clock.advance(TimeDelta::seconds(5));
    scene.hostile.says(DISCOVERY, Says::Json(200, scene.hostile.document()));
    let mut browsers: Vec<Browser> = (0..20).map(|_| Browser::of(&scene.app)).collect();
    let answers = futures::future::join_all(browsers.iter_mut().map(|browser| browser.get(START))).await;
    assert!(answers.iter().all(|answer| answer.status == 303));
    assert_eq!(scene.hostile.came(DISCOVERY).len(), 2, "one for all of them");
}

#[tokio::test]
async fn hosts_that_its_documents_name_are_reached_at_public_addresses_only() {
    let scene = Scene::new().await;
    let elsewhere = Scene::new().await;
    let mut document = scene.hostile.document();
    document["token_endpoint"] = json!(format!("{}{TOKEN}", elsewhere.hostile.issuer));
    scene.hostile.says(DISCOVERY, Says::Json(200, document));
    let mut browser = Browser::of(&scene.app);
    let there = browser.start("").await;
    let back = format!("/api/v1/session/openid/callback?code=c&state={}", word(&there, "state"));
    assert_unavailable(&browser.get(&back).await, "another port of this machine");
    assert!(elsewhere.hostile.came(TOKEN).is_empty(), "neither the code nor the secret went there");
}

#[tokio::test]
async fn nobody_listens() {
    let app = with_ada("http://127.0.0.1:9").await;
    let mut browser = Browser::of(&app);
    assert_unavailable(&browser.get(&format!("{PUBLIC_URL}{START}")).await, "nobody listens");
}
