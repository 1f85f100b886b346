//! What is done next with a line: what its carrier says, as far as it is safe.

use chrono::{DateTime, Utc};
use lineshift_connectors::carrier::{Act, Next, Repeat};
use lineshift_domain::carrier::{Answers, CarrierChange};
use lineshift_domain::codes::Code;
use lineshift_domain::judge::Reason;
use lineshift_domain::read_back::ReadBack;
use lineshift_domain::terms::StepState;

use super::{CarrierPage, CarrierRun};
use crate::outside::{Flow, Goal};

/// What is done next with a line.
pub(super) enum Do {
    /// It has its end.
    Ended,
    /// It is read.
    Read,
    /// That is sent for it.
    Send(Act),
}

impl CarrierPage<'_> {
    /// Decides, without calling anybody. What was decided and changes nothing outside is done at once.
    pub(super) fn decide(&self, line: &mut CarrierRun) -> Do {
        while line.end.is_none() {
            if let Goal::Finish(reason) = line.goal.clone()
                && !line.is_undoing()
                && line.unsettled().is_empty()
            {
                if !line.is_worth_a_look(&reason) {
                    self.finish(line, &reason);
                } else if let Some(to_do) = self.look(line, &reason) {
                    return to_do;
                }
                continue;
            }
            let parts = line.known_parts();
            let next = self.kind.next(line.asked(self.asked), &line.known(&parts));
            match next {
                Next::Read if line.read_at().is_some() => {
                    let text = format!("{} asks to read again what was just read", self.name());
                    self.fail(line, Reason::new(Code::CarrierUnavailable, text));
                }
                Next::Read => return Do::Read,
                Next::Found { part, external_id } => self.found(line, part, external_id),
                Next::Stands => self.stands(line),
                Next::Refuse(text) => self.refuse(line, &text),
                Next::LeftBeside(text) => {
                    line.is_beside = true;
                    self.refuse(line, &text);
                }
                Next::TakenBack(text) => self.taken_back(line, &text),
                Next::Send(act) => {
                    if let Some(to_do) = self.before_sending(line, act) {
                        return to_do;
                    }
                }
            }
        }
        Do::Ended
    }

    /// What stands between an act and its being sent; none: decide again.
    pub(super) fn before_sending(&self, line: &mut CarrierRun, act: Act) -> Option<Do> {
        let place = line.place_of(act.part);
        self.settle_others(line, place);
        let known = line.record(place).map(|record| (record.state, record.unknown_since.unwrap_or(record.at)));
        match known {
            // It was accepted. It is not sent again, but looked at until it shows.
            Some((StepState::Waiting, _)) if line.read_at().is_none() => Some(Do::Read),
            Some((StepState::Waiting, since)) => {
                self.wait_for_answer(line, place, since);
                None
            }
            Some((StepState::Ambiguous, since)) if act.repeat == Repeat::Creates => match line.read_at() {
                // Without the read-back an unknown create would be sent again at once.
                _ if cfg!(feature = "negative-no-read-back") => Some(Do::Send(act)),
                None => Some(Do::Read),
                Some(read_at) => {
                    self.after_nothing(line, place, self.policy().after_nothing(since, read_at));
                    None
                }
            },
            // Sent again after nobody knew what became of it, and refused: whether the first had worked is read, where a reading can show it.
            Some((StepState::Ambiguous, _)) if self.is_dated(line) && line.is_refused(place) && line.is_of_now(place) => {
                self.cannot_be_seen(line, place);
                None
            }
            Some((StepState::Ambiguous, since)) if !self.is_dated(line) && line.is_refused(place) => {
                let Some(read_at) = line.read_at() else { return Some(Do::Read) };
                let said = line.record(place).and_then(|record| record.outcome.clone()).unwrap_or_default();
                match self.policy().after_nothing(since, read_at) {
                    ReadBack::AgainAt(until) => self.apply(line, self.calling.wait(Code::OutcomeUnknown, said, until)),
                    ReadBack::Settled | ReadBack::GivenUp => {
                        self.part_failed(line, place, Reason::new(Code::CarrierRefused, said));
                    }
                }
                None
            }
            // Nothing more is sent for a line that is refused: whether what is unknown had an effect is read until it is settled.
            Some((StepState::Ambiguous, since)) if !self.may_send(line, &act) => match line.read_at() {
                _ if self.is_dated(line) => {
                    self.cannot_be_seen(line, place);
                    None
                }
                None => Some(Do::Read),
                Some(read_at) => {
                    self.after_nothing(line, place, self.policy().after_nothing(since, read_at));
                    None
                }
            },
            // What is unknown is seen first; nothing of the line is unknown any more once it was read.
            _ if !self.may_send(line, &act) => line.read_at().is_none().then_some(Do::Read),
            _ => self.count_attempt(line, place).then_some(Do::Send(act)),
        }
    }

    /// Whether an act may be sent for the line: once it is refused, only to undo or to clear up.
    fn may_send(&self, line: &CarrierRun, act: &Act) -> bool {
        matches!(line.goal, Goal::Do) || line.is_undoing() || self.may_clear(line, act)
    }

    /// What the carrier's connector goes on from, after the line was read, took effect: else it would send that again.
    fn settle_others(&self, line: &mut CarrierRun, place: u16) {
        if line.read_at().is_none() {
            return;
        }
        for other in line.unsettled().into_iter().filter(|other| *other != place) {
            self.took_effect(line, other);
        }
    }

    /// An unknown act was read back, and what it was to do stands. When the last call was sent of which nobody heard is kept: what stands
    /// may be another's doing, and the call may still work late. An only call that was accepted is no such call.
    pub(super) fn took_effect(&self, line: &mut CarrierRun, place: u16) {
        line.write(place, self.calling.now(), |record| {
            let was_heard = record.state == StepState::Waiting && record.calls <= 1;
            record.unknown_since = record.unknown_since.filter(|_| !was_heard);
            record.state = StepState::Done;
            record.code = None;
            record.outcome = Some("read back: it took effect".to_owned());
        });
    }

    /// Whether an act may be sent once more (B5.7); a pause lies between the calls of which nobody knows what they did.
    fn count_attempt(&self, line: &mut CarrierRun, place: u16) -> bool {
        let Some(record) = line.record(place).filter(|record| record.attempt == line.attempt) else { return true };
        let (calls, state, at) = (record.calls, record.state, record.at);
        let last = record.outcome.clone().unwrap_or_default();
        if calls >= i64::from(self.calling.engine.limits().attempts) {
            let text = format!("{} gave no usable answer {calls} times; the last: {last}", self.name());
            match (state, line.read_at()) {
                (StepState::Ambiguous, None) => self.cannot_be_seen(line, place),
                (StepState::Ambiguous, Some(read_at)) => {
                    let since = line.record(place).and_then(|record| record.unknown_since).unwrap_or(at);
                    match self.policy().after_nothing(since, read_at) {
                        ReadBack::AgainAt(until) => self.apply(line, self.calling.wait(Code::OutcomeUnknown, text, until)),
                        _ => self.part_failed(line, place, Reason::new(Code::CarrierUnavailable, text)),
                    }
                }
                _ => self.part_failed(line, place, Reason::new(Code::CarrierUnavailable, text)),
            }
            return false;
        }
        let pause = chrono::TimeDelta::seconds(1 << calls.clamp(0, 6));
        if state == StepState::Ambiguous && calls >= 2 && self.calling.now() < at + pause {
            let text = format!("{} did not say what became of it; it is sent again: {last}", self.name());
            self.apply(line, self.calling.wait(Code::OutcomeUnknown, text, at + pause));
            return false;
        }
        true
    }

    /// Whether what is asked is to happen on a later day, so that no reading shows it.
    fn is_dated(&self, line: &CarrierRun) -> bool {
        matches!(line.asked(self.asked), CarrierChange::RatePlan { effective_at: Some(_), .. })
    }

    /// No reading shows whether it worked: a person has to look.
    fn cannot_be_seen(&self, line: &mut CarrierRun, place: u16) {
        let said = line.record(place).and_then(|record| record.outcome.clone()).unwrap_or_default();
        let text = format!(
            "what {} did cannot be seen by reading: {said}; look the line up there, then retry or settle it",
            self.name()
        );
        self.apply(line, Flow::GivenUp(Reason::new(Code::OutcomeUnknown, text)));
    }

    /// An unknown act was looked for and not found (B7.3).
    fn after_nothing(&self, line: &mut CarrierRun, place: u16, then: ReadBack) {
        match then {
            ReadBack::AgainAt(until) => {
                let said = line.record(place).and_then(|record| record.outcome.clone()).unwrap_or_default();
                let text = format!("what {} did is not known yet: {said}; it is read back", self.name());
                self.apply(line, self.calling.wait(Code::OutcomeUnknown, text, until));
            }
            // What was sent last was refused, and what was sent before it had no effect either: it is not sent once more.
            ReadBack::Settled | ReadBack::GivenUp if line.is_refused(place) => {
                let said = line.record(place).and_then(|record| record.outcome.clone()).unwrap_or_default();
                self.part_failed(line, place, Reason::new(Code::CarrierRefused, said));
            }
            ReadBack::Settled | ReadBack::GivenUp => self.had_no_effect(line, place),
        }
    }

    /// An unknown act turned out to have done nothing: it may be sent again.
    fn had_no_effect(&self, line: &mut CarrierRun, place: u16) {
        line.write(place, self.calling.now(), |record| {
            record.state = StepState::Pending;
            record.unknown_since = None;
            record.outcome = Some("read back: it had no effect".to_owned());
        });
    }

    /// What was accepted does not show yet: it is looked at again, until its deadline (B5.6, B5.7).
    fn wait_for_answer(&self, line: &mut CarrierRun, place: u16, since: DateTime<Utc>) {
        let Some(record) = line.record(place) else { return };
        let request = record.external_id.clone().unwrap_or_default();
        if let (Some(Code::CarrierRefused), outcome) = (record.code, record.outcome.clone()) {
            // A callback said that it failed, and what was read agrees.
            let (text, calls) = (format!("{}: {}", self.name(), outcome.unwrap_or_default()), record.calls);
            if calls > 1 {
                // It speaks of the call that was accepted last. One before that, of which nobody heard, may work yet: it is read back.
                line.write(place, self.calling.now(), |record| {
                    record.state = StepState::Ambiguous;
                    record.outcome = Some(text);
                });
                return;
            }
            self.part_failed(line, place, Reason::new(Code::CarrierRefused, text));
            return;
        }
        let (look_every, deadline) = match self.abilities().answers {
            Answers::Later { look_every, deadline, .. } => (look_every, since + deadline),
            Answers::AtOnce => (self.calling.engine.limits().settle_after(), since + self.calling.engine.limits().read_back()),
        };
        let now = self.calling.now();
        if now >= deadline {
            let text = format!(
                "{} accepted request {request} at {since}, and by {deadline} nothing of it could be seen; look the line up there, then \
                 retry or settle it",
                self.name()
            );
            self.apply(line, Flow::GivenUp(Reason::new(Code::OutcomeUnknown, text)));
            return;
        }
        let text = format!("{} accepted request {request}; waited for until {deadline}", self.name());
        self.apply(line, self.calling.wait(Code::AwaitingCarrier, text, whole_second((now + look_every).min(deadline))));
    }

    /// What a part was to create is there: ours where an intent stands for it, else adopted (B7.2). When the last call was sent of which
    /// nobody heard is kept, as in [`Self::took_effect`]: what is there may be somebody else's, and ours may come late.
    fn found(&self, line: &mut CarrierRun, part: u16, external_id: String) {
        let place = line.place_of(part);
        let is_ours = line.record(place).is_some_and(|record| match record.state {
            StepState::Intended | StepState::Ambiguous | StepState::Waiting => true,
            // Settled as without effect, and there after all.
            StepState::Pending => record.request_key.is_some(),
            _ => !record.adopted && record.external_id.as_ref() == Some(&external_id),
        });
        let outcome = if is_ours { format!("{external_id} is there") } else { format!("adopted {external_id}") };
        line.write(place, self.calling.now(), |record| {
            let was_heard = record.state == StepState::Waiting && record.calls <= 1;
            record.unknown_since = record.unknown_since.filter(|_| !was_heard);
            record.state = StepState::Done;
            record.external_id = Some(external_id);
            record.adopted = !is_ours;
            record.code = None;
            record.outcome = Some(outcome);
        });
    }

    /// The carrier's connector says that it cannot come to stand: for what failed, or for what was read.
    pub(super) fn refuse(&self, line: &mut CarrierRun, text: &str) {
        let failed = line.failed().map(|record| (record.code, record.outcome.clone().unwrap_or_default()));
        let reason = match failed {
            Some((code, said)) if text.is_empty() => Reason::new(code.unwrap_or(Code::CarrierRefused), said),
            Some((code, said)) => Reason::new(code.unwrap_or(Code::CarrierRefused), format!("{said}; {text}")),
            None => Reason::new(Code::CarrierRefused, text.to_owned()),
        };
        // A status that was taken and does not show is sent anew by a retry. Where a call for it went unheard it may show yet: it is read
        // back as if it had been refused when it was sent again.
        if let (CarrierChange::Status { .. }, None, Some(place)) = (self.asked, line.failed(), line.last_own()) {
            if self.is_late(line) {
                line.write(place, self.calling.now(), |record| {
                    record.state = StepState::Ambiguous;
                    (record.code, record.outcome) = (Some(reason.code), Some(reason.text));
                });
                return;
            }
            self.part_failed(line, place, reason.clone());
        }
        self.fail(line, reason);
    }
}

/// The next whole second: lines that were sent together are looked at together.
pub(super) fn whole_second(at: DateTime<Utc>) -> DateTime<Utc> {
    let more = (1_000_000_000 - i64::from(at.timestamp_subsec_nanos())) % 1_000_000_000;
    at + chrono::TimeDelta::nanoseconds(more)
}
