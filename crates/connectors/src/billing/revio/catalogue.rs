//! Products, packages, providers and service types: whole lists, read once and cached (B7.6).

use std::collections::HashMap;

use serde::de::DeserializeOwned;

use super::RevioBilling;
use super::answers::list_all;
use super::wire::{Package, PackageProduct, Product, Provider, ServiceType};
use crate::Called;
use crate::billing::{PackageRecord, ProductRecord, ProviderRecord, ServiceTypeRecord};

impl RevioBilling {
    pub(super) async fn product(&self, id: i64) -> Called<Option<ProductRecord>> {
        let load = || self.load("/Products", |product: Product| (product.id, product.into()));
        self.products.find(id, self.endpoint.account().clock(), load).await
    }

    pub(super) async fn provider(&self, id: i64) -> Called<Option<ProviderRecord>> {
        let load = || self.load("/Providers", |provider: Provider| (provider.id, provider.into()));
        self.providers.find(id, self.endpoint.account().clock(), load).await
    }

    pub(super) async fn service_type(&self, id: i64) -> Called<Option<ServiceTypeRecord>> {
        let load = || self.load("/ServiceTypes", |service_type: ServiceType| (service_type.id, service_type.into()));
        self.service_types.find(id, self.endpoint.account().clock(), load).await
    }

    pub(super) async fn package(&self, id: i64) -> Called<Option<PackageRecord>> {
        self.packages.find(id, self.endpoint.account().clock(), || self.load_packages()).await
    }

    /// Packages, each with how many products it brings.
    async fn load_packages(&self) -> Called<HashMap<i64, PackageRecord>> {
        let packages = self
            .load("/Packages", |Package { id, description, active }: Package| {
                let description = description.unwrap_or_default();
                (id, PackageRecord { id, description, is_active: active, products: 0 })
            })
            .await;
        let mut by_id: HashMap<i64, PackageRecord> = match packages.result {
            Ok(by_id) => by_id,
            Err(error) => return Called { result: Err(error), exchange: packages.exchange },
        };
        let brought = list_all(&self.endpoint, "/PackageProducts", &[], |brought: PackageProduct| brought.package_id).await;
        let exchange = packages.exchange.followed_by(&brought.exchange);
        let result = brought.result.map(|package_ids| {
            for package_id in package_ids {
                if let Some(package) = by_id.get_mut(&package_id) {
                    package.products += 1;
                }
            }
            by_id
        });
        Called { result, exchange }
    }

    async fn load<W: DeserializeOwned, T>(
        &self,
        resource: &str,
        keyed: impl Fn(W) -> (i64, T) + Send + Sync,
    ) -> Called<HashMap<i64, T>> {
        list_all(&self.endpoint, resource, &[], keyed).await.map(|records| records.into_iter().collect())
    }
}
