//! What people type into the grid of lines: customers of every kind, things called alike, and values in another case.

use lineshift_store::catalogue::Site;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::operator::iccid;
use serde_json::json;

use crate::browser::Browser;

async fn with_two_amop_lines() -> (TestApp, Browser) {
    let app = TestApp::with_lines(3).await;
    let operator = &app.operator;
    operator.run(operator.order([iccid(1), iccid(2)], operator.amop_assignment())).await;
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    (app, ada)
}

#[tokio::test]
async fn a_site_without_a_customer_of_rev_is_found_and_shown_as_a_customer() {
    let (app, ada) = with_two_amop_lines().await;
    let (tenant, site) = (app.operator.tenant(), app.operator.amop_site);
    let stored = app.operator.store.get_site(tenant, site).await.expect("the site");
    let sought = format!("/m2m/lines?site_id={site}");
    for typed in [stored.name.to_uppercase(), stored.name[1..].to_owned()] {
        let led = ada.open(&format!("/m2m/lines?customer={}", typed.replace(' ', "+"))).await;
        assert_eq!((led.status, led.header("location")), (303, &*sought), "{typed}");
    }
    let page = ada.page(&sought).await;
    let cell = format!("<td>{}</td>", stored.name);
    assert_eq!(page.matches(&cell.repeat(2)).count(), 2, "customer and site of both lines: {page}");

    // One that is no longer used is found all the same: it may have lines.
    let past = Site { is_active: false, ..stored.clone() };
    app.operator.store.update_site(tenant, &past, lineshift_engine::Clock::now(&*app.operator.clock)).await.expect("changed");
    let led = ada.open(&format!("/m2m/lines?customer={}", stored.name.replace(' ', "+"))).await;
    assert_eq!(led.header("location"), &*sought);
}

#[tokio::test]
async fn things_called_alike_are_told_apart() {
    let (app, ada) = with_two_amop_lines().await;
    let admin = app.admin().await;
    let plan = json!({"name": "Twin", "monthly_price": "5.00", "is_active": true});
    let mut ids = Vec::new();
    for _ in 0..2 {
        let made = admin.post("/api/v1/customer-rate-plans", &plan).await;
        assert_eq!(made.status, 201, "{}", made.text());
        ids.push(made.json()["id"].clone());
    }
    let page = ada.page("/m2m/lines").await;
    for id in &ids {
        assert!(page.contains(&format!(">Twin ({id})</option>")), "{page}");
    }
    assert_eq!(page.matches("Twin").count(), 2);
    let typed = ada.page("/m2m/lines?customer_rate_plan=twin").await;
    assert!(typed.contains("Several fit") && typed.contains(&format!("Twin (customer rate plan {})", ids[0])), "{typed}");
}

#[tokio::test]
async fn statuses_and_carrier_plans_are_suggested_and_found_in_any_case() {
    let (app, ada) = with_two_amop_lines().await;
    let page = ada.page("/m2m/lines").await;
    assert!(page.contains("<datalist id=\"l-status\"><option value=\"ACTIVATED\"></option></datalist>"), "{page}");
    let led = ada.open("/m2m/lines?status=activated&order=newest").await;
    assert_eq!((led.status, led.header("location")), (303, "/m2m/lines?status=ACTIVATED&order=newest"));
    let unknown = ada.page("/m2m/lines?status=lost").await;
    assert!(unknown.contains("No line is like that"), "{unknown}");
    // Whoever sees some lines only is not told what others have.
    app.signed_in("one@fleet.example", &["operator"], "customer:4711").await;
    let one = Browser::signed_in(&app, "one@fleet.example").await;
    assert!(!one.page("/m2m/lines").await.contains("l-status"));
}

#[tokio::test]
async fn a_site_that_is_a_customer_has_no_other_site() {
    let (app, ada) = with_two_amop_lines().await;
    let (site, other) = (app.operator.amop_site, app.operator.rev_site);
    let name = app.operator.store.get_site(app.operator.tenant(), site).await.expect("the site").name.replace(' ', "+");
    let led = ada.open(&format!("/m2m/lines?customer={name}&site={name}")).await;
    assert_eq!(led.header("location"), &*format!("/m2m/lines?site_id={site}"), "one site in both fields");
    let led = ada.open(&format!("/m2m/lines?customer={name}&site_id={site}")).await;
    assert_eq!(led.header("location"), &*format!("/m2m/lines?site_id={site}"));
    let page = ada.page(&format!("/m2m/lines?customer={name}&site_id={other}")).await;
    assert!(page.contains("No line is of the customer") && !page.contains("<tbody>"), "{page}");
}
