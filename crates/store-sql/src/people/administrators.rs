//! Somebody can administrate a tenant: the last one who may do everything keeps that.

use lineshift_domain::ids::TenantId;
use lineshift_domain::scopes::Scopes;
use lineshift_store::sql::people as text;
use lineshift_store::{Result, StoreError};

use super::PRINCIPALS;
use crate::engine::Sql;

/// Runs a change of what people of a tenant may do. Errors: `Conflict` when nobody could administrate the tenant any more who could before.
///
/// Such changes go one after the other: each waits for the row of the counter by which principals are numbered, and sees what the one
/// before it has committed. Two administrators who take each other's rights at once would else both succeed.
pub(super) fn keeping_an_administrator(sql: &Sql<'_>, tenant: TenantId, change: impl FnOnce() -> Result<()>) -> Result<()> {
    sql.raise_ids(tenant, PRINCIPALS, 1)?;
    let had_one = has_administrator(sql, tenant)?;
    change()?;
    if had_one && !has_administrator(sql, tenant)? {
        let message = "nobody could administrate this tenant any more; make somebody else administrator first";
        return Err(StoreError::Conflict { message: message.to_owned() });
    }
    Ok(())
}

/// Whether an active member may do everything for everybody.
fn has_administrator(sql: &Sql<'_>, tenant: TenantId) -> Result<bool> {
    let of_each = sql.query(text::LIST_UNLIMITED_SCOPES, &[&tenant.0], |row| row.term::<Scopes>(0))?;
    Ok(of_each.iter().any(|scopes| scopes.covers(&Scopes::all())))
}
