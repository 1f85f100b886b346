//! The endpoints: one, or one small group, a file.

pub(crate) mod audit;
pub(crate) mod bulk_changes;
pub(crate) mod callbacks;
pub(crate) mod devices;
pub(crate) mod health;
pub(crate) mod integrations;
pub(crate) mod me;
pub(crate) mod people;
pub(crate) mod plan_queue;
pub(crate) mod reference;
pub(crate) mod session;
pub(crate) mod submit;
pub(crate) mod sync;
pub(crate) mod unsettled;
pub(crate) mod validate;

use std::future::Future;

use chrono_tz::Tz;
use lineshift_domain::ids::TenantId;

use crate::Web;
use crate::problem::ApiProblem;

/// The tags under which the OpenAPI document groups the endpoints.
pub(crate) mod tag {
    /// Section 4.
    pub(crate) const ORDERS: &str = "Orders";
    /// Looking at bulk changes and steering them.
    pub(crate) const BULK_CHANGES: &str = "Bulk changes";
    /// Lines.
    pub(crate) const DEVICES: &str = "Devices";
    /// What waits for its date.
    pub(crate) const PLAN_QUEUE: &str = "Plan queue";
    /// What orders refer to.
    pub(crate) const REFERENCE: &str = "Reference data";
    /// Accounts at outside systems.
    pub(crate) const INTEGRATIONS: &str = "Integrations";
    /// Who may do what.
    pub(crate) const PEOPLE: &str = "People and keys";
    /// Who did what.
    pub(crate) const AUDIT: &str = "Audit";
    /// For people: signing in, and their own account.
    pub(crate) const SESSIONS: &str = "Sessions";
    /// For whoever runs the server.
    pub(crate) const SERVER: &str = "Server";
}

impl Web {
    /// The zone in which the tenant's days begin (B6.6).
    async fn time_zone(&self, tenant: TenantId) -> Result<Tz, ApiProblem> {
        Ok(self.engine.store().get_tenant(tenant).await?.time_zone)
    }
}

/// Carries a change through to its end even when the client goes away: it would otherwise stop half-way, and an
/// idempotency key would count as running until its lease ends.
pub(crate) async fn carried_through<T, E>(work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, ApiProblem>
where
    T: Send + 'static,
    E: Into<ApiProblem> + Send + 'static,
{
    use tracing::Instrument as _;
    match tokio::spawn(work.in_current_span()).await {
        Ok(done) => done.map_err(Into::into),
        Err(error) => {
            tracing::error!(%error, "a change was cut off");
            Err(ApiProblem::internal())
        }
    }
}
