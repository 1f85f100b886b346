//! Open plan queue entries, each under a finished bulk change "Imported".

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, SecondsFormat, Utc};
use lineshift_domain::ids::{DeviceId, TenantId};
use lineshift_domain::order::{PlanValues, StoredOrder, StoredPlan};
use lineshift_store::Result;
use lineshift_store::import::{ImportQueueEntry, Imported};
use lineshift_store::sql::plan_queue::WORK_KIND;

use super::{Known, KnownLine, find_lines, no_line};
use crate::engine::Sql;
use crate::json::json;
use crate::plan_queue::{renew_next_due, stored_values};
use crate::row::{decimal_text, micros};
use crate::sql::{import as tuned, submission};

/// An entry to store: its place in the call, what was given, and the line.
struct Taken<'r> {
    place: usize,
    row: &'r ImportQueueEntry,
    line: KnownLine,
}

/// A bulk change is of one carrier account and one portal and names a line once, so that there is one for each pair among
/// the rows, and a further one for the second entries of lines, the third and so on. An entry that waits with the same
/// line, date and values already counts as updated and is left as it is: importing twice is importing once, and an order
/// is never overwritten.
pub(super) fn import(
    sql: &Sql<'_>,
    tenant: TenantId,
    rows: &[ImportQueueEntry],
    by: &str,
    now: DateTime<Utc>,
) -> Result<Imported> {
    let (taken, mut imported) = check(sql, tenant, rows)?;
    // Whoever stores entries holds this note until he commits: what another brought in is then there to be seen.
    sql.execute(submission::ANNOUNCE_TENANT_WORK, &[&tenant.0, &WORK_KIND, &i64::MAX])?;
    let same = find_same(sql, tenant, &taken)?;
    let mut changes: BTreeMap<(i64, i64, usize), Vec<Taken<'_>>> = BTreeMap::new();
    let mut mentions: HashMap<DeviceId, usize> = HashMap::new();
    for (nth, entry) in taken.into_iter().enumerate() {
        if same.contains(&nth) {
            imported.updated += 1;
        } else {
            imported.created += 1;
            let mention = mentions.entry(entry.line.id).or_default();
            *mention += 1;
            let change = (entry.line.service_provider_id.0, entry.row.portal.number(), *mention);
            changes.entry(change).or_default().push(entry);
        }
    }
    for ((service_provider, portal, _), mut entries) in changes {
        entries.sort_by_key(|entry| entry.line.id);
        store(sql, tenant, service_provider, portal, &entries, by, now)?;
    }
    renew_next_due(sql, tenant)?;
    Ok(imported)
}

fn check<'r>(sql: &Sql<'_>, tenant: TenantId, rows: &'r [ImportQueueEntry]) -> Result<(Vec<Taken<'r>>, Imported)> {
    let named = |id: Option<i64>| id.filter(|id| *id != 0);
    let plans = rows.iter().filter_map(|row| named(row.customer_rate_plan_id));
    let plans = Known::find(sql, tuned::FIND_PLANS, tenant, plans)?;
    let pools = rows.iter().filter_map(|row| named(row.customer_rate_pool_id));
    let pools = Known::find(sql, tuned::FIND_POOLS, tenant, pools)?;
    let lines = find_lines(sql, tenant, &rows.iter().map(|row| row.iccid.as_str()).collect::<Vec<_>>())?;
    let mut imported = Imported::default();
    let mut taken = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        let line = lines.get(&place).copied().ok_or_else(|| no_line(&row.iccid));
        let checked = line.and_then(|line| {
            plans.require("customer rate plan", named(row.customer_rate_plan_id))?;
            pools.require("customer rate pool", named(row.customer_rate_pool_id))?;
            Ok(line)
        });
        match checked {
            Ok(line) => taken.push(Taken { place, row, line }),
            Err(text) => imported.refused.push((place, text)),
        }
    }
    Ok((taken, imported))
}

/// Which of the entries, by their place among those taken, wait already; a repeated one waits from its first mention on.
fn find_same(sql: &Sql<'_>, tenant: TenantId, taken: &[Taken<'_>]) -> Result<HashSet<usize>> {
    let keys: Vec<_> = taken
        .iter()
        .map(|Taken { row, line, .. }| {
            let allocation = row.customer_data_allocation_mb.map(decimal_text);
            (line.id.0, micros(row.effective_date), row.customer_rate_plan_id, row.customer_rate_pool_id, allocation)
        })
        .collect();
    let found = sql.query(tuned::FIND_SAME_ENTRIES, &[&tenant.0, &json(&keys)?], |row| row.place(0))?;
    let mut same: HashSet<usize> = found.into_iter().collect();
    let mut mentioned = HashSet::new();
    same.extend(keys.iter().enumerate().filter(|(_, key)| !mentioned.insert(*key)).map(|(nth, _)| nth));
    Ok(same)
}

fn store(
    sql: &Sql<'_>,
    tenant: TenantId,
    service_provider: i64,
    portal: i64,
    entries: &[Taken<'_>],
    by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let rows = i64::try_from(entries.len()).expect("at most 5,000 rows");
    let change = sql.reserve_ids(tenant, "device_bulk_change", 1)?;
    let first = sql.reserve_ids(tenant, "device_change", rows)?;
    // What each line is to get differs, so that the order itself changes nothing and the rows carry the values.
    let plan = |values, effective_at| StoredPlan { values, effective_at, queued: true, replace_scheduled: false };
    let order = json(&StoredOrder::CustomerRatePlanChange(plan(PlanValues::default(), None)))?;
    let (last, stored_order) = (first + rows - 1, sql.reserve_ids(tenant, "stored_order", 1)?);
    sql.execute(
        tuned::INSERT_IMPORTED_CHANGE,
        &[&tenant.0, &change, &portal, &service_provider, &order, &by, &micros(now), &first, &last, &rows, &stored_order],
    )?;
    sql.execute_each(tuned::INSERT_IMPORTED_ROW, (first..).zip(entries), |(id, Taken { place, row, line }), run| {
        let details = format!("scheduled for {}", row.effective_date.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        let ordered = json(&plan(values(row), Some(row.effective_date)))?;
        let place = i64::try_from(*place).expect("at most 5,000 rows");
        run(&[&tenant.0, id, &change, &place, &line.id.0, &row.iccid, &ordered, &line.version, &details, &micros(now)])
    })?;
    sql.execute_each(tuned::INSERT_IMPORTED_ENTRY, (first..).zip(entries), |(id, Taken { row, line, .. }), run| {
        run(&[
            &tenant.0,
            id,
            &change,
            &line.id.0,
            &line.rev_customer_id.map(|id| id.0),
            &line.site_id.map(|id| id.0),
            &row.customer_rate_plan_id,
            &row.customer_rate_pool_id,
            &row.customer_data_allocation_mb.map(decimal_text),
            &micros(row.effective_date),
            &portal,
            &by,
            &micros(now),
        ])
    })
}

fn values(row: &ImportQueueEntry) -> PlanValues {
    stored_values(row.customer_rate_plan_id, row.customer_rate_pool_id, row.customer_data_allocation_mb)
}
