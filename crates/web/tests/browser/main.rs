//! The portal in a headless Chromium: each flow from signing in to its result, as people go through it.

mod accounts;
mod administering;
mod answers;
mod at_a_provider;
mod at_carriers;
mod browser;
mod by_keyboard;
mod every_page;
mod following;
mod keyboard;
mod line_between;
mod ordering;
mod phone;
mod pictures;
#[path = "../oidc/provider.rs"]
#[expect(dead_code, reason = "the tests of that protocol do more with it")]
mod provider;
mod reading;
mod settling;
mod ticking;
mod web_driver;
mod world;

use lineshift_web::PAGES;

/// The forms that the tests here send, as they say themselves.
const SENT: &[&[&str]] = &[
    reading::SENDS,
    following::SENDS,
    at_a_provider::SENDS,
    accounts::TENANTS,
    accounts::ONESELF,
    administering::USERS,
    administering::ROLES_AND_KEYS,
    administering::INTEGRATIONS,
    administering::REFERENCE,
    ordering::ORDERS,
    ordering::CHOOSES,
    ordering::SCHEDULES,
    settling::SENDS,
];

/// Forms and pages stand in the one table that makes the router.
#[test]
fn every_form_is_sent_by_a_browser() {
    let sent: Vec<&str> = SENT.concat();
    let forms = PAGES.iter().filter(|row| row.method == "post").map(|row| row.path);
    let missing: Vec<&str> = forms.filter(|form| !sent.contains(form)).collect();
    assert!(missing.is_empty(), "no test here sends {missing:?}");
}
