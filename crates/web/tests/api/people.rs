//! Roles, users, who is signed in.

use lineshift_domain::ids::{PrincipalId, TenantId};
use lineshift_engine::Clock as _;
use lineshift_store::people::NewSession;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::{Answer, HttpCaller, send};
use lineshift_testkit::people::PASSWORD;
use lineshift_web::hash_of_invitation;
use reqwest::Method;
use serde_json::{Value, json};

async fn delete(caller: &HttpCaller, path: &str) -> Answer {
    send(caller.request(Method::DELETE, path)).await
}

/// The ids of the tenant's roles, in the order in which every tenant begins with them.
async fn role_ids(caller: &HttpCaller) -> Vec<i64> {
    let listed = caller.read("/api/v1/roles").await;
    listed["items"].as_array().expect("items").iter().map(|role| role["id"].as_i64().expect("an id")).collect()
}

/// A person with those roles who sees everything; as they were added.
async fn added(caller: &HttpCaller, email: &str, roles: &[i64]) -> Value {
    let body = json!({"email": email, "display_name": "Somebody", "roles": roles, "reach": ["*"]});
    let answer = caller.post("/api/v1/users", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

/// The same of somebody who took the invitation up.
async fn joined(app: &TestApp, caller: &HttpCaller, email: &str, roles: &[i64]) -> Value {
    let user = added(caller, email, roles).await;
    let body = json!({"token": user["invitation"]["token"], "password": PASSWORD});
    let answer = app.anonymous().post("/api/v1/invitation", &body).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    user
}

fn path_of(user: &Value) -> String {
    format!("/api/v1/users/{}", user["user"]["id"])
}

fn member(user: &Value) -> PrincipalId {
    PrincipalId(user["user"]["id"].as_i64().expect("an id"))
}

#[tokio::test]
async fn every_tenant_begins_with_the_ready_made_roles() {
    let app = TestApp::with_lines(0).await;
    let listed = app.admin().await.read("/api/v1/roles").await;
    let shown = |role: &Value| {
        let scopes = role["scopes"].as_array().expect("a list").len();
        format!("{}: {scopes} scopes, limited: {}", role["name"].as_str().expect("a name"), role["is_limited"])
    };
    let shown: Vec<String> = listed["items"].as_array().expect("items").iter().map(shown).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    administrator: 12 scopes, limited: false
    operator: 10 scopes, limited: false
    viewer: 3 scopes, limited: false
    customer-scoped operator: 9 scopes, limited: true
    ");
}

#[tokio::test]
async fn roles_are_created_changed_shown_and_taken_away() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    let created = admin.post("/api/v1/roles", &json!({"name": "clerk", "scopes": ["m2m:edit", "m2m:view"]})).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let path = created.header("location").to_owned();
    let role = created.json();
    assert_eq!((&role["name"], &role["scopes"]), (&json!("clerk"), &json!(["m2m:view", "m2m:edit"])));
    assert_eq!(admin.read(&path).await, role);
    let changed = admin.patch(&path, &json!({"name": "chief clerk", "scopes": ["*"]})).await;
    assert_eq!((changed.status, changed.json()["scopes"].as_array().map(Vec::len)), (200, Some(12)));
    assert_eq!(admin.read(&path).await, changed.json());
    assert_eq!(admin.patch(&path, &json!({"scopes": []})).await.json()["name"], "chief clerk", "absent fields stay");

    let ann = added(&admin, "ann@example.com", &[role["id"].as_i64().expect("an id")]).await;
    let kept = delete(&admin, &path).await;
    assert_eq!((kept.status, kept.problems()), (409, vec!["conflict".to_owned()]), "Ann has it");
    assert_eq!(admin.patch(&path_of(&ann), &json!({"roles": []})).await.status, 200);
    assert_eq!(delete(&admin, &path).await.status, 204);
    assert_eq!((admin.get(&path).await.status, delete(&admin, &path).await.status), (404, 404));

    let pages = admin.read("/api/v1/roles?limit=3").await;
    let rest = admin.read(&format!("/api/v1/roles?limit=3&after={}", pages["next"].as_str().expect("a cursor"))).await;
    assert_eq!((rest["items"].as_array().map(Vec::len), &rest["next"]), (Some(1), &json!(null)));
}

#[tokio::test]
async fn people_are_added_and_changed() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    let roles = role_ids(&admin).await;
    let reach = json!([format!("customer:{}", app.operator.rev_customer), format!("site:{}", app.operator.amop_site)]);
    let body = json!({"email": " Ann@Example.com", "display_name": "Ann", "roles": [roles[3]], "reach": reach});
    let answer = admin.post("/api/v1/users", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let ann = answer.json();
    let expected = json!({"id": ann["user"]["id"], "email": "ann@example.com", "display_name": "Ann", "roles": [roles[3]],
        "reach": reach, "is_active": true, "created_at": "2026-12-01T09:00:00Z", "is_pending": true,
        "invitation_ends_at": "2026-12-08T09:00:00Z", "identity_issuer": null});
    assert_eq!((&ann["user"], answer.header("location")), (&expected, path_of(&ann).as_str()));
    assert_eq!(ann["invitation"]["ends_at"], "2026-12-08T09:00:00Z");
    let token = ann["invitation"]["token"].as_str().expect("a token");
    let (store, now) = (&app.operator.store, app.operator.clock.now());
    let tenant = app.operator.tenant();
    let invited = store.find_invited_member(tenant, &hash_of_invitation(token), now).await.expect("a look-up").expect("somebody");
    assert_eq!((invited.user.email.as_str(), invited.is_relied_on), ("ann@example.com", false));
    assert!(!admin.get("/api/v1/users").await.text().contains(token), "it is shown once");

    let changed = admin.patch(&path_of(&ann), &json!({"roles": [roles[2], roles[1]], "reach": ["*"], "is_active": false})).await;
    let expected = json!({"id": ann["user"]["id"], "email": "ann@example.com", "display_name": "Ann",
        "roles": [roles[1], roles[2]], "reach": ["*"], "is_active": false, "created_at": "2026-12-01T09:00:00Z",
        "is_pending": true, "invitation_ends_at": null, "identity_issuer": null});
    assert_eq!((changed.status, &changed.json()), (200, &expected));
    assert_eq!(admin.read(&path_of(&ann)).await, expected);
    assert_eq!(admin.read("/api/v1/users").await, json!({"items": [expected], "next": null}));
    let again = admin.post("/api/v1/users", &body).await;
    assert_eq!((again.status, again.problems()), (409, vec!["conflict".to_owned()]));
}

#[tokio::test]
async fn bodies_are_refused_with_every_problem_at_once() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    let roles = role_ids(&admin).await;
    let mut lines = Vec::new();
    for (path, body) in [
        ("roles", json!({})),
        ("roles", json!({"name": " ", "scopes": ["m2m:fly", 7, "m2m:view m2m:edit"], "more": 1})),
        ("roles", json!({"name": "operator", "scopes": ["m2m:view"]})),
        ("users", json!({})),
        (
            "users",
            json!({"email": "ann", "display_name": "", "roles": [0, "x"], "reach": ["customer", "everything"], "is_active": 1}),
        ),
        ("users", json!({"email": "a@b", "display_name": "A", "roles": roles[0], "reach": ["*", "site:1"]})),
        (
            "users",
            json!({"email": "a@b", "display_name": "A", "roles": [99_999, roles[2]],
            "reach": ["customer:9", "site:99999", "service_provider:99999"]}),
        ),
        ("users", json!({"email": "a@b", "display_name": "A", "roles": [roles[3]], "reach": ["*"]})),
        ("users", json!({"email": "ro\u{200b}ot@example.com", "display_name": "R\u{202e}oot", "roles": [], "reach": []})),
        ("roles", json!({"name": "op\u{ad}erator", "scopes": ["m2m:view"]})),
        ("api-keys", json!({"name": "k\u{2066}", "scopes": ["m2m:view"]})),
        ("api-keys", json!({})),
        ("api-keys", json!({"name": "k", "scopes": [], "reach": ["x"], "expires_at": "2020-01-01T00:00:00Z"})),
        ("api-keys", json!({"name": "k", "scopes": ["m2m:view"], "reach": ["site:99999"], "expires_at": "tomorrow"})),
        ("api-keys", json!({"name": "k", "scopes": ["m2m:view"], "reach": ["site:99999", "customer:9"]})),
    ] {
        let answer = admin.post(&format!("/api/v1/{path}"), &body).await;
        lines.push(format!("{path}: {} {}", answer.status, answer.problems().join(", ")));
    }
    let ready_made = format!("/api/v1/roles/{}", roles[2]);
    let renamed = admin.patch(&ready_made, &json!({"name": "onlooker"})).await;
    lines.push(format!("renamed: {} {}", renamed.status, renamed.problems().join(", ")));
    insta::assert_snapshot!(lines.join("\n"), @r"
    roles: 422 name missing_field, scopes missing_field
    roles: 422 name wrong_form, scopes[0] wrong_form, scopes[1] wrong_form, scopes[2] wrong_form, more unknown_field
    roles: 409 conflict
    users: 422 email missing_field, display_name missing_field, roles missing_field, reach missing_field
    users: 422 email wrong_form, display_name wrong_form, roles[0] wrong_form, roles[1] wrong_form, reach[0] wrong_form, reach[1] wrong_form, is_active wrong_form
    users: 422 roles wrong_type, reach wrong_form
    users: 422 roles[0] unknown_reference, reach unknown_reference, reach unknown_reference, reach unknown_reference
    users: 422 reach limit_missing
    users: 422 email wrong_form, display_name wrong_form
    roles: 422 name wrong_form
    api-keys: 422 name wrong_form
    api-keys: 422 name missing_field, scopes missing_field
    api-keys: 422 scopes wrong_form, reach[0] wrong_form, expires_at wrong_form
    api-keys: 422 expires_at wrong_form
    api-keys: 422 reach unknown_reference, reach unknown_reference
    renamed: 422 name name_kept
    ");
    assert_eq!(admin.read("/api/v1/users").await["items"], json!([]), "nothing of them was stored");
}

#[tokio::test]
async fn looking_creating_and_changing_are_scopes_of_their_own() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    let roles = role_ids(&admin).await;
    let ann = path_of(&added(&admin, "ann@example.com", &[]).await);
    let role = format!("/api/v1/roles/{}", roles[2]);
    let key = "/api/v1/api-keys/1";
    let new_user = json!({"email": "b@example.com", "display_name": "B", "roles": [], "reach": ["*"]});
    let (viewer, orderer) = (app.viewer().await, app.orderer().await);
    let creator = app.with_scopes("creator", "m2m:view admin:create").await;
    let editor = app.with_scopes("editor", "m2m:view mobility:view lnp:view admin:edit").await;
    for path in ["/api/v1/roles", "/api/v1/users", "/api/v1/api-keys", &role, &ann, key, &format!("{ann}/sessions")] {
        assert_eq!(viewer.get(path).await.status, 200, "{path}");
        for caller in [&orderer, &creator, &editor] {
            assert_eq!(caller.get(path).await.status, 403, "{path}");
        }
    }
    for (path, body) in [
        ("/api/v1/roles", json!({"name": "x", "scopes": ["m2m:view"]})),
        ("/api/v1/users", new_user),
        ("/api/v1/api-keys", json!({"name": "x", "scopes": ["m2m:view"]})),
    ] {
        for caller in [&orderer, &viewer, &editor] {
            assert_eq!(caller.post(path, &body).await.status, 403, "{path}");
        }
        assert_eq!(creator.post(path, &body).await.status, 201, "{path}");
    }
    for caller in [&orderer, &viewer, &creator] {
        for path in [&role, &ann] {
            assert_eq!(caller.patch(path, &json!({})).await.status, 403, "{path}");
        }
        for path in [&role, &ann, &format!("{ann}/sessions")] {
            assert_eq!(delete(caller, path).await.status, 403, "{path}");
        }
        for path in [&format!("{ann}/invitation"), &format!("{key}/revoke")] {
            assert_eq!(caller.post_empty(path).await.status, 403, "{path}");
        }
    }
    assert_eq!(editor.patch(&role, &json!({})).await.status, 200);
    assert_eq!(editor.patch(&ann, &json!({"is_active": false})).await.status, 200);
    assert_eq!(delete(&editor, &format!("{ann}/sessions")).await.status, 204);
    assert_eq!(delete(&editor, &role).await.status, 204);
    assert_eq!(delete(&editor, &ann).await.status, 204);
}

#[tokio::test]
async fn nobody_gives_or_touches_more_than_they_have() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    let roles = role_ids(&admin).await;
    let chief = path_of(&added(&admin, "chief@example.com", &[roles[0]]).await);
    let ann = path_of(&added(&admin, "ann@example.com", &[roles[2]]).await);
    let (_, key) = app.of_tenant(app.operator.tenant(), "above", "m2m:edit").await;
    let key = format!("/api/v1/api-keys/{key}/revoke");
    let lesser = app.with_scopes("lesser", "m2m:view mobility:view lnp:view admin:view admin:create admin:edit").await;
    let administrator = format!("/api/v1/roles/{}", roles[0]);
    let viewer = format!("/api/v1/roles/{}", roles[2]);
    let body = json!({"email": "b@example.com", "display_name": "B", "roles": [roles[1]], "reach": ["*"]});
    let refused = [
        ("a role", lesser.post("/api/v1/roles", &json!({"name": "x", "scopes": ["m2m:edit"]})).await),
        ("a key", lesser.post("/api/v1/api-keys", &json!({"name": "x", "scopes": ["*"]})).await),
        ("a user", lesser.post("/api/v1/users", &body).await),
        ("what a role allows", lesser.patch(&viewer, &json!({"scopes": ["m2m:create"]})).await),
        ("the role of others", lesser.patch(&administrator, &json!({"scopes": ["m2m:view"]})).await),
        ("a role that others may have", delete(&lesser, &administrator).await),
        ("another role", lesser.patch(&ann, &json!({"roles": [roles[0]]})).await),
        ("somebody above", lesser.patch(&chief, &json!({"roles": []})).await),
        ("the account of somebody above", lesser.post_empty(&format!("{chief}/invitation")).await),
        ("the place of somebody above", delete(&lesser, &chief).await),
        ("where somebody above is signed in", delete(&lesser, &format!("{chief}/sessions")).await),
        ("a key that may do more", lesser.post_empty(&key).await),
    ];
    for (what, answer) in refused {
        assert_eq!((answer.status, answer.problems()), (403, vec!["rights_exceeded".to_owned()]), "{what}");
    }
    assert_eq!(lesser.patch(&ann, &json!({"reach": ["site:1"], "roles": []})).await.status, 200);
    assert_eq!(lesser.post_empty(&format!("{ann}/invitation")).await.status, 200);
    assert_eq!(delete(&lesser, &format!("{ann}/sessions")).await.status, 204);
    let (_, own) = app.of_tenant(app.operator.tenant(), "below", "m2m:view").await;
    assert_eq!(lesser.post_empty(&format!("/api/v1/api-keys/{own}/revoke")).await.status, 200);
    assert_eq!(delete(&lesser, &ann).await.status, 204);
    // Whoever is limited administrates nothing, whatever their scopes.
    let key = json!({"name": "limited", "scopes": ["*"], "reach": [format!("site:{}", app.operator.amop_site)]});
    let limited = admin.post("/api/v1/api-keys", &key).await.json();
    let limited = app.caller(limited["key"].as_str().map(str::to_owned));
    assert_eq!(limited.get("/api/v1/users").await.status, 403);
    assert_eq!(limited.post("/api/v1/api-keys", &json!({"name": "x", "scopes": ["*"]})).await.status, 403);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    let roles = role_ids(&admin).await;
    let chief = path_of(&joined(&app, &admin, "chief@example.com", &[roles[0]]).await);
    let site = format!("site:{}", app.operator.amop_site);
    for change in [json!({"is_active": false}), json!({"reach": [site]}), json!({"roles": [roles[1]]})] {
        let answer = admin.patch(&chief, &change).await;
        assert_eq!((answer.status, answer.problems()), (409, vec!["conflict".to_owned()]), "{change}");
    }
    let administrator = format!("/api/v1/roles/{}", roles[0]);
    assert_eq!(admin.patch(&administrator, &json!({"scopes": ["admin:view"]})).await.status, 409);
    added(&admin, "absent@example.com", &[roles[0]]).await;
    assert_eq!(admin.patch(&chief, &json!({"is_active": false})).await.status, 409, "the other one never took the invitation up");
    assert_eq!(delete(&admin, &chief).await.status, 409);
    joined(&app, &admin, "second@example.com", &[roles[0]]).await;
    assert_eq!(admin.patch(&chief, &json!({"is_active": false})).await.status, 200);
    assert_eq!(admin.read(&chief).await["is_active"], false);
}

async fn begin_session(app: &TestApp, tenant: TenantId, member: PrincipalId, token: u8, minutes: i64) {
    let now = app.operator.clock.now();
    let ends_at = now + chrono::TimeDelta::minutes(minutes);
    let (address, agent) = ("192.0.2.7".to_owned(), "a browser".to_owned());
    let session = NewSession { token_hash: [token; 32], member, ends_at, address, agent };
    app.operator.store.begin_session(tenant, &session, now).await.expect("begun");
}

#[tokio::test]
async fn users_are_signed_out() {
    let app = TestApp::with_lines(0).await;
    let admin = app.admin().await;
    let ann = joined(&app, &admin, "ann@example.com", &[]).await;
    let tenant = app.operator.tenant();
    let path = format!("{}/sessions", path_of(&ann));
    assert_eq!(admin.read(&path).await, json!({"items": [], "next": null}));
    begin_session(&app, tenant, member(&ann), 1, 60).await;
    begin_session(&app, tenant, member(&ann), 2, 0).await;
    let session = json!({"created_at": "2026-12-01T09:00:00Z", "seen_at": "2026-12-01T09:00:00Z",
        "ends_at": "2026-12-01T10:00:00Z", "address": "192.0.2.7", "agent": "a browser"});
    assert_eq!(admin.read(&path).await, json!({"items": [session], "next": null}), "one has ended already");
    assert_eq!(delete(&admin, &path).await.status, 204);
    assert_eq!(admin.read(&path).await["items"], json!([]));
    assert!(app.operator.store.find_signed_in(tenant, &[1; 32]).await.expect("a look-up").is_none());

    begin_session(&app, tenant, member(&ann), 3, 60).await;
    assert_eq!(admin.patch(&path_of(&ann), &json!({"is_active": false})).await.status, 200);
    assert_eq!(admin.read(&path).await["items"], json!([]), "who may not act is signed out");
}
