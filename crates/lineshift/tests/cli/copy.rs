//! Growing from the embedded store to PostgreSQL.

use lineshift_store_postgres::testing::TestDatabase;
use serde_json::Value;

use crate::program::{Place, example};

#[tokio::test]
async fn an_embedded_store_is_copied_row_by_row_and_work_goes_on_there() {
    let place = Place::empty();
    let summary = place.run(&["demo", "--exit", "--json", "--devices", "2000", "--seed", "7", "--dir", "kept"]).json(0);
    let database = TestDatabase::new().await;
    let (from, to) = ("sqlite://kept/lineshift.sqlite3", database.owner_url());
    let copied = place.run(&["copy", "--from", from, "--to", &to, "--json"]).json(0);
    assert_eq!(copied["identical"], true);
    let rows = |table: &str| {
        let tables = copied["tables"].as_array().expect("tables");
        tables.iter().find(|row| row["table"] == table).map(|row| row["rows"].clone()).expect("a table that was copied")
    };
    assert_eq!(rows("device"), summary["devices"]);
    let counted = database.look("SELECT count(*) FROM device_bulk_change_log").await;
    assert_eq!(Value::from(counted[0][0].parse::<u64>().expect("a count")), rows("device_bulk_change_log"));
    // By month, where they can be dropped one day, and not in the partition that takes the rest.
    assert_eq!(database.look("SELECT count(*) FROM device_bulk_change_log_default").await, [["0"]]);

    let again = place.run(&["copy", "--from", from, "--to", &to]).failure(4);
    assert!(again.contains("the target holds tenants already"), "{again}");

    // Ids made from now on lie behind those that came along.
    let store = ["--store", &database.app_url()];
    let highest = database.look("SELECT max(id) FROM api_key").await[0][0].parse::<i64>().expect("an id");
    let key = place.run(&[&store[..], &["admin", "key", "create", "after", "--json"]].concat()).json(0);
    assert!(key["id"].as_i64() > Some(highest), "{key}");
    let tenant = place.run(&[&store[..], &["admin", "tenant", "create", "Second", "--json"]].concat()).json(0);
    assert!(tenant["id"].as_i64() > Some(1), "{tenant}");
}

/// The statements that docs/operating.md gives for a target that holds part of a store.
fn emptying() -> Vec<&'static str> {
    let text = include_str!("../../../../docs/operating.md");
    let (_, rest) = text.split_once("From the embedded store").expect("the section");
    let (_, rest) = rest.split_once("empty it").expect("what to do");
    let (commands, _) = rest.split_once("```sh").and_then(|(_, rest)| rest.split_once("```")).expect("the commands");
    commands.lines().filter_map(|line| line.strip_prefix("psql -c \"")?.strip_suffix('"')).collect()
}

async fn as_superuser(database: &TestDatabase, statement: &str) {
    let url = database.superuser_url();
    let (server, _) = url.rsplit_once('/').expect("a path");
    let (client, connection) =
        tokio_postgres::connect(&format!("{server}/postgres"), tokio_postgres::NoTls).await.expect("it answers");
    tokio::spawn(connection);
    client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{error:?}: {statement}"));
}

#[tokio::test]
async fn a_target_that_holds_part_of_a_store_is_emptied_as_the_manual_says() {
    let mut place = Place::with_examples();
    let database = TestDatabase::new().await;
    database
        .execute("INSERT INTO tenant (id, name, time_zone, created_at) VALUES (7, 'half', 'UTC', 0)")
        .await
        .expect("a tenant");
    place.set("LINESHIFT_STORE", &database.owner_url());
    let copy = ["copy", "--from", "sqlite://lineshift.sqlite3", "--json"];
    assert!(place.run(&copy).failure(4).contains("the target holds tenants already"));
    let name = database.owner_url().rsplit('/').next().expect("a path").to_owned();
    let statements = emptying();
    assert_eq!(statements.len(), 2, "{statements:?}");
    for statement in statements {
        as_superuser(&database, &statement.replace("DATABASE lineshift", &format!("DATABASE {name}"))).await;
    }
    assert_eq!(place.run(&copy).json(0)["identical"], true);
    assert_eq!(database.look("SELECT name FROM tenant").await, [["Acme"]]);
}

/// Changes the embedded store behind the product's back.
#[expect(clippy::disallowed_methods, reason = "what no version of the product does to its store is done here")]
fn change(place: &Place, statement: &str) -> usize {
    let store = rusqlite::Connection::open(place.path("lineshift.sqlite3")).expect("it opens");
    store.execute(statement, ()).expect("it is changed")
}

#[tokio::test]
async fn a_source_of_another_schema_or_at_work_is_refused_and_left_as_it_is() {
    let mut place = Place::with_examples();
    let server = place.serve(&["--no-worker"]);
    place.run(&["submit", &example("assign.json"), "--json"]).json(3);
    server.end_by("TERM").expect(0);
    let database = TestDatabase::new().await;
    let to = database.owner_url();
    let copy = || place.run(&["copy", "--from", "sqlite://lineshift.sqlite3", "--to", &to]);

    assert_eq!(change(&place, "UPDATE device_bulk_change_page SET owner = 'a worker', epoch = 1"), 1, "one page");
    let refused = copy().failure(4);
    assert!(refused.contains("at work: 1 pages are held") && refused.contains("stop its servers and workers"), "{refused}");
    change(&place, "UPDATE device_bulk_change_page SET owner = NULL");
    change(&place, "UPDATE device_bulk_change SET receiving_until = 1 WHERE id = 1");
    let refused = copy().failure(4);
    assert!(refused.contains("1 orders still arrive"), "{refused}");
    change(&place, "UPDATE device_bulk_change SET receiving_until = NULL");

    change(&place, "INSERT INTO schema_migration VALUES (99, '0099_later')");
    let refused = copy().failure(4);
    assert!(refused.contains("of a newer version (it has 0099_later): use that version"), "{refused}");
    assert_eq!(change(&place, "DELETE FROM schema_migration WHERE number IN (10, 99)"), 2);
    let refused = copy().failure(4);
    assert!(refused.contains("it lacks 0010_places") && refused.contains("run `lineshift migrate` on it first"), "{refused}");
    assert_eq!(change(&place, "DELETE FROM schema_migration WHERE number = 10"), 0, "it was not migrated");
    assert_eq!(database.look("SELECT count(*) FROM tenant").await, [["0"]], "nothing came of any of it");
}

#[tokio::test]
async fn a_store_that_is_not_there_or_of_the_wrong_kind_is_refused() {
    let place = Place::empty();
    let target = "postgres://nobody:s3cret@127.0.0.1:1/lines";
    for (from, to, why) in [
        ("sqlite://missing.sqlite3", target, "--from: there is no store missing.sqlite3"),
        (target, target, "--from: found a PostgreSQL store, expected sqlite://PATH"),
        ("sqlite://missing.sqlite3", "sqlite://other.sqlite3", "--to: found an embedded store"),
        ("sqlite://missing.sqlite3", "mysql://u:s3cret@host/db", "--to: found mysql://u:***@host/db"),
    ] {
        let err = place.run(&["copy", "--from", from, "--to", to]).failure(2);
        assert!(err.contains(why) && !err.contains("s3cret"), "{err}");
    }
}
