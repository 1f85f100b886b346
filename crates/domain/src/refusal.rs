//! Why an order is refused as a whole (B4.4): all problems at once.

use serde::{Deserialize, Serialize};

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
