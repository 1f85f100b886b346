//! The accounts that are called: built once from what is stored, rebuilt when that changes, each with its windows in the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_connectors::CallError;
use lineshift_connectors::billing::Billing;
use lineshift_connectors::carrier::{Carrier, Carriers};
use lineshift_connectors::http::{Account, AccountKey, AccountLimits, CallMeter, Grant, MeterError, NotNow, WhyNot};
use lineshift_domain::carrier::Abilities;
use lineshift_domain::codes::Code;
use lineshift_domain::judge::Reason;
use lineshift_domain::limits::Limits;
use lineshift_domain::places::{PlacesAsked, PlacesLeased};
use lineshift_domain::terms::IntegrationKind;
use lineshift_store::Store;
use lineshift_store::billing::{CallWindows, FullWindow, IntegrationAccount};

use crate::{Engine, Result};

/// The longest that a call waits in its place for its account; what would wait longer is put off, so that its page can be given back.
const PATIENCE: Duration = Duration::from_secs(15);

/// The longest that a test of a connection takes, tries and waits included: somebody sits there and waits for it.
const TEST_PATIENCE: Duration = Duration::from_secs(45);

/// How long an account is not called before its places are given back to other processes (B7.4).
const IDLE: Duration = Duration::from_secs(2);

/// What calls an account.
#[derive(Clone)]
pub enum Connector {
    /// A billing system.
    Billing(Arc<dyn Billing>),
    /// A carrier.
    Carrier(Arc<dyn Carrier>),
}

impl Connector {
    /// The account behind it.
    #[must_use]
    pub fn account(&self) -> &Account {
        match self {
            Self::Billing(billing) => billing.account(),
            Self::Carrier(carrier) => carrier.account(),
        }
    }

    /// How many hold it.
    fn holders(&self) -> usize {
        match self {
            Self::Billing(billing) => Arc::strong_count(billing),
            Self::Carrier(carrier) => Arc::strong_count(carrier),
        }
    }
}

/// Builds what calls an account. The engine knows neither HTTP nor how credentials are kept.
pub trait Connect: Send + Sync + 'static {
    /// The connector of an account, by its kind.
    ///
    /// # Errors
    /// Why the account cannot be called at all: no address, no credentials, or none that can be read.
    fn connect(
        &self,
        key: AccountKey,
        account: &IntegrationAccount,
        limits: AccountLimits,
        meter: Arc<dyn CallMeter>,
    ) -> std::result::Result<Connector, Reason>;

    /// The carriers that it can call.
    fn carriers(&self) -> Carriers {
        Carriers::default()
    }
}

/// Nothing outside can be called.
pub(crate) struct NotConnected;

impl Connect for NotConnected {
    fn connect(
        &self,
        _key: AccountKey,
        account: &IntegrationAccount,
        _limits: AccountLimits,
        _meter: Arc<dyn CallMeter>,
    ) -> std::result::Result<Connector, Reason> {
        let text = format!("this process was started without a way to call {:?}", account.name);
        Err(Reason::new(Code::CredentialsMissing, text))
    }
}

/// What was built, by account and version.
#[derive(Clone)]
pub(crate) struct Accounts {
    connect: Arc<dyn Connect>,
    carriers: Carriers,
    built: Arc<Mutex<HashMap<AccountKey, Built>>>,
    /// Built from what is stored no longer: they may still have places and calls under way.
    outdated: Arc<Mutex<Vec<Connector>>>,
}

#[derive(Clone)]
struct Built {
    version: i64,
    connector: Connector,
}

/// An account that can be called, as it was read.
pub(crate) struct Open<C: ?Sized> {
    pub(crate) key: AccountKey,
    pub(crate) stored: IntegrationAccount,
    pub(crate) connector: Arc<C>,
}

/// What has an account behind it.
pub(crate) trait Connected {
    fn account(&self) -> &Account;
}

impl Connected for dyn Billing {
    fn account(&self) -> &Account {
        Billing::account(self)
    }
}

impl Connected for dyn Carrier {
    fn account(&self) -> &Account {
        Carrier::account(self)
    }
}

/// A billing account.
pub(crate) type OpenBilling = Open<dyn Billing>;

/// A carrier's account.
pub(crate) type OpenCarrier = Open<dyn Carrier>;

impl Accounts {
    pub(crate) fn new(connect: Arc<dyn Connect>) -> Self {
        let carriers = connect.carriers();
        Self { connect, carriers, built: Arc::default(), outdated: Arc::default() }
    }

    /// Which accounts were built.
    fn keys(&self) -> Vec<AccountKey> {
        self.built.lock().expect("never held over a panic").keys().copied().collect()
    }

    /// What was built of an account, if anything was: without looking whether it is stale.
    pub(crate) fn find_built(&self, key: AccountKey) -> Option<Connector> {
        self.find_built_version(key).map(|(_, connector)| connector)
    }

    /// The same, with the version that it was built from.
    pub(crate) fn find_built_version(&self, key: AccountKey) -> Option<(i64, Connector)> {
        let built = self.built.lock().expect("never held over a panic");
        built.get(&key).map(|built| (built.version, built.connector.clone()))
    }
}

impl Engine {
    /// The billing account, ready to be called; or the reason why it cannot be.
    pub(crate) async fn open_billing(&self, key: AccountKey) -> Result<std::result::Result<OpenBilling, Reason>> {
        Ok(self.open_account(key).await?.and_then(|(stored, connector)| match connector {
            Connector::Billing(connector) => Ok(Open { key, stored, connector }),
            Connector::Carrier(_) => Err(other_kind(&stored, "bills")),
        }))
    }

    /// The carrier's account, likewise.
    pub(crate) async fn open_carrier(&self, key: AccountKey) -> Result<std::result::Result<OpenCarrier, Reason>> {
        Ok(self.open_account(key).await?.and_then(|(stored, connector)| match connector {
            Connector::Carrier(connector) => Ok(Open { key, stored, connector }),
            Connector::Billing(_) => Err(other_kind(&stored, "has lines")),
        }))
    }

    pub(crate) async fn open_account(
        &self,
        key: AccountKey,
    ) -> Result<std::result::Result<(IntegrationAccount, Connector), Reason>> {
        let stored = self.store.get_account(key.tenant_id, key.integration_authentication_id).await?;
        if let Some(built) = self.accounts.built.lock().expect("never held over a panic").get(&key)
            && built.version == stored.version
        {
            return Ok(Ok((stored, built.connector.clone())));
        }
        // What was built from another version has places of its own until its last call has ended.
        let holder = format!("{}/{}", self.name, stored.version);
        let meter = Arc::new(StoreMeter { store: Arc::clone(&self.store), holder });
        let connector = match self.accounts.connect.connect(key, &stored, self.account_limits(&stored), meter) {
            Ok(connector) => connector,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut built = self.accounts.built.lock().expect("never held over a panic");
        // Another page may have been faster: all must share one account, because its places are counted in it.
        let kept = built.entry(key).and_modify(|present| {
            if present.version < stored.version {
                let outdated = std::mem::replace(present, Built { version: stored.version, connector: connector.clone() });
                self.accounts.outdated.lock().expect("never held over a panic").push(outdated.connector);
            }
        });
        let connector = kept.or_insert(Built { version: stored.version, connector }).connector.clone();
        Ok(Ok((stored, connector)))
    }

    /// What a carrier can do; none: no such carrier is registered.
    pub fn abilities(&self, kind: IntegrationKind) -> Option<&'static Abilities> {
        self.accounts.carriers.find(kind).map(|carrier| carrier.abilities())
    }

    /// The carriers that can be called.
    #[must_use]
    pub const fn carriers(&self) -> &Carriers {
        &self.accounts.carriers
    }
}

/// An account of another kind than the order needs.
fn other_kind(stored: &IntegrationAccount, what: &str) -> Reason {
    let text =
        format!("the integration {:?} is a {} account; give the order one that {what}", stored.name, stored.integration_kind);
    Reason::new(Code::CredentialsMissing, text)
}

/// How many calls an account still allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaLeft {
    /// Which account.
    pub key: AccountKey,
    /// Its name.
    pub name: String,
    /// In this minute.
    pub in_minute: i64,
    /// In this day.
    pub in_day: i64,
}

/// What a test of an account's connection came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionTest {
    /// Why the account could not be called or refused; none: its credentials work.
    pub failed: Option<Code>,
    /// What was said, masked (B7.5).
    pub text: String,
}

impl Engine {
    /// Calls an account once, reading only, and takes note whether its credentials work or are refused (B5.3). Whoever calls this
    /// has looked whether its caller may. Errors: `NotFound`.
    pub async fn test_connection(&self, key: AccountKey) -> Result<ConnectionTest> {
        let (stored, connector) = match self.open_account(key).await? {
            Ok(opened) => opened,
            Err(Reason { code, text }) => return Ok(ConnectionTest { failed: Some(code), text }),
        };
        // Whoever tests has changed something there, or here: what was looked up before is believed no longer (B7.6).
        if let Connector::Billing(billing) = &connector {
            billing.forget_lookups();
        }
        let called = self.test_account(key, &stored, &connector).await?;
        connector.account().rest(Duration::ZERO).await;
        Ok(called)
    }

    async fn test_account(&self, key: AccountKey, stored: &IntegrationAccount, connector: &Connector) -> Result<ConnectionTest> {
        let (tenant, id) = (key.tenant_id, key.integration_authentication_id);
        let (refused, unavailable) = match connector {
            Connector::Billing(_) => (Code::BillingRefused, Code::BillingUnavailable),
            Connector::Carrier(_) => (Code::CarrierRefused, Code::CarrierUnavailable),
        };
        let test = async {
            match connector {
                Connector::Billing(billing) => billing.test_connection().await,
                Connector::Carrier(carrier) => carrier.test_connection().await,
            }
        };
        let Ok(called) = tokio::time::timeout(TEST_PATIENCE, test).await else {
            let text = format!("no usable answer within {} seconds", TEST_PATIENCE.as_secs());
            return Ok(ConnectionTest { failed: Some(unavailable), text });
        };
        let Err(error) = called.result else {
            self.store.record_working_credentials(tenant, id).await?;
            return Ok(ConnectionTest { failed: None, text: "the credentials work".to_owned() });
        };
        let failed = match &error {
            CallError::Unauthorized { text, .. } => {
                self.store.record_refused_credentials(tenant, id, stored.version, text, self.clock.now()).await?;
                Code::CredentialsRefused
            }
            CallError::NotNow(not_now) if not_now.why == WhyNot::DayQuota => Code::QuotaExhausted,
            CallError::NotNow(_) => Code::AccountNotReady,
            CallError::Rejected { .. } | CallError::NotFound { .. } => refused,
            CallError::NotSent(_) | CallError::LeaseLost | CallError::Unavailable(_) | CallError::Ambiguous(_) => unavailable,
        };
        Ok(ConnectionTest { failed: Some(failed), text: error.to_string() })
    }

    /// Gives the places of accounts back that nobody in this process has called for a while.
    pub(crate) async fn rest_idle_accounts(&self) {
        self.rest_accounts(IDLE).await;
    }

    /// Gives the places of accounts back that nobody in this process called for so long (B7.4).
    pub(crate) async fn rest_accounts(&self, idle_for: Duration) {
        for key in self.accounts.keys() {
            if let Some(connector) = self.accounts.find_built(key) {
                connector.account().rest(idle_for).await;
            }
        }
        let outdated = std::mem::take(&mut *self.accounts.outdated.lock().expect("never held over a panic"));
        for connector in outdated {
            connector.account().rest(Duration::ZERO).await;
            // Whoever has it still may call; after that its lease runs out.
            if connector.holders() > 1 {
                self.accounts.outdated.lock().expect("never held over a panic").push(connector);
            }
        }
    }

    /// What an account allows: its own limits, else what its carrier states, else the configured ones (section 13).
    #[must_use]
    pub fn account_limits(&self, account: &IntegrationAccount) -> AccountLimits {
        account_limits(account, self.abilities(account.integration_kind), &self.limits)
    }

    /// How many calls the accounts that this process has called still allow in the minute and in the day, by account and name.
    pub async fn quotas_left(&self) -> Result<Vec<QuotaLeft>> {
        let mut quotas = Vec::new();
        for key in self.accounts.keys() {
            let (tenant, id) = (key.tenant_id, key.integration_authentication_id);
            let account = self.store.get_account(tenant, id).await?;
            let made = self.store.count_calls(tenant, id, self.clock.now()).await?;
            let limits = self.account_limits(&account);
            let left = |limit: u32, made: i64| (i64::from(limit) - made).max(0);
            let (in_minute, in_day) = (left(limits.calls_a_minute, made.in_minute), left(limits.calls_a_day, made.in_day));
            quotas.push(QuotaLeft { key, name: account.name, in_minute, in_day });
        }
        Ok(quotas)
    }

    /// Before when an account cannot be called, as far as this process knows without asking the store; none: nothing speaks against
    /// it, or it was not called yet.
    #[must_use]
    pub fn account_not_before(&self, key: AccountKey) -> Option<NotNow> {
        self.accounts.find_built(key)?.account().not_before()
    }
}

fn account_limits(stored: &IntegrationAccount, carrier: Option<&Abilities>, limits: &Limits) -> AccountLimits {
    let (concurrency, a_minute, a_day) = match carrier.map(|carrier| carrier.limits) {
        None => (limits.revio_concurrency, limits.revio_calls_a_minute, limits.revio_calls_a_day),
        // What a carrier does not state does not bind.
        Some(stated) => (
            u32::try_from(stated.concurrency).unwrap_or(u32::MAX),
            stated.calls_a_minute.unwrap_or(UNBOUND),
            stated.calls_a_day.unwrap_or(UNBOUND),
        ),
    };
    AccountLimits {
        concurrency: usize::try_from(stored.concurrency.unwrap_or(concurrency)).unwrap_or(1).max(1),
        calls_a_minute: stored.calls_a_minute.unwrap_or(a_minute).max(1),
        calls_a_day: stored.calls_a_day.unwrap_or(a_day).max(1),
        connect_timeout: limits.connect_timeout(),
        timeout: limits.call_timeout(),
        attempts: limits.attempts,
        patience: PATIENCE,
        place_lease: limits.lease(),
    }
}

/// More calls than any account takes in a day.
const UNBOUND: u32 = 1_000_000_000;

/// Keeps the windows and places in the store, so that neither a restart nor a second worker renews them (B7.4).
struct StoreMeter {
    store: Arc<dyn Store>,
    /// Whose places are leased: this process and its account.
    holder: String,
}

#[async_trait]
impl CallMeter for StoreMeter {
    async fn take(
        &self,
        account: AccountKey,
        wanted: u32,
        limits: AccountLimits,
        now: DateTime<Utc>,
    ) -> std::result::Result<Grant, MeterError> {
        let AccountKey { tenant_id, integration_authentication_id } = account;
        let windows = CallWindows { calls_a_minute: limits.calls_a_minute, calls_a_day: limits.calls_a_day };
        let taken = self
            .store
            .take_calls(tenant_id, integration_authentication_id, wanted, windows, now)
            .await
            .map_err(|error| MeterError(error.to_string()))?;
        let next = taken.full.map(|full| match full {
            FullWindow::Minute(until) => NotNow { until, why: WhyNot::MinuteLimit },
            FullWindow::Day(until) => NotNow { until, why: WhyNot::DayQuota },
        });
        Ok(Grant { granted: taken.taken, next })
    }

    async fn lease_places(
        &self,
        account: AccountKey,
        asked: PlacesAsked,
        now: DateTime<Utc>,
    ) -> std::result::Result<PlacesLeased, MeterError> {
        let AccountKey { tenant_id, integration_authentication_id } = account;
        let leased = self.store.lease_places(tenant_id, integration_authentication_id, &self.holder, asked, now).await;
        leased.map_err(|error| MeterError(error.to_string()))
    }

    async fn return_places(&self, account: AccountKey) -> std::result::Result<(), MeterError> {
        let AccountKey { tenant_id, integration_authentication_id } = account;
        let returned = self.store.return_places(tenant_id, integration_authentication_id, &self.holder).await;
        returned.map_err(|error| MeterError(error.to_string()))
    }
}
