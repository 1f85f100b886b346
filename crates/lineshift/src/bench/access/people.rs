//! Others while many sign in: requests one after the other, a moment apart, while nobody signs in and while so many do at a time, in turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::json;
use tokio::task::JoinSet;

use super::Sizes;
use super::figures::{Round, SigningIn, p99_and_p50};
use super::prepare::{PASSWORD, Prepared, email};
use super::server::{Caller, Server};

/// Between two requests.
const APART: Duration = Duration::from_millis(2);

/// Requests before the first that counts.
const FIRST: usize = 20;

/// Measures in so many rounds.
pub(super) async fn measure(prepared: &Prepared, server: &Server, rounds: usize, sizes: Sizes) -> Result<SigningIn> {
    let caller = server.client(&prepared.key)?;
    let mut measured = Vec::new();
    for _ in 0..rounds {
        let (idle_p99, idle_p50) = ask(prepared, &caller, sizes.beside).await?;
        let crowd = Crowd::begin(server, sizes.people)?;
        let (busy_p99, busy_p50) = ask(prepared, &caller, sizes.beside).await?;
        measured.push(Round {
            idle_p50_ms: idle_p50,
            idle_p99_ms: idle_p99,
            busy_p50_ms: busy_p50,
            busy_p99_ms: busy_p99,
            signed_in_a_second: crowd.end().await?,
        });
    }
    SigningIn::of(sizes.people, measured).context("there was a round")
}

/// The milliseconds that 99 of 100 requests took at most, and half of them.
async fn ask(prepared: &Prepared, caller: &Caller, times: usize) -> Result<(f64, f64)> {
    let mut took = Vec::new();
    for nth in 0..FIRST + times {
        let path = &prepared.own[nth % prepared.own.len()];
        let each = caller.get(path, StatusCode::OK).await?;
        if nth >= FIRST {
            took.push(each.as_secs_f64() * 1e3);
        }
        tokio::time::sleep(APART).await;
    }
    p99_and_p50(took).context("something was measured")
}

/// People each of whom signs in again as soon as they are signed in.
struct Crowd {
    enough: Arc<AtomicBool>,
    signed_in: Arc<AtomicU64>,
    people: JoinSet<Result<()>>,
    began: Instant,
}

impl Crowd {
    fn begin(server: &Server, people: usize) -> Result<Self> {
        let (enough, signed_in) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut crowd = Self { enough, signed_in, people: JoinSet::new(), began: Instant::now() };
        for nth in 0..people {
            let caller = server.client(&HeaderMap::new())?;
            let (enough, signed_in) = (Arc::clone(&crowd.enough), Arc::clone(&crowd.signed_in));
            crowd.people.spawn(async move {
                let body = json!({"email": email(nth), "password": PASSWORD});
                while !enough.load(Ordering::Relaxed) {
                    caller.post("/api/v1/session", &body).await?;
                    signed_in.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            });
        }
        Ok(crowd)
    }

    /// Lets everybody get in once more; answers how many were let in a second.
    async fn end(mut self) -> Result<f64> {
        let rate = self.signed_in.load(Ordering::Relaxed) as f64 / self.began.elapsed().as_secs_f64();
        self.enough.store(true, Ordering::Relaxed);
        while let Some(ended) = self.people.join_next().await {
            ended.context("somebody who signed in")??;
        }
        Ok(rate)
    }
}
