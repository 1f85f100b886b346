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
fn on_postgres_engine_and_peers_leave_the_same_rows() {
    let place = Place::empty();
    let sizes = ["--lines", "2000", "--devices", "20000", "--rounds", "1", "--connections", "2", "--dir", "."];
    let parts = ["--legs", "plan_change,amop_assignment,submission,peers,memory,grids", "--json"];
    let ran = place.run(&[&["bench", "--store", "postgres"], &sizes[..], &parts[..]].concat());
    // How fast so few lines are, says nothing: it may be missed. What went wrong otherwise, prints no report.
    assert!(ran.code == 0 || ran.err.contains("not as it is to be"), "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", ran.out, ran.err));
    let names: Vec<&str> = report["legs"].as_array().expect("a list").iter().filter_map(|leg| leg["name"].as_str()).collect();
    assert_eq!(
        names,
        [
            "plan_change/seeds on 2",
            "plan_change/per_device on 2",
            "plan_change/engine",
            "plan_change/engine_2",
            "plan_change/floor",
            "plan_change/seeds_pipelined",
            "plan_change/seeds",
            "plan_change/seeds_1",
            "plan_change/per_device",
            "amop_assignment/engine",
            "amop_assignment/floor",
            "submission/engine",
            "submission/floor",
            "memory",
        ]
    );
    let ratios: Vec<&str> = report["ratios"].as_object().expect("named").keys().map(String::as_str).collect();
    assert_eq!(
        ratios,
        [
            "accepted_peak_rss_mb",
            "amop_assignment_to_floor",
            "plan_change_to_floor",
            "plan_change_to_pipelined",
            "plan_change_to_seeds_one",
            "submission_to_floor",
            "two_workers_to_one",
            "two_workers_to_per_device_best",
            "two_workers_to_seeds_best",
        ]
    );
    for (part, counted, count) in [
        ("plan_change", "device_change PROCESSED", 1_780),
        ("plan_change", "device_bulk_change_log Process: Device Refused", 220),
        ("plan_change", "device_action_history customer_rate_plan", 1_780),
        ("plan_change", "cross_provider_device_history rows", 1_780),
        ("amop_assignment", "device_action_history assignment", 1_780),
        ("submission", "device_change NEW", 1_800),
    ] {
        assert_eq!(report["rows"][part][counted], count, "{counted}: {}", report["rows"]);
    }
    for grid in report["grids"].as_array().expect("a list") {
        assert_eq!(grid["first_rows"], grid["late_rows"], "{grid}");
        assert!(grid["first_rows"].as_u64().is_some_and(|rows| rows > 100), "{grid}");
    }
    assert_eq!(report["server"]["fsync"], "on", "{report}");
    // Its server and its directory are gone.
    assert_eq!(std::fs::read_dir(place.path(".")).expect("the directory").count(), 0);
}

#[test]
fn an_order_cannot_be_larger_than_the_fleet() {
    let err = Place::empty().run(&["bench", "--lines", "600", "--fleet", "500"]).failure(2);
    assert!(err.contains("an order of 600 lines in a fleet of 500"), "{err}");
}

/// Every ledger is checked by the benchmark itself: it fails unless each line was moved once.
#[test]
fn lines_are_moved_at_their_carriers_alone_and_beside_each_other() {
    let place = Place::empty();
    let sizes = ["--lines", "200", "--fleet", "200", "--rounds", "1", "--dir", "."];
    let report = place.run(&[&["bench", "--legs", "carriers", "--json"], &sizes[..]].concat()).json(0);
    let carriers = &report["carriers"];
    for (ratio, most) in [
        ("jasper_to_allowed", f64::MAX),
        ("jasper_calls_a_line", 2.0),
        ("jasper_calls_a_status", 2.0),
        ("pond_to_allowed", f64::MAX),
        ("jasper_beside_to_alone", f64::MAX),
        ("pond_beside_to_alone", f64::MAX),
        ("billing_beside_to_alone", f64::MAX),
    ] {
        assert!(carriers[ratio].as_f64().is_some_and(|value| value > 0.0 && value <= most), "{ratio}: {report}");
    }
    let round = &carriers["rounds"][0];
    let counted = |change: &str| (round[change]["lines"].as_u64(), round[change]["calls"].as_u64());
    // One more for each call that came a moment before the carrier's second was over, and was sent again.
    let (lines, calls) = counted("jasper");
    assert!(lines == Some(10) && calls.is_some_and(|calls| (10..=12).contains(&calls)), "{report}");
    assert_eq!(counted("status"), (Some(2), Some(4)), "{report}");
    assert_eq!(counted("pond"), (Some(33), Some(5 * 33)), "two readings, one added, activated, the old one ended: {report}");
    assert_eq!((report["legs"].as_array().map(Vec::len), &report["billing"]), (Some(0), &Value::Null), "{report}");
    assert_eq!(std::fs::read_dir(place.path(".")).expect("the directory").count(), 0);
}

/// What an access leg reports, whatever store it ran on. How long things took beside other tests, says nothing.
fn require_access(report: &Value) {
    let access = &report["access"];
    for check in ["key_us", "session_us"] {
        assert!(access["check"][check].as_f64().is_some_and(|took| took > 0.0), "{check}: {report}");
    }
    let kinds: Vec<&str> = access["ids"].as_object().expect("named").keys().map(String::as_str).collect();
    assert_eq!(
        kinds,
        [
            "beyond reach: bulk change",
            "beyond reach: device",
            "beyond reach: site",
            "foreign bulk change",
            "foreign device",
            "foreign site"
        ]
    );
    for kind in kinds {
        assert_eq!(access["ids"][kind]["pairs"], 20, "{report}");
    }
    let signing_in = &access["signing_in"];
    assert_eq!((&signing_in["people_at_once"], signing_in["rounds"].as_array().map(Vec::len)), (&20.into(), Some(2)), "{report}");
    assert!(signing_in["p99_ratio"].as_f64().is_some_and(|ratio| ratio > 0.0), "{report}");
}

#[test]
fn who_calls_is_measured_beside_many_who_sign_in() {
    let place = Place::empty();
    let sizes = ["--lines", "200", "--fleet", "200", "--rounds", "2", "--dir", "."];
    let report = place.run(&[&["bench", "--legs", "access", "--json"], &sizes[..]].concat()).json(0);
    require_access(&report);
    assert_eq!(report["access"]["check"]["round_trips"], Value::Null, "a file is not far away");
    assert_eq!(std::fs::read_dir(place.path(".")).expect("the directory").count(), 0);
}

#[test]
fn on_postgres_it_takes_one_round_trip_to_know_who_calls() {
    let place = Place::empty();
    let sizes = ["--lines", "200", "--fleet", "200", "--rounds", "2", "--dir", "."];
    let ran = place.run(&[&["bench", "--store", "postgres", "--legs", "access", "--json"], &sizes[..]].concat());
    assert!(ran.code == 0 || ran.err.contains("not as it is to be"), "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", ran.out, ran.err));
    require_access(&report);
    for check in ["key", "session"] {
        let trips = report["access"]["check"]["round_trips"][check].as_f64().expect("a number");
        // More than one, for the rest takes time as well; two would be two.
        assert!((1.0..2.0).contains(&trips), "{check}: {report}");
    }
}

/// What a leg of pages reports, whatever store it ran on. How long things took beside other tests, says nothing.
fn require_portal(report: &Value) {
    let portal = &report["portal"];
    let pages = portal["pages"].as_array().expect("a list");
    let names: Vec<&str> = pages.iter().filter_map(|page| page["page"].as_str()).collect();
    assert_eq!(
        names,
        [
            "lines, first page",
            "lines, from the middle on",
            "lines of a customer",
            "lines in a status most are in",
            "lines in a status few are in",
            "lines of a customer in a status",
            "one line",
            "bulk changes",
            "one bulk change, its failures",
            "one bulk change, all rows",
            "scheduled, as a list",
            "scheduled, as a month",
            "home, counts kept",
            "preview of an order",
            "home, counted anew",
        ]
    );
    for page in pages {
        let times = if page["page"] == "home, counted anew" { 2 } else { 6 };
        assert_eq!(page["times"], times, "{page}");
        for figure in ["page_p50_ms", "page_p99_ms", "behind_p50_ms", "behind_p99_ms", "first_call_p50_ms"] {
            assert!(page[figure].as_f64().is_some_and(|took| took > 0.0), "{figure}: {page}");
        }
        let bytes = page["page_bytes"].as_u64().expect("a number") + portal["assets_bytes"].as_u64().expect("a number");
        assert!((2_000..60_000).contains(&bytes), "{page}");
    }
    assert_eq!((&portal["change_lines"], &portal["chosen_lines"]), (&2_000.into(), &200.into()), "{portal}");
}

#[test]
fn pages_are_measured_beside_the_calls_behind_them() {
    let place = Place::empty();
    let sizes = ["--lines", "200", "--fleet", "2000", "--rounds", "2", "--dir", "."];
    let report = place.run(&[&["bench", "--legs", "portal", "--json"], &sizes[..]].concat()).json(0);
    require_portal(&report);
    assert_eq!(std::fs::read_dir(place.path(".")).expect("the directory").count(), 0);
}

#[test]
fn on_postgres_pages_are_measured_beside_the_calls_behind_them() {
    let place = Place::empty();
    let sizes = ["--lines", "200", "--fleet", "2000", "--rounds", "2", "--dir", "."];
    let report = place.run(&[&["bench", "--store", "postgres", "--legs", "portal", "--json"], &sizes[..]].concat()).json(0);
    require_portal(&report);
}
