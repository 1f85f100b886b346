//! Every page of the table: what a person sees of it, what it weighs, and what it asks for.

use std::path::PathBuf;

use lineshift_domain::ids::BulkChangeId;
use lineshift_web::PAGES;

use crate::browser::{Browser, Manner};
use crate::world::World;

/// Bytes of a page with all that it brings.
const MOST_BYTES: u64 = 60 * 1_024;

/// Where pictures of the pages are put; none: none are made.
fn pictures() -> Option<PathBuf> {
    std::env::var_os("LINESHIFT_PICTURES").map(PathBuf::from)
}

struct Places {
    line: i64,
    change: BulkChangeId,
}

impl Places {
    /// An example of a page; none: whoever is signed in is led on from it.
    fn example(&self, page: &str) -> Option<String> {
        let id = if page.contains("bulk-changes") { self.change.0 } else { self.line };
        match page {
            "/sign-in/one-time-password" | "/assets/{name}" => None,
            page => Some(page.replace("{portal}", "m2m").replace("{id}", &id.to_string())),
        }
    }
}

#[tokio::test]
async fn every_page_can_be_read_by_everybody_and_asks_nobody_else() {
    let world = World::with_lines(60).await;
    let change = world.change(50, true).await;
    world.app.operator.run_until_idle().await;
    let places = Places { line: world.line().await, change };
    let browser = world.administrator(Manner::default()).await;
    let pages = PAGES.iter().filter(|row| row.method == "get").map(|row| row.path);
    let mut wrong = Vec::new();
    for page in pages {
        let Some(place) = places.example(page) else { continue };
        for dark in [false, true] {
            browser.set_dark(dark).await;
            browser.go(&place).await;
            wrong.extend(look(&browser, dark).await.into_iter().map(|fault| format!("{page}: {fault}")));
            if let Some(folder) = pictures() {
                let name = page.trim_matches('/').replace(['/', '{', '}'], "-");
                browser.picture(&folder.join(format!("{name}{}.png", if dark { "-dark" } else { "" }))).await;
            }
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
