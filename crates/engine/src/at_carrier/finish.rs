//! How a line ends: it stands and is stored, it fails and keeps or undoes what was done, or it waits (B6.3).

use lineshift_domain::carrier::{Abilities, Answers, CarrierChange};
use lineshift_domain::codes::Code;
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::{CarrierAction, LogTitle};
use lineshift_domain::read_back::{ReadBack, ReadBackPolicy};
use lineshift_domain::terms::StepState;
use lineshift_store::billing::{CarrierLineWrite, CarrierWrite};

use super::{CarrierPage, CarrierRun};
use crate::outside::{Flow, Goal, LineEnd, compensates, concerns_account};

impl CarrierPage<'_> {
    /// The line stands as asked, or as it stood before where it is undone: what was unknown is known now, and is stored here.
    pub(super) fn stands(&self, line: &mut CarrierRun) {
        let now = self.calling.now();
        for place in line.unsettled() {
            self.took_effect(line, place);
        }
        if line.is_undoing() {
            return self.undone(line);
        }
        // What could not be undone is what is asked for.
        for place in line.stuck() {
            line.write(place, now, |record| record.state = StepState::Done);
        }
        if !line.is_stored() {
            self.store_here(line, self.asked.clone(), self.action());
            line.mark_stored(now);
            line.stands_anew = matches!(line.goal, Goal::Finish(_));
        }
        if matches!(line.goal, Goal::Do) && !self.waits_while_late(line) {
            line.end = Some(LineEnd::Stands);
        }
    }

    /// Whether a call of which nobody heard may still work late.
    pub(super) fn is_late(&self, line: &CarrierRun) -> bool {
        line.late(self.policy(), self.name(), self.calling.now()).is_some()
    }

    /// Whether the line waits because a call of which nobody heard may still work late, after whatever is done next.
    fn waits_while_late(&self, line: &mut CarrierRun) -> bool {
        let Some(late) = line.late(self.policy(), self.name(), self.calling.now()) else { return false };
        self.apply(line, self.calling.wait(Code::OutcomeUnknown, late.text, late.until));
        true
    }

    /// Says here how the line stands there. What is dated ahead is not so yet: a synchronisation brings it.
    fn store_here(&self, line: &mut CarrierRun, as_asked: CarrierChange, action: CarrierAction) {
        let is_undo = line.is_undoing();
        let title = LogTitle::carrier_amop(action, self.name());
        let (said, write) = match as_asked {
            CarrierChange::RatePlan { rate_plan, comm_plan, effective_at } => {
                let plans = [("rate plan", &rate_plan), ("communication plan", &comm_plan)];
                let named: Vec<String> =
                    plans.iter().filter_map(|(what, plan)| Some(format!("{what} {}", plan.as_ref()?))).collect();
                let action = if is_undo { CarrierWrite::RatePlanUndone } else { CarrierWrite::RatePlan };
                let write = effective_at.is_none().then_some((action, None, rate_plan.clone(), comm_plan.clone()));
                let from = effective_at.map(|at| format!(" from {at} on")).unwrap_or_default();
                (format!("{}{from}", named.join(", ")), write)
            }
            CarrierChange::Status { status, .. } => {
                let confirmed = line.there().and_then(|there| there.status.clone()).unwrap_or(status);
                (format!("status {confirmed}"), Some((CarrierWrite::Status, Some(confirmed), None, None)))
            }
        };
        let response = if write.is_some() { "stored" } else { "passed on; the line has it here once the carrier shows it" };
        let request = format!("{title}\n{}: {said}", line.line.iccid);
        line.log(title, request, response.to_owned(), None);
        if let Some((action, status, rate_plan, comm_plan)) = write {
            let (by, device_id) = (line.row, line.device_id);
            line.store(CarrierLineWrite { by, device_id, action, status, rate_plan, comm_plan });
        }
    }

    /// The undo stands: what this change did is gone again, and that is said at once; the line may have to be held all the same.
    fn undone(&self, line: &mut CarrierRun) {
        let now = self.calling.now();
        let Goal::Finish(reason) = line.goal.clone() else { return };
        if let Some(undo) = line.undone(self.asked) {
            self.store_here(line, undo, CarrierAction::UndoRatePlan);
        }
        self.forget_own(line);
        line.close_undo(now);
        let text = format!("{}; what was changed at {} was put back", reason.text, self.name());
        let reason = Reason::new(reason.code, text);
        line.mark_failed(now, &reason);
        if !self.waits_while_late(line) {
            line.end = Some(LineEnd::Ends { reason, unsettled: line.is_unsettled() });
        }
    }

    /// Nothing of what was sent for the line stands any more.
    pub(super) fn forget_own(&self, line: &mut CarrierRun) {
        for place in line.own() {
            line.write(place, self.calling.now(), |record| record.state = StepState::Reverted);
        }
    }

    /// The carrier's connector says that it cannot come to stand, and that what was sent for it is taken back.
    pub(super) fn taken_back(&self, line: &mut CarrierRun, text: &str) {
        self.refuse(line, text);
        self.forget_own(line);
    }

    /// A refused line of which nothing is unknown: what was done for it is kept, or undone, or stuck where the carrier takes nothing
    /// back (B6.3).
    pub(super) fn finish(&self, line: &mut CarrierRun, reason: &Reason) {
        if self.waits_while_late(line) {
            return;
        }
        // What was a reason to move no line to it may be none for a line that stands there (B5.3).
        if line.stands_anew {
            let text = format!("it stands at {} as asked, and is judged again", self.name());
            return self.apply(line, self.calling.wait(reason.code, text, self.calling.now()));
        }
        if !(compensates(self.calling.order) && line.has_own()) {
            let beside = line.left_beside(reason);
            let reason = line.kept(reason, self.name(), &beside);
            line.forget_plan_here(&beside);
            line.end = Some(LineEnd::Ends { reason, unsettled: line.is_unsettled() });
            return;
        }
        let reversible = self.abilities().rate_plan.is_some_and(|ability| ability.reversible);
        match line.undone(self.asked) {
            _ if !reversible => self.stick(line, &format!("{} takes nothing back", self.name())),
            None => self.stick(line, "what it had before is not known, or it is to happen on a later day"),
            Some(undo) => {
                // Whoever goes on with the undo must know why.
                line.mark_failed(self.calling.now(), reason);
                line.begin_undo(undo);
            }
        }
    }

    /// The line cannot come to stand. What failed is stored with it, so that an undo goes on if this process dies.
    pub(super) fn fail(&self, line: &mut CarrierRun, reason: Reason) {
        if line.is_undoing() {
            return self.stick(line, &reason.text);
        }
        line.look_is_over();
        if matches!(line.goal, Goal::Do) && !concerns_account(reason.code) {
            line.mark_failed(self.calling.now(), &reason);
        }
        let why = match &line.goal {
            Goal::Finish(why) => why.clone(),
            Goal::Do => reason,
        };
        if line.unsettled().is_empty() {
            line.goal = Goal::Finish(why);
        } else {
            // Whatever it is that cannot be done, what is unknown stays so until somebody looks; no order may rely on the plan here meanwhile.
            line.forget_unknown_plan(self.asked);
            line.end = Some(LineEnd::Ends { reason: why, unsettled: true });
        }
    }

    /// What was to be undone stands: a person has to see to it.
    fn stick(&self, line: &mut CarrierRun, why: &str) {
        let now = self.calling.now();
        let Goal::Finish(reason) = line.goal.clone() else { return };
        let (own, beside) = (line.own(), line.left_beside(&reason));
        for place in &own {
            line.write(*place, now, |record| {
                record.state = StepState::Stuck;
                record.outcome = Some(why.to_owned());
            });
        }
        metrics::counter!("lineshift_steps_stuck_total").increment(own.len() as u64);
        tracing::error!(row = %line.row, change = %self.calling.claim.bulk_change_id, "an undo is stuck: {why}");
        let text =
            format!("{}; what was changed at {} stands: it could not be undone: {why}{}", reason.text, self.name(), beside.said);
        line.forget_plan_here(&beside);
        line.end = Some(LineEnd::Ends { reason: Reason::new(reason.code, text), unsettled: true });
    }

    /// What a flow means for a line.
    pub(super) fn apply(&self, line: &mut CarrierRun, flow: Flow) {
        match flow {
            Flow::On => {}
            // The account waits before its next call.
            Flow::Wait(wait) if wait.is_short && line.may_wait_shortly() => {}
            Flow::Wait(mut wait) => {
                if let Goal::Finish(reason) = &line.goal {
                    wait.text = format!("{}; {}", reason.text, wait.text);
                }
                line.end = Some(self.calling.waits(line.row, wait));
            }
            // The account's trouble does not make known what is unknown: that is read back when it can be (B5.3, B7.3).
            Flow::Fail(reason) if concerns_account(reason.code) && !line.unsettled().is_empty() => {
                self.wait_to_read(line, &reason);
            }
            Flow::Fail(reason) => self.fail(line, reason),
            Flow::GivenUp(reason) => {
                line.forget_unknown_plan(self.asked);
                line.end = Some(LineEnd::Ends { reason, unsettled: true });
            }
        }
    }

    /// What is unknown waits until its account can be called again, a day at most.
    fn wait_to_read(&self, line: &mut CarrierRun, reason: &Reason) {
        let now = self.calling.now();
        let since = line.unknown_since().unwrap_or(now);
        let text = format!("what {} did is not known, and cannot be read now: {}", self.name(), reason.text);
        let flow = match self.policy().after_no_answer(since, now) {
            ReadBack::AgainAt(until) => self.calling.wait(Code::OutcomeUnknown, text, until),
            ReadBack::GivenUp | ReadBack::Settled => Flow::GivenUp(Reason::new(
                Code::OutcomeUnknown,
                format!("{text}; look the line up there, then retry or settle it"),
            )),
        };
        self.apply(line, flow);
    }

    pub(super) fn policy(&self) -> ReadBackPolicy {
        policy_of(self.abilities(), self.calling.policy())
    }
}

/// How unknown outcomes are settled at a carrier: what it answers later may take effect until its deadline.
pub(crate) fn policy_of(abilities: &Abilities, policy: ReadBackPolicy) -> ReadBackPolicy {
    match abilities.answers {
        Answers::AtOnce => policy,
        Answers::Later { deadline, .. } => ReadBackPolicy { settle_after: policy.settle_after.max(deadline), ..policy },
    }
}
