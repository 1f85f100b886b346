//! Scheduled: what waits for its date, as a list and as a month.

use chrono::TimeDelta;
use lineshift_domain::ids::SiteId;
use lineshift_engine::Clock as _;
use lineshift_store::catalogue::Site;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::Answer;
use lineshift_testkit::operator::iccid;
use serde_json::json;

use crate::browser::Browser;
use crate::desk::form_of;

/// An app with entries of three lines on two days of December.
async fn with_entries() -> TestApp {
    let app = TestApp::with_lines(3).await;
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    let orderer = app.orderer().await;
    let assigned = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(3)], "SiteId": app.operator.amop_site.0});
    assert_eq!(orderer.post("/M2M/AssociateCustomer", &assigned).await.status, 202);
    app.operator.run_until_idle().await;
    for (lines, day) in [(vec![iccid(1), iccid(2)], "2026-12-24"), (vec![iccid(3)], "2026-12-31T23:45:00")] {
        let body = json!({
            "ServiceProviderId": app.operator.jasper.0, "Devices": lines, "ChangeType": 4,
            "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "EffectiveDate": day},
        });
        let answer = orderer.post("/M2M/BulkChange", &body).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        app.operator.run_until_idle().await;
    }
    app
}

#[tokio::test]
async fn a_month_counts_what_falls_due_on_each_day() {
    let app = with_entries().await;
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let page = ada.page("/m2m/plan-queue?month=2026-12").await;
    assert!(page.contains("December 2026") && page.contains("3 scheduled"), "{page}");
    assert!(
        page.contains("href=\"/m2m/plan-queue?day=2026-12-24\" aria-label=\"Thursday 24 December: 2 scheduled\">2</a>"),
        "{page}"
    );
    assert!(page.contains("day=2026-12-31\" aria-label=\"Thursday 31 December: 1 scheduled\""), "{page}");
    assert!(page.contains("month=2026-11\"") && page.contains("month=2027-01\""), "{page}");
    assert!(ada.page("/m2m/plan-queue?month=2027-01").await.contains("0 scheduled"));
    assert!(ada.page("/lnp/plan-queue?month=2026-12").await.contains("0 scheduled"), "it is another portal's");
    let site = app.operator.amop_site.0;
    let of_site = ada.page(&format!("/m2m/plan-queue?month=2026-12&customer=site:{site}")).await;
    assert!(
        of_site.contains("1 scheduled") && of_site.contains(&format!("customer=site%3A{site}&#38;day=2026-12-31")),
        "{of_site}"
    );
    for wrong in ["2026-13", "soon"] {
        let refused = ada.open(&format!("/m2m/plan-queue?month={wrong}")).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
    }
    app.signed_in("one@fleet.example", &["operator"], "customer:1").await;
    let one = Browser::signed_in(&app, "one@fleet.example").await;
    assert!(one.page("/m2m/plan-queue?month=2026-12").await.contains("0 scheduled"));
}

#[tokio::test]
async fn what_is_scheduled_is_sought_by_day_customer_and_plan() {
    let app = with_entries().await;
    let mut ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let day = ada.page("/m2m/plan-queue?day=2026-12-24").await;
    assert!(day.contains(&iccid(1)) && day.contains(&iccid(2)) && !day.contains(&iccid(3)), "{day}");
    let site = app.operator.amop_site.0;
    let of_site = ada.page(&format!("/m2m/plan-queue?customer=site:{site}&day=&plan=")).await;
    assert!(of_site.contains(&iccid(3)) && !of_site.contains(&iccid(1)), "{of_site}");
    assert!(of_site.contains(&format!("<option value=\"site:{site}\" selected>")), "{of_site}");
    let plan = app.operator.plan.0;
    assert!(ada.page(&format!("/m2m/plan-queue?plan={plan}")).await.contains(&iccid(2)));
    assert!(ada.page("/m2m/plan-queue?plan=999999").await.contains("Nothing is scheduled like that"));
    let refused = ada.open("/m2m/plan-queue?day=24.12.&customer=Acme").await;
    let text = refused.text();
    assert_eq!(refused.status, 422, "{text}");
    assert!(text.contains("<b>day</b>") && text.contains("<b>customer</b>"), "{text}");

    // Whoever changes an entry comes back to what they sought.
    let entries = app.admin().await.read("/api/v1/plan-queue").await;
    let id = entries["items"][0]["id"].to_string();
    assert!(day.contains("name=\"back\" value=\"day=2026-12-24\""), "{day}");
    let fields = [("effective_date", "2027-01-31"), ("back", "day=2026-12-24")];
    let moved = ada.send_from("/m2m/plan-queue", &format!("/m2m/plan-queue/{id}/move"), &fields).await;
    assert_eq!((moved.status, moved.header("location")), (303, "/m2m/plan-queue?day=2026-12-24"), "{}", moved.text());
    let forged = [("back", "x\r\nset-cookie: a=b&//evil.example")];
    let canceled = ada.send_from("/m2m/plan-queue", &format!("/m2m/plan-queue/{id}/cancel"), &forged).await;
    assert_eq!(canceled.status, 303);
    assert!(canceled.header("location").starts_with("/m2m/plan-queue?x%0D%0Aset-cookie"), "{}", canceled.header("location"));
}

/// The id and the local date of the entry of a line.
async fn entry_of(app: &TestApp, line: u64) -> (String, String) {
    let entries = app.admin().await.read("/api/v1/plan-queue").await;
    let entry = entries["items"].as_array().expect("a list").iter().find(|entry| entry["iccid"] == iccid(line));
    let entry = entry.expect("an entry of this line");
    (entry["id"].to_string(), entry["effective_date"]["local"].as_str().expect("a date").to_owned())
}

async fn moves(ada: &mut Browser, id: &str, day: &str) -> Answer {
    let fields = [("effective_date", day), ("back", "day=2026-12-24")];
    ada.send_from("/m2m/plan-queue", &format!("/m2m/plan-queue/{id}/move"), &fields).await
}

#[tokio::test]
async fn what_is_moved_keeps_its_time_of_day() {
    let app = with_entries().await;
    let mut ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let page = ada.page("/m2m/plan-queue").await;
    assert!(page.contains(", at 23:45\"") && page.contains("keeps its time of day"), "{page}");
    let today = app.operator.clock.now().with_timezone(&chrono_tz::America::Chicago).date_naive();
    assert!(page.contains(&format!("min=\"{today}\"")), "days before are not offered: {page}");
    let (id, at) = entry_of(&app, 3).await;
    assert!(at.starts_with("2026-12-31T23:45"), "{at}");
    for day in ["2026-12-31", "2027-01-15"] {
        assert_eq!(moves(&mut ada, &id, day).await.status, 303);
        assert!(entry_of(&app, 3).await.1.starts_with(&format!("{day}T23:45")), "{day}");
    }
    // What falls due later today stays due then.
    let day_before = app.operator.clock.now() + TimeDelta::hours(1);
    let local = day_before.with_timezone(&chrono_tz::America::Chicago).format("%Y-%m-%d").to_string();
    let at = json!({"effective_date": day_before.to_rfc3339()});
    assert_eq!(app.admin().await.patch(&format!("/api/v1/plan-queue/{id}"), &at).await.status, 200);
    let before = entry_of(&app, 3).await.1;
    assert_eq!(moves(&mut ada, &id, &local).await.status, 303, "Move pressed without a change changes nothing");
    assert_eq!(entry_of(&app, 3).await.1, before);
    app.operator.run_until_idle().await;
    assert_eq!(entry_of(&app, 3).await.1, before, "it waits still");
}

#[tokio::test]
async fn what_would_take_effect_at_once_is_asked_for_twice() {
    let app = with_entries().await;
    let mut ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let (id, at) = entry_of(&app, 1).await;
    let yesterday = (app.operator.clock.now() - TimeDelta::days(1)).format("%Y-%m-%d").to_string();
    let asked = moves(&mut ada, &id, &yesterday).await;
    let page = asked.text();
    assert_eq!(asked.status, 422, "{page}");
    assert!(page.contains("would be made at once") && page.contains(&iccid(1)) && page.contains("plan Half"), "{page}");
    assert!(page.contains("href=\"/m2m/plan-queue?day=2026-12-24\">Back"), "{page}");
    assert_eq!(entry_of(&app, 1).await.1, at, "nothing was moved");
    let (path, fields) = form_of(&page, "/move");
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let done = ada.send_form(&path, &fields).await;
    assert_eq!((done.status, done.header("location")), (303, "/m2m/plan-queue?day=2026-12-24"), "{}", done.text());
    app.operator.run_until_idle().await;
    assert_eq!(app.operator.device(1).await.customer_rate_plan_id, Some(app.operator.plan), "now it is made");
}

#[tokio::test]
async fn what_is_not_moved_is_said_in_the_list_with_the_day_that_was_typed() {
    let app = with_entries().await;
    let mut ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let (id, _) = entry_of(&app, 1).await;
    for (day, says) in [("2199-01-01", "days ahead"), ("24.12.", "give the day on which it takes effect")] {
        let refused = moves(&mut ada, &id, day).await;
        let page = refused.text();
        assert_eq!(refused.status, 422, "{page}");
        assert!(page.contains("Nothing was changed") && page.contains(says), "{page}");
        assert!(page.contains(&format!("value=\"{day}\"")), "what was typed stays: {page}");
        assert!(page.contains(&iccid(2)) && !page.contains(&iccid(3)), "it is the list that was looked at: {page}");
    }
    let address = format!("/m2m/plan-queue/{id}/cancel");
    for _ in 0..2 {
        let canceled = ada.send_from("/m2m/plan-queue", &address, &[("back", "day=2026-12-24")]).await;
        assert_eq!(canceled.header("location"), "/m2m/plan-queue?day=2026-12-24", "a second click leads on as the first");
    }
    let late = moves(&mut ada, &id, "2027-01-31").await;
    assert_eq!(late.status, 409);
    assert!(late.text().contains("this entry is canceled already") && late.text().contains(&iccid(2)), "{}", late.text());
}

#[tokio::test]
async fn sites_of_customers_crowd_no_choice_out() {
    let app = with_entries().await;
    let (operator, now) = (&app.operator, app.operator.clock.now());
    for nth in 0..301 {
        let name = format!("Branch {nth}");
        let site = Site { id: SiteId(0), name, rev_customer_id: Some(operator.rev_customer), is_active: true };
        operator.store.create_site(operator.tenant(), &site, now).await.expect("a site");
    }
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let page = ada.page("/m2m/plan-queue").await;
    assert!(page.contains("Corner Shop</option>") && page.contains("Fleet Rentals</option>"), "{page}");
    assert!(!page.contains("Branch"), "{page}");
}

#[tokio::test]
async fn a_page_without_entries_of_the_portal_leads_to_the_next_one() {
    let app = TestApp::with_lines(101).await;
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    let lines: Vec<String> = (1..=101).map(iccid).collect();
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": lines, "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "EffectiveDate": "2026-12-24"},
    });
    let answer = app.orderer().await.post("/M2M/BulkChange", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    app.operator.run_until_idle().await;
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let id = answer.json()["BulkChangeId"].to_string();
    let page = ada.page(&format!("/lnp/plan-queue?bulk_change_id={id}")).await;
    assert!(page.contains("Nothing of this page is of this portal") && page.contains("rel=\"next\""), "{page}");
    assert!(!page.contains("Nothing waits"), "{page}");
}
