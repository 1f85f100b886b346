//! One call that the account allows, and its way out.

use std::sync::Arc;

use tokio::time::Instant;

use super::account::Account;
use super::gate::ProbeTicket;
use super::meter::SendGuard;
use super::places::Caller;
use super::slots::Slot;
use super::transport::{Answer, Request, TransportFault};
use crate::CallError;

/// One call that the account allows now: it is counted in the windows, and a place is kept for it among those being prepared.
pub struct Permit {
    account: Account,
    prepared: Slot,
    caller: Caller,
    probe: Option<ProbeTicket>,
    guard: Option<Arc<dyn SendGuard>>,
}

/// What became of a request.
pub(super) enum Sent {
    /// Its answer, or why there is none.
    Tried(Result<Answer, TransportFault>),
    /// It was not given to the transport.
    Withheld(CallError),
}

impl Permit {
    pub(super) fn new(account: Account, (caller, prepared): (Caller, Slot), probe: Option<ProbeTicket>) -> Self {
        Self { account, prepared, caller, probe, guard: None }
    }

    /// The call is not sent unless this says so directly before its first byte (B7.1).
    #[must_use]
    pub fn guarded_by(mut self, guard: Arc<dyn SendGuard>) -> Self {
        self.guard = Some(guard);
        self
    }

    /// Sends the request once, as soon as fewer calls are under way than this process may have at the account.
    pub(super) async fn send(self, request: Request) -> Sent {
        let Self { account, prepared, caller, probe, guard } = self;
        let shared = &*account.shared;
        let slot = loop {
            let slot = match shared.places.enter().await {
                Ok(slot) => slot,
                Err(not_now) => return Sent::Withheld(CallError::NotNow(not_now)),
            };
            // The call has its slot while it waits for its turn, so that turns are taken one by one and not saved up.
            shared.pace.turn(shared.apart()).await;
            if shared.places.may_begin() {
                break slot;
            }
        };
        drop(prepared);
        // Calls that failed while this one was prepared may have closed the gate.
        if let Some(not_now) = shared.gate.keeps_back(probe.as_ref()) {
            return Sent::Withheld(CallError::NotNow(not_now));
        }
        let begun = shared.gate.begin();
        // Nothing may come between this question and the transport: a lease that runs out is not asked again.
        if guard.is_some_and(|guard| !guard.may_send()) {
            return Sent::Withheld(CallError::LeaseLost);
        }
        let started = Instant::now();
        let timeout = request.timeout;
        let outcome = tokio::time::timeout(timeout, shared.transport.send(request)).await;
        drop((slot, caller));
        shared.took(started.elapsed());
        let outcome = outcome.unwrap_or(Err(TransportFault::TimedOut));
        let failed = outcome.as_ref().map_or(true, |answer| answer.status >= 500);
        shared.measures.breaker(shared.gate.record(failed, begun, probe));
        Sent::Tried(outcome)
    }
}
