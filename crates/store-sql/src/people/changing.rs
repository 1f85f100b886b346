//! What is changed of a tenant's people. Whoever may do more than before is invited anew: an invitation that somebody has was given with
//! less, and its holder acts as the member.

use lineshift_domain::ids::{PrincipalId, TenantId, UserId};
use lineshift_domain::rights::Rights;
use lineshift_store::people::{Membership, NewInvitation, Role};
use lineshift_store::sql::people as text;
use lineshift_store::{Result, StoreError};

use super::joining::{count_tenants_of, give_roles};
use super::rows::{read_member, read_role};
use super::{NO_TOKEN, PRINCIPALS, change_user};
use crate::engine::Sql;
use crate::row::{Row, micros};

/// What a member may do once they act. Errors: `NotFound`.
fn rights_of(sql: &Sql<'_>, tenant: TenantId, id: PrincipalId) -> Result<Rights> {
    let found = sql.find(text::RIGHTS_OF_MEMBER, &[&tenant.0, &id.0], |row| row.term::<Rights>(0))?;
    found.ok_or_else(|| StoreError::not_found("user", id))
}

/// A member, as what is theirs is found.
struct Place {
    id: PrincipalId,
    user: UserId,
    is_pending: bool,
}

fn place_of(sql: &Sql<'_>, tenant: TenantId, id: PrincipalId) -> Result<Place> {
    let found = sql.find(text::GET_MEMBER, &[&tenant.0, &id.0], read_member)?;
    let found = found.ok_or_else(|| StoreError::not_found("user", id))?;
    Ok(Place { id, user: found.user, is_pending: found.is_pending })
}

/// Takes back what lets somebody act as that member who does not yet. Of somebody who is pending nothing else is touched: the account
/// is none of this tenant's business.
fn take_back(sql: &Sql<'_>, tenant: TenantId, of: &Place) -> Result<()> {
    if of.is_pending {
        return sql.execute(text::TAKE_BACK_INVITATION, &[&tenant.0, &of.id.0]).map(|_| ());
    }
    sql.execute(text::CLEAR_INVITATION, &[&of.user.0]).map(|_| ())
}

/// Called within `keeping_an_administrator`, so that what a member may do is not changed by others meanwhile.
pub(super) fn update_member(sql: &Sql<'_>, tenant: TenantId, id: PrincipalId, membership: &Membership) -> Result<()> {
    let before = rights_of(sql, tenant, id)?;
    let (reach, is_active) = (membership.reach.to_string(), membership.is_active);
    sql.execute(text::UPDATE_MEMBER, &[&tenant.0, &id.0, &reach, &is_active])?;
    sql.execute(text::CLEAR_ROLES_OF, &[&tenant.0, &id.0])?;
    give_roles(sql, tenant, id, &membership.roles)?;
    if !before.cover(&rights_of(sql, tenant, id)?) {
        take_back(sql, tenant, &place_of(sql, tenant, id)?)?;
    }
    if !is_active {
        sql.execute(text::END_SESSIONS_OF, &[&tenant.0, &id.0, &NO_TOKEN])?;
    }
    Ok(())
}

/// The same of all who have a role.
pub(super) fn update_role(sql: &Sql<'_>, tenant: TenantId, role: &Role) -> Result<()> {
    let id = role.id;
    let before = sql.find(text::GET_ROLE, &[&tenant.0, &id.0], read_role)?.ok_or_else(|| StoreError::not_found("role", id))?;
    sql.execute(text::UPDATE_ROLE, &[&tenant.0, &id.0, &role.name, &role.scopes.to_string()])?;
    if !before.scopes.covers(&role.scopes) {
        let read = |row: &Row<'_>| {
            let (id, user) = (PrincipalId(row.get(0)?), UserId(row.get(1)?));
            Ok(Place { id, user, is_pending: row.get(2)? })
        };
        for invited in sql.query(text::LIST_INVITED_WITH_ROLE, &[&tenant.0, &id.0], read)? {
            take_back(sql, tenant, &invited)?;
        }
    }
    Ok(())
}

pub(super) fn invite_member(
    sql: &Sql<'_>,
    tenant: TenantId,
    id: PrincipalId,
    invitation: &NewInvitation,
    by: &Rights,
) -> Result<()> {
    // Waits for changes of what the member may do, and has the next one wait: it takes this back.
    sql.raise_ids(tenant, PRINCIPALS, 1)?;
    if !by.cover(&rights_of(sql, tenant, id)?) {
        let message = "this person may do more by now than whoever invites them";
        return Err(StoreError::Conflict { message: message.to_owned() });
    }
    let Place { user, is_pending, .. } = place_of(sql, tenant, id)?;
    let NewInvitation { token_hash, ends_at } = invitation;
    let ends_at = micros(*ends_at);
    if is_pending && sql.execute(text::INVITE_PENDING, &[&tenant.0, &id.0, token_hash, &ends_at])? > 0 {
        return Ok(());
    }
    change_user(sql, user, text::SET_INVITATION, &[&user.0, token_hash, &ends_at])?;
    // Looked at after the user is held: whoever accepts another tenant's invitation waits, or has done so.
    let message = "this person also belongs to other tenants, so that their account is not this one's alone; \
        they set their password themselves, or whoever runs the server invites them (lineshift admin user invite)";
    refuse_shared(sql, user, message)
}

/// An account on which several tenants rely is nobody's alone. Called once the user is held.
pub(super) fn refuse_shared(sql: &Sql<'_>, user: UserId, message: &str) -> Result<()> {
    if count_tenants_of(sql, user)? > 1 {
        return Err(StoreError::Conflict { message: message.to_owned() });
    }
    Ok(())
}

/// Called within `keeping_an_administrator`.
pub(super) fn remove_member(sql: &Sql<'_>, tenant: TenantId, id: PrincipalId) -> Result<()> {
    let Place { user, is_pending, .. } = place_of(sql, tenant, id)?;
    if !is_pending {
        // What this tenant gave, as long as the account was its alone, must not open what becomes of it.
        sql.execute(text::CLEAR_INVITATION, &[&user.0])?;
    }
    sql.execute(text::LEAVE_TENANT, &[&user.0, &tenant.0])?;
    sql.execute(text::REMOVE_MEMBER, &[&tenant.0, &id.0]).map(|_| ())
}
