//! Workers as processes beside a server, on one embedded store.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::program::{Place, Running, example};

fn worker(place: &Place, arguments: &[&str]) -> Running {
    Running::start(place.command(&[&["worker"], arguments].concat()))
}

/// The answer to a GET of that address, head and all.
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

#[test]
fn workers_do_what_a_server_takes_in_and_stop_when_asked() {
    let mut place = Place::with_examples();
    let server = place.serve(&["--no-worker", "--metrics-listen", "127.0.0.1:0"]);
    let line = server.until("measures at http://");
    let measures = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("the address").to_owned();
    assert!(get(&measures, "/metrics").contains("lineshift_pages_waiting"), "beside the API");
    assert!(get(&measures, "/api/v1/bulk-changes").starts_with("HTTP/1.1 404"), "and without it");
    let workers = [worker(&place, &[]), worker(&place, &["--metrics-listen", "127.0.0.1:0"])];
    workers[0].until("working store=");
    let line = workers[1].until("measures at http://");
    let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("the address").to_owned();

    let change = place.run(&["submit", &example("assign.json"), "--wait", "--json"]).json(3);
    assert_eq!((&change["status"], &change["counts"]["open"]), (&"PARTIAL".into(), &0.into()));
    let id = change["id"].to_string();
    let watched = place.run(&["status", &id, "--watch", "--json"]).json(3);
    assert_eq!(watched["status"], "PARTIAL", "the server tells of what others did");

    assert!(get(&address, "/healthz").ends_with("ok"));
    assert!(get(&address, "/readyz").contains(r#""ready":true"#));
    assert!(get(&address, "/metrics").contains("lineshift_pages_waiting 0"));
    assert!(get(&address, "/api/v1/bulk-changes").starts_with("HTTP/1.1 404"), "it has no API");

    let [first, second] = workers;
    for (worker, signal) in [(first, "TERM"), (second, "INT")] {
        let ended = worker.end_by(signal);
        assert_eq!(ended.code, 0, "{}", ended.err);
        assert!(ended.err.contains("stopped"), "{}", ended.err);
    }
    let waiting = place.run(&["submit", &example("assign.json"), "--json"]).json(3);
    let id = waiting["BulkChangeId"].to_string();
    assert_eq!(place.run(&["status", &id, "--json"]).json(0)["status"], "NEW", "nobody works any more");
    server.end_by("TERM").expect(0);
}

#[test]
fn a_worker_makes_no_store() {
    let place = Place::empty();
    let ran = place.run(&["worker"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("there is no store"), "{}", ran.err);
    assert!(!place.path("lineshift.sqlite3").exists());
}

#[test]
fn an_address_in_use_is_said_before_anything_is_worked_on() {
    let place = Place::with_examples();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let ran = place.run(&["worker", "--metrics-listen", &address]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("name another address"), "{}", ran.err);
}
