//! Reference data: what orders refer to.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{
    CustomerRatePlanId, CustomerRatePoolId, IntegrationAuthenticationId, RevCustomerId, ServiceProviderId, SiteId, TenantId,
};
use lineshift_domain::judge::ActiveStatuses;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::IntegrationKind;
use rust_decimal::Decimal;

use crate::Result;
use crate::paging::Listed;

/// A billing or carrier account's credentials. The secret itself comes with "Billing".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrationAuthentication {
    /// Id; ignored on create.
    pub id: IntegrationAuthenticationId,
    /// Name, unique per tenant.
    pub name: String,
    /// The system it opens.
    pub integration_kind: IntegrationKind,
    /// Whether it may be used.
    pub is_active: bool,
}

/// A carrier account of the tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceProvider {
    /// Id; ignored on create.
    pub id: ServiceProviderId,
    /// Name, unique per tenant.
    pub name: String,
    /// The carrier's system.
    pub integration_kind: IntegrationKind,
    /// The account with which the carrier is called, of the same kind; none: nothing can be asked of it.
    pub integration_authentication_id: Option<IntegrationAuthenticationId>,
    /// Whether the carrier may be written to.
    pub write_enabled: bool,
    /// Whether orders may name it.
    pub is_active: bool,
}

/// A customer that exists in Rev.io.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevCustomer {
    /// Rev.io's customer id.
    pub id: RevCustomerId,
    /// Name.
    pub name: String,
    /// The Rev.io account that it belongs to.
    pub integration_authentication_id: IntegrationAuthenticationId,
    /// Whether orders may name it.
    pub is_active: bool,
}

/// Where lines are booked; without a Rev customer it is an AMOP customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Id; ignored on create.
    pub id: SiteId,
    /// Name.
    pub name: String,
    /// The Rev customer it belongs to.
    pub rev_customer_id: Option<RevCustomerId>,
    /// Whether orders may name it.
    pub is_active: bool,
}

/// What a customer pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRatePlan {
    /// Id; ignored on create.
    pub id: CustomerRatePlanId,
    /// Name.
    pub name: String,
    /// Money a month.
    pub monthly_price: Option<Decimal>,
    /// Allocation in MB that a line gets when none is ordered (B8.5).
    pub allocation_default_mb: Option<Decimal>,
    /// The most MB that a line may get; none: no bound (B8.5).
    pub allocation_bound_mb: Option<Decimal>,
    /// The Rev.io product that bills it (B8.6).
    pub rev_product_id: Option<i64>,
    /// Whether orders may name it.
    pub is_active: bool,
}

/// A shared data pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRatePool {
    /// Id; ignored on create.
    pub id: CustomerRatePoolId,
    /// Name.
    pub name: String,
    /// Whether orders may name it.
    pub is_active: bool,
}

/// What a carrier charges: a plan of its catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarrierRatePlan {
    /// By which the carrier puts lines on it, unique per service provider.
    pub code: String,
    /// For people.
    pub name: String,
    /// Whether orders may name it.
    pub is_active: bool,
}

/// Things whose names are wanted: those of a page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unnamed {
    /// Rev customers.
    pub rev_customers: BTreeSet<RevCustomerId>,
    /// Sites.
    pub sites: BTreeSet<SiteId>,
    /// Carrier accounts.
    pub service_providers: BTreeSet<ServiceProviderId>,
    /// Customer rate plans.
    pub customer_rate_plans: BTreeSet<CustomerRatePlanId>,
    /// Customer rate pools.
    pub customer_rate_pools: BTreeSet<CustomerRatePoolId>,
}

/// The names of what was found of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Rev customers.
    pub rev_customers: BTreeMap<RevCustomerId, String>,
    /// Sites.
    pub sites: BTreeMap<SiteId, String>,
    /// Carrier accounts.
    pub service_providers: BTreeMap<ServiceProviderId, String>,
    /// Customer rate plans.
    pub customer_rate_plans: BTreeMap<CustomerRatePlanId, String>,
    /// Customer rate pools.
    pub customer_rate_pools: BTreeMap<CustomerRatePoolId, String>,
}

/// To whom lines can be assigned: a customer of Rev.io's, one of its sites, or a site that is a customer itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCustomer {
    /// The customer's name, or the site's where a site is named.
    pub name: String,
    /// The customer; none: the site is one itself.
    pub rev_customer_id: Option<RevCustomerId>,
    /// The site; none: which of the customer's is left open.
    pub site_id: Option<SiteId>,
}

/// What a search for customers found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundCustomers {
    /// Whose number it is, then those whose name begins so, then those in whose name it stands.
    pub customers: Vec<FoundCustomer>,
    /// Whether there are more.
    pub more: bool,
    /// Whether there are more names than were looked through for the text standing within them.
    pub stopped: bool,
}

/// How many names of each kind are looked through for a text that stands within them.
pub const NAMES_LOOKED_THROUGH: usize = 20_000;

/// What an order refers to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// Its service provider.
    pub service_provider_id: Option<ServiceProviderId>,
    /// Its Rev customer.
    pub rev_customer_id: Option<RevCustomerId>,
    /// Its site.
    pub site_id: Option<SiteId>,
    /// Its plan.
    pub plan: Option<CustomerRatePlanId>,
    /// Its pool.
    pub pool: Option<CustomerRatePoolId>,
    /// Its carrier rate plan, by code or name, one of the service provider's.
    pub carrier_rate_plan: Option<String>,
}

/// What was found of it, inactive things included; what does not exist for the tenant is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Referenced {
    /// The service provider.
    pub service_provider: Option<ServiceProvider>,
    /// The Rev customer.
    pub rev_customer: Option<RevCustomer>,
    /// The site named, or else the Rev customer's first active site by id (B4.2).
    pub site: Option<Site>,
    /// The plan.
    pub plan: Option<CustomerRatePlan>,
    /// The pool.
    pub pool: Option<CustomerRatePool>,
    /// The carrier rate plan of the service provider's that has that code, or else the only active one of that name, or the only one.
    pub carrier_rate_plan: Option<CarrierRatePlan>,
}

/// Declares create, get, update and list of one kind of reference data.
macro_rules! catalogue {
    ($($(#[$doc:meta])* $thing:ident, $id:ident, $create:ident, $get:ident, $update:ident, $list:ident;)*) => {
        /// Reference data by tenant. Lists are ordered by id; updates replace every field but the id.
        #[async_trait]
        pub trait CatalogueStore {
            $(
                $(#[$doc])*
                /// Create. Errors: `Conflict` when the name or id is taken or a reference is missing.
                async fn $create(&self, tenant: TenantId, thing: &$thing, now: DateTime<Utc>) -> Result<$id>;
                /// Get. Errors: `NotFound`.
                async fn $get(&self, tenant: TenantId, id: $id) -> Result<$thing>;
                /// Update. Errors: `NotFound`, `Conflict`.
                async fn $update(&self, tenant: TenantId, thing: &$thing, now: DateTime<Utc>) -> Result<()>;
                /// List, `limit` at most [`crate::paging::MAX_PAGE_ITEMS`].
                async fn $list(&self, tenant: TenantId, reach: &Reach, after: Option<$id>, limit: usize) -> Result<Listed<$thing, $id>>;
            )*
            /// The carrier statuses that count as active; global.
            async fn active_statuses(&self) -> Result<ActiveStatuses>;
            /// All that an order refers to, in one call.
            async fn find_referenced(&self, tenant: TenantId, references: &References) -> Result<Referenced>;
            /// The names of those things, in one statement; what is not there has none.
            async fn find_names(&self, tenant: TenantId, unnamed: &Unnamed) -> Result<Names>;
            /// Active customers within reach to whom lines can be assigned: whose number the text is, whose name begins with it, or in whose
            /// name it stands, whatever its case; of an empty text the first ones by name. How letters beyond ASCII are folded is the
            /// database's way. At most `limit`; [`NAMES_LOOKED_THROUGH`] names at most are looked through.
            async fn find_customers(&self, tenant: TenantId, reach: &Reach, text: &str, limit: usize) -> Result<FoundCustomers>;
            /// The active sites of a customer within reach, by id, by an index.
            async fn list_sites_of_customer(
                &self,
                tenant: TenantId,
                reach: &Reach,
                customer: RevCustomerId,
                after: Option<SiteId>,
                limit: usize,
            ) -> Result<Listed<Site, SiteId>>;
        }
    };
}

catalogue! {
    /// Credentials of billing and carrier accounts.
    IntegrationAuthentication, IntegrationAuthenticationId, create_integration_authentication, get_integration_authentication,
        update_integration_authentication, list_integration_authentications;
    /// Carrier accounts.
    ServiceProvider, ServiceProviderId, create_service_provider, get_service_provider, update_service_provider, list_service_providers;
    /// Rev customers; their id is given, not made.
    RevCustomer, RevCustomerId, create_rev_customer, get_rev_customer, update_rev_customer, list_rev_customers;
    /// Sites.
    Site, SiteId, create_site, get_site, update_site, list_sites;
    /// Customer rate plans.
    CustomerRatePlan, CustomerRatePlanId, create_customer_rate_plan, get_customer_rate_plan, update_customer_rate_plan,
        list_customer_rate_plans;
    /// Customer rate pools.
    CustomerRatePool, CustomerRatePoolId, create_customer_rate_pool, get_customer_rate_pool, update_customer_rate_pool,
        list_customer_rate_pools;
}
