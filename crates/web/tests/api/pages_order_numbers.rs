//! Ordering where lines are named by number: what has none, or the number of another line, is set aside and never lost.

use lineshift_domain::terms::PortalType;
use lineshift_store::import::ImportDevice;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::operator::{iccid, number};
use serde_json::{Value, json};

use crate::desk::{Desk, made};

/// Lines 1 and 2 with a number of their own, 3 and 4 without one, 5 and 6 with the same.
async fn world() -> TestApp {
    let app = TestApp::with_lines(6).await;
    let operator = &app.operator;
    let line = |nth: u64, number: Option<String>| ImportDevice {
        subscriber_number: number,
        ..operator.line(operator.jasper, nth, "ACTIVATED")
    };
    operator.import(&[line(3, None), line(4, None), line(6, Some(number(5)))]).await;
    app
}

async fn lines_of(app: &TestApp, change: &str) -> Vec<(Value, Value)> {
    let rows = app.admin().await.read(&format!("/api/v1/bulk-changes/{change}/devices")).await;
    let rows = rows["items"].as_array().expect("a list");
    rows.iter().map(|row| (row["number"].clone(), row["error_code"].clone())).collect()
}

#[tokio::test]
async fn lines_without_a_number_are_set_aside_and_stay_chosen() {
    let app = world().await;
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.portal = PortalType::Lnp;
    ada.choose(1..=4).await;
    let site = format!("Corner Shop (site {})", app.operator.amop_site);
    let preview = ada.preview("assign", &[("customer", &site)]).await;
    assert!(preview.contains("Assign 2 lines to Corner Shop"), "{preview}");
    assert!(preview.contains("<dt>Are set aside</dt><dd>2</dd>") && !preview.contains("invalid_number"), "{preview}");
    assert!(
        preview.contains("no number: cannot be ordered here") && preview.contains(&format!("<li>{}</li>", iccid(3))),
        "{preview}"
    );
    assert!(preview.contains("Lines 1 to 4 of 4") && preview.contains("is set aside: it has no number"), "{preview}");
    let change = made(&ada.confirm(&preview).await);
    let mut ordered = lines_of(&app, &change).await;
    ordered.sort_by_key(|(line, _)| line.to_string());
    assert_eq!(ordered, [1, 2].map(|nth| (json!(number(nth)), Value::Null)));
    assert_eq!(ada.chosen().await, 2, "what was not ordered is still chosen");
    // There is a way to go on without them, and nothing to order of them alone.
    let alone = ada.preview("assign", &[("customer", &site)]).await;
    assert!(alone.contains("There is nothing to order") && !alone.contains("/confirm\""), "{alone}");
    assert!(alone.contains("Take 2 lines out of the selection"), "{alone}");
    let left = ada.take_out(&alone, "no_number").await.text();
    assert!(left.contains("No lines are chosen"), "{left}");
    assert_eq!(ada.chosen().await, 0);
}

#[tokio::test]
async fn two_lines_of_one_number_are_shown_as_such_and_one_stays_chosen() {
    let app = world().await;
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.portal = PortalType::Lnp;
    ada.choose([1, 5, 6]).await;
    let site = format!("Corner Shop (site {})", app.operator.amop_site);
    let preview = ada.preview("assign", &[("customer", &site)]).await;
    assert!(preview.contains("Assign 1 line to Corner Shop") && preview.contains("number_ambiguous"), "{preview}");
    assert!(preview.contains("has the same number as another chosen line"), "{preview}");
    assert!(preview.contains("Lines 1 to 3 of 3"), "{preview}");
    assert_eq!(preview.matches("2 lines of the inventory have this").count(), 3, "each of both lines, and the reason: {preview}");
    let change = made(&ada.confirm(&preview).await);
    assert_eq!(lines_of(&app, &change).await.len(), 2);
    assert_eq!(ada.chosen().await, 1, "the one that has no row in the change is still chosen");
    let preview = ada.preview("assign", &[("customer", &site)]).await;
    let dropped = ada.take_out(&preview, "number_ambiguous").await.text();
    assert!(dropped.contains("No lines are chosen"), "{dropped}");
}

#[tokio::test]
async fn an_order_of_set_aside_lines_alone_stores_nothing() {
    let app = world().await;
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.portal = PortalType::Lnp;
    ada.choose([1, 3]).await;
    let site = format!("Corner Shop (site {})", app.operator.amop_site);
    let preview = ada.preview("assign", &[("customer", &site)]).await;
    let operator = &app.operator;
    let without = ImportDevice { subscriber_number: None, ..operator.line(operator.jasper, 1, "ACTIVATED") };
    operator.import(&[without]).await;
    let answer = ada.confirm(&preview).await;
    assert_eq!((answer.status, ada.changes().await, ada.chosen().await), (409, 0, 2), "{}", answer.text());
}
