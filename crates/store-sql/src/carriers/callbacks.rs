//! What carriers say by callback (B5.6): a reason to look sooner, and nothing more.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, ServiceProviderId, TenantId};
use lineshift_domain::log_text::{CarrierAction, LogTitle, entry};
use lineshift_store::Result;
use lineshift_store::billing::OutsideLog;
use lineshift_store::carriers::{CallbackNoted, CalledBackLine};
use lineshift_store::sql::carriers as portable;

use super::missing;
use crate::billing::write_logs;
use crate::engine::{Hint, Sql};
use crate::json::json;
use crate::row::{Row, micros};
use crate::sql::carriers as text;

/// What the part of a line that worked comes to, as far as the callback goes.
const CALLED_BACK: &str = "the carrier called back";

/// A row that waits for the request.
struct WaitingRow {
    id: i64,
    change: i64,
    attempt: i64,
    portal: i64,
    iccid: Option<String>,
    page: i64,
    /// Whether it waits already; else whoever sent the request still has it in hand.
    waits: bool,
}

fn read_row(row: &Row<'_>) -> Result<WaitingRow> {
    Ok(WaitingRow {
        id: row.get(0)?,
        change: row.get(1)?,
        attempt: row.get(2)?,
        portal: row.get(3)?,
        iccid: row.get(4)?,
        page: row.get(5)?,
        waits: row.get(6)?,
    })
}

/// A row with what the callback says of it: why it failed, if so.
type Told<'l> = (WaitingRow, Option<&'l str>);

/// A handful of statements, whatever the number of lines.
pub(super) fn note(
    sql: &Sql<'_>,
    (tenant, provider): (TenantId, ServiceProviderId),
    request: &str,
    lines: &[CalledBackLine],
    now: DateTime<Utc>,
) -> Result<CallbackNoted> {
    let kind = sql.find(portable::FIND_KIND, &[&tenant.0, &provider.0], |row| row.get::<String>(0))?;
    let title = LogTitle::carrier_amop(CarrierAction::Callback, &kind.ok_or_else(|| missing(provider))?);
    let waiting = sql.query(text::FIND_CALLED_BACK, &[&tenant.0, &provider.0, &request], read_row)?;
    let (told, early): (Vec<Told<'_>>, Vec<Told<'_>>) = told(waiting, lines).into_iter().partition(|(row, _)| row.waits);
    let none = CallbackNoted { rows: 0, early: early.len() as u64 };
    if told.is_empty() {
        return Ok(none);
    }
    let pages: BTreeSet<(i64, i64)> = told.iter().map(|(row, _)| (row.change, row.page)).collect();
    let pages = json(&pages)?;
    sql.query(text::LOCK_CALLED_BACK_PAGES, &[&tenant.0, &pages], |_| Ok(()))?;
    let new = entries(sql, tenant, told, &format!("{title}\n{request}"), &title)?;
    let ids = json(&new.iter().map(|(row, _)| row.id).collect::<Vec<_>>())?;
    let woken: HashSet<i64> =
        sql.query(text::WAKE_CALLED_BACK_ROWS, &[&tenant.0, &ids, &micros(now)], |row| row.get(0))?.into_iter().collect();
    // A row that was settled while its page was waited for is no longer there to be told.
    let new: Vec<(WaitingRow, OutsideLog)> = new.into_iter().filter(|(row, _)| woken.contains(&row.id)).collect();
    if new.is_empty() {
        return Ok(none);
    }
    let outcome = |log: &OutsideLog| match &log.error {
        Some(failed) => (log.device_change_id.0, failed.clone(), Some(Code::CarrierRefused.as_str())),
        None => (log.device_change_id.0, log.response.clone(), None),
    };
    let outcomes = json(&new.iter().map(|(_, log)| outcome(log)).collect::<Vec<_>>())?;
    sql.execute(text::NOTE_CALLED_BACK_STEPS, &[&tenant.0, &outcomes, &request])?;
    sql.execute(text::WAKE_CALLED_BACK_PAGES, &[&tenant.0, &pages])?;
    let rows = new.len() as u64;
    log(sql, tenant, new, now)?;
    sql.hint(Hint::Work(tenant))?;
    Ok(CallbackNoted { rows, ..none })
}

/// The rows that the callback is about: all of the request, or those whose lines it names; each once.
fn told(waiting: Vec<WaitingRow>, lines: &[CalledBackLine]) -> Vec<Told<'_>> {
    let named: HashMap<&str, Option<&str>> = lines.iter().map(|line| (line.iccid.as_str(), line.failed.as_deref())).collect();
    let mut seen = HashSet::new();
    let says = |row: WaitingRow| {
        let failed = if lines.is_empty() { None } else { *named.get(row.iccid.as_deref()?)? };
        Some((row, failed))
    };
    waiting.into_iter().filter(|row| seen.insert(row.id)).filter_map(says).collect()
}

/// The log entries of the rows that were not told so before, each at the next place.
fn entries(
    sql: &Sql<'_>,
    tenant: TenantId,
    told: Vec<Told<'_>>,
    request: &str,
    title: &LogTitle,
) -> Result<Vec<(WaitingRow, OutsideLog)>> {
    let given = json(&told.iter().map(|(row, _)| (row.id, row.change, row.attempt)).collect::<Vec<_>>())?;
    let failed: HashMap<i64, Option<&str>> = told.iter().map(|(row, failed)| (row.id, *failed)).collect();
    let there = sql.query(text::LIST_CALLBACKS, &[&tenant.0, &given, &entry::CALLBACKS, &entry::CALLBACKS_END], |row| {
        let (id, entry) = (row.get::<i64>(0)?, row.get::<i64>(1)?);
        let (asked, error) = (row.get::<Option<String>>(2)?, row.get::<Option<String>>(3)?);
        let says_so = asked.as_deref() == Some(request) && failed.get(&id).is_some_and(|failed| *failed == error.as_deref());
        Ok((id, entry, says_so))
    })?;
    let mut before: HashMap<i64, Vec<(i64, bool)>> = HashMap::new();
    for (id, entry, says_so) in there {
        before.entry(id).or_default().push((entry, says_so));
    }
    let next = |row: &WaitingRow| {
        let entries = before.get(&row.id).map_or(&[][..], Vec::as_slice);
        let last = entries.iter().map(|(entry, _)| *entry).max().unwrap_or(entry::CALLBACKS - 1);
        (entries.iter().all(|(_, says_so)| !says_so) && last + 1 < entry::CALLBACKS_END).then_some(last + 1)
    };
    let of_row = |(row, failed): Told<'_>| {
        let log = OutsideLog {
            device_change_id: DeviceChangeId(row.id),
            attempt: row.attempt,
            entry: next(&row)?,
            text: title.clone(),
            request: request.to_owned(),
            response: CALLED_BACK.to_owned(),
            error: failed.map(str::to_owned),
        };
        Some((row, log))
    };
    Ok(told.into_iter().filter_map(of_row).collect())
}

/// Writes the entries, change by change, and says that each has changed.
fn log(sql: &Sql<'_>, tenant: TenantId, new: Vec<(WaitingRow, OutsideLog)>, now: DateTime<Utc>) -> Result<()> {
    let mut by_change: BTreeMap<(i64, i64), Vec<OutsideLog>> = BTreeMap::new();
    for (row, log) in new {
        by_change.entry((row.change, row.portal)).or_default().push(log);
    }
    for ((change, portal), logs) in by_change {
        write_logs(sql, (tenant.0, change, portal), &logs, now)?;
        sql.hint(Hint::Changed(tenant, BulkChangeId(change)))?;
    }
    Ok(())
}
