//! A seam for tests of row level security: transactions of which the database is told another tenant than the store names.

use std::sync::PoisonError;

use lineshift_domain::ids::TenantId;
use lineshift_store::Result;

use crate::connection::{Lent, Pool};
use crate::engine::Postgres;
use crate::error::store_error;

/// Whose rows the database takes a transaction to be about, whatever tenant the store names in its statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// Nobody's: no tenant is set.
    Nobody,
    /// Those of that tenant.
    Tenant(TenantId),
}

impl Instead {
    pub(crate) fn tenant(self) -> Option<TenantId> {
        match self {
            Self::Nobody => None,
            Self::Tenant(tenant) => Some(tenant),
        }
    }
}

impl Postgres {
    /// From the next statement on, every transaction is held to these rows, those that are open already included; none: each that
    /// begins from now on is again held to those of the tenant that it names.
    pub fn hold_to(&self, instead: Option<Instead>) {
        *self.pool.instead.lock().unwrap_or_else(PoisonError::into_inner) = instead;
    }
}

impl Pool {
    pub(crate) fn instead(&self) -> Option<Instead> {
        *self.instead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds an open transaction, which was held to `until_now`, to what the pool says now.
pub(crate) fn hold(lent: &mut Lent, until_now: Option<Instead>) -> Result<Option<Instead>> {
    let instead = lent.pool.instead();
    if let Some(other) = instead.filter(|_| instead != until_now) {
        // Within a transaction that had a tenant, none is the empty text.
        let tenant = other.tenant().map(|tenant| tenant.0.to_string()).unwrap_or_default();
        lent.batch(&format!("SET LOCAL app.tenant_id = '{tenant}'")).map_err(store_error)?;
    }
    Ok(instead)
}
