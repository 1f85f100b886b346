//! What is billed: services and their products, stored once, disconnected, and in the histories of their lines.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use lineshift_domain::ids::{RevCustomerId, RevServiceProductId, TenantId};
use lineshift_domain::log_text::entry;
use lineshift_store::Result;
use lineshift_store::billing::{Disconnected, RevServiceProductRow, RevServiceRow};

use crate::engine::Sql;
use crate::json::json;
use crate::row::{decimal_text, micros, month};
use crate::sql::billing as text;
use crate::sql::by_statements::billing as by_statements;
use crate::statement::Statement;

/// A day as it is stored: its start in UTC.
pub(crate) fn day_micros(day: NaiveDate) -> i64 {
    micros(day.and_time(NaiveTime::MIN).and_utc())
}

/// Runs a statement that stores rows under reserved ids or updates those that are there; answers how many are new.
fn store(
    sql: &Sql<'_>,
    statement: Statement,
    tenant: TenantId,
    counter: &str,
    rows: &[serde_json::Value],
    at: Option<i64>,
) -> Result<u64> {
    if rows.is_empty() {
        return Ok(0);
    }
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let first = sql.reserve_ids(tenant, counter, count)?;
    let given = json(rows)?;
    let ids: HashSet<i64> = sql.query(statement, &[&tenant.0, &given, &first, &at], |row| row.get(0))?.into_iter().collect();
    Ok(ids.into_iter().filter(|id| (first..first + count).contains(id)).count() as u64)
}

/// Stores services with the line that each is for, and says so in the line's history where a row brought it about (B11.2).
pub(crate) fn store_services(sql: &Sql<'_>, tenant: TenantId, rows: &[RevServiceRow], now: DateTime<Utc>) -> Result<u64> {
    let given: Vec<serde_json::Value> = rows
        .iter()
        .map(|row| {
            serde_json::json!([
                row.rev_customer_id.0,
                row.rev_service_id.0,
                row.number,
                row.iccid,
                row.rev_service_type_id,
                row.rev_provider_id,
                row.activated_date.map(day_micros),
                row.disconnected_date.map(day_micros),
                i64::from(row.has_package),
                row.device_id.map(|id| id.0),
                row.by.map(|id| id.0),
            ])
        })
        .collect();
    let new = store(sql, by_statements::STORE_SERVICES, tenant, "rev_service", &given, Some(micros(now)))?;
    let told = rows.iter().filter_map(|row| Some((row.by?.0, row.rev_service_id.0, row.rev_customer_id.0)));
    write_history(sql, tenant, &told.collect::<Vec<_>>(), by_statements::HISTORY_OF_SERVICES, entry::SERVICE_LINE, now)?;
    Ok(new)
}

/// Stores service products under their services; one whose service is not stored is left out. `stored_at`: when they were created
/// or adopted here; none for those that were only read.
pub(crate) fn store_products(
    sql: &Sql<'_>,
    tenant: TenantId,
    rows: &[RevServiceProductRow],
    stored_at: Option<DateTime<Utc>>,
) -> Result<u64> {
    let given: Vec<serde_json::Value> = rows
        .iter()
        .map(|row| {
            serde_json::json!([
                row.rev_customer_id.0,
                row.rev_service_id.0,
                row.rev_service_product_id.0,
                row.rev_product_id,
                row.package_id,
                row.rate.map(decimal_text),
                row.quantity.map(decimal_text),
                row.status.as_str(),
                row.description,
            ])
        })
        .collect();
    store(sql, by_statements::STORE_PRODUCTS, tenant, "rev_service_product", &given, stored_at.map(micros))
}

/// Disconnects services with all that is charged on them, and says so in the line's history where a row's undo did it.
pub(crate) fn disconnect(sql: &Sql<'_>, tenant: TenantId, services: &[Disconnected], now: DateTime<Utc>) -> Result<()> {
    if services.is_empty() {
        return Ok(());
    }
    let given: Vec<_> =
        services.iter().map(|gone| (gone.rev_customer_id.0, gone.rev_service_id.0, day_micros(gone.on))).collect();
    let given = json(&given)?;
    sql.execute(text::DISCONNECT_SERVICES, &[&tenant.0, &given, &micros(now)])?;
    sql.execute(text::DISCONNECT_PRODUCTS_OF_SERVICES, &[&tenant.0, &given, &micros(now)])?;
    let told = services.iter().filter_map(|gone| Some((gone.by?.0, gone.rev_service_id.0, gone.rev_customer_id.0)));
    write_history(sql, tenant, &told.collect::<Vec<_>>(), text::HISTORY_OF_UNDONE_SERVICES, entry::SERVICE_LINE_UNDONE, now)
}

/// Disconnects products alone.
pub(crate) fn disconnect_products(
    sql: &Sql<'_>,
    tenant: TenantId,
    products: &[(RevCustomerId, RevServiceProductId)],
    now: DateTime<Utc>,
) -> Result<()> {
    if products.is_empty() {
        return Ok(());
    }
    let given = json(&products.iter().map(|(customer, product)| (customer.0, product.0)).collect::<Vec<_>>())?;
    sql.execute(text::DISCONNECT_PRODUCTS, &[&tenant.0, &given, &micros(now)]).map(|_| ())
}

/// Row, service and customer of each line whose service line came or went.
fn write_history(
    sql: &Sql<'_>,
    tenant: TenantId,
    told: &[(i64, i64, i64)],
    statement: Statement,
    entry: i64,
    now: DateTime<Utc>,
) -> Result<()> {
    if told.is_empty() {
        return Ok(());
    }
    sql.execute(statement, &[&tenant.0, &json(told)?, &micros(now), &month(now), &entry]).map(|_| ())
}
