//! Collects what is wrong with a body, so that it is all said at once.

use super::codes;
use crate::refusal::{Problem, Refusal, RefusalClass};

/// How many problems are listed; a body made of nothing but mistakes must not be answered with a larger one.
const MOST_LISTED: usize = 100;

/// The longest piece of a body that a message repeats, in characters.
const LONGEST_SHOWN: usize = 60;

/// The problems found so far, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Problems {
    listed: Vec<Problem>,
    unlisted: usize,
}

impl Problems {
    /// Adds a problem with the field at that path.
    pub(super) fn add(&mut self, field: impl Into<String>, code: &'static str, message: impl Into<String>) {
        if self.listed.len() < MOST_LISTED {
            self.listed.push(Problem::new(field, code, message));
        } else {
            self.unlisted += 1;
        }
    }

    /// How many were found.
    pub(super) fn count(&self) -> usize {
        self.listed.len() + self.unlisted
    }

    /// What was read, if nothing was wrong. Reading answers none, or puts anything in the place of a value that it
    /// could not read, only after it added a problem.
    pub(super) fn finish<T>(mut self, read: Option<T>) -> Result<T, Refusal> {
        if self.unlisted > 0 {
            let text = format!("{} more problems were found; correct these first", self.unlisted);
            self.listed.push(Problem::new("", codes::MORE_PROBLEMS, text));
        }
        Refusal::from_problems(self.listed)?;
        Ok(read.expect("what could not be read was reported"))
    }
}

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
