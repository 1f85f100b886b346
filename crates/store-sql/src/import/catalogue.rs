//! Customers, sites, plans and pools, with the ids given.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use lineshift_domain::ids::TenantId;
use lineshift_store::Result;
use lineshift_store::catalogue::{CustomerRatePlan, CustomerRatePool, RevCustomer, Site};
use lineshift_store::import::Imported;

use super::{Known, count};
use crate::engine::Sql;
use crate::row::{decimal_text, micros};
use crate::sql::import as tuned;

/// Splits rows into those to write and those refused, counting which are new.
fn sort<'r, R>(
    rows: &'r [R],
    known: &Known,
    id: impl Fn(&R) -> i64,
    check: impl Fn(&R) -> std::result::Result<(), String>,
) -> (Vec<&'r R>, Imported) {
    let mut seen: HashSet<i64> = known.0.keys().copied().collect();
    let mut imported = Imported::default();
    let mut taken = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        match check(row) {
            Ok(()) => {
                count(&mut imported, &mut seen, id(row));
                taken.push(row);
            }
            Err(text) => imported.refused.push((place, text)),
        }
    }
    (taken, imported)
}

/// Ids from here on are never made here, so that whoever brings them in does not use up everybody's ids.
const HIGHEST_ID_MADE: i64 = 1_000_000_000_000;

fn raise_counter(sql: &Sql<'_>, tenant: TenantId, counter: &str, ids: impl Iterator<Item = i64>) -> Result<()> {
    if let Some(highest) = ids.filter(|id| *id < HIGHEST_ID_MADE).max() {
        sql.raise_ids(tenant, counter, highest.saturating_add(1))?;
    }
    Ok(())
}

pub(super) fn import_customers(sql: &Sql<'_>, tenant: TenantId, rows: &[RevCustomer], now: DateTime<Utc>) -> Result<Imported> {
    let known = Known::find(sql, tuned::FIND_CUSTOMERS, tenant, rows.iter().map(|row| row.id.0))?;
    let accounts = rows.iter().map(|row| row.integration_authentication_id.0);
    let accounts = Known::find(sql, tuned::FIND_INTEGRATION_AUTHENTICATIONS, tenant, accounts)?;
    let (taken, imported) = sort(
        rows,
        &known,
        |row| row.id.0,
        |row| accounts.require("integration authentication", Some(row.integration_authentication_id.0)),
    );
    sql.execute_each(tuned::UPSERT_CUSTOMER, taken, |row, run| {
        run(&[&tenant.0, &row.id.0, &row.name, &row.integration_authentication_id.0, &row.is_active, &micros(now)])
    })?;
    Ok(imported)
}

pub(super) fn import_sites(sql: &Sql<'_>, tenant: TenantId, rows: &[Site], now: DateTime<Utc>) -> Result<Imported> {
    let known = Known::find(sql, tuned::FIND_SITES, tenant, rows.iter().map(|row| row.id.0))?;
    let customers = rows.iter().filter_map(|row| row.rev_customer_id).map(|id| id.0);
    let customers = Known::find(sql, tuned::FIND_CUSTOMERS, tenant, customers)?;
    let (taken, imported) =
        sort(rows, &known, |row| row.id.0, |row| customers.require("customer", row.rev_customer_id.map(|id| id.0)));
    raise_counter(sql, tenant, "site", taken.iter().map(|row| row.id.0))?;
    sql.execute_each(tuned::UPSERT_SITE, taken, |row, run| {
        let customer = row.rev_customer_id.map(|id| id.0);
        run(&[&tenant.0, &row.id.0, &row.name, &customer, &row.is_active, &micros(now)])
    })?;
    Ok(imported)
}

pub(super) fn import_plans(sql: &Sql<'_>, tenant: TenantId, rows: &[CustomerRatePlan], now: DateTime<Utc>) -> Result<Imported> {
    let known = Known::find(sql, tuned::FIND_PLANS, tenant, rows.iter().map(|row| row.id.0))?;
    let (taken, imported) = sort(rows, &known, |row| row.id.0, |_| Ok(()));
    raise_counter(sql, tenant, "customer_rate_plan", taken.iter().map(|row| row.id.0))?;
    sql.execute_each(tuned::UPSERT_PLAN, taken, |row, run| {
        let price = row.monthly_price.map(decimal_text);
        let (default, bound) = (row.allocation_default_mb.map(decimal_text), row.allocation_bound_mb.map(decimal_text));
        let now = micros(now);
        run(&[&tenant.0, &row.id.0, &row.name, &price, &default, &bound, &row.rev_product_id, &row.is_active, &now])
    })?;
    Ok(imported)
}

pub(super) fn import_pools(sql: &Sql<'_>, tenant: TenantId, rows: &[CustomerRatePool], now: DateTime<Utc>) -> Result<Imported> {
    let known = Known::find(sql, tuned::FIND_POOLS, tenant, rows.iter().map(|row| row.id.0))?;
    let (taken, imported) = sort(rows, &known, |row| row.id.0, |_| Ok(()));
    raise_counter(sql, tenant, "customer_rate_pool", taken.iter().map(|row| row.id.0))?;
    sql.execute_each(tuned::UPSERT_POOL, taken, |row, run| {
        run(&[&tenant.0, &row.id.0, &row.name, &row.is_active, &micros(now)])
    })?;
    Ok(imported)
}
