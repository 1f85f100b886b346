//! What a caller may see of single things: beyond their reach is like not there, in the same words.

use lineshift_domain::ids::{BulkChangeId, DeviceId};
use lineshift_store::StoreError;
use lineshift_store::bulk_changes::BulkChangeView;
use lineshift_store::devices::DeviceView;

use crate::{Caller, Engine, Result};

impl Engine {
    /// A bulk change that the caller sees. Errors: `NotFound`, whether it is not there, another tenant's, or another's than a limited caller's.
    pub async fn get_bulk_change(&self, caller: &Caller, id: BulkChangeId) -> Result<BulkChangeView> {
        let change = self.store.get_bulk_change(caller.tenant, caller.principal, id).await?;
        if caller.sees(&change) { Ok(change) } else { Err(StoreError::not_found("bulk change", id).into()) }
    }

    /// A line within the caller's reach. Errors: `NotFound`, whether it is not there, another tenant's, or beyond.
    pub async fn get_device(&self, caller: &Caller, id: DeviceId) -> Result<DeviceView> {
        let line = self.store.get_device(caller.tenant, id).await?;
        let reached = caller.rights.reach.reaches_line(line.service_provider_id, line.rev_customer_id, line.site_id);
        if reached { Ok(line) } else { Err(StoreError::not_found("device", id).into()) }
    }
}
