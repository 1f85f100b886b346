//! Claiming, running and completing pages.

mod complete;
mod page;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, IntegrationAuthenticationId, TenantId};
use lineshift_domain::log_text::{LogText, PROCESS_BY, entry};
use lineshift_domain::reach::Reach;
use lineshift_store::bulk_changes::BulkChangeView;
use lineshift_store::sql::access::LIST_TENANTS;
use lineshift_store::sql::plan_queue as text;
use lineshift_store::work::{
    Backlog, CalledAccounts, Message, PageClaim, PageResult, PageTask, PageWork, Runnable, RunnableChange, WorkStore,
};
use lineshift_store::{Result, StoreError};

use self::complete::Completing;
use self::page::{WaitingRows, waiting_rows};
use crate::bulk_changes::work_kind;
use crate::engine::{Engine, Hint, Scope, Sql, SqlStore};
use crate::row::{micros, month};
use crate::sql::submission;
use crate::sql::{completion, pages, waiting};
use crate::statement::Statement;
use crate::value::Parameter;

#[async_trait]
impl<E: Engine> WorkStore for SqlStore<E> {
    async fn list_runnable(&self) -> Result<Vec<Runnable>> {
        let mut runnable = Vec::new();
        for tenant in with_work(&self.engine, work_kind::BULK_CHANGE, None).await? {
            let of_tenant = self.engine.read(tenant, move |sql| {
                sql.query(pages::LIST_RUNNABLE, &[&tenant.0], |row| {
                    let change = RunnableChange { tenant_id: tenant, bulk_change_id: BulkChangeId(row.get(0)?) };
                    let account = |column| Ok(row.get::<Option<i64>>(column)?.map(IntegrationAuthenticationId));
                    let accounts = CalledAccounts { billing: account(1)?, carrier: account(2)? };
                    Ok(Runnable { change, accounts, is_canceled: row.get(3)?, has_open_rows: row.get(4)? })
                })
            });
            runnable.extend(of_tenant.await?);
        }
        Ok(runnable)
    }

    async fn claim_page(
        &self,
        change: RunnableChange,
        owner: &str,
        lease_until: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Option<PageClaim>> {
        let owner = owner.to_owned();
        self.engine.write(change.tenant_id, move |sql| claim(sql, change, &owner, lease_until, now)).await
    }

    async fn renew_lease(&self, claim: &PageClaim, lease_until: DateTime<Utc>) -> Result<()> {
        let held = claim.clone();
        self.engine.write(claim.tenant_id, move |sql| touch(sql, pages::RENEW_LEASE, &held, lease_until)).await
    }

    async fn give_back_page(&self, claim: &PageClaim, now: DateTime<Utc>) -> Result<()> {
        let held = claim.clone();
        self.engine.write(claim.tenant_id, move |sql| touch(sql, pages::GIVE_BACK, &held, now)).await
    }

    async fn open_page(&self, claim: &PageClaim, now: DateTime<Utc>) -> Result<Box<dyn PageWork>> {
        Ok(Box::new(page::SqlPage::open(&self.engine, claim, now).await?))
    }

    async fn complete_page(&self, claim: &PageClaim, now: DateTime<Utc>) -> Result<()> {
        let held = claim.clone();
        self.engine.write(claim.tenant_id, move |sql| complete::complete_page(sql, &held, now)).await
    }

    async fn complete_bulk_change(&self, change: RunnableChange, now: DateTime<Utc>) -> Result<Option<BulkChangeView>> {
        loop {
            match self.engine.write(change.tenant_id, move |sql| complete::complete_change(sql, change, now)).await? {
                Completing::EntriesLeft => {}
                Completing::NotYet => return Ok(None),
                Completing::Completed(view) => return Ok(Some(*view)),
            }
        }
    }

    async fn fail_page(&self, claim: &PageClaim, code: Code, text: &str, now: DateTime<Utc>) -> Result<PageResult> {
        let (held, text) = (claim.clone(), text.to_owned());
        self.engine.write(claim.tenant_id, move |sql| fail(sql, &held, code, &text, now)).await
    }

    async fn cancel_queue_entries(
        &self,
        tenant: TenantId,
        id: BulkChangeId,
        by: &str,
        reach: &Reach,
        now: DateTime<Utc>,
    ) -> Result<u64> {
        let mut canceled = 0;
        loop {
            let (by, reach) = (by.to_owned(), reach.clone());
            let cancel = move |sql: &Sql<'_>| complete::cancel_entries(sql, tenant, id, &by, &reach, now);
            let some = self.engine.write(tenant, cancel).await?;
            if some == 0 {
                return Ok(canceled);
            }
            canceled += some;
        }
    }

    async fn take_messages(&self, limit: usize) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        for tenant in with_work(&self.engine, work_kind::OUTBOX, None).await? {
            let wanted = limit.saturating_sub(messages.len());
            if wanted == 0 {
                break;
            }
            messages.extend(self.engine.write(tenant, move |sql| take_messages(sql, tenant, wanted)).await?);
        }
        Ok(messages)
    }

    async fn measure(&self, now: DateTime<Utc>) -> Result<Backlog> {
        let mut backlog = Backlog::default();
        for kind in [work_kind::BULK_CHANGE, work_kind::OUTBOX, text::WORK_KIND] {
            for tenant in with_work(&self.engine, kind, None).await? {
                add(&mut backlog, self.engine.read(tenant, move |sql| measure(sql, tenant, kind, now)).await?);
            }
        }
        for tenant in self.engine.read(Scope::Across, |sql| sql.query(LIST_TENANTS, &[], |row| row.get(0).map(TenantId))).await? {
            let stuck = self.engine.read(tenant, move |sql| sql.find(completion::MEASURE_STUCK, &[&tenant.0], |row| row.get(0)));
            backlog.stuck_steps += stuck.await?.unwrap_or(0);
        }
        Ok(backlog)
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
    }
    Ok(None)
}

/// Renews or gives back a lease; `LeaseLost` when the page is in other hands or closed.
fn touch(sql: &Sql<'_>, statement: Statement, claim: &PageClaim, lease_until: DateTime<Utc>) -> Result<()> {
    let epoch = epoch_of(sql, claim)?;
    let key: [&dyn Parameter; 5] = [&claim.tenant_id.0, &claim.bulk_change_id.0, &claim.page, &epoch, &micros(lease_until)];
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
    from: &'static str,
    /// One that is `done` stays claimed: whoever ran it completes it.
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
        Self { from: "ready", state, lease_until: waits.map(|waits| waits.until), cleanly }
    }

    /// History and links are written.
    pub(crate) const fn completed() -> Self {
        Self { from: "done", state: "completed", lease_until: None, cleanly: false }
    }
}

/// Closes a page; `LeaseLost` when it is in other hands or closed.
pub(crate) fn close(sql: &Sql<'_>, claim: &PageClaim, how: Closed) -> Result<()> {
    let Closed { from, state, lease_until, cleanly } = how;
    let (tenant, change) = (claim.tenant_id.0, claim.bulk_change_id.0);
    let epoch = epoch_of(sql, claim)?;
    let closed =
        sql.execute(pages::CLOSE_PAGE, &[&tenant, &change, &claim.page, &epoch, &state, &lease_until, &cleanly, &from])?;
    if closed == 0 { Err(lease_lost(claim)) } else { Ok(()) }
}

/// Keeps the counts of a change with the rows that just became final.
pub(crate) fn count(sql: &Sql<'_>, claim: &PageClaim, result: PageResult) -> Result<PageResult> {
    sql.hint(Hint::Changed(claim.tenant_id, claim.bulk_change_id))?;
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
        |row| row.get::<i64>(0),
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

/// Which tenants have work of a kind, due by then, or whenever it is due; those that wait longest first. Reads across tenants, without a
/// lock: what is found is claimed tenant by tenant.
pub(crate) async fn with_work<E: Engine>(engine: &E, kind: &'static str, due_by: Option<DateTime<Utc>>) -> Result<Vec<TenantId>> {
    let due_by = due_by.map_or(i64::MAX, micros);
    engine
        .read(Scope::Across, move |sql| {
            sql.query(text::LIST_TENANTS_WITH_WORK, &[&kind, &due_by], |row| row.get(0).map(TenantId))
        })
        .await
}

/// Takes a tenant's oldest messages. Whoever writes one holds the tenant's note of it until he commits: once it is ours, what was
/// written before is there to be seen, and the note goes only when nothing is left.
fn take_messages(sql: &Sql<'_>, tenant: TenantId, wanted: usize) -> Result<Vec<Message>> {
    sql.execute(submission::ANNOUNCE_TENANT_WORK, &[&tenant.0, &work_kind::OUTBOX, &0])?;
    let limit = i64::try_from(wanted).unwrap_or(i64::MAX);
    let messages = sql.query(completion::TAKE_MESSAGES, &[&tenant.0, &limit], |row| {
        Ok(Message {
            tenant_id: tenant,
            id: row.get(0)?,
            kind: row.get(1)?,
            bulk_change_id: BulkChangeId(row.get(2)?),
            created_at: row.time(3)?,
        })
    })?;
    if messages.len() < wanted {
        sql.execute(text::CLEAR_WORK, &[&tenant.0, &work_kind::OUTBOX])?;
    }
    Ok(messages)
}

/// What of a tenant's backlog belongs to that kind of work.
fn measure(sql: &Sql<'_>, tenant: TenantId, kind: &str, now: DateTime<Utc>) -> Result<Backlog> {
    let age = |since: Option<i64>| since.map_or(0, |since| (micros(now) - since).max(0) / 1_000_000);
    let mut backlog = Backlog::default();
    match kind {
        work_kind::BULK_CHANGE => {
            let pages = sql.find(completion::MEASURE_PAGES, &[&tenant.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let (pages_waiting, oldest) = pages.unwrap_or_default();
            backlog.pages_waiting = pages_waiting;
            backlog.oldest_page_seconds = age(oldest);
            backlog.rows_waiting = sql.find(completion::MEASURE_WAITING, &[&tenant.0], |row| row.get(0))?.unwrap_or(0);
        }
        work_kind::OUTBOX => {
            backlog.oldest_message_seconds = age(sql.find(completion::MEASURE_OUTBOX, &[&tenant.0], |row| row.get(0))?.flatten());
        }
        _ => {
            let due = sql.find(completion::MEASURE_QUEUE, &[&tenant.0, &micros(now)], |row| row.get(0))?;
            backlog.entries_due = due.unwrap_or(0);
        }
    }
    Ok(backlog)
}

fn add(all: &mut Backlog, more: Backlog) {
    all.pages_waiting += more.pages_waiting;
    all.rows_waiting += more.rows_waiting;
    all.entries_due += more.entries_due;
    all.stuck_steps += more.stuck_steps;
    all.oldest_page_seconds = all.oldest_page_seconds.max(more.oldest_page_seconds);
    all.oldest_message_seconds = all.oldest_message_seconds.max(more.oldest_message_seconds);
}
