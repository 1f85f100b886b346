//! Users, members, roles and sessions.

mod administrators;
mod changing;
mod identity;
mod joining;
mod rows;
mod seen;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{PrincipalId, RoleId, TenantId, UserId};
use lineshift_domain::rights::Rights;
use lineshift_domain::roles::READY_MADE;
use lineshift_domain::scopes::Scopes;
use lineshift_store::paging::Listed;
use lineshift_store::people::{
    AddedPerson, Failures, Invited, MOST_SESSIONS, Member, Membership, NewInvitation, NewSession, NewUser, PeopleStore, Role,
    SeenMember, Session, SignedIn, User,
};
use lineshift_store::sql::people as text;
use lineshift_store::{Result, StoreError};

use self::administrators::keeping_an_administrator;
use self::changing::{invite_member, remove_member, update_member, update_role};
use self::identity::{clear_identity, set_identity};
use self::joining::{
    add_member, add_person, create_user, decline_invitation, find_invited_member, join, join_by_identity, join_with_password,
};
use self::rows::{read_failures, read_member, read_role, read_session, read_signed_in, read_user, rights};
use self::seen::{require_member_as_seen, require_role_as_seen};
use crate::engine::{Engine, Scope, Sql, SqlStore};
use crate::row::{Row, micros, page_limit};
use crate::value::Parameter;

#[async_trait]
impl<E: Engine> PeopleStore for SqlStore<E> {
    async fn create_user(&self, user: &NewUser, now: DateTime<Utc>) -> Result<UserId> {
        let user = user.clone();
        self.engine.write(Scope::Across, move |sql| create_user(sql, &user, now)).await
    }

    async fn get_user(&self, id: UserId) -> Result<User> {
        let found = self.engine.read(Scope::Across, move |sql| sql.find(text::GET_USER, &[&id.0], read_user)).await?;
        found.ok_or_else(|| StoreError::not_found("user", id))
    }

    async fn find_user_by_email(&self, email: &str) -> Result<Option<User>> {
        let email = email.to_owned();
        self.engine.read(Scope::Across, move |sql| sql.find(text::FIND_USER_BY_EMAIL, &[&email], read_user)).await
    }

    async fn find_user_by_identity(&self, issuer: &str, subject: &str) -> Result<Option<User>> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.engine.read(Scope::Across, move |sql| sql.find(text::FIND_USER_BY_IDENTITY, &[&issuer, &subject], read_user)).await
    }

    async fn set_identity(&self, id: UserId, issuer: &str, subject: &str) -> Result<()> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.engine.write(Scope::Across, move |sql| set_identity(sql, id, &issuer, &subject)).await
    }

    async fn set_password(&self, id: UserId, hash: &str, now: DateTime<Utc>) -> Result<()> {
        let hash = hash.to_owned();
        self.engine.write(Scope::Across, move |sql| change_user(sql, id, text::SET_PASSWORD, &[&id.0, &hash, &micros(now)])).await
    }

    async fn sign_out_everywhere(&self, id: UserId, now: DateTime<Utc>) -> Result<()> {
        self.engine.write(Scope::Across, move |sql| change_user(sql, id, text::SIGN_OUT_EVERYWHERE, &[&id.0, &micros(now)])).await
    }

    async fn set_user_active(&self, id: UserId, is_active: bool) -> Result<()> {
        self.set_active(id, is_active).await
    }

    async fn set_totp_secret(&self, id: UserId, sealed: Option<&[u8]>) -> Result<()> {
        let sealed = sealed.map(<[u8]>::to_vec);
        self.engine.write(Scope::Across, move |sql| change_user(sql, id, text::SET_TOTP_SECRET, &[&id.0, &sealed])).await
    }

    async fn take_totp_step(&self, id: UserId, step: i64) -> Result<bool> {
        self.engine.write(Scope::Across, move |sql| Ok(sql.execute(text::TAKE_TOTP_STEP, &[&id.0, &step])? > 0)).await
    }

    async fn set_invitation(&self, id: UserId, token_hash: &[u8; 32], ends_at: DateTime<Utc>) -> Result<()> {
        let hash = *token_hash;
        self.engine
            .write(Scope::Across, move |sql| change_user(sql, id, text::SET_INVITATION, &[&id.0, &hash, &micros(ends_at)]))
            .await
    }

    async fn take_up_invitation(&self, token_hash: &[u8; 32], hash: &str, now: DateTime<Utc>) -> Result<bool> {
        let (token, hash) = (*token_hash, hash.to_owned());
        let take = move |sql: &Sql<'_>| sql.execute(text::TAKE_UP_INVITATION, &[&token, &hash, &micros(now)]);
        Ok(self.engine.write(Scope::Across, take).await? > 0)
    }

    async fn find_invited(&self, token_hash: &[u8; 32], now: DateTime<Utc>) -> Result<Option<User>> {
        let hash = *token_hash;
        self.engine.read(Scope::Across, move |sql| sql.find(text::FIND_INVITED, &[&hash, &micros(now)], read_user)).await
    }

    async fn list_tenants_of(&self, id: UserId) -> Result<Vec<TenantId>> {
        let read = |row: &Row<'_>| {
            let (entered, accepted): (Option<i64>, i64) = (row.get(1)?, row.get(2)?);
            // None is before any.
            Ok((std::cmp::Reverse(entered), accepted, TenantId(row.get(0)?)))
        };
        let mut found = self.engine.read(Scope::Across, move |sql| sql.query(text::LIST_TENANTS_OF, &[&id.0], read)).await?;
        found.sort_unstable();
        Ok(found.into_iter().map(|(.., tenant)| tenant).collect())
    }

    async fn list_inviting_tenants(&self, id: UserId) -> Result<Vec<TenantId>> {
        let read = |row: &Row<'_>| Ok(TenantId(row.get(0)?));
        self.engine.read(Scope::Across, move |sql| sql.query(text::LIST_INVITING_TENANTS, &[&id.0], read)).await
    }

    async fn find_failures(&self, subjects: &[[u8; 32]], since: DateTime<Utc>) -> Result<Vec<Failures>> {
        let subjects = subjects.to_vec();
        self.engine
            .read(Scope::Across, move |sql| {
                let find = |hash: &[u8; 32]| sql.find(text::FIND_FAILURES, &[hash, &micros(since)], read_failures);
                subjects.iter().map(|hash| Ok(find(hash)?.unwrap_or_default())).collect()
            })
            .await
    }

    async fn record_failures(&self, subjects: &[[u8; 32]], since: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
        let mut subjects = subjects.to_vec();
        // Always in the same order, so that two failures never wait for each other.
        subjects.sort_unstable();
        self.engine
            .write(Scope::Across, move |sql| {
                for hash in &subjects {
                    sql.execute(text::RECORD_FAILURE, &[hash, &micros(now), &micros(since)])?;
                }
                sql.execute(text::DROP_OLD_FAILURES, &[&micros(since)]).map(|_| ())
            })
            .await
    }

    async fn clear_failures(&self, subject: &[u8; 32]) -> Result<()> {
        let hash = *subject;
        self.engine.write(Scope::Across, move |sql| sql.execute(text::CLEAR_FAILURES, &[&hash]).map(|_| ())).await
    }

    async fn create_role(&self, tenant: TenantId, name: &str, scopes: &Scopes) -> Result<RoleId> {
        let (name, scopes) = (name.to_owned(), scopes.to_string());
        self.engine
            .write(tenant, move |sql| {
                let id = sql.reserve_ids(tenant, ROLES, 1)?;
                sql.execute(text::CREATE_ROLE, &[&tenant.0, &id, &name, &scopes])?;
                Ok(RoleId(id))
            })
            .await
    }

    async fn get_role(&self, tenant: TenantId, id: RoleId) -> Result<Role> {
        let found = self.engine.read(tenant, move |sql| sql.find(text::GET_ROLE, &[&tenant.0, &id.0], read_role)).await?;
        found.ok_or_else(|| StoreError::not_found("role", id))
    }

    async fn list_roles(&self, tenant: TenantId) -> Result<Vec<Role>> {
        self.engine.read(tenant, move |sql| sql.query(text::LIST_ROLES, &[&tenant.0], read_role)).await
    }

    async fn update_role(&self, tenant: TenantId, role: &Role) -> Result<()> {
        let role = role.clone();
        self.engine.write(tenant, move |sql| keeping_an_administrator(sql, tenant, || update_role(sql, tenant, &role))).await
    }

    async fn update_role_as_seen(&self, tenant: TenantId, seen: &Role, role: &Role) -> Result<()> {
        let (seen, role) = (seen.clone(), role.clone());
        self.engine
            .write(tenant, move |sql| {
                keeping_an_administrator(sql, tenant, || {
                    require_role_as_seen(sql, tenant, &seen)?;
                    update_role(sql, tenant, &role)
                })
            })
            .await
    }

    async fn delete_role(&self, tenant: TenantId, id: RoleId) -> Result<()> {
        self.engine
            .write(tenant, move |sql| {
                match sql.execute(text::DELETE_ROLE, &[&tenant.0, &id.0]) {
                    Ok(0) => Err(StoreError::not_found("role", id)),
                    // Only `member_role` refers to a role.
                    Err(StoreError::Conflict { .. }) => {
                        Err(StoreError::Conflict { message: "somebody has this role; take it from them first".to_owned() })
                    }
                    other => other.map(|_| ()),
                }
            })
            .await
    }

    async fn add_member(
        &self,
        tenant: TenantId,
        user: UserId,
        membership: &Membership,
        now: DateTime<Utc>,
    ) -> Result<PrincipalId> {
        let membership = membership.clone();
        self.engine.write(tenant, move |sql| add_member(sql, tenant, user, &membership, now)).await
    }

    async fn add_person(
        &self,
        tenant: TenantId,
        person: &NewUser,
        membership: &Membership,
        invitation: &NewInvitation,
        now: DateTime<Utc>,
    ) -> Result<AddedPerson> {
        let (person, membership, invitation) = (person.clone(), membership.clone(), invitation.clone());
        self.engine.write(tenant, move |sql| add_person(sql, tenant, &person, &membership, &invitation, now)).await
    }

    async fn invite_member(&self, tenant: TenantId, id: PrincipalId, invitation: &NewInvitation, by: &Rights) -> Result<()> {
        let (invitation, by) = (invitation.clone(), by.clone());
        self.engine.write(tenant, move |sql| invite_member(sql, tenant, id, &invitation, &by)).await
    }

    async fn find_invited_member(&self, tenant: TenantId, token_hash: &[u8; 32], now: DateTime<Utc>) -> Result<Option<Invited>> {
        let hash = *token_hash;
        self.engine.read(tenant, move |sql| find_invited_member(sql, tenant, &hash, now)).await
    }

    async fn join_with_password(
        &self,
        tenant: TenantId,
        token_hash: &[u8; 32],
        password_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<PrincipalId>> {
        let (hash, password_hash) = (*token_hash, password_hash.to_owned());
        self.engine.write(tenant, move |sql| join_with_password(sql, tenant, &hash, &password_hash, now)).await
    }

    async fn join(
        &self,
        tenant: TenantId,
        token_hash: &[u8; 32],
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<Option<PrincipalId>> {
        let hash = *token_hash;
        self.engine.write(tenant, move |sql| join(sql, tenant, &hash, user, now)).await
    }

    async fn join_by_identity(
        &self,
        tenant: TenantId,
        id: PrincipalId,
        issuer: &str,
        subject: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.engine.write(tenant, move |sql| join_by_identity(sql, tenant, id, (&issuer, &subject), now)).await
    }

    async fn decline_invitation(&self, tenant: TenantId, user: UserId) -> Result<bool> {
        self.engine.write(tenant, move |sql| decline_invitation(sql, tenant, user)).await
    }

    async fn remove_member(&self, tenant: TenantId, id: PrincipalId) -> Result<()> {
        self.engine.write(tenant, move |sql| keeping_an_administrator(sql, tenant, || remove_member(sql, tenant, id))).await
    }

    async fn clear_identity(&self, tenant: TenantId, id: PrincipalId, now: DateTime<Utc>) -> Result<()> {
        self.engine.write(tenant, move |sql| keeping_an_administrator(sql, tenant, || clear_identity(sql, tenant, id, now))).await
    }

    async fn get_member(&self, tenant: TenantId, id: PrincipalId) -> Result<Member> {
        let found = self.engine.read(tenant, move |sql| sql.find(text::GET_MEMBER, &[&tenant.0, &id.0], read_member)).await?;
        found.ok_or_else(|| StoreError::not_found("user", id))
    }

    async fn find_member_of(&self, tenant: TenantId, user: UserId) -> Result<Option<Member>> {
        self.engine.read(tenant, move |sql| sql.find(text::FIND_MEMBER_OF, &[&tenant.0, &user.0], read_member)).await
    }

    async fn list_members(
        &self,
        tenant: TenantId,
        after: Option<PrincipalId>,
        limit: usize,
    ) -> Result<Listed<Member, PrincipalId>> {
        let (limit, surplus) = page_limit(limit);
        let after = after.map_or(i64::MIN, |id| id.0);
        let items = self
            .engine
            .read(tenant, move |sql| sql.query(text::LIST_MEMBERS, &[&tenant.0, &after, &surplus], read_member))
            .await?;
        Ok(Listed::from_surplus(items, limit, |member| member.id))
    }

    async fn update_member(&self, tenant: TenantId, id: PrincipalId, membership: &Membership) -> Result<()> {
        let membership = membership.clone();
        self.engine
            .write(tenant, move |sql| keeping_an_administrator(sql, tenant, || update_member(sql, tenant, id, &membership)))
            .await
    }

    async fn update_member_as_seen(&self, tenant: TenantId, seen: &SeenMember, membership: &Membership) -> Result<()> {
        let (seen, membership) = (seen.clone(), membership.clone());
        self.engine
            .write(tenant, move |sql| {
                keeping_an_administrator(sql, tenant, || {
                    require_member_as_seen(sql, tenant, &seen)?;
                    update_member(sql, tenant, seen.member.id, &membership)
                })
            })
            .await
    }

    async fn begin_session(&self, tenant: TenantId, session: &NewSession, now: DateTime<Utc>) -> Result<()> {
        let new = session.clone();
        self.engine
            .write(tenant, move |sql| {
                let found = sql.find(text::GET_MEMBER, &[&tenant.0, &new.member.0], read_member)?;
                let found = found.filter(|member| !member.is_pending);
                let user = found.ok_or_else(|| StoreError::not_found("user", new.member))?.user;
                sql.execute(text::ENTER_TENANT, &[&user.0, &tenant.0, &micros(now)])?;
                let member = new.member;
                let (now, ends) = (micros(now), micros(new.ends_at));
                let row: [&dyn Parameter; 7] = [&tenant.0, &new.token_hash, &member.0, &now, &ends, &new.address, &new.agent];
                sql.execute(text::BEGIN_SESSION, &row)?;
                let beside = MOST_SESSIONS as i64 - 1;
                sql.execute(text::END_OLDEST_SESSIONS, &[&tenant.0, &member.0, &new.token_hash, &beside]).map(|_| ())
            })
            .await
    }

    async fn find_signed_in(&self, tenant: TenantId, token_hash: &[u8; 32]) -> Result<Option<SignedIn>> {
        let parameters = vec![tenant.0.into(), (*token_hash).into()];
        self.engine.find_in_one_trip(tenant, text::FIND_SIGNED_IN, parameters, read_signed_in).await
    }

    async fn record_session_uses(&self, tenant: TenantId, token_hashes: &[[u8; 32]], now: DateTime<Utc>) -> Result<()> {
        let mut hashes = token_hashes.to_vec();
        hashes.sort_unstable();
        self.engine
            .write(tenant, move |sql| {
                for hash in &hashes {
                    sql.execute(text::RECORD_SESSION_USE, &[&tenant.0, hash, &micros(now)])?;
                }
                Ok(())
            })
            .await
    }

    async fn end_session(&self, tenant: TenantId, token_hash: &[u8; 32]) -> Result<bool> {
        let hash = *token_hash;
        self.engine.write(tenant, move |sql| Ok(sql.execute(text::END_SESSION, &[&tenant.0, &hash])? > 0)).await
    }

    async fn end_sessions_of(&self, tenant: TenantId, member: PrincipalId, but: Option<&[u8; 32]>) -> Result<u64> {
        let kept = but.copied().unwrap_or(NO_TOKEN);
        let end = move |sql: &Sql<'_>| sql.execute(text::END_SESSIONS_OF, &[&tenant.0, &member.0, &kept]);
        Ok(self.engine.write(tenant, end).await? as u64)
    }

    async fn list_sessions(&self, tenant: TenantId, member: PrincipalId) -> Result<Vec<Session>> {
        self.engine.read(tenant, move |sql| sql.query(text::LIST_SESSIONS, &[&tenant.0, &member.0], read_session)).await
    }

    async fn drop_ended_sessions(&self, tenant: TenantId, before: DateTime<Utc>) -> Result<u64> {
        let drop = move |sql: &Sql<'_>| sql.execute(text::DROP_ENDED_SESSIONS, &[&tenant.0, &micros(before)]);
        Ok(self.engine.write(tenant, drop).await? as u64)
    }

    async fn find_rights(&self, tenant: TenantId, id: PrincipalId, now: DateTime<Utc>) -> Result<Option<Rights>> {
        let read = |row: &Row<'_>| row.get::<Option<String>>(0);
        let found = self
            .engine
            .read(tenant, move |sql| sql.find(text::FIND_RIGHTS, &[&tenant.0, &id.0, &micros(now)], read))
            .await?
            .flatten();
        found.map(|text| rights(&text)).transpose()
    }
}

/// From which keys and members are numbered. A stored name: never rename.
pub(crate) const PRINCIPALS: &str = "principal";

/// From which roles are numbered. A stored name: never rename.
const ROLES: &str = "role";

/// The hash of no token: nothing has it.
const NO_TOKEN: [u8; 32] = [0; 32];

/// The roles that every tenant begins with.
pub(crate) fn create_ready_made_roles(sql: &Sql<'_>, tenant: TenantId) -> Result<()> {
    let first = sql.reserve_ids(tenant, ROLES, READY_MADE.len() as i64)?;
    for (id, role) in (first..).zip(READY_MADE) {
        let scopes: Scopes = role.scopes.parse().expect("a test reads the permissions of ready-made roles");
        sql.execute(text::CREATE_ROLE, &[&tenant.0, &id, &role.name, &scopes.to_string()])?;
    }
    Ok(())
}

fn change_user(sql: &Sql<'_>, id: UserId, statement: &'static str, parameters: &[&dyn Parameter]) -> Result<()> {
    if sql.execute(statement, parameters)? > 0 { Ok(()) } else { Err(StoreError::not_found("user", id)) }
}
