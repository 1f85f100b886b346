//! What is measured about accounts: calls by result, their seconds, the breaker, who waits (section 13).

use std::sync::Arc;
use std::time::Duration;

/// The account's name on every measure; it holds no secret.
#[derive(Clone)]
pub(super) struct Measures(pub(super) Arc<str>);

impl Measures {
    /// A call ended so.
    pub(super) fn called(&self, result: &'static str) {
        metrics::counter!("lineshift_outside_calls_total", "account" => Arc::clone(&self.0), "result" => result).increment(1);
    }

    /// A call took so long, answered or not.
    pub(super) fn took(&self, seconds: Duration) {
        metrics::histogram!("lineshift_outside_call_seconds", "account" => Arc::clone(&self.0)).record(seconds.as_secs_f64());
    }

    /// Whether the breaker is open.
    pub(super) fn breaker(&self, closed: bool) {
        let open = if closed { 0.0 } else { 1.0 };
        metrics::gauge!("lineshift_account_breaker_open", "account" => Arc::clone(&self.0)).set(open);
    }

    /// Calls that this process may have under way.
    pub(super) fn places(&self, places: usize) {
        let places = u32::try_from(places).unwrap_or(u32::MAX);
        metrics::gauge!("lineshift_account_places", "account" => Arc::clone(&self.0)).set(f64::from(places));
    }

    /// How many wait for the account.
    pub(super) fn waiting(&self, callers: u32) {
        metrics::gauge!("lineshift_account_waiting", "account" => Arc::clone(&self.0)).set(f64::from(callers));
    }
}
