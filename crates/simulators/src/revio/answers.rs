//! Outcomes as they go over the wire.

use std::time::Duration;

use serde_json::json;

use super::calls::Success;
use super::chance::Chance;
use super::faults::ErrorShape;
use super::text;
use crate::wire::Reaction;

/// An error before it has a form.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) message: String,
    /// In seconds.
    pub(super) retry_after: Option<u64>,
}

impl Failure {
    /// An error with a text.
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after: None }
    }

    /// An error of the machinery.
    pub(super) fn of_server(status: u16) -> Self {
        let message = match status {
            502 => "Bad gateway",
            503 => "The service is unavailable",
            504 => "Gateway time-out",
            _ => "An error has occurred",
        };
        Self::new(status, message)
    }

    /// Too many calls; how long to wait stands in the header, or else in the message only.
    pub(super) fn throttled(wait: Duration, in_header: bool) -> Self {
        let seconds = (wait.as_millis().div_ceil(1000) as u64).max(1);
        let message = format!("Rate limit is exceeded. Try again in {seconds} seconds.");
        Self { status: 429, message, retry_after: in_header.then_some(seconds) }
    }

    /// The form in which it is told. What must be read to know how long to wait stays readable.
    pub(super) fn shaped(self, shape: ErrorShape) -> Reaction {
        let must_be_read = self.status == 429 && self.retry_after.is_none();
        let shape = if must_be_read && shape == ErrorShape::Nothing { ErrorShape::Object } else { shape };
        let object = || json!({ "ok": false, "code": self.status, "message": self.message });
        let (content_type, body) = match shape {
            ErrorShape::Object => (Some("application/json"), object().to_string()),
            ErrorShape::Array => (Some("application/json"), json!([object()]).to_string()),
            ErrorShape::Text => (Some("text/plain"), self.message),
            ErrorShape::Html => {
                let said = text::in_html(&self.message);
                (Some("text/html"), format!("<html><head><title>Error</title></head><body><p>{said}</p></body></html>"))
            }
            ErrorShape::Nothing => (None, String::new()),
        };
        let content_type = content_type.map(|value| ("content-type".to_owned(), value.to_owned()));
        let retry_after = self.retry_after.map(|seconds| ("retry-after".to_owned(), seconds.to_string()));
        Reaction::Answer {
            status: self.status,
            headers: content_type.into_iter().chain(retry_after).collect(),
            body: body.into(),
        }
    }
}

/// The answer of a call that worked.
pub(super) fn success(success: Success) -> Reaction {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(success.location.map(|location| ("location".to_owned(), location)));
    Reaction::Answer { status: success.status, headers, body: success.body.to_string().into_bytes() }
}

/// The same answer, broken off in the middle of its body.
pub(super) fn cut(reaction: Reaction) -> Reaction {
    match reaction {
        Reaction::Answer { status, headers, mut body } => {
            body.truncate(body.len() / 2);
            Reaction::Cut { status, headers, body }
        }
        other => other,
    }
}

/// The same answer with a body that says nothing, if it told of a success.
pub(super) fn unreadable(reaction: Reaction, chance: &mut Chance) -> Reaction {
    match reaction {
        Reaction::Answer { status, headers, mut body } if status < 300 => {
            match chance.below(4) {
                0 => body.clear(),
                1 => body = b"<html><body>OK</body></html>".to_vec(),
                2 => body = vec![0xff, 0xfe, 0x00],
                _ => body.truncate(body.len() / 2),
            }
            Reaction::Answer { status, headers, body }
        }
        other => other,
    }
}

/// How a reaction is counted: by status, or by what came instead.
pub(super) fn counted(reaction: &Reaction) -> String {
    match reaction {
        Reaction::Answer { status, .. } => status.to_string(),
        Reaction::Cut { .. } => "cut".to_owned(),
        Reaction::Reset => "reset".to_owned(),
        Reaction::Silence => "silence".to_owned(),
    }
}
