//! Lets the writer of a store go on statement by statement, to look at what lies between two of them.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Holds a writer before each statement until it is let go. A test makes one `static`, and a function that calls
/// [`Stepper::before_write`] on it for the store's options: no two tests share one.
#[derive(Debug)]
pub struct Stepper {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    holding: bool,
    arrived: u64,
    allowed: u64,
}

/// A writer that does not come is a test that waits for the wrong thing.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

impl Stepper {
    /// One that holds nobody yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it stands in a static, where a default cannot be called")]
    pub const fn new() -> Self {
        Self { state: Mutex::new(State { holding: false, arrived: 0, allowed: 0 }), changed: Condvar::new() }
    }

    /// To be called before each statement.
    pub fn before_write(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.holding {
            return;
        }
        state.arrived += 1;
        let mine = state.arrived;
        self.changed.notify_all();
        let held = self.changed.wait_while(state, |state| state.holding && state.allowed < mine);
        drop(held.unwrap_or_else(PoisonError::into_inner));
    }

    /// Holds the writer at its next statement.
    pub fn hold(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { holding: true, arrived: 0, allowed: 0 };
    }

    /// Lets the writer do one statement, and waits until it stands before the next; false if it has nothing more to do
    /// within `patience`.
    pub async fn step(&'static self, patience: Duration) -> bool {
        tokio::task::spawn_blocking(move || {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.allowed += 1;
            let next = state.allowed + 1;
            self.changed.notify_all();
            let (_state, waited) = self
                .changed
                .wait_timeout_while(state, patience, |state| state.holding && state.arrived < next)
                .unwrap_or_else(PoisonError::into_inner);
            !waited.timed_out()
        })
        .await
        .expect("waiting does not panic")
    }

    /// Waits until the writer is held.
    pub async fn held(&'static self) {
        let came = tokio::task::spawn_blocking(move || {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = self.changed.wait_timeout_while(state, LONGEST_WAIT, |state| state.arrived <= state.allowed);
            !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
        });
        assert!(came.await.expect("waiting does not panic"), "the writer never came");
    }

    /// Holds nobody any more.
    pub fn release(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).holding = false;
        self.changed.notify_all();
    }
}
