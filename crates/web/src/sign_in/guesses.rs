//! Who tries passwords waits: the longer, the more often it failed, by account and by address. Accounts that are not there count like those
//! that are, and all that is stored of either is a hash.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::refusal::Problem;
use lineshift_store::people::Failures;
use sha2::{Digest as _, Sha256};

use crate::Web;
use crate::problem::ApiProblem;
use crate::shares::{Place, Shares};

/// How many failures cost nothing.
const FREE: i64 = 5;

/// The longest wait.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);

/// How many attempts of an address may be worked on or wait for that at a time: more are told to come again.
const MOST_OF_AN_ADDRESS: usize = 100;

/// How long an attempt waits for others of its address.
const PATIENCE: Duration = Duration::from_secs(20);

/// After how long failures are forgotten.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

/// The hash of an account or of an address.
type Subject = [u8; 32];

/// The account of that address, whether there is one or not.
fn account_subject(email: &str) -> Subject {
    Sha256::new().chain_update(b"account\0").chain_update(email.as_bytes()).finalize().into()
}

/// A client's address; of IPv6 the network that one customer has.
fn address_subject(ip: IpAddr) -> Subject {
    let text = match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("{:x?}/64", &ip.segments()[..4]),
    };
    Sha256::new().chain_update(b"address\0").chain_update(text.as_bytes()).finalize().into()
}

/// How long to wait after so many failures: nothing for the first five, then 1, 2, 4 ... seconds.
fn wait_after(failures: i64) -> TimeDelta {
    match failures - FREE {
        ..0 => TimeDelta::zero(),
        doublings => TimeDelta::seconds(1_i64 << doublings.min(20)).min(LONGEST_WAIT),
    }
}

/// Until when nothing is tried.
fn locked_until(failures: &Failures) -> Option<DateTime<Utc>> {
    failures.last_at.map(|at| at + wait_after(failures.count))
}

/// The attempts that this process is working on: many at once must not pass where one after another would wait.
///
/// Those for an account are refused, as only whoever guesses makes several. Those of an address wait for each other: behind one there may
/// be a whole office. As many as may fail for nothing are worked on at once, and one at a time once any has failed.
#[derive(Clone)]
pub(crate) struct Guesses {
    accounts: Arc<Mutex<HashMap<Subject, i64>>>,
    addresses: Shares<Subject>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self { accounts: Arc::default(), addresses: Shares::each(usize::try_from(FREE).unwrap_or(1)) }
    }
}

impl Guesses {
    /// One more; answers how many there were before.
    fn enter(&self, account: Subject) -> (i64, UnderWay) {
        let mut under_way = self.accounts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = under_way.entry(account).or_default();
        let before = *count;
        *count += 1;
        drop(under_way);
        (before, UnderWay { all: self.clone(), account })
    }

    /// Waits for the turn of an attempt of that address: by itself, or among a few. Errors: 429 where too many wait, or for too long.
    async fn turn(&self, address: &Subject, by_itself: bool) -> Result<Place<Subject>, ApiProblem> {
        if self.addresses.inside(address) >= MOST_OF_AN_ADDRESS {
            return Err(wait(TimeDelta::seconds(1)));
        }
        let turn =
            async { if by_itself { self.addresses.take_whole(address).await } else { self.addresses.take(address).await } };
        tokio::time::timeout(PATIENCE, turn).await.map_err(|_| wait(TimeDelta::seconds(1)))
    }
}

/// An attempt that is worked on.
struct UnderWay {
    all: Guesses,
    account: Subject,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut under_way = self.all.accounts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(count) = under_way.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.account);
            }
        }
    }
}

/// An attempt that may be made. Whoever drops it without a word leaves no trace: say how it ended.
pub(crate) struct Attempt {
    account: Subject,
    address: Subject,
    had_failed: bool,
    at: DateTime<Utc>,
    _under_way: UnderWay,
    _turn: Place<Subject>,
}

impl Attempt {
    /// Lets somebody try for the account of that address. Errors: 429 while they have to wait, the same whether it is there or not.
    pub(crate) async fn begin(web: &Web, email: &str, ip: IpAddr, at: DateTime<Utc>) -> Result<Self, ApiProblem> {
        let (account, address) = (account_subject(email), address_subject(ip));
        let guesses = &web.sign_in.guesses;
        let mut by_itself = false;
        loop {
            // Both before the look: an attempt that was worked on until now is either under way or counted.
            let turn = guesses.turn(&address, by_itself).await?;
            // It may have waited.
            let at = at.max(web.engine.clock().now());
            let (others, under_way) = guesses.enter(account);
            let found = web.engine.store().find_failures(&[account, address], at - REMEMBERED).await?;
            if let Some(until) = found.iter().filter_map(locked_until).max().filter(|until| *until > at) {
                return Err(wait(until - at));
            }
            let failed = found.first().map_or(0, |failures| failures.count);
            if others > 0 && failed + others >= FREE {
                return Err(wait(TimeDelta::seconds(1)));
            }
            if by_itself || found.last().is_none_or(|failures| failures.count == 0) {
                return Ok(Self { account, address, had_failed: failed > 0, at, _under_way: under_way, _turn: turn });
            }
            by_itself = true;
        }
    }

    /// It was wrong: counted for the account and for the address.
    pub(crate) async fn failed(self, web: &Web) -> Result<(), ApiProblem> {
        metrics::counter!(crate::measures::SIGN_INS, "result" => "refused").increment(1);
        Ok(web.engine.store().record_failures(&[self.account, self.address], self.at - REMEMBERED, self.at).await?)
    }

    /// It was right: the account's failures are forgotten. The address's are not, or whoever has one account could try all others.
    pub(crate) async fn succeeded(self, web: &Web) -> Result<(), ApiProblem> {
        if self.had_failed {
            web.engine.store().clear_failures(&self.account).await?;
        }
        Ok(())
    }
}

/// Says when to come back; nothing of why differs.
fn wait(left: TimeDelta) -> ApiProblem {
    metrics::counter!(crate::measures::SIGN_INS, "result" => "locked").increment(1);
    let seconds = (left.num_milliseconds().max(1) + 999) / 1_000;
    let message = "too many attempts failed; wait as long as Retry-After says";
    ApiProblem::with_problem(StatusCode::TOO_MANY_REQUESTS, Problem::new("", "too_many_attempts", message))
        .retry_after(u32::try_from(seconds).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        let waits: Vec<i64> = (0..18).map(|failures| wait_after(failures).num_seconds()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!(wait_after(i64::MAX), LONGEST_WAIT);
    }

    #[test]
    fn one_customer_of_ipv6_is_one_address() {
        let subject = |text: &str| address_subject(text.parse().expect("an address"));
        assert_eq!(subject("2001:db8:1:2::1"), subject("2001:db8:1:2:ffff::9"));
        assert_ne!(subject("2001:db8:1:2::1"), subject("2001:db8:1:3::1"));
        assert_eq!(subject("192.0.2.1"), subject("::ffff:192.0.2.1"));
        assert_ne!(subject("192.0.2.1"), subject("192.0.2.2"));
        assert_ne!(account_subject("192.0.2.1"), subject("192.0.2.1"), "accounts and addresses are apart");
    }

    #[test]
    fn attempts_under_way_are_counted_and_let_go() {
        let guesses = Guesses::default();
        let (before, first) = guesses.enter([1; 32]);
        let (second_before, second) = guesses.enter([1; 32]);
        let (other, _held) = guesses.enter([2; 32]);
        assert_eq!((before, second_before, other), (0, 1, 0));
        drop((first, second));
        assert_eq!(guesses.accounts.lock().expect("not poisoned").len(), 1);
        assert_eq!(guesses.enter([1; 32]).0, 0);
    }
}
