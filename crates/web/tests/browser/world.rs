//! What the tests look at: an operator with lines, and people who look.

use lineshift_domain::ids::{BulkChangeId, TenantId};
use lineshift_store::import::ImportDevice;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::billing::{BillingWorld, PRODUCT, lose_rows};
use lineshift_testkit::operator::iccid;
use serde_json::json;

use crate::browser::{Browser, Manner};

/// A customer as nobody is called who means well.
pub(crate) const HOSTILE: &str = "<script>alert('x')</script>";

/// An operator behind HTTP.
pub(crate) struct World {
    pub(crate) app: TestApp,
}

impl World {
    /// With so many lines.
    pub(crate) async fn with_lines(lines: u64) -> Self {
        Self { app: TestApp::measured(lines).await }
    }

    /// Whose integration is a simulated Rev.io, and where credentials can be stored.
    pub(crate) async fn billed() -> Self {
        Self { app: TestApp::measured_billing(BillingWorld::with_lines(0).await).await.0 }
    }

    /// With something to see on every page.
    pub(crate) async fn of_every_kind() -> Self {
        let world = Self { app: TestApp::measured_billing(BillingWorld::with_lines(60).await).await.0 };
        world.change(50, true).await;
        world.app.operator.run_until_idle().await;
        world
    }

    /// With two lines, of which one is held because nobody knows whether its billing service was opened.
    pub(crate) async fn with_a_held_line() -> Self {
        let (world, _, _simulator) = Self::with_lines_to_bill(2).await;
        lose_rows(&world.app.operator, 1).await;
        world.app.operator.run_until_idle().await;
        world
    }

    /// With so many lines, and a change that is to open a billing service for each; nothing of it has run. The simulator bills as long as
    /// somebody holds it.
    pub(crate) async fn with_lines_to_bill(lines: u64) -> (Self, BulkChangeId, impl Sized) {
        let (app, simulator) = TestApp::measured_billing(BillingWorld::with_lines(lines).await).await;
        let world = Self { app };
        let operator = &world.app.operator;
        let iccids: Vec<String> = (1..=lines).map(iccid).collect();
        let body = json!({
            "ServiceProviderId": operator.jasper.0, "Devices": iccids,
            "RevCustomerId": operator.rev_customer.0.to_string(), "CreateRevService": true, "ServiceTypeId": 6, "ProviderId": 42,
            "RevProducts": [{"ProductId": PRODUCT, "Rate": 4.95, "Quantity": 1}],
        });
        let answer = world.app.orderer().await.post("/M2M/AssociateCustomer", &body).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let id = BulkChangeId(answer.json()["BulkChangeId"].as_i64().expect("a number"));
        (world, id, simulator)
    }

    /// Somebody who may do everything, signed in.
    pub(crate) async fn administrator(&self, manner: Manner) -> Browser {
        self.person("ada@fleet.example", &["administrator"], manner).await
    }

    /// The same person in another browser.
    pub(crate) async fn administrator_again(&self) -> Browser {
        let browser = Browser::open(&self.app.url, Manner::default()).await;
        browser.sign_in("ada@fleet.example").await;
        browser
    }

    /// Somebody with those roles, signed in.
    pub(crate) async fn person(&self, email: &str, roles: &[&str], manner: Manner) -> Browser {
        self.person_of(self.app.operator.tenant(), email, roles, manner).await
    }

    /// The same in a tenant.
    pub(crate) async fn person_of(&self, tenant: TenantId, email: &str, roles: &[&str], manner: Manner) -> Browser {
        let operator = &self.app.operator;
        operator.member(tenant, operator.user(email).await, roles, "*").await;
        let browser = Browser::open(&self.app.url, manner).await;
        browser.sign_in(email).await;
        browser
    }

    /// A change that hands these lines to the AMOP customer, and one more that nobody has; started when it is said so.
    pub(crate) async fn change(&self, lines: u64, starts: bool) -> BulkChangeId {
        let mut iccids: Vec<String> = (1..=lines).map(iccid).collect();
        iccids.push("89011700065349734878".to_owned());
        let operator = &self.app.operator;
        let body = json!({
            "ServiceProviderId": operator.jasper.0, "Devices": iccids, "SiteId": operator.amop_site.0, "ProcessChanges": starts,
        });
        let answer = self.app.orderer().await.post("/M2M/AssociateCustomer", &body).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        BulkChangeId(answer.json()["BulkChangeId"].as_i64().expect("a number"))
    }

    /// The carrier has taken a line out of use.
    pub(crate) async fn archive(&self, line: u64) {
        let operator = &self.app.operator;
        let archived = ImportDevice { is_archived: true, ..operator.line(operator.jasper, line, "ACTIVATED") };
        operator.import(&[archived]).await;
    }

    /// Each of these forms arrived here and was done as it said, as the server's own measures say.
    pub(crate) async fn received(&self, forms: &[&str]) {
        self.was_asked("POST", forms).await;
    }

    /// Each of these files was fetched from here, as those measures say.
    pub(crate) async fn gave(&self, files: &[&str]) {
        self.was_asked("GET", files).await;
    }

    async fn was_asked(&self, method: &str, routes: &[&str]) {
        let measures = self.app.admin().await.get("/metrics").await.text();
        for route in routes {
            let series = [format!("route=\"{route}\""), format!("method=\"{method}\"")];
            let is_done = |line: &str| line.contains("status=\"2") || line.contains("status=\"3");
            let arrived = measures.lines().any(|line| series.iter().all(|series| line.contains(series)) && is_done(line));
            assert!(arrived, "no browser has asked for {method} {route}");
        }
    }
}
