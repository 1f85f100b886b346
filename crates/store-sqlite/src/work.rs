//! Claiming, running and completing pages.

mod complete;
mod page;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, IntegrationAuthenticationId, TenantId};
use lineshift_domain::log_text::{LogText, PROCESS_BY, entry};
use lineshift_store::bulk_changes::BulkChangeView;
use lineshift_store::work::{Backlog, Message, PageClaim, PageResult, PageTask, PageWork, Runnable, RunnableChange, WorkStore};
use lineshift_store::{Result, StoreError};

use self::complete::Completing;
use self::page::{WaitingRows, waiting_rows};
use crate::SqliteStore;
use crate::connection::Sql;
use crate::row::{Columns as _, micros, month};
use crate::sql::{completion, pages, waiting};

#[async_trait]
impl WorkStore for SqliteStore {
    async fn list_runnable(&self) -> Result<Vec<Runnable>> {
        self.database
            .read(|sql| {
                sql.query(pages::LIST_RUNNABLE, &[], |row| {
                    let change = RunnableChange { tenant_id: TenantId(row.get(0)?), bulk_change_id: BulkChangeId(row.get(1)?) };
                    let account = row.get::<_, Option<i64>>(2)?.map(IntegrationAuthenticationId);
                    Ok(Runnable { change, account, is_canceled: row.get(3)?, has_open_rows: row.get(4)? })
                })
            })
            .await
    }

    async fn claim_page(
        &self,
        change: RunnableChange,
        owner: &str,
        lease_until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Option<PageClaim>> {
        let owner = owner.to_owned();
        self.database.write(move |sql| claim(sql, change, &owner, lease_until, now)).await
    }

    async fn renew_lease(&self, claim: &PageClaim, lease_until: DateTime<Utc>) -> Result<()> {
        let held = claim.clone();
        self.database.write(move |sql| touch(sql, pages::RENEW_LEASE, &held, lease_until)).await
    }

    async fn give_back_page(&self, claim: &PageClaim, now: DateTime<Utc>) -> Result<()> {
        let held = claim.clone();
        self.database.write(move |sql| touch(sql, pages::GIVE_BACK, &held, now)).await
    }

    async fn open_page(&self, claim: &PageClaim, now: DateTime<Utc>) -> Result<Box<dyn PageWork>> {
        Ok(Box::new(page::SqlitePage::open(&self.database, claim, now).await?))
    }

    async fn complete_page(&self, claim: &PageClaim, now: DateTime<Utc>) -> Result<()> {
        let held = claim.clone();
        self.database.write(move |sql| complete::complete_page(sql, &held, now)).await
    }

    async fn complete_bulk_change(&self, change: RunnableChange, now: DateTime<Utc>) -> Result<Option<BulkChangeView>> {
        loop {
            match self.database.write(move |sql| complete::complete_change(sql, change, now)).await? {
                Completing::EntriesLeft => {}
                Completing::NotYet => return Ok(None),
                Completing::Completed(view) => return Ok(Some(*view)),
            }
        }
    }

    async fn fail_page(&self, claim: &PageClaim, code: Code, text: &str, now: DateTime<Utc>) -> Result<PageResult> {
        let (held, text) = (claim.clone(), text.to_owned());
        self.database.write(move |sql| fail(sql, &held, code, &text, now)).await
    }

    async fn cancel_queue_entries(&self, tenant: TenantId, id: BulkChangeId, by: &str, now: DateTime<Utc>) -> Result<u64> {
        let mut canceled = 0;
        loop {
            let by = by.to_owned();
            let some = self.database.write(move |sql| complete::cancel_entries(sql, tenant, id, &by, now)).await?;
            if some == 0 {
                return Ok(canceled);
            }
            canceled += some;
        }
    }

    async fn take_messages(&self, limit: usize) -> Result<Vec<Message>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.database
            .write(move |sql| {
                sql.query(completion::TAKE_MESSAGES, &[&limit], |row| {
                    Ok(Message {
                        tenant_id: TenantId(row.get(0)?),
                        id: row.get(1)?,
                        kind: row.get(2)?,
                        bulk_change_id: BulkChangeId(row.get(3)?),
                        created_at: row.time(4)?,
                    })
                })
            })
            .await
    }

    async fn measure(&self, now: DateTime<Utc>) -> Result<Backlog> {
        self.database.read(move |sql| measure(sql, now)).await
    }
}

fn claim(
    sql: &Sql<'_>,
    change: RunnableChange,
    owner: &str,
    lease_until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<PageClaim>> {
    let (tenant, id) = (change.tenant_id, change.bulk_change_id);
    for (state, task) in [("ready", PageTask::Run), ("done", PageTask::Complete)] {
        let claimed =
            sql.find(pages::CLAIM_PAGE, &[&tenant.0, &id.0, &state, &micros(lease_until), &owner, &micros(now)], |row| {
                Ok(PageClaim {
                    tenant_id: tenant,
                    bulk_change_id: id,
                    page: row.get(0)?,
                    from_id: DeviceChangeId(row.get(1)?),
                    to_id: DeviceChangeId(row.get(2)?),
                    epoch: row.get(3)?,
                    failures: row.get(4)?,
                    task,
                    lost_lease_until: row.maybe_time(5)?,
                })
            })?;
        if let Some(claim) = claimed {
            if claim.epoch == 1 {
                sql.execute(pages::BEGIN_CHANGE, &[&tenant.0, &id.0, &micros(now)])?;
            }
            return Ok(Some(claim));
        }
        // A page that is still to be run is in other hands: completing waits for it.
        if sql.find(pages::HAS_PAGE, &[&tenant.0, &id.0, &state], |_| Ok(()))?.is_some() {
            return Ok(None);
        }
    }
    Ok(None)
}

/// Renews or gives back a lease; `LeaseLost` when the page is in other hands or closed.
fn touch(sql: &Sql<'_>, statement: &str, claim: &PageClaim, lease_until: DateTime<Utc>) -> Result<()> {
    let epoch = epoch_of(sql, claim)?;
    let key: [&dyn rusqlite::ToSql; 5] = [&claim.tenant_id.0, &claim.bulk_change_id.0, &claim.page, &epoch, &micros(lease_until)];
    if sql.execute(statement, &key)? == 0 { Err(lease_lost(claim)) } else { Ok(()) }
}

pub(crate) fn lease_lost(claim: &PageClaim) -> StoreError {
    StoreError::LeaseLost { what: format!("page {} of bulk change {}", claim.page, claim.bulk_change_id) }
}

/// The epoch that a page must have for its claim to hold: the claim's. In the negative build, whichever the page has.
pub(crate) fn epoch_of(sql: &Sql<'_>, claim: &PageClaim) -> Result<i64> {
    if cfg!(feature = "negative-no-epoch-check") {
        let (tenant, change) = (claim.tenant_id.0, claim.bulk_change_id.0);
        return Ok(sql.find(waiting::FIND_EPOCH, &[&tenant, &change, &claim.page], |row| row.get(0))?.unwrap_or(claim.epoch));
    }
    Ok(claim.epoch)
}

/// How a page is closed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closed {
    state: &'static str,
    /// Until when it waits.
    lease_until: Option<i64>,
    /// Whether what a lost lease meant is settled, so that nobody need take it into account any more.
    cleanly: bool,
}

impl Closed {
    /// Its rows are final, or some of them wait.
    pub(crate) fn after_run(waits: Option<WaitingRows>, cleanly: bool) -> Self {
        let state = if waits.is_some() { "ready" } else { "done" };
        Self { state, lease_until: waits.map(|waits| waits.until), cleanly }
    }

    /// History and links are written.
    pub(crate) const fn completed() -> Self {
        Self { state: "completed", lease_until: None, cleanly: true }
    }
}

/// Closes a page; `LeaseLost` when it is in other hands or closed.
pub(crate) fn close(sql: &Sql<'_>, claim: &PageClaim, how: Closed) -> Result<()> {
    let Closed { state, lease_until, cleanly } = how;
    let (tenant, change) = (claim.tenant_id.0, claim.bulk_change_id.0);
    let epoch = epoch_of(sql, claim)?;
    let closed = sql.execute(pages::CLOSE_PAGE, &[&tenant, &change, &claim.page, &epoch, &state, &lease_until, &cleanly])?;
    if closed == 0 { Err(lease_lost(claim)) } else { Ok(()) }
}

/// Keeps the counts of a change with the rows that just became final.
pub(crate) fn count(sql: &Sql<'_>, claim: &PageClaim, result: PageResult) -> Result<PageResult> {
    let open_left = sql.find(
        pages::COUNT_PAGE,
        &[&claim.tenant_id.0, &claim.bulk_change_id.0, &result.processed, &result.refused, &result.canceled],
        |row| row.get(0),
    )?;
    Ok(PageResult { open_left: open_left.ok_or_else(|| StoreError::not_found("bulk change", claim.bulk_change_id))?, ..result })
}

fn fail(sql: &Sql<'_>, claim: &PageClaim, code: Code, text: &str, now: DateTime<Utc>) -> Result<PageResult> {
    // Rows that wait are not in hand: what they wait for has nothing to do with this.
    let waits = waiting_rows(sql, claim)?;
    close(sql, claim, Closed::after_run(waits, false))?;
    let portal = sql.find(
        "SELECT portal_type FROM device_bulk_change WHERE tenant_id = $1 AND id = $2",
        &[&claim.tenant_id.0, &claim.bulk_change_id.0],
        |row| row.get::<_, i64>(0),
    )?;
    let (tenant, id, from, to) = (claim.tenant_id.0, claim.bulk_change_id.0, claim.from_id.0, claim.to_id.0);
    sql.execute(
        pages::LOG_FAILED,
        &[
            &tenant,
            &id,
            &from,
            &to,
            &micros(now),
            &entry::OUTCOME,
            &month(now),
            &portal,
            &LogText::RefusedAtProcessing.as_str(),
            &PROCESS_BY,
            &"Process\n",
            &format!("{code}: {text}"),
        ],
    )?;
    let failed =
        sql.execute(pages::FAIL_ROWS, &[&tenant, &id, &from, &to, &micros(now), &code.kind().as_str(), &code.as_str(), &text])?;
    let (refused, waiting) = (i64::try_from(failed).unwrap_or(0), waits.map_or(0, |waits| waits.rows));
    count(sql, claim, PageResult { refused, waiting, ..PageResult::default() })
}

fn measure(sql: &Sql<'_>, now: DateTime<Utc>) -> Result<Backlog> {
    let age = |since: Option<i64>| since.map_or(0, |since| (micros(now) - since).max(0) / 1_000_000);
    let pages = sql.find(completion::MEASURE_PAGES, &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (pages_waiting, oldest) = pages.unwrap_or_default();
    let oldest_message = sql.find(completion::MEASURE_OUTBOX, &[], |row| row.get(0))?.flatten();
    Ok(Backlog {
        pages_waiting,
        rows_waiting: sql.find(completion::MEASURE_WAITING, &[], |row| row.get(0))?.unwrap_or(0),
        oldest_page_seconds: age(oldest),
        oldest_message_seconds: age(oldest_message),
        entries_due: sql.find(completion::MEASURE_QUEUE, &[&micros(now)], |row| row.get(0))?.unwrap_or(0),
        stuck_steps: sql.find(completion::MEASURE_STUCK, &[], |row| row.get(0))?.unwrap_or(0),
    })
}
