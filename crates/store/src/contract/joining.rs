//! How people come to a tenant, and that somebody can always administrate it.

use lineshift_domain::ids::{PrincipalId, RoleId};

use super::fixture::at;
use super::people::{is_conflict, is_missing, member, membership, person, scopes, two_tenants};
use crate::Store;
use crate::people::{Membership, NewInvitation, Role};

fn invitation(token: u8) -> NewInvitation {
    NewInvitation { token_hash: [token; 32], ends_at: at(1_000) }
}

async fn invites<S: Store>(store: &S, token: u8) -> bool {
    store.find_invited(&[token; 32], at(100)).await.expect("a look-up").is_some()
}

/// A new person gets the invitation, a known one does not; nothing is stored of what is refused.
pub async fn people_join_a_tenant<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "people join").await;
    let role = store.create_role(tenant, "joiner", &scopes("m2m:view")).await.expect("a role");
    let given = membership(&[role], "site:7");
    let added = store.add_person(tenant, &person("joining"), &given, &invitation(21), at(5)).await.expect("added");
    let found = store.get_member(tenant, added.member).await.expect("the member");
    assert_eq!((added.is_new, found.user, found.email.as_str()), (true, added.user, "joining@example.com"));
    assert_eq!((found.roles, found.reach.to_string(), found.created_at), (vec![role], "site:7".to_owned(), at(5)));
    assert!(invites(store, 21).await);
    assert!(is_conflict(&store.add_person(tenant, &person("joining"), &given, &invitation(22), at(6)).await), "already");

    let elsewhere = membership(&[], "*");
    let join = async |token, now| store.add_person(other, &person("joining"), &elsewhere, &invitation(token), at(now)).await;
    assert!(is_conflict(&join(23, 7).await), "whoever invited them could take their place there");
    assert_eq!(store.find_member_of(other, added.user).await.expect("a look-up"), None);
    store.set_password(added.user, "argon", at(8)).await.expect("the invitation is taken up");
    let known = join(24, 9).await.expect("added");
    assert_eq!((known.is_new, known.user), (false, added.user));
    assert!(!invites(store, 24).await && !invites(store, 21).await);
    assert_eq!(store.list_tenants_of(added.user).await.expect("a list"), [tenant, other]);

    let unknown = membership(&[RoleId(9_999)], "*");
    assert!(is_missing(&store.add_person(tenant, &person("nobody yet"), &unknown, &invitation(25), at(9)).await));
    assert_eq!(store.find_user_by_email("nobody yet@example.com").await.expect("a look-up"), None);
}

/// An invitation that has ended keeps nobody from joining.
pub async fn an_invitation_that_ended_is_in_nobodys_way<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "an invitation that ended").await;
    let nothing = membership(&[], "*");
    store.add_person(tenant, &person("forgetful"), &nothing, &invitation(31), at(5)).await.expect("added");
    let join = async |now| store.add_person(other, &person("forgetful"), &nothing, &invitation(32), at(now)).await;
    assert!(is_conflict(&join(999).await));
    assert!(!join(1_000).await.expect("added").is_new);
}

/// A member is invited anew by the tenant, as long as it is the only one that they belong to.
pub async fn members_are_invited_anew<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "members are invited").await;
    let nothing = membership(&[], "*");
    let added = store.add_person(tenant, &person("again"), &nothing, &invitation(41), at(5)).await.expect("added");
    store.invite_member(tenant, added.member, &invitation(42)).await.expect("invited");
    assert!(!invites(store, 41).await && invites(store, 42).await, "an earlier one counts no more");
    assert!(is_missing(&store.invite_member(other, added.member, &invitation(43)).await));
    assert!(is_missing(&store.invite_member(tenant, PrincipalId(i64::MAX), &invitation(43)).await));
    assert!(!invites(store, 43).await);

    store.set_password(added.user, "argon", at(6)).await.expect("set");
    let there = store.add_member(other, added.user, &nothing, at(7)).await.expect("a member there, too");
    for (of, id) in [(tenant, added.member), (other, there)] {
        assert!(is_conflict(&store.invite_member(of, id, &invitation(44)).await));
    }
    assert!(!invites(store, 44).await, "nothing of it is stored");
}

/// The last who may do everything cannot be removed, limited or deactivated, nor can their role allow less.
pub async fn an_administrator_stays<S: Store>(store: &S) {
    let tenant = store.create_tenant("an administrator stays", chrono_tz::UTC, at(0)).await.expect("a tenant");
    let (viewer, _) = member(store, tenant, "viewer", "m2m:view").await;
    let free = membership(&[], "customer:5");
    store.update_member(tenant, viewer, &free).await.expect("a tenant that has no administrator changes as it likes");

    let (admin, user) = member(store, tenant, "admin", "*").await;
    let before = store.get_member(tenant, admin).await.expect("the member");
    let role = store.get_role(tenant, before.roles[0]).await.expect("the role");
    let all = membership(&before.roles, "*");
    let less = Role { scopes: scopes("admin:view admin:edit"), ..role.clone() };
    let refused = [Membership { is_active: false, ..all.clone() }, membership(&before.roles, "customer:5"), membership(&[], "*")];
    for change in &refused {
        assert!(is_conflict(&store.update_member(tenant, admin, change).await), "{change:?}");
        assert_eq!(store.get_member(tenant, admin).await.expect("the member"), before);
    }
    assert!(is_conflict(&store.update_role(tenant, &less).await));
    assert_eq!(store.get_role(tenant, role.id).await.expect("the role"), role);

    let (second, second_user) = member(store, tenant, "second admin", "*").await;
    store.set_user_active(second_user, false).await.expect("set");
    assert!(is_conflict(&store.update_member(tenant, admin, &refused[0]).await), "the other may not sign in");
    store.set_user_active(second_user, true).await.expect("set");
    store.update_member(tenant, admin, &refused[0]).await.expect("there is another");
    let others = store.get_member(tenant, second).await.expect("the member").roles;
    assert!(is_conflict(
        &store.update_member(tenant, second, &Membership { is_active: false, ..membership(&others, "*") }).await
    ));
    store.update_role(tenant, &less).await.expect("nobody active has it");
    assert!(store.get_user(user).await.expect("the user").is_active, "in other tenants they go on");
}
