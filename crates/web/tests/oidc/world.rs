//! An operator whose people sign in at a provider.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lineshift_connectors::http::{Answer, Destinations, HttpsTransport, Request, Transport, TransportFault};
use lineshift_testkit::app::TestApp;
use lineshift_testkit::operator::Operator;
use lineshift_web::{OpenId, OpenIdSettings, WireSettings};
use secrecy::SecretString;

/// Somebody whom an administrator has added.
pub(crate) const ADA: &str = "ada@fleet.example";

/// As what the product is registered at every provider here; the secret has what forms write otherwise.
pub(crate) const CLIENT_ID: &str = "lineshift";
pub(crate) const CLIENT_SECRET: &str = "hush+/=%:&";

/// What providers are told of where browsers reach it.
pub(crate) const PUBLIC_URL: &str = "https://portal.example";

/// Calls as the product does, but waits for no answer longer than a moment.
struct Impatient(HttpsTransport);

#[async_trait]
impl Transport for Impatient {
    async fn send(&self, request: Request) -> Result<Answer, TransportFault> {
        self.0.send(Request { timeout: request.timeout.min(Duration::from_secs(3)), ..request }).await
    }
}

/// That provider, spoken to as `lineshift serve` does it.
pub(crate) fn open_id(issuer: &str) -> Arc<OpenId> {
    let settings = OpenIdSettings {
        issuer: issuer.to_owned(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: SecretString::from(CLIENT_SECRET),
        scopes: vec!["email".to_owned()],
        label: "Example Inc.".to_owned(),
        public_url: PUBLIC_URL.to_owned(),
    };
    let named = HttpsTransport::local().expect("there is TLS on this machine").reading_at_most(256 << 10);
    let others = HttpsTransport::to(Destinations::default()).expect("there is TLS on this machine");
    let named: Arc<dyn Transport> = Arc::new(Impatient(named));
    Arc::new(OpenId::new(settings, named, Arc::new(others)).expect("settings that work"))
}

/// The product, with nobody in it.
pub(crate) async fn empty(issuer: &str) -> TestApp {
    let wire = WireSettings { openid: Some(open_id(issuer)), ..WireSettings::default() };
    TestApp::on_wire(Operator::with_lines(1).await, &wire).await
}

/// The product with Ada in it, who administrates.
pub(crate) async fn with_ada(issuer: &str) -> TestApp {
    let app = empty(issuer).await;
    let ada = app.operator.user(ADA).await;
    app.operator.member(app.operator.tenant(), ada, &["administrator"], "*").await;
    app
}
