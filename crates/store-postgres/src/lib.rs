//! The store for production: PostgreSQL, for many workers and servers, with row level security as a second net.
//!
//! What a transaction does is written in `lineshift-store-sql`; here are the connections, the statements' text for this engine, the
//! migrations and the functions.

mod address;
pub mod clocks;
mod connection;
mod driver;
mod engine;
mod error;
#[cfg(feature = "testing")]
mod instead;
mod migrate;
mod one_trip;
mod owner;
mod procedures;
pub mod retention;
mod signals;
mod sql;
pub mod take_over;
#[cfg(feature = "testing")]
pub mod testing;
mod transaction;

pub use connection::Options;
pub use engine::{Postgres, PostgresTransaction};
use lineshift_store::Result;
use lineshift_store_sql::SqlStore;
pub use migrate::{MIGRATIONS, Migration};

/// The store for production.
pub type PostgresStore = SqlStore<Postgres>;

/// Opens the store at that URL, whose schema must be up to date.
///
/// # Errors
/// `Conflict`: the URL cannot be read. `Unavailable`: nobody answers. `Internal`: the schema lacks a migration, or the role is one that
/// row level security does not hold.
pub async fn connect(url: &str, options: Options) -> Result<PostgresStore> {
    let database = Postgres::new(url, options)?;
    database.check_schema().await?;
    if !options.trust_role {
        database.check_role().await?;
    }
    Ok(SqlStore::new(database))
}

/// The database at that URL as its owner: for migrations, whatever state its schema is in.
///
/// # Errors
/// `Conflict`: the URL cannot be read.
pub fn as_owner(url: &str) -> Result<Postgres> {
    let hour = std::time::Duration::from_secs(3_600);
    Postgres::new(url, Options { connections: 1, statement_timeout: hour, trust_role: true, ..Options::default() })
}
