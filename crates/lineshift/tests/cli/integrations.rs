//! Accounts of integrations: stored sealed, tested, listed, and never told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::program::{Place, Running};

pub(crate) const NAME: &str = "Rev.io production";
const PASSWORD: &str = "Tr0ub4dor&3/=hunter2";

/// Every form in which a secret could leak.
fn forms(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let url: String = secret
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    let basic = STANDARD.encode(format!("lineshift@demo:{secret}"));
    vec![secret.to_owned(), STANDARD.encode(secret), hex.to_uppercase(), hex, url, basic]
}

fn tells(bytes: &[u8], secret: &str) -> bool {
    forms(secret).iter().any(|form| bytes.windows(form.len()).any(|window| window == form.as_bytes()))
}

/// A store, a key file that the environment names, and a simulator that takes that password.
pub(crate) struct World {
    pub(crate) place: Place,
    pub(crate) simulator: Running,
    address: String,
}

impl World {
    fn start() -> Self {
        Self::start_in(Place::with_examples(), "1")
    }

    /// There, with a simulator that takes so many milliseconds for an answer.
    pub(crate) fn start_in(mut place: Place, latency: &str) -> Self {
        let key_file = place.path("secret.key").to_str().expect("UTF-8").to_owned();
        let said = place.run(&["admin", "secret-key", "--file", &key_file]).expect(0);
        let key = std::fs::read_to_string(place.path("secret.key")).expect("the key file");
        assert!(said.contains("secret.key") && !said.contains(key.trim()), "{said}");
        place.set("LINESHIFT_SECRETS_KEY_FILE", &key_file);
        let file = place.write("password", &format!("{PASSWORD}\nsecond line\n"));
        let simulator = Running::start(place.command(&["simulate", "--latency-ms", latency, "--password-file", &file, "--json"]));
        let line = simulator.until("listens at http://");
        let address = line[line.find("http://").expect("the address")..].trim().to_owned();
        Self { place, simulator, address }
    }

    /// The simulator's customer, with a site.
    pub(crate) fn bring_in_the_customer(&self) {
        let customers =
            self.place.write("customers.csv", "id,name,authentication,is_active\n1,Simulated,Rev.io production,true\n");
        let sites = self.place.write("sites.csv", "id,name,customer_id,is_active\n9001,Simulated site,1,true\n");
        self.place.run(&["import", "customers", &customers]).expect(0);
        self.place.run(&["import", "sites", &sites]).expect(0);
    }

    pub(crate) fn set(&self, more: &[&str]) -> crate::program::Ran {
        let all: Vec<&str> = ["admin", "integrations", "set", NAME].iter().chain(more).copied().collect();
        self.place.run(&all)
    }

    pub(crate) fn set_all(&self) -> String {
        let file = self.place.path("password").to_str().expect("UTF-8").to_owned();
        let credentials = ["--user", "lineshift", "--client-code", "demo", "--password-file", &file];
        let address = ["--address", &self.address, "--local"];
        self.set(&[&address[..], &credentials[..]].concat()).expect(0)
    }
}

#[test]
fn an_account_is_set_tested_and_listed_and_tells_no_secret() {
    let world = World::start();
    let place = &world.place;
    let mut told = world.set_all();
    assert!(told.contains("as client demo") && told.contains("500 a minute"), "{told}");
    let test = place.run(&["admin", "integrations", "test", NAME, "--json"]).json(0);
    assert_eq!((&test["ok"], &test["message"]), (&true.into(), &"the credentials work".into()));

    told += &world.set(&["--calls-a-minute", "600", "--concurrency", "4", "--disable-writes"]).expect(0);
    let listed = place.run(&["admin", "integrations", "list", "--json"]).json(0);
    let account = &listed[0];
    assert_eq!((&account["client_code"], &account["limits"]["calls_a_minute"]), (&"demo".into(), &600.into()));
    assert_eq!((&account["calls"]["in_minute"], &account["calls"]["left_in_minute"]), (&1.into(), &599.into()));
    assert_eq!((&account["write_enabled"], &account["is_local"]), (&false.into(), &true.into()));
    world.set(&["--calls-a-minute", "default", "--enable-writes"]).expect(0);
    let text = place.run(&["admin", "integrations", "list"]).expect(0);
    assert!(text.contains("500 (499)") && text.contains("ready, local"), "{text}");

    told += &(text + &listed.to_string());
    assert!(!tells(told.as_bytes(), PASSWORD), "{told}");
    for file in ["lineshift.sqlite3", "lineshift.sqlite3-wal"] {
        let stored = std::fs::read(place.path(file)).unwrap_or_default();
        assert!(!tells(&stored, PASSWORD), "{file} holds the password");
    }
}

#[test]
fn refused_credentials_are_said_and_forgotten_with_the_next() {
    let world = World::start();
    world.set_all();
    let ran = world.place.run_with_input(
        &["admin", "integrations", "set", NAME, "--user", "lineshift", "--client-code", "demo", "--password-file", "-"],
        "wr0ng-passw0rd\n",
    );
    ran.expect(0);
    let test = world.place.run(&["admin", "integrations", "test", NAME, "--json"]).json(3);
    assert_eq!((&test["ok"], &test["code"]), (&false.into(), &"credentials_refused".into()));
    assert!(!tells(test.to_string().as_bytes(), "wr0ng-passw0rd"), "{test}");
    let list = || world.place.run(&["admin", "integrations", "list", "--json"]).json(0);
    assert!(list()[0]["refused_at"].is_string());
    world.set_all();
    assert!(list()[0]["refused_at"].is_null());
}

#[test]
fn without_the_right_key_nothing_is_sealed_or_opened_and_the_key_is_named() {
    let mut world = World::start();
    world.set_all();
    let key_id = {
        let said = world.place.run(&["admin", "secret-key", "--file", "other.key"]).expect(0);
        said.split_whitespace().nth(2).expect("the key's name").to_owned()
    };
    world.place.set("LINESHIFT_SECRETS_KEY_FILE", "other.key");
    let test = world.place.run(&["admin", "integrations", "test", NAME, "--json"]).json(3);
    let message = test["message"].as_str().expect("a text");
    assert_eq!(test["code"], "credentials_missing");
    assert!(message.contains("sealed with the key") && message.contains(&key_id), "{message}");

    world.place.set("LINESHIFT_SECRETS_KEY_FILE", "");
    let test = world.place.run(&["admin", "integrations", "test", NAME]).expect(3);
    assert!(test.contains("this process was given none; name its file as secrets.key_file"), "{test}");
    let file = world.place.path("password").to_str().expect("UTF-8").to_owned();
    let err = world.set(&["--user", "u", "--client-code", "c", "--password-file", &file]).failure(2);
    assert!(err.contains("lineshift admin secret-key --file FILE"), "{err}");
    let listed = world.place.run(&["admin", "integrations", "list"]).expect(0);
    assert!(listed.contains("sealed with another key"), "{listed}");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_is_refused_and_the_environment_comes_first() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut world = World::start();
    let path = world.place.path("secret.key");
    let mode = |mode: u32| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
    assert_eq!(std::fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
    mode(0o640);
    for arguments in [&["admin", "integrations", "list"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let err = world.place.run(arguments).failure(2);
        assert!(err.contains("others may read the key file") && err.contains("chmod 600"), "{err}");
    }
    let key = world.place.run(&["admin", "secret-key"]).expect(0);
    world.place.set("LINESHIFT_SECRET_KEY", key.trim());
    world.place.run(&["admin", "integrations", "list"]).expect(0);
    world.place.set("LINESHIFT_SECRET_KEY", "not a key");
    let err = world.place.run(&["admin", "integrations", "list"]).failure(2);
    assert!(err.contains("LINESHIFT_SECRET_KEY: a key is base64 of 32 bytes") && !err.contains("not a key"), "{err}");
}

#[test]
fn what_cannot_be_an_account_is_refused() {
    let world = World::start();
    let err = world.place.run(&["admin", "integrations", "set", "Nobody", "--address", "https://a.example"]).failure(2);
    assert!(err.contains("there are: Rev.io production"), "{err}");
    let err = world.set(&["--calls-a-minute", "5"]).failure(2);
    assert!(err.contains("it has no address yet"), "{err}");
    let err = world.set(&["--address", "http://restapi.rev.io/v1"]).failure(2);
    assert!(err.contains("--address: expected an address that begins with https://"), "{err}");
    let err = world.set(&["--address", "https://169.254.169.254/v1"]).failure(2);
    assert!(err.contains("--address: 169.254.169.254 is a link-local address, and is not called: an administrator may"), "{err}");
    world.set(&["--address", &world.address, "--concurrency", "0"]).failure(2);
    world.set(&["--user", "u"]).failure(2);
    world.set_all();
    let err = world.set(&["--address", "https://evil.example/v1"]).failure(4);
    assert!(err.contains("only with credentials that are given with it"), "{err}");
    let err = world.place.run(&["admin", "secret-key", "--file", "secret.key"]).failure(1);
    assert!(err.contains("making the key file secret.key"), "an existing key is not overwritten: {err}");
}

/// An active line of the examples that nobody is billed for.
const LINE: &str = "89148000041222041795";

#[test]
fn an_order_opens_services_over_the_wire_and_says_how_long_it_takes() {
    let mut world = World::start();
    world.set_all();
    world.bring_in_the_customer();
    let body = serde_json::json!({
        "ServiceProviderId": 2, "Devices": [LINE], "RevCustomerId": "1", "CreateRevService": true, "ServiceTypeId": 6,
        "ProviderId": 42, "RevProducts": [{"ProductId": 5011, "Rate": 4.95, "Quantity": 1}], "ProcessChanges": false,
    });
    let body = world.place.write("body.json", &body.to_string());
    // All that is ever logged, to look for secrets in it.
    world.place.set("LINESHIFT_LOG_FILTER", "trace");
    let server = world.place.serve(&[]);
    let place = &world.place;
    let ran = place.run(&["submit", &body, "--json"]);
    assert!(ran.err.contains("about 1 second: ") && ran.err.contains(" calls at 500 a minute"), "{}", ran.err);
    let id = ran.json(0)["BulkChangeId"].to_string();
    let held = place.run(&["status", &id]).expect(0);
    assert!(held.contains("calls     about 1 second: "), "{held}");
    place.run(&["start", &id]).expect(0);
    place.run(&["status", &id, "--watch"]).expect(0);
    let change = place.run(&["status", &id, "--json"]).json(0);
    assert_eq!(
        (&change["status"], &change["order"]["assignment"]["rev_service"]["provider_id"]),
        (&"PROCESSED".into(), &42.into())
    );

    assert_eq!(place.run(&["unsettled"]).expect(0), "nothing to list\n");
    let err = place.run(&["settle", &id, LINE, "--gone"]).failure(4);
    assert!(err.contains("is to be settled; see lineshift unsettled"), "{err}");
    place.run(&["settle", &id, LINE]).failure(2);
    let csv = place.run(&["export", &id]).expect(0);
    let logged = server.end_by("TERM");
    assert!(logged.err.lines().count() > 10, "{}", logged.err);
    let key = std::fs::read_to_string(place.path("secret.key")).expect("the key file");
    for text in [&logged.err, &logged.out, &csv, &change.to_string(), &world.simulator.end_by("INT").err] {
        assert!(!tells(text.as_bytes(), PASSWORD) && !text.contains(key.trim()), "{text}");
    }
}
