//! One request, from its arrival to what its caller hears.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::answers::{Failure, cut, success, unreadable};
use super::calls::{Work, perform};
use super::chance::Chance;
use super::description::{Checked, checked};
use super::faults::Fault;
use super::login::{NotLetIn, let_in};
use super::{RevioSimulator, State};
use crate::wire::{Reaction, SimulatedRequest};

/// A request that came in, and what is to become of it.
struct Arrived {
    latency: Duration,
    chance: Chance,
    plan: Plan,
}

enum Plan {
    Refuse(Failure),
    Do { call: Checked, fault: Option<Fault> },
}

impl RevioSimulator {
    /// Takes a request and answers it, or does what comes instead. Must run within a tokio runtime.
    ///
    /// What was received goes on when the caller gives up, that is, drops the future: a server does not hear of that. Silence
    /// is told at once; it is the caller who waits for its time-out.
    ///
    /// # Panics
    ///
    /// Only if the simulator itself has a fault.
    pub async fn react(self: &Arc<Self>, request: SimulatedRequest) -> Reaction {
        let arrived = self.arrive(&request);
        drop(request);
        let under_way = UnderWay { simulator: Arc::clone(self) };
        let simulator = Arc::clone(self);
        let answering = tokio::spawn(async move { simulator.answer(arrived).await });
        let reaction = match answering.await {
            Ok(reaction) => reaction,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down; so is the caller.
                Err(_) => Reaction::Silence,
            },
        };
        drop(under_way);
        reaction
    }

    /// All that is decided in the order of arrival, so that it is the same for the same seed and order of calls.
    fn arrive(&self, request: &SimulatedRequest) -> Arrived {
        let mut state = self.state();
        state.arrived += 1;
        let mut chance = Chance::of(state.options.seed, state.arrived);
        let jitter = state.options.jitter;
        let latency = state.options.latency + chance.up_to(jitter);
        let call = checked(request);
        state.journal.call(match &call {
            Ok(call) => Some(&call.operation.name),
            Err(misfit) => misfit.operation,
        });
        let plan = match call {
            _ if state.broken => Plan::Refuse(Failure::of_server(500)),
            _ if state.refuses_credentials => Plan::Refuse(Failure::new(401, "Unauthorized")),
            call => match let_in(&state.options.login, request) {
                Ok(()) => match call {
                    Ok(call) => state.let_through(call, &mut chance),
                    Err(misfit) => {
                        state.journal.wrong(&request.method, &misfit.message);
                        Plan::Refuse(Failure::new(misfit.status, misfit.message))
                    }
                },
                Err(reason) => {
                    if matches!(reason, NotLetIn::Malformed(_)) {
                        state.journal.wrong(&request.method, reason.message());
                    }
                    Plan::Refuse(Failure::new(401, reason.message()))
                }
            },
        };
        Arrived { latency, chance, plan }
    }

    async fn answer(self: Arc<Self>, arrived: Arrived) -> Reaction {
        let Arrived { latency, mut chance, plan } = arrived;
        if !latency.is_zero() {
            sleep(latency).await;
        }
        let reaction = match plan {
            Plan::Refuse(failure) => self.told(failure, &mut chance),
            Plan::Do { call, fault } => self.carry_out(call, fault, &mut chance),
        };
        self.state().journal.reaction(&reaction);
        reaction
    }

    fn carry_out(self: &Arc<Self>, call: Checked, fault: Option<Fault>, chance: &mut Chance) -> Reaction {
        let Some(fault) = fault else { return self.work(&call, Duration::ZERO, chance) };
        let seconds = |chance: &mut Chance| Duration::from_secs(1 + chance.below(5));
        match fault {
            Fault::SearchLags => {
                let most = self.state().options.fault_lag;
                let lag = chance.up_to(most);
                self.work(&call, lag, chance)
            }
            Fault::WorksLate => {
                self.work_late(call, chance.clone());
                Reaction::Silence
            }
            Fault::Silence => Reaction::Silence,
            Fault::Reset => Reaction::Reset,
            Fault::Fails500 => self.told(Failure::of_server(500), chance),
            Fault::Fails502 => self.told(Failure::of_server(502), chance),
            Fault::Fails503 => self.told(Failure::of_server(503), chance),
            Fault::Fails504 => self.told(Failure::of_server(504), chance),
            Fault::Throttled => self.told(Failure::throttled(seconds(chance), true), chance),
            Fault::ThrottledInWords => self.told(Failure::throttled(seconds(chance), false), chance),
            after => {
                let reaction = self.work(&call, Duration::ZERO, chance);
                self.spoil(reaction, after, chance)
            }
        }
    }

    /// What the caller hears of a call that worked.
    fn spoil(&self, reaction: Reaction, fault: Fault, chance: &mut Chance) -> Reaction {
        match fault {
            Fault::WorksThenSilence => Reaction::Silence,
            Fault::WorksThenReset => Reaction::Reset,
            Fault::WorksThenCut => cut(reaction),
            Fault::WorksThenUnreadable => unreadable(reaction, chance),
            Fault::Works502 => self.told(Failure::of_server(502), chance),
            Fault::Works504 => self.told(Failure::of_server(504), chance),
            _ => self.told(Failure::of_server(500), chance),
        }
    }

    /// Does what the call asks for; searches find it after the lag.
    fn work(&self, call: &Checked, lag: Duration, chance: &mut Chance) -> Reaction {
        let now = self.clock.now();
        let instant = Instant::now();
        let mut state = self.state();
        let lag = lag.max(chance.up_to(state.options.settle_lag));
        let parts = state.options.open_parts;
        let mut work = Work { call, ledger: &mut state.ledger, parts, now, instant, found_from: instant + lag };
        let done = perform(&mut work);
        drop(state);
        match done {
            Ok(done) => success(done),
            Err(refusal) => self.told(Failure::new(refusal.status, refusal.message), chance),
        }
    }

    fn work_late(self: &Arc<Self>, call: Checked, mut chance: Chance) {
        let mut state = self.state();
        let late = state.options.late_after.clone();
        let wait = *late.start() + chance.up_to(late.end().saturating_sub(*late.start()));
        state.journal.outstanding += 1;
        drop(state);
        let simulator = Arc::clone(self);
        tokio::spawn(async move {
            sleep(wait).await;
            // Nobody listens any more.
            drop(simulator.work(&call, Duration::ZERO, &mut chance));
            simulator.state().journal.outstanding -= 1;
        });
    }

    fn told(&self, failure: Failure, chance: &mut Chance) -> Reaction {
        let shape = self.state().options.faults.shape(chance);
        failure.shaped(shape)
    }
}

impl State {
    /// Throttles, then draws what goes wrong.
    fn let_through(&mut self, call: Checked, chance: &mut Chance) -> Plan {
        let now = Instant::now();
        if let Err(wait) = self.throttle.pass(self.options.limits, now) {
            let in_header = self.options.faults.is_none() || chance.below(2) == 0;
            return Plan::Refuse(Failure::throttled(wait, in_header));
        }
        self.journal.most_a_minute = self.journal.most_a_minute.max(self.throttle.in_last_minute(now));
        let drawn = self.options.faults.draw(chance);
        let ordered = self.ordered.iter().position(|(name, _)| name.as_ref().is_none_or(|name| *name == call.operation.name));
        let fault = ordered.and_then(|at| self.ordered.remove(at)).map(|(_, fault)| fault).or(drawn);
        if let Some(fault) = fault {
            self.journal.fault(fault);
        }
        Plan::Do { call, fault }
    }
}

/// Counts a call as under way until its caller has heard or given up.
struct UnderWay {
    simulator: Arc<RevioSimulator>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.simulator.state().journal.at_once -= 1;
    }
}
