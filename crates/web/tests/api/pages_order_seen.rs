//! What whoever orders has seen: what is scheduled for the lines, within reach, is part of it; and why an order was refused is said.

use lineshift_domain::ids::{RevCustomerId, SiteId};
use lineshift_domain::order::{AssignmentOrder, Effect};
use lineshift_domain::reach::Reach;
use lineshift_engine::Clock as _;
use lineshift_store::catalogue::{RevCustomer, Site};
use lineshift_store::import::ImportDevice;
use lineshift_store::plan_queue::PlanQueueFilter;
use lineshift_store::selections::SELECTED_AT_ONCE;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::operator::iccid;
use serde_json::json;

use crate::desk::{Desk, made};
use crate::reach::World;

/// Has somebody schedule a plan change for a line, and waits until it stands in the plan queue.
async fn schedule(app: &TestApp, line: u64, date: &str) {
    let operator = &app.operator;
    let body = json!({"ServiceProviderId": operator.jasper.0, "Devices": [iccid(line)], "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": operator.plan.0, "EffectiveDate": date}});
    let answer = app.admin().await.post("/M2M/BulkChange", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    operator.run_until_idle().await;
}

#[tokio::test]
async fn what_is_scheduled_in_between_is_shown_before_it_is_canceled() {
    let app = TestApp::with_lines(2).await;
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    let operator = &app.operator;
    let site = format!("Corner Shop (site {})", operator.amop_site);
    ada.choose(1..=2).await;
    let preview = ada.preview("assign", &[("customer", &site)]).await;
    made(&ada.confirm(&preview).await);
    operator.run_until_idle().await;
    ada.choose(1..=2).await;
    let plan = operator.plan.to_string();
    let fields = [("CustomerRatePlanId", plan.as_str()), ("ReplaceScheduled", "true")];
    let preview = ada.preview("customer-rate-plan", &fields).await;
    assert!(!preview.contains("open on these lines"), "{preview}");
    schedule(&app, 2, "2027-03-01").await;
    let answer = ada.confirm(&preview).await;
    let page = answer.text();
    assert_eq!((answer.status, ada.chosen().await, ada.changes().await), (409, 2, 2), "{page}");
    assert!(page.contains("Something has changed since you looked"), "{page}");
    assert!(page.contains("1 of their scheduled changes are open, 0 before"), "{page}");
    assert!(page.contains("1 of their scheduled changes would be canceled, 0 before"), "{page}");
    assert!(page.contains("1 scheduled change is open on these lines. Ordering this cancels them."), "{page}");
    // One that is moved to another day is another one, too.
    let store = &operator.store;
    let open =
        store.list_queue_entries(operator.tenant(), &Reach::Everything, PlanQueueFilter::Open, None, 9).await.expect("entries");
    let (entry, now) = (&open.items[0], operator.clock.now());
    let later = entry.effective_date + chrono::TimeDelta::days(1);
    assert!(store.move_queue_entry(operator.tenant(), entry.id, later, "somebody", now).await.expect("moved"));
    let answer = ada.confirm(&page).await;
    assert_eq!((answer.status, ada.changes().await), (409, 2), "{}", answer.text());
    assert!(answer.text().contains("for other dates"), "{}", answer.text());
    made(&ada.confirm(&answer.text()).await);
}

#[tokio::test]
async fn the_same_lines_are_known_by_the_same_digest() {
    let app = TestApp::with_lines(1).await;
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    let site = format!("Corner Shop (site {})", app.operator.amop_site);
    ada.choose([1]).await;
    let seen = ada.preview("assign", &[("customer", &site)]).await;
    let again = ada.preview("assign", &[("customer", &site)]).await;
    let digest = |page: &str| page.split("name=\"digest\" value=\"").nth(1).expect("a digest")[..64].to_owned();
    assert_eq!(digest(&seen), digest(&again), "the same lines, the same digest");
}

#[tokio::test]
async fn whoever_is_limited_is_not_told_of_what_was_scheduled_for_others() {
    let world = World::new().await;
    let app = &world.app;
    let operator = &app.operator;
    // Line 3 is another customer's; what is scheduled for it then comes along when it changes hands.
    schedule(app, 3, "2027-03-01").await;
    schedule(app, 1, "2027-03-01").await;
    world.assign(operator.rev_customer, &[3]).await;
    let mut lim = Desk::within(app, "lim@fleet.example", &["operator"], &world.own()).await;
    lim.choose([1, 3]).await;
    let plan = operator.plan.to_string();
    let fields = [("CustomerRatePlanId", plan.as_str()), ("ReplaceScheduled", "true")];
    let preview = lim.preview("customer-rate-plan", &fields).await;
    assert!(preview.contains("1 scheduled change is open on these lines."), "{preview}");
    let mut ada = Desk::of(app, "ada@fleet.example", &["operator"]).await;
    ada.choose([1, 3]).await;
    let preview = ada.preview("customer-rate-plan", &fields).await;
    assert!(preview.contains("2 scheduled changes are open on these lines."), "{preview}");
}

#[tokio::test]
async fn why_nothing_was_ordered_is_said() {
    let app = TestApp::with_lines(2).await;
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.choose([1]).await;
    let site = format!("Corner Shop (site {})", app.operator.amop_site);
    let preview = ada.preview("assign", &[("customer", &site)]).await;
    // The lines were ordered, or taken out, in another window.
    let again = ada.preview("assign", &[("customer", &site)]).await;
    made(&ada.confirm(&again).await);
    let answer = ada.confirm(&preview).await;
    assert!(answer.status == 409 && answer.text().contains("are chosen no longer"), "{}", answer.text());
    ada.choose([2]).await;
    let preview = ada.preview("assign", &[("customer", &site)]).await;
    // What names no service provider is not lines that are chosen no longer.
    let altered = preview.replace(
        &format!("name=\"service_provider\" value=\"{}\"", app.operator.jasper),
        "name=\"service_provider\" value=\"none\"",
    );
    let answer = ada.confirm(&altered).await;
    assert_eq!(answer.status, 404, "{}", answer.text());
    assert!(!answer.text().contains("chosen no longer"), "{}", answer.text());
    let altered = preview.replace(&format!("value=\"{site}\""), "value=\"somebody\"");
    let answer = ada.confirm(&altered).await;
    assert!(answer.status == 422 && answer.text().contains("look at the preview"), "{}", answer.text());
    assert_eq!(ada.changes().await, 1);
}

#[tokio::test]
async fn a_customer_is_found_by_how_its_name_begins_among_very_many() {
    let app = TestApp::with_lines(1).await;
    let operator = &app.operator;
    let customers: Vec<RevCustomer> = (0..20_100)
        .map(|nth| RevCustomer {
            id: RevCustomerId(100_000 + nth),
            name: format!("Aaa Company {nth:05}"),
            integration_authentication_id: operator.authentication,
            is_active: true,
        })
        .collect();
    let mut many = customers;
    let zebra = RevCustomer { id: RevCustomerId(99_999), name: "Zebra Crossing".to_owned(), ..many[0].clone() };
    many.push(zebra);
    for some in many.chunks(5_000) {
        operator.store.import_customers(operator.tenant(), some, operator.clock.now()).await.expect("customers");
    }
    let ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    let list = ada.browser.page("/m2m/order/customers?name=zebra").await;
    assert!(list.contains("Zebra Crossing (customer 99999)"), "{list}");
    let within = ada.browser.page("/m2m/order/customers?name=crossing").await;
    assert!(!within.contains("Zebra") && within.contains("There are more customers than the 20,000"), "{within}");
    let number = ada.browser.page("/m2m/order/customers?name=99999").await;
    assert!(number.contains("Zebra Crossing (customer 99999)"), "{number}");
    let several = ada.browser.page("/m2m/order/customers?name=company").await;
    assert!(several.matches("data-suggestion").count() == 25 && several.contains("There are more"), "{several}");
}

#[tokio::test]
async fn only_lines_that_were_seen_as_refused_are_taken_out_of_the_selection() {
    let app = TestApp::with_lines(3).await;
    let operator = &app.operator;
    let archived = |line| ImportDevice { is_archived: true, ..operator.line(operator.jasper, line, "ACTIVATED") };
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.choose(1..=3).await;
    operator.import(&[archived(1)]).await;
    let site = format!("Corner Shop (site {})", operator.amop_site);
    let preview = ada.preview("assign", &[("customer", &site)]).await;
    assert!(preview.contains("Take 1 line out of the selection"), "{preview}");
    // Another line is refused for the same reason by the time the button is pressed.
    operator.import(&[archived(2)]).await;
    let answer = ada.take_out(&preview, "device_archived").await;
    let page = answer.text();
    assert_eq!((answer.status, ada.chosen().await), (409, 3), "{page}");
    assert!(page.contains("Nothing was taken out of the selection.") && !page.contains("Nothing was ordered."), "{page}");
    assert!(page.contains("Now 2 lines under that reason, 1 before.") && page.contains("Take 2 lines out"), "{page}");
    let answer = ada.take_out(&page, "device_archived").await;
    assert_eq!((answer.status, ada.chosen().await), (200, 1), "{}", answer.text());
    assert!(!answer.text().contains("device_archived"), "{}", answer.text());
}

#[tokio::test]
async fn whoever_sees_some_sites_of_a_customer_is_not_told_which_is_its_first() {
    let app = TestApp::with_lines(1).await;
    let operator = &app.operator;
    let annex = Site { id: SiteId(0), name: "Annex".to_owned(), rev_customer_id: Some(operator.rev_customer), is_active: true };
    let annex = operator.store.create_site(operator.tenant(), &annex, operator.clock.now()).await.expect("a site");
    let to_annex = AssignmentOrder { site_id: Some(annex), ..operator.rev_assignment() };
    operator.run(operator.order([iccid(1)], Effect::CustomerAssignment(to_annex))).await;
    let form = format!("/m2m/order/assign?customer=Fleet+Rentals+(customer+{})", operator.rev_customer);
    let ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.choose([1]).await;
    let page = ada.browser.page(&form).await;
    assert!(page.contains("Depot (its first)"), "{page}");
    let lim = Desk::within(&app, "lim@fleet.example", &["operator"], &format!("site:{annex}")).await;
    lim.choose([1]).await;
    let page = lim.browser.page(&form).await;
    assert!(page.contains("Annex") && !page.contains("(its first)") && page.contains("its first active site"), "{page}");
}

#[tokio::test]
async fn a_page_of_lines_from_a_place_beyond_all_numbers_is_shown() {
    let app = TestApp::with_lines(1).await;
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.choose([1]).await;
    let site = format!("Corner Shop (site {})", app.operator.amop_site);
    let from = u64::MAX.to_string();
    let fields = [("customer", site.as_str()), ("step", "lines"), ("after", "0"), ("from", from.as_str())];
    let page = ada.preview("assign", &fields).await;
    assert!(page.contains(&iccid(1)), "{page}");
}

#[tokio::test]
async fn of_more_lines_than_are_read_at_a_time_each_is_ordered_once() {
    // Two parts are read side by side, then the two lines that are left.
    let count = 2 * SELECTED_AT_ONCE as u64 + 2;
    let app = TestApp::with_lines(count).await;
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.choose_all().await;
    let site = format!("Corner Shop (site {})", app.operator.amop_site);
    let preview = ada.preview("assign", &[("customer", &site)]).await;
    assert!(preview.contains("Assign 10,002 lines to Corner Shop"), "{preview}");
    let change = made(&ada.confirm(&preview).await);
    let read = app.admin().await.get(&format!("/api/v1/bulk-changes/{change}")).await.json();
    assert_eq!((&read["counts"]["total"], &read["counts"]["duplicates"]), (&json!(count), &json!(0)), "{read}");
}
