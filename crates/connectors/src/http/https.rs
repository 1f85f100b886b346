//! Real calls: HTTP/1.1 over TLS, to addresses that may be called.

mod resolver;

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, redirect, retry};
use secrecy::ExposeSecret;

use super::destinations::Destinations;
use super::lock;
use resolver::Resolver;

use super::transport::{Answer, MOST_BODY_BYTES, Request, Transport, TransportFault};

/// How long a connection is kept for the next call. Servers close idle ones after a minute or so; one that is closed just as a
/// call goes out leaves it ambiguous, so that they are given up well before.
const IDLE: Duration = Duration::from_secs(20);

/// The most clients, one for each time-out of connecting; then all are built anew.
const MOST_CLIENTS: usize = 16;

/// Sends requests over TLS. It follows no redirect, takes no proxy from the environment, keeps no cookies, and sends nothing a
/// second time. It connects to no address that its [`Destinations`] refuse, whatever name stands for it.
pub struct HttpsTransport {
    /// Where requests may go, and whether without TLS (B7.5).
    destinations: Destinations,
    /// By time-out of connecting, which belongs to the client and not to the request.
    clients: Mutex<HashMap<Duration, Client>>,
    /// The largest answer that is read, in bytes.
    most_body_bytes: usize,
}

/// TLS is not to be had here: the system's certificates cannot be read, say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no TLS to call with: {0}")]
pub struct NoTls(String);

impl HttpsTransport {
    /// One that sends to those destinations; without TLS only if they are those of an account that is marked as local (B7.5).
    ///
    /// # Errors
    /// [`NoTls`].
    pub fn to(destinations: Destinations) -> Result<Self, NoTls> {
        build(&destinations, Duration::from_secs(1)).map_err(NoTls)?;
        Ok(Self { destinations, clients: Mutex::default(), most_body_bytes: MOST_BODY_BYTES })
    }

    /// The same that reads answers of so many bytes at most, where [`MOST_BODY_BYTES`] would be too many.
    #[must_use]
    pub fn reading_at_most(self, bytes: usize) -> Self {
        Self { most_body_bytes: bytes.min(MOST_BODY_BYTES), ..self }
    }

    /// One for an account that is marked as local, where no network is listed: it sends to this machine, also without TLS.
    ///
    /// # Errors
    /// [`NoTls`].
    pub fn local() -> Result<Self, NoTls> {
        Self::to(Destinations::default().of_account(true))
    }

    fn client(&self, connect_timeout: Duration) -> Result<Client, String> {
        let mut clients = lock(&self.clients);
        if let Some(client) = clients.get(&connect_timeout) {
            return Ok(client.clone());
        }
        if clients.len() >= MOST_CLIENTS {
            clients.clear();
        }
        let client = build(&self.destinations, connect_timeout)?;
        clients.insert(connect_timeout, client.clone());
        Ok(client)
    }
}

fn build(destinations: &Destinations, connect_timeout: Duration) -> Result<Client, String> {
    let client = Client::builder()
        .tls_backend_rustls()
        .https_only(!destinations.is_local())
        .dns_resolver(Resolver(destinations.clone()))
        .http1_only()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE)
        .user_agent(concat!("lineshift/", env!("CARGO_PKG_VERSION")));
    client.build().map_err(|error| whole_text(&error))
}

#[async_trait]
impl Transport for HttpsTransport {
    async fn send(&self, request: Request) -> Result<Answer, TransportFault> {
        // A literal address is not resolved, so that the resolver does not see it.
        self.destinations.check_url(&request.url).map_err(|error| TransportFault::NotSent(error.to_string()))?;
        let headers = headers(&request).map_err(TransportFault::NotSent)?;
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|error| TransportFault::NotSent(error.to_string()))?;
        let client = self.client(request.connect_timeout).map_err(TransportFault::NotSent)?;
        let mut builder = client.request(method, &request.url).headers(headers).timeout(request.timeout);
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let mut response = builder.send().await.map_err(|error| fault_of(&error))?;
        let status = response.status().as_u16();
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let mut body = Vec::new();
        // From here on the request was sent, so that nothing can be "not sent" any more.
        while let Some(chunk) = response.chunk().await.map_err(|error| cut_or_timed_out(&error))? {
            if body.len() + chunk.len() > self.most_body_bytes {
                return Err(TransportFault::Cut(format!("the answer has more than {} bytes", self.most_body_bytes)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }
}

fn headers(request: &Request) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        // The error would not show the value, and it is not asked to.
        let wrong = || format!("the value of the header {name} cannot be sent");
        let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.append(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

/// What an error before any answer means. "Not sent" is only what is known to lie before the request's first byte: an address
/// that cannot be called, and all that belongs to connecting, TLS included. When in doubt it may have been sent.
fn fault_of(error: &reqwest::Error) -> TransportFault {
    if error.is_builder() || error.is_connect() {
        return TransportFault::NotSent(whole_text(error));
    }
    cut_or_timed_out(error)
}

fn cut_or_timed_out(error: &reqwest::Error) -> TransportFault {
    if error.is_timeout() { TransportFault::TimedOut } else { TransportFault::Cut(whole_text(error)) }
}

/// The error and what lies below it, without the address: its query may hold what is nobody's business.
fn whole_text(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut below = error.source();
    while let Some(source) = below {
        parts.push(source.to_string());
        below = source.source();
    }
    if parts.is_empty() { "the request cannot be made".to_owned() } else { parts.join(": ") }
}

#[cfg(test)]
mod tests;
