//! The whole product but the command line: an operator's store and engine behind HTTP on 127.0.0.1.

use std::sync::Arc;
use std::time::Duration;

use lineshift_domain::ids::{PrincipalId, TenantId};
use lineshift_domain::limits::Limits;
use lineshift_domain::scopes::Scopes;
use lineshift_engine::Clock as _;
use lineshift_simulators::revio::RevioSimulator;
use lineshift_store::access::NewApiKey;
use lineshift_store_sqlite::Options;
use lineshift_web::{
    Router, WireSettings, install_metrics, new_api_key_secret, router, router_on_wire, router_that_seals, serve,
};
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::billing::{BillingWorld, Sealing};
use crate::http::HttpCaller;
use crate::operator::Operator;

/// An operator behind HTTP. No worker runs by itself: tests say when (`operator.run_until_idle()`).
pub struct TestApp {
    /// The operator: store, engine, clock and what there is to order about.
    pub operator: Operator,
    /// Where it is served, without a slash at the end.
    pub url: String,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<std::io::Result<()>>,
}

impl TestApp {
    /// An operator with that many lines.
    pub async fn with_lines(lines: u64) -> Self {
        Self::over(Operator::with_lines(lines).await).await
    }

    /// The same with limits and store options.
    pub async fn with(lines: u64, limits: Limits, options: Options) -> Self {
        Self::over(Operator::with(lines, limits, options).await).await
    }

    /// That operator.
    pub async fn over(operator: Operator) -> Self {
        let router = router(operator.engine.clone(), None);
        Self::serving(operator, router).await
    }

    /// That operator; credentials can be stored over its API.
    pub async fn sealing(operator: Operator) -> Self {
        let router = router_that_seals(operator.engine.clone(), None, Arc::new(Sealing));
        Self::serving(operator, router).await
    }

    /// The same, whose `/metrics` shows what this process measures: for one test a process.
    pub async fn measured_sealing(operator: Operator) -> Self {
        let metrics = install_metrics().expect("one test a process measures");
        let router = router_that_seals(operator.engine.clone(), Some(metrics), Arc::new(Sealing));
        Self::serving(operator, router).await
    }

    /// That operator, behind what the settings say.
    pub async fn on_wire(operator: Operator, wire: &WireSettings) -> Self {
        let router = router_on_wire(operator.engine.clone(), None, Arc::new(Sealing), wire);
        Self::serving(operator, router).await
    }

    /// The operator of a billing world; credentials can be stored over its API.
    pub async fn billing(world: BillingWorld) -> (Self, Arc<RevioSimulator>) {
        let BillingWorld { operator, simulator, .. } = world;
        (Self::sealing(operator).await, simulator)
    }

    /// The same, whose `/metrics` shows what this process measures: for one test a process.
    pub async fn measured_billing(world: BillingWorld) -> (Self, Arc<RevioSimulator>) {
        let BillingWorld { operator, simulator, .. } = world;
        (Self::measured_sealing(operator).await, simulator)
    }

    /// An operator whose `/metrics` shows what this process measures: for one test a process.
    pub async fn measured(lines: u64) -> Self {
        let operator = Operator::with_lines(lines).await;
        let metrics = install_metrics().expect("one test a process measures");
        let router = router(operator.engine.clone(), Some(metrics));
        Self::serving(operator, router).await
    }

    async fn serving(operator: Operator, router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        let server = tokio::spawn(serve(listener, router, shutdown));
        let client = Client::builder()
            .timeout(Duration::from_secs(60))
            .connect_timeout(Duration::from_secs(5))
            .build()
            .expect("a client without special settings");
        Self { operator, url, client, stop: Some(stop), server }
    }

    /// Asks the server to stop.
    pub fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits until the server has stopped.
    pub async fn stopped(self) {
        self.server.await.expect("the server does not panic").expect("the listener works");
    }

    /// Somebody without a key.
    #[must_use]
    pub fn anonymous(&self) -> HttpCaller {
        self.caller(None)
    }

    /// May order, look and steer in every portal; may not change reference data.
    pub async fn orderer(&self) -> HttpCaller {
        let scopes = "m2m:view m2m:create m2m:edit mobility:view mobility:create mobility:edit lnp:view lnp:create lnp:edit";
        self.with_scopes("orderer", scopes).await
    }

    /// May look at everything.
    pub async fn viewer(&self) -> HttpCaller {
        self.with_scopes("viewer", "m2m:view mobility:view lnp:view admin:view").await
    }

    /// May do everything.
    pub async fn admin(&self) -> HttpCaller {
        self.with_scopes("admin", "*").await
    }

    /// A key of the operator with those scopes.
    pub async fn with_scopes(&self, name: &str, scopes: &str) -> HttpCaller {
        self.of_tenant(self.operator.tenant(), name, scopes).await.0
    }

    /// Somebody of another tenant, who may do everything there.
    pub async fn stranger(&self) -> HttpCaller {
        let now = self.operator.clock.now();
        let other = self.operator.store.create_tenant("Another operator", chrono_tz::UTC, now).await.expect("a new tenant");
        self.of_tenant(other, "stranger", "*").await.0
    }

    /// A new key of a tenant.
    pub async fn of_tenant(&self, tenant: TenantId, name: &str, scopes: &str) -> (HttpCaller, PrincipalId) {
        let secret = new_api_key_secret().expect("randomness");
        let scopes: Scopes = scopes.parse().expect("a test writes scopes");
        let key = NewApiKey::unlimited(name, secret.hash(), scopes);
        let now = self.operator.clock.now();
        let id = self.operator.store.create_api_key(tenant, &key, now).await.expect("a new key");
        (self.caller(Some(secret.format(tenant, id))), id)
    }

    /// Somebody who shows that as a key.
    #[must_use]
    pub fn caller(&self, key: Option<String>) -> HttpCaller {
        HttpCaller::new(&self.url, key, self.client.clone())
    }
}
