//! What people do about themselves: invitations, tenants, password, authenticator, sessions.

use chrono::TimeDelta;
use lineshift_domain::ids::TenantId;
use lineshift_engine::Clock as _;
use lineshift_testkit::authenticator::shown;
use lineshift_testkit::people::PASSWORD;
use serde_json::json;

use crate::browser::{Browser, Manner};
use crate::world::World;

/// The forms that are sent about tenants.
pub(crate) const TENANTS: &[&str] = &["/tenant", "/invitations", "/invitations/{id}/decline", "/invitation"];

/// Those about oneself.
pub(crate) const ONESELF: &[&str] = &[
    "/account/password",
    "/account/one-time-password",
    "/account/one-time-password/confirm",
    "/account/one-time-password/end",
    "/account/sessions/{id}/end",
];

/// What somebody sets instead of [`PASSWORD`].
pub(crate) const OTHER_PASSWORD: &str = "brisk-lantern-hums-far";

/// Another tenant invites somebody; answers it with the word of the invitation.
pub(crate) async fn invited(world: &World, name: &str, email: &str) -> (TenantId, String) {
    let tenant = world.app.operator.beside(name, 3).await.tenant();
    let boss = world.app.of_tenant(tenant, "boss", "*").await.0;
    let roles = boss.read("/api/v1/roles").await;
    let body = json!({"email": email, "display_name": "A guest", "roles": [roles["items"][0]["id"]], "reach": ["*"]});
    let added = boss.post("/api/v1/users", &body).await;
    assert_eq!(added.status, 201, "{}", added.text());
    (tenant, added.json()["invitation"]["token"].as_str().expect("a word").to_owned())
}

#[tokio::test]
async fn people_join_tenants_decline_and_go_from_one_to_the_other() {
    let world = World::with_lines(2).await;
    let ada = world.administrator(Manner::default()).await;
    let (beta, token) = invited(&world, "Beta", "ada@fleet.example").await;
    invited(&world, "Gamma", "ada@fleet.example").await;
    ada.go("/tenants").await;
    ada.says("main", "Gamma").await;
    for (name, value) in [("token", token.as_str()), ("password", PASSWORD)] {
        ada.set("form[action='/invitations']", name, value).await;
    }
    ada.click("form[action='/invitations'] button").await;
    ada.says("main", "You have joined.").await;
    ada.click("form[action$='/decline'] input[name=sure]").await;
    ada.click("form[action$='/decline'] button").await;
    ada.says("main", "No tenant has invited you.").await;
    ada.press("Go there").await;
    ada.says("header", "Beta").await;

    let (_, token) = invited(&world, "Delta", "new@delta.example").await;
    let newcomer = Browser::open(&world.app.url, Manner::default()).await;
    newcomer.go(&format!("/invitation#{token}")).await;
    newcomer.find("input[name=token]").await;
    for name in ["password", "again"] {
        newcomer.set("form[action='/invitation']", name, OTHER_PASSWORD).await;
    }
    newcomer.click("form[action='/invitation'] button").await;
    newcomer.says("main", "Your password is set.").await;
    world.received(TENANTS).await;

    // Two people of two tenants at once: nobody sees a word of the other's.
    let eve = world.person_of(beta, "eve@beta.example", &["administrator"], Manner::default()).await;
    let here = world.administrator_again().await;
    for (browser, lines) in [(&eve, 3), (&here, 2)] {
        browser.go("/m2m/lines").await;
        browser.find("table.grid tbody tr").await;
        assert_eq!(browser.count("table.grid tbody tr").await, lines);
    }
    let line = here.links().await.into_iter().find(|link| link.starts_with("/m2m/lines/")).expect("a line");
    eve.go(&line).await;
    eve.says("main h1", "Nothing is there").await;
}

#[tokio::test]
async fn one_changes_password_and_authenticator_and_ends_a_session_elsewhere() {
    let world = World::billed().await;
    let ada = world.administrator(Manner::default()).await;
    world.app.signs_in("ada@fleet.example").await;
    ada.go("/account").await;
    ada.click("form[action$='/end'] button").await;
    ada.says("main", "This one.").await;
    assert_eq!(ada.count("form[action^='/account/sessions/']").await, 0, "elsewhere it is over");

    ada.set("form[action='/account/one-time-password']", "password", PASSWORD).await;
    ada.click("form[action='/account/one-time-password'] button").await;
    let secret = ada.value_of("#secret").await;
    let now = || world.app.operator.clock.now().timestamp();
    let confirm = "form[action='/account/one-time-password/confirm']";
    ada.set(confirm, "one_time_password", &shown(&secret, now())).await;
    ada.click(&format!("{confirm} button")).await;
    ada.says("main", "What it shows is asked for at every signing in.").await;
    world.app.operator.clock.advance(TimeDelta::minutes(1));
    let end = "form[action='/account/one-time-password/end']";
    ada.set(end, "password", PASSWORD).await;
    ada.set(end, "one_time_password", &shown(&secret, now())).await;
    ada.click(&format!("{end} button")).await;
    ada.says("main", "nothing but your password is asked for").await;

    let form = "form[action='/account/password']";
    for (name, value) in [("password", PASSWORD), ("new_password", OTHER_PASSWORD), ("again", OTHER_PASSWORD)] {
        ada.set(form, name, value).await;
    }
    ada.click(&format!("{form} button")).await;
    ada.says("main", "Saved.").await;
    world.received(ONESELF).await;
}
