//! Simulators of the systems that Lineshift calls: each a server of its own that keeps a ledger, checks every request against a
//! description, throttles, delays, and fails on order. They know nothing of Lineshift.

pub mod revio;
mod wire;

pub use wire::{Reaction, SimulatedRequest};
