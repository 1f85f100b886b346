//! Ordering in the portal, as a browser without JavaScript does it: from chosen lines over the preview to the bulk change.

use lineshift_store::import::ImportDevice;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::billing::{BillingWorld, PRODUCT};
use lineshift_testkit::operator::iccid;
use serde_json::json;

use crate::browser::Browser;
use crate::desk::{Desk, made};

#[tokio::test]
async fn chosen_lines_are_ordered_after_a_preview_and_once() {
    let app = TestApp::with_lines(5).await;
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    assert!(ada.browser.page("/m2m/order").await.contains("No lines are chosen"));
    ada.choose(1..=3).await;
    let choose = ada.browser.page("/m2m/order").await;
    assert!(choose.contains("Jasper: 3 chosen") && choose.contains("/m2m/order/assign?service_provider="), "{choose}");
    assert!(!choose.contains("/m2m/order/status"), "nothing can be asked of this carrier");
    let form = ada.browser.page("/m2m/order/assign").await;
    assert!(form.contains("3 chosen lines of Jasper") && form.contains("America/Chicago"), "{form}");

    let fields = [("customer", "rentals"), ("CustomerRatePlan", &*app.operator.plan.to_string()), ("Name", "Fleet \"A\" & <B>")];
    let preview = ada.preview("assign", &fields).await;
    assert!(preview.contains("<button class=\"main\">Assign 3 lines to Fleet Rentals</button>"), "{preview}");
    assert!(preview.contains("<del>none</del> → <ins>Depot</ins>") && preview.contains("500 MB"), "{preview}");
    assert!(preview.contains("29.70") && preview.contains(&iccid(3)) && !preview.contains(&iccid(4)), "{preview}");
    assert_eq!((ada.changes().await, ada.chosen().await), (0, 3), "a preview stores nothing");

    let ordered = ada.confirm(&preview).await;
    let id = made(&ordered);
    assert_eq!((ada.chosen().await, ada.changes().await), (0, 1), "what was ordered is chosen no longer");
    let again = ada.confirm(&preview).await;
    assert_eq!((made(&again), ada.changes().await), (id.clone(), 1), "sent twice, ordered once");
    app.operator.run_until_idle().await;
    let change = app.admin().await.read(&format!("/api/v1/bulk-changes/{id}")).await;
    assert_eq!((&change["counts"]["processed"], &change["name"]), (&json!(3), &json!("Fleet \"A\" & <B>")));
    assert_eq!(app.operator.device(2).await.rev_customer_id, Some(app.operator.rev_customer));
    let entries = app.admin().await.read("/api/v1/audit").await;
    let written = entries["items"].as_array().expect("a list").iter().find(|entry| entry["devices"] == json!(3));
    assert_eq!(written.expect("an entry")["action"], "POST /{portal}/order/{act}/confirm");
}

#[tokio::test]
async fn all_that_is_wrong_is_said_and_all_that_was_typed_is_kept() {
    let app = TestApp::with_lines(2).await;
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.choose([1]).await;
    let fields = [
        ("customer", "no such <b>"),
        ("CreateRevService", "true"),
        ("ProviderId", "many"),
        ("ProductId.1", "5011"),
        ("Rate.1", "12,50"),
        ("Description", "kept & shown"),
        ("EffectiveDate", "2031-01-01"),
        ("ProcessChanges", "false"),
    ];
    let answer = ada.send("/m2m/order/assign", &fields).await;
    let page = answer.text();
    assert_eq!(answer.status, 422, "{page}");
    for said in ["href=\"#f-customer\"", "href=\"#f-ProviderId\"", "href=\"#f-ServiceTypeId\"", "href=\"#f-Rate.1\""] {
        assert!(page.contains(said), "{said} is missing: {page}");
    }
    for kept in [
        "value=\"many\"",
        "value=\"5011\"",
        "value=\"12,50\"",
        "kept &#38; shown",
        "value=\"2031-01-01\"",
        "value=\"no such &#60;b&#62;\"",
    ] {
        assert!(page.contains(kept), "{kept} is missing: {page}");
    }
    assert!(page.contains("value=\"false\" checked") && !page.contains("<b>\""), "{page}");
    // What only the store knows is said in the same way.
    let fields = [("customer", "Fleet Rentals (customer 4711)"), ("EffectiveDate", "2031-01-01"), ("CustomerRatePlan", "999")];
    let answer = ada.send("/m2m/order/assign", &fields).await;
    let page = answer.text();
    assert_eq!(answer.status, 422);
    assert!(page.contains("href=\"#f-EffectiveDate\"") && page.contains("href=\"#f-CustomerRatePlan\""), "{page}");
    // A plan change that asks for nothing.
    let answer = ada.send("/m2m/order/customer-rate-plan", &[("Name", "nothing")]).await;
    assert!(answer.status == 422 && answer.text().contains("asks for nothing"), "{}", answer.text());
    assert_eq!(ada.browser.open("/m2m/order/elsewhere").await.status, 404);
    assert_eq!(ada.changes().await, 0);
}

#[tokio::test]
async fn customers_are_found_by_name_and_number_among_those_one_may_use() {
    let app = TestApp::with_lines(1).await;
    let admin = app.admin().await;
    for name in ["Corner Bakery", "<script>alert(1)</script> Corner"] {
        let made = admin.post("/api/v1/sites", &json!({"name": name})).await;
        assert_eq!(made.status, 201, "{}", made.text());
    }
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.choose([1]).await;
    let several = ada.send("/m2m/order/assign", &[("customer", "corner")]).await;
    let page = several.text();
    assert_eq!(several.status, 422);
    assert!(
        page.contains("several customers are called so")
            && page.contains("Corner Shop (site")
            && page.contains("Corner Bakery (site"),
        "{page}"
    );
    assert!(!page.contains("<script>alert"), "{page}");
    let shop = format!("Corner Shop (site {})", app.operator.amop_site);
    let picked = ada.preview("assign", &[("customer", "corner"), ("customer_found", &shop)]).await;
    assert!(picked.contains("Assign 1 line to Corner Shop"), "{picked}");
    let by_number = ada.preview("assign", &[("customer", "4711")]).await;
    assert!(by_number.contains("Assign 1 line to Fleet Rentals"), "{by_number}");
    let found = ada.send("/m2m/order/assign", &[("customer", "rentals"), ("step", "find")]).await.text();
    assert!(
        found.contains("value=\"Fleet Rentals (customer 4711)\"")
            && found.contains("Depot")
            && found.contains("Integration: Rev.io"),
        "{found}"
    );
    let list = ada.browser.page("/m2m/order/customers?name=corner").await;
    assert_eq!(list.matches("data-suggestion").count(), 3, "{list}");

    let limited = app.operator.user("lim@fleet.example").await;
    let reach = format!("site:{}", app.operator.amop_site);
    app.operator.member(app.operator.tenant(), limited, &["operator"], &reach).await;
    let lim = Browser::signed_in(&app, "lim@fleet.example").await;
    let list = lim.page("/m2m/order/customers").await;
    assert!(list.contains("Corner Shop") && !list.contains("Corner Bakery") && !list.contains("Fleet Rentals"), "{list}");
}

#[tokio::test]
async fn a_judgement_that_changed_is_shown_anew() {
    let app = TestApp::with_lines(3).await;
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.choose(1..=3).await;
    let site = format!("Corner Shop (site {})", app.operator.amop_site);
    let preview = ada.preview("assign", &[("customer", &site)]).await;
    let operator = &app.operator;
    operator.import(&[ImportDevice { is_archived: true, ..operator.line(operator.jasper, 2, "ACTIVATED") }]).await;
    let answer = ada.confirm(&preview).await;
    let page = answer.text();
    assert_eq!((answer.status, ada.changes().await, ada.chosen().await), (409, 0, 3), "{page}");
    assert!(page.contains("Something has changed since you looked"), "{page}");
    assert!(page.contains("2 would be changed, 3 before; 1 are refused, 0 before"), "{page}");
    assert!(page.contains("device_archived") && page.contains("Assign 2 lines to Corner Shop"), "{page}");
    // The refused line leaves the selection, the others are ordered.
    let dropped = ada.take_out(&page, "device_archived").await.text();
    assert!(!dropped.contains("device_archived") && dropped.contains("Assign 2 lines"), "{dropped}");
    assert_eq!(ada.chosen().await, 2);
    let ordered = ada.confirm(&dropped).await;
    made(&ordered);
    assert_eq!((ada.changes().await, ada.chosen().await), (1, 0));
    // What an order refers to may be gone, too: then the form says so.
    ada.choose([1]).await;
    app.operator.run_until_idle().await;
    let plan = app.operator.plan.to_string();
    let preview = ada.preview("customer-rate-plan", &[("CustomerRatePlanId", &plan)]).await;
    assert!(preview.contains("Move 1 line to plan Half"), "{preview}");
    app.operator.close_plan(app.operator.plan).await;
    let answer = ada.confirm(&preview).await;
    assert!(answer.status == 422 && answer.text().contains("href=\"#f-CustomerRatePlanId\""), "{}", answer.text());
    assert_eq!(ada.changes().await, 1);
}

#[tokio::test]
async fn where_every_line_is_refused_there_is_no_button() {
    let app = TestApp::with_lines(2).await;
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.choose(1..=2).await;
    let operator = &app.operator;
    operator.import(&[1, 2].map(|line| operator.line(operator.jasper, line, "RETIRED"))).await;
    let site = format!("Corner Shop (site {})", operator.amop_site);
    let preview = ada.preview("assign", &[("customer", &site)]).await;
    assert!(!preview.contains("/confirm\"") && preview.contains("There is nothing to order"), "{preview}");
    assert!(preview.contains("device_not_active") && preview.contains("Take 2 lines out of the selection"), "{preview}");
    let left = ada.take_out(&preview, "device_not_active").await.text();
    assert!(left.contains("No lines are chosen"), "{left}");
}

#[tokio::test]
async fn what_one_may_not_do_is_not_offered_and_is_refused() {
    let app = TestApp::with_lines(2).await;
    let mut vic = Desk::of(&app, "vic@fleet.example", &["viewer"]).await;
    vic.choose([1]).await;
    for path in ["/m2m/order", "/m2m/order/assign", "/m2m/order/customers"] {
        assert_eq!(vic.browser.open(path).await.status, 403, "{path}");
    }
    for path in ["/m2m/order/assign", "/m2m/order/assign/confirm"] {
        assert_eq!(vic.send(path, &[("customer", "rentals")]).await.status, 403, "{path}");
    }
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.choose([1]).await;
    // No form of ours, or one of which no preview was seen.
    let fields = [("customer", "Fleet Rentals (customer 4711)"), ("digest", "0")];
    assert_eq!(ada.send("/m2m/order/assign/confirm", &fields).await.status, 422);
    // A status that cannot be asked of the carrier.
    let answer = ada.send("/m2m/order/status", &[("TargetStatus", "DEACTIVATED")]).await;
    assert!(answer.status == 422 && answer.text().contains("href=\"#f-TargetStatus\""), "{}", answer.text());
    assert_eq!(ada.changes().await, 0);
}

#[tokio::test]
async fn an_order_is_for_the_lines_of_one_service_provider() {
    let app = TestApp::with_lines(130).await;
    app.operator.add_lines(app.operator.telegence, 201..=202).await;
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.choose((1..=130).chain(201..=202)).await;
    let choose = ada.browser.page("/m2m/order/assign").await;
    assert!(choose.contains("Jasper: 130 chosen") && choose.contains("Telegence: 2 chosen"), "{choose}");
    let provider = app.operator.jasper.to_string();
    let site = format!("Corner Shop (site {})", app.operator.amop_site);
    let fields = [("service_provider", provider.as_str()), ("customer", &site)];
    let preview = ada.preview("assign", &fields).await;
    assert!(
        preview.contains("Lines 1 to 100 of 130") && preview.contains(&iccid(100)) && !preview.contains(&iccid(101)),
        "{preview}"
    );
    let last = app.operator.device(100).await.id.to_string();
    let more = ada
        .preview("assign", &[fields[0], fields[1], ("step", "lines"), ("after", &*last), ("from", "100"), ("count", "130")])
        .await;
    assert!(more.contains("lines 101 to 130 of 130") && more.contains(&iccid(130)) && !more.contains(&iccid(100)), "{more}");
    let edit = ada.preview("assign", &[fields[0], fields[1], ("step", "edit")]).await;
    assert!(edit.contains(&format!("value=\"{site}\"")), "{edit}");
    let id = made(&ada.confirm(&preview).await);
    assert_eq!(ada.chosen().await, 2, "the others stay chosen");
    app.operator.run_until_idle().await;
    let change = app.admin().await.read(&format!("/api/v1/bulk-changes/{id}")).await;
    assert_eq!(change["counts"]["processed"], json!(130));
}

#[tokio::test]
async fn a_preview_says_what_is_billed_and_called() {
    let (app, _) = TestApp::billing(BillingWorld::with_lines(3).await).await;
    let mut ada = Desk::of(&app, "ada@fleet.example", &["operator"]).await;
    ada.choose(1..=3).await;
    let product = PRODUCT.to_string();
    let fields = [
        ("customer", "Fleet Rentals (customer 4711)"),
        ("CreateRevService", "true"),
        ("ServiceTypeId", "6"),
        ("ProviderId", "42"),
        ("ProductId.0", &*product),
        ("Rate.0", "12.50"),
        ("Quantity.0", "2"),
        ("EffectiveDate", "2026-12-24"),
        ("CustomerRatePlan", &*app.operator.plan.to_string()),
    ];
    let preview = ada.preview("assign", &fields).await;
    for said in [
        "3 services in Rev.io are found or opened.",
        "calls to Rev.io: about",
        "75.00",
        "2026-12-24 00:00",
        "Without Prorate no day from which it charges is sent",
        "only the customer rate plan waits for the date",
        "at 12.50 x 2",
    ] {
        assert!(preview.contains(said), "{said} is missing: {preview}");
    }
    let id = made(&ada.confirm(&preview).await);
    let change = app.admin().await.read(&format!("/api/v1/bulk-changes/{id}")).await;
    assert_eq!((&change["status"], &change["counts"]["total"]), (&json!("NEW"), &json!(3)), "{change}");
}
