//! What is wrong with a file.

use std::fmt;

use serde::Serialize;

/// The most problems that are listed; the others are counted.
pub(crate) const MOST_LISTED: usize = 100;

/// The most characters of a cell that are repeated.
const MOST_SHOWN: usize = 40;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line of the file in which the row begins, from 1.
    pub line: u64,
    /// The number of the column, from 1; none: the row as a whole.
    pub column: Option<usize>,
    /// The column's name.
    pub name: Option<String>,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let (Some(column), Some(name)) = (self.column, &self.name) {
            write!(f, ", column {column} ({name})")?;
        }
        write!(f, ": found {}, expected {}", self.found, self.expected)
    }
}

/// All that is wrong with a file, the first hundred of them kept.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    listed: Vec<Problem>,
    count: u64,
    bad_rows: u64,
    last_bad_line: u64,
}

impl Problems {
    /// Adds one. Problems of a row come one after the other.
    pub(crate) fn add(&mut self, problem: Problem) {
        if problem.line != self.last_bad_line {
            self.bad_rows += 1;
            self.last_bad_line = problem.line;
        }
        self.count += 1;
        if self.listed.len() < MOST_LISTED {
            self.listed.push(problem);
        }
    }

    /// The first hundred.
    pub(crate) fn listed(&self) -> &[Problem] {
        &self.listed
    }

    /// How many in all.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// In how many rows.
    pub(crate) const fn bad_rows(&self) -> u64 {
        self.bad_rows
    }
}

/// A cell's text as it is repeated: in quotes, shortened.
pub(crate) fn shown(text: &str) -> String {
    if text.is_empty() {
        return "nothing".to_owned();
    }
    let mut kept: String = text.chars().take(MOST_SHOWN).collect();
    if kept.len() < text.len() {
        kept.push_str("...");
    }
    format!("{kept:?}")
}
