//! The contract of every store, on the embedded one: a new file for each test.

use lineshift_store_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

async fn open() -> (SqliteStore, TempDir) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store =
        lineshift_store_sqlite::open(&directory.path().join("contract.db"), Options::default()).await.expect("a new store");
    (store, directory)
}

lineshift_store::contract_tests!(open);
