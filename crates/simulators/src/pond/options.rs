//! What a simulator is made with.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::chassis::Faults;

/// Who may call.
#[derive(Clone, PartialEq, Eq)]
pub struct PondLogin {
    /// What every path begins with.
    pub distributor_id: String,
    /// Name of the header that holds the key, in lower case.
    pub key_header: String,
    /// The key.
    pub api_key: String,
}

/// Shows no secret.
impl fmt::Debug for PondLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PondLogin")
            .field("distributor_id", &self.distributor_id)
            .field("key_header", &self.key_header)
            .field("api_key", &"***")
            .finish()
    }
}

/// What a simulator is made with. All durations run on tokio's clock.
#[derive(Debug, Clone)]
pub struct PondOptions {
    /// Who may call.
    pub login: PondLogin,
    /// What chance is drawn from.
    pub seed: u64,
    /// How long every call takes at least.
    pub latency: Duration,
    /// How much longer it takes at most.
    pub jitter: Duration,
    /// How many calls are let through at once; none: any number.
    pub calls_at_once: Option<u32>,
    /// The status of a package that was added and not activated, which is not public.
    pub added_status: String,
    /// Whether errors of the system itself are told by 200 with the error in the body.
    pub errors_inside_successes: bool,
    /// After a creation, `package/infos` finds the package only this much later at most; drawn for each.
    pub settle_lag: Duration,
    /// How much later at most when [`Fault::SearchLags`](super::Fault::SearchLags) strikes.
    pub fault_lag: Duration,
    /// How much later a call works when [`Fault::WorksLate`](super::Fault::WorksLate) strikes.
    pub late_after: RangeInclusive<Duration>,
    /// What goes wrong, and how often.
    pub faults: Faults,
}

impl PondOptions {
    /// For that login, the key in `x-api-key`: no latency, no limits, no lag, no faults.
    #[must_use]
    pub fn new(distributor_id: &str, api_key: &str) -> Self {
        Self {
            login: PondLogin {
                distributor_id: distributor_id.to_owned(),
                key_header: "x-api-key".to_owned(),
                api_key: api_key.to_owned(),
            },
            seed: 1,
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            calls_at_once: None,
            added_status: "INACTIVE".to_owned(),
            errors_inside_successes: false,
            settle_lag: Duration::ZERO,
            fault_lag: Duration::from_secs(8),
            late_after: Duration::from_secs(31)..=Duration::from_secs(90),
            faults: Faults::none(),
        }
    }
}
