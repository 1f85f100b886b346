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

use crate::browser::{Browser, ENTER, Manner, TAB};
use crate::keyboard::Keyboard;
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

/// Somebody with an authenticator, at a product where people sign in at a provider.
struct AtAProvider {
    app: TestApp,
    line: LineBetween,
    _provider: Provider,
    /// What the authenticator was given.
    secret: String,
}

impl AtAProvider {
    async fn start() -> Self {
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
        let this = Self { app, line, _provider: provider, secret };
        let body = json!({"enrolment": told["enrolment"], "one_time_password": this.shown()});
        assert_eq!(ada.put("/api/v1/one-time-password", &body).await.status, 204);
        this.app.operator.clock.advance(TimeDelta::seconds(30));
        this
    }

    /// What the authenticator shows now.
    fn shown(&self) -> String {
        shown(&self.secret, self.app.operator.clock.now().timestamp())
    }
}

#[tokio::test]
async fn whoever_has_an_authenticator_is_asked_for_it_after_the_provider() {
    let world = AtAProvider::start().await;
    let browser = Browser::open(&world.line.url, Manner::default()).await;
    browser.go("/m2m/lines").await;
    browser.press("Sign in with Example Inc.").await;
    browser.fill("input[name=login]", "ada").await;
    browser.fill("input[name=password]", "any").await;
    browser.click("button[type=submit]").await;
    browser.click("form input[value=consent] ~ button[type=submit]").await;
    browser.comes_to("/sign-in/one-time-password").await;
    assert_eq!(browser.faults().await, Vec::<String>::new());
    browser.fill("input[name=one_time_password]", &world.shown()).await;
    browser.click("main form button").await;
    browser.find("nav.places").await;
}

#[tokio::test]
async fn somebody_without_a_mouse_does_the_same() {
    let world = AtAProvider::start().await;
    let ada = Keyboard::of_nobody(&world.line.url).await;
    ada.goes("/m2m/lines").await;
    ada.shows("h1", "Sign in").await;
    ada.enter("Sign in with Example Inc.").await;
    // The provider's own pages give the focus to what is to be filled in or pressed.
    ada.begins_at("input[name=login]").await;
    ada.types("ada").await;
    ada.press(&[TAB]).await;
    ada.types("any").await;
    ada.press(&[ENTER]).await;
    ada.begins_at("form input[value=consent] ~ button[type=submit]").await;
    ada.press(&[ENTER]).await;
    ada.comes_to("/sign-in/one-time-password").await;
    ada.begins_at("input[name=one_time_password]").await;
    ada.types(&world.shown()).await;
    ada.press(&[ENTER]).await;
    ada.comes_to("/m2m/lines").await;
    ada.shows("h1", "Lines").await;
}
