//! Rev services with their products.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use lineshift_domain::ids::TenantId;
use lineshift_store::Result;
use lineshift_store::import::{ImportRevProduct, ImportRevService, Imported};

use super::{Known, count, find_lines, no_line};
use crate::engine::Sql;
use crate::json::json;
use crate::row::{decimal_text, micros};
use crate::sql::import as tuned;

/// Customer and Rev.io's service id.
type Key = (i64, i64);

/// A row to write: with the id of its service and its line.
struct Taken<'r> {
    row: &'r ImportRevService,
    id: i64,
    device_id: Option<i64>,
}

/// Products that Rev.io no longer lists stay as they are: Rev.io keeps them, disconnected.
pub(super) fn import(sql: &Sql<'_>, tenant: TenantId, rows: &[ImportRevService], _now: DateTime<Utc>) -> Result<Imported> {
    let customers = Known::find(sql, tuned::FIND_CUSTOMERS, tenant, rows.iter().map(|row| row.rev_customer_id.0))?;
    let lines = find_service_lines(sql, tenant, rows)?;
    // Whoever stores services holds their counter until he commits: what another stored is then there to be seen.
    sql.raise_ids(tenant, "rev_service", 1)?;
    let mut ids = find_services(sql, tenant, rows)?;
    let mut seen: HashSet<Key> = ids.keys().copied().collect();
    let mut imported = Imported::default();
    let mut taken = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        let checked = customers.require("customer", Some(row.rev_customer_id.0));
        match checked.and_then(|()| line_of(&lines, place, row)) {
            Ok(device_id) => {
                count(&mut imported, &mut seen, key(row));
                taken.push((row, device_id));
            }
            Err(text) => imported.refused.push((place, text)),
        }
    }
    let mut next = sql.reserve_ids(tenant, "rev_service", i64::try_from(imported.created).expect("at most 5,000 rows"))?;
    let taken: Vec<Taken<'_>> = taken
        .into_iter()
        .map(|(row, device_id)| {
            let id = *ids.entry(key(row)).or_insert_with(|| {
                next += 1;
                next - 1
            });
            Taken { row, id, device_id }
        })
        .collect();
    write(sql, tenant, &taken)?;
    Ok(imported)
}

const fn key(row: &ImportRevService) -> Key {
    (row.rev_customer_id.0, row.rev_service_id)
}

/// The line of each row, by its place: by the ICCID where the row has one, else by a number that only one line has.
fn find_service_lines(sql: &Sql<'_>, tenant: TenantId, rows: &[ImportRevService]) -> Result<HashMap<usize, i64>> {
    let iccids: Vec<&str> = rows.iter().map(|row| row.iccid.as_deref().unwrap_or_default()).collect();
    let mut lines: HashMap<usize, i64> =
        find_lines(sql, tenant, &iccids)?.into_iter().map(|(place, line)| (place, line.id.0)).collect();
    let number = |row: &ImportRevService| if row.iccid.is_some() { None } else { row.number.clone() };
    let numbers: Vec<Option<String>> = rows.iter().map(number).collect();
    let mut ambiguous = HashSet::new();
    let found = sql.query(tuned::FIND_LINES_BY_NUMBER, &[&tenant.0, &json(&numbers)?], |row| Ok((row.place(0)?, row.get(1)?)))?;
    for (place, line) in found {
        if lines.insert(place, line).is_some() {
            ambiguous.insert(place);
        }
    }
    lines.retain(|place, _| !ambiguous.contains(place));
    Ok(lines)
}

/// A service may be known without a line, but an ICCID that is given must be one.
fn line_of(lines: &HashMap<usize, i64>, place: usize, row: &ImportRevService) -> std::result::Result<Option<i64>, String> {
    match (lines.get(&place), &row.iccid) {
        (None, Some(iccid)) => Err(no_line(iccid)),
        (line, _) => Ok(line.copied()),
    }
}

fn find_services(sql: &Sql<'_>, tenant: TenantId, rows: &[ImportRevService]) -> Result<HashMap<Key, i64>> {
    let keys: Vec<Key> = rows.iter().map(key).collect();
    let found =
        sql.query(tuned::FIND_REV_SERVICES, &[&tenant.0, &json(&keys)?], |row| Ok((row.place(0)?, row.get::<i64>(1)?)))?;
    Ok(found.into_iter().map(|(place, id)| (keys[place], id)).collect())
}

fn write(sql: &Sql<'_>, tenant: TenantId, taken: &[Taken<'_>]) -> Result<()> {
    sql.execute_each(tuned::UPSERT_REV_SERVICE, taken, |Taken { row, id, device_id }, run| {
        run(&[
            &tenant.0,
            id,
            &row.rev_customer_id.0,
            &row.number,
            &row.iccid,
            &row.rev_service_id,
            &row.rev_service_type_id,
            &row.activated_date.map(micros),
            &row.rev_provider_id,
            &row.disconnected_date.map(micros),
            device_id,
            &row.has_package,
        ])
    })?;
    let products: Vec<(&Taken<'_>, &ImportRevProduct)> =
        taken.iter().flat_map(|service| service.row.products.iter().map(move |product| (service, product))).collect();
    // Products that are there keep their ids; those reserved for them are left out, which costs nothing.
    let first =
        sql.reserve_ids(tenant, "rev_service_product", i64::try_from(products.len()).expect("a body has fewer products"))?;
    sql.execute_each(tuned::UPSERT_REV_PRODUCT, (first..).zip(products), |(id, (service, product)), run| {
        run(&[
            &tenant.0,
            id,
            &service.id,
            &service.row.rev_customer_id.0,
            &product.rev_service_product_id,
            &product.rev_product_id,
            &product.rate.map(decimal_text),
            &product.quantity.map(decimal_text),
            &product.status,
            &product.description,
        ])
    })
}
