//! Every page of the table, found by the links that lead there: what a person sees of it, what it weighs, and what it asks for.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_web::PAGES;

use crate::browser::{Browser, Manner};
use crate::pictures::{keep, name_of, setting};
use crate::world::World;

/// Bytes of a page with all that it brings, compressed as they come.
const MOST_BYTES: u64 = 60 * 1_024;

/// What is fetched and not looked at.
pub(crate) const FILES: [&str; 3] =
    ["/assets/{name}", "/{portal}/bulk-changes/{id}/download", "/{portal}/bulk-changes/{id}/scheduled"];

/// What is for whoever is not signed in; an address leads there that nobody else gets.
const OUTSIDE: [&str; 3] = ["/sign-in", "/sign-in/one-time-password", "/invitation"];

/// Somebody who may do everything and goes through a portal with something to see on every page: through that of a demonstration, where one
/// is named with an account.
struct Visitor {
    browser: Browser,
    world: Option<World>,
    /// What was wrong on the way.
    wrong: Vec<String>,
    /// By page, the address that leads there.
    known: BTreeMap<&'static str, String>,
}

impl Visitor {
    async fn come() -> Self {
        let (browser, world) = if let Some(url) = setting("LINESHIFT_PORTAL") {
            let account = setting("LINESHIFT_PORTAL_ACCOUNT").expect("ADDRESS:PASSWORD goes with LINESHIFT_PORTAL");
            let (email, password) = account.split_once(':').expect("ADDRESS:PASSWORD");
            let browser = Browser::open(&url, Manner::default()).await;
            browser.sign_in_with(email, password, "/sign-in?next=/account").await;
            (browser, None)
        } else {
            let world = World::of_every_kind().await;
            (world.administrator(Manner::default()).await, Some(world))
        };
        let known = BTreeMap::from([
            ("/", "/".to_owned()),
            // A field leads there while one types.
            ("/{portal}/order/customers", "/m2m/order/customers?name=fleet".to_owned()),
        ]);
        Self { browser, world, wrong: Vec::new(), known }
    }

    fn now(&self) -> DateTime<Utc> {
        self.world.as_ref().map_or_else(|| SystemClock.now(), |world| world.app.operator.clock.now())
    }

    /// Looks at the page that is shown, in light and dark, and keeps its pictures.
    async fn look(&mut self, name: &str) {
        for dark in [false, true] {
            self.browser.set_dark(dark).await;
            self.wrong.extend(look(&self.browser, dark).await.into_iter().map(|fault| format!("{name}: {fault}")));
            keep(&self.browser, name, dark).await;
        }
        self.browser.set_dark(false).await;
    }

    /// Chooses lines by pasting, orders for them what takes effect some days ahead, and has an account read: so there is something to see.
    async fn prepare(&mut self) {
        self.browser.go("/m2m/lines").await;
        let script =
            "return [...document.querySelectorAll('table.grid tbody th')].slice(0, 40).map((it) => it.textContent.trim())";
        let lines: Vec<String> = serde_json::from_value(self.browser.script(script).await).expect("texts");
        self.browser.go("/m2m/selection/paste").await;
        let text = format!("{}\n8.90117E+19\n12345678\n8901170006534973487", lines.join("\n"));
        self.browser.fill("textarea[name=text]", &text).await;
        self.browser.leave_by(async || self.browser.press("Choose these lines").await).await;
        self.look("selection-pasted").await;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("handover.csv");
        let rows: Vec<String> =
            lines.iter().enumerate().map(|(row, line)| format!("{},{line},20261201,Depot\n", row + 1)).collect();
        std::fs::write(&file, format!("No,SIM card,Date,Place\n{}", rows.concat())).expect("written");
        self.browser.go("/m2m/selection/upload").await;
        self.browser.give_file("input[type=file]", &file).await;
        self.browser.leave_by(async || self.browser.press("Send").await).await;
        self.look("selection-columns").await;
        self.choose_all().await;
        self.order().await;
        self.choose_all().await;
        self.browser.go("/admin/integrations/1").await;
        self.browser.click("form[action$='/sync'] button").await;
        self.browser.comes_to("/admin/sync-runs/").await;
    }

    async fn choose_all(&self) {
        self.browser.go("/m2m/lines").await;
        self.browser.leave_by(async || self.browser.press("Choose all lines").await).await;
    }

    /// Orders another plan for the lines of the first service provider, and follows that.
    async fn order(&mut self) {
        self.browser.go("/m2m/order").await;
        self.browser.press("Change customer rate plan").await;
        let select = "select[name=CustomerRatePlanId]";
        self.browser.find(select).await;
        let plans = format!(
            "const plans = [...document.querySelectorAll('{select} option')];
            return (plans.find((it) => it.textContent.includes('250 MB')) ?? plans.pop()).value"
        );
        let plan = self.browser.script(&plans).await;
        self.browser.choose(select, plan.as_str().expect("a plan")).await;
        let day = (self.now() + TimeDelta::days(5)).format("%m%d%Y").to_string();
        self.browser.fill("input[name=EffectiveDate]", &day).await;
        self.browser.fill("input[name=Name]", "Another plan from next week on").await;
        self.browser.leave_by(async || self.browser.press("Preview").await).await;
        self.look("order-preview").await;
        self.browser.click("form[action$='/confirm'] button").await;
        self.browser.comes_to("/m2m/bulk-changes/").await;
        let change = self.browser.place().await;
        if let Some(world) = &self.world {
            world.app.operator.run_until_idle().await;
        }
        self.browser.find(".progress .status-processed, .progress .status-partial").await;
        self.browser.go(&format!("{change}?status=PROCESSED")).await;
        let lines = self.browser.links().await.into_iter().find(|link| leads_to(link, "/{portal}/lines/{id}"));
        self.known.insert("/{portal}/lines/{id}", lines.expect("a line that was changed"));
        self.known.insert("/{portal}/bulk-changes/{id}", change);
    }
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
    let mut visitor = Visitor::come().await;
    visitor.prepare().await;
    let mut left = pages();
    while let Some(page) = left.iter().copied().find(|page| visitor.known.contains_key(page)) {
        left.remove(page);
        visitor.browser.go(&visitor.known[page]).await;
        visitor.look(&name_of(page)).await;
        let links = visitor.browser.links().await;
        if let Some(month) = links.iter().find(|link| link.contains("?month=")).filter(|_| page.ends_with("/plan-queue")) {
            visitor.browser.go(month).await;
            visitor.look("plan-queue-month").await;
        }
        for link in links {
            if let Some(page) = left.iter().find(|page| leads_to(link.split('?').next().unwrap_or_default(), page)) {
                visitor.known.entry(page).or_insert(link);
            }
        }
    }
    visitor.browser.be_on_a_phone(true).await;
    for (page, name) in
        [("/{portal}/bulk-changes", "bulk-changes-phone"), ("/{portal}/bulk-changes/{id}", "bulk-changes-id-phone")]
    {
        visitor.browser.go(&visitor.known[page]).await;
        visitor.look(name).await;
    }
    visitor.wrong.extend(left.iter().map(|page| format!("{page}: no link leads there")));
    assert!(visitor.wrong.is_empty(), "{}", visitor.wrong.join("\n"));
}

#[tokio::test]
async fn whoever_is_not_signed_in_can_read_what_is_asked_of_them() {
    let world = World::with_lines(1).await;
    let browser = Browser::open(&world.app.url, Manner::default()).await;
    let mut wrong = Vec::new();
    for (place, name) in [
        ("/sign-in", "sign-in"),
        ("/sign-in?next=%2Fm2m%2Flines", "sign-in"),
        ("/invitation", "invitation"),
        ("/no-such-page", "no-such-page"),
    ] {
        browser.go(place).await;
        for dark in [false, true] {
            browser.set_dark(dark).await;
            wrong.extend(look(&browser, dark).await.into_iter().map(|fault| format!("{place}: {fault}")));
            keep(&browser, name, dark).await;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with the page that is shown.
pub(crate) async fn look(browser: &Browser, dark: bool) -> Vec<String> {
    let mut wrong = browser.faults().await;
    if browser.count("main h1").await != 1 {
        wrong.push("it has no heading, or several".to_owned());
    }
    let twice = browser.ids_given_twice().await;
    wrong.extend(
        twice.into_iter().map(|id| format!("several things have the id {id:?}, so that a label may lead to the wrong one")),
    );
    let overhang = browser.overhang().await;
    if overhang > 0 {
        wrong.push(format!("it is {overhang} pixels wider than its window"));
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
