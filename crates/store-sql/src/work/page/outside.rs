//! Rows of a page that call outside: what the calls need, those that wait, those that fail for one step of several.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use lineshift_domain::ids::{DeviceChangeId, DeviceId};
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::{LogText, PROCESS_BY, entry};
use lineshift_store::billing::StepRecord;
use lineshift_store::work::{OutsideLine, PageClaim, Waiting};
use lineshift_store::{Result, StoreError};

use super::end::refused_row;
use super::{GivenRow, SqlPage};
use crate::billing::read_step;
use crate::engine::{Engine, OpenTransaction as _, Sql};
use crate::json::json;
use crate::row::{Row, micros, month};
use crate::sql::{billing, waiting as text};
use crate::value::Parameter;

/// The rows of a page that wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WaitingRows {
    /// How many.
    pub(crate) rows: i64,
    /// When the first of them is looked at again.
    pub(crate) until: i64,
}

/// The rows of a page that wait; none when none does.
pub(crate) fn waiting_rows(sql: &Sql<'_>, claim: &PageClaim) -> Result<Option<WaitingRows>> {
    let range = [&claim.tenant_id.0, &claim.bulk_change_id.0, &claim.from_id.0, &claim.to_id.0];
    let range = range.map(|value| value as &dyn Parameter);
    let found = sql.find(text::FIND_WAITING, &range, |row| Ok((row.get::<Option<i64>>(0)?, row.get::<i64>(1)?)))?;
    let waits = found.filter(|(_, rows)| *rows > 0);
    Ok(waits.map(|(until, rows)| WaitingRows { rows, until: until.unwrap_or(i64::MIN) }))
}

impl<E: Engine> SqlPage<E> {
    /// Of a canceled change every row that waits: what nothing was sent for is canceled at once (B10.1).
    pub(super) async fn wake(&mut self) -> Result<u64> {
        let ((tenant, change, from, to), now) = (self.range(), self.now);
        let until = if self.order.change.canceled_at.is_some() { i64::MAX } else { micros(now) };
        let woken = self.transaction.run(move |sql| sql.execute(text::WAKE_DUE, &[&tenant, &change, &from, &to, &until])).await?;
        Ok(woken as u64)
    }

    /// Two statements, whatever the number of rows.
    pub(super) async fn outside_lines(&mut self) -> Result<Vec<OutsideLine>> {
        let (tenant, change, from, to) = self.range();
        let lines = self
            .transaction
            .run(move |sql| {
                let mut steps: HashMap<DeviceChangeId, Vec<StepRecord>> = HashMap::new();
                for step in sql.query(billing::LIST_STEPS_OF_PAGE, &[&tenant, &from, &to], read_step)? {
                    steps.entry(step.device_change_id).or_default().push(step);
                }
                let mut lines = sql.query(text::LIST_OUTSIDE_LINES, &[&tenant, &change, &from, &to], read_outside_line)?;
                for line in &mut lines {
                    line.steps = steps.remove(&line.id).unwrap_or_default();
                }
                Ok(lines)
            })
            .await?;
        if !self.has_listed {
            self.in_hand = i64::try_from(lines.len()).unwrap_or(i64::MAX);
        }
        Ok(lines)
    }

    pub(super) async fn hold(&mut self, waiting: &[Waiting]) -> Result<()> {
        if waiting.is_empty() {
            return Ok(());
        }
        let rows: Vec<GivenRow> = waiting
            .iter()
            .map(|row| (row.id.0, row.code.kind().as_str(), row.code.as_str(), row.text.clone(), Some(micros(row.next_check_at))))
            .collect();
        let ((tenant, change, ..), now) = (self.range(), self.now);
        let (given, portal) = (json(&rows)?, self.order.change.portal.number());
        let held = self
            .transaction
            .run(move |sql| {
                log_waiting(sql, (tenant, change), &given, portal, now)?;
                sql.execute(text::HOLD_OPEN, &[&tenant, &change, &given])
            })
            .await?;
        if held != waiting.len() {
            return Err(StoreError::internal(format!("{} rows were to wait, {held} were in hand", waiting.len())));
        }
        self.in_hand -= i64::try_from(held).unwrap_or(0);
        self.has_held = true;
        Ok(())
    }

    pub(super) fn fail_later(&mut self, failing: &[(DeviceChangeId, Reason)]) {
        let given = |id: &DeviceChangeId, reason: &Reason| -> GivenRow {
            (id.0, reason.kind().as_str(), reason.code.as_str(), reason.text.clone(), None)
        };
        self.failing.extend(failing.iter().map(|(id, reason)| (refused_row(id.0, reason, false), given(id, reason))));
    }
}

fn log_waiting(sql: &Sql<'_>, (tenant, change): (i64, i64), given: &str, portal: i64, now: DateTime<Utc>) -> Result<()> {
    sql.execute(
        text::LOG_WAITING,
        &[
            &tenant,
            &change,
            &given,
            &entry::WAITING,
            &month(now),
            &portal,
            &LogText::Waiting.as_str(),
            &PROCESS_BY,
            &micros(now),
            &"Process\n",
        ],
    )
    .map(|_| ())
}

fn read_outside_line(row: &Row<'_>) -> Result<OutsideLine> {
    Ok(OutsideLine {
        id: DeviceChangeId(row.get(0)?),
        attempt: row.get(1)?,
        device_id: DeviceId(row.get(2)?),
        iccid: row.get(3)?,
        subscriber_number: row.get(4)?,
        imei: row.get(5)?,
        carrier_device_id: row.get(6)?,
        activated_at: row.maybe_time(7)?,
        status: row.get(8)?,
        carrier_rate_plan: row.get(9)?,
        communication_plan: row.get(10)?,
        steps: Vec::new(),
    })
}
