//! What the tests of single situations share.

use std::time::Duration;

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::order::{Effect, Order};
use lineshift_simulators::Traffic;
use lineshift_simulators::pond::PackageStatus;
use lineshift_testkit::billing_workers::{Manner, start_engine};
use lineshift_testkit::carrier_checks::{OrderedThere, check};
use lineshift_testkit::carriers::CarrierWorld;
use lineshift_testkit::operator::iccid;
use tokio::time::sleep;

/// The calls of the carriers, as their descriptions name them.
pub(crate) const ASSIGN: &str = "PUT /devices/{iccid}";
pub(crate) const ADD: &str = "POST /{distributorId}/sim/{iccid}/addPackage";
pub(crate) const SET_PACKAGE: &str = "POST /{distributorId}/package/{packageId}/status";
pub(crate) const SET_SERVICES: &str = "POST /{distributorId}/sim/{iccid}/status";

/// A world with an order in it, and what was there before.
pub(crate) struct Situation {
    pub(crate) world: CarrierWorld,
    pub(crate) ordered: OrderedThere,
}

impl Situation {
    pub(crate) fn of(world: CarrierWorld) -> Self {
        let ordered = OrderedThere::on(&world);
        Self { world, ordered }
    }

    /// For lines of Jasper.
    pub(crate) async fn jasper(&mut self, lines: u64, effect: Effect) -> BulkChangeId {
        self.submit(self.world.jasper_order(1..=lines, effect)).await
    }

    /// For lines of POND.
    pub(crate) async fn pond(&mut self, lines: u64, effect: Effect) -> BulkChangeId {
        self.submit(self.world.pond_order(1..=lines, effect)).await
    }

    pub(crate) async fn submit(&mut self, order: Order) -> BulkChangeId {
        let effect = order.effect.clone();
        let id = self.world.operator.submit(order).await.id;
        self.ordered.add(id, &effect);
        id
    }

    /// A new process works for that many seconds, and is gone.
    pub(crate) async fn work_for(&self, seconds: u64) {
        let worker = self.start("for a while");
        sleep(Duration::from_secs(seconds)).await;
        assert!(!worker.is_finished(), "the worker ended");
        worker.abort();
        // Gone is gone: its lease runs out.
        sleep(Duration::from_secs(31)).await;
    }

    pub(crate) fn start(&self, name: &str) -> tokio::task::JoinHandle<()> {
        let store = self.world.operator.stored.clone();
        start_engine(self.world.another_engine(), store, name.to_owned(), Manner::InTurn, None)
    }

    /// A new process works until the change is completed: two days at most. Answers how its rows ended.
    pub(crate) async fn finish(&self, id: BulkChangeId) -> Vec<&'static str> {
        let worker = self.start("to the end");
        for _ in 0..17_280 {
            if self.world.operator.change(id).await.processed_at.is_some() {
                worker.abort();
                return self.world.operator.outcomes(id).await;
            }
            assert!(!worker.is_finished(), "the worker ended");
            sleep(Duration::from_secs(10)).await;
        }
        panic!("it is still open: {}", self.world.operator.shown_rows(id).await);
    }

    /// What is in ERROR is tried again, to its end.
    pub(crate) async fn retry(&self, id: BulkChangeId) -> Vec<&'static str> {
        let operator = &self.world.operator;
        operator.engine.retry(&operator.caller, id, &[]).await.expect("there is something to retry");
        self.finish(id).await
    }

    /// Ledgers, steps and store say the same.
    pub(crate) async fn right(&self) {
        // What still works late is not yet to be seen.
        sleep(Duration::from_secs(120)).await;
        let broken = check(&self.world, &self.ordered).await;
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }

    /// The text of a change's first row.
    pub(crate) async fn text(&self, id: BulkChangeId) -> String {
        self.world.operator.rows(id).await[0].status_details.clone().unwrap_or_default()
    }

    /// The plan of a line of Jasper, at Jasper.
    pub(crate) fn plan(&self, line: u64) -> String {
        self.world.jasper.ledger().device(&iccid(line)).expect("there").rate_plan.unwrap_or_default()
    }

    /// The ICCID of a line of POND.
    pub(crate) fn sim(&self, line: u64) -> String {
        iccid(self.world.first_pond_line + line - 1)
    }

    /// The types of the active packages of a line of POND, and the ids of all that it ever had.
    pub(crate) fn packages(&self, line: u64) -> (Vec<String>, Vec<i64>) {
        let packages = self.world.pond.ledger().packages_of(&self.sim(line));
        let ids = packages.iter().map(|package| package.package_id).collect();
        let active = packages.into_iter().filter(|package| package.status == PackageStatus::Active);
        (active.map(|package| package.package_type_id).collect(), ids)
    }

    pub(crate) fn at_jasper(&self) -> Traffic {
        self.world.jasper.ledger().summary().traffic
    }

    pub(crate) fn at_pond(&self) -> Traffic {
        self.world.pond.ledger().summary().traffic
    }
}

/// How often that was called.
pub(crate) fn calls(traffic: &Traffic, name: &str) -> u64 {
    traffic.calls.get(name).copied().unwrap_or(0)
}
