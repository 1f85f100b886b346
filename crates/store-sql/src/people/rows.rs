//! How the rows of people are read.

use lineshift_domain::ids::{PrincipalId, RoleId, UserId};
use lineshift_domain::rights::Rights;
use lineshift_store::people::{Failures, Member, Role, Session, SignedIn, User};
use lineshift_store::{Result, StoreError};

use crate::row::Row;

pub(super) fn rights(text: &str) -> Result<Rights> {
    text.parse().map_err(|error: lineshift_domain::terms::UnknownTerm| StoreError::Internal {
        context: "stored rights cannot be read".to_owned(),
        source: Some(Box::new(error)),
    })
}

pub(super) fn read_user(row: &Row<'_>) -> Result<User> {
    Ok(User {
        id: UserId(row.get(0)?),
        email: row.get(1)?,
        display_name: row.get(2)?,
        password_hash: row.get(3)?,
        totp_secret: row.get(4)?,
        totp_last_step: row.get(5)?,
        is_active: row.get(6)?,
        created_at: row.time(7)?,
    })
}

pub(super) fn read_failures(row: &Row<'_>) -> Result<Failures> {
    Ok(Failures { count: row.get(0)?, last_at: Some(row.time(1)?) })
}

pub(super) fn read_role(row: &Row<'_>) -> Result<Role> {
    Ok(Role { id: RoleId(row.get(0)?), name: row.get(1)?, scopes: row.term(2)? })
}

pub(super) fn read_member(row: &Row<'_>) -> Result<Member> {
    let roles: Option<String> = row.get(7)?;
    let mut roles: Vec<RoleId> =
        roles.unwrap_or_default().split_whitespace().filter_map(|id| id.parse().ok()).map(RoleId).collect();
    roles.sort_unstable();
    Ok(Member {
        id: PrincipalId(row.get(0)?),
        user: UserId(row.get(1)?),
        email: row.get(2)?,
        display_name: row.get(3)?,
        roles,
        reach: row.term(4)?,
        is_active: row.get(5)?,
        created_at: row.time(6)?,
        is_pending: row.get(8)?,
        invitation_ends_at: row.maybe_time(9)?,
        identity_issuer: row.get(10)?,
    })
}

pub(super) fn read_session(row: &Row<'_>) -> Result<Session> {
    Ok(Session {
        token_hash: row.get(0)?,
        member: PrincipalId(row.get(1)?),
        created_at: row.time(2)?,
        seen_at: row.time(3)?,
        ends_at: row.time(4)?,
        address: row.get(5)?,
        agent: row.get(6)?,
    })
}

pub(super) fn read_signed_in(row: &Row<'_>) -> Result<SignedIn> {
    Ok(SignedIn {
        session: read_session(row)?,
        user: UserId(row.get(7)?),
        email: row.get(8)?,
        display_name: row.get(9)?,
        rights: row.term(10)?,
    })
}
