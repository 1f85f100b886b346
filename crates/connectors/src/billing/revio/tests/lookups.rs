//! What is looked up once and believed for a while (B7.6).

use std::sync::Arc;
use std::time::Duration;

use lineshift_domain::ids::RevCustomerId;

use super::{answers, billing, list};
use crate::billing::Billing;
use crate::http::test_kit::{Does, Script};

#[tokio::test(start_paused = true)]
async fn lookups_are_cached_also_what_is_not_there() {
    let body = list(
        false,
        &[r#"{"product_id":11,"description":"Data","active":true}"#.to_owned(), r#"{"product_id":12,"active":false}"#.to_owned()],
    );
    let script = Script::new([], Does::answer(200, &body));
    let billing = Arc::new(billing(&script));
    let askers: Vec<_> = (0..20)
        .map(|_| {
            let billing = Arc::clone(&billing);
            tokio::spawn(async move { billing.find_product(11).await.result.expect("a list").expect("it is there") })
        })
        .collect();
    for asker in askers {
        assert!(asker.await.expect("nobody panics").is_active);
    }
    assert_eq!(script.lines(), ["GET /Products?page_size=500&page=1"], "those who ask at a time share one call");
    assert!(!billing.find_product(12).await.result.expect("a list").expect("it is there").is_active);
    assert_eq!(billing.find_product(13).await.result, Ok(None));
    assert_eq!(script.seen().len(), 1);
    // After a minute what is not there is asked for again, what is there not before ten.
    tokio::time::advance(Duration::from_secs(61)).await;
    assert!(billing.find_product(12).await.result.expect("a list").is_some());
    assert_eq!(script.seen().len(), 1);
    assert_eq!(billing.find_product(13).await.result, Ok(None));
    assert_eq!(script.seen().len(), 2);
    tokio::time::advance(Duration::from_secs(601)).await;
    assert!(billing.find_product(12).await.result.expect("a list").is_some());
    assert_eq!(script.seen().len(), 3);
    billing.forget_lookups();
    assert!(billing.find_product(12).await.result.expect("a list").is_some());
    assert_eq!(script.seen().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_customer_is_cached_for_five_minutes_and_an_error_not_at_all() {
    let script = answers(&[]);
    let billing = billing(&script);
    assert!(billing.find_customer(RevCustomerId(5)).await.result.is_err());
    let there = list(false, &[r#"{"customer_id":5}"#.to_owned(), r#"{"customer_id":6}"#.to_owned()]);
    script.rest(Does::answer(200, &there));
    for (seconds, calls) in [(0, 2), (299, 2), (2, 3)] {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        let customer = billing.find_customer(RevCustomerId(5)).await.result.expect("a list").expect("it is there");
        assert_eq!((customer.id, script.seen().len()), (RevCustomerId(5), calls));
    }
    assert_eq!(script.lines()[0], "GET /Customers?customer_id=5&page_size=500&page=1");
    assert_eq!(billing.find_customer(RevCustomerId(7)).await.result, Ok(None), "another customer's record is none");
    assert_eq!(billing.find_customer(RevCustomerId(7)).await.result, Ok(None));
    assert_eq!(script.seen().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn packages_know_how_many_products_they_bring() {
    let packages = list(false, &[r#"{"package_id":1,"description":"Bundle"}"#.to_owned(), r#"{"package_id":2}"#.to_owned()]);
    let brought = [1, 1, 3].map(|package| format!(r#"{{"package_product_id":9,"package_id":{package},"product_id":11}}"#));
    let script = answers(&[&packages, &list(false, &brought)]);
    let billing = billing(&script);
    for (id, products) in [(1, Some(2)), (2, Some(0)), (3, None)] {
        let package = billing.find_package(id).await.result.expect("two lists");
        assert_eq!(package.map(|package| package.products), products, "package {id}");
    }
    assert_eq!(script.seen().len(), 2);
}
