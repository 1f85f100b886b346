//! Rows that wait for their carrier cost nothing while they wait, however many there are (B5.6).

use chrono::TimeDelta;
use lineshift_connectors::carrier::{CallbackRequest, CarrierKind as _};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::BulkChangeId;
use lineshift_domain::terms::BulkChangeStatus;
use lineshift_engine::{WorkerOptions, shutdown};
use lineshift_testkit::carriers::to_plan;
use lineshift_testkit::nimbus::{self, Nimbus};
use lineshift_testkit::nimbus_world::{LARGE, NimbusWorld};
use lineshift_testkit::store::on_postgres;
use secrecy::SecretString;
use tokio::runtime::Handle;
use tokio::time::{Duration, sleep};

/// By how many threads two idle processes may differ.
const A_FEW_THREADS: usize = 3;

/// What a process does for so many waiting rows in so many seconds in which nothing happens.
#[derive(Debug, Clone, Copy)]
struct Idle {
    /// Statements of all looks of its worker and all ticks of its scheduler.
    statements: u64,
    /// Threads of the operating system that it has.
    threads: usize,
    /// Tasks of the runtime that it has.
    tasks: usize,
}

/// Threads that this process has.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").expect("the system lists threads").count()
}

/// Lets a worker and a scheduler run while everything waits.
async fn idle(world: &NimbusWorld) -> Idle {
    let (stop, stopped) = shutdown();
    let (engine, until) = (world.another_engine(), stopped.clone());
    let worker = tokio::spawn(async move { engine.run_worker(WorkerOptions { owner: "idle".to_owned() }, until).await });
    let engine = world.another_engine();
    let scheduler = tokio::spawn(async move { engine.run_scheduler(stopped).await });
    // What either does once at its start is over, as is what it does with an account that it has just called.
    sleep(Duration::from_secs(100)).await;
    let before = world.operator.stored.statements_sent();
    sleep(Duration::from_secs(100)).await;
    let idle = Idle {
        statements: world.operator.stored.statements_sent() - before,
        threads: threads(),
        tasks: Handle::current().metrics().num_alive_tasks(),
    };
    stop.stop();
    worker.await.expect("the worker does not panic");
    scheduler.await.expect("the scheduler does not panic");
    idle
}

/// A world in which so many lines wait for the carrier, and the order.
async fn waiting(lines: u64) -> (NimbusWorld, BulkChangeId) {
    let world = NimbusWorld::with_lines(lines).await;
    let id = world.operator.submit(world.order(1..=lines, to_plan(LARGE))).await.id;
    world.operator.run_until_idle().await;
    let rows = world.operator.rows(id).await;
    let waits = rows.iter().filter(|row| row.error_code == Some(Code::AwaitingCarrier)).count() as u64;
    assert_eq!(waits, lines, "{:?}", rows.first());
    assert_eq!(world.changing_calls(), lines.div_ceil(50));
    (world, id)
}

/// Calls back every other request that is done; answers how many rows were woken.
async fn call_back_every_other(world: &NimbusWorld) -> u64 {
    let expected = SecretString::from(r#"{"user":"nimbus","password":"c4llback"}"#);
    let mut woken = 0;
    for body in nimbus::take_callbacks(&world.simulator, "nimbus", "c4llback").iter().step_by(2) {
        let body = body.to_string();
        let request = CallbackRequest { authorization: None, body: body.as_bytes(), expected: &expected };
        let callback = Nimbus.read_callback(&request).expect("it carries the credentials");
        let noted = world.operator.engine.note_callback(world.operator.tenant(), world.provider, callback).await;
        woken += noted.expect("noted").rows;
    }
    woken
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_waiting_rows_cost_no_thread_no_task_and_no_statement_more_than_a_hundred() {
    let many = if on_postgres() { 2_000 } else { 10_000 };
    let (few, _) = waiting(100).await;
    let of_few = idle(&few).await;
    drop(few);
    let (world, id) = waiting(many).await;
    let of_many = idle(&world).await;
    assert_eq!((of_many.statements, of_many.tasks), (of_few.statements, of_few.tasks), "{many} rows");
    // The runtime keeps a thread or two for statements that wait, as many as happened to overlap: rows have none.
    assert!(of_many.threads.abs_diff(of_few.threads) <= A_FEW_THREADS, "{of_many:?} of {many} rows, {of_few:?} of 100");
    assert!(of_few.statements > 0, "it has looked");

    // What is called back is looked at at once, the others when they said they would be.
    world.operator.clock.advance(TimeDelta::seconds(11));
    assert_eq!(call_back_every_other(&world).await, many / 2);
    world.operator.run_until_idle().await;
    let half = i64::try_from(many / 2).expect("a few thousand");
    assert_eq!(world.operator.change(id).await.counts.processed, half);
    world.run_after(TimeDelta::seconds(20)).await;
    let change = world.operator.change(id).await;
    assert_eq!((change.status(), change.counts.processed), (BulkChangeStatus::Processed, 2 * half));
    assert_eq!(world.changing_calls(), many.div_ceil(50), "nothing is sent again");
    assert_eq!(world.simulator.with_ledger(|ledger, _| ledger.changed), many);
}
