//! Work on pages: claimed under a lease, judged and written in one transaction, completed once.

use lineshift_domain::codes::Code;
use lineshift_domain::facts::Holds;
use lineshift_domain::ids::{BulkChangeId, ServiceProviderId};
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::LogText;
use lineshift_domain::order::{StoredAssignment, StoredOrder};
use lineshift_domain::reach::Reach;
use lineshift_domain::rights::Rights;
use lineshift_domain::terms::{BulkChangeStatus, DeviceChangeStatus, LineIdentifier, PlanQueueState};

use super::bulk_changes::{KEY, accepted, amop, change, finished, orderer, stored, told};
use super::carriers::{linked, moving};
use super::fixture::{Fixture, at, iccid, provider, runnable_changes};
use crate::bulk_changes::{DeviceChangeFilter, DeviceChangeView, NewBulkChange};
use crate::catalogue::CarrierRatePlan;
use crate::devices::{DeviceView, FactsQuery};
use crate::plan_queue::PlanQueueFilter;
use crate::work::{AssignmentWrite, PageClaim, PageLine, PageTask, PageWork, RunnableChange, Settled, StepLog, message_kind};
use crate::{Store, StoreError};

pub(super) const QUERY: FactsQuery = FactsQuery::all(Holds::CUSTOMER_AND_PLAN, None);

pub(super) fn runnable<S>(fixture: &Fixture<'_, S>, id: BulkChangeId) -> RunnableChange {
    RunnableChange { tenant_id: fixture.tenant, bulk_change_id: id }
}

pub(super) async fn claim<S: Store>(fixture: &Fixture<'_, S>, id: BulkChangeId, now: i64) -> Option<PageClaim> {
    fixture.store.claim_page(runnable(fixture, id), "contract", at(now + 30), at(now)).await.expect("a claim")
}

/// Opens the next page and reads its lines.
pub(super) async fn opened<S: Store>(fixture: &Fixture<'_, S>, id: BulkChangeId, now: i64) -> (Box<dyn PageWork>, Vec<PageLine>) {
    let claim = claim(fixture, id, now).await.expect("a page");
    let mut page = fixture.store.open_page(&claim, at(now)).await.expect("opened");
    let lines = page.list_open_lines(QUERY).await.expect("lines");
    (page, lines)
}

pub(super) async fn rows<S: Store>(fixture: &Fixture<'_, S>, id: BulkChangeId) -> Vec<DeviceChangeView> {
    let all = DeviceChangeFilter::default();
    fixture.store.list_device_changes(fixture.tenant, id, all, None, 100).await.expect("rows").items
}

/// The lines of the first ICCIDs, with their assignments.
pub(super) async fn devices<S: Store>(fixture: &Fixture<'_, S>, count: usize) -> Vec<DeviceView> {
    let mut devices = Vec::new();
    for nth in 0..count {
        devices.push(fixture.find(&iccid(nth)).await);
    }
    devices
}

pub(super) fn log(text: LogText) -> StepLog {
    StepLog { text, request: "asked for ".to_owned(), response: "done".to_owned() }
}

pub(super) fn assignment_write(order: &StoredOrder, text: LogText) -> AssignmentWrite {
    let assignment: StoredAssignment = order.assignment().expect("an assignment").clone();
    AssignmentWrite { assignment, time_zone: chrono_tz::America::New_York, log: log(text) }
}

/// In order, each by one worker until its lease has run out; renewed and given back by its holder only.
pub async fn pages_are_claimed_under_a_lease<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "claimed").await;
    let lines = fixture.lines(4).await;
    let id = stored(&fixture, amop(&fixture), accepted(&lines)).await;
    let first = claim(&fixture, id, 10).await.expect("the first page");
    let begun = store.get_bulk_change(fixture.tenant, KEY, id).await.expect("the change");
    assert_eq!((begun.begun_at, begun.status()), (Some(at(10)), BulkChangeStatus::Processing));
    let ids: Vec<_> = rows(&fixture, id).await.iter().map(|row| row.id).collect();
    assert_eq!((first.page, first.from_id, first.to_id), (0, ids[0], ids[2]));
    assert_eq!((first.failures, first.task), (0, PageTask::Run));
    let second = claim(&fixture, id, 10).await.expect("the second page");
    assert_eq!((second.page, second.from_id, second.to_id), (1, ids[3], ids[3]));
    assert_eq!(claim(&fixture, id, 39).await, None);

    store.renew_lease(&first, at(100)).await.expect("renewed");
    let again = claim(&fixture, id, 40).await.expect("the second page's lease has run out");
    assert_eq!((again.page, again.epoch), (1, second.epoch + 1));
    for lost in [
        store.renew_lease(&second, at(100)).await,
        store.give_back_page(&second, at(41)).await,
        store.open_page(&second, at(41)).await.map(|_| ()),
        store.fail_page(&second, Code::StoreFailed, "late", at(41)).await.map(|_| ()),
    ] {
        assert!(matches!(lost, Err(StoreError::LeaseLost { .. })), "{lost:?}");
    }
    store.give_back_page(&again, at(50)).await.expect("given back");
    let once_more = claim(&fixture, id, 50).await.expect("at once");
    assert_eq!((once_more.page, once_more.failures), (1, 1));
}

/// The order with what may have changed since it was stored.
pub async fn a_page_says_what_its_order_is_worth_now<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "worth now").await;
    let (tenant, lines) = (fixture.tenant, fixture.lines(1).await);
    let scopes: lineshift_domain::scopes::Scopes = "m2m:create".parse().expect("scopes");
    let key = crate::access::NewApiKey {
        name: "orderer".to_owned(),
        secret_hash: [1; 32],
        scopes: scopes.clone(),
        reach: Reach::Everything,
        expires_at: Some(at(100)),
    };
    let principal = store.create_api_key(tenant, &key, at(0)).await.expect("a key");
    let mut new = change(&fixture, amop(&fixture), 1);
    new.orderer.principal = principal;
    let id = store.store_bulk_change(tenant, &new, accepted(&lines), None).await.expect("stored").id;
    let claim = claim(&fixture, id, 10).await.expect("a page");
    let worth = async |now: i64| store.open_page(&claim, at(now)).await.expect("opened").order().clone();

    let order = worth(11).await;
    assert_eq!((order.change.id, order.integration_kind), (id, lineshift_domain::terms::IntegrationKind::JASPER));
    assert_eq!(order.orderer_rights, Some(Rights::unlimited(scopes)));
    assert_eq!(order.time_zone, chrono_tz::America::New_York);
    let targets = order.targets;
    assert_eq!((targets.customer, targets.site, targets.plan, targets.pool), (true, true, true, true));
    assert!(targets.carrier_rate_plan, "it names none");
    assert_eq!(worth(100).await.orderer_rights, None, "expired");
    store.revoke_api_key(tenant, principal, at(12)).await.expect("revoked");
    assert_eq!(worth(13).await.orderer_rights, None, "revoked");
    let mut site = store.get_site(tenant, fixture.amop_site).await.expect("the site");
    site.is_active = false;
    store.update_site(tenant, &site, at(14)).await.expect("closed");
    assert!(!worth(15).await.targets.site);
    assert!(store.cancel_bulk_change(tenant, id, &orderer(), &Reach::Everything, at(16)).await.expect("canceled"));
    assert_eq!(worth(17).await.change.canceled_at, Some(at(16)));
}

/// A carrier plan counts as it stands in the catalogue of the change's own provider; one that is not there is not active.
pub async fn a_page_says_whether_its_carrier_plan_is_active<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "carrier plan of a page").await;
    let (tenant, account, lines) = (fixture.tenant, linked(&fixture).await, fixture.lines(1).await);
    let second = store.create_service_provider(tenant, &provider("Second"), at(0)).await.expect("another provider");
    let moving = moving(&fixture, account, &lines).await;
    let held = claim(&fixture, moving, 10).await.expect("a page");
    let is_active = async || store.open_page(&held, at(11)).await.expect("opened").order().targets.carrier_rate_plan;
    let set = async |of: ServiceProviderId, is_active: bool| {
        let plan = CarrierRatePlan { code: "M2".to_owned(), name: "Two".to_owned(), is_active };
        store.upsert_carrier_rate_plans(tenant, of, &[plan]).await.expect("stored");
    };
    assert!(!is_active().await, "it is not there");
    set(second, true).await;
    assert!(!is_active().await, "another provider's");
    for active in [true, false, true] {
        set(fixture.provider, active).await;
        assert_eq!(is_active().await, active);
    }
}

/// Open rows in device order with the facts of their lines; what is dropped was never done.
pub async fn a_dropped_page_leaves_nothing_behind<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "a dropped page").await;
    let lines = fixture.lines(3).await;
    let order = amop(&fixture);
    let id = stored(&fixture, order.clone(), accepted(&lines)).await;
    let (before, rows_before) = (devices(&fixture, 3).await, rows(&fixture, id).await);
    let (mut page, found) = opened(&fixture, id, 10).await;
    assert_eq!(found.iter().filter_map(|line| Some(line.facts.as_ref()?.device_id)).collect::<Vec<_>>(), lines);
    assert!(found.iter().all(|line| line.judged_version == Some(1) && line.number_unchanged && line.lines_with_number == 1));
    page.settle(&[Settled::Canceled(found[0].id)]).await.expect("settled");
    let write = assignment_write(&order, LogText::AssignNonRevCustomer);
    assert_eq!(page.usp_devicebulkchange_assign_non_rev_customer(&write).await.expect("assigned"), 2);
    drop(page);
    assert_eq!((devices(&fixture, 3).await, rows(&fixture, id).await), (before, rows_before));
    assert_eq!(fixture.history(lines[1]).await, []);
    assert_eq!(store.list_log(fixture.tenant, id, None, None, 9).await.expect("log").items, []);
}

/// Rows settled end so with their log entry; the steps leave them alone; the counts follow.
pub async fn settled_rows_end_without_their_steps<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "settled").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(4).await;
    let order = amop(&fixture);
    let new = NewBulkChange { page_lines: 4, ..change(&fixture, order.clone(), 4) };
    let id = store.store_bulk_change(tenant, &new, accepted(&lines), None).await.expect("stored").id;
    let (mut page, found) = opened(&fixture, id, 10).await;
    let settled = [
        Settled::Refused(found[0].id, Reason::new(Code::DeviceArchived, "gone")),
        Settled::AlreadySo(found[1].id),
        Settled::Canceled(found[2].id),
    ];
    page.settle(&settled).await.expect("settled");
    let write = assignment_write(&order, LogText::AssignNonRevCustomer);
    assert_eq!(page.usp_devicebulkchange_assign_non_rev_customer(&write).await.expect("assigned"), 1);
    let result = page.finish(Some("as asked")).await.expect("finished");
    assert_eq!((result.processed, result.refused, result.canceled, result.open_left), (2, 1, 1, 0));

    let ended: Vec<_> =
        rows(&fixture, id).await.into_iter().map(|row| (row.status, row.error_code, row.status_details)).collect();
    let (so, gone, asked) = (Some("already so".to_owned()), Some("gone".to_owned()), Some("as asked".to_owned()));
    assert_eq!(
        ended,
        [
            (DeviceChangeStatus::Error, Some(Code::DeviceArchived), gone),
            (DeviceChangeStatus::Processed, None, so),
            (DeviceChangeStatus::Canceled, None, None),
            (DeviceChangeStatus::Processed, None, asked),
        ]
    );
    let mut said = Vec::new();
    for line in &found {
        said.extend(fixture.log(id, line.id).await);
    }
    let entry = |text: LogText, error: Option<&str>| (text.to_string(), error.is_some(), error.map(str::to_owned));
    assert_eq!(
        said,
        [
            entry(LogText::RefusedAtProcessing, Some("device_archived: gone")),
            entry(LogText::AlreadySo, None),
            entry(LogText::Canceled, None),
            entry(LogText::AssignNonRevCustomer, None),
        ]
    );
    let view = store.get_bulk_change(tenant, KEY, id).await.expect("the change");
    assert_eq!((view.counts.processed, view.counts.error, view.counts.canceled, view.counts.open), (2, 1, 1, 0));
    assert_eq!(store.recount(tenant, id).await.expect("counted"), view.counts);
    let sites: Vec<_> = devices(&fixture, 4).await.iter().map(|line| line.site_id).collect();
    assert_eq!(sites, [None, None, None, Some(fixture.amop_site)]);
}

/// One that was slow: its whole page is undone.
pub async fn a_lost_lease_undoes_the_page<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "a lost lease").await;
    let lines = fixture.lines(1).await;
    let order = amop(&fixture);
    let id = stored(&fixture, order.clone(), accepted(&lines)).await;
    let slow = claim(&fixture, id, 10).await.expect("a page");
    let quick = claim(&fixture, id, 40).await.expect("its lease has run out");
    assert!(matches!(store.open_page(&slow, at(41)).await.map(|_| ()), Err(StoreError::LeaseLost { .. })));
    let mut page = store.open_page(&quick, at(41)).await.expect("opened");
    page.list_open_lines(QUERY).await.expect("lines");
    page.usp_devicebulkchange_assign_non_rev_customer(&assignment_write(&order, LogText::AssignNonRevCustomer))
        .await
        .expect("assigned");
    page.finish(None).await.expect("finished");
    assert!(matches!(store.open_page(&quick, at(42)).await.map(|_| ()), Err(StoreError::LeaseLost { .. })), "closed");
    assert_eq!(fixture.history(lines[0]).await.len(), 1);
}

/// Every open row of it, with the reason, in the log too.
pub async fn a_page_that_keeps_failing_ends_in_error<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "keeps failing").await;
    let lines = fixture.lines(4).await;
    let id = stored(&fixture, amop(&fixture), accepted(&lines)).await;
    let first = claim(&fixture, id, 10).await.expect("a page");
    let result = store.fail_page(&first, Code::StoreFailed, "broken", at(11)).await.expect("failed");
    assert_eq!((result.processed, result.refused, result.open_left), (0, 3, 1));
    let ended = rows(&fixture, id).await;
    assert_eq!((ended[0].status, ended[0].error_code), (DeviceChangeStatus::Error, Some(Code::StoreFailed)));
    assert_eq!((ended[0].status_details.as_deref(), ended[0].processed_at), (Some("broken"), Some(at(11))));
    assert_eq!(ended[3].status, DeviceChangeStatus::New);
    let expected = [(LogText::RefusedAtProcessing.to_string(), true, Some("store_failed: broken".to_owned()))];
    assert_eq!(fixture.log(id, ended[0].id).await, expected);
    let view = store.get_bulk_change(fixture.tenant, KEY, id).await.expect("the change");
    assert_eq!(store.recount(fixture.tenant, id).await.expect("counted"), view.counts);
    // The lines are free again.
    let found = store
        .look_up_lines(
            fixture.tenant,
            LineIdentifier::Iccid,
            &super::devices::digits(LineIdentifier::Iccid, &[iccid(0), iccid(3)]),
            QUERY,
        )
        .await;
    let held: Vec<_> = found.expect("facts").iter().map(|line| line.facts.held_by.is_some()).collect();
    assert_eq!(held, [false, true]);
}

/// When every page is completed, once, with its metrics, and told.
pub async fn a_change_is_completed_once<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "completed once").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(4).await;
    let id = stored(&fixture, amop(&fixture), accepted(&lines)).await;
    let this = runnable(&fixture, id);
    assert!(runnable_changes(store).await.contains(&this));
    let mut held = Vec::new();
    for now in [10, 11] {
        assert_eq!(store.complete_bulk_change(this, at(now)).await.expect("asked"), None, "rows are open");
        let claim = claim(&fixture, id, now).await.expect("a page");
        assert_eq!(claim.task, PageTask::Run);
        assert!(matches!(store.complete_page(&claim, at(now)).await, Err(StoreError::LeaseLost { .. })), "its rows are open");
        let mut page = store.open_page(&claim, at(now)).await.expect("opened");
        page.list_open_lines(QUERY).await.expect("lines");
        page.finish(None).await.expect("finished");
        assert!(matches!(store.open_page(&claim, at(now)).await.map(|_| ()), Err(StoreError::LeaseLost { .. })), "it was run");
        held.push(claim);
    }
    told(&fixture, id).await;
    // The one is completed by who ran it; the other was given back.
    assert_eq!(claim(&fixture, id, 12).await, None, "both are held");
    store.renew_lease(&held[0], at(50)).await.expect("it is held");
    store.give_back_page(&held[1], at(12)).await.expect("given back");
    let other = claim(&fixture, id, 12).await.expect("a page to complete");
    assert_eq!((other.page, other.task, other.failures), (held[1].page, PageTask::Complete, 1));
    assert!(matches!(store.complete_page(&held[1], at(12)).await, Err(StoreError::LeaseLost { .. })), "another has it");
    for page in [held[0].to_complete(), other] {
        assert_eq!(store.complete_bulk_change(this, at(12)).await.expect("asked"), None, "pages are left to complete");
        store.complete_page(&page, at(12)).await.expect("completed");
        assert!(matches!(store.complete_page(&page, at(12)).await, Err(StoreError::LeaseLost { .. })), "once");
    }
    assert_eq!(claim(&fixture, id, 60).await, None);
    let completion = store.complete_bulk_change(this, at(13)).await.expect("asked").expect("completed");
    assert_eq!((completion.status(), completion.processed_at), (BulkChangeStatus::Processed, Some(at(13))));
    assert_eq!(store.complete_bulk_change(this, at(14)).await.expect("asked"), None, "once");
    assert!(!runnable_changes(store).await.contains(&this));
    assert_eq!(told(&fixture, id).await, [message_kind::COMPLETED]);
    let log = store.list_log(tenant, id, None, None, 1).await.expect("log").items;
    assert_eq!((log[0].device_change_id, log[0].description.as_str()), (None, LogText::Completed.as_str()));
    let metrics = r#"{"status":"PROCESSED","total":4,"processed":4,"error":0,"canceled":0,"rejected":0,"seconds":3.000}"#;
    assert_eq!(log[0].response_text.as_deref(), Some(metrics));
}

/// Once, each with its log entry; those of other changes stand.
pub async fn queue_entries_of_a_change_are_canceled_once<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "entries canceled").await;
    let tenant = fixture.tenant;
    fixture.lines(2).await;
    let mine = fixture.schedule(&[fixture.entry(0, 100), fixture.entry(1, 100)]).await;
    let id = mine[0].bulk_change_id;
    let all = fixture.schedule(&[fixture.entry(0, 200)]).await;
    assert_eq!(all.len(), 3);
    assert_eq!(store.cancel_queue_entries(tenant, id, "canceler", &Reach::Everything, at(20)).await.expect("canceled"), 2);
    assert_eq!(store.cancel_queue_entries(tenant, id, "canceler", &Reach::Everything, at(21)).await.expect("asked"), 0);
    assert_eq!(fixture.open_entries().await.len(), 1);
    let filter = PlanQueueFilter::OfChange(id, PlanQueueState::Canceled);
    let canceled = store.list_queue_entries(tenant, &Reach::Everything, filter, None, 9).await.expect("listed").items;
    assert_eq!(canceled.len(), 2);
    assert_eq!((canceled[0].modified_by.as_deref(), canceled[0].modified_at), (Some("canceler"), Some(at(20))));
    let expected = [(LogText::CancelScheduledRatePlan.to_string(), false, None)];
    assert_eq!(fixture.log(id, canceled[0].id).await, expected);
    assert_eq!(store.count_scheduled(tenant, id).await.expect("counted"), [(PlanQueueState::Canceled, 2)]);
}

/// Pages, messages and entries that wait, of all tenants: what this one adds.
pub async fn what_waits_is_measured<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "measured").await;
    let lines = fixture.lines(5).await;
    fixture.schedule(&[fixture.entry(4, 50)]).await;
    let id = stored(&fixture, amop(&fixture), accepted(&lines[..4])).await;
    let waiting = store.measure(at(65)).await.expect("measured");
    assert!(waiting.pages_waiting >= 2 && waiting.entries_due >= 1, "{waiting:?}");
    assert!(waiting.oldest_page_seconds >= 60 && waiting.oldest_message_seconds >= 60, "{waiting:?}");
    assert_eq!(waiting.stuck_steps, 0);
    let messages = store.take_messages(1_000).await.expect("messages");
    assert!(messages.is_sorted_by_key(|message| (message.tenant_id, message.id)), "the oldest of each tenant first");
    assert!(messages.iter().any(|message| message.bulk_change_id == id && message.created_at == at(5)));
    finished(&fixture, id, 70).await;
    let later = store.measure(at(75)).await.expect("measured");
    assert!(later.pages_waiting <= waiting.pages_waiting - 2, "{later:?}");
}
