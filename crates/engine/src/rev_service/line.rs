//! One line while its billing service is opened: what is known of each part, and what is still to be told to the store.

use chrono::{DateTime, NaiveDate, Utc};
use lineshift_connectors::Exchange;
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{DeviceChangeId, DeviceId};
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::LogText;
use lineshift_domain::order::{RevCharge, StoredRevService};
use lineshift_domain::terms::{Step, StepState};
use lineshift_store::billing::{OutsideLog, StepBatch, StepRecord};
use lineshift_store::work::{OrderFacts, OutsideLine};

use crate::outside::{Entries, Goal};

/// The part that is the service itself; part n is the n-th product of the order.
pub(crate) const SERVICE: usize = 0;

/// One line under work.
pub(crate) struct LineRun {
    pub(crate) row: DeviceChangeId,
    pub(crate) attempt: i64,
    pub(crate) device_id: DeviceId,
    pub(crate) iccid: String,
    /// The subscriber number, else the ICCID.
    pub(crate) number: String,
    pub(crate) activated_date: NaiveDate,
    pub(crate) goal: Goal,
    parts: Vec<StepRecord>,
    entries: Entries,
}

impl LineRun {
    pub(crate) fn new(line: OutsideLine, goal: Goal, order: &OrderFacts, asked: &StoredRevService, now: DateTime<Utc>) -> Self {
        let entries = Entries::new(&line, order, now, 0);
        let products = match &asked.charge {
            RevCharge::Package(_) => 0,
            RevCharge::Products(products) => products.len(),
        };
        let mut parts: Vec<StepRecord> = (0..=products).map(|part| pending(&line, part, now)).collect();
        for record in line.steps {
            let place = usize::try_from(record.part).ok().filter(|_| record.step == Step::RevService);
            if let Some(part) = place.and_then(|part| parts.get_mut(part)) {
                *part = record;
            }
        }
        let dated = order.change.order.assignment().and_then(|assignment| assignment.effective_at);
        let activated = dated.or(line.activated_at).unwrap_or(now);
        Self {
            row: line.id,
            attempt: line.attempt,
            device_id: line.device_id,
            number: line.subscriber_number.unwrap_or_else(|| line.iccid.clone()),
            iccid: line.iccid,
            activated_date: activated.with_timezone(&order.time_zone).date_naive(),
            goal,
            parts,
            entries,
        }
    }

    pub(crate) fn part(&self, part: usize) -> &StepRecord {
        &self.parts[part]
    }

    pub(crate) fn parts(&self) -> &[StepRecord] {
        &self.parts
    }

    pub(crate) fn state(&self, part: usize) -> StepState {
        self.parts[part].state
    }

    /// Whether a part was written in the row's present attempt: what failed in an earlier one is tried anew (B10.2).
    pub(crate) fn is_of_this_attempt(&self, part: usize) -> bool {
        self.parts[part].attempt == self.attempt
    }

    /// Whether the outcome of any part is unknown.
    pub(crate) fn is_unknown(&self) -> bool {
        self.parts.iter().any(|part| matches!(part.state, StepState::Intended | StepState::Ambiguous))
    }

    /// Whether anything stands that this change created, so that an undo may disconnect it.
    pub(crate) fn has_created(&self) -> bool {
        self.parts.iter().any(is_created)
    }

    /// Whether something of it is unknown or stuck, so that it goes on holding its line (rule 6).
    pub(crate) fn is_unsettled(&self) -> bool {
        self.is_unknown() || self.parts.iter().any(|part| part.state == StepState::Stuck)
    }

    /// Calls everything stuck that this change created: it was to be undone, and cannot be.
    pub(crate) fn stick_created(&mut self, now: DateTime<Utc>, why: &str) -> StepBatch {
        let mut batch = StepBatch::default();
        for part in (0..self.parts.len()).filter(|part| is_created(&self.parts[*part])).collect::<Vec<_>>() {
            batch.append(self.write(part, now, |record| {
                record.state = StepState::Stuck;
                record.outcome = Some(why.to_owned());
            }));
        }
        batch
    }

    /// Whether the service can have none of the order's products but those that are known: this attempt created it, and sent nothing
    /// for the missing ones.
    pub(crate) fn needs_no_look_for_products(&self) -> bool {
        let service = &self.parts[SERVICE];
        let is_known = |part: &StepRecord| match part.state {
            StepState::Done => part.attempt == self.attempt,
            StepState::Pending => part.calls == 0 && part.request_key.is_none(),
            _ => false,
        };
        service.state == StepState::Done
            && !service.adopted
            && service.attempt == self.attempt
            && self.parts[SERVICE + 1..].iter().all(is_known)
    }

    /// Whether every part stands.
    pub(crate) fn stands(&self) -> bool {
        self.parts.iter().all(|part| part.state == StepState::Done)
    }

    /// Why the line is being undone in this attempt, if it is: the undo goes on where it was cut off.
    pub(crate) fn undo_reason(&self) -> Option<Reason> {
        let begun = |part: &&StepRecord| {
            part.attempt == self.attempt
                && match part.state {
                    StepState::Reverted | StepState::Stuck => true,
                    StepState::Done => part.code.is_some(),
                    _ => false,
                }
        };
        let part = self.parts.iter().find(begun)?;
        Some(Reason::new(part.code.unwrap_or(Code::BillingRefused), part.outcome.clone().unwrap_or_default()))
    }

    /// Changes a part and answers the batch that stores it.
    pub(crate) fn write(&mut self, part: usize, now: DateTime<Utc>, change: impl FnOnce(&mut StepRecord)) -> StepBatch {
        let attempt = self.attempt;
        let record = &mut self.parts[part];
        if record.attempt != attempt {
            record.attempt = attempt;
            record.calls = 0;
        }
        record.at = now;
        change(record);
        StepBatch { steps: vec![record.clone()], ..StepBatch::default() }
    }

    /// A log entry of this line (B11.1). `request` is the action's text, a newline, the request.
    pub(crate) fn log(&mut self, text: LogText, request: String, response: String, error: Option<String>) -> OutsideLog {
        self.entries.log(text.into(), request, response, error)
    }

    /// The log entry of a call of this line alone.
    pub(crate) fn log_call(&mut self, text: LogText, exchange: &Exchange, error: Option<String>) -> OutsideLog {
        self.entries.log_call(text.into(), exchange, error)
    }

    /// The key of the call that a part is about to make: unique among all calls. That of a service ends with the number that is
    /// sent, because the line may have another by the time when it is read back.
    pub(crate) fn request_key(&self, part: usize, what: &str) -> String {
        let key = format!("{what}-{}-{part}-{}-{}", self.row, self.attempt, self.parts[part].calls + 1);
        if part == SERVICE { format!("{key}-{}", self.number) } else { key }
    }

    /// The number under which the service was last asked for, if it was.
    pub(crate) fn sent_number(&self) -> Option<&str> {
        self.parts[SERVICE].request_key.as_deref()?.splitn(6, '-').nth(5)
    }

    /// The number by which the service is looked for: while nobody knows of it, the one that was sent.
    pub(crate) fn number_to_find(&self) -> &str {
        let service = &self.parts[SERVICE];
        let was_sent = match service.state {
            StepState::Intended | StepState::Ambiguous => true,
            StepState::Done => service.external_id.is_none(),
            _ => false,
        };
        self.sent_number().filter(|_| was_sent).unwrap_or(&self.number)
    }
}

/// Whether this change created it, and it stands as far as is known: a stuck one does until somebody has looked.
pub(crate) fn is_created(part: &StepRecord) -> bool {
    matches!(part.state, StepState::Done | StepState::Stuck) && !part.adopted && part.external_id.is_some()
}

fn pending(line: &OutsideLine, part: usize, now: DateTime<Utc>) -> StepRecord {
    StepRecord {
        device_change_id: line.id,
        step: Step::RevService,
        part: i64::try_from(part).expect("an order has fewer products than numbers"),
        state: StepState::Pending,
        attempt: line.attempt,
        calls: 0,
        request_key: None,
        external_id: None,
        adopted: false,
        code: None,
        outcome: None,
        unknown_since: None,
        at: now,
        before: None,
    }
}
