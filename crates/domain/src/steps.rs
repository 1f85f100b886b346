//! Which steps an order asks for, and in which order (section 6).

use crate::facts::Holds;
use crate::order::{Effect, StoredOrder};
use crate::terms::Step;

/// The steps of an order, in the order in which they are done. What the order does not ask for is left out.
#[must_use]
pub fn steps_of(order: &StoredOrder) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Some(assignment) = order.assignment() {
        if assignment.rev_service.is_some() {
            steps.push(Step::RevService);
        }
        steps.push(Step::Assignment);
    }
    if order.plan().is_some() {
        steps.push(Step::CustomerRatePlan);
    }
    steps
}

/// The steps that an order asks for as it was read, in the order in which they would be done: none for the types whose
/// one effect is a call of the carrier's own (B9).
#[must_use]
pub fn steps_asked(effect: &Effect) -> Vec<Step> {
    match effect {
        Effect::CustomerAssignment(order) => [
            (order.rev_service.is_some(), Step::RevService),
            (order.carrier_rate_plan.is_some(), Step::CarrierRatePlan),
            (true, Step::Assignment),
            (order.customer_rate_plan.is_some(), Step::CustomerRatePlan),
        ]
        .into_iter()
        .filter_map(|(asked, step)| asked.then_some(step))
        .collect(),
        Effect::CustomerRatePlanChange(_) => vec![Step::CustomerRatePlan],
        Effect::CarrierRatePlanChange(_) => vec![Step::CarrierRatePlan],
        Effect::StatusUpdate(_) | Effect::NewServiceActivation(_) => Vec::new(),
    }
}

/// The effects by which an order's open rows hold their lines (rule 6).
#[must_use]
pub const fn holds_of(_order: &StoredOrder) -> Holds {
    Holds::CUSTOMER_AND_PLAN
}
