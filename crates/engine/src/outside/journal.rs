//! The journal of a page: what its calls are about to do and have done, stored for many rows at a time.
//!
//! A row waits until its intent is stored before it sends, and until its outcome is stored before it goes on. While one
//! transaction is under way, what others want to write gathers, and goes with the next: as many calls as run at once share a
//! commit, and none waits longer than for two.

use std::sync::Mutex;

use lineshift_store::StoreError;
use lineshift_store::billing::StepBatch;
use lineshift_store::work::PageClaim;
use tokio::sync::oneshot;

use crate::Engine;
use crate::transient::retry;

/// How often a write is tried when the store is busy (B5.5).
const ATTEMPTS: u32 = 3;

type Written = Result<(), Unwritten>;

/// Why something could not be written, for everyone who shared the transaction.
#[derive(Debug, Clone)]
enum Unwritten {
    LeaseLost(String),
    /// The store was out of reach: the page is run again, and none of its rows is to blame.
    Unavailable(String),
    Failed(String),
}

impl From<StoreError> for Unwritten {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::LeaseLost { what } => Self::LeaseLost(what),
            // A full disk or a store that may only be read is waited for like one that does not answer.
            error @ (StoreError::Unavailable(_) | StoreError::Full(_) | StoreError::ReadOnly(_)) => {
                Self::Unavailable(error.to_string())
            }
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<Unwritten> for StoreError {
    fn from(unwritten: Unwritten) -> Self {
        match unwritten {
            Unwritten::LeaseLost(what) => Self::LeaseLost { what },
            Unwritten::Unavailable(text) => Self::Unavailable(text.into()),
            Unwritten::Failed(text) => Self::internal(text),
        }
    }
}

/// One page's journal.
pub(crate) struct Journal {
    engine: Engine,
    claim: PageClaim,
    gathered: Mutex<Vec<(StepBatch, oneshot::Sender<Written>)>>,
    turn: tokio::sync::Mutex<()>,
}

impl Journal {
    pub(crate) fn new(engine: Engine, claim: PageClaim) -> Self {
        Self { engine, claim, gathered: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Stores a batch, together with whatever else wants to be stored; back when it is.
    ///
    /// # Errors
    /// `LeaseLost` when another worker holds the page by now: nothing was written, and nothing more may be sent.
    pub(crate) async fn write(&self, batch: StepBatch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let (told, mut hears) = oneshot::channel();
        self.gathered.lock().expect("never held over a panic").push((batch, told));
        let turn = self.turn.lock().await;
        // Whoever had the turn before may have taken this batch along.
        if let Ok(written) = hears.try_recv() {
            return written.map_err(StoreError::from);
        }
        let taken = std::mem::take(&mut *self.gathered.lock().expect("never held over a panic"));
        let mut together = StepBatch::default();
        let mut waiting = Vec::with_capacity(taken.len());
        for (batch, told) in taken {
            together.append(batch);
            waiting.push(told);
        }
        let written = self.write_together(&together).await;
        drop(turn);
        for told in waiting {
            // A row that was given up meanwhile does not listen any more.
            drop(told.send(written.clone()));
        }
        written.map_err(StoreError::from)
    }

    async fn write_together(&self, batch: &StepBatch) -> Written {
        let store = self.engine.store();
        let now = self.engine.clock().now();
        retry(ATTEMPTS, || store.record_steps(&self.claim, batch, now)).await.map_err(Unwritten::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_who_shared_a_write_hears_whether_trying_again_may_help() {
        let told = |error: StoreError| StoreError::from(Unwritten::from(error).clone());
        assert!(told(StoreError::Unavailable("the database restarts".into())).is_transient());
        assert!(told(StoreError::Full("no space".into())).is_transient());
        assert!(matches!(told(StoreError::LeaseLost { what: "the page".to_owned() }), StoreError::LeaseLost { .. }));
        assert!(matches!(told(StoreError::internal("a bug")), StoreError::Internal { .. }));
    }
}
