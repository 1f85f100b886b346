//! Workers as processes on PostgreSQL, of which one is frozen past its lease and another is killed, each while it opens billing services.

use std::time::Duration;

use lineshift_store_postgres::testing::TestDatabase;

use crate::integrations::World;
use crate::program::{Place, Running};

/// Active lines of the examples that nobody is billed for.
const LINES: [&str; 8] = [
    "89148000041222041795",
    "89148000041222041753",
    "89148000041222041712",
    "89148000041222041829",
    "89148000041222041670",
    "89148000041222041787",
    "89148000041222041746",
    "89148000041222041704",
];

/// Short leases and calls, so that what is lost is taken soon; pages of two lines, so that each worker finds some.
const SETTINGS: [(&str, &str); 6] = [
    ("LINESHIFT_LIMITS_PAGE_LINES", "2"),
    ("LINESHIFT_LIMITS_LEASE_SECONDS", "2"),
    ("LINESHIFT_LIMITS_HEARTBEAT_SECONDS", "1"),
    ("LINESHIFT_LIMITS_CALL_TIMEOUT_SECONDS", "2"),
    ("LINESHIFT_LIMITS_SETTLE_AFTER_SECONDS", "2"),
    ("LINESHIFT_LIMITS_REVIO_CONCURRENCY", "2"),
];

/// An account at a simulator that takes its time, and an order of services for all lines, which waits to be started.
fn ordered(database: &TestDatabase) -> (World, Running, String) {
    let mut place = Place::empty();
    place.set("LINESHIFT_STORE", &database.app_url());
    for (name, value) in SETTINGS {
        place.set(name, value);
    }
    let mut world = World::start_in(place.and_examples(), "200");
    world.set_all();
    world.bring_in_the_customer();
    let body = serde_json::json!({
        "ServiceProviderId": 2, "Devices": LINES, "RevCustomerId": "1", "CreateRevService": true, "ServiceTypeId": 6,
        "ProviderId": 42, "RevProducts": [{"ProductId": 5011, "Rate": 4.95, "Quantity": 1}], "ProcessChanges": false,
    });
    let body = world.place.write("body.json", &body.to_string());
    let server = world.place.serve(&["--no-worker"]);
    let id = world.place.run(&["submit", &body, "--json"]).json(0)["BulkChangeId"].to_string();
    (world, server, id)
}

fn worker(place: &Place) -> Running {
    let worker = Running::start(place.command(&["worker"]));
    worker.until("working store=");
    worker
}

/// Waits until a query answers a row.
async fn until(database: &TestDatabase, query: &str) {
    let asked = async {
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        while database.look(query).await.is_empty() {
            looks.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), asked).await.unwrap_or_else(|_| panic!("never: {query}"));
}

/// That process has a page in hand, of which a call is under way.
fn calls(worker: &Running) -> String {
    format!(
        "SELECT p.page FROM device_bulk_change_page p JOIN device_change_step s ON s.device_change_id BETWEEN p.from_id AND p.to_id
        WHERE s.state = 'intended' AND p.owner LIKE 'lineshift-{}-%'",
        worker.id()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_ends_though_one_worker_is_frozen_past_its_lease_and_another_is_killed() {
    let database = TestDatabase::new().await;
    let (world, server, id) = tokio::task::block_in_place(|| ordered(&database));
    let place = &world.place;
    let frozen = worker(place);
    place.run(&["start", &id]).expect(0);
    until(&database, &calls(&frozen)).await;
    frozen.signal("STOP");

    let killed = worker(place);
    until(&database, &calls(&killed)).await;
    let open = database.look(&format!("SELECT open_count > 0 FROM device_bulk_change WHERE id = {id}")).await;
    assert_eq!(open, [["1"]], "it is killed in the midst of it");
    killed.kill();
    // The frozen one had its pages for less than this; what it says of them now, nobody hears.
    let lost = format!(
        "SELECT 1 FROM device_bulk_change_page HAVING count(*) FILTER (WHERE owner LIKE 'lineshift-{}-%' AND lease_until > {}) = 0",
        frozen.id(),
        "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    );
    until(&database, &lost).await;
    frozen.signal("CONT");

    assert_eq!(place.run(&["status", &id, "--watch", "--json"]).json(0)["status"], "PROCESSED");
    let left = format!(
        "SELECT id FROM device_change WHERE bulk_change_id = {id} AND (holds <> 0 OR status <> 'PROCESSED')
        UNION ALL SELECT page FROM device_bulk_change_page WHERE owner IS NOT NULL OR lease_until IS NOT NULL"
    );
    assert_eq!(database.look(&left).await, [[""; 0]; 0]);
    let ended = frozen.end_by("TERM");
    assert_eq!(ended.code, 0, "{}", ended.err);
    server.end_by("TERM").expect(0);
    let ledger = world.simulator.end_by("INT").json(0);
    let counts = ["services", "service_products", "duplicate_services", "duplicate_products"].map(|name| ledger[name].as_u64());
    assert_eq!(counts, [Some(8), Some(8), Some(0), Some(0)], "{ledger}");
}
