//! A plan change as one job a device, by graphile_worker: the same writes in its handler as the other peers do, in a transaction
//! a job. Arguments: the database's URL, how many jobs at a time, the plan, the allocation, and the texts as JSON.
//!
//! Says `ready` once its jobs are queued, begins when a line comes, and prints its seconds as JSON. It fetches jobs by the hundred
//! and completes them in batches, as its documentation advises for throughput.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use graphile_worker::{IntoTaskHandlerResult, LocalQueueConfig, TaskHandler, WorkerContext, WorkerOptions};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, Notify};
use tokio_postgres::{Client, NoTls, Statement};

const READ: &str = "SELECT dc.device_id, dc.iccid, d.is_archived = 1, d.status, dt.version = dc.judged_version,
    '{\"customer_rate_plan_id\":' || coalesce(dt.customer_rate_plan_id::text, 'null')
        || ',\"customer_rate_pool_id\":' || coalesce(dt.customer_rate_pool_id::text, 'null')
        || ',\"customer_data_allocation_mb\":' || coalesce('\"' || dt.customer_data_allocation_mb || '\"', 'null') || '}',
    '{\"customer_rate_plan_id\":' || $2::bigint || ',\"customer_rate_pool_id\":' || coalesce(dt.customer_rate_pool_id::text, 'null')
        || ',\"customer_data_allocation_mb\":\"' || $3::text || '\"}',
    (extract(epoch FROM now()) * 1000000)::bigint, to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')::integer
    FROM device_change dc
    JOIN device d ON d.tenant_id = 1 AND d.id = dc.device_id
    JOIN device_tenant dt ON dt.tenant_id = 1 AND dt.device_id = dc.device_id
    WHERE dc.tenant_id = 1 AND dc.id = $1 AND dc.status = 'NEW'";

const UPDATE: &str = "UPDATE device_tenant SET
    customer_rate_plan_id = $3, customer_data_allocation_mb = $4, version = version + 1, modified_by = 'bench', modified_at = $2
    WHERE tenant_id = 1 AND device_id = $1";

const MARK: &str = "UPDATE device_change SET
    status = $3, error_kind = $4, error_code = $5, status_details = $6, is_processed = $7, processed_at = $2, holds = 0
    WHERE tenant_id = 1 AND id = $1";

const LOG: &str = "INSERT INTO device_bulk_change_log (
    tenant_id, bulk_change_id, device_change_id, attempt, entry, month, portal_type, log_entry_description, process_by,
    processed_at, request_text, response_text, error_text, has_errors, response_status)
    VALUES (1, 1, $1, 1, $3, $4, 0, $5, 'AltaworxDeviceBulkChange', $2, $6, $7, $8, CASE WHEN $8::text IS NULL THEN 0 ELSE 1 END, $9)";

const HISTORY: &str = "INSERT INTO device_action_history
    (tenant_id, device_id, at, bulk_change_id, attempt, entry, month, action, old_value, new_value, changed_by)
    VALUES (1, $1, $2, 1, 1, 40, $3, 'customer_rate_plan', $4, $5, 'bench')";

/// What is written; the benchmark says it.
#[derive(Debug, Deserialize)]
struct Texts {
    entry: i64,
    text: String,
    request: String,
    response: String,
    refused_request: String,
    archived: String,
    not_active: (String, String),
    modified: String,
}

/// Connections of the handlers, their statements prepared; each job takes the next.
#[derive(Clone)]
struct Sessions(Arc<Shared>);

struct Shared {
    sessions: Vec<Mutex<Session>>,
    next: AtomicUsize,
    texts: Texts,
    plan: i64,
    allocation: String,
    open: AtomicU64,
    done: Notify,
}

struct Session {
    client: Client,
    read: Statement,
    update: Statement,
    mark: Statement,
    log: Statement,
    history: Statement,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} connections", self.0.sessions.len())
    }
}

/// One job: one row of the change.
#[derive(Debug, Serialize, Deserialize)]
struct ChangePlan {
    id: i64,
}

impl TaskHandler for ChangePlan {
    const IDENTIFIER: &'static str = "change_plan";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let Some(Sessions(shared)) = context.get_ext::<Sessions>() else { return Err("no connections".to_owned()) };
        let nth = shared.next.fetch_add(1, Ordering::Relaxed) % shared.sessions.len();
        let session = shared.sessions[nth].lock().await;
        session.change(shared, self.id).await.map_err(|error| format!("{error:#}"))?;
        if shared.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            shared.done.notify_one();
        }
        Ok(())
    }
}

impl Session {
    async fn open(url: &str) -> Result<Self> {
        let client = connect(url).await?;
        let (read, update, mark) = (client.prepare(READ).await?, client.prepare(UPDATE).await?, client.prepare(MARK).await?);
        let (log, history) = (client.prepare(LOG).await?, client.prepare(HISTORY).await?);
        Ok(Self { client, read, update, mark, log, history })
    }

    async fn change(&self, shared: &Shared, id: i64) -> Result<()> {
        let (client, texts) = (&self.client, &shared.texts);
        client.batch_execute("BEGIN").await?;
        let Some(row) = client.query_opt(&self.read, &[&id, &shared.plan, &shared.allocation]).await? else {
            client.batch_execute("COMMIT").await?;
            return Ok(());
        };
        let (device, iccid, archived, status): (i64, &str, bool, &str) = (row.get(0), row.get(1), row.get(2), row.get(3));
        let (unchanged, old, new): (bool, &str, &str) = (row.get(4), row.get(5), row.get(6));
        let (now, month): (i64, i32) = (row.get(7), row.get(8));
        let refused = if archived {
            Some(("ELIGIBILITY", "device_archived", texts.archived.clone()))
        } else if status != "ACTIVATED" {
            let details = format!("{}{status}{}", texts.not_active.0, texts.not_active.1);
            Some(("ELIGIBILITY", "device_not_active", details))
        } else {
            (!unchanged).then(|| ("CONFLICT", "modified_meanwhile", texts.modified.clone()))
        };
        let none: Option<&str> = None;
        if let Some((kind, code, details)) = refused {
            client.execute(&self.mark, &[&id, &now, &"ERROR", &kind, &code, &details, &0_i16]).await?;
            let (request, error) = (format!("{}{iccid}", texts.refused_request), format!("{code}: {details}"));
            let text = "Process: Device Refused";
            client.execute(&self.log, &[&id, &now, &0_i64, &month, &text, &request, &none, &error, &"ERROR"]).await?;
        } else {
            client.execute(&self.update, &[&device, &now, &shared.plan, &shared.allocation]).await?;
            client.execute(&self.mark, &[&id, &now, &"PROCESSED", &none, &none, &none, &1_i16]).await?;
            let request = format!("{}{iccid}", texts.request);
            let (entry, text, response) = (&texts.entry, &texts.text, &texts.response);
            client.execute(&self.log, &[&id, &now, entry, &month, text, &request, response, &none, &"PROCESSED"]).await?;
            client.execute(&self.history, &[&device, &now, &month, &old, &new]).await?;
        }
        client.batch_execute("COMMIT").await?;
        Ok(())
    }
}

async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("connecting")?;
    tokio::spawn(connection);
    Ok(client)
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, at_a_time, plan, allocation, texts] = arguments.as_slice() else {
        anyhow::bail!("arguments: URL CONCURRENCY PLAN ALLOCATION TEXTS");
    };
    let at_a_time: usize = at_a_time.parse().context("reading how many jobs at a time")?;
    let mut sessions = Vec::with_capacity(at_a_time);
    for _ in 0..at_a_time {
        sessions.push(Mutex::new(Session::open(url).await?));
    }
    let shared = Arc::new(Shared {
        sessions,
        next: AtomicUsize::new(0),
        texts: serde_json::from_str(texts).context("reading the texts")?,
        plan: plan.parse().context("reading the plan")?,
        allocation: allocation.clone(),
        open: AtomicU64::new(0),
        done: Notify::new(),
    });
    let worker = WorkerOptions::default()
        .concurrency(at_a_time)
        .max_pg_conn(u32::try_from(at_a_time)? + 2)
        .database_url(url)
        .local_queue(LocalQueueConfig::default().with_size(100))
        .complete_job_batch_delay(Duration::from_millis(2))
        .listen_os_shutdown_signals(false)
        .add_extension(Sessions(Arc::clone(&shared)))
        .define_job::<ChangePlan>()
        .init()
        .await
        .map_err(|error| anyhow::anyhow!("making the worker: {error}"))?;
    let client = connect(url).await?;
    let queue = "SELECT graphile_worker.add_job('change_plan', json_build_object('id', id)) FROM device_change
        WHERE tenant_id = 1 AND bulk_change_id = 1";
    let jobs =
        client.query(&format!("SELECT count(*) FROM ({queue} OFFSET 0) AS queued"), &[]).await.context("queueing the jobs")?;
    let jobs: i64 = jobs.first().context("a count answers a row")?.get(0);
    ensure!(jobs > 0, "there is nothing to do");
    shared.open.store(jobs.unsigned_abs(), Ordering::Release);
    for settle in ["VACUUM ANALYZE graphile_worker._private_jobs", "CHECKPOINT"] {
        client.batch_execute(settle).await.context("settling the queue")?;
    }
    println!("ready");
    let told = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
    ensure!(told > 0, "nobody said when to begin");
    let started = Instant::now();
    let worker = Arc::new(worker);
    let running = tokio::spawn({
        let worker = Arc::clone(&worker);
        async move { worker.run().await }
    });
    shared.done.notified().await;
    worker.request_shutdown();
    running.await?.map_err(|error| anyhow::anyhow!("running the worker: {error}"))?;
    let seconds = started.elapsed().as_secs_f64();
    let left: i64 = client.query_one("SELECT count(*) FROM graphile_worker._private_jobs", &[]).await?.get(0);
    ensure!(left == 0, "{left} jobs are left");
    println!("{}", serde_json::json!({ "seconds": seconds, "peak_rss_mb": 0.0 }));
    Ok(())
}
