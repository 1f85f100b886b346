//! Forms of people who were signed out, or are signed in otherwise, while they filled them in: nothing is done, and nothing typed is lost.

use chrono::TimeDelta;
use lineshift_engine::Clock as _;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::{Answer, send};
use lineshift_testkit::operator::iccid;
use lineshift_testkit::people::PASSWORD;
use reqwest::Method;
use serde_json::json;

use crate::browser::{Browser, token_of, written};
use crate::desk::{Desk, form_of, made};

const ADA: &str = "ada@fleet.example";

/// Presses *Send again* on the page that keeps a form.
async fn send_again(browser: &mut Browser, page: &Answer) -> Answer {
    let (path, fields) = form_of(&page.text(), " kept");
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.send_form(&path, &fields).await
}

/// Signs in, as in another tab of the same browser.
async fn sign_in(browser: &mut Browser, email: &str) {
    let answer = browser.send_form("/sign-in", &[("email", email), ("password", PASSWORD)]).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
}

/// An hour passes and more: whoever did nothing meanwhile is signed out.
fn lunch(app: &TestApp) {
    app.operator.clock.advance(TimeDelta::hours(2));
}

#[tokio::test]
async fn what_was_typed_before_a_sign_in_ended_is_sent_again_after_another() {
    let app = TestApp::with_lines(2).await;
    let mut ada = Desk::of(&app, ADA, &["operator"]).await;
    ada.choose([1, 2]).await;
    let token = token_of(&ada.browser.page("/m2m/order/assign").await);
    lunch(&app);
    let fields = [("csrf_token", &*token), ("customer", "rentals"), ("Name", "Say \"hello\"\r\nto <all>"), ("Reason", " ")];
    let out = ada.browser.send_form("/m2m/order/assign", &fields).await;
    let page = out.text();
    assert_eq!((out.status, out.header("content-type")), (401, "text/html; charset=utf-8"), "{page}");
    assert!(page.contains("You were signed out") && page.contains("target=\"_blank\">Sign in in a new tab"), "{page}");
    assert!(page.contains("name=\"customer\" value=\"rentals\"") && page.contains("Send again"), "{page}");
    let still_out = send_again(&mut ada.browser, &out).await;
    assert_eq!(still_out.status, 401, "pressed too early it is kept as it was: {}", still_out.text());

    sign_in(&mut ada.browser, ADA).await;
    let asked = send_again(&mut ada.browser, &still_out).await;
    assert_eq!(asked.status, 403);
    assert!(asked.text().contains("You signed in anew") && asked.text().contains("Nothing was done yet"), "{}", asked.text());
    let preview = send_again(&mut ada.browser, &asked).await;
    assert_eq!(preview.status, 200, "{}", preview.text());
    assert!(preview.text().contains("Assign 2 lines to Fleet Rentals"), "{}", preview.text());
    assert!(preview.text().contains("value=\"Say &#34;hello&#34;"), "{}", preview.text());

    // The same for the order itself: it is placed once, and as it was seen.
    let (path, kept) = form_of(&preview.text(), "/confirm");
    sign_in(&mut ada.browser, ADA).await;
    let kept: Vec<(&str, &str)> = kept.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let asked = ada.browser.send_form(&path, &kept).await;
    assert_eq!((asked.status, ada.changes().await), (403, 0), "a form with the token of a session before does nothing");
    let (first, again) = (send_again(&mut ada.browser, &asked).await, send_again(&mut ada.browser, &asked).await);
    assert_eq!((made(&first), ada.changes().await), (made(&again), 1));
}

#[tokio::test]
async fn pasted_text_and_other_forms_outlive_a_sign_in_alike() {
    let app = TestApp::with_lines(3).await;
    let mut ada = Desk::of(&app, ADA, &["administrator"]).await;
    let token = token_of(&ada.browser.page("/m2m/selection/paste").await);
    lunch(&app);
    let text = format!("{}\r\n{}", iccid(1), iccid(2));
    let paste = ada.browser.send_form("/m2m/selection/paste", &[("csrf_token", &token), ("text", &text)]).await;
    let roles = [("csrf_token", &*token), ("name", "desk"), ("scopes", "m2m:view"), ("scopes", "lnp:view")];
    let role = ada.browser.send_form("/admin/roles", &roles).await;
    sign_in(&mut ada.browser, ADA).await;
    for (page, status) in [(paste, 200), (role, 303)] {
        let asked = send_again(&mut ada.browser, &page).await;
        assert_eq!(asked.status, 403, "{}", asked.text());
        let done = send_again(&mut ada.browser, &asked).await;
        assert_eq!(done.status, status, "{}", done.text());
    }
    assert_eq!(ada.chosen().await, 2);
    let stored = app.admin().await.read("/api/v1/roles").await;
    let desk = stored["items"].as_array().expect("roles").iter().find(|role| role["name"] == "desk").expect("made");
    assert_eq!(desk["scopes"], json!(["m2m:view", "lnp:view"]));
}

#[tokio::test]
async fn a_form_of_somebody_else_or_of_another_tenant_is_not_sent() {
    let app = TestApp::with_lines(1).await;
    app.signed_in(ADA, &["administrator"], "*").await;
    app.signed_in("eve@fleet.example", &["administrator"], "*").await;
    let (store, now) = (&app.operator.store, app.operator.clock.now());
    let other = store.create_tenant("Other <b>", chrono_tz::UTC, now).await.expect("a tenant");
    let ada = store.find_user_by_email(ADA).await.expect("looked for").expect("there");
    app.operator.member(other, ada.id, &["administrator"], "*").await;
    let mut browser = Browser::signed_in(&app, ADA).await;
    let token = token_of(&browser.page("/admin/sites/new").await);
    let fields = [("csrf_token", &*token), ("name", "Secret Works")];

    sign_in(&mut browser, "eve@fleet.example").await;
    let answer = browser.send_form("/admin/sites", &fields).await;
    let page = answer.text();
    assert_eq!(answer.status, 403);
    assert!(page.contains("Somebody else is signed in") && page.contains("eve@fleet.example"), "{page}");
    assert!(!page.contains("Secret Works") && !page.contains("Send again"), "nothing of it is shown to others: {page}");
    assert!(page.contains("href=\"/admin/sites/new\""), "{page}");

    sign_in(&mut browser, ADA).await;
    let there = browser.send_from("/tenants", "/tenant", &[("tenant_id", &other.to_string())]).await;
    assert_eq!(there.status, 303, "{}", there.text());
    let answer = browser.send_form("/admin/sites", &fields).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("You work in Other &#60;b&#62; now"), "{}", answer.text());
    let again = send_again(&mut browser, &answer).await;
    assert!(again.status == 403 && again.text().contains("You are in another tenant"), "{}", again.text());
    let back = app.operator.tenant().to_string();
    assert_eq!(browser.send_from("/tenants", "/tenant", &[("tenant_id", &back)]).await.status, 303);
    let asked = send_again(&mut browser, &again).await;
    assert!(asked.text().contains("You signed in anew"), "{}", asked.text());
    assert_eq!(send_again(&mut browser, &asked).await.status, 303);
    let sites = app.admin().await.read("/api/v1/sites").await;
    assert!(sites["items"].as_array().expect("sites").iter().any(|site| site["name"] == "Secret Works"));
    // Leaving means the same everywhere.
    let left = browser.send_form("/sign-out", &[("csrf_token", &token)]).await;
    assert_eq!(send_again(&mut browser, &left).await.header("location"), "/sign-in");
}

#[tokio::test]
async fn secrets_long_texts_and_files_are_kept_on_no_page() {
    let app = TestApp::with_lines(1).await;
    app.signed_in(ADA, &["administrator"], "*").await;
    let mut browser = Browser::signed_in(&app, ADA).await;
    let token = token_of(&browser.page("/account").await);
    let long = format!("{}{}", iccid(1), " ".repeat(5 << 20));
    for out in [false, true] {
        sign_in(&mut browser, ADA).await;
        if out {
            lunch(&app);
        }
        let status = if out { 401 } else { 403 };
        for (path, name, value, page, says) in [
            ("/account/password", "password", "top-secret", "/account", "never shown again"),
            ("/admin/integrations/1/account", "credentials.user", "top-secret", "/admin/integrations/1", "never shown again"),
            ("/m2m/selection/paste", "text", &*long, "/m2m/selection/paste", "too long to be kept"),
        ] {
            let answer = browser.send_form(path, &[("csrf_token", &token), (name, value)]).await;
            let text = answer.text();
            assert_eq!(answer.status, status, "{path}: {text}");
            assert!(text.contains(says) && text.contains(&format!("href=\"{page}\"")), "{path}: {text}");
            assert!(!text.contains("top-secret") && !text.contains("Send again") && text.len() < 10_000, "{path}: {text}");
        }
    }
    let part =
        format!("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{}\r\n--x--\r\n", iccid(1));
    let request = browser.caller.request(Method::POST, "/m2m/selection/upload").header("cookie", &browser.cookie);
    let answer = send(request.header("content-type", "multipart/form-data; boundary=x").body(part)).await;
    assert_eq!(answer.status, 401);
    assert!(answer.text().contains("Files are not kept") && answer.text().contains("href=\"/m2m/selection/upload\""));
}

#[tokio::test]
async fn another_site_gets_no_form_kept_and_none_done() {
    let app = TestApp::with_lines(1).await;
    app.signed_in(ADA, &["administrator"], "*").await;
    let mut browser = Browser::signed_in(&app, ADA).await;
    let old = token_of(&browser.page("/").await);
    sign_in(&mut browser, ADA).await;
    let made_for = old.split_once('.').expect("for whom it was made").1.to_owned();
    for token in [old.clone(), format!("x.{made_for}"), format!(".{made_for}")] {
        let body = written(&[("csrf_token", &token), ("name", "Forged")]);
        for (from, is_kept) in [(Some("https://evil.example"), false), (None, false), (Some(&*app.url), true)] {
            let request = browser.caller.request(Method::POST, "/admin/sites").header("cookie", &browser.cookie);
            let request = from.into_iter().fold(request, |request, from| request.header("origin", from));
            let answer = send(request.header("content-type", "application/x-www-form-urlencoded").body(body.clone())).await;
            assert_eq!(answer.status, 403, "{from:?}: {}", answer.text());
            assert_eq!(answer.text().contains("Forged"), is_kept, "{from:?}: {}", answer.text());
            assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"));
        }
    }
    let sites = app.admin().await.read("/api/v1/sites").await;
    assert!(sites["items"].as_array().expect("sites").iter().all(|site| site["name"] != "Forged"), "{sites}");
}

/// A second click finds what the first one did, and says no more than the first.
#[tokio::test]
async fn what_is_so_already_is_no_refusal() {
    let app = TestApp::with_lines(4).await;
    app.signed_in(ADA, &["administrator"], "*").await;
    let mut ada = Browser::signed_in(&app, ADA).await;
    let orderer = app.orderer().await;
    let mut held = Vec::new();
    for line in [1, 2] {
        let body = json!({
            "ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(line)], "SiteId": app.operator.amop_site.0,
            "ProcessChanges": false,
        });
        let answer = orderer.post("/M2M/AssociateCustomer", &body).await;
        held.push(format!("/m2m/bulk-changes/{}", answer.json()["BulkChangeId"]));
    }
    for (address, act) in [(&held[0], "start"), (&held[1], "cancel")] {
        for _ in 0..2 {
            let answer = ada.send_from(address, &format!("{address}/{act}"), &[]).await;
            assert_eq!((answer.status, answer.header("location")), (303, address.as_str()), "{act}: {}", answer.text());
        }
    }
    let canceled = ada.send_from(&held[1], &format!("{}/start", held[1]), &[]).await;
    assert_eq!(canceled.status, 409, "that is not so: {}", canceled.text());
    app.operator.run_until_idle().await;
    let done = ada.send_from(&held[0], &format!("{}/cancel", held[0]), &[]).await;
    assert_eq!(done.status, 409, "it was not canceled: {}", done.text());
}
