//! A process that opens billing services over real HTTP is killed by SIGKILL at every boundary of a page while another works on the same
//! account; the other takes over, and ends with one service and one of each product a line (B5.4, B7.1 to B7.3).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use lineshift_domain::ids::{BulkChangeId, SiteId, TenantId};
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{AssignmentOrder, Effect, RevCharge};
use lineshift_domain::terms::OnPartialFailure;
use lineshift_engine::{AtBoundary, Boundary, Clock, Engine, WorkerOptions};
use lineshift_simulators::revio::Fault;
use lineshift_store::Store;
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_sqlite::Options;
use lineshift_testkit::billing::{BillingWorld, OTHER_PRODUCT, PASSWORD, PRODUCT, connect_by_http, product};
use lineshift_testkit::billing_checks::{Ordered, check};
use lineshift_testkit::clock::TestClock;
use lineshift_testkit::crash::{
    Child, Ended, Meddler, Running, block_on, child, deaths_at, die, later_passing, look, say_statements, wait_for_go,
};
use lineshift_testkit::kill_tests;
use lineshift_testkit::operator::{BEGINNING, Operator, iccid};
use lineshift_testkit::served::Served;
use lineshift_testkit::store::TestStore;

/// The lines of the first order, whose page the killed one has in hand, and of the second, which the other begins with. The first line
/// is moved elsewhere while its service is opened, so that it is undone; all others stand in the end.
const FIRST: std::ops::RangeInclusive<u64> = 1..=3;
const SECOND: std::ops::RangeInclusive<u64> = 4..=6;

/// The engine of a process, which calls over HTTP.
fn engine(store: &Arc<dyn Store>, clock: &Arc<TestClock>, at_boundary: Arc<AtBoundary>) -> Engine {
    Engine::new(Arc::clone(store), Arc::clone(clock) as Arc<dyn Clock>, Limits::default())
        .connected(Arc::new(connect_by_http(Arc::clone(clock))))
        .with_boundaries(at_boundary)
}

/// What a child is told: where to die, what time it is, and where the first line is moved to: `BOUNDARY NTH MICROSECONDS TENANT SITE`.
fn told(at: Boundary, nth: u64, operator: &Operator) -> String {
    let now = operator.clock.now() - BEGINNING.parse::<chrono::DateTime<chrono::Utc>>().expect("a moment");
    let passed = now.num_microseconds().expect("minutes");
    format!("{} {nth} {passed} {} {}", at.as_str(), operator.tenant(), operator.amop_site)
}

/// The child: it says when it has its page in hand, then works until it stands at its boundary, and is gone.
fn run_child(child: &Child) {
    let told: Vec<&str> = child.task.split(' ').collect();
    let [at, numbers @ ..] = told.as_slice() else { panic!("it was told nothing") };
    let at = Boundary::ALL.iter().copied().find(|boundary| boundary.as_str() == *at).expect("a boundary");
    let numbers: Vec<i64> = numbers.iter().map(|number| number.parse().expect("a number")).collect();
    let [nth, passed, tenant, site] = numbers.as_slice() else { panic!("four numbers, not {told:?}") };
    let nth = u64::try_from(*nth).expect("it counts from 1");
    block_on(async {
        let clock = Arc::new(TestClock::going_from(BEGINNING));
        clock.advance(TimeDelta::microseconds(*passed));
        let url = child.store.to_str().expect("a URL is text");
        let store = lineshift_store_postgres::connect(url, Default::default()).await.expect("the store opens");
        let store: Arc<dyn Store> = Arc::new(store);
        let (tenant, site) = (TenantId(*tenant), SiteId(*site));
        let meddler = Meddler { store: Arc::clone(&store), clock: Arc::clone(&clock), tenant, site, line: 1 };
        let (judged, passed) = (AtomicU64::new(0), AtomicU64::new(0));
        let at_boundary: Arc<AtBoundary> = Arc::new(move |boundary, _| {
            if boundary == Boundary::Judged && judged.fetch_add(1, Ordering::Relaxed) == 0 {
                wait_for_go();
            }
            let dies = boundary == at && passed.fetch_add(1, Ordering::Relaxed) + 1 == nth;
            let meddler = meddler.clone();
            Box::pin(async move {
                meddler.pass(boundary).await;
                if dies {
                    die();
                }
            })
        });
        let engine = engine(&store, &clock, at_boundary);
        engine.run_pages_until_idle(&WorkerOptions { owner: "killed".to_owned() }).await.expect("pages run");
        say_statements();
    });
}

/// An operator in a database of its own, whose account stands at that server.
async fn world(served: &Served) -> BillingWorld {
    let stored = TestStore::in_database(TestDatabase::new().await, Options::default()).await;
    let clock = Arc::new(TestClock::going_from(BEGINNING));
    let operator = Operator::in_store(clock, *SECOND.end(), Limits::default(), stored).await;
    let world = BillingWorld::beside(operator, Arc::clone(&served.simulator));
    world
        .set_account(PASSWORD, |account| {
            account.base_address = served.address();
            account.is_local = true;
        })
        .await;
    world
}

fn assignment(world: &BillingWorld) -> AssignmentOrder {
    let charge = RevCharge::Products(vec![product(PRODUCT), product(OTHER_PRODUCT)]);
    AssignmentOrder { on_partial_failure: OnPartialFailure::Compensate, ..world.assignment_with(charge) }
}

async fn order(world: &BillingWorld, lines: std::ops::RangeInclusive<u64>) -> BulkChangeId {
    let effect = Effect::CustomerAssignment(assignment(world));
    world.operator.submit(world.operator.order(lines.map(iccid), effect)).await.id
}

/// Works beside the other, and when that one is gone, on a clock that goes ahead whenever there is nothing to do, until all has ended.
async fn work(engine: Engine, clock: Arc<TestClock>, stored: TestStore, gone: tokio::sync::watch::Receiver<bool>) {
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    loop {
        looks.tick().await;
        engine.run_pages_until_idle(&WorkerOptions { owner: "beside".to_owned() }).await.expect("pages run");
        if *gone.borrow() {
            if look(&stored, "SELECT id FROM device_bulk_change WHERE processed_at IS NULL").await.is_empty() {
                return;
            }
            clock.advance(TimeDelta::seconds(10));
        }
    }
}

/// A process that is killed there, once it has its page in hand; meanwhile `then` happens. False: it never came there, and had nothing
/// left to do.
async fn kill(test: &str, (at, nth): (Boundary, u64), world: &BillingWorld, then: impl AsyncFnOnce()) -> bool {
    let url = world.operator.stored.database().expect("it is PostgreSQL").app_url_of("killed");
    let mut running = Running::spawn(test, 0, &told(at, nth, &world.operator), Path::new(&url));
    tokio::task::block_in_place(|| running.wait_until_ready());
    then().await;
    running.go();
    tokio::task::block_in_place(|| running.wait()) == Ended::Killed
}

/// One run: processes are killed at each of those boundaries, one after the other, the last while another works, which takes over.
/// Answers whether the last was killed: what is to be undone is given back first, and the other may have been faster.
async fn run(test: &str, deaths: &[(Boundary, u64)], fault: Option<Fault>) -> bool {
    let served = Served::start();
    let world = world(&served).await;
    let (operator, clock) = (&world.operator, &world.operator.clock);
    let first = order(&world, FIRST).await;
    if let Some(fault) = fault {
        served.simulator.meet_next_on("POST /Services", fault);
    }
    let (last, before) = deaths.split_last().expect("somebody dies");
    for death in before {
        assert!(kill(test, *death, &world, async || {}).await, "nobody else is there");
        // More than a lease.
        clock.advance(TimeDelta::minutes(1));
    }
    let store = Arc::clone(&operator.store);
    let meddler = Meddler::of(operator, 1);
    let (gone, hears) = tokio::sync::watch::channel(false);
    let is_gone = hears.clone();
    let at_boundary: Arc<AtBoundary> = Arc::new(move |boundary, _| {
        // While the first has the line in hand it is his page that the move is to come after.
        let meddler = is_gone.borrow().then(|| meddler.clone());
        Box::pin(async move {
            if let Some(meddler) = meddler {
                meddler.pass(boundary).await;
            }
        })
    });
    let other = engine(&store, clock, at_boundary);
    let (mut second, mut working) = (None, None);
    let is_killed = kill(test, *last, &world, async || {
        second = Some(order(&world, SECOND).await);
        working = Some(tokio::spawn(work(other, Arc::clone(clock), operator.stored.clone(), hears)));
    })
    .await;
    gone.send_replace(true);
    let (second, working) = (second.expect("it was ordered"), working.expect("it was started"));
    tokio::time::timeout(Duration::from_secs(100), working).await.expect("it ends").expect("it does not panic");
    all_is_right(&world, first, second).await;
    drop(served.stop());
    is_killed
}

async fn all_is_right(world: &BillingWorld, first: BulkChangeId, second: BulkChangeId) {
    let operator = &world.operator;
    assert_eq!(operator.outcomes(first).await, ["modified_meanwhile", "PROCESSED", "PROCESSED"]);
    assert_eq!(operator.outcomes(second).await, ["PROCESSED"; 3]);
    let ledger = world.simulator.ledger().summary();
    assert_eq!((ledger.services, ledger.service_products), (5, 10), "one service and two products for each that stands");
    let changes = [first, second].map(|id| (id, assignment(world))).to_vec();
    let ordered = Ordered { changes, services_before: [].into(), products_before: [].into() };
    let broken = check(world, &ordered).await;
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    let claimed = "SELECT id FROM device_change WHERE holds <> 0
        UNION ALL SELECT page FROM device_bulk_change_page WHERE owner IS NOT NULL OR lease_until IS NOT NULL";
    assert_eq!(look(&operator.stored, claimed).await, [""; 0]);
}

/// The runs of a boundary: at its first passing, and at a later one, of a product, with a create of which nobody hears.
fn killed_at(test: &str, at: Boundary) {
    if let Some(child) = child() {
        return run_child(&child);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    for (deaths, fault) in [(deaths_at(at, 1), None), (vec![(at, later_passing(at))], Some(Fault::WorksThenReset))] {
        let is_killed = (0..20).any(|_| runtime.block_on(run(test, &deaths, fault)));
        assert!(is_killed, "it never came to {deaths:?} with {fault:?}");
    }
}

kill_tests!("killed", killed_at);
