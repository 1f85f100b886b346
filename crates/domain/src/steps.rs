//! Which steps an order asks for, and in which order (section 6).

use crate::facts::Holds;
use crate::order::StoredOrder;
use crate::terms::Step;

/// The steps of an order, in the order in which they are done. What the order does not ask for is left out.
#[must_use]
pub fn steps_of(order: &StoredOrder) -> Vec<Step> {
    let mut steps = Vec::new();
    if order.assignment().is_some() {
        steps.push(Step::Assignment);
    }
    if order.plan().is_some() {
        steps.push(Step::CustomerRatePlan);
    }
    steps
}

/// The effects by which an order's open rows hold their lines (rule 6).
#[must_use]
pub const fn holds_of(_order: &StoredOrder) -> Holds {
    Holds::CUSTOMER_AND_PLAN
}
