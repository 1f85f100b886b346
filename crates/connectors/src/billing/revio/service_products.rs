//! Service products: what is charged on a service.

use chrono::NaiveDate;
use lineshift_domain::ids::{RevServiceId, RevServiceProductId};

use super::RevioBilling;
use super::answers::{list_all, list_page, read_changed, read_created};
use super::wire::{CreateServiceProduct, DisconnectServiceProduct, ServiceProduct};
use crate::Called;
use crate::billing::{Batch, NewServiceProduct, ServiceProductRecord};
use crate::http::{Effect, Permit};
use crate::json::body_of;

/// Singular, unlike the other resources.
const RESOURCE: &str = "/ServiceProduct";

impl RevioBilling {
    pub(super) async fn products_of(&self, service: RevServiceId) -> Called<Vec<ServiceProductRecord>> {
        let service_id = service.to_string();
        let filters = [("service_id", service_id.as_str())];
        let called = list_all::<ServiceProduct, _>(&self.endpoint, RESOURCE, &filters, ServiceProductRecord::from).await;
        called.map(|mut products| {
            products.retain(|product| product.service_id == service);
            products.sort_by_key(|product| product.id);
            products.dedup_by_key(|product| product.id);
            products
        })
    }

    pub(super) async fn post_service_product(&self, permit: Permit, product: &NewServiceProduct) -> Called<RevServiceProductId> {
        let body = body_of(&CreateServiceProduct::from(product));
        let effect = Effect { method: "POST", path: RESOURCE.to_owned(), body };
        self.endpoint.send(permit, effect, |answer| read_created(answer).map(RevServiceProductId)).await
    }

    pub(super) async fn delete_service_product(&self, permit: Permit, id: RevServiceProductId, on: NaiveDate) -> Called<()> {
        let body = DisconnectServiceProduct { service_product_id: id.0, effective_date: on, generate_proration: false };
        let effect = Effect { method: "DELETE", path: RESOURCE.to_owned(), body: body_of(&body) };
        self.endpoint.send(permit, effect, read_changed).await
    }

    pub(super) async fn service_products_page(&self, page: u32) -> Called<Batch<ServiceProductRecord>> {
        list_page::<ServiceProduct, _>(&self.endpoint, RESOURCE, &[], page, ServiceProductRecord::from).await
    }
}
