//! Plain SQL as the product's role: whatever it says, it reaches the rows of the tenant that it set, and no others.

use lineshift_store_postgres::Options;
use lineshift_store_postgres::testing::{ProductSession, TestDatabase};

use crate::filled::Filled;
use crate::rows::{Rows, difference, owned_tables};

/// What the role may read across tenants: which of them have work, of which kind and when.
const READ_ACROSS: &str = "tenant_work";

/// A database with two tenants filled alike.
pub(crate) struct TwoTenants {
    pub(crate) database: TestDatabase,
    pub(crate) tenant: Filled,
    pub(crate) other: Filled,
    pub(crate) tables: Vec<String>,
    rows: Rows,
    before: Vec<Vec<String>>,
}

impl TwoTenants {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::new().await;
        let store = database.store(Options::default()).await;
        let tenant = Filled::new(&store, &database, "Aurora").await;
        let other = Filled::new(&store, &database, "Borealis").await;
        let tables = owned_tables(&database).await;
        let rows = Rows::of(&tables, &[tenant.tenant, other.tenant]);
        let before = rows.read(&database).await;
        Self { database, tenant, other, tables, rows, before }
    }

    /// What became of both tenants' rows since they were filled.
    pub(crate) async fn changes(&self) -> Vec<String> {
        difference(&self.before, &self.rows.read(&self.database).await)
    }

    /// What a session may set where another tenant than the first is meant, or none: the session, the statement, and whether the
    /// other's rows are then to be seen.
    fn settings(&self) -> Vec<(ProductSession, String, bool)> {
        let set = |value: &str| format!("SET LOCAL app.tenant_id = '{value}'; ");
        let other = self.other.tenant.0;
        let mut settings = vec![(String::new(), false), (set(""), false), (set(&other.to_string()), true)];
        let (tenant, huge) = (self.tenant.tenant.0, i128::MAX);
        let garbage =
            ["x", "0", "-1", "NULL", "*", &format!("{other} OR true"), &format!("{tenant},{other}"), &huge.to_string()].map(set);
        settings.extend(garbage.into_iter().map(|statement| (statement, false)));
        // Each in a session of its own: in one that had a tenant before, none is the empty text.
        settings.into_iter().map(|(statement, sees)| (self.database.product(), statement, sees)).collect()
    }

    /// Relations that show a tenant: tables with their partitions, views.
    async fn relations(&self, kinds: &str, partitions: bool) -> Vec<String> {
        let sql = format!(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'tenant_id'
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ({kinds}) AND c.relispartition = {partitions} ORDER BY 1"
        );
        self.database.look(&sql).await.into_iter().flatten().collect()
    }
}

/// Whether it was refused for want of a right, and not for anything else.
pub(crate) fn is_refused(answer: &lineshift_store::Result<Vec<Vec<String>>>) -> bool {
    // The SQLSTATE insufficient_privilege; row level security refuses by it as well.
    answer.as_ref().is_err_and(|error| format!("{error:?}").contains("SqlState(E42501)"))
}

#[tokio::test]
async fn every_table_and_view_shows_the_rows_of_the_tenant_that_is_set_and_no_others() {
    let two = TwoTenants::new().await;
    let other = vec![vec![two.other.tenant.0.to_string()]];
    let mut wrong = Vec::new();
    let relations = [two.relations("'r', 'p'", false).await, two.relations("'v'", false).await].concat();
    assert!(relations.len() > 45, "{relations:?}");
    for (session, set, sees) in two.settings() {
        for relation in relations.iter().filter(|relation| *relation != READ_ACROSS) {
            let seen = session.send(&format!("{set}SELECT DISTINCT tenant_id FROM {relation}")).await;
            // Of some views these tenants have no rows at all.
            let is_view = !two.tables.contains(relation);
            let fits = match &seen {
                Ok(rows) => rows.is_empty() && (!sees || is_view) || sees && *rows == other,
                // What is no number is no tenant.
                Err(_) => !sees && set.contains('\''),
            };
            if !fits {
                wrong.push(format!("{set}{relation}: {seen:?}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn no_row_of_another_tenant_is_changed_deleted_locked_or_made() {
    let two = TwoTenants::new().await;
    let (tenant, other) = (two.tenant.tenant.0, two.other.tenant.0);
    let mut wrong = Vec::new();
    let rows = inserts(&two).await;
    for (session, set, sees) in two.settings() {
        for (table, insert) in &rows {
            for change in [
                format!("UPDATE {table} SET tenant_id = tenant_id WHERE tenant_id = {tenant} RETURNING 1"),
                format!(
                    "UPDATE {table} t SET tenant_id = t.tenant_id FROM tenant_work w WHERE w.tenant_id = t.tenant_id AND t.tenant_id = {tenant} RETURNING 1"
                ),
                format!("DELETE FROM {table} WHERE tenant_id = {tenant} RETURNING 1"),
                format!("SELECT 1 FROM {table} WHERE tenant_id = {tenant} FOR UPDATE"),
            ] {
                let answer = session.send(&format!("{set}{change}")).await;
                if answer.as_ref().is_ok_and(|changed| !changed.is_empty()) {
                    wrong.push(format!("{set}{change}: {answer:?}"));
                }
            }
            let mut refused = vec![insert.clone(), format!("{insert} ON CONFLICT DO NOTHING")];
            if sees {
                refused.push(format!("UPDATE {table} SET tenant_id = {tenant} WHERE tenant_id = {other}"));
            }
            for statement in refused {
                let answer = session.send(&format!("{set}{statement}")).await;
                // Where what is set is no number, nothing at all can be done.
                let no_number = answer.as_ref().is_err_and(|error| format!("{error:?}").contains("bigint"));
                if !is_refused(&answer) && !no_number {
                    wrong.push(format!("{set}{statement}: {answer:?}"));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(two.changes().await, Vec::<String>::new());
}

/// Each table with a statement that would store again one of the first tenant's rows.
async fn inserts(two: &TwoTenants) -> Vec<(String, String)> {
    let mut inserts = Vec::new();
    for table in &two.tables {
        let sql = format!("SELECT to_jsonb(t)::text FROM {table} t WHERE tenant_id = {} LIMIT 1", two.tenant.tenant.0);
        let row = two.database.look(&sql).await[0][0].replace('\'', "''");
        // What the database makes of others is not given.
        let given = format!(
            "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
        );
        let columns = two.database.look(&given).await[0][0].clone();
        let insert =
            format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{table}, '{row}')");
        inserts.push((table.clone(), insert));
    }
    inserts
}

#[tokio::test]
async fn the_role_cannot_rid_itself_of_what_holds_it() {
    let two = TwoTenants::new().await;
    let session = two.database.product();
    let set = format!("SET LOCAL app.tenant_id = '{}'; ", two.tenant.tenant.0);
    let mut statements: Vec<String> = [
        "SET ROLE lineshift_owner",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION lineshift_owner",
        "ALTER ROLE lineshift_app BYPASSRLS",
        "ALTER ROLE lineshift_app SUPERUSER",
        "GRANT lineshift_owner TO lineshift_app",
        "SET LOCAL row_security = off; SELECT 1 FROM device",
        "CREATE TABLE public.of_mine (id bigint)",
        "CREATE FUNCTION public.of_mine() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1::bigint'",
        "CREATE SCHEMA of_mine",
        "SELECT lineshift_own_by_tenant('device')",
        "SELECT lineshift_drop_partitions('audit_entry', 203001)",
        "SELECT pg_read_file('/etc/passwd')",
        "DELETE FROM tenant",
        "DELETE FROM users",
        "UPDATE device_status SET is_active_status = 1",
        "DELETE FROM schema_migration",
    ]
    .map(str::to_owned)
    .to_vec();
    for table in &two.tables {
        for statement in [
            "TRUNCATE @",
            "DROP TABLE @",
            "ALTER TABLE @ DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE @ NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE @ OWNER TO lineshift_app",
            "DROP POLICY own_tenant ON @",
            "CREATE POLICY all_of_it ON @ USING (true)",
            "CREATE TRIGGER of_mine AFTER INSERT ON @ EXECUTE FUNCTION tsvector_update_trigger()",
            "CREATE RULE of_mine AS ON INSERT TO @ DO ALSO SELECT 1",
            "CREATE INDEX ON @ (tenant_id)",
        ] {
            statements.push(statement.replace('@', table));
        }
    }
    let mut wrong = Vec::new();
    for statement in statements {
        let answer = session.send(&format!("{set}{statement}")).await;
        if !is_refused(&answer) {
            wrong.push(format!("{statement}: {answer:?}"));
        }
    }
    for table in &two.tables {
        let answer = session.send(&format!("{set}COPY {table} FROM STDIN")).await;
        let told = format!("{answer:?}");
        if !told.contains("COPY FROM not supported with row-level security") && !told.contains("permission denied") {
            wrong.push(format!("COPY {table} FROM: {told}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(two.changes().await, Vec::<String>::new());
}

#[tokio::test]
async fn partitions_are_reached_through_their_table_only() {
    let two = TwoTenants::new().await;
    let session = two.database.product();
    let partitions = two.relations("'r'", true).await;
    assert!(partitions.len() > 20, "{partitions:?}");
    let mut wrong = Vec::new();
    for partition in partitions {
        for statement in [
            "SELECT 1 FROM @",
            "INSERT INTO @ DEFAULT VALUES",
            "UPDATE @ SET month = month",
            "DELETE FROM @",
            "TRUNCATE @",
            "COPY @ FROM STDIN",
            "COPY @ TO STDOUT",
            "DROP TABLE @",
        ] {
            let statement = statement.replace('@', &partition);
            let answer = session.send(&format!("SET LOCAL app.tenant_id = '{}'; {statement}", two.tenant.tenant.0)).await;
            if !is_refused(&answer) {
                wrong.push(format!("{statement}: {answer:?}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn what_was_logged_stays_as_it_was_for_its_own_tenant_too() {
    let two = TwoTenants::new().await;
    let session = two.database.product();
    let set = format!("SET LOCAL app.tenant_id = '{}'; ", two.tenant.tenant.0);
    let columns = "SELECT attrelid::regclass, attname FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attrelid IN
        ('audit_entry'::regclass, 'audit_outcome'::regclass, 'device_bulk_change_log'::regclass, 'device_action_history'::regclass)";
    let mut wrong = Vec::new();
    let never_deleted = ["audit_entry", "audit_outcome", "device_action_history"];
    let mut refused: Vec<String> = never_deleted.iter().map(|table| format!("DELETE FROM {table}")).collect();
    for column in two.database.look(columns).await {
        let (table, column) = (&column[0], &column[1]);
        refused.push(format!("UPDATE {table} SET {column} = {column}"));
    }
    for statement in refused {
        let answer = session.send(&format!("{set}{statement}")).await;
        if !is_refused(&answer) {
            wrong.push(format!("{statement}: {answer:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(two.changes().await, Vec::<String>::new());
}

#[tokio::test]
async fn across_tenants_only_the_list_of_who_has_work_can_be_read() {
    let two = TwoTenants::new().await;
    let shown_to_all = "SELECT polrelid::regclass::text, polcmd::text FROM pg_policy
        WHERE pg_get_expr(polqual, polrelid) NOT LIKE '%app.tenant_id%'";
    assert_eq!(two.database.look(shown_to_all).await, [[READ_ACROSS, "r"]]);
    let columns = "SELECT attname FROM pg_attribute WHERE attrelid = 'tenant_work'::regclass AND attnum > 0 ORDER BY attnum";
    assert_eq!(two.database.look(columns).await, [["tenant_id"], ["kind"], ["next_due"]]);
    let kinds = two.database.product().send("SELECT DISTINCT tenant_id, kind FROM tenant_work ORDER BY 1, 2").await;
    let kinds = kinds.expect("read before a tenant is chosen");
    let of_both = [&two.tenant, &two.other].map(|of| of.tenant.0.to_string());
    assert!(of_both.iter().all(|tenant| kinds.iter().any(|row| row[0] == *tenant)), "{kinds:?}");
    let known = ["bulk_change", "outbox", "plan_queue", "sync"];
    assert!(kinds.iter().all(|row| known.contains(&row[1].as_str())), "{kinds:?}");

    // What has no tenant is global, and a closed list.
    let global = "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND NOT EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id') ORDER BY 1";
    assert_eq!(
        two.database.look(global).await,
        [["device_status"], ["schema_migration"], ["sign_in_failure"], ["tenant"], ["user_tenant"], ["users"]]
    );
    // The planner's figures hold values out of the rows.
    two.database.execute("ANALYZE").await.expect("figures");
    let owned = two.tables.iter().map(|table| format!("'{table}'")).collect::<Vec<_>>().join(", ");
    let figures = format!("SELECT tablename, attname FROM pg_stats WHERE schemaname = 'public' AND tablename IN ({owned})");
    assert_ne!(two.database.look(&figures).await, Vec::<Vec<String>>::new());
    assert_eq!(two.database.product().send(&figures).await.expect("nothing to be seen"), Vec::<Vec<String>>::new());
}
