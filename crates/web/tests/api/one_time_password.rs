//! An authenticator as a second proof of who one is.

use chrono::TimeDelta;
use lineshift_engine::Clock as _;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::authenticator::shown;
use lineshift_testkit::http::{Answer, HttpCaller, send};
use lineshift_testkit::operator::Operator;
use lineshift_testkit::people::PASSWORD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::sign_in::bytes;

const ADA: &str = "ada@fleet.example";
const PATH: &str = "/api/v1/one-time-password";

async fn with_ada() -> (TestApp, HttpCaller) {
    let app = TestApp::sealing(Operator::with_lines(0).await).await;
    let ada = app.signed_in(ADA, &["viewer"], "*").await;
    (app, ada)
}

pub(crate) fn now(app: &TestApp) -> i64 {
    app.operator.clock.now().timestamp()
}

async fn delete_with(caller: &HttpCaller, body: &Value) -> Answer {
    send(caller.request(Method::DELETE, PATH).json(body)).await
}

/// Gives Ada an authenticator; answers its secret.
async fn enrol(app: &TestApp, ada: &HttpCaller) -> String {
    let told = ada.post(PATH, &json!({"password": PASSWORD})).await;
    assert_eq!(told.status, 200, "{}", told.text());
    let told = told.json();
    let secret = told["secret"].as_str().expect("a secret").to_owned();
    let body = json!({"enrolment": told["enrolment"], "one_time_password": shown(&secret, now(app))});
    let confirmed = ada.put(PATH, &body).await;
    assert_eq!(confirmed.status, 204, "{}", confirmed.text());
    secret
}

async fn sign_in_with(app: &TestApp, password: Option<&str>) -> Answer {
    app.sign_in(&json!({"email": ADA, "password": PASSWORD, "one_time_password": password})).await
}

#[tokio::test]
async fn an_authenticator_is_asked_for_once_it_is_confirmed() {
    let (app, ada) = with_ada().await;
    let told = ada.post(PATH, &json!({"password": PASSWORD})).await.json();
    let secret = told["secret"].as_str().expect("a secret");
    let uri = told["uri"].as_str().expect("an address");
    assert!(uri.starts_with(&format!("otpauth://totp/Lineshift:ada@fleet.example?secret={secret}&")), "{uri}");
    assert_eq!(sign_in_with(&app, None).await.status, 200, "nothing is asked for before that");

    let body = |password: &str| json!({"enrolment": told["enrolment"], "one_time_password": password});
    assert_eq!(ada.put(PATH, &body("12345")).await.problems(), ["one_time_password wrong_one_time_password"]);
    assert_eq!(ada.put(PATH, &body(&shown(secret, now(&app)))).await.status, 204);
    let needed = sign_in_with(&app, None).await;
    assert_eq!((needed.status, needed.problems()), (401, vec!["one_time_password_needed".to_owned()]));
    app.operator.clock.advance(TimeDelta::seconds(30));
    assert_eq!(sign_in_with(&app, Some(&shown(secret, now(&app)))).await.status, 200);
    assert_eq!(ada.post(PATH, &json!({"password": PASSWORD})).await.problems(), ["one_time_password_set"]);
    assert_eq!(ada.put(PATH, &body(&shown(secret, now(&app)))).await.problems(), ["one_time_password_set"]);

    let stored = app.operator.stored.inspect("SELECT totp_secret_encrypted FROM users").await.expect("rows");
    assert!(!format!("{stored:?}").contains(secret), "it is sealed");
}

#[tokio::test]
async fn a_wrong_one_is_told_like_a_wrong_password_and_counts() {
    let (app, ada) = with_ada().await;
    enrol(&app, &ada).await;
    let wrong_password = app.sign_in(&json!({"email": ADA, "password": "wrong", "one_time_password": "000000"})).await;
    let wrong = sign_in_with(&app, Some("000000")).await;
    assert_eq!(bytes(&wrong), bytes(&wrong_password));
    let unasked = app.sign_in(&json!({"email": ADA, "password": "wrong"})).await;
    assert_eq!(bytes(&unasked), bytes(&wrong_password), "it is asked for after the right password only");
    for _ in 0..2 {
        assert_eq!(sign_in_with(&app, Some("000000")).await.status, 401);
    }
    assert_eq!(sign_in_with(&app, Some("000000")).await.status, 429);
}

#[tokio::test]
async fn each_is_taken_once_and_within_its_minute_and_a_half() {
    let (app, ada) = with_ada().await;
    let clock = &app.operator.clock;
    let secret = enrol(&app, &ada).await;
    let at_enrolment = shown(&secret, now(&app));
    assert_eq!(sign_in_with(&app, Some(&at_enrolment)).await.status, 401, "that of the confirmation is used");
    clock.advance(TimeDelta::seconds(30));
    let next = shown(&secret, now(&app));
    assert_eq!(sign_in_with(&app, Some(&next)).await.status, 200);
    assert_eq!(sign_in_with(&app, Some(&next)).await.status, 401, "once");
    let ahead = shown(&secret, now(&app) + 30);
    assert_eq!(sign_in_with(&app, Some(&ahead)).await.status, 200, "a clock half a minute ahead");
    assert_eq!(sign_in_with(&app, Some(&next)).await.status, 401, "never one before");
    clock.advance(TimeDelta::minutes(10));
    let behind = shown(&secret, now(&app) - 30);
    let too_far = shown(&secret, now(&app) - 60);
    assert_eq!(sign_in_with(&app, Some(&too_far)).await.status, 401);
    assert_eq!(sign_in_with(&app, Some(&behind)).await.status, 200, "a clock half a minute behind");
}

#[tokio::test]
async fn one_password_signs_in_once_however_many_try_at_once() {
    let (app, ada) = with_ada().await;
    let secret = enrol(&app, &ada).await;
    app.operator.clock.advance(TimeDelta::seconds(30));
    let password = shown(&secret, now(&app));
    let (one, other) = tokio::join!(sign_in_with(&app, Some(&password)), sign_in_with(&app, Some(&password)));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

#[tokio::test]
async fn it_is_begun_with_the_password_and_ended_with_both() {
    let (app, ada) = with_ada().await;
    assert_eq!(ada.post(PATH, &json!({"password": "wrong"})).await.problems(), ["password wrong_password"]);
    let secret = enrol(&app, &ada).await;
    let used = shown(&secret, now(&app));
    app.operator.clock.advance(TimeDelta::seconds(30));
    let fresh = shown(&secret, now(&app));
    let both = |password: &str, shown: &str| json!({"password": password, "one_time_password": shown});
    assert_eq!(delete_with(&ada, &both("wrong", &fresh)).await.problems(), ["password wrong_password"]);
    assert_eq!(delete_with(&ada, &json!({"password": PASSWORD})).await.problems(), ["one_time_password missing_field"]);
    for wrong in ["000000", &used] {
        let refused = delete_with(&ada, &both(PASSWORD, wrong)).await;
        assert_eq!((refused.status, refused.problems()), (422, vec!["one_time_password wrong_one_time_password".to_owned()]));
    }
    assert_eq!(sign_in_with(&app, None).await.status, 401, "it is still asked for");
    assert_eq!(delete_with(&ada, &both(PASSWORD, &fresh)).await.status, 204);
    assert_eq!(sign_in_with(&app, None).await.status, 200);
}

#[tokio::test]
async fn guessing_it_away_is_counted_like_signing_in() {
    let (app, ada) = with_ada().await;
    enrol(&app, &ada).await;
    let guess = json!({"password": PASSWORD, "one_time_password": "000000"});
    for _ in 0..5 {
        assert_eq!(delete_with(&ada, &guess).await.status, 422);
    }
    assert_eq!(delete_with(&ada, &guess).await.status, 429);
}

#[tokio::test]
async fn an_enrolment_is_ones_own_unchanged_and_of_the_last_ten_minutes() {
    let (app, ada) = with_ada().await;
    let bob = app.signed_in("bob@fleet.example", &["viewer"], "*").await;
    let told = ada.post(PATH, &json!({"password": PASSWORD})).await.json();
    let (secret, enrolment) = (told["secret"].as_str().expect("a secret"), told["enrolment"].as_str().expect("a text"));
    let confirm = async |caller: &HttpCaller, enrolment: &str| {
        let body = json!({"enrolment": enrolment, "one_time_password": shown(secret, now(&app))});
        caller.put(PATH, &body).await
    };
    assert_eq!(confirm(&bob, enrolment).await.problems(), ["enrolment wrong_form"], "of somebody else");
    assert_eq!(confirm(&ada, &enrolment[..enrolment.len() - 4]).await.problems(), ["enrolment wrong_form"]);
    app.operator.clock.advance(TimeDelta::minutes(10));
    assert_eq!(confirm(&ada, enrolment).await.problems(), ["enrolment wrong_form"], "too old");
}

#[tokio::test]
async fn without_a_key_to_seal_with_there_is_none() {
    let app = TestApp::with_lines(0).await;
    let ada = app.signed_in(ADA, &["viewer"], "*").await;
    assert_eq!(ada.post(PATH, &json!({"password": PASSWORD})).await.problems(), ["no_key"]);
}
