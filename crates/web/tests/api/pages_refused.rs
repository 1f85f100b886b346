//! Scheduled changes that are refused when they fall due: seen wherever failures are looked for, with their reasons and lines, and a way on.

use chrono::TimeDelta;
use lineshift_domain::order::Effect;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::operator::iccid;
use serde_json::json;

use crate::browser::Browser;
use crate::desk::{Desk, made};
use crate::pages_follow::unpacked;

/// An app in which three lines were to change their plan on the 24th of December; on that day one of them is archived, and refused. And the
/// change.
async fn with_a_refused_line() -> (TestApp, i64) {
    let app = TestApp::with_lines(3).await;
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1), iccid(2), iccid(3)], "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "EffectiveDate": "2026-12-24"},
    });
    let answer = app.orderer().await.post("/M2M/BulkChange", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    app.operator.run_until_idle().await;
    app.operator.change_line(2, |line| line.is_archived = true).await;
    app.operator.clock.set("2026-12-24T12:00:00Z");
    app.operator.run_until_idle().await;
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    (app, answer.json()["BulkChangeId"].as_i64().expect("an id"))
}

/// What stands between a heading and the section's end.
fn section<'p>(page: &'p str, id: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("<h2 id=\"{id}\">")).unwrap_or_else(|| panic!("no section {id} in {page}"));
    rest.split_once("</section>").map_or(rest, |(section, _)| section)
}

#[tokio::test]
async fn what_is_refused_when_it_falls_due_is_a_failure_on_every_page() {
    let (app, id) = with_a_refused_line().await;
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let home = ada.page("/").await;
    assert!(section(&home, "failed").contains(&format!("/m2m/bulk-changes/{id}\"")), "it failed today: {home}");
    for page in [section(&home, "failed"), &ada.page("/m2m/bulk-changes").await] {
        assert!(page.contains("data-live=\"done\" data-label=\"Done\">2<"), "{page}");
        assert!(page.contains("data-live=\"failed\" data-label=\"Failed\">1<"), "{page}");
    }
    let change = ada.page(&format!("/m2m/bulk-changes/{id}")).await;
    let refused = format!("/m2m/plan-queue?bulk_change_id={id}&amp;state=failed\"");
    assert!(change.contains(&format!("<dt>Refused when due</dt><dd><a href=\"{refused}>1</a>")), "{change}");
    assert!(change.contains("data-live=\"done\">2<") && change.contains("1 scheduled changes were refused"), "{change}");
    app.operator.clock.advance(TimeDelta::days(1));
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let tomorrow = ada.page("/").await;
    assert!(section(&tomorrow, "failed").contains("None."), "that was yesterday: {tomorrow}");
}

#[tokio::test]
async fn days_do_not_count_what_was_refused_as_gone_well() {
    let app = TestApp::with_lines(2).await;
    let order = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1), iccid(2)], "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "EffectiveDate": "2026-12-02"},
    });
    app.operator.clock.set("2026-12-01T12:00:00Z");
    assert_eq!(app.orderer().await.post("/M2M/BulkChange", &order).await.status, 202);
    app.operator.run_until_idle().await;
    app.operator.change_line(2, |line| line.is_archived = true).await;
    app.operator.clock.set("2026-12-02T12:00:00Z");
    app.operator.run_until_idle().await;
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    let home = Browser::signed_in(&app, "ada@fleet.example").await.page("/").await;
    assert!(section(&home, "days").contains("50.0 % of their lines went well"), "{home}");
}

#[tokio::test]
async fn refused_lines_are_listed_with_their_reasons_and_chosen_for_a_new_order() {
    let (app, id) = with_a_refused_line().await;
    app.signed_in("vic@fleet.example", &["viewer"], "*").await;
    let mut ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let mut vic = Browser::signed_in(&app, "vic@fleet.example").await;
    let address = format!("/m2m/plan-queue?bulk_change_id={id}&state=failed");
    let page = ada.page(&address).await;
    assert!(page.contains(&iccid(2)) && page.contains("device_archived") && !page.contains(&iccid(1)), "{page}");
    assert!(page.contains("<option value=\"failed\" selected>refused when it fell due") && !page.contains("Move or cancel"));
    let applied = ada.page(&format!("/m2m/plan-queue?bulk_change_id={id}&state=applied")).await;
    assert!(applied.contains(&iccid(1)) && !applied.contains("Choose all these lines"), "{applied}");
    assert!(ada.page("/m2m/plan-queue").await.contains("name=\"bulk_change_id\" value=\"\""), "the filter is offered");

    assert!(page.contains("Choose all these lines") && !vic.page(&address).await.contains("Choose all these lines"));
    let (form, of) = ("/m2m/selection/refused", id.to_string());
    assert_eq!(vic.send_from(&address, form, &[("bulk_change_id", &of)]).await.status, 403);
    assert_eq!(ada.send_from(&address, form, &[]).await.status, 422);
    for (wrong, other) in [(form, "999999"), ("/lnp/selection/refused", of.as_str())] {
        assert_eq!(ada.send_from(&address, wrong, &[("bulk_change_id", other)]).await.status, 404, "{wrong} {other}");
    }
    let chosen = ada.send_from(&address, form, &[("bulk_change_id", &of)]).await;
    assert_eq!((chosen.status, chosen.header("location")), (303, "/m2m/selection"), "{}", chosen.text());
    let selection = ada.page("/m2m/selection").await;
    assert!(selection.contains(&iccid(2)) && !selection.contains(&iccid(1)), "{selection}");
}

#[tokio::test]
async fn what_a_change_scheduled_is_downloaded_by_its_state() {
    let (app, id) = with_a_refused_line().await;
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let (address, tenant) = (format!("/m2m/bulk-changes/{id}/scheduled"), app.operator.tenant());
    let change = ada.page(&format!("/m2m/bulk-changes/{id}")).await;
    let queue = ada.page(&format!("/m2m/plan-queue?bulk_change_id={id}&state=failed")).await;
    for kind in ["csv", "xlsx"] {
        assert!(change.contains(&format!("{address}?state=failed&amp;format={kind}&amp;tenant={tenant}\"")), "{change}");
        assert!(queue.contains(&format!("{address}?state=failed&#38;tenant={tenant}&amp;format={kind}\"")), "{queue}");
    }

    let failed = ada.open(&format!("{address}?state=failed&format=csv")).await;
    let name = format!("attachment; filename=\"bulk-change-{id}-scheduled-failed.csv\"");
    assert_eq!((failed.status, failed.header("content-disposition")), (200, name.as_str()), "{}", failed.text());
    let text = failed.text();
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let heads = rows.headers().expect("heads").clone();
    let rows: Vec<csv::StringRecord> = rows.records().collect::<Result<_, _>>().expect("rows");
    let cell = |head: &str| {
        let place = heads.iter().position(|of| of == head).unwrap_or_else(|| panic!("no column {head} in {text}"));
        rows[0].get(place).expect("a cell").to_owned()
    };
    assert_eq!(
        (rows.len(), cell("iccid"), cell("state"), cell("error_code")),
        (1, iccid(2), "failed".into(), "device_archived".into())
    );
    // The tenant is in Chicago.
    assert_eq!(
        (cell("effective_date"), cell("customer_rate_plan_id")),
        ("2026-12-24T06:00:00Z".into(), app.operator.plan.to_string())
    );
    assert!(cell("changes_to").starts_with("plan ") && cell("status_details").contains("archived"), "{text}");
    assert_eq!(ada.open(&format!("{address}?state=applied")).await.text().lines().count(), 1 + 2, "a head, and two lines");
    assert_eq!(ada.open(&address).await.text().lines().count(), 1, "nothing is open any more");

    let workbook = ada.open(&format!("{address}?state=failed&format=xlsx")).await;
    assert_eq!(workbook.header("content-disposition"), name.replace("csv", "xlsx"));
    let sheet = unpacked(&workbook.body, "xl/worksheets/sheet1.xml");
    assert!(sheet.matches("<row ").count() == 2 && sheet.contains(&format!("<t>{}</t>", iccid(2))), "{sheet}");

    let wrong = ada.open(&format!("{address}?state=late&format=pdf")).await;
    assert!(wrong.status == 422 && ["state", "format"].iter().all(|field| wrong.text().contains(&format!("<b>{field}</b>"))));
}

#[tokio::test]
async fn whoever_is_limited_downloads_what_was_scheduled_within_their_reach() {
    let app = TestApp::with_lines(2).await;
    let operator = &app.operator;
    let (plan, site) = (operator.plan.to_string(), operator.amop_site.0);
    let to_shop = json!({"ServiceProviderId": operator.jasper.0, "Devices": [iccid(1), iccid(2)], "SiteId": site});
    assert_eq!(app.orderer().await.post("/M2M/AssociateCustomer", &to_shop).await.status, 202);
    operator.run_until_idle().await;
    let mut sue = Desk::within(&app, "sue@fleet.example", &["operator"], &format!("site:{site}")).await;
    sue.choose(1..=2).await;
    let preview = sue.preview("customer-rate-plan", &[("CustomerRatePlanId", &plan), ("EffectiveDate", "2026-12-24")]).await;
    let address = format!("/m2m/bulk-changes/{}/scheduled", made(&sue.confirm(&preview).await));
    operator.run_until_idle().await;
    let both = sue.browser.open(&address).await.text();
    assert!(both.lines().count() == 3 && both.contains("Corner Shop"), "{both}");
    // One of them is another customer's by now.
    operator.run(operator.order([iccid(2)], Effect::CustomerAssignment(operator.rev_assignment()))).await;
    let hers = sue.browser.open(&address).await.text();
    assert!(hers.lines().count() == 2 && hers.contains(&iccid(1)), "{hers}");
    app.signed_in("ada@fleet.example", &["viewer"], "*").await;
    assert_eq!(Browser::signed_in(&app, "ada@fleet.example").await.open(&address).await.text().lines().count(), 3);
    app.signed_in("non@fleet.example", &[], "*").await;
    assert_eq!(Browser::signed_in(&app, "non@fleet.example").await.open(&address).await.status, 403);
}
