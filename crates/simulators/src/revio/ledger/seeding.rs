//! Filling the ledger, and changing it while the simulator runs.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::super::RevioSimulator;
use super::{Address, Customer, Listed, Package, PackageProduct, Product, Service, ServiceProduct};

/// What is there is replaced. All of it holds from the next call on.
impl RevioSimulator {
    /// A customer that is a company.
    pub fn with_customer(&self, id: i64, company: &str) -> &Self {
        let now = self.now();
        let address = Address { company_name: Some(company.to_owned()), ..Address::default() };
        self.with_customer_record(Customer {
            customer_id: id,
            parent_customer_id: None,
            account_number: Some(id.to_string()),
            suspended: false,
            close_date: None,
            billing_address: address,
            service_address: Address::default(),
            listing_address: Address::default(),
            updated_date: now,
        })
    }

    /// A customer as given.
    pub fn with_customer_record(&self, customer: Customer) -> &Self {
        self.state().ledger.customers.insert(customer.customer_id, customer);
        self
    }

    /// Closes a customer: from now on it takes no orders.
    pub fn close_customer(&self, id: i64, on: NaiveDate) -> &Self {
        let now = self.now();
        if let Some(customer) = self.state().ledger.customers.get_mut(&id) {
            customer.close_date = Some(on);
            customer.updated_date = now;
        }
        self
    }

    /// A product that is billed as soon as it is ordered.
    pub fn with_product(&self, id: i64, description: &str) -> &Self {
        let description = description.to_owned();
        self.with_product_record(Product { product_id: id, description, rate: None, active: true, creates_order: false })
    }

    /// A product as given.
    pub fn with_product_record(&self, product: Product) -> &Self {
        self.state().ledger.products.insert(product.product_id, product);
        self
    }

    /// From now on the product cannot be ordered.
    pub fn deactivate_product(&self, id: i64) -> &Self {
        if let Some(product) = self.state().ledger.products.get_mut(&id) {
            product.active = false;
        }
        self
    }

    /// A package that brings those products, one of each at that rate.
    pub fn with_package(&self, id: i64, description: &str, products: &[(i64, Decimal)]) -> &Self {
        let mut state = self.state();
        let ledger = &mut state.ledger;
        let package = Package {
            package_id: id,
            provider_id: None,
            service_type_id: None,
            description: description.to_owned(),
            active: true,
        };
        ledger.packages.insert(id, package);
        ledger.package_products.retain(|_, product| product.package_id != id);
        for (product_id, rate) in products {
            let package_product_id = ledger.package_products.last_key_value().map_or(1, |(last, _)| last + 1);
            let (rate, quantity) = (Some(*rate), Some(Decimal::ONE));
            let product = PackageProduct { package_product_id, package_id: id, product_id: *product_id, rate, quantity };
            ledger.package_products.insert(package_product_id, product);
        }
        drop(state);
        self
    }

    /// From now on the package cannot be ordered.
    pub fn deactivate_package(&self, id: i64) -> &Self {
        if let Some(package) = self.state().ledger.packages.get_mut(&id) {
            package.active = false;
        }
        self
    }

    /// A provider.
    pub fn with_provider(&self, id: i64, description: &str) -> &Self {
        self.state().ledger.providers.insert(id, listed(id, description));
        self
    }

    /// A service type.
    pub fn with_service_type(&self, id: i64, description: &str) -> &Self {
        self.state().ledger.service_types.insert(id, listed(id, description));
        self
    }

    /// A usage plan group.
    pub fn with_usage_plan_group(&self, id: i64, description: &str) -> &Self {
        self.state().ledger.usage_plan_groups.insert(id, listed(id, description));
        self
    }

    /// A bill profile.
    pub fn with_bill_profile(&self, id: i64, description: &str) -> &Self {
        self.state().ledger.bill_profiles.insert(id, listed(id, description));
        self
    }

    /// A service as if somebody else had made it; answers its id.
    pub fn add_service(&self, service: Service) -> i64 {
        self.state().ledger.add_service(service)
    }

    /// A service product as if somebody else had made it; answers its id.
    pub fn add_service_product(&self, product: ServiceProduct) -> i64 {
        self.state().ledger.add_service_product(product)
    }

    /// Disconnects a service as if somebody else had done it.
    pub fn disconnect_service(&self, id: i64, on: NaiveDate) -> &Self {
        let now = self.now();
        self.state().ledger.disconnect_service(id, on, now);
        self
    }

    /// Takes a service with its products out of the ledger, as if it had never been there.
    pub fn remove_service(&self, id: i64) -> &Self {
        let mut state = self.state();
        state.ledger.services.remove(&id);
        state.ledger.service_products.retain(|_, product| product.service_id != id);
        drop(state);
        self
    }

    /// Takes a service product out of the ledger.
    pub fn remove_service_product(&self, id: i64) -> &Self {
        self.state().ledger.service_products.remove(&id);
        self
    }

    /// Disconnects a service product as if somebody else had done it.
    pub fn disconnect_service_product(&self, id: i64, on: NaiveDate) -> &Self {
        let now = self.now();
        if let Some(product) = self.state().ledger.service_products.get_mut(&id) {
            product.disconnect(on, now);
        }
        self
    }

    /// Providers, service types, products and packages to play with, and customers 1 to `customers`.
    pub fn with_examples(&self, customers: u32) -> &Self {
        for id in 1..=i64::from(customers) {
            self.with_customer(id, &format!("Customer {id}"));
        }
        self.with_provider(1, "Wireless").with_provider(42, "Wireless, several carriers");
        self.with_service_type(1, "Mobile data").with_service_type(6, "Mobile data, machines");
        self.with_usage_plan_group(1, "Standard usage").with_bill_profile(1, "Monthly");
        for (id, description) in [(5_011, "Sensor 50 MB"), (5_012, "Sensor 250 MB"), (5_013, "Static address")] {
            self.with_product(id, description);
        }
        let package = [(5_011, Decimal::new(250, 2)), (5_013, Decimal::new(100, 2))];
        self.with_package(7, "Sensor with a static address", &package).with_package(8, "Nothing yet", &[])
    }
}

fn listed(id: i64, description: &str) -> Listed {
    Listed { id, description: description.to_owned(), active: true }
}
