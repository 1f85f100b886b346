//! People who come to a tenant, and those who would take their place.

use chrono::TimeDelta;
use lineshift_domain::ids::TenantId;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::{Answer, HttpCaller};
use lineshift_testkit::people::PASSWORD;
use serde_json::{Value, json};

const CEO: &str = "ceo@beta.example";

const OTHER_PASSWORD: &str = "brisk-lantern-hums-far";

/// Two operators, each with an administrator's key: the first one's, and Beta's with its tenant.
async fn acme_and_beta() -> (TestApp, HttpCaller, HttpCaller, TenantId) {
    let app = TestApp::with_lines(0).await;
    let beta = app.operator.beside("Beta", 0).await.tenant();
    let (acme, boss) = (app.admin().await, app.of_tenant(beta, "boss", "*").await.0);
    (app, acme, boss, beta)
}

async fn role(caller: &HttpCaller, name: &str) -> i64 {
    let roles = caller.read("/api/v1/roles").await;
    let found = roles["items"].as_array().expect("items").iter().find(|role| role["name"] == name);
    found.expect("a ready-made role")["id"].as_i64().expect("an id")
}

/// Adds somebody with that role to the caller's tenant; as they were added.
async fn add(caller: &HttpCaller, email: &str, name: &str, with: &str) -> Value {
    let roles = [role(caller, with).await];
    let answer =
        caller.post("/api/v1/users", &json!({"email": email, "display_name": name, "roles": roles, "reach": ["*"]})).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

fn token(added: &Value) -> &str {
    added["invitation"]["token"].as_str().expect("a token")
}

fn path_of(added: &Value) -> String {
    format!("/api/v1/users/{}", added["user"]["id"])
}

/// Takes an invitation up with a password.
async fn take_up(app: &TestApp, token: &str, password: &str) -> Answer {
    app.anonymous().post("/api/v1/invitation", &json!({"token": token, "password": password})).await
}

fn is_unknown(answer: &Answer) -> bool {
    answer.status == 422 && answer.problems() == ["token invitation_unknown"]
}

/// What Acme made of somebody's address opens nothing of Beta's, whenever Beta adds them.
#[tokio::test]
async fn whoever_made_an_account_gets_into_no_other_tenant_by_it() {
    let (app, acme, boss, beta) = acme_and_beta().await;
    let made = add(&acme, CEO, "Our guest", "viewer").await;
    assert_eq!(take_up(&app, token(&made), PASSWORD).await.status, 204, "Acme takes its own invitation up");
    let seat = add(&boss, CEO, "The CEO", "administrator").await;
    let thief = app.signs_in(CEO).await;
    let session = thief.read("/api/v1/session").await;
    assert_eq!(session["tenants"].as_array().map(Vec::len), Some(1), "{session}");
    assert_eq!(thief.put("/api/v1/session/tenant", &json!({"tenant_id": beta.0})).await.status, 404);
    let there = json!({"email": CEO, "password": PASSWORD, "tenant_id": beta.0});
    assert_eq!(app.sign_in(&there).await.status, 401, "the right password opens Acme alone");
    for wrong in ["x".to_owned(), token(&made).to_owned(), format!("{beta}.{}", "A".repeat(43))] {
        let body = json!({"token": wrong, "password": PASSWORD});
        assert!(is_unknown(&thief.post("/api/v1/invitations", &body).await), "only Beta's token would do, which Acme has not");
    }

    // Who has it, and not the account, sets no password either: the account is another one's.
    let refused = take_up(&app, token(&seat), OTHER_PASSWORD).await;
    assert_eq!(refused.problems(), ["token sign_in_first"]);
    let pending = boss.read(&path_of(&seat)).await;
    assert_eq!((&pending["is_pending"], &pending["display_name"]), (&json!(true), &json!("The CEO")));
    // Once nobody relies on the account, Beta's invitation begins it anew, and what Acme set is worth nothing.
    assert_eq!(acme.delete(&path_of(&made)).await.status, 204);
    assert_eq!(thief.get("/api/v1/me").await.status, 401);
    assert_eq!(take_up(&app, token(&seat), OTHER_PASSWORD).await.status, 204);
    assert_eq!(app.sign_in(&json!({"email": CEO, "password": PASSWORD})).await.status, 401);
    let ceo = app.sign_in(&json!({"email": CEO, "password": OTHER_PASSWORD})).await;
    assert_eq!((ceo.status, &ceo.json()["tenant"]["id"]), (200, &json!(beta.0)));
    assert_eq!(ceo.json()["person"]["display_name"], "The CEO");
}

/// Whether or not there is an account, whoever adds somebody is answered what they typed.
#[tokio::test]
async fn adding_somebody_does_not_tell_whether_they_are_known() {
    let (app, acme, boss, _) = acme_and_beta().await;
    let known = add(&acme, "known@acme.example", "Secret Name", "viewer").await;
    assert_eq!(take_up(&app, token(&known), PASSWORD).await.status, 204);
    let roles = [role(&boss, "viewer").await];
    let mut told = Vec::new();
    for email in ["known@acme.example", "new@acme.example"] {
        let body = json!({"email": email, "display_name": "Typed", "roles": roles, "reach": ["*"]});
        let answer = boss.post("/api/v1/users", &body).await;
        let mut view = answer.json();
        let (path, length) = (path_of(&view), token(&view).len());
        assert_eq!(boss.read(&path).await, view["user"]);
        for (part, field) in [("user", "id"), ("user", "email"), ("invitation", "token")] {
            view[part][field] = json!(null);
        }
        let again = boss.post("/api/v1/users", &body).await;
        let anew = boss.post_empty(&format!("{path}/invitation")).await;
        told.push((answer.status, view, length, again.status, again.problems(), anew.status));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!((told[0].0, told[0].3, told[0].5), (201, 409, 200));
    let invited = acme.post_empty(&format!("{}/invitation", path_of(&known))).await;
    assert_eq!(invited.status, 200, "Beta's wish takes nothing from Acme");
}

#[tokio::test]
async fn an_invitation_is_accepted_with_its_token_and_ones_password() {
    let (app, acme, boss, beta) = acme_and_beta().await;
    let ada = app.signed_in("ada@acme.example", &["viewer"], "*").await;
    let elsewhere = app.signs_in("ada@acme.example").await;
    app.operator.clock.advance(TimeDelta::minutes(5));
    let added = add(&boss, "ada@acme.example", "A guest", "operator").await;
    let received = ada.read("/api/v1/invitations").await;
    let expected = json!({"account_created_at": "2026-12-01T09:00:00Z",
        "tenants": [{"id": 1, "name": "Altaworx", "time_zone": "America/Chicago"}],
        "items": [{"id": beta.0, "tenant": "Beta", "created_at": "2026-12-01T09:05:00Z", "ends_at": "2026-12-08T09:05:00Z"}]});
    assert_eq!(received, expected);

    let member = acme.read("/api/v1/users").await["items"][0]["id"].clone();
    let reset = acme.post_empty(&format!("/api/v1/users/{member}/invitation")).await.json();
    let accept = async |body: Value| ada.post("/api/v1/invitations", &body).await;
    assert_eq!(accept(json!({})).await.problems(), ["token missing_field"]);
    assert_eq!(accept(json!({"token": token(&added)})).await.problems(), ["password missing_field"]);
    assert_eq!(accept(json!({"token": token(&added), "password": "wrong"})).await.problems(), ["password wrong_password"]);
    let weak = json!({"token": token(&added), "password": PASSWORD, "new_password": "short"});
    assert_eq!(accept(weak).await.problems()[0], "new_password password_too_short");
    let bob = app.signed_in("bob@acme.example", &["viewer"], "*").await;
    let stolen = bob.post("/api/v1/invitations", &json!({"token": token(&added), "password": PASSWORD})).await;
    assert!(is_unknown(&stolen), "it is Ada's");

    let accepted = accept(json!({"token": token(&added), "password": PASSWORD, "new_password": OTHER_PASSWORD})).await;
    assert_eq!(accepted.status, 200, "{}", accepted.text());
    assert_eq!(accepted.json()["tenants"].as_array().map(Vec::len), Some(2));
    for before in [&ada, &elsewhere] {
        assert_eq!(before.get("/api/v1/me").await.status, 401, "whoever knew the password before is out");
    }
    let ada = app.anonymous().with_session(&accepted);
    assert_eq!(ada.put("/api/v1/session/tenant", &json!({"tenant_id": beta.0})).await.status, 200);
    let here = boss.read(&path_of(&added)).await;
    assert_eq!((&here["is_pending"], &here["display_name"]), (&json!(false), &json!("ada")), "she calls herself so");
    let late = take_up(&app, reset["token"].as_str().expect("a token"), PASSWORD).await;
    assert!(is_unknown(&late), "the account is not Acme's alone any more");
    for (caller, path) in [(&acme, format!("/api/v1/users/{member}")), (&boss, path_of(&added))] {
        assert_eq!(caller.post_empty(&format!("{path}/invitation")).await.status, 409);
    }
    let logged =
        |log: Value| log["items"].as_array().expect("items").iter().filter(|e| e["action"] == "POST /api/v1/invitations").count();
    assert_eq!(logged(boss.read("/api/v1/audit").await), 4, "in Beta's log, with the attempts");
    assert_eq!(logged(acme.read("/api/v1/audit").await), 0, "and nobody else's");
}

#[tokio::test]
async fn an_invitation_is_declined() {
    let (app, acme, boss, beta) = acme_and_beta().await;
    let ada = app.signed_in("ada@acme.example", &["viewer"], "*").await;
    let added = add(&boss, "ada@acme.example", "A guest", "operator").await;
    let own = app.operator.tenant();
    let path = |tenant: TenantId| format!("/api/v1/invitations/{tenant}");
    for wrong in [path(own), path(TenantId(999))] {
        assert_eq!(ada.delete(&wrong).await.status, 404);
    }
    assert_eq!(ada.delete(&path(beta)).await.status, 204, "nothing but her session is needed");
    assert_eq!(ada.delete(&path(beta)).await.status, 404);
    assert_eq!(ada.read("/api/v1/invitations").await["items"], json!([]));
    assert_eq!(boss.get(&path_of(&added)).await.status, 404);
    let log = boss.read("/api/v1/audit?action=DELETE%20/api/v1/invitations/%7Bid%7D").await;
    assert_eq!(
        (&log["items"][0]["action"], &log["items"][0]["who"]),
        (&json!("DELETE /api/v1/invitations/{id}"), &json!("ada@acme.example"))
    );
    assert!(!acme.get("/api/v1/audit").await.text().contains("/invitations"));
    add(&boss, "ada@acme.example", "A guest", "operator").await;
}

/// Who adds somebody has no say in where they work.
#[tokio::test]
async fn signing_in_leads_where_one_was_last() {
    let (app, _, boss, beta) = acme_and_beta().await;
    let third = app.operator.beside("Third", 0).await.tenant();
    let user = app.operator.user("ada@acme.example").await;
    app.operator.member(third, user, &["viewer"], "*").await;
    app.operator.clock.advance(TimeDelta::minutes(1));
    app.operator.member(app.operator.tenant(), user, &["viewer"], "*").await;
    add(&boss, "ada@acme.example", "A guest", "administrator").await;
    let enter = async |tenant: Option<TenantId>| {
        app.operator.clock.advance(TimeDelta::minutes(1));
        let body = json!({"email": "ada@acme.example", "password": PASSWORD, "tenant_id": tenant.map(|tenant| tenant.0)});
        let answer = app.sign_in(&body).await;
        (answer.status, answer.json()["tenant"]["id"].clone())
    };
    assert_eq!(enter(None).await, (200, json!(third.0)), "accepted first, though its number is higher");
    let own = app.operator.tenant();
    assert_eq!(enter(Some(own)).await, (200, json!(own.0)));
    assert_eq!(enter(None).await, (200, json!(own.0)), "the one entered last");
    assert_eq!(enter(Some(beta)).await.0, 401, "never one that was only added");
}

/// A word that somebody kept who may do little is worth nothing when its member may do more.
#[tokio::test]
async fn an_invitation_is_taken_back_when_its_member_may_do_more() {
    let (app, admin, ..) = acme_and_beta().await;
    let lesser = app.with_scopes("lesser", "m2m:view mobility:view lnp:view admin:view admin:create admin:edit").await;
    let added = add(&lesser, "ann@acme.example", "Ann", "viewer").await;
    let administrator = role(&admin, "administrator").await;
    let raised = admin.patch(&path_of(&added), &json!({"roles": [administrator]})).await;
    assert_eq!((raised.status, &raised.json()["invitation_ends_at"]), (200, &json!(null)));
    assert!(is_unknown(&take_up(&app, token(&added), PASSWORD).await));
    assert_eq!(lesser.post_empty(&format!("{}/invitation", path_of(&added))).await.status, 403);
    let anew = admin.post_empty(&format!("{}/invitation", path_of(&added))).await.json();
    assert_eq!(take_up(&app, anew["token"].as_str().expect("a token"), PASSWORD).await.status, 204);
    // The same of one who is there already and forgot the password, and of what a role allows.
    let viewer = role(&admin, "viewer").await;
    let ben = add(&admin, "ben@acme.example", "Ben", "administrator").await;
    assert_eq!(take_up(&app, token(&ben), PASSWORD).await.status, 204);
    assert_eq!(admin.patch(&path_of(&added), &json!({"roles": [viewer]})).await.status, 200);
    let reset = lesser.post_empty(&format!("{}/invitation", path_of(&added))).await.json();
    let wider = json!({"scopes": ["m2m:view", "m2m:edit", "mobility:view", "lnp:view"]});
    assert_eq!(admin.patch(&format!("/api/v1/roles/{viewer}"), &wider).await.status, 200);
    assert!(is_unknown(&take_up(&app, reset["token"].as_str().expect("a token"), PASSWORD).await));
}

#[tokio::test]
async fn whoever_is_removed_is_out_and_what_they_did_stays() {
    let (app, admin, ..) = acme_and_beta().await;
    let ada = app.signed_in("ada@acme.example", &["administrator"], "*").await;
    app.signed_in("bob@acme.example", &["administrator"], "*").await;
    assert_eq!(ada.post("/api/v1/sites", &json!({"name": "Depot"})).await.status, 201);
    let users = admin.read("/api/v1/users").await;
    let path = format!("/api/v1/users/{}", users["items"][0]["id"]);
    assert_eq!(users["items"][0]["email"], "ada@acme.example");
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(
        (ada.get("/api/v1/me").await.status, admin.get(&path).await.status, admin.delete(&path).await.status),
        (401, 404, 404)
    );
    assert_eq!(app.sign_in(&json!({"email": "ada@acme.example", "password": PASSWORD})).await.status, 401);
    let log = admin.get("/api/v1/audit").await.text();
    assert!(log.contains("ada@acme.example") && log.contains("POST /api/v1/sites"), "{log}");
    let again = add(&admin, "ada@acme.example", "Ada", "viewer").await;
    assert_ne!(path_of(&again), path);
}
