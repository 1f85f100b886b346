//! Signing in at a real OpenID provider, by somebody with an authenticator.

use std::sync::Arc;

use chrono::TimeDelta;
use lineshift_connectors::http::{Destinations, HttpsTransport};
use lineshift_domain::limits::Limits;
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_testkit::app::TestApp;
use lineshift_testkit::authenticator::shown;
use lineshift_testkit::clock::TestClock;
use lineshift_testkit::operator::Operator;
use lineshift_testkit::people::PASSWORD;
use lineshift_web::{OpenId, OpenIdSettings, WireSettings};
use secrecy::SecretString;
use serde_json::json;

use crate::browser::{Browser, Manner};
use crate::line_between::LineBetween;
use crate::provider::Provider;

/// The forms that are sent here.
pub(crate) const SENDS: &[&str] = &["/sign-in/one-time-password"];

const ADA: &str = "ada@fleet.example";

/// That provider, for a product that browsers reach at that address.
fn open_id(issuer: &str, product: &str) -> Arc<OpenId> {
    let settings = OpenIdSettings {
        issuer: issuer.to_owned(),
        client_id: "lineshift".to_owned(),
        client_secret: SecretString::from("hush+/=%:&"),
        scopes: vec!["email".to_owned()],
        label: "Example Inc.".to_owned(),
        public_url: product.to_owned(),
    };
    let named = HttpsTransport::local().expect("there is TLS on this machine");
    let others = HttpsTransport::to(Destinations::default()).expect("there is TLS on this machine");
    Arc::new(OpenId::new(settings, Arc::new(named), Arc::new(others)).expect("settings that work"))
}

#[tokio::test]
async fn whoever_has_an_authenticator_is_asked_for_it_after_the_provider() {
    // A browser looks at the real clock before it keeps a cookie.
    let now = SystemClock.now();
    let line = LineBetween::to_nobody().await;
    let provider = Provider::start(now, &line.url).await;
    let wire = WireSettings { openid: Some(open_id(&provider.issuer, &line.url)), ..WireSettings::default() };
    let clock = Arc::new(TestClock::at(&now.to_rfc3339()));
    let operator = Operator::on_clock(clock, 1, Limits::default(), lineshift_store_sqlite::Options::default()).await;
    let app = TestApp::on_wire(operator, &wire).await;
    line.lay_to(&app.url);
    app.operator.member(app.operator.tenant(), app.operator.user(ADA).await, &["administrator"], "*").await;
    let ada = app.signs_in(ADA).await;
    let told = ada.post("/api/v1/one-time-password", &json!({"password": PASSWORD})).await.json();
    let secret = told["secret"].as_str().expect("a secret").to_owned();
    let now = || app.operator.clock.now().timestamp();
    let body = json!({"enrolment": told["enrolment"], "one_time_password": shown(&secret, now())});
    assert_eq!(ada.put("/api/v1/one-time-password", &body).await.status, 204);
    app.operator.clock.advance(TimeDelta::seconds(30));

    let browser = Browser::open(&line.url, Manner::default()).await;
    browser.go("/m2m/lines").await;
    browser.press("Sign in with Example Inc.").await;
    browser.fill("input[name=login]", "ada").await;
    browser.fill("input[name=password]", "any").await;
    browser.click("button[type=submit]").await;
    browser.click("form input[value=consent] ~ button[type=submit]").await;
    browser.comes_to("/sign-in/one-time-password").await;
    assert_eq!(browser.faults().await, Vec::<String>::new());
    browser.fill("input[name=one_time_password]", &shown(&secret, now())).await;
    browser.click("main form button").await;
    browser.find("nav.places").await;
}
