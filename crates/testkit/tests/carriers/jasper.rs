//! Jasper passes the list.

use std::sync::Arc;

use lineshift_connectors::carrier::jasper::Jasper;
use lineshift_connectors::carrier::{CarrierKind, LineRef};
use lineshift_connectors::http::Transport;
use lineshift_domain::carrier::CarrierLine;
use lineshift_domain::clock::Clock;
use lineshift_simulators::Traffic;
use lineshift_simulators::jasper::{BASE_PATH, Fault, JasperOptions, JasperSimulator, Status};
use lineshift_testkit::carrier_contract;
use lineshift_testkit::carrier_contract::Fixture;
use lineshift_testkit::clock::TestClock;
use lineshift_testkit::in_process::InProcess;
use lineshift_testkit::operator::BEGINNING;

struct AtJasper {
    clock: Arc<TestClock>,
    simulator: Arc<JasperSimulator>,
}

fn line(iccid: &str) -> LineRef {
    LineRef { iccid: iccid.to_owned(), ..LineRef::default() }
}

impl Fixture for AtJasper {
    fn new() -> Self {
        let clock = Arc::new(TestClock::going_from(BEGINNING));
        let options = JasperOptions::new("api-user", "k3y/w\"ord").with_stated_limits();
        let simulator = JasperSimulator::new(options, Arc::<TestClock>::clone(&clock));
        simulator.with_examples(120);
        Self { clock, simulator }
    }

    fn kind(&self) -> &'static dyn CarrierKind {
        &Jasper
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::<TestClock>::clone(&self.clock)
    }

    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(InProcess(Arc::clone(&self.simulator)))
    }

    fn base_path(&self) -> &'static str {
        BASE_PATH
    }

    fn credentials(&self) -> &'static str {
        r#"{"user":"api-user","api_key":"k3y/w\"ord"}"#
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["k3y/w\"ord", "k3y/w", "api-user"]
    }

    fn lines(&self) -> Vec<LineRef> {
        self.simulator.ledger().devices().iter().map(|device| line(&device.iccid)).collect()
    }

    fn unknown_line(&self) -> LineRef {
        line("8901999999999999999")
    }

    fn other_plan(&self) -> &'static str {
        "Tracker"
    }

    fn unknown_plan(&self) -> &'static str {
        "Nobody's"
    }

    fn other_status(&self) -> &'static str {
        "DEACTIVATED"
    }

    fn refused_status(&self) -> (LineRef, &'static str) {
        let line = self.lines().swap_remove(1);
        self.simulator.change_device(&line.iccid, |device| device.status = Status::Retired);
        (line, "ACTIVATED")
    }

    fn stands(&self, line: &LineRef) -> Option<CarrierLine> {
        let device = self.simulator.ledger().device(&line.iccid)?;
        Some(CarrierLine {
            status: Some(device.status.name().to_owned()),
            rate_plan: device.rate_plan,
            comm_plan: device.communication_plan,
            ..CarrierLine::default()
        })
    }

    fn duplicates(&self) -> usize {
        // An assignment sets state: there is nothing that could be there twice.
        0
    }

    fn meet_next(&self, fault: Fault) {
        self.simulator.meet_next(fault);
    }

    fn meet_next_change(&self, fault: Fault) {
        self.simulator.meet_next_on("PUT", fault);
    }

    fn throttle_next_change(&self) {
        self.simulator.adjust(|options| options.throttled_status = 200);
        self.meet_next_change(Fault::ThrottledInWords);
    }

    fn refuse_credentials(&self) {
        self.simulator.refuse_credentials(true);
    }

    fn traffic(&self) -> Traffic {
        self.simulator.traffic()
    }
}

carrier_contract!(AtJasper);
