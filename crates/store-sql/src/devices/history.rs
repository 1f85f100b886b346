//! The history of a line, as far as it was within reach.

use lineshift_domain::ids::{BulkChangeId, DeviceId, RevCustomerId, SiteId, TenantId};
use lineshift_domain::reach::Reach;
use lineshift_store::Result;
use lineshift_store::devices::{HistoryEntry, HistoryKey};
use lineshift_store::paging::Listed;
use lineshift_store::sql::devices as text;
use serde::Deserialize;

use super::read_device;
use crate::engine::Sql;
use crate::row::{Row, micros, not_a_term, page_limit};

const NEWEST: HistoryKey = HistoryKey { at: i64::MAX, bulk_change_id: i64::MAX, attempt: i64::MAX, entry: i64::MAX };

/// Assignments of a line that are read at a time; few lines ever had more.
const ASSIGNMENTS: i64 = 100;

/// A value that is not there, as JSON.
const NOTHING: &str = "null";

/// After when a line has been within reach without a break, in microseconds.
pub(super) fn reached_after(sql: &Sql<'_>, tenant: TenantId, reach: &Reach, device: DeviceId) -> Result<i64> {
    if reach.is_everything() {
        return Ok(i64::MIN);
    }
    Ok(find_beginning(sql, tenant, reach, device)?.map_or(i64::MIN, |began| began.key.at))
}

/// A page of it, newest first.
pub(super) fn list(
    sql: &Sql<'_>,
    tenant: TenantId,
    reach: &Reach,
    device: DeviceId,
    before: Option<HistoryKey>,
    limit: usize,
) -> Result<Listed<HistoryEntry, HistoryKey>> {
    let (limit, surplus) = page_limit(limit);
    let began = if reach.is_everything() { None } else { find_beginning(sql, tenant, reach, device)? };
    let mut items = read(sql, text::LIST_DEVICE_HISTORY, tenant, device, before.unwrap_or(NEWEST), surplus)?;
    if let Some(began) = began {
        items.retain(|entry| began.shows(entry));
        for entry in items.iter_mut().filter(|entry| began.is_of_it(entry)) {
            NOTHING.clone_into(&mut entry.old_value);
            entry.changed_by.clear();
        }
    }
    if !reach.is_everything() {
        hide_services_of_others(sql, tenant, reach, device, &mut items)?;
    }
    Ok(Listed::from_surplus(items, limit, key))
}

/// A service of whoever had the line before may be connected, or disconnected, when the line is another's already: of services, those are
/// shown of the line's own customer and of others within reach.
fn hide_services_of_others(
    sql: &Sql<'_>,
    tenant: TenantId,
    reach: &Reach,
    device: DeviceId,
    entries: &mut [HistoryEntry],
) -> Result<()> {
    #[derive(Deserialize)]
    struct Service {
        rev_customer_id: Option<RevCustomerId>,
    }
    let own = sql.find(text::GET_DEVICE, &[&tenant.0, &device.0], read_device)?.and_then(|line| line.rev_customer_id);
    for entry in entries.iter_mut().filter(|entry| entry.action == "service_line") {
        for value in [&mut entry.old_value, &mut entry.new_value] {
            let service: Option<Service> = serde_json::from_str(value).map_err(|error| not_a_term(5, error))?;
            let of = service.and_then(|service| service.rev_customer_id);
            if of.is_some_and(|of| Some(of) != own && !reach.reaches_customer(of)) {
                NOTHING.clone_into(value);
            }
        }
    }
    Ok(())
}

/// The assignment by which a line came within reach, or the last one by which it was beyond.
struct Beginning {
    key: HistoryKey,
    came: bool,
}

impl Beginning {
    /// Whether an entry is of the time since.
    fn shows(&self, entry: &HistoryEntry) -> bool {
        key(entry) > self.key || (self.came && key(entry) == self.key)
    }

    /// Whether it was written by the same change: what that found is of before, too.
    fn is_of_it(&self, entry: &HistoryEntry) -> bool {
        self.came && (entry.bulk_change_id.0, entry.attempt) == (self.key.bulk_change_id, self.key.attempt)
    }
}

/// Since when a line has been within reach without a break; none: as far as its history goes. The assignments of the line are read
/// from the newest on, as far as it was within reach, by the primary key.
fn find_beginning(sql: &Sql<'_>, tenant: TenantId, reach: &Reach, device: DeviceId) -> Result<Option<Beginning>> {
    let mut before = NEWEST;
    loop {
        let assignments = read(sql, text::LIST_ASSIGNMENT_HISTORY, tenant, device, before, ASSIGNMENTS)?;
        for entry in &assignments {
            let came = is_within(reach, &entry.new_value)?;
            if !came || !is_within(reach, &entry.old_value)? {
                return Ok(Some(Beginning { key: key(entry), came }));
            }
        }
        match assignments.last() {
            Some(last) if assignments.len() == ASSIGNMENTS as usize => before = key(last),
            _ => return Ok(None),
        }
    }
}

/// Of an assignment, as history has it, what says whose the line is.
#[derive(Deserialize)]
struct Assigned {
    rev_customer_id: Option<RevCustomerId>,
    site_id: Option<SiteId>,
}

fn is_within(reach: &Reach, assignment: &str) -> Result<bool> {
    let assigned: Assigned = serde_json::from_str(assignment).map_err(|error| not_a_term(5, error))?;
    Ok(reach.reaches_assignment(assigned.rev_customer_id, assigned.site_id))
}

fn key(entry: &HistoryEntry) -> HistoryKey {
    HistoryKey { at: micros(entry.at), bulk_change_id: entry.bulk_change_id.0, attempt: entry.attempt, entry: entry.entry }
}

fn read(
    sql: &Sql<'_>,
    statement: &'static str,
    tenant: TenantId,
    device: DeviceId,
    before: HistoryKey,
    limit: i64,
) -> Result<Vec<HistoryEntry>> {
    let HistoryKey { at, bulk_change_id, attempt, entry } = before;
    sql.query(statement, &[&tenant.0, &device.0, &at, &bulk_change_id, &attempt, &entry, &limit], read_history)
}

fn read_history(row: &Row<'_>) -> Result<HistoryEntry> {
    Ok(HistoryEntry {
        at: row.time(0)?,
        bulk_change_id: BulkChangeId(row.get(1)?),
        attempt: row.get(2)?,
        entry: row.get(3)?,
        action: row.get(4)?,
        old_value: row.get(5)?,
        new_value: row.get(6)?,
        changed_by: row.get(7)?,
    })
}
