//! Migrations: numbered, in order, each in a transaction, never changed once released.

use lineshift_store::{Result, StoreError};

use crate::Sqlite;

/// One step of the schema. Numbers and names are the same on every engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Its number, from 1.
    pub number: i64,
    /// Its name.
    pub name: &'static str,
    /// Its statements.
    pub sql: &'static str,
}

macro_rules! migrations {
    ($($number:literal $name:literal,)*) => {
        /// Every migration, in order.
        pub const MIGRATIONS: &[Migration] = &[$(Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../migrations/", $name, ".sql")),
        },)*];
    };
}

migrations! {
    1 "0001_tenants",
    2 "0002_reference",
    3 "0003_devices",
    4 "0004_bulk_changes",
    5 "0005_statistics",
    6 "0006_billing",
    7 "0007_sync",
    8 "0008_procedures",
    9 "0009_tenant_work",
    10 "0010_places",
}

impl Sqlite {
    /// Brings the schema up to date. A store that a newer version has migrated is refused.
    pub(crate) async fn migrate(&self) -> Result<()> {
        self.write_with(|sql| {
            sql.batch(
                "CREATE TABLE IF NOT EXISTS schema_migration (number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL) STRICT",
            )?;
            let done = sql.sql().query("SELECT number, name FROM schema_migration ORDER BY number", &[], |row| {
                Ok((row.get::<i64>(0)?, row.get::<String>(1)?))
            })?;
            for (number, name) in &done {
                if !MIGRATIONS.iter().any(|known| known.number == *number && known.name == name) {
                    return Err(StoreError::internal(format!(
                        "the store has migration {number} ({name}), which this version does not know: run a newer version"
                    )));
                }
            }
            for migration in MIGRATIONS.iter().filter(|known| done.iter().all(|(number, _)| *number != known.number)) {
                sql.batch(migration.sql)?;
                sql.sql().execute(
                    "INSERT INTO schema_migration (number, name) VALUES ($1, $2)",
                    &[&migration.number, &migration.name],
                )?;
            }
            Ok(())
        })
        .await
    }
}
