//! What a simulator is made with.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::chassis::Faults;

/// Who may call.
#[derive(Clone, PartialEq, Eq)]
pub struct JasperLogin {
    /// User name.
    pub user: String,
    /// The API key, which takes the place of a password.
    pub api_key: String,
}

/// Shows no secret.
impl fmt::Debug for JasperLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JasperLogin").field("user", &self.user).field("api_key", &"***").finish()
    }
}

/// What a simulator is made with. All durations run on tokio's clock.
#[derive(Debug, Clone)]
pub struct JasperOptions {
    /// Who may call.
    pub login: JasperLogin,
    /// What chance is drawn from.
    pub seed: u64,
    /// How long every call takes at least.
    pub latency: Duration,
    /// How much longer it takes at most.
    pub jitter: Duration,
    /// How many calls are let through in any second; none: any number.
    pub calls_a_second: Option<u32>,
    /// How many calls are let through at once; none: any number.
    pub calls_at_once: Option<u32>,
    /// The HTTP status of an answer that says 40000029, which is not public: 429, 400, or a success such as 200.
    pub throttled_status: u16,
    /// How many of the errors lack their code, 0 to 1; the one of throttling stays where no status says as much.
    pub codes_missing: f64,
    /// Whether the user's role has the rate plans.
    pub is_admin: bool,
    /// How much later a call works when [`Fault::WorksLate`](super::Fault::WorksLate) strikes.
    pub late_after: RangeInclusive<Duration>,
    /// What goes wrong, and how often.
    pub faults: Faults,
}

impl JasperOptions {
    /// For that login: no latency, no limits, no faults, every code there.
    #[must_use]
    pub fn new(user: &str, api_key: &str) -> Self {
        Self {
            login: JasperLogin { user: user.to_owned(), api_key: api_key.to_owned() },
            seed: 1,
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            calls_a_second: None,
            calls_at_once: None,
            throttled_status: 429,
            codes_missing: 0.0,
            is_admin: true,
            late_after: Duration::from_secs(31)..=Duration::from_secs(90),
            faults: Faults::none(),
        }
    }

    /// The same with the limits of carriers.md: one call at a time and five a second.
    #[must_use]
    pub const fn with_stated_limits(mut self) -> Self {
        self.calls_a_second = Some(5);
        self.calls_at_once = Some(1);
        self
    }
}
