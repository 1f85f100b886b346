//! Synchronisation: runs are held by one, pages are written once, what is this system's own is left alone.

use chrono::NaiveDate;
use lineshift_domain::ids::{DeviceChangeId, RevCustomerId, RevServiceId, RevServiceProductId, SyncRunId};
use lineshift_domain::sync::{FindingKind, FindingSubject, SyncParts, SyncPhase, SyncState};
use lineshift_domain::terms::{IntegrationKind, ServiceProductStatus};

use super::fixture::{Fixture, at, iccid, number};
use crate::billing::{AccountSettings, RevServiceProductRow, RevServiceRow};
use crate::sync::{GoneProduct, GoneService, NewSyncRun, SyncBatch, SyncClaim, SyncCounts, SyncPlace, SyncRun, SyncedCustomer};
use crate::{Store, StoreError};

fn order<S>(fixture: &Fixture<'_, S>) -> NewSyncRun {
    NewSyncRun {
        integration_authentication_id: fixture.authentication,
        service_provider_id: None,
        what: SyncParts::BILLING,
        full: false,
        usage_lines: Vec::new(),
        ordered_by: "contract".to_owned(),
    }
}

/// A run that began at that moment, in hand for a minute.
async fn claimed<S: Store>(fixture: &Fixture<'_, S>, began: i64) -> SyncClaim {
    let run = fixture.store.begin_sync_run(fixture.tenant, &order(fixture), at(began)).await.expect("a run");
    claim(fixture, &run, began).await.expect("nobody else holds it")
}

async fn claim<S: Store>(fixture: &Fixture<'_, S>, run: &SyncRun, now: i64) -> Option<SyncClaim> {
    fixture.store.claim_sync_run(fixture.tenant, run.id, at(now + 60), at(now)).await.expect("a store")
}

fn customer(id: i64, name: &str, is_closed: bool) -> SyncedCustomer {
    SyncedCustomer { id: RevCustomerId(id), name: name.to_owned(), is_closed, updated_at: Some(at(-60)) }
}

fn service<S>(fixture: &Fixture<'_, S>, id: i64, nth: usize) -> RevServiceRow {
    RevServiceRow {
        rev_customer_id: fixture.customer,
        rev_service_id: RevServiceId(id),
        number: Some(number(nth)),
        iccid: Some(iccid(nth)),
        rev_service_type_id: None,
        rev_provider_id: None,
        activated_date: NaiveDate::from_ymd_opt(2026, 1, 15),
        disconnected_date: None,
        has_package: false,
        device_id: None,
        by: None,
    }
}

fn product<S>(fixture: &Fixture<'_, S>, service: i64, id: i64) -> RevServiceProductRow {
    RevServiceProductRow {
        rev_customer_id: fixture.customer,
        rev_service_id: RevServiceId(service),
        rev_service_product_id: RevServiceProductId(id),
        rev_product_id: 55,
        package_id: None,
        rate: None,
        quantity: None,
        status: ServiceProductStatus::Active,
        description: None,
    }
}

fn gone_service<S>(fixture: &Fixture<'_, S>, id: i64) -> GoneService {
    let on = NaiveDate::from_ymd_opt(2026, 11, 1).expect("a day");
    GoneService { rev_customer_id: fixture.customer, rev_service_id: RevServiceId(id), on, there: "not there".to_owned() }
}

async fn record<S: Store>(fixture: &Fixture<'_, S>, claim: &SyncClaim, batch: SyncBatch, phase: SyncPhase) -> SyncClaim {
    let next = SyncPlace::beginning(phase);
    fixture.store.record_sync(claim, &batch, next, at(40)).await.expect("the page is written")
}

/// One run of an account at a time, held by one, taken up by another when its time has come.
pub async fn a_run_is_held_by_one<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "sync: held").await;
    let (tenant, other) = (fixture.tenant, fixture.other);
    let run = store.begin_sync_run(tenant, &order(&fixture), at(0)).await.expect("a run");
    assert_eq!((run.state, run.phase, run.page, run.since), (SyncState::Running, SyncPhase::Customers, 1, None));
    let second = store.begin_sync_run(tenant, &order(&fixture), at(1)).await;
    assert!(matches!(second, Err(StoreError::Conflict { .. })), "{second:?}");
    assert!(store.list_due_sync_runs(1_000, at(0)).await.expect("listed").contains(&(tenant, run.id)));
    let first = claim(&fixture, &run, 0).await.expect("nobody else holds it");
    assert_eq!(claim(&fixture, &run, 59).await, None);
    store.renew_sync_lease(&first, at(90)).await.expect("held");
    assert_eq!(claim(&fixture, &run, 61).await, None, "it was renewed");
    let later = claim(&fixture, &run, 90).await.expect("the lease has run out");
    for lost in [
        store.renew_sync_lease(&first, at(200)).await,
        store.put_off_sync_run(&first, at(200), 0, None).await,
        store.fail_sync_run(&first, "late", at(91)).await,
        store.record_sync(&first, &SyncBatch::default(), SyncPlace::beginning(SyncPhase::Services), at(91)).await.map(drop),
    ] {
        assert!(matches!(lost, Err(StoreError::LeaseLost { .. })), "{lost:?}");
    }
    store.put_off_sync_run(&later, at(300), 2, Some("busy")).await.expect("put off");
    let waits = store.get_sync_run(tenant, run.id).await.expect("there");
    assert_eq!((waits.failures, waits.note.as_deref(), waits.due_at), (2, Some("busy"), at(300)));
    let late = store.renew_sync_lease(&later, at(500)).await;
    assert!(matches!(late, Err(StoreError::LeaseLost { .. })), "a heartbeat that was under way when it was put off: {late:?}");
    let last = claim(&fixture, &run, 300).await.expect("due again");
    store.fail_sync_run(&last, "given up", at(301)).await.expect("failed");
    let failed = store.get_sync_run(tenant, run.id).await.expect("there");
    assert_eq!((failed.state, failed.ended_at, failed.note.as_deref()), (SyncState::Failed, Some(at(301)), Some("given up")));
    assert!(matches!(store.get_sync_run(other, run.id).await, Err(StoreError::NotFound { .. })));
    let next = claimed(&fixture, 400).await.run;
    let listed = store.list_sync_runs(tenant, None, 1).await.expect("listed");
    assert_eq!((listed.items[0].id, listed.next), (next.id, Some(next.id)));
    let rest = store.list_sync_runs(tenant, listed.next, 10).await.expect("listed").items;
    assert_eq!(rest.iter().map(|run| run.id).collect::<Vec<_>>(), [run.id]);
    assert_eq!(store.list_sync_runs(other, None, 10).await.expect("listed").items, vec![]);
}

/// Accounts with credentials, of which none runs or ran lately.
pub async fn accounts_fall_due<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "sync: accounts").await;
    let (tenant, account) = (fixture.tenant, fixture.authentication);
    let due = async |began_after| {
        let due = store.list_accounts_to_sync(tenant, at(began_after), &[IntegrationKind::JASPER]).await.expect("listed");
        due.into_iter().map(|due| due.id).collect::<Vec<_>>()
    };
    assert_eq!(due(0).await, vec![], "no credentials");
    let settings = AccountSettings {
        base_address: "https://one".to_owned(),
        secret_encrypted: Some(b"sealed".to_vec()),
        is_local: false,
        write_enabled: true,
        concurrency: None,
        calls_a_minute: None,
        calls_a_day: None,
    };
    store.set_account(tenant, account, &settings, at(0)).await.expect("set");
    assert_eq!(due(0).await, vec![account]);
    let held = claimed(&fixture, 100).await;
    assert_eq!(due(200).await, vec![], "one goes on");
    store.fail_sync_run(&held, "no", at(101)).await.expect("failed");
    assert_eq!((due(99).await, due(100).await), (vec![], vec![account]));
    store.record_refused_credentials(tenant, account, 2, "refused", at(102)).await.expect("noted");
    assert_eq!(due(100).await, vec![]);
}

/// Each record once, however often it is given, and the place with it.
pub async fn a_page_is_written_with_its_place<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "sync: pages").await;
    let lines = fixture.lines(2).await;
    let (tenant, id) = (fixture.tenant, fixture.customer.0);
    let mut held = claimed(&fixture, 30).await;
    for (name, closed, expected) in [("Acme", false, (2, 1, 0, 1)), ("Acme again", true, (2, 1, 0, 1))] {
        let customers = vec![customer(id, name, closed), customer(7, "New", true)];
        held = record(&fixture, &held, SyncBatch { customers, ..SyncBatch::default() }, SyncPhase::Services).await;
        let counts = held.run.counts;
        assert_eq!((counts.read, counts.new, counts.changed, counts.unchanged), expected, "shown twice, counted once");
    }
    let stored = store.get_rev_customer(tenant, fixture.customer).await.expect("there");
    assert_eq!((stored.name.as_str(), stored.is_active), ("Acme", true), "as it was shown first; the next run says more");
    assert!(!store.get_rev_customer(tenant, RevCustomerId(7)).await.expect("there").is_active);
    let services = vec![service(&fixture, 1, 0), service(&fixture, 2, 1), service(&fixture, 1, 0)];
    let products = vec![product(&fixture, 1, 11), product(&fixture, 9, 12)];
    let batch = SyncBatch { services, products, ..SyncBatch::default() };
    held = record(&fixture, &held, batch.clone(), SyncPhase::UnseenServices).await;
    held = record(&fixture, &held, batch, SyncPhase::UnseenServices).await;
    let expected = SyncCounts { read: 6, new: 4, unchanged: 1, left_out: 1, ..SyncCounts::default() };
    assert_eq!((held.run.counts, held.run.phase), (expected, SyncPhase::UnseenServices));
    let finding = store.list_sync_findings(tenant, held.run.id, Some(FindingKind::New), None, 1_000).await.expect("listed").items;
    let about: Vec<_> = finding.iter().map(|one| (one.subject, one.subject_id, one.device_id)).collect();
    assert_eq!(
        about,
        [
            (FindingSubject::Customer, 7, None),
            (FindingSubject::Service, 1, Some(lines[0])),
            (FindingSubject::Service, 2, Some(lines[1])),
            (FindingSubject::ServiceProduct, 11, Some(lines[0])),
        ]
    );
    let page = store.list_sync_findings(tenant, held.run.id, None, None, 2).await.expect("listed");
    assert_eq!(page.items.iter().map(|one| one.kind).collect::<Vec<_>>(), [FindingKind::LeftOut, FindingKind::New]);
    let rest = store.list_sync_findings(tenant, held.run.id, None, page.next, 10).await.expect("listed");
    assert_eq!((rest.items, rest.next), (finding[1..].to_vec(), None));
    let absent = store.list_sync_findings(fixture.other, held.run.id, None, None, 10).await;
    assert!(matches!(absent, Err(StoreError::NotFound { .. })), "{absent:?}");
    assert!(matches!(store.get_sync_run(tenant, SyncRunId(0)).await, Err(StoreError::NotFound { .. })));
}

/// What no list showed is asked for; what was written here since is not, and does not go.
pub async fn what_no_list_showed_is_asked_for<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "sync: unseen").await;
    fixture.lines(4).await;
    let tenant = fixture.tenant;
    let before = [service(&fixture, 1, 0), service(&fixture, 2, 1), service(&fixture, 3, 2)];
    store.usp_revservice_create_service(tenant, &before, at(1)).await.expect("stored");
    let charged = [product(&fixture, 1, 11), product(&fixture, 2, 12), product(&fixture, 3, 13)];
    store.usp_revservice_create_serviceproduct(tenant, &charged, at(1)).await.expect("stored");
    let held = claimed(&fixture, 30).await;
    let own = RevServiceRow { by: Some(DeviceChangeId(1_000_000)), ..service(&fixture, 4, 3) };
    store.usp_revservice_create_service(tenant, &[own], at(31)).await.expect("stored");
    let disconnected = RevServiceRow { disconnected_date: NaiveDate::from_ymd_opt(2026, 11, 1), ..service(&fixture, 2, 1) };
    let services = vec![service(&fixture, 1, 0), disconnected];
    let held = record(&fixture, &held, SyncBatch { services, ..SyncBatch::default() }, SyncPhase::UnseenServices).await;
    assert_eq!((held.run.counts.read, held.run.counts.unchanged), (1, 1), "a list is not believed that one is gone");
    let unseen = store.list_unseen_services(&held, 1).await.expect("listed");
    assert_eq!(unseen.items[0].rev_service_id, RevServiceId(2));
    let place = SyncPlace { phase: SyncPhase::UnseenServices, page: 1, after: unseen.next.expect("there is more") };
    let gone_services = vec![gone_service(&fixture, 2), gone_service(&fixture, 4)];
    let batch = SyncBatch { gone_services, ..SyncBatch::default() };
    let held = store.record_sync(&held, &batch, place, at(41)).await.expect("written");
    assert_eq!(held.run.counts.gone, 1, "the one of this system's own stays");
    let unseen = store.list_unseen_services(&held, 10).await.expect("listed");
    assert_eq!(unseen.items.iter().map(|one| one.rev_service_id.0).collect::<Vec<_>>(), [3]);
    assert_eq!(unseen.next, None);
    let held = record(&fixture, &held, SyncBatch::default(), SyncPhase::UnseenProducts).await;
    let unseen = store.list_unseen_products(&held, at(30), 10).await.expect("listed");
    let ids: Vec<_> = unseen.items.iter().map(|one| one.rev_service_product_id.map(|id| id.0)).collect();
    assert_eq!(ids, [Some(11), Some(13)], "that of the service that is gone went with it");
    assert_eq!(store.list_unseen_products(&held, at(1), 10).await.expect("listed").items, vec![]);
    let gone_products = vec![GoneProduct {
        rev_customer_id: fixture.customer,
        rev_service_id: RevServiceId(3),
        rev_service_product_id: RevServiceProductId(13),
        there: "DISCONNECTED".to_owned(),
    }];
    let held = record(&fixture, &held, SyncBatch { gone_products, ..SyncBatch::default() }, SyncPhase::UnseenProducts).await;
    assert_eq!(held.run.counts.gone, 2);
    assert_eq!(store.list_unseen_products(&held, at(30), 10).await.expect("listed").items.len(), 1);
}

/// Who is billed for a line that is not theirs, and whose line nobody bills; then the run has ended.
pub async fn the_report_is_written_window_by_window<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "sync: report").await;
    let lines = fixture.lines(3).await;
    fixture.assign(&[fixture.assignment(0), fixture.assignment(1)]).await;
    let held = claimed(&fixture, 30).await;
    let services = vec![service(&fixture, 1, 0), service(&fixture, 3, 2)];
    let products = vec![product(&fixture, 1, 11), product(&fixture, 3, 13)];
    let batch = SyncBatch { services, products, ..SyncBatch::default() };
    let held = record(&fixture, &held, batch, SyncPhase::ReportBilled).await;
    let held = store.record_sync_report(&held, at(50)).await.expect("written");
    assert_eq!((held.run.phase, held.run.counts.billed_not_assigned), (SyncPhase::ReportAssigned, 1));
    let held = store.record_sync_report(&held, at(51)).await.expect("written");
    let run = store.get_sync_run(fixture.tenant, held.run.id).await.expect("there");
    assert_eq!((run.state, run.phase, run.ended_at), (SyncState::Done, SyncPhase::Finished, Some(at(51))));
    assert_eq!(run.counts.assigned_not_billed, 1);
    let found = async |kind| {
        let listed = store.list_sync_findings(fixture.tenant, run.id, Some(kind), None, 10).await.expect("listed").items;
        listed.into_iter().map(|one| (one.device_id, one.line)).collect::<Vec<_>>()
    };
    assert_eq!(found(FindingKind::BilledNotAssigned).await, [(Some(lines[2]), Some(iccid(2)))]);
    assert_eq!(found(FindingKind::AssignedNotBilled).await, [(Some(lines[1]), Some(iccid(1)))]);
    assert!(store.record_sync_report(&held, at(52)).await.is_err(), "once");
    let next = store.begin_sync_run(fixture.tenant, &order(&fixture), at(100)).await.expect("another");
    assert_eq!(next.since, Some((at(30) - chrono::TimeDelta::days(1)).date_naive()));
}
