//! The carrier that does not exist passes the list unchanged, and is registered by one line.

use std::sync::Arc;

use lineshift_connectors::carrier::{CarrierKind, Carriers, LineRef};
use lineshift_connectors::http::Transport;
use lineshift_domain::carrier::CarrierLine;
use lineshift_domain::clock::Clock;
use lineshift_simulators::{Fault, Traffic};
use lineshift_testkit::carrier_contract;
use lineshift_testkit::carrier_contract::Fixture;
use lineshift_testkit::clock::TestClock;
use lineshift_testkit::in_process::InProcess;
use lineshift_testkit::nimbus::{self, NimbusOptions, NimbusSimulator};
use lineshift_testkit::operator::BEGINNING;

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
