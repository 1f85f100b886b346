//! What no list of a run showed: read window by window of a primary key, so that one statement goes through a bounded number of rows.

use chrono::{DateTime, Utc};
use lineshift_domain::ids::{DeviceId, RevCustomerId, RevServiceId, RevServiceProductId};
use lineshift_store::sync::{LinePart, SYNC_WINDOW, SyncClaim, SyncLine, Unseen, UnseenPart};
use lineshift_store::{Result, StoreError};

use crate::engine::Sql;
use crate::row::Row;
use crate::row::micros;
use crate::sql::{carrier_sync as carrier, sync as text};
use crate::statement::Statement;
use crate::value::Parameter;

pub(super) fn services(sql: &Sql<'_>, claim: &SyncClaim, limit: usize) -> Result<UnseenPart> {
    part(sql, claim, (text::WINDOW_OF_SERVICES, text::LIST_UNSEEN_SERVICES), claim.run.started_at, limit, |row| {
        let (customer, service) = (RevCustomerId(row.get(1)?), RevServiceId(row.get(2)?));
        Ok(Unseen { id: row.get(0)?, rev_customer_id: customer, rev_service_id: service, rev_service_product_id: None })
    })
}

pub(super) fn products(sql: &Sql<'_>, claim: &SyncClaim, stored_before: DateTime<Utc>, limit: usize) -> Result<UnseenPart> {
    part(sql, claim, (text::WINDOW_OF_PRODUCTS, text::LIST_UNSEEN_PRODUCTS), stored_before, limit, |row| {
        let (customer, service) = (RevCustomerId(row.get(1)?), RevServiceId(row.get(2)?));
        let product = Some(RevServiceProductId(row.get(3)?));
        Ok(Unseen { id: row.get(0)?, rev_customer_id: customer, rev_service_id: service, rev_service_product_id: product })
    })
}

/// Lines of the run's service provider.
pub(super) fn lines(sql: &Sql<'_>, claim: &SyncClaim, limit: usize) -> Result<LinePart> {
    let provider = provider_of(claim)?;
    let end = window_of_lines(sql, claim, provider)?;
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let (tenant, run) = (claim.tenant_id.0, &claim.run);
    let lines = sql.query(
        carrier::LIST_UNSEEN_DEVICES,
        &[&tenant, &run.after, &end.unwrap_or(i64::MAX), &provider, &run.id.0, &most],
        read_line,
    )?;
    Ok(line_part(lines, limit, end))
}

/// The service provider whose lines the run reads. Errors: it reads none.
pub(super) fn provider_of(claim: &SyncClaim) -> Result<i64> {
    let provider = claim.run.service_provider_id.map(|id| id.0);
    provider.ok_or_else(|| StoreError::internal(format!("synchronisation {} is of no service provider", claim.run.id)))
}

/// The last id of the next window of lines of a service provider; none: it is the last window.
pub(super) fn window_of_lines(sql: &Sql<'_>, claim: &SyncClaim, provider: i64) -> Result<Option<i64>> {
    let parameters: [&dyn Parameter; 4] = [&claim.tenant_id.0, &claim.run.after, &(SYNC_WINDOW - 1), &provider];
    sql.find(carrier::WINDOW_OF_DEVICES, &parameters, |row| row.get(0))
}

/// Reads a line that is asked for by itself.
pub(super) fn read_line(row: &Row<'_>) -> Result<SyncLine> {
    Ok(SyncLine {
        id: DeviceId(row.get(0)?),
        iccid: row.get(1)?,
        subscriber_number: row.get(2)?,
        imei: row.get(3)?,
        carrier_device_id: row.get(4)?,
    })
}

/// A window that holds more than were asked for goes on behind the last of them.
pub(super) fn line_part(lines: Vec<SyncLine>, limit: usize, end: Option<i64>) -> LinePart {
    let next = if lines.len() >= limit { lines.last().map(|last| last.id.0) } else { end };
    LinePart { lines, next }
}

/// The last id of the next window; none: it is the last window.
pub(super) fn window(sql: &Sql<'_>, statement: Statement, claim: &SyncClaim) -> Result<Option<i64>> {
    sql.find(statement, &[&claim.tenant_id.0, &claim.run.after, &(SYNC_WINDOW - 1)], |row| row.get(0))
}

fn part(
    sql: &Sql<'_>,
    claim: &SyncClaim,
    (window_of, list): (Statement, Statement),
    stored_before: DateTime<Utc>,
    limit: usize,
    read: impl Fn(&Row<'_>) -> Result<Unseen>,
) -> Result<UnseenPart> {
    let end = window(sql, window_of, claim)?;
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let items = sql.query(
        list,
        &[
            &claim.tenant_id.0,
            &claim.run.after,
            &end.unwrap_or(i64::MAX),
            &claim.run.integration_authentication_id.0,
            &claim.run.id.0,
            &micros(stored_before),
            &most,
        ],
        read,
    )?;
    // A window that holds more than were asked for goes on behind the last of them.
    let next = if items.len() >= limit { items.last().map(|last| last.id) } else { end };
    Ok(UnseenPart { items, next })
}
