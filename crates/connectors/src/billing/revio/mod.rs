//! Rev.io. Its language is described in one place for each resource; what is not public about it stands in [`OpenPoints`].

mod answers;
mod cache;
mod catalogue;
mod credentials;
mod customers;
mod open_points;
mod service_products;
mod services;
mod values;
mod wire;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{NaiveDate, TimeDelta};
use lineshift_domain::ids::{RevCustomerId, RevServiceId, RevServiceProductId};
use secrecy::{ExposeSecret, SecretString};

use self::cache::{ItemCache, ListCache};
pub use self::credentials::{RevioCredentials, UnreadableCredentials};
pub use self::open_points::{OpenPoints, StatedDefaults};
use super::{
    Batch, Billing, Catalogue, CustomerRecord, NewService, NewServiceProduct, PackageRecord, ProductRecord, ProviderRecord,
    ServiceProductRecord, ServiceRecord, ServiceTypeRecord,
};
use crate::http::{Account, Answer, Endpoint, Masker, Permit};
use crate::{CallError, Called};

/// How long the catalogue is believed (B7.6).
const CATALOGUE_FOR: TimeDelta = TimeDelta::minutes(10);

/// How long a customer is believed: it may be closed at any time.
const CUSTOMERS_FOR: TimeDelta = TimeDelta::minutes(5);

/// One account of Rev.io.
pub struct RevioBilling {
    endpoint: Endpoint,
    client_code: String,
    open_points: Arc<dyn OpenPoints>,
    /// Whether a repeated filter by number means "or", once it was found out.
    repeated_number: OnceLock<bool>,
    customers: ItemCache<CustomerRecord>,
    products: ListCache<ProductRecord>,
    packages: ListCache<PackageRecord>,
    providers: ListCache<ProviderRecord>,
    service_types: ListCache<ServiceTypeRecord>,
}

impl RevioBilling {
    /// Rev.io at `base_address` (`https://restapi.rev.io/v1`, say), with the stated defaults for what is not public.
    #[must_use]
    pub fn new(account: Account, base_address: &str, credentials: RevioCredentials) -> Self {
        let login = credentials.login();
        let token = SecretString::from(STANDARD.encode(login.expose_secret()));
        let basic = SecretString::from(format!("Basic {}", token.expose_secret()));
        let RevioCredentials { user, client_code, password, subscription_key } = credentials;
        let user = SecretString::from(user);
        let masker = Masker::new([&user, &password, &login, &token].into_iter().chain(&subscription_key));
        let mut headers = vec![("authorization", basic)];
        headers.extend(subscription_key.map(|key| ("ocp-apim-subscription-key", key)));
        Self {
            endpoint: Endpoint::new(account, base_address, headers, masker),
            client_code,
            open_points: Arc::new(StatedDefaults),
            repeated_number: OnceLock::new(),
            customers: ItemCache::new(CUSTOMERS_FOR),
            products: ListCache::new(CATALOGUE_FOR),
            packages: ListCache::new(CATALOGUE_FOR),
            providers: ListCache::new(CATALOGUE_FOR),
            service_types: ListCache::new(CATALOGUE_FOR),
        }
    }

    /// The same with other answers to what is not public.
    #[must_use]
    pub fn with_open_points(mut self, open_points: Arc<dyn OpenPoints>) -> Self {
        self.open_points = open_points;
        self
    }

    /// Which tenant of Rev.io this is, sandbox or production: may be shown.
    #[must_use]
    pub fn client_code(&self) -> &str {
        &self.client_code
    }
}

/// `GET /SystemStatus` answers 200 when the credentials work, whatever it says.
fn read_system_status(answer: &Answer) -> Result<(), String> {
    if answer.status == 200 { Ok(()) } else { Err("expected 200".to_owned()) }
}

#[async_trait]
impl Billing for RevioBilling {
    fn account(&self) -> &Account {
        self.endpoint.account()
    }

    async fn test_connection(&self) -> Called<()> {
        self.endpoint.read("/SystemStatus", read_system_status).await
    }

    async fn find_services(&self, customer: RevCustomerId, numbers: &[String]) -> Called<Vec<ServiceRecord>> {
        self.find_services_of(customer, numbers).await
    }

    async fn find_service(&self, id: RevServiceId) -> Called<Option<ServiceRecord>> {
        self.find_service_by_id(id).await
    }

    async fn create_service(&self, permit: Permit, service: &NewService) -> Called<RevServiceId> {
        self.post_service(permit, service).await
    }

    async fn disconnect_service(&self, permit: Permit, id: RevServiceId, on: NaiveDate) -> Called<()> {
        self.delete_service(permit, id, on).await
    }

    async fn list_products_of(&self, service: RevServiceId) -> Called<Vec<ServiceProductRecord>> {
        self.products_of(service).await
    }

    async fn create_service_product(&self, permit: Permit, product: &NewServiceProduct) -> Called<RevServiceProductId> {
        self.post_service_product(permit, product).await
    }

    async fn disconnect_service_product(&self, permit: Permit, id: RevServiceProductId, on: NaiveDate) -> Called<()> {
        self.delete_service_product(permit, id, on).await
    }

    async fn find_customer(&self, id: RevCustomerId) -> Called<Option<CustomerRecord>> {
        self.customer(id).await
    }

    async fn find_product(&self, id: i64) -> Called<Option<ProductRecord>> {
        self.product(id).await
    }

    async fn find_package(&self, id: i64) -> Called<Option<PackageRecord>> {
        self.package(id).await
    }

    async fn find_provider(&self, id: i64) -> Called<Option<ProviderRecord>> {
        self.provider(id).await
    }

    async fn find_service_type(&self, id: i64) -> Called<Option<ServiceTypeRecord>> {
        self.service_type(id).await
    }

    async fn catalogue(&self) -> Result<Catalogue, CallError> {
        self.whole_catalogue().await
    }

    fn forget_lookups(&self) {
        self.customers.forget();
        self.products.forget();
        self.packages.forget();
        self.providers.forget();
        self.service_types.forget();
    }

    async fn list_customers(&self, changed_since: Option<NaiveDate>, page: u32) -> Called<Batch<CustomerRecord>> {
        self.customers_page(changed_since, page).await
    }

    async fn list_services(&self, page: u32) -> Called<Batch<ServiceRecord>> {
        self.services_page(page).await
    }

    async fn list_service_products(&self, page: u32) -> Called<Batch<ServiceProductRecord>> {
        self.service_products_page(page).await
    }
}

#[cfg(test)]
mod tests;
