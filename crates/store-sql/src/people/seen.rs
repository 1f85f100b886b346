//! What was decided on holds as long as it is as it was seen. Looked at within the change's transaction, after whoever else changes what
//! people may do was waited for.

use lineshift_domain::ids::TenantId;
use lineshift_store::people::{Role, SeenMember};
use lineshift_store::sql::people as text;
use lineshift_store::{Result, StoreError};

use super::rows::{read_member, read_role};
use crate::engine::Sql;

/// Errors: `NotFound`; `Conflict` when the role is another by now.
pub(super) fn require_role_as_seen(sql: &Sql<'_>, tenant: TenantId, seen: &Role) -> Result<()> {
    let present = sql.find(text::GET_ROLE, &[&tenant.0, &seen.id.0], read_role)?;
    let present = present.ok_or_else(|| StoreError::not_found("role", seen.id))?;
    if present == *seen { Ok(()) } else { Err(changed("role")) }
}

/// Errors: `NotFound`; `Conflict` when the member, or a role of the tenant, is another by now.
pub(super) fn require_member_as_seen(sql: &Sql<'_>, tenant: TenantId, seen: &SeenMember) -> Result<()> {
    let id = seen.member.id;
    let present = sql.find(text::GET_MEMBER, &[&tenant.0, &id.0], read_member)?;
    let present = present.ok_or_else(|| StoreError::not_found("user", id))?;
    let roles = sql.query(text::LIST_ROLES, &[&tenant.0], read_role)?;
    if present == seen.member && roles == seen.roles { Ok(()) } else { Err(changed("user")) }
}

fn changed(what: &str) -> StoreError {
    StoreError::Conflict { message: format!("somebody else changed this {what}, or a role, meanwhile; look at it and try again") }
}
