//! Reference data: what orders refer to. Each kind as it is shown, as it is created, and as it is changed.

use lineshift_store::catalogue as store;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A carrier account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ServiceProvider)]
pub struct ServiceProviderView {
    /// Id.
    pub id: i64,
    /// Name, unique per tenant.
    pub name: String,
    /// Jasper, ThingSpace, Telegence or POND.
    pub integration_kind: String,
    /// The integration authentication with which the carrier is called, of the same kind; null: nothing can be asked of it.
    pub integration_authentication_id: Option<i64>,
    /// Whether the carrier may be written to.
    pub write_enabled: bool,
    /// Whether orders may name it.
    pub is_active: bool,
}

impl From<store::ServiceProvider> for ServiceProviderView {
    fn from(thing: store::ServiceProvider) -> Self {
        Self {
            id: thing.id.0,
            name: thing.name,
            integration_kind: thing.integration_kind.to_string(),
            integration_authentication_id: thing.integration_authentication_id.map(|id| id.0),
            write_enabled: thing.write_enabled,
            is_active: thing.is_active,
        }
    }
}

/// A carrier account, to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewServiceProvider {
    /// Name, unique per tenant.
    pub name: String,
    /// Jasper, ThingSpace, Telegence or POND.
    pub integration_kind: String,
    /// The integration authentication with which the carrier is called, of the same kind. None by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration_authentication_id: Option<i64>,
    /// Whether the carrier may be written to. False by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_enabled: Option<bool>,
    /// Whether orders may name it. True by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// What to change of it: absent fields stay, `null` clears where there may be nothing (RFC 7396).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceProviderPatch {
    /// Name, unique per tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Jasper, ThingSpace, Telegence or POND.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration_kind: Option<String>,
    /// The integration authentication with which the carrier is called, of the same kind; null: nothing can be asked of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration_authentication_id: Option<i64>,
    /// Whether the carrier may be written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_enabled: Option<bool>,
    /// Whether orders may name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// A place where lines are booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Site)]
pub struct SiteView {
    /// Id.
    pub id: i64,
    /// Name.
    pub name: String,
    /// The Rev customer it belongs to; null: it is a customer itself.
    pub rev_customer_id: Option<i64>,
    /// Whether orders may name it.
    pub is_active: bool,
}

impl From<store::Site> for SiteView {
    fn from(thing: store::Site) -> Self {
        Self {
            id: thing.id.0,
            name: thing.name,
            rev_customer_id: thing.rev_customer_id.map(|id| id.0),
            is_active: thing.is_active,
        }
    }
}

/// A place where lines are booked, to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewSite {
    /// Name.
    pub name: String,
    /// The Rev customer it belongs to; null: it is a customer itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev_customer_id: Option<i64>,
    /// Whether orders may name it. True by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// What to change of it: absent fields stay, `null` clears where there may be nothing (RFC 7396).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SitePatch {
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The Rev customer it belongs to; null: it is a customer itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev_customer_id: Option<i64>,
    /// Whether orders may name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// A customer that exists in Rev.io.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Customer)]
pub struct CustomerView {
    /// Id, Rev.io's own.
    pub id: i64,
    /// Name.
    pub name: String,
    /// The Rev.io account that it belongs to.
    pub integration_authentication_id: i64,
    /// Whether orders may name it.
    pub is_active: bool,
}

impl From<store::RevCustomer> for CustomerView {
    fn from(thing: store::RevCustomer) -> Self {
        Self {
            id: thing.id.0,
            name: thing.name,
            integration_authentication_id: thing.integration_authentication_id.0,
            is_active: thing.is_active,
        }
    }
}

/// A customer that exists in Rev.io, to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewCustomer {
    /// Rev.io's own id.
    pub id: i64,
    /// Name.
    pub name: String,
    /// The Rev.io account that it belongs to.
    pub integration_authentication_id: i64,
    /// Whether orders may name it. True by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// What to change of it: absent fields stay, `null` clears where there may be nothing (RFC 7396).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustomerPatch {
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The Rev.io account that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration_authentication_id: Option<i64>,
    /// Whether orders may name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// A customer rate plan: what the customer pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CustomerRatePlan)]
pub struct CustomerRatePlanView {
    /// Id.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Money a month.
    pub monthly_price: Option<Decimal>,
    /// Allocation in MB that a line gets when none is ordered.
    pub allocation_default_mb: Option<Decimal>,
    /// The most MB that a line may get; null: no bound.
    pub allocation_bound_mb: Option<Decimal>,
    /// The Rev.io product that bills it.
    pub rev_product_id: Option<i64>,
    /// Whether orders may name it.
    pub is_active: bool,
}

impl From<store::CustomerRatePlan> for CustomerRatePlanView {
    fn from(thing: store::CustomerRatePlan) -> Self {
        Self {
            id: thing.id.0,
            name: thing.name,
            monthly_price: thing.monthly_price,
            allocation_default_mb: thing.allocation_default_mb,
            allocation_bound_mb: thing.allocation_bound_mb,
            rev_product_id: thing.rev_product_id,
            is_active: thing.is_active,
        }
    }
}

/// A customer rate plan: what the customer pays, to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewCustomerRatePlan {
    /// Name.
    pub name: String,
    /// Money a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly_price: Option<Decimal>,
    /// Allocation in MB that a line gets when none is ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation_default_mb: Option<Decimal>,
    /// The most MB that a line may get; null: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation_bound_mb: Option<Decimal>,
    /// The Rev.io product that bills it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev_product_id: Option<i64>,
    /// Whether orders may name it. True by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// What to change of it: absent fields stay, `null` clears where there may be nothing (RFC 7396).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustomerRatePlanPatch {
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Money a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly_price: Option<Decimal>,
    /// Allocation in MB that a line gets when none is ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation_default_mb: Option<Decimal>,
    /// The most MB that a line may get; null: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation_bound_mb: Option<Decimal>,
    /// The Rev.io product that bills it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev_product_id: Option<i64>,
    /// Whether orders may name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// A shared data pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CustomerRatePool)]
pub struct CustomerRatePoolView {
    /// Id.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Whether orders may name it.
    pub is_active: bool,
}

impl From<store::CustomerRatePool> for CustomerRatePoolView {
    fn from(thing: store::CustomerRatePool) -> Self {
        Self { id: thing.id.0, name: thing.name, is_active: thing.is_active }
    }
}

/// A shared data pool, to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewCustomerRatePool {
    /// Name.
    pub name: String,
    /// Whether orders may name it. True by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// What to change of it: absent fields stay, `null` clears where there may be nothing (RFC 7396).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustomerRatePoolPatch {
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether orders may name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// A billing or carrier account's credentials, without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = IntegrationAuthentication)]
pub struct IntegrationAuthenticationView {
    /// Id.
    pub id: i64,
    /// Name, unique per tenant.
    pub name: String,
    /// Rev.io, Jasper, ThingSpace, Telegence or POND.
    pub integration_kind: String,
    /// Whether it may be used.
    pub is_active: bool,
}

impl From<store::IntegrationAuthentication> for IntegrationAuthenticationView {
    fn from(thing: store::IntegrationAuthentication) -> Self {
        Self {
            id: thing.id.0,
            name: thing.name,
            integration_kind: thing.integration_kind.to_string(),
            is_active: thing.is_active,
        }
    }
}

/// A billing or carrier account's credentials, without the secret, to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewIntegrationAuthentication {
    /// Name, unique per tenant.
    pub name: String,
    /// Rev.io, Jasper, ThingSpace, Telegence or POND.
    pub integration_kind: String,
    /// Whether it may be used. True by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// What to change of it: absent fields stay, `null` clears where there may be nothing (RFC 7396).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IntegrationAuthenticationPatch {
    /// Name, unique per tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Rev.io, Jasper, ThingSpace, Telegence or POND.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration_kind: Option<String>,
    /// Whether it may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}
