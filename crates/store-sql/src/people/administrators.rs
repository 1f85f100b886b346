//! Somebody can administrate a tenant: the last one who may do everything keeps that.

use lineshift_domain::ids::{TenantId, UserId};
use lineshift_domain::scopes::Scopes;
use lineshift_store::people::PeopleStore as _;
use lineshift_store::sql::people as text;
use lineshift_store::{Result, StoreError};

use super::{PRINCIPALS, change_user};
use crate::engine::{Engine, Scope, Sql, SqlStore};

/// Runs a change of what people of a tenant may do. Errors: `Conflict` when nobody could administrate the tenant any more who could before.
///
/// Such changes go one after the other: each waits for the row of the counter by which principals are numbered, and sees what the one
/// before it has committed. Two administrators who take each other's rights at once would else both succeed.
pub(super) fn keeping_an_administrator(sql: &Sql<'_>, tenant: TenantId, change: impl FnOnce() -> Result<()>) -> Result<()> {
    sql.raise_ids(tenant, PRINCIPALS, 1)?;
    let had_one = has_administrator(sql, tenant)?;
    change()?;
    if had_one && !has_administrator(sql, tenant)? {
        return Err(nobody_left());
    }
    Ok(())
}

impl<E: Engine> SqlStore<E> {
    /// Lets a user sign in, or no more. Their tenants are looked at one by one, before and after: a transaction sees one tenant only. Whoever
    /// takes another administrator's rights meanwhile is refused, or seen here afterwards, and then this is undone.
    pub(super) async fn set_active(&self, id: UserId, is_active: bool) -> Result<()> {
        let had_one = if is_active { Vec::new() } else { self.administrated(self.list_tenants_of(id).await?).await? };
        self.write_active(id, is_active).await?;
        if self.administrated(had_one.clone()).await? != had_one {
            self.write_active(id, true).await?;
            return Err(nobody_left());
        }
        Ok(())
    }

    async fn write_active(&self, id: UserId, is_active: bool) -> Result<()> {
        self.engine.write(Scope::Across, move |sql| change_user(sql, id, text::SET_USER_ACTIVE, &[&id.0, &is_active])).await
    }

    /// Those of the tenants that have an administrator.
    async fn administrated(&self, tenants: Vec<TenantId>) -> Result<Vec<TenantId>> {
        let mut found = Vec::new();
        for tenant in tenants {
            if self.engine.read(tenant, move |sql| has_administrator(sql, tenant)).await? {
                found.push(tenant);
            }
        }
        Ok(found)
    }
}

fn nobody_left() -> StoreError {
    let message = "nobody could administrate this tenant any more; make somebody else administrator first";
    StoreError::Conflict { message: message.to_owned() }
}

/// Whether an active member may do everything for everybody.
fn has_administrator(sql: &Sql<'_>, tenant: TenantId) -> Result<bool> {
    let of_each = sql.query(text::LIST_UNLIMITED_SCOPES, &[&tenant.0], |row| row.term::<Scopes>(0))?;
    Ok(of_each.iter().any(|scopes| scopes.covers(&Scopes::all())))
}
