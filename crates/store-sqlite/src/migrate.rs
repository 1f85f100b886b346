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
    11 "0011_carriers",
    12 "0012_carrier_sync",
    13 "0013_people",
    14 "0014_audit",
    15 "0015_invitations",
    16 "0016_selections",
}

impl Sqlite {
    /// Checks that the schema is the one of this version.
    pub(crate) async fn check_schema(&self) -> Result<()> {
        let done = "SELECT number, name FROM schema_migration ORDER BY number";
        let done: Vec<(i64, String)> = self
            .read_with(move |sql| {
                let there = "SELECT count(*) FROM sqlite_schema WHERE name = 'schema_migration'";
                match sql.sql().find(there, &[], |row| row.get::<i64>(0))? {
                    Some(1) => sql.sql().query(done, &[], |row| Ok((row.get(0)?, row.get(1)?))),
                    _ => Ok(Vec::new()),
                }
            })
            .await?;
        let unknown =
            done.iter().find(|(number, name)| !MIGRATIONS.iter().any(|known| (known.number, known.name) == (*number, name)));
        let lacking = MIGRATIONS.iter().find(|known| done.iter().all(|(number, _)| *number != known.number));
        let message = match (unknown, lacking) {
            (Some((_, name)), _) => format!("the store's schema is of a newer version (it has {name}): use that version"),
            (None, Some(Migration { name, .. })) => {
                format!("the store's schema is of an older version (it lacks {name}): run `lineshift migrate` on it first")
            }
            (None, None) => return Ok(()),
        };
        Err(StoreError::Conflict { message })
    }

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
