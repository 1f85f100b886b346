//! An operator whose carriers and billing system are simulators in the same process.

mod connect;
mod template;

use std::sync::Arc;

use lineshift_connectors::billing::revio::RevioCredentials;
use lineshift_connectors::http::AccountKey;
use lineshift_domain::ids::{IntegrationAuthenticationId, ServiceProviderId};
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{AssignmentOrder, CarrierRatePlanOrder, Effect, Order, StatusOrder};
use lineshift_domain::terms::IntegrationKind;
use lineshift_engine::{Clock, Connect, Engine, WorkerOptions};
use lineshift_simulators::jasper::{Device, JasperOptions, JasperSimulator};
use lineshift_simulators::pond::{PackageStatus, PondOptions, PondSimulator, Sim};
use lineshift_simulators::revio::{RevioOptions, RevioSimulator};
use lineshift_store::Store;
use lineshift_store::billing::AccountSettings;
use lineshift_store::catalogue::{CarrierRatePlan, IntegrationAuthentication, ServiceProvider};
use lineshift_store::import::ImportDevice;
use secrecy::{ExposeSecret as _, SecretString};

pub use self::connect::connect_by_http;
use self::connect::{ConnectSimulators, Refusals};
pub use self::template::{CarrierTemplate, Copied};
use crate::billing::{CLIENT_CODE, PASSWORD, USER, on_one_thread, vault};
use crate::clock::TestClock;
use crate::operator::{BEGINNING, Operator, iccid, number};

/// The plans that lines of Jasper are on and can be moved to.
pub const PLAN: &str = "Fleet 100";
/// Another one.
pub const OTHER_PLAN: &str = "Fleet 500";
/// A communication plan of Jasper's.
pub const COMM_PLAN: &str = "LTE Data";
/// The package types that lines of POND are on and can be moved to.
pub const PACKAGE_TYPE: &str = "101";
/// Another one.
pub const OTHER_PACKAGE_TYPE: &str = "103";

/// The secrets of the accounts; they must never be found anywhere.
pub const API_KEY: &str = "jasper-S3cr3t/key=7";
/// Of POND.
pub const POND_KEY: &str = "pond-S3cr3t/key=9";

/// An operator, its carriers and its billing system.
pub struct CarrierWorld {
    /// The operator; its lines from 1 are Jasper's, those from [`Self::first_pond_line`] are POND's.
    pub operator: Operator,
    /// Jasper.
    pub jasper: Arc<JasperSimulator>,
    /// POND.
    pub pond: Arc<PondSimulator>,
    /// Rev.io.
    pub revio: Arc<RevioSimulator>,
    /// The POND account's service provider.
    pub pond_provider: ServiceProviderId,
    /// The account at Jasper.
    pub jasper_account: IntegrationAuthenticationId,
    /// The account at POND.
    pub pond_account: IntegrationAuthenticationId,
    /// The number of the first line of POND.
    pub first_pond_line: u64,
    connect: Arc<ConnectSimulators>,
    refusals: Arc<Refusals>,
}

/// The systems that a world calls.
#[derive(Clone)]
pub struct Simulators {
    /// Jasper.
    pub jasper: Arc<JasperSimulator>,
    /// POND.
    pub pond: Arc<PondSimulator>,
    /// Rev.io.
    pub revio: Arc<RevioSimulator>,
}

impl Simulators {
    /// With nothing in them.
    pub fn new(
        clock: Arc<dyn Clock>,
        jasper: impl FnOnce(&mut JasperOptions),
        pond: impl FnOnce(&mut PondOptions),
        revio: impl FnOnce(&mut RevioOptions),
    ) -> Self {
        let mut jasper_options = JasperOptions::new("switchboard", API_KEY);
        let mut pond_options = PondOptions::new("12", POND_KEY);
        let mut revio_options = RevioOptions::new(USER, CLIENT_CODE, PASSWORD);
        jasper(&mut jasper_options);
        pond(&mut pond_options);
        revio(&mut revio_options);
        Self {
            jasper: JasperSimulator::new(jasper_options, Arc::clone(&clock)),
            pond: PondSimulator::new(pond_options, Arc::clone(&clock)),
            revio: RevioSimulator::new(revio_options, clock),
        }
    }
}

/// What the store knows of the carriers of a world.
#[derive(Debug, Clone, Copy)]
struct Ids {
    pond_provider: ServiceProviderId,
    jasper_account: IntegrationAuthenticationId,
    pond_account: IntegrationAuthenticationId,
}

impl CarrierWorld {
    /// With that many lines each at Jasper and at POND; nothing goes wrong. In a runtime whose clock is paused.
    pub async fn with_lines(lines: u64) -> Self {
        Self::with(lines, Limits::default(), |_| {}, |_| {}).await
    }

    /// The same with limits and simulator options.
    pub async fn with(
        lines: u64,
        limits: Limits,
        jasper: impl FnOnce(&mut JasperOptions),
        pond: impl FnOnce(&mut PondOptions),
    ) -> Self {
        let clock = Arc::new(TestClock::going_from(BEGINNING));
        let operator = Operator::on_clock(clock, lines, limits, on_one_thread()).await;
        Self::over(operator, lines, jasper, pond).await
    }

    async fn over(
        operator: Operator,
        lines: u64,
        jasper: impl FnOnce(&mut JasperOptions),
        pond: impl FnOnce(&mut PondOptions),
    ) -> Self {
        let simulators = Simulators::new(Arc::clone(&operator.clock) as Arc<dyn Clock>, jasper, pond, |_| {});
        let ids = set_up(&operator).await;
        let world = Self::beside(operator, simulators, ids, lines);
        world.fill(lines);
        world.import(lines).await;
        world.set_jasper_account(|_| {}).await;
        world.set_pond_account(|_| {}).await;
        world
    }

    /// That operator, whose carriers and billing system are those simulators.
    fn beside(mut operator: Operator, simulators: Simulators, ids: Ids, lines: u64) -> Self {
        let refusals = Arc::new(Refusals::default());
        let connect = Arc::new(ConnectSimulators::new(&simulators, &refusals, Arc::clone(&operator.clock)));
        let Simulators { jasper, pond, revio } = simulators;
        revio.with_examples(1).with_customer(operator.rev_customer.0, "Fleet Rentals");
        operator.engine = operator.engine.clone().connected(Arc::clone(&connect) as Arc<dyn Connect>);
        let Ids { pond_provider, jasper_account, pond_account } = ids;
        Self {
            operator,
            jasper,
            pond,
            revio,
            pond_provider,
            jasper_account,
            pond_account,
            first_pond_line: lines + 1,
            connect,
            refusals,
        }
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
        Engine::new(store, Arc::clone(clock) as Arc<dyn Clock>, *engine.limits())
            .connected(Arc::clone(&self.connect) as Arc<dyn Connect>)
    }

    /// Its simulators.
    #[must_use]
    pub fn simulators(&self) -> Simulators {
        Simulators { jasper: Arc::clone(&self.jasper), pond: Arc::clone(&self.pond), revio: Arc::clone(&self.revio) }
    }

    /// Makes a plan of Jasper's or POND's catalogue inactive, or active again.
    pub async fn set_plan_active(&self, plan: &str, is_active: bool) {
        let Operator { store, jasper, .. } = &self.operator;
        let provider = if [PLAN, OTHER_PLAN].contains(&plan) { *jasper } else { self.pond_provider };
        let plan = CarrierRatePlan { code: plan.to_owned(), name: format!("Plan {plan}"), is_active };
        store.upsert_carrier_rate_plans(self.operator.tenant(), provider, &[plan]).await.expect("stored");
    }

    /// A carrier refuses the next changing request whose path and body have these in them, clearly and for good.
    pub fn refuse_next(&self, path: &'static str, body: &'static str) {
        self.refusals.add(path, body);
    }

    /// Lines and plans at the carriers.
    fn fill(&self, lines: u64) {
        let now = self.operator.clock.now();
        for plan in [PLAN, OTHER_PLAN] {
            self.jasper.with_rate_plan(plan);
        }
        self.jasper.with_communication_plan(COMM_PLAN);
        for (id, name) in [(PACKAGE_TYPE, "Sensor"), (OTHER_PACKAGE_TYPE, "Tracker")] {
            self.pond.with_package_type("main", id, name);
        }
        for line in 1..=lines {
            self.jasper.with_device_record(Device { msisdn: Some(number(line)), ..Device::new(&iccid(line), PLAN, now) });
        }
        for line in self.pond_lines(lines) {
            self.pond.with_sim(Sim { msisdn: Some(number(line)), ..Sim::new(&iccid(line)) });
            self.pond.add_package(&iccid(line), PACKAGE_TYPE, PackageStatus::Active);
        }
    }

    const fn pond_lines(&self, lines: u64) -> std::ops::Range<u64> {
        self.first_pond_line..self.first_pond_line + lines
    }

    /// The same lines here.
    async fn import(&self, lines: u64) {
        let with_plan = |provider, line, status: &str, plan: &str| ImportDevice {
            carrier_rate_plan: Some(plan.to_owned()),
            ..self.operator.line(provider, line, status)
        };
        let jasper = (1..=lines).map(|line| with_plan(self.operator.jasper, line, "ACTIVATED", PLAN));
        let pond = self.pond_lines(lines).map(|line| with_plan(self.pond_provider, line, "In-Service", PACKAGE_TYPE));
        self.operator.import(&jasper.chain(pond).collect::<Vec<_>>()).await;
    }

    /// Stores how Jasper is called.
    pub async fn set_jasper_account(&self, change: impl FnOnce(&mut AccountSettings)) {
        let json = format!(r#"{{"user":"switchboard","api_key":"{API_KEY}"}}"#);
        self.set_account(self.jasper_account, "https://jasper.example/rws/api/v1", &json, change).await;
    }

    /// Stores how POND is called.
    pub async fn set_pond_account(&self, change: impl FnOnce(&mut AccountSettings)) {
        let json = format!(r#"{{"api_key":"{POND_KEY}","distributor_id":"12"}}"#);
        self.set_account(self.pond_account, "https://pond.example", &json, change).await;
    }

    /// Stores how Rev.io is called.
    pub async fn set_billing_account(&self) {
        self.set_billing_account_with(|_| {}).await;
    }

    /// The same with other settings.
    pub async fn set_billing_account_with(&self, change: impl FnOnce(&mut AccountSettings)) {
        let credentials = RevioCredentials {
            user: USER.to_owned(),
            client_code: CLIENT_CODE.to_owned(),
            password: SecretString::from(PASSWORD),
            subscription_key: None,
        };
        let json = credentials.to_json();
        self.set_account(self.operator.authentication, crate::simulated::ADDRESS, json.expose_secret(), change).await;
    }

    async fn set_account(
        &self,
        id: IntegrationAuthenticationId,
        address: &str,
        json: &str,
        change: impl FnOnce(&mut AccountSettings),
    ) {
        let tenant = self.operator.tenant();
        let key = AccountKey { tenant_id: tenant, integration_authentication_id: id };
        let mut settings = AccountSettings {
            base_address: address.to_owned(),
            secret_encrypted: Some(vault().seal(key, &SecretString::from(json)).expect("credentials are sealed")),
            is_local: false,
            write_enabled: true,
            concurrency: None,
            calls_a_minute: None,
            calls_a_day: None,
        };
        change(&mut settings);
        self.operator.store.set_account(tenant, id, &settings, self.operator.clock.now()).await.expect("the account is set");
    }

    /// An order for lines of Jasper.
    pub fn jasper_order(&self, lines: impl IntoIterator<Item = u64>, effect: Effect) -> Order {
        self.operator.order(lines.into_iter().map(iccid), effect)
    }

    /// An order for lines of POND, counted from 1.
    pub fn pond_order(&self, lines: impl IntoIterator<Item = u64>, effect: Effect) -> Order {
        let first = self.first_pond_line;
        let order = self.operator.order(lines.into_iter().map(|line| iccid(first + line - 1)), effect);
        Order { service_provider_id: self.pond_provider, ..order }
    }

    /// To the Rev customer, with a service and one product.
    #[must_use]
    pub fn assignment(&self) -> AssignmentOrder {
        crate::billing::assignment_of(&self.operator)
    }

    /// Runs pages, as workers do, until the change is completed or that much time has passed.
    pub async fn work_until(&self, id: lineshift_domain::ids::BulkChangeId, longest: std::time::Duration) {
        work_until(&self.operator, self.operator.engine.clone(), id, longest).await;
    }
}

/// Lets a worker of an engine run until a change is completed, or that long.
pub async fn work_until(
    operator: &Operator,
    engine: Engine,
    id: lineshift_domain::ids::BulkChangeId,
    longest: std::time::Duration,
) {
    let (stop, stopped) = lineshift_engine::shutdown();
    let worker = tokio::spawn(async move { engine.run_worker(WorkerOptions { owner: "test".to_owned() }, stopped).await });
    let deadline = tokio::time::Instant::now() + longest;
    while tokio::time::Instant::now() < deadline && operator.change(id).await.processed_at.is_none() {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    stop.stop();
    worker.await.expect("the worker does not panic");
}

/// To that carrier rate plan, now.
#[must_use]
pub fn to_plan(plan: &str) -> Effect {
    Effect::CarrierRatePlanChange(carrier_plan(plan))
}

/// That carrier rate plan.
#[must_use]
pub fn carrier_plan(plan: &str) -> CarrierRatePlanOrder {
    CarrierRatePlanOrder { carrier_rate_plan: Some(plan.to_owned()), ..CarrierRatePlanOrder::default() }
}

/// To that status.
#[must_use]
pub fn to_status(status: &str) -> Effect {
    Effect::StatusUpdate(StatusOrder { target_status: status.to_owned(), reason_code: None })
}

/// An assignment that moves the line to a carrier rate plan, too.
#[must_use]
pub fn with_carrier_plan(assignment: AssignmentOrder, plan: &str) -> AssignmentOrder {
    AssignmentOrder { carrier_rate_plan: Some(carrier_plan(plan)), ..assignment }
}

/// Accounts and plans of the carriers.
async fn set_up(operator: &Operator) -> Ids {
    let (store, tenant, now) = (&operator.store, operator.tenant(), operator.clock.now());
    let mut accounts = Vec::new();
    for kind in [IntegrationKind::JASPER, IntegrationKind::POND] {
        let account = IntegrationAuthentication {
            id: IntegrationAuthenticationId(0),
            name: kind.as_str().to_owned(),
            integration_kind: kind,
            is_active: true,
        };
        accounts.push(store.create_integration_authentication(tenant, &account, now).await.expect("an account"));
    }
    let (jasper, pond) = (accounts[0], accounts[1]);
    let present = store.get_service_provider(tenant, operator.jasper).await.expect("the provider");
    let linked = ServiceProvider { integration_authentication_id: Some(jasper), ..present };
    store.update_service_provider(tenant, &linked, now).await.expect("linked");
    let provider = ServiceProvider {
        id: ServiceProviderId(0),
        name: "POND".to_owned(),
        integration_kind: IntegrationKind::POND,
        integration_authentication_id: Some(pond),
        write_enabled: true,
        is_active: true,
    };
    let pond_provider = store.create_service_provider(tenant, &provider, now).await.expect("a provider");
    let plan = |code: &str| CarrierRatePlan { code: code.to_owned(), name: format!("Plan {code}"), is_active: true };
    store.upsert_carrier_rate_plans(tenant, operator.jasper, &[plan(PLAN), plan(OTHER_PLAN)]).await.expect("plans");
    let packages = [plan(PACKAGE_TYPE), plan(OTHER_PACKAGE_TYPE)];
    store.upsert_carrier_rate_plans(tenant, pond_provider, &packages).await.expect("plans");
    Ids { pond_provider, jasper_account: jasper, pond_account: pond }
}
