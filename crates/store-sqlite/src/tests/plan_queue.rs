//! What the contract cannot see: cross-provider history, service links, and how many statements a page takes.

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{
    CustomerRatePlanId, IntegrationAuthenticationId, RevCustomerId, ServiceProviderId, SiteId, TenantId,
};
use lineshift_domain::judge::Reason;
use lineshift_domain::terms::{IntegrationKind, PortalType};
use lineshift_store::access::AccessStore as _;
use lineshift_store::catalogue::{
    CatalogueStore as _, CustomerRatePlan, IntegrationAuthentication, RevCustomer, ServiceProvider, Site,
};
use lineshift_store::import::{ImportAssignment, ImportDevice, ImportQueueEntry, ImportRevService, ImportStore as _};
use lineshift_store::plan_queue::PlanQueueStore as _;

use crate::{Options, SqliteStore};
use lineshift_store_sql::{Engine as _, Row, micros};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_796_083_200, 0).expect("a moment in 2026") + TimeDelta::seconds(seconds)
}

fn iccid(nth: usize) -> String {
    format!("8901260000000{nth:07}")
}

/// A store with one tenant, a customer with a site, two plans, and so many lines of the customer on the first plan.
async fn store(directory: &tempfile::TempDir, lines: usize) -> (SqliteStore, TenantId, [CustomerRatePlanId; 2]) {
    let store = crate::open(&directory.path().join("queue.db"), Options::default()).await.expect("a new store");
    let tenant = store.create_tenant("queue", chrono_tz::UTC, at(0)).await.expect("a tenant");
    let name = "one".to_owned();
    let (kind, is_active) = (IntegrationKind::JASPER, true);
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
        integration_kind: kind,
        integration_authentication_id: None,
        write_enabled: true,
        is_active,
    };
    let provider = store.create_service_provider(tenant, &provider, at(0)).await.expect("a provider");
    let customer = RevCustomer { id: RevCustomerId(7), name: name.clone(), integration_authentication_id: account, is_active };
    let customer = store.create_rev_customer(tenant, &customer, at(0)).await.expect("a customer");
    let site = Site { id: SiteId(0), name, rev_customer_id: Some(customer), is_active };
    let site = store.create_site(tenant, &site, at(0)).await.expect("a site");
    let mut plans = [CustomerRatePlanId(0); 2];
    for id in &mut plans {
        let plan = CustomerRatePlan {
            id: *id,
            name: "plan".to_owned(),
            monthly_price: None,
            allocation_default_mb: None,
            allocation_bound_mb: None,
            rev_product_id: None,
            is_active,
        };
        *id = store.create_customer_rate_plan(tenant, &plan, at(0)).await.expect("a plan");
    }
    let device = |nth| ImportDevice {
        service_provider_id: provider,
        iccid: iccid(nth),
        subscriber_number: None,
        imei: None,
        status: "ACTIVATED".to_owned(),
        is_archived: false,
        activated_at: None,
        carrier_rate_plan: None,
        communication_plan: None,
        ip_address: None,
        carrier_device_id: None,
    };
    let assignment = |nth| ImportAssignment {
        iccid: iccid(nth),
        rev_customer_id: Some(customer),
        site_id: site,
        customer_rate_plan_id: Some(plans[0]),
        customer_rate_pool_id: None,
        customer_data_allocation_mb: None,
        effective_date: None,
    };
    store.import_devices(tenant, &(0..lines).map(device).collect::<Vec<_>>(), "test", at(0)).await.expect("lines");
    let assignments: Vec<_> = (0..lines).map(assignment).collect();
    assert_eq!(store.import_assignments(tenant, &assignments, "test", at(0)).await.expect("assignments").refused, vec![]);
    (store, tenant, plans)
}

fn entry(nth: usize, plan: CustomerRatePlanId, due: i64) -> ImportQueueEntry {
    ImportQueueEntry {
        iccid: iccid(nth),
        customer_rate_plan_id: Some(plan.0),
        customer_rate_pool_id: None,
        customer_data_allocation_mb: None,
        effective_date: at(due),
        portal: PortalType::M2M,
    }
}

async fn numbers(store: &SqliteStore, sql: &'static str, tenant: TenantId) -> Vec<Vec<Option<i64>>> {
    let read = move |row: &Row<'_>| (0..row.columns()).map(|column| row.get(column)).collect();
    store.read(tenant, move |reader| reader.query(sql, &[&tenant.0], read)).await.expect("rows")
}

#[tokio::test]
async fn cross_provider_history_has_no_gap_and_the_service_is_linked() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (store, tenant, [first, second]) = store(&directory, 3).await;
    let service = |id, disconnected_date| ImportRevService {
        rev_customer_id: RevCustomerId(7),
        rev_service_id: id,
        iccid: Some(iccid(0)),
        number: None,
        rev_service_type_id: None,
        rev_provider_id: None,
        activated_date: None,
        disconnected_date,
        has_package: true,
        products: vec![],
    };
    let services = [service(1, None), service(2, Some(at(-5)))];
    assert_eq!(store.import_rev_services(tenant, &services, at(0)).await.expect("services").created, 2);
    // The second line is refused, the third stands so already.
    let entries = [entry(0, second, 10), entry(0, first, 20), entry(1, second, 10), entry(2, first, 10)];
    store.import_queue_entries(tenant, &entries, "test", at(1)).await.expect("entries");
    for now in [100, 200] {
        let work = store.open_due(tenant, 10, at(now)).await.expect("a page").expect("entries are due");
        let ids = numbers(&store, "SELECT id FROM device WHERE tenant_id = $1 ORDER BY id", tenant).await;
        let reason = Reason::new(Code::DeviceArchived, "archived");
        let refused = work.entries().iter().filter(|due| Some(due.facts.device_id.0) == ids[1][0]);
        let refused: Vec<_> = refused.map(|due| (due.id, reason.clone())).collect();
        work.finish(&refused).await.expect("applied");
    }

    let rows = numbers(
        &store,
        "SELECT c.valid_from, c.valid_to, c.customer_rate_plan_id, c.rev_customer_id
           FROM cross_provider_device_history AS c WHERE c.tenant_id = $1 ORDER BY c.device_id, c.valid_from",
        tenant,
    )
    .await;
    let expected = [
        vec![Some(micros(at(10))), Some(micros(at(20))), Some(second.0), Some(7)],
        vec![Some(micros(at(20))), None, Some(first.0), Some(7)],
    ];
    assert_eq!(rows, expected);

    let links = numbers(
        &store,
        "SELECT s.rev_service_id FROM device_tenant AS dt
           LEFT JOIN rev_service AS s ON s.tenant_id = $1 AND s.id = dt.rev_service_id
          WHERE dt.tenant_id = $1 ORDER BY dt.device_id",
        tenant,
    )
    .await;
    assert_eq!(links, [vec![Some(1)], vec![None], vec![None]]);
}

#[tokio::test]
async fn a_page_of_any_size_takes_sixteen_statements() {
    for lines in [2, 600] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (store, tenant, [_, second]) = store(&directory, lines).await;
        let entries: Vec<_> = (0..lines).map(|nth| entry(nth, second, 10)).collect();
        store.import_queue_entries(tenant, &entries, "test", at(1)).await.expect("entries");
        let before = store.statements_sent();
        let work = store.open_due(tenant, 5_000, at(10)).await.expect("a page").expect("entries are due");
        let reason = Reason::new(Code::DeviceArchived, "archived");
        let refused: Vec<_> = work.entries().iter().step_by(2).map(|due| (due.id, reason.clone())).collect();
        let done = work.finish(&refused).await.expect("applied");
        assert_eq!((done.applied, done.failed), (lines as u64 / 2, lines as u64 / 2));
        // BEGIN and COMMIT included.
        assert_eq!(store.statements_sent() - before, 16, "{lines} lines");
    }
}
