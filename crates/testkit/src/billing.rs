//! An operator whose billing account is a simulator in the same process.

use std::path::PathBuf;
use std::sync::Arc;

use lineshift_connectors::billing::revio::{RevioBilling, RevioCredentials};
use lineshift_connectors::credentials::{SealedFor, Vault};
use lineshift_connectors::http::{Account, AccountKey, AccountLimits, CallMeter, HttpsTransport, Transport};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{BulkChangeId, CustomerRatePlanId, DeviceChangeId, RevCustomerId};
use lineshift_domain::judge::Reason;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{AssignmentOrder, RevCharge, RevProductOrder, RevServiceOrder};
use lineshift_domain::terms::{Step, StepState};
use lineshift_engine::{Clock, Connect, Connector, Engine};
use lineshift_simulators::revio::{RevioOptions, RevioSimulator};
use lineshift_store::Store;
use lineshift_store::billing::{AccountSettings, IntegrationAccount, StepBatch, StepRecord};
use lineshift_store::work::RunnableChange;
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_sqlite::Options;
use lineshift_web::accounts::SealCredentials;
use rust_decimal::Decimal;
use secrecy::SecretString;
use tempfile::TempDir;

use crate::billing_secrets::Repeating;
use crate::clock::TestClock;
use crate::crash::{reopen_on, reopen_stored};
use crate::operator::{BEGINNING, Operator};
use crate::simulated::{ADDRESS, SimulatedTransport};
use crate::store::{FILE, TestStore};

/// The user at the billing system.
pub const USER: &str = "switchboard";

/// The client code there.
pub const CLIENT_CODE: &str = "altaworx_sandbox";

/// The password there; it must never be found anywhere.
pub const PASSWORD: &str = "Tr0ub4dor&3/=hunter2";

/// The key under which credentials are sealed.
const VAULT_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// The product that orders ask for.
pub const PRODUCT: i64 = 5_011;

/// Another one.
pub const OTHER_PRODUCT: i64 = 5_013;

/// A package with two products.
pub const PACKAGE: i64 = 7;

/// An operator and its billing system.
pub struct BillingWorld {
    /// The operator; its engine calls the simulator.
    pub operator: Operator,
    /// The billing system.
    pub simulator: Arc<RevioSimulator>,
    /// Whether it repeats the credentials in its errors to [`Self::another_engine`].
    pub repeats: bool,
}

impl BillingWorld {
    /// With that many lines; nothing goes wrong unless the simulator is told so. In a runtime whose clock is paused.
    pub async fn with_lines(lines: u64) -> Self {
        Self::with(lines, Limits::default(), |_| {}).await
    }

    /// The same with limits and simulator options.
    pub async fn with(lines: u64, limits: Limits, adjust: impl FnOnce(&mut RevioOptions)) -> Self {
        let clock = Arc::new(TestClock::going_from(BEGINNING));
        let operator = Operator::on_clock(Arc::clone(&clock), lines, limits, on_one_thread()).await;
        let world = Self::over(operator, clock, adjust);
        world.store_credentials(PASSWORD).await;
        world
    }

    pub(crate) fn over(operator: Operator, clock: Arc<TestClock>, adjust: impl FnOnce(&mut RevioOptions)) -> Self {
        let mut revio = RevioOptions::new(USER, CLIENT_CODE, PASSWORD);
        adjust(&mut revio);
        let simulator = RevioSimulator::new(revio, clock as Arc<dyn Clock>);
        Self::beside(operator, simulator)
    }

    /// That operator, whose billing system is that simulator.
    #[must_use]
    pub fn beside(mut operator: Operator, simulator: Arc<RevioSimulator>) -> Self {
        simulator.with_examples(1).with_customer(operator.rev_customer.0, "Fleet Rentals");
        let connect = connect_to(Arc::clone(&simulator), Arc::clone(&operator.clock));
        operator.engine = operator.engine.clone().connected(Arc::new(connect));
        Self { operator, simulator, repeats: false }
    }

    /// The engine of another process over the same store: it knows nothing but what is stored.
    #[must_use]
    pub fn another_engine(&self) -> Engine {
        self.engine_over(Arc::clone(&self.operator.store))
    }

    /// The engine of another process over other connections to the same rows.
    #[must_use]
    pub fn engine_over(&self, store: Arc<dyn Store>) -> Engine {
        let Operator { clock, engine, .. } = &self.operator;
        let connect = connection(Arc::clone(&self.simulator), Arc::clone(clock), self.repeats);
        Engine::new(store, Arc::clone(clock) as Arc<dyn Clock>, *engine.limits()).connected(Arc::new(connect))
    }

    /// Stores credentials with that password.
    pub async fn store_credentials(&self, password: &str) {
        self.set_account(password, |_| {}).await;
    }

    /// Stores how the account is called.
    pub async fn set_account(&self, password: &str, change: impl FnOnce(&mut AccountSettings)) {
        let (tenant, id) = (self.operator.tenant(), self.operator.authentication);
        let key = AccountKey { tenant_id: tenant, integration_authentication_id: id };
        let credentials = RevioCredentials {
            user: USER.to_owned(),
            client_code: CLIENT_CODE.to_owned(),
            password: SecretString::from(password),
            subscription_key: None,
        };
        let sealed = vault().seal(key, &credentials.to_json()).expect("credentials are sealed");
        let mut settings = AccountSettings {
            base_address: ADDRESS.to_owned(),
            secret_encrypted: Some(sealed),
            is_local: false,
            write_enabled: true,
            concurrency: None,
            calls_a_minute: None,
            calls_a_day: None,
        };
        change(&mut settings);
        self.operator.store.set_account(tenant, id, &settings, self.operator.clock.now()).await.expect("the account is set");
    }

    /// To the Rev customer, with a service and one product.
    #[must_use]
    pub fn assignment(&self) -> AssignmentOrder {
        assignment_of(&self.operator)
    }

    /// To the Rev customer, with a service and that charge.
    #[must_use]
    pub fn assignment_with(&self, charge: RevCharge) -> AssignmentOrder {
        assignment_with(&self.operator, charge)
    }
}

/// To an operator's Rev customer, with a service and one product.
#[must_use]
pub fn assignment_of(operator: &Operator) -> AssignmentOrder {
    assignment_with(operator, RevCharge::Products(vec![product(PRODUCT)]))
}

fn assignment_with(operator: &Operator, charge: RevCharge) -> AssignmentOrder {
    let service = RevServiceOrder {
        service_type_id: 6,
        provider_id: 42,
        charge,
        usage_plan_group_id: None,
        prorate: false,
        description: None,
    };
    AssignmentOrder { rev_service: Some(service), ..operator.rev_assignment() }
}

/// A world before anything was ordered: made once, copied for each run, which costs little.
pub struct BillingTemplate {
    origin: Origin,
    /// The Rev customer.
    pub customer: RevCustomerId,
    /// The plan with a default.
    pub plan: CustomerRatePlanId,
}

/// What is copied.
enum Origin {
    File(TempDir),
    Database(Arc<TestDatabase>),
}

impl BillingTemplate {
    /// With that many lines. In a runtime whose clock is paused.
    pub async fn with_lines(lines: u64) -> Self {
        let operator = BillingWorld::with_lines(lines).await.operator;
        let origin = match &operator.stored {
            TestStore::Sqlite(store) => {
                store.checkpoint().await.expect("all is in the file");
                let directory = tempfile::tempdir().expect("a temporary directory");
                std::fs::copy(store.path(), directory.path().join(FILE)).expect("the store is copied");
                Origin::File(directory)
            }
            TestStore::Postgres(_, database) => Origin::Database(Arc::clone(database)),
        };
        Self { origin, customer: operator.rev_customer, plan: operator.plan }
    }

    /// A copy of the file in a folder of its own.
    ///
    /// # Panics
    /// On PostgreSQL.
    #[must_use]
    pub fn copy(&self) -> (TempDir, PathBuf) {
        let Origin::File(original) = &self.origin else { panic!("there is no file to copy on PostgreSQL") };
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = directory.path().join(FILE);
        std::fs::copy(original.path().join(FILE), &store).expect("the store is copied");
        (directory, store)
    }

    /// A world of its own.
    pub async fn world(&self, limits: Limits, adjust: impl FnOnce(&mut RevioOptions)) -> BillingWorld {
        let clock = Arc::new(TestClock::going_from(BEGINNING));
        let operator = match &self.origin {
            Origin::File(_) => {
                let (directory, store) = self.copy();
                reopen_on(Arc::clone(&clock), &store, directory, limits, on_one_thread()).await
            }
            Origin::Database(database) => {
                let stored = TestStore::in_database(database.copy().await, on_one_thread()).await;
                reopen_stored(Arc::clone(&clock), stored, tempfile::tempdir().expect("a temporary directory"), limits).await
            }
        };
        BillingWorld::over(operator, clock, adjust)
    }
}

/// No call of the embedded store waits for another thread, so that time stands still meanwhile. On PostgreSQL a call waits on a
/// thread for such, and a paused clock waits with it.
#[must_use]
pub fn on_one_thread() -> Options {
    Options { inline: true, durable: false, readers: 1, writer_cache_mib: 8, reader_cache_mib: 2, ..Options::default() }
}

/// One of a product, at 4.95.
#[must_use]
pub fn product(id: i64) -> RevProductOrder {
    RevProductOrder { product_id: id, rate: Decimal::new(495, 2), quantity: Decimal::ONE }
}

pub(crate) fn vault() -> Vault {
    Vault::from_key_text(&SecretString::from(VAULT_KEY)).expect("a key of 32 bytes")
}

/// Seals credentials with the key that the simulated accounts are opened with.
pub struct Sealing;

impl SealCredentials for Sealing {
    fn seal(&self, row: SealedFor, credentials: &SecretString) -> Result<Vec<u8>, String> {
        vault().seal(row, credentials).map_err(|error| error.to_string())
    }

    fn open(&self, row: SealedFor, sealed: &[u8]) -> Result<SecretString, String> {
        vault().open(row, sealed).map_err(|error| error.to_string())
    }
}

/// A way to call that simulator in this process, with the credentials that are stored.
#[must_use]
pub fn connect_to(simulator: Arc<RevioSimulator>, clock: Arc<TestClock>) -> impl Connect {
    connection(simulator, clock, false)
}

fn connection(simulator: Arc<RevioSimulator>, clock: Arc<TestClock>, repeats: bool) -> Connected {
    let transport = Arc::new(SimulatedTransport(simulator));
    let transport: Arc<dyn Transport> = if repeats { Arc::new(Repeating(transport)) } else { transport };
    Connected { transport, clock }
}

/// A way to call whoever stands at the address that is stored, over real HTTP, with the credentials that are stored.
#[must_use]
pub fn connect_by_http(clock: Arc<TestClock>) -> impl Connect {
    let transport = HttpsTransport::local().expect("there is TLS on this machine");
    Connected { transport: Arc::new(transport), clock }
}

struct Connected {
    transport: Arc<dyn Transport>,
    clock: Arc<TestClock>,
}

impl Connect for Connected {
    fn connect(
        &self,
        key: AccountKey,
        account: &IntegrationAccount,
        limits: AccountLimits,
        meter: Arc<dyn CallMeter>,
    ) -> Result<Connector, Reason> {
        let missing = |text: &str| Reason::new(Code::CredentialsMissing, text);
        let sealed = account.secret_encrypted.as_deref().ok_or_else(|| missing("no credentials were stored"))?;
        let json = vault().open(key, sealed).map_err(|error| missing(&error.to_string()))?;
        let credentials = RevioCredentials::from_json(&json).map_err(|error| missing(&error.to_string()))?;
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let called = Account::new(key, account.name.as_str(), limits, clock, meter, Arc::clone(&self.transport), 1);
        let address = account.base_address.as_deref().unwrap_or(ADDRESS);
        Ok(Connector::Billing(Arc::new(RevioBilling::new(called, address, credentials))))
    }
}

/// Leaves the first rows of the operator's first change as a worker leaves them whose store failed after a call was sent; answers the first
/// of them.
///
/// # Panics
/// When there is no page to claim.
pub async fn lose_rows(operator: &Operator, rows: i64) -> DeviceChangeId {
    let (store, now) = (&operator.store, operator.clock.now());
    let change = RunnableChange { tenant_id: operator.tenant(), bulk_change_id: BulkChangeId(1) };
    let until = now + chrono::TimeDelta::seconds(30);
    let claim = store.claim_page(change, "lost", until, now).await.expect("claimed").expect("a page");
    let step = |row: i64| StepRecord {
        device_change_id: DeviceChangeId(claim.from_id.0 + row),
        step: Step::RevService,
        part: 0,
        state: StepState::Intended,
        attempt: 1,
        calls: 1,
        request_key: Some("create-1".to_owned()),
        external_id: None,
        adopted: false,
        code: None,
        outcome: None,
        unknown_since: Some(now),
        at: now,
        before: None,
    };
    let batch = StepBatch { steps: (0..rows).map(step).collect(), ..StepBatch::default() };
    store.record_steps(&claim, &batch, now).await.expect("written");
    store.fail_page(&claim, Code::StoreFailed, "the store failed", now).await.expect("failed");
    claim.from_id
}
