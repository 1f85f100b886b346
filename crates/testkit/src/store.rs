//! The store beneath a test: the embedded one, or PostgreSQL where `LINESHIFT_TEST_STORE` asks for it. `./test` runs with both.

use std::path::Path;
use std::sync::Arc;

use lineshift_domain::ids::TenantId;
use lineshift_store::{Result, Store};
use lineshift_store_postgres::PostgresStore;
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_sqlite::{Options, SqliteStore};

/// Says which store tests run on: `sqlite`, the default, or `postgres`.
pub const STORE: &str = "LINESHIFT_TEST_STORE";

/// The name of the embedded store's file within its directory.
pub const FILE: &str = "store.sqlite3";

/// A store of a test's own.
#[derive(Clone)]
pub enum TestStore {
    /// In a file.
    Sqlite(SqliteStore),
    /// In a database that is gone with the last of those who have it open.
    Postgres(PostgresStore, Arc<TestDatabase>),
}

/// Whether tests run on PostgreSQL.
///
/// # Panics
/// When the setting names neither store.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where tests are told which store to run on")]
pub fn on_postgres() -> bool {
    match std::env::var(STORE).as_deref() {
        Err(_) | Ok("" | "sqlite") => false,
        Ok("postgres") => true,
        Ok(other) => panic!("{STORE}={other} is not known; there are sqlite and postgres"),
    }
}

/// What counts on PostgreSQL of the embedded store's options.
fn as_postgres(options: Options) -> lineshift_store_postgres::Options {
    lineshift_store_postgres::Options { before_write: options.before_write, ..Default::default() }
}

impl TestStore {
    /// A new one. A file would lie in that directory; of the options, only `before_write` counts on PostgreSQL.
    pub async fn new(directory: &Path, options: Options) -> Self {
        if !on_postgres() {
            return Self::Sqlite(lineshift_store_sqlite::open(&directory.join(FILE), options).await.expect("a new store"));
        }
        Self::in_database(TestDatabase::new().await, options).await
    }

    /// The one in that database.
    pub async fn in_database(database: TestDatabase, options: Options) -> Self {
        let store = database.store(as_postgres(options)).await;
        Self::Postgres(store, Arc::new(database))
    }

    /// The connections of another process to that database, so many at most, known there by that name.
    ///
    /// # Errors
    /// What the database says.
    pub async fn process(database: &Arc<TestDatabase>, name: &str, connections: usize) -> Result<Self> {
        let options = lineshift_store_postgres::Options { connections, ..Default::default() };
        let store = lineshift_store_postgres::connect(&database.app_url_of(name), options).await?;
        Ok(Self::Postgres(store, Arc::clone(database)))
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::new(store.clone()),
            Self::Postgres(store, _) => Arc::new(store.clone()),
        }
    }

    /// The same rows through other connections, as another process would have them.
    pub async fn beside(&self, options: Options) -> Self {
        match self {
            Self::Sqlite(store) => {
                Self::Sqlite(lineshift_store_sqlite::open(&store.path(), options).await.expect("the store opens twice"))
            }
            Self::Postgres(_, database) => Self::Postgres(database.store(as_postgres(options)).await, Arc::clone(database)),
        }
    }

    /// Makes a tenant's ids others than those of any other tenant, as the embedded store's are: there a test that asks by another's
    /// ids could not tell what it finds from what is its own.
    pub async fn keep_ids_apart(&self, tenant: TenantId) {
        let Self::Postgres(_, database) = self else { return };
        let first = (tenant.0 - 1) * 10_000 + 1;
        let names = "'principal', 'device', 'device_bulk_change', 'device_change', 'outbox', 'rev_service', 'rev_service_product', 'site', \
            'stored_order', 'sync_run', 'integration_authentication', 'service_provider', 'customer_rate_plan', 'customer_rate_pool'";
        let text = format!(
            "INSERT INTO id_counter (tenant_id, name, next_id) SELECT {tenant}, name, {first} FROM unnest(ARRAY[{names}]) AS name"
        );
        database.execute(&text).await.expect("the counters are the tenant's own");
    }

    /// The rows of a query over all tenants, each column as text: a null is `NULL`, yes and no are 1 and 0.
    ///
    /// # Errors
    /// What the database says.
    pub async fn inspect(&self, query: &str) -> Result<Vec<Vec<String>>> {
        match self {
            Self::Sqlite(store) => store.inspect(query).await,
            Self::Postgres(_, database) => database.inspect(query).await,
        }
    }

    /// How many statements were sent so far, `BEGIN` and `COMMIT` included.
    #[must_use]
    pub fn statements_sent(&self) -> u64 {
        match self {
            Self::Sqlite(store) => store.statements_sent(),
            Self::Postgres(store, _) => store.statements_sent(),
        }
    }

    /// For tests of what only the embedded store has.
    ///
    /// # Panics
    /// On PostgreSQL.
    #[must_use]
    pub fn sqlite(&self) -> &SqliteStore {
        match self {
            Self::Sqlite(store) => store,
            Self::Postgres(..) => panic!("this test is about a file; {STORE}=postgres is not for it"),
        }
    }

    /// The database, on PostgreSQL.
    #[must_use]
    pub fn database(&self) -> Option<&TestDatabase> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(_, database) => Some(database),
        }
    }
}
