//! Users, members, roles, and what principals may do.

use lineshift_domain::ids::{PrincipalId, RoleId, TenantId, UserId};
use lineshift_domain::reach::Reach;
use lineshift_domain::rights::Rights;
use lineshift_domain::scopes::Scopes;

use super::fixture::at;
use crate::access::NewApiKey;
use crate::people::{Membership, NewUser, User};
use crate::{Result, Store, StoreError};

pub(super) fn scopes(text: &str) -> Scopes {
    text.parse().expect("known scopes")
}

pub(super) fn reach(text: &str) -> Reach {
    text.parse().expect("a reach")
}

/// A person whose address is of that name.
pub(super) fn person(name: &str) -> NewUser {
    NewUser { email: format!("{name}@example.com"), display_name: format!("{name} Doe"), password_hash: None }
}

pub(super) fn membership(roles: &[RoleId], of: &str) -> Membership {
    Membership { roles: roles.to_vec(), reach: reach(of), is_active: true }
}

/// Two tenants that are apart.
pub(super) async fn two_tenants<S: Store>(store: &S, name: &str) -> (TenantId, TenantId) {
    let one = store.create_tenant(name, chrono_tz::UTC, at(0)).await.expect("a tenant");
    let other = store.create_tenant(&format!("{name}: another"), chrono_tz::UTC, at(0)).await.expect("another tenant");
    (one, other)
}

/// A member of that tenant with one role of those permissions, and who it is.
pub(super) async fn member<S: Store>(store: &S, tenant: TenantId, name: &str, may: &str) -> (PrincipalId, UserId) {
    let role = store.create_role(tenant, &format!("role of {name}"), &scopes(may)).await.expect("a role");
    let user = store.create_user(&person(name), at(1)).await.expect("a user");
    let member = store.add_member(tenant, user, &membership(&[role], "*"), at(2)).await.expect("a member");
    (member, user)
}

pub(super) fn is_conflict<T: std::fmt::Debug>(answer: &Result<T>) -> bool {
    matches!(answer, Err(StoreError::Conflict { .. }))
}

pub(super) fn is_missing<T: std::fmt::Debug>(answer: &Result<T>) -> bool {
    matches!(answer, Err(StoreError::NotFound { .. }))
}

const NOBODY: UserId = UserId(i64::MAX);

/// A user is found as created, by id and address; an address is taken once; what is changed of a user is told.
pub async fn users_are_kept<S: Store>(store: &S) {
    let new = NewUser { password_hash: Some("argon".to_owned()), ..person("kept") };
    let id = store.create_user(&new, at(1)).await.expect("a user");
    let created = User {
        id,
        email: "kept@example.com".to_owned(),
        display_name: "kept Doe".to_owned(),
        password_hash: Some("argon".to_owned()),
        totp_secret: None,
        totp_last_step: 0,
        is_active: true,
        created_at: at(1),
    };
    assert_eq!(store.get_user(id).await.expect("the user"), created);
    assert_eq!(store.find_user_by_email("kept@example.com").await.expect("a look-up"), Some(created.clone()));
    assert_eq!(store.find_user_by_email("nobody@example.com").await.expect("a look-up"), None);
    assert!(is_conflict(&store.create_user(&person("kept"), at(2)).await));
    let second = store.create_user(&person("kept second"), at(2)).await.expect("another user");
    assert_ne!(second, id);
    assert_eq!(store.get_user(second).await.expect("the user").password_hash, None);

    store.set_user_active(id, false).await.expect("set");
    store.set_password(id, "argon 2", at(3)).await.expect("set");
    let changed = User { is_active: false, password_hash: Some("argon 2".to_owned()), ..created };
    assert_eq!(store.get_user(id).await.expect("the user"), changed);

    assert!(is_missing(&store.get_user(NOBODY).await));
    assert!(is_missing(&store.set_password(NOBODY, "argon", at(3)).await));
    assert!(is_missing(&store.set_user_active(NOBODY, true).await));
    assert!(is_missing(&store.sign_out_everywhere(NOBODY, at(3)).await));
}

/// A one-time password is taken once, and none that is older than one that was taken; a new secret begins anew.
pub async fn one_time_passwords_are_taken_once<S: Store>(store: &S) {
    let id = store.create_user(&person("one-time"), at(1)).await.expect("a user");
    store.set_totp_secret(id, Some(b"sealed")).await.expect("set");
    assert!(store.take_totp_step(id, 100).await.expect("taken"));
    for step in [100, 99] {
        assert!(!store.take_totp_step(id, step).await.expect("refused"));
    }
    assert!(store.take_totp_step(id, 101).await.expect("taken"));
    let user = store.get_user(id).await.expect("the user");
    assert_eq!((user.totp_secret.as_deref(), user.totp_last_step), (Some(b"sealed".as_slice()), 101));

    store.set_totp_secret(id, Some(b"another")).await.expect("set");
    assert!(store.take_totp_step(id, 50).await.expect("taken"));
    store.set_totp_secret(id, None).await.expect("taken away");
    assert_eq!(store.get_user(id).await.expect("the user").totp_secret, None);
    assert!(is_missing(&store.set_totp_secret(NOBODY, None).await));
    assert!(!store.take_totp_step(NOBODY, 1).await.expect("nobody's"));
}

/// An invitation counts until its end, until the next one, and until a password was set.
pub async fn invitations_end<S: Store>(store: &S) {
    let id = store.create_user(&person("invited"), at(1)).await.expect("a user");
    let (first, second) = ([11; 32], [12; 32]);
    store.set_invitation(id, &first, at(100)).await.expect("set");
    assert_eq!(store.find_invited(&first, at(99)).await.expect("a look-up").map(|user| user.id), Some(id));
    assert_eq!(store.find_invited(&first, at(100)).await.expect("a look-up"), None, "it has ended");
    store.set_invitation(id, &second, at(200)).await.expect("set");
    assert_eq!(store.find_invited(&first, at(50)).await.expect("a look-up"), None, "a later one counts");
    assert!(store.find_invited(&second, at(199)).await.expect("a look-up").is_some());
    store.set_user_active(id, false).await.expect("set");
    assert_eq!(store.find_invited(&second, at(50)).await.expect("a look-up"), None, "who may not sign in sets no password");
    store.set_user_active(id, true).await.expect("set");
    store.set_password(id, "argon", at(60)).await.expect("set");
    assert_eq!(store.find_invited(&second, at(61)).await.expect("a look-up"), None, "it was used");
    assert!(is_missing(&store.set_invitation(NOBODY, &[13; 32], at(100)).await));
}

/// Roles are kept by tenant, a name once in each; one that somebody has stays.
pub async fn roles_are_kept<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "roles are kept").await;
    let id = store.create_role(tenant, "clerk", &scopes("m2m:view")).await.expect("a role");
    let free = store.create_role(tenant, "nobody's", &scopes("lnp:view")).await.expect("a role");
    store.create_role(other, "clerk", &scopes("*")).await.expect("each tenant has names of its own");
    assert!(is_conflict(&store.create_role(tenant, "clerk", &scopes("*")).await));
    let mut role = store.get_role(tenant, id).await.expect("the role");
    assert_eq!((role.id, role.name.as_str(), &role.scopes), (id, "clerk", &scopes("m2m:view")));
    let listed = store.list_roles(tenant).await.expect("a list");
    assert!(listed.contains(&role) && listed.is_sorted_by_key(|role| role.id));

    role.scopes = scopes("m2m:view m2m:edit");
    "chief clerk".clone_into(&mut role.name);
    store.update_role(tenant, &role).await.expect("changed");
    assert_eq!(store.get_role(tenant, id).await.expect("the role"), role);
    let taken = crate::people::Role { name: "nobody's".to_owned(), ..role.clone() };
    assert!(is_conflict(&store.update_role(tenant, &taken).await));
    let foreign = store.list_roles(other).await.expect("a list");
    assert!(foreign.iter().all(|theirs| *theirs != role), "{foreign:?}");

    let user = store.create_user(&person("clerk"), at(1)).await.expect("a user");
    let member = store.add_member(tenant, user, &membership(&[id], "*"), at(2)).await.expect("a member");
    assert!(is_conflict(&store.delete_role(tenant, id).await), "somebody has it");
    store.update_member(tenant, member, &membership(&[free], "*")).await.expect("changed");
    store.delete_role(tenant, id).await.expect("nobody has it");
    assert!(is_missing(&store.get_role(tenant, id).await));
    assert!(is_missing(&store.update_role(tenant, &role).await));
    for (of, missing) in [(tenant, id), (TenantId(i64::MAX), free)] {
        assert!(is_missing(&store.delete_role(of, missing).await));
    }
}

/// A member is found as added, by id, by user and in pages; roles are given and taken; one person may belong to several tenants.
pub async fn members_are_kept<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "members are kept").await;
    let first = store.create_role(tenant, "first", &scopes("m2m:view")).await.expect("a role");
    let second = store.create_role(tenant, "second", &scopes("lnp:view")).await.expect("a role");
    let user = store.create_user(&person("member"), at(1)).await.expect("a user");
    let given = membership(&[second, first, second], "customer:5 site:7");
    let id = store.add_member(tenant, user, &given, at(2)).await.expect("a member");
    let found = store.get_member(tenant, id).await.expect("the member");
    assert_eq!((found.id, found.user, found.email.as_str()), (id, user, "member@example.com"));
    assert_eq!((found.display_name.as_str(), &found.roles), ("member Doe", &vec![first, second]));
    assert_eq!((&found.reach, found.is_active, found.created_at), (&reach("customer:5 site:7"), true, at(2)));
    assert_eq!(store.find_member_of(tenant, user).await.expect("a look-up"), Some(found.clone()));
    assert!(is_conflict(&store.add_member(tenant, user, &given, at(3)).await), "already");

    assert_eq!(store.find_member_of(other, user).await.expect("a look-up"), None);
    assert!(is_missing(&store.get_member(other, id).await));
    let elsewhere = store.add_member(other, user, &membership(&[], ""), at(3)).await.expect("a member there, too");
    assert_eq!(store.list_tenants_of(user).await.expect("a list"), [tenant, other]);
    assert_eq!(store.get_member(other, elsewhere).await.expect("the member").roles, []);

    let changed = Membership { is_active: false, ..membership(&[second], "*") };
    store.update_member(tenant, id, &changed).await.expect("changed");
    let now = store.get_member(tenant, id).await.expect("the member");
    assert_eq!((&now.roles, &now.reach, now.is_active), (&vec![second], &Reach::Everything, false));
    assert!(store.get_member(other, elsewhere).await.expect("the member").is_active, "in the other tenant nothing changed");

    let unknown = membership(&[second, RoleId(9_999)], "*");
    assert!(is_missing(&store.update_member(tenant, id, &unknown).await));
    assert_eq!(store.get_member(tenant, id).await.expect("the member"), now, "nothing of a refused change is stored");
    let newcomer = store.create_user(&person("newcomer"), at(1)).await.expect("a user");
    assert!(is_missing(&store.add_member(tenant, newcomer, &unknown, at(4)).await));
    assert_eq!(store.list_tenants_of(newcomer).await.expect("a list"), []);
    assert!(is_missing(&store.update_member(other, PrincipalId(i64::MAX), &changed).await));
    assert!(is_conflict(&store.add_member(tenant, NOBODY, &membership(&[], "*"), at(4)).await));
}

/// Pages of members follow each other by id, and keep to the tenant.
pub async fn members_are_listed_in_pages<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "members are listed").await;
    let mut added = Vec::new();
    for name in ["listed one", "listed two", "listed three"] {
        added.push(member(store, tenant, name, "m2m:view").await.0);
    }
    member(store, other, "listed elsewhere", "m2m:view").await;
    let first = store.list_members(tenant, None, 2).await.expect("a page");
    assert_eq!(first.items.iter().map(|member| member.id).collect::<Vec<_>>(), added[..2]);
    let rest = store.list_members(tenant, first.next, 2).await.expect("a page");
    assert_eq!((rest.items.len(), rest.items[0].id, rest.next), (1, added[2], None));
}

/// Keys and members are numbered from one counter; what each may do now is told, until it may nothing any more.
pub async fn rights_are_those_of_now<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "rights are those of now").await;
    let key = NewApiKey {
        name: "k".to_owned(),
        secret_hash: [1; 32],
        scopes: scopes("m2m:view"),
        reach: reach("site:7"),
        expires_at: Some(at(100)),
    };
    let key = store.create_api_key(tenant, &key, at(1)).await.expect("a key");
    let (id, user) = member(store, tenant, "rightful", "m2m:view").await;
    assert_ne!(key, id);
    let rights = |text: &str| Some(text.parse::<Rights>().expect("rights"));
    let find = async |id, now| store.find_rights(tenant, id, at(now)).await.expect("a look-up");
    assert_eq!(find(key, 99).await, rights("site:7|m2m:view"));
    assert_eq!(find(key, 100).await, None, "expired");
    store.revoke_api_key(tenant, key, at(50)).await.expect("revoked");
    assert_eq!(find(key, 60).await, None, "revoked");

    assert_eq!(find(id, 50).await, rights("*|m2m:view"));
    let more = store.create_role(tenant, "more", &scopes("m2m:view lnp:edit")).await.expect("a role");
    let roles = [store.get_member(tenant, id).await.expect("the member").roles, vec![more]].concat();
    store.update_member(tenant, id, &membership(&roles, "customer:5")).await.expect("changed");
    assert_eq!(find(id, 50).await, rights("customer:5|m2m:view lnp:edit"), "what all of its roles allow");
    store.update_member(tenant, id, &membership(&[], "*")).await.expect("changed");
    assert_eq!(find(id, 50).await, rights("*|"), "nothing, but somebody");

    assert_eq!(store.find_rights(other, id, at(50)).await.expect("a look-up"), None);
    store.set_user_active(user, false).await.expect("set");
    assert_eq!(find(id, 50).await, None, "may not sign in anywhere");
    store.set_user_active(user, true).await.expect("set");
    store.update_member(tenant, id, &Membership { is_active: false, ..membership(&[more], "*") }).await.expect("changed");
    assert_eq!(find(id, 50).await, None, "not active in this tenant");
}
