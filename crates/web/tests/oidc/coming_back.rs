//! The way back is for the browser that went, once, soon, and to a place of this server.

use chrono::TimeDelta;
use lineshift_testkit::http::{Answer, send};
use reqwest::Method;
use serde_json::json;

use crate::browser::{Browser, START, word};
use crate::hostile::TOKEN;
use crate::tokens::Scene;

const COOKIE: &str = "lineshift-begun";

fn back(state: &str) -> String {
    format!("/api/v1/session/openid/callback?code=c&state={state}")
}

fn assert_not_begun(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {}", answer.text());
    assert!(answer.text().contains("this browser did not begin this sign-in"), "{what}: {}", answer.text());
}

#[tokio::test]
async fn an_answer_is_for_the_browser_that_asked() {
    let scene = Scene::new().await;
    let (mut mine, mut theirs) = (Browser::of(&scene.app), Browser::of(&scene.app));
    let (there, _) = (mine.start("").await, theirs.start("").await);
    let state = word(&there, "state");
    assert_not_begun(&Browser::of(&scene.app).get(&back(&state)).await, "a browser that began nothing");
    assert_not_begun(&theirs.get(&back(&state)).await, "one that began another sign-in");
    let cookie = mine.cookie(COOKIE).expect("a cookie");
    for wrong in ["", "x", &state[1..], &state.to_uppercase(), &format!("{state}x")] {
        assert_not_begun(&mine.get(&back(wrong)).await, &format!("the state {wrong:?}"));
    }
    assert_not_begun(&mine.get("/api/v1/session/openid/callback").await, "no answer at all");
    assert_not_begun(&mine.get(&format!("{}&state={state}", back(&state))).await, "the state twice");
    for wrong in ["x".to_owned(), cookie[1..].to_owned(), format!("{cookie}A"), format!("{cookie}; {COOKIE}={cookie}")] {
        mine.set_cookie(COOKIE, &wrong);
        assert_not_begun(&mine.get(&back(&state)).await, "a cookie that was changed");
    }
    mine.set_cookie(COOKIE, &cookie);
    assert!(scene.hostile.came(TOKEN).is_empty(), "of none of them the provider was asked anything");
    let head =
        send(scene.app.anonymous().request(Method::HEAD, &back(&state)).header("cookie", format!("{COOKIE}={cookie}"))).await;
    assert_eq!(head.status, 405, "a look that uses nothing up");
    let claims = scene.claims(&word(&there, "nonce"));
    scene.hostile.gives(&scene.signer.token(&json!({"alg": "RS256", "kid": "one"}), &claims));
    assert_eq!(mine.get(&back(&state)).await.status, 303);
}

#[tokio::test]
async fn a_sign_in_is_waited_for_ten_minutes() {
    let scene = Scene::new().await;
    for (minutes, status) in [(9, 303), (10, 400)] {
        let mut browser = Browser::of(&scene.app);
        let there = browser.start("").await;
        scene.app.operator.clock.advance(TimeDelta::minutes(minutes));
        let claims = scene.claims(&word(&there, "nonce"));
        scene.hostile.gives(&scene.signer.token(&json!({"alg": "RS256", "kid": "one"}), &claims));
        assert_eq!(browser.get(&back(&word(&there, "state"))).await.status, status, "{minutes}");
    }
}

#[tokio::test]
async fn what_a_browser_keeps_is_sealed() {
    let scene = Scene::new().await;
    let answer = Browser::of(&scene.app).get(&format!("{START}?return_to=/marked")).await;
    let (cookie, attributes) = answer.header("set-cookie").split_once("; ").expect("a cookie");
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Lax; Max-Age=600");
    let there = reqwest::Url::parse(answer.header("location")).expect("an address");
    let bytes = {
        use base64::Engine as _;
        let value = cookie.strip_prefix("lineshift-begun=").expect("its name");
        base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(value).expect("base64")
    };
    let text = String::from_utf8_lossy(&bytes);
    for told in [word(&there, "state"), word(&there, "nonce"), "marked".to_owned()] {
        assert!(!text.contains(&told));
    }
}

#[tokio::test]
async fn it_leads_to_places_of_this_server_only() {
    let scene = Scene::new().await;
    for wrong in
        ["//evil.example", "https://evil.example", "/\\evil.example", "/%09/evil.example", "/%0d%0aset-cookie:a=b", "", "x"]
    {
        let answer = scene.app.anonymous().get(&format!("{START}?return_to={wrong}")).await;
        assert_eq!((answer.status, answer.problems()), (422, vec!["return_to wrong_form".to_owned()]), "{wrong}");
        assert_eq!(answer.header("set-cookie"), "", "{wrong}");
    }
    assert_eq!(scene.app.anonymous().get(&format!("{START}?next=/x")).await.problems(), ["next unknown_field"]);
}

#[tokio::test]
async fn no_page_of_another_site_begins_it() {
    let scene = Scene::new().await;
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let answer = send(scene.app.anonymous().request(Method::GET, START).header(name, value)).await;
        assert_eq!((answer.status, answer.problems()), (403, vec!["cross_site_request".to_owned()]), "{name}");
    }
}

#[tokio::test]
async fn what_comes_back_is_repeated_nowhere() {
    let scene = Scene::new().await;
    let mark = "%3Cscript%3Ealert(1)%3C/script%3E";
    let mut browser = Browser::of(&scene.app);
    let there = browser.start("").await;
    let state = word(&there, "state");
    let query = format!("error={mark}&error_description={mark}&error_uri={mark}&state={state}&{mark}={mark}");
    let page = browser.get(&format!("/api/v1/session/openid/callback?{query}")).await;
    assert_eq!((page.status, page.header("content-type")), (401, "text/html; charset=utf-8"));
    assert!(page.text().contains("the provider did not let you in") && !page.text().contains("script"), "{}", page.text());
    assert_eq!(page.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    let answer = scene.app.anonymous().get(&format!("/api/v1/session/openid/callback?{query}")).await;
    assert_eq!(answer.problems(), ["sign_in_not_begun"]);
    assert!(!answer.text().contains("script"), "{}", answer.text());
    assert!(scene.hostile.came(TOKEN).is_empty());
}

#[tokio::test]
async fn whoever_answers_in_the_providers_name_is_not_it() {
    let scene = Scene::new().await;
    let mut browser = Browser::of(&scene.app);
    let state = word(&browser.start("").await, "state");
    let answer = browser.get(&format!("{}&iss=https%3A%2F%2Fevil.example", back(&state))).await;
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert!(scene.hostile.came(TOKEN).is_empty(), "the code was not given to anybody");
}
