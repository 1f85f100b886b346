//! The leanest way to leave the rows that the engine leaves: set-based SQL, each page one round trip; and `COPY` after one look-up.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::{Context as _, Result};
use lineshift_domain::ids::CustomerRatePlanId;
use lineshift_domain::order::{PlanValues, Setting, StoredOrder, StoredPlan};
use tokio_postgres::Client;

use super::prepare::copy;
use super::texts::{Literals, Texts};
use crate::bench::fleet::{Kind, NEW_ALLOCATION, NEW_PLAN, Size};

/// A page of a change: number, first and last row.
pub(super) type Page = (i32, i64, i64);

/// What the peers tell the planner: a page is looked up line by line.
pub(super) const SESSION: &str = "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off";

/// Runs a submitted change, set by set. Answers seconds.
pub(super) async fn floor(client: &Client, kind: Kind) -> Result<f64> {
    client.batch_execute(SESSION).await?;
    let script = match kind {
        Kind::PlanChange => include_str!("../../../bench-sql/postgres/plan_change.sql"),
        Kind::AmopAssignment => include_str!("../../../bench-sql/postgres/amop_assignment.sql"),
    };
    let pages = pages(client).await?;
    let mut literals = Texts::read(client, kind, "Process").await?.literals();
    let started = Instant::now();
    run_pages(client, script, &pages, &mut literals).await?;
    complete(client, &pages, &mut literals).await?;
    Ok(started.elapsed().as_secs_f64())
}

/// Completes what was done page by page or device by device.
pub(super) async fn complete(client: &Client, pages: &[Page], literals: &mut Literals) -> Result<()> {
    run_pages(client, include_str!("../../../bench-sql/postgres/complete_page.sql"), pages, literals).await?;
    let change = include_str!("../../../bench-sql/postgres/complete_change.sql");
    client.batch_execute(&literals.now().fill(change)?).await.context("completing the change")
}

/// The end of what ran device by device: counts, then completion.
pub(super) async fn finish_devices(client: &Client, pages: &[Page], literals: &mut Literals) -> Result<()> {
    let (first, last) = (pages.first().map_or(1, |page| page.1), pages.last().map_or(0, |page| page.2));
    literals.number("$first", first).number("$last", last).now();
    let finish = literals.fill(include_str!("../../../bench-sql/postgres/finish_devices.sql"))?;
    client.batch_execute(&finish).await.context("counting what was done")?;
    complete(client, pages, literals).await
}

async fn run_pages(client: &Client, script: &str, pages: &[Page], literals: &mut Literals) -> Result<()> {
    for (page, from, to) in pages {
        literals.number("$page", i64::from(*page)).number("$from", *from).number("$to", *to).now();
        client.batch_execute(&literals.fill(script)?).await.with_context(|| format!("running page {page}"))?;
    }
    Ok(())
}

/// The pages of the change.
pub(super) async fn pages(client: &Client) -> Result<Vec<Page>> {
    let sql = "SELECT page, from_id, to_id FROM device_bulk_change_page WHERE tenant_id = 1 AND bulk_change_id = 1 ORDER BY page";
    Ok(client.query(sql, &[]).await?.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect())
}

/// Stores an order by `COPY` after one look-up. Answers seconds.
pub(super) async fn submission(client: &Client, body: &[u8], size: Size) -> Result<f64> {
    client.batch_execute(SESSION).await?;
    let texts = Texts::read(client, Kind::PlanChange, "Submit").await?;
    let mut literals = texts.literals();
    literals.number("$provider", 1).number("$key", 1).number("$lines", i64::try_from(size.lines)?);
    literals.text("$order", &plan_order()?);
    let started = Instant::now();
    let request: serde_json::Value = serde_json::from_slice(body).context("reading the order")?;
    let named = request["Devices"].as_array().context("the order names lines")?;
    let iccids: Vec<&str> = named.iter().filter_map(serde_json::Value::as_str).collect();
    let found = client
        .query(
            "SELECT n.position - 1, n.iccid, d.id, d.is_archived = 1, d.status, dt.version
             FROM unnest($1::text[]) WITH ORDINALITY AS n (iccid, position)
             JOIN device d ON d.tenant_id = 1 AND d.iccid = n.iccid
             JOIN device_tenant dt ON dt.tenant_id = 1 AND dt.device_id = d.id
             ORDER BY d.id",
            &[&iccids],
        )
        .await
        .context("looking the lines up")?;
    let now = lineshift_engine::Clock::now(&lineshift_engine::SystemClock).timestamp_micros();
    let mut refused = 0;
    let mut rows = Vec::with_capacity(found.len());
    for (nth, row) in found.iter().enumerate() {
        let line = Line { position: row.get(0), iccid: row.get(1), device: row.get(2), archived: row.get(3), status: row.get(4) };
        refused += i64::from(line.is_refused());
        rows.push(line.row(nth + 1, row.get(5), &texts, now)?);
    }
    literals.number("$refused", refused).now();
    let begin = literals.fill(include_str!("../../../bench-sql/postgres/submit_begin.sql"))?;
    client.batch_execute(&begin).await.context("storing the change")?;
    let columns = "tenant_id, id, bulk_change_id, request_position, device_id, iccid, judged_version, holds, status, error_kind,
        error_code, status_details, is_processed, processed_at, attempt";
    copy(client, &format!("COPY device_change ({columns}) FROM STDIN"), rows.into_iter()).await?;
    let finish = literals.fill(include_str!("../../../bench-sql/postgres/submit_finish.sql"))?;
    client.batch_execute(&finish).await.context("ending the submission")?;
    Ok(started.elapsed().as_secs_f64())
}

/// A line as the look-up found it.
struct Line<'r> {
    position: i64,
    iccid: &'r str,
    device: i64,
    archived: bool,
    status: &'r str,
}

impl Line<'_> {
    fn is_refused(&self) -> bool {
        self.archived || self.status != "ACTIVATED"
    }

    /// As `COPY` takes it. Nothing in it needs escaping but what the refusal's text may hold: nothing, either.
    fn row(&self, id: usize, version: i64, texts: &Texts, now: i64) -> Result<String> {
        let Self { position, iccid, device, .. } = self;
        let mut row = String::with_capacity(200);
        write!(row, "1\t{id}\t1\t{position}\t{device}\t{iccid}\t")?;
        if self.archived {
            writeln!(row, "\\N\t0\tERROR\tELIGIBILITY\tdevice_archived\t{}\t0\t{now}\t1", texts.archived)?;
        } else if self.is_refused() {
            let (before, after) = &texts.not_active;
            writeln!(row, "\\N\t0\tERROR\tELIGIBILITY\tdevice_not_active\t{before}{}{after}\t0\t{now}\t1", self.status)?;
        } else {
            writeln!(row, "{version}\t1\tNEW\t\\N\t\\N\t\\N\t0\t\\N\t1")?;
        }
        Ok(row)
    }
}

/// The order as the engine stores it.
fn plan_order() -> Result<String> {
    let values = PlanValues {
        plan: Setting::Set(CustomerRatePlanId(NEW_PLAN)),
        pool: Setting::Keep,
        allocation_mb: Setting::Set(NEW_ALLOCATION.parse()?),
    };
    let order =
        StoredOrder::CustomerRatePlanChange(StoredPlan { values, effective_at: None, queued: false, replace_scheduled: false });
    Ok(serde_json::to_string(&order)?)
}
