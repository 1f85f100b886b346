//! The steps that call outside: what is known of each part, written many rows at a time under the page's claim.

use chrono::{DateTime, Utc};
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::log_text::PROCESS_BY;
use lineshift_domain::terms::Step;
use lineshift_store::billing::{OutsideLog, PlansBefore, StepBatch, StepRecord};
use lineshift_store::work::PageClaim;
use lineshift_store::{Result, StoreError};

use super::services;
use crate::carriers;
use crate::engine::Sql;
use crate::json::json;
use crate::row::{Row, micros, month};
use crate::sql::billing as text;
use crate::work::{epoch_of, lease_lost};

/// Reads the columns of a step, which must stand first.
pub(crate) fn read_step(row: &Row<'_>) -> Result<StepRecord> {
    Ok(StepRecord {
        device_change_id: DeviceChangeId(row.get(0)?),
        step: row.term(1)?,
        part: row.get(2)?,
        state: row.term(3)?,
        attempt: row.get(4)?,
        calls: row.get(5)?,
        request_key: row.get(6)?,
        external_id: row.get(7)?,
        adopted: row.get(8)?,
        code: row.maybe_term(9)?,
        outcome: row.get(10)?,
        unknown_since: row.maybe_time(11)?,
        at: row.time(12)?,
        before: read_before(row)?,
    })
}

/// The plans before a carrier's act; other steps have none.
fn read_before(row: &Row<'_>) -> Result<Option<PlansBefore>> {
    if row.term::<Step>(1)? == Step::RevService {
        return Ok(None);
    }
    Ok(Some(PlansBefore { rate_plan: row.get(13)?, comm_plan: row.get(14)? }))
}

/// Writes a batch if the claim still holds: at most twenty statements, whatever the number of rows.
pub(super) fn record(sql: &Sql<'_>, claim: &PageClaim, batch: &StepBatch, now: DateTime<Utc>) -> Result<()> {
    let rows = batch.steps.iter().map(|step| step.device_change_id).chain(batch.logs.iter().map(|log| log.device_change_id));
    let rows = rows.chain(batch.carrier_lines.iter().map(|line| line.by));
    if let Some(stray) = rows.into_iter().find(|row| !(claim.from_id..=claim.to_id).contains(row)) {
        return Err(StoreError::internal(format!(
            "row {stray} is not of page {} of bulk change {}",
            claim.page, claim.bulk_change_id
        )));
    }
    let (tenant, change) = (claim.tenant_id, claim.bulk_change_id.0);
    let epoch = epoch_of(sql, claim)?;
    let portal = sql.find(text::HELD_PAGE, &[&tenant.0, &change, &claim.page, &epoch], |row| row.get::<i64>(0))?;
    let portal = portal.ok_or_else(|| lease_lost(claim))?;
    write_steps(sql, tenant.0, &batch.steps)?;
    sql.procedures().create_services(sql, tenant, &batch.services, now)?;
    sql.procedures().create_products(sql, tenant, &batch.products, Some(now))?;
    services::disconnect(sql, tenant, &batch.disconnected, now)?;
    services::disconnect_products(sql, tenant, &batch.disconnected_products, now)?;
    carriers::write_lines(sql, tenant, &batch.carrier_lines, now)?;
    write_logs(sql, (tenant.0, change, portal), &batch.logs, now)
}

pub(super) fn write_steps(sql: &Sql<'_>, tenant: i64, steps: &[StepRecord]) -> Result<()> {
    if steps.is_empty() {
        return Ok(());
    }
    let given: Vec<serde_json::Value> = steps
        .iter()
        .map(|step| {
            serde_json::json!([
                step.device_change_id.0,
                step.step.as_str(),
                step.part,
                step.state.as_str(),
                step.attempt,
                step.calls,
                step.request_key,
                step.external_id,
                i64::from(step.adopted),
                step.code.map(|code| code.as_str()),
                step.outcome,
                step.unknown_since.map(micros),
                micros(step.at),
                step.before.as_ref().and_then(|before| before.rate_plan.as_deref()),
                step.before.as_ref().and_then(|before| before.comm_plan.as_deref()),
            ])
        })
        .collect();
    sql.execute(text::RECORD_STEPS, &[&tenant, &json(&given)?]).map(|_| ())
}

/// Tenant, change and portal say whose log it is.
pub(crate) fn write_logs(sql: &Sql<'_>, whose: (i64, i64, i64), logs: &[OutsideLog], now: DateTime<Utc>) -> Result<()> {
    if logs.is_empty() {
        return Ok(());
    }
    let (tenant, change, portal) = whose;
    let given: Vec<_> = logs
        .iter()
        .map(|log| (log.device_change_id.0, log.attempt, log.entry, log.text.as_str(), &log.request, &log.response, &log.error))
        .collect();
    sql.execute(text::LOG_OUTSIDE, &[&tenant, &change, &json(&given)?, &month(now), &portal, &PROCESS_BY, &micros(now)])
        .map(|_| ())
}
