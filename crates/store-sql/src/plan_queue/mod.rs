//! The plan queue: looked at, moved and canceled by people, opened when due.

mod due;

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use lineshift_domain::ids::{
    BulkChangeId, CustomerRatePlanId, CustomerRatePoolId, DeviceChangeId, DeviceId, RevCustomerId, SiteId, TenantId,
};
use lineshift_domain::log_text::{LogText, PROCESS_BY, entry};
use lineshift_domain::order::{PlanValues, Setting};
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::PortalType;
use lineshift_store::paging::Listed;
use lineshift_store::plan_queue::{DueWork, EntryFilter, PlanQueueEntry, PlanQueueFilter, PlanQueueKey, PlanQueueStore};
use lineshift_store::sql::plan_queue as text;
use lineshift_store::{Result, StoreError};
use rust_decimal::Decimal;
use serde_json::json;

use crate::engine::{Engine, Hint, Scope, Sql, SqlStore};
use crate::reach::limits;
use crate::row::{Row, micros, month, not_a_term, page_limit};
use crate::sql::{reach as reached, submission};
use crate::value::Parameter;
use crate::work::with_work;

#[async_trait]
impl<E: Engine> PlanQueueStore for SqlStore<E> {
    async fn list_queue_entries(
        &self,
        tenant: TenantId,
        reach: &Reach,
        filter: PlanQueueFilter,
        after: Option<PlanQueueKey>,
        limit: usize,
    ) -> Result<Listed<PlanQueueEntry, PlanQueueKey>> {
        let (limit, surplus) = page_limit(limit);
        let PlanQueueKey { effective_date: date, id } = after.unwrap_or(PlanQueueKey { effective_date: i64::MIN, id: i64::MIN });
        let (limited, limits) = (!reach.is_everything(), limits(reach));
        let items = self
            .engine
            .read(tenant, move |sql| {
                let [customers, sites, providers] = &limits;
                match filter {
                    PlanQueueFilter::Open if limited => {
                        let keys: [&dyn Parameter; 7] = [&tenant.0, &date, &id, &surplus, customers, sites, providers];
                        sql.query(reached::LIST_OPEN_ENTRIES, &keys, read_entry)
                    }
                    PlanQueueFilter::Open => sql.query(text::LIST_OPEN, &[&tenant.0, &date, &id, &surplus], read_entry),
                    PlanQueueFilter::OpenOfDevice(device) if limited => {
                        let keys: [&dyn Parameter; 8] = [&tenant.0, &date, &id, &surplus, customers, sites, providers, &device.0];
                        sql.query(reached::LIST_OPEN_ENTRIES_OF_DEVICE, &keys, read_entry)
                    }
                    PlanQueueFilter::OpenOfDevice(device) => {
                        sql.query(text::LIST_OPEN_OF_DEVICE, &[&tenant.0, &date, &id, &surplus, &device.0], read_entry)
                    }
                    PlanQueueFilter::OfChange(change, state) if limited => {
                        let state = state.as_str();
                        let keys: [&dyn Parameter; 8] =
                            [&tenant.0, &id, &surplus, &change.0, &state, customers, sites, providers];
                        sql.query(reached::LIST_ENTRIES_OF_CHANGE, &keys, read_entry)
                    }
                    PlanQueueFilter::OfChange(change, state) => {
                        sql.query(text::LIST_OF_CHANGE, &[&tenant.0, &id, &surplus, &change.0, &state.as_str()], read_entry)
                    }
                }
            })
            .await?;
        let by_id = matches!(filter, PlanQueueFilter::OfChange(..));
        Ok(Listed::from_surplus(items, limit, |entry| PlanQueueKey {
            effective_date: if by_id { 0 } else { micros(entry.effective_date) },
            id: entry.id.0,
        }))
    }

    async fn list_due_entries(
        &self,
        tenant: TenantId,
        reach: &Reach,
        filter: &EntryFilter,
        after: Option<PlanQueueKey>,
        limit: usize,
    ) -> Result<Listed<PlanQueueEntry, PlanQueueKey>> {
        let (limit, surplus) = page_limit(limit);
        let first = PlanQueueKey { effective_date: stored_time(filter.from), id: i64::MIN };
        let PlanQueueKey { effective_date: date, id } = after.map_or(first, |after| after.max(first));
        let sought = Sought::of(filter);
        let limits = limits(reach);
        let items = self
            .engine
            .read(tenant, move |sql| {
                let [customers, sites, providers] = &limits;
                let Sought { portal, until, customer, site, plan, .. } = &sought;
                let keys: [&dyn Parameter; 12] =
                    [&tenant.0, &date, &id, &surplus, customers, sites, providers, portal, until, customer, site, plan];
                sql.query(reached::LIST_DUE_ENTRIES, &keys, read_entry)
            })
            .await?;
        let key = |entry: &PlanQueueEntry| PlanQueueKey { effective_date: micros(entry.effective_date), id: entry.id.0 };
        Ok(Listed::from_surplus(items, limit, key))
    }

    async fn get_queue_entry(&self, tenant: TenantId, id: DeviceChangeId) -> Result<PlanQueueEntry> {
        self.engine.read(tenant, move |sql| get_entry(sql, tenant, id)).await
    }

    async fn move_queue_entry(
        &self,
        tenant: TenantId,
        id: DeviceChangeId,
        effective_date: DateTime<Utc>,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let by = by.to_owned();
        self.engine
            .write(tenant, move |sql| {
                let before = get_entry(sql, tenant, id)?;
                if sql.execute(text::MOVE_ENTRY, &[&tenant.0, &id.0, &micros(effective_date), &by, &micros(now)])? == 0 {
                    return Ok(false);
                }
                let (from, to) = (shown(before.effective_date), shown(effective_date));
                let request = json!({ "iccid": before.iccid, "effective_date": to, "by": by });
                let response = format!("moved from {from} to {to}");
                log(sql, tenant, id, next_move(sql, tenant, id)?, LogText::MoveScheduledRatePlan, &request, &response, now)?;
                renew_next_due(sql, tenant)?;
                sql.hint(Hint::Queue(tenant))?;
                Ok(true)
            })
            .await
    }

    async fn cancel_queue_entry(&self, tenant: TenantId, id: DeviceChangeId, by: &str, now: DateTime<Utc>) -> Result<bool> {
        let by = by.to_owned();
        self.engine
            .write(tenant, move |sql| {
                let before = get_entry(sql, tenant, id)?;
                if sql.execute(text::CANCEL_ENTRY, &[&tenant.0, &id.0, &by, &micros(now)])? == 0 {
                    return Ok(false);
                }
                let request = json!({ "iccid": before.iccid, "effective_date": shown(before.effective_date), "by": by });
                log(sql, tenant, id, END, LogText::CancelScheduledRatePlan, &request, "canceled", now)?;
                renew_next_due(sql, tenant)?;
                Ok(true)
            })
            .await
    }

    async fn list_tenants_with_due_entries(&self, now: DateTime<Utc>) -> Result<Vec<TenantId>> {
        with_work(&self.engine, text::WORK_KIND, Some(now)).await
    }

    async fn open_due(&self, tenant: TenantId, limit: usize, now: DateTime<Utc>) -> Result<Option<Box<dyn DueWork>>> {
        due::open(&self.engine, tenant, limit, now).await
    }

    async fn next_due(&self) -> Result<Option<DateTime<Utc>>> {
        let found = self
            .engine
            .read(Scope::Across, |sql| sql.find(text::NEXT_WORK, &[&text::WORK_KIND], |row| row.maybe_time(0)))
            .await?;
        Ok(found.flatten())
    }
}

/// What is sought, as statements take it.
pub(crate) struct Sought {
    /// -1: any.
    pub(crate) portal: i64,
    pub(crate) from: i64,
    pub(crate) until: i64,
    /// 0: any; the next two likewise.
    pub(crate) customer: i64,
    pub(crate) site: i64,
    pub(crate) plan: i64,
}

impl Sought {
    pub(crate) fn of(filter: &EntryFilter) -> Self {
        Self {
            portal: filter.portal.map_or(-1, PortalType::number),
            from: stored_time(filter.from),
            until: stored_time(filter.until),
            customer: filter.customer.map_or(0, |id| id.0),
            site: filter.site.map_or(0, |id| id.0),
            plan: filter.plan.map_or(0, |id| id.0),
        }
    }
}

/// A time as it is stored; what lies too far is as far as can be.
fn stored_time(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros().clamp(i64::MIN + 1, i64::MAX)
}

/// Says in `tenant_work` when the tenant's next open entry falls due. To be called by every transaction that opens, moves
/// or closes entries.
pub(crate) fn renew_next_due(sql: &Sql<'_>, tenant: TenantId) -> Result<()> {
    // Whoever stores entries holds the note until he commits: once it is ours, his entries are there to be seen.
    sql.execute(submission::ANNOUNCE_TENANT_WORK, &[&tenant.0, &text::WORK_KIND, &i64::MAX])?;
    let earliest = sql.find(text::EARLIEST_OPEN, &[&tenant.0], |row| row.get::<Option<i64>>(0))?.flatten();
    match earliest {
        Some(due) => sql.execute(text::SET_WORK, &[&tenant.0, &text::WORK_KIND, &due])?,
        None => sql.execute(text::CLEAR_WORK, &[&tenant.0, &text::WORK_KIND])?,
    };
    Ok(())
}

/// Plan, pool and allocation as the queue stores them: null keeps, 0 clears (B8.4, B8.5).
pub(crate) fn stored_values(plan: Option<i64>, pool: Option<i64>, allocation_mb: Option<Decimal>) -> PlanValues {
    let id = |stored: Option<i64>| match stored {
        None => Setting::Keep,
        Some(0) => Setting::Clear,
        Some(id) => Setting::Set(id),
    };
    PlanValues {
        plan: named(id(plan), CustomerRatePlanId),
        pool: named(id(pool), CustomerRatePoolId),
        allocation_mb: match allocation_mb {
            None => Setting::Keep,
            Some(none) if none.is_zero() => Setting::Clear,
            Some(megabytes) => Setting::Set(megabytes),
        },
    }
}

fn named<T>(setting: Setting<i64>, id: impl Fn(i64) -> T) -> Setting<T> {
    match setting {
        Setting::Keep => Setting::Keep,
        Setting::Clear => Setting::Clear,
        Setting::Set(value) => Setting::Set(id(value)),
    }
}

fn get_entry(sql: &Sql<'_>, tenant: TenantId, id: DeviceChangeId) -> Result<PlanQueueEntry> {
    let found = sql.find(text::GET_ENTRY, &[&tenant.0, &id.0], read_entry)?;
    found.ok_or_else(|| StoreError::not_found("plan queue entry", id))
}

/// The place in the log of an entry's end: applied, failed or canceled. Its moves come before.
const END: i64 = entry::PLAN_QUEUE + entry::PLAN_QUEUE_MOVES;

fn next_move(sql: &Sql<'_>, tenant: TenantId, id: DeviceChangeId) -> Result<i64> {
    let last = sql.find(text::LAST_MOVE, &[&tenant.0, &id.0, &entry::PLAN_QUEUE, &END], |row| row.get::<Option<i64>>(0))?;
    let next = last.flatten().map_or(entry::PLAN_QUEUE, |last| last + 1);
    if next == END {
        let message = format!("the entry was moved {} times already; cancel it and schedule anew", entry::PLAN_QUEUE_MOVES);
        return Err(StoreError::Conflict { message });
    }
    Ok(next)
}

#[expect(clippy::too_many_arguments, reason = "a log entry has that many parts")]
fn log(
    sql: &Sql<'_>,
    tenant: TenantId,
    id: DeviceChangeId,
    place: i64,
    what: LogText,
    request: &serde_json::Value,
    response: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let request = format!("{what}\n{request}");
    let (at, month) = (micros(now), month(now));
    sql.execute(
        text::LOG_ENTRY_CHANGED,
        &[&tenant.0, &id.0, &place, &month, &what.as_str(), &PROCESS_BY, &at, &request, &response],
    )?;
    Ok(())
}

fn shown(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// How many columns [`read_entry`] reads.
pub(crate) const ENTRY_COLUMNS: usize = 19;

/// Reads the columns of `entry_columns!`, which must stand first.
pub(crate) fn read_entry(row: &Row<'_>) -> Result<PlanQueueEntry> {
    Ok(PlanQueueEntry {
        id: DeviceChangeId(row.get(0)?),
        bulk_change_id: BulkChangeId(row.get(1)?),
        device_id: DeviceId(row.get(2)?),
        iccid: row.get(3)?,
        rev_customer_id: row.get::<Option<i64>>(4)?.map(RevCustomerId),
        site_id: row.get::<Option<i64>>(5)?.map(SiteId),
        values: stored_values(row.get(6)?, row.get(7)?, row.maybe_decimal(8)?),
        effective_date: row.time(9)?,
        portal: PortalType::from_number(row.get(10)?).map_err(|error| not_a_term(10, error))?,
        state: row.term(11)?,
        error_code: row.maybe_term(12)?,
        status_details: row.get(13)?,
        created_by: row.get(14)?,
        created_at: row.time(15)?,
        modified_by: row.get(16)?,
        modified_at: row.maybe_time(17)?,
        number: row.get(18)?,
    })
}
