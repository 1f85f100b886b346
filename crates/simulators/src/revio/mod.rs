//! Rev.io, as far as it is called here: customers, services, service products, and the catalogue behind them.
//!
//! A simulator is shared by an `Arc`. It runs within a tokio runtime, in the same process by [`RevioSimulator::react`] or
//! behind real HTTP by [`serve`]; all waiting is on tokio's clock, so that it can be paused, and dates come from the `Clock`.
//! For the same seed and order of calls the same goes wrong.

mod calls;
mod ledger;
mod login;
mod options;
mod system;
mod text;

pub use self::ledger::{
    Address, Customer, LedgerView, Listed, Package, PackageProduct, Product, ProductStatus, Service, ServiceProduct, Summary,
};
pub use self::options::{NumberFilter, OpenParts, RepeatedFilter, RevioLimits, RevioLogin, RevioOptions};
pub use self::system::{BASE_PATH, OPENAPI, Revio, answer_misfits};
pub use crate::chassis::{ErrorShape, Fault, Faults, serve, serve_ledger};

/// A simulated Rev.io with a ledger of its own.
pub type RevioSimulator = crate::chassis::Simulator<Revio>;

impl RevioSimulator {
    /// Reads the ledger.
    #[must_use]
    pub const fn ledger(&self) -> LedgerView<'_> {
        LedgerView { simulator: self }
    }
}
