//! What is not public about Rev.io, each point a function of its own with a stated default, so that it can be replaced where
//! an account behaves otherwise.

use chrono::NaiveDate;
use lineshift_domain::ids::RevServiceId;

use super::values::day_text;
use crate::http::Effect;

/// The open points. Each default is what is believed to be right, or else what is safe.
pub trait OpenPoints: Send + Sync + 'static {
    /// How a whole service is disconnected. Default, by analogy with service products: `DELETE /Services` with the body
    /// `{service_id, effective_date, generate_proration: false}`.
    fn disconnect_service(&self, id: RevServiceId, on: NaiveDate) -> Effect {
        let body = serde_json::json!({
            "service_id": id.0,
            "effective_date": day_text(on),
            "generate_proration": false,
        });
        Effect { method: "DELETE", path: "/Services".to_owned(), body: body.to_string() }
    }

    /// Whether a filter `number` that is repeated means "or". Default: it is not believed but tried, on two services that are known
    /// to be there; until then, and if it does not, each number is one call. Believed wrongly, a service that is there would not be
    /// found, and the line would be billed twice.
    fn repeated_number_means_or(&self) -> Option<bool> {
        None
    }

    /// The filter that asks for customers changed on or after a day. Default: `updated_date` with that day. It is compared
    /// here, too, so that a filter that is not heeded costs time and nothing else.
    fn customers_changed_since(&self, day: NaiveDate) -> (&'static str, String) {
        ("updated_date", day_text(day))
    }
}

/// The stated defaults.
#[derive(Debug, Clone, Copy, Default)]
pub struct StatedDefaults;

impl OpenPoints for StatedDefaults {}
