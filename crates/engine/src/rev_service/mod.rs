//! Step `rev_service`: the billing service of a line and its products, found or created (section 6, step 1; B7.1 to B7.3).
//!
//! What may bill is never sent twice. Before the first creating call of an attempt the line is looked up; each creating call
//! has its intent stored before it and its outcome after it; an unknown outcome is read back until it is settled, and only
//! then may the call be made again.

mod catalogue;
mod create;
mod line;
mod look_up;
mod preflight;
mod products;
mod service;
mod undo;

pub(crate) use catalogue::Catalogues;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use lineshift_connectors::billing::Billing;
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{DeviceChangeId, RevCustomerId};
use lineshift_domain::judge::Reason;
use lineshift_domain::order::{RevCharge, StoredRevService};
use lineshift_domain::terms::{OnPartialFailure, OnRevServiceFailure, StepState};
use lineshift_store::Result as StoreResult;
use lineshift_store::billing::StepBatch;

use crate::boundary::Boundary;
use crate::outside::{Calling, Flow, Goal, LineEnd, System, concerns_account};
pub(crate) use line::{LineRun, SERVICE};
use look_up::Look;

/// One page's work at one billing account.
pub(crate) struct RevServicePage<'a> {
    pub(crate) calling: Calling<'a>,
    pub(crate) billing: &'a dyn Billing,
    pub(crate) asked: &'a StoredRevService,
    pub(crate) customer: RevCustomerId,
}

/// As texts and codes name it.
pub(crate) const REV_IO: System = System {
    name: "Rev.io",
    refused: Code::BillingRefused,
    unavailable: Code::BillingUnavailable,
    unknown: "whether it is billed",
};

impl RevServicePage<'_> {
    /// Does what is to be done with each line, in parallel up to what the account allows.
    ///
    /// # Errors
    /// Store errors; `LeaseLost` when the page is in other hands by now. What was sent until then is stored or will be read back.
    pub(crate) async fn run(&self, mut lines: Vec<LineRun>) -> StoreResult<Vec<(DeviceChangeId, LineEnd)>> {
        self.recover(&mut lines).await?;
        self.calling.pass(Boundary::Recovered, None).await;
        let obstacle = self.preflight(&lines).await?;
        let mut looked_up = self.look_up(&mut lines, obstacle.is_some()).await?;
        self.calling.pass(Boundary::LookedUp, None).await;
        // As many as the account has places; the lines of other pages fill those whose callers store their intents.
        let at_once = self.calling.account.limits().concurrency;
        let unfinished = AtomicUsize::new(lines.len());
        let few = (at_once / 8).max(1);
        let work = lines.into_iter().map(|mut line| {
            let unfinished = &unfinished;
            let found = looked_up.remove(&line.row);
            let obstacle = obstacle.clone();
            async move {
                let flow = self.advance(&mut line, found, obstacle).await?;
                let end = self.end(&mut line, flow).await?;
                if unfinished.fetch_sub(1, Ordering::Relaxed) <= few + 1 && self.calling.holding.make_room() {
                    self.calling.engine.events.wake_workers();
                }
                StoreResult::Ok((line.row, end))
            }
        });
        let work: Vec<_> = work.collect();
        stream::iter(work).buffer_unordered(at_once).try_collect().await
    }

    /// What a worker that was lost had sent, or had not, is unknown: since its lease ran out plus the longest time that a call may take (B7.3).
    async fn recover(&self, lines: &mut [LineRun]) -> StoreResult<()> {
        let now = self.calling.now();
        let mut batch = StepBatch::default();
        for line in lines {
            for part in 0..line.parts().len() {
                if line.state(part) == StepState::Intended {
                    let since = self.calling.unknown_since(line.part(part).at);
                    batch.append(line.write(part, now, |record| {
                        record.state = StepState::Ambiguous;
                        record.unknown_since = Some(since);
                        record.outcome = Some("the worker that sent it was lost".to_owned());
                    }));
                }
            }
        }
        self.calling.journal.write(batch).await
    }

    /// Brings one line as far as it goes.
    async fn advance(&self, line: &mut LineRun, found: Option<Look>, obstacle: Option<Flow>) -> StoreResult<Flow> {
        if let Some(reason) = line.undo_reason() {
            return Ok(Flow::Fail(reason));
        }
        match self.service(line, found, obstacle).await? {
            Flow::On if line.state(SERVICE) == StepState::Done => {}
            flow => return Ok(flow),
        }
        match &self.asked.charge {
            RevCharge::Package(package) => self.package(line, *package).await,
            RevCharge::Products(products) => self.products(line, products).await,
        }
    }

    /// What a line's flow means for its end (B6.2, B6.3).
    async fn end(&self, line: &mut LineRun, flow: Flow) -> StoreResult<LineEnd> {
        let reason = match (flow, line.goal.clone()) {
            (Flow::Wait(wait), _) => return Ok(self.calling.waits(line.row, wait)),
            (Flow::GivenUp(reason), _) => return Ok(LineEnd::Ends { reason, unsettled: true }),
            (Flow::On, Goal::Do) => return Ok(LineEnd::Stands),
            (Flow::Fail(reason), Goal::Do) => reason,
            (Flow::On | Flow::Fail(_), Goal::Finish(reason)) => reason,
        };
        let assignment = self.calling.order.change.order.assignment();
        let goes_on = assignment.is_some_and(|asked| asked.on_rev_service_failure == OnRevServiceFailure::Continue)
            && matches!(line.goal, Goal::Do)
            && !concerns_account(reason.code)
            && line.undo_reason().is_none();
        if goes_on {
            return Ok(LineEnd::FailsAfterSteps(kept(line, reason)));
        }
        let compensates = assignment.is_some_and(|asked| asked.on_partial_failure == OnPartialFailure::Compensate);
        if compensates && (line.has_created() || line.undo_reason().is_some()) {
            return self.undo(line, reason).await;
        }
        Ok(LineEnd::Ends { reason: kept(line, reason), unsettled: line.is_unsettled() })
    }
}

/// Says in the reason what stands in spite of it, so that nobody looks for it in vain (B6.3, keep).
pub(crate) fn kept(line: &LineRun, reason: Reason) -> Reason {
    let created: Vec<String> = line
        .parts()
        .iter()
        .enumerate()
        .filter(|(_, part)| part.state == StepState::Done && !part.adopted)
        .filter_map(|(place, part)| {
            let what = if place == SERVICE { "Rev service" } else { "service product" };
            Some(format!("{what} {}", part.external_id.as_deref()?))
        })
        .collect();
    if created.is_empty() {
        return reason;
    }
    Reason::new(reason.code, format!("{}; {} was created and kept", reason.text, created.join(", ")))
}
