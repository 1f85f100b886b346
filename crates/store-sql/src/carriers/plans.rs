//! The plans of carriers' catalogues.

use std::collections::HashSet;

use lineshift_domain::ids::{ServiceProviderId, TenantId};
use lineshift_store::Result;
use lineshift_store::catalogue::{CarrierRatePlan, References};
use lineshift_store::sql::carriers as text;

use super::missing;
use crate::engine::Sql;
use crate::json::json;
use crate::row::Row;
use crate::sql::carriers as tuned;

/// Plans of one name that are looked at: more than a carrier gives the same name.
const PLANS_OF_A_NAME: i64 = 100;

pub(super) fn read_plan(row: &Row<'_>) -> Result<CarrierRatePlan> {
    Ok(CarrierRatePlan { code: row.get(0)?, name: row.get(1)?, is_active: row.get(2)? })
}

/// The plan that an order names, by code or name, of the provider that it names.
pub(crate) fn find_plan(sql: &Sql<'_>, tenant: TenantId, references: &References) -> Result<Option<CarrierRatePlan>> {
    let (Some(provider), Some(named)) = (references.service_provider_id, &references.carrier_rate_plan) else { return Ok(None) };
    let by_code = sql.find(text::FIND_PLAN_BY_CODE, &[&tenant.0, &provider.0, named], read_plan)?;
    if by_code.is_some() {
        return Ok(by_code);
    }
    let named = sql.query(text::LIST_PLANS_BY_NAME, &[&tenant.0, &provider.0, named, &PLANS_OF_A_NAME], read_plan)?;
    Ok(only_one(named))
}

/// Whether a provider's plan of that code is active; one that is not there is not.
pub(crate) fn is_plan_active(sql: &Sql<'_>, tenant: TenantId, provider: ServiceProviderId, code: &str) -> Result<bool> {
    let is_active = sql.find(text::IS_PLAN_ACTIVE, &[&tenant.0, &provider.0, &code], |row| row.get(0))?;
    Ok(is_active.unwrap_or(false))
}

/// The only active plan of a name, or the only one: which of several was meant nobody knows.
fn only_one(mut plans: Vec<CarrierRatePlan>) -> Option<CarrierRatePlan> {
    if plans.iter().any(|plan| plan.is_active) {
        plans.retain(|plan| plan.is_active);
    }
    if plans.len() == 1 { plans.pop() } else { None }
}

pub(super) fn upsert(sql: &Sql<'_>, tenant: TenantId, provider: ServiceProviderId, plans: &[CarrierRatePlan]) -> Result<u64> {
    if sql.find(text::FIND_KIND, &[&tenant.0, &provider.0], |_| Ok(()))?.is_none() {
        return Err(missing(provider));
    }
    if plans.is_empty() {
        return Ok(0);
    }
    let count = i64::try_from(plans.len()).unwrap_or(i64::MAX);
    let first = sql.reserve_ids(tenant, "carrier_rate_plan", count)?;
    let given = json(&plans.iter().map(|plan| (&plan.code, &plan.name, i64::from(plan.is_active))).collect::<Vec<_>>())?;
    let ids: HashSet<i64> = sql
        .query(tuned::UPSERT_CARRIER_RATE_PLANS, &[&tenant.0, &given, &first, &provider.0], |row| row.get(0))?
        .into_iter()
        .collect();
    Ok(ids.into_iter().filter(|id| (first..first + count).contains(id)).count() as u64)
}
