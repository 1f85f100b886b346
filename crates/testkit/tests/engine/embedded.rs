//! The embedded store's file, which PostgreSQL has none of: a full disk and a store that may only be read: a clear error, and the store intact after.

use chrono::TimeDelta;
use lineshift_domain::limits::Limits;
use lineshift_domain::terms::BulkChangeStatus;
use lineshift_engine::{Engine, EngineError, WorkerOptions};
use lineshift_store::StoreError;
use lineshift_store::bulk_changes::IdempotencyClaim;
use lineshift_store_sqlite::Options;
use lineshift_testkit::operator::{Operator, iccid};

use crate::control::assignment;

const LINES: u64 = 2_000;
const READ_ONLY: &str =
    "the store can only be read: check the permissions of its file, or that the database is no standby, then try again";
const FULL: &str = "the store's disk is full: nothing of this was stored; free space, then try again";

async fn operator(page_lines: usize) -> Operator {
    Operator::with(LINES, Limits { page_lines, ..Limits::default() }, Options::default()).await
}

/// An engine on the same file that may grow by so many pages of 4 KiB and no further.
async fn on_a_full_disk(operator: &Operator, pages_left: u32) -> Engine {
    let pages = u32::try_from(operator.count("PRAGMA page_count").await).expect("a small file") + pages_left;
    operator.second_engine(Options { max_pages: Some(pages), ..Options::default() }).await
}

fn is_full<T: std::fmt::Debug>(result: Result<T, EngineError>) {
    match result {
        Err(EngineError::Store(error @ StoreError::Full(_))) => assert_eq!(error.to_string(), FULL),
        other => panic!("the disk is full, yet {other:?}"),
    }
}

async fn is_intact(operator: &Operator) {
    let found = operator.stored.inspect("PRAGMA integrity_check").await.expect("checked");
    assert_eq!(found, [["ok"]]);
    let broken = operator.stored.inspect("PRAGMA foreign_key_check").await.expect("checked");
    assert_eq!(broken, Vec::<Vec<String>>::new());
}

async fn everything_was_done(operator: &Operator, id: lineshift_domain::ids::BulkChangeId) {
    let change = operator.change(id).await;
    let lines = i64::try_from(LINES).expect("few");
    assert_eq!((change.status(), change.counts.processed), (BulkChangeStatus::Processed, lines));
    for (query, expected) in [
        ("SELECT count(*) FROM device_action_history", lines),
        ("SELECT count(*) FROM cross_provider_device_history WHERE valid_to IS NULL", lines),
        ("SELECT count(*) FROM device_bulk_change_log", lines + 1),
        ("SELECT count(*) FROM device_tenant WHERE site_id IS NOT NULL AND version = 2", lines),
    ] {
        assert_eq!(operator.count(query).await, expected, "{query}");
    }
    is_intact(operator).await;
}

#[tokio::test]
async fn an_order_that_does_not_fit_is_not_stored() {
    // At once, and page by page.
    for (page_lines, pages_left) in [(5_000, 10), (100, 10), (100, 0)] {
        let operator = operator(page_lines).await;
        let full = on_a_full_disk(&operator, pages_left).await;
        is_full(full.submit(&operator.caller, assignment(&operator, LINES), None).await);
        is_intact(&operator).await;
        operator.run_until_idle().await;
        assert_eq!(operator.device(1).await.site_id, None);
        // What could not even be dropped for want of space is dropped when its lease has run out.
        operator.clock.advance(TimeDelta::seconds(31));
        operator.engine.drop_abandoned_submissions().await.expect("dropped");
        for table in ["device_bulk_change", "device_change", "device_bulk_change_page", "device_bulk_change_log"] {
            assert_eq!(operator.count(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
        }
        // With space again it goes through.
        let submitted = operator.submit(assignment(&operator, LINES)).await;
        operator.run_until_idle().await;
        everything_was_done(&operator, submitted.id).await;
    }
}

#[tokio::test]
async fn an_order_that_did_not_fit_goes_through_under_the_same_key_later() {
    let operator = operator(100).await;
    let claim = IdempotencyClaim { caller: operator.caller.principal, key: "once".to_owned(), body_hash: [1; 32] };
    let full = on_a_full_disk(&operator, 10).await;
    is_full(full.submit(&operator.caller, assignment(&operator, LINES), Some(claim.clone())).await);
    operator.clock.advance(TimeDelta::seconds(31));
    operator.engine.drop_abandoned_submissions().await.expect("dropped");
    operator.engine.submit(&operator.caller, assignment(&operator, LINES), Some(claim)).await.expect("stored");
    assert_eq!(operator.changes_seen_by(&operator.caller).await, 1);
}

#[tokio::test]
async fn a_change_that_runs_into_a_full_disk_goes_on_to_its_end_when_there_is_space() {
    for pages_left in [0, 8, 40, 100] {
        let operator = operator(200).await;
        let submitted = operator.submit(assignment(&operator, LINES)).await;
        let full = on_a_full_disk(&operator, pages_left).await;
        let options = WorkerOptions { owner: "squeezed".to_owned() };
        is_full(full.run_pages_until_idle(&options).await);

        // Whole pages are done or not at all, and the counts say so.
        let change = operator.change(submitted.id).await;
        assert!(change.counts.open > 0 && change.counts.processed % 200 == 0, "{:?}", change.counts);
        assert_eq!(change.counts.error, 0, "a full disk is waited for, no line ends in error");
        let histories = operator.count("SELECT count(*) FROM device_action_history").await;
        assert_eq!(histories, change.counts.processed);
        is_intact(&operator).await;

        // The page in hand stays leased; another try comes when its lease has run out.
        operator.clock.advance(TimeDelta::seconds(30));
        operator.run_until_idle().await;
        everything_was_done(&operator, submitted.id).await;
    }
}

#[tokio::test]
async fn due_entries_wait_for_space() {
    let operator = operator(5_000).await;
    let date = lineshift_domain::order::EffectiveDate::Day("2026-12-24".parse().expect("a day"));
    let order =
        lineshift_domain::order::CustomerRatePlanOrder { effective_date: Some(date), ..operator.plan_order(operator.plan) };
    let effect = lineshift_domain::order::Effect::CustomerRatePlanChange(order);
    operator.run(operator.order((1..=LINES).map(iccid), effect)).await;
    operator.clock.set("2026-12-25T00:00:00Z");
    let full = on_a_full_disk(&operator, 0).await;
    is_full(full.run_due_entries().await);
    let open = "SELECT count(*) FROM customer_rate_plan_device_queue WHERE state = 'open'";
    assert_eq!(operator.count(open).await, 2_000);
    assert_eq!(operator.history(1).await, []);
    is_intact(&operator).await;
    assert_eq!(operator.engine.run_due_entries().await.expect("applied").applied, LINES);
    assert_eq!(operator.history(1).await.len(), 1);
}

/// Runs something as somebody who may read the store's file but not write it: not even the superuser's rights are left to
/// the thread, nor to those that it starts.
#[cfg(target_os = "linux")]
fn as_somebody_else<T: Send>(work: impl AsyncFnOnce() -> T + Send) -> T {
    let run = || {
        if rustix::process::geteuid().is_root() {
            let nobody = rustix::process::Uid::from_raw(65_534);
            rustix::thread::set_thread_uid(nobody).expect("the superuser may become another");
        }
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work())
    };
    std::thread::scope(|scope| scope.spawn(run).join().expect("no panic"))
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_store_that_may_only_be_read_says_so() {
    use std::fs::{Permissions, read, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    let operator = Operator::with_lines(20).await;
    let submitted = operator.submit(assignment(&operator, 10)).await;
    operator.stored.sqlite().checkpoint().await.expect("all is in the file");
    let (path, directory) = (operator.stored.sqlite().path(), operator.directory.path());
    for (directory_mode, file_mode) in [(0o777, 0o444), (0o555, 0o444)] {
        for file in std::fs::read_dir(directory).expect("a directory") {
            let file = file.expect("a file").path();
            set_permissions(&file, Permissions::from_mode(file_mode)).expect("its owner may");
        }
        set_permissions(directory, Permissions::from_mode(directory_mode)).expect("its owner may");
        let before = read(&path).expect("it can be read");
        as_somebody_else(async || {
            let reader = operator.second_engine(Options::default()).await;
            let (tenant, key) = (operator.tenant(), operator.caller.principal);
            let seen = reader.store().get_bulk_change(tenant, key, submitted.id).await.expect("it can be read");
            assert_eq!(seen.counts.open, 10);
            let options = WorkerOptions { owner: "reader".to_owned() };
            let order = operator.order((11..=20).map(iccid), operator.amop_assignment());
            for refused in [
                reader.submit(&operator.caller, order, None).await.map(|_| ()),
                reader.run_pages_until_idle(&options).await.map(|_| ()),
                reader.cancel(&operator.caller, submitted.id).await.map(|_| ()),
            ] {
                let Err(EngineError::Store(error @ StoreError::ReadOnly(_))) = refused else {
                    panic!("{directory_mode:o}: the store can only be read, yet {refused:?}");
                };
                assert_eq!(error.to_string(), READ_ONLY);
            }
        });
        assert_eq!(read(&path).expect("it can be read"), before, "not a byte was changed");
        set_permissions(directory, Permissions::from_mode(0o755)).expect("its owner may");
    }
    is_intact(&operator).await;
    operator.run_until_idle().await;
    assert_eq!(operator.outcomes(submitted.id).await, ["PROCESSED"; 10]);
}

/// Nobody has it open, so that the files beside it, which a reader needs too, would have to be made first.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_closed_store_in_a_folder_that_may_only_be_read_says_so() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("store.sqlite3");
    let store = lineshift_store_sqlite::open(&path, Options::default()).await.expect("a new store");
    store.checkpoint().await.expect("all is in the file");
    drop(store);
    set_permissions(&path, Permissions::from_mode(0o444)).expect("its owner may");
    set_permissions(directory.path(), Permissions::from_mode(0o555)).expect("its owner may");
    let opened = as_somebody_else(async || lineshift_store_sqlite::open(&path, Options::default()).await.map(|_| ()));
    set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("its owner may");
    let Err(error @ StoreError::ReadOnly(_)) = opened else { panic!("the store can only be read, yet {opened:?}") };
    assert_eq!(error.to_string(), READ_ONLY);
}
