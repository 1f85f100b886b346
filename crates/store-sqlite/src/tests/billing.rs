//! What the contract cannot see: which line a service is stored for and since when, cross-provider history and service links of
//! rows that failed for one step of several, and how many statements it all takes.

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::facts::Holds;
use lineshift_domain::ids::{
    BulkChangeId, DeviceId, IntegrationAuthenticationId, PrincipalId, RevCustomerId, RevServiceId, ServiceProviderId, SiteId,
    TenantId,
};
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::{LogText, entry};
use lineshift_domain::order::{StoredAssignment, StoredOrder};
use lineshift_domain::terms::{
    IntegrationKind, LineIdentifier, OnPartialFailure, OnRevServiceFailure, PortalType, Step, StepState,
};
use lineshift_store::access::AccessStore as _;
use lineshift_store::billing::{BillingStore as _, OutsideLog, RevServiceRow, StepBatch, StepRecord};
use lineshift_store::bulk_changes::{BulkChangeStore as _, NewBulkChange, NewDeviceChange, Orderer};
use lineshift_store::catalogue::{CatalogueStore as _, IntegrationAuthentication, RevCustomer, ServiceProvider, Site};
use lineshift_store::devices::FactsQuery;
use lineshift_store::import::{ImportDevice, ImportStore as _};
use lineshift_store::work::{AssignmentWrite, CalledAccounts, PageClaim, RunnableChange, StepLog, Waiting, WorkStore as _};

use crate::{Options, SqliteStore};
use lineshift_store_sql::micros;

pub(super) const QUERY: FactsQuery = FactsQuery::all(Holds::CUSTOMER_AND_PLAN, None);

pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_796_083_200, 0).expect("a moment in 2026") + TimeDelta::seconds(seconds)
}

pub(super) fn iccid(nth: usize) -> String {
    format!("8901260000000{nth:07}")
}

/// A store with one change that assigns so many lines to a customer and calls an account.
pub(super) struct Shop {
    pub(super) store: SqliteStore,
    _directory: tempfile::TempDir,
    pub(super) change: RunnableChange,
    pub(super) order: StoredAssignment,
}

impl Shop {
    pub(super) async fn open(lines: usize) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = crate::open(&directory.path().join("billing.db"), Options::default()).await.expect("a new store");
        let tenant = store.create_tenant("billing", chrono_tz::UTC, at(0)).await.expect("a tenant");
        let (name, is_active) = ("one".to_owned(), true);
        let account = IntegrationAuthentication {
            id: IntegrationAuthenticationId(0),
            name: name.clone(),
            integration_kind: IntegrationKind::REV_IO,
            is_active,
        };
        let account = store.create_integration_authentication(tenant, &account, at(0)).await.expect("an account");
        let provider = ServiceProvider {
            id: ServiceProviderId(0),
            name: name.clone(),
            integration_kind: IntegrationKind::JASPER,
            integration_authentication_id: None,
            write_enabled: true,
            is_active,
        };
        let provider = store.create_service_provider(tenant, &provider, at(0)).await.expect("a provider");
        let customer =
            RevCustomer { id: RevCustomerId(7), name: name.clone(), integration_authentication_id: account, is_active };
        let customer = store.create_rev_customer(tenant, &customer, at(0)).await.expect("a customer");
        let site = Site { id: SiteId(0), name, rev_customer_id: Some(customer), is_active };
        let site = store.create_site(tenant, &site, at(0)).await.expect("a site");
        let order = StoredAssignment {
            rev_customer_id: Some(customer),
            site_id: site,
            account_number: Some(customer.to_string()),
            integration_authentication_id: Some(account),
            effective_at: None,
            customer_rate_plan: None,
            rev_service: None,
            carrier_rate_plan: None,
            on_rev_service_failure: OnRevServiceFailure::Continue,
            on_partial_failure: OnPartialFailure::Keep,
        };
        let id = stored(&store, tenant, provider, &order, lines).await;
        let change = RunnableChange { tenant_id: tenant, bulk_change_id: id };
        Self { store, _directory: directory, change, order }
    }

    pub(super) async fn claim(&self, now: i64) -> PageClaim {
        let claimed = self.store.claim_page(self.change, "here", at(now + 30), at(now)).await.expect("a claim");
        claimed.expect("a page")
    }

    pub(super) async fn inspect(&self, sql: &str) -> Vec<String> {
        self.store.inspect(sql).await.expect("a query").into_iter().map(|row| row.join(" ")).collect()
    }
}

async fn stored(
    store: &SqliteStore,
    tenant: TenantId,
    provider: ServiceProviderId,
    order: &StoredAssignment,
    lines: usize,
) -> BulkChangeId {
    let line = |nth: usize| ImportDevice {
        service_provider_id: provider,
        iccid: iccid(nth),
        subscriber_number: Some(format!("1617{nth:07}")),
        imei: None,
        status: "ACTIVATED".to_owned(),
        is_archived: false,
        activated_at: None,
        carrier_rate_plan: None,
        communication_plan: None,
        ip_address: None,
        carrier_device_id: None,
    };
    let rows: Vec<ImportDevice> = (0..lines).map(line).collect();
    store.import_devices(tenant, &rows, "here", at(0)).await.expect("lines");
    let first: i64 = store.inspect("SELECT min(id) FROM device").await.expect("a query")[0][0].parse().expect("an id");
    let change = NewBulkChange {
        order: StoredOrder::CustomerAssignment(order.clone()),
        portal: PortalType::M2M,
        service_provider_id: provider,
        identifier: LineIdentifier::Iccid,
        name: None,
        reason: None,
        orderer: Orderer { name: "orderer".to_owned(), principal: PrincipalId(1) },
        created_at: at(1),
        process_changes: true,
        holds: Holds::CUSTOMER_AND_PLAN,
        rows: lines,
        duplicates: 0,
        page_lines: lines,
        accounts: CalledAccounts { billing: order.integration_authentication_id, carrier: None },
    };
    let row = |(nth, id): (usize, i64)| NewDeviceChange {
        request_position: u32::try_from(nth).expect("a few"),
        line: iccid(nth),
        device: Some((DeviceId(id), 1)),
        refused: None,
    };
    let rows = (0..lines).zip(first..).map(row).collect();
    store.store_bulk_change(tenant, &change, rows, None).await.expect("stored").id
}

fn service(id: i64, nth: usize, claim: &PageClaim) -> RevServiceRow {
    RevServiceRow {
        rev_customer_id: RevCustomerId(7),
        rev_service_id: RevServiceId(id),
        number: None,
        iccid: Some(iccid(nth)),
        rev_service_type_id: None,
        rev_provider_id: None,
        activated_date: None,
        disconnected_date: None,
        has_package: true,
        device_id: None,
        by: Some(claim.from_id),
    }
}

fn batch(claim: &PageClaim, lines: usize) -> StepBatch {
    let mut batch = StepBatch::default();
    for (row, nth) in (claim.from_id.0..).zip(0..lines) {
        let id = lineshift_domain::ids::DeviceChangeId(row);
        batch.steps.push(StepRecord {
            device_change_id: id,
            step: Step::RevService,
            part: 0,
            state: StepState::Done,
            attempt: 1,
            calls: 1,
            request_key: None,
            external_id: Some(row.to_string()),
            adopted: false,
            code: None,
            outcome: None,
            unknown_since: None,
            at: at(10),
            before: None,
        });
        batch.services.push(RevServiceRow { by: Some(id), ..service(row, nth, claim) });
        batch.logs.push(OutsideLog {
            device_change_id: id,
            attempt: 1,
            entry: entry::OUTSIDE,
            text: LogText::CreateRevServiceApi.into(),
            request: "Create\nPOST".to_owned(),
            response: "201".to_owned(),
            error: None,
        });
    }
    batch
}

fn write(order: &StoredAssignment) -> AssignmentWrite {
    let text = LogText::AmopCustomerAssignment;
    let log = StepLog { text, request: "asked for ".to_owned(), response: "done".to_owned() };
    AssignmentWrite { assignment: order.clone(), time_zone: chrono_tz::UTC, log }
}

/// A row that fails for another step gets its history and its link like one that is done (B11.3).
#[tokio::test]
async fn a_row_that_fails_after_its_set_steps_is_completed() {
    let shop = Shop::open(2).await;
    let claim = shop.claim(10).await;
    shop.store.record_steps(&claim, &batch(&claim, 2), at(11)).await.expect("written");
    let mut page = shop.store.open_page(&claim, at(12)).await.expect("opened");
    page.list_open_lines(QUERY).await.expect("lines");
    page.fail_after_steps(&[(claim.from_id, Reason::new(Code::BillingRefused, "refused"))]).await.expect("noted");
    page.usp_assign_customer_update_site(&write(&shop.order)).await.expect("assigned");
    page.finish(None).await.expect("finished");
    shop.store.complete_page(&claim.to_complete(), at(14)).await.expect("completed");
    let history = "SELECT count(*), min(rev_customer_id), max(rev_customer_id) FROM cross_provider_device_history";
    assert_eq!(shop.inspect(history).await, ["2 7 7"]);
    let linked =
        "SELECT count(*) FROM device_tenant dt JOIN rev_service s ON s.id = dt.rev_service_id AND s.device_id = dt.device_id";
    assert_eq!(shop.inspect(linked).await, ["2"]);
}

/// Stored here it says when, brought in it does not; the line is the one with that ICCID.
#[tokio::test]
async fn a_service_says_when_it_was_stored_here_and_for_which_line() {
    let shop = Shop::open(2).await;
    let claim = shop.claim(10).await;
    let (tenant, found) = (shop.change.tenant_id, RevServiceRow { by: None, ..service(1, 0, &claim) });
    shop.store.usp_revservice_create_service(tenant, &[found], at(20)).await.expect("stored");
    let adopted = [service(1, 0, &claim), service(2, 1, &claim)];
    let query = "SELECT s.rev_service_id, d.iccid, s.stored_at FROM rev_service s JOIN device d ON d.id = s.device_id ORDER BY 1";
    assert_eq!(shop.inspect(query).await, [format!("1 {} NULL", iccid(0))]);
    shop.store.usp_revservice_create_service(tenant, &adopted, at(30)).await.expect("stored");
    let since = micros(at(30));
    assert_eq!(shop.inspect(query).await, [format!("1 {} {since}", iccid(0)), format!("2 {} {since}", iccid(1))]);
}

/// As many statements for two rows as for two hundred.
#[tokio::test]
async fn nothing_costs_a_statement_a_row() {
    let mut costs = Vec::new();
    for lines in [2, 200] {
        let shop = Shop::open(lines).await;
        let claim = shop.claim(10).await;
        let all = batch(&claim, lines);
        let mut sent = vec![shop.store.statements_sent()];
        shop.store.record_steps(&claim, &all, at(11)).await.expect("written");
        sent.push(shop.store.statements_sent());
        let mut page = shop.store.open_page(&claim, at(12)).await.expect("opened");
        let rows: Vec<_> = page.list_outside_lines().await.expect("lines").iter().map(|line| line.id).collect();
        assert_eq!(rows.len(), lines);
        page.pause().await.expect("paused");
        sent.push(shop.store.statements_sent());
        let mut page = shop.store.open_page(&claim, at(13)).await.expect("opened");
        page.list_open_lines(QUERY).await.expect("lines");
        let wait = |id| Waiting { id, code: Code::QuotaExhausted, text: "later".to_owned(), next_check_at: at(50) };
        let (waiting, rest) = rows.split_at(lines / 2);
        page.hold_open(&waiting.iter().copied().map(wait).collect::<Vec<_>>()).await.expect("held");
        let reason = || Reason::new(Code::BillingRefused, "refused");
        page.fail_after_steps(&rest.iter().map(|id| (*id, reason())).collect::<Vec<_>>()).await.expect("noted");
        page.usp_assign_customer_update_site(&write(&shop.order)).await.expect("assigned");
        page.finish(None).await.expect("finished");
        sent.push(shop.store.statements_sent());
        costs.push(sent.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>());
    }
    assert_eq!(costs[0], costs[1]);
    // BEGIN and COMMIT are counted.
    assert_eq!(costs[0], [8, 9, 14]);
}
