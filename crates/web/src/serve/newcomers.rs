//! Connections that have not yet sent a request: so many at a time, and the oldest makes room.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// All of them. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Newcomers {
    waiting: Arc<Mutex<Waiting>>,
    most: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    /// In the order in which they came.
    by_age: BTreeMap<u64, oneshot::Sender<()>>,
}

/// One of them, until it is known or dropped.
#[derive(Debug)]
pub(super) struct Newcomer {
    number: u64,
    waiting: Arc<Mutex<Waiting>>,
}

/// Tells a newcomer that it has to go.
#[derive(Debug)]
pub(super) struct TurnedAway(oneshot::Receiver<()>);

impl Newcomers {
    /// At most so many, at least one.
    pub(super) fn new(most: usize) -> Self {
        Self { waiting: Arc::default(), most: most.max(1) }
    }

    /// Takes one in; the oldest goes if there are too many.
    pub(super) fn enter(&self) -> (Newcomer, TurnedAway) {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = lock(&self.waiting);
        while waiting.by_age.len() >= self.most {
            if let Some((_, oldest)) = waiting.by_age.pop_first() {
                // An error only says that it has gone by itself.
                let _ = oldest.send(());
            }
        }
        let number = waiting.next;
        waiting.next += 1;
        waiting.by_age.insert(number, sender);
        drop(waiting);
        (Newcomer { number, waiting: Arc::clone(&self.waiting) }, TurnedAway(receiver))
    }
}

impl Newcomer {
    /// It sent a request: nobody takes its place any more.
    pub(super) fn is_known(&self) {
        lock(&self.waiting).by_age.remove(&self.number);
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        self.is_known();
    }
}

impl TurnedAway {
    /// Waits until it has to go: for ever once it is known.
    pub(super) async fn told(&mut self) {
        if (&mut self.0).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether it is known: then it is never told.
    pub(super) fn is_known(&mut self) -> bool {
        matches!(self.0.try_recv(), Err(oneshot::error::TryRecvError::Closed))
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn is_told(turned_away: &mut TurnedAway) -> bool {
        turned_away.told().now_or_never().is_some()
    }

    #[test]
    fn the_oldest_makes_room_and_known_ones_stay() {
        let newcomers = Newcomers::new(2);
        let (_first, mut first_told) = newcomers.enter();
        let (second, mut second_told) = newcomers.enter();
        second.is_known();
        assert!(second_told.is_known() && !first_told.is_known());
        let (_third, mut third_told) = newcomers.enter();
        assert!(!is_told(&mut first_told), "one of the two was known, so that there was room");
        let (_fourth, mut fourth_told) = newcomers.enter();
        assert!(is_told(&mut first_told), "it was the oldest");
        assert!(![&mut third_told, &mut fourth_told].into_iter().any(is_told));
        drop(second);
        assert_eq!(lock(&newcomers.waiting).by_age.len(), 2);
    }

    #[test]
    fn whoever_leaves_makes_room() {
        let newcomers = Newcomers::new(1);
        for _ in 0..3 {
            let (newcomer, mut told) = newcomers.enter();
            assert!(!is_told(&mut told));
            drop(newcomer);
        }
        assert_eq!(lock(&newcomers.waiting).by_age.len(), 0);
    }
}
