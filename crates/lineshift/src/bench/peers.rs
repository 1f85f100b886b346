//! The peers: set-based SQL, and the seeds' design of four statements a device. Each leaves the rows that the engine leaves.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Datelike as _, Utc};
use lineshift_domain::ids::CustomerRatePlanId;
use lineshift_domain::order::{PlanValues, Setting, StoredOrder, StoredPlan};
use lineshift_engine::{Clock as _, SystemClock};
use rusqlite::Connection;
use rusqlite::types::Value;

use super::fleet::{Kind, NEW_ALLOCATION, NEW_PLAN, NEW_SITE, Size};
use super::per_device;
use super::script::{Script, Values, checkpoint, open};

/// Lines a page.
const PAGE: i64 = 5_000;

/// A page of a change: number, first and last row.
pub(super) type Page = (i64, i64, i64);

/// Runs a submitted change, set by set. Answers seconds.
pub(super) fn floor(file: &Path, kind: Kind) -> Result<f64> {
    let connection = open(file)?;
    let page = Script::new(match kind {
        Kind::PlanChange => include_str!("../../bench-sql/plan_change/page.sql"),
        Kind::AmopAssignment => include_str!("../../bench-sql/amop_assignment/page.sql"),
    });
    let pages = pages(&connection)?;
    let mut values = values(&connection, kind)?;
    let started = Instant::now();
    run_pages(&connection, &page, &pages, &mut values)?;
    complete(&connection, &pages, &mut values)?;
    checkpoint(&connection)?;
    Ok(started.elapsed().as_secs_f64())
}

/// Runs a submitted change, device by device. Answers seconds.
pub(super) fn per_device(file: &Path, kind: Kind) -> Result<f64> {
    let connection = open(file)?;
    let pages = pages(&connection)?;
    let mut values = values(&connection, kind)?;
    let started = Instant::now();
    per_device::run(&connection, kind, &pages, &values)?;
    set_now(&mut values);
    Script::new(include_str!("../../bench-sql/per_device/finish.sql")).run(&connection, &values)?;
    complete(&connection, &pages, &mut values)?;
    checkpoint(&connection)?;
    Ok(started.elapsed().as_secs_f64())
}

/// Stores an order after one look-up. Answers seconds.
pub(super) fn submission(file: &Path, body: Vec<u8>, size: Size) -> Result<f64> {
    let connection = open(file)?;
    let look_up = Script::new(include_str!("../../bench-sql/submission/look_up.sql"));
    let begin = Script::new(include_str!("../../bench-sql/submission/begin.sql"));
    let page = Script::new(include_str!("../../bench-sql/submission/page.sql"));
    let finish = Script::new(include_str!("../../bench-sql/submission/finish.sql"));
    let mut values = reasons(&connection, "Submit\n")?;
    let lines = i64::try_from(size.lines)?;
    values.set("$change", 1).set("$lines", lines).set("$first", 1).set("$order", plan_order()?).set("$plan", NEW_PLAN);
    values.set("$provider", 1).set("$key", 1).set("$by", "bench".to_owned());
    values.set("$body", String::from_utf8(body).context("the order is no text")?);
    let started = Instant::now();
    set_now(&mut values);
    look_up.run(&connection, &values)?;
    begin.run(&connection, &values)?;
    for (nth, from) in (1..=lines).step_by(PAGE.unsigned_abs() as usize).enumerate() {
        values.set("$page", i64::try_from(nth)?).set("$from", from).set("$to", lines.min(from + PAGE - 1));
        set_now(&mut values);
        page.run(&connection, &values)?;
    }
    finish.run(&connection, &values)?;
    checkpoint(&connection)?;
    Ok(started.elapsed().as_secs_f64())
}

fn run_pages(connection: &Connection, script: &Script, pages: &[Page], values: &mut Values) -> Result<()> {
    for (page, from, to) in pages {
        values.set("$page", *page).set("$from", *from).set("$to", *to);
        set_now(values);
        script.run(connection, values)?;
    }
    Ok(())
}

fn complete(connection: &Connection, pages: &[Page], values: &mut Values) -> Result<()> {
    let page = Script::new(include_str!("../../bench-sql/completion/page.sql"));
    run_pages(connection, &page, pages, values)?;
    set_now(values);
    Script::new(include_str!("../../bench-sql/completion/change.sql")).run(connection, values)
}

fn pages(connection: &Connection) -> Result<Vec<Page>> {
    let mut statement = connection.prepare("SELECT page, from_id, to_id FROM device_bulk_change_page ORDER BY page")?;
    let pages = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(pages.collect::<rusqlite::Result<_>>()?)
}

/// What the scripts of a change name.
fn values(connection: &Connection, kind: Kind) -> Result<Values> {
    let (first, lines, by): (i64, i64, String) = connection.query_row(
        "SELECT first_device_change_id, total_count, created_by FROM device_bulk_change WHERE tenant_id = 1 AND id = 1",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let mut values = reasons(connection, "Process\n")?;
    values.set("$change", 1).set("$first", first).set("$lines", lines).set("$by", by);
    match kind {
        Kind::PlanChange => values
            .set("$plan", NEW_PLAN)
            .set("$allocation", NEW_ALLOCATION.to_owned())
            .set("$entry", 40)
            .set("$action", "customer_rate_plan".to_owned())
            .set("$text", "Change Customer Rate Plan: Update AMOP".to_owned())
            .set(
                "$request",
                format!(
                    "usp_DeviceBulkChange_CustomerRatePlanChange_UpdateDevices\n\
                     plan {NEW_PLAN}, pool kept, allocation {NEW_ALLOCATION} MB, line "
                ),
            )
            .set("$response", format!("now plan {NEW_PLAN}, pool kept, allocation {NEW_ALLOCATION} MB")),
        Kind::AmopAssignment => values
            .set("$site", NEW_SITE)
            .set("$zone", "America/Chicago".to_owned())
            .set("$entry", 30)
            .set("$action", "assignment".to_owned())
            .set("$text", "AssignNonRevCustomer: Update AMOP".to_owned())
            .set("$request", format!("usp_DeviceBulkChange_Assign_Non_Rev_Customer\nsite {NEW_SITE}, line "))
            .set("$response", format!("assigned to site {NEW_SITE}")),
    };
    Ok(values)
}

/// The texts of refusals, as the engine writes them.
fn reasons(connection: &Connection, refused_request: &str) -> Result<Values> {
    let active: String = connection.query_row(
        "SELECT group_concat(status, ', ' ORDER BY status) FROM device_status WHERE integration_kind = 'Jasper' AND is_active_status",
        [],
        |row| row.get(0),
    )?;
    let mut values = Values::default();
    values
        .set("$tenant", 1)
        .set("$refused_request", refused_request.to_owned())
        .set("$archived", "the line is archived or deleted in the inventory".to_owned())
        .set("$not_active_1", "the line's status is \"".to_owned())
        .set("$not_active_2", format!("\"; active for Jasper are {active}"))
        .set(
            "$modified",
            "customer, site or plan of this line were changed after this order was judged; look at the line and order again"
                .to_owned(),
        );
    Ok(values)
}

fn set_now(values: &mut Values) {
    let now = SystemClock.now();
    values.set("$now", now.timestamp_micros()).set("$month", month(now));
}

/// The month of a log entry: 202612 for December 2026.
pub(super) fn month(now: DateTime<Utc>) -> i64 {
    i64::from(now.year()) * 100 + i64::from(now.month())
}

/// The order as the engine stores it.
fn plan_order() -> Result<Value> {
    let values = PlanValues {
        plan: Setting::Set(CustomerRatePlanId(NEW_PLAN)),
        pool: Setting::Keep,
        allocation_mb: Setting::Set(NEW_ALLOCATION.parse()?),
    };
    let order =
        StoredOrder::CustomerRatePlanChange(StoredPlan { values, effective_at: None, queued: false, replace_scheduled: false });
    Ok(serde_json::to_string(&order)?.into())
}
