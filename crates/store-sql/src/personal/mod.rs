//! Personal data of a customer: everything that is stored of it, and its erasure. For the owner of the schema, as it reaches where the
//! product may not: what was logged and audited.

mod concerned;

use async_trait::async_trait;
pub use concerned::{CONCERNED, Concerned, ERASED};
use lineshift_domain::ids::{RevCustomerId, TenantId};
use lineshift_store::{Result, StoreError};

use crate::engine::{Engine, Sql};
use crate::row::Row;
use crate::value::OwnedValue;

/// An engine as its owner has it.
#[async_trait]
pub trait OwnerEngine: Engine {
    /// Runs a whole write transaction, in which what was audited may be changed and taken away.
    async fn write_as_owner<T, W>(&self, tenant: TenantId, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: Fn(&Sql<'_>) -> Result<T> + Send + 'static;
}

/// How many rows of a table something was blanked in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasedRows {
    /// The table.
    pub table: &'static str,
    /// The rows.
    pub rows: usize,
}

/// Where exported rows go to, one after the other: the table, and the row's columns with their names.
pub type TakeExported = std::sync::Arc<dyn Fn(&'static str, &[(&'static str, OwnedValue)]) -> Result<()> + Send + Sync>;

/// Hands every row that concerns a customer to `take`, table by table, and answers how many there were. Rows are not held: a customer
/// may have millions.
///
/// # Errors
/// `NotFound`: there is no such customer. What the engine or `take` says.
pub async fn export_personal_data<E: Engine>(
    engine: &E,
    tenant: TenantId,
    customer: RevCustomerId,
    take: TakeExported,
) -> Result<usize> {
    require_customer(engine, tenant, customer).await?;
    let mut rows = 0;
    for concerned in CONCERNED {
        let take = std::sync::Arc::clone(&take);
        let read = move |row: &Row<'_>| {
            let columns = concerned.columns.iter().enumerate();
            let columns: Result<Vec<_>> = columns.map(|(place, name)| Ok((*name, row.get(place)?))).collect();
            take(concerned.table, &columns?)
        };
        let found = engine.read(tenant, move |sql| sql.query(concerned.select, &[&tenant.0, &customer.0], &read)).await?;
        rows += found.len();
    }
    Ok(rows)
}

/// How many lines are assigned to a customer now.
///
/// # Errors
/// `NotFound`: there is no such customer. What the engine says.
pub async fn count_lines<E: Engine>(engine: &E, tenant: TenantId, customer: RevCustomerId) -> Result<i64> {
    require_customer(engine, tenant, customer).await?;
    count(engine, tenant, customer, concerned::COUNT_LINES).await
}

/// Blanks what is personal in every row that concerns a customer; answers how many rows of each table that was. Each table is a
/// transaction of its own, and what is blank already is passed over: begun again after it was cut off, it goes on.
///
/// # Errors
/// `NotFound`: there is no such customer. `Conflict`: something of it is still under way. What the engine says.
pub async fn erase_personal_data<E: OwnerEngine>(
    engine: &E,
    tenant: TenantId,
    customer: RevCustomerId,
) -> Result<Vec<ErasedRows>> {
    require_customer(engine, tenant, customer).await?;
    let open = count(engine, tenant, customer, concerned::COUNT_OPEN).await?;
    if open > 0 {
        let message =
            format!("{open} lines or plan queue entries of customer {customer} are under way: let them end, or cancel them");
        return Err(StoreError::Conflict { message });
    }
    let mut erased = Vec::new();
    for concerned in CONCERNED {
        let Some(text) = concerned.erase else { continue };
        let rows = engine.write_as_owner(tenant, move |sql| sql.execute(text, &[&tenant.0, &customer.0])).await?;
        erased.push(ErasedRows { table: concerned.table, rows });
    }
    Ok(erased)
}

async fn require_customer<E: Engine>(engine: &E, tenant: TenantId, customer: RevCustomerId) -> Result<()> {
    let text = "SELECT 1 FROM rev_customer WHERE tenant_id = $1 AND id = $2";
    let found = engine.read(tenant, move |sql| sql.find(text, &[&tenant.0, &customer.0], |_| Ok(()))).await?;
    found.ok_or_else(|| StoreError::not_found("customer", customer))
}

async fn count<E: Engine>(engine: &E, tenant: TenantId, customer: RevCustomerId, text: &'static str) -> Result<i64> {
    let found = engine.read(tenant, move |sql| sql.find(text, &[&tenant.0, &customer.0], |row| row.get(0))).await?;
    Ok(found.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::CONCERNED;

    #[test]
    fn whatever_is_blanked_stands_in_the_manual() {
        let manual = include_str!("../../../../docs/audit.md");
        let rows: Vec<&str> = manual.lines().filter(|line| line.starts_with("| `")).collect();
        for concerned in CONCERNED {
            for column in concerned.personal {
                let says = |row: &&&str| row.contains(&format!("`{}`", concerned.table)) && row.contains(&format!("`{column}`"));
                assert!(rows.iter().any(|row| says(&row)), "{}.{column}", concerned.table);
                assert!(concerned.columns.contains(column), "{}.{column} is shown before it is blanked", concerned.table);
            }
        }
    }
}
