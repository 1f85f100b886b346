//! What carriers say by callback (B5.6): a reason to look sooner, and nothing more.

use lineshift_connectors::carrier::Callback;
use lineshift_domain::ids::{ServiceProviderId, TenantId};
use lineshift_store::carriers::{CallbackNoted, CalledBackLine};

use crate::{Engine, Result};

impl Engine {
    /// Takes note of a callback whose credentials were checked: the rows that wait for its request are looked at at once. One that
    /// nothing waits for changes nothing. Errors: `NotFound` when there is no such provider.
    pub async fn note_callback(
        &self,
        tenant: TenantId,
        provider: ServiceProviderId,
        callback: Callback,
    ) -> Result<CallbackNoted> {
        let Callback { request_id, lines } = callback;
        let lines: Vec<CalledBackLine> =
            lines.into_iter().map(|line| CalledBackLine { iccid: line.iccid, failed: line.failed }).collect();
        let noted = self.store.note_callback(tenant, provider, &request_id, &lines, self.clock.now()).await?;
        if noted.rows > 0 {
            self.events.wake_workers();
        }
        Ok(noted)
    }
}
