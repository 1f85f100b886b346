//! One request, from its arrival to what its caller hears.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::answers::{Failure, Garbage, cut, success, unreadable};
use super::chance::Chance;
use super::description::{Checked, checked};
use super::faults::Fault;
use super::system::{Conduct, NotLetIn, System, Work};
use super::{Simulator, State};
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

impl<S: System> Simulator<S> {
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
        let let_through = matches!(arrived.plan, Plan::Do { .. });
        let under_way = UnderWay { simulator: Arc::clone(self), let_through };
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
        let conduct = S::conduct(&state.options);
        let mut chance = Chance::of(conduct.seed, state.arrived);
        let latency = conduct.latency + chance.up_to(conduct.jitter);
        let call = checked(S::description(), request);
        state.journal.call(match &call {
            Ok(call) => Some(&call.operation.name),
            Err(misfit) => misfit.operation,
        });
        let plan = match call {
            _ if state.broken => Plan::Refuse(Failure::of_server(500)),
            _ if state.refuses_credentials => Plan::Refuse(S::unauthorised("Unauthorized")),
            call => match S::let_in(&state.options, request) {
                Ok(()) => match call {
                    Ok(call) => state.let_through(call, &mut chance),
                    Err(misfit) => {
                        state.journal.wrong(&request.method, &misfit.message);
                        Plan::Refuse(S::misfitting(misfit))
                    }
                },
                Err(reason) => {
                    if matches!(reason, NotLetIn::Malformed(_)) {
                        state.journal.wrong(&request.method, reason.message());
                    }
                    Plan::Refuse(S::unauthorised(reason.message()))
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
                let most = S::conduct(&self.state().options).fault_lag;
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
            Fault::Throttled | Fault::ThrottledInWords => {
                let wait = seconds(chance);
                let mut state = self.state();
                state.journal.throttled += 1;
                let failure = S::throttled(&state.options, wait, fault == Fault::Throttled);
                drop(state);
                self.told(failure, chance)
            }
            Fault::FailsInside => self.told(Failure { inside: Some(200), ..Failure::of_server(500) }, chance),
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
            Fault::WorksThenUnreadable => unreadable(reaction, Garbage::any(chance)),
            Fault::WorksThenEmpty => unreadable(reaction, Garbage::Nothing),
            Fault::WorksThenHtml => unreadable(reaction, Garbage::Html),
            Fault::WorksThenXml => unreadable(reaction, Garbage::Xml),
            Fault::Works502 => self.told(Failure::of_server(502), chance),
            Fault::Works504 => self.told(Failure::of_server(504), chance),
            _ => self.told(Failure::of_server(500), chance),
        }
    }

    /// Does what the call asks for; searches find it after the lag.
    fn work(&self, call: &Checked, lag: Duration, chance: &mut Chance) -> Reaction {
        let now = self.clock.now();
        let instant = Instant::now();
        let mut guard = self.state();
        let state = &mut *guard;
        let lag = lag.max(chance.up_to(S::conduct(&state.options).settle_lag));
        let (ledger, options) = (&mut state.ledger, &state.options);
        let done = S::perform(&mut Work { call, ledger, options, now, instant, found_from: instant + lag });
        drop(guard);
        match done {
            Ok(done) => success(done),
            Err(failure) => self.told(failure, chance),
        }
    }

    fn work_late(self: &Arc<Self>, call: Checked, mut chance: Chance) {
        let mut state = self.state();
        let late = S::conduct(&state.options).late_after.clone();
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
        let state = self.state();
        let shape = S::conduct(&state.options).faults.shape(chance);
        let failure = S::as_told(&state.options, failure, chance);
        let object = S::error_object(&failure, chance);
        let shape = S::shape(&failure, shape);
        failure.shaped(shape, &object)
    }
}

impl<S: System> State<S> {
    /// Throttles, then draws what goes wrong.
    fn let_through(&mut self, call: Checked, chance: &mut Chance) -> Plan {
        let now = Instant::now();
        if let Err(wait) = self.pass(now) {
            let Conduct { tells_wait, faults, .. } = S::conduct(&self.options);
            let in_header = tells_wait && (faults.is_none() || chance.below(2) == 0);
            self.journal.throttled += 1;
            return Plan::Refuse(S::throttled(&self.options, wait, in_header));
        }
        self.let_through += 1;
        self.journal.most_a_minute = self.journal.most_a_minute.max(self.throttle.in_last_minute(now));
        let drawn = S::conduct(&self.options).faults.draw(chance);
        let is_meant = |name: &str| {
            let rest = call.operation.name.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        let ordered = self.ordered.iter().position(|(name, _)| name.as_deref().is_none_or(is_meant));
        let fault = ordered.and_then(|at| self.ordered.remove(at)).map(|(_, fault)| fault).or(drawn);
        if let Some(fault) = fault {
            self.journal.fault(fault);
        }
        Plan::Do { call, fault }
    }

    /// Lets a call through, or says how long it should wait; nobody knows how long the others take.
    fn pass(&mut self, now: Instant) -> Result<(), Duration> {
        let limits = S::limits(&self.options);
        if limits.at_once.is_some_and(|most| self.let_through >= most as usize) {
            return Err(Duration::from_secs(1));
        }
        self.throttle.pass(&limits.windows, now)
    }
}

/// Counts a call as under way until its caller has heard or given up.
struct UnderWay<S: System> {
    simulator: Arc<Simulator<S>>,
    let_through: bool,
}

impl<S: System> Drop for UnderWay<S> {
    fn drop(&mut self) {
        let mut state = self.simulator.state();
        state.journal.at_once -= 1;
        state.let_through -= usize::from(self.let_through);
    }
}
