//! Completing a page (B11.3): by the worker that ran it, beside its next page, whatever becomes of either.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::TimeDelta;
use lineshift_domain::ids::BulkChangeId;
use lineshift_engine::{Boundary, Engine, ShutdownSender, WorkerOptions, shutdown};
use lineshift_testkit::operator::Operator;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::control::{assignment, small_pages};

/// An engine that comes to no completion before it is let; it says how often it was about to.
fn held_back(engine: Engine) -> (Engine, Arc<Semaphore>, Arc<AtomicU64>) {
    let (let_go, came) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicU64::new(0)));
    let (waits, counts) = (Arc::clone(&let_go), Arc::clone(&came));
    let engine = engine.with_boundaries(Arc::new(move |boundary, _| {
        let (waits, counts) = (Arc::clone(&waits), Arc::clone(&counts));
        Box::pin(async move {
            if boundary == Boundary::Completing {
                counts.fetch_add(1, Ordering::SeqCst);
                waits.acquire().await.expect("it stays open").forget();
            }
        })
    }));
    (engine, let_go, came)
}

fn worker() -> WorkerOptions {
    WorkerOptions { owner: "worker".to_owned() }
}

/// A worker of that engine, and how it is stopped.
fn begin_work(engine: &Engine) -> (ShutdownSender, JoinHandle<()>) {
    let (stop, stopped) = shutdown();
    let engine = engine.clone();
    (stop, tokio::spawn(async move { engine.run_worker(worker(), stopped).await }))
}

/// Waits until that many rows of the change are processed.
async fn until_processed(operator: &Operator, engine: &Engine, id: BulkChangeId, rows: i64) {
    let mut events = engine.events().subscribe();
    while operator.change(id).await.counts.processed < rows {
        drop(events.recv().await);
    }
}

/// Pages of the change in that state.
async fn pages(operator: &Operator, state: &str) -> i64 {
    operator.count(&format!("SELECT count(*) FROM device_bulk_change_page WHERE state = '{state}'")).await
}

async fn histories(operator: &Operator) -> i64 {
    operator.count("SELECT count(*) FROM cross_provider_device_history").await
}

#[tokio::test]
async fn the_next_page_is_run_while_one_is_completed() {
    let operator = small_pages(12).await;
    let id = operator.submit(assignment(&operator, 12)).await.id;
    let (engine, let_go, came) = held_back(operator.engine.clone());
    let (stop, working) = begin_work(&engine);
    until_processed(&operator, &engine, id, 6).await;
    assert_eq!((came.load(Ordering::SeqCst), pages(&operator, "completed").await), (1, 0), "the second waits for its place");
    let_go.add_permits(4);
    let mut events = engine.events().subscribe();
    while operator.change(id).await.processed_at.is_none() {
        drop(events.recv().await);
    }
    assert_eq!((histories(&operator).await, pages(&operator, "completed").await), (12, 4));
    stop.stop();
    working.await.expect("the worker stops");
}

#[tokio::test]
async fn a_worker_that_is_stopped_completes_what_it_ran() {
    let operator = small_pages(6).await;
    let id = operator.submit(assignment(&operator, 6)).await.id;
    let (engine, let_go, came) = held_back(operator.engine.clone());
    let (stop, working) = begin_work(&engine);
    until_processed(&operator, &engine, id, 6).await;
    stop.stop();
    let_go.add_permits(2);
    working.await.expect("the worker stops");
    assert_eq!((came.load(Ordering::SeqCst), pages(&operator, "completed").await, histories(&operator).await), (2, 2, 6));
    let held = "SELECT count(*) FROM device_bulk_change_page WHERE owner IS NOT NULL OR lease_until IS NOT NULL";
    assert_eq!(operator.count(held).await, 0);
    operator.run_until_idle().await;
    assert!(operator.change(id).await.processed_at.is_some());
}

/// One that dies between running a page and completing it leaves the page claimed until its lease has run out; then it is
/// completed by another, once.
#[tokio::test]
async fn what_a_worker_ran_and_did_not_complete_is_completed_by_another() {
    let operator = small_pages(3).await;
    let id = operator.submit(assignment(&operator, 3)).await.id;
    let (engine, let_go, _) = held_back(operator.engine.clone());
    let frozen = tokio::spawn(async move { engine.run_pages_until_idle(&worker()).await });
    until_processed(&operator, &operator.engine, id, 3).await;
    operator.run_until_idle().await;
    assert_eq!((pages(&operator, "done").await, histories(&operator).await), (1, 0), "it is in other hands");
    operator.clock.advance(TimeDelta::seconds(31));
    operator.run_until_idle().await;
    let change = operator.change(id).await;
    assert!(change.processed_at.is_some());
    assert_eq!((pages(&operator, "completed").await, histories(&operator).await), (1, 3));
    // The frozen one goes on, and finds that it lost its lease.
    let_go.add_permits(1);
    frozen.await.expect("it does not panic").expect("it goes on");
    assert_eq!((histories(&operator).await, operator.change(id).await), (3, change));
}
