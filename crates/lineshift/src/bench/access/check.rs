//! To know who calls: a key, and a session with person, roles and reach, in turns, as every request has it looked up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use lineshift_domain::limits::Limits;
use lineshift_engine::{Engine, SystemClock};
use lineshift_store::Store;
use lineshift_store_postgres::Options;
use lineshift_web::CallerCheck;
use reqwest::header::HeaderMap;

use super::distance;
use super::figures::{Checks, RoundTrips};
use super::prepare::Prepared;
use crate::bench::report::median;

/// How long each answer of the database is on its way where round trips are counted: much longer than anything else takes.
const AWAY: Duration = Duration::from_millis(20);

/// How often each is asked there.
const ASKED: usize = 25;

/// How often each is asked before anything is measured: connections are opened, statements are prepared.
const FIRST: usize = 50;

/// Measures so many checks of each in every round.
pub(super) async fn measure(prepared: &Prepared, at: &str, rounds: usize, checks: usize) -> Result<Checks> {
    let check = check_over(Arc::clone(&prepared.store));
    let mut medians = (Vec::new(), Vec::new());
    took(&check, prepared, FIRST).await?;
    for _ in 0..rounds {
        let (key, session) = took(&check, prepared, checks).await?;
        medians.0.push(key);
        medians.1.push(session);
    }
    let round_trips = if at.starts_with("postgres") { Some(round_trips(prepared, at).await?) } else { None };
    let of = |medians| median(medians).context("there was a round");
    Ok(Checks { key_us: of(medians.0)?, session_us: of(medians.1)?, round_trips })
}

fn check_over(store: Arc<dyn Store>) -> CallerCheck {
    CallerCheck::new(Engine::new(store, Arc::new(SystemClock), Limits::default()))
}

/// The median microseconds of a key's check and a session's.
async fn took(check: &CallerCheck, prepared: &Prepared, times: usize) -> Result<(f64, f64)> {
    let mut each = (Vec::new(), Vec::new());
    for _ in 0..times {
        each.0.push(one(check, &prepared.key).await?);
        each.1.push(one(check, &prepared.session).await?);
    }
    let of = |took| median(took).context("something was measured");
    Ok((of(each.0)?, of(each.1)?))
}

async fn one(check: &CallerCheck, headers: &HeaderMap) -> Result<f64> {
    let headers = headers.clone();
    let started = Instant::now();
    let is_somebody = check.is_somebody(headers).await;
    let microseconds = started.elapsed().as_secs_f64() * 1e6;
    ensure!(is_somebody, "the benchmark's own caller was not known");
    Ok(microseconds)
}

/// How often a check waits for an answer of the database, over a connection that was used before.
async fn round_trips(prepared: &Prepared, at: &str) -> Result<RoundTrips> {
    let away = distance::begin(at, AWAY).await?;
    let store = lineshift_store_postgres::connect(&away, Options { connections: 1, ..Options::default() });
    let check = check_over(Arc::new(store.await.context("opening the store from afar")?));
    took(&check, prepared, 1).await?;
    // The least of many: what the machine does besides only adds to it.
    let mut least = (f64::MAX, f64::MAX);
    for _ in 0..ASKED {
        let (key, session) = took(&check, prepared, 1).await?;
        least = (least.0.min(key), least.1.min(session));
    }
    let (key, session) = least;
    let trips = |microseconds: f64| microseconds / 1e6 / AWAY.as_secs_f64();
    Ok(RoundTrips { key: trips(key), session: trips(session) })
}
