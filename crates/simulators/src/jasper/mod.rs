//! Cisco IoT Control Center ("Jasper"), as carriers.md has it: devices with statuses and plans, changes now or on a later date,
//! an audit trail, usage of the cycle to date.
//!
//! A simulator is shared by an `Arc`. It runs within a tokio runtime, in the same process by
//! [`react`](crate::Simulator::react) or behind real HTTP by [`serve`]; all waiting is on tokio's clock. Dates come from the
//! `Clock`, and a change of a later date is in force once that clock reaches it. For the same seed and order of calls the same
//! goes wrong. A call that is answered by silence holds no place among those at once.

mod calls;
mod ledger;
mod options;
mod system;

pub use self::ledger::{AuditEntry, ChangeStatus, Device, LedgerView, Status, Summary, Usage};
pub use self::options::{JasperLogin, JasperOptions};
pub use self::system::{BASE_PATH, Jasper, OPENAPI, answer_misfits};
pub use crate::chassis::{ErrorShape, Fault, Faults, serve, serve_ledger};

/// A simulated Jasper with a ledger of its own.
pub type JasperSimulator = crate::chassis::Simulator<Jasper>;

impl JasperSimulator {
    /// Reads the ledger.
    #[must_use]
    pub const fn ledger(&self) -> LedgerView<'_> {
        LedgerView { simulator: self }
    }
}
