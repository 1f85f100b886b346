//! What a simulator is made with.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::chassis::Faults;

/// Who may call.
#[derive(Clone, PartialEq, Eq)]
pub struct RevioLogin {
    /// User name; it is no e-mail address.
    pub user: String,
    /// The client code: which tenant.
    pub client_code: String,
    /// The password.
    pub password: String,
    /// The subscription key, if the account has one; an account without one must not send any.
    pub subscription_key: Option<String>,
}

/// Shows no secret.
impl fmt::Debug for RevioLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.subscription_key.as_ref().map(|_| "***");
        let Self { user, client_code, .. } = self;
        f.debug_struct("RevioLogin")
            .field("user", user)
            .field("client_code", client_code)
            .field("password", &"***")
            .field("subscription_key", &key)
            .finish()
    }
}

/// How many calls are let through in any minute and in any day; none: any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RevioLimits {
    /// In any 60 seconds.
    pub a_minute: Option<u32>,
    /// In any 24 hours.
    pub a_day: Option<u32>,
}

impl RevioLimits {
    /// What Rev.io states: 500 a minute, 150,000 a day.
    #[must_use]
    pub const fn stated() -> Self {
        Self { a_minute: Some(500), a_day: Some(150_000) }
    }
}

/// How a filter by number matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberFilter {
    /// The whole number.
    Exact,
    /// Any part of it.
    Part,
}

/// What a filter that stands several times in a request means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepeatedFilter {
    /// Any of its values.
    Or,
    /// Its last value.
    LastOnly,
}

/// How the parts behave that Rev.io does not document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenParts {
    /// How a filter by number matches.
    pub number_filter: NumberFilter,
    /// What a repeated filter means.
    pub repeated_filter: RepeatedFilter,
    /// How long after a service the products of its package are there.
    pub package_products_after: Duration,
    /// Whether `DELETE /Services` disconnects a service; else it answers 405.
    pub delete_disconnects_services: bool,
}

impl Default for OpenParts {
    fn default() -> Self {
        Self {
            number_filter: NumberFilter::Exact,
            repeated_filter: RepeatedFilter::Or,
            package_products_after: Duration::ZERO,
            delete_disconnects_services: true,
        }
    }
}

/// What a simulator is made with. All durations run on tokio's clock.
#[derive(Debug, Clone)]
pub struct RevioOptions {
    /// Who may call.
    pub login: RevioLogin,
    /// What chance is drawn from.
    pub seed: u64,
    /// How long every call takes at least.
    pub latency: Duration,
    /// How much longer it takes at most.
    pub jitter: Duration,
    /// How many calls are let through.
    pub limits: RevioLimits,
    /// After a creation, searches find what was created only this much later at most; drawn for each.
    pub settle_lag: Duration,
    /// How much later at most when [`Fault::SearchLags`](super::Fault::SearchLags) strikes.
    pub fault_lag: Duration,
    /// How much later a call works when [`Fault::WorksLate`](super::Fault::WorksLate) strikes.
    pub late_after: RangeInclusive<Duration>,
    /// What goes wrong, and how often.
    pub faults: Faults,
    /// The parts that Rev.io does not document.
    pub open_parts: OpenParts,
}

impl RevioOptions {
    /// For that login: no latency, no limits, no lag, no faults.
    #[must_use]
    pub fn new(user: &str, client_code: &str, password: &str) -> Self {
        let login = RevioLogin {
            user: user.to_owned(),
            client_code: client_code.to_owned(),
            password: password.to_owned(),
            subscription_key: None,
        };
        Self {
            login,
            seed: 1,
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            limits: RevioLimits::default(),
            settle_lag: Duration::ZERO,
            fault_lag: Duration::from_secs(8),
            late_after: Duration::from_secs(31)..=Duration::from_secs(90),
            faults: Faults::none(),
            open_parts: OpenParts::default(),
        }
    }
}
