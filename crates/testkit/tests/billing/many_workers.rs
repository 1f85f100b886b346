//! Several processes that call one account: together they never have more calls under way than it allows (B7.4). Each has an engine of
//! its own, and knows nothing of the others but what is stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::limits::Limits;
use lineshift_domain::terms::BulkChangeStatus;
use lineshift_engine::{AtBoundary, Boundary, ShutdownSender, WorkerOptions, shutdown};
use lineshift_testkit::billing::{BillingWorld, PASSWORD};
use lineshift_testkit::billing_workers::{Doom, Fate, Manner, start};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::flows::order;

/// A world whose account allows so many calls at a time, each of 50 ms, and any number a minute.
async fn world(lines: u64, concurrency: u32) -> BillingWorld {
    let limits = Limits { revio_calls_a_minute: 100_000, ..Limits::default() };
    let world = BillingWorld::with(lines, limits, |options| options.latency = Duration::from_millis(50)).await;
    world.set_account(PASSWORD, |settings| settings.concurrency = Some(concurrency)).await;
    world
}

/// A process that works, and how many answers it had.
struct Worker {
    stop: ShutdownSender,
    task: JoinHandle<()>,
    answers: Arc<AtomicU64>,
}

impl Worker {
    fn start(world: &BillingWorld, name: &str) -> Self {
        let answers = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&answers);
        let at_boundary: Arc<AtBoundary> = Arc::new(move |boundary, _| {
            if boundary == Boundary::Answered {
                counted.fetch_add(1, Ordering::SeqCst);
            }
            Box::pin(std::future::ready(()))
        });
        let engine = world.another_engine().with_boundaries(at_boundary);
        let (stop, stopped) = shutdown();
        let options = WorkerOptions { owner: name.to_owned() };
        Self { stop, task: tokio::spawn(async move { engine.run_worker(options, stopped).await }), answers }
    }

    async fn end(self) -> u64 {
        self.stop.stop();
        self.task.await.expect("the worker does not panic");
        self.answers.load(Ordering::SeqCst)
    }
}

/// Waits until a change is completed; how long that took.
async fn completed(world: &BillingWorld, id: BulkChangeId, longest: Duration) -> Duration {
    let begun = Instant::now();
    while world.operator.change(id).await.processed_at.is_none() {
        assert!(begun.elapsed() < longest, "not completed after {longest:?}: {:?}", world.operator.change(id).await.counts);
        sleep(Duration::from_millis(500)).await;
    }
    begun.elapsed()
}

async fn places(world: &BillingWorld) -> i64 {
    world.operator.count("SELECT coalesce(sum(places), 0) FROM outside_call_place").await
}

#[tokio::test(start_paused = true)]
async fn two_processes_keep_to_what_the_account_allows() {
    const LINES: u64 = 400;
    for concurrency in [1_u32, 4] {
        let world = world(LINES, concurrency).await;
        let submitted = world.operator.submit(order(&world, LINES, world.assignment())).await;
        let workers = ["one", "two"].map(|name| Worker::start(&world, name));
        let took = completed(&world, submitted.id, Duration::from_secs(600)).await;
        assert_eq!(world.operator.change(submitted.id).await.status(), BulkChangeStatus::Processed);
        let mut answers = Vec::new();
        for worker in workers {
            answers.push(worker.end().await);
        }
        let ledger = world.simulator.ledger().summary();
        assert_eq!(
            ledger.most_at_once,
            usize::try_from(concurrency).expect("few"),
            "never more, and no place is left idle for good"
        );
        assert_eq!((ledger.services, ledger.duplicate_services, ledger.duplicate_products), (400, 0, 0));
        assert!(answers.iter().all(|answers| *answers >= 2 * LINES / 10), "both make progress: {answers:?} answers");
        let calls: u64 = ledger.calls.values().sum();
        let at_best = Duration::from_millis(50) * u32::try_from(calls).expect("few") / concurrency;
        println!("{concurrency} at a time: {calls} calls took {took:?}, at best {at_best:?}; answers by worker: {answers:?}");
        assert!(took < at_best * 2 + Duration::from_secs(10), "{took:?} where {at_best:?} is possible");
        assert_eq!(places(&world).await, 0, "what stopped has given its places back");
    }
}

#[tokio::test(start_paused = true)]
async fn the_places_of_a_dead_process_come_free() {
    let world = world(10, 1).await;
    let submitted = world.operator.submit(order(&world, 10, world.assignment())).await;
    let doom = Doom { at: Boundary::Intended, nth: 3, fate: Fate::Dies };
    start(&world, "dead".to_owned(), Manner::Beside, Some(doom)).await.expect("it dies without a panic");
    assert_eq!(places(&world).await, 1, "nobody gave its place back");
    let worker = Worker::start(&world, "heir");
    let took = completed(&world, submitted.id, Duration::from_secs(1_000)).await;
    worker.end().await;
    assert!(took > Duration::from_secs(30), "until then a call of the dead one might have been under way");
    let ledger = world.simulator.ledger().summary();
    assert_eq!((ledger.services, ledger.duplicate_services, ledger.most_at_once), (10, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn an_idle_process_leaves_its_places_to_the_others() {
    let world = world(20, 1).await;
    let first = Worker::start(&world, "first");
    let submitted = world.operator.submit(order(&world, 5, world.assignment())).await;
    completed(&world, submitted.id, Duration::from_secs(60)).await;
    sleep(Duration::from_secs(4)).await;
    assert_eq!(places(&world).await, 0, "it works on, but calls nobody");
    // The second works alone: it need not wait for a lease to run out.
    first.end().await;
    let second = Worker::start(&world, "second");
    let again = world.operator.order((6..=20).map(lineshift_testkit::operator::iccid), effect(&world));
    let submitted = world.operator.submit(again).await;
    let took = completed(&world, submitted.id, Duration::from_secs(60)).await;
    assert!(took < Duration::from_secs(10), "{took:?}");
    second.end().await;
}

fn effect(world: &BillingWorld) -> lineshift_domain::order::Effect {
    lineshift_domain::order::Effect::CustomerAssignment(world.assignment())
}
