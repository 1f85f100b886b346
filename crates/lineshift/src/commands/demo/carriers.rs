//! The carriers of the demonstration: a simulated Jasper and a simulated POND behind real HTTP, that throttle and fail.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, Utc};
use lineshift_connectors::http::AccountKey;
use lineshift_domain::ids::{IntegrationAuthenticationId, ServiceProviderId};
use lineshift_domain::terms::IntegrationKind;
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_simulators::jasper::{self, Device, JasperOptions, JasperSimulator};
use lineshift_simulators::pond::{self, PackageStatus, PondOptions, PondSimulator, Sim};
use lineshift_store::billing::{AccountSettings, BillingStore as _};
use lineshift_store::carriers::CarrierStore as _;
use lineshift_store::catalogue::{CarrierRatePlan, CatalogueStore as _, IntegrationAuthentication, ServiceProvider};
use lineshift_store_sqlite::SqliteStore;
use secrecy::SecretString;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::billing::{CALL_TIMEOUT, random_text};
use super::load::Loaded;
use crate::fleet::{Fleet, Line, catalogue, orders};
use crate::vault::Keys;

/// One call in so many meets a fault.
const FAULTS: f64 = 0.03;

/// How long a call takes, at least and at most.
const ANSWER: Duration = Duration::from_millis(10);
const JITTER: Duration = Duration::from_millis(20);

const JASPER_USER: &str = "lineshift";
const DISTRIBUTOR: &str = "demo";

/// The carriers while they are shown.
pub(super) struct Carriers {
    jasper: Arc<JasperSimulator>,
    pond: Arc<PondSimulator>,
    jasper_address: String,
    pond_address: String,
    jasper_key: String,
    pond_key: String,
    _stops: [oneshot::Sender<()>; 2],
    _servers: [JoinHandle<std::io::Result<()>>; 2],
}

/// What stands in their ledgers.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Ledgers {
    /// Assignments that Jasper took, and those that set what was set already.
    jasper_assignments: u64,
    jasper_repeated: u64,
    /// Packages that are active at POND, and those that a SIM has twice.
    pond_active_packages: usize,
    pond_duplicates: usize,
}

impl Carriers {
    /// Starts both on free ports of this machine, with the lines that are ordered of them.
    pub(super) async fn start(fleet: &Fleet, seed: u64) -> Result<Self> {
        let (jasper_key, pond_key) = (random_text()?, random_text()?);
        let late_after = Duration::from_secs(CALL_TIMEOUT)..=Duration::from_secs(CALL_TIMEOUT + 3);
        let jasper_options = JasperOptions {
            seed,
            latency: ANSWER,
            jitter: JITTER,
            late_after: late_after.clone(),
            faults: jasper::Faults::of_carrier(FAULTS),
            ..JasperOptions::new(JASPER_USER, &jasper_key).with_stated_limits()
        };
        let pond_options = PondOptions {
            seed,
            latency: ANSWER,
            jitter: JITTER,
            late_after,
            fault_lag: Duration::from_secs(4),
            calls_at_once: Some(10),
            faults: pond::Faults::of_carrier(FAULTS),
            ..PondOptions::new(DISTRIBUTOR, &pond_key)
        };
        let jasper = JasperSimulator::new(jasper_options, Arc::new(SystemClock));
        let pond = PondSimulator::new(pond_options, Arc::new(SystemClock));
        fill(&jasper, &pond, fleet, SystemClock.now());
        let (at_jasper, at_pond) = (listen("Jasper").await?, listen("POND").await?);
        let jasper_address = format!("http://{}{}", at_jasper.local_addr()?, jasper::BASE_PATH);
        let pond_address = format!("http://{}", at_pond.local_addr()?);
        let ((stop_jasper, jasper_stopped), (stop_pond, pond_stopped)) = (oneshot::channel::<()>(), oneshot::channel::<()>());
        let servers = [
            tokio::spawn(jasper::serve(Arc::clone(&jasper), at_jasper, async move { drop(jasper_stopped.await) })),
            tokio::spawn(pond::serve(Arc::clone(&pond), at_pond, async move { drop(pond_stopped.await) })),
        ];
        let stops = [stop_jasper, stop_pond];
        Ok(Self { jasper, pond, jasper_address, pond_address, jasper_key, pond_key, _stops: stops, _servers: servers })
    }

    /// Stores how they are called, and what plans they have.
    pub(super) async fn connect(&self, store: &SqliteStore, loaded: &Loaded, keys: &Keys) -> Result<()> {
        let jasper = serde_json::json!({ "user": JASPER_USER, "api_key": self.jasper_key });
        let pond = serde_json::json!({ "api_key": self.pond_key, "distributor_id": DISTRIBUTOR });
        let accounts = [
            (catalogue::ROUTERS, IntegrationKind::JASPER, &self.jasper_address, jasper),
            (catalogue::SENSORS, IntegrationKind::POND, &self.pond_address, pond),
        ];
        for (place, kind, address, credentials) in accounts {
            let key = make_account(store, loaded, kind).await?;
            let sealed =
                keys.seal(key.into(), &SecretString::from(credentials.to_string())).context("sealing the credentials")?;
            let settings = AccountSettings {
                base_address: address.clone(),
                secret_encrypted: Some(sealed),
                is_local: true,
                write_enabled: true,
                concurrency: None,
                calls_a_minute: None,
                calls_a_day: None,
            };
            let id = key.integration_authentication_id;
            store.set_account(loaded.tenant, id, &settings, SystemClock.now()).await.context("storing an account")?;
            link(store, loaded, loaded.providers[place], id).await.with_context(|| format!("setting {kind} up"))?;
            let plans = catalogue::PROVIDERS[place].carrier_plans.map(|code| CarrierRatePlan {
                code: code.to_owned(),
                name: code.to_owned(),
                is_active: true,
            });
            store.upsert_carrier_rate_plans(loaded.tenant, loaded.providers[place], &plans).await.context("storing plans")?;
        }
        Ok(())
    }

    /// What stands in their ledgers.
    pub(super) fn ledgers(&self) -> Result<Ledgers> {
        let (jasper, pond) = (self.jasper.ledger().summary(), self.pond.ledger().summary());
        for traffic in [&jasper.traffic, &pond.traffic] {
            ensure!(traffic.wrong_requests == 0, "a simulator did not understand a call: {:?}", traffic.wrong_texts);
        }
        Ok(Ledgers {
            jasper_assignments: jasper.assignments,
            jasper_repeated: jasper.repeated_assignments,
            pond_active_packages: pond.active_packages,
            pond_duplicates: pond.duplicate_packages,
        })
    }

    /// What went wrong on purpose, in a line.
    pub(super) fn faults(&self) -> String {
        let (jasper, pond) = (self.jasper.ledger().summary().traffic, self.pond.ledger().summary().traffic);
        let said = |name: &str, traffic: &lineshift_simulators::Traffic| {
            let (calls, faults) = (traffic.calls.values().sum::<u64>(), traffic.faults.values().sum::<u64>());
            format!("{name} was called {calls} times, {faults} of the calls met a fault")
        };
        format!("{}; {}", said("Jasper", &jasper), said("POND", &pond))
    }
}

impl Ledgers {
    /// For people.
    pub(super) fn text(&self) -> String {
        format!(
            "Jasper: {} assignments taken, {} of them repeated; POND: {} packages active, {} twice",
            self.jasper_assignments, self.jasper_repeated, self.pond_active_packages, self.pond_duplicates
        )
    }
}

/// Lines that the simulated Jasper knows: many more than the demonstration moves there, or pastes.
const MOST_AT_JASPER: usize = 2_000;

fn fill(jasper: &JasperSimulator, pond: &PondSimulator, fleet: &Fleet, now: DateTime<Utc>) {
    for plan in catalogue::PROVIDERS[catalogue::ROUTERS].carrier_plans {
        jasper.with_rate_plan(plan);
    }
    for plan in catalogue::PROVIDERS[catalogue::SENSORS].carrier_plans {
        pond.with_package_type("main", plan, plan);
    }
    // Those that the demonstration pastes are among the first, so that whoever orders for them finds them at their carrier.
    for line in fleet.lines_of(catalogue::ROUTERS).filter(Line::is_active).take(MOST_AT_JASPER) {
        let device = line.device_at_carrier();
        jasper.with_device_record(Device { msisdn: device.subscriber_number, ..Device::new(&line.iccid, device.plan, now) });
    }
    for line in orders::at_carrier(fleet, catalogue::SENSORS) {
        let Line { iccid, .. } = &line;
        let device = line.device_at_carrier();
        pond.with_sim(Sim { msisdn: device.subscriber_number, ..Sim::new(iccid) });
        pond.add_package(iccid, device.plan, PackageStatus::Active);
    }
}

async fn listen(name: &str) -> Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.with_context(|| format!("listening for the simulated {name}"))
}

async fn make_account(store: &SqliteStore, loaded: &Loaded, kind: IntegrationKind) -> Result<AccountKey> {
    let account = IntegrationAuthentication {
        id: IntegrationAuthenticationId(0),
        name: format!("{kind} production"),
        integration_kind: kind,
        is_active: true,
    };
    let id = store.create_integration_authentication(loaded.tenant, &account, SystemClock.now()).await?;
    Ok(AccountKey { tenant_id: loaded.tenant, integration_authentication_id: id })
}

async fn link(
    store: &SqliteStore,
    loaded: &Loaded,
    provider: ServiceProviderId,
    account: IntegrationAuthenticationId,
) -> Result<()> {
    let present = store.get_service_provider(loaded.tenant, provider).await?;
    let linked = ServiceProvider { integration_authentication_id: Some(account), ..present };
    Ok(store.update_service_provider(loaded.tenant, &linked, SystemClock.now()).await?)
}
