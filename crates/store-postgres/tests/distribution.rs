//! The schema can be distributed by tenant as it is: the rules that were found by trying it on a cluster, and which test shows each.
//!
//! 1. The tenant first in every key, index and foreign key, `bigint NOT NULL`: `catalogue.rs`,
//!    `every_table_of_a_tenant_begins_its_keys_with_the_tenant`. Never updated: `isolation/plain.rs`,
//!    `no_row_of_another_tenant_is_changed_deleted_locked_or_made`, and [`a_tenant_is_never_updated`].
//! 2. Ids, and natural keys of what is written in bulk: [`ids_come_from_the_tenants_own_counters`].
//! 3. Foreign keys: `catalogue.rs`, the same, and [`global_tables_refer_to_nothing_that_a_tenant_owns`].
//! 4. The tenant on every target, join and subselect: `src/sql/tests.rs`, `every_table_is_searched_by_tenant`; by what statements
//!    do, `isolation/methods.rs`, `every_method_keeps_to_its_tenant_where_row_level_security_holds_nobody`.
//! 5. Claims are of one tenant: the same, and [`what_is_claimed_is_claimed_of_one_tenant`].
//! 6. One transaction, one tenant: `isolation/methods.rs`; whatever reached for a second one would fail there.
//! 7. and 8. `INSERT ... SELECT`, `SET`, `RETURNING`: `src/sql/tests.rs`, `nothing_volatile_stands_in_a_text_or_a_function`,
//!    `only_columns_are_returned` and `every_table_is_searched_by_tenant`.
//! 9. No triggers: `catalogue.rs`, the same as 1.
//! 10. Functions: `src/sql/tests.rs`, `functions_take_the_tenant_first`; `catalogue.rs`,
//!     `row_level_security_is_forced_on_every_table_of_a_tenant_and_the_role_cannot_pass_by_it`; what they do,
//!     `isolation/functions.rs`.
//! 11. Advisory locks and notifications: [`no_function_locks_or_notifies`]; texts, as 7.
//! 12. Row level security: `catalogue.rs`, the same as 10, [`every_policy_is_the_same_comparison`], and all of `isolation`; the list of
//!     what is read across tenants, `isolation/plain.rs`, `across_tenants_only_the_list_of_who_has_work_can_be_read`.
//! 13. Errors by SQLSTATE: [`errors_are_told_apart_by_their_state`].
//! 14. Migrations: [`migrations_alter_one_constraint_at_a_time`]; the script of a cluster knows every table:
//!     [`the_script_of_a_cluster_names_every_table`].
//! 15. What looks across tenants is marked and rare: [`what_looks_across_tenants_is_a_closed_list`].

use std::path::Path;

use lineshift_store_postgres::MIGRATIONS;
use lineshift_store_postgres::testing::TestDatabase;

const NOTHING: [[&str; 0]; 0] = [];

/// The tables that tenants own, without their partitions, and the global ones.
async fn tables(database: &TestDatabase, owned: bool) -> Vec<String> {
    let sql = format!(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
         AND {owned} = EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id') ORDER BY 1"
    );
    database.look(&sql).await.into_iter().flatten().collect()
}

/// The sources under a directory beside this crate, with their names.
fn sources(beside: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(beside)];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).expect("a directory of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a text");
                found.push((path.display().to_string(), text));
            }
        }
    }
    assert!(found.len() > 5, "{} sources in {beside}", found.len());
    found
}

#[test]
fn a_tenant_is_never_updated() {
    for (name, text) in [sources("src"), sources("../store/src/sql")].concat() {
        let words: Vec<&str> = text.split_whitespace().collect();
        assert!(!words.windows(3).any(|next| next[0] == "SET" && next[1] == "tenant_id" && next[2] == "="), "{name}");
    }
}

#[tokio::test]
async fn ids_come_from_the_tenants_own_counters() {
    let database = TestDatabase::new().await;
    let drawn = "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
           AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval%') ORDER BY 1";
    assert_eq!(database.look(drawn).await, [["tenant", "id"], ["users", "id"]], "columns that draw from a sequence");
    for (table, key) in [
        ("device_bulk_change_log", "tenant_id,bulk_change_id,device_change_id,attempt,entry,month"),
        ("device_action_history", "tenant_id,device_id,at,bulk_change_id,attempt,entry,month"),
        ("device_change_step", "tenant_id,device_change_id,step,part"),
    ] {
        let sql = format!(
            "SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM pg_constraint c
             CROSS JOIN unnest(c.conkey) WITH ORDINALITY AS k (attnum, place)
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
             WHERE c.contype = 'p' AND c.conrelid = '{table}'::regclass"
        );
        assert_eq!(database.look(&sql).await, [[key]], "what is written in bulk has a natural key");
    }
}

#[tokio::test]
async fn global_tables_refer_to_nothing_that_a_tenant_owns() {
    let database = TestDatabase::new().await;
    let global = tables(&database, false).await;
    assert_eq!(global, ["device_status", "schema_migration", "sign_in_failure", "tenant", "user_tenant", "users"]);
    let sql = "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'
        AND NOT EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = conrelid AND t.attname = 'tenant_id') ORDER BY 1, 2";
    assert_eq!(database.look(sql).await, [["user_tenant", "tenant"], ["user_tenant", "users"]], "only to each other");
    let sql =
        "SELECT conname FROM pg_constraint WHERE contype = 'f' AND (confdeltype NOT IN ('a', 'r', 'c') OR confupdtype <> 'a')";
    assert_eq!(database.look(sql).await, NOTHING, "neither SET NULL nor an update that travels");
}

#[test]
fn what_is_claimed_is_claimed_of_one_tenant() {
    let mut claims = 0;
    for (name, text) in [sources("src/sql"), sources("../store/src/sql")].concat() {
        for statement in text.split("\";").filter(|statement| statement.contains("SKIP LOCKED")) {
            claims += 1;
            assert!(statement.contains("tenant_id = $1"), "{name}: {statement}");
        }
    }
    assert!(claims > 0, "pages are claimed past those that are locked");
}

#[tokio::test]
async fn no_function_locks_or_notifies() {
    let database = TestDatabase::new().await;
    let sql = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosrc ~* 'advisory|notify|set_config|dblink'";
    assert_eq!(database.look(sql).await, NOTHING);
}

#[tokio::test]
async fn every_policy_is_the_same_comparison() {
    let database = TestDatabase::new().await;
    let comparison = "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::bigint)";
    let quoted = comparison.replace('\'', "''");
    let sql = format!(
        "SELECT polrelid::regclass::text, polname FROM pg_policy WHERE polname <> 'own_tenant' OR polcmd <> '*' OR NOT polpermissive
            OR polroles <> '{{0}}' OR pg_get_expr(polqual, polrelid) IS DISTINCT FROM '{quoted}'
            OR pg_get_expr(polwithcheck, polrelid) IS DISTINCT FROM '{quoted}'"
    );
    assert_eq!(
        database.look(&sql).await,
        [["tenant_work", "seen_by_all"]],
        "and what all may see has no way to be written by it"
    );
    for (name, text) in sources("src") {
        // What is set by a function stays on the node that was asked.
        assert!(!text.contains("set_config("), "{name}");
    }
}

#[test]
fn errors_are_told_apart_by_their_state() {
    for (name, text) in sources("src") {
        for asked in [".constraint()", ".table()", ".column()", ".routine()"] {
            assert!(!text.contains(asked), "{name} asks for {asked}, which a cluster may leave empty");
        }
    }
}

#[test]
fn migrations_alter_one_constraint_at_a_time() {
    for migration in MIGRATIONS {
        let text: String =
            migration.sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
        assert!(!text.contains("RENAME CONSTRAINT"), "{}", migration.name);
        assert!(!text.contains("plan_cache_mode"), "{}", migration.name);
        for statement in text.split(';').filter(|statement| statement.trim_start().starts_with("ALTER TABLE")) {
            let constraints = statement.matches("ADD CONSTRAINT").count();
            let unnamed =
                ["ADD FOREIGN KEY", "ADD UNIQUE", "ADD PRIMARY KEY", "ADD CHECK"].iter().any(|add| statement.contains(add));
            let more = constraints == 1 && statement.contains("ADD COLUMN");
            assert!(constraints <= 1 && !unnamed && !more, "{}: {statement}", migration.name);
        }
    }
}

#[tokio::test]
async fn the_script_of_a_cluster_names_every_table() {
    let database = TestDatabase::new().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/citus.sql");
    let script = std::fs::read_to_string(script).expect("the script");
    for (owned, call) in [(false, "create_reference_table("), (true, "create_distributed_table(")] {
        let part = &script[script.find(call).expect("a call")..];
        let part = if owned { part } else { part.split("create_distributed_table(").next().unwrap_or_default() };
        for table in tables(&database, owned).await {
            assert!(part.contains(&format!("'{table}'")), "{call}'{table}') is missing");
        }
    }
}

/// Where the store's transactions look across tenants. Whoever adds one says here what it reads, and why it may.
#[test]
fn what_looks_across_tenants_is_a_closed_list() {
    let mut across: Vec<(String, usize)> = Vec::new();
    for (path, text) in sources("../store-sql/src") {
        let name = path.rsplit("/src/").next().unwrap_or_default().to_owned();
        let uses = text.lines().filter(|line| line.contains("Scope::Across") && !line.trim_start().starts_with("//")).count();
        if uses > 0 {
            across.push((name, uses));
        }
    }
    across.sort();
    let expected: Vec<(String, usize)> = EXPECTED_ACROSS.iter().map(|(name, uses)| ((*name).to_owned(), *uses)).collect();
    assert_eq!(across, expected);
}

/// By file, how often.
const EXPECTED_ACROSS: &[(&str, usize)] = &[
    // A tenant is created, all are listed for the operator's commands, and the store is asked whether it answers: global tables.
    ("access.rs", 3),
    // The statuses that count as active: a global table.
    ("catalogue.rs", 1),
    // A user, their identity at a provider, an invitation, the tenants of one user and those that invite them, failed sign-ins by their hash: global tables, of which each statement names one.
    ("people.rs", 17),
    // Whether a user may sign in at all: the same.
    ("people/administrators.rs", 1),
    // When the next entry of any tenant falls due: tenant_work.
    ("plan_queue/mod.rs", 1),
    // What is sealed for users, page by page, and sealed anew under another key: a global table, for the operator's command.
    ("secrets.rs", 2),
    // Who has work: tenant_work; and all tenants, each of which is then measured by itself.
    ("work.rs", 2),
];
