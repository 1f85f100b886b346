//! The last transaction of a page that calls outside: the rows are judged again on locked facts, the set steps are done for those that
//! go on, and all of it is written and committed together.

use std::collections::HashMap;
use std::time::Instant;

use chrono::{DateTime, Utc};
use lineshift_domain::carrier::CarrierChange;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::judge::Reason;
use lineshift_store::Result as StoreResult;
use lineshift_store::work::{OrderFacts, OutsideLine, PageClaim, PageResult, Settled, Waiting};

use super::done_outside;
use super::judged::refusal;
use super::{LineEnd, compensates};
use crate::Engine;
use crate::at_carrier::{is_own, is_unknown_part};
use crate::run::{Judged, judge_rows, measure_outcomes};
use crate::steps::{apply_measured, scheduled_for, set_steps};

/// How one row ends its page.
#[derive(Debug, PartialEq, Eq)]
enum RowEnd {
    /// The set steps are done, and it is PROCESSED.
    GoesOn,
    /// The set steps are done, and it ends in ERROR (B6.2, continue).
    FailsAfterSteps(Reason),
    /// It ends here.
    Settled(Settled),
    /// It waits.
    Waits(Waiting),
}

impl Engine {
    pub(super) async fn close_page(&self, claim: &PageClaim, ends: Vec<(DeviceChangeId, LineEnd)>) -> StoreResult<PageResult> {
        let started = Instant::now();
        // Before the transaction, which needs no second connection then.
        let statuses = self.active_statuses().await?;
        let now = self.clock.now();
        let mut page = self.store.open_page(claim, now).await?;
        let order = page.order().clone();
        let lines = page.list_outside_lines().await?;
        let judged =
            judge_rows(page.as_mut(), &order, &done_outside(&lines), &statuses, self.abilities(order.integration_kind)).await?;
        let done: HashMap<DeviceChangeId, Done> = lines.iter().map(|line| (line.id, Done::of(line))).collect();
        let mut ends: HashMap<DeviceChangeId, LineEnd> = ends.into_iter().collect();
        let (mut settled, mut waiting, mut failing, mut go_on) = (Vec::new(), Vec::new(), Vec::new(), 0_usize);
        for (row, verdict) in &judged.rows {
            // A row that came to be open since the page was judged is looked at with the next claim.
            let end = ends.remove(row).unwrap_or_else(|| LineEnd::Waits(look_again(*row, now)));
            let done = done.get(row).copied().unwrap_or_default();
            match decide(*row, end, verdict, &order, done, now) {
                RowEnd::GoesOn => go_on += 1,
                RowEnd::FailsAfterSteps(reason) => failing.push((*row, reason)),
                RowEnd::Settled(end) => settled.push(end),
                RowEnd::Waits(wait) => waiting.push(wait),
            }
        }
        page.settle(&settled).await?;
        page.hold_open(&waiting).await?;
        page.fail_after_steps(&failing).await?;
        if go_on + failing.len() > 0 {
            for step in set_steps(&order) {
                apply_measured(step.as_ref(), &order, page.as_mut()).await?;
            }
        }
        let scheduled = order.change.order.plan().and_then(|plan| scheduled_for(&order, plan));
        let details = scheduled.or_else(|| passed_on(&order));
        let result = page.finish(details.as_deref()).await?;
        metrics::histogram!("lineshift_page_seconds").record(started.elapsed().as_secs_f64());
        settled.extend(failing.into_iter().map(|(row, reason)| Settled::Refused(row, reason)));
        measure_outcomes(&settled, result);
        Ok(result)
    }
}

/// What this change did outside for a line.
#[derive(Debug, Clone, Copy, Default)]
struct Done {
    /// Whether anything of it stands.
    stands: bool,
    /// Whether anything of it is unknown.
    is_unknown: bool,
}

impl Done {
    fn of(line: &OutsideLine) -> Self {
        Self { stands: line.steps.iter().any(is_own), is_unknown: line.steps.iter().any(is_unknown_part) }
    }

    /// Whether there is something to undo by now: what is unknown comes first.
    const fn is_to_be_undone(self) -> bool {
        self.stands && !self.is_unknown
    }
}

fn look_again(row: DeviceChangeId, now: DateTime<Utc>) -> Waiting {
    Waiting {
        id: row,
        code: lineshift_domain::codes::Code::AccountNotReady,
        text: "it is looked at again".to_owned(),
        next_check_at: now,
    }
}

/// What the calls came to and what the line is by now, together (B5.3, B6.2, B6.3).
fn decide(row: DeviceChangeId, end: LineEnd, verdict: &Judged, order: &OrderFacts, done: Done, now: DateTime<Utc>) -> RowEnd {
    let refused = refusal(verdict);
    let compensates = compensates(order);
    match (end, refused) {
        (LineEnd::Waits(waiting), _) => RowEnd::Waits(waiting),
        // What the carrier refused, or does not take back, is undone at the billing system, too: the page is claimed again at once.
        (LineEnd::Ends { reason, .. }, _) if compensates && done.is_to_be_undone() => undo_next(row, &reason, now),
        (LineEnd::Ends { reason, unsettled: true }, _) => RowEnd::Settled(Settled::Unsettled(row, reason)),
        (LineEnd::Ends { reason, unsettled: false }, _) => RowEnd::Settled(Settled::Refused(row, with_kept(reason, done.stands))),
        (LineEnd::Stands, None) => RowEnd::GoesOn,
        // Everything that was ordered stands already: no step is left that could be refused.
        (LineEnd::Stands, Some(_)) if set_steps(order).is_empty() => RowEnd::GoesOn,
        (LineEnd::FailsAfterSteps(reason), None) => RowEnd::FailsAfterSteps(reason),
        (LineEnd::Stands | LineEnd::FailsAfterSteps(_), Some(reason)) => {
            if compensates && done.stands {
                return undo_next(row, &reason, now);
            }
            RowEnd::Settled(Settled::Refused(row, with_kept(reason, done.stands)))
        }
    }
}

/// Says what stands in spite of the reason, so that nobody looks for it in vain (B6.3, keep). Who ended the line has said so of what he
/// did himself; of a service that was opened before the carrier refused the line nobody has yet.
fn with_kept(reason: Reason, stands: bool) -> Reason {
    if !stands || reason.text.contains("kept") {
        return reason;
    }
    Reason::new(reason.code, format!("{}; what was done for it outside was kept", reason.text))
}

/// Undoing calls outside, which no transaction waits for: the page is claimed again at once.
fn undo_next(row: DeviceChangeId, reason: &Reason, now: DateTime<Utc>) -> RowEnd {
    let text = format!("{}; what was done for it is being undone", reason.text);
    RowEnd::Waits(Waiting { id: row, code: reason.code, text, next_check_at: now })
}

/// "passed on" and its date in the tenant's zone, for an order that the carrier carries out on its date (B6.5).
fn passed_on(order: &OrderFacts) -> Option<String> {
    let Some(CarrierChange::RatePlan { effective_at: Some(at), .. }) = order.change.order.carrier_change() else { return None };
    let at = at.with_timezone(&order.time_zone).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    Some(format!("passed on to the carrier for {at}"))
}
