//! Synchronisation over HTTP: begun once, shown, and its findings by the page and as CSV.

use lineshift_domain::ids::{DeviceId, IntegrationAuthenticationId, RevCustomerId, SyncRunId};
use lineshift_domain::sync::SyncPhase;
use lineshift_domain::terms::IntegrationKind;
use lineshift_engine::Clock as _;
use lineshift_store::billing::AccountSettings;
use lineshift_store::catalogue::{IntegrationAuthentication, ServiceProvider};
use lineshift_store::sync::{SyncBatch, SyncPlace, SyncedCustomer, UsedLine};
use lineshift_testkit::app::TestApp;
use serde_json::json;

/// An operator whose billing account has an address and credentials.
async fn app() -> TestApp {
    let app = TestApp::with_lines(1).await;
    let settings = AccountSettings {
        base_address: "https://revio.example/v1".to_owned(),
        secret_encrypted: Some(b"sealed".to_vec()),
        is_local: false,
        write_enabled: true,
        concurrency: None,
        calls_a_minute: None,
        calls_a_day: None,
    };
    let (store, id) = (&app.operator.store, app.operator.authentication);
    store.set_account(app.operator.tenant(), id, &settings, app.operator.clock.now()).await.expect("the account is set");
    app
}

/// Ends a run that met those customers.
async fn end(app: &TestApp, id: i64, names: &[&str]) {
    let (store, tenant, now) = (&app.operator.store, app.operator.tenant(), app.operator.clock.now());
    let until = now + chrono::TimeDelta::seconds(30);
    let claim = store.claim_sync_run(tenant, SyncRunId(id), until, now).await.expect("a store").expect("nobody holds it");
    let customer = |(id, name): (i64, &&str)| SyncedCustomer {
        id: RevCustomerId(id),
        name: (*name).to_owned(),
        is_closed: false,
        updated_at: None,
    };
    let customers = (1..).zip(names).map(customer).collect();
    let batch = SyncBatch { customers, ..SyncBatch::default() };
    store.record_sync(&claim, &batch, SyncPlace::beginning(SyncPhase::Finished), now).await.expect("recorded");
}

#[tokio::test]
async fn a_run_is_begun_once_and_shown() {
    let app = app().await;
    let admin = app.admin().await;
    let begun = admin.post("/api/v1/integrations/1/sync", &json!({"what": ["customers"], "full": true})).await;
    assert_eq!(begun.status, 202, "{}", begun.text());
    let location = begun.headers.get("location").and_then(|value| value.to_str().ok()).expect("a location").to_owned();
    let run = admin.read(&location).await;
    assert_eq!((&run["state"], &run["what"], &run["full"]), (&json!("running"), &json!(["customers"]), &json!(true)));
    assert_eq!((&run["ordered_by"], &run["phase"], &run["since"]), (&json!("admin"), &json!("customers"), &json!(null)));
    let second = admin.post_empty("/api/v1/integrations/1/sync").await;
    assert_eq!(second.status, 409, "{}", second.text());
    assert!(second.text().contains("sync_running"), "{}", second.text());

    end(&app, run["id"].as_i64().expect("an id"), &["Acme"]).await;
    let second = admin.post_empty("/api/v1/integrations/1/sync").await;
    assert_eq!(second.status, 202);
    let runs = admin.read("/api/v1/sync-runs?limit=1").await;
    assert_eq!((&runs["items"][0]["what"], &runs["items"][0]["state"]), (&json!(["customers", "services"]), &json!("running")));
    let next = runs["next"].as_str().expect("there is more");
    let first = admin.read(&format!("/api/v1/sync-runs?limit=1&before={next}")).await;
    assert_eq!((&first["items"][0]["state"], &first["next"]), (&json!("done"), &json!(null)));
}

#[tokio::test]
async fn findings_come_by_the_page_and_as_csv() {
    let app = app().await;
    let admin = app.admin().await;
    let run = admin.post_empty("/api/v1/integrations/1/sync").await.json();
    let id = run["id"].as_i64().expect("an id");
    end(&app, id, &["Acme", "=Bolt", "Cargo"]).await;
    let path = format!("/api/v1/sync-runs/{id}/findings");
    let page = admin.read(&format!("{path}?kind=new&limit=2")).await;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(2));
    assert_eq!((&page["items"][0]["subject"], &page["items"][0]["there"]), (&json!("customer"), &json!("Acme")));
    let rest = admin.read(&format!("{path}?kind=new&limit=2&after={}", page["next"].as_str().expect("there is more"))).await;
    assert_eq!((&rest["items"][0]["subject_id"], &rest["next"]), (&json!(3), &json!(null)));
    assert_eq!(admin.read(&format!("{path}?kind=gone")).await["items"], json!([]));
    let csv = admin.get(&format!("{path}?format=csv")).await;
    let text = csv.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "kind,subject,subject_id,rev_customer_id,rev_service_id,device_id,line,here,there,at");
    assert_eq!(lines[2], "new,customer,2,2,,,,,'=Bolt,2026-12-01T09:00:00Z");
    assert_eq!(lines.len(), 4);
    assert_eq!(admin.get(&format!("{path}?kind=lost")).await.status, 422);
    assert_eq!(admin.get(&format!("{path}?format=xml")).await.status, 422);
}

#[tokio::test]
async fn a_carrier_is_read_for_its_service_provider() {
    let app = TestApp::with_lines(2).await;
    let (store, tenant, now) = (&app.operator.store, app.operator.tenant(), app.operator.clock.now());
    let account = IntegrationAuthentication {
        id: IntegrationAuthenticationId(0),
        name: "Jasper".to_owned(),
        integration_kind: IntegrationKind::JASPER,
        is_active: true,
    };
    let account = store.create_integration_authentication(tenant, &account, now).await.expect("an account");
    let settings = AccountSettings {
        base_address: "https://jasper.example".to_owned(),
        secret_encrypted: Some(b"sealed".to_vec()),
        is_local: false,
        write_enabled: true,
        concurrency: None,
        calls_a_minute: None,
        calls_a_day: None,
    };
    store.set_account(tenant, account, &settings, now).await.expect("set");
    let admin = app.admin().await;
    let path = format!("/api/v1/integrations/{account}/sync");
    let nobody = admin.post_empty(&path).await;
    assert!(nobody.status == 422 && nobody.text().contains("no_service_provider"), "{}", nobody.text());
    let provider = store.get_service_provider(tenant, app.operator.jasper).await.expect("there");
    let provider = ServiceProvider { integration_authentication_id: Some(account), ..provider };
    store.update_service_provider(tenant, &provider, now).await.expect("updated");
    let wrong = admin.post(&path, &json!({"what": ["customers"]})).await;
    assert!(wrong.status == 422 && wrong.text().contains("not_of_this_integration"), "{}", wrong.text());
    let wrong = admin.post(&path, &json!({"what": ["devices"], "iccids": ["8901"]})).await;
    assert!(wrong.status == 422 && wrong.text().contains("not_with_what"), "{}", wrong.text());
    let body = json!({"full": true, "service_provider_id": provider.id.0});
    let run = admin.post(&path, &body).await.json();
    assert_eq!((&run["what"], &run["phase"]), (&json!(["carrier_plans", "devices"]), &json!("carrier_plans")), "{run}");
    assert_eq!((&run["service_provider_id"], &run["changed_since"]), (&json!(provider.id.0), &json!(null)));
    assert_eq!((&run["counts"]["used"], &run["usage_lines"]), (&json!(0), &json!(0)));

    let id = run["id"].as_i64().expect("an id");
    let line = admin.read("/api/v1/devices?limit=1").await["items"][0]["id"].as_i64().expect("an id");
    let usage = format!("/api/v1/devices/{line}/usage");
    assert_eq!(admin.get(&usage).await.status, 404, "nobody asked yet");
    let claim = store.claim_sync_run(tenant, SyncRunId(id), now + chrono::TimeDelta::seconds(30), now).await;
    let claim = claim.expect("a store").expect("nobody holds it");
    let used = UsedLine { device_id: DeviceId(line), data_bytes: 5_000, sms_count: None, voice_seconds: Some(60) };
    let batch = SyncBatch { usage: vec![used], ..SyncBatch::default() };
    store.record_sync(&claim, &batch, SyncPlace::beginning(SyncPhase::Finished), now).await.expect("recorded");
    let shown = admin.read(&usage).await;
    assert_eq!((&shown["data_bytes"], &shown["sms_count"], &shown["voice_seconds"]), (&json!(5_000), &json!(null), &json!(60)));
    assert_eq!(admin.read(&format!("/api/v1/sync-runs/{id}")).await["counts"]["used"], json!(1));
}

#[tokio::test]
async fn what_cannot_be_synchronised_is_refused() {
    let app = TestApp::with_lines(1).await;
    let admin = app.admin().await;
    let missing = admin.post_empty("/api/v1/integrations/1/sync").await;
    assert_eq!(missing.status, 422);
    assert!(missing.text().contains("credentials_missing"), "{}", missing.text());
    assert_eq!(admin.post_empty("/api/v1/integrations/99/sync").await.status, 404);
    let wrong = admin.post("/api/v1/integrations/1/sync", &json!({"what": ["everything"], "all": true})).await;
    assert_eq!(wrong.status, 422);
    let text = wrong.text();
    assert!(text.contains("what[0]") && text.contains("unknown_field"), "{text}");
    let viewer = app.viewer().await;
    assert_eq!(viewer.post_empty("/api/v1/integrations/1/sync").await.status, 403);
    assert_eq!(viewer.get("/api/v1/sync-runs").await.status, 200);
    assert_eq!(app.orderer().await.get("/api/v1/sync-runs").await.status, 403);
}
