//! The pages of the portal, as a browser without JavaScript gets them.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::send;
use lineshift_testkit::operator::iccid;
use lineshift_testkit::people::PASSWORD;
use lineshift_web::PAGES;
use reqwest::Method;
use serde_json::json;

use crate::browser::{Browser, token_of, with_change, written};

#[tokio::test]
async fn whoever_is_not_signed_in_is_led_to_signing_in_and_back() {
    let app = TestApp::with_lines(1).await;
    app.operator.member(app.operator.tenant(), app.operator.user("ada@fleet.example").await, &["viewer"], "*").await;
    let mut browser = Browser::of(&app);
    let unseen = ["/sign-in", "/sign-in/one-time-password", "/invitation", "/assets/{name}"];
    for row in PAGES.iter().filter(|row| row.method == "get" && !unseen.contains(&row.path)) {
        let path = row.path.replace("{portal}", "m2m").replace("{id}", "1").replace("{row}", "1").replace("{act}", "assign");
        let answer = browser.open(&path).await;
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.header("location").starts_with("/sign-in"), "{path}: {}", answer.header("location"));
        assert_eq!(answer.text(), "", "{path}: nothing is shown");
    }
    let led = browser.open("/m2m/lines?number=5550001234").await;
    assert_eq!(led.header("location"), "/sign-in?next=%2Fm2m%2Flines%3Fnumber%3D5550001234");
    let page = browser.page(led.header("location")).await;
    assert!(page.contains(r#"name="next" value="/m2m/lines?number=5550001234""#), "{page}");

    let wrong = browser.send_form("/sign-in", &[("email", "\"><script>"), ("password", "wrong")]).await;
    assert_eq!(wrong.status, 401);
    let page = wrong.text();
    assert!(page.contains("are wrong, or you may not sign in") && !page.contains("<script>"), "{page}");
    let fields = [("email", "Ada@fleet.example"), ("password", PASSWORD), ("next", "/m2m/lines?number=5550001234")];
    let entered = browser.send_form("/sign-in", &fields).await;
    assert_eq!((entered.status, entered.header("location")), (303, "/m2m/lines?number=5550001234"), "{}", entered.text());
    assert!(entered.header("set-cookie").contains("HttpOnly; SameSite=Lax"));
    for elsewhere in ["//evil.example/x", "https://evil.example", "/\\evil.example"] {
        let mut other = Browser::of(&app);
        let fields = [("email", "ada@fleet.example"), ("password", PASSWORD), ("next", elsewhere)];
        assert_eq!(other.send_form("/sign-in", &fields).await.header("location"), "/", "{elsewhere}");
    }
    let left = browser.send_from("/", "/sign-out", &[]).await;
    assert_eq!((left.status, left.header("location")), (303, "/sign-in"));
    assert_eq!(browser.open("/").await.status, 303);
}

/// Something that the page of Admin can show: the first that the list of the same name has.
async fn admin_id(app: &TestApp, path: &str) -> String {
    let list = path.split('/').nth(2).unwrap_or_default().replace("integrations", "integration-authentications");
    if !path.contains("{id}") {
        return String::new();
    }
    app.admin().await.read(&format!("/api/v1/{list}?limit=1")).await["items"][0]["id"].to_string()
}

#[tokio::test]
async fn every_page_keeps_to_its_policy() {
    let (app, id) = with_change(3).await;
    app.signed_in("ada@fleet.example", &["administrator"], "*").await;
    let browser = Browser::signed_in(&app, "ada@fleet.example").await;
    crate::isolation::begin_sync(&app).await;
    let line = app.admin().await.read("/api/v1/devices?limit=1").await["items"][0]["id"].to_string();
    let rows = app.admin().await.read(&format!("/api/v1/bulk-changes/{id}/devices")).await;
    let row_id = rows["items"][0]["id"].to_string();
    // Files are no pages, nor is what only leads to one.
    let files =
        ["/assets/{name}", "/bulk-changes/{id}", "/{portal}/bulk-changes/{id}/download", "/{portal}/bulk-changes/{id}/scheduled"];
    for row in PAGES.iter().filter(|row| row.method == "get" && !files.contains(&row.path)) {
        let id = if row.path.starts_with("/{portal}/lines") { line.clone() } else { id.to_string() };
        let id = if row.path.starts_with("/admin/") { admin_id(&app, row.path).await } else { id };
        let path = row.path.replace("{portal}", "m2m").replace("{id}", &id).replace("{row}", &row_id).replace("{act}", "assign");
        let answer = browser.open(&path).await;
        let page = answer.text();
        assert_eq!(answer.status, 200, "{path}: {page}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{path}: {policy}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "with less, browsers hide where forms come from");
        assert_eq!(answer.header("cache-control"), "no-store");
        for banned in ["<style", " style=", " onclick=", "javascript:", "http://", "https://"] {
            assert!(!page.contains(banned), "{path} has {banned}");
        }
        for script in page.split("<script").skip(1) {
            assert!(script.starts_with(" src=\"/assets/portal-"), "{path}: {script}");
        }
        let style =
            page.split("<link rel=\"stylesheet\" href=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a style");
        let asset = browser.open(style).await;
        assert_eq!((asset.status, asset.header("content-type")), (200, "text/css; charset=utf-8"));
        assert!(asset.header("cache-control").ends_with("immutable"));
    }
    assert_eq!(browser.open("/assets/portal-000000000000.css").await.status, 404);
    assert_eq!(browser.open("/assets/..%2fCargo.toml").await.status, 404);
}

#[tokio::test]
async fn no_form_is_taken_without_the_token_of_the_session() {
    let (app, id) = with_change(2).await;
    app.signed_in("ada@fleet.example", &["administrator"], "*").await;
    app.signed_in("eve@fleet.example", &["administrator"], "*").await;
    let (mut ada, eve) =
        (Browser::signed_in(&app, "ada@fleet.example").await, Browser::signed_in(&app, "eve@fleet.example").await);
    let eves = token_of(&eve.page("/").await);
    for row in PAGES.iter().filter(|row| row.method == "post" && !row.path.starts_with("/sign-in") && row.path != "/invitation") {
        let path = row.path.replace("{portal}", "m2m").replace("{id}", &id.to_string());
        for fields in [vec![], vec![("csrf_token", "")], vec![("csrf_token", eves.as_str())]] {
            let answer = ada.send_form(&path, &fields).await;
            assert_eq!((answer.status, answer.header("content-type")), (403, "text/html; charset=utf-8"), "{path} {fields:?}");
        }
        let token = token_of(&ada.page("/").await);
        let request =
            ada.caller.request(Method::POST, &path).header("cookie", &ada.cookie).header("origin", "https://evil.example");
        assert_eq!(
            send(request.header("content-type", "application/x-www-form-urlencoded").body(written(&[("csrf_token", &token)])))
                .await
                .status,
            403,
            "{path}"
        );
        let request = ada.caller.request(Method::POST, &path).header("cookie", &ada.cookie).header("content-type", "text/plain");
        assert_eq!(send(request.body(format!("csrf_token={token}"))).await.status, 415, "{path}");
    }
    let mut nobody = Browser::of(&app);
    let answer = nobody.send_form(&format!("/m2m/bulk-changes/{id}/retry"), &[("csrf_token", &eves)]).await;
    assert_eq!(answer.status, 401);
    assert!(answer.text().contains("You were signed out"), "{}", answer.text());
    assert_eq!(ada.open("/").await.status, 200, "still signed in");
}

#[tokio::test]
async fn failures_are_shown_first_and_retried_by_their_reason() {
    let (app, id) = with_change(3).await;
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    app.signed_in("vic@fleet.example", &["viewer"], "*").await;
    let mut ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let address = format!("/m2m/bulk-changes/{id}");
    let page = ada.page(&address).await;
    assert!(page.contains("89011700065349734878") && page.contains("device_not_found"), "{page}");
    assert!(!page.contains(&iccid(1)), "what went well comes after what did not");
    assert!(ada.page(&format!("{address}?status=all")).await.contains(&iccid(1)));
    assert!(page.contains("Retry 1 failed lines") && page.contains("Retry these"));

    let mut vic = Browser::signed_in(&app, "vic@fleet.example").await;
    assert!(!vic.page(&address).await.contains("Retry"), "what one may not do is not offered");
    assert_eq!(vic.send_from("/", &format!("{address}/retry"), &[]).await.status, 403);

    let wrong = ada.send_from(&address, &format!("{address}/retry"), &[("code", "no_such_code")]).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text());
    assert!(wrong.text().contains(&format!("href=\"{address}\">Go back")), "{}", wrong.text());
    // Entries of one moment stand in no order.
    app.operator.clock.advance(chrono::TimeDelta::seconds(1));
    let retried = ada.send_from(&address, &format!("{address}/retry"), &[("code", "device_not_found")]).await;
    assert_eq!((retried.status, retried.header("location")), (303, address.as_str()));
    let change = app.admin().await.read(&format!("/api/v1/bulk-changes/{id}")).await;
    assert_eq!((&change["attempt"], &change["counts"]["open"]), (&json!(2), &json!(1)));
    let entries = app.admin().await.read("/api/v1/audit").await;
    let written = &entries["items"][0];
    assert_eq!(written["action"], "POST /{portal}/bulk-changes/{id}/retry");
    assert_eq!((&written["who"], &written["devices"]), (&json!("ada@fleet.example"), &json!(1)));
    for again in [&[][..], &[("code", "device_not_found")]] {
        let led = ada.send_from(&address, &format!("{address}/retry"), again).await;
        assert_eq!((led.status, led.header("location")), (303, address.as_str()), "it is being retried already");
    }
    let change = app.admin().await.read(&format!("/api/v1/bulk-changes/{id}")).await;
    assert_eq!(change["attempt"], 2, "and once");
}

#[tokio::test]
async fn lines_are_sought_and_what_they_are_called_is_only_text() {
    let app = TestApp::with_lines(120).await;
    let admin = app.admin().await;
    app.signed_in("ada@fleet.example", &["administrator"], "*").await;
    let site = app.operator.amop_site.0;
    let renamed = admin.patch(&format!("/api/v1/sites/{site}"), &json!({"name": "<script>alert(1)</script>"})).await;
    assert_eq!(renamed.status, 200, "{}", renamed.text());
    let body = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "SiteId": site});
    assert_eq!(app.orderer().await.post("/M2M/AssociateCustomer", &body).await.status, 202);
    app.operator.run_until_idle().await;
    let browser = Browser::signed_in(&app, "ada@fleet.example").await;
    let page = browser.page("/m2m/lines").await;
    assert_eq!(page.matches("<th scope=\"row\">").count(), 50);
    assert!(!page.contains("<script>alert") && page.contains("script&#62;alert(1)"), "{page}");
    let next = page.split("rel=\"next\" href=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a next page");
    let second = browser.page(&next.replace("&amp;", "&")).await;
    assert_eq!(second.matches("<th scope=\"row\">").count(), 50);
    let found = browser.page(&format!("/m2m/lines?iccid={}&number=", iccid(3))).await;
    assert_eq!(found.matches("<th scope=\"row\">").count(), 1, "fields that were left empty choose nothing");
    let refused = browser.page("/m2m/lines?iccid=%3Cb%3E8.9E19").await;
    assert!(
        refused.contains("role=\"alert\"") && refused.contains("18 to 22 digits") && !refused.contains("<b>8.9"),
        "{refused}"
    );
    assert_eq!(browser.open("/elsewhere/lines").await.status, 404);
}

#[tokio::test]
async fn what_is_not_ones_own_looks_like_what_is_not_there() {
    let (app, id) = with_change(2).await;
    app.signed_in("ada@fleet.example", &["administrator"], "*").await;
    let stranger = app.operator.user("str@other.example").await;
    let now = lineshift_engine::Clock::now(&*app.operator.clock);
    let other = app.operator.store.create_tenant("Other", chrono_tz::UTC, now).await.expect("a tenant");
    app.operator.member(other, stranger, &["administrator"], "*").await;
    let browser = Browser::signed_in(&app, "str@other.example").await;
    for (own, missing) in
        [(format!("/m2m/bulk-changes/{id}"), "/m2m/bulk-changes/999999"), ("/m2m/lines/1".to_owned(), "/m2m/lines/999999")]
    {
        let (own, missing) = (browser.open(&own).await, browser.open(missing).await);
        assert_eq!((own.status, own.body), (404, missing.body));
    }
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    assert_eq!(ada.open(&format!("/lnp/bulk-changes/{id}")).await.status, 404, "it is another portal's");
}

#[tokio::test]
async fn what_is_scheduled_is_moved_and_canceled() {
    let app = TestApp::with_lines(2).await;
    app.signed_in("ada@fleet.example", &["operator"], "*").await;
    app.signed_in("vic@fleet.example", &["viewer"], "*").await;
    let scheduled = json!({
        "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1), iccid(2)], "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "EffectiveDate": "2026-12-24"},
    });
    assert_eq!(app.orderer().await.post("/M2M/BulkChange", &scheduled).await.status, 202);
    app.operator.run_until_idle().await;
    let entries = app.admin().await.read("/api/v1/plan-queue").await;
    let ids: Vec<String> = entries["items"].as_array().expect("a list").iter().map(|entry| entry["id"].to_string()).collect();

    let mut ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let page = ada.page("/m2m/plan-queue").await;
    assert!(page.contains(&iccid(1)) && page.contains(&iccid(2)) && page.contains("value=\"2026-12-24\""), "{page}");
    assert!(!ada.page("/lnp/plan-queue").await.contains(&iccid(1)), "it is another portal's");
    let moved =
        ada.send_from("/m2m/plan-queue", &format!("/m2m/plan-queue/{}/move", ids[0]), &[("effective_date", "2027-01-31")]).await;
    assert_eq!((moved.status, moved.header("location")), (303, "/m2m/plan-queue"), "{}", moved.text());
    assert!(ada.page("/m2m/plan-queue").await.contains("value=\"2027-01-31\""));
    for wrong in ["", "31.01.2027"] {
        let refused =
            ada.send_from("/m2m/plan-queue", &format!("/m2m/plan-queue/{}/move", ids[0]), &[("effective_date", wrong)]).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
    }
    let canceled = ada.send_from("/m2m/plan-queue", &format!("/m2m/plan-queue/{}/cancel", ids[1]), &[]).await;
    assert_eq!(canceled.status, 303);
    assert!(!ada.page("/m2m/plan-queue").await.contains(&iccid(2)), "open ones alone are shown");

    let mut vic = Browser::signed_in(&app, "vic@fleet.example").await;
    assert!(!vic.page("/m2m/plan-queue").await.contains("/cancel\""), "what one may not do is not offered");
    assert_eq!(vic.send_from("/m2m/plan-queue", &format!("/m2m/plan-queue/{}/cancel", ids[0]), &[]).await.status, 403);
}
