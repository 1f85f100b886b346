//! Billing: what the engine asks of a billing system, in its own words.

pub mod revio;
mod types;

use async_trait::async_trait;
use chrono::NaiveDate;
use lineshift_domain::ids::{RevCustomerId, RevServiceId, RevServiceProductId};

pub use crate::Batch;
use crate::http::{Account, Permit};
use crate::{CallError, Called};
pub use types::{
    Catalogue, CustomerRecord, NewService, NewServiceProduct, Offer, PackageRecord, ProductRecord, ProviderRecord,
    ServiceProductRecord, ServiceRecord, ServiceTypeRecord,
};

/// One billing account. Reading calls take their permits themselves and are tried again by the account's policy; a call that
/// changes something takes one permit and is sent once.
#[async_trait]
pub trait Billing: Send + Sync + 'static {
    /// The account behind it.
    fn account(&self) -> &Account;

    /// Whether the credentials work.
    async fn test_connection(&self) -> Called<()>;

    /// The customer's services whose number or ICCID is one of `numbers`, compared here and exactly, the disconnected ones left out.
    /// At most [`MOST_NUMBERS`] numbers. Several may have the same number.
    async fn find_services(&self, customer: RevCustomerId, numbers: &[String]) -> Called<Vec<ServiceRecord>>;
    /// One service, disconnected or not; none: it is not there.
    async fn find_service(&self, id: RevServiceId) -> Called<Option<ServiceRecord>>;
    /// Creates a service.
    async fn create_service(&self, permit: Permit, service: &NewService) -> Called<RevServiceId>;
    /// Disconnects a service.
    async fn disconnect_service(&self, permit: Permit, id: RevServiceId, on: NaiveDate) -> Called<()>;

    /// Every product of a service, whatever its status.
    async fn list_products_of(&self, service: RevServiceId) -> Called<Vec<ServiceProductRecord>>;
    /// Creates a service product.
    async fn create_service_product(&self, permit: Permit, product: &NewServiceProduct) -> Called<RevServiceProductId>;
    /// Disconnects a service product.
    async fn disconnect_service_product(&self, permit: Permit, id: RevServiceProductId, on: NaiveDate) -> Called<()>;

    /// One customer; none: it is not there. Cached.
    async fn find_customer(&self, id: RevCustomerId) -> Called<Option<CustomerRecord>>;
    /// One product of the catalogue. Cached (B7.6).
    async fn find_product(&self, id: i64) -> Called<Option<ProductRecord>>;
    /// One package, and how many products it brings. Cached (B7.6).
    async fn find_package(&self, id: i64) -> Called<Option<PackageRecord>>;
    /// One provider. Cached (B7.6).
    async fn find_provider(&self, id: i64) -> Called<Option<ProviderRecord>>;
    /// One service type. Cached (B7.6).
    async fn find_service_type(&self, id: i64) -> Called<Option<ServiceTypeRecord>>;
    /// All that services can be made of. Cached (B7.6).
    async fn catalogue(&self) -> Result<Catalogue, CallError>;
    /// Forgets what is cached (B7.6).
    fn forget_lookups(&self);

    /// One page of customers changed on or after a day, from page 1.
    async fn list_customers(&self, changed_since: Option<NaiveDate>, page: u32) -> Called<Batch<CustomerRecord>>;
    /// One page of services, disconnected ones included, from page 1.
    async fn list_services(&self, page: u32) -> Called<Batch<ServiceRecord>>;
    /// One page of service products, whatever their status, from page 1.
    async fn list_service_products(&self, page: u32) -> Called<Batch<ServiceProductRecord>>;
}

/// The most numbers that [`Billing::find_services`] takes: an address line that every proxy lets through.
pub const MOST_NUMBERS: usize = 100;
