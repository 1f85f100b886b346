//! Starting, canceling and retrying bulk changes (B10.1, B10.2).

use chrono::{DateTime, Utc};
use lineshift_domain::ids::{BulkChangeId, TenantId};
use lineshift_domain::log_text::{LogText, PROCESS_BY, entry};
use lineshift_domain::reach::Reach;
use lineshift_store::bulk_changes::{Orderer, Reopening};
use lineshift_store::work::message_kind;
use lineshift_store::{Result, StoreError};

use super::submission::{announce, announce_work};
use crate::engine::Sql;
use crate::row::{micros, month};
use crate::sql::control as text;

/// Starts a held change.
pub(super) fn start(sql: &Sql<'_>, tenant: TenantId, id: BulkChangeId, by: &Orderer, now: DateTime<Utc>) -> Result<bool> {
    let started = sql.execute(text::START, &[&tenant.0, &id.0, &micros(now), &by.principal.0])? > 0;
    if started {
        announce_work(sql, tenant, now)?;
        announce(sql, tenant, id, message_kind::SUBMITTED, now)?;
    }
    Ok(started)
}

/// Marks a change as canceled; its pages do the rest, and its completion, which has to know how far its queue entries may be canceled.
pub(super) fn cancel(
    sql: &Sql<'_>,
    tenant: TenantId,
    id: BulkChangeId,
    by: &Orderer,
    reach: &Reach,
    now: DateTime<Utc>,
) -> Result<bool> {
    let reach = (!reach.is_everything()).then(|| reach.to_string());
    let canceled = sql.execute(text::CANCEL, &[&tenant.0, &id.0, &micros(now), &by.name, &reach])? > 0;
    if canceled {
        sql.execute(text::WAKE_PAGES, &[&tenant.0, &id.0])?;
        announce_work(sql, tenant, now)?;
        announce(sql, tenant, id, message_kind::SUBMITTED, now)?;
    }
    Ok(canceled)
}

/// Says that all pages were reopened.
pub(super) fn finish_reopening(sql: &Sql<'_>, tenant: TenantId, id: BulkChangeId) -> Result<()> {
    sql.execute(text::FINISH_REOPENING, &[&tenant.0, &id.0])?;
    Ok(())
}

/// Opens the ERROR rows of one page again.
pub(super) fn reopen_page(sql: &Sql<'_>, tenant: TenantId, id: BulkChangeId, page: i64, what: &Reopening) -> Result<u64> {
    let now = what.now;
    let range = sql.find(text::FIND_PAGE, &[&tenant.0, &id.0, &page], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?;
    let (from, to) = range.ok_or_else(|| StoreError::not_found("page", page))?;
    let codes: Vec<&str> = what.codes.iter().map(|code| code.as_str()).collect();
    let codes = (!codes.is_empty()).then(|| serde_json::Value::from(codes).to_string());
    let opened = sql.execute(text::REOPEN_ROWS, &[&tenant.0, &id.0, &from, &to, &codes, &what.attempt, &what.holds.0])?;
    if opened == 0 {
        return Ok(0);
    }
    sql.execute(
        text::LOG_REOPENED,
        &[
            &tenant.0,
            &id.0,
            &from,
            &to,
            &what.attempt,
            &entry::RETRIED,
            &month(now),
            &LogText::Retried.as_str(),
            &PROCESS_BY,
            &micros(now),
            &"Retry\n",
            &format!("opened again by {}", what.by.name),
        ],
    )?;
    sql.execute(text::REOPEN_PAGE, &[&tenant.0, &id.0, &page])?;
    let stored_order = sql.reserve_ids(tenant, "stored_order", 1)?;
    let rows = i64::try_from(opened).unwrap_or(i64::MAX);
    let (at, until) = (micros(now), micros(what.until));
    let key = what.by.principal.0;
    let reopened = sql.execute(
        text::REOPEN_CHANGE,
        &[&tenant.0, &id.0, &rows, &what.attempt, &stored_order, &key, &at, &until, &what.begins],
    )?;
    if reopened == 0 {
        let message = format!("bulk change {id} was retried or completed by another call meanwhile; look at it again");
        return Err(StoreError::Conflict { message });
    }
    announce_work(sql, tenant, now)?;
    announce(sql, tenant, id, message_kind::SUBMITTED, now)?;
    Ok(opened as u64)
}

/// How many pages a change has.
pub(super) fn count_pages(sql: &Sql<'_>, tenant: TenantId, id: BulkChangeId) -> Result<i64> {
    Ok(sql.find(text::COUNT_PAGES, &[&tenant.0, &id.0], |row| row.get(0))?.unwrap_or(0))
}
