//! Following bulk changes in the portal: lists, one line's steps and log, downloads.

use std::io::Read as _;

use lineshift_testkit::app::TestApp;
use lineshift_testkit::billing::{BillingWorld, PASSWORD, PRODUCT};
use lineshift_testkit::operator::iccid;
use serde_json::json;

use crate::billing::lose_rows;
use crate::browser::{Browser, with_change};

/// The addresses of what a page links to under that beginning, as they are written.
fn links<'p>(page: &'p str, beginning: &str) -> Vec<&'p str> {
    let linked = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    linked.filter(|link| link.starts_with(beginning)).collect()
}

/// The text of one file within a workbook.
pub(crate) fn unpacked(workbook: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(workbook)).expect("a workbook");
    let mut text = String::new();
    archive.by_name(name).expect("the file").read_to_string(&mut text).expect("a text");
    text
}

#[tokio::test]
async fn a_line_of_a_change_shows_what_became_of_it_and_its_log() {
    let (app, id) = with_change(2).await;
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let address = format!("/m2m/bulk-changes/{id}");
    let page = ada.page(&format!("{address}?status=all")).await;
    let lines = links(&page, &format!("{address}/lines/"));
    assert_eq!(lines.len(), 3, "{page}");
    let (mut failed, mut done) = (0, 0);
    for line in lines {
        let page = ada.page(line).await;
        if page.contains("device_not_found") {
            failed += 1;
            assert!(page.contains("89011700065349734878") && page.contains("<details open>"), "{page}");
        } else {
            done += 1;
            assert!(page.contains("AssignNonRevCustomer: Update AMOP") && page.contains("Request"), "{page}");
            assert!(page.contains("href=\"/m2m/lines/"), "{page}");
        }
    }
    assert_eq!((failed, done), (1, 2));
    let log = ada.page(&format!("{address}/log")).await;
    assert_eq!(links(&log, &format!("{address}/lines/")).len(), 3, "{log}");

    // A row is one of its change, and a change one of its portal.
    let other = app.orderer().await;
    let body = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "SiteId": app.operator.amop_site.0});
    let answer = other.post("/M2M/AssociateCustomer", &body).await;
    let elsewhere = answer.json()["BulkChangeId"].as_i64().expect("an id");
    let row = links(&page, &format!("{address}/lines/"))[0].rsplit('/').next().expect("a row");
    for missing in [
        format!("/m2m/bulk-changes/{elsewhere}/lines/{row}"),
        format!("/mobility/bulk-changes/{id}/lines/{row}"),
        format!("{address}/lines/0"),
        format!("{address}/lines/x"),
        format!("/lnp/bulk-changes/{id}/log"),
        format!("/lnp/bulk-changes/{id}/download"),
        format!("/lnp/bulk-changes/{id}/scheduled"),
    ] {
        assert_eq!(ada.open(&missing).await.status, 404, "{missing}");
    }
}

#[tokio::test]
async fn lines_are_downloaded_as_they_are_chosen() {
    let (app, id) = with_change(3).await;
    app.signed_in("vic@fleet.example", &["viewer"], "*").await;
    let vic = Browser::signed_in(&app, "vic@fleet.example").await;
    let address = format!("/m2m/bulk-changes/{id}");
    let page = vic.page(&address).await;
    let tenant = app.operator.tenant();
    for choice in ["?format=csv", "?format=xlsx", "?format=xlsx&amp;status=ERROR"] {
        assert!(page.contains(&format!("{address}/download{choice}&amp;tenant={tenant}\">")), "{choice}: {page}");
    }
    assert!(vic.page(&format!("{address}?code=device_not_found")).await.contains("format=csv&amp;code=device_not_found"));

    let csv = vic.open(&format!("{address}/download?format=csv&status=ERROR")).await;
    assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8; header=present"));
    assert_eq!(csv.text().lines().count(), 2, "{}", csv.text());
    let by_code = vic.open(&format!("{address}/download?code=device_not_found")).await.text();
    assert!(by_code.contains("89011700065349734878") && by_code.lines().count() == 2, "{by_code}");

    let all = vic.open(&format!("{address}/download?format=xlsx")).await;
    assert_eq!(all.header("content-disposition"), format!("attachment; filename=\"bulk-change-{id}.xlsx\""));
    assert_eq!(all.header("content-encoding"), "", "a workbook is packed already");
    let sheet = unpacked(&all.body, "xl/worksheets/sheet1.xml");
    assert_eq!(sheet.matches("<row ").count(), 5, "{sheet}");
    for text in [iccid(1), iccid(2), iccid(3), "89011700065349734878".to_owned(), "device_not_found".to_owned()] {
        assert!(sheet.contains(&format!("<t>{text}</t>")), "{text} is not a text in {sheet}");
    }
    assert!(!sheet.contains("<f>"), "nothing is a formula");
    let failed = vic.open(&format!("{address}/download?format=xlsx&status=ERROR")).await;
    assert_eq!(unpacked(&failed.body, "xl/worksheets/sheet1.xml").matches("<row ").count(), 2);

    let wrong = vic.open(&format!("{address}/download?format=pdf&status=LATE&code=nonsense")).await;
    let text = wrong.text();
    assert_eq!((wrong.status, wrong.header("content-type")), (422, "text/html; charset=utf-8"));
    assert!(["format", "status", "code"].iter().all(|field| text.contains(&format!("<b>{field}</b>"))), "{text}");
    app.signed_in("non@fleet.example", &[], "*").await;
    let nobody = Browser::signed_in(&app, "non@fleet.example").await;
    assert_eq!(nobody.open(&format!("{address}/download")).await.status, 403);
}

#[tokio::test]
async fn lines_that_are_ticked_are_downloaded_alone() {
    let (app, id) = with_change(3).await;
    app.signed_in("vic@fleet.example", &["viewer"], "*").await;
    let vic = Browser::signed_in(&app, "vic@fleet.example").await;
    let address = format!("/m2m/bulk-changes/{id}");
    let page = vic.page(&format!("{address}?status=all")).await;
    assert!(page.contains("name=\"format\" value=\"csv\"") && page.contains("name=\"format\" value=\"xlsx\""), "{page}");
    assert!(page.contains(&format!("<form method=\"get\" action=\"{address}/download\"")), "{page}");
    let ticks = page.split("name=\"row\" value=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let ticks: Vec<&str> = ticks.collect();
    assert_eq!(ticks.len(), 4, "{page}");
    let two = format!("{address}/download?ticked=yes&row={}&row={}", ticks[0], ticks[2]);
    let all = vic.open(&format!("{address}/download?format=csv")).await.text();
    let all: Vec<&str> = all.lines().collect();
    let csv = vic.open(&format!("{two}&format=csv")).await;
    assert_eq!((csv.status, csv.text().lines().collect::<Vec<_>>()), (200, vec![all[0], all[1], all[3]]));
    let workbook = vic.open(&format!("{two}&format=xlsx")).await;
    let sheet = unpacked(&workbook.body, "xl/worksheets/sheet1.xml");
    assert_eq!(sheet.matches("<row ").count(), 3, "{sheet}");

    let nothing = vic.open(&format!("{address}/download?ticked=yes&format=xlsx")).await;
    assert!(nothing.status == 422 && nothing.text().contains("no line is ticked"), "{}", nothing.text());
    let wrong = vic.open(&format!("{address}/download?ticked=yes&row=x&row=-1&format=pdf")).await;
    assert!(wrong.status == 422 && wrong.text().matches("<b>row</b>").count() == 2, "{}", wrong.text());
    let strange = vic.open(&format!("{address}/download?ticked=yes&row=999999&format=csv")).await;
    assert_eq!(strange.text().lines().count(), 1, "what is no line of the change is not in it");

    // Of a line that left one's reach there is what the page shows of it.
    let site = format!("site:{}", app.operator.amop_site);
    app.signed_in("one@fleet.example", &["operator"], &site).await;
    let one = Browser::signed_in(&app, "one@fleet.example").await;
    assert_eq!(one.open(&format!("{two}&format=csv")).await.status, 404, "it is another's change");
}

#[tokio::test]
async fn what_is_ordered_stands_on_the_page_with_names() {
    let app = TestApp::with_lines(2).await;
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1), iccid(2)], "ChangeType": 4, "ProcessChanges": false,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "CustomerPoolId": 0, "EffectiveDate": "2026-12-24"},
    });
    let answer = app.orderer().await.post("/M2M/BulkChange", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let id = answer.json()["BulkChangeId"].as_i64().expect("an id");
    let plan = app.admin().await.read(&format!("/api/v1/customer-rate-plans/{}", app.operator.plan.0)).await;
    let mut ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let address = format!("/m2m/bulk-changes/{id}");
    let page = ada.page(&address).await;
    assert!(page.contains(plan["name"].as_str().expect("a name")) && page.contains("2026-12-24 00:00"), "{page}");
    assert!(page.contains("<dt>Customer rate pool</dt><dd>none</dd>"), "{page}");
    assert!(page.contains("Start 2 lines") && page.contains("Canceling: 2 open lines are canceled"), "{page}");
    assert_eq!(ada.send_from(&address, &format!("{address}/start"), &[]).await.status, 303);
    app.operator.run_until_idle().await;
    let page = ada.page(&address).await;
    assert!(page.contains("Canceling: 2 scheduled changes are canceled") && !page.contains("Start 2"), "{page}");
}

#[tokio::test]
async fn bulk_changes_are_sought_by_status_and_by_who_ordered_them() {
    let (app, id) = with_change(2).await;
    let held = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "ChangeType": 4, "ProcessChanges": false,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0},
    });
    let answer = app.orderer().await.post("/M2M/BulkChange", &held).await;
    let waiting = answer.json()["BulkChangeId"].as_i64().expect("an id");
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    app.signed_in("one@fleet.example", &["operator"], "customer:1").await;
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let shown = async |browser: &Browser, query: &str| {
        let page = browser.page(&format!("/m2m/bulk-changes{query}")).await;
        let mut found: Vec<i64> = Vec::new();
        for link in links(&page, "/m2m/bulk-changes/") {
            found.extend(link.rsplit('/').next().and_then(|id| id.parse::<i64>().ok()));
        }
        found
    };
    assert_eq!(shown(&ada, "").await, [waiting, id]);
    assert_eq!(shown(&ada, "?status=PARTIAL&by=").await, [id]);
    assert_eq!(shown(&ada, "?status=NEW").await, [waiting]);
    assert_eq!(shown(&ada, "?status=CANCELED").await, [0; 0]);
    assert_eq!(shown(&ada, "?own=yes").await, [0; 0], "others ordered them");
    let who =
        app.admin().await.read(&format!("/api/v1/bulk-changes/{id}")).await["created_by"].as_str().expect("a name").to_owned();
    assert_eq!(shown(&ada, &format!("?by={}", who.replace(' ', "+"))).await, [waiting, id]);
    assert_eq!(shown(&ada, "?by=nobody").await, [0; 0]);
    let one = Browser::signed_in(&app, "one@fleet.example").await;
    assert_eq!(shown(&one, "").await, [0; 0], "whoever is limited sees their own");
    assert!(!one.page("/m2m/bulk-changes").await.contains("name=\"by\""));
    let page = ada.page("/lnp/bulk-changes").await;
    assert!(page.contains("No bulk change was ordered yet"), "{page}");
    assert_eq!(ada.open("/m2m/bulk-changes?status=LATE").await.status, 422);
}

/// An app in which two lines are to be billed, the second of them too, and nobody knows of the first.
async fn with_a_lost_line() -> (TestApp, i64) {
    let (app, _) = TestApp::billing(BillingWorld::with_lines(2).await).await;
    let body = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1), iccid(2)],
        "RevCustomerId": app.operator.rev_customer.0.to_string(), "CreateRevService": true, "ServiceTypeId": 6, "ProviderId": 42,
        "RevProducts": [{"ProductId": PRODUCT, "Rate": 4.95, "Quantity": 1}],
    });
    let answer = app.orderer().await.post("/M2M/AssociateCustomer", &body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let row = lose_rows(&app, 1).await;
    app.operator.run_until_idle().await;
    (app, row.0)
}

#[tokio::test]
async fn what_nobody_knows_is_shown_and_settled_by_a_person() {
    let (app, row) = with_a_lost_line().await;
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    app.signed_in("vic@fleet.example", &["viewer"], "*").await;
    let (mut ada, mut vic) =
        (Browser::signed_in(&app, "ada@fleet.example").await, Browser::signed_in(&app, "vic@fleet.example").await);
    let address = format!("/m2m/bulk-changes/1/lines/{row}");
    let home = ada.page("/").await;
    assert!(home.contains("1 lines are held") && home.contains(&format!("href=\"{address}\">{}</a>", iccid(1))), "{home}");
    let page = ada.page(&address).await;
    assert!(page.contains("Rev service") && page.contains("status-intended") && page.contains("It stands there"), "{page}");
    assert!(!page.contains(PASSWORD), "{page}");
    let settle = format!("{address}/settle");
    assert!(!vic.page(&address).await.contains("/settle"), "what one may not do is not offered");
    assert_eq!(vic.send_from(&address, &settle, &[("as", "gone")]).await.status, 403);
    for wrong in [
        vec![],
        vec![("as", "gone")],
        vec![("as", "gone"), ("attempt", "1"), ("steps_at", "yesterday")],
        vec![("as", "maybe")],
        vec![("as", "gone"), ("rev_service_id", "7")],
        vec![("as", "stands"), ("rev_service_id", "x")],
    ] {
        let refused = ada.send_from(&address, &settle, &wrong).await;
        assert_eq!(refused.status, 422, "{wrong:?}: {}", refused.text());
    }
    assert_eq!(
        ada.send_from(&address, &format!("/m2m/bulk-changes/1/lines/{}/settle", row + 99), &[("as", "gone")]).await.status,
        404
    );
    let settled = ada.send_from(&address, &settle, &[("as", "stands"), ("rev_service_id", "4711"), ("attempt", "1")]).await;
    assert_eq!((settled.status, settled.header("location")), (303, address.as_str()), "{}", settled.text());
    let page = ada.page(&address).await;
    assert!(page.contains("4711") && page.contains("status-done") && !page.contains("It stands there"), "{page}");
    assert!(!ada.page("/").await.contains("lines are held"));
    let again = ada.send_from(&address, &settle, &[("as", "gone"), ("attempt", "1")]).await;
    assert_eq!(again.status, 409, "it is settled");
    assert!(again.text().contains("role=\"alert\"") && again.text().contains("status-done"), "{}", again.text());
}

/// What the first form of a page that settles would send, but for the token.
fn settling(page: &str) -> Vec<(String, String)> {
    let (_, form) = page.split_once("/settle\"").unwrap_or_else(|| panic!("no form to settle in {page}"));
    let (form, _) = form.split_once("</form>").expect("it ends");
    let attribute = |input: &str, name: &str| {
        let (_, rest) = input.split_once(&format!("{name}=\""))?;
        Some(rest.split('"').next()?.to_owned())
    };
    let inputs = form.split("<input type=\"hidden\"").skip(1).filter_map(|rest| rest.split('>').next());
    let sent = inputs.map(|input| (attribute(input, "name").expect("a name"), attribute(input, "value").expect("a value")));
    sent.filter(|(name, _)| name != "csrf_token").collect()
}

#[tokio::test]
async fn what_was_said_of_one_attempt_settles_no_other() {
    let (app, row) = with_a_lost_line().await;
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    let mut ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let address = format!("/m2m/bulk-changes/1/lines/{row}");
    let seen = settling(&ada.page(&address).await);
    let names: Vec<&str> = seen.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["attempt", "steps_at", "as"], "the form says of what it is");
    // Forms of a page from before a retry, and from before its steps were written anew.
    let with = |name: &str, value: &str| {
        let changed = |(of, was): &(String, String)| (of.clone(), if of == name { value.to_owned() } else { was.clone() });
        seen.iter().map(changed).collect::<Vec<_>>()
    };
    let mut page = String::new();
    for stale in [with("attempt", "7"), with("steps_at", "2020-01-01T00:00:00.000000Z")] {
        let fields: Vec<(&str, &str)> = stale.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let refused = ada.send_from(&address, &format!("{address}/settle"), &fields).await;
        page = refused.text();
        assert_eq!(refused.status, 409, "{page}");
        assert!(page.contains("is in attempt 1 by now") && page.contains("It stands there"), "{page}");
    }
    let listed = app.orderer().await.read("/api/v1/unsettled-steps").await;
    assert_eq!(listed["items"][0]["device_change_id"], row, "it is as unsettled as before: {listed}");

    let fresh = settling(&page);
    let fields: Vec<(&str, &str)> = fresh.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let settled = ada.send_from(&address, &format!("{address}/settle"), &fields).await;
    assert_eq!(settled.status, 303, "{}", settled.text());
}

#[tokio::test]
async fn what_runs_is_followed_live_and_without_a_script() {
    let app = TestApp::with_lines(2).await;
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    let body =
        json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1), iccid(2)], "SiteId": app.operator.amop_site.0});
    let answer = app.orderer().await.post("/M2M/AssociateCustomer", &body).await;
    let id = answer.json()["BulkChangeId"].as_i64().expect("an id");
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let follow = format!("data-follow=\"/api/v1/bulk-changes/{id}/events?tenant={}\"", app.operator.tenant());
    let address = format!("/m2m/bulk-changes/{id}");
    assert!(ada.page("/").await.contains(&follow));
    let page = ada.page(&address).await;
    assert!(
        page.contains(&follow) && page.contains("<noscript><meta http-equiv=\"refresh\"") && page.contains(">Reload</a>"),
        "{page}"
    );
    app.operator.run_until_idle().await;
    let page = ada.page(&address).await;
    assert!(!page.contains("data-follow") && !page.contains("http-equiv"), "nothing is left to follow: {page}");
    assert!(!ada.page("/").await.contains("data-follow"));
}
