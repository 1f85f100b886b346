//! The accounts of carriers: set with the fields of their kind, tested, and never telling a secret.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::carriers::{API_KEY, CarrierWorld, POND_KEY};
use lineshift_testkit::http::{Answer, HttpCaller, send};
use reqwest::Method;
use serde_json::{Value, json};

const JASPER_ADDRESS: &str = "https://jasper.example/rws/api/v1";
const POND_ADDRESS: &str = "https://pond.example";

struct Accounts {
    app: TestApp,
    admin: HttpCaller,
    jasper: String,
    pond: String,
}

impl Accounts {
    async fn new() -> Self {
        let world = CarrierWorld::with_lines(1).await;
        let path = |id| format!("/api/v1/integrations/{id}");
        let (jasper, pond) = (path(world.jasper_account), path(world.pond_account));
        let app = TestApp::sealing(world.operator).await;
        let admin = app.admin().await;
        Self { app, admin, jasper, pond }
    }

    async fn set(&self, path: &str, address: &str, credentials: Value) -> Answer {
        let body = json!({"base_address": address, "credentials": credentials});
        send(self.admin.request(Method::PUT, &format!("{path}/account")).json(&body)).await
    }

    async fn test(&self, path: &str) -> Value {
        self.admin.post_empty(&format!("{path}/test")).await.json()
    }
}

#[tokio::test]
async fn accounts_of_both_carriers_are_set_tested_and_shown() {
    let accounts = Accounts::new().await;
    let (jasper, pond) = (accounts.jasper.clone(), accounts.pond.clone());
    let wrong = accounts.set(&jasper, JASPER_ADDRESS, json!({"user": "switchboard", "api_key": "wr0ng-key"})).await;
    assert_eq!(wrong.status, 200, "{}", wrong.text());
    let test = accounts.test(&jasper).await;
    assert_eq!((&test["ok"], &test["code"]), (&json!(false), &json!("credentials_refused")), "{test}");
    let set = accounts.set(&jasper, JASPER_ADDRESS, json!({"user": "switchboard", "api_key": API_KEY})).await;
    let shown = set.json();
    assert_eq!((&shown["has_credentials"], &shown["client_code"]), (&json!(true), &Value::Null));
    assert_eq!((&shown["integration_kind"], &shown["limits"]["concurrency"]), (&json!("Jasper"), &json!(1)));
    let test = accounts.test(&jasper).await;
    assert_eq!(test["ok"], true, "{test}");

    let full = json!({"api_key": POND_KEY, "distributor_id": "12", "header": "x-api-key", "inventory_id": "main"});
    let set = accounts.set(&pond, POND_ADDRESS, full).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let test_pond = accounts.test(&pond).await;
    assert_eq!(test_pond["ok"], true, "{test_pond}");

    let listed = accounts.admin.get("/api/v1/integration-authentications").await.text();
    let stored = accounts.app.operator.stored.inspect("SELECT * FROM integration_authentication").await.expect("rows");
    let told = [wrong.text(), set.text(), test.to_string(), listed, format!("{stored:?}")].concat();
    for secret in [API_KEY, POND_KEY, "wr0ng-key"] {
        assert!(!told.contains(secret), "{secret} is told: {told}");
    }
}

#[tokio::test]
async fn fields_of_another_kind_missing_and_wrong_ones_are_named_all_at_once() {
    let accounts = Accounts::new().await;
    let (jasper, pond) = (accounts.jasper.clone(), accounts.pond.clone());
    let refused = async |path: &str, address: &str, credentials: Value| {
        let answer = accounts.set(path, address, credentials).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        assert!(!answer.text().contains("s3cr3t"), "{}", answer.text());
        answer.problems()
    };
    let revio = json!({"user": "u", "client_code": "c", "password": "s3cr3t"});
    assert_eq!(
        refused(&jasper, JASPER_ADDRESS, revio).await,
        ["credentials.api_key missing_field", "credentials.client_code unknown_field", "credentials.password unknown_field"]
    );
    assert_eq!(
        refused(&jasper, JASPER_ADDRESS, json!({"user": "u:s3cr3t", "api_key": ["s3cr3t"]})).await,
        ["credentials.api_key wrong_type", "credentials.user wrong_form"]
    );
    let wrong = json!({"api_key": "s3cr3t x", "distributor_id": "../s3cr3t", "header": "host", "inventory_id": 7});
    assert_eq!(
        refused(&pond, POND_ADDRESS, wrong).await,
        [
            "credentials.inventory_id wrong_type",
            "credentials.api_key wrong_form",
            "credentials.distributor_id wrong_form",
            "credentials.header wrong_form"
        ]
    );
    assert_eq!(
        refused(&pond, POND_ADDRESS, json!({})).await,
        ["credentials.api_key missing_field", "credentials.distributor_id missing_field"]
    );
    let test = accounts.test(&pond).await;
    assert_eq!(test["ok"], true, "what was refused has replaced nothing: {test}");
}

#[tokio::test]
async fn kinds_that_nobody_calls_yet_are_kept_but_have_no_account() {
    let accounts = Accounts::new().await;
    let create = async |kind: &str| {
        let body = json!({"name": format!("Of {kind}"), "integration_kind": kind});
        accounts.admin.post("/api/v1/integration-authentications", &body).await
    };
    let created = create("ThingSpace").await;
    assert_eq!(created.status, 201, "{}", created.text());
    let path = format!("/api/v1/integrations/{}", created.json()["id"]);
    let refused = accounts.set(&path, POND_ADDRESS, json!({"user": "u"})).await;
    assert_eq!(refused.problems(), ["not_available"], "{}", refused.text());
    assert!(refused.text().contains("this version calls Jasper, POND, Rev.io only"), "{}", refused.text());
    let unknown = create("Carrier Pigeon").await;
    assert_eq!((unknown.status, unknown.problems()), (422, vec!["integration_kind wrong_form".to_owned()]));
    let provider = json!({"name": "Wrong", "integration_kind": "Rev.io"});
    let refused = accounts.admin.post("/api/v1/service-providers", &provider).await;
    assert_eq!(refused.problems(), ["integration_kind wrong_form"]);
    assert!(refused.text().contains("one of Jasper, ThingSpace, Telegence, POND"), "{}", refused.text());
}
