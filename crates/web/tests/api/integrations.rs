//! The accounts of integrations: set, shown, tested, and never telling a secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::billing::{BillingWorld, CLIENT_CODE, PASSWORD, USER};
use lineshift_testkit::http::{Answer, HttpCaller, send};
use lineshift_testkit::simulated::ADDRESS;
use reqwest::Method;
use serde_json::{Value, json};

const ACCOUNT: &str = "/api/v1/integrations/1/account";
const TEST: &str = "/api/v1/integrations/1/test";

async fn put(caller: &HttpCaller, body: &Value) -> Answer {
    send(caller.request(Method::PUT, ACCOUNT).json(body)).await
}

fn body(password: &str) -> Value {
    let credentials = json!({"user": USER, "client_code": CLIENT_CODE, "password": password});
    json!({"base_address": ADDRESS, "credentials": credentials, "calls_a_minute": 600})
}

/// Whether a text holds the secret plainly, or in base64, hexadecimal, an address, JSON, or the header of the login.
fn tells(text: &str, secret: &str) -> bool {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric();
    let url: String =
        secret.bytes().map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect();
    let login = format!("{USER}@{CLIENT_CODE}:{secret}");
    let forms = [secret.to_owned(), STANDARD.encode(secret), hex.to_uppercase(), hex, url, STANDARD.encode(&login), login];
    forms.iter().any(|form| text.contains(form.as_str()))
}

#[tokio::test]
async fn an_account_is_set_shown_and_tested() {
    let (app, simulator) = TestApp::billing(BillingWorld::with_lines(0).await).await;
    let admin = app.admin().await;
    let set = put(&admin, &body(PASSWORD)).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let account = set.json();
    assert_eq!((&account["client_code"], &account["has_credentials"]), (&json!(CLIENT_CODE), &json!(true)));
    assert_eq!(account["limits"], json!({"concurrency": 32, "calls_a_minute": 600, "calls_a_day": 150_000}));
    assert_eq!((&account["calls_a_minute"], &account["calls_a_day"]), (&json!(600), &Value::Null));

    let test = admin.post_empty(TEST).await;
    assert_eq!((test.status, &test.json()["ok"]), (200, &json!(true)), "{}", test.text());
    let shown = admin.read(ACCOUNT).await;
    assert_eq!(shown["calls"], json!({"in_minute": 1, "left_in_minute": 599, "in_day": 1, "left_in_day": 149_999}));
    assert_eq!((&shown["refused_at"], &shown["not_before"]), (&Value::Null, &Value::Null));
    assert_eq!(simulator.ledger().summary().wrong_requests, 0);

    let kept = json!({"base_address": format!("{ADDRESS}/"), "write_enabled": false});
    let kept = put(&admin, &kept).await.json();
    assert_eq!((&kept["has_credentials"], &kept["write_enabled"]), (&json!(true), &json!(false)), "{kept}");
    assert_eq!((&kept["base_address"], &kept["calls_a_minute"]), (&json!(ADDRESS), &Value::Null));
    assert_eq!(admin.post_empty(TEST).await.json()["ok"], true, "with the credentials that are stored");
}

#[tokio::test]
async fn no_answer_tells_a_secret() {
    let (app, _) = TestApp::billing(BillingWorld::with_lines(0).await).await;
    let admin = app.admin().await;
    let wrong = "wr0ng/pass=word";
    let mut with_key = body(wrong);
    with_key["credentials"]["subscription_key"] = json!("k3y-of-the-host");
    let mut told = put(&admin, &with_key).await.text();
    let test = admin.post_empty(TEST).await;
    assert_eq!((&test.json()["ok"], &test.json()["code"]), (&json!(false), &json!("credentials_refused")));
    told += &test.text();
    let shown = admin.get(ACCOUNT).await;
    assert!(shown.json()["refused_at"].is_string() && shown.json()["refused_text"].is_string(), "{}", shown.text());
    told += &shown.text();
    told += &admin.get("/api/v1/integration-authentications").await.text();
    let mut bad = body(wrong);
    bad["credentials"]["user"] = json!(format!("{wrong}@x"));
    bad["base_address"] = json!(format!("https://{USER}:{wrong}@revio.example/v1"));
    bad["credentials"]["pasword"] = json!(wrong);
    let refused = put(&admin, &bad).await;
    assert_eq!(
        refused.problems(),
        ["base_address wrong_form", "credentials.user wrong_form", "credentials.pasword unknown_field"]
    );
    told += &refused.text();
    told += &put(&admin, &json!({"base_address": [wrong], "credentials": {"password": [wrong]}})).await.text();
    told += &put(&admin, &json!({"base_address": ADDRESS, "credentials": wrong})).await.text();
    for secret in [wrong, PASSWORD, "k3y-of-the-host"] {
        assert!(!tells(&told, secret), "{secret} is told: {told}");
    }
    let stored = app.operator.stored.inspect("SELECT * FROM integration_authentication").await.expect("rows");
    assert!(!tells(&format!("{stored:?}"), wrong), "{stored:?}");

    assert!(put(&admin, &body(PASSWORD)).await.json()["refused_at"].is_null(), "forgotten with the next credentials");
    assert_eq!(admin.post_empty(TEST).await.json()["ok"], true);
}

#[tokio::test]
async fn what_cannot_be_an_account_is_refused() {
    let (app, _) = TestApp::billing(BillingWorld::with_lines(0).await).await;
    let admin = app.admin().await;
    let refused = async |body: Value| {
        let answer = put(&admin, &body).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        answer.problems()
    };
    assert_eq!(refused(json!({})).await, ["base_address missing_field"]);
    assert_eq!(refused(json!({"base_address": "http://revio.example/v1"})).await, ["base_address wrong_form"]);
    assert_eq!(refused(json!({"base_address": ADDRESS, "concurrency": 0})).await, ["concurrency wrong_form"]);
    assert_eq!(refused(json!({"base_address": ADDRESS, "calls_a_day": -1})).await, ["calls_a_day wrong_form"]);
    assert_eq!(refused(json!({"base_address": ADDRESS, "credentials": 1})).await, ["credentials wrong_type"]);
    assert_eq!(refused(json!({"base_address": "https://evil.example"})).await, ["credentials missing_field"], "another host");
    let inside =
        ["https://127.0.0.1/v1", "https://10.0.0.1", "https://169.254.169.254/v1", "https://[::1]/v1", "https://2130706433/v1"];
    for address in inside {
        let answer = put(&admin, &json!({"base_address": address})).await;
        assert!(answer.problems().contains(&"base_address address_not_allowed".to_owned()), "{address}: {}", answer.text());
        assert!(answer.text().contains("outbound.allowed_networks"), "{}", answer.text());
    }
    let beyond = json!({"base_address": "http://10.0.0.1/v1", "is_local": true});
    assert!(refused(beyond).await.contains(&"base_address address_not_allowed".to_owned()), "local is this machine");
    let mut elsewhere = body(PASSWORD);
    elsewhere["base_address"] = json!("http://127.0.0.1:1/v1");
    elsewhere["is_local"] = json!(true);
    assert_eq!(put(&admin, &elsewhere).await.status, 200);
}

#[tokio::test]
async fn without_a_key_it_is_said_how_to_give_one() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    let answer = put(&admin, &body(PASSWORD)).await;
    assert_eq!((answer.status, answer.problems()), (422, vec!["credentials no_key".to_owned()]));
    assert!(answer.text().contains("lineshift admin secret-key --file FILE"), "{}", answer.text());
    assert_eq!(put(&admin, &json!({"base_address": ADDRESS})).await.status, 200, "what is not secret is stored");
    let test = admin.post_empty(TEST).await.json();
    assert_eq!((&test["ok"], &test["code"]), (&json!(false), &json!("credentials_missing")));
}

#[tokio::test]
async fn accounts_belong_to_their_tenant_and_need_their_scopes() {
    let (app, _) = TestApp::billing(BillingWorld::with_lines(0).await).await;
    let stranger = app.stranger().await;
    for answer in [stranger.get(ACCOUNT).await, put(&stranger, &body(PASSWORD)).await, stranger.post_empty(TEST).await] {
        assert_eq!(answer.status, 404, "{}", answer.text());
    }
    let (viewer, orderer) = (app.viewer().await, app.orderer().await);
    assert_eq!(viewer.get(ACCOUNT).await.status, 200);
    assert_eq!(orderer.get(ACCOUNT).await.status, 403);
    for caller in [&viewer, &orderer] {
        assert_eq!(put(caller, &body(PASSWORD)).await.status, 403);
        assert_eq!(caller.post_empty(TEST).await.status, 403);
    }
}
