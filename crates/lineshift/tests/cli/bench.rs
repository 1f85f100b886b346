//! The benchmark, on a fleet small enough for a test: its legs must leave the same rows, or it fails.

use serde_json::Value;

use crate::program::Place;

#[test]
fn engine_and_peers_leave_the_same_rows() {
    let place = Place::empty();
    let sizes = ["--lines", "600", "--fleet", "2000", "--rounds", "2", "--dir", "."];
    let parts = ["--legs", "plan_change,amop_assignment,submission", "--json"];
    let report = place.run(&[&["bench"], &sizes[..], &parts[..]].concat()).json(0);
    let mut names: Vec<&str> = report["legs"].as_array().expect("a list").iter().filter_map(|leg| leg["name"].as_str()).collect();
    assert_eq!(names.len(), 18, "{report}");
    names.truncate(9);
    assert_eq!(
        names,
        [
            "plan_change/engine",
            "plan_change/floor",
            "plan_change/per_device",
            "plan_change/per_device_shuffled",
            "amop_assignment/engine",
            "amop_assignment/floor",
            "amop_assignment/per_device",
            "submission/engine",
            "submission/floor",
        ]
    );
    for ratio in ["plan_change_to_floor", "amop_assignment_to_floor", "plan_change_to_per_device", "submission_to_floor"] {
        assert!(report["ratios"][ratio].as_f64().is_some_and(|ratio| ratio > 0.0), "{report}");
    }
    assert_eq!((&report["ratios"]["memory_1m_to_100k"], &report["small_change_seconds"]), (&Value::Null, &Value::Null));
    // One line in ten is refused, one in a hundred was changed meanwhile; each has its log entry, and the change one more.
    let rows = &report["rows"]["plan_change"];
    for (counted, count) in [
        ("device_change ERROR device_archived", 30),
        ("device_change ERROR device_not_active", 30),
        ("device_change ERROR modified_meanwhile", 6),
        ("device_change PROCESSED", 534),
        ("device_bulk_change_log Change Customer Rate Plan: Update AMOP", 534),
        ("device_bulk_change_log Process: Device Refused", 66),
        ("device_bulk_change_log Bulk Change Completed", 1),
        ("device_action_history customer_rate_plan", 534),
        ("cross_provider_device_history rows", 534),
        ("device_bulk_change_page completed", 1),
    ] {
        assert_eq!(rows[counted], count, "{counted}: {rows}");
    }
    assert_eq!(report["rows"]["submission"]["device_change NEW"], 540, "{report}");
    // Its databases are gone.
    assert_eq!(std::fs::read_dir(place.path(".")).expect("the directory").count(), 0);
}

#[test]
fn an_order_cannot_be_larger_than_the_fleet() {
    let err = Place::empty().run(&["bench", "--lines", "600", "--fleet", "500"]).failure(2);
    assert!(err.contains("an order of 600 lines in a fleet of 500"), "{err}");
}
