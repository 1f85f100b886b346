//! A store that was dropped is closed: nothing of it is left to a thread that ends some time later.

use lineshift_store::access::AccessStore as _;
use lineshift_store_sqlite::Options;

/// SQLite removes the log beside the file when the last connection is closed.
#[tokio::test]
async fn a_dropped_store_is_closed_when_the_drop_returns() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("store.db");
    for nth in 0..50 {
        let store = lineshift_store_sqlite::open(&path, Options::default()).await.expect("it opens");
        let now = chrono::DateTime::from_timestamp(1_796_083_200, 0).expect("a moment in 2026");
        store.create_tenant(&format!("tenant {nth}"), chrono_tz::UTC, now).await.expect("a tenant");
        drop(store);
        let left: Vec<_> = std::fs::read_dir(directory.path()).expect("a directory").collect();
        assert_eq!(left.len(), 1, "time {nth}: beside the file there is {left:?}");
    }
}
