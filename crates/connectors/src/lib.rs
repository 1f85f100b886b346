//! What calls outside: one outbound client for all, and a connector for each system.
//!
//! A connector speaks the other system's language and nothing else: it decides neither what is to be done nor when it is tried
//! again once its own policy is used up. Every answer comes with the masked texts for the log.

mod address;
mod batch;
pub mod billing;
mod called;
pub mod carrier;
pub mod credentials;
pub mod http;
mod json;
mod values;

pub use batch::Batch;
pub use called::{CallError, Called, Exchange};
