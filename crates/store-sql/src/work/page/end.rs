//! The end of a page's transaction: its log, its rows, its counts, and whether the page waits, goes on or is done.

use chrono::{DateTime, Utc};
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::{LogText, PROCESS_BY, entry};
use lineshift_store::work::{PageClaim, PageResult, Settled, StepLog};
use lineshift_store::{Result, StoreError};

use super::outside::waiting_rows;
use super::{ALREADY_SO, SettledRow, SqlPage};
use crate::bulk_changes::announce_entries;
use crate::engine::{Engine, OpenTransaction as _, Sql};
use crate::json::json;
use crate::row::{micros, month};
use crate::sql::{pages as text, waiting};
use crate::value::Parameter;
use crate::work::{Closed, close, count, lease_lost};

impl<E: Engine> SqlPage<E> {
    /// Whether the page may have rows that wait: only those of a change that calls an account ever do.
    pub(super) const fn may_wait(&self) -> bool {
        self.order.billing.is_some() || self.order.carrier.is_some() || self.has_held
    }

    /// Ends the rows in hand and closes the page, or gives it back until the first row that waits is due.
    pub(super) async fn end(self, details: Option<&str>) -> Result<PageResult> {
        let this = self;
        let failing = i64::try_from(this.failing.len()).unwrap_or(0);
        let accepted = this.in_hand - failing;
        let may_wait = this.may_wait();
        let mut result = this.result;
        result.processed += accepted;
        result.refused += failing;
        let (claim, now, details) = (this.claim, this.now, details.map(str::to_owned));
        let logged: Vec<&SettledRow> = this.settled.iter().chain(this.failing.iter().map(|(row, _)| row)).collect();
        let (portal, settled, logs, scheduled) = (this.order.change.portal.number(), json(&logged)?, this.logs, this.scheduled);
        let failed = json(&this.failing.iter().map(|(_, row)| row).collect::<Vec<_>>())?;
        this.transaction
            .finish(move |sql| {
                write_log(sql, &claim, now, portal, &settled, &logs)?;
                let (tenant, change, from, to) = (claim.tenant_id.0, claim.bulk_change_id.0, claim.from_id.0, claim.to_id.0);
                if failing > 0 {
                    let ended = sql.execute(waiting::FAIL_AFTER_STEPS, &[&tenant, &change, &failed, &micros(now)])?;
                    expect_rows("were to fail", failing, ended)?;
                }
                let marked = sql.execute(text::MARK_PROCESSED, &[&tenant, &change, &from, &to, &micros(now), &details])?;
                expect_rows("were accepted", accepted, marked)?;
                let waits = if may_wait { waiting_rows(sql, &claim)? } else { None };
                close(sql, &claim, Closed::after_run(waits, true))?;
                let result = PageResult { waiting: waits.map_or(0, |waits| waits.rows), ..result };
                let counted = count(sql, &claim, result)?;
                // Last of all, as whoever applies due entries does it: he has the change by then, and waits for the note.
                if let Some(due) = scheduled {
                    announce_entries(sql, tenant, due)?;
                }
                Ok(counted)
            })
            .await
    }

    /// Commits what is settled and that the rows in hand are PROCESSING; the claim goes on.
    pub(super) async fn commit_and_go_on(self) -> Result<PageResult> {
        if !self.logs.is_empty() || !self.failing.is_empty() {
            return Err(StoreError::internal("a page was paused after its set steps; they belong to its last transaction"));
        }
        let may_wait = self.may_wait();
        let (claim, now, result) = (self.claim, self.now, self.result);
        let (portal, settled, any) = (self.order.change.portal.number(), json(&self.settled)?, !self.settled.is_empty());
        self.transaction
            .finish(move |sql| {
                let (tenant, change, from, to) = (claim.tenant_id.0, claim.bulk_change_id.0, claim.from_id.0, claim.to_id.0);
                if sql.execute(waiting::KEEP_PAGE, &[&tenant, &change, &claim.page, &claim.epoch])? == 0 {
                    return Err(lease_lost(&claim));
                }
                if any {
                    write_log(sql, &claim, now, portal, &settled, &[])?;
                }
                sql.execute(waiting::BEGIN_ROWS, &[&tenant, &change, &from, &to])?;
                let waits = if may_wait { waiting_rows(sql, &claim)? } else { None };
                count(sql, &claim, PageResult { waiting: waits.map_or(0, |waits| waits.rows), ..result })
            })
            .await
    }
}

fn expect_rows(what: &str, expected: i64, found: usize) -> Result<()> {
    if i64::try_from(found).ok() == Some(expected) {
        return Ok(());
    }
    Err(StoreError::internal(format!("{expected} rows {what}, {found} were open at the end")))
}

pub(super) fn settled_row(settled: &Settled) -> SettledRow {
    match settled {
        Settled::Refused(id, reason) => refused_row(id.0, reason, false),
        Settled::Unsettled(id, reason) => refused_row(id.0, reason, true),
        Settled::AlreadySo(id) => (
            id.0,
            "PROCESSED",
            None,
            None,
            Some(ALREADY_SO.to_owned()),
            LogText::AlreadySo.as_str(),
            Some(ALREADY_SO),
            None,
            false,
        ),
        Settled::Canceled(id) => (id.0, "CANCELED", None, None, None, LogText::Canceled.as_str(), Some("canceled"), None, false),
    }
}

pub(super) fn refused_row(id: i64, reason: &Reason, unsettled: bool) -> SettledRow {
    (
        id,
        "ERROR",
        Some(reason.kind().as_str()),
        Some(reason.code.as_str()),
        Some(reason.text.clone()),
        LogText::RefusedAtProcessing.as_str(),
        None,
        Some(format!("{}: {}", reason.code, reason.text)),
        unsettled,
    )
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
    let mut parameters: Vec<&dyn Parameter> = vec![
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
        parameters.extend::<[&dyn Parameter; 4]>([entry, text, &log.request, &log.response]);
    }
    let statement = match logs.len() {
        0 => text::LOG_SETTLED,
        1 => text::LOG_ONE_STEP,
        2 => text::LOG_TWO_STEPS,
        steps => return Err(StoreError::internal(format!("a page with {steps} steps that log"))),
    };
    sql.execute(statement, &parameters).map(|_| ())
}
