//! What befalls the processes of a seed, and the rules that hold all the same.

use std::sync::Arc;
use std::thread;

use lineshift_store_postgres::testing::TestDatabase;

use super::workers::Process;
use crate::crash::Chance;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connections of that process end, whatever they do.
    CutOff(usize),
    /// Those of all.
    CutOffAll,
    /// The database undoes so many transactions, each at a write, after so many other writes.
    Undone { code: &'static str, after: u64, times: u64 },
    /// Somebody locks lines the other way round, so that one of two has to give way.
    Deadlock { tenant: u64 },
    /// The database takes no further connection.
    Full,
    /// It takes them again.
    Room,
    /// That process is gone.
    Killed(usize),
}

/// Undoes transactions as the database itself would, where it is told to: a number is drawn for each writing statement, and those within
/// the range fail.
pub(super) const UNDOING: &str = r"
    CREATE SEQUENCE undoing;
    CREATE TABLE undone (first bigint NOT NULL, last bigint NOT NULL, code text NOT NULL);
    INSERT INTO undone VALUES (0, 0, '40001');
    CREATE FUNCTION undo_some() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    DECLARE drawn bigint := nextval('undoing'); told undone;
    BEGIN
        SELECT * INTO told FROM undone;
        IF drawn BETWEEN told.first AND told.last THEN
            RAISE EXCEPTION 'undone by the test' USING ERRCODE = told.code;
        END IF;
        RETURN NULL;
    END $$;
    DO $$ DECLARE named text; BEGIN
        FOREACH named IN ARRAY ARRAY['device_tenant', 'device_change', 'device_bulk_change', 'device_bulk_change_page',
            'device_change_step', 'device_bulk_change_log', 'customer_rate_plan_device_queue', 'rev_service', 'outbox'] LOOP
            EXECUTE format('CREATE TRIGGER undoing AFTER INSERT OR UPDATE OR DELETE ON %I EXECUTE FUNCTION undo_some()', named);
        END LOOP;
    END $$";

/// Locks the last line of a tenant, waits until somebody waits for it, and wants the first: where the other has that one already, the
/// database finds that neither can go on, and the other gives way.
const DEADLOCK: &str = r"
    SET LOCAL deadlock_timeout = '1min'; SET LOCAL lock_timeout = '5s';
    SELECT device_id FROM device_tenant WHERE tenant_id = TENANT ORDER BY device_id DESC LIMIT 1 FOR UPDATE;
    DO $$ BEGIN
        FOR turn IN 1..40 LOOP
            EXIT WHEN EXISTS (SELECT FROM pg_locks l WHERE NOT l.granted AND pg_backend_pid() = ANY (pg_blocking_pids(l.pid)));
            PERFORM pg_sleep(0.005);
        END LOOP;
    END $$;
    SELECT device_id FROM device_tenant WHERE tenant_id = TENANT ORDER BY device_id LIMIT 1 FOR UPDATE";

/// What is not so where billing services are created: see the rules below, and those of billing.
pub(super) const NOT_WITH_SERVICES: [&str; 3] = [
    "history and row do not agree",
    "the version was not raised once an action",
    "a row's last attempt has neither one outcome nor its steps in the log",
];

/// What never holds in the end; each query answers the rows that break the rule.
pub(super) const NEVER: &[(&str, &str)] = &[
    (
        "the version was not raised once an action",
        "SELECT dt.device_id, dt.version FROM device_tenant dt WHERE dt.version - 1
        <> (SELECT count(*) FROM device_action_history h WHERE h.device_id = dt.device_id AND h.action <> 'service_line')",
    ),
    (
        "an entry was applied without its history, or twice",
        "SELECT q.device_change_id, q.state FROM customer_rate_plan_device_queue q
        JOIN device_bulk_change_log l ON l.device_change_id = q.device_change_id AND l.entry = 2000 AND l.response_text = 'applied'
        WHERE q.state = 'applied' AND 1 <> (SELECT count(*) FROM device_action_history h
            WHERE h.device_id = q.device_id AND h.bulk_change_id = q.bulk_change_id AND h.entry >= 1000)",
    ),
    ("a row still waits", "SELECT id FROM device_change WHERE next_check_at IS NOT NULL"),
];

impl Fault {
    pub(super) fn draw(chance: &mut Chance, workers: usize) -> Self {
        let worker = usize::try_from(chance.between(0, workers as u64 - 1)).expect("a few");
        match chance.between(0, 9) {
            0 | 1 => Self::CutOff(worker),
            2 => Self::CutOffAll,
            3..=5 => {
                let code = if chance.once_in(2) { "40001" } else { "40P01" };
                Self::Undone { code, after: chance.between(0, 30), times: chance.between(1, 6) }
            }
            6 => Self::Deadlock { tenant: chance.between(1, 2) },
            7 => Self::Full,
            8 => Self::Room,
            _ => Self::Killed(worker),
        }
    }

    pub(super) async fn happen(self, database: &Arc<TestDatabase>, processes: &mut [Option<Process>]) {
        match self {
            Self::CutOff(nth) => {
                if let Some(process) = &processes[nth] {
                    database.cut_off(&format!("application_name = '{}'", process.name)).await;
                }
            }
            Self::CutOffAll => database.cut_off("application_name LIKE 'worker%'").await,
            Self::Undone { code, after, times } => {
                let drawn = "(SELECT last_value FROM undoing)";
                let text = format!(
                    "UPDATE undone SET first = {drawn} + {after}, last = {drawn} + {after} + {times} - 1, code = '{code}'"
                );
                database.execute(&text).await.expect("told");
            }
            Self::Deadlock { tenant } => {
                let (database, text) = (Arc::clone(database), DEADLOCK.replace("TENANT", &tenant.to_string()));
                // On a thread of its own: time goes on for the others meanwhile.
                thread::spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                    // Whether somebody came by, and who gave way, is for the database to say.
                    drop(runtime.block_on(database.execute(&text)));
                });
            }
            Self::Full => limit(database, 1).await,
            Self::Room => limit(database, -1).await,
            Self::Killed(nth) => {
                if let Some(process) = processes[nth].take() {
                    process.kill().await;
                }
            }
        }
    }
}

async fn limit(database: &TestDatabase, connections: i32) {
    let text =
        format!("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT {connections}', current_database()); END $$");
    database.execute(&text).await.expect("limited");
}

/// From now on nothing goes wrong.
pub(super) async fn end(database: &TestDatabase) {
    database.execute("UPDATE undone SET first = 0, last = 0").await.expect("told");
    limit(database, -1).await;
}
