//! Carriers' accounts and orders, against simulated carriers, as docs/carriers.md has them.

use crate::program::{Place, Running};

const JASPER_KEY: &str = "j4sper-S3cr3t/key=7";
const POND_KEY: &str = "p0nd-S3cr3t/key=9";

/// A store with a key and the accounts of both carriers, and the simulated carriers with the lines of the examples.
struct World {
    place: Place,
    jasper: String,
    pond: String,
    _running: [Running; 2],
}

fn simulate(place: &Place, system: &str, key_file: &str) -> (Running, String) {
    let arguments = ["simulate", system, "--lines", "100", "--latency-ms", "1", "--password-file", key_file];
    let running = Running::start(place.command(&arguments));
    let line = running.until("listens at http://");
    let address = line[line.find("http://").expect("the address")..].trim().to_owned();
    (running, address)
}

impl World {
    fn start() -> Self {
        let mut place = Place::with_examples();
        let key_file = place.path("secret.key").to_str().expect("UTF-8").to_owned();
        place.run(&["admin", "secret-key", "--file", &key_file]).expect(0);
        place.set("LINESHIFT_SECRETS_KEY_FILE", &key_file);
        let authentications = place.write("authentications.csv", "name,integration\nJasper US,Jasper\nPOND,POND\n");
        let providers = place
            .write("providers.csv", "name,integration,authentication\nControl Center US,Jasper,Jasper US\nPOND IoT,POND,POND\n");
        place.run(&["import", "authentications", &authentications]).expect(0);
        place.run(&["import", "providers", &providers]).expect(0);
        let (jasper_running, jasper) = simulate(&place, "jasper", &place.write("jasper.key", &format!("{JASPER_KEY}\n")));
        let (pond_running, pond) = simulate(&place, "pond", &place.write("pond.key", &format!("{POND_KEY}\n")));
        Self { place, jasper, pond, _running: [jasper_running, pond_running] }
    }

    fn set_all(&self) -> String {
        let set = ["admin", "integrations", "set"];
        let jasper = ["Jasper US", "--address", &self.jasper, "--local", "--user", "lineshift", "--api-key-file", "jasper.key"];
        let pond = ["POND", "--address", &self.pond, "--local", "--api-key-file", "pond.key", "--distributor-id", "demo"];
        let told = self.place.run(&[&set[..], &jasper[..]].concat()).expect(0);
        told + &self.place.run(&[&set[..], &pond[..], &["--inventory-id", "main"]].concat()).expect(0)
    }
}

#[test]
fn accounts_of_carriers_are_set_tested_listed_and_tell_no_secret() {
    let world = World::start();
    let place = &world.place;
    let mut told = world.set_all();
    assert!(told.contains("Jasper US is called at http://127.0.0.1:") && told.contains("1 at a time"), "{told}");
    for name in ["Jasper US", "POND"] {
        let test = place.run(&["admin", "integrations", "test", name, "--json"]).json(0);
        assert_eq!((&test["ok"], &test["message"]), (&true.into(), &"the credentials work".into()));
    }
    let listed = place.run(&["admin", "integrations", "list"]).expect(0);
    assert_eq!(listed.matches("ready, local").count(), 2, "{listed}");
    assert!(!listed.contains("another key") && listed.contains("any number"), "{listed}");
    told += &listed;
    assert!(!told.contains(JASPER_KEY) && !told.contains(POND_KEY), "{told}");
    for file in ["lineshift.sqlite3", "lineshift.sqlite3-wal"] {
        let stored = std::fs::read(place.path(file)).unwrap_or_default();
        let tells = |secret: &str| stored.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!tells(JASPER_KEY) && !tells(POND_KEY), "{file} holds a key");
    }
}

#[test]
fn options_that_do_not_fit_the_kind_are_said() {
    let world = World::start();
    let place = &world.place;
    let set = |arguments: &[&str]| place.run(&[&["admin", "integrations", "set"], arguments].concat());
    let err = set(&["Jasper US", "--address", &world.jasper, "--local", "--user", "u", "--client-code", "c"]).failure(2);
    assert!(
        err.contains("--client-code is none of them: credentials of a Jasper account are --user USER --api-key-file FILE"),
        "{err}"
    );
    let err = set(&["POND", "--address", &world.pond, "--local", "--header", "x-key"]).failure(2);
    assert!(err.contains("--api-key-file, --distributor-id is missing"), "{err}");
    let wrong = ["POND", "--address", &world.pond, "--local", "--api-key-file", "pond.key", "--distributor-id", "../x"];
    let err = set(&wrong).failure(2);
    assert!(err.contains("--distributor-id: expected an id") && !err.contains("../x"), "{err}");
    let err = set(&["Jasper US"]).failure(2);
    assert!(err.contains("--address https://HOST/rws/api/v1"), "{err}");
    world.set_all();
    let err = set(&["Jasper US", "--address", "https://elsewhere.example/rws/api/v1"]).failure(4);
    assert!(err.contains("only with credentials that are given with it: --user USER --api-key-file FILE"), "{err}");
}

#[test]
fn plans_and_lines_are_read_and_orders_by_flags_are_carried_out() {
    let mut world = World::start();
    world.set_all();
    let _server = world.place.serve(&[]);
    let place = &world.place;
    for name in ["Jasper US", "POND"] {
        let run = place.run(&["sync", name, "--json"]).json(0);
        assert_eq!(run["state"], "done", "{run}");
    }
    let lines = |provider: &str, status: &str| {
        let devices = std::fs::read_to_string(crate::program::example("devices.csv")).expect("the example");
        let of = format!(",{provider},{status},");
        let found = devices.lines().filter(|line| line.contains(&of) && line.contains(",false,"));
        found.take(2).map(|line| line.split(',').next().expect("an ICCID").to_owned()).collect::<Vec<_>>().join("\n")
    };
    let jasper = place.write("jasper.txt", &lines("Control Center US", "ACTIVATED"));
    let at_jasper = ["submit", "--provider", "Control Center US", "--iccids-file", &jasper, "--wait", "--json"];
    let plan = [&at_jasper[..], &["--type", "carrier-plan", "--carrier-plan", "IOT 5MB SHARED"]].concat();
    let change = place.run(&plan).json(0);
    assert_eq!((&change["status"], &change["change_type_name"]), (&"PROCESSED".into(), &"CarrierRatePlanChange".into()));
    assert_eq!(change["order"]["carrier_rate_plan"]["carrier_rate_plan"], "IOT 5MB SHARED");
    let status = [&at_jasper[..], &["--type", "status", "--target-status", "deactivated"]].concat();
    let change = place.run(&status).json(0);
    assert_eq!((&change["status"], &change["order"]["status"]["target_status"]), (&"PROCESSED".into(), &"DEACTIVATED".into()));
    let shown = place.run(&["status", &change["id"].to_string()]).expect(0);
    assert!(shown.contains("StatusUpdate (M2M), PROCESSED"), "{shown}");

    let pond = place.write("pond.txt", &lines("POND IoT", "In-Service"));
    let at_pond = ["submit", "--type", "carrier-plan", "--provider", "POND IoT", "--iccids-file", &pond];
    let dated = [&at_pond[..], &["--carrier-plan", "Nobody's", "--date", "2099-01-01"]].concat();
    let err = place.run(&dated).failure(4);
    assert!(err.contains("carrier rate plan of this service provider named Nobody's"), "{err}");
    let err = place.run(&at_pond).failure(2);
    assert!(err.contains("--type carrier-plan changes --carrier-plan or --comm-plan; give one"), "{err}");
}
