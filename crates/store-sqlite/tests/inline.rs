//! The contract on a store whose statements run on the caller's thread, and that nothing of it waits for another thread.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_store::access::AccessStore as _;
use lineshift_store::work::WorkStore as _;
use lineshift_store_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

async fn open() -> (SqliteStore, TempDir) {
    let options = Options { inline: true, durable: false, ..Options::default() };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = lineshift_store_sqlite::open(&directory.path().join("contract.db"), options).await.expect("a new store");
    (store, directory)
}

lineshift_store::contract_tests!(open);

thread_local! {
    /// Whether this is the thread of the test.
    static IS_CALLER: Cell<bool> = const { Cell::new(false) };
}

static WRITTEN: AtomicU64 = AtomicU64::new(0);

fn on_the_callers_thread(number: u64) {
    assert!(IS_CALLER.get(), "statement {number} runs on another thread");
    WRITTEN.fetch_max(number, Ordering::Relaxed);
}

fn fail_from_the_fifth(number: u64) {
    assert!(number < 5, "statement {number} is not to be");
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_796_083_200, 0).expect("a moment in 2026")
}

/// On a virtual clock, which jumps ahead whenever all that runs waits for another thread: it does not.
#[tokio::test(start_paused = true)]
async fn a_call_waits_for_no_other_thread() {
    IS_CALLER.set(true);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let options = Options { inline: true, durable: false, before_write: Some(on_the_callers_thread), ..Options::default() };
    let begun = tokio::time::Instant::now();
    let store = lineshift_store_sqlite::open(&directory.path().join("inline.db"), options).await.expect("a new store");
    let writes = async {
        for nth in 0..20 {
            store.create_tenant(&format!("tenant {nth}"), chrono_tz::UTC, now()).await.expect("a tenant");
            tokio::task::yield_now().await;
        }
    };
    let reads = async {
        for _ in 0..20 {
            store.measure(now() + TimeDelta::seconds(1)).await.expect("measured");
            tokio::task::yield_now().await;
        }
    };
    let alarm = tokio::time::timeout(std::time::Duration::from_secs(1), async { tokio::join!(writes, reads) });
    alarm.await.expect("no virtual time passes");
    assert_eq!(tokio::time::Instant::now(), begun);
    assert!(WRITTEN.load(Ordering::Relaxed) > 20, "each was seen before it was written");
    assert_eq!(store.list_tenants().await.expect("tenants").len(), 20);
}

/// A fault before a statement rolls its transaction back, and the store goes on.
#[tokio::test]
async fn a_fault_before_a_statement_undoes_its_transaction() {
    let (kept, directory) = open().await;
    let options = Options { inline: true, before_write: Some(fail_from_the_fifth), ..Options::default() };
    let path = directory.path().join("contract.db");
    let store = lineshift_store_sqlite::open(&path, options).await.expect("its schema is up to date: four statements");
    let failed = store.create_tenant("never", chrono_tz::UTC, now()).await;
    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(kept.list_tenants().await.expect("tenants"), []);
    kept.create_tenant("later", chrono_tz::UTC, now()).await.expect("nothing holds the store");
    assert_eq!(store.list_tenants().await.expect("reads go on").len(), 1);
}
