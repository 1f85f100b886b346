//! Processes that move lines at their carriers over real HTTP and are killed by SIGKILL at every boundary of their pages, each time that
//! they pass it; whoever comes after finishes, and everything must be as if nobody had died (B5.4, B7.1 to B7.3).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use lineshift_domain::ids::{BulkChangeId, SiteId, TenantId};
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{AssignmentOrder, Effect, Order};
use lineshift_domain::terms::OnPartialFailure;
use lineshift_engine::{AtBoundary, Boundary, Clock, Engine, WorkerOptions};
use lineshift_simulators::jasper::{Jasper, JasperOptions, JasperSimulator};
use lineshift_simulators::pond::{Fault, Pond, PondOptions, PondSimulator};
use lineshift_store::Store;

use crate::billing_checks::{Ordered, check_books_of};
use crate::billing_workers::work_in_turn;
use crate::carrier_checks::{OrderedThere, check, untold_calls};
use crate::carriers::{
    API_KEY, CarrierTemplate, CarrierWorld, Copied, OTHER_PACKAGE_TYPE, OTHER_PLAN, PLAN, POND_KEY, Simulators, connect_by_http,
    to_plan, to_status, with_carrier_plan,
};
use crate::clock::TestClock;
use crate::crash::{
    Child, Ended, Meddler, Running, block_on, child, deaths_at, die, look, open_options, reopen_stored, say_statements,
};
use crate::operator::{BEGINNING, iccid};
use crate::served::Served;

/// Lines at each carrier.
const LINES: u64 = 4;

/// Minutes between two processes: more than a lease.
const LATER: i64 = 1;

/// More often no boundary is passed.
const EVERY_PASSING: u64 = 20;

/// On PostgreSQL, where a run takes longer, as many as the acts of a line and one of the next.
const FIRST_PASSINGS: u64 = 4;

/// What is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// Two lines of POND come to another package.
    Packages,
    /// Two lines of Jasper come to another plan, two to another status.
    PlansAndStatuses,
    /// Two lines of Jasper are handed over with a billing service and another plan; the first is booked elsewhere meanwhile, so that
    /// Jasper and Rev.io are undone.
    Undone,
}

impl Errand {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Packages, Self::PlansAndStatuses, Self::Undone];

    fn orders(self, world: &CarrierWorld) -> Vec<Order> {
        match self {
            Self::Packages => vec![world.pond_order(1..=2, to_plan(OTHER_PACKAGE_TYPE))],
            Self::PlansAndStatuses => {
                vec![world.jasper_order(1..=2, to_plan(OTHER_PLAN)), world.jasper_order(3..=4, to_status("DEACTIVATED"))]
            }
            Self::Undone => {
                let assignment = AssignmentOrder {
                    on_partial_failure: OnPartialFailure::Compensate,
                    ..with_carrier_plan(world.assignment(), OTHER_PLAN)
                };
                vec![world.jasper_order(1..=2, Effect::CustomerAssignment(assignment))]
            }
        }
    }

    fn is_meddled_with(self) -> bool {
        self == Self::Undone
    }
}

/// The servers of a run.
struct Servers {
    jasper: Served<Jasper>,
    pond: Served<Pond>,
    revio: Served,
}

impl Servers {
    fn start() -> Self {
        Self {
            jasper: Served::of(|clock| JasperSimulator::new(JasperOptions::new("switchboard", API_KEY), clock)),
            pond: Served::of(|clock| PondSimulator::new(PondOptions::new("12", POND_KEY), clock)),
            revio: Served::start(),
        }
    }

    fn simulators(&self) -> Simulators {
        Simulators {
            jasper: Arc::clone(&self.jasper.simulator),
            pond: Arc::clone(&self.pond.simulator),
            revio: Arc::clone(&self.revio.simulator),
        }
    }

    fn stop(self) -> Simulators {
        Simulators { jasper: self.jasper.stop(), pond: self.pond.stop(), revio: self.revio.stop() }
    }
}

fn clock_after(minutes: i64) -> Arc<TestClock> {
    let clock = TestClock::going_from(BEGINNING);
    clock.advance(TimeDelta::minutes(minutes));
    Arc::new(clock)
}

fn paused<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime").block_on(work)
}

/// The child: it works until it stands at its boundary, and is gone. It was told `BOUNDARY NTH MINUTES MEDDLED TENANT SITE`.
fn run_child(child: &Child) {
    let told: Vec<&str> = child.task.split(' ').collect();
    let [at, numbers @ ..] = told.as_slice() else { panic!("it was told nothing") };
    let at = Boundary::ALL.iter().copied().find(|boundary| boundary.as_str() == *at).expect("a boundary");
    let numbers: Vec<i64> = numbers.iter().map(|number| number.parse().expect("a number")).collect();
    let &[nth, minutes, is_meddled_with, tenant, site] = numbers.as_slice() else { panic!("five numbers, not {told:?}") };
    block_on(async {
        let (clock, store) = (clock_after(minutes), open(&child.store).await);
        let meddler = Meddler {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            tenant: TenantId(tenant),
            site: SiteId(site),
            line: 1,
        };
        let meddler = (is_meddled_with == 1).then_some(meddler);
        let passed = AtomicU64::new(0);
        let at_boundary: Arc<AtBoundary> = Arc::new(move |boundary, _| {
            let dies = boundary == at && passed.fetch_add(1, Ordering::Relaxed) + 1 == nth.unsigned_abs();
            let meddler = meddler.clone();
            Box::pin(async move {
                if let Some(meddler) = meddler {
                    meddler.pass(boundary).await;
                }
                if dies {
                    die();
                }
            })
        });
        let engine = Engine::new(store, Arc::clone(&clock) as Arc<dyn Clock>, Limits::default())
            .connected(Arc::new(connect_by_http(clock)))
            .with_boundaries(at_boundary);
        engine.run_pages_until_idle(&WorkerOptions { owner: "child".to_owned() }).await.expect("pages run");
        say_statements();
    });
}

/// The store of a child, in a file or in a database.
async fn open(told: &Path) -> Arc<dyn Store> {
    match told.to_str().filter(|text| text.contains("://")) {
        Some(url) => Arc::new(lineshift_store_postgres::connect(url, Default::default()).await.expect("the store opens")),
        None => Arc::new(lineshift_store_sqlite::open(told, open_options(None)).await.expect("the store opens")),
    }
}

/// What a run is about.
struct Run {
    errand: Errand,
    copied: Copied,
    ordered: OrderedThere,
    /// Tenant and site of the operator, for the child.
    tenant: TenantId,
    site: SiteId,
}

impl Run {
    /// Orders; the accounts stand at the servers, and are called one call at a time.
    fn begin(template: &CarrierTemplate, errand: Errand, servers: &Servers) -> Self {
        paused(async {
            let copied = template.copy().await;
            let directory = tempfile::tempdir().expect("a temporary folder");
            let operator = reopen_stored(clock_after(0), copied.open().await, directory, Limits::default()).await;
            let world = template.begin(operator, servers.simulators());
            world
                .set_jasper_account(|account| {
                    (account.base_address, account.is_local) = (servers.jasper.address_of("/rws/api/v1"), true);
                })
                .await;
            world
                .set_pond_account(|account| {
                    (account.base_address, account.is_local) = (servers.pond.address_of(""), true);
                    account.concurrency = Some(1);
                })
                .await;
            world
                .set_billing_account_with(|account| {
                    (account.base_address, account.is_local) = (servers.revio.address(), true);
                    account.concurrency = Some(1);
                })
                .await;
            let mut ordered = OrderedThere::on(&world);
            for order in errand.orders(&world) {
                let effect = order.effect.clone();
                ordered.add(world.operator.submit(order).await.id, &effect);
            }
            Self { errand, copied, ordered, tenant: world.operator.tenant(), site: world.operator.amop_site }
        })
    }

    fn told(&self, (at, nth): (Boundary, u64), minutes: i64) -> String {
        let meddled = i64::from(self.errand.is_meddled_with());
        format!("{} {nth} {minutes} {meddled} {} {}", at.as_str(), self.tenant, self.site)
    }

    /// Whoever comes after does the rest, on a clock that goes ahead whenever everybody waits; then all must be right.
    fn survive(&self, template: &CarrierTemplate, minutes: i64, simulators: Simulators, untold: i64) {
        paused(async {
            let directory = tempfile::tempdir().expect("a temporary folder");
            let operator = reopen_stored(clock_after(minutes), self.copied.open().await, directory, Limits::default()).await;
            let world = template.beside(operator, simulators);
            world.set_jasper_account(|_| {}).await;
            world.set_pond_account(|_| {}).await;
            world.set_billing_account().await;
            let mut engine = world.another_engine();
            if self.errand.is_meddled_with() {
                engine = engine.with_boundaries(Meddler::of(&world.operator, 1).boundaries());
            }
            let worker = tokio::spawn(work_in_turn(engine, world.operator.stored.clone(), "survivor".to_owned()));
            let open = "SELECT id FROM device_bulk_change WHERE processed_at IS NULL";
            for _ in 0..1_000 {
                if look(&world.operator.stored, open).await.is_empty() {
                    break;
                }
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
            assert!(!worker.is_finished(), "the worker ended");
            worker.abort();
            self.check(&world, untold).await;
        });
    }

    async fn check(&self, world: &CarrierWorld, untold: i64) {
        let mut broken = check(world, &self.ordered).await;
        let outcomes = async |id: BulkChangeId| world.operator.outcomes(id).await;
        let ids: Vec<BulkChangeId> = self.ordered.changes.iter().map(|(id, _)| *id).collect();
        match self.errand {
            Errand::Packages => {
                assert_eq!(outcomes(ids[0]).await, ["PROCESSED"; 2], "{}", broken.join("\n"));
                let calls = world.pond.ledger().summary().traffic.calls;
                assert_eq!(calls.get("POST /{distributorId}/sim/{iccid}/addPackage"), Some(&2), "each is added once");
            }
            Errand::PlansAndStatuses => {
                for id in ids {
                    assert_eq!(outcomes(id).await, ["PROCESSED"; 2], "{}", broken.join("\n"));
                }
            }
            Errand::Undone => {
                assert_eq!(outcomes(ids[0]).await, ["modified_meanwhile", "PROCESSED"], "{}", broken.join("\n"));
                let plan = |line| world.jasper.ledger().device(&iccid(line)).expect("there").rate_plan;
                assert_eq!(
                    (plan(1).as_deref(), plan(2).as_deref()),
                    (Some(PLAN), Some(OTHER_PLAN)),
                    "{}",
                    world.operator.shown_rows(ids[0]).await
                );
                assert_eq!(world.revio.ledger().summary().services, 1, "and its service is disconnected");
                let orders = self.errand.orders(world);
                let Effect::CustomerAssignment(assignment) = orders[0].effect.clone() else { panic!("it is an assignment") };
                let billed =
                    Ordered { changes: vec![(ids[0], assignment)], services_before: [].into(), products_before: [].into() };
                broken.extend(check_books_of(&world.operator, &world.revio, &billed).await);
            }
        }
        assert!(broken.is_empty(), "{}", broken.join("\n"));
        let left = untold_calls(world).await;
        assert!(left <= untold, "the log says nothing of {left} calls, and only {untold} were lost");
    }
}

/// One run: a process is killed at each of those boundaries, one after the other; then somebody survives. Answers whether the last was
/// killed: it may never come there.
fn run(test: &str, template: &CarrierTemplate, errand: Errand, deaths: &[(Boundary, u64)], fault: Option<Fault>) -> bool {
    let servers = Servers::start();
    let run = Run::begin(template, errand, &servers);
    if let Some(fault) = fault {
        servers.pond.simulator.meet_next_on("POST /{distributorId}/sim/{iccid}/addPackage", fault);
        servers.jasper.simulator.meet_next_on("PUT /devices/{iccid}", fault);
    }
    let (mut minutes, mut killed) = (0, 0);
    for death in deaths {
        let ended = Running::spawn(test, 0, &run.told(*death, minutes), &run.copied.told()).wait();
        killed += i64::from(ended == Ended::Killed);
        minutes += LATER;
    }
    run.survive(template, minutes, servers.stop(), killed);
    killed == i64::try_from(deaths.len()).expect("a few")
}

/// Kills at one boundary, at each of its passings, with nothing else wrong; and once with calls of which nobody hears. On the store that
/// tests run on.
///
/// # Panics
/// When anything is not as it should be then.
pub fn killed_at_carriers(test: &str, at: Boundary) {
    match child() {
        Some(child) => run_child(&child),
        None => kill_at_each_passing(test, at, EVERY_PASSING, &paused(CarrierTemplate::with_lines(LINES))),
    }
}

/// The same on PostgreSQL, at the first passings.
///
/// # Panics
/// When anything is not as it should be then.
pub fn killed_at_carriers_in_database(test: &str, at: Boundary) {
    match child() {
        Some(child) => run_child(&child),
        None => kill_at_each_passing(test, at, FIRST_PASSINGS, &paused(CarrierTemplate::in_database(LINES))),
    }
}

fn kill_at_each_passing(test: &str, at: Boundary, most: u64, template: &CarrierTemplate) {
    let mut passings = Vec::new();
    for errand in Errand::ALL {
        let killed = (1..=most).take_while(|nth| run(test, template, errand, &deaths_at(at, *nth), None)).count();
        passings.push(killed as u64);
        run(test, template, errand, &[(at, 1)], Some(Fault::WorksThenReset));
    }
    let least = least_passings(at).map(|least| least.min(most));
    assert!(passings.iter().zip(least).all(|(passed, least)| *passed >= least), "{} was passed {passings:?} times", at.as_str());
}

/// How often a boundary is passed at least, for each errand.
const fn least_passings(at: Boundary) -> [u64; 3] {
    match at {
        Boundary::Granted | Boundary::Intended | Boundary::Answered => [6, 4, 7],
        // An outcome goes with the next intent; only what is read next, or the last, is stored for itself.
        Boundary::Recorded => [2, 4, 6],
        Boundary::LookedUp | Boundary::UndoIntended | Boundary::UndoAnswered => [0, 0, 1],
        Boundary::ReadBack => [1, 1, 1],
        Boundary::Judged | Boundary::Recovered | Boundary::Called | Boundary::Finished | Boundary::Completing => [1, 2, 1],
    }
}
