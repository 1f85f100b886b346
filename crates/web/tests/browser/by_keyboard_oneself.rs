//! Invitations, tenants, password, authenticator and sessions by keys alone.

use chrono::TimeDelta;
use lineshift_engine::Clock as _;
use lineshift_testkit::authenticator::shown;
use lineshift_testkit::people::PASSWORD;

use crate::accounts::{ONESELF, OTHER_PASSWORD, TENANTS, invited};
use crate::browser::{ENTER, TAB};
use crate::by_keyboard::ADA;
use crate::keyboard::Keyboard;
use crate::world::World;

const BOB: &str = "bob@fleet.example";

/// Somebody invites Bob; answers the path of the link that he is given.
async fn invite_bob(world: &World, ada: &Keyboard) -> String {
    ada.press(&['g', 'a']).await;
    ada.shows("h1", "Admin").await;
    ada.enter("Users").await;
    ada.shows("h1", "Users").await;
    ada.enter("Add…").await;
    ada.shows("h1", "Add").await;
    ada.fill("E-mail…", BOB).await;
    ada.fill("Name", "Bob").await;
    ada.tick("administrator").await;
    ada.fill("Sees the lines of", "*").await;
    ada.enter("Add and invite").await;
    ada.shows("h1", "Invitation").await;
    let link = ada.reads("Link").await;
    link.strip_prefix(&world.app.url).expect("a link to this server").to_owned()
}

#[tokio::test]
async fn somebody_is_invited_takes_it_up_and_joins_a_second_tenant() {
    let world = World::with_lines(2).await;
    let link = invite_bob(&world, &world.keyboard().await).await;
    let bob = Keyboard::of_nobody(&world.app.url).await;
    bob.goes(&link).await;
    bob.shows("h1", "Invitation").await;
    let token = bob.reads("Invitation").await;
    bob.fill("Password", OTHER_PASSWORD).await;
    bob.fill("Password, once more", "brisk-lantern").await;
    bob.press(&[ENTER]).await;
    bob.is_refused("One field is to be put right.").await;
    // Secrets are typed once more.
    bob.press(&[TAB]).await;
    bob.types(&token).await;
    bob.fill("Password", OTHER_PASSWORD).await;
    bob.fill("Password, once more", OTHER_PASSWORD).await;
    bob.press(&[ENTER]).await;
    bob.shows("main", "Your password is set.").await;
    bob.enter("Sign in with it").await;
    bob.signs_in(BOB, OTHER_PASSWORD).await;
    bob.shows("header", "Altaworx").await;

    let (_, token) = invited(&world, "Beta", BOB).await;
    invited(&world, "Gamma", BOB).await;
    bob.enter("Altaworx").await;
    bob.shows("h1", "Tenants").await;
    bob.tick("Yes, decline the invitation of Gamma").await;
    bob.enter("Decline the invitation of Gamma").await;
    bob.comes_down_to("form[action$='/decline']", 1).await;
    bob.fill("Invitation", &token).await;
    bob.fill("Your password", "wrong").await;
    bob.press(&[ENTER]).await;
    bob.is_refused("this is not your password").await;
    bob.press(&[TAB]).await;
    bob.types(&token).await;
    bob.fill("Your password", OTHER_PASSWORD).await;
    bob.press(&[ENTER]).await;
    bob.shows("main", "You have joined.").await;
    bob.enter("Go to Beta").await;
    bob.shows("header", "Beta").await;
    bob.press(&['g', 'l']).await;
    bob.comes_down_to("table.grid tbody tr", 3).await;
    world.received(TENANTS).await;
}

#[tokio::test]
async fn an_authenticator_is_set_up_asked_for_and_taken_off_and_a_password_is_changed() {
    let world = World::billed().await;
    let now = || world.app.operator.clock.now().timestamp();
    let ada = world.keyboard().await;
    world.app.signs_in(ADA).await;
    ada.enter("ada").await;
    ada.shows("h1", "Your account").await;
    ada.enter("End the session from…").await;
    ada.shows("main", "Saved.").await;
    ada.fill("Your password", PASSWORD).await;
    ada.press(&[ENTER]).await;
    ada.shows("h1", "Authenticator").await;
    let secret = ada.reads("Secret").await;
    let wrong = if shown(&secret, now()) == "000000" { "000001" } else { "000000" };
    ada.fill("What your authenticator shows now", wrong).await;
    ada.press(&[ENTER]).await;
    ada.is_refused("this is not what the authenticator shows now").await;
    ada.press(&[TAB]).await;
    ada.types(&shown(&secret, now())).await;
    ada.press(&[ENTER]).await;
    ada.shows("main", "What it shows is asked for at every signing in.").await;
    ada.enter("Sign out").await;
    world.app.operator.clock.advance(TimeDelta::minutes(1));
    ada.signs_in(ADA, PASSWORD).await;
    ada.shows("main", "This account has an authenticator").await;
    ada.begins_at("input[name=password]").await;
    ada.types(PASSWORD).await;
    ada.fill("One-time password", &shown(&secret, now())).await;
    ada.press(&[ENTER]).await;
    ada.shows("header", "Sign out").await;

    world.app.operator.clock.advance(TimeDelta::minutes(1));
    ada.enter("ada").await;
    ada.shows("h1", "Your account").await;
    ada.fill("Your password", PASSWORD).await;
    ada.fill("What your authenticator shows now", &shown(&secret, now())).await;
    ada.press(&[ENTER]).await;
    ada.shows("main", "nothing but your password is asked for").await;
    ada.fill("Present password", PASSWORD).await;
    ada.fill("New password", OTHER_PASSWORD).await;
    ada.fill("New password, once more", PASSWORD).await;
    ada.press(&[ENTER]).await;
    ada.is_refused("One field is to be put right.").await;
    ada.press(&[TAB]).await;
    ada.types(PASSWORD).await;
    ada.fill("New password", OTHER_PASSWORD).await;
    ada.fill("New password, once more", OTHER_PASSWORD).await;
    ada.press(&[ENTER]).await;
    ada.shows("main", "Saved.").await;
    world.received(ONESELF).await;
}
