//! Bringing in what another system knows, set by set: rows exist or are replaced by their natural key.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{CustomerRatePlanId, CustomerRatePoolId, RevCustomerId, ServiceProviderId, SiteId, TenantId};
use lineshift_domain::terms::PortalType;
use rust_decimal::Decimal;

use crate::Result;
use crate::catalogue::{CustomerRatePlan, CustomerRatePool, RevCustomer, Site};

/// A line to bring in, known by its ICCID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportDevice {
    /// Carrier account.
    pub service_provider_id: ServiceProviderId,
    /// 18 to 22 digits.
    pub iccid: String,
    /// 10 to 15 digits.
    pub subscriber_number: Option<String>,
    /// Hardware.
    pub imei: Option<String>,
    /// The carrier's status.
    pub status: String,
    /// Archived.
    pub is_archived: bool,
    /// When the carrier activated it.
    pub activated_at: Option<DateTime<Utc>>,
    /// The carrier's plan.
    pub carrier_rate_plan: Option<String>,
    /// The carrier's communication plan.
    pub communication_plan: Option<String>,
    /// Fixed address.
    pub ip_address: Option<String>,
    /// The carrier's own id.
    pub carrier_device_id: Option<String>,
}

/// A present assignment to bring in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportAssignment {
    /// The line.
    pub iccid: String,
    /// Rev customer; none for AMOP customers.
    pub rev_customer_id: Option<RevCustomerId>,
    /// Site.
    pub site_id: SiteId,
    /// Plan.
    pub customer_rate_plan_id: Option<CustomerRatePlanId>,
    /// Pool.
    pub customer_rate_pool_id: Option<CustomerRatePoolId>,
    /// Allocation in MB.
    pub customer_data_allocation_mb: Option<Decimal>,
    /// Since when.
    pub effective_date: Option<DateTime<Utc>>,
}

/// A Rev service with its products to bring in, known by customer and Rev.io's service id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRevService {
    /// The customer billed.
    pub rev_customer_id: RevCustomerId,
    /// Rev.io's service id.
    pub rev_service_id: i64,
    /// The line, where it is known.
    pub iccid: Option<String>,
    /// The number billed.
    pub number: Option<String>,
    /// Rev.io's service type.
    pub rev_service_type_id: Option<i64>,
    /// Rev.io's provider.
    pub rev_provider_id: Option<i64>,
    /// Since when it is billed.
    pub activated_date: Option<DateTime<Utc>>,
    /// Since when it is no longer billed.
    pub disconnected_date: Option<DateTime<Utc>>,
    /// Whether a package is charged on it.
    pub has_package: bool,
    /// What else is charged on it.
    pub products: Vec<ImportRevProduct>,
}

/// A product on a Rev service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRevProduct {
    /// Rev.io's service product id.
    pub rev_service_product_id: i64,
    /// Rev.io's product.
    pub rev_product_id: i64,
    /// Money a month.
    pub rate: Option<Decimal>,
    /// How many.
    pub quantity: Option<Decimal>,
    /// PENDING, ACTIVE, DENIED or DISCONNECTED.
    pub status: String,
    /// Shown on the bill.
    pub description: Option<String>,
}

/// An open plan queue entry to bring in: stored under a bulk change of its own, "Imported".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportQueueEntry {
    /// The line.
    pub iccid: String,
    /// None keeps, 0 clears.
    pub customer_rate_plan_id: Option<i64>,
    /// None keeps, 0 clears.
    pub customer_rate_pool_id: Option<i64>,
    /// None keeps, 0 clears.
    pub customer_data_allocation_mb: Option<Decimal>,
    /// When it falls due.
    pub effective_date: DateTime<Utc>,
    /// Whose log it is.
    pub portal: PortalType,
}

/// What an import did with the rows of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// New rows.
    pub created: u64,
    /// Rows replaced.
    pub updated: u64,
    /// Places in the list given whose line, customer, site, plan or pool is not there; nothing of them was stored.
    pub refused: Vec<(usize, String)>,
}

/// Bulk import. Each call is one transaction over at most [`IMPORT_ROWS`] rows; a row that refers to something missing
/// is reported and left out, the others are stored.
#[async_trait]
pub trait ImportStore {
    /// Lines, with their empty assignments.
    async fn import_devices(&self, tenant: TenantId, rows: &[ImportDevice], by: &str, now: DateTime<Utc>) -> Result<Imported>;
    /// Rev customers.
    async fn import_customers(&self, tenant: TenantId, rows: &[RevCustomer], now: DateTime<Utc>) -> Result<Imported>;
    /// Sites, with the ids given.
    async fn import_sites(&self, tenant: TenantId, rows: &[Site], now: DateTime<Utc>) -> Result<Imported>;
    /// Customer rate plans, with the ids given.
    async fn import_plans(&self, tenant: TenantId, rows: &[CustomerRatePlan], now: DateTime<Utc>) -> Result<Imported>;
    /// Customer rate pools, with the ids given.
    async fn import_pools(&self, tenant: TenantId, rows: &[CustomerRatePool], now: DateTime<Utc>) -> Result<Imported>;
    /// Present assignments; raises the version of each line it changes.
    async fn import_assignments(
        &self,
        tenant: TenantId,
        rows: &[ImportAssignment],
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Imported>;
    /// Rev services with their products.
    async fn import_rev_services(&self, tenant: TenantId, rows: &[ImportRevService], now: DateTime<Utc>) -> Result<Imported>;
    /// Open plan queue entries.
    async fn import_queue_entries(
        &self,
        tenant: TenantId,
        rows: &[ImportQueueEntry],
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<Imported>;
}

/// The most rows that one import call takes.
pub const IMPORT_ROWS: usize = 5_000;
