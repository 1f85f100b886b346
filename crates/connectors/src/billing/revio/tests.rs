//! Rev.io against a script, on tokio's paused clock.

mod lookups;
mod repeated;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::NaiveDate;
use lineshift_domain::ids::{RevCustomerId, RevServiceId, RevServiceProductId};
use lineshift_domain::terms::ServiceProductStatus;
use secrecy::SecretString;

use super::{OpenPoints, RevioBilling, RevioCredentials};
use crate::billing::{Billing, MOST_NUMBERS, NewService, NewServiceProduct};
use crate::http::test_kit::{Does, Script, account, limits};
use crate::http::{AccountLimits, TransportFault};
use crate::{CallError, Called};

fn billing(script: &Arc<Script>) -> RevioBilling {
    let credentials = RevioCredentials {
        user: "apiuser".to_owned(),
        client_code: "acme".to_owned(),
        password: SecretString::from("pass/word"),
        subscription_key: Some(SecretString::from("subscription-key")),
    };
    let (account, _) = account(AccountLimits { attempts: 1, ..limits() }, script);
    RevioBilling::new(account, "https://billing.example/v1/", credentials)
}

fn answers(bodies: &[&str]) -> Arc<Script> {
    Script::new(bodies.iter().map(|body| Does::answer(200, body)), Does::answer(500, "the script is at its end"))
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn new_service() -> NewService {
    NewService {
        customer_id: RevCustomerId(5),
        provider_id: 7,
        service_type_id: 8,
        package_id: None,
        usage_plan_group_id: None,
        number: "15551230000".to_owned(),
        number2: "89012345678901234567".to_owned(),
        description: Some("a \"line\"".to_owned()),
        activated_date: day("2026-12-01"),
        effective_date: None,
    }
}

fn new_product() -> NewServiceProduct {
    NewServiceProduct {
        customer_id: RevCustomerId(5),
        service_id: RevServiceId(9),
        product_id: 11,
        generate_proration: true,
        rate: "24.9900".parse().expect("a number"),
        quantity: "1".parse().expect("a number"),
        activated_date: day("2026-12-01"),
        effective_date: Some(day("2026-12-02")),
        description: None,
    }
}

async fn create(billing: &RevioBilling) -> Called<RevServiceId> {
    let permit = billing.account().permit().await.expect("nothing speaks against it");
    billing.create_service(permit, &new_service()).await
}

#[tokio::test(start_paused = true)]
async fn creates_say_what_is_set_and_nothing_else() {
    let created = Does::answer(201, r#"{"ok":true,"id":903311}"#);
    let script = Script::new([], created);
    let billing = billing(&script);
    assert_eq!(create(&billing).await.result, Ok(RevServiceId(903_311)));
    let permit = billing.account().permit().await.expect("nothing speaks against it");
    let called = billing.create_service_product(permit, &new_product()).await;
    assert_eq!(called.result, Ok(RevServiceProductId(903_311)));
    let seen = script.seen();
    assert_eq!(script.lines(), ["POST /Services", "POST /ServiceProduct"]);
    let service = r#"{"customer_id":5,"provider_id":7,"service_type_id":8,"number":"15551230000","number2":"89012345678901234567","description":"a \"line\"","activated_date":"2026-12-01Z"}"#;
    assert_eq!(seen[0].body.as_deref(), Some(service));
    let product = r#"{"customer_id":5,"service_id":9,"product_id":11,"generate_proration":true,"rate":24.99,"quantity":1,"activated_date":"2026-12-01Z","effective_date":"2026-12-02Z"}"#;
    assert_eq!(seen[1].body.as_deref(), Some(product));
}

#[tokio::test(start_paused = true)]
async fn a_create_is_done_refused_or_nobody_knows() {
    let cases = [
        (Does::answer(200, r#"{"ok":true,"id":1}"#), "Ambiguous"),
        (Does::answer(201, r#"{"ok":true}"#), "Ambiguous"),
        (Does::answer(201, r#"{"ok":true,"id":"#), "Ambiguous"),
        (Does::answer(400, r#"[{"message":"customer is closed"}]"#), "Rejected { status: 400, text: \"customer is closed\" }"),
        (Does::answer(400, ""), "Ambiguous"),
        (Does::answer(401, "no"), "Unauthorized"),
        (Does::answer(404, "<p>no</p>"), "NotFound { text: \"no\" }"),
        (Does::answer(409, "no"), "Ambiguous"),
        (Does::answer(429, "wait 3"), "NotNow"),
        (Does::answer(502, "<html>Bad Gateway</html>"), "Ambiguous"),
        (Does::Silence, "Ambiguous(\"no answer in time\")"),
        (Does::Fails(Duration::ZERO, TransportFault::Cut("reset".to_owned())), "Ambiguous"),
        (Does::Fails(Duration::ZERO, TransportFault::NotSent("no connection".to_owned())), "NotSent"),
    ];
    for (does, expected) in cases {
        let script = Script::new([], does);
        let called = create(&billing(&script)).await;
        let result = format!("{:?}", called.result);
        assert!(result.contains(expected), "{expected}: {result}");
        assert_eq!(script.seen().len(), 1, "{expected}: an effect is sent once");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_secret_is_in_the_texts() {
    let body = "user apiuser@acme pass/word pass%2Fword subscription-key YXBpdXNlckBhY21lOnBhc3Mvd29yZA==";
    let script = Script::new([], Does::answer(400, body));
    let called = create(&billing(&script)).await;
    let shown = format!("{:?} {:?}", called.result, called.exchange);
    for secret in ["apiuser", "pass/word", "pass%2F", "subscription-key", "YXBp", "d29yZA"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("@acme"), "{shown}");
    assert!(called.exchange.request.starts_with("POST /v1/Services\n{"), "{}", called.exchange.request);
}

/// A service as Rev.io answers it.
fn service(id: u32, customer: u32, number: &str, number2: &str, disconnected: &str) -> String {
    format!(
        r#"{{"service_id":{id},"customer_id":"{customer}","number":"{number}","number2":"{number2}","provider_id":7,"activated_date":"2016-10-21T16:24:21.293","disconnected_date":{disconnected},"status":"?","fields":[]}}"#
    )
}

fn list(has_more: bool, records: &[String]) -> String {
    format!(r#"{{"ok":true,"has_more":{has_more},"record_count":{},"records":[{}]}}"#, records.len(), records.join(","))
}

/// Known to take a repeated filter for "or".
struct MeansOr;

impl OpenPoints for MeansOr {
    fn repeated_number_means_or(&self) -> Option<bool> {
        Some(true)
    }
}

fn means_or(billing: RevioBilling) -> RevioBilling {
    billing.with_open_points(Arc::new(MeansOr))
}

#[tokio::test(start_paused = true)]
async fn services_are_found_on_all_pages_and_compared_here() {
    let pages = [
        list(
            true,
            &[service(1, 5, "100", "8901", "null"), service(2, 5, "1005", "", "null"), service(3, 6, "100", "8901", "null")],
        ),
        list(
            false,
            &[
                service(1, 5, "100", "8901", "null"),
                service(4, 5, "x", "200", "null"),
                service(5, 5, "100", "", "\"2026-01-01Z\""),
            ],
        ),
    ];
    let script = answers(&[&pages[0], &pages[1]]);
    let numbers = ["100".to_owned(), "200".to_owned()];
    let called = means_or(billing(&script)).find_services(RevCustomerId(5), &numbers).await;
    let found = called.result.expect("two pages");
    assert_eq!(found.iter().map(|service| service.id.0).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(found[0].number2.as_deref(), Some("8901"));
    assert_eq!(found[0].activated_date, Some(day("2016-10-21")));
    let filters = "customer_id=5&number=100&number=200&page_size=500";
    assert_eq!(script.lines(), [format!("GET /Services?{filters}&page=1"), format!("GET /Services?{filters}&page=2")]);
    assert_eq!(called.exchange.request.lines().count(), 2);
}

#[tokio::test(start_paused = true)]
async fn many_numbers_are_asked_in_parts_and_none_not_at_all() {
    let nothing = list(false, &[]);
    let script = Script::new([], Does::answer(200, &nothing));
    let billing = means_or(billing(&script));
    assert_eq!(billing.find_services(RevCustomerId(5), &[]).await.result, Ok(Vec::new()));
    assert!(script.seen().is_empty());
    let numbers: Vec<String> = (0..=MOST_NUMBERS).map(|number| number.to_string()).collect();
    assert_eq!(billing.find_services(RevCustomerId(5), &numbers).await.result, Ok(Vec::new()));
    assert_eq!(script.seen().len(), 2);
}

/// Another answer to what is not public.
struct OneByOne;

impl OpenPoints for OneByOne {
    fn repeated_number_means_or(&self) -> Option<bool> {
        Some(false)
    }
}

#[tokio::test(start_paused = true)]
async fn open_points_can_be_replaced() {
    let nothing = list(false, &[]);
    let script = Script::new([], Does::answer(200, &nothing));
    let replaced = billing(&script).with_open_points(Arc::new(OneByOne));
    let numbers = ["100".to_owned(), "200".to_owned()];
    assert_eq!(replaced.find_services(RevCustomerId(5), &numbers).await.result, Ok(Vec::new()));
    let expected = ["100", "200"].map(|number| format!("GET /Services?customer_id=5&number={number}&page_size=500&page=1"));
    assert_eq!(script.lines(), expected);
}

#[tokio::test(start_paused = true)]
async fn hostile_lists_end_with_an_error() {
    let cases = [
        (list(true, &[]), "an empty page"),
        (r#"{"ok":true,"records":[]}"#.to_owned(), "has_more"),
        (r#"{"ok":false,"has_more":false,"records":[]}"#.to_owned(), "not ok"),
        (list(false, &[service(0, 5, "100", "", "null")]), "expected an id"),
        (list(false, &[service(1, 5, "100", "", "\"never\"")]), "never"),
        ("[]".to_owned(), "answered 200 that cannot be used"),
        ("<html>login</html>".to_owned(), "answered 200 that cannot be used"),
        ("[".repeat(10_000), "answered 200 that cannot be used"),
    ];
    for (body, expected) in cases {
        let script = Script::new([], Does::answer(200, &body));
        let called = billing(&script).find_services(RevCustomerId(5), &["100".to_owned()]).await;
        let Err(CallError::Unavailable(text)) = &called.result else { panic!("{expected}: {:?}", called.result) };
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_without_end_is_given_up() {
    let endless = list(true, &[service(1, 5, "100", "", "null")]);
    let script = Script::new([], Does::answer(200, &endless));
    let billing = billing(&script);
    let called = billing.list_services(9_999).await;
    assert!(called.result.expect("not the last page").has_more);
    let called = billing.list_services(10_000).await;
    assert_eq!(called.result, Err(CallError::Unavailable("/Services goes on after 10000 pages".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn one_service_is_itself_or_not_there() {
    let script = Script::new(
        [
            Does::answer(200, &service(9, 5, "100", "", "\"2026-12-01Z\"")),
            Does::answer(404, r#"{"ok":false,"message":"no such service"}"#),
            Does::answer(200, &service(8, 5, "100", "", "null")),
            Does::answer(404, ""),
        ],
        Does::Silence,
    );
    let billing = billing(&script);
    let found = billing.find_service(RevServiceId(9)).await.result.expect("it is there").expect("it is there");
    assert_eq!(found.disconnected_date, Some(day("2026-12-01")));
    assert_eq!(script.lines(), ["GET /Services/9"]);
    assert_eq!(billing.find_service(RevServiceId(9)).await.result, Ok(None));
    for _ in ["another service", "a 404 that says nothing"] {
        let called = billing.find_service(RevServiceId(9)).await;
        assert!(matches!(called.result, Err(CallError::Unavailable(_))), "{:?}", called.result);
    }
}

#[tokio::test(start_paused = true)]
async fn disconnecting_sends_a_body() {
    let script = Script::new([], Does::answer(200, r#"{"ok":true}"#));
    let billing = billing(&script);
    let permit = billing.account().permit().await.expect("nothing speaks against it");
    assert_eq!(billing.disconnect_service(permit, RevServiceId(9), day("2026-12-01")).await.result, Ok(()));
    let permit = billing.account().permit().await.expect("nothing speaks against it");
    let called = billing.disconnect_service_product(permit, RevServiceProductId(3), day("2026-12-01")).await;
    assert_eq!(called.result, Ok(()));
    assert_eq!(script.lines(), ["DELETE /Services", "DELETE /ServiceProduct"]);
    let bodies: Vec<serde_json::Value> =
        script.seen().iter().map(|seen| serde_json::from_str(seen.body.as_deref().expect("a body")).expect("JSON")).collect();
    let expected =
        |field: &str, id: i64| serde_json::json!({ field: id, "effective_date": "2026-12-01Z", "generate_proration": false });
    assert_eq!(bodies, [expected("service_id", 9), expected("service_product_id", 3)]);
}

#[tokio::test(start_paused = true)]
async fn products_of_a_service_are_read_with_their_money() {
    let product = |id: u32, service: u32, rate: &str, status: &str| {
        format!(
            r#"{{"service_product_id":{id},"customer_id":5,"service_id":{service},"product_id":11,"package_id":null,"rate":{rate},"quantity":1.0000,"status":"{status}"}}"#
        )
    };
    let body = list(
        false,
        &[product(2, 9, "0.1", "ACTIVE"), product(1, 9, "0.2000000001", "Disconnected"), product(3, 8, "1", "PENDING")],
    );
    let script = answers(&[&body, &list(false, &[product(2, 9, "1", "PAUSED")])]);
    let billing = billing(&script);
    let products = billing.list_products_of(RevServiceId(9)).await.result.expect("a list");
    let told: Vec<_> =
        products.iter().map(|product| (product.id.0, product.rate.map(|rate| rate.to_string()), product.status)).collect();
    assert_eq!(
        told,
        [
            (1, Some("0.2000000001".to_owned()), ServiceProductStatus::Disconnected),
            (2, Some("0.1".to_owned()), ServiceProductStatus::Active)
        ]
    );
    assert_eq!(script.lines(), ["GET /ServiceProduct?service_id=9&page_size=500&page=1"]);
    let called = billing.list_products_of(RevServiceId(9)).await;
    assert!(matches!(called.result, Err(CallError::Unavailable(_))), "a status that nobody knows: {:?}", called.result);
}

#[tokio::test(start_paused = true)]
async fn customers_are_named_by_their_first_address_and_compared_by_date() {
    let body = list(
        true,
        &[
            r#"{"customer_id":1,"account_number":1234,"status":"ACTIVE","close_date":null,"billing_address":{"company_name":" ","first_name":"Ann","last_name":"Bell"},"updated_date":"2026-11-20T23:59:59.999"}"#.to_owned(),
            r#"{"customer_id":2,"close_date":"2026-11-21T00:00:00","billing_address":null,"service_address":{"company_name":"Acme"},"updated_date":"2026-11-21Z"}"#.to_owned(),
            r#"{"customer_id":3,"account_number":"A-3","close_date":"2026-11-22Z"}"#.to_owned(),
            r#"{"customer_id":4,"status":"closed","updated_date":"2026-11-30T01:00:00+02:00"}"#.to_owned(),
        ],
    );
    let script = Script::new([], Does::answer(200, &body));
    let billing = billing(&script);
    let batch = billing.list_customers(Some(day("2026-11-21")), 1).await.result.expect("a page");
    assert!(batch.has_more);
    let told: Vec<_> = batch.records.iter().map(|customer| (customer.id.0, customer.name.as_str(), customer.is_closed)).collect();
    assert_eq!(told, [(2, "Acme", true), (3, "A-3", false), (4, "4", true)]);
    let all = billing.list_customers(None, 2).await.result.expect("a page").records;
    assert_eq!((all[0].name.as_str(), all[0].account_number.as_deref()), ("Ann Bell", Some("1234")));
    assert_eq!(
        script.lines(),
        ["GET /Customers?updated_date=2026-11-21Z&page_size=500&page=1", "GET /Customers?page_size=500&page=2"]
    );
}

#[tokio::test(start_paused = true)]
async fn the_connection_is_tested_with_the_credentials() {
    let script = Script::new([Does::answer(200, "up"), Does::answer(401, "")], Does::answer(204, ""));
    let billing = billing(&script);
    assert_eq!(billing.test_connection().await.result, Ok(()));
    assert_eq!(script.lines(), ["GET /SystemStatus"]);
    assert!(matches!(billing.test_connection().await.result, Err(CallError::Unauthorized { status: 401, .. })));
    assert!(billing.test_connection().await.result.is_err());
    assert_eq!((billing.client_code(), script.most_under_way.load(Ordering::SeqCst)), ("acme", 1));
}
