//! A callback that comes while its page is being closed is not lost: whoever closes it gives it back until the row is due, or the
//! callback finds it given back (B5.6).

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::facts::Holds;
use lineshift_domain::ids::{
    BulkChangeId, DeviceChangeId, IntegrationAuthenticationId, PrincipalId, ServiceProviderId, TenantId,
};
use lineshift_domain::order::{StoredOrder, StoredStatus};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{IntegrationKind, LineIdentifier, PortalType, Step, StepState};
use lineshift_store::access::AccessStore as _;
use lineshift_store::billing::{BillingStore as _, StepBatch, StepRecord};
use lineshift_store::bulk_changes::{BulkChangeStore as _, NewBulkChange, NewDeviceChange, Orderer};
use lineshift_store::carriers::CarrierStore as _;
use lineshift_store::catalogue::{CatalogueStore as _, ServiceProvider};
use lineshift_store::devices::{DeviceFilter, DeviceStore as _, FactsQuery};
use lineshift_store::import::{ImportDevice, ImportStore as _};
use lineshift_store::work::{CalledAccounts, PageClaim, RunnableChange, Waiting, WorkStore as _};
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_postgres::{Options, PostgresStore};

use crate::start;

fn iccid(nth: usize) -> String {
    format!("8901260000000{nth:07}")
}

/// A tenant with two lines.
async fn lines(store: &PostgresStore) -> (TenantId, ServiceProviderId, Vec<NewDeviceChange>) {
    let tenant = store.create_tenant("Callbacks", chrono_tz::UTC, start()).await.expect("a tenant");
    let provider = ServiceProvider {
        id: ServiceProviderId(0),
        name: "ThingSpace".to_owned(),
        integration_kind: IntegrationKind::THING_SPACE,
        integration_authentication_id: None,
        write_enabled: true,
        is_active: true,
    };
    let provider = store.create_service_provider(tenant, &provider, start()).await.expect("a provider");
    let mut rows = Vec::new();
    for nth in 0..2 {
        let line = ImportDevice {
            service_provider_id: provider,
            iccid: iccid(nth),
            subscriber_number: None,
            imei: None,
            status: "active".to_owned(),
            is_archived: false,
            activated_at: None,
            carrier_rate_plan: None,
            communication_plan: None,
            ip_address: None,
            carrier_device_id: None,
        };
        store.import_devices(tenant, &[line], "here", start()).await.expect("a line");
        let found =
            store.list_devices(tenant, &Reach::Everything, &DeviceFilter::Iccid(iccid(nth)), None, 1).await.expect("listed");
        let request_position = u32::try_from(nth).expect("two lines");
        rows.push(NewDeviceChange { request_position, line: iccid(nth), device: Some((found.items[0].id, 1)), refused: None });
    }
    (tenant, provider, rows)
}

/// A change of both lines in one page.
async fn stored(store: &PostgresStore) -> (ServiceProviderId, RunnableChange) {
    let (tenant, provider, rows) = lines(store).await;
    let change = NewBulkChange {
        order: StoredOrder::StatusUpdate(StoredStatus {
            target_status: "suspended".to_owned(),
            reason_code: None,
            integration_authentication_id: IntegrationAuthenticationId(1),
        }),
        portal: PortalType::M2M,
        service_provider_id: provider,
        identifier: LineIdentifier::Iccid,
        name: None,
        reason: None,
        orderer: Orderer { name: "orderer".to_owned(), principal: PrincipalId(1) },
        created_at: start(),
        process_changes: true,
        holds: Holds::CARRIER,
        rows: 2,
        duplicates: 0,
        page_lines: 2,
        accounts: CalledAccounts::NONE,
    };
    let id: BulkChangeId = store.store_bulk_change(tenant, &change, rows, None).await.expect("stored").id;
    (provider, RunnableChange { tenant_id: tenant, bulk_change_id: id })
}

/// What the carrier has accepted for a row.
fn accepted(row: DeviceChangeId, request: &str, at: DateTime<Utc>) -> StepBatch {
    let step = StepRecord {
        device_change_id: row,
        step: Step::CarrierStatus,
        part: 0,
        state: StepState::Waiting,
        attempt: 1,
        calls: 1,
        request_key: None,
        external_id: Some(request.to_owned()),
        adopted: false,
        code: None,
        outcome: None,
        unknown_since: None,
        at,
        before: None,
    };
    StepBatch { steps: vec![step], ..StepBatch::default() }
}

async fn claimed(store: &PostgresStore, change: RunnableChange, now: DateTime<Utc>) -> PageClaim {
    store.claim_page(change, "here", now + TimeDelta::seconds(30), now).await.expect("a claim").expect("the page, at once")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_is_not_lost_while_its_page_is_closed() {
    let database = TestDatabase::new().await;
    let [worker, receiver] = [database.store(Options::default()).await, database.store(Options::default()).await];
    let (provider, change) = stored(&worker).await;
    let later = start() + TimeDelta::days(1);
    let until = |id, next_check_at| Waiting { id, code: Code::AwaitingCarrier, text: "later".to_owned(), next_check_at };
    let query = FactsQuery::all(Holds::CARRIER, None);
    let mut now = start();
    let held = claimed(&worker, change, now).await;
    let rows = [held.from_id, held.to_id];
    worker.record_steps(&held, &accepted(rows[0], "request 0", now), now).await.expect("recorded");
    let mut page = worker.open_page(&held, now).await.expect("opened");
    page.list_open_lines(query).await.expect("lines");
    page.hold_open(&[until(rows[0], later), until(rows[1], now)]).await.expect("held");
    page.finish(None).await.expect("finished");
    for round in 0..25 {
        // One row waits for its callback, the other was called back: the page is run for its sake, and closed while the callback comes.
        let in_hand = rows[(round + 1) % 2];
        let held = claimed(&worker, change, now).await;
        worker.record_steps(&held, &accepted(in_hand, &format!("request {}", round + 1), now), now).await.expect("recorded");
        let mut page = worker.open_page(&held, now).await.expect("opened");
        assert_eq!(page.wake_due().await.expect("woken"), 1);
        page.list_open_lines(query).await.expect("lines");
        page.hold_open(&[until(in_hand, later)]).await.expect("held");
        now += TimeDelta::seconds(1);
        let (receiver, request) = (receiver.clone(), format!("request {round}"));
        let noted = tokio::spawn(async move { receiver.note_callback(change.tenant_id, provider, &request, &[], now).await });
        assert_eq!(page.finish(None).await.expect("finished").waiting, 2);
        assert_eq!(noted.await.expect("no panic").expect("noted").rows, 1, "round {round}");
    }
    claimed(&worker, change, now).await;
}
