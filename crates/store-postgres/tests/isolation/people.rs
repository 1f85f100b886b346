//! People: who belongs to a tenant is its own; who somebody is, is global, and asked for one at a time.

use lineshift_domain::ids::{PrincipalId, RoleId, TenantId, UserId};
use lineshift_domain::reach::Reach;
use lineshift_domain::rights::Rights;
use lineshift_domain::scopes::Scopes;
use lineshift_store::people::{Member, Membership, NewInvitation, NewSession, NewUser, PeopleStore, Role, SeenMember};
use lineshift_store_postgres::PostgresStore;

use crate::filled::{Filled, HELD};
use crate::methods::BY;
use crate::orders::at;
use crate::tried::{Tried, try_it};

/// The token of a session, alike in every tenant.
const TOKEN: [u8; 32] = [5; 32];

/// A member who is signed in.
pub(crate) struct People {
    pub(crate) user: UserId,
    pub(crate) role: RoleId,
    pub(crate) member: PrincipalId,
}

impl People {
    pub(crate) async fn new(store: &PostgresStore, tenant: TenantId, mark: &str) -> Self {
        let user = store.create_user(&person(mark), at(0)).await.expect("a user");
        let role = store.create_role(tenant, mark, &Scopes::all()).await.expect("a role");
        let member = store.add_member(tenant, user, &membership(role), at(0)).await.expect("a member");
        store.begin_session(tenant, &session(member, TOKEN, mark), at(0)).await.expect("begun");
        Self { user, role, member }
    }
}

fn person(name: &str) -> NewUser {
    NewUser { email: format!("{name}@localhost"), display_name: format!("{name} somebody"), password_hash: None }
}

fn membership(role: RoleId) -> Membership {
    Membership { roles: vec![role], reach: Reach::Everything, is_active: true }
}

fn imagined(id: PrincipalId, user: UserId, role: RoleId) -> Member {
    Member {
        id,
        user,
        email: String::new(),
        display_name: String::new(),
        roles: vec![role],
        reach: Reach::Everything,
        is_active: true,
        created_at: at(0),
        identity_issuer: None,
        is_pending: false,
        invitation_ends_at: None,
    }
}

fn session(member: PrincipalId, token_hash: [u8; 32], mark: &str) -> NewSession {
    NewSession { token_hash, member, ends_at: at(HELD), address: mark.to_owned(), agent: mark.to_owned() }
}

pub(crate) async fn try_people(tried: &mut Tried<'_>, of: &Filled) {
    let (tenant, now) = (of.tenant, at(60));
    let People { user, role, member } = of.people;
    try_it!(tried, PeopleStore.get_role(tenant, role));
    try_it!(tried, PeopleStore.list_roles(tenant));
    try_it!(tried, PeopleStore.create_role(tenant, BY, &Scopes::all()));
    let changed = Role { id: role, name: "Cumulus".to_owned(), scopes: Scopes::all() };
    try_it!(tried, PeopleStore.update_role(tenant, &changed));
    try_it!(tried, PeopleStore.update_role_as_seen(tenant, &changed, &changed));
    try_it!(tried, PeopleStore.get_member(tenant, member));
    try_it!(tried, PeopleStore.find_member_of(tenant, user));
    try_it!(tried, PeopleStore.list_members(tenant, None, 10));
    for id in [member, of.key] {
        try_it!(tried, PeopleStore.find_rights(tenant, id, now));
    }

    try_it!(tried, PeopleStore.find_signed_in(tenant, &TOKEN));
    try_it!(tried, PeopleStore.list_sessions(tenant, member));
    try_it!(tried, PeopleStore.record_session_uses(tenant, &[TOKEN], now));
    try_it!(tried, PeopleStore.begin_session(tenant, &session(member, [6; 32], BY), now));
    try_it!(tried, PeopleStore.end_session(tenant, &[6; 32]));
    try_it!(tried, PeopleStore.end_sessions_of(tenant, member, None));
    try_it!(tried, PeopleStore.drop_ended_sessions(tenant, at(2 * HELD)));
    try_it!(tried, PeopleStore.update_member(tenant, member, &membership(role)));
    // As whoever decides on a change saw them; where nothing is told, as they might be.
    let seen = SeenMember {
        member: tried.store.get_member(tenant, member).await.unwrap_or_else(|_| imagined(member, user, role)),
        roles: tried.store.list_roles(tenant).await.unwrap_or_default(),
    };
    try_it!(tried, PeopleStore.update_member_as_seen(tenant, &seen, &membership(role)));
    let invitation = NewInvitation { token_hash: [8; 32], ends_at: at(HELD) };
    try_it!(tried, PeopleStore.invite_member(tenant, member, &invitation, &Rights::all()));
    try_it!(tried, PeopleStore.clear_identity(tenant, member, now));
    let later = NewInvitation { token_hash: [9; 32], ..invitation };
    try_it!(tried, PeopleStore.add_person(tenant, &person("Nimbus"), &membership(role), &later, now));
    try_it!(tried, PeopleStore.find_invited_member(tenant, &[9; 32], now));
    try_it!(tried, PeopleStore.join(tenant, &[9; 32], user, now));
    try_it!(tried, PeopleStore.join_with_password(tenant, &[9; 32], BY, now));
    let vouched = NewInvitation { token_hash: [10; 32], ..later };
    let added = tried.store.add_person(tenant, &person("Stratus"), &membership(role), &vouched, now).await;
    let pending = added.map_or(member, |added| added.member);
    try_it!(tried, PeopleStore.join_by_identity(tenant, pending, "issuer", BY, now));
    try_it!(tried, PeopleStore.decline_invitation(tenant, user));
    try_users(tried, of).await;
}

/// Global: nobody's but the person's own.
async fn try_users(tried: &mut Tried<'_>, of: &Filled) {
    let (store, now, user) = (tried.store, at(60), of.people.user);
    let newcomer = store.create_user(&person(BY), now).await.expect("a user");
    tried.note("PeopleStore::create_user", Ok(newcomer)).await;
    try_it!(tried, PeopleStore.add_member(of.tenant, newcomer, &membership(of.people.role), now));
    let free = PeopleStore::create_role(store, of.tenant, "nobody's", &Scopes::all()).await;
    let free = free.unwrap_or(of.people.role);
    try_it!(tried, PeopleStore.delete_role(of.tenant, free));
    try_it!(tried, PeopleStore.remove_member(of.tenant, of.people.member));

    tried.note("PeopleStore::get_user", store.get_user(user).await).await;
    tried.note("PeopleStore::find_user_by_email", store.find_user_by_email(BY).await).await;
    tried.note("PeopleStore::set_identity", store.set_identity(user, BY, BY).await).await;
    tried.note("PeopleStore::find_user_by_identity", store.find_user_by_identity(BY, BY).await).await;
    tried.note("PeopleStore::set_password", store.set_password(user, BY, now).await).await;
    tried.note("PeopleStore::sign_out_everywhere", store.sign_out_everywhere(user, now).await).await;
    tried.note("PeopleStore::set_user_active", store.set_user_active(user, true).await).await;
    tried.note("PeopleStore::set_totp_secret", store.set_totp_secret(user, None).await).await;
    tried.note("PeopleStore::take_totp_step", store.take_totp_step(user, 1).await).await;
    tried.note("PeopleStore::set_invitation", store.set_invitation(newcomer, &TOKEN, at(HELD)).await).await;
    tried.note("PeopleStore::find_invited", store.find_invited(&TOKEN, now).await).await;
    tried.note("PeopleStore::take_up_invitation", store.take_up_invitation(&TOKEN, BY, now).await).await;
    tried.note("PeopleStore::list_tenants_of", store.list_tenants_of(user).await).await;
    tried.note("PeopleStore::list_inviting_tenants", store.list_inviting_tenants(user).await).await;
    tried.note("PeopleStore::record_failures", store.record_failures(&[TOKEN], at(0), now).await).await;
    tried.note("PeopleStore::find_failures", store.find_failures(&[TOKEN], at(0)).await).await;
    tried.note("PeopleStore::clear_failures", store.clear_failures(&TOKEN).await).await;
}
