//! What the ledger's rules refuse, and what they do.

use chrono::NaiveDate;
use serde_json::json;

use crate::caller::{create_service, delete, get, new_service, options, patch, post, simulator};
use lineshift_simulators::revio::{Product, Service, ServiceProduct};

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 1).expect("a day")
}

#[tokio::test]
async fn what_is_not_in_the_catalogue_is_refused() {
    let simulator = simulator(options());
    simulator.close_customer(2, day()).deactivate_package(8);
    for (field, value, says) in [
        ("customer_id", 77, "customer 77 does not exist"),
        ("customer_id", 2, "customer 2 is closed"),
        ("provider_id", 77, "provider_id: 77 does not exist"),
        ("service_type_id", 77, "service_type_id: 77 does not exist"),
        ("package_id", 77, "package_id: 77 does not exist"),
        ("package_id", 8, "package_id: 8 is not active"),
        ("usage_plan_group_id", 77, "usage_plan_group_id: 77 does not exist"),
    ] {
        let mut body = new_service(1, "15550001");
        body[field] = json!(value);
        let message = post(&simulator, "/Services", &body).await.refusal(400);
        assert!(message.contains(says), "{message:?} says {says:?}");
    }
    assert_eq!(simulator.ledger().summary().services, 0);
}

#[tokio::test]
async fn a_product_needs_a_live_service_and_must_be_active() {
    let simulator = simulator(options());
    simulator.deactivate_product(5_012);
    let ordered = "Ordered".to_owned();
    let product = Product { product_id: 9, description: ordered, rate: None, active: true, creates_order: true };
    simulator.with_product_record(product);
    let live = create_service(&simulator, 1, "15550001").await;
    let gone = create_service(&simulator, 1, "15550002").await;
    simulator.disconnect_service(gone, day());
    let product = |service: i64, product: i64| json!({ "customer_id": 1, "service_id": service, "product_id": product });
    for (service, id, says) in [
        (live, 77, "product 77 does not exist"),
        (live, 5_012, "product 5012 is not active"),
        (gone, 5_011, "is disconnected"),
        (77, 5_011, "the customer has no service 77"),
    ] {
        let message = post(&simulator, "/ServiceProduct", &product(service, id)).await.refusal(400);
        assert!(message.contains(says), "{message:?} says {says:?}");
    }
    let anothers = json!({ "customer_id": 3, "service_id": live, "product_id": 5_011 });
    post(&simulator, "/ServiceProduct", &anothers).await.expect(400);

    post(&simulator, "/ServiceProduct", &product(live, 5_011)).await.expect(201);
    post(&simulator, "/ServiceProduct", &product(live, 9)).await.expect(201);
    let products = get(&simulator, &format!("/ServiceProduct?service_id={live}")).await.expect(200);
    let statuses: Vec<&str> =
        products["records"].as_array().expect("a list").iter().filter_map(|record| record["status"].as_str()).collect();
    assert_eq!(statuses, ["ACTIVE", "PENDING"]);
}

#[tokio::test]
async fn nothing_is_disconnected_twice() {
    let simulator = simulator(options());
    let service = create_service(&simulator, 1, "15550001").await;
    let product = simulator.add_service_product(ServiceProduct::new(1, service, 5_011));
    let kept = simulator.add_service_product(ServiceProduct::new(1, service, 5_013));
    let end = |name: &str, id: i64| json!({ name: id, "effective_date": "2026-12-01Z", "generate_proration": false });

    delete(&simulator, "/ServiceProduct", &end("service_product_id", product)).await.expect(200);
    let twice = delete(&simulator, "/ServiceProduct", &end("service_product_id", product)).await.refusal(400);
    assert!(twice.contains("disconnected already"), "{twice}");
    assert_eq!(simulator.ledger().summary().service_products, 1);

    delete(&simulator, "/Services", &end("service_id", service)).await.expect(200);
    delete(&simulator, "/Services", &end("service_id", service)).await.expect(400);
    delete(&simulator, "/Services", &end("service_id", 77)).await.expect(404);
    let product = get(&simulator, &format!("/ServiceProduct/{kept}")).await.expect(200);
    assert_eq!(product["status"], "DISCONNECTED", "a service takes its products with it");
    let summary = simulator.ledger().summary();
    assert_eq!((summary.services, summary.disconnected_services, summary.service_products), (0, 1, 0));
}

#[tokio::test]
async fn a_package_brings_its_products() {
    let simulator = simulator(options());
    let mut body = new_service(1, "15550001");
    body["package_id"] = json!(7);
    let service = post(&simulator, "/Services", &body).await.expect(201)["id"].clone();
    let products = get(&simulator, &format!("/ServiceProduct?search.service_id={service}")).await.expect(200);
    let found: Vec<_> = products["records"].as_array().expect("a list").iter().map(|record| &record["product_id"]).collect();
    assert_eq!(found, [&json!(5_011), &json!(5_013)]);
    assert_eq!(products["records"][0]["package_id"], 7);
    assert_eq!(products["records"][0]["rate"], 2.5);
    assert_eq!(get(&simulator, "/PackageProducts?package_id=7").await.expect(200)["record_count"], 2);
    assert_eq!(get(&simulator, "/PackageProducts?package_id=8").await.expect(200)["record_count"], 0);
}

#[tokio::test]
async fn money_keeps_its_digits() {
    let simulator = simulator(options());
    let service = create_service(&simulator, 1, "15550001").await;
    let body = json!({ "customer_id": 1, "service_id": service, "product_id": 5_011, "rate": 0.1, "quantity": 1.5 });
    let id = post(&simulator, "/ServiceProduct", &body).await.expect(201)["id"].clone();
    let product = get(&simulator, &format!("/ServiceProduct/{id}")).await.text();
    assert!(product.contains(r#""rate":0.1,"#) && product.contains(r#""quantity":1.5"#), "{product}");
    let rate = simulator.ledger().service_products()[0].rate.expect("a rate");
    assert_eq!(rate.to_string(), "0.1");
}

#[tokio::test]
async fn a_change_of_rate_and_status_at_once_is_refused() {
    let simulator = simulator(options());
    let id = simulator.add_service_product(ServiceProduct::new(1, 1, 5_011));
    let target = format!("/ServiceProduct/{id}");
    let status = json!({ "op": "replace", "path": "/status", "value": "DENIED" });
    let rate = json!({ "op": "replace", "path": "/rate", "value": 3 });
    patch(&simulator, &target, &json!([status, rate])).await.expect(400);
    patch(&simulator, &target, &json!([status])).await.expect(200);
    assert_eq!(get(&simulator, &target).await.expect(200)["status"], "DENIED");
    patch(&simulator, "/ServiceProduct/77", &json!([status])).await.expect(404);
}

#[tokio::test]
async fn duplicates_are_counted() {
    let simulator = simulator(options());
    let first = simulator.add_service(Service::new(1, "15550001", "8901"));
    simulator.add_service(Service::new(2, "15550001", "8901"));
    simulator.add_service(Service::new(1, "15550001", "8902"));
    simulator.add_service_product(ServiceProduct::new(1, first, 5_011));
    simulator.add_service_product(ServiceProduct::new(1, first, 5_012));
    let summary = simulator.ledger().summary();
    assert_eq!((summary.duplicate_services, summary.duplicate_products), (0, 0));

    let second = simulator.add_service(Service::new(1, "15550001", "8901"));
    simulator.add_service_product(ServiceProduct::new(1, first, 5_011));
    simulator.add_service_product(ServiceProduct::new(1, first, 5_011));
    let summary = simulator.ledger().summary();
    assert_eq!((summary.duplicate_services, summary.duplicate_products), (1, 2));
    simulator.disconnect_service(second, day());
    simulator.disconnect_service(first, day());
    let summary = simulator.ledger().summary();
    assert_eq!((summary.duplicate_services, summary.duplicate_products), (0, 0));
}
