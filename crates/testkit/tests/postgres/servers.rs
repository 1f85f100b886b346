//! PostgreSQL itself ends and comes again, or ends every connection, while two workers run: they go on by themselves.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use lineshift_domain::limits::Limits;
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_sqlite::Options;
use lineshift_testkit::clock::TestClock;
use lineshift_testkit::crash::{check_invariants, look};
use lineshift_testkit::operator::{BEGINNING, Operator, iccid};
use lineshift_testkit::store::TestStore;

use crate::world::{Workers, until};

const LINES: u64 = 2_000;

/// Small pages, so that something is under way whenever it happens, and short leases, so that a page that was given up is taken soon.
fn limits() -> Limits {
    Limits { page_lines: 20, lease_seconds: 3, heartbeat_seconds: 1, ..Limits::default() }
}

/// A server of this test's own, which waits for the disk.
struct Server {
    directory: tempfile::TempDir,
    url: String,
}

impl Server {
    fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        // It runs as another user where the tests run as root.
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(directory.path(), readable).expect("its owner may");
        let url = script("start", directory.path());
        Self { directory, url }
    }

    fn crash(&self) {
        script("crash", self.directory.path());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        script("stop", self.directory.path());
    }
}

fn script(command: &str, directory: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ci/postgres");
    let ran = Command::new(script).arg(command).arg(directory).output().expect("the script runs");
    assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).expect("a URL").trim().to_owned()
}

/// Lets two workers run a change, and `disturb` happen when a part of it is done, and again later.
async fn disturbed(database: TestDatabase, disturb: impl AsyncFn(&TestDatabase)) {
    let stored = TestStore::in_database(database, Options::default()).await;
    let operator = Operator::in_store(Arc::new(TestClock::going_from(BEGINNING)), LINES, limits(), stored).await;
    let id = operator.submit(operator.order((1..=LINES).map(iccid), operator.amop_assignment())).await.id;
    let engines = vec![operator.second_engine(Options::default()).await, operator.second_engine(Options::default()).await];
    let workers = Workers::start(engines);
    for processed in [100, 800] {
        until(&operator, &format!("SELECT count(*) FROM device_bulk_change WHERE processed_count >= {processed}")).await;
        disturb(operator.stored.database().expect("it is PostgreSQL")).await;
    }
    until(&operator, "SELECT count(*) FROM device_bulk_change WHERE processed_at IS NOT NULL").await;
    until(&operator, "SELECT 1 - count(*) FROM (SELECT id FROM outbox LIMIT 1) AS waiting").await;
    workers.end().await;
    let change = operator.change(id).await;
    assert_eq!(change.counts.processed, i64::try_from(LINES).expect("few"), "{:?}", change.counts);
    check_invariants(&operator.stored).await;
    let twice = "SELECT device_id FROM device_action_history GROUP BY device_id HAVING count(*) > 1";
    assert_eq!(look(&operator.stored, twice).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_go_on_when_postgresql_ends_and_comes_again() {
    let server = Server::start();
    let database = TestDatabase::on(&server.url).await;
    let durable = "ALTER SYSTEM SET fsync = on; ALTER SYSTEM SET synchronous_commit = on; ALTER SYSTEM SET full_page_writes = on";
    for setting in durable.split(';') {
        database.execute(setting).await.expect("set");
    }
    database.execute("SELECT pg_reload_conf()").await.expect("read");
    disturbed(database, async |_| server.crash()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_go_on_when_every_connection_ends() {
    disturbed(TestDatabase::new().await, async |database| database.cut_off("usename = 'lineshift_app'").await).await;
}
