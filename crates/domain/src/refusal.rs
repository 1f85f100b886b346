//! Why an order is refused as a whole (B4.4): all problems at once.

use serde::{Deserialize, Serialize};

use crate::reading::codes;

/// How many problems are listed; a body made of nothing but mistakes must not be answered with a larger one.
pub const MOST_LISTED: usize = 100;

/// The longest path of a field that is repeated, in characters: names in it may be the sender's.
const LONGEST_FIELD: usize = 200;

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Where: a path such as `AssociateCustomerRequest.RevProducts[2].Rate`; empty for the body as a whole.
    pub field: String,
    /// What, for programs.
    pub code: String,
    /// What was found, what was expected and what to do, for people.
    pub message: String,
}

impl Problem {
    /// A problem with one field.
    pub fn new(field: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), code: code.into(), message: message.into() }
    }
}

/// The class of a refusal; the API turns it into a status (B4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalClass {
    /// The body cannot be read: 400.
    Unreadable,
    /// The caller may not: 403.
    Forbidden,
    /// The thing does not exist for this tenant: 404.
    NotFound,
    /// Something is under way that excludes this: 409.
    Conflict,
    /// A limit on size: 413.
    TooLarge,
    /// A rule refuses: 422.
    Rule,
}

/// A refused request: nothing of it was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("refused: {}", problems.iter().map(|p| format!("{}: {}", p.field, p.message)).collect::<Vec<_>>().join("; "))]
pub struct Refusal {
    /// Its class.
    pub class: RefusalClass,
    /// All that is wrong; never empty.
    pub problems: Vec<Problem>,
}

impl Refusal {
    /// A refusal with one problem.
    pub fn one(class: RefusalClass, field: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { class, problems: vec![Problem::new(field, code, message)] }
    }

    /// A refusal by rules, if there are problems.
    pub fn from_problems(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { class: RefusalClass::Rule, problems }) }
    }
}

/// A name as somebody wrote it, for a path: an empty one is shown, so that the path is none of the request as a whole.
#[must_use]
pub fn place_of(written: &str) -> &str {
    if written.is_empty() { "\"\"" } else { written }
}

/// Collects what is wrong with a request, so that it is all said at once.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    listed: Vec<Problem>,
    unlisted: usize,
}

impl Problems {
    /// Adds a problem with the field at that path, which is cut where it is longer than any of ours.
    pub fn add(&mut self, field: impl Into<String>, code: impl Into<String>, message: impl Into<String>) {
        if self.listed.len() >= MOST_LISTED {
            self.unlisted += 1;
            return;
        }
        let mut field = field.into();
        if let Some((end, _)) = field.char_indices().nth(LONGEST_FIELD) {
            field.truncate(end);
            field.push_str("...");
        }
        self.listed.push(Problem::new(field, code, message));
    }

    /// Adds those of a part of the request, each under the name of that part.
    pub fn add_within(&mut self, name: &str, inner: Self) {
        for problem in inner.listed {
            self.add(format!("{name}.{}", problem.field), problem.code, problem.message);
        }
        self.unlisted += inner.unlisted;
    }

    /// How many were found.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.listed.len() + self.unlisted
    }

    /// Whether one of those that are listed is with the field at that path.
    #[must_use]
    pub fn is_reported(&self, field: &str) -> bool {
        self.listed.iter().any(|problem| problem.field == field)
    }

    /// What was read, if nothing was wrong. Reading answers none, or puts anything in the place of a value that it
    /// could not read, only after it added a problem.
    ///
    /// # Errors
    /// Class `Rule` with the first hundred problems, and how many more there are.
    pub fn finish<T>(mut self, read: Option<T>) -> Result<T, Refusal> {
        if self.unlisted > 0 {
            let text = format!("{} more problems were found; correct these first", self.unlisted);
            self.listed.push(Problem::new("", codes::MORE_PROBLEMS, text));
        }
        Refusal::from_problems(self.listed)?;
        Ok(read.expect("what could not be read was reported"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_problems_are_counted_and_long_names_cut() {
        let mut inner = Problems::default();
        for _ in 0..MOST_LISTED + 7 {
            inner.add("n".repeat(10_000), "wrong", "no");
        }
        let mut problems = Problems::default();
        problems.add("first", "wrong", "no");
        problems.add_within("part", inner);
        assert_eq!(problems.count(), MOST_LISTED + 8);
        assert!(problems.is_reported("first") && !problems.is_reported("part"));
        let refusal = problems.finish(None::<()>).expect_err("problems");
        assert_eq!(refusal.problems.len(), MOST_LISTED + 1);
        assert!(refusal.problems[1].field.starts_with("part.nnn") && refusal.problems[1].field.ends_with("n..."));
        assert_eq!(refusal.problems[1].field.len(), LONGEST_FIELD + 3);
        assert_eq!(refusal.problems[MOST_LISTED].message, "8 more problems were found; correct these first");
    }
}
