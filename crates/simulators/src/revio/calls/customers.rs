//! Customers.

use super::super::ledger::Customer;
use super::{Refusal, Success, Work, passes, resource, text};

/// `GET /Customers`
pub(super) fn list(work: &Work<'_>) -> Result<Success, Refusal> {
    let (ids, accounts) = (work.ids("customer_id"), work.texts("account_number"));
    let since = work.call.query.text("updated_date").and_then(text::day);
    let wanted = |customer: &&Customer| {
        let account = customer.account_number.clone().unwrap_or_default();
        passes(ids.as_deref(), &customer.customer_id)
            && passes(accounts.as_deref(), &account)
            && since.is_none_or(|since| customer.updated_date.date_naive() >= since)
    };
    Ok(work.page(work.ledger.customers.values().filter(wanted), Customer::json))
}

/// `GET /Customers/{customer_id}`
pub(super) fn get(work: &Work<'_>) -> Result<Success, Refusal> {
    resource(work.call.id().and_then(|id| work.ledger.customers.get(&id)).map(Customer::json))
}
