//! The first transaction of a page that calls outside: its rows are judged on locked facts, and what needs no call is settled.

use std::collections::HashMap;

use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::judge::{ActiveStatuses, Reason};
use lineshift_domain::order::RevCharge;
use lineshift_domain::terms::StepState;
use lineshift_store::Result as StoreResult;
use lineshift_store::work::{OrderFacts, OutsideLine, PageWork, Settled};

use super::Goal;
use super::with_own_service;
use crate::Engine;
use crate::run::{Judged, Stop, judge_rows, measure_outcomes};

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
        let judged = judge_rows(page.as_mut(), &order, &with_own_service(&known), statuses).await?;
        // Rows that were refused at submission have found their lines only now.
        let known = if judged.found_anew { page.list_outside_lines().await? } else { known };
        let mut lines: HashMap<DeviceChangeId, OutsideLine> = known.into_iter().map(|line| (line.id, line)).collect();
        let parts = parts_of(&order);
        let mut settled = Vec::new();
        let mut to_call = Vec::new();
        for (row, verdict) in &judged.rows {
            let line = lines.remove(row);
            match goal(*row, verdict, line.as_ref(), parts) {
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
fn goal(row: DeviceChangeId, verdict: &Judged, line: Option<&OutsideLine>, parts: usize) -> Result<Goal, Settled> {
    let was_sent = line.is_some_and(is_sent);
    match verdict {
        Judged::Accepted => Ok(Goal::Do),
        Judged::AlreadySo if was_sent => Ok(Goal::Do),
        Judged::AlreadySo => Err(Settled::AlreadySo(row)),
        // A line on which a step was done, or is unknown, is carried to its end (B10.1).
        Judged::Stopped(Stop::Canceled) if was_sent => Ok(Goal::Do),
        Judged::Stopped(Stop::Canceled) => Err(Settled::Canceled(row)),
        // What stands as a whole calls nobody any more (B5.3).
        Judged::Stopped(Stop::NoAccount(_)) if line.is_some_and(|line| stands(line, parts)) => Ok(Goal::Do),
        Judged::Stopped(Stop::Refused(reason) | Stop::NoAccount(reason)) | Judged::Refused(reason) => {
            if was_sent {
                Ok(Goal::Finish(reason.clone()))
            } else {
                Err(Settled::Refused(row, reason.clone()))
            }
        }
    }
}

/// Whether something stands, or may stand, that this change did: a refusal then has something to keep, undo or read back.
fn is_sent(line: &OutsideLine) -> bool {
    line.steps.iter().any(|step| {
        matches!(step.state, StepState::Intended | StepState::Ambiguous | StepState::Done | StepState::Stuck)
            || (step.state == StepState::Reverted && step.attempt == line.attempt)
    })
}

/// The parts of an order's Rev service: itself, and each product.
fn parts_of(order: &OrderFacts) -> usize {
    match order.change.order.rev_service().map(|service| &service.charge) {
        Some(RevCharge::Products(products)) => 1 + products.len(),
        Some(RevCharge::Package(_)) | None => 1,
    }
}

fn stands(line: &OutsideLine, parts: usize) -> bool {
    line.steps.iter().filter(|step| step.state == StepState::Done).count() >= parts
}

/// Whether nobody knows what a call for it did.
pub(super) fn is_unknown(line: &OutsideLine) -> bool {
    line.steps.iter().any(|step| matches!(step.state, StepState::Intended | StepState::Ambiguous))
}

/// Whether its service was found or created.
pub(super) fn has_service(line: &OutsideLine) -> bool {
    line.steps.iter().any(|step| step.part == 0 && matches!(step.state, StepState::Done | StepState::Stuck))
}

/// Why a row is refused when its page is closed, if it is.
pub(super) fn refusal(verdict: &Judged) -> Option<Reason> {
    match verdict {
        Judged::Refused(reason) | Judged::Stopped(Stop::Refused(reason)) => Some(reason.clone()),
        // The calls are made by now.
        Judged::Accepted | Judged::AlreadySo | Judged::Stopped(Stop::Canceled | Stop::NoAccount(_)) => None,
    }
}
