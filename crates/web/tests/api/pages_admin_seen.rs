//! Two people at one form of Admin: neither overwrites what the other has saved without knowing it.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::Answer;
use lineshift_testkit::simulated::ADDRESS;
use serde_json::json;

use crate::browser::Browser;
use crate::desk::form_of;
use crate::pages_admin::{named, staffed};

/// Saves the form of a page as it was opened, with some fields typed anew.
async fn save(browser: &mut Browser, opened: &str, address: &str, typed: &[(&str, &str)]) -> Answer {
    let (path, hidden) = form_of(opened, address);
    assert!(hidden.iter().any(|(name, _)| name == "seen"), "a page says what its form was filled from: {opened}");
    let fields: Vec<(&str, &str)> =
        hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(typed.iter().copied()).collect();
    browser.send_form(&path, &fields).await
}

#[tokio::test]
async fn what_somebody_else_saved_meanwhile_is_shown_and_overwritten_only_knowingly() {
    let (app, mut ada, _, _) = staffed().await;
    let site = app.operator.amop_site.0;
    let (address, stored) = (format!("/admin/sites/{site}"), format!("/api/v1/sites/{site}"));
    let opened = ada.page(&address).await;
    let others = json!({"name": "Corner <Works>", "is_active": false});
    assert_eq!(app.admin().await.patch(&stored, &others).await.status, 200);

    let refused = save(&mut ada, &opened, &address, &[("name", "Corner Shop East"), ("is_active", "true")]).await;
    let page = refused.text();
    assert_eq!(refused.status, 409, "{page}");
    assert!(page.contains("Somebody else has changed this") && page.contains("Nothing was saved"), "{page}");
    assert!(page.contains("stored now: Corner &#60;Works&#62;") && page.contains("stored now: no"), "{page}");
    assert!(page.contains("value=\"Corner Shop East\"") && page.contains("Save all the same"), "what was typed stays: {page}");
    assert_eq!(app.admin().await.read(&stored).await["name"], "Corner <Works>");

    let knowingly = save(&mut ada, &page, &address, &[("name", "Corner Shop East"), ("is_active", "true")]).await;
    assert_eq!((knowingly.status, knowingly.header("location")), (303, format!("{address}?saved").as_str()));
    assert_eq!(app.admin().await.read(&stored).await["name"], "Corner Shop East");
}

#[tokio::test]
async fn a_form_that_was_put_right_is_held_against_what_was_seen_at_first() {
    let (app, mut ada, _, _) = staffed().await;
    let plan = format!("customer-rate-plans/{}", app.operator.plan);
    let address = format!("/admin/{plan}");
    let opened = ada.page(&address).await;
    let wrong = save(&mut ada, &opened, &address, &[("name", "Half"), ("monthly_price", "cheap")]).await;
    assert_eq!(wrong.status, 422);
    let others = json!({"monthly_price": "77.70"});
    assert_eq!(app.admin().await.patch(&format!("/api/v1/{plan}"), &others).await.status, 200);
    let refused = save(&mut ada, &wrong.text(), &address, &[("name", "Half"), ("monthly_price", "5.00")]).await;
    assert!(refused.status == 409 && refused.text().contains("stored now: 77.7"), "{}", refused.text());
}

#[tokio::test]
async fn users_roles_and_accounts_are_kept_from_each_other_alike() {
    let (app, mut ada, _, _) = staffed().await;
    let admin = app.admin().await;
    let vic = named(&app, "users", "vic@fleet.example").await["id"].to_string();
    let operator = named(&app, "roles", "operator").await["id"].as_i64().expect("an id");
    let made = ada.send_from("/admin/roles/new", "/admin/roles", &[("name", "desk"), ("scopes", "m2m:view")]).await;
    assert_eq!(made.status, 303);
    let desk = named(&app, "roles", "desk").await["id"].to_string();

    let (user, role) = (format!("/admin/users/{vic}"), format!("/admin/roles/{desk}"));
    let opened = [ada.page(&user).await, ada.page(&role).await, ada.page("/admin/integrations/1").await];
    let others = [
        admin.patch(&format!("/api/v1/users/{vic}"), &json!({"roles": [operator]})).await.status,
        admin.patch(&format!("/api/v1/roles/{desk}"), &json!({"scopes": ["lnp:view"]})).await.status,
        admin.patch("/api/v1/integration-authentications/1", &json!({"name": "Renamed"})).await.status,
    ];
    assert_eq!(others, [200; 3]);
    let [of_user, of_role, of_integration] = &opened;
    for (opened, address, typed, says) in [
        (of_user, &*user, [("reach", "*"), ("is_active", "true")], "stored now: operator"),
        (of_role, &*role, [("name", "desk"), ("scopes", "m2m:edit")], "stored now: lnp:view"),
        (of_integration, "/admin/integrations/1", [("name", "Mine"), ("is_active", "true")], "stored now: Renamed"),
    ] {
        let refused = save(&mut ada, opened, address, &typed).await;
        assert_eq!(refused.status, 409, "{address}: {}", refused.text());
        assert!(refused.text().contains(says), "{address}: {}", refused.text());
        let knowingly = save(&mut ada, &refused.text(), address, &typed).await;
        assert_ne!(knowingly.status, 409, "{address}: {}", knowingly.text());
    }
}

#[tokio::test]
async fn how_an_integration_is_called_is_not_overwritten_unseen() {
    let world = lineshift_testkit::billing::BillingWorld::with_lines(0).await;
    let (app, _) = TestApp::billing(world).await;
    app.signed_in("ada@fleet.example", &["administrator"], "*").await;
    let mut ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let (page, set) = ("/admin/integrations/1", "/admin/integrations/1/account");
    let opened = ada.page(page).await;
    let first = save(&mut ada, &opened, set, &[("base_address", ADDRESS), ("calls_a_minute", "600")]).await;
    assert_eq!(first.status, 303, "{}", first.text());
    let typed = [("base_address", ADDRESS), ("calls_a_minute", "30"), ("credentials.user", "somebody")];
    let second = save(&mut ada, &opened, set, &typed).await;
    let text = second.text();
    assert_eq!(second.status, 409, "{text}");
    assert!(text.contains("stored now: 600") && text.contains("give it again"), "{text}");
    assert!(!text.contains("somebody"), "credentials are never shown again: {text}");
}
