//! How people come to a tenant, and how they are invited.

use chrono::{DateTime, Utc};
use lineshift_domain::ids::{PrincipalId, RoleId, TenantId, UserId};
use lineshift_store::people::{AddedPerson, Membership, NewInvitation, NewUser};
use lineshift_store::sql::people as text;
use lineshift_store::{Result, StoreError};

use super::rows::{read_member, read_user};
use super::{PRINCIPALS, change_user};
use crate::engine::Sql;
use crate::row::{Row, micros};

pub(super) fn create_user(sql: &Sql<'_>, user: &NewUser, now: DateTime<Utc>) -> Result<UserId> {
    let id = sql.reserve_user()?;
    let (hash, now) = (&user.password_hash, micros(now));
    let hashed_at = hash.as_ref().map(|_| now);
    sql.execute(text::CREATE_USER, &[&id.0, &user.email, &user.display_name, hash, &hashed_at, &now])?;
    Ok(id)
}

pub(super) fn add_member(
    sql: &Sql<'_>,
    tenant: TenantId,
    user: UserId,
    membership: &Membership,
    now: DateTime<Utc>,
) -> Result<PrincipalId> {
    // Waits for an invitation that is being made, and has the next one wait.
    sql.execute(text::HOLD_USER, &[&user.0])?;
    if sql.find(text::FIND_MEMBER_OF, &[&tenant.0, &user.0], |_| Ok(()))?.is_some() {
        return Err(StoreError::Conflict { message: "this person belongs to the tenant already".to_owned() });
    }
    refuse_invited(sql, user, now)?;
    sql.execute(text::ADD_TENANT_OF_USER, &[&user.0, &tenant.0])?;
    let id = PrincipalId(sql.reserve_ids(tenant, PRINCIPALS, 1)?);
    let (reach, is_active) = (membership.reach.to_string(), membership.is_active);
    sql.execute(text::ADD_MEMBER, &[&tenant.0, &id.0, &user.0, &reach, &is_active, &micros(now)])?;
    give_roles(sql, tenant, id, &membership.roles)?;
    Ok(id)
}

/// Whoever holds an invitation that another tenant gave could take the person's place here, too.
fn refuse_invited(sql: &Sql<'_>, user: UserId, now: DateTime<Utc>) -> Result<()> {
    let read = |row: &Row<'_>| row.get::<i64>(0);
    if sql.find(text::COUNT_OPEN_INVITATIONS, &[&user.0, &micros(now)], read)?.unwrap_or(0) > 0 {
        let message = "this person has an invitation to another tenant that was not taken up yet; they have to take it up, or it has to end";
        return Err(StoreError::Conflict { message: message.to_owned() });
    }
    Ok(())
}

pub(super) fn add_person(
    sql: &Sql<'_>,
    tenant: TenantId,
    person: &NewUser,
    membership: &Membership,
    invitation: &NewInvitation,
    now: DateTime<Utc>,
) -> Result<AddedPerson> {
    let known = sql.find(text::FIND_USER_BY_EMAIL, &[&person.email], read_user)?.map(|user| user.id);
    let user = known.map_or_else(|| create_user(sql, person, now), Ok)?;
    let member = add_member(sql, tenant, user, membership, now)?;
    let is_new = known.is_none();
    if is_new {
        set_invitation(sql, user, invitation)?;
    }
    Ok(AddedPerson { member, user, is_new })
}

pub(super) fn invite_member(sql: &Sql<'_>, tenant: TenantId, id: PrincipalId, invitation: &NewInvitation) -> Result<()> {
    let member = sql.find(text::GET_MEMBER, &[&tenant.0, &id.0], read_member)?;
    let user = member.ok_or_else(|| StoreError::not_found("user", id))?.user;
    set_invitation(sql, user, invitation)?;
    let message = "this person also belongs to other tenants, so that their account is not this one's alone; \
        they set their password themselves, or whoever runs the server invites them";
    refuse_shared(sql, user, message)
}

/// An account that belongs to several tenants is nobody's alone. Called once the user is held: whoever adds them to another tenant waits,
/// or has done so.
pub(super) fn refuse_shared(sql: &Sql<'_>, user: UserId, message: &str) -> Result<()> {
    let tenants = sql.query(text::LIST_TENANTS_OF, &[&user.0], |row| row.get::<i64>(0))?;
    if tenants.len() > 1 {
        return Err(StoreError::Conflict { message: message.to_owned() });
    }
    Ok(())
}

fn set_invitation(sql: &Sql<'_>, user: UserId, invitation: &NewInvitation) -> Result<()> {
    let NewInvitation { token_hash, ends_at } = invitation;
    change_user(sql, user, text::SET_INVITATION, &[&user.0, token_hash, &micros(*ends_at)])
}

pub(super) fn give_roles(sql: &Sql<'_>, tenant: TenantId, member: PrincipalId, roles: &[RoleId]) -> Result<()> {
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    for role in roles {
        if sql.execute(text::GIVE_ROLE, &[&tenant.0, &member.0, &role.0])? == 0 {
            return Err(StoreError::not_found("role", role));
        }
    }
    Ok(())
}
