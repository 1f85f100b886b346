//! Copying a store that is in use.

use crate::program::{Place, example};

#[test]
fn a_store_in_use_is_copied_as_it_stands() {
    let mut place = Place::with_examples();
    let server = place.serve(&[]);
    place.run(&["submit", &example("assign.json"), "--wait"]).expect(3);
    let made = place.run(&["backup", "copy.sqlite3", "--json"]).json(0);
    let copy = std::fs::metadata(place.path("copy.sqlite3")).expect("the copy");
    assert_eq!(made["bytes"].as_u64(), Some(copy.len()));
    #[cfg(unix)]
    for file in ["lineshift.sqlite3", "lineshift.sqlite3-wal", "lineshift.sqlite3-shm", "copy.sqlite3"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(place.path(file)).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file} is for its owner only");
    }
    let err = place.run(&["backup", "missing/copy.sqlite3"]).failure(1);
    assert_eq!(err.matches("missing/copy.sqlite3").count(), 1, "the target is named once: {err}");
    let err = place.run(&["backup", "copy.sqlite3"]).failure(4);
    assert!(err.contains("copy.sqlite3 exists already; name a new file"), "{err}");
    // What happens after is not in the copy.
    place.run(&["submit", &example("plan-change.json"), "--wait"]).expect(3);
    server.end_by("TERM").expect(0);

    let of_original = place.run(&["admin", "key", "list", "--json"]).json(0);
    place.set("LINESHIFT_STORE", "sqlite://copy.sqlite3");
    assert_eq!(place.run(&["admin", "key", "list", "--json"]).json(0)[0]["name"], of_original[0]["name"]);
    let server = place.serve(&[]);
    let page = place.run(&["status", "--json"]).json(0);
    let changes: Vec<&str> =
        page["items"].as_array().expect("a list").iter().filter_map(|change| change["name"].as_str()).collect();
    assert!(changes.contains(&"Water meters to Metro"), "{page}");
    assert!(!changes.contains(&"Sensors to 250 MB"), "{page}");
    server.end_by("TERM").expect(0);
}
