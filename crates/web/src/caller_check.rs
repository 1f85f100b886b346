//! Who calls, looked up as every request has it looked up: for the benchmark, which measures what that costs.

use axum::extract::FromRequestParts as _;
use axum::http::{HeaderMap, Request};
use lineshift_engine::Engine;

use crate::accounts::NoKey;
use crate::auth::Authenticated;
use crate::{Web, WireSettings};

/// Looks callers up, without the rest of a request.
pub struct CallerCheck(Web);

impl CallerCheck {
    /// Among those of that engine's store.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        Self(Web::new(engine, None, std::sync::Arc::new(NoKey), &WireSettings::default()))
    }

    /// Whether somebody is shown by these headers: a key, or a session's cookie, with rights that were looked up.
    pub async fn is_somebody(&self, headers: HeaderMap) -> bool {
        let mut parts = Request::new(()).into_parts().0;
        parts.headers = headers;
        Authenticated::from_request_parts(&mut parts, &self.0).await.is_ok()
    }
}
