//! How many requests a key and an address may send (issue "Access", item 6): 429 with `Retry-After` beyond that.
//!
//! Both are looked at before anything else, the store included. A key counts by all of its text, its secret included: whoever
//! knows only the ids in it cannot use up what belongs to its owner. Every request counts for its address, too, so that made-up
//! keys are worth nothing. Answers say how things stand in the headers of the IETF's draft "RateLimit header fields for HTTP".

mod buckets;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use crate::api_key::{parse_api_key, presented};
use crate::client_address::{ClientAddress, network_of};
use crate::problem::ApiProblem;
use buckets::{Buckets, MOST_KEYS, Standing};

/// `"key";r=12;t=3`: how many more requests may come at once, and in how many seconds all of them may.
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// `"key";q=2000;w=10`: how many requests there are in so many seconds.
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What those who watch over the server ask for; a flood must not make it look dead.
pub(crate) const NEVER_LIMITED: [&str; 2] = ["/healthz", "/readyz"];

/// How many requests may come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rate {
    /// In the long run; 0: without limit.
    pub requests_per_second: u32,
    /// At once, after a while without any; at least one.
    pub burst: u32,
}

/// How many requests may come, from whom. By default without limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// With one API key.
    pub per_key: Rate,
    /// From one IPv4 address, or from one IPv6 network of 64 bits, which is what one customer is given.
    pub per_address: Rate,
}

/// Counts requests.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    keys: Option<Policy<[u8; 32]>>,
    addresses: Option<Policy<IpAddr>>,
}

#[derive(Debug)]
struct Policy<K> {
    name: &'static str,
    buckets: Buckets<K>,
    /// As it stands in the header.
    text: String,
}

impl RateLimiter {
    /// None: nothing is limited.
    pub(crate) fn new(rates: Rates) -> Option<Arc<Self>> {
        let (keys, addresses) = (Policy::new("key", rates.per_key), Policy::new("address", rates.per_address));
        (keys.is_some() || addresses.is_some()).then(|| Arc::new(Self { keys, addresses }))
    }
}

impl<K: Eq + std::hash::Hash> Policy<K> {
    fn new(name: &'static str, rate: Rate) -> Option<Self> {
        let buckets = Buckets::new(rate, MOST_KEYS)?;
        let text = format!("\"{name}\";q={};w={}", rate.burst.max(1), seconds(buckets.volume()));
        Some(Self { name, buckets, text })
    }

    fn take(&self, key: K, now: Instant, said: &mut Said) {
        let standing = self.buckets.take(key, now);
        said.add(self.name, &self.text, standing);
    }
}

/// What the answer says.
#[derive(Debug, Default)]
struct Said {
    policies: Vec<String>,
    standings: Vec<String>,
    /// Whose limit is reached, and for how long.
    refused: Option<(&'static str, Duration)>,
}

impl Said {
    fn add(&mut self, name: &'static str, policy: &str, Standing { wait, left, full_in }: Standing) {
        self.policies.push(policy.to_owned());
        self.standings.push(format!("\"{name}\";r={left};t={}", seconds(full_in)));
        self.refused = self.refused.or_else(|| wait.map(|wait| (name, wait)));
    }

    fn write(&self, headers: &mut HeaderMap) {
        for (name, parts) in [(RATE_LIMIT_POLICY, &self.policies), (RATE_LIMIT, &self.standings)] {
            if let Ok(value) = HeaderValue::from_str(&parts.join(", ")) {
                headers.insert(name, value);
            }
        }
    }
}

/// Lets a request go on, or refuses it.
pub(crate) async fn limit(
    State(limiter): State<Arc<RateLimiter>>,
    Extension(client): Extension<ClientAddress>,
    request: Request,
    next: Next,
) -> Response {
    if NEVER_LIMITED.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let (now, mut said) = (Instant::now(), Said::default());
    if let Some(addresses) = &limiter.addresses {
        addresses.take(network_of(client.ip), now, &mut said);
    }
    // What the address is refused costs the key nothing.
    if let Some((keys, key)) = limiter.keys.as_ref().zip(key_of(request.headers())).filter(|_| said.refused.is_none()) {
        keys.take(key, now, &mut said);
    }
    let mut response = match said.refused {
        None => next.run(request).await,
        Some((whose, wait)) => refusal(whose, wait).into_response(),
    };
    said.write(response.headers_mut());
    response
}

fn refusal(whose: &str, wait: Duration) -> ApiProblem {
    let wait = u32::try_from(seconds(wait)).unwrap_or(u32::MAX);
    let detail = format!(
        "too many requests from this {whose}; come again in {wait} s. RateLimit and RateLimit-Policy say how many may come"
    );
    ApiProblem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(wait)
}

/// Whole seconds, rounded up, at least one.
fn seconds(duration: Duration) -> u64 {
    (duration.as_secs() + u64::from(duration.subsec_nanos() > 0)).max(1)
}

/// What stands for the key that a request shows, if it shows one of the right form.
fn key_of(headers: &HeaderMap) -> Option<[u8; 32]> {
    let text = presented(headers)?;
    parse_api_key(text)?;
    Some(Sha256::digest(text.as_bytes()).into())
}

#[cfg(test)]
mod tests;
