//! The outbound client: what every connector calls through.
//!
//! A connector builds an [`Endpoint`] over an [`Account`] and calls through it: reads are tried again by the account's policy,
//! an [`Effect`] is sent once, under a [`Permit`] that its caller took before it stored its intent (B7.1).

mod account;
mod breaker;
mod chance;
mod destinations;
mod endpoint;
mod gate;
mod header_name;
#[cfg(feature = "https")]
mod https;
mod mask;
mod measures;
mod meter;
mod pace;
mod permit;
mod places;
mod refusal;
mod slots;
mod transport;
mod verdict;
mod windows;
mod wording;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::clock::Clock;

pub use account::{Account, AccountKey, AccountLimits, NotNow, WhyNot};
pub use destinations::{Destinations, ForbiddenAddress};
pub use endpoint::{Effect, Endpoint};
pub use header_name::HeaderName;
#[cfg(feature = "https")]
pub use https::{HttpsTransport, NoTls};
pub use mask::{MOST_TEXT_CHARACTERS, Masker};
pub use meter::{CallMeter, Grant, MeterError, SendGuard};
pub use permit::Permit;
pub use transport::{Answer, MOST_BODY_BYTES, Request, Transport, TransportFault};
pub use wording::{ErrorReader, Meaning, WordedError};

/// What is locked here is whole between two statements, so that a panic elsewhere leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long until a moment; nothing if it has passed.
fn until(moment: DateTime<Utc>, clock: &dyn Clock) -> Duration {
    (moment - clock.now()).to_std().unwrap_or_default()
}

/// The moment so long after another; durations here are bounded by days.
fn moment_after(now: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(wait).ok().and_then(|wait| now.checked_add_signed(wait)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
pub(crate) mod test_kit;
#[cfg(test)]
mod tests;
