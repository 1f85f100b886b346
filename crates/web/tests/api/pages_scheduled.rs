//! Scheduled: what waits for its date, as a list and as a month.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::operator::iccid;
use serde_json::json;

use crate::browser::Browser;

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
