//! Somebody who orders in a browser without JavaScript, for tests of pages.

use lineshift_domain::ids::{DeviceId, UserId};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::PortalType;
use lineshift_engine::Clock as _;
use lineshift_store::devices::LineFilter;
use lineshift_store::selections::{SELECTED_AT_ONCE, Selecting, SelectionKey, SelectionWindow};
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::Answer;

use crate::browser::Browser;

/// Somebody who orders, with what they have chosen.
pub(crate) struct Desk<'a> {
    pub(crate) app: &'a TestApp,
    user: UserId,
    pub(crate) portal: PortalType,
    pub(crate) browser: Browser,
}

impl<'a> Desk<'a> {
    /// In the portal M2M, with everything of the tenant in reach.
    pub(crate) async fn of(app: &'a TestApp, email: &str, roles: &[&str]) -> Self {
        Self::within(app, email, roles, "*").await
    }

    /// Within a reach.
    pub(crate) async fn within(app: &'a TestApp, email: &str, roles: &[&str], reach: &str) -> Self {
        let user = app.operator.user(email).await;
        app.operator.member(app.operator.tenant(), user, roles, reach).await;
        Self { app, user, portal: PortalType::M2M, browser: Browser::signed_in(app, email).await }
    }

    /// The portal in addresses.
    fn segment(&self) -> &'static str {
        match self.portal {
            PortalType::M2M => "m2m",
            PortalType::Mobility => "mobility",
            PortalType::Lnp => "lnp",
        }
    }

    fn key(&self) -> SelectionKey {
        SelectionKey::at(self.user, self.portal, self.app.operator.clock.now())
    }

    pub(crate) async fn choose(&self, lines: impl IntoIterator<Item = u64>) {
        let operator = &self.app.operator;
        let mut ids: Vec<DeviceId> = Vec::new();
        for line in lines {
            ids.push(operator.device(line).await.id);
        }
        let selecting = Selecting { now: operator.clock.now(), most: 1_000 };
        let store = &operator.store;
        store.select_lines(operator.tenant(), &self.key(), &Reach::Everything, &ids, selecting).await.expect("chosen");
    }

    /// Chooses all lines that there are.
    pub(crate) async fn choose_all(&self) {
        let operator = &self.app.operator;
        let selecting = Selecting { now: operator.clock.now(), most: u64::MAX };
        let (key, filter, mut after) = (self.key(), LineFilter::default(), None);
        loop {
            let window = SelectionWindow { after, limit: SELECTED_AT_ONCE };
            let all = &Reach::Everything;
            let chosen = operator.store.select_matching(operator.tenant(), &key, all, &filter, window, selecting).await;
            after = chosen.expect("chosen").last;
            if after.is_none() {
                return;
            }
        }
    }

    /// How many lines are chosen.
    pub(crate) async fn chosen(&self) -> i64 {
        let operator = &self.app.operator;
        let counted = operator.store.count_selected(operator.tenant(), &self.key(), &Reach::Everything).await.expect("counted");
        counted.iter().map(|(_, count)| count).sum()
    }

    /// Sends a form of ordering.
    pub(crate) async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.browser.send_from("/", path, fields).await
    }

    /// The preview of an order.
    pub(crate) async fn preview(&mut self, act: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.send(&format!("/{}/order/{act}", self.segment()), fields).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    }

    /// Presses the button of a preview.
    pub(crate) async fn confirm(&mut self, preview: &str) -> Answer {
        let (path, fields) = form_of(preview, "/confirm");
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.browser.send_form(&path, &fields).await
    }

    /// Presses the button of a preview that takes the lines of one reason out of the selection.
    pub(crate) async fn take_out(&mut self, preview: &str, code: &str) -> Answer {
        let (path, fields) = form_of(preview, code);
        let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain([("drop", code)]);
        self.browser.send_form(&path, &fields.collect::<Vec<_>>()).await
    }

    pub(crate) async fn changes(&self) -> usize {
        self.app.admin().await.read("/api/v1/bulk-changes").await["items"].as_array().expect("a list").len()
    }
}

/// The form of a page whose address, or what its button says to the server, ends so: where it is sent, and its hidden fields.
pub(crate) fn form_of(page: &str, ending: &str) -> (String, Vec<(String, String)>) {
    let form = page.split("<form ").find(|form| form.split('"').any(|part| part.ends_with(ending))).expect("such a form");
    let form = form.split("</form>").next().expect("it ends");
    let attribute = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!("{name}=\"")).expect("the attribute");
        plain(rest.split('"').next().expect("it ends"))
    };
    let hidden = form.split("<input type=\"hidden\" ").skip(1);
    (attribute(form, "action"), hidden.map(|input| (attribute(input, "name"), attribute(input, "value"))).collect())
}

fn plain(text: &str) -> String {
    text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&")
}

/// The bulk change to which an answer leads.
pub(crate) fn made(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let (_, id) = answer.header("location").split_once("/bulk-changes/").expect("a bulk change");
    id.to_owned()
}
