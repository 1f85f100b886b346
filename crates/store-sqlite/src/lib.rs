//! The embedded store: SQLite with one writer (`BEGIN IMMEDIATE`), many readers, and a write-ahead log.
//!
//! Whole transactions run as one closure on the writer's own thread, so that a statement costs no thread hop. What they do is written in
//! `lineshift-store-sql`.

mod backup;
mod connection;
mod error;
mod migrate;
mod owner;
mod row;
mod sql;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use connection::{Options, Sqlite, SqliteTransaction};
use lineshift_store::Result;
use lineshift_store_sql::SqlStore;
pub use migrate::{MIGRATIONS, Migration};

/// The embedded store.
pub type SqliteStore = SqlStore<Sqlite>;

/// Opens the store in that file, creates it if it is missing, and brings its schema up to date.
///
/// # Errors
/// `Unavailable`, `Full`, `ReadOnly`; `Internal` when a newer version has migrated it.
pub async fn open(path: &Path, options: Options) -> Result<SqliteStore> {
    let database = Sqlite::open(path, options).await?;
    database.migrate().await?;
    Ok(SqlStore::new(database))
}

/// Opens the store in that file, which must be there, and leaves its schema as it is.
///
/// # Errors
/// `Conflict` when its schema is not the one of this version, and what to do; `Unavailable`, `ReadOnly`.
pub async fn open_as_it_is(path: &Path, options: Options) -> Result<SqliteStore> {
    let database = Sqlite::open(path, options).await?;
    database.check_schema().await?;
    Ok(SqlStore::new(database))
}
