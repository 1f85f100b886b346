//! Tenants and keys.

use crate::program::Place;

#[test]
fn a_key_is_shown_once_and_never_again() {
    let place = Place::empty();
    place.run(&["admin", "tenant", "create", "Acme"]).expect(0);
    let made = place.run(&["admin", "key", "create", "nightly job", "--scopes", "m2m:view m2m:create", "--json"]).json(0);
    let key = made["key"].as_str().expect("the key");
    let secret = key.splitn(4, '_').nth(3).expect("its last part");
    assert!(secret.len() > 20, "{key}");

    for arguments in [&["admin", "key", "list"][..], &["admin", "key", "list", "--json"]] {
        let listed = place.run(arguments).expect(0);
        assert!(listed.contains("nightly job") && listed.contains("m2m:view"), "{listed}");
        assert!(!listed.contains(secret), "{listed}");
    }
    let store = std::fs::read(place.path("lineshift.sqlite3")).expect("the store");
    let log = std::fs::read(place.path("lineshift.sqlite3-wal")).unwrap_or_default();
    for bytes in [store, log] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "the secret is not stored");
    }

    place.run(&["admin", "key", "revoke", "1"]).expect(0);
    assert_eq!(place.run(&["admin", "key", "list", "--json"]).json(0)[0]["state"], "revoked");
    let err = place.run(&["admin", "key", "revoke", "77"]).failure(4);
    assert!(err.contains("77 does not exist"), "{err}");
}

#[test]
fn what_cannot_be_a_key_is_refused() {
    let place = Place::empty();
    place.run(&["admin", "tenant", "create", "Acme"]).expect(0);
    let refused = |arguments: &[&str], code: i32| {
        let all: Vec<&str> = ["admin", "key", "create", "x"].iter().chain(arguments).copied().collect();
        place.run(&all).failure(code)
    };
    let err = refused(&["--scopes", "m2m:fly"], 2);
    assert!(err.starts_with("error: --scopes: \"m2m:fly\" is not a scope; expected words such as m2m:view"), "{err}");
    let err = refused(&["--expires", "2020-01-01"], 2);
    assert!(err.contains("--expires: found \"2020-01-01\", expected a date in ISO 8601 after now"), "{err}");
    let err = refused(&["--tenant", "Nobody"], 2);
    assert_eq!(err, "error: there is no tenant \"Nobody\"; there are: Acme (1)\n");
    assert_eq!(place.run(&["admin", "key", "list"]).expect(0), "nothing to list\n");
}

#[test]
fn tenants_are_chosen_by_name_or_id_where_there_are_several() {
    let place = Place::empty();
    place.run(&["admin", "tenant", "create", "Acme", "--time-zone", "Europe/Berlin"]).expect(0);
    place.run(&["admin", "tenant", "create", "Globex"]).expect(0);
    let err = place.run(&["admin", "tenant", "create", "Acme"]).failure(4);
    assert_eq!(err, "error: making the tenant \"Acme\": one with the same name exists already\n");
    let listed = place.run(&["admin", "tenant", "list", "--json"]).json(0);
    assert_eq!((&listed[0]["time_zone"], &listed[1]["name"]), (&"Europe/Berlin".into(), &"Globex".into()));

    let err = place.run(&["admin", "key", "create", "x"]).failure(2);
    assert_eq!(err, "error: the store has several tenants; choose one with --tenant: Acme (1), Globex (2)\n");
    for (tenant, id) in [("Globex", 2), ("1", 1)] {
        let made = place.run(&["admin", "key", "create", "x", "--tenant", tenant, "--json"]).json(0);
        assert_eq!(made["tenant"], id);
    }
}
