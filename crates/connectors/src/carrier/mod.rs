//! Carriers: a typed client for each, which speaks the carrier's language (carriers.md) and decides nothing.
//!
//! Reading calls take their permits themselves and are tried again by the account's policy; a call that changes something takes
//! one permit and is sent once.

mod iccid;
pub mod jasper;
pub mod pond;
mod values;

use serde_json::value::RawValue;

pub use self::iccid::{IccId, NoIccId};
use crate::http::Answer;

/// What a carrier is known to allow an account, unless its configuration says otherwise. None: the carrier states nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatedLimits {
    /// Calls under way at a time.
    pub concurrency: usize,
    /// Calls that begin in any second ([`crate::http::Account::with_calls_a_second`]).
    pub calls_a_second: Option<u32>,
    /// Calls in any 60 seconds.
    pub calls_a_minute: Option<u32>,
    /// Calls in any 24 hours.
    pub calls_a_day: Option<u32>,
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
