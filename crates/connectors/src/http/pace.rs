//! How many calls may begin in a second.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The time between two calls is longer by this part than the rate says: they take different times to get there, and the other
/// side counts when they arrive.
const SLACK: f64 = 1.04;

/// Spaces calls evenly, rather than let some go at once and then none: wherever a second begins, it holds no more than are allowed.
/// A place that passes to another process brings one call more at most.
pub(super) struct Pace {
    /// 0: as many as the other limits allow.
    calls_a_second: AtomicU32,
    /// When the last call began. Held by the next one while it waits.
    begun: tokio::sync::Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { calls_a_second: AtomicU32::new(0), begun: tokio::sync::Mutex::default() }
    }

    /// Sets how many may begin in a second, in all processes together.
    pub(super) fn set(&self, calls_a_second: u32) {
        self.calls_a_second.store(calls_a_second, Ordering::Relaxed);
    }

    /// The time between the beginnings of two calls in a process that has `usable` of the account's `places`, and so that
    /// part of its rate; none: there is none to keep.
    pub(super) fn apart(&self, usable: usize, places: usize) -> Option<Duration> {
        let calls_a_second = self.calls_a_second.load(Ordering::Relaxed);
        let part = (usable.max(1) as f64 / places.max(1) as f64).min(1.0);
        (calls_a_second > 0).then(|| Duration::from_secs_f64(SLACK / (f64::from(calls_a_second) * part)))
    }

    /// Waits until a call may begin, so long after the one before.
    pub(super) async fn turn(&self, apart: Option<Duration>) {
        let Some(apart) = apart else { return };
        let mut begun = self.begun.lock().await;
        if let Some(begun) = *begun {
            tokio::time::sleep_until(begun + apart).await;
        }
        *begun = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn turns_are_apart_and_not_saved_up() {
        let pace = Pace::new();
        assert_eq!(pace.apart(1, 1), None);
        pace.set(5);
        let started = Instant::now();
        pace.turn(pace.apart(1, 1)).await;
        tokio::time::advance(Duration::from_secs(10)).await;
        let mut begun = Vec::new();
        for _ in 0..3 {
            pace.turn(pace.apart(1, 1)).await;
            begun.push(started.elapsed().as_millis());
        }
        assert_eq!(begun, [10_000, 10_208, 10_416]);
    }

    #[test]
    fn a_process_with_some_of_the_places_has_that_part_of_the_rate() {
        let pace = Pace::new();
        pace.set(10);
        for (usable, places, milliseconds) in [(10, 10, 104), (5, 10, 208), (1, 10, 1_040), (0, 10, 1_040), (20, 10, 104)] {
            assert_eq!(pace.apart(usable, places), Some(Duration::from_millis(milliseconds)), "{usable} of {places}");
        }
    }
}
