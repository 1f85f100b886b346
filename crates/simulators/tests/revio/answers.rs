//! Every answer fits the description; `caller::send` checks each, so calling everything is enough.

use serde_json::json;

use crate::caller::{create_service, delete, get, options, patch, post, request, send, simulator};
use lineshift_simulators::Reaction;
use lineshift_simulators::revio::{ErrorShape, Faults, OPENAPI, answer_misfits};

#[tokio::test]
async fn every_call_of_the_description_is_answered_as_described() {
    let simulator = simulator(options());
    let service = create_service(&simulator, 1, "15550001").await;
    let product = json!({ "customer_id": 1, "service_id": service, "product_id": 5_011, "rate": 12.34, "quantity": 2 });
    let product = post(&simulator, "/ServiceProduct", &product).await.expect(201)["id"].as_i64().expect("an id");

    get(&simulator, "/SystemStatus").await.expect(200);
    let lists =
        ["Customers", "Services", "ServiceProduct", "Products", "Packages", "PackageProducts", "ServiceTypes", "Providers"];
    for list in lists.into_iter().chain(["UsagePlanGroups", "BillProfiles"]) {
        let page = get(&simulator, &format!("/{list}")).await.expect(200);
        let first = page["records"][0].as_object().unwrap_or_else(|| panic!("{list} has records"));
        // Every resource is known by an id that is named like it.
        let own = ["package_product_id", "service_product_id", "service_id", "package_id", "product_id"];
        let id = own.iter().find_map(|name| first.get(*name)).or_else(|| first.values().find(|value| value.is_i64()));
        let one = get(&simulator, &format!("/{list}/{}", id.expect("an id"))).await.expect(200);
        assert_eq!(one["ok"], true, "{list}");
        get(&simulator, &format!("/{list}/2147483647")).await.expect(404);
    }
    let change = json!([{ "op": "replace", "path": "/rate", "value": 0.1 }, { "op": "add", "path": "/quantity", "value": 3 }]);
    patch(&simulator, &format!("/ServiceProduct/{product}"), &change).await.expect(200);
    let end = json!({ "service_product_id": product, "effective_date": "2026-12-01Z", "generate_proration": false });
    delete(&simulator, "/ServiceProduct", &end).await.expect(200);
    let end = json!({ "service_id": service, "effective_date": "2026-12-01Z", "generate_proration": false });
    delete(&simulator, "/Services", &end).await.expect(200);
    let ended = get(&simulator, &format!("/Services/{service}")).await.expect(200);
    assert_eq!(ended["disconnected_date"], "2026-12-01T00:00:00");

    let called = simulator.ledger().summary().calls;
    let described: serde_json::Value = serde_json::from_str(OPENAPI).expect("JSON");
    for (path, methods) in described["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let name = format!("{} {path}", method.to_uppercase());
            assert!(called.contains_key(&name), "{name} was called");
        }
    }
}

#[tokio::test]
async fn errors_come_in_every_form() {
    for (shape, content_type) in [
        (ErrorShape::Object, Some("application/json")),
        (ErrorShape::Array, Some("application/json")),
        (ErrorShape::Text, Some("text/plain")),
        (ErrorShape::Html, Some("text/html")),
        (ErrorShape::Nothing, None),
    ] {
        let mut options = options();
        options.faults = Faults::none().with_shapes(&[shape]);
        let told = send(&simulator(options), request("GET", "/Services/7", None)).await;
        assert_eq!((told.status, told.header("content-type")), (404, content_type), "{shape:?}");
        let says = told.text();
        assert_eq!(says.contains("there is no such record"), shape != ErrorShape::Nothing, "{says}");
        assert_eq!(says.starts_with('['), shape == ErrorShape::Array, "{says}");
        assert_eq!(says.starts_with('<'), shape == ErrorShape::Html, "{says}");
    }
}

#[test]
fn an_answer_of_another_form_is_noticed() {
    let answer = |status, content_type: &str, body: &str| Reaction::Answer {
        status,
        headers: vec![("content-type".to_owned(), content_type.to_owned())],
        body: body.as_bytes().to_vec(),
    };
    let create = request("POST", "/Services", Some(&json!({})));
    let misfits = |reaction| answer_misfits(&create, &reaction);
    assert_eq!(misfits(answer(201, "application/json", r#"{"ok":true,"id":5}"#)), ["header location: is missing"]);
    assert!(!misfits(answer(201, "application/json", r#"{"ok":true,"id":"5"}"#)).is_empty());
    assert!(!misfits(answer(200, "application/json", r#"{"ok":true}"#)).is_empty());
    assert!(!misfits(answer(500, "application/json", r#"{"error":"x"}"#)).is_empty());
    assert!(misfits(answer(500, "text/plain", "oh")).is_empty());
}
