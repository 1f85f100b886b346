//! Growing from the embedded store to PostgreSQL.

use lineshift_store_postgres::testing::TestDatabase;
use serde_json::Value;

use crate::program::Place;

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
