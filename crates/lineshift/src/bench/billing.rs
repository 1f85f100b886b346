//! Opening Rev services: one order against the simulator in a process of its own, over real HTTP, beside what its answers of 50 ms
//! and 32 places allow.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use lineshift_connectors::billing::revio::{RevioBilling, RevioCredentials};
use lineshift_connectors::http::{Account, AccountKey, AccountLimits, CallMeter, HttpsTransport};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{BulkChangeId, IntegrationAuthenticationId, RevCustomerId, ServiceProviderId, SiteId};
use lineshift_domain::judge::Reason;
use lineshift_domain::limits::Limits;
use lineshift_domain::reading::read_associate_customer;
use lineshift_domain::scopes::Scopes;
use lineshift_domain::terms::{BulkChangeStatus, IntegrationKind, PortalType};
use lineshift_engine::{Caller, Clock as _, Connect, Connector, Engine, SystemClock, shutdown};
use lineshift_store::access::{AccessStore as _, NewApiKey};
use lineshift_store::billing::{AccountSettings, BillingStore as _, IntegrationAccount};
use lineshift_store::catalogue::{CatalogueStore as _, IntegrationAuthentication, RevCustomer, ServiceProvider, Site};
use lineshift_store::import::{IMPORT_ROWS, ImportStore as _};
use lineshift_store_sqlite::SqliteStore;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};

use super::engine_legs::{stored, worker};
use super::fleet;
use super::prepare::{device, open_store};
use super::report::median;

/// Lines of the order: with a service and a product each, and the look-ups, a little over 20,000 calls.
const LINES: u64 = 10_000;

/// How long the simulator takes to answer.
const ANSWER: Duration = Duration::from_millis(50);

/// Calls at a time.
const PLACES: u32 = 32;

/// The customer of the simulator's examples, and of the order.
pub(super) const CUSTOMER: RevCustomerId = RevCustomerId(1);

/// What it came to: medians of the rounds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Billing {
    /// Calls a second to what 32 places with answers of 50 ms allow; at least 0.9.
    pub(super) billing_to_allowed: f64,
    /// Calls a line with one product, look-ups counted; at most 2.2.
    pub(super) calls_a_line: f64,
    /// Calls a second.
    calls_a_second: f64,
    /// Seconds from the submission to the end of the change.
    seconds: f64,
    /// Every round.
    rounds: Vec<Round>,
}

/// One round.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Round {
    calls: u64,
    seconds: f64,
}

impl Billing {
    /// Medians of what the rounds came to.
    pub(super) fn of(rounds: Vec<Round>) -> Option<Self> {
        let allowed = f64::from(PLACES) / ANSWER.as_secs_f64();
        let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value).collect());
        let calls_a_second = of(|round| round.calls as f64 / round.seconds)?;
        Some(Self {
            billing_to_allowed: calls_a_second / allowed,
            calls_a_line: of(|round| round.calls as f64 / LINES as f64)?,
            calls_a_second,
            seconds: of(|round| round.seconds)?,
            rounds,
        })
    }
}

/// Runs the order once, on a store and a simulator of its own.
pub(super) async fn measure(directory: &Path) -> Result<Round> {
    let simulator = Simulator::start(directory, ANSWER).await?;
    let file = directory.join("billing.db");
    let store = open_store(&file).await?;
    let (caller, provider) = prepare(&store, &simulator).await?;
    let limits = Limits::default();
    let connect = Arc::new(ConnectSimulator { password: simulator.password.clone() });
    let engine = Engine::new(Arc::new(store.clone()), Arc::new(SystemClock), limits).connected(connect);
    let lines: Vec<String> = (0..LINES).map(fleet::iccid).collect();
    let body = json!({
        "ServiceProviderId": provider.0, "Devices": lines, "RevCustomerId": CUSTOMER.to_string(), "CreateRevService": true,
        "ServiceTypeId": 6, "ProviderId": 42, "RevProducts": [{"ProductId": 5_011, "Rate": 4.95, "Quantity": 1}],
    });
    let order = read_associate_customer(&serde_json::to_vec(&body)?, PortalType::M2M, &limits).context("reading the order")?;
    let (stop, stopped) = shutdown();
    let working = tokio::spawn({
        let engine = engine.clone();
        async move { engine.run_worker(worker(), stopped).await }
    });
    let started = Instant::now();
    let submitted = stored(engine.submit(&caller, order, None).await?)?;
    ended(&engine, &caller, submitted.id).await?;
    let seconds = started.elapsed().as_secs_f64();
    stop.stop();
    working.await.context("waiting for the worker")?;
    drop((engine, store));
    for ending in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(directory.join(format!("billing.db{ending}"))));
    }
    Ok(Round { calls: simulator.stop().await?, seconds })
}

async fn ended(engine: &Engine, caller: &Caller, id: BulkChangeId) -> Result<()> {
    let mut events = engine.events().subscribe();
    loop {
        let change = engine.store().get_bulk_change(caller.tenant, caller.key_id, id).await?;
        if change.processed_at.is_some() {
            ensure!(change.status() == BulkChangeStatus::Processed, "the change ended {}", change.status());
            return Ok(());
        }
        // One that was too slow has missed some and looks by itself.
        drop(events.recv().await);
    }
}

/// A tenant with an account at the simulator, a customer and lines that nobody has yet.
async fn prepare(store: &SqliteStore, simulator: &Simulator) -> Result<(Caller, ServiceProviderId)> {
    let now = SystemClock.now();
    let tenant = store.create_tenant("Bench", chrono_tz::America::Chicago, now).await?;
    let key = NewApiKey { name: "bench".to_owned(), secret_hash: [0; 32], scopes: Scopes::all(), expires_at: None };
    let key_id = store.create_api_key(tenant, &key, now).await?;
    let account = IntegrationAuthentication {
        id: IntegrationAuthenticationId(0),
        name: "Rev.io".to_owned(),
        integration_kind: IntegrationKind::REV_IO,
        is_active: true,
    };
    let account = store.create_integration_authentication(tenant, &account, now).await?;
    let settings = AccountSettings {
        base_address: simulator.address.clone(),
        // The credentials are the simulator's, which this process knows; the store only has to have some.
        secret_encrypted: Some(vec![0]),
        is_local: true,
        write_enabled: true,
        concurrency: Some(PLACES),
        calls_a_minute: Some(1_000_000),
        calls_a_day: Some(100_000_000),
    };
    store.set_account(tenant, account, &settings, now).await?;
    let customer =
        RevCustomer { id: CUSTOMER, name: "Customer 1".to_owned(), integration_authentication_id: account, is_active: true };
    store.create_rev_customer(tenant, &customer, now).await?;
    let site = Site { id: SiteId(0), name: "Depot".to_owned(), rev_customer_id: Some(CUSTOMER), is_active: true };
    store.create_site(tenant, &site, now).await?;
    let provider = ServiceProvider {
        id: ServiceProviderId(0),
        name: "Control Center".to_owned(),
        integration_kind: IntegrationKind::JASPER,
        integration_authentication_id: None,
        write_enabled: true,
        is_active: true,
    };
    let provider = store.create_service_provider(tenant, &provider, now).await?;
    for from in (0..LINES).step_by(IMPORT_ROWS) {
        let lines: Vec<_> = (from..LINES.min(from + IMPORT_ROWS as u64)).map(|place| device(provider, place)).collect();
        store.import_devices(tenant, &lines, "bench", now).await?;
    }
    store.checkpoint().await?;
    Ok((Caller { tenant, key_id, name: key.name, scopes: key.scopes }, provider))
}

/// Calls the simulator with the credentials that it was started with.
pub(super) struct ConnectSimulator {
    /// What the simulator was started with.
    pub(super) password: String,
}

impl Connect for ConnectSimulator {
    fn connect(
        &self,
        key: AccountKey,
        account: &IntegrationAccount,
        limits: AccountLimits,
        meter: Arc<dyn CallMeter>,
    ) -> Result<Connector, Reason> {
        let missing = |error: &dyn ToString| Reason::new(Code::CredentialsMissing, error.to_string());
        let transport = HttpsTransport::local().map_err(|error| missing(&error))?;
        let address = account.base_address.as_deref().ok_or_else(|| missing(&"no address"))?;
        let called = Account::new(key, account.name.as_str(), limits, Arc::new(SystemClock), meter, Arc::new(transport), 1);
        let credentials = RevioCredentials {
            user: "lineshift".to_owned(),
            client_code: "demo".to_owned(),
            password: SecretString::from(self.password.as_str()),
            subscription_key: None,
        };
        Ok(Connector::Billing(Arc::new(RevioBilling::new(called, address, credentials))))
    }
}

/// The simulator in a process of its own.
pub(super) struct Simulator {
    process: Child,
    /// Where it answers.
    pub(super) address: String,
    /// What it asks for.
    pub(super) password: String,
    _heard: BufReader<ChildStderr>,
}

impl Simulator {
    /// Starts one that takes so long to answer.
    pub(super) async fn start(directory: &Path, answer: Duration) -> Result<Self> {
        let password = "benchmark".to_owned();
        let file = directory.join("simulator-password");
        std::fs::write(&file, &password).context("writing the simulator's password")?;
        let program = std::env::current_exe().context("finding this program")?;
        let mut process = Command::new(program)
            .args(["simulate", "--json", "--customers", "1", "--calls-a-minute", "0", "--calls-a-day", "0"])
            .args(["--latency-ms", &answer.as_millis().to_string()])
            .arg("--password-file")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("starting the simulator")?;
        let mut heard = BufReader::new(process.stderr.take().context("the simulator's standard error is piped")?);
        let mut line = String::new();
        let address = loop {
            line.clear();
            ensure!(heard.read_line(&mut line).await? > 0, "the simulator ended before it listened");
            if let Some(address) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                break address.to_owned();
            }
        };
        Ok(Self { process, address, password, _heard: heard })
    }

    /// Stops it; answers how many calls came in.
    async fn stop(mut self) -> Result<u64> {
        let pid = self.process.id().context("the simulator is running")?;
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid)?).context("a process has a number")?;
        rustix::process::kill_process(pid, rustix::process::Signal::INT).context("stopping the simulator")?;
        let mut said = String::new();
        let mut output = self.process.stdout.take().context("the simulator's standard output is piped")?;
        output.read_to_string(&mut said).await?;
        self.process.wait().await?;
        let ledger: Value = serde_json::from_str(&said).context("reading what the simulator counted")?;
        ensure!(ledger["services"] == json!(LINES) && ledger["service_products"] == json!(LINES), "not every line is billed");
        ensure!(ledger["duplicate_services"] == json!(0) && ledger["duplicate_products"] == json!(0), "billed twice");
        let calls = ledger["calls"].as_object().context("the simulator counts calls")?;
        Ok(calls.values().filter_map(Value::as_u64).sum())
    }
}
