//! Every statement is planned as index searches that know more than the tenant, for any tenant of a filled store, as the
//! product's role: what row level security keeps from an index shows here.

use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::texts;
use crate::testing::TestDatabase;

/// A store of three tenants. Whatever the tenant, it is planned for alike, as no figures of tenants are kept.
pub(super) const FILL: &str = include_str!("fill.sql");

/// A large store is believed to be there: a thousand times the rows, until somebody analyzes the tables again.
const MEASURED: &str = "ANALYZE;
    UPDATE pg_class SET reltuples = reltuples * 1000
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'tenant'";

/// Statements that go through all that a tenant has of something, and why they may.
const MAY_READ_A_TENANT: &[&str] = &[
    // A tenant has a handful of keys, of roles, of accounts, of service providers, and of unfinished changes.
    "portable access::LIST_API_KEYS",
    "portable people::LIST_ROLES",
    // Looked at when somebody's rights change.
    "portable people::LIST_UNLIMITED_SCOPES",
    "portable people::LIST_INVITED_WITH_ROLE",
    // Those that ended, of the few thousand that its people began.
    "portable people::DROP_ENDED_SESSIONS",
    "portable sync::LIST_ACCOUNTS_TO_SYNC",
    "portable sync::LIST_CARRIERS_TO_SYNC",
    "portable sync::LIST_PROVIDERS_OF",
    "portable sync::IS_ACCOUNT_WANTED",
    "billing::WAKE_ROWS_OF_ACCOUNT",
    "billing::WAKE_PAGES_OF_ACCOUNT",
    "completion::FORGET_WORK",
    "completion::MEASURE_PAGES",
    "pages::LIST_RUNNABLE",
    "submission::LIST_ABANDONED",
    // At most one run of an account goes on.
    "portable sync::FIND_RUNNING",
    "portable sync::FORGET_WORK",
    // What nobody took yet, and what waits: little of either.
    "completion::TAKE_MESSAGES",
    "completion::MEASURE_OUTBOX",
    "completion::MEASURE_WAITING",
    "completion::MEASURE_STUCK",
    "control::COUNT_WAITING",
    // A tenant has the keys of one day.
    "submission::DELETE_OLD_KEYS",
    "portable figures::LIST_UNFINISHED",
    // All lines, by an index alone: asked now and then, and the answer is kept.
    "portable figures::COUNT_LINES_BY_CUSTOMER",
    "portable figures::COUNT_LINES_BY_PLAN",
    "portable figures::COUNT_LINES_BY_STATUS",
    // As many names as are looked through, by an index alone.
    "portable catalogue::FIND_CUSTOMERS_BY_PART",
    "portable catalogue::FIND_AMOP_SITES_BY_PART",
    "portable catalogue::HAS_MORE_CUSTOMERS",
    "portable catalogue::HAS_MORE_AMOP_SITES",
    // The least of an index is its first entry.
    "portable plan_queue::EARLIEST_OPEN",
];

pub(super) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the tests' server");
    tokio::spawn(connection);
    client
}

/// The lines of a statement's plan when nothing is known of its parameters.
async fn plan(client: &Client, text: &str) -> Vec<String> {
    let count = super::Words::of(text).parameters().len();
    let given = if count == 0 { String::new() } else { format!("({})", vec!["NULL"; count].join(",")) };
    let explained = format!("PREPARE planned AS {text}; EXPLAIN (COSTS OFF) EXECUTE planned{given}; DEALLOCATE planned");
    let answer = client.simple_query(&explained).await.unwrap_or_else(|error| panic!("{error:?} in {text}"));
    let line = |message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    answer.into_iter().filter_map(line).collect()
}

/// Scans of the plan that know no more than the tenant.
fn wide_scans(plan: &[String]) -> Vec<String> {
    let mut wide = Vec::new();
    for (place, line) in plan.iter().enumerate() {
        let scan = line.trim_start_matches([' ', '-', '>']);
        if scan.starts_with("Seq Scan on") && !scan.starts_with("Seq Scan on device_status") {
            wide.push(scan.to_owned());
        }
        if scan.starts_with("Index Scan") || scan.starts_with("Index Only Scan") || scan.starts_with("Bitmap Index Scan") {
            let searched = plan[place + 1..].iter().take(2).find_map(|below| below.trim().strip_prefix("Index Cond: "));
            // Global tables are small, and walked in order.
            let is_global = scan.contains(" on tenant") && !scan.contains(" on tenant_work");
            let narrow = searched.is_some_and(|by| by.split(" AND ").any(|term| !term.contains("tenant_id")));
            if !narrow && !is_global {
                wide.push(format!("{scan} by {searched:?}"));
            }
        }
    }
    wide
}

#[tokio::test]
async fn every_statement_searches_an_index_by_more_than_the_tenant() {
    let database = TestDatabase::new().await;
    let filling = connect(&database.superuser_url()).await;
    filling.batch_execute(FILL).await.expect("rows to plan for");
    filling.batch_execute(MEASURED).await.expect("figures");
    let client = connect(&database.app_url()).await;
    // What the store sets on each of its connections, and plans that know nothing of what is given.
    let settings = "SET enable_seqscan = off; SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan;
        SET app.tenant_id = '1'";
    client.batch_execute(settings).await.expect("settings");
    let mut wrong = Vec::new();
    for (name, text) in texts().filter(|(name, _)| !MAY_READ_A_TENANT.contains(&name.as_str())) {
        wrong.extend(wide_scans(&plan(&client, text).await).into_iter().map(|scan| format!("{name}: {scan}")));
    }
    assert_eq!(wrong, Vec::<String>::new());
}
