//! All rows of a tenant, as the superuser sees them.

use lineshift_domain::ids::TenantId;
use lineshift_store_postgres::testing::TestDatabase;

/// The tables that tenants own, partitions left out.
pub(crate) async fn owned_tables(database: &TestDatabase) -> Vec<String> {
    let sql = "SELECT c.relname FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'tenant_id'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1";
    database.look(sql).await.into_iter().flatten().collect()
}

/// Reads all rows of some tenants.
pub(crate) struct Rows {
    sql: String,
}

impl Rows {
    pub(crate) fn of(tables: &[String], tenants: &[TenantId]) -> Self {
        let ids = tenants.iter().map(|tenant| tenant.0.to_string()).collect::<Vec<_>>().join(", ");
        let of_table = |table: &String| format!("SELECT '{table}', t::text FROM {table} t WHERE t.tenant_id IN ({ids})");
        let mut parts: Vec<String> = tables.iter().map(of_table).collect();
        parts.push(format!("SELECT 'tenant', t::text FROM tenant t WHERE t.id IN ({ids})"));
        Self { sql: format!("{} ORDER BY 1, 2", parts.join(" UNION ALL ")) }
    }

    /// Each with its table.
    pub(crate) async fn read(&self, database: &TestDatabase) -> Vec<Vec<String>> {
        database.look(&self.sql).await
    }
}

/// What stands in one and not in the other.
pub(crate) fn difference(before: &[Vec<String>], after: &[Vec<String>]) -> Vec<String> {
    let missing = |from: &[Vec<String>], other: &[Vec<String>], sign: &str| {
        let lines = from.iter().filter(|row| !other.contains(row)).map(|row| format!("{sign} {}", row.join(": ")));
        lines.collect::<Vec<_>>()
    };
    [missing(before, after, "-"), missing(after, before, "+")].concat()
}
