//! The seeds' design and its kin: a plan change by four statements a device, in a transaction a page of 100 or a device, on one
//! connection or several, waiting for each answer or pipelined. Statements are prepared; refused lines take two.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use futures::future::{BoxFuture, FutureExt as _, try_join_all};
use lineshift_engine::{Clock as _, SystemClock};
use tokio_postgres::{Client, Config, Statement};

use super::floor::{self, Page};
use super::server::connect;
use super::texts::{Texts, month};
use crate::bench::fleet::{Kind, NEW_ALLOCATION, NEW_PLAN};

/// Rows that are read at a time.
const ROWS: i64 = 100;

/// What is committed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Design {
    /// A page of 100 rows; each statement waits for its answer.
    Pages,
    /// A page of 100 rows, its statements sent without waiting.
    Pipelined,
    /// One device.
    Devices,
}

const READ: &str = "SELECT dc.id, dc.device_id, dc.iccid, d.is_archived = 1, d.status, dt.version = dc.judged_version,
    '{\"customer_rate_plan_id\":' || coalesce(dt.customer_rate_plan_id::text, 'null')
        || ',\"customer_rate_pool_id\":' || coalesce(dt.customer_rate_pool_id::text, 'null')
        || ',\"customer_data_allocation_mb\":' || coalesce('\"' || dt.customer_data_allocation_mb || '\"', 'null') || '}',
    '{\"customer_rate_plan_id\":' || $3::bigint || ',\"customer_rate_pool_id\":' || coalesce(dt.customer_rate_pool_id::text, 'null')
        || ',\"customer_data_allocation_mb\":\"' || $4::text || '\"}'
    FROM device_change dc
    JOIN device d ON d.tenant_id = 1 AND d.id = dc.device_id
    JOIN device_tenant dt ON dt.tenant_id = 1 AND dt.device_id = dc.device_id
    WHERE dc.tenant_id = 1 AND dc.id BETWEEN $1 AND $2 AND dc.status = 'NEW'
    ORDER BY dc.id";

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

/// One connection with its statements.
struct Session {
    client: Client,
    read: Statement,
    update: Statement,
    mark: Statement,
    log: Statement,
    history: Statement,
    texts: Texts,
}

/// One row of a page with its line.
struct Line {
    row: i64,
    device: i64,
    iccid: String,
    archived: bool,
    status: String,
    unchanged: bool,
    old: String,
    new: String,
}

/// How a refused row ends.
struct Refused {
    kind: &'static str,
    code: &'static str,
    details: String,
}

impl Line {
    fn refused(&self, texts: &Texts) -> Option<Refused> {
        if self.archived {
            return Some(Refused { kind: "ELIGIBILITY", code: "device_archived", details: texts.archived.clone() });
        }
        if self.status != "ACTIVATED" {
            let details = format!("{}{}{}", texts.not_active.0, self.status, texts.not_active.1);
            return Some(Refused { kind: "ELIGIBILITY", code: "device_not_active", details });
        }
        (!self.unchanged).then(|| Refused { kind: "CONFLICT", code: "modified_meanwhile", details: texts.modified.clone() })
    }
}

/// Runs a submitted plan change on so many connections. Answers seconds.
pub(super) async fn run(config: &Config, design: Design, connections: usize) -> Result<f64> {
    let first = connect(config).await?;
    let pages = floor::pages(&first).await?;
    let (from, to) = (pages.first().map_or(1, |page| page.1), pages.last().map_or(0, |page| page.2));
    let mut sessions = Vec::with_capacity(connections);
    for _ in 0..connections {
        sessions.push(Session::open(config).await?);
    }
    let next = Arc::new(AtomicI64::new(from));
    let started = Instant::now();
    let mut running = Vec::new();
    for session in sessions {
        let next = Arc::clone(&next);
        running.push(tokio::spawn(async move { session.run_pages(design, &next, to).await }));
    }
    for task in running {
        task.await.context("a connection's task ended")??;
    }
    finish(&first, &pages).await?;
    Ok(started.elapsed().as_secs_f64())
}

/// Counts and completes what was done device by device. Answers seconds.
pub(super) async fn finish(client: &Client, pages: &[Page]) -> Result<f64> {
    let started = Instant::now();
    client.batch_execute(floor::SESSION).await?;
    let mut literals = Texts::read(client, Kind::PlanChange, "Process").await?.literals();
    floor::finish_devices(client, pages, &mut literals).await?;
    Ok(started.elapsed().as_secs_f64())
}

impl Session {
    async fn open(config: &Config) -> Result<Self> {
        let client = connect(config).await?;
        client.batch_execute(floor::SESSION).await?;
        let texts = Texts::read(&client, Kind::PlanChange, "Process").await?;
        let (read, update, mark) = (client.prepare(READ).await?, client.prepare(UPDATE).await?, client.prepare(MARK).await?);
        let (log, history) = (client.prepare(LOG).await?, client.prepare(HISTORY).await?);
        Ok(Self { client, read, update, mark, log, history, texts })
    }

    async fn run_pages(&self, design: Design, next: &AtomicI64, last: i64) -> Result<()> {
        loop {
            let from = next.fetch_add(ROWS, Ordering::Relaxed);
            if from > last {
                return Ok(());
            }
            let to = last.min(from + ROWS - 1);
            if design == Design::Devices {
                for line in self.read(from, to).await? {
                    self.client.batch_execute("BEGIN").await?;
                    for write in self.writes(&line) {
                        write.await?;
                    }
                    self.client.batch_execute("COMMIT").await?;
                }
                continue;
            }
            self.client.batch_execute("BEGIN").await?;
            let lines = self.read(from, to).await?;
            if design == Design::Pipelined {
                try_join_all(lines.iter().flat_map(|line| self.writes(line))).await?;
            } else {
                for line in &lines {
                    for write in self.writes(line) {
                        write.await?;
                    }
                }
            }
            self.client.batch_execute("COMMIT").await?;
        }
    }

    async fn read(&self, from: i64, to: i64) -> Result<Vec<Line>> {
        let rows = self.client.query(&self.read, &[&from, &to, &NEW_PLAN, &NEW_ALLOCATION]).await?;
        let line = |row: &tokio_postgres::Row| Line {
            row: row.get(0),
            device: row.get(1),
            iccid: row.get(2),
            archived: row.get(3),
            status: row.get(4),
            unchanged: row.get(5),
            old: row.get(6),
            new: row.get(7),
        };
        Ok(rows.iter().map(line).collect())
    }

    /// The writes of one line, each sent when it is first polled.
    fn writes<'s>(&'s self, line: &'s Line) -> Vec<BoxFuture<'s, Result<()>>> {
        let at = SystemClock.now();
        let (now, month) = (at.timestamp_micros(), i32::try_from(month(at)).unwrap_or_default());
        match line.refused(&self.texts) {
            None => vec![
                self.set_plan(line, now).boxed(),
                self.mark(line, now, None).boxed(),
                self.log(line, (now, month), None).boxed(),
                self.record(line, (now, month)).boxed(),
            ],
            Some(refused) => {
                let refused = Arc::new(refused);
                vec![
                    self.mark(line, now, Some(Arc::clone(&refused))).boxed(),
                    self.log(line, (now, month), Some(refused)).boxed(),
                ]
            }
        }
    }

    async fn set_plan(&self, line: &Line, now: i64) -> Result<()> {
        let changed = self.client.execute(&self.update, &[&line.device, &now, &NEW_PLAN, &NEW_ALLOCATION]).await?;
        ensure!(changed == 1, "a line is gone");
        Ok(())
    }

    async fn mark(&self, line: &Line, now: i64, refused: Option<Arc<Refused>>) -> Result<()> {
        let refused = refused.as_deref();
        let (status, done) = if refused.is_some() { ("ERROR", 0_i16) } else { ("PROCESSED", 1) };
        let (kind, code) = (refused.map(|refused| refused.kind), refused.map(|refused| refused.code));
        let details = refused.map(|refused| refused.details.as_str());
        self.client.execute(&self.mark, &[&line.row, &now, &status, &kind, &code, &details, &done]).await?;
        Ok(())
    }

    async fn log(&self, line: &Line, (now, month): (i64, i32), refused: Option<Arc<Refused>>) -> Result<()> {
        let texts = &self.texts;
        let error = refused.as_deref().map(|refused| format!("{}: {}", refused.code, refused.details));
        let (entry, text, request, response, status) = match error {
            None => (texts.entry, texts.text, &texts.request, Some(&texts.response), "PROCESSED"),
            Some(_) => (0, "Process: Device Refused", &texts.refused_request, None, "ERROR"),
        };
        let request = format!("{request}{}", line.iccid);
        self.client.execute(&self.log, &[&line.row, &now, &entry, &month, &text, &request, &response, &error, &status]).await?;
        Ok(())
    }

    async fn record(&self, line: &Line, (now, month): (i64, i32)) -> Result<()> {
        self.client.execute(&self.history, &[&line.device, &now, &month, &line.old, &line.new]).await?;
        Ok(())
    }
}
