//! Everything of the module Admin by keys alone.

use lineshift_testkit::billing::{CLIENT_CODE, PASSWORD, USER};
use lineshift_testkit::simulated::ADDRESS;

use crate::administering::{INTEGRATIONS, REFERENCE, ROLES_AND_KEYS, USERS};
use crate::browser::ENTER;
use crate::keyboard::Keyboard;
use crate::world::World;

/// What the things are called once they are changed.
const CHANGED: &str = "As it is called now";

/// What is typed into which fields.
type Fields = &'static [(&'static str, &'static str)];

impl World {
    /// Somebody who may do everything, has no mouse, and has come to the pages of Admin.
    async fn keyboard_at_admin(&self) -> Keyboard {
        let ada = self.keyboard().await;
        ada.press(&['g', 'a']).await;
        ada.shows("h1", "Admin").await;
        ada
    }
}

/// Goes to a list, and from there to the page of something.
async fn open(ada: &Keyboard, list: &str, name: &str) {
    ada.enter(list).await;
    ada.shows("h1", list).await;
    ada.enter(name).await;
    ada.shows("h1", name).await;
}

#[tokio::test]
async fn users_are_added_changed_invited_anew_signed_out_and_removed() {
    let world = World::with_lines(0).await;
    let operator = &world.app.operator;
    let vic = operator.user("vic@fleet.example").await;
    operator.store.set_identity(vic, "https://provider.example", "vic").await.expect("linked");
    operator.member(operator.tenant(), vic, &["viewer"], "*").await;
    world.app.signs_in("vic@fleet.example").await;
    let ada = world.keyboard_at_admin().await;
    ada.enter("Users").await;
    ada.shows("h1", "Users").await;
    ada.enter("Add…").await;
    ada.shows("h1", "Add").await;
    ada.fill("E-mail…", "bob@fleet.example").await;
    ada.fill("Name", "Bob").await;
    ada.tick("administrator").await;
    ada.fill("Sees the lines of", "everything").await;
    ada.enter("Add and invite").await;
    ada.is_refused("One field is to be put right.").await;
    ada.tab_to("Sees the lines of").await;
    ada.types_instead("*").await;
    ada.enter("Add and invite").await;
    ada.shows("h1", "Invitation").await;

    open(&ada, "Users", "Bob").await;
    ada.enter("Save").await;
    ada.shows("main", "Saved.").await;
    ada.enter("Invite anew").await;
    ada.shows("main", "It is shown this once").await;
    open(&ada, "Users", "Bob").await;
    ada.tick("Yes, remove them").await;
    ada.enter("Remove the user").await;
    ada.shows("h1", "Users").await;

    ada.enter("vic").await;
    ada.shows("h1", "vic").await;
    ada.tick("Yes, everywhere in this tenant").await;
    ada.enter("Sign them out").await;
    ada.shows("main", "Nowhere in this tenant.").await;
    ada.tick("Yes, take it away").await;
    ada.enter("Take the identity away").await;
    ada.comes_down_to("#identity", 0).await;
    world.received(USERS).await;
}

#[tokio::test]
async fn roles_and_keys_are_made_and_come_to_their_end() {
    let world = World::with_lines(0).await;
    let ada = world.keyboard_at_admin().await;
    ada.enter("Roles").await;
    ada.shows("h1", "Roles").await;
    ada.enter("New role").await;
    ada.shows("h1", "New role").await;
    ada.fill("Name", "desk").await;
    ada.tick("M2M: view").await;
    ada.enter("Create").await;
    ada.shows("main", "Saved.").await;
    ada.fill("Name", "front desk").await;
    ada.press(&[ENTER]).await;
    ada.shows("h1", "front desk").await;
    ada.tick("Yes, delete it").await;
    ada.enter("Delete the role").await;
    ada.shows("h1", "Roles").await;
    ada.enter("API keys").await;
    ada.shows("h1", "API keys").await;
    ada.enter("New API key").await;
    ada.shows("h1", "New API key").await;
    ada.fill("Name", "nightly").await;
    ada.tick("M2M: view").await;
    ada.enter("Create").await;
    ada.shows("main", "shown this once").await;
    open(&ada, "API keys", "nightly").await;
    ada.tick("Yes, revoke it").await;
    ada.enter("Revoke the key").await;
    ada.comes_down_to("form[action$='/revoke']", 0).await;
    world.received(ROLES_AND_KEYS).await;
}

#[tokio::test]
async fn an_integration_is_set_up_tried_and_synchronised() {
    let world = World::billed().await;
    let ada = world.keyboard_at_admin().await;
    open(&ada, "Integrations", "Rev.io").await;
    ada.fill("Address", ADDRESS).await;
    ada.fill("Calls a minute", "600").await;
    ada.fill("Credentials: user", USER).await;
    ada.fill("Credentials: client code", CLIENT_CODE).await;
    ada.fill("Credentials: password", PASSWORD).await;
    ada.enter("Save how it is called").await;
    ada.shows("main", "Saved.").await;
    ada.enter("Test connection").await;
    ada.shows("main", "The connection works.").await;
    ada.enter("Synchronise").await;
    ada.comes_to("/admin/sync-runs/").await;
    ada.shows("h1", "Synchronisation").await;
    world.received(INTEGRATIONS).await;
}

#[tokio::test]
async fn a_plan_is_sought_and_changed() {
    let world = World::with_lines(0).await;
    let ada = world.keyboard_at_admin().await;
    ada.enter("Customer rate plans").await;
    ada.shows("h1", "Customer rate plans").await;
    // The search has a key of its own.
    ada.press(&['/']).await;
    ada.types("half").await;
    ada.press(&[ENTER]).await;
    ada.comes_to("/admin/customer-rate-plans?q=half").await;
    ada.enter("Half").await;
    ada.shows("h1", "Half").await;
    ada.fill("Price a month", "cheap").await;
    ada.press(&[ENTER]).await;
    ada.is_refused("One field is to be put right.").await;
    ada.fill("Price a month", "12.50").await;
    ada.press(&[ENTER]).await;
    ada.shows("main", "Saved.").await;
}

#[tokio::test]
async fn whatever_orders_refer_to_is_made_and_changed() {
    let world = World::billed().await;
    let ada = world.keyboard_at_admin().await;
    // In a list one types how what one chooses begins.
    let made: [(&str, &str, Fields); 6] = [
        ("Integrations", "New integration", &[("Kind", "Jasper")]),
        ("Service providers", "New service provider", &[("Kind", "Jasper"), ("Integration", "As it")]),
        ("Customers", "New customer", &[("Id", "900004711"), ("Integration", "Rev")]),
        ("Sites", "New site", &[("Customer", "900004711")]),
        ("Customer rate plans", "New customer rate plan", &[("Price a month", "12.50"), ("Allocation (MB)", "500")]),
        ("Customer rate pools", "New customer rate pool", &[]),
    ];
    for (list, new, fields) in made {
        ada.enter(list).await;
        ada.shows("h1", list).await;
        ada.enter(new).await;
        ada.shows("h1", new).await;
        ada.fill("Name", "Made by keys").await;
        for (name, text) in fields {
            ada.fill(name, text).await;
        }
        ada.enter("Create").await;
        ada.shows("h1", "Made by keys").await;
        ada.fill("Name", CHANGED).await;
        ada.press(&[ENTER]).await;
        ada.shows("h1", CHANGED).await;
    }
    world.received(REFERENCE).await;
}
