//! What a repeated filter by number means is found out before it is believed: else a line would be billed twice.

use lineshift_domain::ids::RevCustomerId;

use super::{answers, billing, list, service};
use crate::billing::Billing as _;

const CUSTOMER: RevCustomerId = RevCustomerId(5);

fn numbers() -> [String; 2] {
    ["100".to_owned(), "200".to_owned()]
}

/// A page of many: the first two with numbers of which one is a part of the other.
fn one_of_many_pages() -> String {
    let services = [(1, "7"), (2, "77"), (3, "800")];
    list(true, &services.map(|(id, number)| service(id, 5, number, "", "null")))
}

#[tokio::test(start_paused = true)]
async fn a_customer_whose_services_are_one_page_needs_no_filter() {
    let all = list(false, &[service(1, 5, "100", "", "null"), service(2, 5, "300", "", "null")]);
    let script = answers(&[&all]);
    let found = billing(&script).find_services(CUSTOMER, &numbers()).await.result.expect("one page");
    assert_eq!(found.iter().map(|service| service.id.0).collect::<Vec<_>>(), [1]);
    assert_eq!(script.lines(), ["GET /Services?customer_id=5&page_size=500&page=1"]);
}

#[tokio::test(start_paused = true)]
async fn where_it_means_or_many_are_asked_for_at_once_from_then_on() {
    let both = list(false, &[service(1, 5, "7", "", "null"), service(3, 5, "800", "", "null")]);
    let nothing = list(false, &[]);
    let script = answers(&[&one_of_many_pages(), &both, &nothing, &nothing]);
    let billing = billing(&script);
    for _ in 0..2 {
        assert_eq!(billing.find_services(CUSTOMER, &numbers()).await.result, Ok(Vec::new()));
    }
    let asked = "GET /Services?customer_id=5&number=100&number=200&page_size=500&page=1";
    assert_eq!(
        script.lines(),
        [
            "GET /Services?customer_id=5&page_size=500&page=1",
            "GET /Services?customer_id=5&number=7&number=800&page_size=500&page=1",
            asked,
            asked
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn where_only_the_last_counts_each_number_is_asked_for_alone() {
    let last = list(false, &[service(3, 5, "800", "", "null")]);
    let nothing = list(false, &[]);
    let there = list(false, &[service(9, 5, "100", "", "null")]);
    let script = answers(&[&one_of_many_pages(), &last, &there, &nothing]);
    let found = billing(&script).find_services(CUSTOMER, &numbers()).await.result.expect("what is there");
    assert_eq!(found.iter().map(|service| service.id.0).collect::<Vec<_>>(), [9]);
    let alone = ["100", "200"].map(|number| format!("GET /Services?customer_id=5&number={number}&page_size=500&page=1"));
    assert_eq!(script.lines()[2..], alone);
}
