//! What each call does once it fits the description: business rules, and the ledger.

mod catalogue;
mod customers;
mod service_products;
mod services;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::description::{BASE_PATH, Checked};
use super::ledger::Ledger;
use super::options::{OpenParts, RepeatedFilter};
use super::text;

/// A call that worked.
pub(super) struct Success {
    pub(super) status: u16,
    /// Where what was created can be read.
    pub(super) location: Option<String>,
    pub(super) body: Value,
}

/// A call that a rule of the business refuses; it changed nothing.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: String,
}

impl Refusal {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

/// A call on its way, with all it needs.
pub(super) struct Work<'w> {
    pub(super) call: &'w Checked,
    pub(super) ledger: &'w mut Ledger,
    pub(super) parts: OpenParts,
    /// For dates.
    pub(super) now: DateTime<Utc>,
    /// For what searches find.
    pub(super) instant: Instant,
    /// When searches find what this call creates.
    pub(super) found_from: Instant,
}

/// Does what the call asks for.
pub(super) fn perform(work: &mut Work<'_>) -> Result<Success, Refusal> {
    match work.call.operation.name.as_str() {
        "GET /SystemStatus" => Ok(Success { status: 200, location: None, body: json!({ "ok": true }) }),
        "GET /Customers" => customers::list(work),
        "GET /Customers/{customer_id}" => customers::get(work),
        "GET /Services" => services::list(work),
        "GET /Services/{service_id}" => services::get(work),
        "POST /Services" => services::create(work),
        "DELETE /Services" if work.parts.delete_disconnects_services => services::disconnect(work),
        "GET /ServiceProduct" => service_products::list(work),
        "GET /ServiceProduct/{service_product_id}" => service_products::get(work),
        "POST /ServiceProduct" => service_products::create(work),
        "DELETE /ServiceProduct" => service_products::disconnect(work),
        "PATCH /ServiceProduct/{service_product_id}" => service_products::change(work),
        name => catalogue::read(name, work).unwrap_or_else(|| Err(Refusal::new(405, format!("{name} is not available")))),
    }
}

impl Work<'_> {
    /// The values of a filter by id; none: it is not there.
    fn ids(&self, name: &str) -> Option<Vec<i64>> {
        self.call.query.ids(name).map(|ids| self.meant(ids))
    }

    /// The values of a filter by text; none: it is not there.
    fn texts(&self, name: &str) -> Option<Vec<String>> {
        self.call.query.texts(name).map(|texts| self.meant(texts.to_vec()))
    }

    fn meant<T>(&self, mut values: Vec<T>) -> Vec<T> {
        if self.parts.repeated_filter == RepeatedFilter::LastOnly {
            values.drain(..values.len().saturating_sub(1));
        }
        values
    }

    /// One page of records, which come in the order of their ids.
    fn page<'r, T: 'r>(&self, records: impl Iterator<Item = &'r T>, json: impl Fn(&T) -> Value) -> Success {
        let (page, size) = self.call.query.page();
        let mut rest = records.skip((page - 1).saturating_mul(size));
        let records: Vec<Value> = rest.by_ref().take(size).map(json).collect();
        let body = json!({ "ok": true, "has_more": rest.next().is_some(), "record_count": records.len(), "records": records });
        Success { status: 200, location: None, body }
    }

    /// An id of the body; none: it is absent.
    fn id(&self, name: &str) -> Option<i64> {
        // The description lets whole numbers through, also written as 5.0.
        let value = &self.call.body[name];
        value.as_i64().or_else(|| value.as_f64().map(|number| number as i64))
    }

    /// An id that the description requires.
    fn required_id(&self, name: &str) -> Result<i64, Refusal> {
        self.id(name).ok_or_else(|| Refusal::new(400, format!("body: {name} is required")))
    }

    /// A text of the body.
    fn text(&self, name: &str) -> Option<String> {
        self.call.body[name].as_str().map(str::to_owned)
    }

    /// A day of the body.
    fn day(&self, name: &str) -> Option<NaiveDate> {
        self.call.body[name].as_str().and_then(text::day)
    }

    /// Refuses a customer that is not there or takes no orders.
    fn open_customer(&self) -> Result<i64, Refusal> {
        let id = self.required_id("customer_id")?;
        match self.ledger.customers.get(&id) {
            None => Err(Refusal::new(400, format!("customer_id: customer {id} does not exist"))),
            Some(customer) if customer.close_date.is_some() => {
                Err(Refusal::new(400, format!("customer_id: customer {id} is closed")))
            }
            Some(_) => Ok(id),
        }
    }
}

/// One resource: its fields beside `ok`.
fn resource(found: Option<Value>) -> Result<Success, Refusal> {
    let mut body = found.ok_or_else(|| Refusal::new(404, "there is no such record"))?;
    body["ok"] = true.into();
    Ok(Success { status: 200, location: None, body })
}

/// What was created.
fn created(resource: &str, id: i64) -> Success {
    let location = Some(format!("{BASE_PATH}/{resource}/{id}"));
    Success { status: 201, location, body: json!({ "ok": true, "id": id }) }
}

/// What was changed.
fn changed(id: i64) -> Success {
    Success { status: 200, location: None, body: json!({ "ok": true, "id": id }) }
}

/// Whether a value passes a filter; a filter that is not there lets everything pass.
fn passes<T: PartialEq>(filter: Option<&[T]>, value: &T) -> bool {
    filter.is_none_or(|filter| filter.contains(value))
}
