//! Who a person is at an OpenID provider.

use chrono::{DateTime, Utc};
use lineshift_domain::ids::{PrincipalId, TenantId, UserId};
use lineshift_store::sql::people as text;
use lineshift_store::{Result, StoreError};

use super::change_user;
use super::changing::refuse_shared;
use super::rows::{read_member, read_user};
use crate::engine::Sql;
use crate::row::micros;

/// The statement itself refuses whoever is another subject: of two who come at once the second one changes nothing.
pub(super) fn set_identity(sql: &Sql<'_>, id: UserId, issuer: &str, subject: &str) -> Result<()> {
    if sql.execute(text::SET_IDENTITY, &[&id.0, &issuer, &subject])? > 0 {
        return Ok(());
    }
    match sql.find(text::GET_USER, &[&id.0], read_user)? {
        Some(_) => Err(StoreError::Conflict { message: "this person is somebody else at an OpenID provider already".to_owned() }),
        None => Err(StoreError::not_found("user", id)),
    }
}

pub(super) fn clear_identity(sql: &Sql<'_>, tenant: TenantId, id: PrincipalId, now: DateTime<Utc>) -> Result<()> {
    let member = sql.find(text::GET_MEMBER, &[&tenant.0, &id.0], read_member)?;
    let member = member.ok_or_else(|| StoreError::not_found("user", id))?;
    let user = member.user;
    // The account of somebody who is pending is none of this tenant's business, and it is told nothing of it.
    if member.is_pending {
        return Ok(());
    }
    change_user(sql, user, text::CLEAR_IDENTITY, &[&user.0, &micros(now)])?;
    let message = "this person also belongs to other tenants, so that their account is not this one's alone; \
        whoever runs the server may keep them from signing in (lineshift admin user disable)";
    refuse_shared(sql, user, message)
}
