//! Ordering, looking, exporting, retrying and canceling against a server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use lineshift_engine::{Clock as _, SystemClock};
use serde_json::Value;

use crate::program::{Place, Ran, Running, example};

fn served() -> (Place, Running) {
    let mut place = Place::with_examples();
    let server = place.serve(&[]);
    (place, server)
}

fn id_of(submitted: &Value) -> String {
    submitted["BulkChangeId"].to_string()
}

#[test]
fn an_order_in_a_file_is_carried_out_and_shown() {
    let (place, _server) = served();
    let change = place.run(&["submit", &example("assign.json"), "--wait", "--json"]).json(3);
    let counts = &change["counts"];
    assert_eq!((&change["status"], &change["change_type_name"]), (&"PARTIAL".into(), &"CustomerAssignment".into()));
    assert_eq!(counts["open"], 0);
    let id = change["id"].to_string();

    let text = place.run(&["status", &id]).expect(0);
    assert!(text.starts_with(&format!("bulk change {id}: CustomerAssignment (M2M), PARTIAL\n")), "{text}");
    assert!(text.contains("device_archived") && text.contains("ELIGIBILITY"), "{text}");
    let list = place.run(&["status"]).expect(0);
    assert!(list.contains("Water meters to Metro") && list.contains("PARTIAL"), "{list}");

    let csv = place.run(&["export", &id]).expect(0);
    assert_eq!(csv.lines().count() as u64, counts["total"].as_u64().expect("a count") + 1);
    let file = place.path("failed.csv");
    place.run(&["export", &id, "--status", "ERROR", "-o", file.to_str().expect("UTF-8")]).expect(0);
    let failed = std::fs::read_to_string(file).expect("the export");
    assert_eq!(failed.lines().count() as u64, counts["error"].as_u64().expect("a count") + 1);
    assert!(failed.lines().skip(1).all(|line| line.contains(",ERROR,")), "{failed}");
}

#[test]
fn lines_that_were_corrected_are_retried() {
    let (place, _server) = served();
    let change = place.run(&["submit", &example("assign.json"), "--wait", "--json"]).json(3);
    let id = change["id"].to_string();
    let count = |change: &Value, code: &str| {
        let errors = change["errors"].as_array().expect("a list").clone();
        errors.iter().find(|error| error["code"] == code).map_or(0, |error| error["count"].as_i64().expect("a count"))
    };
    assert_eq!(count(&change, "device_not_active"), 1);

    // The line became active at the carrier.
    let devices = std::fs::read_to_string(example("devices.csv")).expect("the example");
    let file = place.write("devices.csv", &devices.replace("DEACTIVATED", "ACTIVATED"));
    place.run(&["import", "devices", &file]).expect(0);
    let after = place.run(&["retry", &id, "--code", "device_not_active", "--wait", "--json"]).json(3);
    assert_eq!(count(&after, "device_not_active"), 0);
    assert_eq!(count(&after, "device_archived"), 1, "others were not opened again");
    assert_eq!(after["attempt"], 2);
    let processed = |change: &Value| change["counts"]["processed"].as_i64().expect("a count");
    assert_eq!(processed(&after), processed(&change) + 1);

    let err = place.run(&["retry", &id, "--code", "no_such_code"]).failure(4);
    assert!(err.contains("no_such_code"), "{err}");
}

#[test]
fn a_held_order_is_started_or_canceled() {
    let (place, _server) = served();
    let iccids = first_iccids("Control Center US", 3).join("\n");
    let hold = |name: &str| {
        let provider = "Control Center US";
        let flags = ["--type", "plan", "--provider", provider, "--plan", "12", "--hold", "--name", name, "--iccids-file", "-"];
        let all: Vec<&str> = ["submit", "--json"].iter().chain(&flags).copied().collect();
        place.run_with_input(&all, &iccids)
    };
    let first = id_of(&hold("first").json(0));
    assert_eq!(place.run(&["status", &first, "--json"]).json(0)["held"], true);
    let canceled = place.run(&["cancel", &first]).expect(0);
    assert!(canceled.starts_with(&format!("bulk change {first}: 3 lines and no queue entry canceled; ")), "{canceled}");
    assert_eq!(place.run(&["status", &first, "--watch", "--json"]).json(3)["status"], "CANCELED");
    let err = place.run(&["cancel", &first]).failure(4);
    assert!(err.contains("nothing_to_cancel"), "{err}");

    let second = id_of(&hold("second").json(0));
    place.run(&["start", &second]).expect(0);
    assert_eq!(place.run(&["status", &second, "--watch", "--json"]).json(0)["status"], "PROCESSED");
    let err = place.run(&["start", &second]).failure(4);
    assert!(err.starts_with("error: Conflict:"), "{err}");
}

#[test]
fn orders_by_flags_say_all_that_a_body_can() {
    let (place, _server) = served();
    let numbers = place.write("numbers.txt", &first_numbers("Telegence", 4).join("\n"));
    let arguments = ["--portal", "mobility", "--type", "plan", "--provider", "3", "--allocation", "1024.5", "--pool", "22"];
    let mut all = vec!["submit", "--json", "--wait", "--numbers-file", &numbers];
    all.extend(arguments);
    let change = place.run(&all).json(0);
    assert_eq!((&change["portal"], &change["identifier"]), (&"Mobility".into(), &"number".into()));
    assert_eq!(change["order"]["customer_rate_plan"]["customer_data_allocation_mb"], "1024.5");

    let date = (SystemClock.now() + chrono::TimeDelta::days(90)).date_naive().to_string();
    let iccids = place.write("iccids.txt", &format!("iccid\n{}\n", first_iccids("ThingSpace", 2).join("\n")));
    let arguments =
        ["--type", "assign", "--provider", "2", "--customer", "300102", "--plan", "13", "--date", &date, "--reason", "moved"];
    let mut all = vec!["submit", "--json", "--wait", "--iccids-file", &iccids];
    all.extend(arguments);
    let change = place.run(&all).json(0);
    assert_eq!((&change["reason"], &change["scheduled"]["open"]), (&"moved".into(), &2.into()));
    let assignment = &change["order"]["assignment"];
    assert_eq!((&assignment["account_number"], &assignment["site_id"]), (&"300102".into(), &103.into()));
}

#[test]
fn a_repeated_order_is_carried_out_once() {
    let (place, _server) = served();
    let order = |key: &[&str]| {
        let body = example("plan-change.json");
        let all: Vec<&str> = ["submit", &body, "--json"].iter().chain(key).copied().collect();
        place.run(&all)
    };
    let first = order(&["--idempotency-key", "monday"]).json(3);
    assert_eq!(order(&["--idempotency-key", "monday"]).json(3), first);
    let other = order(&[]);
    assert!(other.err.contains("idempotency key: "), "{}", other.err);
    let other = other.json(3);
    assert_ne!(id_of(&other), id_of(&first));
    assert_eq!(other["IdempotencyKey"].as_str().map(str::len), Some(32));
}

#[test]
fn what_is_refused_as_a_whole_is_named_in_full() {
    let (mut place, _server) = served();
    let body = place.write("body.json", r#"{"ServiceProviderId": 1, "Devices": [], "SideId": 4}"#);
    let ran: Ran = place.run(&["submit", &body]);
    assert_eq!(ran.code, 4);
    for text in ["The request was refused:", "Devices: ", "SideId: ", "SiteId"] {
        assert!(ran.err.contains(text), "{text}: {}", ran.err);
    }
    let err = place.run(&["submit"]).failure(2);
    assert!(err.contains("give a file with a body, or --type"), "{err}");
    let err = place.run(&["submit", "--type", "plan", "--provider", "1", "--site", "5"]).failure(2);
    assert!(err.contains("--customer and --site go with --type assign"), "{err}");
    let named = place.write("one.txt", "89011700065349734860");
    let err = place.run(&["submit", "--type", "plan", "--plan", "1", "--provider", "Nobody", "--iccids-file", &named]).failure(2);
    assert!(err.contains("there is no service provider \"Nobody\"; there are: \"Control Center US\""), "{err}");
    let rows = place.write("rows.csv", "89011700065349734860\n89011700065349734878,ACTIVATED\n");
    let err = place.run(&["submit", "--type", "plan", "--plan", "1", "--provider", "1", "--iccids-file", &rows]).failure(2);
    assert!(err.contains("line 2: found \"89011700065349734878,ACTIVATED\", expected one ICCID or number a line"), "{err}");
    let err = place.run(&["export", "1", "-o", "missing/lines.csv"]).failure(2);
    assert!(err.starts_with("error: missing/lines.csv cannot be written: there is no folder missing"), "{err}");
    let err = place.run(&["status", "9999"]).failure(4);
    assert!(err.contains("there is nothing for you at this address; check path and id"), "{err}");

    place.set("LINESHIFT_API_KEY", "ls_1_1_wrong");
    let err = place.run(&["status"]).failure(4);
    assert_eq!(err, "error: the server does not know this key; check LINESHIFT_API_KEY or --key\n");
}

#[test]
fn without_a_server_or_a_key_it_says_what_to_do() {
    let mut place = Place::empty();
    let err = place.run(&["status"]).failure(2);
    assert!(err.contains("an API key is needed: LINESHIFT_API_KEY or --key"), "{err}");
    place.set("LINESHIFT_API_KEY", "ls_1_1_x");
    let err = place.run(&["status", "--url", "http://127.0.0.1:9"]).failure(1);
    assert!(err.starts_with("error: no server answers at http://127.0.0.1:9; start one with `lineshift serve`"), "{err}");
}

/// Active lines of a carrier account that no Rev service and no special case stands against.
fn first_iccids(provider: &str, count: usize) -> Vec<String> {
    cells(provider, "iccid", count)
}

fn first_numbers(provider: &str, count: usize) -> Vec<String> {
    cells(provider, "number", count)
}

fn cells(provider: &str, column: &str, count: usize) -> Vec<String> {
    let read = |file: &str| csv::Reader::from_path(example(file)).expect("the example");
    let billed: Vec<String> = read("rev-services.csv").records().map(|row| row.expect("a row")[2].to_owned()).collect();
    let mut reader = read("devices.csv");
    let place = reader.headers().expect("a header").iter().position(|name| name == column).expect("the column");
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    let shared = |number: &str| rows.iter().filter(|row| &row[3] == number).count() > 1;
    let good = rows.iter().filter(|row| {
        let active = ["ACTIVATED", "active", "A"].contains(&&row[2]);
        &row[1] == provider && active && &row[5] == "false" && !billed.contains(&row[0].to_owned()) && !shared(&row[3])
    });
    good.take(count).map(|row| row[place].to_owned()).collect()
}

/// A server that answers whatever it is asked with a file, and would like to choose its name. Answers its address.
fn naming(name: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.expect("a connection");
            let heard = BufReader::new(connection.try_clone().expect("the same connection"));
            let head = heard.lines().take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).count();
            assert!(head > 0, "it was asked something");
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
                 Location: file://{name}\r\nContent-Length: 4\r\nConnection: close\r\n\r\nevil"
            );
            connection.write_all(answer.as_bytes()).expect("it is heard");
        }
    });
    format!("http://{address}")
}

#[test]
fn a_server_chooses_no_file_that_an_export_is_written_to() {
    for name in ["../evil.csv", "/tmp/evil.csv", "evil.csv", "..%2fevil.csv", "out.csv/../../evil.csv"] {
        let mut place = Place::empty();
        place.set("LINESHIFT_URL", &naming(name));
        place.set("LINESHIFT_API_KEY", &format!("ls_1_1_{}", "A".repeat(43)));
        assert_eq!(place.run(&["export", "1"]).expect(0), "evil", "without a name it is written to standard output");
        let files = || {
            let files = std::fs::read_dir(place.path(".")).expect("the directory");
            files.map(|file| file.expect("a file").file_name().into_string().expect("UTF-8")).collect::<Vec<_>>()
        };
        assert_eq!(files(), Vec::<String>::new(), "{name}");
        place.run(&["export", "1", "--output", "out.csv"]).expect(0);
        assert_eq!(files(), ["out.csv"], "{name}");
        assert_eq!(std::fs::read_to_string(place.path("out.csv")).expect("the export"), "evil");
    }
}
