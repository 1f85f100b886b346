//! The clock, as a parameter.

use chrono::{DateTime, Utc};

/// Tells the time. The machine's clock is read by one implementation, outside of this crate.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}
