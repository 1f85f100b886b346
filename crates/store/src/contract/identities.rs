//! Who people are at an OpenID provider, and whether they may sign in at all.

use lineshift_domain::ids::UserId;

use super::fixture::at;
use super::joining::invitation;
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

/// Whoever a provider vouches for joins where they were added, and has the account from then on; of what is somebody's nothing is touched.
pub async fn people_join_by_an_identity<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "joined by identity").await;
    let nothing = membership(&[], "*");
    let add = async |of, name: &str, token| {
        store.add_person(of, &person(name), &nothing, &invitation(token), at(5)).await.expect("added")
    };
    let join = async |of, id, subject: &str| store.join_by_identity(of, id, "https://joined.example.com", subject, at(6)).await;
    let added = add(tenant, "vouched", 15).await;
    store.set_password(added.user, "somebody's", at(5)).await.expect("set");
    assert!(is_missing(&join(other, added.member, "subject").await));
    store.clear_identity(tenant, added.member, at(5)).await.expect("nothing");
    join(tenant, added.member, "subject").await.expect("joined");
    let found = store.get_member(tenant, added.member).await.expect("the member");
    assert_eq!((found.is_pending, found.identity_issuer.as_deref()), (false, Some("https://joined.example.com")));
    assert_eq!(store.get_user(added.user).await.expect("the user").password_hash, None, "nothing of before counts");
    assert_eq!(store.list_tenants_of(added.user).await.expect("a list"), [tenant]);
    assert!(is_missing(&join(tenant, added.member, "subject").await), "once");

    let there = add(other, "vouched", 16).await;
    assert!(
        is_conflict(&join(other, there.member, "subject").await),
        "somebody relies on the account: they accept with the token"
    );
    assert_eq!(store.get_member(other, there.member).await.expect("the member").identity_issuer, None, "nothing is told of it");
    store.clear_identity(other, there.member, at(7)).await.expect("nothing");
    assert!(store.get_member(tenant, added.member).await.expect("the member").identity_issuer.is_some());
    let second = add(tenant, "vouched second", 17).await;
    assert!(is_conflict(&join(tenant, second.member, "subject").await), "that subject is somebody else");
    assert!(store.get_member(tenant, second.member).await.expect("the member").is_pending);
}

/// The last administrator keeps what they sign in with.
pub async fn the_last_administrator_keeps_their_identity<S: Store>(store: &S) {
    let (tenant, _) = two_tenants(store, "keeps their identity").await;
    let (id, user) = member(store, tenant, "known elsewhere", "*").await;
    store.set_identity(user, "https://kept.example.com", "subject").await.expect("set");
    assert!(is_conflict(&store.clear_identity(tenant, id, at(5)).await), "they have no password");
    store.set_password(user, "argon", at(6)).await.expect("set");
    store.clear_identity(tenant, id, at(7)).await.expect("taken away");
}

/// Who is kept from signing in is so in all tenants; the last administrator of any of them is not.
pub async fn the_last_administrator_of_a_tenant_stays_active<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "the last administrator stays").await;
    let there = store.create_role(other, "all", &scopes("*")).await.expect("a role");
    let (_, first) = member(store, tenant, "active first", "*").await;
    store.set_password(first, "argon", at(2)).await.expect("set");
    assert!(is_conflict(&store.set_user_active(first, false).await));
    assert!(store.get_user(first).await.expect("the user").is_active, "nothing was done");
    let (_, second) = member(store, tenant, "active second", "*").await;
    store.set_password(second, "argon", at(2)).await.expect("set");
    store.add_member(other, first, &membership(&[there], "*"), at(3)).await.expect("a member there, too");
    assert!(is_conflict(&store.set_user_active(first, false).await), "the other tenant would have nobody");
    store.set_user_active(second, false).await.expect("the first one stays");
    assert!(is_conflict(&store.set_user_active(first, false).await));
    store.set_user_active(second, true).await.expect("active again");
    store.add_member(other, second, &membership(&[there], "*"), at(4)).await.expect("a member there, too");
    store.set_user_active(first, false).await.expect("there is another one in both");
    assert!(!store.get_user(first).await.expect("the user").is_active);
}
