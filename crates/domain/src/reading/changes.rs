//! The changes that are no assignment: `CustomerRatePlanUpdate`, `CarrierRatePlanUpdate`, `StatusUpdate` (B4.3).

use super::codes;
use super::fields::{Fields, Known};
use super::forms::LONGEST_TEXT;
use super::problems::Problems;
use crate::ids::{CustomerRatePlanId, CustomerRatePoolId};
use crate::order::{CarrierRatePlanOrder, CustomerRatePlanOrder, EffectiveDate, PlanValues, Setting, StatusOrder};

const CUSTOMER_RATE_PLAN: Known =
    &[&["CustomerRatePlanId", "CustomerDataAllocationMB", "CustomerPoolId", "EffectiveDate", "ReplaceScheduled"]];
const CARRIER_RATE_PLAN: Known = &[&["CarrierRatePlan", "CommPlan", "EffectiveDate"]];
const STATUS: Known = &[&["TargetStatus", "ReasonCode"]];

/// Takes plan, pool and allocation, whose names differ from object to object (B8.4, B8.5).
pub(super) fn read_plan_values(fields: &mut Fields<'_>, plan: &str, pool: &str, problems: &mut Problems) -> PlanValues {
    PlanValues {
        plan: setting(fields.id_setting(plan, problems), CustomerRatePlanId),
        pool: setting(fields.id_setting(pool, problems), CustomerRatePoolId),
        allocation_mb: fields.amount_setting("CustomerDataAllocationMB", problems),
    }
}

fn setting<T>(read: Setting<i64>, id: fn(i64) -> T) -> Setting<T> {
    match read {
        Setting::Keep => Setting::Keep,
        Setting::Clear => Setting::Clear,
        Setting::Set(value) => Setting::Set(id(value)),
    }
}

/// Takes the carrier's plan names; the date is the caller's.
pub(super) fn read_carrier_plans(
    fields: &mut Fields<'_>,
    effective_date: Option<EffectiveDate>,
    problems: &mut Problems,
) -> CarrierRatePlanOrder {
    CarrierRatePlanOrder {
        carrier_rate_plan: fields.text("CarrierRatePlan", LONGEST_TEXT, problems),
        comm_plan: fields.text("CommPlan", LONGEST_TEXT, problems),
        effective_date,
    }
}

/// Reads `CustomerRatePlanUpdate`; none where absent.
pub(super) fn read_customer_rate_plan(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<CustomerRatePlanOrder> {
    let name = "CustomerRatePlanUpdate";
    let mut inside = fields.object(name, CUSTOMER_RATE_PLAN, problems)?;
    let before = problems.count();
    let order = CustomerRatePlanOrder {
        values: read_plan_values(&mut inside, "CustomerRatePlanId", "CustomerPoolId", problems),
        effective_date: inside.date("EffectiveDate", problems),
        replace_scheduled: inside.flag("ReplaceScheduled", false, problems).unwrap_or_default(),
    };
    if order.values.is_empty() && problems.count() == before {
        let message = "asks for nothing; give CustomerRatePlanId, CustomerPoolId or CustomerDataAllocationMB";
        fields.report(name, codes::NOTHING_WOULD_CHANGE, message, problems);
    }
    Some(order)
}

/// Reads `CarrierRatePlanUpdate`; none where absent.
pub(super) fn read_carrier_rate_plan(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<CarrierRatePlanOrder> {
    let name = "CarrierRatePlanUpdate";
    let mut inside = fields.object(name, CARRIER_RATE_PLAN, problems)?;
    let before = problems.count();
    let date = inside.date("EffectiveDate", problems);
    let order = read_carrier_plans(&mut inside, date, problems);
    if order.carrier_rate_plan.is_none() && order.comm_plan.is_none() && problems.count() == before {
        let message = "asks for nothing; give CarrierRatePlan or CommPlan";
        fields.report(name, codes::NOTHING_WOULD_CHANGE, message, problems);
    }
    Some(order)
}

/// Reads `StatusUpdate`; none where absent.
pub(super) fn read_status(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<StatusOrder> {
    let mut inside = fields.object("StatusUpdate", STATUS, problems)?;
    Some(StatusOrder {
        target_status: inside.required_text("TargetStatus", "the carrier's name of the status", problems),
        reason_code: inside.text("ReasonCode", LONGEST_TEXT, problems),
    })
}
