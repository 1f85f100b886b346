//! The pages of Admin: who sees which, what each form does, and what nobody is shown.

use lineshift_testkit::app::TestApp;
use lineshift_testkit::people::PASSWORD;
use lineshift_web::PAGES;
use serde_json::{Value, json};

use crate::browser::Browser;

const SCRIPT: &str = "<script>alert(1)</script>";

/// The operator with an administrator, somebody who may only look, and one who may neither.
pub(crate) async fn staffed() -> (TestApp, Browser, Browser, Browser) {
    let app = TestApp::with_lines(1).await;
    app.signed_in("ada@fleet.example", &["administrator"], "*").await;
    app.signed_in("olga@fleet.example", &["operator"], "*").await;
    app.signed_in("vic@fleet.example", &["viewer"], "*").await;
    let ada = Browser::signed_in(&app, "ada@fleet.example").await;
    let olga = Browser::signed_in(&app, "olga@fleet.example").await;
    let vic = Browser::signed_in(&app, "vic@fleet.example").await;
    (app, ada, olga, vic)
}

/// The first of a list of the API that is called so.
pub(crate) async fn named(app: &TestApp, list: &str, name: &str) -> Value {
    let listed = app.admin().await.read(&format!("/api/v1/{list}?limit=1000")).await;
    let mut items = listed["items"].as_array().expect("items").iter();
    let found = items.find(|item| ["name", "display_name", "email"].iter().any(|field| item[*field] == name));
    found.unwrap_or_else(|| panic!("no {name} among {listed}")).clone()
}

/// What is written down of the one request of that kind.
pub(crate) async fn written_down(app: &TestApp, action: &str) -> Value {
    let listed = app.admin().await.read("/api/v1/audit?limit=1000").await;
    let found = listed["items"].as_array().expect("items").iter().find(|entry| entry["action"] == action);
    found.unwrap_or_else(|| panic!("no {action} in {listed}")).clone()
}

#[tokio::test]
async fn admin_is_shown_to_who_may_look_and_refused_to_others() {
    let (app, ada, olga, mut vic) = staffed().await;
    assert!(ada.page("/").await.contains("href=\"/admin\"") && olga.page("/").await.contains("href=\"/admin\""));
    assert!(!vic.page("/").await.contains("href=\"/admin\""), "what one may not look at is not offered");
    for row in PAGES.iter().filter(|row| row.path.starts_with("/admin")) {
        let path = row.path.replace("{id}", "1");
        let status = if row.method == "get" {
            vic.open(&path).await.status
        } else {
            vic.send_from("/", &path, &[("sure", "yes"), ("name", "x")]).await.status
        };
        assert_eq!(status, 403, "{} {path}", row.method);
    }
    let mut olga = olga;
    for row in PAGES.iter().filter(|row| row.path.starts_with("/admin") && (row.method == "post" || row.path.ends_with("/new"))) {
        let path = row.path.replace("{id}", "1");
        let status = if row.method == "get" {
            olga.open(&path).await.status
        } else {
            olga.send_from("/", &path, &[("sure", "yes"), ("name", "x")]).await.status
        };
        assert_eq!(status, 403, "{} {path}", row.method);
    }
    let role = named(&app, "roles", "viewer").await["id"].to_string();
    let page = olga.page(&format!("/admin/roles/{role}")).await;
    assert!(page.contains("M2M: view") && !page.contains("action=\"/admin/"), "who may only look is offered no form: {page}");
    for list in ["users", "roles", "api-keys", "customers", "sites"] {
        assert!(!olga.page(&format!("/admin/{list}")).await.contains(&format!("/admin/{list}/new")), "{list}");
    }
}

/// What stands there names customers, sites and service providers of others: whoever is limited administrates nothing.
#[tokio::test]
async fn whoever_is_limited_sees_no_page_of_admin_and_none_of_its_names() {
    let app = TestApp::with_lines(1).await;
    let site = app.operator.amop_site.0;
    let named = app.admin().await.patch(&format!("/api/v1/sites/{site}"), &json!({"name": "Hidden Works"})).await;
    assert_eq!(named.status, 200, "{}", named.text());
    app.signed_in("own@fleet.example", &["operator"], &format!("site:{site}")).await;
    app.signed_in("lim@fleet.example", &["administrator"], "customer:4711").await;
    let limited = Browser::signed_in(&app, "lim@fleet.example").await;
    assert!(!limited.page("/").await.contains("href=\"/admin\""));
    for row in PAGES.iter().filter(|row| row.path.starts_with("/admin") && row.method == "get") {
        let answer = limited.open(&row.path.replace("{id}", "1")).await;
        assert_eq!((answer.status, answer.text().contains("Hidden Works")), (403, false), "{}", row.path);
    }
}

#[tokio::test]
async fn a_user_is_invited_changed_signed_out_and_removed() {
    let (app, mut ada, _, _) = staffed().await;
    let viewer = named(&app, "roles", "viewer").await["id"].to_string();
    let fields =
        [("email", "Bob@fleet.example"), ("display_name", SCRIPT), ("roles", &viewer), ("reach", "*"), ("is_active", "true")];
    let added = ada.send_from("/admin/users/new", "/admin/users", &fields).await;
    assert_eq!(added.status, 201, "{}", added.text());
    let page = added.text();
    assert!(!page.contains(SCRIPT) && page.contains("&#60;script&#62;"), "{page}");
    let token = page.split("/invitation#").nth(1).and_then(|rest| rest.split('"').next()).expect("a link").to_owned();
    let bob = named(&app, "users", "bob@fleet.example").await;
    let address = format!("/admin/users/{}", bob["id"]);
    let entry = written_down(&app, "POST /admin/users").await;
    assert_eq!(entry["made"], json!(format!("users/{}", bob["id"])));
    assert!(!ada.page(&address).await.contains(&token), "it is shown once");
    assert!(!ada.page("/admin/users").await.contains(SCRIPT));

    let again = ada.send_from("/admin/users/new", "/admin/users", &fields).await;
    assert_eq!(again.status, 409);
    assert!(again.text().contains("value=\"Bob@fleet.example\"") && again.text().contains("role=\"alert\""), "{}", again.text());
    let wrong = [("email", "bob"), ("display_name", "B"), ("reach", "everywhere")];
    let wrong = ada.send_from("/admin/users/new", "/admin/users", &wrong).await;
    assert_eq!(wrong.status, 422);
    let page = wrong.text();
    assert!(page.contains("such as ann@example.com") && page.contains("such as customer:5"), "all problems at once: {page}");
    assert!(page.contains(">everywhere</textarea>"), "what was typed stays");

    let operator = named(&app, "roles", "operator").await["id"].to_string();
    let changed = [("roles", operator.as_str()), ("roles", &viewer), ("reach", "service_provider:1"), ("is_active", "true")];
    let changed = ada.send_from(&address, &address, &changed).await;
    assert_eq!((changed.status, changed.header("location")), (303, format!("{address}?saved").as_str()), "{}", changed.text());
    let page = ada.page(&format!("{address}?saved")).await;
    assert!(page.contains("Saved.") && page.contains(">service_provider:1</textarea>"), "{page}");
    let provider = app.admin().await.read("/api/v1/service-providers/1").await["name"].as_str().expect("a name").to_owned();
    assert!(page.contains(&format!("service provider {provider} (1)")), "what is seen is named: {page}");
    assert_eq!(named(&app, "users", "bob@fleet.example").await["roles"].as_array().map(Vec::len), Some(2));

    let anew = ada.send_from(&address, &format!("{address}/invitation"), &[]).await;
    assert_eq!(anew.status, 200);
    assert!(anew.text().contains("/invitation#") && !anew.text().contains(&token));

    let vic = format!("/admin/users/{}", named(&app, "users", "vic@fleet.example").await["id"]);
    assert!(ada.page(&vic).await.contains("Sign them out"));
    assert_eq!(ada.send_from(&vic, &format!("{vic}/sessions/end"), &[]).await.status, 422, "nobody said that they mean it");
    assert_eq!(ada.send_from(&vic, &format!("{vic}/sessions/end"), &[("sure", "yes")]).await.status, 303);
    assert!(ada.page(&vic).await.contains("Nowhere in this tenant."));
    let removed = ada.send_from(&address, &format!("{address}/remove"), &[("sure", "yes")]).await;
    assert_eq!((removed.status, removed.header("location")), (303, "/admin/users"));
    assert_eq!(ada.open(&address).await.status, 404);
}

#[tokio::test]
async fn a_role_is_made_of_a_matrix_changed_and_deleted() {
    let (app, mut ada, _, _) = staffed().await;
    let fields = [("name", "desk"), ("scopes", "m2m:view"), ("scopes", "mobility:edit")];
    let made = ada.send_from("/admin/roles/new", "/admin/roles", &fields).await;
    let role = named(&app, "roles", "desk").await;
    let address = format!("/admin/roles/{}", role["id"]);
    assert_eq!((made.status, made.header("location")), (303, format!("{address}?saved").as_str()), "{}", made.text());
    assert_eq!(role["scopes"], json!(["m2m:view", "mobility:edit"]));
    assert_eq!(written_down(&app, "POST /admin/roles").await["made"], json!(format!("roles/{}", role["id"])));
    let page = ada.page(&address).await;
    assert_eq!(page.matches(" checked").count(), 2, "{page}");
    assert!(page.contains("aria-label=\"Mobility: edit\" checked"), "{page}");
    let taken = ada.send_from(&address, &address, &[("name", "viewer"), ("scopes", "lnp:view")]).await;
    assert_eq!(taken.status, 422, "{}", taken.text());
    assert!(taken.text().contains("ready-made roles keep their names") && taken.text().contains("value=\"viewer\""));
    let changed = ada.send_from(&address, &address, &[("name", "front desk"), ("scopes", "lnp:view")]).await;
    assert_eq!(changed.status, 303, "{}", changed.text());
    assert_eq!(named(&app, "roles", "front desk").await["scopes"], json!(["lnp:view"]));
    let deleted = ada.send_from(&address, &format!("{address}/delete"), &[("sure", "yes")]).await;
    assert_eq!((deleted.status, deleted.header("location")), (303, "/admin/roles"));
    let held = format!("/admin/roles/{}", named(&app, "roles", "viewer").await["id"]);
    assert_eq!(ada.send_from(&held, &format!("{held}/delete"), &[("sure", "yes")]).await.status, 409, "somebody has it");
}

#[tokio::test]
async fn a_key_is_shown_once_and_revoked() {
    let (app, mut ada, _, _) = staffed().await;
    let fields = [("name", "nightly job"), ("scopes", "m2m:view"), ("reach", "*"), ("expires_at", "2099-01-01")];
    let made = ada.send_from("/admin/api-keys/new", "/admin/api-keys", &fields).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let page = made.text();
    let key = page.split("value=\"ls_").nth(1).and_then(|rest| rest.split('"').next()).expect("a key");
    let caller = app.caller(Some(format!("ls_{key}")));
    assert_eq!(caller.get("/api/v1/devices").await.status, 200);
    let stored = named(&app, "api-keys", "nightly job").await;
    assert!(stored["expires_at"].as_str().is_some_and(|at| at.starts_with("2099-01-01T")), "{stored}");
    let address = format!("/admin/api-keys/{}", stored["id"]);
    let page = ada.page(&address).await;
    assert!(!page.contains(key) && page.contains("M2M: view") && page.contains("until 2099-01-01 00:00"), "{page}");
    let none = ada.send_from("/admin/api-keys/new", "/admin/api-keys", &[("name", "idle"), ("expires_at", "2001-01-01")]).await;
    assert_eq!(none.status, 422);
    assert!(none.text().contains("may do nothing is of no use") && none.text().contains("a moment after now"), "{}", none.text());
    let revoked = ada.send_from(&address, &format!("{address}/revoke"), &[("sure", "yes")]).await;
    assert_eq!(revoked.status, 303, "{}", revoked.text());
    assert_eq!(caller.get("/api/v1/devices").await.status, 401);
    assert!(!ada.page(&address).await.contains("Revoke the key"));
}

#[tokio::test]
async fn reference_data_is_made_and_changed_and_what_it_is_called_is_only_text() {
    let (app, mut ada, _, _) = staffed().await;
    let integration = app.operator.authentication.0.to_string();
    let fields = [("id", "900004711"), ("name", SCRIPT), ("integration_authentication_id", &integration), ("is_active", "true")];
    let made = ada.send_from("/admin/customers/new", "/admin/customers", &fields).await;
    assert_eq!((made.status, made.header("location")), (303, "/admin/customers/900004711?saved"), "{}", made.text());
    assert_eq!(written_down(&app, "POST /admin/customers").await["made"], "customers/900004711");
    for path in ["/admin/customers", "/admin/customers/900004711", "/admin/sites/new"] {
        let page = ada.page(path).await;
        assert!(!page.contains(SCRIPT) && page.contains("&#60;script&#62;"), "{path}: {page}");
    }
    for (sought, finds) in [("900004711", true), ("SCRIPT%3E", true), ("nobody+is+called+so", false)] {
        let page = ada.page(&format!("/admin/customers?q={sought}")).await;
        assert_eq!(page.contains("href=\"/admin/customers/900004711\""), finds, "{sought}: {page}");
        assert!(!page.contains("<script>"), "{page}");
    }
    let site = ada.send_from("/admin/sites/new", "/admin/sites", &[("name", "Yard"), ("rev_customer_id", "99999999")]).await;
    assert_eq!(site.status, 422);
    assert!(site.text().contains("there is none with this id") && site.text().contains("value=\"99999999\""), "{}", site.text());
    let site = ada.send_from("/admin/sites/new", "/admin/sites", &[("name", "Yard"), ("rev_customer_id", "900004711")]).await;
    assert_eq!(site.status, 303, "{}", site.text());
    let site = named(&app, "sites", "Yard").await;
    assert_eq!(
        (&site["rev_customer_id"], &site["is_active"]),
        (&json!(900_004_711), &json!(false)),
        "a box that is not ticked is no"
    );

    let wrong = [("name", "Plan"), ("monthly_price", "-1"), ("allocation_default_mb", "5"), ("allocation_bound_mb", "4")];
    let wrong = ada.send_from("/admin/customer-rate-plans/new", "/admin/customer-rate-plans", &wrong).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("or nothing") && wrong.text().contains("expected at most"), "{}", wrong.text());
    let plan = [("name", "Plan"), ("monthly_price", "12.50"), ("is_active", "true")];
    let plan = ada.send_from("/admin/customer-rate-plans/new", "/admin/customer-rate-plans", &plan).await;
    let address = plan.header("location").trim_end_matches("?saved").to_owned();
    let changed = ada.send_from(&address, &address, &[("name", "Plan B"), ("is_active", "true")]).await;
    assert_eq!(changed.status, 303, "{}", changed.text());
    let plan = named(&app, "customer-rate-plans", "Plan B").await;
    assert_eq!(plan["monthly_price"], Value::Null, "what was emptied is cleared");
    let emptied = ada.send_from(&address, &address, &[]).await;
    assert_eq!(emptied.status, 422, "a name is not kept unsaid where it was emptied");

    let pool =
        ada.send_from("/admin/customer-rate-pools/new", "/admin/customer-rate-pools", &[("name", "Pool"), ("is_active", "true")]);
    assert_eq!(pool.await.status, 303);
    let provider = [("name", "Second Jasper"), ("integration_kind", "Jasper"), ("is_active", "true")];
    assert_eq!(ada.send_from("/admin/service-providers/new", "/admin/service-providers", &provider).await.status, 303);
    assert!(ada.page("/admin/service-providers").await.contains("Second Jasper"));
}

#[tokio::test]
async fn what_is_another_tenants_is_not_there() {
    let (app, _, _, _) = staffed().await;
    let stranger = app.operator.user("str@other.example").await;
    let now = lineshift_engine::Clock::now(&*app.operator.clock);
    let other = app.operator.store.create_tenant("Other", chrono_tz::UTC, now).await.expect("a tenant");
    app.operator.member(other, stranger, &["administrator"], "*").await;
    let mut browser = Browser::signed_in(&app, "str@other.example").await;
    let users = browser.page("/admin/users").await;
    assert!(users.contains("str@other.example") && !users.contains("fleet.example"), "{users}");
    for list in ["users", "api-keys", "service-providers", "customers", "sites", "customer-rate-plans"] {
        let items = app.admin().await.read(&format!("/api/v1/{list}")).await["items"].clone();
        let ours = items.as_array().expect("items").last().expect("one of ours");
        let path = format!("/admin/{list}/{}", ours["id"]);
        let (own, missing) = (browser.open(&path).await, browser.open(&format!("/admin/{list}/99999999")).await);
        assert_eq!((own.status, own.body), (404, missing.body), "{path}");
        if !["users", "api-keys"].contains(&list) {
            assert_eq!(browser.send_from("/admin/users", &path, &[("name", "Mine now")]).await.status, 404, "{path}");
        }
    }
    let vic = named(&app, "users", "vic@fleet.example").await["id"].to_string();
    for act in ["remove", "invitation", "sessions/end"] {
        let answer = browser.send_from("/admin/users", &format!("/admin/users/{vic}/{act}"), &[("sure", "yes")]).await;
        assert_eq!(answer.status, 404, "{act}");
    }
    assert_eq!(app.sign_in(&json!({"email": "vic@fleet.example", "password": PASSWORD})).await.status, 200);
}
