//! The portal in a headless Chromium: each flow from signing in to its result, as people go through it.

mod accounts;
mod administering;
mod answers;
mod at_a_provider;
mod at_carriers;
mod browser;
mod by_keyboard;
mod by_keyboard_admin;
mod by_keyboard_oneself;
mod every_page;
mod following;
mod following_on;
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
mod twice;
mod two_tenants;
mod web_driver;
mod world;

use lineshift_web::PAGES;

/// The forms that the tests here send, with a mouse and by keys alone, as they say themselves; but for those of choosing.
const SENT_EITHER_WAY: &[&[&str]] = &[
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
    ordering::REFUSED,
    ordering::SCHEDULES,
    settling::SENDS,
];

/// The forms of the table that are missing here. Forms and pages stand in the one table that makes the router.
fn missing_of(choosing: &[&[&'static str]]) -> Vec<&'static str> {
    let sent = [SENT_EITHER_WAY.concat(), choosing.concat()].concat();
    let forms = PAGES.iter().filter(|row| row.method == "post").map(|row| row.path);
    forms.filter(|form| !sent.contains(form)).collect()
}

#[test]
fn every_form_is_sent_by_a_browser() {
    let missing = missing_of(&[ordering::CHOOSES]);
    assert!(missing.is_empty(), "no test here sends {missing:?}");
}

#[test]
fn every_file_is_fetched_by_a_browser() {
    // Pages bring the assets.
    let fetched = [&["/assets/{name}"], ordering::LINES_OF_CHANGE, ordering::SCHEDULED_BY_CHANGE].concat();
    let missing: Vec<&str> = every_page::FILES.into_iter().filter(|file| !fetched.contains(file)).collect();
    assert!(missing.is_empty(), "no test here fetches {missing:?}");
}

#[test]
fn every_form_is_sent_by_keys_alone() {
    let missing = missing_of(&[by_keyboard::TICKS, by_keyboard::FILES]);
    assert!(missing.is_empty(), "no test here sends {missing:?} by keys");
}
