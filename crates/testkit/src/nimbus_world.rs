//! An operator whose lines are at Nimbus, a simulator in the same process that says later what became of a request.

use std::sync::Arc;

use chrono::TimeDelta;
use lineshift_connectors::carrier::{CarrierKind, Carriers};
use lineshift_connectors::http::{Account, AccountKey, AccountLimits, CallMeter};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{IntegrationAuthenticationId, ServiceProviderId};
use lineshift_domain::judge::Reason;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{Effect, Order};
use lineshift_engine::{Clock, Connect, Connector, Engine};
use lineshift_store::billing::{AccountSettings, IntegrationAccount};
use lineshift_store::catalogue::{CarrierRatePlan, IntegrationAuthentication, ServiceProvider};
use lineshift_store::import::ImportDevice;
use secrecy::SecretString;

use crate::billing::{on_one_thread, vault};
use crate::clock::TestClock;
use crate::in_process::{InProcess, ORIGIN};
use crate::nimbus::{self, Line, Nimbus, NimbusOptions, NimbusSimulator, Status};
use crate::operator::{BEGINNING, Operator, iccid, number};

/// The plan that lines are on.
pub const SMALL: &str = "N-SMALL";
/// Another one.
pub const LARGE: &str = "N-LARGE";

/// The token of the account; it must never be found anywhere.
pub const TOKEN: &str = "n1mbus-S3cr3t";

/// An operator and its carrier.
pub struct NimbusWorld {
    /// The operator; its lines from 1 are Nimbus's.
    pub operator: Operator,
    /// Nimbus.
    pub simulator: Arc<NimbusSimulator>,
    /// The service provider of the lines.
    pub provider: ServiceProviderId,
    connect: Arc<ConnectNimbus>,
}

impl NimbusWorld {
    /// With that many lines, on a clock that stands until it is put forward. A request works after ten seconds.
    pub async fn with_lines(lines: u64) -> Self {
        Self::with(lines, |_| {}).await
    }

    /// The same with simulator options.
    pub async fn with(lines: u64, adjust: impl FnOnce(&mut NimbusOptions)) -> Self {
        Self::of_kind(&Nimbus, lines, adjust).await
    }

    /// The same of a carrier that is known otherwise.
    pub async fn of_kind(kind: &'static dyn CarrierKind, lines: u64, adjust: impl FnOnce(&mut NimbusOptions)) -> Self {
        let clock = Arc::new(TestClock::at(BEGINNING));
        let mut operator = Operator::on_clock(Arc::clone(&clock), 0, Limits::default(), on_one_thread()).await;
        let mut options = NimbusOptions::new(TOKEN);
        adjust(&mut options);
        let simulator = NimbusSimulator::new(options, Arc::clone(&clock) as Arc<dyn Clock>);
        fill(&simulator, lines);
        let connect = Arc::new(ConnectNimbus { kind, simulator: Arc::clone(&simulator), clock });
        operator.engine = operator.engine.clone().connected(Arc::clone(&connect) as Arc<dyn Connect>);
        let provider = provide(&operator).await;
        let here = (1..=lines).map(|line| ImportDevice {
            carrier_rate_plan: Some(SMALL.to_owned()),
            ..operator.line(provider, line, Status::Active.name())
        });
        operator.import(&here.collect::<Vec<_>>()).await;
        Self { operator, simulator, provider, connect }
    }

    /// The engine of another process over the same store: it knows nothing but what is stored.
    #[must_use]
    pub fn another_engine(&self) -> Engine {
        let Operator { clock, engine, store, .. } = &self.operator;
        Engine::new(Arc::clone(store), Arc::clone(clock) as Arc<dyn Clock>, *engine.limits())
            .connected(Arc::clone(&self.connect) as Arc<dyn Connect>)
    }

    /// An order for lines of Nimbus.
    pub fn order(&self, lines: impl IntoIterator<Item = u64>, effect: Effect) -> Order {
        let order = self.operator.order(lines.into_iter().map(iccid), effect);
        Order { service_provider_id: self.provider, ..order }
    }

    /// Puts the clock forward, then runs all there is to run.
    pub async fn run_after(&self, pause: TimeDelta) {
        self.operator.clock.advance(pause);
        self.operator.run_until_idle().await;
    }

    /// The line as Nimbus has it.
    ///
    /// # Panics
    /// When it has no such line.
    #[must_use]
    pub fn there(&self, line: u64) -> Line {
        nimbus::find_line(&self.simulator, &iccid(line)).expect("Nimbus has the line")
    }

    /// How often it was asked to change lines.
    #[must_use]
    pub fn changing_calls(&self) -> u64 {
        self.simulator.traffic().calls.get("POST /changes").copied().unwrap_or(0)
    }

    /// From now on no change of the line works, for that reason.
    ///
    /// # Panics
    /// When Nimbus has no such line.
    pub fn bar(&self, line: u64, reason: &str) {
        self.simulator.with_ledger(|ledger, _| {
            let line = ledger.lines.get_mut(&iccid(line)).expect("Nimbus has the line");
            line.stubborn = Some(reason.to_owned());
        });
    }
}

/// Plans and active lines.
fn fill(simulator: &NimbusSimulator, lines: u64) {
    nimbus::with_examples(simulator, 0);
    let line = |line| Line {
        iccid: iccid(line),
        plan: SMALL.to_owned(),
        status: Status::Active,
        msisdn: Some(number(line)),
        stubborn: None,
    };
    simulator.with_ledger(|ledger, _| ledger.lines.extend((1..=lines).map(|nth| (iccid(nth), line(nth)))));
}

/// A service provider with an account, whose limits bind nobody, and the plans.
async fn provide(operator: &Operator) -> ServiceProviderId {
    let (store, tenant, now) = (&operator.store, operator.tenant(), operator.clock.now());
    let account = IntegrationAuthentication {
        id: IntegrationAuthenticationId(0),
        name: nimbus::ABILITIES.name.to_owned(),
        integration_kind: nimbus::KIND,
        is_active: true,
    };
    let account = store.create_integration_authentication(tenant, &account, now).await.expect("an account");
    let key = AccountKey { tenant_id: tenant, integration_authentication_id: account };
    let json = SecretString::from(format!(r#"{{"token":"{TOKEN}"}}"#));
    let settings = AccountSettings {
        base_address: format!("{ORIGIN}/v1"),
        secret_encrypted: Some(vault().seal(key, &json).expect("credentials are sealed")),
        is_local: false,
        write_enabled: true,
        concurrency: None,
        // The clock stands while calls are made: a minute of it would hold all of them.
        calls_a_minute: Some(1_000_000),
        calls_a_day: Some(10_000_000),
    };
    store.set_account(tenant, account, &settings, now).await.expect("the account is set");
    let provider = ServiceProvider {
        id: ServiceProviderId(0),
        name: "Nimbus Europe".to_owned(),
        integration_kind: nimbus::KIND,
        integration_authentication_id: Some(account),
        write_enabled: true,
        is_active: true,
    };
    let provider = store.create_service_provider(tenant, &provider, now).await.expect("a provider");
    let plan = |code: &str| CarrierRatePlan { code: code.to_owned(), name: code.to_owned(), is_active: true };
    store.upsert_carrier_rate_plans(tenant, provider, &[plan(SMALL), plan(LARGE)]).await.expect("plans");
    provider
}

/// Calls the simulator with the credentials that are stored.
struct ConnectNimbus {
    kind: &'static dyn CarrierKind,
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
        let missing = |text: String| Reason::new(Code::CredentialsMissing, text);
        let sealed = account.secret_encrypted.as_deref().ok_or_else(|| missing("no credentials were stored".to_owned()))?;
        let json = vault().open(key, sealed).map_err(|error| missing(error.to_string()))?;
        let address = account.base_address.as_deref().ok_or_else(|| missing("no address".to_owned()))?;
        let carrier = self.carriers().find(account.integration_kind).ok_or_else(|| missing("no such carrier".to_owned()))?;
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let transport = Arc::new(InProcess(Arc::clone(&self.simulator)));
        let called = Account::new(key, account.name.as_str(), limits, clock, meter, transport, 1);
        Ok(Connector::Carrier(carrier.connect(called, address, &json).map_err(missing)?))
    }

    fn carriers(&self) -> Carriers {
        Carriers::default().with(self.kind)
    }
}
