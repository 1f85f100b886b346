//! Steps that a person must settle (B4.6 rule 6): those of rows that ended without anybody knowing what was done.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use lineshift_domain::facts::Holds;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, RevCustomerId, RevServiceId, RevServiceProductId, TenantId};
use lineshift_domain::log_text::{LogText, entry};
use lineshift_domain::terms::{DeviceChangeStatus, Step, StepState};
use lineshift_store::billing::{Disconnected, Looked, OutsideLog, Settlement, StepRecord, UnsettledFilter, UnsettledStep};
use lineshift_store::paging::Listed;
use lineshift_store::{Result, StoreError};

use super::services;
use super::steps::{read_step, write_logs, write_steps};
use crate::engine::Sql;
use crate::json::json;
use crate::reach::limits;
use crate::row::page_limit;
use crate::sql::billing as text;
use crate::value::Parameter;

/// Whether nobody knows what the step did, or its undo failed.
const fn is_unknown(state: StepState) -> bool {
    matches!(state, StepState::Intended | StepState::Ambiguous | StepState::Waiting | StepState::Stuck)
}

/// The steps of a row that are to be settled: the unknown ones, or, if each is known, those that are done.
fn unsettled(steps: Vec<StepRecord>) -> Vec<StepRecord> {
    let any_unknown = steps.iter().any(|step| is_unknown(step.state));
    let wanted = |step: &StepRecord| if any_unknown { is_unknown(step.state) } else { step.state == StepState::Done };
    steps.into_iter().filter(wanted).collect()
}

/// A page of rows with all their steps, in two statements.
pub(super) fn list(
    sql: &Sql<'_>,
    tenant: TenantId,
    filter: &UnsettledFilter,
    after: Option<DeviceChangeId>,
    limit: usize,
) -> Result<Listed<UnsettledStep, DeviceChangeId>> {
    let (limit, surplus) = page_limit(limit);
    let after = after.map_or(i64::MIN, |id| id.0);
    // What is left out is left out of the statement: not even the end of a page tells of it.
    let ordered_by = filter.ordered_by.map_or(0, |by| by.0);
    let portals = json(&filter.portals.iter().map(|portal| portal.number()).collect::<Vec<_>>())?;
    let [customers, sites, providers] = limits(&filter.reach);
    let parameters: [&dyn Parameter; 8] = [&tenant.0, &after, &surplus, &ordered_by, &portals, &customers, &sites, &providers];
    let rows = sql.query(text::LIST_UNSETTLED_ROWS, &parameters, |row| {
        Ok((DeviceChangeId(row.get(0)?), BulkChangeId(row.get(1)?), row.get::<Option<String>>(2)?.unwrap_or_default()))
    })?;
    let Listed { items: rows, next } = Listed::from_surplus(rows, limit, |(id, ..)| *id);
    let ids = json(&rows.iter().map(|(id, ..)| id.0).collect::<Vec<_>>())?;
    let mut steps: HashMap<DeviceChangeId, Vec<StepRecord>> = HashMap::new();
    for step in sql.query(text::LIST_STEPS_OF_ROWS, &[&tenant.0, &ids], read_step)? {
        steps.entry(step.device_change_id).or_default().push(step);
    }
    let of_row = |(id, bulk_change_id, line): (DeviceChangeId, BulkChangeId, String)| {
        let records = unsettled(steps.remove(&id).unwrap_or_default());
        records.into_iter().map(move |record| UnsettledStep { bulk_change_id, line: line.clone(), record })
    };
    Ok(Listed { items: rows.into_iter().flat_map(of_row).collect(), next })
}

/// A row that a person settles.
struct SettledRow {
    change: i64,
    attempt: i64,
    status: DeviceChangeStatus,
    holds: i64,
    portal: i64,
    customer: Option<RevCustomerId>,
    line: String,
}

fn find_row(sql: &Sql<'_>, tenant: TenantId, id: DeviceChangeId) -> Result<SettledRow> {
    let found = sql.find(text::FIND_ROW, &[&tenant.0, &id.0], |row| {
        Ok(SettledRow {
            change: row.get(0)?,
            attempt: row.get(1)?,
            status: row.term(2)?,
            holds: row.get(3)?,
            portal: row.get(4)?,
            customer: row.get::<Option<i64>>(5)?.map(RevCustomerId),
            line: row.get::<Option<String>>(6)?.unwrap_or_default(),
        })
    })?;
    found.ok_or_else(|| StoreError::not_found("device change", id))
}

/// What a person says of a row.
pub(super) struct Said {
    pub(super) settlement: Settlement,
    /// What they had before them when they said it.
    pub(super) looked: Looked,
    pub(super) by: String,
}

/// Settles what is unsettled of a row that ended in ERROR; the row lets go of its line.
pub(super) fn settle(sql: &Sql<'_>, tenant: TenantId, id: DeviceChangeId, said: &Said, now: DateTime<Utc>) -> Result<()> {
    let Said { settlement: how, looked, by } = said;
    // Of two who settle it at the same time the second must find it settled.
    sql.query(text::LOCK_ROW, &[&tenant.0, &id.0], |_| Ok(()))?;
    let row = find_row(sql, tenant, id)?;
    let conflict = |message: String| Err(StoreError::Conflict { message });
    if row.status != DeviceChangeStatus::Error {
        return conflict(format!("device change {id} is {}; only one that ended in ERROR can be settled", row.status));
    }
    let all = sql.query(text::LIST_STEPS, &[&tenant.0, &id.0], read_step)?;
    if row.holds & Holds::OUTCOME_UNKNOWN.0 == 0 && !all.iter().any(|step| is_unknown(step.state)) {
        return conflict(format!("nothing of device change {id} is unsettled"));
    }
    let is_another = looked.attempt.is_some_and(|attempt| attempt != row.attempt);
    if is_another || looked.steps_at.is_some_and(|at| all.iter().map(|step| step.at).max() != Some(at)) {
        return conflict(format!(
            "device change {id} is in attempt {} by now, or its steps were written anew; look at it again, then say what stands",
            row.attempt
        ));
    }
    let settled = settled_steps(all, how, by, now);
    if *how == Settlement::Gone
        && let Some(customer) = row.customer
    {
        disconnect(sql, tenant, customer, &settled, now)?;
    }
    write_steps(sql, tenant.0, &settled)?;
    sql.execute(text::RELEASE_ROW, &[&tenant.0, &id.0])?;
    let log = OutsideLog {
        device_change_id: id,
        attempt: row.attempt,
        entry: entry::SETTLED,
        text: LogText::Settled.into(),
        request: format!("Settle\n{}", row.line),
        response: sentence(how, &places(&settled), by),
        error: None,
    };
    write_logs(sql, (tenant.0, row.change, row.portal), &[log], now)
}

fn sentence(how: &Settlement, place: &str, by: &str) -> String {
    match how {
        Settlement::Stands(Some(external_id)) if place.starts_with(BILLED) => {
            format!("stands {place} as {external_id}, says {by}")
        }
        Settlement::Stands(_) => format!("stands {place}, says {by}"),
        Settlement::Gone => format!("does not stand {place}, says {by}"),
    }
}

const BILLED: &str = "in the billing system";

/// Where it is that a step stands, or does not.
const fn place(step: Step) -> &'static str {
    if matches!(step, Step::RevService) { BILLED } else { "at the carrier" }
}

/// Where all of the steps stand, the billing system first.
fn places(steps: &[StepRecord]) -> String {
    let mut places: Vec<&str> = steps.iter().map(|step| place(step.step)).collect();
    places.sort_unstable_by_key(|place| *place != BILLED);
    places.dedup();
    places.join(" and ")
}

/// The steps as they stand once settled. With a service that is gone all that was charged on it is gone.
fn settled_steps(all: Vec<StepRecord>, how: &Settlement, by: &str, now: DateTime<Utc>) -> Vec<StepRecord> {
    let done: Vec<StepRecord> = all.iter().filter(|step| step.state == StepState::Done).cloned().collect();
    let mut settled = unsettled(all);
    let service_is_gone = *how == Settlement::Gone && settled.iter().any(|step| step.step == Step::RevService && step.part == 0);
    if service_is_gone {
        let known = |step: &StepRecord| settled.iter().any(|other| (other.step, other.part) == (step.step, step.part));
        let charged: Vec<StepRecord> = done.into_iter().filter(|step| step.step == Step::RevService && !known(step)).collect();
        settled.extend(charged);
    }
    for step in &mut settled {
        match how {
            Settlement::Stands(external_id) => {
                step.state = StepState::Done;
                // What is given is the billing system's: a carrier's parts keep what they have.
                if let (Step::RevService, 0, Some(id)) = (step.step, step.part, external_id) {
                    step.external_id = Some(id.to_string());
                }
            }
            Settlement::Gone => step.state = StepState::Reverted,
        }
        step.code = None;
        step.unknown_since = None;
        step.outcome = Some(sentence(how, place(step.step), by));
        step.at = now;
    }
    settled
}

/// What is stored of services and products that are gone must not count as billed any more (rules 7 and 8).
fn disconnect(sql: &Sql<'_>, tenant: TenantId, customer: RevCustomerId, gone: &[StepRecord], now: DateTime<Utc>) -> Result<()> {
    let of_service = || gone.iter().filter(|step| step.step == Step::RevService);
    let services: Vec<Disconnected> = of_service()
        .filter(|step| step.part == 0)
        .filter_map(|step| {
            let rev_service_id = RevServiceId(step.external_number()?);
            let by = Some(step.device_change_id);
            Some(Disconnected { rev_customer_id: customer, rev_service_id, on: now.date_naive(), by })
        })
        .collect();
    let products: Vec<(RevCustomerId, RevServiceProductId)> = of_service()
        .filter(|step| step.part > 0)
        .filter_map(|step| Some((customer, RevServiceProductId(step.external_number()?))))
        .collect();
    services::disconnect(sql, tenant, &services, now)?;
    services::disconnect_products(sql, tenant, &products, now)
}
