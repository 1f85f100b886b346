//! Lines, with their empty assignments.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use lineshift_domain::ids::TenantId;
use lineshift_store::Result;
use lineshift_store::import::{ImportDevice, Imported};

use super::{Known, find_lines};
use crate::engine::Sql;
use crate::row::micros;
use crate::sql::import as tuned;

pub(super) fn import(sql: &Sql<'_>, tenant: TenantId, rows: &[ImportDevice], by: &str, now: DateTime<Utc>) -> Result<Imported> {
    let providers = Known::find(sql, tuned::FIND_SERVICE_PROVIDERS, tenant, rows.iter().map(|row| row.service_provider_id.0))?;
    // Whoever brings lines in holds their counter until he commits: what another made is then there to be seen.
    sql.raise_ids(tenant, "device", 1)?;
    let iccids: Vec<&str> = rows.iter().map(|row| row.iccid.as_str()).collect();
    let known = find_lines(sql, tenant, &iccids)?;

    let mut ids: HashMap<&str, i64> = known.iter().map(|(place, line)| (iccids[*place], line.id.0)).collect();
    let mut imported = Imported::default();
    let mut taken = Vec::with_capacity(rows.len());
    let mut new = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        if let Err(text) = providers.require("service provider", Some(row.service_provider_id.0)) {
            imported.refused.push((place, text));
            continue;
        }
        taken.push(row);
        if ids.contains_key(row.iccid.as_str()) {
            imported.updated += 1;
        } else {
            imported.created += 1;
            // The id follows below, once it is known how many are needed.
            ids.insert(&row.iccid, 0);
            new.push(row.iccid.as_str());
        }
    }
    let first = sql.reserve_ids(tenant, "device", i64::try_from(new.len()).expect("at most 5,000 rows"))?;
    for (id, iccid) in (first..).zip(&new) {
        ids.insert(iccid, id);
    }
    write(sql, tenant, &taken, &ids, now)?;
    sql.execute_each(tuned::INSERT_EMPTY_ASSIGNMENT, &new, |iccid, run| run(&[&tenant.0, &ids[*iccid], &by, &micros(now)]))?;
    Ok(imported)
}

fn write(sql: &Sql<'_>, tenant: TenantId, rows: &[&ImportDevice], ids: &HashMap<&str, i64>, now: DateTime<Utc>) -> Result<()> {
    sql.execute_each(tuned::UPSERT_DEVICE, rows, |row, run| {
        run(&[
            &tenant.0,
            &ids[row.iccid.as_str()],
            &row.service_provider_id.0,
            &row.iccid,
            &row.subscriber_number,
            &row.imei,
            &row.status,
            &row.is_archived,
            &row.activated_at.map(micros),
            &row.carrier_rate_plan,
            &row.communication_plan,
            &row.ip_address,
            &row.carrier_device_id,
            &micros(now),
        ])
    })
}
