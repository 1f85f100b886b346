//! An operator whose lines are at two simulated carriers.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use lineshift_connectors::carrier::Carriers;
use lineshift_connectors::carrier::jasper::JasperCredentials;
use lineshift_connectors::carrier::pond::{DEFAULT_HEADER, PondCredentials};
use lineshift_connectors::http::{Account, AccountKey, AccountLimits, Answer, CallMeter, Request, Transport, TransportFault};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{IntegrationAuthenticationId, ServiceProviderId};
use lineshift_domain::judge::Reason;
use lineshift_domain::limits::Limits;
use lineshift_domain::sync::{FindingKind, SyncPart, SyncParts, SyncState};
use lineshift_domain::terms::IntegrationKind;
use lineshift_engine::{Clock, Connect, Connector, Engine, SyncOrder};
use lineshift_simulators::jasper::{JasperOptions, JasperSimulator};
use lineshift_simulators::pond::{PondOptions, PondSimulator};
use lineshift_simulators::{Reaction, SimulatedRequest};
use lineshift_store::billing::{AccountSettings, IntegrationAccount};
use lineshift_store::catalogue::{IntegrationAuthentication, ServiceProvider};
use lineshift_store::sync::{SyncFinding, SyncRun};
use lineshift_testkit::billing::on_one_thread;
use lineshift_testkit::clock::TestClock;
use lineshift_testkit::operator::{BEGINNING, Operator};
use secrecy::{ExposeSecret as _, SecretString};

use crate::world::{all_findings, look_at, work_for};

/// Lines alone, as far as they changed.
pub(crate) const DEVICES: SyncOrder = SyncOrder::of(SyncParts::NONE.and(SyncPart::Devices));

/// Every line.
pub(crate) const EVERY_DEVICE: SyncOrder = {
    let mut order = SyncOrder::of(SyncParts::NONE.and(SyncPart::Devices));
    order.full = true;
    order
};

/// An operator and its carriers.
pub(crate) struct CarrierWorld {
    pub(crate) operator: Operator,
    pub(crate) jasper: Arc<JasperSimulator>,
    pub(crate) pond: Arc<PondSimulator>,
    /// The account that the operator's Jasper provider calls.
    pub(crate) jasper_account: IntegrationAuthenticationId,
    pub(crate) pond_account: IntegrationAuthenticationId,
    pub(crate) pond_provider: ServiceProviderId,
}

impl CarrierWorld {
    /// With so many lines at each carrier, of which none is known here.
    pub(crate) async fn with_lines(lines: u32) -> Self {
        let clock = Arc::new(TestClock::going_from(BEGINNING));
        let mut operator = Operator::on_clock(Arc::clone(&clock), 0, Limits::default(), on_one_thread()).await;
        let jasper = JasperSimulator::new(JasperOptions::new("user", "key"), Arc::clone(&clock) as Arc<dyn Clock>);
        let pond = PondSimulator::new(PondOptions::new("42", "0123456789abcdef"), Arc::clone(&clock) as Arc<dyn Clock>);
        jasper.with_examples(lines);
        pond.with_examples(lines);
        operator.engine = operator.engine.clone().connected(Arc::new(connect(&jasper, &pond, &clock)));
        let credentials = JasperCredentials { user: "user".to_owned(), api_key: SecretString::from("key") };
        let address = "https://jasper.example/rws/api/v1";
        let jasper_account = account(&operator, IntegrationKind::JASPER, address, &credentials.to_json()).await;
        let credentials = PondCredentials {
            api_key: SecretString::from("0123456789abcdef"),
            header: DEFAULT_HEADER,
            distributor_id: "42".parse().expect("an id"),
            inventory_id: Some("main".parse().expect("an id")),
        };
        let pond_account = account(&operator, IntegrationKind::POND, "https://pond.example", &credentials.to_json()).await;
        let provider = operator.store.get_service_provider(operator.tenant(), operator.jasper).await.expect("there");
        let provider = ServiceProvider { integration_authentication_id: Some(jasper_account), ..provider };
        let now = operator.clock.now();
        operator.store.update_service_provider(operator.tenant(), &provider, now).await.expect("updated");
        let pond_provider = ServiceProvider {
            name: "Pond".to_owned(),
            integration_kind: IntegrationKind::POND,
            integration_authentication_id: Some(pond_account),
            ..provider
        };
        let created = operator.store.create_service_provider(operator.tenant(), &pond_provider, now).await;
        let pond_provider = created.expect("a provider");
        // What the carriers have was changed last long before a run begins.
        tokio::time::sleep(Duration::from_secs(2 * 3_600)).await;
        Self { operator, jasper, pond, jasper_account, pond_account, pond_provider }
    }

    /// The engine of another process over the same store.
    pub(crate) fn another_engine(&self) -> Engine {
        let Operator { clock, engine, store, .. } = &self.operator;
        let connect = connect(&self.jasper, &self.pond, clock);
        Engine::new(Arc::clone(store), Arc::clone(clock) as Arc<dyn Clock>, *engine.limits()).connected(Arc::new(connect))
    }

    /// Begins a run and answers it at its end, an hour later.
    pub(crate) async fn sync(&self, account: IntegrationAuthenticationId, order: SyncOrder) -> SyncRun {
        let run = self.run(account, order).await;
        assert_eq!(run.state, SyncState::Done, "{:?}", run.note);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        run
    }

    /// The same, however it ends, and at once.
    pub(crate) async fn run(&self, account: IntegrationAuthenticationId, order: SyncOrder) -> SyncRun {
        let operator = &self.operator;
        let begun = operator.engine.begin_sync(&operator.caller, account, order).await.expect("a run begins");
        work_for(operator, &operator.engine, begun.id).await
    }

    /// A run as it stands.
    pub(crate) async fn look(&self, run: &SyncRun) -> SyncRun {
        look_at(&self.operator, run.id).await
    }

    /// What a run found of one kind.
    pub(crate) async fn found(&self, run: &SyncRun, kind: FindingKind) -> Vec<SyncFinding> {
        all_findings(&self.operator, run.id).await.into_iter().filter(|finding| finding.kind == kind).collect()
    }

    /// One column of a query.
    pub(crate) async fn column(&self, query: &str) -> Vec<String> {
        self.operator.stored.inspect(query).await.expect("a query").into_iter().map(|row| row.join(" ")).collect()
    }

    /// Calls that the simulated Jasper got by that name.
    pub(crate) fn calls(&self, name: &str) -> u64 {
        self.jasper.ledger().summary().traffic.calls.get(name).copied().unwrap_or(0)
    }
}

/// Read, new, changed, unchanged, left out, gone.
pub(crate) fn met(run: &SyncRun) -> (i64, i64, i64, i64, i64, i64) {
    let counts = run.counts;
    (counts.read, counts.new, counts.changed, counts.unchanged, counts.left_out, counts.gone)
}

/// The nth of the simulated Jasper's devices.
pub(crate) fn device(nth: u64) -> String {
    (8_901_000_000_000_000_000 + nth).to_string()
}

/// The nth of the simulated POND's SIMs.
pub(crate) fn sim(nth: u64) -> String {
    (8_944_000_000_000_000_000 + nth).to_string()
}

/// An account of that kind, with credentials that are not sealed.
pub(crate) async fn account(
    operator: &Operator,
    kind: IntegrationKind,
    address: &str,
    credentials: &SecretString,
) -> IntegrationAuthenticationId {
    let (store, tenant, now) = (&operator.store, operator.tenant(), operator.clock.now());
    let account = IntegrationAuthentication {
        id: IntegrationAuthenticationId(0),
        name: format!("{kind} account"),
        integration_kind: kind,
        is_active: true,
    };
    let id = store.create_integration_authentication(tenant, &account, now).await.expect("an account");
    let settings = AccountSettings {
        base_address: address.to_owned(),
        secret_encrypted: Some(credentials.expose_secret().as_bytes().to_vec()),
        is_local: false,
        write_enabled: true,
        concurrency: None,
        calls_a_minute: None,
        calls_a_day: None,
    };
    store.set_account(tenant, id, &settings, now).await.expect("set");
    id
}

fn connect(jasper: &Arc<JasperSimulator>, pond: &Arc<PondSimulator>, clock: &Arc<TestClock>) -> Simulated {
    let transport = Arc::new(ByHost { jasper: Arc::clone(jasper), pond: Arc::clone(pond) });
    Simulated { transport, clock: Arc::clone(clock) }
}

/// Calls the simulators with the credentials that are stored.
struct Simulated {
    transport: Arc<ByHost>,
    clock: Arc<TestClock>,
}

impl Connect for Simulated {
    fn connect(
        &self,
        key: AccountKey,
        account: &IntegrationAccount,
        limits: AccountLimits,
        meter: Arc<dyn CallMeter>,
    ) -> Result<Connector, Reason> {
        let missing = |text: &str| Reason::new(Code::CredentialsMissing, text);
        let json = account.secret_encrypted.clone().ok_or_else(|| missing("no credentials were stored"))?;
        let json = SecretString::from(String::from_utf8(json).expect("these are not sealed"));
        let carriers = Carriers::default();
        let carrier = carriers.find(account.integration_kind).ok_or_else(|| missing("it is no carrier"))?;
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let transport = Arc::clone(&self.transport) as Arc<dyn Transport>;
        let called = Account::new(key, account.name.as_str(), limits, clock, meter, transport, 1);
        let address = account.base_address.as_deref().expect("it was set");
        Ok(Connector::Carrier(carrier.connect(called, address, &json).map_err(|text| missing(&text))?))
    }

    fn carriers(&self) -> Carriers {
        Carriers::default()
    }
}

/// Hands requests to the simulator that stands at their host. What was sent goes on there whatever becomes of its caller.
struct ByHost {
    jasper: Arc<JasperSimulator>,
    pond: Arc<PondSimulator>,
}

#[async_trait]
impl Transport for ByHost {
    async fn send(&self, request: Request) -> Result<Answer, TransportFault> {
        let at_jasper = request.url.strip_prefix("https://jasper.example").map(str::to_owned);
        let is_jasper = at_jasper.is_some();
        let target = at_jasper.or_else(|| request.url.strip_prefix("https://pond.example").map(str::to_owned));
        let headers =
            request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.expose_secret().to_owned())).collect();
        let arrived = SimulatedRequest {
            method: request.method.to_owned(),
            target: target.expect("requests go to a simulator"),
            headers,
            body: request.body.unwrap_or_default().into_bytes(),
        };
        let (jasper, pond) = (Arc::clone(&self.jasper), Arc::clone(&self.pond));
        let working =
            tokio::spawn(async move { if is_jasper { jasper.react(arrived).await } else { pond.react(arrived).await } });
        let Ok(reaction) = tokio::time::timeout(request.timeout, working).await else { return Err(TransportFault::TimedOut) };
        match reaction.expect("the simulator does not panic") {
            Reaction::Answer { status, headers, body } => Ok(Answer { status, headers, body }),
            Reaction::Cut { .. } => Err(TransportFault::Cut("cut off in the middle of the body".to_owned())),
            Reaction::Reset => Err(TransportFault::Cut("reset by the other side".to_owned())),
            Reaction::Silence => {
                tokio::time::sleep(request.timeout).await;
                Err(TransportFault::TimedOut)
            }
        }
    }
}

/// The moment that it is.
pub(crate) fn now(world: &CarrierWorld) -> chrono::DateTime<Utc> {
    world.operator.clock.now()
}
