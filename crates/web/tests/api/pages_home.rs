//! Home, and one line's page.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::operator::iccid;
use serde_json::json;

use crate::browser::{Browser, with_change};

/// What stands between a heading and the next section's end.
fn section<'p>(page: &'p str, id: &str) -> &'p str {
    let beginning = format!("<h2 id=\"{id}\">");
    let (_, rest) = page.split_once(beginning.as_str()).unwrap_or_else(|| panic!("no section {id} in {page}"));
    rest.split_once("</section>").map_or(rest, |(section, _)| section)
}

#[tokio::test]
async fn home_shows_what_failed_what_waits_and_whose_lines_are() {
    let (app, id) = with_change(3).await;
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    let later = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1), iccid(2)], "ChangeType": 4, "ProcessChanges": false,
        "Name": "<script>alert(1)</script>", "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0},
    });
    assert_eq!(app.orderer().await.post("/M2M/BulkChange", &later).await.status, 202);
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let page = ada.page("/").await;
    assert!(!page.contains("<script>alert"), "{page}");
    let running = section(&page, "running");
    assert!(running.contains("script&#62;alert(1)") && running.contains("waits for a start"), "{running}");
    assert!(!running.contains(&format!("/m2m/bulk-changes/{id}\"")), "what has ended runs no more: {running}");
    assert!(section(&page, "failed").contains(&format!("/m2m/bulk-changes/{id}\"")), "{page}");
    assert!(section(&page, "days").contains("2 bulk changes in 30 days"), "{page}");
    let site = app.admin().await.read(&format!("/api/v1/sites/{}", app.operator.amop_site.0)).await;
    let by_customer = section(&page, "by-customer");
    assert!(by_customer.contains(site["name"].as_str().expect("a name")) && by_customer.contains(">3<"), "{by_customer}");
    assert!(section(&page, "by-status").contains("/m2m/lines?status=ACTIVATED"), "{page}");
    assert!(section(&page, "lines").starts_with("3 lines"), "{page}");
    // Tomorrow it did not fail today.
    app.operator.clock.advance(chrono::TimeDelta::days(2));
    let tomorrow = Browser::signed_in(&app, "ada@fleet.example").await;
    assert!(section(&tomorrow.page("/").await, "failed").contains("None."));
}

#[tokio::test]
async fn changes_of_portals_that_one_may_not_look_into_hide_none_of_the_others() {
    let (app, failed) = with_change(25).await;
    let orderer = app.orderer().await;
    let order = async |portal: &str, line: String, starts: bool| {
        let body = json!({
            "ServiceProviderId": app.operator.jasper.0, "Devices": [line], "ChangeType": 4, "ProcessChanges": starts,
            "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0},
        });
        let answer = orderer.post(&format!("/{portal}/BulkChange"), &body).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["BulkChangeId"].as_i64().expect("an id")
    };
    let held = order("M2M", iccid(1), false).await;
    for nth in 2..=23 {
        order("Mobility", iccid(nth), false).await;
        order("Mobility", "89011700065349734878".to_owned(), true).await;
    }
    app.operator.run_until_idle().await;
    app.admin().await.post("/api/v1/roles", &json!({"name": "Of M2M", "scopes": ["m2m:view"]})).await;
    app.signed_in("mia@fleet.example", &["Of M2M"], "*").await;
    let page = Browser::signed_in(&app, "mia@fleet.example").await.page("/").await;
    assert!(section(&page, "running").contains(&format!("/m2m/bulk-changes/{held}\"")), "{page}");
    assert!(section(&page, "failed").contains(&format!("/m2m/bulk-changes/{failed}\"")), "{page}");
    assert!(!page.contains("/mobility/bulk-changes/"), "{page}");
}

#[tokio::test]
async fn home_shows_nobody_what_is_beyond_their_reach() {
    let (app, id) = with_change(3).await;
    let plan = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "EffectiveDate": "2026-11-24"},
    });
    app.operator.clock.set("2026-11-22T12:00:00Z");
    let answer = app.orderer().await.post("/M2M/BulkChange", &plan).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    app.operator.run_until_idle().await;
    app.signed_in("all@fleet.example", &["operator"], "*").await;
    app.signed_in("one@fleet.example", &["operator"], "customer:1").await;
    app.signed_in("none@fleet.example", &[], "*").await;
    let all = Browser::signed_in(&app, "all@fleet.example").await.page("/").await;
    assert!(section(&all, "due").contains("/m2m/plan-queue?day=2026-11-24\">1 in M2M"), "{all}");
    let one = Browser::signed_in(&app, "one@fleet.example").await.page("/").await;
    assert!(section(&one, "lines").starts_with("0 lines") && section(&one, "due").contains("Nothing takes effect"), "{one}");
    assert!(!one.contains(&format!("/bulk-changes/{id}")) && section(&one, "days").contains("0 bulk changes"), "{one}");
    let none = Browser::signed_in(&app, "none@fleet.example").await.page("/").await;
    assert!(!none.contains("<h2 id=\"lines\">") && !none.contains("<h2 id=\"running\">"), "{none}");
}

#[tokio::test]
async fn accounts_in_trouble_are_shown_to_whoever_may_see_accounts() {
    let app = TestApp::with_lines(1).await;
    let admin = app.admin().await;
    let account = json!({"name": "Rev.io of <b>Acme</b>", "integration_kind": "Rev.io"});
    let made = admin.post("/api/v1/integration-authentications", &account).await;
    assert_eq!(made.status, 201, "{}", made.text());
    app.signed_in("ada@fleet.example", &["administrator"], "*").await;
    app.signed_in("vic@fleet.example", &["viewer"], "*").await;
    let page = Browser::signed_in(&app, "ada@fleet.example").await.page("/").await;
    let trouble = section(&page, "trouble");
    assert!(trouble.contains("Acme") && trouble.contains("no credentials") && !trouble.contains("<b>Acme"), "{trouble}");
    assert!(!Browser::signed_in(&app, "vic@fleet.example").await.page("/").await.contains("no credentials"));
}

#[tokio::test]
async fn a_line_tells_its_story_with_names() {
    let (app, id) = with_change(2).await;
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    let site = app.operator.amop_site.0;
    let renamed = app.admin().await.patch(&format!("/api/v1/sites/{site}"), &json!({"name": "Bolt <i>Works</i>"})).await;
    assert_eq!(renamed.status, 200, "{}", renamed.text());
    let plan = app.admin().await.read(&format!("/api/v1/customer-rate-plans/{}", app.operator.plan.0)).await;
    let plan = plan["name"].as_str().expect("a name");
    for date in [json!(null), json!("2027-01-15")] {
        app.operator.clock.advance(chrono::TimeDelta::seconds(1));
        let mut update = json!({"CustomerRatePlanId": app.operator.plan.0});
        if !date.is_null() {
            update["CustomerDataAllocationMB"] = json!(7);
            update["EffectiveDate"] = date;
        }
        let body = json!({
            "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "ChangeType": 4, "CustomerRatePlanUpdate": update,
        });
        let answer = app.orderer().await.post("/M2M/BulkChange", &body).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        app.operator.run_until_idle().await;
    }
    let lines = app.admin().await.read(&format!("/api/v1/devices?iccid={}", iccid(1))).await;
    let line = lines["items"][0]["id"].to_string();
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let page = ada.page(&format!("/m2m/lines/{line}")).await;
    let story = section(&page, "timeline");
    let (first, second) =
        (story.find("Customer rate plan changed").expect("the plan"), story.find("Assigned").expect("assigned"));
    assert!(first < second, "newest first: {story}");
    assert!(story.contains("Bolt &#60;i&#62;Works") && story.contains(&format!("<ins>{plan}</ins>")), "{story}");
    assert!(!story.contains("rev customer id") && !page.contains("<i>Works"), "{story}");
    let scheduled = section(&page, "scheduled");
    assert!(scheduled.contains("2027-01-15") && scheduled.contains("7 MB") && scheduled.contains(plan), "{scheduled}");
    assert!(section(&page, "billed").contains("No billing service"), "{page}");
    assert!(story.contains(&format!("href=\"/bulk-changes/{id}\"")), "{story}");
    let led = ada.open(&format!("/bulk-changes/{id}")).await;
    assert_eq!((led.status, led.header("location")), (303, format!("/m2m/bulk-changes/{id}").as_str()));
    assert_eq!(ada.open("/bulk-changes/999999").await.status, 404);
}
