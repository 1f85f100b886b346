//! What was asked for a line and is not in its history: what was refused, failed or canceled, and what waits for its date.

use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, DeviceId, PrincipalId, TenantId};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{ChangeRequestType, PortalType};
use lineshift_store::Result;
use lineshift_store::devices::{LineEvent, LineEventFilter, LineEventKey, LineEventKind};
use lineshift_store::paging::Listed;
use lineshift_store::plan_queue::PlanQueueEntry;
use lineshift_store::sql::devices as text;

use super::history::reached_after;
use crate::engine::Sql;
use crate::plan_queue::{ENTRY_COLUMNS, read_entry};
use crate::row::{Row, micros, not_a_term, page_limit};
use crate::value::Parameter;

/// Kinds, as keys have them: their order among those of one moment.
const UNDONE: i64 = 0;
const SCHEDULED: i64 = 1;
const UNSCHEDULED: i64 = 2;

const NEWEST: LineEventKey = LineEventKey { at: i64::MAX, kind: i64::MAX, row: i64::MAX };

/// A page of it, newest first.
pub(super) fn list(
    sql: &Sql<'_>,
    tenant: TenantId,
    reach: &Reach,
    filter: &LineEventFilter,
    (device, before): (DeviceId, Option<LineEventKey>),
    limit: usize,
) -> Result<Listed<LineEvent, LineEventKey>> {
    let (limit, surplus) = page_limit(limit);
    let after_when = reached_after(sql, tenant, reach, device)?;
    let before = before.unwrap_or(NEWEST);
    let mut portals = [-1; 3];
    for (number, portal) in portals.iter_mut().zip(&filter.portals) {
        *number = portal.number();
    }
    let ordered_by = filter.ordered_by.map_or(0, |principal| principal.0);
    let mut found = Vec::new();
    for (kind, statement) in [
        (UNDONE, text::LIST_UNDONE_OF_LINE),
        (SCHEDULED, text::LIST_SCHEDULED_OF_LINE),
        (UNSCHEDULED, text::LIST_UNSCHEDULED_OF_LINE),
    ] {
        let (mut at, mut row) = edge(before, kind);
        let [one, two, three] = &portals;
        let mut of_kind = Vec::new();
        loop {
            let mut parameters: Vec<&dyn Parameter> =
                vec![&tenant.0, &device.0, &at, &row, &surplus, &after_when, one, two, three];
            if kind == UNDONE {
                parameters.push(&ordered_by);
            }
            let page = sql.query(statement, &parameters, |row| read(row, kind))?;
            let last = page.last().filter(|_| page.len() as i64 == surplus).map(|event| event.key);
            of_kind.extend(page.into_iter().filter(|event| is_within(reach, event)));
            match last {
                // What is left out must not even end a page.
                Some(key) if (of_kind.len() as i64) < surplus => (at, row) = (key.at, key.row),
                _ => break,
            }
        }
        found.extend(of_kind);
    }
    found.sort_by_key(|event| std::cmp::Reverse(event.key));
    Ok(Listed::from_surplus(found, limit, |event| event.key))
}

/// Whether it was scheduled for somebody within reach; whose the rest is the statement knows.
fn is_within(reach: &Reach, event: &LineEvent) -> bool {
    match &event.what {
        LineEventKind::Scheduled(entry) | LineEventKind::Unscheduled(entry) => {
            reach.reaches_assignment(entry.rev_customer_id, entry.site_id)
        }
        LineEventKind::Undone { .. } => true,
    }
}

/// Where the list of one kind goes on: moment and row after the first.
const fn edge(before: LineEventKey, kind: i64) -> (i64, i64) {
    if kind == before.kind {
        return (before.at, before.row);
    }
    (before.at, if kind < before.kind { i64::MAX } else { i64::MIN })
}

fn read(row: &Row<'_>, kind: i64) -> Result<LineEvent> {
    if kind == UNDONE {
        return read_undone(row);
    }
    let entry: PlanQueueEntry = read_entry(row)?;
    let at = if kind == SCHEDULED { entry.created_at } else { entry.modified_at.unwrap_or(entry.created_at) };
    let (ordered_by, ordered_by_id) = (row.get(ENTRY_COLUMNS)?, PrincipalId(row.get(ENTRY_COLUMNS + 1)?));
    Ok(LineEvent {
        key: LineEventKey { at: micros(at), kind, row: entry.id.0 },
        row: entry.id,
        bulk_change_id: entry.bulk_change_id,
        portal: entry.portal,
        ordered_by,
        ordered_by_id,
        what: match kind {
            SCHEDULED => LineEventKind::Scheduled(Box::new(entry)),
            _ => LineEventKind::Unscheduled(Box::new(entry)),
        },
    })
}

fn read_undone(row: &Row<'_>) -> Result<LineEvent> {
    let id: i64 = row.get(1)?;
    Ok(LineEvent {
        key: LineEventKey { at: row.get(0)?, kind: UNDONE, row: id },
        row: DeviceChangeId(id),
        bulk_change_id: BulkChangeId(row.get(2)?),
        portal: PortalType::from_number(row.get(4)?).map_err(|error| not_a_term(4, error))?,
        ordered_by: row.get(5)?,
        ordered_by_id: PrincipalId(row.get(6)?),
        what: LineEventKind::Undone {
            change_type: ChangeRequestType::from_number(row.get(3)?).map_err(|error| not_a_term(3, error))?,
            status: row.term(7)?,
            code: row.maybe_term(8)?,
            details: row.get(9)?,
            canceled_by: row.get(10)?,
        },
    })
}
