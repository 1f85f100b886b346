//! Migrations: numbered, in order, each in a transaction, never changed once released. They run as the owner of the schema.

use lineshift_store::{Result, StoreError};

use crate::connection::{Lent, Options};
use crate::engine::Postgres;
use crate::error::store_error;

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
    ($($number:literal $name:literal $([$($part:literal),*])?,)*) => {
        /// Every migration, in order.
        pub const MIGRATIONS: &[Migration] = &[$(Migration {
            number: $number,
            name: $name,
            sql: migrations!(@text $name $([$($part),*])?),
        },)*];
    };
    (@text $name:literal) => {
        include_str!(concat!("../migrations/", $name, ".sql"))
    };
    // One that is made of several files, run as one.
    (@text $name:literal [$($part:literal),*]) => {
        concat!($(include_str!(concat!("../migrations/", $name, "/", $part, ".sql")),)*)
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
    8 "0008_procedures" ["1_common", "2_assignment", "3_customer_rate_plan", "4_billing", "5_completion", "6_views"],
    9 "0009_tenant_work",
    10 "0010_places",
    11 "0011_carriers",
    12 "0012_carrier_sync",
    13 "0013_people",
    14 "0014_audit",
    15 "0015_invitations",
    16 "0016_selections",
}

impl Postgres {
    /// Brings the schema up to date and answers the migrations that it ran. Two who do so at once do it one after the other: the second
    /// waits for the first, however long that takes.
    ///
    /// # Errors
    /// `Unavailable`; `Internal` when a migration fails: then nothing of it took effect, and those before stand.
    pub async fn migrate(&self) -> Result<Vec<&'static Migration>> {
        self.on_session(|lent| {
            wait_for_turn(lent)?;
            let text = "CREATE TABLE IF NOT EXISTS schema_migration (number bigint NOT NULL PRIMARY KEY, name text NOT NULL)";
            lent.batch(text).map_err(store_error)?;
            let done = run(lent)?;
            let mut ran = Vec::new();
            for migration in MIGRATIONS.iter().filter(|known| !done.contains(&known.number)) {
                let Migration { number, name, sql } = migration;
                let text =
                    format!("BEGIN; {sql}\n; INSERT INTO schema_migration (number, name) VALUES ({number}, '{name}'); COMMIT");
                lent.long_batch(&text).map_err(|error| StoreError::Internal {
                    context: format!("migration {name} failed; nothing of it took effect"),
                    source: Some(Box::new(error)),
                })?;
                ran.push(migration);
            }
            Ok(ran)
        })
        .await
    }

    /// Checks that the schema knows what this version needs. One that is newer is served, too: what a migration takes away, no version
    /// in use needs any more.
    pub(crate) async fn check_schema(&self) -> Result<()> {
        self.on_session(|lent| {
            let missing = |names: &str| {
                StoreError::internal(format!("the database lacks {names}: run `lineshift migrate` with the owner's URL first"))
            };
            let done = run(lent).map_err(|error| match error {
                StoreError::Internal { .. } => missing("every migration"),
                other => other,
            })?;
            let lacking: Vec<&str> =
                MIGRATIONS.iter().filter(|known| !done.contains(&known.number)).map(|known| known.name).collect();
            if lacking.is_empty() { Ok(()) } else { Err(missing(&lacking.join(", "))) }
        })
        .await
    }

    /// Checks that row level security holds this role: it neither passes by it nor owns the tables.
    pub(crate) async fn check_role(&self) -> Result<()> {
        self.on_session(|lent| {
            let found = query(
                lent,
                "SELECT current_user::text, CASE WHEN rolsuper THEN 'is a superuser' WHEN rolbypassrls THEN 'may bypass row level security'
                    WHEN pg_has_role((SELECT relowner FROM pg_class WHERE oid = 'device_tenant'::regclass), 'USAGE') THEN 'owns the tables' END
                 FROM pg_roles WHERE rolname = current_user",
            )?;
            let why = found.first().and_then(|row| Some((row.get::<_, String>(0), row.get::<_, Option<String>>(1)?)));
            match why {
                None => Ok(()),
                Some((role, why)) => Err(StoreError::internal(format!(
                    "the role {role:?} {why}, so that nothing in the database would keep tenants apart: connect as a member of lineshift_app"
                ))),
            }
        })
        .await
    }

    /// Runs something on a connection outside of any transaction.
    pub(crate) async fn on_session<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Lent) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let slot = self.pool.slot().await?;
        let pool = std::sync::Arc::clone(&self.pool);
        tokio::task::spawn_blocking(move || {
            let mut lent = pool.lend(slot, true)?;
            // Not to be used again: whatever it holds ends with it.
            lent.is_clean = false;
            work(&mut lent)
        })
        .await
        .map_err(|error| StoreError::Internal { context: "a store call was cut off".to_owned(), source: Some(Box::new(error)) })?
    }
}

/// Waits until nobody else migrates. The lock ends with the connection.
fn wait_for_turn(lent: &mut Lent) -> Result<()> {
    let tried = query(lent, "SELECT pg_try_advisory_lock(7305188012341)")?;
    if tried.first().is_some_and(|row| row.get(0)) {
        return Ok(());
    }
    tracing::info!("another process migrates this database; waiting for its end");
    let Options { statement_timeout, lock_timeout, .. } = lent.pool.options;
    // The limits are for rows that others hold, and for migrations themselves.
    lent.long_batch("SET lock_timeout = 0; SET statement_timeout = 0; SELECT pg_advisory_lock(7305188012341)")
        .map_err(store_error)?;
    let limits =
        format!("SET lock_timeout = {}; SET statement_timeout = {}", lock_timeout.as_millis(), statement_timeout.as_millis());
    lent.batch(&limits).map_err(store_error)
}

fn run(lent: &mut Lent) -> Result<Vec<i64>> {
    let done = query(lent, "SELECT number FROM schema_migration ORDER BY number")?;
    Ok(done.iter().map(|row| row.get(0)).collect())
}

pub(crate) fn query(lent: &mut Lent, sql: &str) -> Result<Vec<tokio_postgres::Row>> {
    let pool = std::sync::Arc::clone(&lent.pool);
    let session = lent.session();
    pool.io().block_on(session.answer(pool.options.longest_answer(), session.client.query(sql, &[]))).map_err(store_error)
}
