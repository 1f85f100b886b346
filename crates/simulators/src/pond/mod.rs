//! POND IoT, as carriers.md has it: SIMs with the status of their services, and packages that are added, activated and
//! terminated. `addPackage` creates a package each time it works: sent twice, it makes two.
//!
//! A simulator is shared by an `Arc`. It runs within a tokio runtime, in the same process by
//! [`react`](crate::Simulator::react) or behind real HTTP by [`serve`]; all waiting is on tokio's clock. For the same seed and
//! order of calls the same goes wrong. A call that is answered by silence holds no place among those at once.

mod calls;
mod ledger;
mod options;
mod system;

pub use self::ledger::{LedgerView, Package, PackageStatus, ServiceStatus, Sim, Summary};
pub use self::options::{PondLogin, PondOptions};
pub use self::system::{OPENAPI, Pond, answer_misfits};
pub use crate::chassis::{ErrorShape, Fault, Faults, serve, serve_ledger};

/// A simulated POND with a ledger of its own.
pub type PondSimulator = crate::chassis::Simulator<Pond>;

impl PondSimulator {
    /// Reads the ledger.
    #[must_use]
    pub const fn ledger(&self) -> LedgerView<'_> {
        LedgerView { simulator: self }
    }
}
