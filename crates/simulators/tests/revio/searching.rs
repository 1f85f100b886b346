//! Searches that lag behind, and numbers that match in part. All on a paused clock.

use std::time::Duration;

use serde_json::json;
use tokio::time::{advance, sleep};

use crate::caller::{create_service, get, new_service, options, post, simulator};
use lineshift_simulators::revio::{Fault, NumberFilter};

#[tokio::test(start_paused = true)]
async fn a_search_finds_later_what_a_read_finds_at_once() {
    let mut options = options();
    options.settle_lag = Duration::from_secs(5);
    let simulator = simulator(options);
    let mut late = 0;
    for number in 0..20 {
        let id = create_service(&simulator, 1, &number.to_string()).await;
        get(&simulator, &format!("/Services/{id}")).await.expect(200);
        late += u32::from(get(&simulator, &format!("/Services?number={number}")).await.expect(200)["record_count"] == 0);
    }
    assert!(late > 10, "{late} of 20 were found later");
    sleep(Duration::from_secs(5)).await;
    assert_eq!(get(&simulator, "/Services?page_size=50").await.expect(200)["record_count"], 20);
}

#[tokio::test(start_paused = true)]
async fn a_fault_makes_one_search_lag() {
    let mut options = options();
    options.fault_lag = Duration::from_secs(30);
    let simulator = simulator(options);
    simulator.meet_next_on("POST /Services", Fault::SearchLags);
    get(&simulator, "/SystemStatus").await.expect(200);
    create_service(&simulator, 1, "1").await;
    create_service(&simulator, 1, "2").await;
    assert_eq!(get(&simulator, "/Services?number=1").await.expect(200)["record_count"], 0);
    assert_eq!(get(&simulator, "/Services?number=2").await.expect(200)["record_count"], 1);
    advance(Duration::from_secs(30)).await;
    assert_eq!(get(&simulator, "/Services?number=1").await.expect(200)["record_count"], 1);
}

#[tokio::test]
async fn a_number_matches_as_a_whole_or_in_part() {
    let mut options = options();
    let whole = simulator(options.clone());
    options.open_parts.number_filter = NumberFilter::Part;
    let part = simulator(options);
    for simulator in [&whole, &part] {
        create_service(simulator, 1, "15550001").await;
        create_service(simulator, 2, "155500012").await;
    }
    assert_eq!(get(&whole, "/Services?number=15550001").await.expect(200)["record_count"], 1);
    assert_eq!(get(&part, "/Services?number=15550001").await.expect(200)["record_count"], 2);
    assert_eq!(get(&part, "/Services?number=15550001&customer_id=2").await.expect(200)["record_count"], 1);
    assert_eq!(get(&part, "/Services?number2=90").await.expect(200)["record_count"], 2);
    assert_eq!(get(&whole, "/Services?number2=90").await.expect(200)["record_count"], 0);
}

#[tokio::test(start_paused = true)]
async fn the_products_of_a_package_may_come_later() {
    let mut options = options();
    options.open_parts.package_products_after = Duration::from_secs(10);
    let simulator = simulator(options);
    let mut body = new_service(1, "1");
    body["package_id"] = json!(7);
    let service = post(&simulator, "/Services", &body).await.expect(201)["id"].clone();
    let target = format!("/ServiceProduct?service_id={service}");
    assert_eq!(get(&simulator, "/Services?number=1").await.expect(200)["record_count"], 1);
    assert_eq!(get(&simulator, &target).await.expect(200)["record_count"], 0);
    advance(Duration::from_secs(10)).await;
    assert_eq!(get(&simulator, &target).await.expect(200)["record_count"], 2);
}
