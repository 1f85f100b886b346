//! What no list of a run showed: read window by window of a primary key, so that one statement goes through a bounded number of rows.

use chrono::{DateTime, Utc};
use lineshift_domain::ids::{RevCustomerId, RevServiceId, RevServiceProductId};
use lineshift_store::Result;
use lineshift_store::sync::{SYNC_WINDOW, SyncClaim, Unseen, UnseenPart};

use crate::engine::Sql;
use crate::row::Row;
use crate::row::micros;
use crate::sql::sync as text;
use crate::statement::Statement;

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
