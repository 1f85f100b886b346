//! What was asked of the product and what came of it.

use lineshift_domain::ids::{PrincipalId, TenantId};
use lineshift_domain::terms::{AuditActor, AuditResult};

use super::fixture::at;
use crate::audit::{AuditEntry, AuditFilter, AuditKey, AuditOutcome, NewAuditEntry};
use crate::{Store, StoreError};

/// The nth thing that the first or second of two keys asked for; months lie between some of them.
fn asked(nth: i64) -> NewAuditEntry {
    let start = nth % 3 == 0;
    NewAuditEntry {
        key: AuditKey { at: at(nth * 20 * 86_400), request_id: format!("{nth:016x}") },
        actor: AuditActor::Key,
        principal: Some(PrincipalId(1 + nth % 2)),
        who: format!("key {}", 1 + nth % 2),
        address: Some("192.0.2.7".to_owned()),
        agent: Some("curl/8".to_owned()),
        action: if start { "POST /api/v1/bulk-changes/{id}/start" } else { "POST /{portal}/BulkChange" }.to_owned(),
        target: start.then(|| format!("bulk-changes/{}", nth - 1)),
    }
}

fn done(nth: i64) -> AuditOutcome {
    AuditOutcome {
        finished_at: at(nth * 20 * 86_400 + 1),
        result: AuditResult::Done,
        status: Some(202),
        devices: Some(nth),
        made: (nth % 3 != 0).then(|| format!("bulk-changes/{nth}")),
        problem_codes: vec![],
        body_hash: Some([7; 32]),
        note: (nth == 1).then(|| "in words".to_owned()),
    }
}

/// Nine entries; the seventh is unfinished.
async fn filled<S: Store>(store: &S, name: &str) -> TenantId {
    let tenant = store.create_tenant(name, chrono_tz::UTC, at(0)).await.expect("a tenant");
    for nth in 1..=9 {
        let entry = asked(nth);
        store.record_audit_entry(tenant, &entry).await.expect("an entry");
        if nth != 7 {
            store.record_audit_outcome(tenant, &entry.key, &done(nth)).await.expect("an outcome");
        }
    }
    tenant
}

/// Which of the nine are listed, page by page of two.
async fn listed<S: Store>(store: &S, tenant: TenantId, filter: &AuditFilter) -> Vec<i64> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = store.list_audit(tenant, filter, before, 2).await.expect("a page");
        assert!(page.items.len() <= 2, "{}", page.items.len());
        found.extend(page.items.iter().map(|item| i64::from_str_radix(&item.entry.key.request_id, 16).expect("a number")));
        before = page.next;
        if before.is_none() {
            return found;
        }
    }
}

/// An entry and its outcome are kept as they were written, once each; without its outcome an entry is unfinished.
pub async fn an_entry_is_unfinished_until_its_outcome_is_written<S: Store>(store: &S) {
    let tenant = store.create_tenant("an entry is unfinished", chrono_tz::UTC, at(0)).await.expect("a tenant");
    let (entry, outcome) = (asked(1), AuditOutcome { problem_codes: vec!["a".to_owned(), "b".to_owned()], ..done(1) });
    store.record_audit_entry(tenant, &entry).await.expect("an entry");
    let all = AuditFilter::default();
    let first = store.list_audit(tenant, &all, None, 10).await.expect("a list");
    assert_eq!((first.items, first.next), (vec![AuditEntry { entry: entry.clone(), outcome: None }], None));

    store.record_audit_outcome(tenant, &entry.key, &outcome).await.expect("an outcome");
    let second = store.list_audit(tenant, &all, None, 10).await.expect("a list");
    assert_eq!(second.items, [AuditEntry { entry: entry.clone(), outcome: Some(outcome.clone()) }]);

    let again = store.record_audit_entry(tenant, &NewAuditEntry { who: "another".to_owned(), ..entry.clone() }).await;
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
    let again = store.record_audit_outcome(tenant, &entry.key, &done(2)).await;
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
    assert_eq!(store.list_audit(tenant, &all, None, 10).await.expect("a list").items, second.items, "it stays as it was");
}

/// Newest first over the ends of months and years, by each filter, each page from where the one before ended.
pub async fn entries_are_listed_by_each_filter<S: Store>(store: &S) {
    let tenant = filled(store, "entries are listed").await;
    let all = AuditFilter::default;
    let of_target = |target: &str| AuditFilter { target: Some(target.to_owned()), ..all() };
    let start = Some("POST /api/v1/bulk-changes/{id}/start".to_owned());
    let day = |nth: i64| Some(at(nth * 20 * 86_400));
    let first = Some(PrincipalId(1));
    for (filter, expected) in [
        (all(), &[9, 8, 7, 6, 5, 4, 3, 2, 1][..]),
        (AuditFilter { from: day(3), ..all() }, &[9, 8, 7, 6, 5, 4, 3]),
        (AuditFilter { to: day(3), ..all() }, &[2, 1]),
        (AuditFilter { from: day(3), to: day(6), ..all() }, &[5, 4, 3]),
        (AuditFilter { principal: first, ..all() }, &[8, 6, 4, 2]),
        (AuditFilter { action: start.clone(), ..all() }, &[9, 6, 3]),
        (AuditFilter { principal: first, action: start.clone(), from: day(2), ..all() }, &[6]),
        (AuditFilter { unfinished: true, ..all() }, &[7]),
        (AuditFilter { unfinished: true, action: start.clone(), ..all() }, &[]),
        // Five was ordered by the fifth and started by the sixth.
        (of_target("bulk-changes/5"), &[6, 5]),
        (AuditFilter { principal: first, ..of_target("bulk-changes/5") }, &[6]),
        (AuditFilter { action: start, ..of_target("bulk-changes/8") }, &[9]),
        (AuditFilter { unfinished: true, ..of_target("bulk-changes/8") }, &[]),
        (of_target("bulk-changes/3"), &[]),
    ] {
        assert_eq!(listed(store, tenant, &filter).await, expected, "{filter:?}");
    }
}

/// Another tenant sees nothing of it, and its requests may have the same ids.
pub async fn entries_stay_with_their_tenant<S: Store>(store: &S) {
    let tenant = filled(store, "entries stay").await;
    let other = store.create_tenant("entries stay: another", chrono_tz::UTC, at(0)).await.expect("a tenant");
    for filter in [
        AuditFilter::default(),
        AuditFilter { principal: Some(PrincipalId(1)), ..AuditFilter::default() },
        AuditFilter { target: Some("bulk-changes/5".to_owned()), ..AuditFilter::default() },
    ] {
        assert_eq!(listed(store, other, &filter).await, Vec::<i64>::new());
    }
    let mine = NewAuditEntry { who: "mine".to_owned(), ..asked(5) };
    store.record_audit_entry(other, &mine).await.expect("an entry of the same id");
    let found = store.list_audit(other, &AuditFilter::default(), None, 10).await.expect("a list");
    assert_eq!(found.items, [AuditEntry { entry: mine, outcome: None }], "the other tenant's outcome is not this one's");
    assert_eq!(listed(store, tenant, &AuditFilter::default()).await.len(), 9);
}
