//! What is done at the command line stands in the audit log.

use lineshift_domain::terms::AuditActor;
use lineshift_store::audit::{AuditKey, AuditStore as _, NewAuditEntry};
use lineshift_store_sqlite::Options;
use serde_json::Value;

use crate::program::Place;

#[test]
fn commands_that_change_something_are_written_down() {
    let mut place = Place::empty();
    place.set("USER", "ann");
    place.run(&["admin", "tenant", "create", "Acme"]).expect(0);
    place.run(&["admin", "key", "create", "nightly"]).expect(0);
    place.run(&["admin", "key", "list"]).expect(0);
    place.run(&["admin", "key", "revoke", "1"]).expect(0);
    place.run(&["admin", "key", "revoke", "77"]).failure(4);
    let listed = place.run(&["admin", "audit", "list", "--json"]).json(0);
    let of = |entry: &Value| ["action", "target", "outcome", "made"].map(|name| entry[name].as_str().unwrap_or("-").to_owned());
    let found: Vec<_> = listed.as_array().expect("entries").iter().map(of).collect();
    assert_eq!(
        found,
        [
            ["admin key revoke", "keys/77", "refused", "-"],
            ["admin key revoke", "keys/1", "done", "-"],
            ["admin key create", "-", "done", "keys/1"],
            ["admin tenant create", "tenants/1", "done", "-"],
        ]
    );
    assert!(listed.as_array().expect("entries").iter().all(|entry| entry["who"] == "ann" && entry["actor"] == "system"));

    let of_key = place.run(&["admin", "audit", "list", "--target", "keys/1"]).expect(0);
    assert!(
        of_key.contains("admin key create") && of_key.contains("admin key revoke") && !of_key.contains("keys/77"),
        "{of_key}"
    );
    let csv = place.run(&["admin", "audit", "export", "--action", "admin key revoke"]).expect(0);
    assert_eq!((csv.lines().count(), csv.starts_with("at,request_id,actor,")), (3, true), "{csv}");
    let lines = place.run(&["admin", "audit", "export", "--json", "--unfinished"]).expect(0);
    assert_eq!(lines, "");
}

/// On the embedded store rows go by age, and only when that is confirmed.
#[tokio::test]
async fn old_months_of_the_audit_log_go_and_the_rest_stays() {
    let place = Place::empty();
    place.run(&["admin", "tenant", "create", "Acme"]).expect(0);
    let path = place.path("lineshift.sqlite3");
    let store = lineshift_store_sqlite::open(&path, Options::default()).await.expect("the store");
    let old = NewAuditEntry {
        key: AuditKey { at: "2020-02-29T12:00:00Z".parse().expect("a moment"), request_id: "0123456789abcdef".to_owned() },
        actor: AuditActor::Key,
        principal: None,
        who: "old".to_owned(),
        address: None,
        agent: None,
        action: "POST /api/v1/sites".to_owned(),
        target: None,
    };
    store.record_audit_entry(lineshift_domain::ids::TenantId(1), &old).await.expect("an entry");
    let rows = |extra: &[&str]| {
        let said = place.run(&[&["admin", "retention", "--json"], extra].concat()).json(0);
        (said[0]["table"].clone(), said[0]["rows_beside"].clone(), said[0]["dropped"].clone())
    };
    assert_eq!(rows(&[]), ("audit_entry".into(), 1.into(), false.into()));
    assert_eq!(rows(&["--yes"]), ("audit_entry".into(), 1.into(), true.into()));
    let listed = place.run(&["admin", "audit", "list", "--json"]).json(0);
    let actions: Vec<&str> = listed.as_array().expect("entries").iter().filter_map(|entry| entry["action"].as_str()).collect();
    assert_eq!(actions, ["admin retention", "admin tenant create"]);
    let refused = store.write_refused().await;
    assert!(refused, "it is closed again");
    let wrong = place.run(&["admin", "retention", "--log-months", "24"]).failure(2);
    assert!(wrong.contains("the embedded store keeps log and history"), "{wrong}");
}

trait WriteRefused {
    fn write_refused(&self) -> impl Future<Output = bool>;
}

impl WriteRefused for lineshift_store_sqlite::SqliteStore {
    async fn write_refused(&self) -> bool {
        use lineshift_store_sql::{Engine as _, Scope};
        let text = "DELETE FROM audit_entry";
        self.write(Scope::Across, move |sql| sql.execute(text, &[]).map(|_| ())).await.is_err()
    }
}
