//! What was decided on by what somebody saw holds only while it is so; what holds once holds once.

use lineshift_domain::ids::PrincipalId;

use super::fixture::{Fixture, at};
use super::people::{is_conflict, is_missing, member, membership, person, scopes, two_tenants};
use crate::Store;
use crate::billing::AccountSettings;
use crate::people::{MOST_SESSIONS, NewSession, Role, SeenMember};

/// A member is changed as long as they, and the roles of the tenant, are as they were seen.
pub async fn a_member_is_changed_as_seen<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "a member is changed as seen").await;
    let (id, _) = member(store, tenant, "seen", "m2m:view").await;
    let more = store.create_role(tenant, "more of seen", &scopes("admin:edit")).await.expect("a role");
    let look = async || SeenMember {
        member: store.get_member(tenant, id).await.expect("the member"),
        roles: store.list_roles(tenant).await.expect("roles"),
    };
    let gone = membership(&[], "site:7");
    let before = look().await;
    store.update_member(tenant, id, &membership(&[more], "*")).await.expect("promoted meanwhile");
    assert!(is_conflict(&store.update_member_as_seen(tenant, &before, &gone).await));
    let promoted = look().await;
    let wider = Role { id: more, name: "more of seen".to_owned(), scopes: scopes("admin:edit admin:create") };
    store.update_role(tenant, &wider).await.expect("the role allows more");
    assert!(is_conflict(&store.update_member_as_seen(tenant, &promoted, &gone).await));
    let now = look().await;
    assert_eq!(now.member, promoted.member, "nothing of a refused change is stored");
    assert!(is_missing(&store.update_member_as_seen(other, &now, &gone).await));
    store.update_member_as_seen(tenant, &now, &gone).await.expect("as it was seen");
    assert_eq!(store.get_member(tenant, id).await.expect("the member").roles, []);

    let less = Role { scopes: scopes("admin:view"), ..wider.clone() };
    assert!(is_conflict(&store.update_role_as_seen(tenant, &less, &wider).await), "it was not so");
    assert_eq!(store.get_role(tenant, more).await.expect("the role"), wider);
    store.update_role_as_seen(tenant, &wider, &less).await.expect("as it was seen");
    assert_eq!(store.get_role(tenant, more).await.expect("the role"), less);
    assert!(is_missing(&store.update_role_as_seen(other, &less, &wider).await));
}

/// An account is set as long as it is of the version that was seen.
pub async fn an_account_is_set_as_seen<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "an account is set as seen").await;
    let (tenant, id) = (fixture.tenant, fixture.authentication);
    let settings = |address: &str, secret: Option<&[u8]>| AccountSettings {
        base_address: address.to_owned(),
        secret_encrypted: secret.map(<[u8]>::to_vec),
        is_local: false,
        write_enabled: true,
        concurrency: None,
        calls_a_minute: None,
        calls_a_day: None,
    };
    let seen = store.get_account(tenant, id).await.expect("the account").version;
    store.set_account(tenant, id, &settings("https://one", Some(b"sealed")), at(5)).await.expect("set meanwhile");
    let late = settings("https://elsewhere", None);
    assert!(is_conflict(&store.set_account_as_seen(tenant, id, seen, &late, at(6)).await));
    let stored = store.get_account(tenant, id).await.expect("the account");
    assert_eq!((stored.base_address.as_deref(), stored.version), (Some("https://one"), seen + 1), "nothing of it is stored");
    assert!(is_missing(&store.set_account_as_seen(fixture.other, id, seen + 1, &late, at(6)).await));
    store.set_account_as_seen(tenant, id, seen + 1, &settings("https://two", None), at(7)).await.expect("as it was seen");
    assert_eq!(store.get_account(tenant, id).await.expect("the account").base_address.as_deref(), Some("https://two"));
}

/// An invitation is taken up once, until its end, and signs out whoever was signed in.
pub async fn an_invitation_is_taken_up_once<S: Store>(store: &S) {
    let tenant = store.create_tenant("an invitation is taken up once", chrono_tz::UTC, at(0)).await.expect("a tenant");
    let user = store.create_user(&person("taking it up"), at(1)).await.expect("a user");
    let member = store.add_member(tenant, user, &membership(&[], "*"), at(2)).await.expect("a member");
    store.begin_session(tenant, &session(member, 1), at(10)).await.expect("begun");
    let token = [61; 32];
    store.set_invitation(user, &token, at(100)).await.expect("invited");
    assert!(!store.take_up_invitation(&[62; 32], "other", at(20)).await.expect("nobody's"));
    assert!(!store.take_up_invitation(&token, "late", at(100)).await.expect("it has ended"));
    store.set_user_active(user, false).await.expect("set");
    assert!(!store.take_up_invitation(&token, "off", at(20)).await.expect("who may not sign in sets no password"));
    store.set_user_active(user, true).await.expect("set");
    assert!(store.take_up_invitation(&token, "argon", at(20)).await.expect("taken up"));
    assert!(!store.take_up_invitation(&token, "again", at(21)).await.expect("it was used"));
    assert_eq!(store.get_user(user).await.expect("the user").password_hash.as_deref(), Some("argon"));
    assert!(store.find_signed_in(tenant, &[1; 32]).await.expect("a look-up").is_none(), "a session by the password before");
}

/// The oldest sessions of a member end when there are too many; those of others stay.
pub async fn a_member_has_so_many_sessions<S: Store>(store: &S) {
    let (tenant, _) = two_tenants(store, "a member has so many sessions").await;
    let (id, _) = member(store, tenant, "everywhere", "m2m:view").await;
    let (neighbour, _) = member(store, tenant, "beside everywhere", "m2m:view").await;
    store.begin_session(tenant, &session(neighbour, 255), at(0)).await.expect("begun");
    let most = u8::try_from(MOST_SESSIONS).expect("a small number");
    for token in 1..=most + 2 {
        store.begin_session(tenant, &session(id, token), at(10 + i64::from(token))).await.expect("begun");
    }
    let tokens: Vec<u8> =
        store.list_sessions(tenant, id).await.expect("a list").iter().map(|session| session.token_hash[0]).collect();
    assert_eq!(tokens, (3..=most + 2).rev().collect::<Vec<u8>>(), "the two oldest are over");
    // One whose clock is behind is the newest all the same.
    store.begin_session(tenant, &session(id, 200), at(5)).await.expect("begun");
    let left = store.list_sessions(tenant, id).await.expect("a list");
    assert_eq!((left.len(), left.last().map(|oldest| oldest.token_hash[0])), (MOST_SESSIONS, Some(200)));
    assert_eq!(store.list_sessions(tenant, neighbour).await.expect("a list").len(), 1);
}

fn session(member: PrincipalId, token: u8) -> NewSession {
    NewSession { token_hash: [token; 32], member, ends_at: at(1_000), address: String::new(), agent: String::new() }
}
