//! What the tests of this crate share: an account whose other side is a script, on tokio's paused clock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::clock::Clock;
use lineshift_domain::ids::{IntegrationAuthenticationId, TenantId};
use lineshift_domain::places::{PlaceHolder, PlacesAsked, PlacesLeased, lease_places};
use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::{
    Account, AccountKey, AccountLimits, Answer, CallMeter, Grant, MeterError, NotNow, Request, Transport, TransportFault, WhyNot,
};

/// The clock that goes with tokio's.
pub(crate) struct TokioClock(Instant);

impl TokioClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }
}

impl Clock for TokioClock {
    fn now(&self) -> DateTime<Utc> {
        let start: DateTime<Utc> = "2026-11-21T10:00:00Z".parse().expect("a moment");
        start + TimeDelta::from_std(self.0.elapsed()).expect("tests are short")
    }
}

pub(crate) fn limits() -> AccountLimits {
    AccountLimits {
        concurrency: 32,
        calls_a_minute: 500,
        calls_a_day: 150_000,
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(30),
        attempts: 3,
        patience: Duration::from_secs(120),
        place_lease: Duration::from_secs(30),
    }
}

pub(crate) fn key() -> AccountKey {
    AccountKey { tenant_id: TenantId(1), integration_authentication_id: IntegrationAuthenticationId(2) }
}

/// What a store keeps of an account's places, for all processes; their clocks are the same.
pub(crate) struct MemoryPlaces {
    pub(crate) holders: Mutex<Vec<PlaceHolder>>,
    clock: Arc<TokioClock>,
}

impl Default for MemoryPlaces {
    fn default() -> Self {
        Self { holders: Mutex::default(), clock: TokioClock::new() }
    }
}

/// Sliding windows in memory, and places that may be others', too.
#[derive(Default)]
pub(crate) struct MemoryMeter {
    made: Mutex<Vec<DateTime<Utc>>>,
    pub(crate) asked: AtomicUsize,
    /// How many calls of it fail first.
    pub(crate) fails: AtomicUsize,
    /// Whose places it asks for.
    pub(crate) holder: &'static str,
    pub(crate) places: Arc<MemoryPlaces>,
    pub(crate) asked_for_places: AtomicUsize,
    /// Whether places can neither be leased nor renewed.
    pub(crate) is_cut_off: AtomicBool,
}

#[async_trait]
impl CallMeter for MemoryMeter {
    async fn take(&self, _: AccountKey, wanted: u32, limits: AccountLimits, now: DateTime<Utc>) -> Result<Grant, MeterError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        // As long as a store takes.
        tokio::time::sleep(Duration::from_millis(2)).await;
        if self.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(MeterError("locked".to_owned()));
        }
        let mut made = self.made.lock().expect("no test panics here");
        let windows = [
            (TimeDelta::minutes(1), limits.calls_a_minute, WhyNot::MinuteLimit),
            (TimeDelta::days(1), limits.calls_a_day, WhyNot::DayQuota),
        ];
        let (mut granted, mut next) = (wanted, None);
        for (length, most, why) in windows {
            let within: Vec<_> = made.iter().filter(|at| **at + length > now).collect();
            let left = most.saturating_sub(u32::try_from(within.len()).expect("few"));
            if left < granted {
                granted = left;
                let until = within.first().map_or(now + length, |at| **at + length);
                next = Some(NotNow { until, why });
            }
        }
        made.extend((0..granted).map(|_| now));
        Ok(Grant { granted, next })
    }

    async fn lease_places(&self, _: AccountKey, asked: PlacesAsked, now: DateTime<Utc>) -> Result<PlacesLeased, MeterError> {
        self.asked_for_places.fetch_add(1, Ordering::SeqCst);
        if self.is_cut_off.load(Ordering::SeqCst) {
            return Err(MeterError("no connection".to_owned()));
        }
        let mut holders = self.places.holders.lock().expect("no test panics here");
        holders.retain(|holder| holder.lease_until > now);
        let (own, others): (Vec<_>, Vec<_>) = holders.drain(..).partition(|holder| holder.holder == self.holder);
        let (leased, stored) = lease_places(self.holder, (own.first(), &others), asked, now);
        *holders = others;
        holders.push(stored);
        Ok(leased)
    }

    async fn return_places(&self, _: AccountKey) -> Result<(), MeterError> {
        self.places.holders.lock().expect("no test panics here").retain(|holder| holder.holder != self.holder);
        Ok(())
    }
}

/// What the other side does about a request.
#[derive(Clone)]
pub(crate) enum Does {
    /// Answers after a while.
    Answers { after: Duration, status: u16, headers: Vec<(String, String)>, body: String },
    /// Fails after a while.
    Fails(Duration, TransportFault),
    /// Never answers.
    Silence,
}

impl Does {
    pub(crate) fn answer(status: u16, body: &str) -> Self {
        Self::Answers { after: Duration::from_millis(50), status, headers: Vec::new(), body: body.to_owned() }
    }

    pub(crate) fn with_header(self, name: &str, value: &str) -> Self {
        match self {
            Self::Answers { after, status, mut headers, body } => {
                headers.push((name.to_owned(), value.to_owned()));
                Self::Answers { after, status, headers, body }
            }
            other => other,
        }
    }
}

/// What a request was, and when it came.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) line: String,
    /// Names and values.
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<String>,
}

/// The other side: does what the script says, then what stands as the rest.
pub(crate) struct Script {
    script: Mutex<VecDeque<Does>>,
    rest: Mutex<Does>,
    pub(crate) seen: Mutex<Vec<Seen>>,
    under_way: AtomicUsize,
    pub(crate) most_under_way: AtomicUsize,
}

impl Script {
    pub(crate) fn new(script: impl IntoIterator<Item = Does>, rest: Does) -> Arc<Self> {
        Arc::new(Self {
            script: Mutex::new(script.into_iter().collect()),
            rest: Mutex::new(rest),
            seen: Mutex::default(),
            under_way: AtomicUsize::new(0),
            most_under_way: AtomicUsize::new(0),
        })
    }

    pub(crate) fn rest(&self, rest: Does) {
        *self.rest.lock().expect("no test panics here") = rest;
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test panics here").clone()
    }

    /// Method, path and query of each request.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: Request) -> Result<Answer, TransportFault> {
        let count = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        let _under_way = UnderWay(&self.under_way);
        self.most_under_way.fetch_max(count, Ordering::SeqCst);
        let path = request.url.strip_prefix("https://billing.example/v1").expect("below the base address");
        let line = format!("{} {path}", request.method);
        let headers = request.headers.iter().map(|(name, value)| (*name, value.expose_secret().to_owned())).collect();
        self.seen.lock().expect("no test panics here").push(Seen { at: Instant::now(), line, headers, body: request.body });
        let does = self.script.lock().expect("no test panics here").pop_front();
        match does.unwrap_or_else(|| self.rest.lock().expect("no test panics here").clone()) {
            Does::Answers { after, status, headers, body } => {
                tokio::time::sleep(after).await;
                Ok(Answer { status, headers, body: body.into_bytes() })
            }
            Does::Fails(after, fault) => {
                tokio::time::sleep(after).await;
                Err(fault)
            }
            Does::Silence => std::future::pending().await,
        }
    }
}

/// An account with this other side.
pub(crate) fn account(limits: AccountLimits, script: &Arc<Script>) -> (Account, Arc<MemoryMeter>) {
    account_of("alone", &Arc::default(), limits, script)
}

/// The same account in a process of that name, among those that share its places.
pub(crate) fn account_of(
    holder: &'static str,
    places: &Arc<MemoryPlaces>,
    limits: AccountLimits,
    script: &Arc<Script>,
) -> (Account, Arc<MemoryMeter>) {
    let meter = Arc::new(MemoryMeter { holder, places: Arc::clone(places), ..MemoryMeter::default() });
    let transport: Arc<dyn Transport> = Arc::<Script>::clone(script);
    let clock: Arc<dyn Clock> = Arc::<TokioClock>::clone(&places.clock);
    let counts: Arc<dyn CallMeter> = Arc::<MemoryMeter>::clone(&meter);
    (Account::new(key(), "rev-1", limits, clock, counts, transport, 7), meter)
}
