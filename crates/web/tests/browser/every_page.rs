//! Every page of the table, found by the links that lead there: what a person sees of it, what it weighs, and what it asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use lineshift_web::PAGES;

use crate::browser::{Browser, Manner};
use crate::world::World;

/// Bytes of a page with all that it brings, compressed as they come.
const MOST_BYTES: u64 = 60 * 1_024;

/// What is fetched and not looked at.
const FILES: [&str; 2] = ["/assets/{name}", "/{portal}/bulk-changes/{id}/download"];

/// What is for whoever is not signed in; an address leads there that nobody else gets.
const OUTSIDE: [&str; 3] = ["/sign-in", "/sign-in/one-time-password", "/invitation"];

/// A setting of whoever makes pictures (`just screenshots`): nothing else reads them.
#[expect(clippy::disallowed_methods, reason = "the product has no such settings")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Somebody who may do everything and looks at a portal with something to see on every page: at that of a demonstration, where one is named
/// with an account.
async fn somebody() -> (Browser, Option<World>) {
    let Some(url) = setting("LINESHIFT_PORTAL") else {
        let world = World::of_every_kind().await;
        return (world.administrator(Manner::default()).await, Some(world));
    };
    let account =
        setting("LINESHIFT_PORTAL_ACCOUNT").expect("LINESHIFT_PORTAL_ACCOUNT=ADDRESS:PASSWORD goes with LINESHIFT_PORTAL");
    let (email, password) = account.split_once(':').expect("ADDRESS:PASSWORD");
    let browser = Browser::open(&url, Manner::default()).await;
    browser.sign_in_with(email, password).await;
    (browser, None)
}

/// Chooses lines and has an account read, so that what is about them is shown.
async fn prepare(browser: &Browser) {
    browser.go("/m2m/lines").await;
    browser.press("Choose all lines").await;
    browser.find("[data-some]:not([hidden])").await;
    browser.go("/admin/integrations/1").await;
    browser.click("form[action$='/sync'] button").await;
    browser.comes_to("/admin/sync-runs/").await;
}

/// The pages that somebody who is signed in is shown.
fn pages() -> BTreeSet<&'static str> {
    let shown = |path: &&str| !FILES.contains(path) && !OUTSIDE.contains(path);
    PAGES.iter().filter(|row| row.method == "get").map(|row| row.path).filter(shown).collect()
}

/// Whether a path is one of a page's addresses, in the portal that is looked at.
fn leads_to(path: &str, page: &str) -> bool {
    let mut parts = path.split('/');
    let fits = |(wanted, part): (&str, Option<&str>)| match (wanted, part) {
        ("{portal}", Some(part)) => part == "m2m",
        (wanted, Some(part)) if wanted.starts_with('{') => !part.is_empty() && part != "new",
        (wanted, part) => part == Some(wanted),
    };
    page.split('/').map(|wanted| (wanted, parts.next())).all(fits) && parts.next().is_none()
}

#[tokio::test]
async fn every_page_is_led_to_can_be_read_by_everybody_and_asks_nobody_else() {
    let (browser, _world) = somebody().await;
    prepare(&browser).await;
    let (mut left, mut wrong) = (pages(), Vec::new());
    // By page, the address that the first link to it has.
    let mut known = BTreeMap::from([
        ("/", "/".to_owned()),
        // A field leads there while one types.
        ("/{portal}/order/customers", "/m2m/order/customers?name=fleet".to_owned()),
    ]);
    while let Some(page) = left.iter().copied().find(|page| known.contains_key(page)) {
        left.remove(page);
        for dark in [false, true] {
            browser.set_dark(dark).await;
            browser.go(&known[page]).await;
            wrong.extend(look(&browser, dark).await.into_iter().map(|fault| format!("{page}: {fault}")));
            keep(&browser, page, dark).await;
        }
        for link in browser.links().await {
            if let Some(page) = left.iter().find(|page| leads_to(link.split('?').next().unwrap_or_default(), page)) {
                known.entry(page).or_insert(link);
            }
        }
    }
    wrong.extend(left.iter().map(|page| format!("{page}: no link leads there")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn whoever_is_not_signed_in_can_read_what_is_asked_of_them() {
    let world = World::with_lines(1).await;
    let browser = Browser::open(&world.app.url, Manner::default()).await;
    let mut wrong = Vec::new();
    for place in ["/sign-in", "/sign-in?next=%2Fm2m%2Flines", "/no-such-page"] {
        for dark in [false, true] {
            browser.set_dark(dark).await;
            browser.go(place).await;
            let faults = look(&browser, dark).await.into_iter();
            // Chromium complains of every page that is not there.
            let faults = faults.filter(|fault| !(place == "/no-such-page" && fault.contains("404")));
            wrong.extend(faults.map(|fault| format!("{place}: {fault}")));
            keep(&browser, place, dark).await;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with the page that is shown.
async fn look(browser: &Browser, dark: bool) -> Vec<String> {
    let mut wrong = browser.faults().await;
    if browser.count("main h1").await != 1 {
        wrong.push("it has no heading, or several".to_owned());
    }
    let (bytes, elsewhere) = browser.weight().await;
    if bytes > MOST_BYTES || bytes == 0 {
        wrong.push(format!("it weighs {bytes} bytes"));
    }
    wrong.extend(elsewhere.into_iter().map(|address| format!("it asks {address}")));
    wrong.extend(browser.complaints().await);
    let scheme = if dark { "dark: " } else { "" };
    wrong.into_iter().map(|fault| format!("{scheme}{fault}")).collect()
}

/// Keeps a picture of the page in the folder `LINESHIFT_PICTURES`, where one is named.
async fn keep(browser: &Browser, page: &str, dark: bool) {
    let wanted = !page.contains('?') && (!dark || page == "/");
    let Some(folder) = setting("LINESHIFT_PICTURES").map(PathBuf::from).filter(|_| wanted) else { return };
    let words: Vec<&str> = page.split('/').filter(|word| !word.is_empty() && *word != "{portal}").collect();
    let name = if words.is_empty() { "home".to_owned() } else { words.join("-").replace(['{', '}'], "") };
    browser.picture(&folder.join(format!("{name}{}.jpg", if dark { "-dark" } else { "" }))).await;
}

#[test]
fn a_path_leads_to_one_page() {
    assert!(leads_to("/m2m/lines/12", "/{portal}/lines/{id}") && leads_to("/", "/"));
    for (path, page) in [
        ("/mobility/lines/12", "/{portal}/lines/{id}"),
        ("/m2m/lines/new", "/{portal}/lines/{id}"),
        ("/m2m/lines", "/{portal}/lines/{id}"),
        ("/m2m/lines/1/2", "/{portal}/lines/{id}"),
        ("/m2m/lines/", "/{portal}/lines/{id}"),
    ] {
        assert!(!leads_to(path, page), "{path}");
    }
}
