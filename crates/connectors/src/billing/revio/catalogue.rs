//! Products, packages, providers and service types: whole lists, read once and cached (B7.6).

use std::collections::HashMap;

use serde::de::DeserializeOwned;

use super::RevioBilling;
use super::answers::list_all;
use super::wire::{Package, PackageProduct, Product, Provider, ServiceType};
use crate::billing::{Catalogue, Offer, PackageRecord, ProductRecord, ProviderRecord, ServiceTypeRecord};
use crate::{CallError, Called};

impl RevioBilling {
    pub(super) async fn product(&self, id: i64) -> Called<Option<ProductRecord>> {
        self.products.find(id, self.endpoint.account().clock(), || self.load_products()).await
    }

    pub(super) async fn provider(&self, id: i64) -> Called<Option<ProviderRecord>> {
        self.providers.find(id, self.endpoint.account().clock(), || self.load_providers()).await
    }

    pub(super) async fn service_type(&self, id: i64) -> Called<Option<ServiceTypeRecord>> {
        self.service_types.find(id, self.endpoint.account().clock(), || self.load_service_types()).await
    }

    pub(super) async fn package(&self, id: i64) -> Called<Option<PackageRecord>> {
        self.packages.find(id, self.endpoint.account().clock(), || self.load_packages()).await
    }

    /// All lists, one after the other: each is small, and the account's calls are for its bulk changes.
    pub(super) async fn whole_catalogue(&self) -> Result<Catalogue, CallError> {
        let clock = self.endpoint.account().clock();
        let service_types = self.service_types.all(clock, || self.load_service_types()).await.result?;
        let providers = self.providers.all(clock, || self.load_providers()).await.result?;
        let packages = self.packages.all(clock, || self.load_packages()).await.result?;
        let products = self.products.all(clock, || self.load_products()).await.result?;
        Ok(Catalogue {
            service_types: offers(service_types, |it| it.is_active.then_some((it.id, it.description))),
            providers: offers(providers, |it| it.is_active.then_some((it.id, it.description))),
            // A service with a package that brings none would cost nothing (`preflight` refuses it).
            packages: offers(packages, |it| (it.is_active && it.products > 0).then_some((it.id, it.description))),
            products: offers(products, |it| it.is_active.then_some((it.id, it.description))),
        })
    }

    async fn load_products(&self) -> Called<HashMap<i64, ProductRecord>> {
        self.load("/Products", |product: Product| (product.id, product.into())).await
    }

    async fn load_providers(&self) -> Called<HashMap<i64, ProviderRecord>> {
        self.load("/Providers", |provider: Provider| (provider.id, provider.into())).await
    }

    async fn load_service_types(&self) -> Called<HashMap<i64, ServiceTypeRecord>> {
        self.load("/ServiceTypes", |service_type: ServiceType| (service_type.id, service_type.into())).await
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

/// What may be ordered of a list, by description.
fn offers<T>(records: Vec<T>, offered: impl Fn(T) -> Option<(i64, String)>) -> Vec<Offer> {
    let mut offers: Vec<Offer> =
        records.into_iter().filter_map(offered).map(|(id, description)| Offer { description, id }).collect();
    offers.sort_unstable();
    offers
}
