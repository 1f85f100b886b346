//! Lines of a page: new, changed, gone.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use lineshift_domain::carrier::CarrierLine;
use lineshift_domain::log_text::entry;
use lineshift_domain::sync::{FindingKind, FindingSubject};
use lineshift_store::Result;
use lineshift_store::sync::{GoneLine, RefusedLine, SyncBatch, SyncedLine};
use serde_json::{Value, json};

use super::record::{Differences, Found, Page, last_of_each};
use super::unseen::provider_of;
use crate::json::json as to_json;
use crate::row::{Row, micros, month};
use crate::sql::carrier_sync as text;
use crate::value::Parameter;

/// Who changed what a run changed: stored, never rename it.
const CHANGED_BY: &str = "synchronisation";

/// What is stored of a line.
struct Stored {
    id: i64,
    provider: i64,
    line: CarrierLine,
    is_archived: bool,
    is_deleted: bool,
    gone_at: Option<DateTime<Utc>>,
    seen: bool,
    modified_at: DateTime<Utc>,
    /// By an open change that writes what the carrier says of it.
    is_held: bool,
}

/// What a page writes of lines.
#[derive(Default)]
struct Writing {
    rows: Vec<Value>,
    new: Vec<i64>,
    seen: Vec<i64>,
    statuses: Vec<Value>,
}

/// Writes lines that were read, those that are gone, and those of which nothing could be learned.
pub(super) fn write(page: &mut Page<'_>, batch: &SyncBatch) -> Result<()> {
    let read_at = batch.lines_read_at.unwrap_or(page.claim.run.started_at);
    for RefusedLine { device_id, iccid, there } in &batch.refused_lines {
        let here = Some("it could not be read".to_owned());
        page.find(FindingKind::LeftOut, about(device_id.0, Some(device_id.0), iccid, here, there.clone()));
    }
    read_lines(page, &batch.lines, read_at)?;
    gone_lines(page, &batch.gone_lines, read_at)
}

fn read_lines(page: &mut Page<'_>, given: &[SyncedLine], read_at: DateTime<Utc>) -> Result<()> {
    let given = last_of_each(given, |line| line.iccid.clone());
    if given.is_empty() {
        return Ok(());
    }
    let provider = provider_of(page.claim)?;
    // Whoever brings lines in holds their counter until he commits: what another made is then there to be seen.
    page.sql.raise_ids(page.claim.tenant_id, "device", 1)?;
    let stored = stored_lines(page, &given)?;
    let mut writing = Writing::default();
    let mut new = Vec::new();
    for (place, line) in given.into_iter().enumerate() {
        match stored.get(&place) {
            None if line.line.status.is_none() => {
                let here = "its status is not said, and it is not known here".to_owned();
                page.find(FindingKind::LeftOut, about(number_of(&line.iccid), None, &line.iccid, Some(here), show(&line.line)));
            }
            None => new.push(line),
            Some(stored) if stored.provider != provider || stored.is_deleted => {
                let here = if stored.provider == provider {
                    "deleted here".to_owned()
                } else {
                    format!("a line of service provider {} here", stored.provider)
                };
                page.find(FindingKind::LeftOut, about(stored.id, Some(stored.id), &line.iccid, Some(here), show(&line.line)));
            }
            Some(stored) => {
                if !stored.seen {
                    compare(page, line, stored, read_at, &mut writing);
                }
                writing.seen.push(stored.id);
            }
        }
    }
    new_lines(page, &new, &mut writing)?;
    store(page, provider, &writing)
}

fn stored_lines(page: &Page<'_>, given: &[&SyncedLine]) -> Result<HashMap<usize, Stored>> {
    let iccids = to_json(&given.iter().map(|line| &line.iccid).collect::<Vec<_>>())?;
    let run = page.run();
    let stored = page.sql.query(text::FIND_DEVICES, &[&page.tenant(), &iccids], |row| Ok((row.place(0)?, read(row, run)?)))?;
    Ok(stored.into_iter().collect())
}

fn read(row: &Row<'_>, run: i64) -> Result<Stored> {
    Ok(Stored {
        id: row.get(1)?,
        provider: row.get(2)?,
        line: CarrierLine {
            subscriber_number: row.get(3)?,
            imei: row.get(4)?,
            status: row.get(5)?,
            activated_at: row.maybe_time(8)?,
            rate_plan: row.get(9)?,
            comm_plan: row.get(10)?,
            ip_address: row.get(11)?,
            carrier_device_id: row.get(12)?,
            packages: Vec::new(),
        },
        is_archived: row.get(6)?,
        is_deleted: row.get(7)?,
        gone_at: row.maybe_time(13)?,
        seen: row.get::<Option<i64>>(14)? == Some(run),
        modified_at: row.time(15)?,
        is_held: row.get(16)?,
    })
}

/// What is to be written of a line that is here, if anything is. What was written here after the carrier was asked is newer than
/// what it said; what an open change of it will write, that change writes.
fn compare(page: &mut Page<'_>, given: &SyncedLine, stored: &Stored, read_at: DateTime<Utc>, writing: &mut Writing) {
    if stored.modified_at > read_at {
        page.count(None);
        return;
    }
    let there = &given.line;
    let (mut changing, mut other) = (Differences::default(), Differences::default());
    let here = &stored.line;
    changing.known("status", here.status.as_ref(), there.status.as_ref());
    changing.known("rate plan", here.rate_plan.as_ref(), there.rate_plan.as_ref());
    changing.known("communication plan", here.comm_plan.as_ref(), there.comm_plan.as_ref());
    other.known("number", here.subscriber_number.as_ref(), there.subscriber_number.as_ref());
    other.known("IMEI", here.imei.as_ref(), there.imei.as_ref());
    other.known("activated", here.activated_at.as_ref(), there.activated_at.as_ref());
    other.known("address", here.ip_address.as_ref(), there.ip_address.as_ref());
    other.known("carrier's id", here.carrier_device_id.as_ref(), there.carrier_device_id.as_ref());
    // Only what a synchronisation archived is there again because a carrier says so.
    let is_back = stored.is_archived && stored.gone_at.is_some();
    other.exactly("archived", Some(&stored.is_archived), Some(&(stored.is_archived && !is_back)));
    let (changing, other) = (changing.shown(), other.shown());
    if changing.is_none() && other.is_none() {
        page.count(None);
        return;
    }
    let mut line = merged(here, there);
    if stored.is_held && changing.is_some() {
        line.status.clone_from(&here.status);
        line.rate_plan.clone_from(&here.rate_plan);
        line.comm_plan.clone_from(&here.comm_plan);
    }
    if line != *here || is_back {
        let gone_at = if is_back { None } else { stored.gone_at };
        writing.rows.push(row_of(stored.id, &given.iccid, &line, stored.is_archived && !is_back, gone_at));
    }
    if line.status != here.status {
        writing.statuses.push(json!([stored.id, status_value(here), status_value(&line)]));
    }
    let joined = |side: fn((String, String)) -> String| {
        [&changing, &other].into_iter().flatten().cloned().map(side).collect::<Vec<_>>().join(", ")
    };
    let (shown_here, shown_there) = (joined(|both| both.0), joined(|both| both.1));
    let found = |here: String| about(stored.id, Some(stored.id), &given.iccid, Some(here), shown_there);
    if stored.is_held && changing.is_some() {
        // Counted with its finding, which a run stores once.
        page.find(FindingKind::LeftOut, found(format!("{shown_here}; an open change of the line writes that")));
    } else {
        page.count(Some(FindingKind::Changed));
        page.find(FindingKind::Changed, found(shown_here));
    }
}

/// What stands there, and where the carrier says nothing, what stands here.
fn merged(here: &CarrierLine, there: &CarrierLine) -> CarrierLine {
    let there = there.clone();
    let here = here.clone();
    CarrierLine {
        status: there.status.or(here.status),
        rate_plan: there.rate_plan.or(here.rate_plan),
        comm_plan: there.comm_plan.or(here.comm_plan),
        subscriber_number: there.subscriber_number.or(here.subscriber_number),
        imei: there.imei.or(here.imei),
        activated_at: there.activated_at.or(here.activated_at),
        ip_address: there.ip_address.or(here.ip_address),
        carrier_device_id: there.carrier_device_id.or(here.carrier_device_id),
        packages: Vec::new(),
    }
}

fn new_lines(page: &mut Page<'_>, new: &[&SyncedLine], writing: &mut Writing) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let first = page.sql.reserve_ids(page.claim.tenant_id, "device", i64::try_from(new.len()).expect("a page of lines"))?;
    for (id, line) in (first..).zip(new) {
        page.count(Some(FindingKind::New));
        page.find(FindingKind::New, about(id, Some(id), &line.iccid, None, show(&line.line)));
        writing.rows.push(row_of(id, &line.iccid, &line.line, false, None));
        writing.new.push(id);
    }
    Ok(())
}

fn store(page: &Page<'_>, provider: i64, writing: &Writing) -> Result<()> {
    let (tenant, now, run) = (page.tenant(), micros(page.now), page.run());
    if !writing.rows.is_empty() {
        page.sql.execute(text::STORE_DEVICES, &[&tenant, &to_json(&writing.rows)?, &provider, &now, &run])?;
    }
    if !writing.new.is_empty() {
        page.sql.execute(text::STORE_EMPTY_ASSIGNMENTS, &[&tenant, &to_json(&writing.new)?, &CHANGED_BY, &now])?;
    }
    if !writing.statuses.is_empty() {
        let parameters: [&dyn Parameter; 6] =
            [&tenant, &to_json(&writing.statuses)?, &now, &month(page.now), &entry::CARRIER, &CHANGED_BY];
        page.sql.execute(text::STORE_STATUS_HISTORY, &parameters)?;
    }
    if !writing.seen.is_empty() {
        page.sql.execute(text::MARK_DEVICES, &[&tenant, &to_json(&writing.seen)?, &run])?;
    }
    Ok(())
}

fn row_of(id: i64, iccid: &str, line: &CarrierLine, is_archived: bool, gone_at: Option<DateTime<Utc>>) -> Value {
    json!([
        id,
        iccid,
        line.subscriber_number,
        line.imei,
        line.status,
        i64::from(is_archived),
        line.activated_at.map(micros),
        line.rate_plan,
        line.comm_plan,
        line.ip_address,
        line.carrier_device_id,
        gone_at.map(micros),
    ])
}

/// A status as history rows hold it.
fn status_value(line: &CarrierLine) -> String {
    json!({ "status": line.status }).to_string()
}

fn show(line: &CarrierLine) -> String {
    let status = line.status.as_deref().unwrap_or("no status");
    line.rate_plan.as_ref().map_or_else(|| status.to_owned(), |plan| format!("{status}, rate plan {plan}"))
}

fn about(subject_id: i64, device: Option<i64>, iccid: &str, here: Option<String>, there: String) -> Found {
    let (subject, line) = (FindingSubject::Line, Some(iccid.to_owned()));
    Found { subject, subject_id, customer: None, service: None, device, line, here, there: Some(there) }
}

/// A number that stands for a line which has no id here: made of its ICCID, the same each time, below zero, where no id is.
fn number_of(iccid: &str) -> i64 {
    let digits = iccid.bytes().fold(0_i64, |number, byte| number.wrapping_mul(31).wrapping_add(i64::from(byte)));
    digits | i64::MIN
}

/// Archives lines that a read of each did not find, unless they were archived, held or written here meanwhile.
fn gone_lines(page: &mut Page<'_>, gone: &[GoneLine], read_at: DateTime<Utc>) -> Result<()> {
    if gone.is_empty() {
        return Ok(());
    }
    let ids = to_json(&gone.iter().map(|line| line.device_id.0).collect::<Vec<_>>())?;
    let still = page.sql.query(text::FIND_STILL_THERE, &[&page.tenant(), &ids, &micros(read_at)], |row| {
        Ok((row.place(0)?, row.get::<String>(1)?))
    })?;
    let mut archived = Vec::with_capacity(still.len());
    for (place, iccid) in still {
        let GoneLine { device_id, there } = &gone[place];
        page.counts.gone += 1;
        let found = about(device_id.0, Some(device_id.0), &iccid, Some("in use".to_owned()), there.clone());
        page.find(FindingKind::Gone, found);
        archived.push(device_id.0);
    }
    if archived.is_empty() {
        return Ok(());
    }
    page.sql.execute(text::ARCHIVE_DEVICES, &[&page.tenant(), &to_json(&archived)?, &micros(page.now)]).map(|_| ())
}
