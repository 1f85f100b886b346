//! What is told to and by a billing system. Money is decimal; dates are days.

use chrono::{DateTime, NaiveDate, Utc};
use lineshift_domain::ids::{RevCustomerId, RevServiceId, RevServiceProductId};
use lineshift_domain::terms::ServiceProductStatus;
use rust_decimal::Decimal;

/// A service to create. What is none is left absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewService {
    /// Customer.
    pub customer_id: RevCustomerId,
    /// Rev.io's provider.
    pub provider_id: i64,
    /// Rev.io's service type.
    pub service_type_id: i64,
    /// A package, which brings its own products.
    pub package_id: Option<i64>,
    /// Rev.io's usage plan group.
    pub usage_plan_group_id: Option<i64>,
    /// The subscriber number, else the ICCID.
    pub number: String,
    /// The ICCID.
    pub number2: String,
    /// Shown on the bill.
    pub description: Option<String>,
    /// From when it is billed.
    pub activated_date: NaiveDate,
    /// Sent only with proration (B6.5).
    pub effective_date: Option<NaiveDate>,
}

/// A service product to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewServiceProduct {
    /// Customer.
    pub customer_id: RevCustomerId,
    /// Service.
    pub service_id: RevServiceId,
    /// Rev.io's product.
    pub product_id: i64,
    /// Whether Rev.io prorates.
    pub generate_proration: bool,
    /// Money a month.
    pub rate: Decimal,
    /// How many.
    pub quantity: Decimal,
    /// From when it is billed.
    pub activated_date: NaiveDate,
    /// Sent only with proration (B6.5).
    pub effective_date: Option<NaiveDate>,
    /// Shown on the bill.
    pub description: Option<String>,
}

/// A service as the billing system has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRecord {
    /// Its id there.
    pub id: RevServiceId,
    /// Customer.
    pub customer_id: RevCustomerId,
    /// The subscriber number, else the device identifier.
    pub number: Option<String>,
    /// The ICCID.
    pub number2: Option<String>,
    /// Provider.
    pub provider_id: Option<i64>,
    /// Service type.
    pub service_type_id: Option<i64>,
    /// Package.
    pub package_id: Option<i64>,
    /// From when it is billed.
    pub activated_date: Option<NaiveDate>,
    /// Until when; it is active while this is none.
    pub disconnected_date: Option<NaiveDate>,
}

/// What is charged on a service, as the billing system has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceProductRecord {
    /// Its id there.
    pub id: RevServiceProductId,
    /// Customer.
    pub customer_id: RevCustomerId,
    /// Service.
    pub service_id: RevServiceId,
    /// Product.
    pub product_id: i64,
    /// The package that brought it.
    pub package_id: Option<i64>,
    /// Money a month.
    pub rate: Option<Decimal>,
    /// How many.
    pub quantity: Option<Decimal>,
    /// Status.
    pub status: ServiceProductStatus,
    /// Shown on the bill.
    pub description: Option<String>,
}

/// A customer as the billing system has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRecord {
    /// Its id there.
    pub id: RevCustomerId,
    /// Company name, else first and last name, from the billing, then service, then listing address.
    pub name: String,
    /// Account number.
    pub account_number: Option<String>,
    /// Whether it was closed.
    pub is_closed: bool,
    /// When it was changed last.
    pub updated_at: Option<DateTime<Utc>>,
}

/// A product of the billing system's catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRecord {
    /// Its id there.
    pub id: i64,
    /// Description.
    pub description: String,
    /// Whether it may be ordered.
    pub is_active: bool,
}

/// A package of the billing system's catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageRecord {
    /// Its id there.
    pub id: i64,
    /// Description.
    pub description: String,
    /// Whether it may be ordered.
    pub is_active: bool,
    /// How many products it brings.
    pub products: usize,
}

/// A provider of the billing system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRecord {
    /// Its id there.
    pub id: i64,
    /// Description.
    pub description: String,
    /// Whether it may be ordered.
    pub is_active: bool,
}

/// A service type of the billing system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceTypeRecord {
    /// Its id there.
    pub id: i64,
    /// Description.
    pub description: String,
    /// Whether it may be ordered.
    pub is_active: bool,
}

/// What services can be made of: what may be ordered, by description.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// Service types.
    pub service_types: Vec<Offer>,
    /// Providers.
    pub providers: Vec<Offer>,
    /// Packages that bring products.
    pub packages: Vec<Offer>,
    /// Products.
    pub products: Vec<Offer>,
}

/// Something that may be ordered from a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offer {
    /// What it is called there.
    pub description: String,
    /// Its id there.
    pub id: i64,
}
