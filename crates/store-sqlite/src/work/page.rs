//! The transaction of one page: facts in, decisions out, set by set.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::facts::LineFacts;
use lineshift_domain::ids::{DeviceChangeId, DeviceId};
use lineshift_domain::lines::Digits;
use lineshift_domain::log_text::{LogText, PROCESS_BY, QUEUE_CREATED_BY, entry};
use lineshift_domain::order::{PlanValues, Setting};
use lineshift_store::devices::FactsQuery;
use lineshift_store::work::{
    AssignmentWrite, OrderFacts, PageClaim, PageLine, PageResult, PageWork, PlanWrite, Settled, StepLog, TargetsActive,
};
use lineshift_store::{Result, StoreError};

use super::{close, count, lease_lost};
use crate::bulk_changes::{CHANGE_COLUMNS, announce_entries, read_change};
use crate::connection::{Database, OpenTransaction, Sql};
use crate::devices::{Seen, look_up};
use crate::facts::read_facts;
use crate::row::{Columns as _, decimal_text, micros, month};
use crate::sql::pages as text;

/// What becomes of a row without its steps: id, status, kind, code, details, log text, response, error.
type SettledRow = (
    i64,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    Option<String>,
    &'static str,
    Option<&'static str>,
    Option<String>,
);

/// How the log says that a line stood as asked.
pub(super) const ALREADY_SO: &str = "already so";

/// An open page.
pub(super) struct SqlitePage {
    transaction: OpenTransaction,
    claim: PageClaim,
    order: OrderFacts,
    stored_order: i64,
    now: DateTime<Utc>,
    open: i64,
    settled: Vec<SettledRow>,
    result: PageResult,
    logs: Vec<(i64, StepLog)>,
}

impl SqlitePage {
    pub(super) async fn open(database: &Database, claim: &PageClaim, now: DateTime<Utc>) -> Result<Self> {
        let transaction = database.begin().await?;
        let held = claim.clone();
        let found = transaction
            .run(move |sql| {
                let key: [&dyn rusqlite::ToSql; 5] =
                    [&held.tenant_id.0, &held.bulk_change_id.0, &held.page, &held.epoch, &micros(now)];
                sql.find(text::OPEN_PAGE, &key, read_order)
            })
            .await?;
        let (order, stored_order) = found.ok_or_else(|| lease_lost(claim))?;
        Ok(Self {
            transaction,
            claim: claim.clone(),
            order,
            stored_order,
            now,
            open: 0,
            settled: Vec::new(),
            result: PageResult::default(),
            logs: Vec::new(),
        })
    }

    /// Tenant, change and range: the first four parameters of every statement on the accepted rows.
    const fn range(&self) -> (i64, i64, i64, i64) {
        (self.claim.tenant_id.0, self.claim.bulk_change_id.0, self.claim.from_id.0, self.claim.to_id.0)
    }

    /// What is to be logged for each accepted row at the end; a step that is done twice is logged once.
    fn note(&mut self, entry: i64, log: &StepLog) {
        self.logs.retain(|(noted, _)| *noted != entry);
        self.logs.push((entry, log.clone()));
    }

    async fn assign(&mut self, write: &AssignmentWrite) -> Result<u64> {
        let ((tenant, change, from, to), now) = (self.range(), self.now);
        let (asked, zone) = (write.assignment.clone(), write.time_zone.name());
        let by = self.order.change.created_by.clone();
        let changed = self
            .transaction
            .run(move |sql| {
                let customer = asked.rev_customer_id.map(|id| id.0);
                let authentication = asked.integration_authentication_id.map(|id| id.0);
                let effective = asked.effective_at.map(micros);
                let at = micros(now);
                sql.execute(
                    text::HISTORY_OF_ASSIGNMENT,
                    &[
                        &tenant,
                        &change,
                        &from,
                        &to,
                        &customer,
                        &asked.site_id.0,
                        &asked.account_number,
                        &authentication,
                        &effective,
                        &zone,
                        &at,
                        &month(now),
                        &entry::ASSIGNMENT,
                        &by,
                    ],
                )?;
                sql.execute(
                    text::UPDATE_ASSIGNMENT,
                    &[
                        &tenant,
                        &change,
                        &from,
                        &to,
                        &customer,
                        &asked.site_id.0,
                        &asked.account_number,
                        &authentication,
                        &effective,
                        &zone,
                        &at,
                        &by,
                    ],
                )
            })
            .await?;
        self.note(entry::ASSIGNMENT, &write.log);
        Ok(changed as u64)
    }

    async fn change_plan(&mut self, write: &PlanWrite, history: &'static str, update: &'static str) -> Result<u64> {
        let ((tenant, change, from, to), now) = (self.range(), self.now);
        let (values, replace) = (StoredValues::of(&write.values), write.replace_scheduled);
        let by = self.order.change.created_by.clone();
        let changed = self
            .transaction
            .run(move |sql| {
                let at = micros(now);
                let StoredValues { plan, pool, allocation } = &values;
                sql.execute(
                    history,
                    &[&tenant, &change, &from, &to, plan, pool, allocation, &at, &month(now), &entry::CUSTOMER_RATE_PLAN, &by],
                )?;
                let changed = sql.execute(update, &[&tenant, &change, &from, &to, plan, pool, allocation, &at, &by])?;
                if replace {
                    sql.execute(text::REPLACE_SCHEDULED, &[&tenant, &change, &from, &to, &i64::MIN, &by, &at])?;
                }
                Ok(changed)
            })
            .await?;
        self.note(entry::CUSTOMER_RATE_PLAN, &write.log);
        Ok(changed as u64)
    }

    async fn revert(&mut self, statement: &'static str, rows: &[DeviceChangeId], entry: i64) -> Result<u64> {
        let ((tenant, change, ..), now) = (self.range(), self.now);
        let rows = serde_json::Value::from(rows.iter().map(|id| id.0).collect::<Vec<_>>()).to_string();
        let by = self.order.change.created_by.clone();
        let reverted = self
            .transaction
            .run(move |sql| sql.execute(statement, &[&tenant, &change, &rows, &by, &micros(now), &entry]))
            .await?;
        Ok(reverted as u64)
    }
}

/// Plan, pool and allocation as the procedures take them: null keeps, 0 clears (B8.4, B8.5).
struct StoredValues {
    plan: Option<i64>,
    pool: Option<i64>,
    allocation: Option<String>,
}

impl StoredValues {
    fn of(values: &PlanValues) -> Self {
        fn parameter<T, P>(setting: Setting<T>, zero: P, value: impl Fn(T) -> P) -> Option<P> {
            match setting {
                Setting::Keep => None,
                Setting::Clear => Some(zero),
                Setting::Set(set) => Some(value(set)),
            }
        }
        Self {
            plan: parameter(values.plan, 0, |id| id.0),
            pool: parameter(values.pool, 0, |id| id.0),
            allocation: parameter(values.allocation_mb, "0".to_owned(), decimal_text),
        }
    }
}

fn read_order(row: &rusqlite::Row<'_>) -> rusqlite::Result<(OrderFacts, i64)> {
    let at = |column: usize| CHANGE_COLUMNS + column;
    let order = OrderFacts {
        change: read_change(row)?,
        integration_kind: row.term(at(0))?,
        orderer_scopes: row.get(at(1))?,
        targets: TargetsActive { customer: row.get(at(2))?, site: row.get(at(3))?, plan: row.get(at(4))?, pool: row.get(at(5))? },
        time_zone: row.term(at(7))?,
    };
    Ok((order, row.get(at(6))?))
}

#[async_trait]
impl PageWork for SqlitePage {
    fn order(&self) -> &OrderFacts {
        &self.order
    }

    async fn list_open_lines(&mut self, query: FactsQuery) -> Result<Vec<PageLine>> {
        let ((tenant, change, from, to), stored_order) = (self.range(), self.stored_order);
        let lines = self
            .transaction
            .run(move |sql| {
                let customer = query.rev_customer_id.map_or(0, |id| id.0);
                sql.query(
                    text::LIST_OPEN_LINES,
                    &[&tenant, &query.holds.0, &customer, &stored_order, &change, &from, &to],
                    read_line,
                )
            })
            .await?;
        self.open = i64::try_from(lines.len()).unwrap_or(i64::MAX);
        Ok(lines)
    }

    async fn look_up_named(
        &mut self,
        named: &[(DeviceChangeId, Digits)],
        query: FactsQuery,
    ) -> Result<Vec<(DeviceChangeId, LineFacts)>> {
        let (tenant, change, stored_order) = (self.claim.tenant_id, self.claim.bulk_change_id, self.stored_order);
        let identifier = self.order.change.identifier;
        let named = named.to_vec();
        self.transaction
            .run(move |sql| {
                let lines: Vec<Digits> = named.iter().map(|(_, digits)| *digits).collect();
                let seen = Seen { before: stored_order, by: change.0 };
                let found = look_up(sql, tenant, identifier, &lines, query, seen)?;
                Ok(found.into_iter().filter_map(|line| Some((named.get(line.index as usize)?.0, line.facts))).collect())
            })
            .await
    }

    async fn record_judged(&mut self, judged: &[(DeviceChangeId, DeviceId, i64)]) -> Result<()> {
        let (tenant, change, ..) = self.range();
        let rows = json(&judged.iter().map(|(row, device, version)| (row.0, device.0, *version)).collect::<Vec<_>>())?;
        self.transaction.run(move |sql| sql.execute(text::RECORD_JUDGED, &[&tenant, &change, &rows]).map(|_| ())).await
    }

    async fn settle(&mut self, settled: &[Settled]) -> Result<()> {
        if settled.is_empty() {
            return Ok(());
        }
        let rows: Vec<SettledRow> = settled.iter().map(settled_row).collect();
        let (tenant, change, ..) = self.range();
        let (given, now) = (json(&rows)?, micros(self.now));
        self.transaction.run(move |sql| sql.execute(text::SETTLE_ROWS, &[&tenant, &change, &given, &now]).map(|_| ())).await?;
        for row in settled {
            match row {
                Settled::Refused(..) => self.result.refused += 1,
                Settled::AlreadySo(..) => self.result.processed += 1,
                Settled::Canceled(..) => self.result.canceled += 1,
            }
        }
        self.settled.extend(rows);
        Ok(())
    }

    async fn usp_assign_customer_update_site(&mut self, write: &AssignmentWrite) -> Result<u64> {
        self.assign(write).await
    }

    async fn usp_devicebulkchange_assign_non_rev_customer(&mut self, write: &AssignmentWrite) -> Result<u64> {
        self.assign(write).await
    }

    async fn usp_devicebulkchange_customerrateplanchange_updatedevices(&mut self, write: &PlanWrite) -> Result<u64> {
        self.change_plan(write, text::HISTORY_OF_PLAN, text::UPDATE_PLAN).await
    }

    async fn usp_devicebulkchange_customerrateplanchange_updatedevicebynumber(&mut self, write: &PlanWrite) -> Result<u64> {
        self.change_plan(write, text::HISTORY_OF_PLAN_BY_NUMBER, text::UPDATE_PLAN_BY_NUMBER).await
    }

    async fn schedule_customer_rate_plan(&mut self, write: &PlanWrite) -> Result<u64> {
        let ((tenant, change, from, to), now) = (self.range(), self.now);
        let effective = write.effective_at.ok_or_else(|| StoreError::internal("a queue entry without a date"))?;
        let (values, replace) = (StoredValues::of(&write.values), write.replace_scheduled);
        let (portal, by) = (self.order.change.portal.number(), self.order.change.created_by.clone());
        let scheduled = self
            .transaction
            .run(move |sql| {
                let (due, at) = (micros(effective), micros(now));
                let StoredValues { plan, pool, allocation } = &values;
                if replace {
                    sql.execute(text::REPLACE_SCHEDULED, &[&tenant, &change, &from, &to, &due, &by, &at])?;
                }
                let parameters: [&dyn rusqlite::ToSql; 11] =
                    [&tenant, &change, &from, &to, plan, pool, allocation, &due, &portal, &QUEUE_CREATED_BY, &at];
                let scheduled = sql.execute(text::SCHEDULE_PLAN, &parameters)?;
                announce_entries(sql, tenant, due)?;
                Ok(scheduled)
            })
            .await?;
        self.note(entry::CUSTOMER_RATE_PLAN, &write.log);
        Ok(scheduled as u64)
    }

    async fn revert_assignment(&mut self, rows: &[DeviceChangeId]) -> Result<u64> {
        self.revert(text::REVERT_ASSIGNMENT, rows, entry::ASSIGNMENT).await
    }

    async fn revert_customer_rate_plan(&mut self, rows: &[DeviceChangeId]) -> Result<u64> {
        self.revert(text::REVERT_PLAN, rows, entry::CUSTOMER_RATE_PLAN).await
    }

    async fn finish(self: Box<Self>, details: Option<&str>) -> Result<PageResult> {
        let this = *self;
        let accepted = this.open - i64::try_from(this.settled.len()).unwrap_or(0);
        let result = PageResult { processed: this.result.processed + accepted, ..this.result };
        let (claim, now, details) = (this.claim, this.now, details.map(str::to_owned));
        let (portal, settled, logs) = (this.order.change.portal.number(), json(&this.settled)?, this.logs);
        this.transaction
            .finish(move |sql| {
                write_log(sql, &claim, now, portal, &settled, &logs)?;
                let (tenant, change, from, to) = (claim.tenant_id.0, claim.bulk_change_id.0, claim.from_id.0, claim.to_id.0);
                let marked = sql.execute(text::MARK_PROCESSED, &[&tenant, &change, &from, &to, &micros(now), &details])?;
                if i64::try_from(marked).ok() != Some(accepted) {
                    return Err(StoreError::internal(format!("{accepted} rows were accepted, {marked} were open at the end")));
                }
                close(sql, &claim, "done")?;
                count(sql, &claim, result)
            })
            .await
    }
}

fn read_line(row: &rusqlite::Row<'_>) -> rusqlite::Result<PageLine> {
    let found = row.get::<_, Option<i64>>(5)?.is_some();
    Ok(PageLine {
        id: DeviceChangeId(row.get(0)?),
        judged_version: row.get(1)?,
        number_unchanged: row.get(2)?,
        lines_with_number: row.get(4)?,
        facts: if found { Some(read_facts(row, 5)?) } else { None },
        named: row.get(3)?,
    })
}

fn settled_row(settled: &Settled) -> SettledRow {
    match settled {
        Settled::Refused(id, reason) => (
            id.0,
            "ERROR",
            Some(reason.kind().as_str()),
            Some(reason.code.as_str()),
            Some(reason.text.clone()),
            LogText::RefusedAtProcessing.as_str(),
            None,
            Some(format!("{}: {}", reason.code, reason.text)),
        ),
        Settled::AlreadySo(id) => {
            (id.0, "PROCESSED", None, None, Some(ALREADY_SO.to_owned()), LogText::AlreadySo.as_str(), Some(ALREADY_SO), None)
        }
        Settled::Canceled(id) => (id.0, "CANCELED", None, None, None, LogText::Canceled.as_str(), Some("canceled"), None),
    }
}

fn write_log(
    sql: &Sql<'_>,
    claim: &PageClaim,
    now: DateTime<Utc>,
    portal: i64,
    settled: &str,
    logs: &[(i64, StepLog)],
) -> Result<()> {
    let (month, at) = (month(now), micros(now));
    let mut parameters: Vec<&dyn rusqlite::ToSql> = vec![
        &claim.tenant_id.0,
        &claim.bulk_change_id.0,
        &claim.from_id.0,
        &claim.to_id.0,
        &month,
        &portal,
        &PROCESS_BY,
        &at,
        &settled,
        &entry::OUTCOME,
        &"Process\n",
    ];
    let texts: Vec<&str> = logs.iter().map(|(_, log)| log.text.as_str()).collect();
    for ((entry, log), text) in logs.iter().zip(&texts) {
        parameters.extend::<[&dyn rusqlite::ToSql; 4]>([entry, text, &log.request, &log.response]);
    }
    let statement = match logs.len() {
        0 => text::LOG_SETTLED,
        1 => text::LOG_ONE_STEP,
        2 => text::LOG_TWO_STEPS,
        steps => return Err(StoreError::internal(format!("a page with {steps} steps that log"))),
    };
    sql.execute(statement, &parameters).map(|_| ())
}

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Internal { context: "writing rows as JSON".to_owned(), source: Some(Box::new(error)) })
}
