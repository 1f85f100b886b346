//! Commits that worked and of which nobody heard, one after the other, on a virtual clock: what was written stands once, and whoever
//! wrote it goes on with it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use lineshift_domain::limits::Limits;
use lineshift_engine::{Clock as _, Engine, WorkerOptions, shutdown};
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_sqlite::Options;
use lineshift_testkit::clock::TestClock;
use lineshift_testkit::crash::check_invariants;
use lineshift_testkit::operator::{BEGINNING, Operator, iccid};
use lineshift_testkit::store::TestStore;

use crate::wire::Wire;
use crate::world::{ALL_ENDED, until};

const LINES: u64 = 4;

/// A change of one page by a worker that does not hear of the nth commit; how long it took, and how many commits there were.
async fn run(nth: u64) -> (TimeDelta, u64) {
    let stored = TestStore::in_database(TestDatabase::new().await, Options::default()).await;
    let operator = Operator::in_store(Arc::new(TestClock::going_from(BEGINNING)), LINES, Limits::default(), stored).await;
    let wire = Wire::to(operator.stored.database().expect("it is PostgreSQL"));
    let store = lineshift_store_postgres::connect(&wire.url_of("deaf"), Default::default()).await.expect("the store opens");
    let engine = Engine::new(Arc::new(store), Arc::clone(&operator.clock) as _, Limits::default());
    let id = operator.submit(operator.order((1..=LINES).map(iccid), operator.amop_assignment())).await.id;
    operator.store.take_messages(1_000).await.expect("messages");
    let (before, began) = (wire.seen.commits.load(Ordering::SeqCst), operator.clock.now());
    wire.seen.unheard.store(before + nth, Ordering::SeqCst);
    let (stop, stopped) = shutdown();
    let working = tokio::spawn(async move { engine.run_worker(WorkerOptions { owner: "deaf".to_owned() }, stopped).await });
    let completed = format!("SELECT count(*) FROM device_bulk_change WHERE id = {id} AND processed_at IS NOT NULL");
    until(&operator, &completed).await;
    let took = operator.clock.now() - began;
    let commits = wire.seen.commits.load(Ordering::SeqCst) - before;
    stop.stop();
    working.await.expect("it does not panic");
    operator.store.take_messages(1_000).await.expect("messages");
    until(&operator, ALL_ENDED).await;
    assert_eq!(operator.outcomes(id).await, ["PROCESSED"; 4], "unheard: {nth}");
    let histories = operator.count("SELECT count(*) FROM cross_provider_device_history").await;
    assert_eq!(histories, 4, "unheard: {nth}");
    check_invariants(&operator.stored).await;
    (took, commits)
}

#[test]
fn a_worker_goes_on_with_what_it_wrote_though_it_did_not_hear_of_it() {
    let paused = || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    let (mut slow, mut nth) = (Vec::new(), 1);
    loop {
        let (took, commits) = paused().block_on(run(nth));
        if took > TimeDelta::seconds(10) {
            slow.push(nth);
        }
        if nth >= commits {
            break;
        }
        nth += 1;
    }
    assert!(nth >= 4, "claim, page, history and change are committed, not only {nth}");
    // Of a claim nobody knows that it is his, so that its lease has to run out.
    assert_eq!(slow.len(), 1, "waited for a lease after commits {slow:?} of {nth}");
}
