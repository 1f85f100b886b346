//! The key of credentials is changed while servers and workers run, and nothing fails for it.

use lineshift_connectors::credentials::Vault;
use lineshift_store_postgres::testing::TestDatabase;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::integrations::{NAME, World};
use crate::program::{Place, Ran, Running, example};

const ROTATE: [&str; 3] = ["admin", "rotate-secret-key", "--json"];
const DROP: [&str; 4] = ["admin", "rotate-secret-key", "--drop-old", "--json"];

/// A key and its name.
fn new_key() -> (String, String) {
    let text = Vault::generate_key_text().expect("random bytes");
    let id = Vault::from_key_text(&text).expect("a key").key_id().to_string();
    (text.expose_secret().to_owned(), id)
}

fn key_file(place: &Place) -> String {
    std::fs::read_to_string(place.path("secret.key")).expect("the key file")
}

fn key_id(key: &str) -> String {
    Vault::from_key_text(&SecretString::from(key)).expect("a key").key_id().to_string()
}

fn works(place: &Place) -> Value {
    place.run(&["admin", "integrations", "test", NAME, "--json"]).json(0)["ok"].clone()
}

/// Each key with what it does and how many rows are sealed under it.
fn sealed(ran: Ran, code: i32) -> Vec<(String, String, i64)> {
    let listed = ran.json(code);
    let text = |row: &Value, name: &str| row[name].as_str().expect("a text").to_owned();
    let rows = listed.as_array().expect("a list").iter();
    rows.map(|row| (text(row, "key"), text(row, "does"), row["rows"].as_i64().expect("a number"))).collect()
}

/// Active lines of the examples that nobody is billed for.
fn lines() -> Vec<String> {
    let read = |name: &str| std::fs::read_to_string(example(name)).expect("the example");
    let billed = read("rev-services.csv");
    let devices = read("devices.csv");
    let active = devices.lines().filter(|line| line.contains(",ThingSpace,active,") && line.contains(",false,"));
    active.filter_map(|line| line.split(',').next()).filter(|iccid| !billed.contains(iccid)).map(str::to_owned).collect()
}

/// Three times in the middle of an order that opens services: every call succeeds, in the server, in a worker that was there before, and
/// in commands that begin with whatever key stands first.
fn the_key_changes_while_services_are_opened(mut place: Place) {
    place.set("LINESHIFT_LIMITS_PAGE_LINES", "2");
    place.set("LINESHIFT_LIMITS_REVIO_CONCURRENCY", "2");
    let mut world = World::start_in(place.and_examples(), "300");
    world.set_all();
    world.bring_in_the_customer();
    let server = world.place.serve(&[]);
    let place = &world.place;
    let worker = Running::start(place.command(&["worker"]));
    worker.until("working store=");
    let body = json!({
        "ServiceProviderId": 2, "Devices": lines(), "RevCustomerId": "1", "CreateRevService": true, "ServiceTypeId": 6,
        "ProviderId": 42, "RevProducts": [{"ProductId": 5011, "Rate": 4.95, "Quantity": 1}],
    });
    let id = place.run(&["submit", &place.write("body.json", &body.to_string()), "--json"]).json(0)["BulkChangeId"].to_string();
    let first = key_id(key_file(place).trim());
    let mut before = first.clone();
    for round in 0..3 {
        let rotated = place.run(&ROTATE).json(0);
        assert_eq!((&rotated["sealed_anew"], &rotated["old_keys"]), (&1.into(), &json!([before])), "{rotated}");
        let sealing = rotated["sealing_key"].as_str().expect("a key").to_owned();
        if round == 0 {
            assert_ne!(place.run(&["status", &id, "--json"]).json(0)["counts"]["open"], 0, "it goes on meanwhile");
        }
        // Servers and workers build the account anew, from what was sealed anew.
        world.set(&["--calls-a-minute", &(450 + round).to_string()]).expect(0);
        assert_eq!(works(place), true);
        let dropped = place.run(&DROP).json(0);
        assert_eq!((&dropped["dropped"], &dropped["sealing_key"]), (&json!([before]), &json!(sealing)), "{dropped}");
        let listed = sealed(place.run(&["admin", "sealed", "--json"]), 0);
        assert_eq!(listed, [(sealing.clone(), "seals".to_owned(), 1)]);
        before = sealing;
    }
    // What is stored now is sealed with the newest key, by a server that was started with the first.
    let account = place.run(&["admin", "integrations", "list", "--json"]).json(0);
    assert_eq!(account[0]["client_code"], "demo", "it opens");
    place.run(&["status", &id, "--watch"]).expect(0);
    let change = place.run(&["status", &id, "--json"]).json(0);
    let processed = lines().len();
    assert_eq!((&change["status"], &change["counts"]["processed"]), (&"PROCESSED".into(), &json!(processed)), "{change}");
    for logged in [server.end_by("TERM"), worker.end_by("TERM")] {
        assert_eq!(logged.code, 0, "{}", logged.err);
        for wrong in ["cannot be opened", "the keys stay as they were"] {
            assert!(!logged.err.contains(wrong), "{}", logged.err);
        }
    }
}

#[test]
fn sqlite_the_key_changes_while_services_are_opened() {
    the_key_changes_while_services_are_opened(Place::empty());
}

#[tokio::test]
async fn postgres_the_key_changes_while_services_are_opened() {
    let database = TestDatabase::new().await;
    let mut place = Place::empty();
    place.set("LINESHIFT_STORE", &database.app_url());
    tokio::task::spawn_blocking(|| the_key_changes_while_services_are_opened(place)).await.expect("it ends");
}

/// Stopped after any of its steps, it goes on where it was, and makes no further key.
#[test]
fn a_rotation_that_was_killed_goes_on() {
    let world = World::start_in(Place::with_examples(), "1");
    world.set_all();
    let place = &world.place;
    let old = key_file(place).trim().to_owned();
    let (new, new_id) = new_key();
    let old_ids = json!([key_id(&old)]);
    let goes_on = |anew: i64| {
        let ended = place.run(&ROTATE).json(0);
        assert_eq!((&ended["sealing_key"], &ended["old_keys"]), (&json!(new_id), &old_ids), "{ended}");
        assert_eq!((&ended["next_key"], &ended["sealed_anew"]), (&Value::Null, &anew.into()), "{ended}");
        assert_eq!(key_file(place).lines().filter(|line| !line.starts_with('#')).count(), 2);
        assert_eq!(works(place), true);
    };
    // Killed when the new key was added, while the file was written once more.
    place.write("secret.key", &format!("# of Acme\n{old}\nnext {new}\n"));
    place.write("secret.key.new", "half a line");
    assert_eq!(works(place), true);
    goes_on(1);
    assert!(!place.path("secret.key.new").exists() && key_file(place).starts_with("# of Acme\n"));
    // Killed when all was sealed anew.
    goes_on(0);
    // Killed when the new key was the first, and nothing was sealed anew yet.
    place.write("secret.key", &old);
    world.set_all();
    place.write("secret.key", &format!("{new}\n{old}\n"));
    assert_eq!(works(place), true);
    goes_on(1);
    // Killed when the old key was dropped.
    place.run(&DROP).json(0);
    let again = place.run(&DROP).json(0);
    assert_eq!((&again["sealing_key"], &again["old_keys"], &again["dropped"]), (&json!(new_id), &json!([]), &json!([])));
    assert_eq!(works(place), true);
}

/// On several machines the file is brought to all of them before its new key seals.
#[test]
fn a_key_is_prepared_before_it_seals() {
    let world = World::start_in(Place::with_examples(), "1");
    world.set_all();
    let place = &world.place;
    let old = key_id(key_file(place).trim());
    for _ in 0..2 {
        let prepared = place.run(&["admin", "rotate-secret-key", "--prepare", "--json"]).json(0);
        assert_eq!((&prepared["sealing_key"], &prepared["sealed_anew"]), (&json!(old), &0.into()), "{prepared}");
        assert!(prepared["next_key"].is_string());
    }
    world.set_all();
    let roles = |ran: Ran| sealed(ran, 0).into_iter().map(|(_, does, rows)| (does, rows)).collect::<Vec<_>>();
    let listed = roles(place.run(&["admin", "sealed", "--json"]));
    assert_eq!(listed, [("seals".to_owned(), 1), ("opens, seals next".to_owned(), 0)]);
    let err = place.run(&DROP).failure(4);
    assert!(err.contains("does not seal yet"), "{err}");
    let said = place.run(&["admin", "rotate-secret-key"]).expect(0);
    assert!(said.contains("seals from now on") && said.contains("1 credential was sealed anew"), "{said}");
    assert!(said.contains(&format!("nothing is left under the key {old}")) && said.contains("--drop-old"), "{said}");
    let err = place.run(&["admin", "rotate-secret-key", "--prepare"]).failure(4);
    assert!(err.contains(&format!("the key {old} is dropped first")), "{err}");
    assert_eq!(roles(place.run(&["admin", "sealed", "--json"])), [("seals".to_owned(), 1), ("opens".to_owned(), 0)]);
}

#[test]
fn an_old_key_stays_while_something_is_sealed_under_it() {
    let world = World::start_in(Place::with_examples(), "1");
    world.set_all();
    let place = &world.place;
    let old = key_file(place).trim().to_owned();
    let (new, _) = new_key();
    let written = format!("{new}\n{old}\n");
    place.write("secret.key", &written);
    let err = place.run(&DROP).failure(4);
    assert!(err.contains(&format!("1 credential is sealed under the key {} still", key_id(&old))), "{err}");
    assert!(err.contains("the integration \"Rev.io production\" (1) of Acme"), "{err}");
    assert_eq!(key_file(place), written, "nothing was changed");

    // Under a key that nobody has any more: that is said, and nothing is thrown away.
    place.write("secret.key", &new);
    let rotated = place.run(&ROTATE).json(3);
    assert_eq!((&rotated["left"][0]["key"], &rotated["left"][0]["name"]), (&json!(key_id(&old)), &json!(NAME)), "{rotated}");
    let listed = sealed(place.run(&["admin", "sealed", "--json"]), 3);
    assert!(listed.contains(&(key_id(&old), "is missing".to_owned(), 1)), "{listed:?}");
    place.write("secret.key", &format!("{}{old}\n", key_file(place)));
    place.run(&ROTATE).json(0);
    assert_eq!(works(place), true);
}

/// Whoever stores credentials while they are sealed anew wins.
#[test]
fn credentials_that_are_stored_meanwhile_stay() {
    let world = World::start_in(Place::with_examples(), "1");
    world.set_all();
    let place = &world.place;
    let wrong = place.write("wrong", "wr0ng-passw0rd\n");
    let wrong = ["--user", "lineshift", "--client-code", "demo", "--password-file", &wrong];
    for _ in 0..4 {
        world.set(&wrong).expect(0);
        std::thread::scope(|scope| {
            let rotated = scope.spawn(|| place.run(&ROTATE));
            world.set_all();
            rotated.join().expect("it ends").json(0);
        });
        assert_eq!(works(place), true, "the last ones stand");
        place.run(&ROTATE).json(0);
        place.run(&DROP).json(0);
        assert_eq!(works(place), true);
    }
}

#[test]
fn keys_of_the_environment_are_changed_there() {
    let mut world = World::start_in(Place::with_examples(), "1");
    world.set_all();
    let old = key_file(&world.place).trim().to_owned();
    let (new, new_id) = new_key();
    world.place.set("LINESHIFT_SECRET_KEY", &old);
    let said = world.place.run(&["admin", "rotate-secret-key"]).expect(0);
    assert!(said.contains("LINESHIFT_SECRET_KEY holds one key") && said.contains("OLD,NEW"), "{said}");
    let err = world.place.run(&DROP).failure(2);
    assert!(err.contains("the keys stand in LINESHIFT_SECRET_KEY"), "{err}");
    world.place.set("LINESHIFT_SECRET_KEY", &format!("{old},{new}"));
    assert_eq!(works(&world.place), true);
    world.place.set("LINESHIFT_SECRET_KEY", &format!("{new},{old}"));
    let rotated = world.place.run(&ROTATE).json(0);
    assert_eq!((&rotated["sealing_key"], &rotated["sealed_anew"]), (&json!(new_id), &1.into()));
    world.place.set("LINESHIFT_SECRET_KEY", &new);
    assert_eq!(works(&world.place), true);
}

#[test]
fn a_key_file_that_cannot_be_changed_is_said() {
    let mut world = World::start_in(Place::with_examples(), "1");
    world.set_all();
    let before = key_file(&world.place);
    world.place.write("secret.key", &format!("{before}hunter2\n"));
    let err = world.place.run(&ROTATE).failure(2);
    assert!(err.contains("line 2: a key is base64 of 32 bytes") && !err.contains("hunter2"), "{err}");
    world.place.write("secret.key", &before);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |mode| std::fs::set_permissions(world.place.path("secret.key"), std::fs::Permissions::from_mode(mode));
        mode(0o644).expect("it is ours");
        assert!(world.place.run(&ROTATE).failure(2).contains("others may read the key file"));
        mode(0o600).expect("it is ours");
    }
    assert_eq!(key_file(&world.place), before);
    world.place.set("LINESHIFT_SECRETS_KEY_FILE", "nowhere.key");
    assert!(world.place.run(&ROTATE).failure(1).contains("opening the key file nowhere.key"));
    world.place.set("LINESHIFT_SECRETS_KEY_FILE", "");
    assert!(world.place.run(&ROTATE).failure(2).contains("lineshift admin secret-key --file FILE"));
}
