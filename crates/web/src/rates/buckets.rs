//! Token buckets: so many requests at once, refilled evenly, in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Rate;

/// A bucket for each key. A bucket is kept as the moment at which it will be full, so that a full one need not be kept at all.
///
/// Keys live in two generations: those used since the last turn, and those used in the one before. A generation is turned when
/// it is as old as a bucket takes to fill, and then what is dropped is full; or when it has [`MOST_KEYS`] keys, and then some
/// of a flood's many keys are forgotten early and begin anew. So never more than twice [`MOST_KEYS`] are held: with
/// 48 bytes for a key and its moment and what the maps keep free, less than 16 MiB.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    /// What one request costs.
    cost: Duration,
    /// What a full bucket holds.
    volume: Duration,
    most: usize,
    generations: Mutex<Generations<K>>,
}

/// The most keys of a generation.
pub(super) const MOST_KEYS: usize = 65_536;

#[derive(Debug)]
struct Generations<K> {
    current: HashMap<K, Instant>,
    previous: HashMap<K, Instant>,
    /// When the current one began.
    began: Option<Instant>,
}

/// How a key stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// None: the request may go on; else how long to wait until one may.
    pub(super) wait: Option<Duration>,
    /// How many more may go on at once.
    pub(super) left: u64,
    /// How long it takes until the bucket is full again.
    pub(super) full_in: Duration,
}

impl<K: Eq + Hash> Buckets<K> {
    /// None: such a rate limits nothing.
    pub(super) fn new(rate: Rate, most: usize) -> Option<Self> {
        let cost = Duration::from_secs(1).checked_div(rate.requests_per_second)?;
        let volume = cost.saturating_mul(rate.burst.max(1));
        let generations = Generations { current: HashMap::new(), previous: HashMap::new(), began: None };
        Some(Self { cost, volume, most: most.max(1), generations: Mutex::new(generations) })
    }

    /// How long an empty bucket takes to fill.
    pub(super) const fn volume(&self) -> Duration {
        self.volume
    }

    /// Takes what one request costs out of the key's bucket, if that much is in it.
    pub(super) fn take(&self, key: K, now: Instant) -> Standing {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.turn(now, self.volume, self.most);
        let full_at = generations.full_at(&key).unwrap_or(now);
        let used = full_at.saturating_duration_since(now);
        let after = used + self.cost;
        if after > self.volume {
            generations.current.insert(key, full_at);
            return Standing { wait: Some(after - self.volume), left: self.left(used), full_in: used };
        }
        generations.current.insert(key, now + after);
        Standing { wait: None, left: self.left(after), full_in: after }
    }

    fn left(&self, used: Duration) -> u64 {
        let left = self.volume.saturating_sub(used).as_nanos() / self.cost.as_nanos().max(1);
        u64::try_from(left).unwrap_or(u64::MAX)
    }
}

impl<K: Eq + Hash> Generations<K> {
    fn turn(&mut self, now: Instant, volume: Duration, most: usize) {
        let began = *self.began.get_or_insert(now);
        if now.saturating_duration_since(began) >= volume || self.current.len() >= most {
            self.previous = mem::take(&mut self.current);
            self.began = Some(now);
        }
    }

    fn full_at(&mut self, key: &K) -> Option<Instant> {
        self.current.get(key).copied().or_else(|| self.previous.remove(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { requests_per_second: 10, burst: 3 };

    fn buckets(most: usize) -> Buckets<u32> {
        Buckets::new(RATE, most).expect("a limit")
    }

    fn after(start: Instant, milliseconds: u64) -> Instant {
        start + Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_burst_goes_on_and_then_one_each_tenth_of_a_second() {
        let (buckets, start) = (buckets(100), Instant::now());
        let lefts: Vec<u64> = (0..3).map(|_| buckets.take(1, start).left).collect();
        assert_eq!(lefts, [2, 1, 0]);
        let refused = buckets.take(1, start);
        assert_eq!(refused, Standing { wait: Some(Duration::from_millis(100)), left: 0, full_in: Duration::from_millis(300) });
        assert_eq!(buckets.take(2, start).left, 2, "another key has a bucket of its own");
        assert_eq!(buckets.take(1, after(start, 99)).wait, Some(Duration::from_millis(1)), "refused ones cost nothing");
        assert_eq!(buckets.take(1, after(start, 100)).wait, None);
        assert_eq!(buckets.take(1, after(start, 150)).wait, Some(Duration::from_millis(50)));
        assert_eq!(buckets.take(1, after(start, 10_000)).left, 2, "it is full, and no fuller than full");
    }

    #[test]
    fn what_is_used_all_the_time_is_not_forgotten_as_time_goes_by() {
        let (buckets, start) = (buckets(100), Instant::now());
        let admitted = (0..1_000).filter(|nth| buckets.take(1, after(start, nth * 10)).wait.is_none()).count();
        // Ten seconds at ten a second, and the burst of three.
        assert_eq!(admitted, 102);
    }

    #[test]
    fn idle_buckets_are_dropped_and_a_flood_of_keys_is_bounded() {
        let (buckets, start) = (buckets(50), Instant::now());
        let held = || {
            let generations = buckets.generations.lock().expect("no panic");
            generations.current.len() + generations.previous.len()
        };
        for key in 0..10_000 {
            buckets.take(key, start);
            assert!(held() <= 100, "{} buckets", held());
        }
        buckets.take(1, after(start, 300));
        buckets.take(1, after(start, 600));
        assert_eq!(held(), 1, "all others are full");
    }

    #[test]
    fn without_a_rate_there_is_no_limit() {
        assert!(Buckets::<u32>::new(Rate { requests_per_second: 0, burst: 3 }, 1).is_none());
        let one = Buckets::<u32>::new(Rate { requests_per_second: 1, burst: 0 }, 1).expect("a limit");
        assert_eq!(one.take(1, Instant::now()).wait, None, "at least one goes on");
    }
}
