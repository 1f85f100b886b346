//! Connections: which are used again, and what happens to a transaction, or to whoever connects, when something is wrong with one.

use std::time::Duration;

use lineshift_domain::ids::TenantId;
use lineshift_store::StoreError;
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_postgres::{Options, PostgresStore, connect};
use lineshift_store_sql::{Engine as _, Scope, Sql};
use tokio::net::TcpListener;

const TENANT: TenantId = TenantId(7);
const NEW_TENANT: &str = "INSERT INTO tenant (id, name, time_zone, created_at) VALUES (7, 'Acme', 'UTC', 0)";

fn backend(sql: &Sql<'_>) -> lineshift_store::Result<i64> {
    Ok(sql.find("SELECT pg_backend_pid()::bigint", &[], |row| row.get(0))?.unwrap_or_default())
}

async fn backend_of(store: &PostgresStore) -> i64 {
    store.read(TENANT, backend).await.expect("it reads")
}

#[tokio::test]
async fn a_connection_on_which_something_failed_that_should_not_is_not_used_again() {
    let database = TestDatabase::new().await;
    let store = database.store(Options { connections: 1, ..Options::default() }).await;
    store.write(Scope::Across, |sql| sql.execute(NEW_TENANT, &[])).await.expect("a tenant");
    let first = backend_of(&store).await;
    let refused = store.write(Scope::Across, |sql| sql.execute(NEW_TENANT, &[])).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert_eq!(backend_of(&store).await, first, "what contradicts the rows says nothing of the connection");
    let failed = store.read(TENANT, |sql| sql.query("SELECT 1 / 0", &[], |_| Ok(()))).await;
    assert!(matches!(failed, Err(StoreError::Internal { .. })), "{failed:?}");
    assert_ne!(backend_of(&store).await, first);
}

#[tokio::test]
async fn a_transaction_of_which_a_statement_failed_is_never_called_committed() {
    let database = TestDatabase::new().await;
    let store = database.store(Options::default()).await;
    let written = store.write(TENANT, |sql| {
        sql.execute(NEW_TENANT, &[])?;
        // Whoever passes over an error may go on with an embedded store; here the database has undone it all.
        drop(sql.execute(NEW_TENANT, &[]));
        Ok(())
    });
    let written = written.await;
    assert!(matches!(written, Err(StoreError::Internal { .. })), "{written:?}");
    assert_eq!(database.look("SELECT count(*) FROM tenant").await, [["0"]]);
}

#[tokio::test]
async fn whoever_is_taken_as_a_caller_and_told_nothing_does_not_wait_for_ever() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("postgres://me@{}/lineshift", silent.local_addr().expect("bound"));
    let options = Options { connection_wait: Duration::from_millis(200), ..Options::default() };
    let opened = connect(&url, options).await;
    assert!(matches!(opened, Err(StoreError::Unavailable(_))), "nobody answers");
}
