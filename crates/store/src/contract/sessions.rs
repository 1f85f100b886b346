//! Who is signed in, and who failed to.

use lineshift_domain::ids::{PrincipalId, TenantId};

use super::fixture::at;
use super::people::{is_missing, member, membership, scopes, two_tenants};
use crate::Store;
use crate::people::{Failures, Membership, NewSession, Session};

fn session(member: PrincipalId, token: u8) -> NewSession {
    let (address, agent) = ("192.0.2.7".to_owned(), "a browser".to_owned());
    NewSession { token_hash: [token; 32], member, ends_at: at(1_000), address, agent }
}

/// Whether somebody is signed in with that token.
async fn stands<S: Store>(store: &S, tenant: TenantId, token: u8) -> bool {
    store.find_signed_in(tenant, &[token; 32]).await.expect("a look-up").is_some()
}

/// A session tells in one look who it is and what they may do, by all of their roles; in its tenant only.
pub async fn a_session_tells_who_it_is<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "a session tells").await;
    let (id, user) = member(store, tenant, "signed in", "m2m:view").await;
    let more = store.create_role(tenant, "more", &scopes("m2m:edit m2m:view")).await.expect("a role");
    let roles = [store.get_member(tenant, id).await.expect("the member").roles, vec![more]].concat();
    store.update_member(tenant, id, &membership(&roles, "site:7")).await.expect("changed");
    store.begin_session(tenant, &session(id, 1), at(10)).await.expect("begun");
    let begun = Session {
        token_hash: [1; 32],
        member: id,
        created_at: at(10),
        seen_at: at(10),
        ends_at: at(1_000),
        address: "192.0.2.7".to_owned(),
        agent: "a browser".to_owned(),
    };
    let found = store.find_signed_in(tenant, &[1; 32]).await.expect("a look-up").expect("somebody");
    assert_eq!((&found.session, found.user, found.email.as_str()), (&begun, user, "signed in@example.com"));
    assert_eq!(
        (found.display_name.as_str(), found.rights),
        ("signed in Doe", "site:7|m2m:view m2m:edit".parse().expect("rights"))
    );
    assert!(!stands(store, other, 1).await && !stands(store, tenant, 2).await);

    store.record_session_uses(tenant, &[[1; 32], [9; 32]], at(70)).await.expect("noted");
    store.record_session_uses(other, &[[1; 32]], at(90)).await.expect("nothing to note");
    let used = Session { seen_at: at(70), ..begun };
    assert_eq!(store.list_sessions(tenant, id).await.expect("a list"), [used]);
    assert_eq!(store.list_sessions(other, id).await.expect("a list"), []);
    assert!(is_missing(&store.begin_session(other, &session(PrincipalId(9_999), 3), at(10)).await));
}

/// Who may no longer sign in, or act in the tenant, is signed in nowhere; who signed out everywhere begins anew.
pub async fn sessions_end_with_their_member<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "sessions end with their member").await;
    let (id, user) = member(store, tenant, "leaving", "m2m:view").await;
    let elsewhere = store.add_member(other, user, &membership(&[], "*"), at(3)).await.expect("a member there, too");
    store.begin_session(tenant, &session(id, 1), at(10)).await.expect("begun");
    store.begin_session(other, &session(elsewhere, 2), at(10)).await.expect("begun");

    store.set_user_active(user, false).await.expect("set");
    assert!(!stands(store, tenant, 1).await && !stands(store, other, 2).await);
    store.set_user_active(user, true).await.expect("set");
    assert!(stands(store, tenant, 1).await);

    let roles = store.get_member(tenant, id).await.expect("the member").roles;
    let active = membership(&roles, "*");
    store.update_member(tenant, id, &Membership { is_active: false, ..active.clone() }).await.expect("changed");
    assert!(!stands(store, tenant, 1).await && stands(store, other, 2).await, "in this tenant only");
    store.update_member(tenant, id, &active).await.expect("changed");
    assert!(!stands(store, tenant, 1).await, "who comes back signs in again");

    store.begin_session(tenant, &session(id, 3), at(20)).await.expect("begun");
    store.sign_out_everywhere(user, at(30)).await.expect("signed out");
    assert!(!stands(store, tenant, 3).await && !stands(store, other, 2).await);
    store.begin_session(tenant, &session(id, 4), at(30)).await.expect("begun");
    assert!(stands(store, tenant, 4).await);
    store.set_password(user, "argon", at(40)).await.expect("set");
    assert!(!stands(store, tenant, 4).await, "a new password signs out");
}

/// Sessions are listed newest first, and ended one by one, all but one, or when their time is over.
pub async fn sessions_are_ended<S: Store>(store: &S) {
    let (tenant, other) = two_tenants(store, "sessions are ended").await;
    let (id, _) = member(store, tenant, "busy", "m2m:view").await;
    let (neighbour, _) = member(store, tenant, "neighbour", "m2m:view").await;
    for token in 1..=4 {
        store.begin_session(tenant, &session(id, token), at(10 + i64::from(token))).await.expect("begun");
    }
    store.begin_session(tenant, &session(neighbour, 9), at(10)).await.expect("begun");
    let listed = store.list_sessions(tenant, id).await.expect("a list");
    assert_eq!(listed.iter().map(|session| session.token_hash[0]).collect::<Vec<_>>(), [4, 3, 2, 1]);

    assert!(!store.end_session(other, &[1; 32]).await.expect("not there"));
    assert!(store.end_session(tenant, &[1; 32]).await.expect("ended"));
    assert!(!store.end_session(tenant, &[1; 32]).await.expect("ended already"));
    assert!(!stands(store, tenant, 1).await);
    assert_eq!(store.end_sessions_of(other, id, None).await.expect("none there"), 0);
    assert_eq!(store.end_sessions_of(tenant, id, Some(&[3; 32])).await.expect("ended"), 2);
    assert!(stands(store, tenant, 3).await && stands(store, tenant, 9).await);
    assert_eq!(store.end_sessions_of(tenant, id, None).await.expect("ended"), 1);

    let short = NewSession { ends_at: at(500), ..session(id, 5) };
    store.begin_session(tenant, &short, at(10)).await.expect("begun");
    assert_eq!(store.drop_ended_sessions(other, at(600)).await.expect("none there"), 0);
    assert_eq!(store.drop_ended_sessions(tenant, at(500)).await.expect("none yet"), 0);
    assert_eq!(store.drop_ended_sessions(tenant, at(501)).await.expect("dropped"), 1);
    assert!(!stands(store, tenant, 5).await && stands(store, tenant, 9).await);
}

/// Failures are counted by subject within a window; one before it begins anew, and success forgets them.
pub async fn failures_are_counted_in_a_window<S: Store>(store: &S) {
    let (one, other, never) = ([101; 32], [102; 32], [103; 32]);
    store.record_failures(&[one, other], at(0), at(10)).await.expect("noted");
    store.record_failures(&[one], at(0), at(20)).await.expect("noted");
    let counted = |count, last| Failures { count, last_at: Some(at(last)) };
    let found = store.find_failures(&[other, never, one], at(0)).await.expect("a look-up");
    assert_eq!(found, [counted(1, 10), Failures::default(), counted(2, 20)], "in their order");
    let later = store.find_failures(&[one, other], at(15)).await.expect("a look-up");
    assert_eq!(later, [counted(2, 20), Failures::default()], "what failed before is forgotten");

    store.record_failures(&[one, other], at(15), at(30)).await.expect("noted");
    let found = store.find_failures(&[one, other], at(15)).await.expect("a look-up");
    assert_eq!(found, [counted(3, 30), counted(1, 30)], "the other begins anew");
    store.clear_failures(&one).await.expect("forgotten");
    store.clear_failures(&never).await.expect("nothing to forget");
    let found = store.find_failures(&[one, other], at(15)).await.expect("a look-up");
    assert_eq!(found, [Failures::default(), counted(1, 30)]);
}
