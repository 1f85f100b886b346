//! People: users, the tenants they belong to, their roles there, and who is signed in.
//!
//! A user is global, since one person may belong to several tenants; what they may do stands in the tenant, as a *member*. Methods that
//! take no tenant read one user, one invitation or one hash, and belong to the closed list of what may be read before a tenant is known.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{PrincipalId, RoleId, TenantId, UserId};
use lineshift_domain::reach::Reach;
use lineshift_domain::rights::Rights;
use lineshift_domain::scopes::Scopes;

use crate::Result;
use crate::paging::Listed;

/// A person.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The address with which they sign in, in lower case.
    pub email: String,
    /// How they are called.
    pub display_name: String,
    /// Argon2id in its own text form; none: no password was set.
    pub password_hash: Option<String>,
    /// What makes one-time passwords, sealed; none: none are asked for.
    pub totp_secret: Option<Vec<u8>>,
    /// The step of the last one-time password that was taken.
    pub totp_last_step: i64,
    /// Whether they may sign in anywhere.
    pub is_active: bool,
    /// When they were created.
    pub created_at: DateTime<Utc>,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("is_active", &self.is_active).finish_non_exhaustive()
    }
}

/// A person to create.
#[derive(Clone)]
pub struct NewUser {
    /// The address, in lower case.
    pub email: String,
    /// How they are called.
    pub display_name: String,
    /// Argon2id in its own text form; none: they set one by an invitation, or sign in elsewhere.
    pub password_hash: Option<String>,
}

/// A named set of permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its id within the tenant.
    pub id: RoleId,
    /// Its name.
    pub name: String,
    /// What it allows.
    pub scopes: Scopes,
}

/// A person in a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// As whom they act.
    pub id: PrincipalId,
    /// Who it is.
    pub user: UserId,
    /// The address with which they sign in.
    pub email: String,
    /// How they are called; while pending, by whoever added them.
    pub display_name: String,
    /// Their roles, by id.
    pub roles: Vec<RoleId>,
    /// Whose lines they see.
    pub reach: Reach,
    /// Whether they may act in this tenant, once they are not pending.
    pub is_active: bool,
    /// When they were added.
    pub created_at: DateTime<Utc>,
    /// The OpenID provider at which they sign in; none: none knows them.
    pub identity_issuer: Option<String>,
    /// Whether they have not taken the tenant's invitation up: until then they are nobody in it.
    pub is_pending: bool,
    /// While pending: until when the invitation counts; none: there is none, or it was taken back.
    pub invitation_ends_at: Option<DateTime<Utc>>,
}

/// What may be changed of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Their roles.
    pub roles: Vec<RoleId>,
    /// Whose lines they see.
    pub reach: Reach,
    /// Whether they may act in this tenant.
    pub is_active: bool,
}

/// A member as somebody saw them who decided on a change: with all roles of the tenant, by which they may do what they may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenMember {
    /// The member.
    pub member: Member,
    /// The roles, by id.
    pub roles: Vec<Role>,
}

/// What lets somebody become a member, or set a password, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvitation {
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// Until when it counts.
    pub ends_at: DateTime<Utc>,
}

/// A person as they were added to a tenant. Says nothing of whether they were known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddedPerson {
    /// As whom they act there.
    pub member: PrincipalId,
    /// Who it is.
    pub user: UserId,
}

/// Whom a tenant's invitation lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// As whom they will act there.
    pub member: PrincipalId,
    /// Who it is.
    pub user: User,
    /// How whoever added them calls them.
    pub invited_as: String,
    /// Whether a tenant relies on the account: then it is theirs who have it, and nobody sets its password by another's invitation.
    pub is_relied_on: bool,
}

/// How many sessions a member has at a time at most.
pub const MOST_SESSIONS: usize = 50;

/// A session to begin.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// SHA-256 of the token in the cookie.
    pub token_hash: [u8; 32],
    /// Who signed in.
    pub member: PrincipalId,
    /// When it ends at the latest.
    pub ends_at: DateTime<Utc>,
    /// From where.
    pub address: String,
    /// With which browser, as it says itself; cut to 200 characters.
    pub agent: String,
}

/// A session as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the token in the cookie; names the session to its owner.
    pub token_hash: [u8; 32],
    /// Whose it is.
    pub member: PrincipalId,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub seen_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub ends_at: DateTime<Utc>,
    /// From where it began.
    pub address: String,
    /// With which browser.
    pub agent: String,
}

/// Everything that a request of a signed-in person needs to know, in one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// Who it is.
    pub user: UserId,
    /// The address with which they sign in.
    pub email: String,
    /// How they are called.
    pub display_name: String,
    /// What they may do, by all of their roles together.
    pub rights: Rights,
}

/// How often somebody, or some address, failed to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    /// How many times since it last succeeded.
    pub count: i64,
    /// When last; none: never.
    pub last_at: Option<DateTime<Utc>>,
}

/// Users, members, roles and sessions.
#[async_trait]
pub trait PeopleStore {
    /// Creates a user. Errors: `Conflict` when the address is taken.
    async fn create_user(&self, user: &NewUser, now: DateTime<Utc>) -> Result<UserId>;
    /// One user. Errors: `NotFound`.
    async fn get_user(&self, id: UserId) -> Result<User>;
    /// The user who signs in with that address, in lower case.
    async fn find_user_by_email(&self, email: &str) -> Result<Option<User>>;
    /// The user who is that subject at that OpenID provider.
    async fn find_user_by_identity(&self, issuer: &str, subject: &str) -> Result<Option<User>>;
    /// Says who a user is at an OpenID provider, and takes the invitation back. Once said it stays so until it is taken away. Errors:
    /// `Conflict` when that is somebody else, or the user is another subject already.
    async fn set_identity(&self, id: UserId, issuer: &str, subject: &str) -> Result<()>;
    /// Sets the password, ends all sessions that began before now, and takes back the invitation.
    async fn set_password(&self, id: UserId, hash: &str, now: DateTime<Utc>) -> Result<()>;
    /// Ends all sessions that began before now, in every tenant.
    async fn sign_out_everywhere(&self, id: UserId, now: DateTime<Utc>) -> Result<()>;
    /// Whether the user may sign in at all. Errors: `Conflict` when a tenant that somebody administrates would have nobody left who does.
    async fn set_user_active(&self, id: UserId, is_active: bool) -> Result<()>;
    /// Sets, or takes away, what makes one-time passwords; sealed.
    async fn set_totp_secret(&self, id: UserId, sealed: Option<&[u8]>) -> Result<()>;
    /// Takes the one-time password of that step; false: it, or a later one, was taken already.
    async fn take_totp_step(&self, id: UserId, step: i64) -> Result<bool>;
    /// Lets a password be set with that token until then; an earlier token counts no more.
    async fn set_invitation(&self, id: UserId, token_hash: &[u8; 32], ends_at: DateTime<Utc>) -> Result<()>;
    /// Sets the password with that token, if it counts now: once, whoever comes at the same moment. Ends all sessions that began before
    /// now. False: it does not count any more.
    async fn take_up_invitation(&self, token_hash: &[u8; 32], hash: &str, now: DateTime<Utc>) -> Result<bool>;
    /// Who may set a password with that token now.
    async fn find_invited(&self, token_hash: &[u8; 32], now: DateTime<Utc>) -> Result<Option<User>>;
    /// The tenants that a user belongs to, active there or not, and never those where they are pending: first the one that they entered
    /// last; those that they never entered as they accepted them.
    async fn list_tenants_of(&self, id: UserId) -> Result<Vec<TenantId>>;
    /// The tenants where a user is pending, by id.
    async fn list_inviting_tenants(&self, id: UserId) -> Result<Vec<TenantId>>;

    /// How often each of these failed, in their order; failures before `since` are forgotten.
    async fn find_failures(&self, subjects: &[[u8; 32]], since: DateTime<Utc>) -> Result<Vec<Failures>>;
    /// Notes a failure of each; one before `since` begins at one again. Drops up to a hundred that are older than that.
    async fn record_failures(&self, subjects: &[[u8; 32]], since: DateTime<Utc>, now: DateTime<Utc>) -> Result<()>;
    /// Forgets the failures of one.
    async fn clear_failures(&self, subject: &[u8; 32]) -> Result<()>;

    /// Creates a role. Errors: `Conflict` when the name is taken.
    async fn create_role(&self, tenant: TenantId, name: &str, scopes: &Scopes) -> Result<RoleId>;
    /// One role. Errors: `NotFound`.
    async fn get_role(&self, tenant: TenantId, id: RoleId) -> Result<Role>;
    /// All roles of a tenant by id.
    async fn list_roles(&self, tenant: TenantId) -> Result<Vec<Role>>;
    /// Changes name and permissions. Where they become more, open invitations of those who have the role are taken back. Errors: `NotFound`;
    /// `Conflict` when the name is taken, or as of `update_member`.
    async fn update_role(&self, tenant: TenantId, role: &Role) -> Result<()>;
    /// The same, if the role is still as it was seen. Errors: also `Conflict` when it is not.
    async fn update_role_as_seen(&self, tenant: TenantId, seen: &Role, role: &Role) -> Result<()>;
    /// Takes a role away. Errors: `NotFound`; `Conflict` while somebody has it.
    async fn delete_role(&self, tenant: TenantId, id: RoleId) -> Result<()>;

    /// Makes a user a member at once, asking nobody: for those who certainly are who they say. Errors: `Conflict` when they are one, or
    /// pending; `NotFound` when a role is not there.
    async fn add_member(
        &self,
        tenant: TenantId,
        user: UserId,
        membership: &Membership,
        now: DateTime<Utc>,
    ) -> Result<PrincipalId>;
    /// Adds whoever has that address, known or not, in one transaction: they are pending until they take the invitation up. With a
    /// password they are a member at once, and it is theirs: only where no tenant relies on the account. Errors: `NotFound` when a role is
    /// not there; `Conflict` when they were added before, or a password is given and a tenant relies on the account.
    async fn add_person(
        &self,
        tenant: TenantId,
        person: &NewUser,
        membership: &Membership,
        invitation: &NewInvitation,
        now: DateTime<Utc>,
    ) -> Result<AddedPerson>;
    /// Invites somebody anew, for somebody of those rights: a pending member to take the invitation up, another one to set a new
    /// password. An earlier invitation counts no more. Errors: `NotFound`; `Conflict` when the member has other rights than those cover by
    /// now, or other tenants rely on the account, whose administrators did not agree.
    async fn invite_member(&self, tenant: TenantId, id: PrincipalId, invitation: &NewInvitation, by: &Rights) -> Result<()>;
    /// Whom that token of the tenant lets in now.
    async fn find_invited_member(&self, tenant: TenantId, token_hash: &[u8; 32], now: DateTime<Utc>) -> Result<Option<Invited>>;
    /// Takes an invitation up with a password, which is the account's from now on; whatever somebody set of it before counts no more:
    /// password, one-time passwords, identity, sessions. None: the token counts no more. Errors: `Conflict` when a tenant relies on the
    /// account.
    async fn join_with_password(
        &self,
        tenant: TenantId,
        token_hash: &[u8; 32],
        password_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<PrincipalId>>;
    /// Takes an invitation up for somebody who has proved that the account is theirs. From then on it is not one tenant's alone: what
    /// another one gave to set its password counts no more. None: the token counts no more, or is somebody else's.
    async fn join(
        &self,
        tenant: TenantId,
        token_hash: &[u8; 32],
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<Option<PrincipalId>>;
    /// Makes somebody who is pending a member for whom a provider vouches: the account is that subject's from now on, and whatever somebody
    /// set of it before counts no more. Errors: `NotFound` when they are not pending there, or may not act; `Conflict` when a tenant relies
    /// on the account, or the subject is somebody else.
    async fn join_by_identity(
        &self,
        tenant: TenantId,
        id: PrincipalId,
        issuer: &str,
        subject: &str,
        now: DateTime<Utc>,
    ) -> Result<()>;
    /// Declines: they are pending in that tenant no more. False: they were not.
    async fn decline_invitation(&self, tenant: TenantId, user: UserId) -> Result<bool>;
    /// Takes somebody out of the tenant, with their sessions there and what lets them in; what they did stays. Errors: `NotFound`;
    /// `Conflict` as of `update_member`.
    async fn remove_member(&self, tenant: TenantId, id: PrincipalId) -> Result<()>;
    /// Takes away who a member is at an OpenID provider, and ends their sessions that began before now. Errors: `NotFound`; `Conflict` when
    /// they belong to other tenants, too, whose administrators did not agree, or as of `update_member`. Of somebody who is pending it
    /// touches nothing.
    async fn clear_identity(&self, tenant: TenantId, id: PrincipalId, now: DateTime<Utc>) -> Result<()>;
    /// One member. Errors: `NotFound`.
    async fn get_member(&self, tenant: TenantId, id: PrincipalId) -> Result<Member>;
    /// The member that a user is in a tenant, pending or not.
    async fn find_member_of(&self, tenant: TenantId, user: UserId) -> Result<Option<Member>>;
    /// Members by id.
    async fn list_members(
        &self,
        tenant: TenantId,
        after: Option<PrincipalId>,
        limit: usize,
    ) -> Result<Listed<Member, PrincipalId>>;
    /// Changes a member; one who is made inactive is signed out of the tenant, and of one who may do more an open invitation is taken back:
    /// whoever has it was given less. Errors: `NotFound`, also of a role; `Conflict` when nobody who can sign in could do everything any
    /// more, decided among changes that come at once.
    async fn update_member(&self, tenant: TenantId, id: PrincipalId, membership: &Membership) -> Result<()>;

    /// The same, if the member and the roles are still as they were seen. Errors: also `Conflict` when they are not.
    async fn update_member_as_seen(&self, tenant: TenantId, seen: &SeenMember, membership: &Membership) -> Result<()>;

    /// Begins a session; the tenant is the one entered last, and of more than [`MOST_SESSIONS`] of a member the oldest end. Errors:
    /// `NotFound` when there is no such member, or they are pending.
    async fn begin_session(&self, tenant: TenantId, session: &NewSession, now: DateTime<Utc>) -> Result<()>;
    /// Who is signed in with that token, in one look; none: nobody any more. Its ends are for the caller to judge.
    async fn find_signed_in(&self, tenant: TenantId, token_hash: &[u8; 32]) -> Result<Option<SignedIn>>;
    /// Notes that sessions were used. Called at most once a minute and session.
    async fn record_session_uses(&self, tenant: TenantId, token_hashes: &[[u8; 32]], now: DateTime<Utc>) -> Result<()>;
    /// Ends one session; false: it was not there.
    async fn end_session(&self, tenant: TenantId, token_hash: &[u8; 32]) -> Result<bool>;
    /// Ends all sessions of a member but one.
    async fn end_sessions_of(&self, tenant: TenantId, member: PrincipalId, but: Option<&[u8; 32]>) -> Result<u64>;
    /// The sessions of a member, newest first; there are at most [`MOST_SESSIONS`], but for some that began at the same moment.
    async fn list_sessions(&self, tenant: TenantId, member: PrincipalId) -> Result<Vec<Session>>;
    /// Drops up to a thousand sessions that ended before then.
    async fn drop_ended_sessions(&self, tenant: TenantId, before: DateTime<Utc>) -> Result<u64>;

    /// What a principal may do now, key or member; none: nothing any more. The same look as pages take (B5.3).
    async fn find_rights(&self, tenant: TenantId, id: PrincipalId, now: DateTime<Utc>) -> Result<Option<Rights>>;
}
