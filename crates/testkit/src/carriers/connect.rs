//! How the carriers and the billing system of a test are called: simulators in the same process, or over real HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use lineshift_connectors::billing::revio::{RevioBilling, RevioCredentials};
use lineshift_connectors::carrier::Carriers;
use lineshift_connectors::http::{
    Account, AccountKey, AccountLimits, Answer, CallMeter, HttpsTransport, Request, Transport, TransportFault,
};
use lineshift_domain::codes::Code;
use lineshift_domain::judge::Reason;
use lineshift_engine::{Clock, Connect, Connector};
use lineshift_simulators::{Reaction, SimulatedRequest, Simulator, System};
use lineshift_store::billing::IntegrationAccount;
use secrecy::ExposeSecret as _;

use super::Simulators;
use crate::billing::vault;
use crate::clock::TestClock;
use crate::simulated::answer_of;

/// Requests that a carrier refuses though its simulator would not: by what their path and body have in them, each for one request.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<Vec<(&'static str, &'static str)>>);

/// What is said then, in the words of either carrier.
const REFUSED: &str =
    r#"{"status":400,"code":"NOT_ALLOWED","message":"not allowed","errorCode":"10000012","errorMessage":"not allowed"}"#;

impl Refusals {
    pub(super) fn add(&self, path: &'static str, body: &'static str) {
        self.0.lock().expect("never held over a panic").push((path, body));
    }

    fn take(&self, path: &str, body: &str) -> bool {
        let mut refusals = self.0.lock().expect("never held over a panic");
        let found = refusals.iter().position(|(in_path, in_body)| path.contains(in_path) && body.contains(in_body));
        found.map(|at| refusals.remove(at)).is_some()
    }
}

/// Hands requests to the simulator whose host they name. What was sent goes on there whatever becomes of its caller.
struct Switchboard {
    hosts: BTreeMap<&'static str, Arc<dyn Reacts>>,
    refusals: Arc<Refusals>,
}

/// A simulator of whatever kind.
trait Reacts: Send + Sync {
    fn begin(&self, request: SimulatedRequest) -> tokio::task::JoinHandle<Reaction>;
}

struct Simulated<S: System>(Arc<Simulator<S>>);

impl<S: System> Reacts for Simulated<S> {
    fn begin(&self, request: SimulatedRequest) -> tokio::task::JoinHandle<Reaction> {
        let simulator = Arc::clone(&self.0);
        tokio::spawn(async move { simulator.react(request).await })
    }
}

#[async_trait]
impl Transport for Switchboard {
    async fn send(&self, request: Request) -> Result<Answer, TransportFault> {
        let rest = request.url.strip_prefix("https://").expect("accounts are called over TLS");
        let (host, target) = rest.split_at(rest.find('/').expect("every address has a path"));
        let simulator = self.hosts.get(host).unwrap_or_else(|| panic!("nobody is at {host}"));
        let headers =
            request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.expose_secret().to_owned())).collect();
        let body = request.body.unwrap_or_default();
        if request.method != "GET" && self.refusals.take(target, &body) {
            return Ok(Answer { status: 400, headers: Vec::new(), body: REFUSED.as_bytes().to_vec() });
        }
        let body = body.into_bytes();
        let arrived = SimulatedRequest { method: request.method.to_owned(), target: target.to_owned(), headers, body };
        let working = simulator.begin(arrived);
        answer_of(working, request.timeout).await
    }
}

/// Calls whoever stands behind the address that is stored, with the credentials that are stored.
pub(super) struct ConnectSimulators {
    transport: Arc<dyn Transport>,
    clock: Arc<TestClock>,
    carriers: Carriers,
}

impl ConnectSimulators {
    /// Simulators in this process.
    pub(super) fn new(simulators: &Simulators, refusals: &Arc<Refusals>, clock: Arc<TestClock>) -> Self {
        let Simulators { jasper, pond, revio } = simulators;
        let hosts: [(&'static str, Arc<dyn Reacts>); 3] = [
            ("jasper.example", Arc::new(Simulated(Arc::clone(jasper)))),
            ("pond.example", Arc::new(Simulated(Arc::clone(pond)))),
            ("revio.example", Arc::new(Simulated(Arc::clone(revio)))),
        ];
        let switchboard = Switchboard { hosts: hosts.into(), refusals: Arc::clone(refusals) };
        Self { transport: Arc::new(switchboard), clock, carriers: Carriers::default() }
    }
}

/// A way to call whoever stands at the addresses that are stored, over real HTTP, with the credentials that are stored.
///
/// # Panics
/// When there is no TLS on this machine.
#[must_use]
pub fn connect_by_http(clock: Arc<TestClock>) -> impl Connect {
    let transport = HttpsTransport::local().expect("there is TLS on this machine");
    ConnectSimulators { transport: Arc::new(transport), clock, carriers: Carriers::default() }
}

impl Connect for ConnectSimulators {
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
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let called = Account::new(key, account.name.as_str(), limits, clock, meter, Arc::clone(&self.transport), 1);
        let address = account.base_address.as_deref().ok_or_else(|| missing("no address".to_owned()))?;
        match self.carriers.find(account.integration_kind) {
            Some(carrier) => Ok(Connector::Carrier(carrier.connect(called, address, &json).map_err(missing)?)),
            None => {
                let credentials = RevioCredentials::from_json(&json).map_err(|error| missing(error.to_string()))?;
                Ok(Connector::Billing(Arc::new(RevioBilling::new(called, address, credentials))))
            }
        }
    }

    fn carriers(&self) -> Carriers {
        self.carriers.clone()
    }
}
