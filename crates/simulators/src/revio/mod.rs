//! Rev.io, as far as it is called here: customers, services, service products, and the catalogue behind them.
//!
//! A simulator is shared by an `Arc`. It runs within a tokio runtime, in the same process by [`RevioSimulator::react`] or
//! behind real HTTP by [`serve`]; all waiting is on tokio's clock, so that it can be paused, and dates come from the `Clock`.
//! For the same seed and order of calls the same goes wrong.

mod answers;
mod calls;
mod chance;
mod description;
mod faults;
mod journal;
mod ledger;
mod login;
mod options;
mod react;
mod server;
mod text;
mod throttle;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lineshift_domain::clock::Clock;

pub use self::description::{BASE_PATH, OPENAPI, answer_misfits};
pub use self::faults::{ErrorShape, Fault, Faults};
pub use self::ledger::{
    Address, Customer, LedgerView, Listed, Package, PackageProduct, Product, ProductStatus, Service, ServiceProduct, Summary,
};
pub use self::options::{NumberFilter, OpenParts, RepeatedFilter, RevioLimits, RevioLogin, RevioOptions};
pub use self::server::{serve, serve_ledger};

use self::journal::Journal;
use self::ledger::Ledger;
use self::throttle::Throttle;

/// A simulated Rev.io with a ledger of its own.
pub struct RevioSimulator {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// Everything that changes.
struct State {
    options: RevioOptions,
    ledger: Ledger,
    journal: Journal,
    throttle: Throttle,
    /// How many calls came in so far.
    arrived: u64,
    /// Faults that the next calls meet, each for one call of that name or for any.
    ordered: VecDeque<(Option<String>, Fault)>,
    refuses_credentials: bool,
    broken: bool,
}

impl RevioSimulator {
    /// An empty one; `clock` gives the dates.
    #[must_use]
    pub fn new(options: RevioOptions, clock: Arc<dyn Clock>) -> Arc<Self> {
        let state = State {
            options,
            ledger: Ledger::default(),
            journal: Journal::default(),
            throttle: Throttle::default(),
            arrived: 0,
            ordered: VecDeque::new(),
            refuses_credentials: false,
            broken: false,
        };
        Arc::new(Self { clock, state: Mutex::new(state) })
    }

    /// Reads the ledger.
    #[must_use]
    pub const fn ledger(&self) -> LedgerView<'_> {
        LedgerView { simulator: self }
    }

    /// Changes limits, latency, faults, lag and the like while it runs; what is under way goes on as it began.
    pub fn adjust(&self, change: impl FnOnce(&mut RevioOptions)) -> &Self {
        change(&mut self.state().options);
        self
    }

    /// Whether it refuses every call with 401 from now on.
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

    /// The next call of that method and path, such as `POST /Services`, meets this fault.
    pub fn meet_next_on(&self, operation: &str, fault: Fault) -> &Self {
        self.state().ordered.push_back((Some(operation.to_owned()), fault));
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done where somebody may panic, so what stands after a panic is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows neither credentials nor the ledger.
impl fmt::Debug for RevioSimulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevioSimulator").finish_non_exhaustive()
    }
}
