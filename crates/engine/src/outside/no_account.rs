//! Lines of an account that nobody can build: no address, no credentials, or none that can be read.

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::carrier::Abilities;
use lineshift_domain::codes::Code;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::judge::Reason;
use lineshift_domain::order::{RevCharge, StoredOrder};
use lineshift_domain::terms::StepState;
use lineshift_store::Result as StoreResult;
use lineshift_store::billing::StepBatch;
use lineshift_store::work::{OrderFacts, PageClaim, Waiting};

use super::Journal;
use super::{Goal, LineEnd, compensates};
use crate::Engine;
use crate::at_carrier::{CarrierRun, policy_of};
use crate::rev_service::{LineRun, kept};

/// How long a line waits before it is looked whether its account can be called by then; more than any call takes.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(60);

impl Engine {
    /// Without an account to call, what is unknown waits for one, a day at most (B7.3); what stands goes on; everything else ends
    /// (B5.3), and what should have been undone is stuck (B6.3).
    pub(super) async fn end_without_billing(
        &self,
        claim: &PageClaim,
        order: &OrderFacts,
        lines: Vec<LineRun>,
        reason: &Reason,
    ) -> StoreResult<Vec<(DeviceChangeId, LineEnd)>> {
        let now = self.clock.now();
        let compensates = compensates(order);
        let mut stuck = StepBatch::default();
        let mut ends = Vec::with_capacity(lines.len());
        for mut line in lines {
            let end = if line.is_unknown() {
                self.wait_for_account_to_be(&line, reason, now)
            } else if matches!(line.goal, Goal::Do) && line.stands() && !has_package(&order.change.order) {
                LineEnd::Stands
            } else {
                let why = line.undo_reason().unwrap_or_else(|| match &line.goal {
                    Goal::Do => reason.clone(),
                    Goal::Finish(why) => why.clone(),
                });
                if compensates && line.has_created() {
                    stuck.append(line.stick_created(now, &reason.text));
                    let text = format!("{}; it could not be undone: {}", why.text, reason.text);
                    LineEnd::Ends { reason: Reason::new(why.code, text), unsettled: true }
                } else {
                    LineEnd::Ends { reason: kept(&line, why), unsettled: line.is_unsettled() }
                }
            };
            ends.push((line.row, end));
        }
        metrics::counter!("lineshift_steps_stuck_total").increment(stuck.steps.len() as u64);
        Journal::new(self.clone(), claim.clone()).write(stuck).await?;
        Ok(ends)
    }

    /// The same for lines of a carrier that cannot be called.
    pub(super) async fn end_without_carrier(
        &self,
        claim: &PageClaim,
        order: &OrderFacts,
        lines: Vec<CarrierRun>,
        abilities: &Abilities,
        reason: &Reason,
    ) -> StoreResult<Vec<(DeviceChangeId, LineEnd)>> {
        let now = self.clock.now();
        let mut written = StepBatch::default();
        let mut ends = Vec::with_capacity(lines.len());
        for mut line in lines {
            let end = match (&line.end, line.unknown_since()) {
                (Some(end), _) => end.clone(),
                (None, Some(since)) => {
                    let text = format!("what the carrier did is not known, and cannot be read now: {}", reason.text);
                    self.wait_until_known(line.row, since, text, now)
                }
                (None, None) => match line.late(policy_of(abilities, self.read_back_policy()), abilities.name, now) {
                    Some(late) => late.of(line.row),
                    None => line.end_uncalled(reason, abilities.name, compensates(order), now),
                },
            };
            written.append(line.take_unwritten());
            ends.push((line.row, end));
        }
        let stuck = written.steps.iter().filter(|step| step.state == StepState::Stuck).count();
        metrics::counter!("lineshift_steps_stuck_total").increment(stuck as u64);
        Journal::new(self.clone(), claim.clone()).write(written).await?;
        Ok(ends)
    }

    fn wait_for_account_to_be(&self, line: &LineRun, reason: &Reason, now: DateTime<Utc>) -> LineEnd {
        let unknown = line.parts().iter().filter(|part| matches!(part.state, StepState::Intended | StepState::Ambiguous));
        let since = unknown.map(|part| part.unknown_since.unwrap_or(part.at)).min().unwrap_or(now);
        let text = format!("whether it is billed is not known, and cannot be read now: {}", reason.text);
        self.wait_until_known(line.row, since, text, now)
    }

    /// What is unknown waits, a day at most (B7.3).
    fn wait_until_known(&self, row: DeviceChangeId, since: DateTime<Utc>, text: String, now: DateTime<Utc>) -> LineEnd {
        if now >= since + self.limits.read_back() {
            let text = format!("{text}; look it up there, then retry this line or settle it");
            return LineEnd::Ends { reason: Reason::new(Code::OutcomeUnknown, text), unsettled: true };
        }
        LineEnd::Waits(Waiting { id: row, code: Code::OutcomeUnknown, text, next_check_at: now + LOOK_AGAIN })
    }
}

/// What a package brings is read from the account before its line stands.
fn has_package(order: &StoredOrder) -> bool {
    order.rev_service().is_some_and(|service| matches!(service.charge, RevCharge::Package(_)))
}
