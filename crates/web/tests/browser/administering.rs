//! Users, roles, keys, integrations and reference data, made and changed by their forms.

use lineshift_testkit::billing::{CLIENT_CODE, PASSWORD, USER};
use lineshift_testkit::simulated::ADDRESS;

use crate::browser::{Browser, Manner};
use crate::world::{HOSTILE, World};

/// The forms that are sent for users.
pub(crate) const USERS: &[&str] = &[
    "/admin/users",
    "/admin/users/{id}",
    "/admin/users/{id}/invitation",
    "/admin/users/{id}/sessions/end",
    "/admin/users/{id}/identity/clear",
    "/admin/users/{id}/remove",
];

/// Those of roles and keys.
pub(crate) const ROLES_AND_KEYS: &[&str] =
    &["/admin/roles", "/admin/roles/{id}", "/admin/roles/{id}/delete", "/admin/api-keys", "/admin/api-keys/{id}/revoke"];

/// Those of one integration.
pub(crate) const INTEGRATIONS: &[&str] =
    &["/admin/integrations/{id}/account", "/admin/integrations/{id}/test", "/admin/integrations/{id}/sync"];

/// Those of what orders refer to.
pub(crate) const REFERENCE: &[&str] = &[
    "/admin/integrations",
    "/admin/integrations/{id}",
    "/admin/service-providers",
    "/admin/service-providers/{id}",
    "/admin/customers",
    "/admin/customers/{id}",
    "/admin/sites",
    "/admin/sites/{id}",
    "/admin/customer-rate-plans",
    "/admin/customer-rate-plans/{id}",
    "/admin/customer-rate-pools",
    "/admin/customer-rate-pools/{id}",
];

/// Fills the form that is sent to an address that ends so, and sends it.
async fn send(browser: &Browser, action: &str, fields: &[(&str, &str)]) {
    let form = format!("main form[action$='{action}']");
    for (name, value) in fields {
        browser.set(&form, name, value).await;
    }
    browser.leave_by(async || browser.click(&format!("{form} button")).await).await;
}

#[tokio::test]
async fn a_user_is_added_changed_invited_anew_signed_out_and_removed() {
    let world = World::with_lines(0).await;
    let ada = world.administrator(Manner::default()).await;
    ada.go("/admin/users").await;
    ada.press("Add").await;
    let role = ada.value_of("input[name=roles]").await;
    let fields = [("email", "bob@fleet.example"), ("display_name", HOSTILE), ("roles", role.as_str()), ("reach", "*")];
    send(&ada, "/admin/users", &fields).await;
    ada.find("input[value*='/invitation#']").await;
    ada.go("/admin/users").await;
    ada.says("table", HOSTILE).await;
    ada.press(HOSTILE).await;
    ada.says("h1", HOSTILE).await;
    let address = ada.place().await;
    ada.click("form.sheet button.main").await;
    ada.says("main", "Saved.").await;
    send(&ada, "/invitation", &[]).await;
    ada.find("input[value*='/invitation#']").await;
    ada.go(&address).await;
    send(&ada, "/remove", &[("sure", "yes")]).await;
    ada.comes_to("/admin/users").await;
    assert!(!ada.text("table").await.contains(HOSTILE));

    let vic = world.person("vic@fleet.example", &["viewer"], Manner::default()).await;
    let user = world.app.operator.store.find_user_by_email("vic@fleet.example").await.expect("looked for").expect("there");
    world.app.operator.store.set_identity(user.id, "https://provider.example", "vic").await.expect("linked");
    ada.go("/admin/users").await;
    ada.press("vic").await;
    ada.says("h1", "vic").await;
    send(&ada, "/sessions/end", &[("sure", "yes")]).await;
    ada.says("main", "Nowhere in this tenant.").await;
    vic.go("/").await;
    vic.comes_to("/sign-in").await;
    send(&ada, "/identity/clear", &[("sure", "yes")]).await;
    ada.comes_to("/admin/users/").await;
    assert_eq!(ada.count("#identity").await, 0, "it is gone");
    world.received(USERS).await;
}

#[tokio::test]
async fn roles_and_keys_are_made_and_come_to_their_end() {
    let world = World::with_lines(0).await;
    let ada = world.administrator(Manner::default()).await;
    ada.go("/admin/roles/new").await;
    send(&ada, "/admin/roles", &[("name", "desk"), ("scopes", "m2m:view")]).await;
    ada.says("main", "Saved.").await;
    let address = ada.place().await;
    send(&ada, address.trim_end_matches("?saved"), &[("name", "front desk"), ("scopes", "mobility:view")]).await;
    ada.says("main", "Saved.").await;
    ada.says("h1", "front desk").await;
    send(&ada, "/delete", &[("sure", "yes")]).await;
    ada.comes_to("/admin/roles").await;
    assert!(!ada.text("table").await.contains("front desk"));

    ada.go("/admin/api-keys/new").await;
    send(&ada, "/admin/api-keys", &[("name", "nightly"), ("scopes", "m2m:view")]).await;
    ada.find("input[value^='ls_']").await;
    ada.go("/admin/api-keys").await;
    ada.press("nightly").await;
    ada.comes_to("/admin/api-keys/").await;
    send(&ada, "/revoke", &[("sure", "yes")]).await;
    ada.says("main", "evoked").await;
    assert_eq!(ada.count("form[action$='/revoke']").await, 0);
    world.received(ROLES_AND_KEYS).await;
}

#[tokio::test]
async fn an_integration_is_set_up_tried_and_synchronised() {
    let world = World::billed().await;
    let ada = world.administrator(Manner::default()).await;
    ada.go("/admin/integrations/1").await;
    let fields = [
        ("base_address", ADDRESS),
        ("calls_a_minute", "600"),
        ("credentials.user", USER),
        ("credentials.client_code", CLIENT_CODE),
        ("credentials.password", PASSWORD),
    ];
    send(&ada, "/account", &fields).await;
    ada.says("main", "Saved.").await;
    send(&ada, "/test", &[]).await;
    ada.says("main", "The connection works.").await;
    assert!(!ada.text("main").await.contains(PASSWORD));
    send(&ada, "/sync", &[]).await;
    ada.comes_to("/admin/sync-runs/").await;
    world.received(INTEGRATIONS).await;
}

#[tokio::test]
async fn whatever_orders_refer_to_is_made_and_changed() {
    let world = World::billed().await;
    let ada = world.administrator(Manner::default()).await;
    let made: [(&str, &[(&str, &str)]); 6] = [
        ("integrations", &[("name", "Second"), ("integration_kind", "Jasper")]),
        ("service-providers", &[("name", "Second"), ("integration_kind", "Jasper")]),
        ("customers", &[("id", "900004711"), ("name", HOSTILE), ("integration_authentication_id", "1")]),
        ("sites", &[("name", "Yard"), ("rev_customer_id", "900004711")]),
        ("customer-rate-plans", &[("name", "Plan"), ("monthly_price", "12.50")]),
        ("customer-rate-pools", &[("name", "Pool")]),
    ];
    for (kind, fields) in made {
        ada.go(&format!("/admin/{kind}/new")).await;
        send(&ada, &format!("/admin/{kind}"), fields).await;
        ada.says("main", "Saved.").await;
        let address = ada.place().await;
        send(&ada, address.trim_end_matches("?saved"), &[("name", "As it is called now")]).await;
        ada.says("main", "Saved.").await;
        ada.says("h1", "As it is called now").await;
    }
    world.received(REFERENCE).await;
}
