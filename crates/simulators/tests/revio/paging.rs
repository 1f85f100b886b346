//! Pages and filters.

use serde_json::{Value, json};

use crate::caller::{OverHttp, get, options, simulator};
use lineshift_simulators::revio::{RepeatedFilter, Service};

fn ids(page: &Value, name: &str) -> Vec<i64> {
    page["records"].as_array().expect("a list").iter().filter_map(|record| record[name].as_i64()).collect()
}

#[tokio::test]
async fn pages_follow_one_another_to_the_end_over_http() {
    let simulator = simulator(options());
    simulator.with_examples(1_201);
    let http = OverHttp::new(&simulator).await;
    let mut seen = Vec::new();
    for page in 1.. {
        let answer = http.get(&format!("/Customers?page={page}&page_size=500")).send().await.expect("an answer");
        let answer: Value = answer.json().await.expect("JSON");
        assert_eq!(answer["record_count"], answer["records"].as_array().expect("a list").len());
        seen.extend(ids(&answer, "customer_id"));
        if answer["has_more"] == false {
            break;
        }
    }
    assert_eq!(seen, (1..=1_201).collect::<Vec<i64>>());
}

#[tokio::test]
async fn a_page_holds_ten_unless_told_otherwise() {
    let simulator = simulator(options());
    simulator.with_examples(11);
    let first = get(&simulator, "/Customers").await.expect(200);
    assert_eq!((ids(&first, "customer_id").len(), &first["has_more"]), (10, &json!(true)));
    let last = get(&simulator, "/Customers?page=2").await.expect(200);
    assert_eq!((ids(&last, "customer_id"), &last["has_more"]), (vec![11], &json!(false)));
    let beyond = get(&simulator, "/Customers?page=2147483647&page_size=500").await.expect(200);
    assert_eq!((ids(&beyond, "customer_id").len(), &beyond["has_more"]), (0, &json!(false)));
    let exact = get(&simulator, "/Customers?page_size=11").await.expect(200);
    assert_eq!((ids(&exact, "customer_id").len(), &exact["has_more"]), (11, &json!(false)));
}

#[tokio::test]
async fn a_repeated_filter_means_or() {
    let mut options = options();
    let standing = simulator(options.clone());
    let four = standing.add_service(Service::new(4, "1", "8"));
    let five = standing.add_service(Service::new(5, "2", "9"));
    let both = get(&standing, "/Services?number=1&search.number=2").await.expect(200);
    assert_eq!(ids(&both, "service_id"), [four, five]);
    let customers = get(&standing, "/Customers?customer_id=2&customer_id=4&customer_id=99").await.expect(200);
    assert_eq!(ids(&customers, "customer_id"), [2, 4]);
    let one = get(&standing, "/Services?customer_id=5&number=1&number=2&number2=9").await.expect(200);
    assert_eq!(ids(&one, "service_id"), [five]);

    options.open_parts.repeated_filter = RepeatedFilter::LastOnly;
    let other = simulator(options);
    other.add_service(Service::new(4, "1", "8"));
    let five = other.add_service(Service::new(5, "2", "9"));
    let last = get(&other, "/Services?number=1&number=2").await.expect(200);
    assert_eq!(ids(&last, "service_id"), [five]);
}

#[tokio::test]
async fn customers_are_found_by_the_day_of_their_last_change() {
    let simulator = simulator(options());
    let today = get(&simulator, "/Customers?updated_date=2026-11-21Z").await.expect(200);
    assert_eq!(today["record_count"], 5);
    let tomorrow = get(&simulator, "/Customers?search.updated_date=2026-11-22Z").await.expect(200);
    assert_eq!(tomorrow["record_count"], 0);
}

#[tokio::test]
async fn the_catalogue_is_filtered_by_id_and_by_whether_it_is_active() {
    let simulator = simulator(options());
    simulator.deactivate_product(5_012);
    let active = get(&simulator, "/Products?active=true").await.expect(200);
    assert_eq!(ids(&active, "product_id"), [5_011, 5_013]);
    let gone = get(&simulator, "/Products?active=false&product_id=5011&product_id=5012").await.expect(200);
    assert_eq!(ids(&gone, "product_id"), [5_012]);
}
