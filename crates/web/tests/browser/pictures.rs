//! Pictures of pages, for the documentation (`just screenshots`): the tests that look at every page take them where they are told to.

use std::path::PathBuf;

use crate::browser::Browser;

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
    let most = if name == "home" { 1_300 } else { 840 };
    browser.picture(&folder.join(format!("{name}{}.jpg", if dark { "-dark" } else { "" })), most).await;
}

#[test]
fn a_picture_is_called_as_its_page() {
    assert_eq!(name_of("/"), "home");
    assert_eq!(name_of("/{portal}/bulk-changes/{id}/lines/{row}"), "bulk-changes-id-lines-row");
}
