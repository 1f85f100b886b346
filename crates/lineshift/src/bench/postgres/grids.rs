//! Lists: what the first page reads and what a late one reads, by `EXPLAIN (ANALYZE, BUFFERS)` of the statements that the product
//! sends, planned without a look at their parameters, as the application's role.

use anyhow::{Context as _, Result};
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_store::sql::{bulk_changes, devices, plan_queue};
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::server::{Database, Server};
use super::texts::month;
use crate::bench::fleet::Size;

/// Rows a page.
const PAGE: u64 = 100;

/// The late page, where a list has as many.
const LATE: u64 = 10_000;

/// Log entries of a row, so that a fleet of a million has ten million.
const ENTRIES_A_ROW: u64 = 10;

/// What two pages of a list read.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Grid {
    /// The list.
    pub(super) list: &'static str,
    /// Rows that its first page read.
    pub(super) first_rows: u64,
    /// Rows that the late page read.
    pub(super) late_rows: u64,
    /// Blocks that the first page looked at.
    pub(super) first_blocks: u64,
    /// Blocks that the late page looked at.
    pub(super) late_blocks: u64,
    /// Which the late page was.
    pub(super) late_page: u64,
}

/// Fills the lists of a copy of the fleet and reads two pages of each.
pub(super) async fn measure(server: &Server, size: Size) -> Result<Vec<Grid>> {
    server.copy(Database::Fleet, Database::Work).await?;
    let owner = server.connect(Some(Database::Work)).await?;
    fill(&owner, size).await?;
    let app = super::server::connect(&server.url(Database::Work, Some("lineshift_app"))?.parse()?).await?;
    app.batch_execute("SET app.tenant_id = '1'; SET plan_cache_mode = force_generic_plan").await?;
    let rows = size.stored();
    // A page before the last one: it is asked for a row more than it shows, and there is one.
    let late = |rows: u64| LATE.min((rows - 1) / PAGE);
    let skipped = |rows: u64| (late(rows) - 1) * PAGE;
    let limit = PAGE + 1;
    let mut grids = Vec::new();
    let mut read = async |list, text: &str, rows: u64, first: String, then: String| {
        let (first_rows, first_blocks) =
            explain(&app, text, &first).await.with_context(|| format!("the first page of {list}"))?;
        let (late_rows, late_blocks) = explain(&app, text, &then).await.with_context(|| format!("a late page of {list}"))?;
        grids.push(Grid { list, first_rows, late_rows, first_blocks, late_blocks, late_page: late(rows) });
        anyhow::Ok(())
    };
    let after = skipped(rows);
    read("devices", devices::LIST_DEVICES, rows, format!("1, 0, {limit}"), format!("1, {after}, {limit}")).await?;
    let of_plan = rows / crate::bench::fleet::PRESENT_PLANS * 9 / 10;
    let sql = format!(
        "SELECT device_id FROM device_tenant WHERE customer_rate_plan_id = 1 ORDER BY 1 OFFSET {} LIMIT 1",
        skipped(of_plan)
    );
    let id: i64 = owner.query_one(&sql, &[]).await?.get(0);
    read(
        "devices of a plan",
        devices::LIST_DEVICES_BY_PLAN,
        of_plan,
        format!("1, 0, {limit}, 1"),
        format!("1, {id}, {limit}, 1"),
    )
    .await?;
    let changes = bulk_changes::LIST_ROWS;
    read("device changes", changes, rows, format!("1, 1, 0, {rows}, {limit}"), format!("1, 1, {after}, {rows}, {limit}")).await?;
    let entries = rows * ENTRIES_A_ROW;
    let (row, entry) = (skipped(entries) / ENTRIES_A_ROW, ENTRIES_A_ROW - 1);
    read("log", bulk_changes::LIST_LOG, entries, format!("1, 1, 0, 0, 0, {limit}"), format!("1, 1, {row}, 1, {entry}, {limit}"))
        .await?;
    read("plan queue", plan_queue::LIST_OPEN, rows, format!("1, 0, 0, {limit}"), format!("1, {after}, {after}, {limit}")).await?;
    let history = devices::LIST_DEVICE_HISTORY;
    let newest = format!("1, 1, {}, 0, 0, 0, {limit}", i64::MAX);
    read("history of a device", history, rows, newest, format!("1, 1, {}, 0, 0, 0, {limit}", rows - after + 1)).await?;
    Ok(grids)
}

/// A change of the whole fleet with ten log entries a row, an open queue entry for each line, and a line with as long a history.
async fn fill(client: &Client, size: Size) -> Result<()> {
    let (rows, now) = (size.stored(), SystemClock.now());
    let (month, now, entries) = (month(now), now.timestamp_micros(), ENTRIES_A_ROW - 1);
    client
        .batch_execute(&format!(
            "SET session_replication_role = replica;
             INSERT INTO device_bulk_change (tenant_id, id, change_request_type_id, portal_type, service_provider_id, identifier,
                order_json, created_by, created_by_id, runs_as_id, created_at, attempt, first_device_change_id,
                last_device_change_id, total_count, open_count, processed_count, error_count, canceled_count, rejected_count,
                duplicate_count, scheduled_failed_count, processed_at)
             VALUES (1, 1, 4, 0, 1, 'iccid', '{{}}', 'bench', 1, 1, {now}, 1, 1, {rows}, {rows}, 0, {rows}, 0, 0, 0, 0, 0, {now});
             INSERT INTO device_change (tenant_id, id, bulk_change_id, request_position, device_id, iccid, holds, status,
                is_processed, processed_at, attempt)
             SELECT 1, d.id, 1, d.id, d.id, d.iccid, 0, 'PROCESSED', 1, {now}, 1 FROM device d WHERE d.id <= {rows};
             INSERT INTO device_bulk_change_log (tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type,
                log_entry_description, process_by, processed_at, has_errors, response_status)
             SELECT 1, 1, id, 1, entry, {month}, 0, 'Change Customer Rate Plan: Update AMOP', 'bench', {now}, 0, 'PROCESSED'
             FROM generate_series(1, {rows}) AS id CROSS JOIN generate_series(0, {entries}) AS entry;
             INSERT INTO customer_rate_plan_device_queue (tenant_id, device_change_id, bulk_change_id, device_id,
                customer_rate_plan_id, effective_date, portal_type, created_by, created_at, is_active, state, attempt)
             SELECT 1, id, 1, id, 2, id, 0, 'bench', {now}, 1, 'open', 1 FROM generate_series(1, {rows}) AS id;
             INSERT INTO device_action_history (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value,
                new_value, changed_by)
             SELECT 1, 1, at, 1, 1, 40, {month}, 'customer_rate_plan', '{{}}', '{{}}', 'bench' FROM generate_series(1, {rows}) AS at"
        ))
        .await
        .context("filling the lists")?;
    Ok(client.batch_execute("VACUUM (ANALYZE)").await?)
}

/// Rows that a statement read, wherever in its plan, and blocks that it looked at.
async fn explain(client: &Client, text: &str, parameters: &str) -> Result<(u64, u64)> {
    client.batch_execute(&format!("PREPARE page AS {text}")).await?;
    let explained = client.simple_query(&format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE page ({parameters})")).await?;
    client.batch_execute("DEALLOCATE page").await?;
    let lines = explained.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let plan: Value = serde_json::from_str(&lines.collect::<String>()).context("reading the plan")?;
    let top = &plan[0]["Plan"];
    let blocks = |name: &str| top[name].as_u64().unwrap_or(0);
    Ok((rows_read(top), blocks("Shared Hit Blocks") + blocks("Shared Read Blocks")))
}

/// Rows that the scans of a plan read, those that were passed over included.
fn rows_read(node: &Value) -> u64 {
    let below: u64 = node["Plans"].as_array().into_iter().flatten().map(rows_read).sum();
    if node["Relation Name"].is_null() {
        return below;
    }
    let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
    let rows = number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
    below + (rows * number("Actual Loops")).round() as u64
}
