//! What is written down of requests, and who may look at it.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use lineshift_domain::terms::AuditActor;
use lineshift_store::audit::{AuditFilter, AuditKey, NewAuditEntry};
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::{Answer, HttpCaller, send};
use lineshift_testkit::operator::iccid;
use lineshift_web::{OPEN, ROUTES};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The entries, newest first.
async fn entries(caller: &HttpCaller, query: &str) -> Vec<Value> {
    let listed = caller.read(&format!("/api/v1/audit{query}")).await;
    listed["items"].as_array().expect("a list").clone()
}

fn order(app: &TestApp, lines: &[u64]) -> Value {
    let devices: Vec<String> = lines.iter().map(|line| iccid(*line)).collect();
    json!({"ServiceProviderId": app.operator.jasper.0, "Devices": devices, "SiteId": app.operator.amop_site.0, "ProcessChanges": false})
}

/// The clock goes on, so that entries stand in the order in which they were made.
async fn next(app: &TestApp, answer: impl Future<Output = Answer>) -> Answer {
    app.operator.clock.advance(TimeDelta::seconds(1));
    answer.await
}

#[tokio::test]
async fn an_order_is_written_down_with_who_what_and_what_came_of_it() {
    let app = TestApp::with_lines(2).await;
    let orderer = app.orderer().await;
    let body = order(&app, &[1, 2, 3]);
    let sent = orderer.request(Method::POST, "/M2M/AssociateCustomer").header("user-agent", "batch/1.0").json(&body);
    let answer = send(sent).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    next(&app, orderer.post_empty("/api/v1/bulk-changes/1/start")).await;

    let admin = app.admin().await;
    let mut found = entries(&admin, "").await;
    assert_eq!(found.len(), 2, "{found:?}");
    let digest: String = Sha256::digest(body.to_string()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(found[1]["body_sha256"], digest);
    assert_eq!(found[1]["request_id"], answer.header("x-request-id"), "it is found in the server's log by that");
    for entry in &mut found {
        let fields = entry.as_object_mut().expect("an object");
        for name in ["request_id", "body_sha256", "principal_id"] {
            fields.remove(name);
        }
    }
    insta::assert_json_snapshot!(found, @r#"
    [
      {
        "action": "POST /api/v1/bulk-changes/{id}/start",
        "actor": "key",
        "address": "127.0.0.1",
        "agent": null,
        "at": "2026-12-01T09:00:01Z",
        "devices": 3,
        "finished_at": "2026-12-01T09:00:01Z",
        "made": null,
        "note": null,
        "outcome": "done",
        "problem_codes": [],
        "status": 200,
        "target": "bulk-changes/1",
        "who": "orderer"
      },
      {
        "action": "POST /{portal}/AssociateCustomer",
        "actor": "key",
        "address": "127.0.0.1",
        "agent": "batch/1.0",
        "at": "2026-12-01T09:00:00Z",
        "devices": 3,
        "finished_at": "2026-12-01T09:00:00Z",
        "made": "bulk-changes/1",
        "note": null,
        "outcome": "done",
        "problem_codes": [],
        "status": 202,
        "target": null,
        "who": "orderer"
      }
    ]
    "#);
}

#[tokio::test]
async fn what_is_refused_is_written_down_and_who_is_nobody_is_not() {
    let app = TestApp::with_lines(1).await;
    let viewer = app.viewer().await;
    assert_eq!(viewer.post("/M2M/AssociateCustomer", &order(&app, &[1])).await.status, 403);
    let admin = app.admin().await;
    assert_eq!(next(&app, admin.post("/M2M/AssociateCustomer", &json!({"Devices": 7}))).await.status, 422);
    assert_eq!(next(&app, app.anonymous().post("/M2M/AssociateCustomer", &order(&app, &[1]))).await.status, 401);
    assert_eq!(next(&app, admin.request_wrong_method()).await.status, 405);
    let found = entries(&admin, "").await;
    let of = |entry: &Value| (entry["who"].clone(), entry["outcome"].clone(), entry["status"].clone());
    assert_eq!(
        found.iter().map(of).collect::<Vec<_>>(),
        [(json!("admin"), json!("refused"), json!(422)), (json!("viewer"), json!("refused"), json!(403))]
    );
    assert_eq!(found[1]["problem_codes"], json!(["permission_missing"]));
    assert_eq!(found[1]["body_sha256"], Value::Null, "it was not read");
    let codes = found[0]["problem_codes"].as_array().expect("codes");
    assert!(codes.contains(&json!("missing_field")) && codes.iter().collect::<Vec<_>>().len() == codes.len(), "{codes:?}");
}

trait WrongMethod {
    fn request_wrong_method(&self) -> impl Future<Output = Answer>;
}

impl WrongMethod for HttpCaller {
    fn request_wrong_method(&self) -> impl Future<Output = Answer> {
        send(self.request(Method::DELETE, "/api/v1/sites"))
    }
}

/// Whatever the table of routes has, but for reading: nobody can forget it, and what anybody may call is a closed list.
#[tokio::test]
async fn every_route_that_may_change_something_is_written_down() {
    let app = TestApp::with_lines(1).await;
    let admin = app.admin().await;
    let nobody = app.with_scopes("nobody", "").await;
    let mut expected = BTreeSet::new();
    for row in ROUTES.iter().filter(|row| !OPEN.contains(&(row.method.to_uppercase().as_str(), row.path))) {
        let method = row.method.to_uppercase();
        let path = row.path.replace("{portal}", "M2M").replace("{id}", "1");
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        if method != Method::GET {
            expected.insert(format!("{method} {}", row.path));
        }
        send(nobody.request(method, &path).header("content-type", "application/json").body("{}")).await;
    }
    let found = entries(&admin, "?limit=1000").await;
    assert_eq!(found.len(), expected.len(), "each once");
    let actions: BTreeSet<String> = found.iter().map(|entry| entry["action"].as_str().expect("a text").to_owned()).collect();
    assert_eq!(actions, expected);
    assert!(found.iter().all(|entry| entry["who"] == "nobody" && entry["outcome"] == "refused"), "{found:?}");
    let open = [
        ("POST", "/callbacks/{tenant_id}/{service_provider_id}"),
        ("POST", "/api/v1/session"),
        ("POST", "/api/v1/invitation"),
        ("POST", "/api/v1/invitations"),
        ("DELETE", "/api/v1/invitations/{id}"),
        ("POST", "/sign-in"),
        ("POST", "/sign-in/one-time-password"),
        ("POST", "/invitation"),
        ("POST", "/invitations"),
        ("POST", "/invitations/{id}/decline"),
        ("GET", "/api/v1/session/openid/callback"),
        ("POST", "/api/v1/session/openid/one-time-password"),
    ];
    assert_eq!(OPEN, open, "routes that say themselves who asks");
}

#[tokio::test]
async fn entries_are_found_by_each_filter_and_page_by_page() {
    let app = TestApp::with_lines(3).await;
    let (orderer, id) = app.of_tenant(app.operator.tenant(), "orderer", "m2m:create m2m:edit").await;
    let admin = app.admin().await;
    for line in 1..=3 {
        assert_eq!(next(&app, orderer.post("/M2M/AssociateCustomer", &order(&app, &[line]))).await.status, 202);
    }
    let site = json!({"name": "Depot"});
    assert_eq!(next(&app, admin.post("/api/v1/sites", &site)).await.status, 201);
    assert_eq!(next(&app, orderer.post_empty("/api/v1/bulk-changes/2/cancel")).await.status, 200);
    for (query, expected) in [
        (String::new(), vec![5, 4, 3, 2, 1]),
        (format!("?principal_id={id}"), vec![5, 3, 2, 1]),
        ("?action=POST%20/api/v1/sites".to_owned(), vec![4]),
        ("?target=bulk-changes/2".to_owned(), vec![5, 2]),
        ("?from=2026-12-01T09:00:03Z".to_owned(), vec![5, 4, 3]),
        ("?from=2026-12-01T09:00:02Z&to=2026-12-01T09:00:04Z".to_owned(), vec![3, 2]),
        ("?unfinished=true".to_owned(), vec![]),
        ("?unfinished=false&action=POST%20/%7Bportal%7D/AssociateCustomer".to_owned(), vec![3, 2, 1]),
    ] {
        let seconds = |entry: &Value| entry["at"].as_str().and_then(|at| at[17..19].parse::<i64>().ok()).expect("a moment");
        let found: Vec<i64> = entries(&admin, &query).await.iter().map(seconds).collect();
        assert_eq!(found, expected, "{query}");
    }
    let (mut pages, mut after) = (Vec::new(), String::new());
    loop {
        let page = admin.read(&format!("/api/v1/audit?limit=2{after}")).await;
        pages.push(page["items"].as_array().expect("a list").len());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(pages, [2, 2, 1]);
    let wrong = admin.get("/api/v1/audit?from=yesterday&unfinished=maybe&principal_id=0&after=x&what=1").await;
    assert_eq!(
        wrong.problems(),
        ["from wrong_form", "principal_id wrong_form", "unfinished wrong_form", "after wrong_form", "what unknown_field"]
    );
}

#[tokio::test]
async fn only_whoever_sees_all_of_the_tenant_looks_at_it() {
    let app = TestApp::with_lines(1).await;
    let orderer = app.orderer().await;
    assert_eq!(orderer.post("/M2M/AssociateCustomer", &order(&app, &[1])).await.status, 202);
    for path in ["/api/v1/audit", "/api/v1/audit/export"] {
        assert_eq!(app.anonymous().get(path).await.status, 401, "{path}");
        assert_eq!(orderer.get(path).await.status, 403, "{path}");
        assert_eq!(app.viewer().await.get(path).await.status, 200, "{path}");
    }
    let stranger = app.stranger().await;
    assert_eq!(entries(&stranger, "").await, Vec::<Value>::new());
    assert_eq!(stranger.get("/api/v1/audit/export").await.text().lines().count(), 1, "the header alone");
}

/// What a process wrote before it was killed stands there without an outcome.
#[tokio::test]
async fn what_a_killed_process_left_shows_as_unfinished() {
    let app = TestApp::with_lines(0).await;
    let entry = NewAuditEntry {
        key: AuditKey { at: "2026-11-30T23:59:59.999999Z".parse().expect("a moment"), request_id: "0123456789abcdef".to_owned() },
        actor: AuditActor::Key,
        principal: None,
        who: "before".to_owned(),
        address: None,
        agent: None,
        action: "POST /{portal}/BulkChange".to_owned(),
        target: None,
    };
    app.operator.store.record_audit_entry(app.operator.tenant(), &entry).await.expect("an entry");
    let admin = app.admin().await;
    assert_eq!(admin.post("/api/v1/sites", &json!({"name": "Depot"})).await.status, 201);
    let found = entries(&admin, "?unfinished=true").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["outcome"], &found[0]["finished_at"]), (&json!("unfinished"), &Value::Null));
    let listed = app.operator.store.list_audit(app.operator.tenant(), &AuditFilter::default(), None, 10).await;
    assert_eq!(listed.expect("a list").items.len(), 2);
}

#[tokio::test]
async fn the_export_holds_every_entry_once_and_no_formula() {
    let app = TestApp::with_lines(0).await;
    let (tenant, store) = (app.operator.tenant(), &app.operator.store);
    let entry = |nth: u32| NewAuditEntry {
        key: AuditKey { at: "2026-11-30T12:00:00Z".parse().expect("a moment"), request_id: format!("{nth:016x}") },
        actor: AuditActor::Person,
        principal: None,
        who: "=cmd|' /C calc'!A0".to_owned(),
        address: Some("192.0.2.1".to_owned()),
        agent: Some("a \"b\", c".to_owned()),
        action: "POST /{portal}/BulkChange".to_owned(),
        target: None,
    };
    for nth in 0..1_203 {
        store.record_audit_entry(tenant, &entry(nth)).await.expect("an entry");
    }
    let viewer = app.viewer().await;
    let csv = viewer.get("/api/v1/audit/export").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8; header=present");
    let text = csv.text();
    let mut lines = text.split_terminator("\r\n");
    insta::assert_snapshot!(lines.next().expect("a header"), @"at,request_id,actor,principal_id,who,address,agent,action,target,outcome,finished_at,status,devices,made,problem_codes,body_sha256,note");
    insta::assert_snapshot!(lines.next().expect("a line"), @r#"2026-11-30T12:00:00Z,00000000000004b2,person,,'=cmd|' /C calc'!A0,192.0.2.1,"a ""b"", c",POST /{portal}/BulkChange,,unfinished,,,,,,,"#);
    assert_eq!(lines.collect::<BTreeSet<_>>().len(), 1_202);

    let jsonl = viewer.get("/api/v1/audit/export?format=jsonl&unfinished=true").await;
    assert_eq!(jsonl.header("content-type"), "application/jsonl; charset=utf-8");
    let ids: BTreeSet<String> = jsonl
        .text()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["request_id"].as_str().expect("an id").to_owned())
        .collect();
    assert_eq!(ids.len(), 1_203);
    assert_eq!(viewer.get("/api/v1/audit/export?format=xml").await.problems(), ["format wrong_form"]);
}
