//! A simulator in the same process, called as if it were far away.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lineshift_connectors::http::{Answer, Request, Transport, TransportFault};
use lineshift_simulators::revio::RevioSimulator;
use lineshift_simulators::{Reaction, SimulatedRequest};
use secrecy::ExposeSecret as _;
use tokio::task::JoinHandle;

/// Where the simulator is said to be.
pub const ADDRESS: &str = "https://revio.example/v1";

/// Hands requests to a simulator in this process. What was sent goes on at the simulator whatever becomes of its caller, as it
/// would behind a wire.
pub struct SimulatedTransport(pub Arc<RevioSimulator>);

#[async_trait]
impl Transport for SimulatedTransport {
    async fn send(&self, request: Request) -> Result<Answer, TransportFault> {
        let target = request.url.strip_prefix("https://revio.example").expect("requests go to the simulator").to_owned();
        let headers =
            request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.expose_secret().to_owned())).collect();
        let body = request.body.unwrap_or_default().into_bytes();
        let arrived = SimulatedRequest { method: request.method.to_owned(), target, headers, body };
        let simulator = Arc::clone(&self.0);
        let working = tokio::spawn(async move { simulator.react(arrived).await });
        answer_of(working, request.timeout).await
    }
}

/// What comes of a request that a simulator works on, for a caller who waits so long. The work goes on whatever becomes of the caller.
pub(crate) async fn answer_of(working: JoinHandle<Reaction>, timeout: Duration) -> Result<Answer, TransportFault> {
    let Ok(reaction) = tokio::time::timeout(timeout, working).await else { return Err(TransportFault::TimedOut) };
    match reaction.expect("the simulator does not panic") {
        Reaction::Answer { status, headers, body } => Ok(Answer { status, headers, body }),
        Reaction::Cut { .. } => Err(TransportFault::Cut("cut off in the middle of the body".to_owned())),
        Reaction::Reset => Err(TransportFault::Cut("reset by the other side".to_owned())),
        Reaction::Silence => {
            tokio::time::sleep(timeout).await;
            Err(TransportFault::TimedOut)
        }
    }
}
