//! Simulators of the systems that Lineshift calls: each a server of its own that keeps a ledger, checks every request against a
//! description, throttles, delays, and fails on order. They know nothing of Lineshift.

mod chassis;
pub mod jasper;
pub mod pond;
pub mod revio;
mod wire;

/// What a system says of itself, so that it can be simulated on the chassis that all stand on.
pub mod system {
    pub use crate::chassis::answers::{Failure, Success};
    pub use crate::chassis::chance::Chance;
    pub use crate::chassis::description::{Checked, Description, Misfit, Operation, Query, TextRule, answer_misfits};
    pub use crate::chassis::{Conduct, Limits, NotLetIn, System, Work};
}

pub use chassis::{ErrorShape, Fault, Faults, Simulator, System, Traffic, serve, serve_ledger};
pub use wire::{Reaction, SimulatedRequest};
