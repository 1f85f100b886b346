//! People, roles, and how far keys reach.

use crate::program::Place;

fn acme() -> Place {
    let place = Place::empty();
    place.run(&["admin", "tenant", "create", "Acme"]).expect(0);
    place
}

/// Makes an administrator who has a password.
fn administrator(place: &Place, email: &str, name: &str) {
    let with = ["admin", "create-admin", "--email", email, "--name", name, "--password-stdin"];
    place.run_with_input(&with, "tall-window-sings-low\n").expect(0);
}

#[test]
fn the_first_administrator_is_invited_once() {
    let place = acme();
    let made = place.run(&["admin", "create-admin", "--tenant", "Acme", "--email", "Ann@Example.com", "--json"]).json(0);
    let token = made["invitation"]["token"].as_str().expect("an invitation");
    assert_eq!((made["email"].as_str(), token.len()), (Some("ann@example.com"), 45), "the tenant stands before it");
    let listed = place.run(&["admin", "user", "list", "--json"]);
    assert!(!listed.out.contains(token));
    let listed = listed.json(0);
    assert_eq!((&listed[0]["id"], &listed[0]["is_active"], &listed[0]["reach"]), (&made["id"], &true.into(), &"*".into()));
    assert_eq!(listed[0]["is_pending"], true);
    assert_eq!(listed[0]["roles"], serde_json::json!(["administrator"]));
    let err = place.run(&["admin", "create-admin", "--email", "ann@example.com"]).failure(4);
    assert_eq!(err, "error: this person belongs to the tenant already\n");
    let err = place.run(&["admin", "create-admin", "--email", "ann"]).failure(2);
    assert_eq!(err, "error: found \"ann\", expected an address such as ann@example.com\n");

    let store = std::fs::read(place.path("lineshift.sqlite3")).expect("the store");
    let log = std::fs::read(place.path("lineshift.sqlite3-wal")).unwrap_or_default();
    for bytes in [store, log] {
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()), "the invitation is not stored");
    }
}

#[test]
fn the_last_administrator_is_not_deactivated() {
    let place = acme();
    administrator(&place, "ann@example.com", "Ann");
    let err = place.run(&["admin", "user", "deactivate", "ann@example.com"]).failure(4);
    assert!(err.contains("nobody could administrate this tenant any more"), "{err}");
    let shown = place.run(&["admin", "create-admin", "--email", "ben@example.com"]).expect(0);
    assert!(shown.contains("It is shown this once"), "{shown}");
    let err = place.run(&["admin", "user", "deactivate", "ann@example.com"]).failure(4);
    assert!(err.contains("nobody could administrate"), "who never took up an invitation administrates nothing: {err}");
    let err = place.run(&["admin", "user", "remove", "ann@example.com"]).failure(4);
    assert!(err.contains("nobody could administrate"), "{err}");
    administrator(&place, "carla@example.com", "Carla");
    let gone = place.run(&["admin", "user", "deactivate", "ann@example.com", "--json"]).json(0);
    assert_eq!(gone["is_active"], false);
    let listed = place.run(&["admin", "user", "list"]).expect(0);
    let line = |address: &str| listed.lines().find(|line| line.contains(address)).expect("a line").to_owned();
    assert!(line("ann@").contains("inactive") && line("ann@").contains("Ann"), "{listed}");
    assert!(line("ben@").contains("invited") && line("carla@").contains(" active"), "{listed}");
    let err = place.run(&["admin", "user", "deactivate", "carl@example.com"]).failure(4);
    assert_eq!(err, "error: nobody with the address \"carl@example.com\" belongs to the tenant\n");
    assert!(place.run(&["admin", "user", "deactivate", "99"]).failure(4).contains("99 does not exist"));
}

#[test]
fn people_are_added_with_roles_and_reach() {
    let place = Place::with_examples();
    let roles = place.run(&["admin", "role", "list", "--json"]).json(0);
    let names: Vec<_> = roles.as_array().expect("a list").iter().map(|role| role["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["administrator", "operator", "viewer", "customer-scoped operator"]);
    assert!(place.run(&["admin", "role", "list"]).expect(0).contains("customer-scoped operator"));

    let add = |more: &[&str]| {
        let all: Vec<&str> = ["admin", "user", "add", "ann@example.com"].iter().chain(more).copied().collect();
        place.run(&all)
    };
    let err = add(&["--role", "boss"]).failure(2);
    assert!(err.starts_with("error: there is no role \"boss\"; there are: administrator, operator"), "{err}");
    let err = add(&["--role", "customer-scoped operator"]).failure(2);
    assert_eq!(err, "error: whoever is \"customer-scoped operator\" must be limited: say by --reach to whom\n");
    let err = add(&["--role", "viewer", "--reach", "planet:1"]).failure(2);
    assert!(err.starts_with("error: --reach: \"planet:1\" is not a reach; expected words such as customer:5"), "{err}");
    let err = add(&["--role", "viewer", "--reach", "site:99999 customer:99999"]).failure(2);
    assert_eq!(err, "error: --reach: the tenant has no customer:99999, no site:99999\n");
    assert_eq!(place.run(&["admin", "user", "list"]).expect(0), "nothing to list\n");

    let made = add(&["--role", "viewer", "--role", "customer-scoped operator", "--reach", "site:101", "--json"]).json(0);
    let listed = place.run(&["admin", "user", "list", "--json"]).json(0);
    assert_eq!((&listed[0]["id"], &listed[0]["reach"]), (&made["id"], &"site:101".into()));
    assert_eq!(listed[0]["roles"], serde_json::json!(["viewer", "customer-scoped operator"]));
}

#[test]
fn a_key_reaches_as_far_as_it_says() {
    let place = Place::with_examples();
    let made = place.run(&["admin", "key", "create", "limited", "--reach", "site:101", "--json"]).json(0);
    assert_eq!(made["reach"], "site:101");
    let listed = place.run(&["admin", "key", "list", "--json"]).json(0);
    let reaches: Vec<_> = listed.as_array().expect("a list").iter().map(|key| key["reach"].as_str().expect("a reach")).collect();
    assert_eq!(reaches, ["*", "site:101"]);
    for (reach, said) in [("", "reaches nothing"), ("site", "is not a reach"), ("site:99999", "the tenant has no site:99999")] {
        let err = place.run(&["admin", "key", "create", "x", "--reach", reach]).failure(2);
        assert!(err.starts_with("error: --reach: ") && err.contains(said), "{err}");
    }
}

#[test]
fn the_first_administrator_may_be_given_a_password() {
    let place = acme();
    let with = |password: &str| {
        place.run_with_input(&["admin", "create-admin", "--email", "ann@example.com", "--password-stdin"], password)
    };
    let err = with("password\n").failure(4);
    assert!(err.contains("this password is not taken") && err.contains("give at least 12"), "{err}");
    assert_eq!(place.run(&["admin", "user", "list", "--json"]).json(0), serde_json::json!([]), "nobody was added");
    let shown = with("tall-window-sings-low\n").expect(0);
    assert!(shown.contains("signs in with that password") && !shown.contains("tall-window"), "{shown}");
    let err = with("tall-window-sings-low\n").failure(4);
    assert!(err.contains("is known already and keeps their password"), "{err}");
}

/// What is stored of Ann.
#[expect(clippy::disallowed_methods, reason = "looks at what no command shows")]
fn of_ann(place: &Place, what: &str) -> i64 {
    let store = rusqlite::Connection::open(place.path("lineshift.sqlite3")).expect("it opens");
    let query = format!("SELECT {what} FROM users WHERE email = 'ann@example.com'");
    store.query_row(&query, [], |row| row.get(0)).expect("Ann")
}

#[test]
fn somebody_is_kept_from_signing_in_anywhere() {
    let place = acme();
    let admin = |command: &[&str]| {
        let all: Vec<&str> = ["admin"].iter().chain(command).copied().collect();
        place.run(&all)
    };
    administrator(&place, "ann@example.com", "Ann");
    let err = admin(&["user", "disable", "ann@example.com"]).failure(4);
    assert!(err.contains("nobody could administrate this tenant any more"), "{err}");
    administrator(&place, "ben@example.com", "Ben");
    admin(&["tenant", "create", "Other"]).expect(0);
    admin(&["create-admin", "--email", "carl@example.com", "--tenant", "Other"]).expect(0);
    let off = admin(&["user", "disable", "Ann@Example.com", "--json"]).json(0);
    assert_eq!(off, serde_json::json!({"email": "ann@example.com", "is_active": false}));
    let stored = |what: &str| of_ann(&place, what);
    assert!(stored("is_active") == 0 && stored("signed_out_at") > 0, "sessions that she had are over for good");
    let err = admin(&["user", "disable", "ben@example.com"]).failure(4);
    assert!(err.contains("nobody could administrate"), "she counts no more: {err}");
    let shown = admin(&["user", "enable", "ann@example.com"]).expect(0);
    assert_eq!(shown, "ann@example.com may sign in again\n");
    assert!(stored("is_active") == 1 && stored("signed_out_at") > 0);
    let err = admin(&["user", "enable", "nobody@example.com"]).failure(4);
    assert_eq!(err, "error: nobody has the address \"nobody@example.com\"\n");

    let logged = |tenant: &str| admin(&["audit", "list", "--tenant", tenant, "--json"]).expect(0);
    let log = logged("Acme");
    assert!(log.contains("admin user disable") && log.contains("ann@example.com") && log.contains("admin user enable"), "{log}");
    assert!(!logged("Other").contains("admin user disable"), "it is nothing of theirs");
}

#[test]
fn whoever_is_locked_out_is_let_in_again_and_it_is_written_down() {
    let place = acme();
    administrator(&place, "ann@example.com", "Ann");
    place.run(&["admin", "user", "add", "ben@example.com", "--role", "viewer"]).expect(0);
    let invited = place.run(&["admin", "user", "invite", "Ann@example.com", "--json"]).json(0);
    let word = invited["invitation"]["token"].as_str().expect("an invitation");
    assert_eq!(word.len(), 43, "of nobody but whoever runs the server");
    let err = place.run(&["admin", "user", "invite", "ben@example.com"]).failure(4);
    assert_eq!(err, "error: ben@example.com has joined no tenant yet; say by --tenant to which they are invited\n");
    let again = place.run(&["admin", "user", "invite", "ben@example.com", "--tenant", "Acme", "--json"]).json(0);
    assert!(again["invitation"]["token"].as_str().is_some_and(|word| word.starts_with("1.")), "{again}");
    let reset = place.run(&["admin", "user", "reset-one-time-passwords", "ann@example.com", "--json"]).json(0);
    assert_eq!(reset, serde_json::json!({"email": "ann@example.com", "one_time_passwords": false}));
    for command in ["invite", "reset-one-time-passwords"] {
        let err = place.run(&["admin", "user", command, "nobody@example.com"]).failure(4);
        assert_eq!(err, "error: nobody has the address \"nobody@example.com\"\n");
    }
    place.run(&["admin", "user", "remove", "ben@example.com"]).expect(0);
    assert!(!place.run(&["admin", "user", "list"]).expect(0).contains("ben@"));
    let log = place.run(&["admin", "audit", "list"]).expect(0);
    for action in ["invite", "reset-one-time-passwords", "remove"] {
        assert!(log.contains(&format!("admin user {action}")), "{log}");
    }
}

#[test]
fn names_that_look_like_others_are_refused() {
    let place = acme();
    let err = place.run(&["admin", "user", "add", "an\u{200b}n@example.com", "--role", "viewer"]).failure(2);
    assert!(err.contains("expected an address"), "{err}");
    let err = place.run(&["admin", "user", "add", "ann@example.com", "--name", "A\u{202e}nn", "--role", "viewer"]).failure(4);
    assert!(err.contains("invisible"), "{err}");
    assert!(place.run(&["admin", "key", "create", "k\u{ad}", "--scopes", "m2m:view"]).failure(4).contains("invisible"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "makes the store as no command does")]
fn without_an_entry_in_the_log_no_role_is_made() {
    let place = acme();
    let store = rusqlite::Connection::open(place.path("lineshift.sqlite3")).expect("the store");
    let full = "DELETE FROM role WHERE name = 'administrator';
        CREATE TRIGGER full BEFORE INSERT ON audit_entry BEGIN SELECT RAISE(ABORT, 'full'); END;";
    store.execute_batch(full).expect("changed");
    let err = place.run(&["admin", "create-admin", "--email", "ann@example.com"]).failure(1);
    assert!(err.contains("writing to the audit log; nothing was done"), "{err}");
    let roles = place.run(&["admin", "role", "list"]).expect(0);
    assert!(!roles.contains("administrator"), "{roles}");
    store.execute_batch("DROP TRIGGER full").expect("changed");
    place.run(&["admin", "create-admin", "--email", "ann@example.com"]).expect(0);
    assert!(place.run(&["admin", "role", "list"]).expect(0).contains("administrator"));
}
