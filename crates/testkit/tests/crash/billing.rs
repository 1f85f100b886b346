//! A process that opens billing services over real HTTP is killed by SIGKILL at every boundary of a page; whoever comes after
//! ends with one service and one of each product a line (B5.4, B7.1 to B7.3).

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{AssignmentOrder, Effect, RevCharge};
use lineshift_domain::terms::OnPartialFailure;
use lineshift_engine::{AtBoundary, Boundary, WorkerOptions};
use lineshift_simulators::revio::{Fault, RevioSimulator};
use lineshift_testkit::billing::{
    BillingTemplate, BillingWorld, OTHER_PRODUCT, PASSWORD, PRODUCT, connect_by_http, on_one_thread, product,
};
use lineshift_testkit::billing_checks::{Ordered, check};
use lineshift_testkit::billing_workers::work_in_turn;
use lineshift_testkit::clock::TestClock;
use lineshift_testkit::crash::{
    Child, Ended, Running, block_on, child, deaths_at, die, later_passing, look, open_options, reopen_on, say_statements,
};
use lineshift_testkit::kill_tests;
use lineshift_testkit::operator::{BEGINNING, Operator, iccid};
use lineshift_testkit::served::Served;

/// The first is moved elsewhere while its service is opened, so that it is undone; the others stand in the end.
const LINES: u64 = 3;

/// Minutes between two processes: more than a lease.
const LATER: i64 = 1;

/// What a child is told beside where to die: `BOUNDARY NTH PORT MINUTES`.
fn told(at: Boundary, nth: u64, port: u16, minutes: i64) -> String {
    format!("{} {nth} {port} {minutes}", at.as_str())
}

fn clock_after(minutes: i64) -> Arc<TestClock> {
    let clock = TestClock::going_from(BEGINNING);
    clock.advance(TimeDelta::minutes(minutes));
    Arc::new(clock)
}

/// Books the first line elsewhere, as another system would, once every call of its page was made.
async fn meddle(operator: &Operator, boundary: Boundary) {
    if boundary == Boundary::Called {
        operator.book([1], operator.amop_site, None).await;
    }
}

/// The child: it works until it stands at its boundary, and is gone.
fn run_child(child: &Child) {
    let told: Vec<&str> = child.task.split(' ').collect();
    let [at, nth, _, minutes] = told.as_slice() else { panic!("BOUNDARY NTH PORT MINUTES, not {told:?}") };
    let at = Boundary::ALL.iter().copied().find(|boundary| boundary.as_str() == *at).expect("a boundary");
    let nth: u64 = nth.parse().expect("a number");
    let clock = || clock_after(minutes.parse().expect("minutes"));
    block_on(async {
        let beside = || tempfile::tempdir_in(child.store.parent().expect("it lies in a folder")).expect("a temporary folder");
        let passed = Arc::new(AtomicU64::new(0));
        let meddler = Arc::new(reopen_on(clock(), &child.store, beside(), Limits::default(), open_options(None)).await);
        let at_boundary: Arc<AtBoundary> = Arc::new(move |boundary, _| {
            let (meddler, passed) = (Arc::clone(&meddler), Arc::clone(&passed));
            Box::pin(async move {
                meddle(&meddler, boundary).await;
                if boundary == at && passed.fetch_add(1, Ordering::Relaxed) + 1 == nth {
                    die();
                }
            })
        });
        let clock = clock();
        let operator = reopen_on(Arc::clone(&clock), &child.store, beside(), Limits::default(), open_options(None)).await;
        let engine = operator.engine.clone().connected(Arc::new(connect_by_http(clock))).with_boundaries(at_boundary);
        engine.run_pages_until_idle(&WorkerOptions { owner: "child".to_owned() }).await.expect("pages run");
        say_statements();
    });
}

fn assignment(world: &BillingWorld) -> AssignmentOrder {
    let charge = RevCharge::Products(vec![product(PRODUCT), product(OTHER_PRODUCT)]);
    AssignmentOrder { on_partial_failure: OnPartialFailure::Compensate, ..world.assignment_with(charge) }
}

fn paused<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime").block_on(work)
}

/// Opens the store as the next process does, and lets its calls go to the simulator in this process.
async fn world_of(store: &Path, minutes: i64, simulator: &Arc<RevioSimulator>) -> BillingWorld {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let operator = reopen_on(clock_after(minutes), store, directory, Limits::default(), on_one_thread()).await;
    BillingWorld::beside(operator, Arc::clone(simulator))
}

/// Orders; the account stands at the server.
fn order(store: &Path, served: &Served) -> BulkChangeId {
    paused(async {
        let world = world_of(store, 0, &served.simulator).await;
        world
            .set_account(PASSWORD, |account| {
                account.base_address = served.address();
                account.is_local = true;
            })
            .await;
        let lines = (1..=LINES).map(iccid);
        world.operator.submit(world.operator.order(lines, Effect::CustomerAssignment(assignment(&world)))).await.id
    })
}

/// Whoever comes after does the rest, on a clock that goes ahead whenever everybody waits; then all must be right.
fn survive(store: &Path, minutes: i64, simulator: &Arc<RevioSimulator>, id: BulkChangeId) {
    paused(async {
        let world = world_of(store, minutes, simulator).await;
        world.store_credentials(PASSWORD).await;
        let meddler = Arc::new(world_of(store, minutes, simulator).await);
        let engine = world.another_engine().with_boundaries(Arc::new(move |boundary, _| {
            let meddler = Arc::clone(&meddler);
            Box::pin(async move { meddle(&meddler.operator, boundary).await })
        }));
        let worker = tokio::spawn(work_in_turn(engine, world.operator.stored.clone(), "survivor".to_owned()));
        for _ in 0..1_000 {
            if world.operator.change(id).await.processed_at.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
        assert!(!worker.is_finished(), "the worker ended");
        worker.abort();
        assert_eq!(world.operator.outcomes(id).await, ["modified_meanwhile", "PROCESSED", "PROCESSED"]);
        let ledger = simulator.ledger().summary();
        assert_eq!((ledger.services, ledger.service_products), (2, 4), "one service and two products for each that stands");
        let changes = vec![(id, assignment(&world))];
        let ordered = Ordered { changes, services_before: [].into(), products_before: [].into() };
        let broken = check(&world, &ordered).await;
        assert!(broken.is_empty(), "{}", broken.join("\n"));
        assert_eq!(look(&world.operator.stored, "SELECT id FROM device_change WHERE holds <> 0").await, [""; 0]);
    });
}

/// One run: a process is killed at each of those boundaries, one after the other; then somebody survives.
fn run(test: &str, template: &BillingTemplate, deaths: &[(Boundary, u64)], fault: Option<Fault>) {
    let (_directory, store) = template.copy();
    let served = Served::start();
    let id = order(&store, &served);
    if let Some(fault) = fault {
        served.simulator.meet_next_on("POST /Services", fault);
    }
    let mut minutes = 0;
    for (at, nth) in deaths {
        let ended = Running::spawn(test, 0, &told(*at, *nth, served.port, minutes), &store).wait();
        assert_eq!(ended, Ended::Killed, "it never came to {} for the {nth}. time", at.as_str());
        minutes += LATER;
    }
    survive(&store, minutes, &served.stop(), id);
}

/// Kills at one boundary, with nothing else wrong and with a create of which nobody hears.
fn killed_at(test: &str, at: Boundary) {
    if let Some(child) = child() {
        return run_child(&child);
    }
    let template = paused(BillingTemplate::with_lines(LINES));
    // The page's or a service's, then a product's.
    for nth in BTreeSet::from([1, later_passing(at)]) {
        run(test, &template, &deaths_at(at, nth), None);
        run(test, &template, &[(at, nth)], Some(Fault::WorksThenReset));
    }
}

kill_tests!("billing", killed_at);
