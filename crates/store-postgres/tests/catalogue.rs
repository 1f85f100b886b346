//! What the database's own catalogue says of the schema: keys, policies, rights; and that what is copied between stores is all of it.

use std::collections::BTreeSet;

use lineshift_store_postgres::Options;
use lineshift_store_postgres::take_over::TABLES;
use lineshift_store_postgres::testing::TestDatabase;

/// The rows of a query as the superuser sees them, each column as text.
async fn look(database: &TestDatabase, sql: &str) -> Vec<Vec<String>> {
    database.look(sql).await
}

const OURS: &str = "c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')";

#[tokio::test]
async fn every_table_of_a_tenant_begins_its_keys_with_the_tenant() {
    let database = TestDatabase::new().await;
    let sql = format!(
        "SELECT c.relname, i.indexrelid::regclass::text, a.attname FROM pg_index i
         JOIN pg_class c ON c.oid = i.indrelid AND {OURS}
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
         WHERE EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id')
           AND a.attname <> 'tenant_id' AND c.relname <> 'tenant_work'"
    );
    assert_eq!(look(&database, &sql).await, Vec::<Vec<String>>::new(), "indexes that do not begin with the tenant (B3.1)");
    let sql = "SELECT k.conrelid::regclass::text, k.conname FROM pg_constraint k
         JOIN pg_class f ON f.oid = k.confrelid
         WHERE k.contype = 'f' AND k.conparentid = 0
           AND EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = k.conrelid AND t.attname = 'tenant_id')
           AND EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = f.oid AND t.attname = 'tenant_id')
           AND (SELECT attname FROM pg_attribute WHERE attrelid = k.conrelid AND attnum = k.conkey[1]) <> 'tenant_id'";
    assert_eq!(look(&database, sql).await, Vec::<Vec<String>>::new(), "foreign keys that do not begin with the tenant");
    let sql = "SELECT conname FROM pg_constraint WHERE contype = 'f' AND confdeltype IN ('n', 'd')";
    assert_eq!(look(&database, sql).await, Vec::<Vec<String>>::new(), "foreign keys that set null or a default");
    let sql = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal";
    assert_eq!(look(&database, sql).await, Vec::<Vec<String>>::new(), "triggers");
    let sql = format!(
        "SELECT c.relname FROM pg_class c WHERE {OURS} AND EXISTS (
            SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id'
              AND (NOT t.attnotnull OR t.atttypid <> 'bigint'::regtype))"
    );
    assert_eq!(look(&database, &sql).await, Vec::<Vec<String>>::new(), "tables whose tenant may be null");
}

#[tokio::test]
async fn row_level_security_is_forced_on_every_table_of_a_tenant_and_the_role_cannot_pass_by_it() {
    let database = TestDatabase::new().await;
    let sql = format!(
        "SELECT c.relname FROM pg_class c WHERE {OURS}
           AND EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id')
           AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))"
    );
    assert_eq!(look(&database, &sql).await, Vec::<Vec<String>>::new());
    let sql = "SELECT rolname FROM pg_roles WHERE rolname IN ('lineshift_app', 'lineshift_owner') AND (rolsuper OR rolbypassrls)";
    assert_eq!(look(&database, sql).await, Vec::<Vec<String>>::new());
    let sql = format!("SELECT c.relname FROM pg_class c WHERE {OURS} AND pg_has_role('lineshift_app', c.relowner, 'USAGE')");
    assert_eq!(look(&database, &sql).await, Vec::<Vec<String>>::new(), "tables that the product's role owns");
    let sql = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
           AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false)";
    assert_eq!(look(&database, sql).await, Vec::<Vec<String>>::new(), "views that see with their owner's eyes");
    // The one function that runs with its owner's rights makes partitions and moves rows of their months into them; it answers none.
    let sql = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef";
    assert_eq!(look(&database, sql).await, [["lineshift_ensure_partitions"]]);
    let sql = "SELECT proname FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'usp%'
           AND (p.proargnames[1] <> 'p_tenant_id' OR has_function_privilege('public', p.oid, 'EXECUTE'))";
    assert_eq!(
        look(&database, sql).await,
        Vec::<Vec<String>>::new(),
        "procedures that do not take the tenant first, or that anybody may call"
    );
}

#[tokio::test]
async fn what_is_copied_between_stores_is_every_column_of_every_table() {
    let database = TestDatabase::new().await;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let options = lineshift_store_sqlite::Options::default();
    let sqlite = lineshift_store_sqlite::open(&directory.path().join("store.sqlite3"), options).await.expect("a new store");
    let sql = format!(
        "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         WHERE {OURS} AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
           AND a.attgenerated = '' AND c.relname NOT IN ('schema_migration', 'id_counter')"
    );
    let set = |rows: Vec<Vec<String>>| rows.into_iter().map(|row| row.join(".")).collect::<BTreeSet<String>>();
    let ours = set(look(&database, &sql).await);
    let copied: BTreeSet<String> =
        TABLES.iter().flat_map(|table| table.columns.iter().map(move |(column, _)| format!("{}.{column}", table.name))).collect();
    assert_eq!(copied, ours);
    let theirs = "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
         WHERE m.type = 'table' AND m.name NOT IN ('schema_migration', 'id_counter', 'sqlite_stat1', 'sqlite_stat4')";
    assert_eq!(copied, set(sqlite.inspect(theirs).await.expect("its columns")));
}

#[tokio::test]
async fn a_role_that_row_level_security_does_not_hold_is_refused() {
    let database = TestDatabase::new().await;
    for (url, why) in [(database.superuser_url(), "is a superuser"), (database.owner_url(), "owns the tables")] {
        let refused = lineshift_store_postgres::connect(&url, Options::default()).await.err().expect("refused").to_string();
        assert!(refused.contains(why), "{refused}");
    }
}

#[tokio::test]
async fn migrations_have_the_same_numbers_and_names_on_every_engine() {
    let ours: Vec<_> = lineshift_store_postgres::MIGRATIONS.iter().map(|known| (known.number, known.name)).collect();
    let theirs: Vec<_> = lineshift_store_sqlite::MIGRATIONS.iter().map(|known| (known.number, known.name)).collect();
    assert_eq!(ours, theirs);
    let database = TestDatabase::new().await;
    let again = lineshift_store_postgres::as_owner(&database.owner_url()).expect("a URL").migrate().await.expect("up to date");
    assert!(again.is_empty(), "{again:?}");
}
