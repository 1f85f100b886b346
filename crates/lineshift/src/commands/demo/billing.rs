//! The billing system of the demonstration: a simulated Rev.io behind real HTTP, that throttles and fails.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lineshift_connectors::billing::revio::RevioCredentials;
use lineshift_connectors::http::AccountKey;
use lineshift_domain::limits::Limits;
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_simulators::revio::{BASE_PATH, Fault, Faults, RevioLimits, RevioOptions, RevioSimulator, serve};
use lineshift_store::billing::{AccountSettings, BillingStore as _};
use lineshift_store_sqlite::SqliteStore;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::load::Loaded;
use crate::connect::Outside;
use crate::fleet::catalogue;
use crate::vault::Keys;

/// One call in so many meets a fault.
const FAULTS: f64 = 0.03;

/// How often it asks to wait, each time for seconds and for all calls: less often than anything else goes wrong.
const THROTTLED: f64 = 0.000_3;

/// What the simulator lets through, and what the account is told that it may.
const CALLS_A_MINUTE: u32 = 30_000;
const CALLS_A_DAY: u32 = 10_000_000;

/// How long a call takes, at least and at most.
const ANSWER: Duration = Duration::from_millis(10);
const JITTER: Duration = Duration::from_millis(20);

/// What is lower than in production, so that nobody has to watch for ten minutes: the time-out of a call, and how long an unknown
/// outcome is read back. The simulator works late, and shows late what it created, within that time.
pub(super) const CALL_TIMEOUT: u64 = 3;
const SETTLE_AFTER: u64 = 9;

/// The billing system while it is shown.
pub(super) struct Billing {
    simulator: Arc<RevioSimulator>,
    keys: Keys,
    address: String,
    password: String,
    _stop: oneshot::Sender<()>,
    _server: JoinHandle<std::io::Result<()>>,
}

/// What stands in its ledger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ledger {
    /// Connected services.
    pub(super) services: usize,
    /// Services and products beyond the first of their kind.
    pub(super) duplicates: usize,
}

impl Billing {
    /// Starts it on a free port of this machine; credentials are sealed with those keys.
    pub(super) async fn start(seed: u64, keys: Keys) -> Result<Self> {
        let password = random_text()?;
        let options = RevioOptions {
            seed,
            latency: ANSWER,
            jitter: JITTER,
            limits: RevioLimits { a_minute: Some(CALLS_A_MINUTE), a_day: Some(CALLS_A_DAY) },
            fault_lag: Duration::from_secs(4),
            late_after: Duration::from_secs(CALL_TIMEOUT)..=Duration::from_secs(CALL_TIMEOUT + 3),
            faults: Faults::all(FAULTS).with(Fault::Throttled, THROTTLED).with(Fault::ThrottledInWords, THROTTLED),
            ..RevioOptions::new(USER, CLIENT_CODE, &password)
        };
        let simulator = RevioSimulator::new(options, Arc::new(SystemClock));
        simulator.with_examples(0);
        for (id, name, _) in catalogue::CUSTOMERS {
            simulator.with_customer(id, name);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("listening for the simulated Rev.io")?;
        let address = format!("http://{}{BASE_PATH}", listener.local_addr().context("looking up the address")?);
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(serve(Arc::clone(&simulator), listener, async move { drop(stopped.await) }));
        Ok(Self { simulator, keys, address, password, _stop: stop, _server: server })
    }

    /// With what credentials are sealed.
    pub(super) const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Stores how it is called, and answers the way there.
    pub(super) async fn connect(self, store: &SqliteStore, loaded: &Loaded) -> Result<(Connected, Arc<Outside>)> {
        let key = AccountKey { tenant_id: loaded.tenant, integration_authentication_id: loaded.billing };
        let credentials = RevioCredentials {
            user: USER.to_owned(),
            client_code: CLIENT_CODE.to_owned(),
            password: SecretString::from(self.password),
            subscription_key: None,
        };
        let settings = AccountSettings {
            base_address: self.address,
            secret_encrypted: Some(self.keys.seal(key.into(), &credentials.to_json()).context("sealing the credentials")?),
            is_local: true,
            write_enabled: true,
            concurrency: None,
            calls_a_minute: Some(CALLS_A_MINUTE),
            calls_a_day: Some(CALLS_A_DAY),
        };
        store
            .set_account(key.tenant_id, key.integration_authentication_id, &settings, SystemClock.now())
            .await
            .context("storing the account")?;
        let outside = Outside::with_keys(Some(self.keys))?;
        Ok((Connected { simulator: self.simulator, _stop: self._stop, _server: self._server }, outside))
    }
}

/// The billing system, with an account that knows the way there.
pub(super) struct Connected {
    simulator: Arc<RevioSimulator>,
    _stop: oneshot::Sender<()>,
    _server: JoinHandle<std::io::Result<()>>,
}

impl Connected {
    /// What stands in the ledger.
    pub(super) fn ledger(&self) -> Result<Ledger> {
        let summary = self.simulator.ledger().summary();
        ensure!(summary.wrong_requests == 0, "the simulator did not understand a call: {:?}", summary.wrong_texts);
        Ok(Ledger { services: summary.services, duplicates: summary.duplicate_services + summary.duplicate_products })
    }

    /// What went wrong on purpose, in a line.
    pub(super) fn faults(&self) -> String {
        let summary = self.simulator.ledger().summary();
        let calls: u64 = summary.calls.values().sum();
        let faults: u64 = summary.faults.values().sum();
        format!("Rev.io was called {calls} times, and {faults} of the calls failed, timed out, worked late or were cut off")
    }
}

/// The settings of the demonstration, and what it says about them.
pub(super) fn limits(settings: Limits) -> (Limits, String) {
    let limits = Limits { settle_after_seconds: SETTLE_AFTER, call_timeout_seconds: CALL_TIMEOUT, ..settings };
    let said = format!(
        "A simulated Rev.io fails one call in {:.0}. So that nobody has to wait for it, the demonstration sets\n  \
         a call may take {CALL_TIMEOUT} s instead of {}; what became of one without an answer is settled after {SETTLE_AFTER} s instead of {};\n  \
         the account takes {CALLS_A_MINUTE} calls a minute instead of {}",
        1.0 / FAULTS,
        settings.call_timeout_seconds,
        settings.settle_after_seconds,
        settings.revio_calls_a_minute
    );
    (limits, said)
}

const USER: &str = "lineshift";
const CLIENT_CODE: &str = "demo";

pub(super) fn random_text() -> Result<String> {
    let mut bytes = [0_u8; 12];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("making a password: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
