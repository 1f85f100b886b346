//! A refused line of which acts stand at its carrier: it is looked how far it came. What stands whole is judged anew, what only clears up is
//! still done, and what is left half-way is named.

use chrono::{DateTime, Utc};
use lineshift_connectors::carrier::{Act, Next};
use lineshift_domain::carrier::CarrierChange;
use lineshift_domain::codes::Code;
use lineshift_domain::judge::Reason;
use lineshift_domain::terms::StepState;
use lineshift_store::billing::{CarrierLineWrite, CarrierWrite};

use super::decide::Do;
use super::{CarrierPage, CarrierRun};
use crate::outside::{Goal, LineEnd, compensates, concerns_account};

impl CarrierPage<'_> {
    /// Looks at a refused line of which nothing is unknown, as often as it says something new; none: decide again.
    pub(super) fn look(&self, line: &mut CarrierRun, reason: &Reason) -> Option<Do> {
        let parts = line.known_parts();
        match self.kind.next(self.asked, &line.known(&parts)) {
            Next::Stands => self.stands(line),
            // Credentials that are refused or missing read nothing.
            Next::Read
                if line.read_at().is_none() && !matches!(reason.code, Code::CredentialsRefused | Code::CredentialsMissing) =>
            {
                return Some(Do::Read);
            }
            Next::Send(act) if self.may_clear(line, &act) => return self.before_sending(line, act),
            Next::Refuse(text) => line.left_as(reason, &text),
            Next::LeftBeside(text) => {
                line.is_beside = true;
                line.left_as(reason, &text);
            }
            Next::TakenBack(text) => {
                line.left_as(reason, &text);
                self.forget_own(line);
            }
            _ => line.look_is_over(),
        }
        None
    }

    /// Whether an act may be sent for a line that was refused: it only clears up what would else stand beside what was asked. Not for who
    /// lost the right to the line, nor with an account that may not be called, nor where what was done is to be undone.
    pub(super) fn may_clear(&self, line: &CarrierRun, act: &Act) -> bool {
        let Goal::Finish(reason) = &line.goal else { return false };
        act.clears && reason.code != Code::RightsLost && !concerns_account(reason.code) && !compensates(self.calling.order)
    }
}

/// How texts say that several plans of a line are active at its carrier, or may be: what a reason says already is not said again.
const BESIDE: &str = "still active beside";

/// Whether a line ends with several plans active at its carrier, or may.
pub(super) struct LeftBeside {
    is_so: bool,
    /// `; ...`; empty where nothing is, or the reason says so.
    pub(super) said: String,
}

impl CarrierRun {
    /// A line that ends with several plans active at its carrier has none here that an order for it could rely on: no order finds it so
    /// already, and the next one reads how it stands.
    pub(super) fn forget_plan_here(&mut self, beside: &LeftBeside) {
        if beside.is_so {
            self.forget_plan();
        }
    }

    /// Nor has one that ends while nobody knows what an act did to its plan.
    pub(super) fn forget_unknown_plan(&mut self, asked: &CarrierChange) {
        let moves_plan = matches!(asked, CarrierChange::RatePlan { rate_plan: Some(_), effective_at: None, .. });
        if self.is_beside || (moves_plan && !self.unsettled().is_empty()) {
            self.forget_plan();
        }
    }

    fn forget_plan(&mut self) {
        let action = if self.is_undoing() { CarrierWrite::RatePlanUndone } else { CarrierWrite::RatePlan };
        let (by, device_id, rate_plan) = (self.row, self.device_id, Some(String::new()));
        self.store(CarrierLineWrite { by, device_id, action, status: None, rate_plan, comm_plan: None });
    }

    /// How it ends when its carrier cannot be called at all. That it failed is stored, so that what else was done for it is undone; what
    /// should have been put back at the carrier is stuck (B6.3).
    pub(crate) fn end_uncalled(&mut self, reason: &Reason, name: &str, compensates: bool, now: DateTime<Utc>) -> LineEnd {
        let why = match &self.goal {
            Goal::Finish(why) => why.clone(),
            Goal::Do => {
                self.mark_failed(now, reason);
                reason.clone()
            }
        };
        let own = self.own();
        if !compensates || own.is_empty() {
            let beside = self.left_beside(&why);
            let reason = self.kept(&why, name, &beside);
            self.forget_plan_here(&beside);
            return LineEnd::Ends { reason, unsettled: self.is_unsettled() };
        }
        let beside = self.left_beside(&why);
        for place in own {
            self.write(place, now, |record| {
                record.state = StepState::Stuck;
                record.outcome = Some(reason.text.clone());
            });
        }
        let text = format!(
            "{}; what was changed at the carrier stands: it could not be undone: {}{}",
            why.text, reason.text, beside.said
        );
        self.forget_plan_here(&beside);
        LineEnd::Ends { reason: Reason::new(why.code, text), unsettled: true }
    }

    /// How the line is left is said beside why it was refused.
    fn left_as(&mut self, reason: &Reason, text: &str) {
        self.goal = Goal::Finish(Reason::new(reason.code, format!("{}; {text}", reason.text)));
        self.look_is_over();
    }

    /// Says in the reason what stands in spite of it, so that nobody looks for it in vain (B6.3, keep).
    pub(super) fn kept(&self, reason: &Reason, name: &str, beside: &LeftBeside) -> Reason {
        let own: Vec<String> = self
            .own()
            .into_iter()
            .filter_map(|place| {
                let record = self.record(place)?;
                let about = record.external_id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
                Some(format!("{}{about}", record.outcome.as_deref().unwrap_or("an act")))
            })
            .collect();
        if own.is_empty() {
            return reason.clone();
        }
        Reason::new(reason.code, format!("{}; kept at {name}: {}{}", reason.text, own.join(", "), beside.said))
    }

    /// What is active at the carrier beside each other, as its connector said or as it was read; or what may be, where nobody could read it.
    pub(super) fn left_beside(&self, reason: &Reason) -> LeftBeside {
        let seen = if self.is_stored() || self.own().is_empty() { String::new() } else { self.seen_beside() };
        // What a worker knew that waited or died since is in its words alone.
        let is_said = reason.text.contains(BESIDE);
        LeftBeside { is_so: self.is_beside || is_said || !seen.is_empty(), said: if is_said { String::new() } else { seen } }
    }

    fn seen_beside(&self) -> String {
        let Some(there) = self.there().filter(|_| self.read_at().is_some()) else {
            let former = self.former_plan().filter(|_| self.done_acts() > 1);
            return former.map(|plan| format!("; its former plan {plan} may be still active beside that")).unwrap_or_default();
        };
        let active: Vec<String> = there
            .packages
            .iter()
            .filter(|package| package.is_active)
            .map(|package| format!("{} ({})", package.id, package.rate_plan.as_deref().unwrap_or("of an unknown plan")))
            .collect();
        if active.len() > 1 { format!("; still active beside each other: {}", active.join(", ")) } else { String::new() }
    }
}
