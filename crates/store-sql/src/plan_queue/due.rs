//! One page of due entries: read and judged, then written, within one transaction (B8.3).

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::facts::LineAssignment;
use lineshift_domain::ids::{BulkChangeId, DeviceChangeId, ServiceProviderId, TenantId};
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::{LogText, PROCESS_BY, entry};
use lineshift_domain::order::PlanValues;
use lineshift_store::devices::FactsQuery;
use lineshift_store::plan_queue::{DueEntry, DueResult, DueWork};
use lineshift_store::work::message_kind;
use lineshift_store::{Result, StoreError};

use super::{END, renew_next_due, stored_values};
use crate::bulk_changes::note_messages;
use crate::engine::{Engine, OpenTransaction, Sql};
use crate::facts::read_facts;
use crate::json::json;
use crate::row::{Row, micros, month};
use crate::sql::plan_queue as tuned;

/// The most entries of one page.
const MAX_ENTRIES: usize = 5_000;

struct SqlDueWork<E: Engine> {
    transaction: E::Open,
    page: Page,
}

struct Page {
    tenant: TenantId,
    now: DateTime<Utc>,
    entries: Vec<DueEntry>,
}

pub(super) async fn open<E: Engine>(
    engine: &E,
    tenant: TenantId,
    limit: usize,
    now: DateTime<Utc>,
) -> Result<Option<Box<dyn DueWork>>> {
    let limit = i64::try_from(limit.clamp(1, MAX_ENTRIES)).expect("at most 5,000");
    let transaction = engine.begin(tenant).await?;
    let entries = transaction
        .run(move |sql| {
            let query = FactsQuery { plan_bound: true, ..FactsQuery::LINE };
            let (mask, customer) = (query.mask(), query.customer());
            sql.query(tuned::DUE_ENTRIES, &[&tenant.0, &mask, &customer, &0, &0, &micros(now), &limit], read_due)
        })
        .await?;
    if entries.is_empty() {
        // Should `tenant_work` still call something due, nobody would ever stop asking for it.
        transaction.finish(move |sql| renew_next_due(sql, tenant)).await?;
        return Ok(None);
    }
    Ok(Some(Box::new(SqlDueWork::<E> { transaction, page: Page { tenant, now, entries } })))
}

#[async_trait]
impl<E: Engine> DueWork for SqlDueWork<E> {
    fn entries(&self) -> &[DueEntry] {
        &self.page.entries
    }

    async fn finish(self: Box<Self>, refused: &[(DeviceChangeId, Reason)]) -> Result<DueResult> {
        let Self { transaction, page } = *self;
        let outcomes = Outcomes::of(&page, refused)?;
        transaction.finish(move |sql| write(sql, &page, &outcomes)).await
    }
}

/// What happens to which entry, as the statements take it.
struct Outcomes {
    result: DueResult,
    /// Ids of the entries that change something.
    changing: String,
    /// All entries: id, response or null, code or null, text or null.
    all: String,
    /// Changes with refused entries, and how many.
    failed: Vec<(BulkChangeId, u64)>,
}

impl Outcomes {
    fn of(page: &Page, refused: &[(DeviceChangeId, Reason)]) -> Result<Self> {
        let reasons: HashMap<DeviceChangeId, &Reason> = refused.iter().map(|(id, reason)| (*id, reason)).collect();
        if let Some(id) = reasons.keys().find(|id| page.entries.iter().all(|due| due.id != **id)) {
            return Err(StoreError::internal(format!("plan queue entry {id} was refused but is not of this page")));
        }
        let mut result = DueResult::default();
        let (mut changing, mut all, mut failed) = (Vec::new(), Vec::new(), BTreeMap::new());
        for due in &page.entries {
            if let Some(reason) = reasons.get(&due.id) {
                result.failed += 1;
                *failed.entry(due.bulk_change_id).or_insert(0) += 1;
                all.push((due.id, None, Some(reason.code.as_str()), Some(reason.text.as_str())));
            } else {
                result.applied += 1;
                let changes = changes(&due.values, &due.facts.assignment);
                all.push((due.id, Some(if changes { "applied" } else { "already so" }), None, None));
                if changes {
                    changing.push(due.id);
                }
            }
        }
        Ok(Self { result, changing: json(&changing)?, all: json(&all)?, failed: failed.into_iter().collect() })
    }
}

fn changes(asked: &PlanValues, line: &LineAssignment) -> bool {
    asked.plan.applied_to(line.plan) != line.plan
        || asked.pool.applied_to(line.pool) != line.pool
        || asked.allocation_mb.applied_to(line.allocation_mb) != line.allocation_mb
}

/// At most twelve statements, whatever the number of entries.
fn write(sql: &Sql<'_>, page: &Page, outcomes: &Outcomes) -> Result<DueResult> {
    let (tenant, at, month) = (page.tenant.0, micros(page.now), month(page.now));
    let (changing, all) = (&outcomes.changing, &outcomes.all);
    if changing != "[]" {
        // The history is written from the old values, the cross-provider history from the new ones.
        sql.execute(tuned::INSERT_HISTORY, &[&tenant, changing, &at, &entry::PLAN_QUEUE, &month])?;
        sql.execute(tuned::UPDATE_LINES, &[&tenant, changing, &at])?;
        sql.execute(tuned::CLOSE_CROSS_PROVIDER_HISTORY, &[&tenant, changing])?;
        sql.execute(tuned::OPEN_CROSS_PROVIDER_HISTORY, &[&tenant, changing, &entry::PLAN_QUEUE])?;
    }
    let description = LogText::ScheduledRatePlan.as_str();
    sql.execute(tuned::INSERT_LOG, &[&tenant, all, &at, &END, &month, &description, &PROCESS_BY])?;
    let closed = sql.execute(tuned::CLOSE_ENTRIES, &[&tenant, all, &at, &PROCESS_BY])?;
    if closed != page.entries.len() {
        return Err(StoreError::internal(format!("{closed} of {} plan queue entries were closed", page.entries.len())));
    }
    if !outcomes.failed.is_empty() {
        let failed = json(&outcomes.failed)?;
        sql.execute(tuned::COUNT_FAILED, &[&tenant, &failed])?;
        let messages = i64::try_from(outcomes.failed.len()).expect("at most 5,000");
        let first = sql.reserve_ids(page.tenant, "outbox", messages)?;
        sql.execute(tuned::INSERT_MESSAGES, &[&tenant, &failed, &first, &message_kind::SCHEDULED_FAILED, &at])?;
        note_messages(sql, page.tenant, page.now)?;
    }
    renew_next_due(sql, page.tenant)?;
    Ok(outcomes.result)
}

fn read_due(row: &Row<'_>) -> Result<DueEntry> {
    Ok(DueEntry {
        id: DeviceChangeId(row.get(0)?),
        bulk_change_id: BulkChangeId(row.get(1)?),
        service_provider_id: ServiceProviderId(row.get(2)?),
        integration_kind: row.term(3)?,
        values: stored_values(row.get(4)?, row.get(5)?, row.maybe_decimal(6)?),
        customer_unchanged: row.get(7)?,
        plan_active: row.get(8)?,
        pool_active: row.get(9)?,
        facts: read_facts(row, 10)?,
    })
}
