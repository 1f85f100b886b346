//! The outbound client: what every connector calls through.

mod account;
mod transport;

pub use account::{Account, AccountKey, AccountLimits, CallMeter, Grant, MeterError, NotNow, Permit, SendGuard, WhyNot};
pub use transport::{Answer, MOST_BODY_BYTES, Request, Transport, TransportFault};
