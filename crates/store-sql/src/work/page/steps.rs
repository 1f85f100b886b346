//! The set steps of a page: each writes its history from the old values, then the new ones.

use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::log_text::{QUEUE_CREATED_BY, entry};
use lineshift_store::work::{AssignmentWrite, PlanWrite, StepLog};
use lineshift_store::{Result, StoreError};

use super::SqlPage;
use crate::engine::{Engine, OpenTransaction as _};
use crate::procedures::{Assigned, Done, PageRange, Planned, StoredValues};
use crate::row::micros;
use crate::sql::pages as text;
use crate::statement::Statement;
use crate::value::Parameter;

impl<E: Engine> SqlPage<E> {
    fn page_range(&self) -> PageRange {
        let (tenant, change, from, to) = self.range();
        let by = self.order.change.created_by.clone();
        PageRange { tenant, change, from, to, epoch: self.claim.epoch, by, now: self.now }
    }

    fn did(&mut self, done: Done, entry: i64, log: &StepLog) -> u64 {
        if !done.logged {
            self.note(entry, log);
        }
        done.changed as u64
    }

    pub(super) async fn assign(&mut self, write: &AssignmentWrite) -> Result<u64> {
        let page = self.page_range();
        let assigned = Assigned { asked: write.assignment.clone(), zone: write.time_zone.name(), log: write.log.clone() };
        let done = self.transaction.run(move |sql| sql.procedures().assign(sql, &page, &assigned)).await?;
        Ok(self.did(done, entry::ASSIGNMENT, &write.log))
    }

    pub(super) async fn change_plan(&mut self, write: &PlanWrite, by_number: bool) -> Result<u64> {
        let (page, replace) = (self.page_range(), write.replace_scheduled);
        let planned = Planned { values: StoredValues::of(&write.values), by_number, log: write.log.clone() };
        let done = self
            .transaction
            .run(move |sql| {
                let done = sql.procedures().change_plan(sql, &page, &planned)?;
                if replace {
                    let PageRange { tenant, change, from, to, by, now, .. } = &page;
                    sql.execute(text::REPLACE_SCHEDULED, &[tenant, change, from, to, &i64::MIN, by, &micros(*now)])?;
                }
                Ok(done)
            })
            .await?;
        Ok(self.did(done, entry::CUSTOMER_RATE_PLAN, &write.log))
    }

    pub(super) async fn revert(&mut self, statement: Statement, rows: &[DeviceChangeId], entry: i64) -> Result<u64> {
        let ((tenant, change, ..), now) = (self.range(), self.now);
        let rows = serde_json::Value::from(rows.iter().map(|id| id.0).collect::<Vec<_>>()).to_string();
        let by = self.order.change.created_by.clone();
        let reverted = self
            .transaction
            .run(move |sql| sql.execute(statement, &[&tenant, &change, &rows, &by, &micros(now), &entry]))
            .await?;
        Ok(reverted as u64)
    }

    pub(super) async fn schedule(&mut self, write: &PlanWrite) -> Result<u64> {
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
                let parameters: [&dyn Parameter; 11] =
                    [&tenant, &change, &from, &to, plan, pool, allocation, &due, &portal, &QUEUE_CREATED_BY, &at];
                sql.execute(text::SCHEDULE_PLAN, &parameters)
            })
            .await?;
        self.scheduled = Some(micros(effective));
        self.note(entry::CUSTOMER_RATE_PLAN, &write.log);
        Ok(scheduled as u64)
    }
}
