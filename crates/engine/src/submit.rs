//! Submitting an order (section 4): resolve it, judge each line, store it.

mod carrier;
mod judgement;
mod lines;
mod preview;
mod resolve;

use std::future::Future;

use chrono::TimeDelta;
use lineshift_domain::ids::{BulkChangeId, TenantId};
use lineshift_domain::judge::Verdict;
use lineshift_domain::order::Order;
use lineshift_domain::refusal::{Refusal, RefusalClass};
use lineshift_domain::scopes::{Action, Module};
use lineshift_domain::steps::holds_of;
use lineshift_domain::terms::DeviceChangeStatus;
use lineshift_store::StoreError;
use lineshift_store::bulk_changes::{Idempotency, IdempotencyClaim, NewBulkChange, StoredBulkChange, answer};
use lineshift_store::work::CalledAccounts;

use crate::run::measure_final;
use crate::{Caller, Engine, EngineError, Result};
use judgement::{Judgement, judgement_changed};
pub use judgement::{JudgementDigest, LineValues};
use lines::JudgedLines;
pub(crate) use lines::{ambiguous, not_found};
pub use preview::{Amount, CalledAccount, Monthly, Preview, Previewed, PreviewedLine, PreviewedLines, RefusedLines};
use resolve::Resolved;

/// What a submission came to (B4.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// It was stored now.
    Stored(Submitted),
    /// The same request was answered before; this is that answer's body.
    Repeated(String),
}

/// A stored submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Submitted {
    /// The bulk change.
    pub id: BulkChangeId,
    /// Rows accepted.
    pub accepted: i64,
    /// Rows refused.
    pub rejected: i64,
    /// Repeated mentions of lines.
    pub duplicates: usize,
}

impl Submitted {
    /// The answer's body: `{"Success":true,"BulkChangeId":n,"Accepted":a,"Rejected":r,"Duplicates":d}`.
    #[must_use]
    pub fn answer(&self) -> String {
        answer(&StoredBulkChange { id: self.id, accepted: self.accepted, rejected: self.rejected }, self.duplicates)
    }
}

/// What a submission would do, line by line (`ValidateBulkChange`).
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    /// Lines that would be accepted.
    pub accepted: i64,
    /// Lines that would be refused.
    pub rejected: i64,
    /// Repeated mentions of lines.
    pub duplicates: usize,
    /// Each line once, in the order of the request.
    pub lines: Vec<ValidatedLine>,
}

/// What would happen with one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatedLine {
    /// Its first place in the request, from 0.
    pub request_position: u32,
    /// The verdict.
    pub verdict: Verdict,
}

/// An order while it is submitted.
struct Submitting<'a> {
    caller: &'a Caller,
    order: &'a Order,
    resolved: Resolved,
    claim: Option<&'a IdempotencyClaim>,
    /// What the orderer has seen of the judgement; none: they have seen nothing.
    seen: Option<JudgementDigest>,
}

impl Submitting<'_> {
    /// Refuses when lines are judged otherwise than the orderer has seen.
    fn as_seen(&self, judgement: Option<Judgement>) -> Result<()> {
        let found = judgement.map(Judgement::digest);
        if found == self.seen { Ok(()) } else { Err(judgement_changed().into()) }
    }

    fn judgement(&self) -> Option<Judgement> {
        self.seen.map(|_| Judgement::of(self.order, &self.resolved))
    }
}

impl Engine {
    /// Submits an order: refuses it as a whole (B4.4), or judges each line (B4.6) and stores it (B4.7). Needs `create` in
    /// the order's portal.
    pub async fn submit(&self, caller: &Caller, order: Order, idempotency: Option<IdempotencyClaim>) -> Result<Submission> {
        caller.require(Module::from(order.portal), Action::Create)?;
        let Some(claim) = idempotency else {
            return Ok(Submission::Stored(self.submit_once(caller, &order, None, None).await?));
        };
        self.once(caller, &claim, self.submit_once(caller, &order, Some(&claim), None)).await
    }

    /// Says what `submit` would do and stores nothing.
    pub async fn validate(&self, caller: &Caller, order: Order) -> Result<Validation> {
        caller.require(Module::from(order.portal), Action::Create)?;
        let resolved = self.resolve(caller, &order).await?;
        let mut lines = JudgedLines::read(order.identifier, &order.lines);
        self.judge_lines(caller, &order, &resolved, &mut lines, None, None).await?;
        Ok(lines.into_validation(&order.lines))
    }

    /// Does the work if it is the first with its key, and frees the key if it fails (B4.5).
    async fn once(
        &self,
        caller: &Caller,
        claim: &IdempotencyClaim,
        work: impl Future<Output = Result<Submitted>>,
    ) -> Result<Submission> {
        match self.claim_key(caller.tenant, claim).await? {
            Idempotency::Answered(answer) => return Ok(Submission::Repeated(answer)),
            Idempotency::Running => return Err(still_running().into()),
            Idempotency::OtherRequest => return Err(other_request().into()),
            Idempotency::Claimed => {}
        }
        match work.await {
            Ok(submitted) => Ok(Submission::Stored(submitted)),
            // It took longer than its lease, and the same request has the key by now: that one answers, and frees it.
            Err(EngineError::Store(StoreError::LeaseLost { .. })) => Err(still_running().into()),
            Err(error) => {
                // Refusals are not kept (B4.5): the same key may be used again once the request was put right.
                if let Err(also) = self.store.release_idempotency_key(caller.tenant, claim).await {
                    tracing::warn!(%also, "an idempotency key could not be released; it is free when its lease has run out");
                }
                Err(error)
            }
        }
    }

    async fn claim_key(&self, tenant: TenantId, claim: &IdempotencyClaim) -> Result<Idempotency> {
        let now = self.clock.now();
        let kept_since = now - TimeDelta::hours(self.limits.idempotency_hours);
        Ok(self.store.claim_idempotency_key(tenant, claim, now + self.limits.lease(), kept_since, now).await?)
    }

    async fn submit_once(
        &self,
        caller: &Caller,
        order: &Order,
        claim: Option<&IdempotencyClaim>,
        seen: Option<JudgementDigest>,
    ) -> Result<Submitted> {
        let resolved = self.resolve(caller, order).await?;
        let lines = JudgedLines::read(order.identifier, &order.lines);
        let change = self.new_change(caller, order, &resolved, &lines);
        let submitting = Submitting { caller, order, resolved, claim, seen };
        let stored = if lines.len() <= self.limits.page_lines {
            self.store_at_once(&submitting, &change, lines).await?
        } else {
            self.receive(&submitting, &change, lines).await?
        };
        self.events.changed(caller.tenant, stored.id);
        self.events.wake_workers();
        self.events.wake_scheduler();
        Ok(Submitted { id: stored.id, accepted: stored.accepted, rejected: stored.rejected, duplicates: change.duplicates })
    }

    fn new_change(&self, caller: &Caller, order: &Order, resolved: &Resolved, lines: &JudgedLines) -> NewBulkChange {
        NewBulkChange {
            order: resolved.order.clone(),
            portal: order.portal,
            service_provider_id: order.service_provider_id,
            identifier: order.identifier,
            name: order.name.clone(),
            reason: order.reason.clone(),
            orderer: caller.orderer(),
            created_at: self.clock.now(),
            process_changes: order.process_changes,
            holds: holds_of(&resolved.order),
            rows: lines.len(),
            duplicates: lines.duplicates(),
            page_lines: resolved.page_lines,
            accounts: CalledAccounts::of(&resolved.order),
        }
    }

    async fn store_at_once(
        &self,
        submitting: &Submitting<'_>,
        change: &NewBulkChange,
        mut lines: JudgedLines,
    ) -> Result<StoredBulkChange> {
        let Submitting { caller, order, resolved, claim, .. } = submitting;
        let mut judgement = submitting.judgement();
        self.judge_lines(caller, order, resolved, &mut lines, None, judgement.as_mut()).await?;
        submitting.as_seen(judgement)?;
        lines.sort_by_device();
        let rows = lines.rows(0..lines.len(), &order.lines);
        let stored = self.store.store_bulk_change(caller.tenant, change, rows, *claim).await?;
        measure_refused(&lines);
        Ok(stored)
    }

    /// Stores a change of many pages: RECEIVING until its last row is there (B4.7).
    async fn receive(
        &self,
        submitting: &Submitting<'_>,
        change: &NewBulkChange,
        mut lines: JudgedLines,
    ) -> Result<StoredBulkChange> {
        let Submitting { caller, order, resolved, claim, .. } = submitting;
        let tenant = caller.tenant;
        let until = || self.clock.now() + self.limits.lease();
        let id = self.store.begin_receiving(tenant, change, until(), *claim).await?;
        let received = async {
            let mut judgement = submitting.judgement();
            self.judge_lines(caller, order, resolved, &mut lines, Some(id), judgement.as_mut()).await?;
            submitting.as_seen(judgement)?;
            lines.sort_by_device();
            // Whole pages, as many as one transaction takes.
            let pages_at_once = (self.limits.page_lines / change.page_lines).max(1);
            for (round, from) in (0..lines.len()).step_by(pages_at_once * change.page_lines).enumerate() {
                let rows = lines.rows(from..lines.len().min(from + pages_at_once * change.page_lines), &order.lines);
                self.store.append_received(tenant, id, change, round * pages_at_once, rows, until()).await?;
            }
            let stored = self.store.finish_receiving(tenant, id, change, *claim, self.clock.now()).await?;
            measure_refused(&lines);
            Ok(stored)
        }
        .await;
        if received.is_err()
            && let Err(also) = self.store.drop_receiving(tenant, id).await
        {
            tracing::warn!(%also, "a submission could not be dropped; the scheduler drops it when its lease has run out");
        }
        received
    }
}

fn measure_refused(lines: &JudgedLines) {
    for (code, rows) in lines.count_refused() {
        measure_final(DeviceChangeStatus::Error, Some(code), rows);
    }
}

fn still_running() -> Refusal {
    Refusal::one(
        RefusalClass::Conflict,
        "Idempotency-Key",
        "idempotency_key_running",
        "the first request with this key is still running; ask again when it has been answered",
    )
}

fn other_request() -> Refusal {
    Refusal::one(
        RefusalClass::Rule,
        "Idempotency-Key",
        "idempotency_key_reused",
        "this key was used with another request within its time; use a new key for a new request",
    )
}
