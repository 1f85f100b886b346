//! Present assignments.

use chrono::{DateTime, Utc};
use lineshift_domain::ids::TenantId;
use lineshift_store::Result;
use lineshift_store::import::{ImportAssignment, Imported};

use super::{Known, KnownLine, find_lines, no_line};
use crate::engine::Sql;
use crate::row::{decimal_text, micros};
use crate::sql::import as tuned;

/// What the rows of one call refer to.
struct Targets {
    customers: Known,
    sites: Known,
    plans: Known,
    pools: Known,
}

impl Targets {
    fn find(sql: &Sql<'_>, tenant: TenantId, rows: &[ImportAssignment]) -> Result<Self> {
        let customers = rows.iter().filter_map(|row| row.rev_customer_id).map(|id| id.0);
        let plans = rows.iter().filter_map(|row| row.customer_rate_plan_id).map(|id| id.0);
        let pools = rows.iter().filter_map(|row| row.customer_rate_pool_id).map(|id| id.0);
        Ok(Self {
            customers: Known::find(sql, tuned::FIND_CUSTOMERS, tenant, customers)?,
            sites: Known::find(sql, tuned::FIND_SITES, tenant, rows.iter().map(|row| row.site_id.0))?,
            plans: Known::find(sql, tuned::FIND_PLANS, tenant, plans)?,
            pools: Known::find(sql, tuned::FIND_POOLS, tenant, pools)?,
        })
    }

    fn check(&self, row: &ImportAssignment) -> std::result::Result<(), String> {
        self.customers.require("customer", row.rev_customer_id.map(|id| id.0))?;
        self.sites.require("site", Some(row.site_id.0))?;
        self.plans.require("customer rate plan", row.customer_rate_plan_id.map(|id| id.0))?;
        self.pools.require("customer rate pool", row.customer_rate_pool_id.map(|id| id.0))?;
        match row.rev_customer_id {
            Some(customer) if self.sites.get(row.site_id.0) != Some(customer.0) => {
                Err(format!("site {} does not belong to customer {customer}", row.site_id))
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn import(
    sql: &Sql<'_>,
    tenant: TenantId,
    rows: &[ImportAssignment],
    by: &str,
    now: DateTime<Utc>,
) -> Result<Imported> {
    let targets = Targets::find(sql, tenant, rows)?;
    let lines = find_lines(sql, tenant, &rows.iter().map(|row| row.iccid.as_str()).collect::<Vec<_>>())?;
    let mut imported = Imported::default();
    let mut taken: Vec<(&ImportAssignment, &KnownLine)> = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        match lines.get(&place).ok_or_else(|| no_line(&row.iccid)).and_then(|line| targets.check(row).map(|()| line)) {
            Ok(line) => {
                // A line without a site has never been assigned: every line has its row from the start.
                let (created, updated) = if line.site_id.is_none() { (1, 0) } else { (0, 1) };
                imported.created += created;
                imported.updated += updated;
                taken.push((row, line));
            }
            Err(text) => imported.refused.push((place, text)),
        }
    }
    sql.execute_each(tuned::UPDATE_ASSIGNMENT, taken, |(row, line), run| {
        let customer = row.rev_customer_id.map(|id| id.0);
        let authentication = customer.and_then(|id| targets.customers.get(id));
        run(&[
            &tenant.0,
            &line.id.0,
            &customer,
            &row.site_id.0,
            &customer.map(|id| id.to_string()),
            &authentication,
            &row.customer_rate_plan_id.map(|id| id.0),
            &row.customer_rate_pool_id.map(|id| id.0),
            &row.customer_data_allocation_mb.map(decimal_text),
            &row.effective_date.map(micros),
            &by,
            &micros(now),
        ])
    })?;
    Ok(imported)
}
