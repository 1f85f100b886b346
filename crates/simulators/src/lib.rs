//! Simulators of the systems that Lineshift calls: each a server of its own that keeps a ledger, checks every request against a
//! description, throttles, delays, and fails on order. They know nothing of Lineshift.

mod chassis;
pub mod jasper;
pub mod pond;
pub mod revio;
mod wire;

pub use chassis::{ErrorShape, Fault, Faults, Simulator, System, Traffic};
pub use wire::{Reaction, SimulatedRequest};
