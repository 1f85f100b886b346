//! The schema by itself, spoken to in plain SQL: the procedures, the start of a day, and what `deploy/` says of the tables.

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use lineshift_domain::dates::start_of_its_day;
use lineshift_store_postgres::testing::TestDatabase;
use tokio_postgres::{Client, NoTls};

/// A client of its own, without the store.
async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server answers");
    tokio::spawn(connection);
    client
}

/// Runs a script; one that fails says which of its assertions did, and where.
async fn run(client: &Client, script: &str) {
    if let Err(error) = client.batch_execute(script).await {
        let said = error.as_db_error().map(|said| format!("{}\n{}", said.message(), said.where_().unwrap_or_default()));
        panic!("{}", said.unwrap_or_else(|| error.to_string()));
    }
}

#[tokio::test]
async fn the_procedures_do_what_they_say() {
    let database = TestDatabase::new().await;
    run(&connect(&database.app_url()).await, include_str!("sql/procedures.sql")).await;
}

/// Around every change of a clock, and on ordinary days, of some years and of zones that change at midnight, before it, by half an
/// hour, or never.
#[tokio::test]
async fn a_day_starts_when_the_domain_says() {
    const ZONES: [Tz; 12] = [
        Tz::UTC,
        Tz::CET,
        Tz::WET,
        Tz::Asia__Kolkata,
        Tz::Africa__Cairo,
        Tz::America__Havana,
        Tz::America__New_York,
        Tz::America__Nuuk,
        Tz::America__Santiago,
        Tz::America__St_Johns,
        Tz::Australia__Lord_Howe,
        Tz::Pacific__Apia,
    ];
    let (mut zones, mut moments, mut expected) = (Vec::new(), Vec::new(), Vec::new());
    for zone in ZONES {
        let mut at: DateTime<Utc> = Utc.with_ymd_and_hms(2005, 1, 1, 0, 20, 0).single().expect("a moment");
        while at < Utc.with_ymd_and_hms(2027, 1, 1, 0, 0, 0).single().expect("a moment") {
            zones.push(zone.name());
            moments.push(at.timestamp_micros());
            expected.push(start_of_its_day(at, zone).timestamp_micros());
            at += TimeDelta::hours(7);
        }
    }
    let database = TestDatabase::new().await;
    let client = connect(&database.app_url()).await;
    let differing = client
        .query(
            "SELECT given.zone, given.at, given.start, start_of_day(given.at, given.zone)
             FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS given (zone, at, start)
             WHERE start_of_day(given.at, given.zone) IS DISTINCT FROM given.start LIMIT 5",
            &[&zones, &moments, &expected],
        )
        .await
        .expect("answered");
    let differing: Vec<(String, i64, i64, i64)> =
        differing.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect();
    assert!(differing.is_empty(), "zone, moment, expected, found: {differing:?}");
    let null = client.query_one("SELECT start_of_day(NULL, 'UTC')", &[]).await.expect("answered");
    assert_eq!(null.get::<_, Option<i64>>(0), None);
}

/// Two at once and once more make the same partitions; rows of two tenants that came to the default partition go where they belong, and
/// those of a month that gets none stay.
#[tokio::test]
async fn partitions_are_made_ahead_and_dropped_by_month() {
    let database = TestDatabase::new().await;
    let (one, other) = (connect(&database.app_url()).await, connect(&database.app_url()).await);
    run(
        &one,
        "INSERT INTO tenant (id, name, time_zone, created_at) VALUES (1, 'one', 'UTC', 0);
         BEGIN; SET LOCAL app.tenant_id = '1';
         INSERT INTO audit_entry (tenant_id, month, request_id, at, actor, who, action)
         VALUES (1, 203105, '1', 0, 'key', 'ann', 'looked'), (1, 203305, '2', 0, 'key', 'ann', 'looked');
         COMMIT;
         INSERT INTO tenant (id, name, time_zone, created_at) VALUES (2, 'two', 'UTC', 0);
         BEGIN; SET LOCAL app.tenant_id = '2';
         INSERT INTO audit_entry (tenant_id, month, request_id, at, actor, who, action)
         VALUES (2, 203105, '1', 0, 'key', 'ben', 'looked');
         COMMIT",
    )
    .await;
    let make = "SELECT lineshift_ensure_partitions(203101, 12)";
    let made = tokio::join!(one.query_one(make, &[]), other.query_one(make, &[]));
    let made: Vec<i32> = [made.0, made.1].into_iter().map(|row| row.expect("made").get(0)).collect();
    assert_eq!(made.iter().sum::<i32>(), 4 * 12, "{made:?}");
    let again: i32 = one.query_one(make, &[]).await.expect("made").get(0);
    assert_eq!(again, 0);

    let superuser = connect(&database.superuser_url()).await;
    let places = "SELECT array_agg(tableoid::regclass::text || ' ' || tenant_id || ' ' || request_id ORDER BY tenant_id, request_id) FROM audit_entry";
    let stand: Vec<String> = superuser.query_one(places, &[]).await.expect("answered").get(0);
    assert_eq!(stand, ["audit_entry_203105 1 1", "audit_entry_default 1 2", "audit_entry_203105 2 1"]);
    // What it did for all of them is no longer said of the caller.
    let said = "SELECT coalesce(current_setting('app.tenant_id', true), '')";
    assert_eq!(one.query_one(said, &[]).await.expect("answered").get::<_, String>(0), "");

    let refused = one.query_one("SELECT lineshift_drop_partitions('audit_entry', 203201)", &[]).await;
    let refused = refused.expect_err("the product drops nothing");
    assert_eq!(refused.code().map(|code| code.code()), Some("42501"), "{refused}");
    let owner = connect(&database.owner_url()).await;
    let dropped: i32 =
        owner.query_one("SELECT lineshift_drop_partitions('audit_entry', 203103)", &[]).await.expect("dropped").get(0);
    assert!(dropped >= 2, "January, February and those before them: {dropped}");
    let left = owner.query("SELECT 1 FROM pg_class WHERE relname IN ('audit_entry_203103', 'audit_entry_default')", &[]).await;
    assert_eq!(left.expect("answered").len(), 2);
    let kept = superuser.query_one("SELECT count(*) FROM audit_entry", &[]).await.expect("answered");
    assert_eq!(kept.get::<_, i64>(0), 3, "none of these is that old");
}

/// Every table has its call there, those of tenants by their tenant, and only tables do.
#[tokio::test]
async fn every_table_is_spread_by_tenant_or_copied() {
    let script = include_str!("../../../deploy/citus.sql");
    let database = TestDatabase::new().await;
    let client = connect(&database.owner_url()).await;
    let tables = client
        .query(
            "SELECT c.relname::text, EXISTS (
                SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')
             FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition",
            &[],
        )
        .await
        .expect("answered");
    let names: Vec<String> = tables.iter().map(|row| row.get(0)).collect();
    for (name, row) in names.iter().zip(&tables) {
        let copied = script.contains(&format!("create_reference_table('{name}')"));
        assert_eq!(copied, !row.get::<_, bool>(1), "{name} is copied to every node when no tenant owns it");
        assert_eq!(script.matches(&format!("'{name}'")).count(), if name == "id_counter" { 3 } else { 1 }, "{name}");
    }
}
