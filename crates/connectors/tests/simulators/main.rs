//! Each connector against its simulator, in one process on tokio's paused clock: the simulator checks each request against a
//! strict description of its own, and its ledger says what was really done.

mod carriers;
mod revio;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use lineshift_connectors::http::{
    Account, AccountKey, AccountLimits, Answer, CallMeter, Grant, MeterError, Request, Transport, TransportFault,
};
use lineshift_domain::clock::Clock;
use lineshift_domain::ids::{IntegrationAuthenticationId, TenantId};
use lineshift_domain::places::{PlacesAsked, PlacesLeased};
use lineshift_simulators::{Reaction, SimulatedRequest, Simulator, System};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

/// Where every simulator is.
const ADDRESS: &str = "https://simulator.example";

struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> DateTime<Utc> {
        let start: DateTime<Utc> = "2026-11-21T10:00:00Z".parse().expect("a moment");
        start + TimeDelta::from_std(self.0.elapsed()).expect("tests are short")
    }
}

/// The simulator has windows of its own.
struct NoWindows;

#[async_trait]
impl CallMeter for NoWindows {
    async fn take(&self, _: AccountKey, wanted: u32, _: AccountLimits, _: DateTime<Utc>) -> Result<Grant, MeterError> {
        Ok(Grant { granted: wanted, next: None })
    }

    async fn lease_places(&self, _: AccountKey, asked: PlacesAsked, _: DateTime<Utc>) -> Result<PlacesLeased, MeterError> {
        Ok(PlacesLeased { places: asked.wanted, share: asked.concurrency })
    }

    async fn return_places(&self, _: AccountKey) -> Result<(), MeterError> {
        Ok(())
    }
}

struct InProcess<S: System>(Arc<Simulator<S>>);

#[async_trait]
impl<S: System> Transport for InProcess<S> {
    async fn send(&self, request: Request) -> Result<Answer, TransportFault> {
        let header = |(name, value): &(&'static str, SecretString)| ((*name).to_owned(), value.expose_secret().to_owned());
        let request = SimulatedRequest {
            method: request.method.to_owned(),
            target: request.url.strip_prefix(ADDRESS).expect("below the base address").to_owned(),
            headers: request.headers.iter().map(header).collect(),
            body: request.body.unwrap_or_default().into_bytes(),
        };
        match self.0.react(request).await {
            Reaction::Answer { status, headers, body } => Ok(Answer { status, headers, body }),
            Reaction::Cut { .. } | Reaction::Reset => Err(TransportFault::Cut("reset".to_owned())),
            Reaction::Silence => std::future::pending().await,
        }
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(TokioClock(Instant::now()))
}

/// An account at a simulator that allows so many calls at a time.
fn account_of<S: System>(simulator: &Arc<Simulator<S>>, clock: &Arc<dyn Clock>, concurrency: usize) -> Account {
    let limits = AccountLimits {
        concurrency,
        calls_a_minute: 500,
        calls_a_day: 150_000,
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(30),
        attempts: 5,
        patience: Duration::from_secs(120),
        place_lease: Duration::from_secs(30),
    };
    let key = AccountKey { tenant_id: TenantId(1), integration_authentication_id: IntegrationAuthenticationId(2) };
    let transport = Arc::new(InProcess(Arc::clone(simulator)));
    Account::new(key, "simulated", limits, Arc::clone(clock), Arc::new(NoWindows), transport, 7)
}
