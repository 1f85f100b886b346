//! Two operators in one store: whatever one asks for by the other's ids is not there, and nothing of the other changes.

use chrono::TimeDelta;
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, DeviceId, PrincipalId};
use lineshift_domain::order::{CustomerRatePlanOrder, Effect, EffectiveDate};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{DeviceChangeStatus, PlanQueueState};
use lineshift_engine::{Clock as _, EngineError};
use lineshift_store::StoreError;
use lineshift_store::bulk_changes::{DeviceChangeFilter, Reopening};
use lineshift_store::catalogue::References;
use lineshift_store::devices::DeviceFilter;
use lineshift_store::plan_queue::PlanQueueFilter;
use lineshift_testkit::operator::{Operator, iccid};

/// What one tenant has of everything.
struct Theirs {
    /// Finished with a line in error.
    finished: BulkChangeId,
    /// Held back.
    held: BulkChangeId,
    scheduled: BulkChangeId,
    entry: DeviceChangeId,
    row: DeviceChangeId,
    device: DeviceId,
}

async fn two() -> (Operator, Operator, Theirs) {
    let mine = Operator::with_lines(0).await;
    let other = mine.beside("Another operator", 6).await;
    let finished = other.run(other.order([1, 2, 99].map(iccid), other.amop_assignment())).await.id;
    let held = lineshift_domain::order::Order { process_changes: false, ..other.order([iccid(3)], other.amop_assignment()) };
    let held = other.submit(held).await.id;
    let date = EffectiveDate::Instant(other.clock.now() + TimeDelta::days(7));
    let order = CustomerRatePlanOrder { effective_date: Some(date), ..other.plan_order(other.plan) };
    let scheduled = other.run(other.order([iccid(4)], Effect::CustomerRatePlanChange(order))).await.id;
    let entry = other.open_entries().await[0].id;
    let row = other.rows(finished).await[0].id;
    let device = other.device(1).await.id;
    (mine, other, Theirs { finished, held, scheduled, entry, row, device })
}

fn not_found<T: std::fmt::Debug>(result: lineshift_store::Result<T>) {
    let error = result.expect_err("it is not mine to find");
    assert!(matches!(error, StoreError::NotFound { .. }), "{error:?}");
}

fn engine_finds_nothing<T: std::fmt::Debug>(result: lineshift_engine::Result<T>) {
    let Err(EngineError::Store(error)) = result else { panic!("it is not mine to find: {result:?}") };
    not_found::<()>(Err(error));
}

/// All that the other tenant has.
async fn everything(other: &Operator) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for table in [
        "api_key",
        "service_provider",
        "rev_customer",
        "site",
        "customer_rate_plan",
        "customer_rate_pool",
        "integration_authentication",
        "device",
        "device_tenant",
        "device_action_history",
        "cross_provider_device_history",
        "device_bulk_change",
        "device_bulk_change_page",
        "device_change",
        "device_bulk_change_log",
        "customer_rate_plan_device_queue",
        "outbox",
    ] {
        let query = format!("SELECT '{table}', * FROM {table} WHERE tenant_id = {}", other.tenant());
        let rows = other.stored.inspect(&query).await.expect("a table");
        all.extend(rows);
    }
    all
}

#[tokio::test]
async fn the_engine_finds_nothing_by_anothers_ids() {
    let (mine, other, theirs) = two().await;
    let before = everything(&other).await;
    let engine = &mine.engine;
    for id in [theirs.finished, theirs.held, theirs.scheduled] {
        engine_finds_nothing(engine.start(&mine.caller, id).await);
        engine_finds_nothing(engine.cancel(&mine.caller, id).await);
        engine_finds_nothing(engine.retry(&mine.caller, id, &[]).await);
        engine_finds_nothing(engine.retry(&mine.caller, id, &[Code::DeviceNotFound]).await);
    }
    let tomorrow = mine.clock.now() + TimeDelta::days(1);
    engine_finds_nothing(engine.move_queue_entry(&mine.caller, theirs.entry, tomorrow).await);
    engine_finds_nothing(engine.cancel_queue_entry(&mine.caller, theirs.entry).await);
    // Their lines are no lines of mine, though the ICCIDs are the same.
    let change = mine.run(mine.order((1..=6).map(iccid), mine.amop_assignment())).await;
    assert_eq!(mine.outcomes(change.id).await, ["device_not_found"; 6]);
    assert_eq!(everything(&other).await, before);
}

#[tokio::test]
async fn the_store_finds_nothing_by_anothers_ids() {
    let (mine, other, theirs) = two().await;
    let before = everything(&other).await;
    let (store, tenant, now) = (&mine.store, mine.tenant(), mine.clock.now());
    let key = other.caller.principal;
    for id in [theirs.finished, theirs.held, theirs.scheduled] {
        for caller in [mine.caller.principal, key] {
            not_found(store.get_bulk_change(tenant, caller, id).await);
            assert_eq!(store.list_bulk_changes(tenant, caller, None, 100).await.expect("listed").items, []);
        }
        for status in [None, Some(DeviceChangeStatus::Error), Some(DeviceChangeStatus::Processed)] {
            let filter = DeviceChangeFilter { status, code: None };
            not_found(store.list_device_changes(tenant, id, filter, None, 100).await);
        }
        not_found(store.recount(tenant, id).await);
        assert!(store.find_rows_beyond(tenant, &Reach::nothing(), &[theirs.row]).await.expect("found").is_empty());
        assert_eq!(store.count_errors(tenant, id).await.expect("counted"), []);
        assert_eq!(store.count_scheduled(tenant, id).await.expect("counted"), []);
        assert_eq!(store.list_log(tenant, id, None, None, 100).await.expect("listed").items, []);
        assert_eq!(store.list_log(tenant, id, Some(theirs.row), None, 100).await.expect("listed").items, []);
        assert_eq!(store.count_pages(tenant, id).await.expect("counted"), 0);
        let by = mine.caller.orderer();
        assert!(!store.start_bulk_change(tenant, id, &by, now).await.expect("asked"));
        assert!(!store.cancel_bulk_change(tenant, id, &by, &Reach::Everything, now).await.expect("asked"));
        assert_eq!(store.cancel_queue_entries(tenant, id, "me", &Reach::Everything, now).await.expect("asked"), 0);
        let reopening = Reopening {
            codes: Vec::new(),
            holds: lineshift_domain::facts::Holds::CUSTOMER_AND_PLAN,
            attempt: 2,
            begins: true,
            by,
            until: now,
            now,
        };
        not_found(store.reopen_page(tenant, id, 0, &reopening).await);
        store.finish_reopening(tenant, id).await.expect("asked");
        store.drop_receiving(tenant, id).await.expect("asked");
        let state = PlanQueueState::Open;
        assert_eq!(
            store
                .list_queue_entries(tenant, &Reach::Everything, PlanQueueFilter::OfChange(id, state), None, 9)
                .await
                .expect("listed")
                .items,
            []
        );
        assert!(mine.claim(id, "me").await.is_none());
    }
    not_found(store.get_queue_entry(tenant, theirs.entry).await);
    not_found(store.move_queue_entry(tenant, theirs.entry, now, "me", now).await);
    not_found(store.cancel_queue_entry(tenant, theirs.entry, "me", now).await);
    for filter in [PlanQueueFilter::Open, PlanQueueFilter::OpenOfDevice(theirs.device)] {
        assert_eq!(store.list_queue_entries(tenant, &Reach::Everything, filter, None, 9).await.expect("listed").items, []);
    }
    finds_no_lines(&mine, &other, &theirs).await;
    assert_eq!(everything(&other).await, before);
}

/// Neither by their ids nor by what both call the same.
async fn finds_no_lines(mine: &Operator, other: &Operator, theirs: &Theirs) {
    let (store, tenant) = (&mine.store, mine.tenant());
    not_found(store.get_device(tenant, theirs.device).await);
    assert_eq!(store.list_device_history(tenant, &Reach::Everything, theirs.device, None, 9).await.expect("listed").items, []);
    for filter in [
        DeviceFilter::All,
        DeviceFilter::Iccid(iccid(1)),
        DeviceFilter::Number(lineshift_testkit::operator::number(1)),
        DeviceFilter::ServiceProvider(other.jasper),
        DeviceFilter::Site(other.amop_site),
        DeviceFilter::CustomerRatePlan(other.plan),
    ] {
        assert_eq!(
            store.list_devices(tenant, &Reach::Everything, &filter, None, 9).await.expect("listed").items,
            [],
            "{filter:?}"
        );
    }
}

#[tokio::test]
async fn reference_data_and_keys_are_each_tenants_own() {
    let (mine, other, _) = two().await;
    let before = everything(&other).await;
    let (store, tenant, now) = (&mine.store, mine.tenant(), mine.clock.now());
    not_found(store.get_service_provider(tenant, other.jasper).await);
    not_found(store.get_rev_customer(tenant, other.rev_customer).await);
    not_found(store.get_site(tenant, other.amop_site).await);
    not_found(store.get_customer_rate_plan(tenant, other.plan).await);
    not_found(store.get_customer_rate_pool(tenant, other.pool).await);
    not_found(store.get_integration_authentication(tenant, other.authentication).await);
    let site = other.store.get_site(other.tenant(), other.amop_site).await.expect("theirs");
    not_found(store.update_site(tenant, &site, now).await);
    let plan = other.store.get_customer_rate_plan(other.tenant(), other.plan).await.expect("theirs");
    not_found(store.update_customer_rate_plan(tenant, &plan, now).await);
    let references = References {
        service_provider_id: Some(other.jasper),
        rev_customer_id: Some(other.rev_customer),
        site_id: Some(other.amop_site),
        plan: Some(other.plan),
        pool: Some(other.pool),
        carrier_rate_plan: Some("carrier plan".to_owned()),
    };
    let found = store.find_referenced(tenant, &references).await.expect("asked");
    assert_eq!(found, lineshift_store::catalogue::Referenced::default());

    // Key ids are each tenant's own: the same id is another key.
    let foreign = PrincipalId(other.caller.principal.0 + 1_000);
    assert_eq!(store.find_api_key(tenant, foreign).await.expect("asked"), None);
    not_found(store.revoke_api_key(tenant, foreign, now).await);
    let keys = store.list_api_keys(tenant).await.expect("listed");
    assert!(keys.iter().all(|key| key.tenant_id == tenant));
    store.revoke_api_key(tenant, mine.caller.principal, now).await.expect("my own");
    assert_eq!(everything(&other).await, before);
}

#[tokio::test]
async fn each_tenants_work_is_run_for_it_alone() {
    let (mine, other, theirs) = two().await;
    mine.add_lines(mine.jasper, 1..=6).await;
    // The same ICCIDs at once: neither holds the other's lines.
    let my_change = mine.submit(mine.order((1..=6).map(iccid), mine.amop_assignment())).await;
    other.engine.start(&other.caller, theirs.held).await.expect("started");
    mine.run_until_idle().await;
    assert_eq!(mine.outcomes(my_change.id).await, ["PROCESSED"; 6]);
    assert_eq!(other.outcomes(theirs.held).await, ["PROCESSED"]);
    for line in 1..=6 {
        assert_eq!(mine.device(line).await.site_id, Some(mine.amop_site));
    }
    assert_eq!(other.device(3).await.site_id, Some(other.amop_site));
    assert_eq!(other.device(5).await.site_id, None, "not theirs to be changed by my order");
    mine.clock.advance(TimeDelta::days(7));
    mine.run_until_idle().await;
    assert_eq!(other.device(4).await.customer_rate_plan_id, Some(other.plan));
    assert_eq!(mine.device(4).await.customer_rate_plan_id, None);
}
