//! What the simulated Rev.io holds.

mod json;
mod records;
mod seeding;
mod summary;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use tokio::time::Instant;

pub use self::records::{Address, Customer, Listed, Package, PackageProduct, Product, ProductStatus, Service, ServiceProduct};
pub use self::summary::{LedgerView, Summary};

/// Where ids start that the ledger gives out itself; smaller ones are left to whoever fills it.
const FIRST_SERVICE: i64 = 900_000_000;
const FIRST_SERVICE_PRODUCT: i64 = 1_000_000_000;

/// All records, by id.
#[derive(Debug, Default)]
pub struct Ledger {
    pub(super) customers: BTreeMap<i64, Customer>,
    pub(super) services: BTreeMap<i64, Service>,
    pub(super) service_products: BTreeMap<i64, ServiceProduct>,
    pub(super) products: BTreeMap<i64, Product>,
    pub(super) packages: BTreeMap<i64, Package>,
    pub(super) package_products: BTreeMap<i64, PackageProduct>,
    pub(super) service_types: BTreeMap<i64, Listed>,
    pub(super) providers: BTreeMap<i64, Listed>,
    pub(super) usage_plan_groups: BTreeMap<i64, Listed>,
    pub(super) bill_profiles: BTreeMap<i64, Listed>,
    /// Ids of services by number and by customer, so that a search does not read them all.
    services_by_number: BTreeMap<String, Vec<i64>>,
    services_by_customer: BTreeMap<i64, Vec<i64>>,
    products_by_service: BTreeMap<i64, Vec<i64>>,
}

impl Ledger {
    /// Adds a service; its id is given out unless it has one.
    pub(super) fn add_service(&mut self, mut service: Service) -> i64 {
        if service.service_id == 0 {
            service.service_id = next_id(&self.services, FIRST_SERVICE);
        }
        let id = service.service_id;
        if let Some(number) = &service.number {
            self.services_by_number.entry(number.clone()).or_default().push(id);
        }
        self.services_by_customer.entry(service.customer_id).or_default().push(id);
        self.services.insert(id, service);
        id
    }

    /// Adds a service product; its id is given out unless it has one.
    pub(super) fn add_service_product(&mut self, mut product: ServiceProduct) -> i64 {
        if product.service_product_id == 0 {
            product.service_product_id = next_id(&self.service_products, FIRST_SERVICE_PRODUCT);
        }
        let id = product.service_product_id;
        self.products_by_service.entry(product.service_id).or_default().push(id);
        self.service_products.insert(id, product);
        id
    }

    /// Disconnects a service with all that is charged on it; what is not there stays so.
    pub(super) fn disconnect_service(&mut self, id: i64, on: NaiveDate, now: DateTime<Utc>) {
        let Some(service) = self.services.get_mut(&id) else { return };
        service.disconnected_date = Some(on);
        service.updated_date = now;
        for product in self.products_by_service.get(&id).into_iter().flatten() {
            if let Some(product) = self.service_products.get_mut(product).filter(|product| product.status.is_live()) {
                product.disconnect(on, now);
            }
        }
    }

    /// Ids of the products of a service.
    pub(super) fn products_of(&self, service: i64) -> &[i64] {
        self.products_by_service.get(&service).map(Vec::as_slice).unwrap_or_default()
    }

    /// Ids of the services of a customer.
    pub(super) fn services_of(&self, customer: i64) -> &[i64] {
        self.services_by_customer.get(&customer).map(Vec::as_slice).unwrap_or_default()
    }

    /// Ids of the services with exactly that number.
    pub(super) fn services_numbered(&self, number: &str) -> &[i64] {
        self.services_by_number.get(number).map(Vec::as_slice).unwrap_or_default()
    }
}

fn next_id<T>(records: &BTreeMap<i64, T>, first: i64) -> i64 {
    records.last_key_value().map_or(first, |(last, _)| first.max(last + 1))
}

/// Whether a search finds what it finds only from a moment on.
pub(super) fn is_found(from: Option<Instant>, now: Instant) -> bool {
    from.is_none_or(|from| from <= now)
}
