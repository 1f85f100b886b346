//! What every simulator stands on: the check against its description, chance, faults, throttling, the order in which a call is
//! judged, the journal, and the HTTP server. What a system is beyond that it says by [`System`].

pub(crate) mod answers;
pub(crate) mod chance;
pub(crate) mod description;
pub(crate) mod faults;
pub(crate) mod journal;
mod react;
mod server;
mod system;
pub(crate) mod text;
mod throttle;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use lineshift_domain::clock::Clock;

pub use self::faults::{ErrorShape, Fault, Faults};
pub use self::journal::Traffic;
pub use self::server::{serve, serve_ledger};
pub use self::system::System;
pub use self::system::{Conduct, Limits, NotLetIn, Work};

use self::journal::Journal;
use self::throttle::Throttle;

/// A simulated system with a ledger of its own.
pub struct Simulator<S: System> {
    clock: Arc<dyn Clock>,
    state: Mutex<State<S>>,
}

/// Everything that changes.
pub(crate) struct State<S: System> {
    pub(crate) options: S::Options,
    pub(crate) ledger: S::Ledger,
    pub(crate) journal: Journal,
    throttle: Throttle,
    /// How many calls came in so far.
    arrived: u64,
    /// How many calls that were let through are under way.
    let_through: usize,
    /// Faults that the next calls meet, each for one call of that name or for any.
    ordered: VecDeque<(Option<String>, Fault)>,
    refuses_credentials: bool,
    broken: bool,
}

impl<S: System> Simulator<S> {
    /// An empty one; `clock` gives the dates.
    #[must_use]
    pub fn new(options: S::Options, clock: Arc<dyn Clock>) -> Arc<Self> {
        let state = State {
            options,
            ledger: S::Ledger::default(),
            journal: Journal::default(),
            throttle: Throttle::default(),
            arrived: 0,
            let_through: 0,
            ordered: VecDeque::new(),
            refuses_credentials: false,
            broken: false,
        };
        Arc::new(Self { clock, state: Mutex::new(state) })
    }

    /// Changes limits, latency, faults, lag and the like while it runs; what is under way goes on as it began.
    pub fn adjust(&self, change: impl FnOnce(&mut S::Options)) -> &Self {
        change(&mut self.state().options);
        self
    }

    /// Whether it refuses every call for its credentials from now on.
    pub fn refuse_credentials(&self, refuse: bool) -> &Self {
        self.state().refuses_credentials = refuse;
        self
    }

    /// Whether every call is 500 from now on, and does not work.
    pub fn break_down(&self, broken: bool) -> &Self {
        self.state().broken = broken;
        self
    }

    /// The next call that is let through meets this fault; several are met one after the other.
    pub fn meet_next(&self, fault: Fault) -> &Self {
        self.state().ordered.push_back((None, fault));
        self
    }

    /// The next call of that method and path, as the description writes it, or of that method whatever its path, meets this fault:
    /// `POST /Services`, `PUT /devices/{iccid}`, `POST`.
    pub fn meet_next_on(&self, operation: &str, fault: Fault) -> &Self {
        self.state().ordered.push_back((Some(operation.to_owned()), fault));
        self
    }

    /// Reads or changes the ledger as it stands now, beside all calls.
    pub fn with_ledger<T>(&self, reads: impl FnOnce(&mut S::Ledger, DateTime<Utc>) -> T) -> T {
        let now = self.now();
        reads(&mut self.state().ledger, now)
    }

    /// What was called.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.state().journal.traffic()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State<S>> {
        // Nothing is left half done where somebody may panic, so what stands after a panic is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows neither credentials nor the ledger.
impl<S: System> fmt::Debug for Simulator<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(S::NAME).finish_non_exhaustive()
    }
}
