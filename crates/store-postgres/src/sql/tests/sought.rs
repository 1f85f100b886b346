//! Lines that are sought by several things at once: a late page costs what the first one costs, and where nothing fits, as much as its
//! window. Planned without a look at the parameters, as a prepared statement is after a while, and as the role that serves.

use lineshift_domain::ids::TenantId;
use lineshift_store::devices::{CountedLines, DeviceStore, LOOKED_AT, LineFilter, LineOrder};
use lineshift_store::sql::devices as portable;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::Options;
use crate::sql::lines;
use crate::testing::TestDatabase;

const ROWS: i64 = 100_000;

const LIMIT: i64 = 101;

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the tests' server");
    tokio::spawn(connection);
    client
}

async fn fill(client: &Client) {
    let fill = format!(
        "SET session_replication_role = replica;
         INSERT INTO tenant (id, name, time_zone, created_at) VALUES (1, 'Acme', 'UTC', 0);
         INSERT INTO device (tenant_id, id, service_provider_id, iccid, status, is_archived, is_deleted, created_at, modified_at)
         SELECT 1, id, 1, lpad(id::text, 20, '0'), 'ACTIVATED', 0, 0, 0, 0 FROM generate_series(1, {ROWS}) AS id;
         INSERT INTO device_tenant (tenant_id, device_id, site_id, customer_rate_plan_id, is_active, is_deleted, version,
            modified_by, modified_at)
         SELECT 1, id, 1, 1, 1, 0, 1, 'test', 0 FROM generate_series(1, {ROWS}) AS id"
    );
    client.batch_execute(&fill).await.expect("filled");
    client.batch_execute("VACUUM (ANALYZE)").await.expect("vacuumed");
}

/// How many rows of tables a statement reads, and how many it answers.
async fn read(client: &Client, text: &str, parameters: &str) -> (i64, i64, String) {
    client.batch_execute(&format!("PREPARE page AS {text}")).await.expect("prepared");
    let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page ({parameters})");
    let messages = client.simple_query(&explain).await.expect("explained");
    client.batch_execute("DEALLOCATE page").await.expect("forgotten");
    let lines = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let plan: serde_json::Value = serde_json::from_str(&lines.collect::<String>()).expect("a plan");
    let plan = &plan[0]["Plan"];
    (rows_read(plan), plan["Actual Rows"].as_f64().unwrap_or_default() as i64, format!("{plan:#}"))
}

fn rows_read(node: &serde_json::Value) -> i64 {
    let below: i64 = node["Plans"].as_array().into_iter().flatten().map(rows_read).sum();
    if node["Relation Name"].is_null() {
        return below;
    }
    let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
    let rows = number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
    below + (rows * number("Actual Loops")).round() as i64
}

#[tokio::test]
async fn what_is_sought_costs_at_most_its_window() {
    let database = TestDatabase::new().await;
    fill(&connect(&database.superuser_url()).await).await;
    let client = connect(&database.app_url()).await;
    // What the store sets on each of its connections, and plans that know nothing of what is given.
    let settings = "SET enable_seqscan = off; SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan;
        SET app.tenant_id = '1'";
    client.batch_execute(settings).await.expect("settings");
    let (first, last, whole) = (i64::MIN, i64::MAX, i64::MAX);
    let activated = "0, 'ACTIVATED', '', 0, 0, 0, 0";
    let at_site = "0, '', '', 0, 1, 0, 0";
    for (text, from, late, to, sought) in [
        (lines::LIST_BY_ALL, first, ROWS - 200, last, "0, '', '', 0, 0, 0, 0"),
        (lines::LIST_BY_STATUS, first, ROWS - 200, last, activated),
        (lines::LIST_BY_STATUS_NEWEST, last, 200, first, activated),
        (lines::LIST_BY_SITE, first, ROWS - 200, last, at_site),
        (lines::LIST_BY_SITE_NEWEST, last, 200, first, at_site),
    ] {
        for from in [from, late] {
            let (rows, answered, plan) =
                read(&client, text, &format!("1, {from}, {LIMIT}, {to}, {sought}, {whole}, '', ''")).await;
            assert_eq!(answered, LIMIT, "{plan}");
            assert!(rows <= 3 * LIMIT, "{rows} rows from {from} on: {plan}");
        }
    }
    for (text, from, to) in [
        (portable::LIST_BY_ICCID_PREFIX, "0000", "0001"),
        (portable::LIST_BY_ICCID_PREFIX, "00000000000000050000", "0001"),
        (portable::LIST_BY_ICCID_PREFIX_NEWEST, "0000", "0001"),
    ] {
        let (rows, answered, plan) = read(&client, text, &format!("1, '{from}', '{to}', {LIMIT}")).await;
        assert_eq!(answered, LIMIT, "{plan}");
        assert!(rows <= 3 * LIMIT, "{rows} rows from {from} on: {plan}");
    }
    let window = LOOKED_AT as i64;
    let (rows, _, plan) = read(&client, lines::END_BY_SITE, &format!("1, {first}, {}, 1", window - 1)).await;
    assert!(rows <= window, "{rows} rows: {plan}");
    let nothing = format!("1, {first}, {LIMIT}, {window}, 0, 'DEACTIVATED', '', 0, 1, 0, 0, {window}, '', ''");
    let begins_otherwise = format!("1, {first}, {LIMIT}, {window}, 0, '', '', 0, 1, 0, 0, {window}, '999999', '99999:'");
    for text in [lines::LIST_BY_SITE, lines::COUNT_BY_SITE] {
        for nothing in [&nothing, &begins_otherwise] {
            let (rows, _, plan) = read(&client, text, nothing).await;
            assert!(rows <= 3 * window, "{rows} rows: {plan}");
        }
    }
    let many = format!("1, '0000', '0001', {}", window + 1);
    let (rows, _, plan) = read(&client, portable::COUNT_BY_ICCID_PREFIX, &many).await;
    assert!(rows <= window + 1, "{rows} rows: {plan}");
    let on_plan = format!("1, {first}, 10001, {last}, 0, '', '', 0, 0, 1, 0, {whole}, '', ''");
    let (rows, _, plan) = read(&client, lines::COUNT_BY_PLAN, &on_plan).await;
    assert!(rows <= 3 * 10_001, "{rows} rows: {plan}");
}

/// Whoever may see every line of a large carrier account and seeks a few by how their ICCIDs begin has these looked at, not all of the account.
#[tokio::test]
async fn what_begins_alike_costs_what_begins_so_within_reach() {
    let database = TestDatabase::new().await;
    fill(&connect(&database.superuser_url()).await).await;
    let (tenant, reach) = (TenantId(1), "service_provider:1".parse().expect("a reach"));
    for (prefix, alike) in [("999999", 0), ("00000000000000099", 1_000)] {
        let deactivated = Some("DEACTIVATED".to_owned());
        let filter = LineFilter { iccid_prefix: Some(prefix.to_owned()), status: deactivated, ..LineFilter::default() };
        let before = index_entries_read(&database).await;
        let store = database.store(Options::default()).await;
        let page = store.find_lines(tenant, &reach, &filter, LineOrder::OldestFirst, None, 50).await.expect("a page");
        assert!(page.items.is_empty() && page.next.is_none() && !page.is_cut);
        let counted = store.count_sought(tenant, &reach, &filter, 10_000).await.expect("counted");
        assert_eq!(counted, CountedLines { lines: 0, is_all: true });
        drop(store);
        let read = index_entries_read(&database).await - before;
        // Counted, listed and joined, for the page and for the count.
        assert!(read >= alike && read <= 6 * alike + 100, "{read} entries of indexes for {prefix}");
    }
}

/// How many entries of indexes over lines the store read so far: sessions tell it at the latest when they end.
async fn index_entries_read(database: &TestDatabase) -> i64 {
    database.cut_off("usename = 'lineshift_app'").await;
    let read = "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname IN ('device', 'device_tenant')";
    database.look(read).await[0][0].parse().expect("a number")
}
