//! Reference data: created, shown, changed, listed, and refused.

use lineshift_testkit::app::TestApp;
use serde_json::{Value, json};

/// Each kind with a body that creates one, a change, and what it is then.
fn kinds() -> Vec<(&'static str, Value, Value, Value)> {
    vec![
        (
            "service-providers",
            json!({"name": "POND", "integration_kind": "POND"}),
            json!({"write_enabled": true}),
            json!({"id": 3, "name": "POND", "integration_kind": "POND", "integration_authentication_id": null,
                "write_enabled": true, "is_active": true}),
        ),
        (
            "sites",
            json!({"name": "Yard", "rev_customer_id": 4711}),
            json!({"rev_customer_id": null, "is_active": false}),
            json!({"id": 3, "name": "Yard", "rev_customer_id": null, "is_active": false}),
        ),
        (
            "customers",
            json!({"id": 815, "name": "New Fleet", "integration_authentication_id": 1}),
            json!({"name": "Newer Fleet"}),
            json!({"id": 815, "name": "Newer Fleet", "integration_authentication_id": 1, "is_active": true}),
        ),
        (
            "customer-rate-plans",
            json!({"name": "Big", "monthly_price": 19.9, "allocation_default_mb": "1000", "allocation_bound_mb": 2000, "rev_product_id": 5}),
            json!({"allocation_bound_mb": null, "monthly_price": "20.00"}),
            json!({
                "id": 3, "name": "Big", "monthly_price": "20", "allocation_default_mb": "1000", "allocation_bound_mb": null,
                "rev_product_id": 5, "is_active": true,
            }),
        ),
        (
            "customer-rate-pools",
            json!({"name": "Team"}),
            json!({"name": "Teams"}),
            json!({"id": 2, "name": "Teams", "is_active": true}),
        ),
        (
            "integration-authentications",
            json!({"name": "Rev.io EU", "integration_kind": "Rev.io", "is_active": false}),
            json!({"is_active": true}),
            json!({"id": 2, "name": "Rev.io EU", "integration_kind": "Rev.io", "is_active": true}),
        ),
    ]
}

#[tokio::test]
async fn every_kind_is_created_changed_shown_and_listed() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    for (kind, new, change, expected) in kinds() {
        let path = format!("/api/v1/{kind}");
        let created = admin.post(&path, &new).await;
        assert_eq!(created.status, 201, "{kind}: {}", created.text());
        let location = created.header("location").to_owned();
        assert_eq!(location, format!("{path}/{}", expected["id"]));
        assert_eq!(admin.read(&location).await, created.json(), "{kind} is shown as it was created");
        let changed = admin.patch(&location, &change).await;
        assert_eq!(changed.status, 200, "{kind}: {}", changed.text());
        assert_eq!(admin.read(&location).await, expected, "{kind}");
        let unchanged = admin.patch(&location, &json!({})).await;
        assert_eq!((unchanged.status, unchanged.json()), (200, expected.clone()), "nothing was asked, nothing changed");
        let listed = admin.read(&path).await;
        assert!(listed["items"].as_array().expect("items").contains(&expected), "{kind}: {listed}");
    }
}

#[tokio::test]
async fn only_those_who_may_write_do() {
    let app = TestApp::with_lines(0).await;
    let (orderer, viewer) = (app.orderer().await, app.viewer().await);
    let creator = app.with_scopes("creator", "admin:view admin:create").await;
    for (kind, new, change, _) in kinds() {
        let path = format!("/api/v1/{kind}");
        let id = if kind == "customers" { 4711 } else { 1 };
        for caller in [&orderer, &viewer] {
            assert_eq!(caller.post(&path, &new).await.status, 403, "{kind}");
            assert_eq!(caller.patch(&format!("{path}/{id}"), &change).await.status, 403, "{kind}");
            caller.read(&path).await;
        }
        assert_eq!(creator.patch(&format!("{path}/{id}"), &change).await.status, 403, "{kind}");
        assert_eq!(creator.post(&path, &new).await.status, 201, "{kind}");
    }
}

#[tokio::test]
async fn bodies_are_refused_with_every_problem_at_once() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    let mut lines = Vec::new();
    for (path, body) in [
        ("service-providers", json!({})),
        ("service-providers", json!({"name": " ", "integration_kind": "Rev.io", "write_enabled": 1, "secret": "x"})),
        ("service-providers", json!({"name": "P", "integration_kind": "POND", "integration_authentication_id": 999})),
        ("service-providers", json!({"name": "P", "integration_kind": "POND", "integration_authentication_id": 1})),
        ("sites", json!({"name": "a\nb", "rev_customer_id": "4711"})),
        ("sites", json!({"name": "Yard", "rev_customer_id": 999})),
        ("customers", json!({"id": 0, "name": null, "integration_authentication_id": 1.5})),
        ("customers", json!({"id": 1, "name": "X", "integration_authentication_id": 999})),
        (
            "customer-rate-plans",
            json!({"name": "P", "monthly_price": "-1", "allocation_default_mb": 5, "allocation_bound_mb": 4}),
        ),
        ("customer-rate-plans", json!({"name": "P", "monthly_price": "12,50", "rev_product_id": -1})),
        ("customer-rate-pools", json!({"name": "x".repeat(201), "is_active": null})),
        ("integration-authentications", json!({"name": "A", "integration_kind": "Verizon"})),
    ] {
        let answer = admin.post(&format!("/api/v1/{path}"), &body).await;
        lines.push(format!("{path}: {} {}", answer.status, answer.problems().join(", ")));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    service-providers: 422 name missing_field, integration_kind missing_field
    service-providers: 422 name wrong_form, integration_kind wrong_form, write_enabled wrong_form, secret unknown_field
    service-providers: 422 integration_authentication_id unknown_reference
    service-providers: 422 integration_authentication_id wrong_integration_kind
    sites: 422 name wrong_form, rev_customer_id wrong_form
    sites: 422 rev_customer_id unknown_reference
    customers: 422 id wrong_form, name wrong_form, integration_authentication_id wrong_form
    customers: 422 integration_authentication_id unknown_reference
    customer-rate-plans: 422 monthly_price wrong_form, allocation_default_mb out_of_range
    customer-rate-plans: 422 monthly_price wrong_form, rev_product_id wrong_form
    customer-rate-pools: 422 name wrong_form, is_active wrong_form
    integration-authentications: 422 integration_kind wrong_form
    "#);
    let id = admin.patch("/api/v1/customers/4711", &json!({"id": 1})).await;
    assert_eq!((id.status, id.problems()), (422, vec!["id unknown_field".to_owned()]), "ids stay as they are");
    let repeated = admin.post_bytes("/api/v1/sites", r#"{"name":"A","name":"B"}"#).await;
    assert_eq!((repeated.status, repeated.problems()), (422, vec!["name repeated_field".to_owned()]));
    assert_eq!(admin.post_bytes("/api/v1/sites", "[1]").await.status, 400);
    assert_eq!(admin.read("/api/v1/sites").await["items"].as_array().map(Vec::len), Some(2), "nothing was stored");
}

#[tokio::test]
async fn a_name_or_id_that_is_taken_is_a_conflict() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    let jasper = admin.post("/api/v1/service-providers", &json!({"name": "Jasper", "integration_kind": "Jasper"})).await;
    assert_eq!((jasper.status, jasper.problems()), (409, vec!["conflict".to_owned()]), "{}", jasper.text());
    let customer = json!({"id": 4711, "name": "Twin", "integration_authentication_id": 1});
    assert_eq!(admin.post("/api/v1/customers", &customer).await.status, 409);
    assert_eq!(admin.patch("/api/v1/service-providers/2", &json!({"name": "Jasper"})).await.status, 409);
    let carrier =
        admin.post("/api/v1/integration-authentications", &json!({"name": "Cisco", "integration_kind": "Jasper"})).await;
    let id = carrier.json()["id"].clone();
    let wrong = admin.post("/api/v1/customers", &json!({"id": 9, "name": "N", "integration_authentication_id": id})).await;
    assert_eq!((wrong.status, wrong.problems()), (422, vec!["integration_authentication_id wrong_integration_kind".to_owned()]));
}

/// The account with which a carrier is called is one of its own kind, and stays so.
#[tokio::test]
async fn a_carrier_is_linked_to_an_account_of_its_kind() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    let account =
        admin.post("/api/v1/integration-authentications", &json!({"name": "Cisco", "integration_kind": "Jasper"})).await;
    let id = account.json()["id"].clone();
    let new = json!({"name": "Pod", "integration_kind": "Jasper", "integration_authentication_id": id});
    let created = admin.post("/api/v1/service-providers", &new).await;
    assert_eq!((created.status, &created.json()["integration_authentication_id"]), (201, &id), "{}", created.text());
    let path = format!("/api/v1/service-providers/{}", created.json()["id"]);
    let renamed = admin.patch(&path, &json!({"name": "Pods"})).await;
    assert_eq!((renamed.status, &renamed.json()["integration_authentication_id"]), (200, &id));
    let moved = admin.patch(&path, &json!({"integration_kind": "POND"})).await;
    assert_eq!((moved.status, moved.problems()), (422, vec!["integration_authentication_id wrong_integration_kind".to_owned()]));
    let unlinked = admin.patch(&path, &json!({"integration_authentication_id": null})).await;
    assert_eq!((unlinked.status, &unlinked.json()["integration_authentication_id"]), (200, &Value::Null));
    assert_eq!(admin.read(&path).await["integration_authentication_id"], Value::Null);
}
