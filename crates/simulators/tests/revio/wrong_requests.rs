//! Requests that are wrong on purpose: each is refused, and told where.

use lineshift_simulators::SimulatedRequest;
use serde_json::{Value, json};

use crate::caller::{get, new_service, options, request, send, simulator};

async fn refused(request: SimulatedRequest, status: u16, place: &str) {
    let simulator = simulator(options());
    let message = send(&simulator, request).await.refusal(status);
    assert!(message.contains(place), "{message:?} names {place:?}");
    let summary = simulator.ledger().summary();
    assert_eq!((summary.services, summary.service_products), (0, 0), "nothing was done");
    assert!(!message.contains("secret"), "{message}");
}

/// What was refused counts as a wrong request, too.
async fn wrong(request: SimulatedRequest, place: &str) {
    let simulator = simulator(options());
    let message = send(&simulator, request.clone()).await.refusal(400);
    assert!(message.contains(place), "{message:?} names {place:?}");
    let summary = simulator.ledger().summary();
    assert_eq!((summary.wrong_requests, summary.services, summary.service_products), (1, 0, 0));
    assert_eq!(summary.wrong_texts, [format!("{}: {message}", request.method)]);
}

/// A service with one field changed.
fn service_with(field: &str, value: Value) -> Value {
    let mut service = new_service(1, "15550001");
    service[field] = value;
    service
}

/// A service product with one field changed.
fn product_with(field: &str, value: Value) -> Value {
    let mut product = json!({ "customer_id": 1, "service_id": 1, "product_id": 5_011, "rate": 2.5, "quantity": 1 });
    product[field] = value;
    product
}

#[tokio::test]
async fn a_service_id_on_create() {
    wrong(request("POST", "/Services", Some(&service_with("service_id", json!(5)))), "'service_id' was unexpected").await;
}

#[tokio::test]
async fn a_negative_rate() {
    wrong(request("POST", "/ServiceProduct", Some(&product_with("rate", json!(-1.5)))), "body /rate: -1.5").await;
    wrong(request("POST", "/ServiceProduct", Some(&product_with("rate", json!("2.5")))), "body /rate: \"2.5\"").await;
}

#[tokio::test]
async fn an_unknown_field() {
    wrong(request("POST", "/Services", Some(&service_with("iccid", json!("8901")))), "'iccid' was unexpected").await;
    wrong(request("POST", "/Services", Some(&service_with("Number", json!("1")))), "'Number' was unexpected").await;
}

#[tokio::test]
async fn a_missing_customer() {
    let body = json!({ "provider_id": 1, "number": "15550001" });
    wrong(request("POST", "/Services", Some(&body)), "\"customer_id\" is a required property").await;
}

#[tokio::test]
async fn a_wrong_content_type() {
    let mut request = request("POST", "/Services", Some(&new_service(1, "15550001")));
    for (name, value) in &mut request.headers {
        if name == "content-type" {
            *value = "text/plain; charset=utf-8".to_owned();
        }
    }
    wrong(request.clone(), "header content-type: application/json is expected, not text/plain").await;
    request.headers.retain(|(name, _)| name != "content-type");
    wrong(request, "header content-type: application/json is expected, not nothing").await;
}

#[tokio::test]
async fn pages_out_of_range() {
    wrong(request("GET", "/Services?page_size=501", None), "query page_size: 501 is greater").await;
    wrong(request("GET", "/Services?page_size=0", None), "query page_size: 0 is less").await;
    wrong(request("GET", "/Services?page=0", None), "query page: 0 is less").await;
    wrong(request("GET", "/Services?page=1&page=2", None), "query page: stands twice").await;
    wrong(request("GET", "/Services?search.page=1", None), "query search.page: is not known").await;
}

#[tokio::test]
async fn credentials_that_are_missing_or_wrong() {
    let whole = request("GET", "/Services", None);
    let without = |name: &str| {
        let mut request = whole.clone();
        request.headers.retain(|(header, _)| header != name);
        request
    };
    let with = |name: &str, value: &str| {
        let mut request = without(name);
        request.headers.push((name.to_owned(), value.to_owned()));
        request
    };
    let key = "ocp-apim-subscription-key";
    refused(without("authorization"), 401, "header authorization: is missing").await;
    refused(with("authorization", "Bearer abc"), 401, "header authorization: Basic is expected").await;
    refused(with("authorization", "Basic !"), 401, "header authorization: is no base64").await;
    // user@acme:wrong
    refused(with("authorization", "Basic dXNlckBhY21lOndyb25n"), 401, "header authorization: user, client code or").await;
    refused(without(key), 401, "header ocp-apim-subscription-key: is missing").await;
    refused(with(key, "another"), 401, "header ocp-apim-subscription-key: is wrong").await;

    let mut none = options();
    none.login.subscription_key = None;
    let simulator = simulator(none);
    let message = send(&simulator, whole.clone()).await.refusal(401);
    assert!(message.contains("this account has none"), "{message}");
    send(&simulator, without(key)).await.expect(200);
}

#[tokio::test]
async fn a_missing_body() {
    wrong(request("DELETE", "/ServiceProduct", None), "body: is missing").await;
    let mut request = request("POST", "/Services", Some(&json!({})));
    request.body = b"customer_id=1".to_vec();
    wrong(request, "body: is no JSON").await;
}

#[tokio::test]
async fn a_body_that_nobody_expects() {
    wrong(request("GET", "/Services", Some(&json!({}))), "body: none is expected").await;
}

#[tokio::test]
async fn unknown_filters() {
    wrong(request("GET", "/Services?iccid=8901", None), "query iccid: is not known").await;
    wrong(request("GET", "/Customers?name=x", None), "query name: is not known").await;
    wrong(request("GET", "/Services?customer_id=abc", None), "query customer_id: \"abc\"").await;
    wrong(request("GET", "/Services?number=", None), "query number: \"\"").await;
    wrong(request("GET", "/Services?number=%ff", None), "query number: is not percent-encoded").await;
    wrong(request("GET", "/Customers?updated_date=2026-12-01", None), "query updated_date: \"2026-12-01\"").await;
    wrong(request("GET", "/Customers?updated_date=2026-02-30Z", None), "query updated_date: there is no such day").await;
}

#[tokio::test]
async fn numbers_that_are_too_long() {
    let long = "1".repeat(256);
    wrong(request("POST", "/Services", Some(&service_with("number", json!(long)))), "body /number: ").await;
    let fits = "1".repeat(255);
    let simulator = simulator(options());
    send(&simulator, request("POST", "/Services", Some(&service_with("number", json!(fits))))).await.expect(201);
}

#[tokio::test]
async fn ids_out_of_range() {
    wrong(request("POST", "/ServiceProduct", Some(&product_with("product_id", json!(0)))), "body /product_id: 0").await;
    wrong(request("POST", "/ServiceProduct", Some(&product_with("product_id", json!("5011")))), "body /product_id: ").await;
    wrong(request("GET", "/Services/0", None), "path service_id: 0 is less").await;
    wrong(request("GET", "/Services/abc", None), "path service_id: \"abc\"").await;
    wrong(request("GET", "/Services/99999999999", None), "path service_id: 99999999999 is greater").await;
}

#[tokio::test]
async fn dates_of_another_form() {
    let place = "body /activated_date: ";
    for date in ["2026-12-01", "2026-12-01T00:00:00Z", "01/12/2026", "2026-13-01Z"] {
        wrong(request("POST", "/Services", Some(&service_with("activated_date", json!(date)))), place).await;
    }
    wrong(request("POST", "/Services", Some(&service_with("activated_date", json!("2026-02-30Z")))), "there is no such day")
        .await;
}

#[tokio::test]
async fn a_patch_of_what_cannot_change() {
    let body = json!([{ "op": "replace", "path": "/customer_id", "value": 2 }]);
    wrong(request("PATCH", "/ServiceProduct/1", Some(&body)), "body /0: ").await;
    wrong(request("PATCH", "/ServiceProduct/1", Some(&json!([]))), "body: [] has less than 1 item").await;
}

#[tokio::test]
async fn paths_and_methods_that_do_not_exist() {
    let simulator = simulator(options());
    for (method, target, status) in [
        ("GET", "/Service", 404),
        ("GET", "/ServiceProducts", 404),
        ("GET", "/Services/", 400),
        ("GET", "/Services/1/Products", 404),
        ("PUT", "/Services/1", 405),
        ("POST", "/Customers", 405),
    ] {
        let told = send(&simulator, request(method, target, None)).await;
        assert_eq!(told.status, status, "{method} {target}: {}", told.text());
    }
    let mut without_base = request("GET", "/Services", None);
    without_base.target = "/Services".to_owned();
    send(&simulator, without_base).await.expect(404);
    assert_eq!(simulator.ledger().summary().wrong_requests, 7);
    get(&simulator, "/Services").await.expect(200);
}

#[tokio::test]
async fn every_wrong_place_is_told_at_once() {
    let body = json!({ "customer_id": 0, "number": 15, "service_id": 3 });
    let simulator = simulator(options());
    let message = send(&simulator, request("POST", "/Services?x=1", Some(&body))).await.refusal(400);
    for place in ["query x", "body /customer_id", "body /number", "service_id", "provider_id"] {
        assert!(message.contains(place), "{message:?} names {place:?}");
    }
}
