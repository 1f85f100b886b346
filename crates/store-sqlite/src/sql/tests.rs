//! Every statement is planned as index searches, whatever the store holds, and names its parameters without a gap.

use std::collections::BTreeSet;

use lineshift_store::sql as portable;
use lineshift_store_sql::{BY_STATEMENTS, TUNED};

use crate::{Options, SqliteStore};

type Statements = &'static [(&'static str, &'static str)];

const MODULES: &[(&str, Statements)] = &[
    ("access", portable::access::ALL),
    ("audit", portable::audit::ALL),
    ("bulk_changes", portable::bulk_changes::ALL),
    ("carriers", portable::carriers::ALL),
    ("catalogue", portable::catalogue::ALL),
    ("devices", portable::devices::ALL),
    ("figures", portable::figures::ALL),
    ("line_numbers", portable::line_numbers::ALL),
    ("people", portable::people::ALL),
    ("plan_queue", portable::plan_queue::ALL),
    ("billing", portable::billing::ALL),
    ("secrets", portable::secrets::ALL),
    ("selections", portable::selections::ALL),
    ("sync", portable::sync::ALL),
    ("tuned billing", super::billing::ALL),
    ("tuned carriers", super::carriers::ALL),
    ("tuned carrier_sync", super::carrier_sync::ALL),
    ("tuned completion", super::completion::ALL),
    ("tuned control", super::control::ALL),
    ("tuned devices", super::devices::ALL),
    ("tuned import", super::import::ALL),
    ("tuned lines", super::lines::ALL),
    ("tuned pages", super::pages::ALL),
    ("tuned plan_queue", super::plan_queue::ALL),
    ("tuned reach", super::reach::ALL),
    ("tuned selections", super::selections::ALL),
    ("tuned submission", super::submission::ALL),
    ("tuned sync", super::sync::ALL),
    ("tuned waiting", super::waiting::ALL),
];

/// What may be walked from end to end: global tables of a few rows, what waits for others, what a statement made itself.
const MAY_SCAN: &[&str] = &[
    "SCAN tenant",
    // As many lines or sites as a page holds for each thing named.
    "SCAN reached",
    // As many lines as are counted, each found by an index.
    "SCAN found",
    // As many changes and scheduled changes as failed lately, each found by an index.
    "SCAN ended",
    "SCAN failed",
    "SCAN device_status",
    "SCAN CONSTANT ROW",
    // One row: the earliest hold of a line.
    "SCAN earliest",
    // The one or two log texts of a page.
    "SCAN t",
];

/// What may sort: what a few indexes answered in order, as many rows of each as a page holds, is put into one order.
const MAY_SORT: &[&str] = &[
    "tuned reach",
    // A selection is counted by its handful of service providers.
    "tuned selections",
    // Figures are put together by the quarter of an hour, of which there are few.
    "figures",
];

/// Statements of these aggregates that go through all that a tenant has, and why they may.
const MAY_READ_A_TENANT: &[&str] = &[
    // A tenant has a handful of unfinished changes.
    "WAKE_ROWS_OF_ACCOUNT",
    "WAKE_PAGES_OF_ACCOUNT",
    // A tenant has a handful of keys.
    "LIST_API_KEYS",
    // And a handful of roles.
    "LIST_ROLES",
    // Looked at when somebody's rights change.
    "LIST_UNLIMITED_SCOPES",
    // And a handful of accounts.
    "LIST_ACCOUNTS_TO_SYNC",
    // And of service providers.
    "LIST_CARRIERS_TO_SYNC",
    "LIST_PROVIDERS_OF",
    "IS_ACCOUNT_WANTED",
    // What nobody took yet, and what waits: little of either.
    "TAKE_MESSAGES",
    "MEASURE_OUTBOX",
    "MEASURE_PAGES",
    "MEASURE_WAITING",
    "MEASURE_STUCK",
    "LIST_RUNNABLE",
    "FORGET_WORK",
    // MIN() over an index stops at its first entry.
    "EARLIEST_OPEN",
    // A handful of unfinished changes.
    "LIST_UNFINISHED",
    // All lines, by an index alone: asked now and then, and the answer is kept.
    "COUNT_LINES_BY_STATUS",
    // Foreign keys that point here: looked at only when a row lost its id, which no upsert does.
    "UPSERT_DEVICE",
    "STORE_DEVICES",
    "UPSERT_CUSTOMER",
    "STORE_CUSTOMERS",
    "UPSERT_REV_SERVICE",
    "STORE_SERVICES",
];

async fn store(directory: &tempfile::TempDir) -> SqliteStore {
    crate::open(&directory.path().join("plans.db"), Options::default()).await.expect("a new store")
}

#[tokio::test]
async fn statements_search_indexes_and_sort_nothing() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = store(&directory).await;
    let mut wrong = Vec::new();
    for (module, statements) in MODULES {
        for (name, sql) in *statements {
            for step in store.explain(sql).await.expect("a valid statement") {
                let scans = step.starts_with("SCAN") && !step.contains("VIRTUAL TABLE") && !MAY_SCAN.contains(&step.as_str());
                let sorts = step.contains("TEMP B-TREE") && !MAY_SORT.contains(module);
                if scans || sorts || step.contains("AUTOMATIC") || step.contains("BLOOM FILTER ON") {
                    wrong.push(format!("{module} {name}: {step}"));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn no_search_knows_only_the_tenant() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = store(&directory).await;
    let mut wrong = Vec::new();
    let here = [
        "access",
        "audit",
        "billing",
        "carriers",
        "catalogue",
        "devices",
        "figures",
        "people",
        "plan_queue",
        "secrets",
        "selections",
        "sync",
        "tuned billing",
        "tuned carriers",
        "tuned carrier_sync",
        "tuned devices",
        "tuned import",
        "tuned lines",
        "tuned plan_queue",
        "tuned reach",
        "tuned selections",
        "tuned sync",
        "tuned waiting",
    ];
    for (module, statements) in MODULES.iter().filter(|(module, _)| here.contains(module)) {
        for (name, sql) in statements.iter().filter(|(name, _)| !MAY_READ_A_TENANT.contains(name)) {
            let plan = store.explain(sql).await.expect("a valid statement");
            wrong.extend(
                plan.iter().filter(|step| step.ends_with("(tenant_id=?)")).map(|step| format!("{module} {name}: {step}")),
            );
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// The index that serves each list of lines, in order: the planner may not trade it for another.
#[tokio::test]
async fn each_list_of_lines_has_its_index() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = store(&directory).await;
    for (sql, served_by) in [
        (portable::devices::LIST_DEVICES, "PRIMARY KEY (tenant_id=? AND id>?)"),
        (portable::devices::LIST_DEVICES_BY_ICCID, "device_by_iccid (tenant_id=? AND iccid=? AND id>?)"),
        (portable::devices::LIST_STATUSES, "device_by_status (tenant_id=? AND status>?)"),
        (portable::devices::LIST_CARRIER_PLANS, "device_by_carrier_plan (tenant_id=? AND carrier_rate_plan>?)"),
        (portable::devices::LIST_BY_ICCID_PREFIX, "device_by_iccid (tenant_id=? AND iccid>? AND iccid<?)"),
        (portable::devices::LIST_BY_ICCID_PREFIX_NEWEST, "device_by_iccid (tenant_id=? AND iccid>? AND iccid<?)"),
        (portable::devices::COUNT_BY_ICCID_PREFIX, "device_by_iccid (tenant_id=? AND iccid>? AND iccid<?)"),
        (
            portable::devices::LIST_UNDONE_OF_LINE,
            "device_change_undone (tenant_id=? AND device_id=? AND processed_at>? AND (processed_at,id)<(?,?))",
        ),
        (portable::devices::LIST_DEVICES_BY_NUMBER, "device_by_number (tenant_id=? AND subscriber_number=? AND id>?)"),
        (portable::devices::LIST_DEVICES_BY_PROVIDER, "device_by_provider (tenant_id=? AND service_provider_id=? AND id>?)"),
        (portable::devices::LIST_DEVICES_BY_SITE, "device_tenant_by_site (tenant_id=? AND site_id=? AND device_id>?)"),
        (
            portable::devices::LIST_DEVICES_BY_PLAN,
            "device_tenant_by_plan (tenant_id=? AND customer_rate_plan_id=? AND device_id>?)",
        ),
        (crate::sql::lines::LIST_BY_ALL, "PRIMARY KEY (tenant_id=? AND id>? AND id<?)"),
        (crate::sql::lines::LIST_BY_PROVIDER, "device_by_provider (tenant_id=? AND service_provider_id=? AND id>? AND id<?)"),
        (crate::sql::lines::LIST_BY_STATUS, "device_by_status (tenant_id=? AND status=? AND id>? AND id<?)"),
        (crate::sql::lines::COUNT_BY_STATUS, "device_by_status (tenant_id=? AND status=? AND id>? AND id<?)"),
        (
            crate::sql::lines::LIST_BY_CARRIER_PLAN_NEWEST,
            "device_by_carrier_plan (tenant_id=? AND carrier_rate_plan=? AND id>? AND id<?)",
        ),
        (
            crate::sql::lines::LIST_BY_CUSTOMER,
            "device_tenant_by_customer (tenant_id=? AND rev_customer_id=? AND device_id>? AND device_id<?)",
        ),
        (
            crate::sql::lines::LIST_BY_SITE_NEWEST,
            "device_tenant_by_site (tenant_id=? AND site_id=? AND device_id>? AND device_id<?)",
        ),
        (
            crate::sql::lines::LIST_BY_PLAN,
            "device_tenant_by_plan (tenant_id=? AND customer_rate_plan_id=? AND device_id>? AND device_id<?)",
        ),
        (
            crate::sql::lines::LIST_BY_POOL,
            "device_tenant_by_pool (tenant_id=? AND customer_rate_pool_id=? AND device_id>? AND device_id<?)",
        ),
        (
            crate::sql::lines::END_BY_POOL,
            "COVERING INDEX device_tenant_by_pool (tenant_id=? AND customer_rate_pool_id=? AND device_id>?)",
        ),
    ] {
        let plan = store.explain(sql).await.expect("a valid statement");
        assert!(plan.iter().any(|step| step.ends_with(served_by)), "{plan:?} instead of {served_by}");
    }
}

/// What touches the rows of a page walks their range of the primary key, or goes to each by its whole key: never through an
/// index over all rows of the tenant that wait, hold or failed.
#[tokio::test]
async fn pages_keep_to_their_rows() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = store(&directory).await;
    let ways = ["USING PRIMARY KEY (tenant_id=? AND id>? AND id<?)", "USING PRIMARY KEY (tenant_id=? AND id=?)"];
    let mut wrong = Vec::new();
    for (module, statements) in MODULES.iter().filter(|(module, _)| ["tuned pages", "tuned waiting"].contains(module)) {
        for (name, sql) in *statements {
            for step in store.explain(sql).await.expect("a valid statement") {
                let rows = step.starts_with("SEARCH dc ") || step.starts_with("SEARCH device_change ");
                if rows && !ways.iter().any(|way| step.ends_with(way)) {
                    wrong.push(format!("{module} {name}: {step}"));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn each_name_has_a_text() {
    let named: BTreeSet<String> = TUNED.iter().chain(BY_STATEMENTS).map(|name| (*name).to_owned()).collect();
    let written: BTreeSet<String> =
        super::FILES.iter().flat_map(|(file, all)| all.iter().map(move |(name, _)| format!("{file}::{name}"))).collect();
    assert_eq!(written, named);
}

#[test]
fn parameters_are_numbered_without_a_gap() {
    for (module, statements) in MODULES {
        for (name, sql) in *statements {
            // What stands after a quote is a path into JSON, such as '$[0]'.
            let numbers = sql.split('$').skip(1).map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
            let numbers: BTreeSet<usize> = numbers.filter_map(|digits| digits.parse().ok()).collect();
            let expected: BTreeSet<usize> = (1..=numbers.len()).collect();
            assert_eq!(numbers, expected, "{module} {name}");
        }
    }
}
