//! One line while it is moved at its carrier: what is known of each act, and what is still to be told to the store.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use lineshift_connectors::Exchange;
use lineshift_connectors::carrier::{Act, Known, KnownPart, LineRef};
use lineshift_domain::carrier::{CarrierChange, CarrierLine};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{DeviceChangeId, DeviceId};
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::LogTitle;
use lineshift_domain::read_back::ReadBackPolicy;
use lineshift_domain::terms::{Step, StepState};
use lineshift_store::billing::{CarrierLineWrite, PlansBefore, StepBatch, StepRecord};
use lineshift_store::work::{OrderFacts, OutsideLine, Waiting};

use super::decide::whole_second;
use super::parts::{UNDO, VERDICT, is_own, is_stored, is_unheard, is_unknown_part, known_part, pending, settled_before};
use crate::outside::{Entries, Goal, LineEnd, concerns_account};

/// So many waits of a line may the account sit out in one run of its page.
const MOST_SHORT_WAITS: u32 = 20;

/// The entries of carriers' calls lie behind those of billing systems.
const SYSTEM: i64 = 1;

/// One line under work.
pub(crate) struct CarrierRun {
    pub(crate) row: DeviceChangeId,
    pub(crate) attempt: i64,
    pub(crate) device_id: DeviceId,
    pub(crate) line: LineRef,
    pub(crate) goal: Goal,
    /// What came of it, once something has.
    pub(crate) end: Option<LineEnd>,
    /// What is undone, while something is.
    undo: Option<CarrierChange>,
    /// How it stood here before this change touched it.
    before: PlansBefore,
    step: Step,
    parts: BTreeMap<u16, StepRecord>,
    there: Option<CarrierLine>,
    read_at: Option<DateTime<Utc>>,
    sent_since: bool,
    short_waits: u32,
    /// Whether a refused line was looked at as far as that is worth.
    is_looked_at: bool,
    /// Whether it turned out only now, though it is refused, that it stands.
    pub(super) stands_anew: bool,
    /// Whether its connector says that it is left with several plans active beside each other.
    pub(super) is_beside: bool,
    unwritten: StepBatch,
    entries: Entries,
}

impl CarrierRun {
    /// A line that has nothing to be done but for what the carrier is asked; ended at once where it stands here as asked and nothing was
    /// sent for it.
    pub(crate) fn new(
        line: OutsideLine,
        goal: Goal,
        order: &OrderFacts,
        asked: &CarrierChange,
        step: Step,
        now: DateTime<Utc>,
    ) -> Self {
        let entries = Entries::new(&line, order, now, SYSTEM);
        let here = CarrierLine {
            status: Some(line.status.clone()),
            rate_plan: line.carrier_rate_plan.clone(),
            comm_plan: line.communication_plan.clone(),
            ..CarrierLine::default()
        };
        let parts: BTreeMap<u16, StepRecord> = line
            .steps
            .into_iter()
            .filter(|record| record.step == step)
            .filter_map(|record| Some((u16::try_from(record.part).ok()?, record)))
            .collect();
        // Where nothing of an earlier attempt stands any more, what the line has now is what it had before.
        let is_touched = |record: &&StepRecord| is_unknown_part(record) || is_own(record) || record.state == StepState::Stuck;
        let kept = parts.values().find(is_touched).and_then(|record| record.before.clone());
        let settled = settled_before(&parts, line.attempt, asked, &here);
        let (end, is_looked_at) = if matches!(goal, Goal::Do) { (settled, false) } else { (None, settled.is_some()) };
        let mut run = Self {
            row: line.id,
            attempt: line.attempt,
            device_id: line.device_id,
            line: LineRef {
                iccid: line.iccid,
                subscriber_number: line.subscriber_number,
                imei: line.imei,
                carrier_device_id: line.carrier_device_id,
            },
            goal,
            end,
            undo: None,
            before: kept.unwrap_or(PlansBefore { rate_plan: here.rate_plan, comm_plan: here.comm_plan }),
            step,
            parts,
            there: None,
            read_at: None,
            sent_since: false,
            short_waits: 0,
            is_looked_at,
            stands_anew: false,
            is_beside: false,
            unwritten: StepBatch::default(),
            entries,
        };
        run.resume_undo(asked, now);
        run
    }

    /// An undo that was cut off goes on. One of an earlier attempt that did not come to its end may have worked: then how the line stands
    /// is not known until it is read.
    fn resume_undo(&mut self, asked: &CarrierChange, now: DateTime<Utc>) {
        let open = self.parts.range(UNDO..).filter(|(_, record)| record.state != StepState::Reverted);
        let open: Vec<(u16, bool)> = open.map(|(place, record)| (*place, record.attempt == self.attempt)).collect();
        if open.iter().any(|(_, of_now)| *of_now) && self.has_own() && matches!(self.goal, Goal::Finish(_)) {
            self.undo = self.undone(asked);
            return;
        }
        let was_begun = !open.is_empty();
        for (place, _) in open {
            self.write(place, now, |record| record.state = StepState::Reverted);
        }
        if was_begun {
            self.end = None;
            for place in self.own().into_iter().chain(self.stuck()) {
                self.write(place, now, |record| {
                    record.state = StepState::Ambiguous;
                    record.unknown_since = Some(now);
                    record.outcome = Some("an undo of it may have worked".to_owned());
                });
            }
        }
    }

    /// What puts it back to how it stood.
    pub(super) fn undone(&self, asked: &CarrierChange) -> Option<CarrierChange> {
        let PlansBefore { rate_plan, comm_plan } = self.before.clone();
        asked.undone(&CarrierLine { rate_plan, comm_plan, ..CarrierLine::default() })
    }

    pub(super) fn begin_undo(&mut self, undo: CarrierChange) {
        self.undo = Some(undo);
        (self.there, self.sent_since) = (None, false);
    }

    pub(super) const fn is_undoing(&self) -> bool {
        self.undo.is_some()
    }

    /// What is asked of the carrier for it now.
    pub(super) fn asked<'a>(&'a self, asked: &'a CarrierChange) -> &'a CarrierChange {
        self.undo.as_ref().unwrap_or(asked)
    }

    /// Where the parts of what is asked now begin.
    const fn first_part(&self) -> u16 {
        if self.undo.is_some() { UNDO } else { 0 }
    }

    /// The place of an act's part among those of the row.
    pub(super) const fn place_of(&self, part: u16) -> u16 {
        self.first_part() + part
    }

    /// The acts of what is asked now, as the carrier is told of them.
    pub(super) fn known_parts(&self) -> Vec<KnownPart> {
        let first = self.first_part();
        let of_now = self.parts.range(first..first + Act::MOST_PARTS);
        of_now.map(|(part, record)| known_part(*part - first, record, self.attempt)).collect()
    }

    pub(super) const fn known<'a>(&'a self, parts: &'a [KnownPart]) -> Known<'a> {
        Known { there: self.there.as_ref(), sent_since: self.sent_since, parts }
    }

    pub(super) fn record(&self, place: u16) -> Option<&StepRecord> {
        self.parts.get(&place)
    }

    /// When it was asked for, if it was read and nothing was sent since.
    pub(super) fn read_at(&self) -> Option<DateTime<Utc>> {
        self.read_at.filter(|_| self.there.is_some() && !self.sent_since)
    }

    /// As the carrier had it when it was read last.
    pub(super) const fn there(&self) -> Option<&CarrierLine> {
        self.there.as_ref()
    }

    pub(super) fn was_read(&mut self, line: CarrierLine, asked_at: DateTime<Utc>) {
        (self.there, self.read_at, self.sent_since) = (Some(line), Some(asked_at), false);
    }

    pub(super) const fn was_sent(&mut self) {
        self.sent_since = true;
    }

    /// Parts whose intent stands and of which no outcome was stored, with when it was intended.
    pub(super) fn intended(&self) -> Vec<(u16, DateTime<Utc>)> {
        let intended = self.parts.iter().filter(|(_, record)| record.state == StepState::Intended);
        intended.map(|(part, record)| (*part, record.at)).collect()
    }

    /// Parts of what is asked now that are unknown or waited for.
    pub(super) fn unsettled(&self) -> Vec<u16> {
        let first = self.first_part();
        let of_now = self.parts.range(first..first + Act::MOST_PARTS);
        of_now.filter(|(_, record)| is_unknown_part(record)).map(|(part, _)| *part).collect()
    }

    /// Since when anything of it is unknown or waited for.
    pub(crate) fn unknown_since(&self) -> Option<DateTime<Utc>> {
        let unknown = self.parts.values().filter(|record| is_unknown_part(record));
        unknown.map(|record| record.unknown_since.unwrap_or(record.at)).min()
    }

    /// The end of a line of which everything is known, while a call of which nobody heard may still work late: it waits, and holds its line,
    /// so that no other order comes in between and is overwritten (rule 6). None: no such call.
    pub(crate) fn late(&self, policy: ReadBackPolicy, name: &str, now: DateTime<Utc>) -> Option<Late> {
        let unheard = self.parts.values().filter(|record| is_unheard(record)).filter_map(|record| record.unknown_since).max()?;
        let until = whole_second(policy.may_work_until(unheard, now)?);
        let text = format!("a call of which {name} said nothing may still work until {until}; the line is held until then");
        Some(Late { text, until })
    }

    /// A line that ended without a call waits while one of before may still work late.
    pub(crate) fn hold_while_late(&mut self, policy: ReadBackPolicy, name: &str, now: DateTime<Utc>) {
        if let (Some(LineEnd::Stands), Some(late)) = (&self.end, self.late(policy, name, now)) {
            self.end = Some(late.of(self.row));
        }
    }

    /// Whether something is unknown or stuck, so that the row goes on holding its line (rule 6).
    pub(crate) fn is_unsettled(&self) -> bool {
        self.parts.values().any(|record| is_unknown_part(record) || record.state == StepState::Stuck)
    }

    /// Whether the change as a whole stands and is stored already.
    pub(crate) fn is_stored(&self) -> bool {
        is_stored(&self.parts, self.attempt)
    }

    /// Whether a refused line is worth a look: acts stand for it, and nobody said in this attempt what they come to. What stood whole in
    /// an attempt before is looked at only where the line may not be moved any more.
    pub(super) fn is_worth_a_look(&self, reason: &Reason) -> bool {
        let verdict = self.parts.get(&VERDICT);
        let is_said = verdict.is_some_and(|verdict| {
            verdict.attempt == self.attempt && matches!(verdict.state, StepState::Done | StepState::Failed)
        });
        let stood = verdict.is_some_and(|verdict| verdict.state == StepState::Done);
        let may_not = reason.code == Code::PlanInactive || concerns_account(reason.code);
        !self.is_looked_at && !is_said && self.done_acts() > 0 && (!stood || may_not)
    }

    pub(super) const fn look_is_over(&mut self) {
        self.is_looked_at = true;
    }

    /// How many acts of what is asked are done, or were not needed.
    pub(super) fn done_acts(&self) -> usize {
        self.parts.range(..VERDICT).filter(|(_, record)| record.state == StepState::Done).count()
    }

    /// The plan that it had here before this change touched it.
    pub(super) fn former_plan(&self) -> Option<&str> {
        self.before.rate_plan.as_deref()
    }

    /// Whether anything stands that this change did.
    pub(crate) fn has_own(&self) -> bool {
        self.parts.range(..VERDICT).any(|(_, record)| is_own(record))
    }

    /// The acts that this change did, and that stand.
    pub(super) fn own(&self) -> Vec<u16> {
        self.parts.range(..VERDICT).filter(|(_, record)| is_own(record)).map(|(part, _)| *part).collect()
    }

    /// When the last act of a line was done in this attempt that is still to be brought to where it is asked to be; none: none was.
    pub(super) fn done_at(&self) -> Option<DateTime<Utc>> {
        let own = self.parts.range(..VERDICT).map(|(_, record)| record).filter(|record| is_own(record));
        let of_now = own.filter(|record| matches!(self.goal, Goal::Do) && record.attempt == self.attempt);
        of_now.map(|record| record.at).max()
    }

    /// The act that failed in this attempt.
    pub(super) fn failed(&self) -> Option<&StepRecord> {
        let first = self.first_part();
        let mut of_now = self.parts.range(first..first + Act::MOST_PARTS).map(|(_, record)| record);
        of_now.rfind(|record| record.state == StepState::Failed && record.attempt == self.attempt)
    }

    /// Whether the carrier refused an act when it was sent last.
    pub(super) fn is_refused(&self, place: u16) -> bool {
        self.record(place).is_some_and(|record| record.code.is_some())
    }

    /// Whether an act was sent in this attempt.
    pub(super) fn is_of_now(&self, place: u16) -> bool {
        self.record(place).is_some_and(|record| record.attempt == self.attempt)
    }

    /// Changes a part; stored with the next flush.
    pub(super) fn write(&mut self, place: u16, now: DateTime<Utc>, change: impl FnOnce(&mut StepRecord)) {
        let (row, attempt, step) = (self.row, self.attempt, self.step);
        let before = &self.before;
        let record = self.parts.entry(place).or_insert_with(|| pending(row, step, place, attempt, before, now));
        if record.attempt != attempt {
            record.attempt = attempt;
            record.calls = 0;
            // An undo puts back what the line had before this attempt, unless something of an earlier one stands.
            record.before = Some(before.clone());
            // The attempt before ended when no call of it could work late any more.
            record.unknown_since = record.unknown_since.filter(|_| is_unknown_part(record));
        }
        record.at = now;
        change(record);
        // Of several changes of a part the last one says it all.
        self.unwritten.steps.retain(|other| other.part != record.part);
        self.unwritten.steps.push(record.clone());
    }

    /// Says that the change as a whole stands.
    pub(super) fn mark_stored(&mut self, now: DateTime<Utc>) {
        self.write(VERDICT, now, |record| {
            (record.state, record.adopted) = (StepState::Done, true);
            (record.code, record.outcome) = (None, Some("it stands as asked".to_owned()));
        });
    }

    /// Says that the change as a whole does not come to stand, so that whoever goes on knows why.
    pub(super) fn mark_failed(&mut self, now: DateTime<Utc>, reason: &Reason) {
        self.write(VERDICT, now, |record| {
            record.state = StepState::Failed;
            (record.code, record.outcome) = (Some(reason.code), Some(reason.text.clone()));
        });
    }

    /// The parts of an undo that came to its end: another attempt may have to undo again.
    pub(super) fn close_undo(&mut self, now: DateTime<Utc>) {
        for place in self.parts.range(UNDO..).map(|(place, _)| *place).collect::<Vec<_>>() {
            self.write(place, now, |record| record.state = StepState::Reverted);
        }
    }

    /// What could not be undone, and is wanted again now.
    pub(super) fn stuck(&self) -> Vec<u16> {
        self.parts.range(..VERDICT).filter(|(_, record)| record.state == StepState::Stuck).map(|(place, _)| *place).collect()
    }

    /// The last act that was done.
    pub(super) fn last_own(&self) -> Option<u16> {
        self.own().last().copied()
    }

    /// Whether the account may sit out one more wait for this line.
    pub(super) const fn may_wait_shortly(&mut self) -> bool {
        self.short_waits += 1;
        self.short_waits <= MOST_SHORT_WAITS
    }

    pub(super) fn log(&mut self, title: LogTitle, request: String, response: String, error: Option<String>) {
        let entry = self.entries.log(title, request, response, error);
        self.unwritten.logs.push(entry);
    }

    pub(super) fn log_call(&mut self, title: LogTitle, exchange: &Exchange, error: Option<String>) {
        let entry = self.entries.log_call(title, exchange, error);
        self.unwritten.logs.push(entry);
    }

    pub(super) fn store(&mut self, write: CarrierLineWrite) {
        self.unwritten.carrier_lines.push(write);
    }

    pub(crate) fn take_unwritten(&mut self) -> StepBatch {
        std::mem::take(&mut self.unwritten)
    }

    /// What came of the line.
    pub(super) fn into_end(self) -> (DeviceChangeId, LineEnd) {
        (self.row, self.end.expect("every line of a group has its end when the group is through"))
    }
}

/// For what, and until when, a line waits of which a call may still work late.
pub(crate) struct Late {
    pub(crate) text: String,
    pub(crate) until: DateTime<Utc>,
}

impl Late {
    /// The end of a row for now.
    pub(crate) fn of(self, row: DeviceChangeId) -> LineEnd {
        LineEnd::Waits(Waiting { id: row, code: Code::OutcomeUnknown, text: self.text, next_check_at: self.until })
    }
}
