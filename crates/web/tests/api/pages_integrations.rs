//! The pages of integrations, of what was synchronised, of what carriers offer, and of the audit log.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::billing::{BillingWorld, CLIENT_CODE, PASSWORD, USER};
use lineshift_testkit::simulated::ADDRESS;
use serde_json::json;

use crate::browser::Browser;
use crate::pages_admin::{named, staffed, written_down};

const PAGE: &str = "/admin/integrations/1";
const SET: &str = "/admin/integrations/1/account";

async fn billing() -> (TestApp, Browser) {
    let (app, _) = TestApp::billing(BillingWorld::with_lines(0).await).await;
    app.signed_in("ada@fleet.example", &["administrator"], "*").await;
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    (app, ada)
}

fn account(password: &str) -> Vec<(&'static str, String)> {
    let fields = [
        ("base_address", ADDRESS),
        ("write_enabled", "true"),
        ("calls_a_minute", "600"),
        ("credentials.user", USER),
        ("credentials.client_code", CLIENT_CODE),
        ("credentials.password", password),
    ];
    fields.map(|(name, value)| (name, value.to_owned())).to_vec()
}

async fn set(browser: &mut Browser, fields: &[(&str, String)]) -> lineshift_testkit::http::Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.send_from(PAGE, SET, &fields).await
}

#[tokio::test]
async fn an_account_is_set_tested_and_shows_what_is_left_and_never_a_secret() {
    let (app, mut ada) = billing().await;
    let answer = set(&mut ada, &account(PASSWORD)).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/admin/integrations/1?saved"), "{}", answer.text());
    assert_eq!(
        written_down(&app, "POST /admin/integrations/{id}/account").await["body_sha256"],
        json!(null),
        "nobody tries passwords against its hash"
    );
    let page = ada.page(PAGE).await;
    assert!(page.contains("set; they are never shown") && page.contains(CLIENT_CODE) && !page.contains(PASSWORD), "{page}");
    assert!(page.contains("600"), "{page}");

    let tested = ada.send_from(PAGE, "/admin/integrations/1/test", &[]).await;
    assert_eq!(tested.status, 200);
    assert!(tested.text().contains("The connection works.") && tested.text().contains(">599<"), "{}", tested.text());

    // Whoever saves it without credentials keeps them; limits that were emptied are the server's.
    let kept = [("base_address", ADDRESS.to_owned())];
    assert_eq!(set(&mut ada, &kept).await.status, 303);
    let account = app.admin().await.read("/api/v1/integrations/1/account").await;
    assert_eq!(
        (&account["has_credentials"], &account["write_enabled"], &account["calls_a_minute"]),
        (&json!(true), &json!(false), &json!(null))
    );

    let elsewhere =
        set(&mut ada, &[("base_address", "https://elsewhere.example/v1".to_owned()), ("concurrency", "x".to_owned())]).await;
    assert_eq!(elsewhere.status, 422);
    let page = elsewhere.text();
    assert!(
        page.contains("only with credentials that are given with it") && page.contains("whole number from 1 to 1024"),
        "{page}"
    );
    assert!(page.contains("value=\"https://elsewhere.example/v1\"") && page.contains("value=\"x\""), "what was typed stays");
    let wrong = set(&mut ada, &self::account("s3cr3t\u{7}x")).await;
    assert_eq!(wrong.status, 422);
    assert!(!wrong.text().contains("s3cr3t") && wrong.text().contains("without control characters"), "{}", wrong.text());

    assert_eq!(set(&mut ada, &self::account("not the password")).await.status, 303);
    let failed = ada.send_from(PAGE, "/admin/integrations/1/test", &[]).await.text();
    assert!(failed.contains("The connection does not work.") && failed.contains("credentials_refused"), "{failed}");
    assert!(ada.page(PAGE).await.contains("Its credentials are refused since"), "accounts in trouble say so");
}

#[tokio::test]
async fn an_integration_is_made_renamed_and_synchronised() {
    let (app, mut ada) = billing().await;
    assert_eq!(set(&mut ada, &account(PASSWORD)).await.status, 303);
    let fields = [("name", "Second"), ("integration_kind", "Telegence"), ("is_active", "true")];
    let made = ada.send_from("/admin/integrations/new", "/admin/integrations", &fields).await;
    assert_eq!(made.status, 303, "{}", made.text());
    let second = format!("/admin/integrations/{}", named(&app, "integration-authentications", "Second").await["id"]);
    let page = ada.page(&second).await;
    assert!(page.contains("this version calls") && !page.contains("Test connection"), "{page}");
    let renamed = [("name", "Third"), ("integration_kind", "Telegence")];
    assert_eq!(ada.send_from(&second, &second, &renamed).await.status, 303);
    assert!(ada.page("/admin/integrations").await.contains("Third"));

    let begun = ada.send_from(PAGE, "/admin/integrations/1/sync", &[("what", "customers"), ("full", "true")]).await;
    assert_eq!(begun.status, 303, "{}", begun.text());
    let run = begun.header("location").to_owned();
    assert_eq!(
        format!("/admin/{}", written_down(&app, "POST /admin/integrations/{id}/sync").await["made"].as_str().expect("a run")),
        run
    );
    let page = ada.page(&run).await;
    assert!(page.contains("running") && page.contains("customers") && page.contains("Nothing of that kind."), "{page}");
    assert_eq!(ada.open(&format!("{run}?kind=nonsense")).await.status, 422);
    let twice = ada.send_from(PAGE, "/admin/integrations/1/sync", &[]).await;
    assert_eq!(twice.status, 409, "{}", twice.text());
    assert!(ada.page("/admin/sync-runs").await.contains(&run));
}

#[tokio::test]
async fn carrier_rate_plans_are_shown_by_service_provider() {
    use lineshift_store::catalogue::CarrierRatePlan;
    let (app, ada, _, _) = staffed().await;
    let plan = CarrierRatePlan { code: "GOLD-1".to_owned(), name: "Gold".to_owned(), is_active: true };
    let (tenant, provider) = (app.operator.tenant(), app.operator.jasper);
    app.operator.store.upsert_carrier_rate_plans(tenant, provider, &[plan]).await.expect("stored");
    let page = ada.page(&format!("/admin/carrier-rate-plans?service_provider_id={provider}")).await;
    assert!(page.contains("GOLD-1"), "{page}");
    assert_eq!(ada.open("/admin/carrier-rate-plans?service_provider_id=999").await.status, 404);
}

#[tokio::test]
async fn the_audit_log_is_sought_and_downloaded() {
    let (app, mut ada, olga, _) = staffed().await;
    let now = lineshift_engine::Clock::now(&*app.operator.clock);
    assert_eq!(ada.send_from("/admin/roles/new", "/admin/roles", &[("name", "desk"), ("scopes", "m2m:view")]).await.status, 303);
    app.operator.clock.advance(chrono::TimeDelta::minutes(2));
    assert_eq!(ada.send_from("/admin/roles/new", "/admin/roles", &[("name", "desk"), ("scopes", "m2m:view")]).await.status, 409);
    let page = ada.page("/admin/audit?action=POST+%2Fadmin%2Froles").await;
    assert_eq!(page.matches("<td>POST /admin/roles</td>").count(), 2, "{page}");
    assert!(page.contains("ada@fleet.example") && page.contains("value=\"POST /admin/roles\""));
    let zone = app.admin().await.read("/api/v1/me").await["tenant"]["time_zone"].as_str().expect("a zone").to_owned();
    let zone: chrono_tz::Tz = zone.parse().expect("a zone");
    let later = (now + chrono::TimeDelta::minutes(1)).with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S").to_string();
    let address = format!("/admin/audit?action=POST+%2Fadmin%2Froles&from={}", later.replace(':', "%3A"));
    let page = ada.page(&address).await;
    assert_eq!(page.matches("<td>POST /admin/roles</td>").count(), 1, "moments are those of the tenant's zone");
    let export = page.split("href=\"/api/v1/audit/export").nth(1).and_then(|rest| rest.split('"').next()).expect("a link");
    let export = ada.open(&format!("/api/v1/audit/export{}", export.replace("&amp;", "&").replace("&#38;", "&"))).await;
    assert_eq!((export.status, export.header("content-type")), (200, "text/csv; charset=utf-8; header=present"));
    assert_eq!(export.text().lines().count(), 2, "{}", export.text());
    let wrong = ada.open("/admin/audit?from=yesterday&principal_id=x").await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("principal_id") && wrong.text().contains("from:"), "all problems at once: {}", wrong.text());
    assert!(olga.page("/admin/audit").await.contains("POST /admin/roles"), "who may look at Admin, and at all lines, looks");
}

#[tokio::test]
async fn the_overview_counts_and_leads_on() {
    let (_app, ada, _, _) = staffed().await;
    let page = ada.page("/admin").await;
    for place in ["users", "roles", "api-keys", "integrations", "service-providers", "customers", "audit", "settings"] {
        assert!(page.contains(&format!("<a href=\"/admin/{place}\">")), "{place}: {page}");
    }
    let settings = ada.page("/admin/settings").await;
    assert!(settings.contains("Time zone") && settings.contains("devices_per_change"), "{settings}");
}
