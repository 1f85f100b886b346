//! The first transaction of a page that calls outside: its rows are judged on locked facts, and what needs no call is settled.

use std::collections::HashMap;

use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::judge::{ActiveStatuses, Reason};
use lineshift_domain::order::RevCharge;
use lineshift_domain::steps::carrier_step;
use lineshift_domain::terms::{Step, StepState};
use lineshift_store::Result as StoreResult;
use lineshift_store::billing::StepRecord;
use lineshift_store::work::{OrderFacts, OutsideLine, PageWork, Settled};

use super::Goal;
use super::{compensates, done_outside};
use crate::Engine;
use crate::at_carrier::{failed_at_carrier, is_own, is_unheard, is_unknown_part, stands_by_now};
use crate::run::{Judged, Stop, judge_rows, measure_outcomes};
use crate::steps::set_steps;

/// A page that was judged and committed.
pub(super) struct Opened {
    pub(super) order: OrderFacts,
    /// The rows on which something is to be done, each with what.
    pub(super) lines: Vec<(OutsideLine, Goal)>,
}

impl Engine {
    /// Judges the rows that are due, settles those on which nothing was sent and nothing is to be done, and commits.
    pub(super) async fn judge_for_calls(&self, mut page: Box<dyn PageWork>, statuses: &ActiveStatuses) -> StoreResult<Opened> {
        page.wake_due().await?;
        let order = page.order().clone();
        let known = page.list_outside_lines().await?;
        let judged =
            judge_rows(page.as_mut(), &order, &done_outside(&known), statuses, self.abilities(order.integration_kind)).await?;
        // Rows that were refused at submission have found their lines only now.
        let known = if judged.found_anew { page.list_outside_lines().await? } else { known };
        let mut lines: HashMap<DeviceChangeId, OutsideLine> = known.into_iter().map(|line| (line.id, line)).collect();
        let mut settled = Vec::new();
        let mut to_call = Vec::new();
        for (row, verdict) in &judged.rows {
            let line = lines.remove(row);
            match goal(*row, verdict, line.as_ref(), &order) {
                Ok(goal) => to_call.extend(line.map(|line| (line, goal))),
                Err(end) => settled.push(end),
            }
        }
        page.settle(&settled).await?;
        let result = page.pause().await?;
        measure_outcomes(&settled, result);
        Ok(Opened { order, lines: to_call })
    }
}

/// What is to be done with a row; or how it ends at once.
fn goal(row: DeviceChangeId, verdict: &Judged, line: Option<&OutsideLine>, order: &OrderFacts) -> Result<Goal, Settled> {
    let was_sent = line.is_some_and(is_sent);
    if let Some(reason) = line.and_then(|line| failed_before(line, order)) {
        return Ok(Goal::Finish(reason));
    }
    if line.is_some_and(|line| stands_whole(line, order)) {
        return Ok(Goal::Do);
    }
    match verdict {
        Judged::Accepted => Ok(Goal::Do),
        Judged::AlreadySo if was_sent => Ok(Goal::Do),
        Judged::AlreadySo => Err(Settled::AlreadySo(row)),
        // A line on which a step was done, or is unknown, is carried to its end (B10.1), and never judged to be canceled.
        Judged::Stopped(Stop::Canceled) => Err(Settled::Canceled(row)),
        // What stands as a whole calls nobody any more (B5.3).
        Judged::Stopped(Stop::NoCalls(no)) => {
            let billing = no.billing.as_ref().filter(|_| !line.is_some_and(|line| is_billed(line, order)));
            let carrier = no.carrier.as_ref().filter(|_| !line.is_some_and(|line| is_moved(line, order)));
            match billing.or(carrier) {
                None => Ok(Goal::Do),
                Some(reason) => refused_row(row, reason, was_sent),
            }
        }
        Judged::Stopped(Stop::Refused(reason)) | Judged::Refused(reason) => refused_row(row, reason, was_sent),
    }
}

fn refused_row(row: DeviceChangeId, reason: &Reason, was_sent: bool) -> Result<Goal, Settled> {
    if was_sent { Ok(Goal::Finish(reason.clone())) } else { Err(Settled::Refused(row, reason.clone())) }
}

/// The carrier refused the line in this attempt, and what was done for it is to be undone (B6.3), or the line was only held since because
/// a call may still work late: that goes on whatever the line is judged to be by now.
fn failed_before(line: &OutsideLine, order: &OrderFacts) -> Option<Reason> {
    if !compensates(order) && !line.steps.iter().any(is_unheard) {
        return None;
    }
    failed_at_carrier(&line.steps, line.attempt)
}

/// Whether everything that was ordered stands, and the line is only held since: no step is left that could be refused.
fn stands_whole(line: &OutsideLine, order: &OrderFacts) -> bool {
    set_steps(order).is_empty() && carrier_step(&order.change.order).is_some_and(|step| stands_by_now(line, step))
}

/// Whether something stands, or may stand, that this change did: a refusal then has something to keep, undo or read back.
pub(super) fn is_sent(line: &OutsideLine) -> bool {
    line.steps.iter().any(|step| {
        is_unknown_part(step)
            || matches!(step.state, StepState::Done | StepState::Stuck)
            || (step.state == StepState::Reverted && step.attempt == line.attempt)
    })
}

/// The parts of the step `rev_service`.
fn billing_parts(line: &OutsideLine) -> impl Iterator<Item = &StepRecord> {
    line.steps.iter().filter(|step| step.step == Step::RevService)
}

/// Whether the order's service and products stand, so that the billing system needs no call for the line.
fn is_billed(line: &OutsideLine, order: &OrderFacts) -> bool {
    let parts = match order.change.order.rev_service().map(|service| &service.charge) {
        None => return true,
        Some(RevCharge::Products(products)) => 1 + products.len(),
        Some(RevCharge::Package(_)) => 1,
    };
    billing_parts(line).filter(|step| step.state == StepState::Done).count() >= parts
}

/// Whether the line stands at its carrier as asked in this attempt, so that the carrier needs no call for it. What stood in an attempt
/// before may have been moved since, and is looked at.
fn is_moved(line: &OutsideLine, order: &OrderFacts) -> bool {
    carrier_step(&order.change.order).is_none_or(|step| stands_by_now(line, step))
}

/// Whether the carrier has something of the line, or may have, that has to be settled, kept or undone.
pub(super) fn is_at_carrier(line: &OutsideLine) -> bool {
    let is_left = |step: &StepRecord| is_unknown_part(step) || is_unheard(step) || is_own(step) || step.state == StepState::Stuck;
    line.steps.iter().any(|step| step.step != Step::RevService && is_left(step))
}

/// Whether nobody knows whether the line is billed.
pub(super) fn is_billing_unknown(line: &OutsideLine) -> bool {
    billing_parts(line).any(is_unknown_part)
}

/// Whether its service was found or created.
pub(super) fn has_service(line: &OutsideLine) -> bool {
    billing_parts(line).any(|step| step.part == 0 && matches!(step.state, StepState::Done | StepState::Stuck))
}

/// Why a row is refused when its page is closed, if it is.
pub(super) fn refusal(verdict: &Judged) -> Option<Reason> {
    match verdict {
        Judged::Refused(reason) | Judged::Stopped(Stop::Refused(reason)) => Some(reason.clone()),
        // The calls are made by now.
        Judged::Accepted | Judged::AlreadySo | Judged::Stopped(Stop::Canceled | Stop::NoCalls(_)) => None,
    }
}
