//! What is dropped by age on PostgreSQL.

use lineshift_store_postgres::testing::TestDatabase;

use crate::program::Place;

#[tokio::test]
async fn months_and_rows_beside_them_go_with_their_age_and_only_when_that_is_confirmed() {
    let mut place = Place::empty();
    let database = TestDatabase::new().await;
    let rows = "INSERT INTO tenant (id, name, time_zone, created_at) VALUES (1, 'one', 'UTC', 0), (2, 'two', 'UTC', 0);
        SELECT lineshift_ensure_partitions(200001, 2);
        INSERT INTO audit_entry (tenant_id, month, request_id, at, actor, who, action)
        VALUES (1, 197001, '1', 0, 'key', 'ann', 'looked'), (2, 197002, '1', 0, 'key', 'ben', 'looked'),
            (1, 200002, '2', 0, 'key', 'ann', 'looked'), (2, 299901, '2', 0, 'key', 'ben', 'looked')";
    // A clock that stood still in 1970, one that ran a thousand years ahead, and a month as it should be.
    database.execute(rows).await.expect("rows of all kinds");
    place.set("LINESHIFT_STORE", &database.owner_url());
    let retention = ["admin", "retention", "--log-months", "24", "--history-months", "60", "--audit-months", "84"];
    let audit = |extra: &[&str]| {
        let said = place.run(&[&retention[..], extra].concat()).json(0);
        let of_audit = said.as_array().and_then(|tables| tables.iter().find(|table| table["table"] == "audit_entry"));
        let of_audit = of_audit.expect("it is kept by month");
        (of_audit["months"].clone(), of_audit["rows_beside"].clone(), of_audit["dropped"].clone())
    };
    assert_eq!(audit(&["--json"]), (2.into(), 2.into(), false.into()));
    assert_eq!(database.look("SELECT count(*) FROM audit_entry").await, [["4"]], "it was only looked at");
    assert_eq!(audit(&["--json", "--yes"]), (2.into(), 2.into(), true.into()));
    assert_eq!(database.look("SELECT tenant_id, month FROM audit_entry WHERE action = 'looked'").await, [["2", "299901"]]);
    let told = "SELECT tenant_id, who <> '' FROM audit_entry WHERE action = 'admin retention' ORDER BY 1";
    assert_eq!(database.look(told).await, [["1", "1"], ["2", "1"]], "it stands in the log of each");
    let said = place.run(&retention).expect(0);
    assert!(
        said.contains("audit_entry: 0 months before ") && said.contains(" and 0 rows beside the months would be dropped"),
        "{said}"
    );

    // The role that works may not.
    place.set("LINESHIFT_STORE", &database.app_url());
    let refused = place.run(&[&retention[..], &["--yes"]].concat()).failure(1);
    assert!(refused.contains("device_bulk_change_log in postgres://lineshift_app@"), "{refused}");
}
