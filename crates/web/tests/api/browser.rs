//! A browser without JavaScript, for tests of pages.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::{Answer, HttpCaller, send};
use lineshift_testkit::operator::iccid;
use lineshift_testkit::people::PASSWORD;
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use serde_json::json;

/// A browser: it keeps its cookie, and shows where it is led instead of going there.
pub(crate) struct Browser {
    pub(crate) caller: HttpCaller,
    pub(crate) cookie: String,
    /// Where its forms come from.
    origin: String,
}

impl Browser {
    /// Nobody is signed in.
    pub(crate) fn of(app: &TestApp) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().expect("a client");
        Self { caller: HttpCaller::new(&app.url, None, client), cookie: String::new(), origin: app.url.clone() }
    }

    /// Somebody is.
    pub(crate) async fn signed_in(app: &TestApp, email: &str) -> Self {
        let mut browser = Self::of(app);
        let answer = browser.send_form("/sign-in", &[("email", email), ("password", PASSWORD)]).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/"), "{}", answer.text());
        browser
    }

    /// What an address answers.
    pub(crate) async fn open(&self, path: &str) -> Answer {
        send(self.caller.request(Method::GET, path).header("cookie", &self.cookie)).await
    }

    /// Opens a page, expecting it.
    pub(crate) async fn page(&self, path: &str) -> String {
        let answer = self.open(path).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "text/html; charset=utf-8"),
            "{path}: {}",
            answer.text()
        );
        answer.text()
    }

    /// Sends a form as it is.
    pub(crate) async fn send_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.caller.request(Method::POST, path).header("cookie", &self.cookie).header("origin", &self.origin);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(written(fields));
        let answer = send(request).await;
        if let Some(set) = answer.header("set-cookie").split(';').next().filter(|set| !set.is_empty()) {
            self.cookie = set.to_owned();
        }
        answer
    }

    /// Sends a form of a page, with the token that stands in it.
    pub(crate) async fn send_from(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = token_of(&self.page(page).await);
        let mut fields = fields.to_vec();
        fields.push(("csrf_token", &token));
        self.send_form(path, &fields).await
    }
}

/// Fields as a form sends them.
pub(crate) fn written(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The token that stands in a page.
pub(crate) fn token_of(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"csrf-token\" content=\"").expect("a page with a token");
    rest.split('"').next().expect("the attribute ends").to_owned()
}

/// An app with lines and a change of which some failed; its number.
pub(crate) async fn with_change(lines: u64) -> (TestApp, i64) {
    let app = TestApp::with_lines(lines).await;
    let orderer = app.orderer().await;
    let mut iccids: Vec<String> = (1..=lines).map(iccid).collect();
    iccids.push("89011700065349734878".to_owned());
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": iccids, "SiteId": app.operator.amop_site.0,
    });
    let answer = orderer.post("/M2M/AssociateCustomer", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let id = answer.json()["BulkChangeId"].as_i64().expect("an id");
    app.operator.run_until_idle().await;
    (app, id)
}
