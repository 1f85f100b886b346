//! What each call does once it fits the description: business rules, and the ledger.

mod catalogue;
mod customers;
mod service_products;
mod services;

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::options::RepeatedFilter;
use super::{BASE_PATH, Revio, text};
use crate::chassis;
use crate::chassis::answers::{Failure as Refusal, Success};

/// The page size when the request names none.
const DEFAULT_PAGE_SIZE: usize = 10;

/// A call on its way, with all it needs.
type Work<'w> = chassis::Work<'w, Revio>;

/// Does what the call asks for.
pub(super) fn perform(work: &mut Work<'_>) -> Result<Success, Refusal> {
    match work.call.operation.name.as_str() {
        "GET /SystemStatus" => Ok(Success::of(json!({ "ok": true }))),
        "GET /Customers" => customers::list(work),
        "GET /Customers/{customer_id}" => customers::get(work),
        "GET /Services" => services::list(work),
        "GET /Services/{service_id}" => services::get(work),
        "POST /Services" => services::create(work),
        "DELETE /Services" if work.options.open_parts.delete_disconnects_services => services::disconnect(work),
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
        if self.options.open_parts.repeated_filter == RepeatedFilter::LastOnly {
            values.drain(..values.len().saturating_sub(1));
        }
        values
    }

    /// One page of records, which come in the order of their ids.
    fn page<'r, T: 'r>(&self, records: impl Iterator<Item = &'r T>, json: impl Fn(&T) -> Value) -> Success {
        let query = &self.call.query;
        let page = query.number("page").unwrap_or(1);
        let size = query.number("page_size").unwrap_or(DEFAULT_PAGE_SIZE);
        let mut rest = records.skip((page - 1).saturating_mul(size));
        let records: Vec<Value> = rest.by_ref().take(size).map(json).collect();
        let count = records.len();
        Success::of(json!({ "ok": true, "has_more": rest.next().is_some(), "record_count": count, "records": records }))
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
    Ok(Success::of(body))
}

/// What was created.
fn created(resource: &str, id: i64) -> Success {
    let location = Some(format!("{BASE_PATH}/{resource}/{id}"));
    Success { status: 201, location, body: json!({ "ok": true, "id": id }) }
}

/// What was changed.
fn changed(id: i64) -> Success {
    Success::of(json!({ "ok": true, "id": id }))
}

/// Whether a value passes a filter; a filter that is not there lets everything pass.
fn passes<T: PartialEq>(filter: Option<&[T]>, value: &T) -> bool {
    filter.is_none_or(|filter| filter.contains(value))
}
