//! Pages that call outside: judged and committed, called without a transaction, then written (B5.1, B5.3, B7.1).

mod calling;
mod close;
mod journal;
mod judged;
mod lease;
mod line;
mod no_account;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use lineshift_connectors::http::AccountKey;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::judge::{ActiveStatuses, Reason};
use lineshift_domain::steps::carrier_step;
use lineshift_domain::terms::OnPartialFailure;
use lineshift_store::work::{OrderFacts, OutsideLine, PageClaim, PageResult, PageWork};
use lineshift_store::{Result as StoreResult, StoreError};
use tokio::sync::OwnedSemaphorePermit;

pub(crate) use self::calling::{Calling, Flow, System, UNREACHED, concerns_account};
pub(crate) use self::journal::Journal;
pub(crate) use self::lease::Lease;
pub(crate) use self::line::{Entries, Goal, LineEnd};
use crate::Engine;
use crate::accounts::{Connected, Open};
use crate::at_carrier::{CarrierPage, CarrierRun, policy_of, system_of};
use crate::boundary::Boundary;
use crate::error::EngineError;
use crate::rev_service::{LineRun, REV_IO, RevServicePage};
use crate::run::DoneOutside;
use crate::worker::Shutdown;

/// Under what a page's calls are made.
#[derive(Clone)]
pub(crate) struct Holding {
    pub(crate) lease: Arc<Lease>,
    pub(crate) shutdown: Option<Shutdown>,
    /// The page's place among those of its worker with many lines under work.
    pub(crate) room: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl Holding {
    /// Of a page that nobody runs others beside.
    pub(crate) fn alone(lease: Arc<Lease>) -> Self {
        Self { lease, shutdown: None, room: Arc::default() }
    }

    /// Few lines are left: another page may begin. True when this gave up a place.
    pub(crate) fn make_room(&self) -> bool {
        self.room.lock().expect("never held over a panic").take().is_some()
    }
}

impl Engine {
    /// Runs a claimed page that calls outside.
    pub(crate) async fn run_outside_page(
        &self,
        claim: &PageClaim,
        page: Box<dyn PageWork>,
        holding: Holding,
        statuses: &ActiveStatuses,
    ) -> StoreResult<PageResult> {
        let opened = self.judge_for_calls(page, statuses).await?;
        self.boundaries.pass(Boundary::Judged, None).await;
        let ends = self.call(claim, &opened.order, opened.lines, holding).await?;
        self.boundaries.pass(Boundary::Called, None).await;
        let result = self.close_page(claim, ends).await?;
        self.boundaries.pass(Boundary::Finished, None).await;
        Ok(result)
    }

    /// Calls the billing system, then the carrier, for the lines that go on; of those that are refused the carrier first, so that what
    /// was done is undone in reverse (B6.3).
    async fn call(
        &self,
        claim: &PageClaim,
        order: &OrderFacts,
        lines: Vec<(OutsideLine, Goal)>,
        holding: Holding,
    ) -> StoreResult<Vec<(DeviceChangeId, LineEnd)>> {
        let stored = &order.change.order;
        let bills = stored.rev_service().is_some();
        let (mut ends, mut kept_there) = (HashMap::new(), HashMap::new());
        let lines = if stored.carrier_account().is_some() {
            let (refused, others): (Vec<_>, Vec<_>) = lines.into_iter().partition(|(_, goal)| matches!(goal, Goal::Finish(_)));
            let refused_there = self.call_carrier(claim, order, refused.clone(), holding.clone()).await?;
            kept_there.extend(refused_there);
            let goes_on = |(line, _): &(OutsideLine, Goal)| bills && !matches!(kept_there.get(&line.id), Some(LineEnd::Waits(_)));
            others.into_iter().chain(refused.into_iter().filter(goes_on)).collect()
        } else {
            lines
        };
        let billed = if bills { self.call_billing(claim, order, lines.clone(), holding.clone()).await? } else { Vec::new() };
        ends.extend(billed);
        if stored.carrier_account().is_some() {
            let left = |(line, goal)| left_at_carrier(line, &goal, &ends);
            let to_move: Vec<_> = lines.into_iter().filter_map(left).collect();
            for (row, end) in self.call_carrier(claim, order, to_move, holding).await? {
                let before = ends.remove(&row);
                ends.insert(row, after_billing(before, end));
            }
        }
        for (row, there) in kept_there {
            let here = ends.remove(&row);
            ends.insert(row, both_ended(there, here));
        }
        Ok(ends.into_iter().collect())
    }

    async fn call_billing(
        &self,
        claim: &PageClaim,
        order: &OrderFacts,
        lines: Vec<(OutsideLine, Goal)>,
        holding: Holding,
    ) -> StoreResult<Vec<(DeviceChangeId, LineEnd)>> {
        let assignment = order.change.order.assignment();
        let asked = assignment.and_then(|assignment| Some((assignment.rev_customer_id?, assignment.rev_service.as_ref()?)));
        let (Some(facts), Some((customer, asked))) = (&order.billing, asked) else {
            return Err(StoreError::internal("a page that bills without an account"));
        };
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let key = AccountKey { tenant_id: claim.tenant_id, integration_authentication_id: facts.id };
        let account = self.open_billing(key).await.map_err(store_error)?;
        let now = self.clock.now();
        let runs: Vec<LineRun> = lines.into_iter().map(|(line, goal)| LineRun::new(line, goal, order, asked, now)).collect();
        let account = match account {
            Ok(account) => account,
            Err(reason) => return self.end_without_billing(claim, order, runs, &reason).await,
        };
        let calling = self.calling(claim, order, &account, REV_IO, holding);
        let page = RevServicePage { calling, billing: &*account.connector, asked, customer };
        page.run(runs).await
    }

    async fn call_carrier(
        &self,
        claim: &PageClaim,
        order: &OrderFacts,
        lines: Vec<(OutsideLine, Goal)>,
        holding: Holding,
    ) -> StoreResult<Vec<(DeviceChangeId, LineEnd)>> {
        let stored = &order.change.order;
        let (Some(facts), Some(asked), Some(step)) = (&order.carrier, stored.carrier_change(), carrier_step(stored)) else {
            return Err(StoreError::internal("a page that calls a carrier without an account"));
        };
        // What was dated ahead when it was ordered, and is not any more, applies now (B6.5).
        let asked = asked.due_by(self.clock.now());
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let key = AccountKey { tenant_id: claim.tenant_id, integration_authentication_id: facts.id };
        let now = self.clock.now();
        let Some(abilities) = self.abilities(order.integration_kind) else {
            return Err(StoreError::internal("an order to a carrier that is not registered"));
        };
        let mut runs: Vec<_> =
            lines.into_iter().map(|(line, goal)| CarrierRun::new(line, goal, order, &asked, step, now)).collect();
        for line in &mut runs {
            line.hold_while_late(policy_of(abilities, self.read_back_policy()), abilities.name, now);
        }
        let account = match self.open_carrier(key).await.map_err(store_error)? {
            Ok(account) => account,
            Err(reason) => return self.end_without_carrier(claim, order, runs, abilities, &reason).await,
        };
        let Some(kind) = self.carriers().find(account.stored.integration_kind) else {
            return Err(StoreError::internal("a carrier is connected that is not registered"));
        };
        let calling = self.calling(claim, order, &account, system_of(kind.abilities()), holding);
        let page = CarrierPage { calling, carrier: &*account.connector, kind, asked: &asked };
        page.run(runs).await
    }

    fn calling<'a, C: Connected + ?Sized>(
        &'a self,
        claim: &'a PageClaim,
        order: &'a OrderFacts,
        account: &'a Open<C>,
        system: System,
        holding: Holding,
    ) -> Calling<'a> {
        Calling {
            engine: self,
            claim,
            order,
            key: account.key,
            version: account.stored.version,
            account: account.connector.account(),
            system,
            holding,
            journal: Journal::new(self.clone(), claim.clone()),
            refused: OnceLock::new(),
        }
    }
}

/// What is to be done at the carrier for a line that is to stand as asked, once the billing system was called. One whose billing has failed
/// goes on to no new plan; what the carrier has of it by now is settled all the same, and kept or undone.
fn left_at_carrier(line: OutsideLine, goal: &Goal, billed: &HashMap<DeviceChangeId, LineEnd>) -> Option<(OutsideLine, Goal)> {
    match (goal, billed.get(&line.id)) {
        (Goal::Do, None | Some(LineEnd::Stands | LineEnd::FailsAfterSteps(_))) => Some((line, Goal::Do)),
        (Goal::Do, Some(LineEnd::Ends { reason, .. })) if judged::is_at_carrier(&line) => {
            let reason = reason.clone();
            Some((line, Goal::Finish(reason)))
        }
        (Goal::Do, Some(LineEnd::Ends { .. } | LineEnd::Waits(_))) | (Goal::Finish(_), _) => None,
    }
}

/// What a line comes to whose billing stood, or failed, once the carrier was called (B6.2).
fn after_billing(billed: Option<LineEnd>, moved: LineEnd) -> LineEnd {
    match (billed, moved) {
        (Some(LineEnd::FailsAfterSteps(reason)), LineEnd::Stands) => LineEnd::FailsAfterSteps(reason),
        (Some(LineEnd::FailsAfterSteps(first)), LineEnd::Ends { reason, unsettled }) => {
            let text = format!("{}; and {}", first.text, reason.text);
            LineEnd::Ends { reason: Reason::new(first.code, text), unsettled }
        }
        (failed @ Some(LineEnd::Ends { .. }), there) => both_ended(there, failed),
        (_, moved) => moved,
    }
}

/// What a refused line comes to: what the carrier has of it, and what the billing system has.
fn both_ended(there: LineEnd, billed: Option<LineEnd>) -> LineEnd {
    match (there, billed) {
        (LineEnd::Ends { reason: there, unsettled: unsettled_there }, Some(LineEnd::Ends { reason, unsettled })) => {
            // Both texts begin with why the line was refused.
            let text = if there.text.starts_with(&reason.text) {
                there.text
            } else if reason.text.starts_with(&there.text) {
                reason.text
            } else {
                format!("{}; {}", there.text, reason.text)
            };
            LineEnd::Ends { reason: Reason::new(reason.code, text), unsettled: unsettled || unsettled_there }
        }
        (LineEnd::Ends { .. }, Some(waits @ LineEnd::Waits(_))) => waits,
        (there, _) => there,
    }
}

/// Whether what an order did to a line is undone when the line fails (B6.3).
pub(crate) fn compensates(order: &OrderFacts) -> bool {
    order.change.order.assignment().is_some_and(|asked| asked.on_partial_failure == OnPartialFailure::Compensate)
}

/// A page knows store errors only.
fn store_error(error: EngineError) -> StoreError {
    match error {
        EngineError::Store(error) => error,
        other => StoreError::internal(other.to_string()),
    }
}

/// What a change has done for these lines. A service that it found or created, or may have, is its own: what is stored for one that is
/// unknown, by a synchronisation say, is what its read-back will find.
pub(crate) fn done_outside(lines: &[OutsideLine]) -> DoneOutside {
    let of = |is: fn(&OutsideLine) -> bool| lines.iter().filter(|line| is(line)).map(|line| line.id).collect();
    DoneOutside { own: of(|line| judged::has_service(line) || judged::is_billing_unknown(line)), sent: of(judged::is_sent) }
}
