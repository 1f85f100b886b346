//! Carriers: one interface for all ([`CarrierKind`], [`Carrier`]), and a folder for each.
//!
//! A carrier says what it can do, what is to be sent next so that a line comes to stand as asked, and how that is sent and read. It keeps
//! nothing and tries nothing again: intents, outcomes, read-backs, waiting and giving up are the engine's. How to add one:
//! docs/adding-a-carrier.md.

mod iccid;
mod interface;
pub mod jasper;
pub mod pond;
mod setting;
mod values;

use lineshift_domain::carrier::{Abilities, StatedLimits};
use serde_json::value::RawValue;

pub use self::iccid::{IccId, NoIccId};
pub use self::interface::{
    Act, Callback, CallbackLine, CallbackRefused, CallbackRequest, Carrier, CarrierKind, Carriers, Known, KnownPart, LineAct,
    LineRef, LineUsage, ListedLine, ListedPlan, Next, Repeat, Sent, SentAll,
};
pub use self::setting::{Believed, Setting};
use crate::http::{Account, Answer};
use crate::{CallError, Exchange};

/// The account at the pace that the carrier states (B7.4); one that is told other calls a minute than the carrier states spreads those
/// over its minute.
#[must_use]
pub fn paced(account: Account, abilities: &Abilities) -> Account {
    let a_minute = account.limits().calls_a_minute;
    account.with_calls_a_second(pace(abilities.limits, a_minute))
}

/// Calls in a second; 0: any number.
fn pace(stated: StatedLimits, a_minute: u32) -> u32 {
    match stated.calls_a_second {
        Some(_) if stated.calls_a_minute.is_some_and(|stated| stated != a_minute) => a_minute.div_ceil(60).max(1),
        Some(calls) => calls,
        None => 0,
    }
}

/// What came of lines that are asked of a connector in words that its carrier does not have: refused, and asking again brings the same.
pub fn refused_here(text: &str, lines: usize) -> SentAll {
    let error = CallError::Rejected { status: 400, text: format!("nothing was sent: {text}") };
    SentAll { results: vec![Err(error); lines], exchange: Exchange::default() }
}

/// Whether a caller carries the secret that it has to. How long it takes to say so tells nothing of where they differ.
#[must_use]
pub fn is_same_secret(carried: &str, expected: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(carried.as_bytes(), expected.as_bytes()).is_ok()
}

/// The fields of the object that an answer holds; none if it holds no object. Of a field that stands there twice, the last.
type Fields<'a> = std::collections::BTreeMap<String, &'a RawValue>;

fn fields(answer: &Answer) -> Option<Fields<'_>> {
    serde_json::from_slice(&answer.body).ok()
}

/// A field as text, if it is a text or a number that says something.
fn field_text(fields: &Fields<'_>, name: &str) -> Option<String> {
    let mut field = serde_json::Deserializer::from_str(fields.get(name)?.get());
    crate::values::text(&mut field).ok().flatten()
}

/// A field that must be there.
fn field<'a, W: serde::Deserialize<'a>>(fields: &Fields<'a>, name: &str) -> Result<W, String> {
    let raw = fields.get(name).ok_or_else(|| format!("missing field `{name}`"))?;
    serde_json::from_str(raw.get()).map_err(|error| format!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_keeps_to_what_its_carrier_states_unless_it_is_told_otherwise() {
        let stated = StatedLimits { concurrency: 1, calls_a_second: Some(5), calls_a_minute: Some(300), calls_a_day: None };
        assert_eq!([300, 1_200, 90, 1].map(|a_minute| pace(stated, a_minute)), [5, 20, 2, 1]);
        assert_eq!(pace(StatedLimits { calls_a_second: None, ..stated }, 90), 0, "a carrier that states none has none");
    }
}
