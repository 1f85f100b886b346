//! Opening Rev services: one order against the simulator in a process of its own, over real HTTP, beside what its answers of 50 ms
//! and 32 places allow.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use lineshift_domain::ids::{BulkChangeId, IntegrationAuthenticationId, RevCustomerId, ServiceProviderId, SiteId};
use lineshift_domain::limits::Limits;
use lineshift_domain::order::Order;
use lineshift_domain::reading::read_associate_customer;
use lineshift_domain::scopes::Scopes;
use lineshift_domain::terms::{BulkChangeStatus, IntegrationKind, PortalType};
use lineshift_engine::{Caller, Clock as _, Engine, SystemClock, shutdown};
use lineshift_store::access::{AccessStore as _, NewApiKey};
use lineshift_store::billing::{AccountSettings, BillingStore as _};
use lineshift_store::catalogue::{CatalogueStore as _, IntegrationAuthentication, RevCustomer, ServiceProvider, Site};
use lineshift_store::import::{IMPORT_ROWS, ImportStore as _};
use lineshift_store_sqlite::SqliteStore;
use serde::Serialize;
use serde_json::{Value, json};

use super::engine_legs::{stored, worker};
use super::fleet;
use super::prepare::{device, open_store};
use super::report::median;
use super::simulators::{ConnectSimulators, Simulator, calls_of};

/// Lines of the order: with a service and a product each, and the look-ups, a little over 20,000 calls.
const LINES: u64 = 10_000;

/// How long a simulator takes to answer.
pub(super) const ANSWER: Duration = Duration::from_millis(50);

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
    let simulator = Simulator::revio(directory, ANSWER).await?;
    let file = directory.join("billing.db");
    let store = open_store(&file).await?;
    let (caller, provider) = prepare(&store, &simulator.address, LINES).await?;
    let limits = Limits::default();
    let engine = Engine::new(Arc::new(store.clone()), Arc::new(SystemClock), limits).connected(Arc::new(ConnectSimulators));
    let order = order(provider, 0..LINES, &limits)?;
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
    remove(&file);
    let ledger = simulator.stop().await?;
    require_billed_once(&ledger, LINES)?;
    Ok(Round { calls: calls_of(&ledger)?, seconds })
}

/// Removes a database.
pub(super) fn remove(file: &Path) {
    for ending in ["db", "db-wal", "db-shm"] {
        drop(std::fs::remove_file(file.with_extension(ending)));
    }
}

/// Fails unless so many lines have one service with one product each, and nothing is there twice.
pub(super) fn require_billed_once(ledger: &Value, lines: u64) -> Result<()> {
    ensure!(ledger["services"] == json!(lines) && ledger["service_products"] == json!(lines), "not every line is billed");
    ensure!(ledger["duplicate_services"] == json!(0) && ledger["duplicate_products"] == json!(0), "billed twice");
    Ok(())
}

/// A service with one product for the lines at these places of the fleet.
pub(super) fn order(provider: ServiceProviderId, places: Range<u64>, limits: &Limits) -> Result<Order> {
    let lines: Vec<String> = places.map(fleet::iccid).collect();
    let body = json!({
        "ServiceProviderId": provider.0, "Devices": lines, "RevCustomerId": CUSTOMER.to_string(), "CreateRevService": true,
        "ServiceTypeId": 6, "ProviderId": 42, "RevProducts": [{"ProductId": 5_011, "Rate": 4.95, "Quantity": 1}],
    });
    read_associate_customer(&serde_json::to_vec(&body)?, PortalType::M2M, limits).context("reading the order")
}

/// Waits until a change is completed; fails unless all of its lines are done.
pub(super) async fn ended(engine: &Engine, caller: &Caller, id: BulkChangeId) -> Result<()> {
    let mut events = engine.events().subscribe();
    loop {
        let change = engine.store().get_bulk_change(caller.tenant, caller.principal, id).await?;
        if change.processed_at.is_some() {
            ensure!(change.status() == BulkChangeStatus::Processed, "the change ended {}", change.status());
            return Ok(());
        }
        // One that was too slow has missed some and looks by itself.
        drop(events.recv().await);
    }
}

/// A tenant with an account at the simulator of that address, a customer and so many lines that nobody has yet.
pub(super) async fn prepare(store: &SqliteStore, address: &str, lines: u64) -> Result<(Caller, ServiceProviderId)> {
    let now = SystemClock.now();
    let tenant = store.create_tenant("Bench", chrono_tz::America::Chicago, now).await?;
    let key = NewApiKey::unlimited("bench", [0; 32], Scopes::all());
    let principal = store.create_api_key(tenant, &key, now).await?;
    let account = IntegrationAuthentication {
        id: IntegrationAuthenticationId(0),
        name: "Rev.io".to_owned(),
        integration_kind: IntegrationKind::REV_IO,
        is_active: true,
    };
    let account = store.create_integration_authentication(tenant, &account, now).await?;
    let settings = AccountSettings {
        base_address: address.to_owned(),
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
    for from in (0..lines).step_by(IMPORT_ROWS) {
        let rows: Vec<_> = (from..lines.min(from + IMPORT_ROWS as u64)).map(|place| device(provider, place)).collect();
        store.import_devices(tenant, &rows, "bench", now).await?;
    }
    store.checkpoint().await?;
    Ok((Caller { tenant, principal, name: key.name, rights: lineshift_domain::rights::Rights::unlimited(key.scopes) }, provider))
}
