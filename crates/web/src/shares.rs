//! Places that many want: so many altogether, and of those so many for each tenant, person or address, so that nobody takes all of them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places, by who has them. Cheap to clone. Only who waits for a place or has one is remembered.
pub(crate) struct Shares<K> {
    all: Arc<Semaphore>,
    each: usize,
    of: Arc<Mutex<HashMap<K, Share>>>,
}

/// The places of one.
struct Share {
    places: Arc<Semaphore>,
    /// How many wait for one or have one.
    inside: usize,
}

/// A place, until it is dropped.
pub(crate) struct Place<K: Eq + Hash> {
    _own: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
    _inside: Inside<K>,
}

impl<K> Clone for Shares<K> {
    fn clone(&self) -> Self {
        Self { all: Arc::clone(&self.all), each: self.each, of: Arc::clone(&self.of) }
    }
}

impl<K: Eq + Hash + Clone> Shares<K> {
    /// So many places altogether, and so many for each; both at least one.
    pub(crate) fn new(all: usize, each: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all.max(1))), each: each.max(1), of: Arc::default() }
    }

    /// As many places altogether as somebody asks for, and so many for each.
    pub(crate) fn each(each: usize) -> Self {
        Self::new(Semaphore::MAX_PERMITS, each)
    }

    /// A place, if there is one now.
    pub(crate) fn try_take(&self, who: &K) -> Option<Place<K>> {
        let (inside, places) = self.enter(who);
        let own = places.try_acquire_owned().ok()?;
        let of_all = Arc::clone(&self.all).try_acquire_owned().ok()?;
        Some(Place { _own: own, _of_all: of_all, _inside: inside })
    }

    /// Waits for a place. Those of one wait among themselves first: they stand in no other's way.
    pub(crate) async fn take(&self, who: &K) -> Place<K> {
        self.take_several(who, 1).await
    }

    /// Waits until none of the one's places is taken, and takes all of them: they count as one altogether.
    pub(crate) async fn take_whole(&self, who: &K) -> Place<K> {
        self.take_several(who, self.each).await
    }

    async fn take_several(&self, who: &K, several: usize) -> Place<K> {
        let (inside, places) = self.enter(who);
        let several = u32::try_from(several).unwrap_or(u32::MAX);
        let own = places.acquire_many_owned(several).await.expect("it is never closed");
        let of_all = Arc::clone(&self.all).acquire_owned().await.expect("it is never closed");
        Place { _own: own, _of_all: of_all, _inside: inside }
    }

    /// How many of one wait for a place or have one.
    pub(crate) fn inside(&self, who: &K) -> usize {
        self.of.lock().unwrap_or_else(PoisonError::into_inner).get(who).map_or(0, |share| share.inside)
    }

    fn enter(&self, who: &K) -> (Inside<K>, Arc<Semaphore>) {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Share { places: Arc::new(Semaphore::new(self.each)), inside: 0 };
        let share = of.entry(who.clone()).or_insert_with(new);
        share.inside += 1;
        let places = Arc::clone(&share.places);
        drop(of);
        (Inside { of: Arc::clone(&self.of), who: who.clone() }, places)
    }
}

/// Remembers that somebody waits for a place or has one.
struct Inside<K: Eq + Hash> {
    of: Arc<Mutex<HashMap<K, Share>>>,
    who: K,
}

impl<K: Eq + Hash> Drop for Inside<K> {
    fn drop(&mut self) {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = of.get_mut(&self.who) {
            share.inside -= 1;
            if share.inside == 0 {
                of.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn nobody_takes_all_of_them() {
        let shares = Shares::new(4, 2);
        let one: Vec<_> = (0..3).map_while(|_| shares.try_take(&"one")).collect();
        assert_eq!(one.len(), 2, "no more than each may have");
        let other = shares.try_take(&"other").expect("the others' places are left");
        let third = shares.try_take(&"third").expect("one is left");
        assert!(shares.try_take(&"fourth").is_none(), "all are taken");
        drop((other, third));
        assert_eq!(shares.inside(&"other"), 0, "who has left is forgotten");
        assert!(shares.try_take(&"fourth").is_some());
        assert_eq!(shares.of.lock().expect("not poisoned").len(), 1);
    }

    #[test]
    fn those_of_one_wait_among_themselves() {
        let shares = Shares::new(3, 2);
        let held = [shares.try_take(&"one"), shares.try_take(&"one")];
        let mut waiting = Box::pin(shares.take(&"one"));
        assert!(waiting.as_mut().now_or_never().is_none());
        assert_eq!(shares.inside(&"one"), 3);
        assert!(shares.take(&"other").now_or_never().is_some(), "whoever waits holds nothing of the others'");
        drop(held);
        assert!(waiting.now_or_never().is_some());
    }

    #[test]
    fn whoever_wants_all_of_theirs_waits_for_the_others_of_theirs() {
        let shares = Shares::each(3);
        let held = shares.try_take(&1);
        let mut whole = Box::pin(shares.take_whole(&1));
        assert!(whole.as_mut().now_or_never().is_none());
        assert!(shares.take_whole(&2).now_or_never().is_some());
        drop(held);
        let whole = whole.now_or_never().expect("a place");
        assert!(shares.try_take(&1).is_none());
        drop(whole);
        assert!(shares.try_take(&1).is_some());
    }
}
