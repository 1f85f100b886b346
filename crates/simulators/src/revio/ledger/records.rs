//! The records of the ledger.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use tokio::time::Instant;

/// Where a customer is, and whom the name stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Address {
    /// A company's name.
    pub company_name: Option<String>,
    /// A person's first name.
    pub first_name: Option<String>,
    /// A person's last name.
    pub last_name: Option<String>,
}

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Customer {
    /// Its id.
    pub customer_id: i64,
    /// The customer it belongs to.
    pub parent_customer_id: Option<i64>,
    /// Account number.
    pub account_number: Option<String>,
    /// Whether it is suspended.
    pub suspended: bool,
    /// Since when it is closed; a closed one takes no orders.
    pub close_date: Option<NaiveDate>,
    /// The first place to look for a name.
    pub billing_address: Address,
    /// The second.
    pub service_address: Address,
    /// The third.
    pub listing_address: Address,
    /// When it was changed last.
    pub updated_date: DateTime<Utc>,
}

/// A service: what a customer is billed for one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Its id; 0 in a service that is given to the ledger means any.
    pub service_id: i64,
    /// Customer.
    pub customer_id: i64,
    /// Provider.
    pub provider_id: i64,
    /// Service type.
    pub service_type_id: Option<i64>,
    /// The package that brought its products.
    pub package_id: Option<i64>,
    /// Usage plan group.
    pub usage_plan_group_id: Option<i64>,
    /// The subscriber number, else the device identifier.
    pub number: Option<String>,
    /// The ICCID.
    pub number2: Option<String>,
    /// Shown on the bill.
    pub description: Option<String>,
    /// Address.
    pub address_id: Option<i64>,
    /// From when it is billed.
    pub activated_date: Option<NaiveDate>,
    /// Until when; it is active while this is none.
    pub disconnected_date: Option<NaiveDate>,
    /// When it was created.
    pub created_date: DateTime<Utc>,
    /// When it was changed last.
    pub updated_date: DateTime<Utc>,
    /// When searches find it at the earliest; none: they always did.
    #[serde(skip)]
    pub(crate) found_from: Option<Instant>,
}

impl Service {
    /// An active service of a customer that has always been there.
    #[must_use]
    pub fn new(customer_id: i64, number: &str, number2: &str) -> Self {
        Self {
            service_id: 0,
            customer_id,
            provider_id: 1,
            service_type_id: None,
            package_id: None,
            usage_plan_group_id: None,
            number: Some(number.to_owned()),
            number2: Some(number2.to_owned()),
            description: None,
            address_id: None,
            activated_date: None,
            disconnected_date: None,
            created_date: DateTime::UNIX_EPOCH,
            updated_date: DateTime::UNIX_EPOCH,
            found_from: None,
        }
    }
}

/// What a service product is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ProductStatus {
    /// Ordered.
    Pending,
    /// Billed.
    Active,
    /// Refused.
    Denied,
    /// No longer billed.
    Disconnected,
}

impl ProductStatus {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Active => "ACTIVE",
            Self::Denied => "DENIED",
            Self::Disconnected => "DISCONNECTED",
        }
    }

    /// The one with that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Pending, Self::Active, Self::Denied, Self::Disconnected].into_iter().find(|status| status.name() == name)
    }

    /// Whether it is billed or about to be.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Pending | Self::Active)
    }
}

/// What is charged on a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceProduct {
    /// Its id; 0 in one that is given to the ledger means any.
    pub service_product_id: i64,
    /// Customer.
    pub customer_id: i64,
    /// Service.
    pub service_id: i64,
    /// Product.
    pub product_id: i64,
    /// The package that brought it.
    pub package_id: Option<i64>,
    /// Shown on the bill.
    pub description: Option<String>,
    /// Money a month.
    pub rate: Option<Decimal>,
    /// How many.
    pub quantity: Option<Decimal>,
    /// Status.
    pub status: ProductStatus,
    /// From when it is billed.
    pub activated_date: Option<NaiveDate>,
    /// From when the last change holds.
    pub effective_date: Option<NaiveDate>,
    /// Until when.
    pub disconnected_date: Option<NaiveDate>,
    /// When it was created.
    pub created_date: DateTime<Utc>,
    /// When it was changed last.
    pub updated_date: DateTime<Utc>,
    /// When searches find it at the earliest; none: they always did.
    #[serde(skip)]
    pub(crate) found_from: Option<Instant>,
}

impl ServiceProduct {
    /// An active product of a service that has always been there.
    #[must_use]
    pub fn new(customer_id: i64, service_id: i64, product_id: i64) -> Self {
        Self {
            service_product_id: 0,
            customer_id,
            service_id,
            product_id,
            package_id: None,
            description: None,
            rate: None,
            quantity: Some(Decimal::ONE),
            status: ProductStatus::Active,
            activated_date: None,
            effective_date: None,
            disconnected_date: None,
            created_date: DateTime::UNIX_EPOCH,
            updated_date: DateTime::UNIX_EPOCH,
            found_from: None,
        }
    }
}

impl ServiceProduct {
    /// From `on` it is billed no longer.
    pub(in crate::revio) fn disconnect(&mut self, on: NaiveDate, now: DateTime<Utc>) {
        self.status = ProductStatus::Disconnected;
        self.disconnected_date = Some(on);
        self.updated_date = now;
    }
}

/// A product of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub product_id: i64,
    /// Description.
    pub description: String,
    /// Money a month.
    pub rate: Option<Decimal>,
    /// Whether it may be ordered.
    pub active: bool,
    /// Whether it stays PENDING when it is ordered.
    pub creates_order: bool,
}

/// A package of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its id.
    pub package_id: i64,
    /// Provider.
    pub provider_id: Option<i64>,
    /// Service type.
    pub service_type_id: Option<i64>,
    /// Description.
    pub description: String,
    /// Whether it may be ordered.
    pub active: bool,
}

/// A product that a package brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageProduct {
    /// Its id.
    pub package_product_id: i64,
    /// Package.
    pub package_id: i64,
    /// Product.
    pub product_id: i64,
    /// Money a month.
    pub rate: Option<Decimal>,
    /// How many.
    pub quantity: Option<Decimal>,
}

/// What is only an id, a description and whether it may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: i64,
    /// Description.
    pub description: String,
    /// Whether it may be used.
    pub active: bool,
}
