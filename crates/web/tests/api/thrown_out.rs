//! Whoever is thrown out while the body of a request of theirs is still on its way does nothing with it.

use chrono::TimeDelta;
use lineshift_domain::ids::PrincipalId;
use lineshift_domain::roles::ADMINISTRATOR;
use lineshift_engine::Clock as _;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::HttpCaller;
use lineshift_testkit::operator::iccid;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A request whose last byte was not sent yet.
struct Open {
    stream: TcpStream,
    last: String,
}

impl Open {
    /// Sends all but the last byte, and waits until the server knows who asks.
    async fn new(app: &TestApp, caller: &HttpCaller, target: &str, body: &Value) -> Self {
        let body = body.to_string();
        let length = body.len();
        Self::send(app, caller, target, "application/json", &format!("content-length: {length}\r\n\r\n{body}")).await
    }

    /// The same in chunks, as large as it may be.
    async fn chunked(app: &TestApp, caller: &HttpCaller, target: &str, body: &Value) -> Self {
        let body = body.to_string();
        let text = format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        Self::send(app, caller, target, "application/json", &text).await
    }

    async fn send(app: &TestApp, caller: &HttpCaller, target: &str, kind: &str, rest: &str) -> Self {
        let sent = app.operator.stored.statements_sent();
        let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).await.expect("a connection");
        let who = match caller.key() {
            Some(key) => format!("authorization: Bearer {key}"),
            None => format!("cookie: {}\r\nx-csrf-token: {}", caller.session().cookie, caller.session().csrf),
        };
        let head = format!("{target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {kind}\r\n{who}\r\n");
        let (begun, last) = rest.split_at(rest.len() - 1);
        stream.write_all(format!("{head}{begun}").as_bytes()).await.expect("the server reads");
        // The look-up and, but for forms, the entry in the audit log.
        let wanted = if kind == FORM { vec![] } else { vec![vec!["1".to_owned()]] };
        let unfinished = "SELECT count(*) FROM audit_entry e LEFT JOIN audit_outcome o ON o.tenant_id = e.tenant_id \
            AND o.request_id = e.request_id WHERE o.request_id IS NULL";
        while app.operator.stored.statements_sent() == sent
            || (!wanted.is_empty() && app.operator.stored.inspect(unfinished).await.expect("rows") != wanted)
        {
            tokio::task::yield_now().await;
        }
        Self { stream, last: last.to_owned() }
    }

    /// Some time goes by; then the last byte comes. The whole answer.
    async fn ends(mut self, app: &TestApp) -> String {
        app.operator.clock.advance(TimeDelta::seconds(2));
        self.ends_at_once(app).await
    }

    async fn ends_at_once(&mut self, _: &TestApp) -> String {
        self.stream.write_all(self.last.as_bytes()).await.expect("the server reads");
        let mut answer = Vec::new();
        self.stream.read_to_end(&mut answer).await.expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

fn is(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "not {status}: {answer}");
}

fn new_key() -> Value {
    json!({"name": "backdoor", "scopes": ["*"], "reach": ["*"]})
}

async fn keys(app: &TestApp) -> usize {
    app.operator.store.list_api_keys(app.operator.tenant()).await.expect("keys").len()
}

async fn member_of(app: &TestApp, email: &str) -> PrincipalId {
    let user = app.operator.store.find_user_by_email(email).await.expect("a look-up").expect("somebody").id;
    app.operator.store.find_member_of(app.operator.tenant(), user).await.expect("a look-up").expect("a member").id
}

#[tokio::test]
async fn a_key_that_was_revoked_does_nothing_more() {
    let app = TestApp::with_lines(1).await;
    let (caller, id) = app.of_tenant(app.operator.tenant(), "thief", "*").await;
    let order = json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0}});
    let site = json!({"name": "thieves' den", "rev_customer_id": null});
    let before = keys(&app).await;
    // As long as they may, a body may take its time.
    is(&Open::new(&app, &caller, "POST /api/v1/sites", &site).await.ends(&app).await, 201);
    for (nth, (target, body)) in [
        ("POST /api/v1/api-keys", new_key()),
        ("POST /M2M/BulkChange", order.clone()),
        ("POST /M2M/ValidateBulkChange", order.clone()),
        ("PATCH /api/v1/sites/1", json!({"name": "another"})),
        ("POST /api/v1/bulk-changes/1/retry", json!({})),
    ]
    .into_iter()
    .enumerate()
    {
        let (caller, id) = app.of_tenant(app.operator.tenant(), &format!("thief {nth}"), "*").await;
        let open = Open::new(&app, &caller, target, &body).await;
        app.operator.store.revoke_api_key(app.operator.tenant(), id, app.operator.clock.now()).await.expect("revoked");
        is(&open.ends(&app).await, 401);
    }
    let open = Open::chunked(&app, &caller, "POST /M2M/BulkChange", &order).await;
    app.operator.store.revoke_api_key(app.operator.tenant(), id, app.operator.clock.now()).await.expect("revoked");
    is(&open.ends(&app).await, 401);
    assert_eq!(keys(&app).await, before + 5, "none but those that were made here");
    assert_eq!(app.admin().await.read("/api/v1/bulk-changes").await["items"], json!([]));
    let last = app.admin().await.read("/api/v1/audit?limit=1").await;
    assert_eq!(last["items"][0]["status"], 401, "{last}");
}

#[tokio::test]
async fn a_person_who_was_made_inactive_or_lost_rights_does_nothing_more() {
    let app = TestApp::with_lines(0).await;
    let (root, mallory) = (app.admin().await, app.signed_in("mallory@fleet.example", &[ADMINISTRATOR], "*").await);
    app.signed_in("root@fleet.example", &[ADMINISTRATOR], "*").await;
    let path = format!("/api/v1/users/{}", member_of(&app, "mallory@fleet.example").await);
    let roles = root.read(&path).await["roles"].clone();
    let before = keys(&app).await;

    let open = Open::new(&app, &mallory, "POST /api/v1/api-keys", &new_key()).await;
    assert_eq!(root.patch(&path, &json!({"roles": []})).await.status, 200);
    let answer = open.ends(&app).await;
    is(&answer, 403);
    assert!(answer.contains("rights_changed"), "{answer}");

    assert_eq!(root.patch(&path, &json!({"roles": roles})).await.status, 200);
    let open = Open::new(&app, &mallory, "POST /api/v1/api-keys", &new_key()).await;
    assert_eq!(root.patch(&path, &json!({"is_active": false})).await.status, 200);
    is(&open.ends(&app).await, 401);
    assert_eq!(keys(&app).await, before);
}

#[tokio::test]
async fn a_session_that_was_ended_does_not_go_on_in_another_tenant() {
    let app = TestApp::with_lines(0).await;
    let victim = app.signed_in("victim@fleet.example", &["viewer"], "*").await;
    let other = app.operator.beside("Another", 0).await.tenant();
    let user = app.operator.store.find_user_by_email("victim@fleet.example").await.expect("a look-up").expect("somebody").id;
    app.operator.member(other, user, &["viewer"], "*").await;
    for (target, kind, body) in [
        ("PUT /api/v1/session/tenant", "application/json", json!({"tenant_id": other.0}).to_string()),
        ("POST /tenant", FORM, format!("tenant_id={other}&csrf_token={}", victim.session().csrf)),
    ] {
        let thief = app.anonymous().with_cookie(app.signs_in("victim@fleet.example").await.session().clone());
        let body = body.replace(&victim.session().csrf, &thief.session().csrf);
        let rest = format!("content-length: {}\r\n\r\n{body}", body.len());
        let open = Open::send(&app, &thief, target, kind, &rest).await;
        let listed = victim.read("/api/v1/sessions").await;
        for session in listed["items"].as_array().expect("items").iter().filter(|session| session["is_this"] == false) {
            let id = session["id"].as_str().expect("an id");
            assert_eq!(victim.delete(&format!("/api/v1/sessions/{id}")).await.status, 204);
        }
        let answer = open.ends(&app).await;
        assert!(!answer.to_lowercase().contains("set-cookie"), "{target}: {answer}");
        assert!([" 401 ", " 303 "].iter().any(|status| answer[..16].contains(status)), "{target}: {answer}");
        assert_eq!(app.operator.stored.inspect("SELECT count(*) FROM session").await.expect("rows"), [["1"]], "{target}");
    }
}

/// Even where the body is so quick that nobody is looked up twice.
#[tokio::test]
async fn a_session_that_is_over_is_not_switched_however_quick() {
    let app = TestApp::with_lines(0).await;
    let victim = app.signed_in("victim@fleet.example", &["viewer"], "*").await;
    let other = app.operator.beside("Another", 0).await.tenant();
    let user = app.operator.store.find_user_by_email("victim@fleet.example").await.expect("a look-up").expect("somebody").id;
    app.operator.member(other, user, &["viewer"], "*").await;
    let mut open = Open::new(&app, &victim, "PUT /api/v1/session/tenant", &json!({"tenant_id": other.0})).await;
    let id = member_of(&app, "victim@fleet.example").await;
    app.operator.store.end_sessions_of(app.operator.tenant(), id, None).await.expect("ended");
    is(&open.ends_at_once(&app).await, 401);
    assert_eq!(app.operator.stored.inspect("SELECT count(*) FROM session").await.expect("rows"), [["0"]]);
}

#[tokio::test]
async fn what_is_changed_is_judged_as_it_stands_when_the_body_has_come() {
    let app = TestApp::with_lines(0).await;
    let root = app.admin().await;
    let manager = app.with_scopes("manager", "admin:view admin:edit").await;
    app.signed_in("worker@fleet.example", &[], "*").await;
    let worker = format!("/api/v1/users/{}", member_of(&app, "worker@fleet.example").await);
    let roles = root.read("/api/v1/roles").await;
    let roles = roles["items"].as_array().expect("items");
    let administrator = &roles.iter().find(|role| role["name"] == ADMINISTRATOR).expect("it is ready-made")["id"];

    let open = Open::new(&app, &manager, &format!("PATCH {worker}"), &json!({"is_active": false})).await;
    assert_eq!(root.patch(&worker, &json!({"roles": [administrator]})).await.status, 200);
    let answer = open.ends(&app).await;
    is(&answer, 403);
    assert!(answer.contains("rights_exceeded"), "{answer}");
    assert_eq!(root.read(&worker).await["is_active"], true);

    let role = root.post("/api/v1/roles", &json!({"name": "clerk", "scopes": ["admin:view"]})).await;
    let path = role.header("location").to_owned();
    let open = Open::new(&app, &manager, &format!("PATCH {path}"), &json!({"name": "chief clerk"})).await;
    assert_eq!(root.patch(&path, &json!({"scopes": ["m2m:view"]})).await.status, 200);
    is(&open.ends(&app).await, 403);
    assert_eq!(root.read(&path).await["scopes"], json!(["m2m:view"]), "it is not written back as it was");
}
