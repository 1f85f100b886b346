//! How what is wrong with a body is said.

use crate::refusal::{Refusal, RefusalClass};

pub(super) use crate::refusal::Problems;

/// The longest piece of a body that a message repeats, in characters.
const LONGEST_SHOWN: usize = 60;

/// A refusal of a body that cannot be read at all.
pub(super) fn unreadable(code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal::one(RefusalClass::Unreadable, "", code, message)
}

/// A text of the body as a message shows it: quoted, escaped, and cut where it is long.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}
