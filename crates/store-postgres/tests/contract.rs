//! The contract of every store, on PostgreSQL, as the product's role: a database of its own for each test.

use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_postgres::{Options, PostgresStore};

async fn open() -> (PostgresStore, TestDatabase) {
    let database = TestDatabase::new().await;
    (database.store(Options::default()).await, database)
}

lineshift_store::contract_tests!(open);
