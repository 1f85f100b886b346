//! What forms answer, looked at as pages are: nobody comes to it by a link, so it is easily forgotten.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use lineshift_domain::order::{CustomerRatePlanOrder, Effect, EffectiveDate};
use lineshift_engine::Clock as _;
use lineshift_testkit::authenticator::shown;
use lineshift_testkit::operator::iccid;
use lineshift_testkit::people::PASSWORD;
use lineshift_web::PAGES;

use crate::administering::REFERENCE;
use crate::browser::{Browser, Manner};
use crate::every_page::look;
use crate::world::{HOSTILE, World};

/// Forms that lead on to a page of the table when all is well, as do those of `REFERENCE`; every other one has a page of its own then, which
/// is looked at here.
const LEAD_ON: &[&str] = &[
    "/sign-in",
    "/sign-in/one-time-password",
    "/sign-out",
    "/tenant",
    "/invitations",
    "/invitations/{id}/decline",
    "/invitation",
    "/account/password",
    "/account/one-time-password/confirm",
    "/account/one-time-password/end",
    "/account/sessions/{id}/end",
    "/{portal}/selection/add",
    "/{portal}/selection/remove",
    "/{portal}/selection/matching",
    "/{portal}/selection/clear",
    "/{portal}/selection/refused",
    "/{portal}/bulk-changes/{id}/lines/{row}/settle",
    "/{portal}/bulk-changes/{id}/start",
    "/{portal}/bulk-changes/{id}/cancel",
    "/{portal}/bulk-changes/{id}/retry",
    "/{portal}/order/{act}/confirm",
    "/{portal}/plan-queue/{id}/move",
    "/{portal}/plan-queue/{id}/cancel",
    "/admin/users/{id}",
    "/admin/users/{id}/sessions/end",
    "/admin/users/{id}/identity/clear",
    "/admin/users/{id}/remove",
    "/admin/roles",
    "/admin/roles/{id}",
    "/admin/roles/{id}/delete",
    "/admin/api-keys/{id}/revoke",
    "/admin/integrations/{id}/account",
    "/admin/integrations/{id}/sync",
];

/// More than anybody may be wrong in a row without having to wait for minutes.
const MOST_GUESSES: usize = 20;

/// A field and what is typed into it.
type Field<'a> = (&'a str, &'a str);

/// Somebody who sends forms and looks at each answer, in light and in the dark.
struct Looker {
    browser: Browser,
    wrong: Vec<String>,
    /// Forms whose answer was a page of their own because all was well.
    shown: BTreeSet<&'static str>,
}

impl Looker {
    fn at(browser: Browser) -> Self {
        Self { browser, wrong: Vec::new(), shown: BTreeSet::new() }
    }

    /// Sends a form of the table from a page that has nothing to do with it.
    async fn sends(&mut self, form: &'static str, address: &str, fields: &[Field<'_>], status: u16, says: &str) {
        self.browser.go("/account").await;
        self.browser.send_form(address, fields).await;
        self.looks(form, status, says).await;
    }

    /// Sends it again and again until they must wait: each time for longer, so that in the end they come too early on the slowest machine.
    async fn guesses(&self, page: &str, address: &str, fields: &[Field<'_>]) {
        for _ in 0..MOST_GUESSES {
            self.browser.go(page).await;
            self.browser.send_form(address, fields).await;
            if self.browser.status().await == 429 {
                return;
            }
        }
        panic!("whoever guesses {MOST_GUESSES} times at {address} need not wait");
    }

    /// Presses a button of the form that is shown.
    async fn presses(&mut self, form: &'static str, button: &str, status: u16, says: &str) {
        self.browser.leave_by(async || self.browser.press(button).await).await;
        self.looks(form, status, says).await;
    }

    /// Looks at what is shown: it says that, under that status, and nothing is wrong with it.
    async fn looks(&mut self, form: &'static str, status: u16, says: &str) {
        let (browser, place) = (&self.browser, format!("{form} ({says})"));
        let found = browser.status().await;
        let text = browser.text("main").await;
        if found != status || !text.contains(says) {
            self.wrong.push(format!("{place}: it is answered {found}: {text}"));
        }
        if (200..300).contains(&found) {
            self.shown.insert(form);
        }
        for dark in [false, true] {
            browser.set_dark(dark).await;
            self.wrong.extend(look(browser, dark).await.into_iter().map(|fault| format!("{place}: {fault}")));
        }
    }

    fn found_nothing(self) -> BTreeSet<&'static str> {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        self.shown
    }
}

/// Nobody fills in anything: whatever is answered is a page, and it does not fail.
#[tokio::test]
async fn every_form_that_is_sent_empty_is_answered_by_a_page() {
    let world = World::of_every_kind().await;
    let browser = world.administrator(Manner::default()).await;
    let mut looker = Looker::at(browser);
    let forms = PAGES.iter().filter(|row| row.method == "post").map(|row| row.path);
    // Whoever has left sends no more forms.
    let (last, forms): (Vec<_>, Vec<_>) = forms.partition(|form| *form == "/sign-out");
    for form in forms.into_iter().chain(last) {
        let address = form.replace("{portal}", "m2m").replace("{act}", "assign").replace("{id}", "1").replace("{row}", "1");
        looker.browser.go("/account").await;
        looker.browser.send_form(&address, &[]).await;
        let status = looker.browser.status().await;
        assert!(status < 500, "{form} is answered {status}");
        looker.looks(form, status, "").await;
    }
    looker.found_nothing();
}

#[tokio::test]
async fn what_forms_answer_can_be_read_by_everybody() {
    let world = World::of_every_kind().await;
    schedule(&world).await;
    let browser = world.administrator(Manner::default()).await;
    let mut looker = Looker::at(browser);
    choose(&mut looker).await;
    order(&mut looker, &world).await;
    steer(&mut looker).await;
    administer(&mut looker).await;
    settle_oneself(&mut looker, &world).await;
    let shown = looker.found_nothing();
    let forms: BTreeSet<&str> = PAGES.iter().filter(|row| row.method == "post").map(|row| row.path).collect();
    let lead_on = [LEAD_ON, REFERENCE].concat();
    let missing: Vec<_> = forms.iter().filter(|form| !lead_on.contains(form) && !shown.contains(*form)).collect();
    assert!(missing.is_empty(), "nobody looks at what is answered to {missing:?}");
    assert!(lead_on.iter().all(|form| forms.contains(form)), "it is said to lead on, and is no form");
}

/// Something for the plan queue.
async fn schedule(world: &World) {
    let operator = &world.app.operator;
    let date = operator.clock.now() + TimeDelta::days(9);
    let plan = CustomerRatePlanOrder { effective_date: Some(EffectiveDate::Instant(date)), ..operator.plan_order(operator.plan) };
    operator.run(operator.order([iccid(1)], Effect::CustomerRatePlanChange(plan))).await;
}

async fn choose(looker: &mut Looker) {
    let paste = "/{portal}/selection/paste";
    let text = format!("{} {} 8.90117E+18 12345678 8901170006534973487 {HOSTILE}", iccid(3), iccid(4));
    looker.sends(paste, "/m2m/selection/paste", &[("text", "nothing at all")], 200, "No ICCID and no number").await;
    looker.sends(paste, "/m2m/selection/paste", &[("text", &text)], 200, "What could not be used").await;

    let upload = "/{portal}/selection/upload";
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lines.csv");
    for (content, says) in [("Name;Town\nA;B\n".to_owned(), "No column"), (format!("Name;SIM\nA;{}\n", iccid(5)), "SIM")] {
        std::fs::write(&file, content).expect("written");
        looker.browser.go("/m2m/selection/upload").await;
        looker.browser.give_file("input[type=file]", &file).await;
        looker.presses(upload, "Send", 200, says).await;
    }
    looker.presses("/{portal}/selection/columns", "Choose these lines", 200, "1 lines added").await;
}

async fn order(looker: &mut Looker, world: &World) {
    let form = "/{portal}/order/{act}";
    let provider = world.app.operator.jasper.to_string();
    let of = |fields: &[Field<'static>]| -> Vec<Field<'_>> {
        std::iter::once(("service_provider", provider.as_str())).chain(fields.iter().copied()).collect()
    };
    let wrong: [(&str, &[Field<'static>]); 4] = [
        ("assign", &[("customer", "nobody"), ("EffectiveDate", "soon"), ("Rate.0", "x")]),
        ("customer-rate-plan", &[("CustomerDataAllocationMB", "-1")]),
        ("carrier-rate-plan", &[("EffectiveDate", "soon")]),
        ("status", &[("TargetStatus", "ASLEEP")]),
    ];
    for (act, fields) in wrong {
        looker.sends(form, &format!("/m2m/order/{act}"), &of(fields), 422, "Nothing was ordered").await;
    }
    for (step, says) in [("find", "Customer"), ("more", "Product 2"), ("lines", "lines 1 to 3 of 3"), ("edit", "Customer")] {
        looker.sends(form, "/m2m/order/assign", &of(&[("customer", "rentals"), ("step", step)]), 200, says).await;
    }
    let customer = of(&[("customer", "rentals")]);
    looker.sends(form, "/m2m/order/assign", &customer, 200, "Nothing is ordered yet").await;
    world.archive(4).await;
    let changed = "Something has changed since you looked";
    looker.presses("/{portal}/order/{act}/confirm", "Assign 3 lines", 409, changed).await;
    let allocation = of(&[("CustomerDataAllocationMB", "1")]);
    looker.sends(form, "/m2m/order/customer-rate-plan", &allocation, 200, "Refused, by reason").await;
}

async fn steer(looker: &mut Looker) {
    let settle = "/{portal}/bulk-changes/{id}/lines/{row}/settle";
    looker.sends(settle, "/m2m/bulk-changes/1/lines/1/settle", &[("as", "stands")], 422, "say there what stands").await;
    looker.sends("/{portal}/plan-queue/{id}/move", "/m2m/plan-queue/4711/move", &[("effective_date", "soon")], 404, "").await;
    looker.sends("/{portal}/bulk-changes/{id}/start", "/m2m/bulk-changes/4711/start", &[], 404, "").await;
}

async fn administer(looker: &mut Looker) {
    let users = "/admin/users";
    let wrong = [("email", "nobody"), ("display_name", HOSTILE), ("roles", "4711"), ("reach", "everything")];
    looker.sends(users, users, &wrong, 422, "").await;
    let right = [("email", "bob@fleet.example"), ("display_name", HOSTILE), ("roles", "1"), ("reach", "*")];
    looker.sends(users, users, &right, 201, "It is shown this once").await;
    let bob = looker.browser.links().await.into_iter().rfind(|link| link.starts_with("/admin/users/")).expect("his page");
    looker.sends("/admin/users/{id}/invitation", &format!("{bob}/invitation"), &[], 200, "It is shown this once").await;
    looker.sends("/admin/users/{id}", &bob, &[("display_name", HOSTILE), ("reach", "?")], 422, "").await;
    looker.sends("/admin/roles", "/admin/roles", &[("name", "administrator"), ("scopes", "m2m:view")], 409, "").await;
    looker.sends("/admin/roles/{id}/delete", "/admin/roles/1/delete", &[("sure", "yes")], 409, "").await;
    let keys = "/admin/api-keys";
    looker.sends(keys, keys, &[("name", "nightly"), ("scopes", "m2m:view"), ("expires_at", "soon")], 422, "").await;
    looker.sends(keys, keys, &[("name", "nightly"), ("scopes", "m2m:view")], 201, "The key is shown this once").await;
    let account = [("base_address", "nowhere"), ("calls_a_minute", "0"), ("credentials.user", HOSTILE)];
    looker.sends("/admin/integrations/{id}/account", "/admin/integrations/1/account", &account, 422, "").await;
    looker.sends("/admin/integrations/{id}/test", "/admin/integrations/1/test", &[], 200, "The connection works").await;
    for (form, fields) in [
        ("/admin/customers", [("id", "0"), ("name", HOSTILE)]),
        ("/admin/sites", [("name", HOSTILE), ("rev_customer_id", "x")]),
        ("/admin/customer-rate-plans", [("name", HOSTILE), ("monthly_price", "cheap")]),
    ] {
        looker.sends(form, form, &fields, 422, "").await;
    }
}

async fn settle_oneself(looker: &mut Looker, world: &World) {
    let now = || world.app.operator.clock.now().timestamp();
    let password = "/account/password";
    let short = [("password", PASSWORD), ("new_password", "short"), ("again", "shorter")];
    looker.sends(password, password, &short, 422, "").await;
    let begin = "/account/one-time-password";
    looker.sends(begin, begin, &[("password", PASSWORD)], 200, "It is shown this once").await;
    let secret = looker.browser.value_of("#secret").await;
    let wrong = if shown(&secret, now()) == "000000" { "000001" } else { "000000" };
    looker.browser.fill("input[name=one_time_password]", wrong).await;
    looker.presses("/account/one-time-password/confirm", "Confirm", 422, "").await;
    let guess = [("password", "wrong"), ("new_password", PASSWORD), ("again", PASSWORD)];
    looker.guesses("/account", password, &guess).await;
    looker.looks(password, 429, "too many attempts").await;
    looker.browser.go("/admin/no-such-page").await;
    looker.looks("/sign-out", 404, "Nothing is there").await;
}

/// Somebody is signed out in the middle of a form, moves something to a day that is past, saves what somebody else has saved meanwhile.
#[tokio::test]
async fn what_is_answered_where_something_changed_meanwhile_can_be_read_by_everybody() {
    let world = World::of_every_kind().await;
    schedule(&world).await;
    let mut looker = Looker::at(world.administrator(Manner::default()).await);
    let paste = "/{portal}/selection/paste";
    looker.browser.go("/m2m/selection/paste").await;
    looker.browser.fill("textarea[name=text]", &iccid(3)).await;
    world.app.operator.clock.advance(TimeDelta::hours(2));
    looker.presses(paste, "Choose these lines", 401, "You were signed out").await;
    looker.browser.sign_in_elsewhere("ada@fleet.example").await;
    looker.presses(paste, "Send again", 403, "You signed in anew").await;
    looker.presses(paste, "Send again", 200, "1 lines added").await;

    let admin = world.app.admin().await;
    let entry = admin.read("/api/v1/plan-queue").await["items"][0]["id"].to_string();
    let moves = "/{portal}/plan-queue/{id}/move";
    let address = format!("/m2m/plan-queue/{entry}/move");
    looker.sends(moves, &address, &[("effective_date", "2199-01-01")], 422, "Nothing was changed").await;
    let yesterday = (world.app.operator.clock.now() - TimeDelta::days(1)).format("%Y-%m-%d").to_string();
    looker.sends(moves, &address, &[("effective_date", &yesterday)], 422, "would be made at once").await;

    looker.browser.go("/admin/sites/1").await;
    let other = serde_json::json!({"name": HOSTILE});
    assert_eq!(admin.patch("/api/v1/sites/1", &other).await.status, 200);
    looker.presses("/admin/sites/{id}", "Save", 409, "Somebody else has changed this").await;
    looker.presses("/admin/sites/{id}", "Save all the same", 200, "Saved.").await;
    looker.found_nothing();
}

/// Whoever is not signed in sends forms, too.
#[tokio::test]
async fn what_is_answered_to_those_who_are_not_signed_in_can_be_read_by_everybody() {
    let world = World::with_lines(0).await;
    let ada = world.administrator(Manner::default()).await;
    drop(ada);
    let mut looker = Looker::at(Browser::open(&world.app.url, Manner::default()).await);
    let own = [("email", "ada@fleet.example"), ("password", "wrong")];
    looker.browser.go("/sign-in").await;
    looker.browser.send_form("/sign-in", &own).await;
    looker.looks("/sign-in", 401, "").await;
    looker.guesses("/sign-in", "/sign-in", &own).await;
    looker.looks("/sign-in", 429, "too many attempts").await;
    let fields = [("token", "no such word"), ("password", PASSWORD), ("again", "another")];
    looker.browser.send_form("/invitation", &fields).await;
    looker.looks("/invitation", 422, "").await;
    looker.browser.send_form("/sign-in/one-time-password", &[("one_time_password", "123456")]).await;
    looker.looks("/sign-in/one-time-password", 404, "").await;
    looker.found_nothing();
}
