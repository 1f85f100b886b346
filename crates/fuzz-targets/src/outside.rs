//! Answers of other systems: errors and lists of Rev.io, Jasper and POND, of whatever status and however broken.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_connectors::billing::Billing as _;
use lineshift_connectors::billing::revio::{RevioBilling, RevioCredentials};
use lineshift_connectors::carrier::{Carrier, CarrierKind, LineRef, jasper::Jasper, pond::Pond};
use lineshift_connectors::http::{
    Account, AccountKey, AccountLimits, Answer, CallMeter, Grant, MOST_TEXT_CHARACTERS, MeterError, Request, Transport,
    TransportFault,
};
use lineshift_connectors::{CallError, Called, Exchange};
use lineshift_domain::clock::Clock;
use lineshift_domain::ids::{IntegrationAuthenticationId, RevCustomerId, RevServiceId, TenantId};
use lineshift_domain::places::{PlacesAsked, PlacesLeased, lease_places};
use secrecy::SecretString;

use crate::Run;

/// What every account here is known by. It stands in answers where their seed says `SECRET`.
const SECRET: &str = "pa55-of-the-account";

/// The other side, with one answer to everything.
struct Always(Answer);

#[async_trait]
impl Transport for Always {
    async fn send(&self, _: Request) -> Result<Answer, TransportFault> {
        Ok(self.0.clone())
    }
}

/// Calls without end.
struct Unlimited;

#[async_trait]
impl CallMeter for Unlimited {
    async fn take(&self, _: AccountKey, wanted: u32, _: AccountLimits, _: DateTime<Utc>) -> Result<Grant, MeterError> {
        Ok(Grant { granted: wanted, next: None })
    }

    async fn lease_places(&self, _: AccountKey, asked: PlacesAsked, now: DateTime<Utc>) -> Result<PlacesLeased, MeterError> {
        Ok(lease_places("fuzzer", (None, &[]), asked, now).0)
    }

    async fn return_places(&self, _: AccountKey) -> Result<(), MeterError> {
        Ok(())
    }
}

/// A clock that goes with the runtime's, which stands still but for waits.
struct Paused(tokio::time::Instant);

impl Clock for Paused {
    fn now(&self) -> DateTime<Utc> {
        let start: DateTime<Utc> = "2026-11-21T10:00:00Z".parse().expect("a moment");
        start + self.0.elapsed()
    }
}

/// An input is: which system and call, which status, how often the body is repeated, whether waiting is asked for, and the body.
pub(crate) fn begin() -> Run {
    Box::new(|bytes| {
        let Some((&[what, status, times, wait], body)) = bytes.split_first_chunk::<4>() else { return };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let told = String::from_utf8_lossy(body).contains("SECRET");
        let body = if told { String::from_utf8_lossy(body).replace("SECRET", SECRET).into_bytes() } else { body.to_vec() };
        let body = body.repeat(1 + usize::from(times) % 16);
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if wait % 4 == 1 {
            headers.push(("retry-after".to_owned(), format!("{}", u64::from(wait) * u64::from(wait))));
        }
        let answer = Answer { status: STATUSES[usize::from(status) % STATUSES.len()], headers, body };
        runtime.expect("a runtime").block_on(call(what, answer));
    })
}

const STATUSES: [u16; 16] = [200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503, 599];

fn account(answer: Answer) -> Account {
    let key = AccountKey { tenant_id: TenantId(1), integration_authentication_id: IntegrationAuthenticationId(2) };
    let limits = AccountLimits {
        concurrency: 4,
        calls_a_minute: 1_000,
        calls_a_day: 100_000,
        connect_timeout: Duration::from_secs(5),
        timeout: Duration::from_secs(30),
        attempts: 2,
        patience: Duration::from_secs(120),
        place_lease: Duration::from_secs(30),
    };
    let clock = Arc::new(Paused(tokio::time::Instant::now()));
    Account::new(key, "fuzzed", limits, clock, Arc::new(Unlimited), Arc::new(Always(answer)), 7)
}

async fn call(what: u8, answer: Answer) {
    let account = account(answer);
    let pond = format!(r#"{{"api_key":"{SECRET}","distributor_id":"d1","inventory_id":"i1"}}"#);
    let jasper = format!(r#"{{"user":"someone","api_key":"{SECRET}"}}"#);
    match what % 3 {
        0 => revio(what / 3, account).await,
        1 => carrier(what / 3, &Jasper, account, &jasper).await,
        _ => carrier(what / 3, &Pond, account, &pond).await,
    }
}

async fn revio(what: u8, account: Account) {
    let credentials = RevioCredentials {
        user: "someone".to_owned(),
        client_code: "code".to_owned(),
        password: SecretString::from(SECRET),
        subscription_key: None,
    };
    let revio = RevioBilling::new(account, "https://billing.example/v1", credentials);
    match what % 9 {
        0 => check(revio.test_connection().await),
        1 => check(revio.find_services(RevCustomerId(5), &["8901260000000000001".to_owned()]).await),
        2 => check(revio.find_service(RevServiceId(7)).await),
        3 => check(revio.list_products_of(RevServiceId(7)).await),
        4 => check(revio.find_customer(RevCustomerId(5)).await),
        5 => check(revio.find_product(3).await),
        6 => check(revio.find_package(3).await),
        7 => check(revio.list_services(1).await),
        _ => check(revio.list_customers(None, 1).await),
    }
}

async fn carrier(what: u8, kind: &dyn CarrierKind, account: Account, credentials: &str) {
    let carrier: Arc<dyn Carrier> =
        kind.connect(account, "https://carrier.example/v1", &SecretString::from(credentials)).expect("credentials of its own");
    let line = LineRef { iccid: "8901260000000000001".to_owned(), ..LineRef::default() };
    match what % 5 {
        0 => check(carrier.test_connection().await),
        1 => check(carrier.read_line(&line).await),
        2 => check(carrier.list_lines(None, 1).await),
        3 => check(carrier.list_rate_plans().await),
        _ => check(carrier.read_usage(&line).await),
    }
}

/// What is kept of a call is short and holds no secret, whatever was answered.
fn check<T: std::fmt::Debug>(called: Called<T>) {
    let Called { result, exchange: Exchange { request, response } } = called;
    for text in [&request, &response] {
        assert!(text.chars().count() <= MOST_TEXT_CHARACTERS, "{} characters are kept", text.chars().count());
        assert!(!text.contains(SECRET), "a secret is kept: {text}");
    }
    if let Err(error) = result {
        let said = match &error {
            CallError::NotNow(_) | CallError::LeaseLost => String::new(),
            other => other.to_string(),
        };
        assert!(said.chars().count() <= MOST_TEXT_CHARACTERS + 100, "{} characters are said", said.chars().count());
        assert!(!said.contains(SECRET), "a secret is said: {said}");
    }
}
