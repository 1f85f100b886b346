//! Processes that share a database, and how a test waits for them.

use std::time::Duration;

use lineshift_engine::{Engine, ShutdownSender, WorkerOptions, shutdown};
use lineshift_testkit::operator::Operator;
use tokio::task::JoinSet;

/// Two processes, each with connections of its own: worker, scheduler and listener.
pub(crate) struct Workers {
    stop: ShutdownSender,
    tasks: JoinSet<()>,
}

impl Workers {
    pub(crate) fn start(engines: Vec<Engine>) -> Self {
        let (stop, stopped) = shutdown();
        let mut tasks = JoinSet::new();
        for (nth, engine) in engines.into_iter().enumerate() {
            let options = WorkerOptions { owner: format!("worker_{nth}") };
            let engine = engine.named(options.owner.clone());
            let (stopped, again, still) = (stopped.clone(), stopped.clone(), stopped.clone());
            tasks.spawn(async move {
                tokio::join!(engine.run_worker(options, stopped), engine.run_scheduler(again), engine.run_listener(still));
            });
        }
        Self { stop, tasks }
    }

    pub(crate) async fn end(mut self) {
        self.stop.stop();
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("no worker panics");
        }
    }
}

/// Waits until a query answers something else than 0, in real time.
pub(crate) async fn until(operator: &Operator, query: &str) {
    let asked = async {
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        loop {
            looks.tick().await;
            // Nobody answers while the server is away.
            if operator.stored.inspect(query).await.is_ok_and(|rows| rows[0][0] != "0") {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(120), asked).await.unwrap_or_else(|_| panic!("never: {query}"));
}

/// Whether everything that was ordered has ended: a query for [`until`].
pub(crate) const ALL_ENDED: &str = "SELECT 1 - count(*) FROM (
    SELECT FROM device_bulk_change WHERE processed_at IS NULL
    UNION ALL SELECT FROM customer_rate_plan_device_queue WHERE state = 'open'
    UNION ALL SELECT FROM outbox LIMIT 1) AS left_over";
