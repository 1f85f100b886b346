//! Lists cost the same wherever one is in them: the first page of each and a late one read the same number of rows. Planned without
//! a look at the parameters, as a prepared statement is after a while, and as the role that serves.

use lineshift_store::sql::{bulk_changes, devices, plan_queue};
use lineshift_store_postgres::testing::TestDatabase;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// Rows of each list.
const ROWS: u64 = 200_000;

/// Rows that a page asks for: one more than it shows.
const LIMIT: u64 = 101;

/// What the last full page comes after.
const LATE: u64 = ROWS - 200;

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connected");
    tokio::spawn(connection);
    client
}

/// A line for each row, each with a row of one change, a log entry and an open queue entry; one line with as long a history.
async fn fill(client: &Client) {
    let fill = format!(
        "SET session_replication_role = replica;
         INSERT INTO tenant (id, name, time_zone, created_at) VALUES (1, 'Acme', 'UTC', 0);
         INSERT INTO service_provider (tenant_id, id, name, integration_kind, write_enabled, is_active, created_at, modified_at)
         VALUES (1, 1, 'Control Center', 'Jasper', 1, 1, 0, 0);
         INSERT INTO device (tenant_id, id, service_provider_id, iccid, status, is_archived, is_deleted, created_at, modified_at)
         SELECT 1, id, 1, lpad(id::text, 20, '0'), 'ACTIVATED', 0, 0, 0, 0 FROM generate_series(1, {ROWS}) AS id;
         INSERT INTO device_tenant (tenant_id, device_id, site_id, customer_rate_plan_id, is_active, is_deleted, version,
            modified_by, modified_at)
         SELECT 1, id, 1, 1, 1, 0, 1, 'test', 0 FROM generate_series(1, {ROWS}) AS id;
         INSERT INTO device_bulk_change (tenant_id, id, change_request_type_id, portal_type, service_provider_id, identifier, order_json,
            created_by, created_by_id, runs_as_id, created_at, attempt, first_device_change_id, last_device_change_id,
            total_count, open_count, processed_count, error_count, canceled_count, rejected_count, duplicate_count,
            scheduled_failed_count)
         VALUES (1, 1, 4, 0, 1, 'iccid', '{{}}', 'test', 1, 1, 0, 1, 1, {ROWS}, {ROWS}, 0, {ROWS}, 0, 0, 0, 0, 0);
         INSERT INTO device_change (tenant_id, id, bulk_change_id, request_position, device_id, holds, status, error_code, is_processed,
            attempt)
         SELECT 1, id, 1, id, id, 0, 'ERROR', 'device_archived', 0, 1 FROM generate_series(1, {ROWS}) AS id;
         INSERT INTO device_bulk_change_log (tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type,
            log_entry_description, process_by, processed_at, has_errors, response_status)
         SELECT 1, 1, id, 1, 40, 202600 + 11 + id % 2, 0, 'test', 'test', 0, 0, 'PROCESSED' FROM generate_series(1, {ROWS}) AS id;
         INSERT INTO customer_rate_plan_device_queue (tenant_id, device_change_id, bulk_change_id, device_id, effective_date, portal_type,
            created_by, created_at, is_active, state, attempt)
         SELECT 1, id, 1, id, id, 0, 'test', 0, 1, 'open', 1 FROM generate_series(1, {ROWS}) AS id;
         INSERT INTO device_action_history (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value,
            new_value, changed_by)
         SELECT 1, 1, at, 1, 1, 40, 202600 + 11 + at % 2, 'customer_rate_plan', '{{}}', '{{}}', 'test'
         FROM generate_series(1, {ROWS}) AS at"
    );
    client.batch_execute(&fill).await.expect("filled");
    client.batch_execute("VACUUM (ANALYZE)").await.expect("vacuumed");
}

/// The plan of a statement with those parameters, as it was run.
async fn explained(client: &Client, text: &str, parameters: &str) -> serde_json::Value {
    client.batch_execute(&format!("PREPARE page AS {text}")).await.expect("prepared");
    let explain = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE page ({parameters})");
    let messages = client.simple_query(&explain).await.expect("explained");
    client.batch_execute("DEALLOCATE page").await.expect("forgotten");
    let lines = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let mut plan: serde_json::Value = serde_json::from_str(&lines.collect::<String>()).expect("a plan");
    plan[0]["Plan"].take()
}

/// Rows that the scans of a plan read, those that were passed over included.
fn rows_read(node: &serde_json::Value) -> u64 {
    let below: u64 = node["Plans"].as_array().into_iter().flatten().map(rows_read).sum();
    if node["Relation Name"].is_null() {
        return below;
    }
    let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
    let rows = number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
    below + (rows * number("Actual Loops")).round() as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_page_reads_as_many_rows_as_the_first() {
    let database = TestDatabase::new().await;
    fill(&connect(&database.superuser_url()).await).await;
    let app = connect(&database.app_url()).await;
    app.batch_execute("SET app.tenant_id = '1'; SET plan_cache_mode = force_generic_plan").await.expect("set");
    let newest = i64::MAX;
    let early = ROWS - LATE + 1;
    let lists = [
        ("devices", devices::LIST_DEVICES, format!("1, 0, {LIMIT}"), format!("1, {LATE}, {LIMIT}")),
        ("devices of a site", devices::LIST_DEVICES_BY_SITE, format!("1, 0, {LIMIT}, 1"), format!("1, {LATE}, {LIMIT}, 1")),
        ("devices of a plan", devices::LIST_DEVICES_BY_PLAN, format!("1, 0, {LIMIT}, 1"), format!("1, {LATE}, {LIMIT}, 1")),
        (
            "device changes",
            bulk_changes::LIST_ROWS,
            format!("1, 1, 0, {ROWS}, {LIMIT}"),
            format!("1, 1, {LATE}, {ROWS}, {LIMIT}"),
        ),
        (
            "device changes in error",
            bulk_changes::LIST_ROWS_IN_ERROR,
            format!("1, 1, '', 0, {LIMIT}"),
            format!("1, 1, 'device_archived', {LATE}, {LIMIT}"),
        ),
        ("log", bulk_changes::LIST_LOG, format!("1, 1, 0, 0, 0, {LIMIT}"), format!("1, 1, {LATE}, 1, 40, {LIMIT}")),
        ("plan queue", plan_queue::LIST_OPEN, format!("1, 0, 0, {LIMIT}"), format!("1, {LATE}, {LATE}, {LIMIT}")),
        (
            "history",
            devices::LIST_DEVICE_HISTORY,
            format!("1, 1, {newest}, 0, 0, 0, {LIMIT}"),
            format!("1, 1, {early}, 0, 0, 0, {LIMIT}"),
        ),
    ];
    for (list, text, first, late) in lists {
        let [first, late] = [explained(&app, text, &first).await, explained(&app, text, &late).await];
        let (rows, late_rows) = (rows_read(&first), rows_read(&late));
        assert_eq!(first["Actual Rows"].as_f64(), Some(LIMIT as f64), "{list} is filled: {first:#}");
        assert_eq!(rows, late_rows, "{list}: {first:#}\n{late:#}");
        // A row of the list, and for each at most one beside it; a scan that is merged with others reads one more.
        assert!(rows <= 3 * LIMIT, "{list} reads {rows} rows: {first:#}");
    }
}
