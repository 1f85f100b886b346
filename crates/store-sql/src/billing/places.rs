//! The places of an account, leased to the processes that call it (B7.4).

use chrono::{DateTime, Utc};
use lineshift_domain::ids::{IntegrationAuthenticationId, TenantId};
use lineshift_domain::places::{PlaceHolder, PlacesAsked, PlacesLeased, lease_places};
use lineshift_store::Result;
use lineshift_store::sql::billing as text;

use super::accounts;
use crate::engine::Sql;
use crate::row::{Row, micros};

pub(super) fn lease(
    sql: &Sql<'_>,
    (tenant, id): (TenantId, IntegrationAuthenticationId),
    holder: &str,
    asked: PlacesAsked,
    now: DateTime<Utc>,
) -> Result<PlacesLeased> {
    // Whoever asks next decides by what is written here.
    accounts::lock(sql, tenant, id)?;
    sql.execute(text::FORGET_PLACES, &[&tenant.0, &id.0, &micros(now)])?;
    let holders = sql.query(text::LIST_PLACES, &[&tenant.0, &id.0], read_holder)?;
    let (own, others): (Vec<_>, Vec<_>) = holders.into_iter().partition(|row| row.holder == holder);
    let (leased, stored) = lease_places(holder, (own.first(), &others), asked, now);
    let PlaceHolder { places, wanted, since, lease_until, .. } = stored;
    let times = (micros(since), micros(lease_until));
    sql.execute(text::STORE_PLACES, &[&tenant.0, &id.0, &holder, &places, &wanted, &times.0, &times.1])?;
    Ok(leased)
}

fn read_holder(row: &Row<'_>) -> Result<PlaceHolder> {
    Ok(PlaceHolder {
        holder: row.get(0)?,
        places: row.get(1)?,
        wanted: row.get(2)?,
        since: row.time(3)?,
        lease_until: row.time(4)?,
    })
}

pub(super) fn give_back(sql: &Sql<'_>, tenant: TenantId, id: IntegrationAuthenticationId, holder: &str) -> Result<()> {
    sql.execute(text::RETURN_PLACES, &[&tenant.0, &id.0, &holder]).map(|_| ())
}
