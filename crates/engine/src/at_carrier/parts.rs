//! The parts of a line's step at a carrier, as they are stored: its acts, the verdict, and the acts of an undo.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use lineshift_connectors::carrier::{Act, KnownPart};
use lineshift_domain::carrier::{CarrierChange, CarrierLine};
use lineshift_domain::codes::Code;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::judge::Reason;
use lineshift_domain::terms::{Step, StepState};
use lineshift_store::billing::{PlansBefore, StepRecord};
use lineshift_store::work::OutsideLine;

use crate::outside::LineEnd;

/// The part that says what the change as a whole came to in an attempt: `Done`, it stands and is stored here; `Failed`, it does not. No
/// act has it, and no carrier is told of it.
pub(super) const VERDICT: u16 = Act::MOST_PARTS;

/// From here on lie the parts of an undo.
pub(super) const UNDO: u16 = VERDICT + 1;

/// Whether what became of an act is known, but not what became of each call for it: one of which nobody heard may work late.
pub(crate) const fn is_unheard(record: &StepRecord) -> bool {
    record.unknown_since.is_some() && !is_unknown_part(record) && !matches!(record.step, Step::RevService)
}

/// Whether nobody knows what a call did, or its outcome is waited for.
pub(crate) const fn is_unknown_part(record: &StepRecord) -> bool {
    matches!(record.state, StepState::Intended | StepState::Ambiguous | StepState::Waiting)
}

/// Whether a part of a step is something that this change did outside and that stands, so that an undo has it to put back. The acts of
/// an undo at a carrier are none: an undo that is done leaves nothing to undo.
pub(crate) fn is_own(record: &StepRecord) -> bool {
    let is_undo = record.step != Step::RevService && record.part >= i64::from(Act::MOST_PARTS);
    record.state == StepState::Done && !record.adopted && !is_undo
}

/// Whether the change as a whole stands in that attempt, and is stored here.
pub(super) fn is_stored(parts: &BTreeMap<u16, StepRecord>, attempt: i64) -> bool {
    parts.get(&VERDICT).is_some_and(|verdict| verdict.state == StepState::Done && verdict.attempt == attempt)
}

/// How a line ends for which nobody needs to be called: it stands and is stored, or it stands here as asked and nothing was sent for it; or
/// it stood, and another order has moved it since (B10.2).
pub(super) fn settled_before(
    parts: &BTreeMap<u16, StepRecord>,
    attempt: i64,
    asked: &CarrierChange,
    here: &CarrierLine,
) -> Option<LineEnd> {
    if is_stored(parts, attempt) || (parts.is_empty() && asked.stands(here)) {
        return Some(LineEnd::Stands);
    }
    let stood = parts.get(&VERDICT).is_some_and(|verdict| verdict.state == StepState::Done);
    let is_dated = matches!(asked, CarrierChange::RatePlan { effective_at: Some(_), .. });
    if !stood || is_dated || asked.stands(here) {
        return None;
    }
    let text = "the line was moved at its carrier by another order since this one had moved it; look at the line and order again";
    Some(LineEnd::Ends { reason: Reason::new(Code::ModifiedMeanwhile, text), unsettled: false })
}

/// Whether the carrier's part of a row stands as a whole in its attempt of now: nothing of it is left to be done at the carrier, whatever the
/// line is judged to be by now.
pub(crate) fn stands_by_now(line: &OutsideLine, step: Step) -> bool {
    let is_verdict = |record: &&StepRecord| record.step == step && record.part == i64::from(VERDICT);
    line.steps.iter().find(is_verdict).is_some_and(|record| record.state == StepState::Done && record.attempt == line.attempt)
}

/// Why a row failed at its carrier in an attempt, if it did.
pub(crate) fn failed_at_carrier(steps: &[StepRecord], attempt: i64) -> Option<Reason> {
    let failed = |record: &&StepRecord| {
        record.step != Step::RevService
            && record.part == i64::from(VERDICT)
            && record.state == StepState::Failed
            && record.attempt == attempt
    };
    let record = steps.iter().find(failed)?;
    Some(Reason::new(record.code?, record.outcome.clone().unwrap_or_default()))
}

/// How the carrier is told of a part: what failed in an earlier attempt is to be tried anew, what could not be undone stands; where an
/// earlier attempt left it so, somebody may have seen to it, and a reading says whether it does.
pub(super) fn known_part(part: u16, record: &StepRecord, attempt: i64) -> KnownPart {
    let state = match record.state {
        StepState::Failed if record.attempt != attempt => StepState::Pending,
        StepState::Reverted => StepState::Pending,
        StepState::Stuck if record.attempt != attempt && record.external_id.is_none() => StepState::Ambiguous,
        StepState::Stuck => StepState::Done,
        state => state,
    };
    KnownPart { part, state, external_id: record.external_id.clone(), adopted: record.adopted }
}

/// A part of which nothing was done yet.
pub(super) fn pending(
    row: DeviceChangeId,
    step: Step,
    place: u16,
    attempt: i64,
    before: &PlansBefore,
    now: DateTime<Utc>,
) -> StepRecord {
    StepRecord {
        device_change_id: row,
        step,
        part: i64::from(place),
        state: StepState::Pending,
        attempt,
        calls: 0,
        request_key: None,
        external_id: None,
        adopted: false,
        code: None,
        outcome: None,
        unknown_since: None,
        before: Some(before.clone()),
        at: now,
    }
}
