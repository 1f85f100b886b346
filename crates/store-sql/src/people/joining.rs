//! How people come to a tenant: added, they are pending until they take its invitation up. `docs/decisions/0013-joining-a-tenant.md` says why.

use chrono::{DateTime, Utc};
use lineshift_domain::ids::{PrincipalId, RoleId, TenantId, UserId};
use lineshift_store::people::{AddedPerson, Invited, Membership, NewInvitation, NewUser};
use lineshift_store::sql::people as text;
use lineshift_store::{Result, StoreError};

use super::identity::set_identity;
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

/// What a pending member is told by.
struct Pending<'a> {
    invited_as: &'a str,
    invitation: &'a NewInvitation,
}

/// Makes a user a member who is nobody's guest.
pub(super) fn add_member(
    sql: &Sql<'_>,
    tenant: TenantId,
    user: UserId,
    membership: &Membership,
    now: DateTime<Utc>,
) -> Result<PrincipalId> {
    // What another tenant gave to set the password of an account that was its alone.
    sql.execute(text::CLEAR_INVITATION, &[&user.0])?;
    add(sql, tenant, user, membership, None, now)
}

fn add(
    sql: &Sql<'_>,
    tenant: TenantId,
    user: UserId,
    membership: &Membership,
    pending: Option<&Pending<'_>>,
    now: DateTime<Utc>,
) -> Result<PrincipalId> {
    if sql.find(text::FIND_MEMBER_OF, &[&tenant.0, &user.0], |_| Ok(()))?.is_some() {
        return Err(StoreError::Conflict { message: "this person belongs to the tenant already".to_owned() });
    }
    let (at, is_pending) = (micros(now), pending.is_some());
    let accepted_at = (!is_pending).then_some(at);
    sql.execute(text::ADD_TENANT_OF_USER, &[&user.0, &tenant.0, &accepted_at])?;
    let id = PrincipalId(sql.reserve_ids(tenant, PRINCIPALS, 1)?);
    let (reach, is_active) = (membership.reach.to_string(), membership.is_active);
    let invited_as = pending.map(|pending| pending.invited_as.to_owned());
    let hash = pending.map(|pending| pending.invitation.token_hash);
    let ends_at = pending.map(|pending| micros(pending.invitation.ends_at));
    sql.execute(
        text::ADD_MEMBER,
        &[&tenant.0, &id.0, &user.0, &reach, &is_active, &at, &is_pending, &invited_as, &hash, &ends_at],
    )?;
    give_roles(sql, tenant, id, &membership.roles)?;
    Ok(id)
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
    let pending = match &person.password_hash {
        Some(hash) => {
            renew(sql, user, &person.display_name, Some(hash), now)?;
            None
        }
        None => Some(Pending { invited_as: &person.display_name, invitation }),
    };
    let member = add(sql, tenant, user, membership, pending.as_ref(), now)?;
    Ok(AddedPerson { member, user })
}

/// Begins an account anew on which no tenant relies. Errors: `Conflict` when one does: then it is theirs who have it.
fn renew(sql: &Sql<'_>, user: UserId, name: &str, password_hash: Option<&str>, now: DateTime<Utc>) -> Result<()> {
    // Before it is looked who relies on it: of two who come at once the second one waits, and sees what the first has done.
    let password_hash = password_hash.map(str::to_owned);
    change_user(sql, user, text::RENEW_USER, &[&user.0, &name, &password_hash, &micros(now)])?;
    if count_tenants_of(sql, user)? > 0 {
        let message = "this account is somebody's already, who goes on to sign in as before";
        return Err(StoreError::Conflict { message: message.to_owned() });
    }
    Ok(())
}

/// How many tenants rely on the account: those that its owner belongs to, and not those that only invited them.
pub(super) fn count_tenants_of(sql: &Sql<'_>, user: UserId) -> Result<i64> {
    Ok(sql.find(text::COUNT_TENANTS_OF, &[&user.0], |row| row.get::<i64>(0))?.unwrap_or(0))
}

/// Whom a token lets in, as it is stored.
fn find_invited_row(
    sql: &Sql<'_>,
    tenant: TenantId,
    token_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<(PrincipalId, UserId, Option<String>)>> {
    let read = |row: &Row<'_>| Ok((PrincipalId(row.get(0)?), UserId(row.get(1)?), row.get(2)?));
    sql.find(text::FIND_INVITED_MEMBER, &[&tenant.0, token_hash, &micros(now)], read)
}

pub(super) fn find_invited_member(
    sql: &Sql<'_>,
    tenant: TenantId,
    token_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<Invited>> {
    let Some((member, user, invited_as)) = find_invited_row(sql, tenant, token_hash, now)? else { return Ok(None) };
    let is_relied_on = count_tenants_of(sql, user)? > 0;
    let found = sql.find(text::GET_USER, &[&user.0], read_user)?;
    Ok(found.map(|user| Invited {
        member,
        invited_as: invited_as.unwrap_or_else(|| user.display_name.clone()),
        user,
        is_relied_on,
    }))
}

pub(super) fn join_with_password(
    sql: &Sql<'_>,
    tenant: TenantId,
    token_hash: &[u8; 32],
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<Option<PrincipalId>> {
    let Some(invited) = find_invited_member(sql, tenant, token_hash, now)? else { return Ok(None) };
    renew(sql, invited.user.id, &invited.invited_as, Some(password_hash), now)?;
    accept(sql, tenant, (invited.member, invited.user.id), token_hash, now)
}

pub(super) fn join(
    sql: &Sql<'_>,
    tenant: TenantId,
    token_hash: &[u8; 32],
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Option<PrincipalId>> {
    let Some((member, invited, _)) = find_invited_row(sql, tenant, token_hash, now)? else { return Ok(None) };
    if invited != user {
        return Ok(None);
    }
    // Whoever invites them to set a password at the same time waits, and sees that the account is not theirs alone; or has done so, and
    // that counts no more.
    change_user(sql, user, text::CLEAR_INVITATION, &[&user.0])?;
    accept(sql, tenant, (member, user), token_hash, now)
}

/// None: somebody was faster, or the invitation was taken back meanwhile. Then nothing that was changed before may stand.
fn accept(
    sql: &Sql<'_>,
    tenant: TenantId,
    (member, user): (PrincipalId, UserId),
    token_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<PrincipalId>> {
    sql.execute(text::ACCEPT_TENANT, &[&user.0, &tenant.0, &micros(now)])?;
    if sql.execute(text::ACCEPT_MEMBER, &[&tenant.0, &member.0, token_hash])? == 0 {
        return Err(StoreError::Conflict { message: "this invitation was used or taken back at this moment".to_owned() });
    }
    Ok(Some(member))
}

pub(super) fn join_by_identity(
    sql: &Sql<'_>,
    tenant: TenantId,
    id: PrincipalId,
    (issuer, subject): (&str, &str),
    now: DateTime<Utc>,
) -> Result<()> {
    let member = sql.find(text::GET_MEMBER, &[&tenant.0, &id.0], read_member)?;
    let member = member.filter(|member| member.is_pending && member.is_active);
    let member = member.ok_or_else(|| StoreError::not_found("user", id))?;
    renew(sql, member.user, &member.display_name, None, now)?;
    set_identity(sql, member.user, issuer, subject)?;
    sql.execute(text::ACCEPT_TENANT, &[&member.user.0, &tenant.0, &micros(now)])?;
    if sql.execute(text::ACCEPT_KNOWN_MEMBER, &[&tenant.0, &id.0])? == 0 {
        return Err(StoreError::not_found("user", id));
    }
    Ok(())
}

pub(super) fn decline_invitation(sql: &Sql<'_>, tenant: TenantId, user: UserId) -> Result<bool> {
    let member = sql.find(text::FIND_MEMBER_OF, &[&tenant.0, &user.0], read_member)?;
    let Some(member) = member.filter(|member| member.is_pending) else { return Ok(false) };
    sql.execute(text::LEAVE_TENANT, &[&user.0, &tenant.0])?;
    sql.execute(text::REMOVE_MEMBER, &[&tenant.0, &member.id.0])?;
    Ok(true)
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
