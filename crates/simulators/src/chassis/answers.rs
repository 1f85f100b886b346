//! Outcomes as they go over the wire.

use std::time::Duration;

use serde_json::{Value, json};

use super::chance::Chance;
use super::faults::ErrorShape;
use super::text;
use crate::wire::Reaction;

/// A call that worked.
#[derive(Debug)]
pub struct Success {
    /// HTTP status.
    pub status: u16,
    /// Where what was created can be read.
    pub location: Option<String>,
    /// Null: no body at all.
    pub body: Value,
}

impl Success {
    /// 200 with a body.
    #[must_use]
    pub const fn of(body: Value) -> Self {
        Self { status: 200, location: None, body }
    }

    /// 204.
    #[must_use]
    pub const fn without_body() -> Self {
        Self { status: 204, location: None, body: Value::Null }
    }
}

/// An error before it has a form.
#[derive(Debug)]
pub struct Failure {
    /// HTTP status.
    pub status: u16,
    /// What is said.
    pub message: String,
    /// In seconds.
    pub retry_after: Option<u64>,
    /// The system's own code, if it has codes.
    pub code: Option<&'static str>,
    /// The HTTP status of a success that carries it in its body; none: the error's own.
    pub inside: Option<u16>,
}

impl Failure {
    /// An error with a text.
    #[must_use]
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after: None, code: None, inside: None }
    }

    /// The same with the system's code.
    #[must_use]
    pub const fn coded(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// An error of the machinery.
    pub(crate) fn of_server(status: u16) -> Self {
        let message = match status {
            502 => "Bad gateway",
            503 => "The service is unavailable",
            504 => "Gateway time-out",
            _ => "An error has occurred",
        };
        Self::new(status, message)
    }

    /// Too many calls; how long to wait stands in the header, or else in the message only.
    #[must_use]
    pub fn throttled(wait: Duration, in_header: bool) -> Self {
        let seconds = (wait.as_millis().div_ceil(1000) as u64).max(1);
        let message = format!("Rate limit is exceeded. Try again in {seconds} seconds.");
        Self { retry_after: in_header.then_some(seconds), ..Self::new(429, message) }
    }

    /// Told in that form; the object is the system's own.
    pub(super) fn shaped(self, shape: ErrorShape, object: &Value) -> Reaction {
        let (content_type, body) = match shape {
            ErrorShape::Object => (Some("application/json"), object.to_string()),
            ErrorShape::Array => (Some("application/json"), json!([object]).to_string()),
            ErrorShape::Text => (Some("text/plain"), self.message),
            ErrorShape::Html => {
                let said = text::escaped(&self.message);
                (Some("text/html"), format!("<html><head><title>Error</title></head><body><p>{said}</p></body></html>"))
            }
            ErrorShape::Xml => {
                let said = text::escaped(&self.message);
                (Some("application/xml"), format!("<?xml version=\"1.0\"?><error><message>{said}</message></error>"))
            }
            ErrorShape::Nothing => (None, String::new()),
        };
        let content_type = content_type.map(|value| ("content-type".to_owned(), value.to_owned()));
        let retry_after = self.retry_after.map(|seconds| ("retry-after".to_owned(), seconds.to_string()));
        Reaction::Answer {
            status: self.inside.unwrap_or(self.status),
            headers: content_type.into_iter().chain(retry_after).collect(),
            body: body.into(),
        }
    }
}

/// The answer of a call that worked.
pub(super) fn success(success: Success) -> Reaction {
    let body = if success.body.is_null() { Vec::new() } else { success.body.to_string().into_bytes() };
    let content_type = (!body.is_empty()).then(|| ("content-type".to_owned(), "application/json".to_owned()));
    let mut headers: Vec<_> = content_type.into_iter().collect();
    headers.extend(success.location.map(|location| ("location".to_owned(), location)));
    Reaction::Answer { status: success.status, headers, body }
}

/// The same answer, broken off in the middle of its body; one without a body breaks off before it begins.
pub(super) fn cut(reaction: Reaction) -> Reaction {
    match reaction {
        Reaction::Answer { body, .. } if body.is_empty() => Reaction::Reset,
        Reaction::Answer { status, headers, mut body } => {
            body.truncate(body.len() / 2);
            Reaction::Cut { status, headers, body }
        }
        other => other,
    }
}

/// What stands in an answer instead of a success that can be read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Garbage {
    Nothing,
    Html,
    Xml,
    NoText,
    Half,
}

impl Garbage {
    /// One of those that every system has.
    pub(super) fn any(chance: &mut Chance) -> Self {
        match chance.below(4) {
            0 => Self::Nothing,
            1 => Self::Html,
            2 => Self::NoText,
            _ => Self::Half,
        }
    }
}

/// The same answer with a body that says nothing, if it told of a success. One that has no body becomes a 200 that has one.
pub(super) fn unreadable(reaction: Reaction, garbage: Garbage) -> Reaction {
    match reaction {
        Reaction::Answer { status, mut headers, mut body } if status < 300 => {
            let status = if body.is_empty() { 200 } else { status };
            if body.is_empty() {
                headers.push(("content-type".to_owned(), "application/json".to_owned()));
                body = b"{\"status\":\"OK\"}".to_vec();
            }
            match garbage {
                Garbage::Nothing => body.clear(),
                Garbage::Html => body = b"<html><body>OK</body></html>".to_vec(),
                Garbage::Xml => body = b"<?xml version=\"1.0\"?><result>OK</result>".to_vec(),
                Garbage::NoText => body = vec![0xff, 0xfe, 0x00],
                Garbage::Half => body.truncate(body.len() / 2),
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
