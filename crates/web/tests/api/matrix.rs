//! Who may call what: every endpoint against every kind of caller, by the table in `matrix.txt`, which is written by hand.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use lineshift_engine::Clock as _;
use lineshift_testkit::app::TestApp;
use lineshift_testkit::http::{HttpCaller, send};
use lineshift_testkit::operator::iccid;
use lineshift_web::ROUTES;
use reqwest::Method;
use serde_json::{Value, json};

const MATRIX: &str = include_str!("matrix.txt");

const CALLERS: [&str; 8] = ["anonymous", "administrator", "operator", "viewer", "scoped", "stranger", "revoked", "expired"];

/// A row of the table: method, path, and what each caller is answered.
struct Row {
    method: &'static str,
    path: &'static str,
    expected: [&'static str; 8],
}

fn rows() -> Vec<Row> {
    let lines = MATRIX.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split_whitespace().collect();
            let [method, path, expected @ ..] = cells.as_slice() else { panic!("a method and a path: {line}") };
            Row { method, path, expected: expected.try_into().unwrap_or_else(|_| panic!("eight cells: {line}")) }
        })
        .collect()
}

#[test]
fn every_endpoint_has_a_row() {
    let written: BTreeSet<(&str, &str)> = rows().iter().map(|row| (row.method, row.path)).collect();
    let routed: BTreeSet<(&str, &str)> = ROUTES.iter().map(|row| (row.method, row.path)).collect();
    assert_eq!(written, routed);
    assert_eq!(rows().len(), written.len(), "each once");
}

/// The first tenant with one of everything, and its callers.
struct World {
    app: TestApp,
    entry: i64,
    sync_run: i64,
    spare_member: i64,
    spare_key: i64,
    role: i64,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::with_lines(2).await;
        let operator = &app.operator;
        let tenant = operator.tenant();
        let admin = app.admin().await;
        let assign = json!({"ServiceProviderId": operator.jasper.0, "Devices": [iccid(1)], "CreateRevService": false,
            "RevCustomerId": operator.rev_customer.0.to_string()});
        assert_eq!(admin.post("/M2M/AssociateCustomer", &assign).await.status, 202);
        operator.run_until_idle().await;
        let scheduled = plan_change(&app, Some("2026-12-24"));
        assert_eq!(admin.post("/M2M/BulkChange", &scheduled).await.status, 202);
        operator.run_until_idle().await;
        let entry = admin.read("/api/v1/plan-queue").await["items"][0]["id"].as_i64().expect("an entry");
        let run = crate::isolation::begin_sync(&app).await;
        let spare = app.operator.user("spare@example.com").await;
        let spare_member = app.operator.member(tenant, spare, &["viewer"], "*").await.0;
        let spare_key = app.of_tenant(tenant, "spare", "m2m:view").await.1.0;
        let role = operator.store.create_role(tenant, "spare", &"m2m:view".parse().expect("scopes")).await.expect("a role").0;
        Self { app, entry, sync_run: run, spare_member, spare_key, role }
    }

    async fn callers(&self) -> [HttpCaller; 8] {
        let (app, operator) = (&self.app, &self.app.operator);
        let expired = app.signed_in("gone@example.com", &["administrator"], "*").await;
        operator.clock.advance(TimeDelta::days(1));
        let own = format!("customer:{}", operator.rev_customer);
        let (revoked, id) = app.of_tenant(operator.tenant(), "revoked", "*").await;
        operator.store.revoke_api_key(operator.tenant(), id, operator.clock.now()).await.expect("revoked");
        [
            app.anonymous(),
            app.signed_in("administrator@example.com", &["administrator"], "*").await,
            app.signed_in("operator@example.com", &["operator"], "*").await,
            app.signed_in("viewer@example.com", &["viewer"], "*").await,
            app.signed_in("scoped@example.com", &["customer-scoped operator"], &own).await,
            self.stranger().await,
            revoked,
            expired,
        ]
    }

    /// An administrator of another tenant.
    async fn stranger(&self) -> HttpCaller {
        let operator = &self.app.operator;
        let other = operator.store.create_tenant("Another", chrono_tz::UTC, operator.clock.now()).await.expect("a tenant");
        let user = operator.user("stranger@example.com").await;
        operator.member(other, user, &["administrator"], "*").await;
        self.app.signs_in("stranger@example.com").await
    }

    fn address(&self, path: &str) -> String {
        let operator = &self.app.operator;
        let of = |place: &str| path.contains(place);
        let id = match () {
            () if of("/customers/") => operator.rev_customer.0,
            () if of("/service-providers/") => operator.jasper.0,
            () if of("/sites/") => operator.rev_site.0,
            () if of("/customer-rate-plans/") => operator.plan.0,
            () if of("/customer-rate-pools/") => operator.pool.0,
            () if of("/integrations/") || of("/integration-authentications/") => operator.authentication.0,
            () if of("/plan-queue/") => self.entry,
            () if of("/sync-runs/") => self.sync_run,
            () if of("/users/") => self.spare_member,
            () if of("/api-keys/") => self.spare_key,
            () if of("/roles/") => self.role,
            () => 1,
        };
        path.replace("{portal}", "M2M")
            .replace("{tenant_id}", &operator.tenant().to_string())
            .replace("{service_provider_id}", &operator.jasper.to_string())
            .replace("{id}", &id.to_string())
    }

    /// What gets past being read, where the reading comes before the question of rights.
    fn body(&self, method: &str, path: &str) -> Value {
        match path {
            "/{portal}/AssociateCustomer" => json!({"ServiceProviderId": self.app.operator.jasper.0, "Devices": [iccid(1)],
                "CreateRevService": false, "RevCustomerId": self.app.operator.rev_customer.0.to_string()}),
            "/{portal}/BulkChange" | "/{portal}/ValidateBulkChange" => plan_change(&self.app, None),
            "/api/v1/plan-queue/{id}" if method == "patch" => json!({"effective_date": "2026-12-25"}),
            "/api/v1/device-changes/{id}/settle" => json!({"as": "gone"}),
            _ => json!({}),
        }
    }
}

fn plan_change(app: &TestApp, date: Option<&str>) -> Value {
    json!({"ServiceProviderId": app.operator.jasper.0, "Devices": [iccid(1)], "ChangeType": 4,
        "CustomerRatePlanUpdate": {"CustomerRatePlanId": app.operator.plan.0, "EffectiveDate": date}})
}

#[tokio::test]
async fn every_caller_is_answered_as_the_table_says() {
    let world = World::new().await;
    let callers = world.callers().await;
    let mut wrong = Vec::new();
    for row in rows() {
        for ((name, caller), expected) in CALLERS.iter().zip(&callers).zip(row.expected) {
            let method = Method::from_bytes(row.method.to_uppercase().as_bytes()).expect("a method");
            let request = caller.request(method.clone(), &world.address(row.path));
            let with_body = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&method);
            let answer = match with_body {
                true => send(request.json(&world.body(row.method, row.path))).await,
                // A stream has an end only where it is refused.
                false if row.path.ends_with("/events") => head(request).await,
                false => send(request).await,
            };
            let found = match answer.status {
                status @ (401 | 403 | 404 | 500..) => status.to_string(),
                _ => "ok".to_owned(),
            };
            if found != expected {
                wrong.push(format!(
                    "{} {} {name}: expected {expected}, found {}: {}",
                    row.method,
                    row.path,
                    answer.status,
                    answer.text()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The status and headers of an answer, without waiting for its body.
async fn head(request: reqwest::RequestBuilder) -> lineshift_testkit::http::Answer {
    let answer = request.send().await.expect("an answer");
    lineshift_testkit::http::Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body: Vec::new() }
}
