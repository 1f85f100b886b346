//! Where an account is reached and as whom: reads that are tried again, effects that are sent once.

use std::time::Duration;

use secrecy::SecretString;

use super::account::{Account, NotNow};
use super::mask::Masker;
use super::permit::{Permit, Sent};
use super::transport::{Answer, Request, TransportFault};
use super::verdict::Verdict;
use super::wording::{ErrorReader, judge_worded};
use crate::called::join_texts;
use crate::{CallError, Called, Exchange};

/// How long to wait before a read is tried again, at first and at most (B5.5).
const READ_BACKOFF: Duration = Duration::from_millis(200);
const LONGEST_READ_BACKOFF: Duration = Duration::from_secs(10);

/// A call that changes something at the other side. It is sent once, whatever comes back (B7.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// `POST`, `PATCH`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// Below the base address, with query; begins with `/`.
    pub path: String,
    /// The body, JSON.
    pub body: String,
}

/// An account's address and the headers that say who calls.
pub struct Endpoint {
    account: Account,
    /// Without a slash at its end.
    base: String,
    headers: Vec<(&'static str, SecretString)>,
    masker: Masker,
    error_reader: Option<ErrorReader>,
}

impl Endpoint {
    /// An endpoint below `base_address`; every call carries `headers`, and no text about it holds what `masker` knows.
    #[must_use]
    pub fn new(account: Account, base_address: &str, headers: Vec<(&'static str, SecretString)>, masker: Masker) -> Self {
        Self { account, base: base_address.trim_end_matches('/').to_owned(), headers, masker, error_reader: None }
    }

    /// The same, where errors in the body have codes of their own, which come before the HTTP status.
    #[must_use]
    pub fn with_error_reader(mut self, error_reader: ErrorReader) -> Self {
        self.error_reader = Some(error_reader);
        self
    }

    /// The account behind it.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// Reads `path`. Tried as often as the account says, each time with a permit of its own: after 408, 429, 5xx, a time-out,
    /// a cut-off answer, and a success that `read` cannot use. Waits for `Retry-After`, else exponentially longer with jitter.
    pub async fn read<T>(&self, path: &str, read: impl Fn(&Answer) -> Result<T, String> + Send + Sync) -> Called<T> {
        let request = self.request("GET", path, None);
        let limits = self.account.limits();
        let mut exchange = Exchange { request: self.request_text(&request), response: String::new() };
        let mut attempt = 1;
        loop {
            let sent = match self.account.permit().await {
                Ok(permit) => permit.send(request.clone()).await,
                Err(not_now) => Sent::Withheld(CallError::NotNow(not_now)),
            };
            exchange.response = self.response_text(&sent);
            let (wait, failed) = match self.outcome(sent, false, &read) {
                Outcome::Settled(result) => return Called { result, exchange },
                // The account holds the next permit back for as long as the other side asked.
                Outcome::Throttled(_, text) => (None, text),
                Outcome::Unclear(wait, text) => (wait, text),
            };
            let backoff = self.account.shared.chance.backoff(attempt, READ_BACKOFF, LONGEST_READ_BACKOFF);
            let wait = wait.unwrap_or_default().max(backoff);
            if attempt >= limits.attempts || wait > limits.patience.max(LONGEST_READ_BACKOFF) {
                return Called { result: Err(CallError::Unavailable(failed)), exchange };
            }
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// Sends an effect once. `read` turns a 2xx into what came of it; one that it cannot use is ambiguous.
    pub async fn send<T>(
        &self,
        permit: Permit,
        effect: Effect,
        read: impl Fn(&Answer) -> Result<T, String> + Send + Sync,
    ) -> Called<T> {
        let request = self.request(effect.method, &effect.path, Some(effect.body));
        let request_text = self.request_text(&request);
        let sent = permit.send(request).await;
        let exchange = Exchange { request: request_text, response: self.response_text(&sent) };
        let result = match self.outcome(sent, true, read) {
            Outcome::Settled(result) => result,
            Outcome::Throttled(not_now, _) => Err(CallError::NotNow(not_now)),
            Outcome::Unclear(_, text) => Err(CallError::Ambiguous(text)),
        };
        Called { result, exchange }
    }

    /// Judges what was sent, measures it, masks what was said, and tells the account to wait if it is asked to.
    fn outcome<T>(&self, sent: Sent, changes: bool, read: impl FnOnce(&Answer) -> Result<T, String>) -> Outcome<T> {
        let tried = match sent {
            Sent::Tried(tried) => tried,
            Sent::Withheld(error) => return Outcome::Settled(Err(error)),
        };
        let verdict = judge_worded(&tried, self.error_reader, changes, &self.masker, self.account.clock().now(), read);
        if tried.is_ok() && !matches!(verdict, Verdict::Throttled { .. }) {
            self.account.not_throttled();
        }
        self.account.shared.measures.called(verdict.label(changes));
        let masked = |text: String| self.masker.mask(&text);
        match verdict {
            Verdict::Done(done) => Outcome::Settled(Ok(done)),
            Verdict::Rejected { status, text } => Outcome::Settled(Err(CallError::Rejected { status, text: masked(text) })),
            Verdict::Unauthorized { status, text } => {
                Outcome::Settled(Err(CallError::Unauthorized { status, text: masked(text) }))
            }
            Verdict::NotFound { text } => Outcome::Settled(Err(CallError::NotFound { text: masked(text) })),
            Verdict::NotSent(why) => Outcome::Settled(Err(CallError::NotSent(masked(why)))),
            Verdict::Throttled { wait, text } => Outcome::Throttled(self.account.throttled(wait), masked(text)),
            Verdict::Unclear { wait, text } => Outcome::Unclear(wait, masked(text)),
        }
    }

    fn request(&self, method: &'static str, path: &str, body: Option<String>) -> Request {
        let limits = self.account.limits();
        let mut headers = self.headers.clone();
        headers.push(("accept", SecretString::from("application/json")));
        if body.is_some() {
            headers.push(("content-type", SecretString::from("application/json")));
        }
        let (connect_timeout, timeout) = (limits.connect_timeout, limits.timeout);
        Request { method, url: format!("{}{path}", self.base), headers, body, connect_timeout, timeout }
    }

    /// Method, path, query and body; headers never.
    fn request_text(&self, request: &Request) -> String {
        let after_scheme = request.url.split_once("://").map_or(request.url.as_str(), |(_, rest)| rest);
        let path = after_scheme.find('/').map_or("", |at| &after_scheme[at..]);
        let head = self.masker.mask(&format!("{} {path}", request.method));
        request.body.as_ref().map_or_else(|| head.clone(), |body| join_texts(head.clone(), &self.masker.mask(body)))
    }

    /// Status and body, or what happened instead of an answer.
    fn response_text(&self, sent: &Sent) -> String {
        let text = match sent {
            Sent::Withheld(error) => error.to_string(),
            Sent::Tried(Err(TransportFault::NotSent(why))) => format!("nothing was sent: {why}"),
            Sent::Tried(Err(TransportFault::Cut(why))) => format!("no whole answer: {why}"),
            Sent::Tried(Err(TransportFault::TimedOut)) => "no answer in time".to_owned(),
            Sent::Tried(Ok(answer)) => {
                let body = self.masker.mask(&String::from_utf8_lossy(&answer.body));
                return join_texts(answer.status.to_string(), &body);
            }
        };
        self.masker.mask(&text)
    }
}

/// What became of one try.
enum Outcome<T> {
    /// That is the result.
    Settled(Result<T, CallError>),
    /// The other side asked to wait.
    Throttled(NotNow, String),
    /// Nobody knows, or it may be otherwise next time; the wait that the other side asked for, and what happened.
    Unclear(Option<Duration>, String),
}
