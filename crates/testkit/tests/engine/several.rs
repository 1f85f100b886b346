//! Several processes on one store: each has an engine of its own, with a worker and a scheduler, and hears of the others only by hints.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{CustomerRatePlanOrder, Effect, EffectiveDate};
use lineshift_engine::{Clock as _, Engine, ShutdownSender, WorkerOptions, shutdown};
use lineshift_store::signals::{Signal, Signals};
use lineshift_store_sqlite::Options;
use lineshift_testkit::billing::on_one_thread;
use lineshift_testkit::clock::TestClock;
use lineshift_testkit::operator::{BEGINNING, Operator, iccid};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::rivals::judged;

/// Hints that a test gives.
struct Given(UnboundedReceiver<Signal>);

#[async_trait]
impl Signals for Given {
    async fn next(&mut self) -> Signal {
        match self.0.recv().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }
}

/// A process: worker, scheduler and listener, until it is ended.
struct Process {
    engine: Engine,
    stop: ShutdownSender,
    parts: JoinSet<()>,
    hints: UnboundedSender<Signal>,
}

impl Process {
    fn start(engine: Engine, name: &str) -> Self {
        let engine = engine.named(name);
        let (stop, stopped) = shutdown();
        let (hints, given) = unbounded_channel();
        let mut parts = JoinSet::new();
        let (worker, scheduler, listener) = (engine.clone(), engine.clone(), engine.clone());
        let options = WorkerOptions { owner: name.to_owned() };
        let (stop_worker, stop_scheduler) = (stopped.clone(), stopped.clone());
        parts.spawn(async move { worker.run_worker(options, stop_worker).await });
        parts.spawn(async move { scheduler.run_scheduler(stop_scheduler).await });
        parts.spawn(async move { listener.hear(Box::new(Given(given)), stopped).await });
        Self { engine, stop, parts, hints }
    }

    fn hint(&self, signal: Signal) {
        self.hints.send(signal).expect("it listens");
    }

    async fn end(mut self) {
        self.stop.stop();
        while let Some(ended) = self.parts.join_next().await {
            ended.expect("no part panics");
        }
    }
}

/// On a paused clock, with an engine of another process.
async fn alone(lines: u64) -> (Operator, Engine) {
    let clock = Arc::new(TestClock::going_from(BEGINNING));
    let operator = Operator::on_clock(Arc::clone(&clock), lines, Limits::default(), on_one_thread()).await;
    let other = Engine::new(Arc::clone(&operator.store), clock as Arc<dyn lineshift_engine::Clock>, Limits::default());
    (operator, other)
}

async fn is_completed(operator: &Operator, id: lineshift_domain::ids::BulkChangeId) -> bool {
    operator.change(id).await.processed_at.is_some()
}

#[tokio::test(start_paused = true)]
async fn what_another_process_announces_is_done_at_once_and_without_a_hint_soon() {
    let (operator, other) = alone(4).await;
    let process = Process::start(other, "worker");
    process.hint(Signal::Heard);
    sleep(Duration::from_secs(70)).await;
    let hinted = operator.submit(operator.order([iccid(1)], operator.amop_assignment())).await;
    process.hint(Signal::Work);
    sleep(Duration::from_millis(1)).await;
    assert!(is_completed(&operator, hinted.id).await, "it heard of it");

    sleep(Duration::from_secs(70)).await;
    let silent = operator.submit(operator.order([iccid(2)], operator.amop_assignment())).await;
    sleep(Duration::from_millis(5_001)).await;
    assert!(is_completed(&operator, silent.id).await, "a hint that was lost costs a few seconds");

    process.hint(Signal::Deaf);
    sleep(Duration::from_secs(70)).await;
    let unheard = operator.submit(operator.order([iccid(3)], operator.amop_assignment())).await;
    sleep(Duration::from_millis(1_001)).await;
    assert!(is_completed(&operator, unheard.id).await, "where no hints come it looks every second");

    let missed = operator.submit(operator.order([iccid(4)], operator.amop_assignment())).await;
    process.hint(Signal::Heard);
    sleep(Duration::from_millis(1)).await;
    assert!(is_completed(&operator, missed.id).await, "what was announced before hints came again is looked for");
    process.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_falls_due_earlier_than_was_known_is_applied_at_a_hint() {
    let (operator, other) = alone(1).await;
    let process = Process::start(other, "scheduler");
    process.hint(Signal::Heard);
    let soon = EffectiveDate::Instant(operator.clock.now() + TimeDelta::seconds(70));
    let order = CustomerRatePlanOrder { effective_date: Some(soon), ..operator.plan_order(operator.plan) };
    let change = operator.run(operator.order([iccid(1)], Effect::CustomerRatePlanChange(order))).await;
    sleep(Duration::from_millis(69_999)).await;
    assert_eq!(operator.device(1).await.customer_rate_plan_id, None);
    sleep(Duration::from_millis(1)).await;
    process.hint(Signal::Queue);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(operator.device(1).await.customer_rate_plan_id, Some(operator.plan));
    // Whoever watches in this process hears of changes that others worked on.
    let mut watcher = process.engine.events().subscribe();
    while watcher.try_recv().is_ok() {}
    process.hint(Signal::Changed(operator.tenant(), change.id));
    let heard = watcher.recv().await.expect("an event");
    assert_eq!((heard.tenant, heard.bulk_change_id), (operator.tenant(), change.id));
    process.end().await;
}

#[tokio::test(start_paused = true)]
async fn idle_processes_that_hear_ask_the_store_seldom_and_not_in_step() {
    let (operator, other) = alone(1).await;
    let statements = async |engine: Engine, name: &str, signal: Signal| {
        let process = Process::start(engine, name);
        process.hint(signal);
        // It stays awake for a while.
        sleep(Duration::from_secs(70)).await;
        let before = operator.stored.statements_sent();
        sleep(Duration::from_secs(600)).await;
        let sent = operator.stored.statements_sent() - before;
        process.end().await;
        sent
    };
    let deaf = statements(other.clone(), "deaf", Signal::Deaf).await;
    let hears = statements(other.clone(), "hears", Signal::Heard).await;
    let another = statements(other, "another", Signal::Heard).await;
    println!("statements of an idle process in ten minutes: {deaf} without hints, {hears} and {another} with them");
    assert!(hears * 3 < deaf && another * 3 < deaf, "{hears} and {another} to {deaf}");
    assert_ne!(hears, another, "they look at moments of their own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_whole_processes_do_everything_once() {
    const LINES: u64 = 90;
    const DUE: u64 = 30;
    let limits = Limits { page_lines: 5, ..Limits::default() };
    let operator = Operator::with(LINES, limits, Options::default()).await;
    // A submission that was given up, entries that fall due on some lines, and changes of the others: all at the same time.
    let tenant = operator.tenant();
    let (given_up, rows) = judged(&operator, operator.amop_site, 5).await;
    let until = operator.clock.now() + TimeDelta::seconds(30);
    let dropped = operator.store.begin_receiving(tenant, &given_up, until, None).await.expect("begun");
    operator.store.append_received(tenant, dropped, &given_up, 0, rows[..3].to_vec(), until).await.expect("stored");
    let date = EffectiveDate::Instant(operator.clock.now() + TimeDelta::days(1));
    let order = CustomerRatePlanOrder { effective_date: Some(date), ..operator.plan_order(operator.plan) };
    operator.run(operator.order((1..=DUE).map(iccid), Effect::CustomerRatePlanChange(order))).await;
    operator.clock.advance(TimeDelta::days(1));
    let mut ids = Vec::new();
    for first in (DUE + 1..=LINES).step_by(20) {
        let order = operator.order((first..first + 20).map(iccid), operator.amop_assignment());
        ids.push(operator.submit(order).await.id);
    }

    let mut processes = Vec::new();
    for name in ["one", "two", "three"] {
        processes.push(Process::start(operator.second_engine(Options::default()).await, name));
    }
    let left = "SELECT (SELECT count(*) FROM device_bulk_change WHERE processed_at IS NULL)
            + (SELECT count(*) FROM customer_rate_plan_device_queue WHERE state = 'open') + (SELECT count(*) FROM outbox)";
    while operator.count(left).await > 0 {
        sleep(Duration::from_millis(20)).await;
    }
    for process in processes {
        process.end().await;
    }
    for (query, expected) in [
        ("SELECT count(*) FROM customer_rate_plan_device_queue WHERE state = 'applied'".to_owned(), 30),
        ("SELECT count(*) FROM device_action_history WHERE action = 'assignment'".to_owned(), 60),
        ("SELECT count(*) FROM device_bulk_change_log WHERE log_entry_description = 'Bulk Change Completed'".to_owned(), 4),
        ("SELECT count(*) FROM device_bulk_change_log WHERE entry = 2000".to_owned(), 30),
        (format!("SELECT count(*) FROM device_change WHERE bulk_change_id = {dropped}"), 0),
        ("SELECT count(*) FROM cross_provider_device_history WHERE valid_to IS NULL".to_owned(), 90),
    ] {
        assert_eq!(operator.count(&query).await, expected, "{query}");
    }
    for id in ids {
        assert_eq!(operator.outcomes(id).await, ["PROCESSED"; 20]);
    }
}
