//! Who people are at an OpenID provider, and whether they may sign in at all.

use lineshift_domain::ids::UserId;

use super::fixture::at;
use super::people::{is_conflict, is_missing, member, membership, person, scopes, two_tenants};
use crate::Store;
use crate::people::NewSession;

const NOBODY: UserId = UserId(i64::MAX);

/// A user is one subject of an OpenID provider, and nobody else is that.
pub async fn identities_are_of_one_user<S: Store>(store: &S) {
    let one = store.create_user(&person("identity one"), at(1)).await.expect("a user");
    let other = store.create_user(&person("identity other"), at(1)).await.expect("a user");
    store.set_identity(one, "https://issuer.example.com", "subject").await.expect("set");
    let found = store.find_user_by_identity("https://issuer.example.com", "subject").await.expect("a look-up");
    assert_eq!(found.map(|user| user.id), Some(one));
    for (issuer, subject) in [("https://other.example.com", "subject"), ("https://issuer.example.com", "Subject")] {
        assert_eq!(store.find_user_by_identity(issuer, subject).await.expect("a look-up"), None);
    }
    assert!(is_conflict(&store.set_identity(other, "https://issuer.example.com", "subject").await));
    store.set_identity(other, "https://issuer.example.com", "another").await.expect("set");
    store.set_identity(other, "https://issuer.example.com", "another").await.expect("the same once more");
    for (issuer, subject) in [("https://issuer.example.com", "third"), ("https://other.example.com", "another")] {
        assert!(is_conflict(&store.set_identity(other, issuer, subject).await), "who is somebody stays that");
    }
    assert!(is_missing(&store.set_identity(NOBODY, "https://issuer.example.com", "nobody").await));
}

/// Saying who somebody is takes their invitation back; taking that away signs them out, and is for the only tenant they belong to.
pub async fn identities_are_taken_away<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "identities are taken away").await;
    let (member, user) = member(store, tenant, "identity taken", "m2m:view").await;
    store.set_invitation(user, &[14; 32], at(1_000)).await.expect("set");
    assert_eq!(store.get_member(tenant, member).await.expect("the member").identity_issuer, None);
    store.set_identity(user, "https://taken.example.com", "subject").await.expect("set");
    assert_eq!(store.find_invited(&[14; 32], at(50)).await.expect("a look-up"), None, "nobody else takes the account up");
    let linked = store.get_member(tenant, member).await.expect("the member");
    assert_eq!(linked.identity_issuer.as_deref(), Some("https://taken.example.com"));

    let session = NewSession { token_hash: [41; 32], member, ends_at: at(1_000), address: String::new(), agent: String::new() };
    store.begin_session(tenant, &session, at(20)).await.expect("begun");
    assert!(is_missing(&store.clear_identity(other, member, at(30)).await), "of another tenant");
    store.clear_identity(tenant, member, at(30)).await.expect("taken away");
    assert_eq!(store.get_member(tenant, member).await.expect("the member").identity_issuer, None);
    assert_eq!(store.find_user_by_identity("https://taken.example.com", "subject").await.expect("a look-up"), None);
    assert_eq!(store.find_signed_in(tenant, &[41; 32]).await.expect("a look-up"), None, "signed out");
    store.set_identity(user, "https://taken.example.com", "another").await.expect("free for another one");

    let there = store.create_role(other, "clerk", &scopes("m2m:view")).await.expect("a role");
    store.add_member(other, user, &membership(&[there], "*"), at(40)).await.expect("a member there, too");
    assert!(is_conflict(&store.clear_identity(tenant, member, at(50)).await));
    assert!(store.get_member(tenant, member).await.expect("the member").identity_issuer.is_some(), "nothing was done");
}

/// Who is kept from signing in is so in all tenants; the last administrator of any of them is not.
pub async fn the_last_administrator_of_a_tenant_stays_active<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "the last administrator stays").await;
    let there = store.create_role(other, "all", &scopes("*")).await.expect("a role");
    let (_, first) = member(store, tenant, "active first", "*").await;
    assert!(is_conflict(&store.set_user_active(first, false).await));
    assert!(store.get_user(first).await.expect("the user").is_active, "nothing was done");
    let (_, second) = member(store, tenant, "active second", "*").await;
    store.add_member(other, first, &membership(&[there], "*"), at(3)).await.expect("a member there, too");
    assert!(is_conflict(&store.set_user_active(first, false).await), "the other tenant would have nobody");
    store.set_user_active(second, false).await.expect("the first one stays");
    assert!(is_conflict(&store.set_user_active(first, false).await));
    store.set_user_active(second, true).await.expect("active again");
    store.add_member(other, second, &membership(&[there], "*"), at(4)).await.expect("a member there, too");
    store.set_user_active(first, false).await.expect("there is another one in both");
    assert!(!store.get_user(first).await.expect("the user").is_active);
}
