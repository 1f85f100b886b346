//! Storing a bulk change: whole in one transaction, or page by page while it is RECEIVING (B4.5, B4.7).

use chrono::{DateTime, Utc};
use lineshift_domain::ids::{BulkChangeId, TenantId};
use lineshift_domain::log_text::{LogText, PROCESS_BY, entry};
use lineshift_domain::order::StoredOrder;
use lineshift_domain::terms::LineIdentifier;
use lineshift_store::bulk_changes::{Idempotency, IdempotencyClaim, NewBulkChange, NewDeviceChange, StoredBulkChange};
use lineshift_store::sql::plan_queue::WORK_KIND;
use lineshift_store::work::message_kind;
use lineshift_store::{Result, StoreError};

use crate::engine::{Engine, Hint, Sql};
use crate::row::{micros, month};
use crate::sql::{completion, submission as text};

/// The kinds of work of which `tenant_work` says which tenants have some, beside the plan queue's.
pub(crate) mod work_kind {
    /// Bulk changes that are not completed.
    pub(crate) const BULK_CHANGE: &str = "bulk_change";
    /// Messages that nobody took yet.
    pub(crate) const OUTBOX: &str = "outbox";
    /// Synchronisations that go on.
    pub(crate) const SYNC: &str = "sync";
}

/// Rows deleted in one transaction when a submission is dropped.
const DROP_ROWS: i64 = 5_000;

/// Claims an idempotency key, unless the same request was answered, runs, or the key was used with another one.
pub(super) fn claim_key(
    sql: &Sql<'_>,
    tenant: TenantId,
    claim: &IdempotencyClaim,
    running_until: DateTime<Utc>,
    kept_since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Idempotency> {
    let claimed = sql.execute(
        text::CLAIM_KEY,
        &[
            &tenant.0,
            &claim.caller.0,
            &claim.key,
            &claim.body_hash.as_slice(),
            &micros(running_until),
            &micros(now),
            &micros(kept_since),
        ],
    )?;
    if claimed > 0 {
        sql.execute(text::DELETE_OLD_KEYS, &[&tenant.0, &micros(kept_since)])?;
        return Ok(Idempotency::Claimed);
    }
    // It runs, or was answered and is kept; the attempt to claim it has locked it, so that it is still there.
    let found = sql.find(text::FIND_KEY, &[&tenant.0, &claim.caller.0, &claim.key], |row| {
        Ok((row.get::<Vec<u8>>(0)?, row.get::<Option<String>>(1)?))
    })?;
    let (body_hash, answer) = found.ok_or_else(|| StoreError::internal("an idempotency key was taken and is not there"))?;
    Ok(match answer {
        _ if body_hash != claim.body_hash => Idempotency::OtherRequest,
        None => Idempotency::Running,
        Some(answer) => Idempotency::Answered(answer),
    })
}

/// Forgets a key whose request was refused.
pub(super) fn release_key(sql: &Sql<'_>, tenant: TenantId, claim: &IdempotencyClaim) -> Result<()> {
    sql.execute(text::RELEASE_KEY, &[&tenant.0, &claim.caller.0, &claim.key])?;
    Ok(())
}

/// Ties a claimed key to a change that is being received, so that dropping the change frees it.
pub(super) fn tie_key(
    sql: &Sql<'_>,
    tenant: TenantId,
    id: BulkChangeId,
    claim: Option<&IdempotencyClaim>,
    until: DateTime<Utc>,
) -> Result<()> {
    let Some(claim) = claim else { return Ok(()) };
    let tied = sql
        .execute(text::TIE_KEY, &[&tenant.0, &claim.caller.0, &claim.key, &id.0, &micros(until), &claim.body_hash.as_slice()])?;
    if tied == 0 { Err(key_lost()) } else { Ok(()) }
}

/// The claim ran out and somebody else has the key, or answered under it: nothing of this may be stored (B4.5).
fn key_lost() -> StoreError {
    StoreError::LeaseLost { what: "the idempotency key".to_owned() }
}

/// Inserts the change itself, RECEIVING until its rows are there; answers its id and its first device change's.
pub(super) fn insert_change(
    sql: &Sql<'_>,
    tenant: TenantId,
    change: &NewBulkChange,
    receiving_until: DateTime<Utc>,
) -> Result<(BulkChangeId, i64)> {
    let id = sql.reserve_ids(tenant, "device_bulk_change", 1)?;
    let rows = i64::try_from(change.rows).map_err(|_| StoreError::internal("more rows than can be numbered"))?;
    let first = sql.reserve_ids(tenant, "device_change", rows)?;
    let order = serde_json::to_string(&change.order)
        .map_err(|error| StoreError::Internal { context: "writing an order".to_owned(), source: Some(Box::new(error)) })?;
    let targets = Targets::of(&change.order);
    let started_at = change.process_changes.then_some(micros(change.created_at));
    sql.execute(
        text::INSERT_CHANGE,
        &[
            &tenant.0,
            &id,
            &change.order.change_type().number(),
            &change.portal.number(),
            &change.service_provider_id.0,
            &change.identifier.as_str(),
            &order,
            &targets.rev_customer_id,
            &targets.site_id,
            &targets.plan,
            &targets.pool,
            &change.name,
            &change.reason,
            &change.orderer.name,
            &change.orderer.principal.0,
            &micros(change.created_at),
            &micros(receiving_until),
            &started_at,
            &first,
            &(first + rows - 1),
            &i64::try_from(change.duplicates).unwrap_or(i64::MAX),
            &change.accounts.billing.map(|id| id.0),
            &change.accounts.carrier.map(|id| id.0),
        ],
    )?;
    Ok((BulkChangeId(id), first))
}

/// What of an order's targets may be made inactive before it is run.
struct Targets {
    rev_customer_id: Option<i64>,
    site_id: Option<i64>,
    plan: Option<i64>,
    pool: Option<i64>,
}

impl Targets {
    fn of(order: &StoredOrder) -> Self {
        let values = order.plan().map(|plan| plan.values);
        Self {
            rev_customer_id: order.assignment().and_then(|assignment| assignment.rev_customer_id).map(|id| id.0),
            site_id: order.assignment().map(|assignment| assignment.site_id.0),
            plan: values.and_then(|values| values.plan.value()).map(|id| id.0),
            pool: values.and_then(|values| values.pool.value()).map(|id| id.0),
        }
    }
}

/// Inserts the rows of one page or several, numbered on from `page`, with the log of those refused, and keeps the counts.
pub(super) fn insert_rows(
    sql: &Sql<'_>,
    tenant: TenantId,
    id: BulkChangeId,
    change: &NewBulkChange,
    first: i64,
    page: usize,
    rows: &[NewDeviceChange],
) -> Result<()> {
    let page = i64::try_from(page).map_err(|_| StoreError::internal("more pages than can be numbered"))?;
    let page_lines = i64::try_from(change.page_lines).map_err(|_| StoreError::internal("a page of that size"))?;
    let from = first + page * page_lines;
    let to = from + i64::try_from(rows.len()).unwrap_or(0) - 1;
    let now = micros(change.created_at);
    let by_iccid = change.identifier == LineIdentifier::Iccid;
    sql.execute_each(text::INSERT_ROW, (from..).zip(rows), |(row_id, row), run| {
        let (device, version) = row.device.map_or((None, None), |(device, version)| (Some(device.0), Some(version)));
        let refused = row.refused.as_ref();
        run(&[
            &tenant.0,
            row_id,
            &id.0,
            &row.request_position,
            &device,
            &by_iccid.then_some(row.line.as_str()),
            &(!by_iccid).then_some(row.line.as_str()),
            // What was refused at submission has no judged version: a retry judges it anew (B10.2).
            &version.filter(|_| refused.is_none()),
            &if refused.is_some() { 0 } else { change.holds.0 },
            &if refused.is_some() { "ERROR" } else { "NEW" },
            &refused.map(|reason| reason.kind().as_str()),
            &refused.map(|reason| reason.code.as_str()),
            &refused.map(|reason| reason.text.as_str()),
            &refused.map(|_| now),
        ])
    })?;
    let refused = i64::try_from(rows.iter().filter(|row| row.refused.is_some()).count()).unwrap_or(0);
    if refused > 0 {
        sql.execute(
            text::LOG_REFUSED_ROWS,
            &[
                &tenant.0,
                &id.0,
                &from,
                &to,
                &entry::OUTCOME,
                &month(change.created_at),
                &change.portal.number(),
                &LogText::RefusedAtSubmission.as_str(),
                &PROCESS_BY,
                &now,
                &"Submit\n",
            ],
        )?;
    }
    let starts = (from..=to).step_by(change.page_lines);
    sql.execute_each(text::INSERT_PAGE, (page..).zip(starts), |(page, from), run| {
        run(&[&tenant.0, &id.0, page, from, &to.min(*from + page_lines - 1)])
    })?;
    let total = to - from + 1;
    sql.execute(text::COUNT_ROWS, &[&tenant.0, &id.0, &total, &refused])?;
    Ok(())
}

/// Ends RECEIVING: the change is NEW, its message and its answer stand with it.
pub(super) fn make_new(
    sql: &Sql<'_>,
    tenant: TenantId,
    id: BulkChangeId,
    change: &NewBulkChange,
    claim: Option<&IdempotencyClaim>,
    now: DateTime<Utc>,
) -> Result<StoredBulkChange> {
    let stored_order = sql.reserve_ids(tenant, "stored_order", 1)?;
    let counts = sql.find(text::MAKE_NEW, &[&tenant.0, &id.0, &stored_order, &micros(now)], |row| {
        Ok((row.get::<i64>(0)?, row.get::<i64>(1)?))
    })?;
    let (accepted, rejected) = counts.ok_or_else(|| StoreError::not_found("bulk change", id))?;
    announce_work(sql, tenant, now)?;
    announce(sql, tenant, id, message_kind::SUBMITTED, now)?;
    let stored = StoredBulkChange { id, accepted, rejected };
    if let Some(claim) = claim {
        let answer = lineshift_store::bulk_changes::answer(&stored, change.duplicates);
        let answered = sql
            .execute(text::ANSWER_KEY, &[&tenant.0, &claim.caller.0, &claim.key, &id.0, &answer, &claim.body_hash.as_slice()])?;
        if answered == 0 {
            return Err(key_lost());
        }
    }
    Ok(stored)
}

/// Notes that a tenant has bulk changes to look at.
pub(crate) fn announce_work(sql: &Sql<'_>, tenant: TenantId, now: DateTime<Utc>) -> Result<()> {
    sql.execute(text::ANNOUNCE_TENANT_WORK, &[&tenant.0, &work_kind::BULK_CHANGE, &micros(now)])?;
    sql.hint(Hint::Work(tenant))?;
    Ok(())
}

/// Notes that the tenant has plan queue entries that fall due then. To be called with the entries and not before: whoever
/// applies others in between says anew when the next falls due, and knows only those that are there.
pub(crate) fn announce_entries(sql: &Sql<'_>, tenant: i64, due: i64) -> Result<()> {
    sql.execute(text::ANNOUNCE_TENANT_WORK, &[&tenant, &WORK_KIND, &due])?;
    sql.hint(Hint::Queue(TenantId(tenant)))?;
    Ok(())
}

/// Takes the note away that a tenant has bulk changes to look at, when none is left. Whoever stores one holds the note until he commits: once
/// it is ours, his change is there to be seen.
pub(crate) fn forget_work(sql: &Sql<'_>, tenant: TenantId) -> Result<()> {
    sql.execute(text::ANNOUNCE_TENANT_WORK, &[&tenant.0, &work_kind::BULK_CHANGE, &0])?;
    sql.execute(completion::FORGET_WORK, &[&tenant.0])?;
    Ok(())
}

/// Writes a message into the outbox.
pub(crate) fn announce(sql: &Sql<'_>, tenant: TenantId, id: BulkChangeId, kind: &str, now: DateTime<Utc>) -> Result<()> {
    let message = sql.reserve_ids(tenant, "outbox", 1)?;
    sql.execute(text::INSERT_MESSAGE, &[&tenant.0, &message, &kind, &id.0, &micros(now)])?;
    note_messages(sql, tenant, now)?;
    sql.hint(Hint::Changed(tenant, id))?;
    Ok(())
}

/// Notes that the tenant has messages. To be called with the messages and not before.
pub(crate) fn note_messages(sql: &Sql<'_>, tenant: TenantId, now: DateTime<Utc>) -> Result<()> {
    sql.execute(text::ANNOUNCE_TENANT_WORK, &[&tenant.0, &work_kind::OUTBOX, &micros(now)])?;
    Ok(())
}

/// Renews the submitter's lease; answers the change's first device change.
pub(super) fn renew(sql: &Sql<'_>, tenant: TenantId, id: BulkChangeId, until: DateTime<Utc>) -> Result<i64> {
    let renewed =
        sql.find(text::RENEW_RECEIVING, &[&tenant.0, &id.0, &micros(until)], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?;
    let (first, caller) = renewed.ok_or_else(|| StoreError::LeaseLost { what: format!("the submission of bulk change {id}") })?;
    sql.execute(text::RENEW_KEY, &[&tenant.0, &caller, &id.0, &micros(until)])?;
    Ok(first)
}

/// Changes whose submitter's lease has run out.
pub(super) fn list_abandoned(sql: &Sql<'_>, tenant: TenantId, now: DateTime<Utc>, limit: usize) -> Result<Vec<BulkChangeId>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    sql.query(text::LIST_ABANDONED, &[&tenant.0, &micros(now), &limit], |row| row.get(0).map(BulkChangeId))
}

/// Takes a change away from its submitter; with `now` only if its lease has run out. False when it is not being received.
pub(super) fn mark_dropped(sql: &Sql<'_>, tenant: TenantId, id: BulkChangeId, now: Option<DateTime<Utc>>) -> Result<bool> {
    let before = now.map_or(i64::MAX, micros);
    Ok(sql.execute(text::MARK_DROPPED, &[&tenant.0, &id.0, &before])? > 0)
}

/// Deletes what is left of a dropped change, in transactions of bounded size; the change itself goes last.
pub(super) async fn delete_dropped<E: Engine>(engine: &E, tenant: TenantId, id: BulkChangeId) -> Result<()> {
    loop {
        let gone = engine
            .write(tenant, move |sql| {
                let deleted = sql.execute(text::DELETE_ROWS, &[&tenant.0, &id.0, &DROP_ROWS])?;
                if deleted > 0 || sql.execute(text::DELETE_LOG, &[&tenant.0, &id.0, &DROP_ROWS])? > 0 {
                    return Ok(false);
                }
                sql.execute(text::DELETE_PAGES, &[&tenant.0, &id.0])?;
                sql.execute(text::FREE_KEY, &[&tenant.0, &id.0])?;
                sql.execute(text::DELETE_CHANGE, &[&tenant.0, &id.0])?;
                forget_work(sql, tenant)?;
                Ok(true)
            })
            .await?;
        if gone {
            return Ok(());
        }
    }
}
