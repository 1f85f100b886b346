//! Ordering a service in Rev.io from the portal: what Rev.io has is offered by name, and its numbers do where it does not say.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::billing::{BillingWorld, PACKAGE, PRODUCT};
use lineshift_testkit::operator::iccid;

use crate::desk::Desk;

const CUSTOMER: &str = "/m2m/order/assign?customer=Fleet+Rentals+%28customer+4711%29";

/// The form, once it has something. Rev.io is waited for two seconds at most; what it says later stands in the next form.
async fn form_with(ada: &Desk<'_>, words: &str) -> String {
    for _ in 0..60 {
        let form = ada.browser.page(CUSTOMER).await;
        if form.contains(words) {
            return form;
        }
    }
    panic!("{words:?} never came: {}", ada.browser.page(CUSTOMER).await);
}

#[tokio::test]
async fn what_services_are_made_of_is_chosen_by_name() {
    let (app, simulator) = TestApp::billing(BillingWorld::with_lines(2).await).await;
    simulator.with_product(6_001, "<b>Bold</b> & \"cheap\"");
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.choose(1..=2).await;

    let blank = ada.browser.page("/m2m/order/assign").await;
    assert!(blank.contains("Choose a customer of Rev.io first") && !blank.contains("Mobile data"), "{blank}");
    let form = form_with(&ada, "Mobile data, machines (6)").await;
    for offered in [
        "<option value=\"42\">Wireless, several carriers (42)</option>",
        &format!("<option value=\"{PACKAGE}\">Sensor with a static address ({PACKAGE})</option>"),
        &format!("<option value=\"{PRODUCT}\">Sensor 50 MB ({PRODUCT})</option>"),
        "&#60;b&#62;Bold&#60;/b&#62;",
    ] {
        assert!(form.contains(offered), "{offered} is missing: {form}");
    }
    assert!(!form.contains("Nothing yet"), "a package that brings no products bills nothing");
    let calls = simulator.ledger().summary().calls;
    ada.browser.page(CUSTOMER).await;
    assert_eq!(simulator.ledger().summary().calls, calls, "what was read a moment ago is not asked for again");

    // What is typed stays, though Rev.io does not have it; and the preview says names.
    let fields = [
        ("customer", "Fleet Rentals (customer 4711)"),
        ("CreateRevService", "true"),
        ("ServiceTypeId", "6"),
        ("ProviderId", "42"),
        ("RevPackageId", "777"),
    ];
    let wrong = ada.send("/m2m/order/assign", &[&fields[..], &[("EffectiveDate", "soon")]].concat()).await;
    assert!(wrong.text().contains("<option value=\"777\" selected>777 (not in Rev.io&#39;s list)</option>"), "{}", wrong.text());
    let preview = ada.preview("assign", &fields).await;
    let said = "type Mobile data, machines (6), provider Wireless, several carriers (42), package 777";
    assert!(preview.contains(said), "{preview}");
}

#[tokio::test]
async fn where_rev_io_does_not_say_numbers_do() {
    let (app, simulator) = TestApp::billing(BillingWorld::with_lines(2).await).await;
    simulator.refuse_credentials(true);
    let ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.choose(1..=2).await;
    let form = form_with(&ada, "it refuses the account&#39;s credentials").await;
    assert!(form.contains("inputmode=\"decimal\"") && form.contains("Give Rev.io&#39;s numbers"), "{form}");

    // Whoever does not reach the customer learns nothing of its account.
    let operator = &app.operator;
    operator.run(operator.order([iccid(1)], operator.amop_assignment())).await;
    let eve = Desk::within(&app, "eve@fleet.example", &["operator"], &format!("site:{}", operator.amop_site)).await;
    eve.choose([1]).await;
    let form = eve.browser.page(CUSTOMER).await;
    assert!(form.contains("Choose a customer of Rev.io first") && !form.contains("Integration: "), "{form}");
}
