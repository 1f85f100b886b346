//! The server as a process.

use crate::program::{Place, Running, example};

#[test]
fn a_server_ends_by_either_signal_and_goes_on_where_it_stopped() {
    let mut place = Place::with_examples();
    let server = place.serve(&["--no-worker"]);
    let submitted = place.run(&["submit", &example("assign.json"), "--json"]).json(3);
    let id = submitted["BulkChangeId"].to_string();
    assert_eq!(place.run(&["status", &id, "--json"]).json(0)["status"], "NEW", "nobody works");
    let ended = server.end_by("INT");
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("stopped"), "{}", ended.err);

    let server = place.serve(&[]);
    assert_eq!(place.run(&["status", &id, "--watch", "--json"]).json(3)["status"], "PARTIAL");
    server.end_by("TERM").expect(0);
}

#[test]
fn an_address_in_use_is_an_error_that_says_what_to_do() {
    let mut place = Place::empty();
    let server = place.serve(&[]);
    let address = place.command(&[]).get_envs().find_map(|(name, value)| {
        (name == "LINESHIFT_URL").then(|| value.expect("it is set").to_string_lossy().replace("http://", ""))
    });
    let other = Place::empty();
    let ran = other.run(&["serve", "--listen", &address.expect("the server has one")]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("is another server there? name another address"), "{}", ran.err);
    server.end_by("TERM").expect(0);
}

#[test]
fn the_log_can_be_read_by_programs() {
    let mut place = Place::empty();
    place.set("LINESHIFT_LOG_FORMAT", "json");
    let server = Running::start(place.command(&["serve", "--listen", "127.0.0.1:0"]));
    let line = server.until("listening on");
    let parsed: serde_json::Value = serde_json::from_str(&line).expect("one object a line");
    assert_eq!(parsed["level"], "INFO");
    server.end_by("TERM").expect(0);
}
