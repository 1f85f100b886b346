//! Customers: looked up one by one, and listed as they change.

use chrono::NaiveDate;
use lineshift_domain::ids::RevCustomerId;

use super::RevioBilling;
use super::answers::{list_all, list_page};
use super::wire::Customer;
use crate::Called;
use crate::billing::{Batch, CustomerRecord};

const RESOURCE: &str = "/Customers";

impl RevioBilling {
    pub(super) async fn customer(&self, id: RevCustomerId) -> Called<Option<CustomerRecord>> {
        self.customers.find(id.0, self.endpoint.account().clock(), || self.read_customer(id)).await
    }

    async fn read_customer(&self, id: RevCustomerId) -> Called<Option<CustomerRecord>> {
        let customer_id = id.to_string();
        let filters = [("customer_id", customer_id.as_str())];
        let today = self.today();
        let called = list_all(&self.endpoint, RESOURCE, &filters, |customer: Customer| customer.into_record(today)).await;
        called.map(|customers| customers.into_iter().find(|customer| customer.id == id))
    }

    pub(super) async fn customers_page(&self, changed_since: Option<NaiveDate>, page: u32) -> Called<Batch<CustomerRecord>> {
        let filter = changed_since.map(|day| self.open_points.customers_changed_since(day));
        let filters: Vec<(&str, &str)> = filter.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let today = self.today();
        let called = list_page(&self.endpoint, RESOURCE, &filters, page, |customer: Customer| customer.into_record(today)).await;
        called.map(|mut batch| {
            // Customers without a date may have changed.
            let is_before = |customer: &CustomerRecord| {
                changed_since.zip(customer.updated_at).is_some_and(|(day, updated_at)| updated_at.date_naive() < day)
            };
            batch.records.retain(|customer| !is_before(customer));
            batch
        })
    }

    /// The day in UTC: dates of closing are days without a zone.
    fn today(&self) -> NaiveDate {
        self.endpoint.account().clock().now().date_naive()
    }
}
