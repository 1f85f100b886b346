//! What is next where one call sets all that is asked, so that sending it twice is harmless: Jasper's way, and that of statuses.

use lineshift_domain::carrier::{CarrierChange, CarrierLine};
use lineshift_domain::terms::StepState;

use super::{Act, Known, Next, Repeat};

/// The only part of a change that one call makes.
const PART: u16 = 0;

/// One call that sets all that is asked.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The carrier, as texts name it.
    pub carrier: &'static str,
    /// The carrier's own word for the call: `set status`.
    pub what: &'static str,
    /// When it is believed.
    pub believed: Believed,
}

/// When a change is believed that the carrier says it made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Believed {
    /// With the answer to the call.
    WhenAnswered,
    /// Once the line, read back, shows it (B9.2; and wherever the answer is only that the call was accepted, B5.6).
    WhenShown,
}

impl Setting {
    /// What is next: the call, then a reading where that decides. Of which nobody knows whether it worked is read before it is sent
    /// again; what is dated ahead cannot be read, and is sent again.
    #[must_use]
    pub fn next(&self, asked: &CarrierChange, known: &Known<'_>) -> Next {
        let send = Next::Send(Act { part: PART, what: self.what, repeat: Repeat::Harmless, about: None, clears: false });
        let state = known.part(PART).map_or(StepState::Pending, |part| part.state);
        let is_done = state == StepState::Done;
        match state {
            StepState::Pending | StepState::Reverted => send,
            StepState::Failed => Next::Refuse(format!("{} did not {}; the line stays there as it was", self.carrier, self.what)),
            StepState::Done if self.believed == Believed::WhenAnswered || is_dated(asked) => Next::Stands,
            _ if is_dated(asked) => send,
            _ => match known.fresh() {
                None => Next::Read,
                Some(line) if asked.stands(line) => Next::Stands,
                Some(line) if is_done => Next::Refuse(format!("{} took it, but shows {}", self.carrier, shown(asked, line))),
                Some(_) => send,
            },
        }
    }
}

const fn is_dated(asked: &CarrierChange) -> bool {
    matches!(asked, CarrierChange::RatePlan { effective_at: Some(_), .. })
}

/// What a line shows of what was asked, for people.
fn shown(asked: &CarrierChange, line: &CarrierLine) -> String {
    let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    match asked {
        CarrierChange::Status { .. } => format!("the status {}", word(&line.status)),
        CarrierChange::RatePlan { comm_plan: None, .. } => format!("the rate plan {}", word(&line.rate_plan)),
        CarrierChange::RatePlan { .. } => {
            format!("the rate plan {} and the communication plan {}", word(&line.rate_plan), word(&line.comm_plan))
        }
    }
}

#[cfg(test)]
mod tests;
