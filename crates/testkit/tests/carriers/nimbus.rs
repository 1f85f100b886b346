//! The carrier that does not exist passes the list unchanged, and is registered by one line.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use lineshift_connectors::carrier::{CarrierKind, Carriers, LineRef};
use lineshift_connectors::http::Transport;
use lineshift_domain::carrier::CarrierLine;
use lineshift_domain::clock::Clock;
use lineshift_simulators::{Fault, Reaction, SimulatedRequest, Traffic};
use lineshift_testkit::carrier_contract;
use lineshift_testkit::carrier_contract::Fixture;
use lineshift_testkit::clock::TestClock;
use lineshift_testkit::in_process::InProcess;
use lineshift_testkit::nimbus::{self, NimbusOptions, NimbusSimulator};
use lineshift_testkit::operator::BEGINNING;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

struct AtNimbus {
    clock: Arc<TestClock>,
    simulator: Arc<NimbusSimulator>,
}

fn line(iccid: &str) -> LineRef {
    LineRef { iccid: iccid.to_owned(), ..LineRef::default() }
}

impl Fixture for AtNimbus {
    fn new() -> Self {
        let clock = Arc::new(TestClock::going_from(BEGINNING));
        let simulator = NimbusSimulator::new(NimbusOptions::new("t0ken-0123456789"), Arc::<TestClock>::clone(&clock));
        nimbus::with_examples(&simulator, 90);
        Self { clock, simulator }
    }

    fn kind(&self) -> &'static dyn CarrierKind {
        &nimbus::Nimbus
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::<TestClock>::clone(&self.clock)
    }

    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(InProcess(Arc::clone(&self.simulator)))
    }

    fn base_path(&self) -> &'static str {
        "/v1"
    }

    fn credentials(&self) -> &'static str {
        r#"{"token":"t0ken-0123456789"}"#
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["t0ken-0123456789", "c4llback"]
    }

    fn lines(&self) -> Vec<LineRef> {
        self.simulator.with_ledger(|ledger, _| ledger.lines.keys().map(|iccid| line(iccid)).collect())
    }

    fn unknown_line(&self) -> LineRef {
        line("8988999999999999999")
    }

    fn other_plan(&self) -> &'static str {
        "N-LARGE"
    }

    fn unknown_plan(&self) -> &'static str {
        "N-NONE"
    }

    fn other_status(&self) -> &'static str {
        "SUSPENDED"
    }

    fn refused_status(&self) -> (LineRef, &'static str) {
        let line = self.lines().swap_remove(1);
        self.simulator.with_ledger(|ledger, _| {
            let stubborn = ledger.lines.get_mut(&line.iccid).expect("it is one of its lines");
            stubborn.stubborn = Some("the line is barred".to_owned());
        });
        (line, "SUSPENDED")
    }

    fn stands(&self, line: &LineRef) -> Option<CarrierLine> {
        let line = nimbus::find_line(&self.simulator, &line.iccid)?;
        Some(CarrierLine { status: Some(line.status.name().to_owned()), rate_plan: Some(line.plan), ..CarrierLine::default() })
    }

    fn duplicates(&self) -> usize {
        // A request sets state: there is nothing that could be there twice.
        0
    }

    fn meet_next(&self, fault: Fault) {
        self.simulator.meet_next(fault);
    }

    fn meet_next_change(&self, fault: Fault) {
        self.simulator.meet_next_on("POST", fault);
    }

    fn throttle_next_change(&self) {
        self.simulator.adjust(|options| options.throttles_inside = true);
        self.meet_next_change(Fault::ThrottledInWords);
    }

    fn refuse_credentials(&self) {
        self.simulator.refuse_credentials(true);
    }

    fn traffic(&self) -> Traffic {
        self.simulator.traffic()
    }

    fn take_callbacks(&self) -> Vec<Vec<u8>> {
        let bodies = nimbus::take_callbacks(&self.simulator, "nimbus", "c4llback");
        bodies.into_iter().map(|body| body.to_string().into_bytes()).collect()
    }

    fn callback_credentials(&self) -> &'static str {
        r#"{"user":"nimbus","password":"c4llback"}"#
    }
}

carrier_contract!(AtNimbus);

#[test]
fn one_line_registers_it_beside_those_of_the_product() {
    let carriers = Carriers::default().with(&nimbus::Nimbus);
    let names: Vec<&str> = carriers.iter().map(|carrier| carrier.abilities().name).collect();
    assert_eq!(names, ["Jasper", "POND", "Nimbus"]);
    assert!(carriers.find(nimbus::KIND).is_some());
    assert!(Carriers::default().find(nimbus::KIND).is_none());
}

fn change(body: &Value) -> SimulatedRequest {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    SimulatedRequest {
        method: "POST".to_owned(),
        target: "/v1/changes".to_owned(),
        headers: vec![header("authorization", "Bearer t0ken-0123456789"), header("content-type", "application/json")],
        body: body.to_string().into_bytes(),
    }
}

fn status_of(reaction: &Reaction) -> u16 {
    let Reaction::Answer { status, .. } = reaction else { panic!("{reaction:?}") };
    *status
}

#[tokio::test(start_paused = true)]
async fn its_simulator_takes_what_is_described_and_nothing_else() {
    let fixture = AtNimbus::new();
    let iccids: Vec<String> = fixture.lines().into_iter().map(|line| line.iccid).collect();
    let most = json!({ "plan": "N-LARGE", "iccids": iccids[..50] });
    assert_eq!(status_of(&fixture.simulator.react(change(&most)).await), 202);
    for wrong in [
        json!({ "plan": "N-LARGE", "iccids": iccids[..51] }),
        json!({ "plan": "N-LARGE", "iccids": [] }),
        json!({ "plan": "N-LARGE", "iccids": [iccids[0], iccids[0]] }),
        json!({ "plan": "N-LARGE", "iccids": ["12"] }),
        json!({ "plan": "N-LARGE" }),
        json!({ "iccids": [iccids[0]] }),
        json!({ "plan": "N-LARGE", "status": "ACTIVE", "iccids": [iccids[0]] }),
        json!({ "status": "RETIRED", "iccids": [iccids[0]] }),
        json!({ "plan": 7, "iccids": [iccids[0]] }),
        json!({ "plan": "N-LARGE", "effectiveDate": "2027-01-01", "iccids": [iccids[0]] }),
    ] {
        assert_eq!(status_of(&fixture.simulator.react(change(&wrong)).await), 400, "{wrong}");
    }
    assert_eq!(fixture.traffic().wrong_requests, 10);
    assert_eq!(fixture.simulator.with_ledger(|ledger, _| ledger.changed), 0, "it has only accepted");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(fixture.stands(&line(&iccids[49])).and_then(|line| line.rate_plan).as_deref(), Some("N-LARGE"));
    assert_eq!(fixture.simulator.with_ledger(|ledger, _| ledger.changed), 50);
}

#[tokio::test]
async fn it_calls_back_at_an_address_and_says_each_thing_once() {
    let clock = Arc::new(TestClock::at(BEGINNING));
    let simulator = NimbusSimulator::new(NimbusOptions::new("t0ken-0123456789"), Arc::<TestClock>::clone(&clock));
    nimbus::with_examples(&simulator, 2);
    let asked = json!({ "status": "SUSPENDED", "iccids": ["8988000000000000001", "8988000000000000002"] });
    assert_eq!(status_of(&simulator.react(change(&asked)).await), 202);

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}/callbacks", listener.local_addr().expect("it is bound"));
    let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().expect("a client");
    let who = ("nimbus", "c4llback");
    let too_early = nimbus::call_back(&simulator, &client, &address, who).await.expect("nobody is called");
    assert_eq!(too_early, [0_u16; 0]);
    clock.advance(TimeDelta::seconds(10));
    let hearing = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("it calls");
        let mut heard = Vec::new();
        loop {
            let mut part = [0_u8; 1_024];
            let read = stream.read(&mut part).await.expect("it sends");
            assert!(read > 0, "it ends in the middle");
            heard.extend(&part[..read]);
            let body = std::str::from_utf8(&heard).ok().and_then(|heard| heard.split("\r\n\r\n").nth(1));
            if let Some(body) = body.and_then(|body| serde_json::from_str::<Value>(body).ok()) {
                stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await.expect("it hears");
                return body;
            }
        }
    });
    assert_eq!(nimbus::call_back(&simulator, &client, &address, who).await.expect("it is answered"), [204]);
    let body = hearing.await.expect("it was heard");
    let results = json!([
        { "iccid": "8988000000000000001", "failed": null },
        { "iccid": "8988000000000000002", "failed": null }
    ]);
    assert_eq!(body, json!({ "user": "nimbus", "password": "c4llback", "requestId": "r-1", "results": results }));
    assert!(nimbus::take_callbacks(&simulator, "nimbus", "c4llback").is_empty(), "it was said");
}
