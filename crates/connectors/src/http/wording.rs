//! Errors that the other side words in the body, by codes of its own that may say more than the HTTP status.

use chrono::{DateTime, Utc};

use super::mask::Masker;
use super::refusal::{asked_wait, shown_line};
use super::transport::{Answer, TransportFault};
use super::verdict::{Verdict, judge};

/// What an error's own code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Clearly refused, nothing was done: asking again brings the same.
    Refused,
    /// The account is refused, whatever it asks for. Nothing was done.
    AccountRefused,
    /// What was asked for is not there. Nothing was done.
    NotFound,
    /// Too many calls. Nothing was done; the account waits.
    Throttled,
    /// Something went wrong over there: it may be otherwise next time, and an effect may have worked.
    Failed,
}

/// An error as the other side words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordedError {
    /// What it means.
    pub meaning: Meaning,
    /// Its code and what it says, as it is said.
    pub text: String,
}

impl WordedError {
    /// An error with its code, if it has one, and what it says.
    #[must_use]
    pub fn new(meaning: Meaning, code: Option<&str>, said: &str) -> Self {
        let text = match code {
            Some(code) if said.is_empty() => code.to_owned(),
            Some(code) => format!("{code}: {said}"),
            None => said.to_owned(),
        };
        Self { meaning, text }
    }
}

/// Finds an error in an answer of any status; none: there is none with a code that is known, and the HTTP status decides.
pub type ErrorReader = fn(&Answer) -> Option<WordedError>;

/// Judges an answer by its own error, if `reader` finds one, else by its HTTP status. Where errors have codes, a 404 without
/// one is a wrong address or somebody on the way, and says nothing about what was asked for.
pub(super) fn judge_worded<T>(
    outcome: &Result<Answer, TransportFault>,
    reader: Option<ErrorReader>,
    changes: bool,
    masker: &Masker,
    now: DateTime<Utc>,
    read: impl FnOnce(&Answer) -> Result<T, String>,
) -> Verdict<T> {
    let Some(reader) = reader else {
        return judge(outcome, changes, masker, now, read);
    };
    if let Ok(answer) = outcome
        && let Some(error) = reader(answer)
    {
        return by_meaning(answer, &error, masker, now);
    }
    match judge(outcome, changes, masker, now, read) {
        Verdict::NotFound { text } => Verdict::Rejected { status: 404, text },
        verdict => verdict,
    }
}

fn by_meaning<T>(answer: &Answer, error: &WordedError, masker: &Masker, now: DateTime<Utc>) -> Verdict<T> {
    let (status, text) = (answer.status, shown_line(&error.text, masker));
    // Numbers in the words are codes and limits, no seconds: only a header says how long to wait.
    let wait = || asked_wait(answer, "", now);
    match error.meaning {
        Meaning::Refused => Verdict::Rejected { status, text },
        Meaning::AccountRefused => Verdict::Unauthorized { status, text },
        Meaning::NotFound => Verdict::NotFound { text },
        Meaning::Throttled => Verdict::Throttled { wait: wait(), text },
        Meaning::Failed => Verdict::Unclear { wait: wait(), text: format!("answered {status}: {text}") },
    }
}
