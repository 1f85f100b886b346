//! Which steps an order asks for, and in which order (section 6).

use crate::facts::Holds;
use crate::order::{Effect, StoredOrder};
use crate::terms::Step;

/// The steps of an order, in the order in which they are done. What the order does not ask for is left out.
#[must_use]
pub fn steps_of(order: &StoredOrder) -> Vec<Step> {
    let mut steps = Vec::new();
    if order.rev_service().is_some() {
        steps.push(Step::RevService);
    }
    steps.extend(carrier_step(order));
    if order.assignment().is_some() {
        steps.push(Step::Assignment);
    }
    if order.plan().is_some() {
        steps.push(Step::CustomerRatePlan);
    }
    steps
}

/// The step that calls the carrier, if one does.
#[must_use]
pub fn carrier_step(order: &StoredOrder) -> Option<Step> {
    match order {
        StoredOrder::StatusUpdate(_) => Some(Step::CarrierStatus),
        _ => order.carrier_account().map(|_| Step::CarrierRatePlan),
    }
}

/// The steps that an order asks for as it was read, in the order in which they would be done: none for an activation, which is one call
/// of the carrier's own (B9.3).
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
        Effect::StatusUpdate(_) => vec![Step::CarrierStatus],
        Effect::NewServiceActivation(_) => Vec::new(),
    }
}

/// The effects by which an order's open rows hold their lines (rule 6).
#[must_use]
pub fn holds_of(order: &StoredOrder) -> Holds {
    let own = match order {
        StoredOrder::CustomerAssignment(_) | StoredOrder::CustomerRatePlanChange(_) => Holds::CUSTOMER_AND_PLAN,
        StoredOrder::CarrierRatePlanChange(_) | StoredOrder::StatusUpdate(_) => Holds::NONE,
    };
    if order.carrier_account().is_some() { own.and(Holds::CARRIER) } else { own }
}
