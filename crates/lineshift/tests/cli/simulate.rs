//! Standing in for another system.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::program::{Place, Running};

/// A simulator that runs, and what it says about itself.
struct Simulated {
    running: Running,
    address: String,
    password: String,
}

impl Simulated {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let all: Vec<&str> = ["simulate"].iter().chain(arguments).copied().collect();
        let running = Running::start(place.command(&all));
        let line = running.until("listens at http://");
        let address = line.split("http://").nth(1).and_then(|rest| rest.strip_suffix("/v1")).expect("the base address");
        let password = running.until("  password     ");
        let password = password.split_whitespace().nth(1).expect("the password").to_owned();
        let address = address.to_owned();
        running.until("until Ctrl-C");
        Self { running, address, password }
    }

    /// Status and body of a request with these credentials.
    fn get(&self, target: &str, password: &str) -> (u16, String) {
        let basic = STANDARD.encode(format!("lineshift@demo:{password}"));
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let request = format!(
            "GET /v1{target} HTTP/1.1\r\nhost: {}\r\nauthorization: Basic {basic}\r\nconnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, answer.split_once("\r\n\r\n").expect("a body").1.to_owned())
    }
}

#[test]
fn it_answers_counts_and_says_what_stands_in_the_ledger() {
    let place = Place::empty();
    let simulated = Simulated::start(&place, &["revio", "--customers", "3", "--latency-ms", "1", "--json"]);
    let (status, body) = simulated.get("/Customers", &simulated.password);
    let customers: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, &customers["record_count"]), (200, &3.into()));
    assert_eq!(simulated.get("/Customers", "another").0, 401);
    assert_eq!(simulated.get("/Nothing", &simulated.password).0, 404);

    let summary = simulated.running.end_by("INT").json(0);
    assert_eq!((&summary["customers"], &summary["services"]), (&3.into(), &0.into()));
    assert_eq!((&summary["calls"]["GET /Customers"], &summary["statuses"]["401"]), (&2.into(), &1.into()));
    assert_eq!(summary["wrong_requests"], 1);
}

/// A carrier that is simulated: where it listens, its API key, and itself.
fn carrier(place: &Place, arguments: &[&str]) -> (String, String, Running) {
    let all: Vec<&str> = ["simulate"].iter().chain(arguments).copied().collect();
    let running = Running::start(place.command(&all));
    let line = running.until("listens at http://");
    let address = line.split("http://").nth(1).expect("the address").split('/').next().expect("a host").to_owned();
    let key = running.until("  API key      ");
    let key = key.split_whitespace().last().expect("the key").to_owned();
    running.until("until Ctrl-C");
    (address, key, running)
}

/// Status and body of a request with that header.
fn get(address: &str, target: &str, header: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!("GET {target} HTTP/1.1\r\nhost: {address}\r\n{header}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, answer.split_once("\r\n\r\n").expect("a body").1.to_owned())
}

#[test]
fn carriers_have_their_lines_of_the_example_fleet() {
    let place = Place::empty();
    let (address, key, running) = carrier(&place, &["jasper", "--lines", "200", "--latency-ms", "1", "--json"]);
    let basic = format!("authorization: Basic {}", STANDARD.encode(format!("lineshift:{key}")));
    let (status, body) = get(&address, "/rws/api/v1/rateplans", &basic);
    assert!(status == 200 && body.contains("IOT 50MB SHARED") && body.contains("CA FLEX 1GB"), "{status} {body}");
    let summary = running.end_by("INT").json(0);
    let devices: u64 = summary["devices"].as_object().expect("by status").values().filter_map(Value::as_u64).sum();
    assert_eq!((devices, &summary["wrong_requests"]), (100, &0.into()));

    let (address, key, running) = carrier(&place, &["pond", "--lines", "200", "--fleet-seed", "7", "--latency-ms", "1"]);
    let (status, body) = get(&address, "/demo/sim?offset=0&count=1", &format!("x-api-key: {key}"));
    let sims: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, &sims["total"]), (200, &20.into()));
    let table = running.end_by("TERM").expect(0);
    assert!(table.contains("active packages") && table.contains("call GET /{distributorId}/sim"), "{table}");
}

#[test]
fn an_option_that_does_nothing_for_a_system_is_refused() {
    for arguments in [
        ["jasper", "--customers", "3"],
        ["pond", "--calls-a-minute", "3"],
        ["revio", "--lines", "3"],
        ["jasper", "--settle-lag-ms", "3"],
    ] {
        let all: Vec<&str> = ["simulate"].iter().chain(&arguments).copied().collect();
        let refused = Place::empty().run(&all).failure(2);
        assert!(refused.contains(arguments[1]) && refused.contains("not for that system"), "{refused}");
    }
}

#[test]
fn it_throttles_and_fails_as_it_was_told_to() {
    let place = Place::empty();
    let throttled = Simulated::start(&place, &["--latency-ms", "0", "--calls-a-minute", "2"]);
    let statuses = [(); 3].map(|()| throttled.get("/SystemStatus", &throttled.password).0);
    assert_eq!(statuses, [200, 200, 429]);
    let table = throttled.running.end_by("TERM").expect(0);
    assert!(table.contains("answered 429") && table.contains("most calls a minute"), "{table}");
}

#[test]
fn the_password_may_come_from_a_file_and_is_not_shown_then() {
    let place = Place::empty();
    let file = place.write("password", "correct horse\nand nothing else\n");
    let simulated = Simulated::start(&place, &["--password-file", &file, "--latency-ms", "0", "--json"]);
    assert_eq!(simulated.get("/SystemStatus", "correct horse").0, 200);
    let ran = simulated.running.end_by("INT");
    assert!(!ran.err.contains("horse") && !ran.out.contains("horse"), "{ran:?}");

    let empty = place.write("empty", "\n");
    place.run(&["simulate", "--password-file", &empty]).failure(2);
}

#[test]
fn it_is_for_this_machine_only() {
    let refused = Place::empty().run(&["simulate", "--address", "0.0.0.0:0"]).failure(2);
    assert!(refused.contains("other machines"), "{refused}");
    let refused = Place::empty().run(&["simulate", "--faults", "2"]).failure(2);
    assert!(refused.contains("not between 0 and 1"), "{refused}");
}
