//! The engine: submits, runs, completes, starts, cancels and retries bulk changes, and applies the plan queue.
//!
//! It knows neither HTTP nor SQL: it judges with `lineshift-domain` and reads and writes through `lineshift-store`.

mod accounts;
mod at_carrier;
mod beside;
mod boundary;
mod callbacks;
mod caller;
mod clock;
mod control;
mod error;
mod estimate;
mod events;
mod listener;
mod outside;
mod plan_queue;
mod rev_service;
mod run;
mod scheduler;
mod seen;
mod statuses;
mod steps;
mod submit;
mod sync;
mod transient;
mod turns;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use accounts::{Connect, ConnectionTest, Connector, QuotaLeft};
pub use boundary::{AtBoundary, Boundary};
pub use caller::Caller;
use chrono::TimeDelta;
pub use clock::SystemClock;
pub use control::Retried;
pub use error::EngineError;
pub use estimate::Estimate;
pub use events::{Changed, Events};
pub use lineshift_domain::clock::Clock;
use lineshift_domain::limits::Limits;
use lineshift_store::Store;
pub use seen::RowKey;
pub use steps::{Assignment, CustomerRatePlan, SetStep, StepReport, set_steps};
pub use submit::{
    Amount, CalledAccount, JudgementDigest, LineValues, Monthly, Preview, Previewed, PreviewedLine, PreviewedLines, RefusedLines,
    Submission, Submitted, ValidatedLine, Validation,
};
pub use sync::SyncOrder;
pub use worker::{Shutdown, ShutdownSender, WorkerOptions, shutdown};

/// Shorthand for what engine calls return.
pub type Result<T> = std::result::Result<T, EngineError>;

/// The engine over one store. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    store: Arc<dyn Store>,
    /// Who leases places of accounts; unique among all engines that work on the store.
    name: Arc<str>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    events: Events,
    statuses: statuses::CachedStatuses,
    accounts: accounts::Accounts,
    catalogues: rev_service::Catalogues,
    boundaries: boundary::Boundaries,
    /// How often accounts are synchronised by themselves; none: never.
    sync_every: Option<TimeDelta>,
    sync_look: sync::LastLook,
    /// When abandoned submissions were last looked for.
    abandoned_look: sync::LastLook,
}

impl Engine {
    /// An engine over that store. Its name is its own among the engines of this machine.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, limits: Limits) -> Self {
        static ENGINES: AtomicU64 = AtomicU64::new(0);
        let number = ENGINES.fetch_add(1, Ordering::Relaxed);
        Self {
            store,
            name: format!("{}-{number:06}", std::process::id()).into(),
            clock,
            limits,
            events: Events::default(),
            statuses: statuses::CachedStatuses::default(),
            accounts: accounts::Accounts::new(Arc::new(accounts::NotConnected)),
            catalogues: rev_service::Catalogues::default(),
            boundaries: boundary::Boundaries::default(),
            sync_every: None,
            sync_look: sync::LastLook::default(),
            abandoned_look: sync::LastLook::default(),
        }
    }

    /// The same engine under a name: no other engine on the same store may have it, on whatever machine.
    #[must_use]
    pub fn named(self, name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// The same engine, with a way to call outside.
    #[must_use]
    pub fn connected(self, connect: Arc<dyn Connect>) -> Self {
        Self { accounts: accounts::Accounts::new(connect), ..self }
    }

    /// The same engine, stopped by a test at the boundaries of pages that call outside.
    #[must_use]
    pub fn with_boundaries(self, at_boundary: Arc<AtBoundary>) -> Self {
        Self { boundaries: boundary::Boundaries(Some(at_boundary)), ..self }
    }

    /// The same engine, whose scheduler synchronises every billing account, and every service provider with its carrier, that often.
    #[must_use]
    pub fn syncing_every(self, every: TimeDelta) -> Self {
        Self { sync_every: Some(every), ..self }
    }

    /// The store, for reads.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The limits in force.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What happens to bulk changes in this process, as it happens.
    #[must_use]
    pub const fn events(&self) -> &Events {
        &self.events
    }
}
