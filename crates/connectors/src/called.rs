//! What became of a call, with the texts for the log.

use crate::http::{MOST_TEXT_CHARACTERS, NotNow};

/// The request and the answer as the log shows them (B11.1): masked (B7.5), each cut to some thousand characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    /// Method, path, query and body.
    pub request: String,
    /// Status and body, or what happened instead of an answer.
    pub response: String,
}

/// A call and what became of it.
#[derive(Debug)]
#[must_use = "what became of a call is to be recorded"]
pub struct Called<T> {
    /// What came back.
    pub result: Result<T, CallError>,
    /// For the log.
    pub exchange: Exchange,
}

impl<T> Called<T> {
    /// With what came back turned into something else.
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Called<U> {
        Called { result: self.result.map(map), exchange: self.exchange }
    }

    /// With what came back turned into something else, or found wanting.
    pub fn and_then<U>(self, map: impl FnOnce(T) -> Result<U, CallError>) -> Called<U> {
        Called { result: self.result.and_then(map), exchange: self.exchange }
    }

    /// A thing that is not there is none.
    pub(crate) fn or_not_found(self) -> Called<Option<T>> {
        let result = match self.result {
            Ok(found) => Ok(Some(found)),
            Err(CallError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        };
        Called { result, exchange: self.exchange }
    }
}

impl Exchange {
    /// This one, then another: what took several calls is one entry in the log, cut as a single one is.
    #[must_use]
    pub fn followed_by(self, next: &Self) -> Self {
        Self { request: join_texts(self.request, &next.request), response: join_texts(self.response, &next.response) }
    }
}

/// One text, a line end, another, cut; the line end is ours, for those of other people are made visible.
pub(crate) fn join_texts(first: String, second: &str) -> String {
    if first.is_empty() || second.is_empty() {
        return if first.is_empty() { second.to_owned() } else { first };
    }
    first.chars().chain(['\n']).chain(second.chars()).take(MOST_TEXT_CHARACTERS).collect()
}

/// Why a call brought nothing, split by what the caller can do about it (B5.5, B7.3). Texts are masked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Clearly refused: nothing was done, and asking again brings the same. 400 to 422 with a readable body, but for the
    /// statuses below, or an error whose own code says so, whatever the status.
    #[error("refused with {status}: {text}")]
    Rejected {
        /// HTTP status.
        status: u16,
        /// What the other side says.
        text: String,
    },
    /// 401 or 403, or an error whose own code says so: the credentials are refused. Nothing was done.
    #[error("the credentials were refused with {status}: {text}")]
    Unauthorized {
        /// HTTP status.
        status: u16,
        /// What the other side says.
        text: String,
    },
    /// 404 with a readable body; where errors have codes of their own, only by the code. Nothing was done.
    #[error("not found: {text}")]
    NotFound {
        /// What the other side says.
        text: String,
    },
    /// 429, or an error whose own code says so, or the account does not allow a call now: nothing was done (B7.3). Uses up no
    /// attempt.
    #[error("{0}")]
    NotNow(NotNow),
    /// No byte was sent: no connection, TLS failure, or the sender's lease has run out. Uses up no attempt.
    #[error("nothing was sent: {0}")]
    NotSent(String),
    /// The lease ran out before the first byte: nothing was sent, and the work is in other hands (B7.1).
    #[error("nothing was sent: the lease has run out")]
    LeaseLost,
    /// A reading call failed as often as its policy tries it.
    #[error("no usable answer: {0}")]
    Unavailable(String),
    /// A call that changes something may have worked, or may yet: time-out, reset, 408, 409, 5xx, cut-off or unreadable body
    /// (B7.3). To be settled by reading back.
    #[error("nobody knows whether it worked: {0}")]
    Ambiguous(String),
}
