//! What several scenarios order.

use lineshift_domain::order::{AssignmentOrder, CustomerRatePlanOrder, Effect, EffectiveDate, Order, PlanValues, Setting};
use lineshift_engine::{EngineError, Submission};
use lineshift_store::bulk_changes::{BulkChangeView, IdempotencyClaim};
use lineshift_testkit::operator::{Operator, iccid};

/// When queued plans fall due.
pub(crate) const DUE: &str = "2026-12-24T12:00:00Z";

/// A minute after.
pub(crate) const PAST_DUE: &str = "2026-12-24T12:01:00Z";

/// And another, past every lease taken then.
pub(crate) const LONG_PAST_DUE: &str = "2026-12-24T12:02:00Z";

/// To the AMOP customer and on the first plan.
pub(crate) fn assignment_with_plan(operator: &Operator, lines: impl IntoIterator<Item = u64>) -> Order {
    let effect = Effect::CustomerAssignment(AssignmentOrder {
        site_id: Some(operator.amop_site),
        customer_rate_plan: Some(operator.plan_order(operator.plan).values),
        ..AssignmentOrder::default()
    });
    operator.order(lines.into_iter().map(iccid), effect)
}

/// To the first plan, on its date.
pub(crate) fn scheduled(operator: &Operator, lines: impl IntoIterator<Item = u64>) -> Order {
    let order = CustomerRatePlanOrder {
        values: PlanValues { plan: Setting::Set(operator.plan), ..PlanValues::default() },
        effective_date: Some(EffectiveDate::Instant(DUE.parse().expect("a moment"))),
        replace_scheduled: false,
    };
    operator.order(lines.into_iter().map(iccid), Effect::CustomerRatePlanChange(order))
}

/// The key under which a request is repeated.
pub(crate) fn key(operator: &Operator) -> IdempotencyClaim {
    IdempotencyClaim { caller: operator.caller.principal, key: "order-1".to_owned(), body_hash: [1; 32] }
}

/// Submits under [`key`]; answers the body that the client got, or the code of the refusal.
pub(crate) async fn submit_with_key(operator: &Operator, order: Order) -> Result<String, String> {
    match operator.engine.submit(&operator.caller, order, Some(key(operator))).await {
        Ok(Submission::Stored(submitted)) => Ok(submitted.answer()),
        Ok(Submission::Repeated(answer)) => Ok(answer),
        Err(EngineError::Refused(refusal)) => Err(refusal.problems[0].code.clone()),
        Err(EngineError::Store(error)) => panic!("{error:?}"),
    }
}

/// The refusal's code, if the call was refused.
pub(crate) fn refused<T>(answer: Result<T, EngineError>) -> Option<String> {
    match answer {
        Ok(_) => None,
        Err(EngineError::Refused(refusal)) => Some(refusal.problems[0].code.clone()),
        Err(EngineError::Store(error)) => panic!("{error:?}"),
    }
}

/// The latest change.
pub(crate) async fn latest(operator: &Operator) -> Option<BulkChangeView> {
    let listed = operator.store.list_bulk_changes(operator.tenant(), operator.caller.principal, None, 1).await.expect("changes");
    listed.items.into_iter().next()
}
