//! The transaction of one page: facts in, decisions out, set by set.

mod end;
mod order;
mod outside;
mod steps;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::facts::LineFacts;
use lineshift_domain::ids::{DeviceChangeId, DeviceId};
use lineshift_domain::judge::Reason;
use lineshift_domain::lines::Digits;
use lineshift_domain::log_text::entry;
use lineshift_store::devices::FactsQuery;
use lineshift_store::work::{
    AssignmentWrite, OrderFacts, OutsideLine, PageClaim, PageLine, PageResult, PageWork, PlanWrite, Settled, StepLog, Waiting,
};
use lineshift_store::{Result, StoreError};

use self::end::settled_row;
use self::order::{read_line, read_order};
pub(super) use self::outside::{WaitingRows, waiting_rows};
use super::lease_lost;
use crate::carriers::is_plan_active;
use crate::devices::{Seen, look_up};
use crate::engine::{Engine, OpenTransaction};
use crate::json::json;
use crate::row::micros;
use crate::sql::pages as text;
use crate::value::Parameter;

/// What becomes of a row without its steps: id, status, kind, code, details, log text, response, error, whether something of
/// it is unknown or stuck.
type SettledRow = (
    i64,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    Option<String>,
    &'static str,
    Option<&'static str>,
    Option<String>,
    bool,
);

/// What a row waits for or fails for: id, kind, code, details, next check.
type GivenRow = (i64, &'static str, &'static str, String, Option<i64>);

/// How the log says that a line stood as asked.
pub(super) const ALREADY_SO: &str = "already so";

/// An open page.
pub(super) struct SqlPage<E: Engine> {
    transaction: E::Open,
    claim: PageClaim,
    order: OrderFacts,
    stored_order: i64,
    now: DateTime<Utc>,
    /// Rows that are open, neither settled nor waiting, as far as they were listed.
    in_hand: i64,
    /// Whether all open rows were listed, also those that found no line yet.
    has_listed: bool,
    settled: Vec<SettledRow>,
    /// Those of the rows in hand that end in ERROR after the set steps: for the log, and for the statement.
    failing: Vec<(SettledRow, GivenRow)>,
    has_held: bool,
    result: PageResult,
    logs: Vec<(i64, StepLog)>,
    /// When the entries fall due that the page put into the plan queue.
    scheduled: Option<i64>,
}

impl<E: Engine> SqlPage<E> {
    pub(super) async fn open(engine: &E, claim: &PageClaim, now: DateTime<Utc>) -> Result<Self> {
        let transaction = engine.begin(claim.tenant_id).await?;
        let held = claim.clone();
        let found = transaction
            .run(move |sql| {
                let key: [&dyn Parameter; 5] = [&held.tenant_id.0, &held.bulk_change_id.0, &held.page, &held.epoch, &micros(now)];
                let Some((mut order, stored_order)) = sql.find(text::OPEN_PAGE, &key, read_order)? else { return Ok(None) };
                if let Some(code) = order.change.order.carrier_rate_plan() {
                    let is_active = is_plan_active(sql, held.tenant_id, order.change.service_provider_id, code)?;
                    order.targets.carrier_rate_plan = is_active;
                }
                Ok(Some((order, stored_order)))
            })
            .await?;
        let (order, stored_order) = found.ok_or_else(|| lease_lost(claim))?;
        Ok(Self {
            transaction,
            claim: claim.clone(),
            order,
            stored_order,
            now,
            in_hand: 0,
            has_listed: false,
            settled: Vec::new(),
            failing: Vec::new(),
            has_held: false,
            result: PageResult::default(),
            logs: Vec::new(),
            scheduled: None,
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
}

#[async_trait]
impl<E: Engine> PageWork for SqlPage<E> {
    fn order(&self) -> &OrderFacts {
        &self.order
    }

    async fn list_open_lines(&mut self, query: FactsQuery) -> Result<Vec<PageLine>> {
        let ((tenant, change, from, to), stored_order) = (self.range(), self.stored_order);
        let lines = self
            .transaction
            .run(move |sql| {
                let (mask, customer) = (query.mask(), query.customer());
                sql.query(text::LIST_OPEN_LINES, &[&tenant, &mask, &customer, &stored_order, &change, &from, &to], read_line)
            })
            .await?;
        self.in_hand = i64::try_from(lines.len()).unwrap_or(i64::MAX);
        self.has_listed = true;
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
        let recorded = self.transaction.run(move |sql| sql.execute(text::RECORD_JUDGED, &[&tenant, &change, &rows])).await?;
        if recorded != judged.len() {
            // Lines that are named were looked up without a lock. The page is run again and sees what they are now.
            return Err(StoreError::Unavailable("a line was changed while it was judged".into()));
        }
        Ok(())
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
                Settled::Refused(..) | Settled::Unsettled(..) => self.result.refused += 1,
                Settled::AlreadySo(..) => self.result.processed += 1,
                Settled::Canceled(..) => self.result.canceled += 1,
            }
        }
        self.in_hand -= i64::try_from(rows.len()).unwrap_or(0);
        self.settled.extend(rows);
        Ok(())
    }

    async fn wake_due(&mut self) -> Result<u64> {
        self.wake().await
    }

    async fn list_outside_lines(&mut self) -> Result<Vec<OutsideLine>> {
        self.outside_lines().await
    }

    async fn hold_open(&mut self, waiting: &[Waiting]) -> Result<()> {
        self.hold(waiting).await
    }

    async fn fail_after_steps(&mut self, failing: &[(DeviceChangeId, Reason)]) -> Result<()> {
        self.fail_later(failing);
        Ok(())
    }

    async fn pause(self: Box<Self>) -> Result<PageResult> {
        self.commit_and_go_on().await
    }

    async fn usp_assign_customer_update_site(&mut self, write: &AssignmentWrite) -> Result<u64> {
        self.assign(write).await
    }

    async fn usp_devicebulkchange_assign_non_rev_customer(&mut self, write: &AssignmentWrite) -> Result<u64> {
        self.assign(write).await
    }

    async fn usp_devicebulkchange_customerrateplanchange_updatedevices(&mut self, write: &PlanWrite) -> Result<u64> {
        self.change_plan(write, false).await
    }

    async fn usp_devicebulkchange_customerrateplanchange_updatedevicebynumber(&mut self, write: &PlanWrite) -> Result<u64> {
        self.change_plan(write, true).await
    }

    async fn schedule_customer_rate_plan(&mut self, write: &PlanWrite) -> Result<u64> {
        self.schedule(write).await
    }

    async fn revert_assignment(&mut self, rows: &[DeviceChangeId]) -> Result<u64> {
        self.revert(text::REVERT_ASSIGNMENT, rows, entry::ASSIGNMENT).await
    }

    async fn revert_customer_rate_plan(&mut self, rows: &[DeviceChangeId]) -> Result<u64> {
        self.revert(text::REVERT_PLAN, rows, entry::CUSTOMER_RATE_PLAN).await
    }

    async fn finish(self: Box<Self>, details: Option<&str>) -> Result<PageResult> {
        self.end(details).await
    }
}
