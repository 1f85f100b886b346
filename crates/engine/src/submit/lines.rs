//! The lines of an order while they are judged: compact, so that a million of them take 48 MB.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use chrono::TimeDelta;
use futures::future::try_join_all;
use lineshift_domain::codes::Code;
use lineshift_domain::facts::LineFacts;
use lineshift_domain::ids::{BulkChangeId, DeviceId};
use lineshift_domain::judge::{Judge, Reason, Verdict};
use lineshift_domain::lines::{Digits, LineList, read_line};
use lineshift_domain::order::{Order, StoredOrder};
use lineshift_domain::terms::LineIdentifier;
use lineshift_store::bulk_changes::NewDeviceChange;
use lineshift_store::devices::{FactsQuery, FoundLine, OpenEntries};

use super::judgement::{Heard, Judgement};
use super::resolve::Resolved;
use super::{ValidatedLine, Validation};
use crate::run::{judge_of, reaches_line};
use crate::{Caller, Engine, Result};

/// Lines looked up at a time.
const LOOK_UP_LINES: usize = 5_000;

/// Look-ups that are made side by side: readers do not wait for each other.
const LOOK_UPS_AT_ONCE: usize = 2;

/// One line of the order, once, however often it was named.
struct Line {
    /// None: not well-formed.
    digits: Option<Digits>,
    /// Sorts last when the line was not found.
    device: i64,
    version: i64,
    position: u32,
    outcome: Outcome,
}

/// What was judged, with reasons by their place in a table: a million refusals have a handful of reasons.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Accepted,
    AlreadySo,
    Refused(u32),
    /// Not well-formed: the reason is written from the line itself when it is stored.
    Malformed(Code),
}

const NOT_FOUND: i64 = i64::MAX;

/// The lines of an order.
pub(super) struct JudgedLines {
    lines: Vec<Line>,
    duplicates: usize,
    reasons: Vec<Reason>,
    known_reasons: HashMap<(Code, String), u32>,
}

impl JudgedLines {
    /// Reads each line (rule 1) and counts repeated ones once.
    pub(super) fn read(identifier: LineIdentifier, written: &LineList) -> Self {
        let mut read =
            Self { lines: Vec::with_capacity(written.len()), duplicates: 0, reasons: Vec::new(), known_reasons: HashMap::new() };
        let mut malformed: HashMap<&str, u32> = HashMap::new();
        for (position, text) in (0_u32..).zip(written.iter()) {
            let line = match read_line(identifier, text) {
                Ok(digits) => Line { digits: Some(digits), device: NOT_FOUND, version: 0, position, outcome: Outcome::Accepted },
                Err(code) => {
                    let Entry::Vacant(first) = malformed.entry(text.trim()) else { continue };
                    first.insert(position);
                    Line { digits: None, device: NOT_FOUND, version: 0, position, outcome: Outcome::Malformed(code) }
                }
            };
            read.lines.push(line);
        }
        read.lines.sort_unstable_by_key(|line| (line.digits, line.position));
        read.lines.dedup_by(|later, first| later.digits.is_some() && later.digits == first.digits);
        read.duplicates = written.len() - read.lines.len();
        read
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) const fn duplicates(&self) -> usize {
        self.duplicates
    }

    fn refused(&mut self, reason: Reason) -> Outcome {
        let next = u32::try_from(self.reasons.len()).expect("fewer reasons than lines, which are fewer than u32::MAX");
        let place = *self.known_reasons.entry((reason.code, reason.text.clone())).or_insert(next);
        if place == next {
            self.reasons.push(reason);
        }
        Outcome::Refused(place)
    }

    /// Counts the lines refused, by code.
    pub(super) fn count_refused(&self) -> HashMap<Code, i64> {
        let mut counts = HashMap::new();
        for line in &self.lines {
            let code = match line.outcome {
                Outcome::Accepted | Outcome::AlreadySo => continue,
                Outcome::Refused(place) => self.reasons[place as usize].code,
                Outcome::Malformed(code) => code,
            };
            *counts.entry(code).or_default() += 1;
        }
        counts
    }

    /// Those of a range of the lines that would go on to their steps.
    pub(super) fn accepted(&self, range: Range<usize>) -> impl Iterator<Item = DeviceId> + '_ {
        self.lines[range].iter().filter(|line| line.outcome == Outcome::Accepted).map(|line| DeviceId(line.device))
    }

    /// How many lines stand as asked.
    pub(super) fn count_already_so(&self) -> usize {
        self.lines.iter().filter(|line| line.outcome == Outcome::AlreadySo).count()
    }

    /// The refused lines: the place in the request and the code of each.
    pub(super) fn refused_places(&self) -> impl Iterator<Item = (u32, Code)> + '_ {
        self.lines.iter().filter_map(|line| match line.outcome {
            Outcome::Accepted | Outcome::AlreadySo => None,
            Outcome::Refused(place) => Some((line.position, self.reasons[place as usize].code)),
            Outcome::Malformed(code) => Some((line.position, code)),
        })
    }

    /// The refused lines: code, line as it was named, and text. Texts are made as they are asked for.
    pub(super) fn refused_lines<'a>(&'a self, written: &'a LineList) -> impl Iterator<Item = (Code, String, String)> + 'a {
        self.lines.iter().filter_map(move |line| {
            let reason = match line.outcome {
                Outcome::Accepted | Outcome::AlreadySo => return None,
                Outcome::Refused(place) => self.reasons[place as usize].clone(),
                Outcome::Malformed(code) => malformed(code, written, line.position),
            };
            Some((reason.code, as_written(written, line.position), reason.text))
        })
    }

    /// Tells of lines that are no well-formed ones: they are not looked up.
    fn tell_malformed(&self, to: usize, judgement: &mut Judgement, written: &LineList) {
        for line in &self.lines[..to] {
            let Outcome::Malformed(code) = line.outcome else { continue };
            judgement.hear_malformed(written.get(line.position as usize).unwrap_or_default(), code, line.position);
        }
    }

    /// Tells of the lines from `from` on that were looked up together, in their order.
    fn tell(&self, from: usize, count: usize, found: &[FoundLine], judgement: &mut Judgement) {
        let mut found = found.iter().peekable();
        for (index, line) in self.lines[from..from + count].iter().enumerate() {
            let is_this = |found: &&FoundLine| found.index as usize == index;
            let facts = found.next_if(is_this);
            let several = std::iter::from_fn(|| found.next_if(is_this)).count() > 0;
            let refused = match line.outcome {
                Outcome::Refused(place) => Some(&self.reasons[place as usize]),
                Outcome::Accepted | Outcome::AlreadySo | Outcome::Malformed(_) => None,
            };
            judgement.hear(&Heard {
                digits: line.digits,
                position: line.position,
                facts: facts.filter(|_| !several).map(|found| &found.facts),
                already_so: line.outcome == Outcome::AlreadySo,
                refused,
            });
        }
    }

    /// Puts the lines into device order, those not found last: their rows are numbered so.
    pub(super) fn sort_by_device(&mut self) {
        self.lines.sort_unstable_by_key(|line| (line.device, line.position));
    }

    /// Rows to store of a range of the lines.
    pub(super) fn rows(&self, range: Range<usize>, written: &LineList) -> Vec<NewDeviceChange> {
        let row = |line: &Line| NewDeviceChange {
            request_position: line.position,
            line: line.digits.map_or_else(|| as_written(written, line.position), |digits| digits.to_string()),
            device: (line.device != NOT_FOUND).then_some((DeviceId(line.device), line.version)),
            refused: match line.outcome {
                Outcome::Refused(place) => Some(self.reasons[place as usize].clone()),
                Outcome::Malformed(code) => Some(malformed(code, written, line.position)),
                Outcome::Accepted | Outcome::AlreadySo => None,
            },
        };
        self.lines[range].iter().map(row).collect()
    }

    /// The verdicts in the order of the request.
    pub(super) fn into_validation(mut self, written: &LineList) -> Validation {
        self.lines.sort_unstable_by_key(|line| line.position);
        let verdict = |line: &Line| match line.outcome {
            Outcome::Accepted => Verdict::Accepted,
            Outcome::AlreadySo => Verdict::AlreadySo,
            Outcome::Refused(place) => Verdict::Refused(self.reasons[place as usize].clone()),
            Outcome::Malformed(code) => Verdict::Refused(malformed(code, written, line.position)),
        };
        let lines: Vec<ValidatedLine> =
            self.lines.iter().map(|line| ValidatedLine { request_position: line.position, verdict: verdict(line) }).collect();
        let rejected = lines.iter().filter(|line| matches!(line.verdict, Verdict::Refused(_))).count();
        Validation {
            accepted: i64::try_from(lines.len() - rejected).unwrap_or(i64::MAX),
            rejected: i64::try_from(rejected).unwrap_or(i64::MAX),
            duplicates: self.duplicates,
            lines,
        }
    }

    /// Judges the lines from `from` on that were looked up together.
    fn judge_found(&mut self, from: usize, found: &[FoundLine], judge: &Judge<'_>, identifier: LineIdentifier) {
        let mut at = 0;
        while at < found.len() {
            let index = found[at].index;
            let same = found[at..].iter().take_while(|line| line.index == index).count();
            let place = from + index as usize;
            if same > 1 {
                let text =
                    format!("{same} lines of the inventory have this {identifier}; name the one that is meant by its ICCID");
                let outcome = self.refused(Reason::new(Code::NumberAmbiguous, text));
                self.lines[place].outcome = outcome;
            } else {
                self.judge_line(place, &found[at].facts, judge);
            }
            at += same;
        }
    }

    fn judge_line(&mut self, place: usize, facts: &LineFacts, judge: &Judge<'_>) {
        let outcome = match judge.judge(facts) {
            Verdict::Accepted => Outcome::Accepted,
            Verdict::AlreadySo => Outcome::AlreadySo,
            Verdict::Refused(reason) => self.refused(reason),
        };
        let line = &mut self.lines[place];
        line.device = facts.device_id.0;
        line.version = facts.version;
        line.outcome = outcome;
    }
}

fn malformed(code: Code, written: &LineList, position: u32) -> Reason {
    let shown: String = written.get(position as usize).unwrap_or_default().trim().chars().take(40).collect();
    let text = match code {
        Code::InvalidNumber => format!("{shown:?} is no number of 10 to 15 digits"),
        _ => format!("{shown:?} is no ICCID of 18 to 22 digits"),
    };
    Reason::new(code, text)
}

/// A malformed entry as it is stored: its first 64 characters.
fn as_written(written: &LineList, position: u32) -> String {
    written.get(position as usize).unwrap_or_default().trim().chars().take(64).collect()
}

pub(crate) fn not_found(identifier: LineIdentifier) -> Reason {
    Reason::new(Code::DeviceNotFound, format!("no line of the inventory has this {identifier}"))
}

pub(crate) fn ambiguous(lines: u64, identifier: LineIdentifier) -> Reason {
    let text = format!("{lines} lines of the inventory have this {identifier}; name the one that is meant by its ICCID");
    Reason::new(Code::NumberAmbiguous, text)
}

impl Engine {
    /// The open plan queue entries of lines, within reach. What applies now cancels every entry, what is queued those of its date and later
    /// (B8.2).
    async fn open_entries(&self, caller: &Caller, order: &StoredOrder, lines: &[DeviceId]) -> Result<OpenEntries> {
        let later_than = order.plan().filter(|plan| plan.queued).and_then(|plan| plan.effective_at);
        Ok(self.store.count_open_entries(caller.tenant, &caller.rights.reach, lines, later_than).await?)
    }

    /// Looks the lines up, set by set, and judges each (rules 2 to 9). While a large order is received, its lease is renewed. Whoever
    /// wants to know what the lines were judged by hears of each.
    pub(super) async fn judge_lines(
        &self,
        caller: &Caller,
        order: &Order,
        resolved: &Resolved,
        lines: &mut JudgedLines,
        receiving: Option<BulkChangeId>,
        mut judgement: Option<&mut Judgement>,
    ) -> Result<()> {
        let tenant = caller.tenant;
        let statuses = self.active_statuses().await?;
        let judge = judge_of(
            &resolved.order,
            order.service_provider_id,
            resolved.integration_kind,
            &statuses,
            self.abilities(resolved.integration_kind),
        );
        let query = FactsQuery::of(&resolved.order);
        let nobody = lines.refused(not_found(order.identifier));
        // Malformed lines sort first: None is less than any digits.
        let first = lines.lines.partition_point(|line| line.digits.is_none());
        if let Some(judgement) = judgement.as_deref_mut() {
            lines.tell_malformed(first, judgement, &order.lines);
        }
        let heartbeat = TimeDelta::from_std(self.limits.heartbeat()).unwrap_or(TimeDelta::MAX);
        let mut renewed = self.clock.now();
        for block in (first..lines.len()).step_by(LOOK_UP_LINES * LOOK_UPS_AT_ONCE) {
            let places = (block..lines.len().min(block + LOOK_UP_LINES * LOOK_UPS_AT_ONCE)).step_by(LOOK_UP_LINES);
            let asked: Vec<(usize, Vec<Digits>)> = places
                .map(|from| {
                    let to = lines.len().min(from + LOOK_UP_LINES);
                    (from, lines.lines[from..to].iter().filter_map(|line| line.digits).collect())
                })
                .collect();
            let look_ups = asked.iter().map(|(_, digits)| self.store.look_up_lines(tenant, order.identifier, digits, query));
            let mut found = try_join_all(look_ups).await?;
            // Lines beyond reach are answered like those that are not there.
            for found in &mut found {
                found.retain(|line| reaches_line(&caller.rights.reach, &line.facts));
            }
            let mut accepted = Vec::new();
            for ((from, digits), found) in asked.iter().zip(&found) {
                for line in &mut lines.lines[*from..from + digits.len()] {
                    line.outcome = nobody;
                }
                lines.judge_found(*from, found, &judge, order.identifier);
                if let Some(judgement) = judgement.as_deref_mut() {
                    lines.tell(*from, digits.len(), found, judgement);
                    accepted.push(lines.accepted(*from..from + digits.len()).collect::<Vec<DeviceId>>());
                }
            }
            if let Some(judgement) = judgement.as_deref_mut().filter(|judgement| judgement.wants_entries()) {
                let open = accepted.iter().map(|accepted| self.open_entries(caller, &resolved.order, accepted));
                try_join_all(open).await?.into_iter().for_each(|open| judgement.hear_entries(open));
            }
            let now = self.clock.now();
            if let Some(id) = receiving.filter(|_| now - renewed >= heartbeat) {
                self.store.renew_receiving(tenant, id, now + self.limits.lease()).await?;
                renewed = now;
            }
        }
        Ok(())
    }
}
