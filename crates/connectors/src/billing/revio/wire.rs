//! What goes to and comes from Rev.io, field by field. Unknown fields in answers are tolerated.

use chrono::{DateTime, NaiveDate, Utc};
use lineshift_domain::ids::{RevCustomerId, RevServiceId, RevServiceProductId};
use lineshift_domain::terms::ServiceProductStatus;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::values;
use crate::billing::{
    CustomerRecord, NewService, NewServiceProduct, ProductRecord, ProviderRecord, ServiceProductRecord, ServiceRecord,
    ServiceTypeRecord,
};

/// The body of `POST /Services`. What is none is left out; `service_id` is never sent.
#[derive(Serialize)]
pub(super) struct CreateService<'a> {
    customer_id: i64,
    provider_id: i64,
    service_type_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    package_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_plan_group_id: Option<i64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    number: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    number2: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(serialize_with = "values::write_day")]
    activated_date: NaiveDate,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "values::write_optional_day")]
    effective_date: Option<NaiveDate>,
}

impl<'a> From<&'a NewService> for CreateService<'a> {
    fn from(service: &'a NewService) -> Self {
        Self {
            customer_id: service.customer_id.0,
            provider_id: service.provider_id,
            service_type_id: service.service_type_id,
            package_id: service.package_id,
            usage_plan_group_id: service.usage_plan_group_id,
            number: &service.number,
            number2: &service.number2,
            description: service.description.as_deref(),
            activated_date: service.activated_date,
            effective_date: service.effective_date,
        }
    }
}

/// The body of `POST /ServiceProduct`.
#[derive(Serialize)]
pub(super) struct CreateServiceProduct<'a> {
    customer_id: i64,
    service_id: i64,
    product_id: i64,
    generate_proration: bool,
    #[serde(serialize_with = "values::write_decimal")]
    rate: Decimal,
    #[serde(serialize_with = "values::write_decimal")]
    quantity: Decimal,
    #[serde(serialize_with = "values::write_day")]
    activated_date: NaiveDate,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "values::write_optional_day")]
    effective_date: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

impl<'a> From<&'a NewServiceProduct> for CreateServiceProduct<'a> {
    fn from(product: &'a NewServiceProduct) -> Self {
        Self {
            customer_id: product.customer_id.0,
            service_id: product.service_id.0,
            product_id: product.product_id,
            generate_proration: product.generate_proration,
            rate: product.rate,
            quantity: product.quantity,
            activated_date: product.activated_date,
            effective_date: product.effective_date,
            description: product.description.as_deref(),
        }
    }
}

/// The body of `DELETE /ServiceProduct`.
#[derive(Serialize)]
pub(super) struct DisconnectServiceProduct {
    pub(super) service_product_id: i64,
    #[serde(serialize_with = "values::write_day")]
    pub(super) effective_date: NaiveDate,
    pub(super) generate_proration: bool,
}

/// A service in an answer.
#[derive(Deserialize)]
pub(super) struct Service {
    #[serde(deserialize_with = "values::id")]
    service_id: i64,
    #[serde(deserialize_with = "values::id")]
    customer_id: i64,
    #[serde(default, deserialize_with = "values::text")]
    number: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    number2: Option<String>,
    #[serde(default, deserialize_with = "values::optional_id")]
    provider_id: Option<i64>,
    #[serde(default, deserialize_with = "values::optional_id")]
    service_type_id: Option<i64>,
    #[serde(default, deserialize_with = "values::optional_id")]
    package_id: Option<i64>,
    #[serde(default, deserialize_with = "values::optional_day")]
    activated_date: Option<NaiveDate>,
    #[serde(default, deserialize_with = "values::optional_day")]
    disconnected_date: Option<NaiveDate>,
}

impl From<Service> for ServiceRecord {
    fn from(service: Service) -> Self {
        Self {
            id: RevServiceId(service.service_id),
            customer_id: RevCustomerId(service.customer_id),
            number: service.number,
            number2: service.number2,
            provider_id: service.provider_id,
            service_type_id: service.service_type_id,
            package_id: service.package_id,
            activated_date: service.activated_date,
            disconnected_date: service.disconnected_date,
        }
    }
}

/// A service product in an answer.
#[derive(Deserialize)]
pub(super) struct ServiceProduct {
    #[serde(deserialize_with = "values::id")]
    service_product_id: i64,
    #[serde(deserialize_with = "values::id")]
    customer_id: i64,
    #[serde(deserialize_with = "values::id")]
    service_id: i64,
    #[serde(deserialize_with = "values::id")]
    product_id: i64,
    #[serde(default, deserialize_with = "values::optional_id")]
    package_id: Option<i64>,
    #[serde(default, deserialize_with = "values::optional_decimal")]
    rate: Option<Decimal>,
    #[serde(default, deserialize_with = "values::optional_decimal")]
    quantity: Option<Decimal>,
    #[serde(deserialize_with = "values::status")]
    status: ServiceProductStatus,
    #[serde(default, deserialize_with = "values::text")]
    description: Option<String>,
}

impl From<ServiceProduct> for ServiceProductRecord {
    fn from(product: ServiceProduct) -> Self {
        Self {
            id: RevServiceProductId(product.service_product_id),
            customer_id: RevCustomerId(product.customer_id),
            service_id: RevServiceId(product.service_id),
            product_id: product.product_id,
            package_id: product.package_id,
            rate: product.rate,
            quantity: product.quantity,
            status: product.status,
            description: product.description,
        }
    }
}

/// A customer in an answer.
#[derive(Deserialize)]
pub(super) struct Customer {
    #[serde(deserialize_with = "values::id")]
    pub(super) customer_id: i64,
    #[serde(default, deserialize_with = "values::text")]
    account_number: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    status: Option<String>,
    #[serde(default, deserialize_with = "values::optional_day")]
    close_date: Option<NaiveDate>,
    #[serde(default)]
    billing_address: Option<Address>,
    #[serde(default)]
    service_address: Option<Address>,
    #[serde(default)]
    listing_address: Option<Address>,
    #[serde(default, deserialize_with = "values::optional_moment")]
    updated_date: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Address {
    #[serde(default, deserialize_with = "values::text")]
    company_name: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    first_name: Option<String>,
    #[serde(default, deserialize_with = "values::text")]
    last_name: Option<String>,
}

impl Address {
    fn name(&self) -> Option<String> {
        let person = [self.first_name.as_deref(), self.last_name.as_deref()];
        let person = person.into_iter().flatten().collect::<Vec<_>>().join(" ");
        self.company_name.clone().or_else(|| (!person.is_empty()).then_some(person))
    }
}

impl Customer {
    /// The customer as of a day: one that will be closed later is not closed yet.
    pub(super) fn into_record(self, today: NaiveDate) -> CustomerRecord {
        let addresses = [self.billing_address, self.service_address, self.listing_address];
        let name = addresses.iter().flatten().find_map(Address::name);
        let is_closed = self.close_date.is_some_and(|day| day <= today)
            || self.status.is_some_and(|status| status.eq_ignore_ascii_case("closed"));
        CustomerRecord {
            id: RevCustomerId(self.customer_id),
            name: name.or_else(|| self.account_number.clone()).unwrap_or_else(|| self.customer_id.to_string()),
            account_number: self.account_number,
            is_closed,
            updated_at: self.updated_date,
        }
    }
}

const fn active() -> bool {
    true
}

/// Something of the catalogue in an answer. Where `active` is left out, Rev.io itself refuses what may not be ordered.
macro_rules! listed {
    ($($(#[$doc:meta])* $name:ident $id:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Deserialize)]
        pub(super) struct $name {
            #[serde(rename = $id, deserialize_with = "values::id")]
            pub(super) id: i64,
            #[serde(default, deserialize_with = "values::text")]
            pub(super) description: Option<String>,
            #[serde(default = "active")]
            pub(super) active: bool,
        }
    )*};
}

listed! {
    /// A product.
    Product "product_id";
    /// A package.
    Package "package_id";
    /// A provider.
    Provider "provider_id";
    /// A service type.
    ServiceType "service_type_id";
}

/// That a package brings a product.
#[derive(Deserialize)]
pub(super) struct PackageProduct {
    #[serde(deserialize_with = "values::id")]
    pub(super) package_id: i64,
}

impl From<Product> for ProductRecord {
    fn from(Product { id, description, active }: Product) -> Self {
        Self { id, description: description.unwrap_or_default(), is_active: active }
    }
}

impl From<Provider> for ProviderRecord {
    fn from(Provider { id, description, active }: Provider) -> Self {
        Self { id, description: description.unwrap_or_default(), is_active: active }
    }
}

impl From<ServiceType> for ServiceTypeRecord {
    fn from(ServiceType { id, description, active }: ServiceType) -> Self {
        Self { id, description: description.unwrap_or_default(), is_active: active }
    }
}
