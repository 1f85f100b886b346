//! The embedded store: SQLite with one writer (`BEGIN IMMEDIATE`), many readers, and a write-ahead log.
//!
//! Whole transactions run as one closure on the writer's own thread, so that a statement costs no thread hop.

mod access;
mod backup;
mod billing;
mod bulk_changes;
mod catalogue;
mod connection;
mod devices;
mod error;
mod facts;
mod import;
mod migrate;
mod plan_queue;
mod row;
mod sql;
mod sync;
mod work;

use std::path::{Path, PathBuf};

use connection::Database;
pub use connection::Options;
use lineshift_store::{Result, Store};
pub use migrate::{MIGRATIONS, Migration};

/// The embedded store.
#[derive(Clone)]
pub struct SqliteStore {
    database: Database,
}

impl SqliteStore {
    /// Opens the store in that file, creates it if it is missing, and brings its schema up to date.
    pub async fn open(path: &Path, options: Options) -> Result<Self> {
        let database = Database::open(path, options).await?;
        database.migrate().await?;
        Ok(Self { database })
    }

    /// Where it is stored.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.database.path().to_owned()
    }

    /// How many statements were sent so far, `BEGIN` and `COMMIT` included; rows bound in one prepared loop count once.
    #[must_use]
    pub fn statements_sent(&self) -> u64 {
        self.database.statements_sent()
    }

    /// Moves the write-ahead log into the database file.
    pub async fn checkpoint(&self) -> Result<()> {
        self.database.checkpoint().await
    }

    /// For checks: the rows of a query, each column as text; null is `NULL`.
    pub async fn inspect(&self, sql: &str) -> Result<Vec<Vec<String>>> {
        self.database.inspect(sql.to_owned()).await
    }

    /// For checks: the plan of a statement, one line a row, as `EXPLAIN QUERY PLAN` prints it.
    pub async fn explain(&self, sql: &str) -> Result<Vec<String>> {
        self.database.explain(sql.to_owned()).await
    }
}

impl Store for SqliteStore {
    fn engine(&self) -> &'static str {
        "sqlite"
    }
}
