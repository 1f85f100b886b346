//! How people come to a tenant, how they leave it, and that somebody can always administrate it.

use lineshift_domain::ids::{PrincipalId, RoleId, TenantId};
use lineshift_domain::rights::Rights;

use super::fixture::at;
use super::people::{is_conflict, is_missing, member, membership, person, scopes, two_tenants};
use crate::Store;
use crate::people::{AddedPerson, Membership, NewInvitation, NewSession, NewUser, Role};

pub(super) fn invitation(token: u8) -> NewInvitation {
    NewInvitation { token_hash: [token; 32], ends_at: at(1_000) }
}

/// Whether that token sets the password of an account.
pub(super) async fn sets_a_password<S: Store>(store: &S, token: u8) -> bool {
    store.find_invited(&[token; 32], at(100)).await.expect("a look-up").is_some()
}

/// Whether that token of the tenant lets somebody in.
pub(super) async fn lets_in<S: Store>(store: &S, tenant: TenantId, token: u8) -> bool {
    store.find_invited_member(tenant, &[token; 32], at(100)).await.expect("a look-up").is_some()
}

/// Adds somebody of that name without roles, with that token.
async fn add<S: Store>(store: &S, tenant: TenantId, name: &str, token: u8) -> AddedPerson {
    store.add_person(tenant, &person(name), &membership(&[], "*"), &invitation(token), at(5)).await.expect("added")
}

fn with_password(name: &str) -> NewUser {
    NewUser { password_hash: Some("argon".to_owned()), ..person(name) }
}

/// Whoever is added is nobody until they take the invitation up, and is shown as whoever added them called them.
pub async fn people_join_a_tenant<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "people join").await;
    let role = store.create_role(tenant, "joiner", &scopes("m2m:view")).await.expect("a role");
    let given = membership(&[role], "site:7");
    let added = store.add_person(tenant, &person("joining"), &given, &invitation(21), at(5)).await.expect("added");
    let found = store.get_member(tenant, added.member).await.expect("the member");
    assert_eq!((found.user, found.email.as_str(), found.is_pending), (added.user, "joining@example.com", true));
    assert_eq!((&found.roles, found.reach.to_string(), found.created_at), (&vec![role], "site:7".to_owned(), at(5)));
    assert_eq!(found.invitation_ends_at, Some(at(1_000)));
    assert!(is_conflict(&store.add_person(tenant, &person("joining"), &given, &invitation(22), at(6)).await), "already");
    assert_eq!(store.find_rights(tenant, added.member, at(6)).await.expect("a look-up"), None, "pending: nobody");
    let session =
        NewSession { token_hash: [20; 32], member: added.member, ends_at: at(100), address: String::new(), agent: String::new() };
    assert!(is_missing(&store.begin_session(tenant, &session, at(6)).await));
    assert_eq!(store.list_tenants_of(added.user).await.expect("a list"), []);
    assert_eq!(store.list_inviting_tenants(added.user).await.expect("a list"), [tenant]);

    assert!(!lets_in(store, other, 21).await && !sets_a_password(store, 21).await, "it is this tenant's");
    assert_eq!(store.join_with_password(other, &[21; 32], "argon", at(7)).await.expect("nobody"), None);
    assert_eq!(store.join_with_password(tenant, &[21; 32], "argon", at(1_000)).await.expect("nobody"), None, "it has ended");
    let taken = store.join_with_password(tenant, &[21; 32], "argon", at(7)).await.expect("taken up");
    assert_eq!(taken, Some(added.member));
    assert_eq!(store.join_with_password(tenant, &[21; 32], "argon 2", at(8)).await.expect("nobody"), None, "once");
    let found = store.get_member(tenant, added.member).await.expect("the member");
    assert_eq!((found.is_pending, found.invitation_ends_at), (false, None));
    assert_eq!(
        store.find_rights(tenant, added.member, at(8)).await.expect("a look-up").map(|r| r.reach),
        Some(given.reach.clone())
    );
    store.begin_session(tenant, &session, at(8)).await.expect("begun");
    assert_eq!(store.list_tenants_of(added.user).await.expect("a list"), [tenant]);

    let unknown = membership(&[RoleId(9_999)], "*");
    assert!(is_missing(&store.add_person(tenant, &person("nobody yet"), &unknown, &invitation(25), at(9)).await));
    assert_eq!(store.find_user_by_email("nobody yet@example.com").await.expect("a look-up"), None);
    let inactive = Membership { is_active: false, ..given };
    store.add_person(tenant, &person("not yet"), &inactive, &invitation(26), at(9)).await.expect("added");
    assert!(!lets_in(store, tenant, 26).await, "who may not act does not come in");
}

/// A person of another tenant is asked: nothing of theirs is told or changed, whatever whoever added them does, until they accept.
pub async fn a_known_person_is_asked<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "a known person").await;
    let here = add(store, tenant, "asked", 31).await;
    store.join_with_password(tenant, &[31; 32], "argon", at(6)).await.expect("taken up");
    let before = store.get_user(here.user).await.expect("the user");
    let asking = NewUser { display_name: "Typed".to_owned(), ..person("asked") };
    let there = store.add_person(other, &asking, &membership(&[], "*"), &invitation(32), at(7)).await.expect("added");
    let found = store.get_member(other, there.member).await.expect("the member");
    assert_eq!((found.display_name.as_str(), found.is_pending, there.user), ("Typed", true, here.user));
    assert_eq!(store.list_tenants_of(here.user).await.expect("a list"), [tenant]);
    let invited = store.find_invited_member(other, &[32; 32], at(8)).await.expect("a look-up").expect("somebody");
    assert_eq!((invited.member, invited.is_relied_on, invited.invited_as.as_str()), (there.member, true, "Typed"));
    assert!(is_conflict(&store.join_with_password(other, &[32; 32], "theirs", at(8)).await), "the account is not that tenant's");
    let mine = NewUser { display_name: "Mine".to_owned(), ..with_password("asked") };
    let third = store.create_tenant("a known person: third", chrono_tz::UTC, at(0)).await.expect("a tenant");
    assert!(is_conflict(&store.add_person(third, &mine, &membership(&[], "*"), &invitation(33), at(8)).await));
    assert_eq!(store.get_user(here.user).await.expect("the user"), before);

    store
        .invite_member(tenant, here.member, &invitation(34), &Rights::all())
        .await
        .expect("pending elsewhere counts for nothing");
    let somebody = store.create_user(&person("asked else"), at(1)).await.expect("a user");
    assert_eq!(store.join(other, &[32; 32], somebody, at(9)).await.expect("nobody"), None, "it is not theirs");
    assert_eq!(store.join(tenant, &[32; 32], here.user, at(9)).await.expect("nobody"), None, "nor of this tenant");
    assert!(sets_a_password(store, 34).await);
    let accepted = store.join(other, &[32; 32], here.user, at(9)).await.expect("accepted");
    assert_eq!(accepted, Some(there.member));
    assert!(!sets_a_password(store, 34).await, "the account is not one tenant's alone any more");
    assert_eq!(store.get_user(here.user).await.expect("the user"), before, "accepting changes nothing of the account");
    assert_eq!(store.get_member(other, there.member).await.expect("the member").display_name, "asked Doe");
    assert_eq!(store.list_tenants_of(here.user).await.expect("a list"), [tenant, other]);
    for (of, id) in [(tenant, here.member), (other, there.member)] {
        assert!(is_conflict(&store.invite_member(of, id, &invitation(35), &Rights::all()).await));
    }
    assert!(!sets_a_password(store, 35).await, "nothing of it is stored");
}

/// Of several tenants that add somebody, each has a token of its own, and only what somebody takes up is theirs; an account on which nobody
/// relies is begun anew.
pub async fn each_tenant_invites_for_itself<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "each invites").await;
    let first = add(store, tenant, "sought", 41).await;
    let second = add(store, other, "sought", 42).await;
    assert_eq!(first.user, second.user);
    assert_eq!(store.join_with_password(other, &[42; 32], "theirs", at(6)).await.expect("taken up"), Some(second.member));
    assert!(is_conflict(&store.join_with_password(tenant, &[41; 32], "late", at(7)).await), "the other one relies on it");
    assert_eq!(store.get_user(first.user).await.expect("the user").password_hash.as_deref(), Some("theirs"));
    assert_eq!(store.list_tenants_of(first.user).await.expect("a list"), [other]);

    store.set_totp_secret(second.user, Some(b"sealed")).await.expect("set");
    store.set_identity(second.user, "https://issuer.example.com", "sought").await.expect("set");
    store.remove_member(other, second.member).await.expect("removed");
    let taken = store.join_with_password(tenant, &[41; 32], "anew", at(8)).await.expect("taken up");
    assert_eq!(taken, Some(first.member));
    let user = store.get_user(first.user).await.expect("the user");
    assert_eq!((user.password_hash.as_deref(), user.totp_secret), (Some("anew"), None), "nothing of before counts");
    assert_eq!(store.find_user_by_identity("https://issuer.example.com", "sought").await.expect("a look-up"), None);

    add(store, other, "sought", 43).await;
    assert!(!store.decline_invitation(tenant, first.user).await.expect("they are no guest there"));
    assert!(store.decline_invitation(other, first.user).await.expect("declined"));
    assert!(!lets_in(store, other, 43).await && !store.decline_invitation(other, first.user).await.expect("no more"));
    assert_eq!(store.list_inviting_tenants(first.user).await.expect("a list"), []);
    add(store, other, "sought", 44).await;
}

/// With a password somebody is a member at once.
pub async fn people_are_added_with_a_password<S: Store>(store: &S) {
    let (tenant, _) = two_tenants(store, "with a password").await;
    let nothing = membership(&[], "*");
    let added = store.add_person(tenant, &with_password("ready"), &nothing, &invitation(45), at(5)).await.expect("added");
    assert!(!store.get_member(tenant, added.member).await.expect("the member").is_pending);
    assert!(!lets_in(store, tenant, 45).await && !sets_a_password(store, 45).await);
    assert_eq!(store.list_tenants_of(added.user).await.expect("a list"), [tenant]);
}

/// A member is invited anew by the tenant: a pending one to come in, another one to set a password.
pub async fn members_are_invited_anew<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "members are invited").await;
    let added = add(store, tenant, "again", 51).await;
    let all = Rights::all();
    store.invite_member(tenant, added.member, &invitation(52), &all).await.expect("invited");
    assert!(!lets_in(store, tenant, 51).await && lets_in(store, tenant, 52).await, "an earlier one counts no more");
    assert!(is_missing(&store.invite_member(other, added.member, &invitation(53), &all).await));
    assert!(is_missing(&store.invite_member(tenant, PrincipalId(i64::MAX), &invitation(53), &all).await));

    store.join_with_password(tenant, &[52; 32], "argon", at(6)).await.expect("taken up");
    store.invite_member(tenant, added.member, &invitation(54), &all).await.expect("invited");
    assert!(sets_a_password(store, 54).await && !lets_in(store, tenant, 54).await);
    store.remove_member(tenant, added.member).await.expect("removed");
    assert!(!sets_a_password(store, 54).await, "it goes with the membership");
}

/// Whoever may do more than when they were invited is invited anew: the token may be somebody's who may do less.
pub async fn an_invitation_ends_when_rights_widen<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "rights widen").await;
    let little = store.create_role(tenant, "little", &scopes("m2m:view")).await.expect("a role");
    let more = store.create_role(tenant, "more", &scopes("m2m:view m2m:edit")).await.expect("a role");
    let start = membership(&[little], "site:7");
    let pending = store.add_person(tenant, &person("widened"), &start, &invitation(61), at(5)).await.expect("added").member;
    let (known, user) = member(store, tenant, "widened known", "lnp:view").await;
    store.update_member(tenant, known, &start).await.expect("changed");
    // Of somebody who is pending elsewhere nothing is touched there.
    let guest =
        store.add_person(other, &person("widened known"), &membership(&[], ""), &invitation(69), at(5)).await.expect("added");

    let by = "*|m2m:view".parse::<Rights>().expect("rights");
    let invite = async |id, token| store.invite_member(tenant, id, &invitation(token), &by).await;
    let mut token = 62;
    for change in [membership(&[more], "site:7"), membership(&[little], "site:7 site:8"), membership(&[little], "*")] {
        for id in [pending, known] {
            store.update_member(tenant, id, &start).await.expect("as before");
            invite(id, token).await.expect("invited");
            store.update_member(tenant, id, &membership(&[], "site:7")).await.expect("less");
            store.update_member(tenant, id, &membership(&[], "site:7")).await.expect("the same");
            assert!(lets_in(store, tenant, token).await || sets_a_password(store, token).await, "{change:?}");
            store.update_member(tenant, id, &change).await.expect("changed");
            assert!(!lets_in(store, tenant, token).await && !sets_a_password(store, token).await, "{change:?}");
            token += 1;
        }
    }
    for id in [pending, known] {
        store.update_member(tenant, id, &start).await.expect("as before");
        invite(id, token).await.expect("invited");
        token += 1;
    }
    let role = store.get_role(tenant, little).await.expect("the role");
    store.update_role(tenant, &Role { scopes: scopes(""), ..role.clone() }).await.expect("less");
    assert!(lets_in(store, tenant, token - 2).await && sets_a_password(store, token - 1).await);
    store.update_role(tenant, &Role { scopes: scopes("m2m:edit"), ..role }).await.expect("other rights");
    assert!(!lets_in(store, tenant, token - 2).await && !sets_a_password(store, token - 1).await);
    assert_eq!(store.get_member(tenant, pending).await.expect("the member").invitation_ends_at, None);
    for id in [pending, known] {
        assert!(is_conflict(&invite(id, token).await), "they may do more by now");
    }

    store.set_invitation(user, &[70; 32], at(1_000)).await.expect("set");
    let wide = store.create_role(other, "wide", &scopes("*")).await.expect("a role");
    store.update_member(other, guest.member, &membership(&[wide], "*")).await.expect("changed");
    assert!(sets_a_password(store, 70).await && !lets_in(store, other, 69).await);
}

/// Whoever is taken out is signed out and may come again; what they did is nobody else's.
pub async fn members_are_removed<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "members are removed").await;
    let (id, user) = member(store, tenant, "removed", "m2m:view").await;
    let elsewhere = store.add_member(other, user, &membership(&[], "*"), at(3)).await.expect("a member there, too");
    for (of, member, token) in [(tenant, id, 81), (other, elsewhere, 82)] {
        let token_hash = [token; 32];
        let session = NewSession { token_hash, member, ends_at: at(100), address: String::new(), agent: String::new() };
        store.begin_session(of, &session, at(4)).await.expect("begun");
    }
    assert!(is_missing(&store.remove_member(other, PrincipalId(i64::MAX)).await));
    assert!(is_missing(&store.remove_member(TenantId(i64::MAX), id).await));
    store.remove_member(tenant, id).await.expect("removed");
    assert!(is_missing(&store.get_member(tenant, id).await) && is_missing(&store.remove_member(tenant, id).await));
    assert_eq!(store.find_signed_in(tenant, &[81; 32]).await.expect("a look-up"), None);
    assert!(store.find_signed_in(other, &[82; 32]).await.expect("a look-up").is_some());
    assert_eq!(store.find_rights(tenant, id, at(5)).await.expect("a look-up"), None);
    assert_eq!(store.list_tenants_of(user).await.expect("a list"), [other]);
    let again = store.add_member(tenant, user, &membership(&[], "*"), at(6)).await.expect("a member again");
    assert_ne!(again, id, "a number is not given twice");

    let (admin, admins_user) = member(store, tenant, "removed admin", "*").await;
    store.set_password(admins_user, "argon", at(6)).await.expect("set");
    assert!(is_conflict(&store.remove_member(tenant, admin).await), "nobody else could administrate it");
    assert!(!store.get_member(tenant, admin).await.expect("the member").roles.is_empty());
}

/// The tenant that somebody entered last comes first, then those that they accepted first; where they are only invited they are not.
pub async fn the_tenant_entered_last_comes_first<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "entered last").await;
    let third = store.create_tenant("entered last: third", chrono_tz::UTC, at(0)).await.expect("a tenant");
    let user = store.create_user(&person("traveller"), at(1)).await.expect("a user");
    add(store, tenant, "traveller", 91).await;
    let list = async || store.list_tenants_of(user).await.expect("a list");
    assert_eq!(list().await, []);
    let mut members = Vec::new();
    for (nth, of) in [(2, third), (3, other)] {
        members.push(store.add_member(of, user, &membership(&[], "*"), at(nth)).await.expect("a member"));
    }
    assert_eq!(list().await, [third, other], "as they were accepted");
    let enter = async |of, member, token, now| {
        let session =
            NewSession { token_hash: [token; 32], member, ends_at: at(100), address: String::new(), agent: String::new() };
        store.begin_session(of, &session, at(now)).await.expect("begun");
    };
    enter(other, members[1], 92, 10).await;
    assert_eq!(list().await, [other, third]);
    enter(third, members[0], 93, 11).await;
    assert_eq!(list().await, [third, other]);
    store.join(tenant, &[91; 32], user, at(12)).await.expect("accepted");
    assert_eq!(list().await, [third, other, tenant], "never one that was just added");
}

/// The last who may do everything cannot be removed, limited or deactivated, nor can their role allow less.
pub async fn an_administrator_stays<S: Store>(store: &S) {
    let tenant = store.create_tenant("an administrator stays", chrono_tz::UTC, at(0)).await.expect("a tenant");
    let (viewer, _) = member(store, tenant, "viewer", "m2m:view").await;
    let free = membership(&[], "customer:5");
    store.update_member(tenant, viewer, &free).await.expect("a tenant that has no administrator changes as it likes");

    let (admin, user) = member(store, tenant, "admin", "*").await;
    store.set_password(user, "argon", at(3)).await.expect("set");
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
    assert!(is_conflict(&store.update_member(tenant, admin, &refused[0]).await), "the other cannot sign in, having no password");
    let third = store.add_person(tenant, &person("third admin"), &all, &invitation(99), at(3)).await.expect("added");
    assert!(is_conflict(&store.update_member(tenant, admin, &refused[0]).await), "nor one who is only invited");
    store.remove_member(tenant, third.member).await.expect("removed");
    store.set_password(second_user, "argon", at(3)).await.expect("set");
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
