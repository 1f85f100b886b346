//! Any simulator in this process, called as if it were far away.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_connectors::http::{
    AccountKey, AccountLimits, Answer, CallMeter, Grant, MeterError, Request, Transport, TransportFault,
};
use lineshift_domain::places::{PlacesAsked, PlacesLeased};
use lineshift_simulators::{SimulatedRequest, Simulator, System};
use secrecy::ExposeSecret as _;

use crate::simulated::answer_of;

/// Where every simulator is said to be.
pub const ORIGIN: &str = "https://carrier.example";

/// Hands requests below [`ORIGIN`] to a simulator in this process. What was sent goes on there whatever becomes of its caller, as it
/// would behind a wire.
pub struct InProcess<S: System>(pub Arc<Simulator<S>>);

#[async_trait]
impl<S: System> Transport for InProcess<S> {
    async fn send(&self, request: Request) -> Result<Answer, TransportFault> {
        let target = request.url.strip_prefix(ORIGIN).expect("requests go to the simulator").to_owned();
        let headers =
            request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.expose_secret().to_owned())).collect();
        let body = request.body.unwrap_or_default().into_bytes();
        let arrived = SimulatedRequest { method: request.method.to_owned(), target, headers, body };
        let simulator = Arc::clone(&self.0);
        let working = tokio::spawn(async move { simulator.react(arrived).await });
        answer_of(working, request.timeout).await
    }
}

/// A meter that counts nothing, for an account that no other process calls.
pub struct Unmetered;

#[async_trait]
impl CallMeter for Unmetered {
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
