//! What a carrier cannot do is refused at submission, by name, and nothing is stored.

use lineshift_domain::ids::ServiceProviderId;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::carriers::{CarrierWorld, OTHER_PACKAGE_TYPE, OTHER_PLAN, PLAN};
use lineshift_testkit::http::{HttpCaller, send};
use lineshift_testkit::operator::iccid;
use reqwest::Method;
use serde_json::{Value, json};

struct Refusing {
    app: TestApp,
    admin: HttpCaller,
    jasper: ServiceProviderId,
    pond: ServiceProviderId,
    jasper_account: i64,
}

impl Refusing {
    async fn new() -> Self {
        let world = CarrierWorld::with_lines(1).await;
        let (jasper, pond, jasper_account) = (world.operator.jasper, world.pond_provider, world.jasper_account.0);
        let app = TestApp::sealing(world.operator).await;
        let admin = app.admin().await;
        Self { app, admin, jasper, pond, jasper_account }
    }

    /// The problems of an order for the first line of a service provider, validated and placed, and their texts.
    async fn refused(&self, provider: ServiceProviderId, kind: i64, field: &str, part: Value) -> (Vec<String>, String) {
        let line = if provider == self.pond { iccid(2) } else { iccid(1) };
        let body = json!({"ServiceProviderId": provider.0, "ChangeType": kind, "Devices": [line], field: part});
        let validated = self.admin.post("/M2M/ValidateBulkChange", &body).await;
        let placed = self.admin.post("/M2M/BulkChange", &body).await;
        assert_eq!((validated.status, placed.status), (422, 422), "{}", placed.text());
        assert_eq!(validated.text(), placed.text());
        assert_eq!(self.admin.read("/api/v1/bulk-changes").await["items"], json!([]), "nothing is stored");
        (placed.problems(), placed.text())
    }

    async fn plan(&self, provider: ServiceProviderId, part: Value) -> (Vec<String>, String) {
        self.refused(provider, 7, "CarrierRatePlanUpdate", part).await
    }

    async fn status(&self, provider: ServiceProviderId, status: &str) -> (Vec<String>, String) {
        self.refused(provider, 2, "StatusUpdate", json!({"TargetStatus": status})).await
    }

    async fn provider(&self, provider: ServiceProviderId, change: Value) {
        let answer = self.admin.patch(&format!("/api/v1/service-providers/{provider}"), &change).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[tokio::test]
async fn unknown_plans_and_statuses_are_named() {
    let refusing = Refusing::new().await;
    let unknown = ["CarrierRatePlanUpdate.CarrierRatePlan unknown_reference"];
    assert_eq!(refusing.plan(refusing.jasper, json!({"CarrierRatePlan": "Nobody's"})).await.0, unknown);
    let (problems, text) = refusing.plan(refusing.jasper, json!({"CarrierRatePlan": OTHER_PACKAGE_TYPE})).await;
    assert_eq!(problems, unknown, "it is POND's");
    assert!(text.contains("of this service provider"), "{text}");
    assert_eq!(refusing.plan(refusing.pond, json!({"CarrierRatePlan": PLAN})).await.0, unknown, "it is Jasper's");
    let (problems, text) = refusing.status(refusing.jasper, "ASLEEP").await;
    assert_eq!(problems, ["StatusUpdate.TargetStatus unknown_status"]);
    assert!(text.contains("ACTIVATED") && text.contains("DEACTIVATED"), "it says which there are: {text}");
    assert_eq!(refusing.status(refusing.jasper, "PURGED").await.0, ["StatusUpdate.TargetStatus unknown_status"]);
    let coded = json!({"TargetStatus": "DEACTIVATED", "ReasonCode": "FF"});
    let (problems, _) = refusing.refused(refusing.jasper, 2, "StatusUpdate", coded).await;
    assert_eq!(problems, ["StatusUpdate.ReasonCode carrier_cannot"]);
}

#[tokio::test]
async fn dates_and_plans_that_a_carrier_does_not_have_are_refused() {
    let refusing = Refusing::new().await;
    let dated = |days: i64| {
        let at = chrono::DateTime::parse_from_rfc3339(lineshift_testkit::operator::BEGINNING).expect("a moment");
        (at + chrono::TimeDelta::days(days)).to_rfc3339()
    };
    let late = json!({"CarrierRatePlan": OTHER_PLAN, "EffectiveDate": dated(181)});
    let (problems, text) = refusing.plan(refusing.jasper, late).await;
    assert_eq!(problems, ["CarrierRatePlanUpdate.EffectiveDate date_out_of_range"]);
    assert!(text.contains("expected at most 180"), "{text}");
    let far = json!({"CarrierRatePlan": OTHER_PLAN, "EffectiveDate": dated(1_000)});
    assert_eq!(refusing.plan(refusing.jasper, far).await.0.len(), 1, "said once");
    let both = json!({"CarrierRatePlan": OTHER_PACKAGE_TYPE, "CommPlan": "LTE Data", "EffectiveDate": dated(2)});
    let (problems, text) = refusing.plan(refusing.pond, both).await;
    let mut found = problems;
    found.sort();
    assert_eq!(found, ["CarrierRatePlanUpdate.CommPlan carrier_cannot", "CarrierRatePlanUpdate.EffectiveDate carrier_cannot"]);
    assert!(text.contains("POND takes no date") && text.contains("POND has no communication plans"), "{text}");
}

#[tokio::test]
async fn accounts_that_cannot_be_written_to_are_refused() {
    let refusing = Refusing::new().await;
    let asked = json!({"CarrierRatePlan": OTHER_PLAN});
    refusing.provider(refusing.jasper, json!({"write_enabled": false})).await;
    let (problems, text) = refusing.plan(refusing.jasper, asked.clone()).await;
    assert_eq!(problems, ["CarrierRatePlanUpdate.CarrierRatePlan writes_disabled"]);
    assert!(text.contains("service provider"), "{text}");
    assert_eq!(refusing.status(refusing.jasper, "DEACTIVATED").await.0, ["StatusUpdate.TargetStatus writes_disabled"]);
    refusing.provider(refusing.jasper, json!({"write_enabled": true})).await;

    let account = format!("/api/v1/integrations/{}/account", refusing.jasper_account);
    let disabled = json!({"base_address": "https://jasper.example/rws/api/v1", "write_enabled": false});
    assert_eq!(send(refusing.admin.request(Method::PUT, &account).json(&disabled)).await.status, 200);
    let (problems, text) = refusing.plan(refusing.jasper, asked.clone()).await;
    assert_eq!(problems, ["CarrierRatePlanUpdate.CarrierRatePlan writes_disabled"]);
    assert!(text.contains("integration"), "{text}");

    refusing.provider(refusing.jasper, json!({"integration_authentication_id": null})).await;
    let (problems, text) = refusing.plan(refusing.jasper, asked).await;
    assert_eq!(problems, ["CarrierRatePlanUpdate.CarrierRatePlan credentials_missing"]);
    assert!(text.contains("has no integration to call its carrier with"), "{text}");
}

#[tokio::test]
async fn an_account_must_be_of_its_carriers_kind() {
    let refusing = Refusing::new().await;
    let path = format!("/api/v1/service-providers/{}", refusing.pond);
    let wrong = json!({"integration_authentication_id": refusing.jasper_account});
    let answer = refusing.admin.patch(&path, &wrong).await;
    assert_eq!(
        (answer.status, answer.problems()),
        (422, vec!["integration_authentication_id wrong_integration_kind".to_owned()])
    );
}

#[tokio::test]
async fn carriers_that_this_version_cannot_call_are_said() {
    let refusing = Refusing::new().await;
    let body = json!({"name": "ThingSpace", "integration_kind": "ThingSpace", "write_enabled": true});
    let created = refusing.admin.post("/api/v1/service-providers", &body).await;
    let thing_space = ServiceProviderId(created.json()["id"].as_i64().expect("an id"));
    let (problems, text) = refusing.status(thing_space, "active").await;
    assert_eq!(problems, ["StatusUpdate.TargetStatus not_available"]);
    assert!(text.contains("ThingSpace"), "{text}");
    let (problems, _) = refusing.plan(thing_space, json!({"CarrierRatePlan": PLAN})).await;
    assert!(problems.contains(&"CarrierRatePlanUpdate.CarrierRatePlan not_available".to_owned()), "{problems:?}");
    let telegence = refusing.app.operator.telegence;
    assert_eq!(refusing.status(telegence, "A").await.0, ["StatusUpdate.TargetStatus not_available"]);
}
