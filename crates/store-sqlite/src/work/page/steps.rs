//! The set steps of a page: each writes its history from the old values, then the new ones.

use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::log_text::{QUEUE_CREATED_BY, entry};
use lineshift_domain::order::{PlanValues, Setting};
use lineshift_store::work::{AssignmentWrite, PlanWrite};
use lineshift_store::{Result, StoreError};

use super::SqlitePage;
use crate::bulk_changes::announce_entries;
use crate::row::{decimal_text, micros, month};
use crate::sql::pages as text;

impl SqlitePage {
    pub(super) async fn assign(&mut self, write: &AssignmentWrite) -> Result<u64> {
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

    pub(super) async fn change_plan(&mut self, write: &PlanWrite, history: &'static str, update: &'static str) -> Result<u64> {
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

    pub(super) async fn revert(&mut self, statement: &'static str, rows: &[DeviceChangeId], entry: i64) -> Result<u64> {
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
