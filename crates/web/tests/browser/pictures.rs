//! Pictures of pages, for the documentation (`just screenshots`): the tests that look at every page take them where they are told to.

use std::path::{Path, PathBuf};

use lineshift_web::PAGES;

use crate::browser::Browser;
use crate::every_page::FILES;

/// A setting of whoever makes pictures: nothing else reads them.
#[expect(clippy::disallowed_methods, reason = "the product has no such settings")]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Those that are shown dark, too.
const DARK_TOO: [&str; 3] = ["home", "bulk-changes-id", "order-preview"];

/// What the picture of a page of the table is called.
pub(crate) fn name_of(page: &str) -> String {
    let words: Vec<&str> = page.split('/').filter(|word| !word.is_empty() && *word != "{portal}").collect();
    if words.is_empty() { "home".to_owned() } else { words.join("-").replace(['{', '}'], "") }
}

/// Keeps a picture of the page that is shown in the folder `LINESHIFT_PICTURES`, where one is named.
pub(crate) async fn keep(browser: &Browser, name: &str, dark: bool) {
    let wanted = !dark || DARK_TOO.contains(&name);
    let Some(folder) = setting("LINESHIFT_PICTURES").map(PathBuf::from).filter(|_| wanted) else { return };
    let most = if name == "home" { 1_320 } else { 840 };
    browser.picture(&folder.join(format!("{name}{}.jpg", if dark { "-dark" } else { "" })), most).await;
}

/// A page that is only passed through on the way to another one, and one that needs a provider.
const WITHOUT: [&str; 2] = ["/bulk-changes/{id}", "/sign-in/one-time-password"];

/// What a page looks like is told with it: whoever adds one adds its picture.
#[test]
fn the_documentation_shows_every_page() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let told =
        ["portal.md", "portal-admin.md"].map(|file| std::fs::read_to_string(docs.join(file)).expect("a document")).concat();
    let shown = |page: &&str| !FILES.contains(page) && !WITHOUT.contains(page);
    let pages = PAGES.iter().filter(|row| row.method == "get").map(|row| row.path).filter(shown);
    let pictures = pages.map(|page| format!("portal/{}.jpg", name_of(page)));
    let missing: Vec<String> =
        pictures.filter(|picture| !told.contains(&format!("({picture})")) || !docs.join(picture).is_file()).collect();
    assert!(missing.is_empty(), "`just screenshots` makes them, docs/portal.md or docs/portal-admin.md shows them: {missing:?}");
    let named = told.split("(portal/").skip(1).filter_map(|rest| rest.split_once(')')).map(|(name, _)| name);
    let gone: Vec<&str> = named.filter(|name| !docs.join("portal").join(name).is_file()).collect();
    assert!(gone.is_empty(), "these pictures are shown and not there: {gone:?}");
}

#[test]
fn a_picture_is_called_as_its_page() {
    assert_eq!(name_of("/"), "home");
    assert_eq!(name_of("/{portal}/bulk-changes/{id}/lines/{row}"), "bulk-changes-id-lines-row");
}
