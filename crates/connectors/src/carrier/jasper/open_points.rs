//! What is not public about Jasper, each point a function of its own with a stated default, so that it can be replaced where an
//! account behaves otherwise. That the HTTP status of 40000029 is not public needs none: the code decides.

use chrono::{DateTime, SecondsFormat, Utc};

/// The open points. Each default is what is believed to be right, or else what is safe.
pub trait OpenPoints: Send + Sync + 'static {
    /// How `effectiveDate` is written. Default: ISO 8601 in UTC with seconds, as `modifiedSince` is documented.
    fn effective_date(&self, moment: DateTime<Utc>) -> String {
        iso_8601(moment)
    }
}

/// The stated defaults.
#[derive(Debug, Clone, Copy, Default)]
pub struct StatedDefaults;

impl OpenPoints for StatedDefaults {}

/// `2026-11-21T10:00:00+00:00`.
pub(super) fn iso_8601(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, false)
}
