//! Callbacks of carriers: believed only with their credentials, and then no more than a reason to look sooner.

use std::sync::Arc;

use chrono::TimeDelta;
use lineshift_connectors::carrier::Carriers;
use lineshift_connectors::http::{Account, AccountKey, AccountLimits, CallMeter};
use lineshift_domain::ids::{IntegrationAuthenticationId, ServiceProviderId, TenantId};
use lineshift_domain::judge::Reason;
use lineshift_domain::limits::Limits;
use lineshift_engine::{Clock, Connect, Connector};
use lineshift_store::billing::{AccountSettings, IntegrationAccount};
use lineshift_store::catalogue::{CarrierRatePlan, IntegrationAuthentication, ServiceProvider};
use lineshift_testkit::app::TestApp;
use lineshift_testkit::billing::on_one_thread;
use lineshift_testkit::clock::TestClock;
use lineshift_testkit::http::{Answer, HttpCaller, send};
use lineshift_testkit::in_process::{InProcess, ORIGIN};
use lineshift_testkit::nimbus::{self, Line, NimbusOptions, NimbusSimulator, Status};
use lineshift_testkit::operator::{BEGINNING, Operator, iccid};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

const USER: &str = "nimbus";
const PASSWORD: &str = "c4llback-S3cr3t";
const TOKEN: &str = "t0ken-0123456789";

/// Calls the simulated carrier, whoever's account it is.
struct ConnectNimbus {
    simulator: Arc<NimbusSimulator>,
    clock: Arc<TestClock>,
}

impl Connect for ConnectNimbus {
    fn connect(
        &self,
        key: AccountKey,
        account: &IntegrationAccount,
        limits: AccountLimits,
        meter: Arc<dyn CallMeter>,
    ) -> Result<Connector, Reason> {
        let transport = Arc::new(InProcess(Arc::clone(&self.simulator)));
        let clock = Arc::<TestClock>::clone(&self.clock);
        let called = Account::new(key, account.name.as_str(), limits, clock, meter, transport, 1);
        let credentials = SecretString::from(format!(r#"{{"token":"{TOKEN}"}}"#));
        let carrier = self.carriers().find(nimbus::KIND).expect("it is registered");
        Ok(Connector::Carrier(carrier.connect(called, &format!("{ORIGIN}/v1"), &credentials).expect("good credentials")))
    }

    fn carriers(&self) -> Carriers {
        Carriers::default().with(&nimbus::Nimbus)
    }
}

/// An operator with lines at a carrier that answers later.
struct World {
    app: TestApp,
    simulator: Arc<NimbusSimulator>,
    provider: ServiceProviderId,
}

/// A service provider of that carrier with an account and a plan.
async fn provide(operator: &Operator, tenant: TenantId) -> ServiceProviderId {
    let (store, now) = (&operator.store, operator.clock.now());
    let id = IntegrationAuthenticationId(0);
    let account = IntegrationAuthentication { id, name: "Nimbus".to_owned(), integration_kind: nimbus::KIND, is_active: true };
    let account = store.create_integration_authentication(tenant, &account, now).await.expect("an account");
    let settings = AccountSettings {
        base_address: "https://nimbus.example".to_owned(),
        secret_encrypted: Some(vec![1]),
        is_local: false,
        write_enabled: true,
        concurrency: None,
        calls_a_minute: None,
        calls_a_day: None,
    };
    store.set_account(tenant, account, &settings, now).await.expect("the account is set");
    let provider = ServiceProvider {
        id: ServiceProviderId(0),
        name: "Nimbus".to_owned(),
        integration_kind: nimbus::KIND,
        integration_authentication_id: Some(account),
        write_enabled: true,
        is_active: true,
    };
    let provider = store.create_service_provider(tenant, &provider, now).await.expect("a provider");
    let plan = |code: &str| CarrierRatePlan { code: code.to_owned(), name: code.to_owned(), is_active: true };
    store.upsert_carrier_rate_plans(tenant, provider, &[plan("N-SMALL"), plan("N-LARGE")]).await.expect("plans");
    provider
}

impl World {
    async fn with_lines(lines: u64) -> Self {
        Self::new(lines, false).await
    }

    async fn new(lines: u64, is_measured: bool) -> Self {
        let clock = Arc::new(TestClock::at(BEGINNING));
        let mut operator = Operator::on_clock(Arc::clone(&clock), 0, Limits::default(), on_one_thread()).await;
        let options = NimbusOptions { takes: TimeDelta::zero(), ..NimbusOptions::new(TOKEN) };
        let simulator = NimbusSimulator::new(options, Arc::<TestClock>::clone(&clock) as Arc<dyn Clock>);
        nimbus::with_examples(&simulator, 0);
        simulator.with_ledger(|ledger, _| {
            ledger.lines.extend((1..=lines).map(|number| {
                let line = Line {
                    iccid: iccid(number),
                    plan: "N-SMALL".to_owned(),
                    status: Status::Active,
                    msisdn: None,
                    stubborn: None,
                };
                (iccid(number), line)
            }));
        });
        operator.engine = operator.engine.clone().connected(Arc::new(ConnectNimbus { simulator: Arc::clone(&simulator), clock }));
        let provider = provide(&operator, operator.tenant()).await;
        let there: Vec<_> = (1..=lines)
            .map(|line| {
                let mut line = operator.line(provider, line, "ACTIVE");
                line.carrier_rate_plan = Some("N-SMALL".to_owned());
                line
            })
            .collect();
        operator.import(&there).await;
        let app = if is_measured { TestApp::measured_sealing(operator).await } else { TestApp::sealing(operator).await };
        let world = Self { app, simulator, provider };
        assert_eq!(world.expect(PASSWORD).await.status, 204);
        world
    }

    fn credentials_path(&self) -> String {
        format!("/api/v1/service-providers/{}/callback-credentials", self.provider)
    }

    async fn expect(&self, password: &str) -> Answer {
        let admin = self.app.admin().await;
        put(&admin, &self.credentials_path(), &json!({"user": USER, "password": password})).await
    }

    fn path(&self) -> String {
        format!("/callbacks/{}/{}", self.app.operator.tenant(), self.provider)
    }

    async fn order(&self, lines: std::ops::RangeInclusive<u64>) -> Value {
        let body = json!({
            "ServiceProviderId": self.provider.0, "ChangeType": 7, "Devices": lines.map(iccid).collect::<Vec<_>>(),
            "CarrierRatePlanUpdate": {"CarrierRatePlan": "N-LARGE"},
        });
        let answer = self.app.orderer().await.post("/M2M/BulkChange", &body).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()
    }

    async fn change(&self) -> Value {
        self.app.orderer().await.read("/api/v1/bulk-changes/1").await
    }

    async fn call_back(&self, body: &Value) -> Answer {
        self.app.anonymous().post(&self.path(), body).await
    }
}

async fn put(caller: &HttpCaller, path: &str, body: &Value) -> Answer {
    send(caller.request(Method::PUT, path).json(body)).await
}

fn callback(password: &str, request: &str, lines: &[u64]) -> Value {
    let results: Vec<Value> = lines.iter().map(|line| json!({"iccid": iccid(*line), "failed": null})).collect();
    json!({"user": USER, "password": password, "requestId": request, "results": results})
}

/// What every callback that came hears.
fn came(answer: &Answer) {
    assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"received":true}"#));
}

#[tokio::test]
async fn a_callback_lets_rows_be_looked_at_at_once_and_settles_nothing_itself() {
    let world = World::with_lines(2).await;
    world.order(1..=2).await;
    world.app.operator.run_until_idle().await;
    let waiting = world.change().await;
    assert_eq!((&waiting["waiting"][0]["code"], &waiting["waiting"][0]["count"]), (&json!("awaiting_carrier"), &json!(2)));

    let bodies = nimbus::take_callbacks(&world.simulator, USER, PASSWORD);
    assert_eq!(bodies.len(), 1, "one request for both lines");
    came(&world.call_back(&bodies[0]).await);
    assert_eq!(world.change().await["counts"]["open"], 2, "a callback settles nothing");
    world.app.operator.run_until_idle().await;
    let done = world.change().await;
    assert_eq!((&done["status"], &done["counts"]["processed"]), (&json!("PROCESSED"), &json!(2)), "{done}");
    let log = world.app.orderer().await.read("/api/v1/bulk-changes/1/log").await.to_string();
    assert!(log.contains("Nimbus Callback") && !log.contains(PASSWORD), "{log}");

    came(&world.call_back(&bodies[0]).await);
    assert_eq!(world.change().await["counts"], done["counts"], "too late");
}

/// Strangers cannot fill the store.
#[tokio::test]
async fn only_callbacks_that_are_believed_are_written_down() {
    let world = World::with_lines(1).await;
    world.order(1..=1).await;
    world.app.operator.run_until_idle().await;
    assert_eq!(world.call_back(&callback("guessed", "r-1", &[1])).await.status, 401);
    came(&world.call_back(&callback(PASSWORD, "r-1", &[1])).await);
    let path = "/api/v1/audit?action=POST%20/callbacks/%7Btenant_id%7D/%7Bservice_provider_id%7D";
    let listed = world.app.admin().await.read(path).await;
    let entries = listed["items"].as_array().expect("a list");
    assert_eq!(entries.len(), 1, "{entries:?}");
    let entry = &entries[0];
    assert_eq!((&entry["actor"], &entry["who"], &entry["outcome"]), (&json!("carrier"), &json!("Nimbus"), &json!("done")));
    assert_eq!((&entry["target"], &entry["devices"]), (&json!(format!("service-providers/{}", world.provider)), &json!(1)));
}

#[tokio::test]
async fn what_changes_nothing_is_answered_like_any_other() {
    let world = World::with_lines(1).await;
    came(&world.call_back(&callback(PASSWORD, "r-1", &[1])).await);
    world.order(1..=1).await;
    came(&world.call_back(&callback(PASSWORD, "r-1", &[1])).await);
    world.app.operator.run_until_idle().await;
    came(&world.call_back(&callback(PASSWORD, "r-9", &[1])).await);
    came(&world.call_back(&callback(PASSWORD, "r-1", &[7])).await);
    world.app.operator.run_until_idle().await;
    assert_eq!(world.change().await["waiting"][0]["count"], 1, "too early, of another request, of another line");
    for _ in 0..2 {
        came(&world.call_back(&callback(PASSWORD, "r-1", &[1])).await);
    }
    world.app.operator.run_until_idle().await;
    assert_eq!(world.change().await["status"], "PROCESSED");
    let log = world.app.orderer().await.read("/api/v1/bulk-changes/1/log").await.to_string();
    assert_eq!(log.matches("\"log_entry_description\":\"Nimbus Callback").count(), 1, "told twice, written once: {log}");
}

#[tokio::test]
async fn a_callback_that_is_believed_too_early_waits_for_the_carrier_again() {
    let world = World::with_lines(1).await;
    world.simulator.adjust(|options| options.takes = TimeDelta::seconds(100));
    world.order(1..=1).await;
    world.app.operator.run_until_idle().await;
    came(&world.call_back(&callback(PASSWORD, "r-1", &[])).await);
    world.app.operator.run_until_idle().await;
    let change = world.change().await;
    assert_eq!(change["waiting"][0]["code"], "awaiting_carrier", "the carrier does not show it yet: {change}");
}

#[tokio::test]
async fn forged_and_broken_callbacks_are_refused_and_change_nothing() {
    let world = World::with_lines(1).await;
    world.order(1..=1).await;
    world.app.operator.run_until_idle().await;
    let anonymous = world.app.anonymous();
    let mut told = String::new();
    let forged = [
        callback("guessed", "r-1", &[1]),
        callback("", "r-1", &[1]),
        json!({"requestId": "r-1", "results": []}),
        json!({"user": [USER], "password": {"password": PASSWORD}, "requestId": "r-1", "results": []}),
    ];
    let mut refusals = Vec::new();
    for body in forged {
        let answer = world.call_back(&body).await;
        assert_eq!(answer.status, 401, "{body}");
        refusals.push(answer.text());
    }
    assert!(refusals.iter().all(|text| *text == refusals[0]), "the same for all: {refusals:?}");
    told += &refusals[0];
    let unreadable: [&[u8]; 5] = [b"", b"{", b"\xff\xfe\x00\x00", b"<callback/>", &[b'['; 60_000]];
    for body in unreadable {
        let answer = anonymous.post_bytes(&world.path(), body.to_vec()).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        told += &answer.text();
    }
    let mut broken = callback(PASSWORD, "r-1", &[1]);
    broken["results"] = json!([{"iccid": "' OR 1=1 --"}]);
    assert_eq!(world.call_back(&broken).await.status, 400);
    let mut huge = callback(PASSWORD, "r-1", &[1]);
    huge["more"] = json!("x".repeat(64 << 10));
    assert_eq!(world.call_back(&huge).await.status, 413);
    assert!(!told.contains(PASSWORD) && !told.contains("guessed"), "{told}");
    world.app.operator.run_until_idle().await;
    assert_eq!(world.change().await["waiting"][0]["count"], 1);
}

#[tokio::test]
async fn other_addresses_take_no_callbacks_and_other_tenants_reach_nothing() {
    let world = World::with_lines(1).await;
    world.order(1..=1).await;
    world.app.operator.run_until_idle().await;
    let operator = &world.app.operator;
    let other = operator.beside("Another operator", 0).await;
    let (tenant, foreign) = (other.tenant(), provide(&other, other.tenant()).await);
    let good = callback(PASSWORD, "r-1", &[1]);
    let nowhere = [
        format!("/callbacks/{tenant}/{}", world.provider),
        format!("/callbacks/{tenant}/{foreign}"),
        format!("/callbacks/{}/{}", operator.tenant(), operator.jasper),
        format!("/callbacks/{}/4711", operator.tenant()),
        format!("/callbacks/4711/{}", world.provider),
        "/callbacks/-1/99999999999999999999".to_owned(),
        "/callbacks/a/b".to_owned(),
    ];
    let mut answers = Vec::new();
    for path in nowhere {
        let answer = world.app.anonymous().post(&path, &good).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        answers.push(answer.text());
    }
    assert!(answers.iter().all(|text| *text == answers[0]), "{answers:?}");

    let (theirs, _) = world.app.of_tenant(tenant, "theirs", "*").await;
    let path = format!("/api/v1/service-providers/{foreign}/callback-credentials");
    assert_eq!(put(&theirs, &path, &json!({"user": USER, "password": "theirs"})).await.status, 204);
    came(&world.app.anonymous().post(&format!("/callbacks/{tenant}/{foreign}"), &callback("theirs", "r-1", &[1])).await);
    operator.run_until_idle().await;
    assert_eq!(world.change().await["waiting"][0]["count"], 1, "their callbacks wake their own rows");
}

#[tokio::test]
async fn strangers_take_no_turns_a_flood_is_held_back_and_what_came_is_counted() {
    let world = World::new(1, true).await;
    for _ in 0..110 {
        assert_eq!(world.call_back(&callback("guessed", "r-1", &[1])).await.status, 401);
    }
    for _ in 0..100 {
        came(&world.call_back(&callback(PASSWORD, "r-9", &[1])).await);
    }
    let answer = world.call_back(&callback(PASSWORD, "r-1", &[1])).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "1"));
    world.app.operator.clock.advance(TimeDelta::seconds(1));
    world.order(1..=1).await;
    world.app.operator.run_until_idle().await;
    came(&world.call_back(&callback(PASSWORD, "r-1", &[1])).await);
    came(&world.call_back(&callback(PASSWORD, "r-9", &[1])).await);
    world.app.anonymous().post_bytes(&world.path(), "{").await;
    world.app.anonymous().post("/callbacks/1/4711", &json!({})).await;
    let text = world.app.anonymous().get("/metrics").await.text();
    for (result, count) in
        [("wrong_credentials", 110), ("too_many", 1), ("noted", 1), ("nothing_waits", 101), ("unreadable", 1), ("nowhere", 1)]
    {
        let line = format!("lineshift_callbacks_total{{result=\"{result}\"}} {count}");
        assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
    }
}

#[tokio::test]
async fn what_callbacks_must_carry_is_sealed_replaced_and_never_told() {
    let world = World::with_lines(1).await;
    let admin = world.app.admin().await;
    let path = world.credentials_path();
    let wrong = put(&admin, &path, &json!({"user": [PASSWORD], "password": "bro\nken"})).await;
    assert_eq!((wrong.status, wrong.problems()), (422, vec!["user wrong_type".to_owned(), "password wrong_form".to_owned()]));
    assert!(!wrong.text().contains(PASSWORD) && !wrong.text().contains("ken"), "{}", wrong.text());
    assert_eq!(put(&admin, &path, &json!({})).await.problems(), ["missing_field"]);
    let jasper = format!("/api/v1/service-providers/{}/callback-credentials", world.app.operator.jasper);
    let refused = put(&admin, &jasper, &json!({"user": USER, "password": PASSWORD})).await;
    assert_eq!((refused.status, refused.problems()), (422, vec!["integration_kind carrier_cannot".to_owned()]));
    assert!(refused.text().contains("Jasper does not call back"), "{}", refused.text());
    assert_eq!(put(&world.app.viewer().await, &path, &json!({"user": "u"})).await.status, 403);
    assert_eq!(put(&world.app.stranger().await, &path, &json!({"user": "u"})).await.status, 404);
    assert_eq!(put(&admin, "/api/v1/service-providers/4711/callback-credentials", &json!({"user": "u"})).await.status, 404);

    let stored = world.app.operator.stored.inspect("SELECT * FROM service_provider").await.expect("rows");
    assert!(!format!("{stored:?}").contains(PASSWORD), "{stored:?}");
    assert_eq!(world.expect("another-S3cr3t").await.status, 204);
    assert_eq!(world.call_back(&callback(PASSWORD, "r-1", &[1])).await.status, 401, "replaced");
    came(&world.call_back(&callback("another-S3cr3t", "r-1", &[1])).await);
}
