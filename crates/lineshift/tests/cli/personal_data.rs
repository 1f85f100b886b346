//! Everything that is stored of a customer: shown, and erased wherever it stands, on both stores.

use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_sql::personal::CONCERNED;
use lineshift_store_sql::{Engine as _, Scope};
use lineshift_store_sqlite::{Options, SqliteStore};
use serde_json::Value;

use crate::program::Place;

/// The tenant and what two customers share.
const SHARED: &str = "
    INSERT INTO tenant (id, name, time_zone, created_at) VALUES (1, 'one', 'UTC', 0);
    INSERT INTO integration_authentication (tenant_id, id, name, integration_kind, is_active, created_at)
        VALUES (1, 1, 'Rev.io', 'revio', 1, 0);
    INSERT INTO service_provider (tenant_id, id, name, integration_kind, write_enabled, is_active, created_at, modified_at)
        VALUES (1, 1, 'Jasper', 'jasper', 1, 1, 0, 0)";

/// A customer with a row in every table that can concern one, and a second bulk change, of plans, that names no customer and has a row
/// about its line. {N} is its number, {M} stands in everything personal of it.
const CUSTOMER: &str = "
    INSERT INTO rev_customer (tenant_id, id, name, integration_authentication_id, is_active, created_at, modified_at)
        VALUES (1, {N}, '{M} Corp', 1, 1, 0, 0);
    INSERT INTO site (tenant_id, id, name, rev_customer_id, is_active, created_at, modified_at)
        VALUES (1, {N}, '{M} Depot', {N}, 1, 0, 0);
    INSERT INTO device (tenant_id, id, service_provider_id, iccid, subscriber_number, imei, ip_address, status, is_archived, is_deleted,
            created_at, modified_at)
        VALUES (1, {N}, 1, '8901{N}', '{M} number', '{M} imei', '{M} address', 'ACTIVATED', 0, 0, 0, 0);
    INSERT INTO device_tenant (tenant_id, device_id, rev_customer_id, site_id, is_active, is_deleted, version, modified_by, modified_at)
        VALUES (1, {N}, {N}, {N}, 1, 0, 1, '{M} person', 0);
    INSERT INTO device_bulk_change (tenant_id, id, change_request_type_id, portal_type, service_provider_id, identifier, order_json,
            rev_customer_id, name, reason, created_by, created_by_id, runs_as_id, created_at, canceled_by, processed_by, attempt,
            first_device_change_id, last_device_change_id, total_count, open_count, processed_count, error_count, canceled_count,
            rejected_count, duplicate_count, scheduled_failed_count)
        VALUES (1, {N}, 1, 0, 1, 'iccid', '{}', {N}, '{M} name', '{M} reason', '{M} person', 1, 1, 0, '{M} person', '{M} person', 1,
            {N}, {N}, 1, 0, 1, 0, 0, 0, 0, 0),
            (1, {N}9, 4, 0, 1, 'iccid', '{}', NULL, '{M} plan', 'as {M} asked', '{M} person', 1, 1, 0, '{M} person', '{M} person', 1,
            {N}9, {N}9, 1, 0, 1, 0, 0, 0, 0, 0);
    INSERT INTO device_change (tenant_id, id, bulk_change_id, request_position, device_id, iccid, number, holds, status, status_details,
            is_processed, attempt)
        VALUES (1, {N}, {N}, 0, {N}, '8901{N}', '{M} number', 0, 'PROCESSED', '{M} details', 1, 1),
            (1, {N}9, {N}9, 0, {N}, '8901{N}', '{M} number', 0, 'PROCESSED', '{M} details', 1, 1);
    INSERT INTO device_change_step (tenant_id, device_change_id, step, part, state, attempt, outcome, at)
        VALUES (1, {N}, 'x', 0, 'done', 1, '{M} answer', 0);
    INSERT INTO device_bulk_change_log (tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type,
            log_entry_description, process_by, processed_at, request_text, response_text, error_text, has_errors, response_status)
        VALUES (1, {N}, {N}, 1, 1, 202611, 0, '{M} text', '{M} person', 0, '{M} request', '{M} response', '{M} error', 0, 'x'),
            (1, {N}, 0, 1, 2, 190001, 0, '{M} text', '{M} person', 0, NULL, NULL, NULL, 0, 'x'),
            (1, {N}9, {N}9, 1, 1, 202611, 0, '{M} text', '{M} person', 0, NULL, NULL, NULL, 0, 'x'),
            (1, {N}9, 0, 1, 2, 202611, 0, '{M} text', '{M} person', 0, NULL, NULL, NULL, 0, 'x');
    INSERT INTO customer_rate_plan_device_queue (tenant_id, device_change_id, bulk_change_id, device_id, rev_customer_id, effective_date,
            portal_type, created_by, created_at, modified_by, is_active, state, attempt, status_details)
        VALUES (1, {N}, {N}, {N}, {N}, 0, 0, '{M} person', 0, '{M} person', 0, 'applied', 1, '{M} details');
    INSERT INTO device_action_history (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value, new_value,
            changed_by)
        VALUES (1, {N}, 0, {N}, 1, 1, 202611, 'x', '{}', '{}', '{M} person');
    INSERT INTO sync_run (tenant_id, id, integration_authentication_id, with_customers, with_services, is_full, state, phase, page,
            after_id, read_count, new_count, changed_count, unchanged_count, left_out_count, gone_count, billed_not_assigned_count,
            assigned_not_billed_count, ordered_by, started_at, due_at, epoch, failures)
        VALUES (1, {N}, 1, 1, 1, 1, 'done', 'x', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'x', 0, 0, 1, 0);
    INSERT INTO sync_finding (tenant_id, sync_run_id, kind, subject, subject_id, rev_customer_id, line, here, there, at)
        VALUES (1, {N}, 'x', 'x', 1, {N}, '{M} number', '{M} here', '{M} there', 0);
    INSERT INTO rev_service (tenant_id, id, rev_customer_id, number, rev_service_id) VALUES (1, {N}, {N}, '{M} number', {N});
    INSERT INTO telegence_new_service_activation_staging (tenant_id, id, service_provider_id, billing_account, iccid, subscriber_number, imei,
            service_zip_code, single_user_code, username)
        VALUES (1, {N}, 1, 'x', '8901{N}', '{M} number', '{M} imei', '{M} zip', '{M} code', '{M} user');
    INSERT INTO audit_entry (tenant_id, month, at, request_id, actor, who, address, agent, action, target)
        VALUES (1, 202611, 0, '{N}a', 'person', '{M} person', '{M} address', '{M} agent', 'PATCH /api/v1/sites/{id}', 'sites/{N}'),
            (1, 190001, 0, '{N}b', 'key', '{M} person', '{M} address', NULL, 'POST /{portal}/BulkChange', NULL),
            (1, 190001, 0, '{N}c', 'key', '{M} person', '{M} address', NULL, 'POST /{portal}/BulkChange', NULL),
            (1, 202611, 0, '{N}d', 'person', '{M} person', NULL, NULL, 'POST /api/v1/bulk-changes/{id}/cancel', 'bulk-changes/{N}9');
    INSERT INTO audit_outcome (tenant_id, month, at, request_id, finished_at, result, made)
        VALUES (1, 190001, 0, '{N}b', 0, 'done', 'bulk-changes/{N}'), (1, 190001, 0, '{N}c', 0, 'done', 'bulk-changes/{N}9')";

fn rows() -> Vec<String> {
    let of = |number: &str, mark: &str| CUSTOMER.replace("{N}", number).replace("{M}", mark);
    let all = [SHARED.to_owned(), of("4711", "ZEBRA"), of("4712", "GIRAFFE")].join(";");
    all.split(';').map(str::to_owned).collect()
}

/// A store and every row of it, one text each.
enum Stored {
    Sqlite(SqliteStore),
    Postgres(TestDatabase),
}

impl Stored {
    async fn execute(&self, statement: &str) -> Result<(), lineshift_store::StoreError> {
        match self {
            Self::Sqlite(store) => {
                let text: &'static str = statement.to_owned().leak();
                store.write(Scope::Across, move |sql| sql.execute(text, &[]).map(|_| ())).await
            }
            Self::Postgres(database) => database.execute(statement).await,
        }
    }

    async fn dump(&self) -> Vec<String> {
        let (tables, row) = match self {
            Self::Sqlite(store) => {
                (store.inspect("SELECT name FROM sqlite_schema WHERE type = 'table'").await.expect("tables"), "*")
            }
            Self::Postgres(database) => {
                let tables = "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'";
                (database.look(tables).await, "t::text")
            }
        };
        let mut rows = Vec::new();
        for table in tables.into_iter().flatten() {
            let text = format!("SELECT {row} FROM {table} t");
            let found = match self {
                Self::Sqlite(store) => store.inspect(&text).await.expect("rows"),
                Self::Postgres(database) => database.look(&text).await,
            };
            rows.extend(found.into_iter().map(|columns| format!("{table}: {}", columns.join("|"))));
        }
        rows.sort();
        rows
    }

    /// How many rows have that text somewhere.
    async fn rows_with(&self, mark: &str) -> Vec<String> {
        self.dump().await.into_iter().filter(|row| row.contains(mark)).collect()
    }
}

#[tokio::test]
async fn what_is_stored_of_a_customer_is_shown_and_erased_in_the_embedded_store() {
    let place = Place::empty();
    place.run(&["migrate"]).expect(0);
    let path = place.path("lineshift.sqlite3");
    let store = lineshift_store_sqlite::open(&path, Options::default()).await.expect("the store");
    shown_and_erased(&place, &Stored::Sqlite(store)).await;
}

#[tokio::test]
async fn what_is_stored_of_a_customer_is_shown_and_erased_on_postgresql() {
    let mut place = Place::empty();
    let database = TestDatabase::new().await;
    place.set("LINESHIFT_STORE", &database.owner_url());
    shown_and_erased(&place, &Stored::Postgres(database)).await;
}

async fn shown_and_erased(place: &Place, stored: &Stored) {
    for statement in rows() {
        stored.execute(&statement).await.unwrap_or_else(|error| panic!("{error:?}: {statement}"));
    }
    let personal_data = |extra: &[&str]| place.run(&[&["admin", "personal-data"], extra].concat());
    let marked = stored.rows_with("ZEBRA").await;
    let others = stored.rows_with("GIRAFFE").await;
    assert_eq!(marked.len(), others.len(), "filled alike");

    // Every table, and in it every column that is marked, is shown with what is personal.
    let shown = personal_data(&["export", "--customer", "4711"]).json(0);
    let text = shown.to_string();
    assert!(!text.contains("GIRAFFE"), "{text}");
    let rows = shown["rows"].as_array().expect("rows");
    for concerned in CONCERNED.iter().filter(|concerned| !concerned.personal.is_empty()) {
        for column in concerned.personal {
            let shows = |row: &&Value| row["table"] == concerned.table && row["row"][column].to_string().contains("ZEBRA");
            assert!(rows.iter().any(|row| shows(&row)), "{}.{column}", concerned.table);
        }
    }
    assert!(marked.iter().all(|row| rows.iter().any(|shown| row.starts_with(shown["table"].as_str().expect("a name")))));

    let refused = personal_data(&["erase", "--customer", "4711"]).failure(4);
    assert!(refused.contains("nothing was erased: --yes erases") && refused.contains("1 line"), "{refused}");
    let nobody = personal_data(&["erase", "--customer", "1", "--yes"]).failure(4);
    assert!(nobody.contains("customer 1 does not exist"), "{nobody}");
    stored.execute("UPDATE device_change SET status = 'PENDING' WHERE id = 4711").await.expect("changed");
    let busy = personal_data(&["erase", "--customer", "4711", "--yes"]).failure(4);
    assert!(busy.contains("1 lines or plan queue entries of customer 4711 are under way"), "{busy}");
    stored.execute("UPDATE device_change SET status = 'PROCESSED' WHERE id = 4711").await.expect("changed");
    assert_eq!(stored.rows_with("ZEBRA").await, marked);

    let erased = personal_data(&["erase", "--customer", "4711", "--yes", "--json"]).json(0);
    assert_eq!(
        (&erased["lines"], &erased["rows"]["device_bulk_change_log"], &erased["rows"]["audit_entry"]),
        (&1.into(), &4.into(), &4.into())
    );
    assert_eq!(stored.rows_with("ZEBRA").await, Vec::<String>::new());
    assert_eq!(stored.rows_with("GIRAFFE").await, others, "nothing of another customer");
    let counted: u64 = erased["rows"].as_object().expect("tables").values().filter_map(Value::as_u64).sum();
    assert_eq!(counted, marked.len() as u64, "as many rows as held something");

    // Done again it finds nothing left, and what was done stands in the audit log.
    let again = personal_data(&["erase", "--customer", "4711", "--yes"]).expect(0);
    assert_eq!(again, "customer 4711 is erased: nothing was left of it\n");
    // The owner's role is for the schema: the log is read as everything is.
    let audit = ["admin", "audit", "list", "--target", "customers/4711", "--json"];
    let audit = match stored {
        Stored::Sqlite(_) => place.run(&audit),
        Stored::Postgres(database) => place.run(&[&["--store", &database.app_url()], &audit[..]].concat()),
    }
    .json(0);
    let last =
        audit.as_array().expect("entries").iter().find(|entry| entry["note"].to_string().contains("device 1")).expect("it");
    assert_eq!(
        (&last["action"], &last["actor"], &last["devices"]),
        (&"admin personal-data erase".into(), &"system".into(), &1.into())
    );
    assert!(audit.as_array().expect("entries").iter().any(|entry| entry["outcome"] == "refused"), "what was refused, too");
    still_only_added_to(stored).await;
}

/// The erasure leaves the tables as closed as they were.
async fn still_only_added_to(stored: &Stored) {
    for statement in [
        "UPDATE audit_entry SET who = 'x'",
        "DELETE FROM audit_entry",
        "UPDATE audit_outcome SET note = 'x'",
        "DELETE FROM audit_outcome",
    ] {
        let refused = match stored {
            Stored::Sqlite(_) => stored.execute(statement).await.map(|()| Vec::new()),
            Stored::Postgres(database) => database.product().send(&format!("SET LOCAL app.tenant_id = '1'; {statement}")).await,
        };
        assert!(refused.is_err(), "{statement}: {refused:?}");
    }
}
