//! Log and histories by month: partitions made ahead, and dropped by policy.

use lineshift_domain::ids::TenantId;
use lineshift_store::{Result, StoreError};
use lineshift_store_sql::{Engine as _, Scope, Sql};

use crate::engine::Postgres;
use crate::migrate::query;

/// The tables that are kept by month.
pub const KEPT_BY_MONTH: [&str; 4] = ["device_bulk_change_log", "device_action_history", "audit_entry", "audit_outcome"];

impl Postgres {
    /// Makes the partitions of that many months, from one such as 202611 on, where they are missing; answers how many. Rows of these
    /// months that came to the default partition meanwhile are moved there. Any role of the product may. Each month is made by itself:
    /// one whose rows are too many to be moved within the time limit of a statement keeps none of the others from being made.
    ///
    /// # Errors
    /// `Unavailable`: somebody holds a table for longer than five seconds; rows then go where they went before, and nothing is lost.
    /// Of several months that could not be made, what the first met.
    pub async fn ensure_partitions(&self, from_month: u32, months: u32) -> Result<u64> {
        let (mut made, mut failed) = (0, None);
        for ahead in 0..months {
            let text = format!("SELECT lineshift_ensure_partitions({}, 1)::bigint", month_after(from_month, ahead));
            match self.on_session(move |lent| count(&query(lent, &text)?)).await {
                Ok(some) => made += some,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(made), Err)
    }

    /// How many months before that one a table has partitions for.
    ///
    /// # Errors
    /// What the database says.
    pub async fn count_partitions_before(&self, table: &'static str, before_month: u32) -> Result<u64> {
        let text = format!(
            "SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = '{table}'::regclass AND substring(c.relname FROM '_([0-9]{{6}})$')::integer < {before_month}"
        );
        self.on_session(move |lent| count(&query(lent, &text)?)).await
    }

    /// Drops the partitions of a table before that month; answers how many. Only the owner may.
    ///
    /// # Errors
    /// `Unavailable`: somebody reads one of them for longer than five seconds; try again.
    pub async fn drop_partitions(&self, table: &'static str, before_month: u32) -> Result<u64> {
        let text = format!("SELECT lineshift_drop_partitions('{table}', {before_month})::bigint");
        self.on_session(move |lent| count(&query(lent, &text)?)).await
    }
}

/// Rows of the default partition, tenant by tenant, whose month had no partition when they came.
struct Apart {
    table: &'static str,
    /// `$1` the tenant, `$2` the first month that is kept.
    count: &'static str,
    delete: &'static str,
}

macro_rules! apart {
    ($($table:literal),*) => {
        [$(Apart {
            table: $table,
            count: concat!("SELECT count(*) FROM ", $table, "_default WHERE tenant_id = $1 AND month < $2"),
            delete: concat!("DELETE FROM ", $table, "_default WHERE tenant_id = $1 AND month < $2"),
        }),*]
    };
}

static APART: [Apart; 4] = apart!["device_bulk_change_log", "device_action_history", "audit_entry", "audit_outcome"];

impl Postgres {
    /// How many rows of a table that are older than that month stand in its default partition, or deletes them and answers how many.
    /// Only the owner may. Each tenant's in a transaction of its own.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rows_apart_before(&self, table: &'static str, before_month: u32, delete: bool) -> Result<u64> {
        let apart = APART.iter().find(|apart| apart.table == table);
        let apart = apart.ok_or_else(|| StoreError::internal(format!("{table} is not kept by month")))?;
        let tenants = self.read(Scope::Across, |sql| sql.query("SELECT id FROM tenant", &[], |row| row.get::<i64>(0))).await?;
        let mut rows = 0;
        for tenant in tenants {
            rows +=
                self.write(TenantId(tenant), move |sql| rows_apart(sql, apart, (tenant, before_month.into()), delete)).await?;
        }
        Ok(rows)
    }
}

fn rows_apart(sql: &Sql<'_>, apart: &Apart, (tenant, before): (i64, i64), delete: bool) -> Result<u64> {
    if delete {
        return Ok(sql.execute(apart.delete, &[&tenant, &before])? as u64);
    }
    let found = sql.find(apart.count, &[&tenant, &before], |row| row.get::<i64>(0))?;
    Ok(u64::try_from(found.unwrap_or_default()).unwrap_or(0))
}

fn count(rows: &[tokio_postgres::Row]) -> Result<u64> {
    let found = rows.first().ok_or_else(|| StoreError::internal("a count answered nothing"))?;
    Ok(u64::try_from(found.get::<_, i64>(0)).unwrap_or(0))
}

/// The month so many months later: 202611 and 3 is 202702.
#[must_use]
pub const fn month_after(month: u32, months: u32) -> u32 {
    let since_0 = month / 100 * 12 + month % 100 - 1 + months;
    since_0 / 12 * 100 + since_0 % 12 + 1
}

/// The month so many months before: 202602 and 3 is 202511.
#[must_use]
pub const fn month_before(month: u32, months: u32) -> u32 {
    let since_0 = (month / 100 * 12 + month % 100 - 1).saturating_sub(months);
    since_0 / 12 * 100 + since_0 % 12 + 1
}

#[cfg(test)]
mod tests {
    use super::{month_after, month_before};

    #[test]
    fn months_pass_over_the_end_of_a_year() {
        assert_eq!([month_after(202_611, 1), month_after(202_611, 2), month_after(202_612, 13)], [202_612, 202_701, 202_801]);
        assert_eq!([month_before(202_602, 1), month_before(202_602, 3), month_before(202_601, 12)], [202_601, 202_511, 202_501]);
    }
}
