//! The way to the other side: real HTTP, or a simulator in the same process.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

/// One request, whole.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, `PATCH`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// With scheme, host, path and query.
    pub url: String,
    /// Header names in lower case; values may be secret.
    pub headers: Vec<(&'static str, SecretString)>,
    /// The body, if there is one.
    pub body: Option<String>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long all of it may take.
    pub timeout: Duration,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// Why there is no whole answer. What is said holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransportFault {
    /// No byte of the request was sent: name not resolved, no connection, TLS failure.
    NotSent(String),
    /// It may have been sent, and no whole answer came: reset, cut off, too large.
    Cut(String),
    /// It may have been sent, and no whole answer came in time.
    TimedOut,
}

/// The largest answer that is read, in bytes.
pub const MOST_BODY_BYTES: usize = 8 << 20;

/// Sends requests. Redirects are not followed; bodies over [`MOST_BODY_BYTES`] are cut off.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Sends one request, once.
    async fn send(&self, request: Request) -> Result<Answer, TransportFault>;
}
