//! How a SIM of POND comes to another plan: a package of the asked type is adopted or added, activated, and then every other active one
//! terminated. One that was added here and cannot be activated is terminated again.
//!
//! Acts have their parts by what they do and which package they are about, so that whoever takes the saga up again, in another
//! process or a later attempt, goes on with the same ones. What was done and no longer stands gets another part: nothing is
//! done twice under one.

use std::ops::Range;

use lineshift_domain::carrier::{CarrierChange, CarrierLine, CarrierPackage};
use lineshift_domain::terms::StepState;

use crate::carrier::{Act, Known, KnownPart, Next, Repeat};

/// Adding a package: one part for each that had to be added because the one before it has ended.
const ADDS: Range<u16> = 0..10;
/// Activating the package that was added or adopted.
const ACTIVATIONS: Range<u16> = 10..40;
/// Terminating others, or the one that was added in vain.
const TERMINATIONS: Range<u16> = 40..Act::MOST_PARTS;

/// The carrier's words for the acts.
pub(super) const ADD: &str = "add package";
pub(super) const ACTIVATE: &str = "activate package";
pub(super) const TERMINATE: &str = "terminate package";

/// What is next. Reads first in every run; decides about adding by a reading since which nothing was sent.
pub(super) fn next(asked: &CarrierChange, known: &Known<'_>) -> Next {
    let CarrierChange::RatePlan { rate_plan: Some(plan), comm_plan: None, effective_at: None } = asked else {
        return Next::Refuse("POND changes rate plans alone, and at once".to_owned());
    };
    let Some(line) = known.there else { return Next::Read };
    let saga = Saga { plan, line, known };
    // The last one that was begun decides: a further one is begun only when what it brought has ended.
    let begun = ADDS.filter_map(|part| known.part(part)).max_by_key(|known| known.part);
    match begun {
        Some(KnownPart { part, state: StepState::Done, external_id: Some(id), adopted }) => {
            saga.with_package(*part, id, !adopted)
        }
        Some(KnownPart { state: StepState::Failed, .. }) => {
            Next::Refuse(format!("POND added no package of type {plan}; {}", saga.standing(None)))
        }
        begun => saga.bring(begun.map_or(ADDS.start, |known| known.part)),
    }
}

/// What the saga of one SIM is decided by.
struct Saga<'a> {
    plan: &'a str,
    line: &'a CarrierLine,
    known: &'a Known<'a>,
}

impl Saga<'_> {
    /// A package of the asked type is to be there: what a lost act has added, or one that somebody else did, or a new one. Of an add
    /// of which nobody knows the engine waits until it is settled before it sends another.
    fn bring(&self, part: u16) -> Next {
        // Another one must never be added beside one that the reading is too old to show.
        let Some(line) = self.known.fresh() else { return Next::Read };
        let mut fitting: Vec<&CarrierPackage> = line.packages.iter().filter(|package| self.fits(package)).collect();
        fitting.sort_by_key(|package| !package.is_active);
        match fitting.first() {
            Some(package) => Next::Found { part, external_id: package.id.clone() },
            None => Next::Send(Act { part, what: ADD, repeat: Repeat::Creates, about: None, clears: false }),
        }
    }

    fn fits(&self, package: &CarrierPackage) -> bool {
        package.rate_plan.as_deref() == Some(self.plan) && !package.is_ended && !self.is_terminated(&package.id)
    }

    /// The package is there: it is activated unless it is active, and then the others end.
    fn with_package(&self, added: u16, id: &str, is_ours: bool) -> Next {
        let activation = self.place(&ACTIVATIONS, id);
        let has_failed = activation.is_some_and(|place| place.state == StepState::Failed);
        let refuse = |text: String| Next::Refuse(format!("{text}; {}", self.standing(Some(id))));
        if self.package(id).is_some_and(|package| package.is_ended) || self.is_terminated(id) {
            let another = added + 1;
            return match has_failed {
                true => Next::TakenBack(format!(
                    "POND did not activate the new package {id} of type {}, and it was ended again; {}",
                    self.plan,
                    self.standing(Some(id))
                )),
                false if ADDS.contains(&another) => self.bring(another),
                false => refuse(format!("packages of type {} end time and again", self.plan)),
            };
        }
        if self.is_active(id) {
            return self.end_others(id);
        }
        match activation {
            Some(_) if has_failed && is_ours => self.take_back(id),
            Some(_) if has_failed => {
                refuse(format!("POND did not activate package {id} of type {}, which was there before", self.plan))
            }
            Some(place) => self.set(place, ACTIVATE, id, false),
            None => refuse(format!("package {id} of type {} is not active however often it is activated", self.plan)),
        }
    }

    /// Whether a package that has not ended is active. A reading that is older than what was done, or does not show it yet, does not
    /// speak against it.
    fn is_active(&self, id: &str) -> bool {
        match (self.known.fresh(), self.package(id)) {
            (Some(_), Some(package)) => package.is_active,
            (_, shown) => self.is_done(&ACTIVATIONS, id) || shown.is_some_and(|package| package.is_active),
        }
    }

    /// The package that we added cannot be activated: it is terminated, and that is it.
    fn take_back(&self, id: &str) -> Next {
        let left = || {
            format!(
                "POND neither activated nor terminated the new package {id} of type {}: it is left there, inactive; {}",
                self.plan,
                self.standing(Some(id))
            )
        };
        match self.place(&TERMINATIONS, id) {
            Some(place) if place.state != StepState::Failed => self.set(place, TERMINATE, id, false),
            _ => Next::Refuse(left()),
        }
    }

    /// Every other active package ends. One that cannot be ended does not keep the next from it.
    fn end_others(&self, id: &str) -> Next {
        let mut left = Vec::new();
        for other in self.still_active().filter(|other| other.id != id) {
            match self.place(&TERMINATIONS, &other.id) {
                Some(place) if place.state != StepState::Failed => return self.set(place, TERMINATE, &other.id, true),
                _ => left.push(other),
            }
        }
        if left.is_empty() {
            let must_be_shown = self.known.fresh().is_none() && self.was_done_again();
            return if must_be_shown { Next::Read } else { Next::Stands };
        }
        let old = if left.len() == 1 { "the old package" } else { "the old packages" };
        Next::LeftBeside(format!(
            "POND did not terminate {old} {}: still active beside the new package {id} of type {}",
            listed(&left),
            self.plan
        ))
    }

    /// Sends what sets the status of a package; where nobody knows whether it worked, a reading comes first.
    fn set(&self, place: Place, what: &'static str, id: &str, clears: bool) -> Next {
        let is_open = matches!(place.state, StepState::Pending | StepState::Reverted);
        if !is_open && self.known.fresh().is_none() {
            return Next::Read;
        }
        Next::Send(Act { part: place.part, what, repeat: Repeat::Harmless, about: Some(id.to_owned()), clears })
    }

    /// Where an act about a package stands: at its last part unless that is done, else at the first free one; none: no part is left.
    fn place(&self, parts: &Range<u16>, id: &str) -> Option<Place> {
        match self.last_about(parts, id) {
            Some(known) if known.state != StepState::Done => Some(Place { part: known.part, state: known.state }),
            _ => {
                let free = parts.clone().find(|part| self.known.part(*part).is_none())?;
                Some(Place { part: free, state: StepState::Pending })
            }
        }
    }

    /// Whether the last act about a package was done.
    fn is_done(&self, parts: &Range<u16>, id: &str) -> bool {
        self.last_about(parts, id).is_some_and(|known| known.state == StepState::Done)
    }

    fn last_about(&self, parts: &Range<u16>, id: &str) -> Option<&KnownPart> {
        let known = self.known.parts.iter().filter(|known| parts.contains(&known.part));
        known.filter(|known| known.external_id.as_deref() == Some(id)).max_by_key(|known| known.part)
    }

    /// Whether something had to be done a second time, because somebody else undid it. Then what was done says less than a reading.
    fn was_done_again(&self) -> bool {
        let is_again = |known: &KnownPart| {
            let about = known.external_id.as_deref().unwrap_or_default();
            let is_earlier = |parts: &Range<u16>| {
                parts.contains(&known.part) && self.last_about(parts, about).is_some_and(|last| last.part != known.part)
            };
            (ADDS.contains(&known.part) && known.part > ADDS.start) || is_earlier(&ACTIVATIONS) || is_earlier(&TERMINATIONS)
        };
        self.known.parts.iter().any(is_again)
    }

    fn is_terminated(&self, id: &str) -> bool {
        self.is_done(&TERMINATIONS, id)
    }

    /// The package as it was read.
    fn package(&self, id: &str) -> Option<&CarrierPackage> {
        self.line.packages.iter().find(|package| package.id == id)
    }

    /// The packages that are active, as far as is known: read so, and not terminated by us since.
    fn still_active(&self) -> impl Iterator<Item = &CarrierPackage> {
        let is_fresh = self.known.fresh().is_some();
        let active = self.line.packages.iter().filter(|package| package.is_active);
        active.filter(move |package| is_fresh || !self.is_terminated(&package.id))
    }

    /// What stands besides a package, for people.
    fn standing(&self, besides: Option<&str>) -> String {
        let active: Vec<&CarrierPackage> = self.still_active().filter(|package| Some(package.id.as_str()) != besides).collect();
        match active.len() {
            0 => "no package is active".to_owned(),
            1 => format!("active stays {}", listed(&active)),
            _ => format!("active stay {}", listed(&active)),
        }
    }
}

/// Where an act stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    part: u16,
    state: StepState,
}

/// `700001 (101), 700002`
fn listed(packages: &[&CarrierPackage]) -> String {
    let one = |package: &&CarrierPackage| match &package.rate_plan {
        Some(plan) => format!("{} ({plan})", package.id),
        None => package.id.clone(),
    };
    packages.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
