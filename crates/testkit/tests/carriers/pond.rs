//! POND passes the list.

use std::sync::Arc;

use lineshift_connectors::carrier::pond::Pond;
use lineshift_connectors::carrier::{CarrierKind, LineRef};
use lineshift_connectors::http::Transport;
use lineshift_domain::carrier::{CarrierLine, CarrierPackage};
use lineshift_domain::clock::Clock;
use lineshift_simulators::Traffic;
use lineshift_simulators::pond::{Fault, Package, PackageStatus, PondOptions, PondSimulator, ServiceStatus};
use lineshift_testkit::carrier_contract;
use lineshift_testkit::carrier_contract::Fixture;
use lineshift_testkit::clock::TestClock;
use lineshift_testkit::in_process::InProcess;
use lineshift_testkit::operator::BEGINNING;

struct AtPond {
    clock: Arc<TestClock>,
    simulator: Arc<PondSimulator>,
}

fn line(iccid: &str) -> LineRef {
    LineRef { iccid: iccid.to_owned(), ..LineRef::default() }
}

fn package(package: Package) -> CarrierPackage {
    CarrierPackage {
        id: package.package_id.to_string(),
        rate_plan: Some(package.package_type_id),
        is_active: package.status == PackageStatus::Active,
        is_ended: package.status == PackageStatus::Terminated,
    }
}

impl Fixture for AtPond {
    fn new() -> Self {
        let clock = Arc::new(TestClock::going_from(BEGINNING));
        let simulator = PondSimulator::new(PondOptions::new("42", "0123456789abcdef"), Arc::<TestClock>::clone(&clock));
        simulator.with_examples(230);
        Self { clock, simulator }
    }

    fn kind(&self) -> &'static dyn CarrierKind {
        &Pond
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::<TestClock>::clone(&self.clock)
    }

    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(InProcess(Arc::clone(&self.simulator)))
    }

    fn base_path(&self) -> &'static str {
        ""
    }

    fn credentials(&self) -> &'static str {
        r#"{"api_key":"0123456789abcdef","distributor_id":"42","inventory_id":"main"}"#
    }

    fn secrets(&self) -> &'static [&'static str] {
        &["0123456789abcdef"]
    }

    fn lines(&self) -> Vec<LineRef> {
        self.simulator.ledger().sims().iter().map(|sim| line(&sim.iccid)).collect()
    }

    fn unknown_line(&self) -> LineRef {
        line("8944999999999999999")
    }

    fn other_plan(&self) -> &'static str {
        "103"
    }

    fn unknown_plan(&self) -> &'static str {
        "999"
    }

    fn other_status(&self) -> &'static str {
        "Out-of-Service"
    }

    fn refused_status(&self) -> (LineRef, &'static str) {
        // POND moves every SIM that it has: one that went away meanwhile is refused.
        let line = self.lines().swap_remove(1);
        self.simulator.remove_sim(&line.iccid);
        (line, "Out-of-Service")
    }

    fn stands(&self, line: &LineRef) -> Option<CarrierLine> {
        let sim = self.simulator.ledger().sim(&line.iccid)?;
        let status = if sim.data == ServiceStatus::Enabled { "In-Service" } else { "Out-of-Service" };
        let packages: Vec<CarrierPackage> = self.simulator.ledger().packages_of(&line.iccid).into_iter().map(package).collect();
        let active: Vec<&CarrierPackage> = packages.iter().filter(|package| package.is_active).collect();
        let rate_plan = if let [only] = active[..] { only.rate_plan.clone() } else { None };
        Some(CarrierLine { status: Some(status.to_owned()), rate_plan, packages, ..CarrierLine::default() })
    }

    fn duplicates(&self) -> usize {
        let summary = self.simulator.ledger().summary();
        summary.duplicate_packages + summary.sims_with_several
    }

    fn meet_next(&self, fault: Fault) {
        self.simulator.meet_next(fault);
    }

    fn meet_next_change(&self, fault: Fault) {
        self.simulator.meet_next_on("POST", fault);
    }

    fn throttle_next_change(&self) {
        self.simulator.adjust(|options| options.errors_inside_successes = true);
        self.meet_next_change(Fault::ThrottledInWords);
    }

    fn refuse_credentials(&self) {
        self.simulator.refuse_credentials(true);
    }

    fn traffic(&self) -> Traffic {
        self.simulator.traffic()
    }
}

carrier_contract!(AtPond);
