//! Connections: which are used again, and what happens to a transaction, or to whoever connects, when something is wrong with one.

use std::time::Duration;

use lineshift_domain::ids::TenantId;
use lineshift_store::StoreError;
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_postgres::{Options, PostgresStore, connect};
use lineshift_store_sql::{Engine as _, OpenTransaction as _, Scope, Sql};
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

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

/// Hands on everything to the server and back until it is told to be silent; from then on it takes what comes and says nothing.
async fn proxy(server: &Url) -> (String, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut url = server.clone();
    url.set_port(Some(listener.local_addr().expect("bound").port())).expect("a host");
    let at = (server.host_str().expect("a host").to_owned(), server.port().unwrap_or(5432));
    let (silent, hears) = watch::channel(false);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&at).await.expect("the server listens");
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            tokio::spawn(hand_on(from_client, to_server, hears.clone()));
            tokio::spawn(hand_on(from_server, to_client, hears.clone()));
        }
    });
    (url.to_string(), silent)
}

async fn hand_on(from: OwnedReadHalf, mut to: OwnedWriteHalf, silent: watch::Receiver<bool>) {
    let mut bytes = [0; 8_192];
    while from.readable().await.is_ok() {
        match from.try_read(&mut bytes) {
            Ok(0) => return,
            Ok(_) if *silent.borrow() => {}
            Ok(read) => to.write_all(&bytes[..read]).await.expect("the other side listens"),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
    }
}

#[tokio::test]
async fn a_server_that_goes_silent_in_the_middle_of_a_transaction_holds_nobody_for_ever() {
    let database = TestDatabase::new().await;
    let (url, silent) = proxy(&Url::parse(&database.app_url()).expect("a URL")).await;
    let options = Options {
        connections: 1,
        connection_wait: Duration::from_secs(20),
        statement_timeout: Duration::from_secs(1),
        answer_margin: Duration::from_secs(1),
        ..Options::default()
    };
    let store = connect(&url, options).await.expect("it answers");
    let held = store.begin(TENANT).await.expect("it begins");
    held.run(backend).await.expect("it answers");
    silent.send_replace(true);
    let unanswered = held.run(|sql| sql.execute(NEW_TENANT, &[])).await.expect_err("nobody answers");
    assert!(matches!(unanswered, StoreError::Unavailable(_)), "{unanswered:?}");
    let why = std::error::Error::source(&unanswered).expect("it says why").to_string();
    assert!(why.contains("did not answer"), "{why}");
    let ended = held.finish(|_| Ok(())).await;
    assert!(ended.is_err(), "a connection that was given up commits nothing");

    silent.send_replace(false);
    backend_of(&store).await;
    assert_eq!(database.look("SELECT count(*) FROM tenant").await, [["0"]]);
}

#[tokio::test]
async fn of_two_who_migrate_at_once_the_second_waits_for_the_first() {
    let database = TestDatabase::empty().await;
    let (one, other) = (database.owner(Options::default()), database.owner(Options::default()));
    let (one, other) = tokio::join!(one.migrate(), other.migrate());
    let (one, other) = (one.expect("migrated"), other.expect("migrated"));
    assert_eq!(one.len() + other.len(), lineshift_store_postgres::MIGRATIONS.len());
    assert!(one.is_empty() || other.is_empty(), "one of them did it all");
}

#[tokio::test]
async fn whoever_migrates_waits_longer_for_another_than_for_a_row() {
    let database = TestDatabase::empty().await;
    let holder = database.product();
    holder.send("SELECT pg_advisory_lock(7305188012341)").await.expect("nobody has it");
    let second = database.owner(Options { lock_timeout: Duration::from_millis(50), ..Options::default() });
    let migrating = tokio::spawn(async move { second.migrate().await });
    // Until it has waited several times as long as it would for a row.
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'
                   AND clock_timestamp() - query_start > interval '300 ms'";
    while database.look(waits).await != [["1"]] {
        assert!(!migrating.is_finished(), "it gave up");
    }
    holder.send("SELECT pg_advisory_unlock(7305188012341)").await.expect("it had it");
    let ran = migrating.await.expect("no panic").expect("migrated");
    assert_eq!(ran.len(), lineshift_store_postgres::MIGRATIONS.len());
}
