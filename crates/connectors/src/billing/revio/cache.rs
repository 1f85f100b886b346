//! What was looked up, for as long as it may be believed (B7.6). Of those who miss the same at a time, one asks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::clock::Clock;
use tokio::sync::Mutex as AsyncMutex;

use crate::{Called, Exchange};

/// How long "it is not there" is believed.
const ABSENT_FOR: TimeDelta = TimeDelta::minutes(1);

/// The most single things that are remembered; then all are forgotten.
const MOST_REMEMBERED: usize = 10_000;

fn remembered<T>(result: T) -> Called<T> {
    Called { result: Ok(result), exchange: Exchange::default() }
}

/// Whether what was read at a moment may still be believed. A clock that was put back makes nothing younger.
fn is_fresh(read_at: DateTime<Utc>, now: DateTime<Utc>, for_so_long: TimeDelta) -> bool {
    read_at <= now && now - read_at < for_so_long
}

/// A whole list, by id.
pub(super) struct ListCache<T> {
    kept_for: TimeDelta,
    /// Raised by forgetting: what was read under an earlier one is not believed.
    generation: AtomicU64,
    held: AsyncMutex<Option<Held<T>>>,
}

struct Held<T> {
    generation: u64,
    read_at: DateTime<Utc>,
    by_id: HashMap<i64, T>,
}

impl<T: Clone + Send + Sync> ListCache<T> {
    pub(super) fn new(kept_for: TimeDelta) -> Self {
        Self { kept_for, generation: AtomicU64::new(0), held: AsyncMutex::new(None) }
    }

    /// One of the list; the list is read when it is not known, or when it lacks this one for longer than a minute.
    pub(super) async fn find<F>(&self, id: i64, clock: &dyn Clock, load: impl FnOnce() -> F + Send) -> Called<Option<T>>
    where
        F: Future<Output = Called<HashMap<i64, T>>> + Send,
    {
        let believed = |held: &Held<T>| if held.by_id.contains_key(&id) { self.kept_for } else { ABSENT_FOR };
        self.read(clock, believed, load, |by_id| by_id.get(&id).cloned()).await
    }

    /// All of the list, in no order.
    pub(super) async fn all<F>(&self, clock: &dyn Clock, load: impl FnOnce() -> F + Send) -> Called<Vec<T>>
    where
        F: Future<Output = Called<HashMap<i64, T>>> + Send,
    {
        self.read(clock, |_| self.kept_for, load, |by_id| by_id.values().cloned().collect()).await
    }

    /// What is wanted of the list; it is read where what is held is older than it may be believed.
    async fn read<F, R>(
        &self,
        clock: &dyn Clock,
        believed: impl Fn(&Held<T>) -> TimeDelta + Send,
        load: impl FnOnce() -> F + Send,
        wanted: impl Fn(&HashMap<i64, T>) -> R + Send,
    ) -> Called<R>
    where
        F: Future<Output = Called<HashMap<i64, T>>> + Send,
    {
        let mut held = self.held.lock().await;
        let (generation, now) = (self.generation.load(Ordering::SeqCst), clock.now());
        if let Some(held) = held.as_ref().filter(|held| held.generation == generation)
            && is_fresh(held.read_at, now, believed(held))
        {
            return remembered(wanted(&held.by_id));
        }
        load().await.map(|by_id| {
            let found = wanted(&by_id);
            *held = Some(Held { generation, read_at: now, by_id });
            found
        })
    }

    pub(super) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}

/// What was read of one thing, and when.
type Entry<T> = Arc<AsyncMutex<Option<(DateTime<Utc>, Option<T>)>>>;

/// Single things, by id.
pub(super) struct ItemCache<T> {
    kept_for: TimeDelta,
    entries: Mutex<HashMap<i64, Entry<T>>>,
}

impl<T: Clone + Send> ItemCache<T> {
    pub(super) fn new(kept_for: TimeDelta) -> Self {
        Self { kept_for, entries: Mutex::default() }
    }

    /// One thing; none: it is not there.
    pub(super) async fn find<F>(&self, id: i64, clock: &dyn Clock, load: impl FnOnce() -> F + Send) -> Called<Option<T>>
    where
        F: Future<Output = Called<Option<T>>> + Send,
    {
        let entry = self.entry(id);
        let mut entry = entry.lock().await;
        let now = clock.now();
        if let Some((read_at, found)) = &*entry {
            let believed = if found.is_some() { self.kept_for } else { ABSENT_FOR };
            if is_fresh(*read_at, now, believed) {
                return remembered(found.clone());
            }
        }
        load().await.map(|found| {
            *entry = Some((now, found.clone()));
            found
        })
    }

    fn entry(&self, id: i64) -> Entry<T> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MOST_REMEMBERED && !entries.contains_key(&id) {
            entries.clear();
        }
        Arc::clone(entries.entry(id).or_default())
    }

    pub(super) fn forget(&self) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
