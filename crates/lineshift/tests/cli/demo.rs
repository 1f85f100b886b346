//! The demonstration: what it prints is true, and it leaves nothing behind.

use std::collections::BTreeSet;
use std::path::Path;

use lineshift_domain::ids::{BulkChangeId, TenantId};
use lineshift_store::bulk_changes::BulkChangeStore as _;
use lineshift_store_sqlite::{Options, SqliteStore};
use serde_json::Value;

use crate::program::{Place, Running};

/// Every refusal that these types of change can meet.
const CODES: [&str; 11] = [
    "active_service_line",
    "allocation_over_bound",
    "change_in_progress",
    "device_archived",
    "device_not_active",
    "device_not_found",
    "invalid_iccid",
    "invalid_number",
    "modified_meanwhile",
    "number_ambiguous",
    "wrong_service_provider",
];

const CHANGES: [(&str, &str); 11] = [
    ("AMOP", "CustomerAssignment"),
    ("Rev", "CustomerAssignment"),
    ("now", "CustomerRatePlanChange"),
    ("by_number", "CustomerRatePlanChange"),
    ("scheduled", "CustomerRatePlanChange"),
    ("Jasper", "CarrierRatePlanChange"),
    ("Jasper", "StatusUpdate"),
    ("Jasper", "CustomerAssignment"),
    ("POND", "CarrierRatePlanChange"),
    ("POND", "StatusUpdate"),
    ("POND", "CustomerAssignment"),
];

/// The first of these changes that calls a carrier: its lines are all sound.
const AT_CARRIERS: usize = 5;

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no whole number"))
}

#[tokio::test]
async fn its_numbers_add_up_and_are_those_of_the_store() {
    let place = Place::empty();
    let summary = place.run(&["demo", "--exit", "--json", "--devices", "2000", "--seed", "5", "--dir", "kept"]).json(0);
    assert_eq!((&summary["store"], &summary["devices"]), (&"sqlite".into(), &2_000.into()));
    let store =
        lineshift_store_sqlite::open(&place.path("kept/lineshift.sqlite3"), Options::default()).await.expect("the store is kept");
    let changes = summary["changes"].as_array().expect("a list");
    let mut codes = BTreeSet::new();
    let mut log_entries = 0;
    for (nth, (change, (path, change_type))) in changes.iter().zip(CHANGES).enumerate() {
        assert_eq!((&change["path"], &change["type"]), (&path.into(), &change_type.into()));
        let with_mistakes = nth < AT_CARRIERS;
        assert_eq!(change["status"], if with_mistakes { "PARTIAL" } else { "PROCESSED" }, "{change}");
        let [accepted, rejected, processed, failed] =
            ["accepted", "rejected", "processed", "failed"].map(|name| number(&change[name]));
        assert!(accepted > 0 && processed > 0 && (rejected > 0) == with_mistakes, "{change}");
        assert_eq!(accepted, processed + failed, "{change}");
        let errors = change["errors"].as_object().expect("counts by code");
        assert_eq!(errors.values().map(number).sum::<i64>(), rejected + failed, "{change}");
        codes.extend(errors.keys().map(String::as_str));
        assert!(change["seconds"].as_f64() > Some(0.0) && change["devices_per_second"].as_f64() > Some(0.0), "{change}");

        let (tenant, id) = (TenantId(1), BulkChangeId(number(&change["id"])));
        let counts = store.recount(tenant, id).await.expect("the rows");
        assert_eq!((counts.total, counts.processed, counts.error), (accepted + rejected, processed, rejected + failed));
        log_entries += log_length(&store, tenant, id).await;
    }
    assert_eq!(changes.len(), CHANGES.len());
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), CODES);
    let scheduled = number(&changes[4]["processed"]);
    let queue = &summary["plan_queue"];
    assert_eq!([number(&queue["scheduled"]), number(&queue["applied"]), number(&queue["open"])], [scheduled, scheduled, 0]);
    let services = &summary["rev_services"];
    let billed = number(&changes[1]["accepted"]);
    assert_eq!(["requested", "created", "duplicates"].map(|name| number(&services[name])), [billed, billed, 0]);
    assert_eq!(number(&changes[1]["processed"]), billed, "whatever failed on the way");
    let carriers = &summary["carriers"];
    assert!(number(&carriers["jasper_assignments"]) >= 60 && number(&carriers["pond_active_packages"]) == 60, "{carriers}");
    assert_eq!(number(&carriers["pond_duplicates"]), 0);
    assert_eq!(number(&summary["log_entries"]), log_entries);
}

async fn log_length(store: &SqliteStore, tenant: TenantId, id: BulkChangeId) -> i64 {
    let (mut length, mut after) = (0, None);
    loop {
        let page = store.list_log(tenant, id, None, after, 500).await.expect("the log");
        length += i64::try_from(page.items.len()).expect("a page");
        after = page.next;
        if after.is_none() {
            return length;
        }
    }
}

#[test]
fn a_small_fleet_meets_every_refusal_as_well() {
    let summary = Place::empty().run(&["demo", "--exit", "--json", "--devices", "100"]).json(0);
    let changes = summary["changes"].as_array().expect("a list");
    let codes: BTreeSet<&str> =
        changes.iter().flat_map(|change| change["errors"].as_object().expect("counts").keys()).map(String::as_str).collect();
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), CODES);
}

/// The store's path in the line that names it.
fn store_in(line: &str) -> &Path {
    Path::new(line.rsplit(' ').next().expect("a line has words"))
}

#[test]
fn it_stays_open_until_it_is_interrupted_and_removes_its_store() {
    let mut place = Place::empty();
    let demo = Running::start(place.command(&["demo", "--devices", "200"]));
    let line = demo.until("A fleet of 200 lines in ");
    let store = store_in(&line).to_owned();
    let export = demo.until("export LINESHIFT_URL=");
    for (name, value) in export.split_whitespace().skip(1).filter_map(|pair| pair.split_once('=')) {
        place.set(name, value);
    }
    demo.until("Ctrl-C ends it");
    let page = place.run(&["status", "--json"]).json(0);
    assert_eq!(page["items"].as_array().map(Vec::len), Some(CHANGES.len() + 1), "those shown, and the one that held lines");
    assert!(store.exists());
    let ended = demo.end_by("INT");
    let shown = ended.expect(0);
    for code in CODES {
        assert!(shown.contains(code), "{code} stands in the tables:\n{shown}");
    }
    assert!(!store.parent().expect("its directory").exists(), "the temporary directory is removed");
}

#[test]
fn an_interrupted_one_removes_its_store_as_well() {
    let place = Place::empty();
    let demo = Running::start(place.command(&["demo", "--exit", "--devices", "100000"]));
    let line = demo.until("A fleet of 100000 lines in ");
    let store = store_in(&line).to_owned();
    let ended = demo.end_by("INT");
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.err.contains("interrupted"), "{}", ended.err);
    assert!(!store.parent().expect("its directory").exists(), "the temporary directory is removed");
}

#[test]
fn a_store_that_is_there_is_not_touched() {
    let place = Place::empty();
    place.run(&["demo", "--exit", "--json", "--devices", "100", "--dir", "kept"]).json(0);
    let err = place.run(&["demo", "--exit", "--dir", "kept"]).failure(2);
    assert!(err.contains("kept/lineshift.sqlite3 is there already; name another --dir"), "{err}");
}
