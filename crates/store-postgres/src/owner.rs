//! What the owner of the schema does and the product may not.

use async_trait::async_trait;
use lineshift_domain::ids::TenantId;
use lineshift_store::Result;
use lineshift_store_sql::personal::OwnerEngine;
use lineshift_store_sql::{Engine, Sql};

use crate::engine::Postgres;

/// What the role may do, the database decides.
#[async_trait]
impl OwnerEngine for Postgres {
    async fn write_as_owner<T, W>(&self, tenant: TenantId, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Sql<'_>) -> Result<T> + Send + 'static,
    {
        self.write(tenant, work).await
    }
}
