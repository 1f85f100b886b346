//! A tenant with what orders refer to, and the few calls that most bodies need.

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{
    BulkChangeId, CustomerRatePlanId, CustomerRatePoolId, DeviceChangeId, DeviceId, IntegrationAuthenticationId, RevCustomerId,
    ServiceProviderId, SiteId, TenantId,
};
use lineshift_domain::judge::Reason;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{IntegrationKind, PortalType};
use rust_decimal::Decimal;

use crate::Store;
use crate::catalogue::{CustomerRatePlan, CustomerRatePool, IntegrationAuthentication, RevCustomer, ServiceProvider, Site};
use crate::devices::{DeviceFilter, DeviceView, HistoryEntry};
use crate::import::{ImportAssignment, ImportDevice, ImportQueueEntry};
use crate::plan_queue::{DueResult, PlanQueueEntry, PlanQueueFilter};
use crate::work::RunnableChange;

/// Who imports.
pub(super) const BY: &str = "contract";

/// So many seconds after the moment at which every body begins.
pub(super) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_796_083_200, 0).expect("a moment in 2026") + TimeDelta::seconds(seconds)
}

pub(super) struct Fixture<'s, S> {
    pub(super) store: &'s S,
    pub(super) tenant: TenantId,
    /// A tenant that has nothing.
    pub(super) other: TenantId,
    pub(super) authentication: IntegrationAuthenticationId,
    pub(super) provider: ServiceProviderId,
    pub(super) customer: RevCustomerId,
    /// The customer's.
    pub(super) site: SiteId,
    /// An AMOP customer.
    pub(super) amop_site: SiteId,
    pub(super) plan: CustomerRatePlanId,
    /// At most 500 MB.
    pub(super) bounded_plan: CustomerRatePlanId,
    pub(super) pool: CustomerRatePoolId,
}

impl<'s, S: Store> Fixture<'s, S> {
    /// Makes the tenant; the name is that of the body.
    pub(super) async fn new(store: &'s S, name: &str) -> Self {
        let zone = chrono_tz::America::New_York;
        let tenant = store.create_tenant(name, zone, at(0)).await.expect("a tenant");
        let other = store.create_tenant(&format!("{name}: another"), zone, at(0)).await.expect("another tenant");
        let authentication = store.create_integration_authentication(tenant, &authentication("Rev.io"), at(0)).await;
        let authentication = authentication.expect("an authentication");
        let provider = store.create_service_provider(tenant, &provider("Jasper"), at(0)).await.expect("a provider");
        let customer = RevCustomer {
            id: RevCustomerId(1_001),
            name: "Acme".to_owned(),
            integration_authentication_id: authentication,
            is_active: true,
        };
        let customer = store.create_rev_customer(tenant, &customer, at(0)).await.expect("a customer");
        let site = store.create_site(tenant, &site("Acme, Boston", Some(customer)), at(0)).await.expect("a site");
        let amop_site = store.create_site(tenant, &self::site("Bolt", None), at(0)).await.expect("an AMOP customer");
        let plan = store.create_customer_rate_plan(tenant, &plan("Flat", None), at(0)).await.expect("a plan");
        let bounded = self::plan("Small", Some(500));
        let bounded_plan = store.create_customer_rate_plan(tenant, &bounded, at(0)).await.expect("another plan");
        let pool = store.create_customer_rate_pool(tenant, &pool("Shared"), at(0)).await.expect("a pool");
        Self { store, tenant, other, authentication, provider, customer, site, amop_site, plan, bounded_plan, pool }
    }

    /// Brings in so many active lines and answers their ids, in the order of their ICCIDs.
    pub(super) async fn lines(&self, count: usize) -> Vec<DeviceId> {
        let rows: Vec<ImportDevice> = (0..count).map(|nth| self.line(nth)).collect();
        let imported = self.store.import_devices(self.tenant, &rows, BY, at(0)).await.expect("lines");
        assert_eq!((imported.created, imported.refused.len()), (count as u64, 0));
        let mut ids = Vec::with_capacity(count);
        for row in rows {
            ids.push(self.find(&row.iccid).await.id);
        }
        ids
    }

    /// A line to bring in.
    pub(super) fn line(&self, nth: usize) -> ImportDevice {
        ImportDevice {
            service_provider_id: self.provider,
            iccid: iccid(nth),
            subscriber_number: Some(number(nth)),
            imei: None,
            status: "ACTIVATED".to_owned(),
            is_archived: false,
            activated_at: Some(at(-86_400)),
            carrier_rate_plan: Some("carrier plan".to_owned()),
            communication_plan: None,
            ip_address: None,
            carrier_device_id: None,
        }
    }

    /// An assignment to the customer, to bring in.
    pub(super) fn assignment(&self, nth: usize) -> ImportAssignment {
        ImportAssignment {
            iccid: iccid(nth),
            rev_customer_id: Some(self.customer),
            site_id: self.site,
            customer_rate_plan_id: Some(self.plan),
            customer_rate_pool_id: None,
            customer_data_allocation_mb: None,
            effective_date: Some(at(-3_600)),
        }
    }

    /// Brings in assignments of the first lines.
    pub(super) async fn assign(&self, rows: &[ImportAssignment]) {
        let imported = self.store.import_assignments(self.tenant, rows, BY, at(1)).await.expect("assignments");
        assert_eq!(imported.refused, vec![]);
    }

    /// The line with that ICCID.
    pub(super) async fn find(&self, iccid: &str) -> DeviceView {
        let filter = DeviceFilter::Iccid(iccid.to_owned());
        let mut found = self.store.list_devices(self.tenant, &Reach::Everything, &filter, None, 2).await.expect("a list").items;
        assert_eq!(found.len(), 1, "{iccid}");
        found.remove(0)
    }

    /// An entry to bring in that puts a line on the bounded plan, `due` seconds after the beginning.
    pub(super) fn entry(&self, nth: usize, due: i64) -> ImportQueueEntry {
        ImportQueueEntry {
            iccid: iccid(nth),
            customer_rate_plan_id: Some(self.bounded_plan.0),
            customer_rate_pool_id: None,
            customer_data_allocation_mb: None,
            effective_date: at(due),
            portal: PortalType::M2M,
        }
    }

    /// Brings in entries and answers the open ones of the tenant, by date.
    pub(super) async fn schedule(&self, rows: &[ImportQueueEntry]) -> Vec<PlanQueueEntry> {
        let imported = self.store.import_queue_entries(self.tenant, rows, BY, at(2)).await.expect("entries");
        assert_eq!((imported.created, imported.refused.len()), (rows.len() as u64, 0));
        self.open_entries().await
    }

    /// The open entries of the tenant, by date.
    pub(super) async fn open_entries(&self) -> Vec<PlanQueueEntry> {
        self.store
            .list_queue_entries(self.tenant, &Reach::Everything, PlanQueueFilter::Open, None, 1_000)
            .await
            .expect("a list")
            .items
    }

    /// Applies one page of what is due at that moment, apart from what is refused.
    pub(super) async fn run_due(&self, now: i64, refused: &[DeviceChangeId]) -> Option<DueResult> {
        let work = self.store.open_due(self.tenant, 100, at(now)).await.expect("a page of due entries")?;
        let refused: Vec<_> = refused.iter().map(|id| (*id, refusal())).collect();
        Some(work.finish(&refused).await.expect("the page is written"))
    }

    /// A line's history, newest first.
    pub(super) async fn history(&self, device: DeviceId) -> Vec<HistoryEntry> {
        self.store.list_device_history(self.tenant, &Reach::Everything, device, None, 100).await.expect("a history").items
    }

    /// What the log of a change says of one row: description, has errors, error text, in order.
    pub(super) async fn log(&self, change: BulkChangeId, row: DeviceChangeId) -> Vec<(String, bool, Option<String>)> {
        let log = self.store.list_log(self.tenant, change, Some(row), None, 100).await.expect("a log").items;
        log.into_iter().map(|entry| (entry.description, entry.has_errors, entry.error_text)).collect()
    }
}

/// Why bodies refuse an entry.
pub(super) fn refusal() -> Reason {
    Reason::new(Code::DeviceArchived, "the line is archived")
}

/// 20 digits.
pub(super) fn iccid(nth: usize) -> String {
    format!("8901260000000{nth:07}")
}

/// 11 digits.
pub(super) fn number(nth: usize) -> String {
    format!("1617{nth:07}")
}

pub(super) fn authentication(name: &str) -> IntegrationAuthentication {
    IntegrationAuthentication {
        id: IntegrationAuthenticationId(0),
        name: name.to_owned(),
        integration_kind: IntegrationKind::REV_IO,
        is_active: true,
    }
}

pub(super) fn provider(name: &str) -> ServiceProvider {
    ServiceProvider {
        id: ServiceProviderId(0),
        name: name.to_owned(),
        integration_kind: IntegrationKind::JASPER,
        integration_authentication_id: None,
        write_enabled: true,
        is_active: true,
    }
}

pub(super) fn site(name: &str, rev_customer_id: Option<RevCustomerId>) -> Site {
    Site { id: SiteId(0), name: name.to_owned(), rev_customer_id, is_active: true }
}

pub(super) fn plan(name: &str, bound_mb: Option<i64>) -> CustomerRatePlan {
    CustomerRatePlan {
        id: CustomerRatePlanId(0),
        name: name.to_owned(),
        monthly_price: Some(Decimal::new(1_250, 2).normalize()),
        allocation_default_mb: bound_mb.map(|_| Decimal::from(100)),
        allocation_bound_mb: bound_mb.map(Decimal::from),
        rev_product_id: None,
        is_active: true,
    }
}

pub(super) fn pool(name: &str) -> CustomerRatePool {
    CustomerRatePool { id: CustomerRatePoolId(0), name: name.to_owned(), is_active: true }
}

/// The changes with something to do, whomever they call.
pub(super) async fn runnable_changes<S: Store>(store: &S) -> Vec<RunnableChange> {
    store.list_runnable().await.expect("listed").into_iter().map(|runnable| runnable.change).collect()
}
