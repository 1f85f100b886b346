//! Records as they stand in answers.

use serde_json::{Value, json};

use super::super::text::{day_in_answer, moment_in_answer, number_in_answer};
use super::{Address, Customer, Listed, Package, PackageProduct, Product, Service, ServiceProduct};

impl Address {
    fn json(&self) -> Value {
        json!({ "company_name": self.company_name, "first_name": self.first_name, "last_name": self.last_name })
    }
}

impl Customer {
    pub(in crate::revio) fn json(&self) -> Value {
        json!({
            "customer_id": self.customer_id,
            "parent_customer_id": self.parent_customer_id,
            "account_number": self.account_number,
            "status": if self.close_date.is_some() { "CLOSED" } else { "OPEN" },
            "suspended": self.suspended,
            "close_date": day_in_answer(self.close_date),
            "billing_address": self.billing_address.json(),
            "service_address": self.service_address.json(),
            "listing_address": self.listing_address.json(),
            "finance": { "bill_profile_id": 1 },
            "updated_date": moment_in_answer(self.updated_date),
        })
    }
}

impl Service {
    pub(in crate::revio) fn json(&self) -> Value {
        json!({
            "service_id": self.service_id,
            "customer_id": self.customer_id,
            "provider_id": self.provider_id,
            "service_type_id": self.service_type_id,
            "package_id": self.package_id,
            "usage_plan_group_id": self.usage_plan_group_id,
            "number": self.number,
            "number2": self.number2,
            "description": self.description,
            "address_id": self.address_id,
            "activated_date": day_in_answer(self.activated_date),
            "disconnected_date": day_in_answer(self.disconnected_date),
            "created_date": moment_in_answer(self.created_date),
            "updated_date": moment_in_answer(self.updated_date),
        })
    }
}

impl ServiceProduct {
    pub(in crate::revio) fn json(&self) -> Value {
        json!({
            "service_product_id": self.service_product_id,
            "customer_id": self.customer_id,
            "service_id": self.service_id,
            "product_id": self.product_id,
            "package_id": self.package_id,
            "description": self.description,
            "rate": number_in_answer(self.rate),
            "quantity": number_in_answer(self.quantity),
            "status": self.status.name(),
            "activated_date": day_in_answer(self.activated_date),
            "effective_date": day_in_answer(self.effective_date),
            "disconnected_date": day_in_answer(self.disconnected_date),
            "created_date": moment_in_answer(self.created_date),
            "updated_date": moment_in_answer(self.updated_date),
        })
    }
}

impl Product {
    pub(in crate::revio) fn json(&self) -> Value {
        json!({
            "product_id": self.product_id,
            "description": self.description,
            "rate": number_in_answer(self.rate),
            "active": self.active,
            "creates_order": self.creates_order,
            "prorates": true,
        })
    }
}

impl Package {
    pub(in crate::revio) fn json(&self) -> Value {
        json!({
            "package_id": self.package_id,
            "provider_id": self.provider_id,
            "service_type_id": self.service_type_id,
            "description": self.description,
            "active": self.active,
        })
    }
}

impl PackageProduct {
    pub(in crate::revio) fn json(&self) -> Value {
        json!({
            "package_product_id": self.package_product_id,
            "package_id": self.package_id,
            "product_id": self.product_id,
            "rate": number_in_answer(self.rate),
            "quantity": number_in_answer(self.quantity),
        })
    }
}

impl Listed {
    /// With the name that its id has on the wire.
    pub(in crate::revio) fn json(&self, id: &str) -> Value {
        json!({ id: self.id, "description": self.description, "active": self.active })
    }
}
