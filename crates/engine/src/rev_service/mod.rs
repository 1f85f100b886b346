//! Step `rev_service`: the billing service of a line and its products, found or created (section 6, step 1; B7.1 to B7.3).
//!
//! What may bill is never sent twice. Before the first creating call of an attempt the line is looked up; each creating call
//! has its intent stored before it and its outcome after it; an unknown outcome is read back until it is settled, and only
//! then may the call be made again.

mod create;
mod line;
mod look_up;
mod preflight;
mod products;
mod service;
mod undo;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use lineshift_connectors::CallError;
use lineshift_connectors::http::{NotNow, Permit, WhyNot};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{DeviceChangeId, RevCustomerId};
use lineshift_domain::judge::Reason;
use lineshift_domain::order::{RevCharge, StoredRevService};
use lineshift_domain::read_back::{ReadBack, ReadBackPolicy};
use lineshift_domain::terms::{OnPartialFailure, OnRevServiceFailure, StepState};
use lineshift_store::Result as StoreResult;
use lineshift_store::billing::StepBatch;
use lineshift_store::work::{OrderFacts, PageClaim, Waiting};

use crate::Engine;
use crate::accounts::OpenAccount;
use crate::boundary::Boundary;
use crate::outside::{Holding, Journal};
pub(crate) use line::{Goal, LineEnd, LineRun, SERVICE};
use look_up::Look;

/// How a line goes on after a part of the step.
#[derive(Debug, Clone)]
enum Flow {
    /// With the next part.
    On,
    /// Not at all: it was clearly refused.
    Fail(Reason),
    /// Later.
    Wait(Wait),
    /// Not at all: nobody will know what a call did (B7.3).
    GivenUp(Reason),
}

/// For what a line waits, and until when.
#[derive(Debug, Clone)]
struct Wait {
    code: Code,
    text: String,
    until: DateTime<Utc>,
    /// Whether the account itself may wait for it, so that the line need not be put off.
    is_short: bool,
}

/// One page's work at one billing account.
pub(crate) struct RevServicePage<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) claim: &'a PageClaim,
    pub(crate) order: &'a OrderFacts,
    pub(crate) asked: &'a StoredRevService,
    pub(crate) customer: RevCustomerId,
    pub(crate) account: &'a OpenAccount,
    pub(crate) holding: Holding,
    pub(crate) journal: Journal,
    /// What the other side said when it refused the credentials during this page.
    pub(crate) refused: OnceLock<String>,
}

impl RevServicePage<'_> {
    /// Does what is to be done with each line, in parallel up to what the account allows.
    ///
    /// # Errors
    /// Store errors; `LeaseLost` when the page is in other hands by now. What was sent until then is stored or will be read back.
    pub(crate) async fn run(&self, mut lines: Vec<LineRun>) -> StoreResult<Vec<(DeviceChangeId, LineEnd)>> {
        self.recover(&mut lines).await?;
        self.pass(Boundary::Recovered, None).await;
        let obstacle = self.preflight(&lines).await?;
        let mut looked_up = self.look_up(&mut lines, obstacle.is_some()).await?;
        self.pass(Boundary::LookedUp, None).await;
        // As many as the account has places; the lines of other pages fill those whose callers store their intents.
        let at_once = self.account.billing.account().limits().concurrency;
        let unfinished = AtomicUsize::new(lines.len());
        let few = (at_once / 8).max(1);
        let work = lines.into_iter().map(|mut line| {
            let unfinished = &unfinished;
            let found = looked_up.remove(&line.row);
            let obstacle = obstacle.clone();
            async move {
                let flow = self.advance(&mut line, found, obstacle).await?;
                let end = self.end(&mut line, flow).await?;
                if unfinished.fetch_sub(1, Ordering::Relaxed) <= few + 1 && self.holding.make_room() {
                    self.engine.events.wake_workers();
                }
                StoreResult::Ok((line.row, end))
            }
        });
        let work: Vec<_> = work.collect();
        stream::iter(work).buffer_unordered(at_once).try_collect().await
    }

    /// What a worker that was lost had sent, or had not, is unknown: since its lease ran out plus the longest time that a call may take (B7.3).
    async fn recover(&self, lines: &mut [LineRun]) -> StoreResult<()> {
        let now = self.now();
        // What was intended since was of this claim, or of one that was given back: its calls ended with it.
        let lost = |intended: DateTime<Utc>| {
            let lost = self.claim.lost_lease_until.filter(|until| intended <= *until);
            lost.map_or(now, |until| until + self.timeout())
        };
        let mut batch = StepBatch::default();
        for line in lines {
            for part in 0..line.parts().len() {
                if line.state(part) == StepState::Intended {
                    let since = lost(line.part(part).at);
                    batch.append(line.write(part, now, |record| {
                        record.state = StepState::Ambiguous;
                        record.unknown_since = Some(since);
                        record.outcome = Some("the worker that sent it was lost".to_owned());
                    }));
                }
            }
        }
        self.journal.write(batch).await
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
            (Flow::Wait(wait), _) => return Ok(self.waits(line, wait)),
            (Flow::GivenUp(reason), _) => return Ok(LineEnd::Ends { reason, unsettled: true }),
            (Flow::On, Goal::Do) => return Ok(LineEnd::Stands),
            (Flow::Fail(reason), Goal::Do) => reason,
            (Flow::On | Flow::Fail(_), Goal::Finish(reason)) => reason,
        };
        let assignment = self.order.change.order.assignment();
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

    fn waits(&self, line: &LineRun, wait: Wait) -> LineEnd {
        // A moment that has passed by now would be looked at without end.
        let next_check_at = wait.until.max(self.now() + TimeDelta::milliseconds(200));
        LineEnd::Waits(Waiting { id: line.row, code: wait.code, text: wait.text, next_check_at })
    }

    /// A place among the account's calls, or for what to wait.
    async fn permit(&self) -> Result<Permit, Flow> {
        if let Some(text) = self.refused.get() {
            return Err(Flow::Fail(credentials_refused(text)));
        }
        let granted = self.account.billing.account().permit();
        let permit = match self.holding.shutdown.clone() {
            None => granted.await,
            Some(mut shutdown) => tokio::select! {
                biased;
                () = shutdown.due() => return Err(self.wait(Code::AccountNotReady, "this process is stopping".to_owned(), self.now())),
                permit = granted => permit,
            },
        };
        let permit = permit.map_err(|not_now| self.wait_for_account(not_now))?;
        Ok(permit.guarded_by(Arc::clone(&self.holding.lease) as Arc<dyn lineshift_connectors::http::SendGuard>))
    }

    fn wait_for_account(&self, not_now: NotNow) -> Flow {
        let code = if not_now.why == WhyNot::DayQuota { Code::QuotaExhausted } else { Code::AccountNotReady };
        self.wait(code, not_now.to_string(), not_now.until)
    }

    fn wait(&self, code: Code, text: String, until: DateTime<Utc>) -> Flow {
        Flow::Wait(Wait { code, text, until, is_short: false })
    }

    /// The other side asked to wait: the account knows, and waits before its next call if its patience allows.
    fn wait_a_little(&self, not_now: NotNow) -> Flow {
        let patience = self.account.billing.account().limits().patience;
        let is_short = (not_now.until - self.now()).to_std().is_ok_and(|pause| pause <= patience);
        match self.wait_for_account(not_now) {
            Flow::Wait(wait) => Flow::Wait(Wait { is_short, ..wait }),
            flow => flow,
        }
    }

    /// What a reading call that failed means for a line of which nothing is unknown.
    async fn after_failed_read(&self, error: CallError) -> StoreResult<Flow> {
        Ok(match error {
            CallError::NotNow(not_now) => self.wait_for_account(not_now),
            CallError::NotSent(text) => self.wait(Code::AccountNotReady, text, self.now() + UNREACHED),
            CallError::LeaseLost => return Err(self.lease_lost()),
            CallError::Unauthorized { text, .. } => {
                self.note_refused(&text).await?;
                Flow::Fail(credentials_refused(&text))
            }
            error @ (CallError::Rejected { .. } | CallError::NotFound { .. }) => {
                Flow::Fail(Reason::new(Code::BillingRefused, error.to_string()))
            }
            error @ (CallError::Unavailable(_) | CallError::Ambiguous(_)) => {
                Flow::Fail(Reason::new(Code::BillingUnavailable, error.to_string()))
            }
        })
    }

    /// What a reading call that failed means for a line of which something is unknown: it waits on, a day at most (B7.3).
    async fn after_failed_read_back(&self, unknown_since: DateTime<Utc>, error: CallError) -> StoreResult<Flow> {
        if matches!(error, CallError::LeaseLost) {
            return Err(self.lease_lost());
        }
        if let CallError::Unauthorized { text, .. } = &error {
            self.note_refused(text).await?;
        }
        let text = format!("whether it is billed is not known, and cannot be read now: {error}");
        Ok(match self.policy().after_no_answer(unknown_since, self.now()) {
            ReadBack::AgainAt(until) => self.wait(Code::OutcomeUnknown, text, until),
            ReadBack::GivenUp | ReadBack::Settled => Flow::GivenUp(Reason::new(
                Code::OutcomeUnknown,
                format!("{text}; look it up in Rev.io, then retry this line or settle it"),
            )),
        })
    }

    /// The account refused its credentials: no other line needs to try (B5.3).
    async fn note_refused(&self, text: &str) -> StoreResult<()> {
        if self.refused.set(text.to_owned()).is_ok() {
            let key = self.account.key;
            let (tenant, id) = (key.tenant_id, key.integration_authentication_id);
            self.engine.store.record_refused_credentials(tenant, id, self.account.stored.version, text, self.now()).await?;
        }
        Ok(())
    }

    fn policy(&self) -> ReadBackPolicy {
        let limits = &self.engine.limits;
        ReadBackPolicy { settle_after: limits.settle_after(), give_up_after: limits.read_back() }
    }

    fn timeout(&self) -> TimeDelta {
        TimeDelta::from_std(self.engine.limits.call_timeout()).unwrap_or(TimeDelta::seconds(30))
    }

    fn now(&self) -> DateTime<Utc> {
        self.engine.clock.now()
    }

    async fn pass(&self, boundary: Boundary, row: Option<DeviceChangeId>) {
        self.engine.boundaries.pass(boundary, row).await;
    }

    fn lease_lost(&self) -> lineshift_store::StoreError {
        lineshift_store::StoreError::LeaseLost {
            what: format!("page {} of bulk change {}", self.claim.page, self.claim.bulk_change_id),
        }
    }
}

/// How long a row waits after no connection could be made.
const UNREACHED: TimeDelta = TimeDelta::seconds(5);

/// Whether a reason is about the account rather than the line: then the later steps are not done either (B5.3).
const fn concerns_account(code: Code) -> bool {
    matches!(code, Code::CredentialsRefused | Code::CredentialsMissing | Code::WritesDisabled)
}

fn credentials_refused(text: &str) -> Reason {
    Reason::new(
        Code::CredentialsRefused,
        format!("Rev.io refused the credentials of this integration: {text}; store working ones, then retry"),
    )
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
            Some(format!("{what} {}", part.external_id?))
        })
        .collect();
    if created.is_empty() {
        return reason;
    }
    Reason::new(reason.code, format!("{}; {} was created and kept", reason.text, created.join(", ")))
}
